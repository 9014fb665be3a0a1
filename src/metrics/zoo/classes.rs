//! Metrics of classes, in the order that tables show them: what people look at first comes first.

use crate::metrics::metric::Measure::{Classes, ClassesAt, Each, Positive, PositiveAt, Rows};
use crate::metrics::metric::{Aim, Metric, When};
use crate::metrics::zoo::rows::{
    BETA, BINARY, CLASSES, EVERY, K, MULTICLASS, PRECISION, RECALL, SENSITIVITY, SHARE, SPECIFICITY, down, row, up,
};
use crate::metrics::{binary, multiclass, operating, pairs, prepared, probability, ranking};

pub(super) static TABLE: &[Metric] = &[
    up(CLASSES, "accuracy", Classes(multiclass::accuracy), "share of rows predicted rightly"),
    up(CLASSES, "balanced_accuracy", Classes(multiclass::balanced_accuracy), "mean recall of the classes"),
    up(BINARY, "f1", Positive(binary::f1), "harmonic mean of precision and recall of the positive class"),
    up(BINARY, "precision", Positive(binary::precision), "share of rows predicted positive that are"),
    up(BINARY, "recall", Positive(binary::recall), "share of positive rows that were found"),
    up(BINARY, "specificity", Positive(binary::specificity), "share of negative rows that were left alone"),
    up(CLASSES, "f1_macro", Classes(multiclass::f1_macro), "mean F1 of the classes"),
    up(CLASSES, "f1_weighted", Classes(multiclass::f1_weighted), "mean F1 of the classes, weighted by their rows"),
    up(CLASSES, "precision_macro", Classes(multiclass::precision_macro), "mean precision of the classes"),
    up(
        CLASSES,
        "precision_weighted",
        Classes(multiclass::precision_weighted),
        "mean precision, weighted by the classes' rows",
    ),
    up(CLASSES, "recall_macro", Classes(multiclass::recall_macro), "mean recall of the classes, true or predicted"),
    up(CLASSES, "roc_auc", Each(ranking::roc_auc), "chance that a row of the class ranks above one that is not"),
    up(CLASSES, "average_precision", Each(ranking::average_precision), "area under the precision-recall steps"),
    up(CLASSES, "ks", Each(ranking::ks), "largest distance between scores of the class and of the others"),
    down(CLASSES, "log_loss", Classes(probability::log_loss), "mean surprise at the true class, in nats"),
    down(CLASSES, "brier", Classes(probability::brier), "mean squared distance of probabilities from the truth"),
    down(
        CLASSES,
        "expected_calibration_error",
        Classes(probability::expected_calibration_error),
        "mean gap between what probabilities promise and what happens",
    ),
    up(
        CLASSES,
        "matthews_corrcoef",
        Classes(multiclass::matthews_corrcoef),
        "correlation of true and predicted classes",
    ),
    up(
        CLASSES,
        "cohen_kappa",
        Classes(multiclass::cohen_kappa),
        "agreement of true and predicted classes beyond chance",
    ),
    up(BINARY, "jaccard", Positive(binary::jaccard), "overlap of true and predicted positives; threat score"),
    up(
        BINARY,
        "negative_predictive_value",
        Positive(binary::negative_predictive_value),
        "share of rows predicted negative that are",
    ),
    down(
        BINARY,
        "false_positive_rate",
        Positive(binary::false_positive_rate),
        "share of negative rows predicted positive",
    ),
    down(
        BINARY,
        "false_negative_rate",
        Positive(binary::false_negative_rate),
        "share of positive rows that were missed",
    ),
    down(CLASSES, "expected_cost", Classes(multiclass::expected_cost), "mean cost of an answer, by the cost matrix")
        .when(When::Costs),
    down(
        BINARY,
        "false_discovery_rate",
        Positive(binary::false_discovery_rate),
        "share of rows predicted positive that are not",
    )
    .asked(),
    down(
        BINARY,
        "false_omission_rate",
        Positive(binary::false_omission_rate),
        "share of rows predicted negative that are positive",
    )
    .asked(),
    up(BINARY, "informedness", Positive(binary::informedness), "recall + specificity - 1; Youden's J").asked(),
    up(BINARY, "markedness", Positive(binary::markedness), "precision + negative predictive value - 1").asked(),
    up(BINARY, "fowlkes_mallows", Positive(binary::fowlkes_mallows), "geometric mean of precision and recall").asked(),
    up(
        BINARY,
        "diagnostic_odds_ratio",
        Positive(binary::diagnostic_odds_ratio),
        "odds of a positive call of positive rows over those of negative rows",
    )
    .asked(),
    up(
        BINARY,
        "positive_likelihood_ratio",
        Positive(binary::positive_likelihood_ratio),
        "how much a positive call raises the odds",
    )
    .asked(),
    down(
        BINARY,
        "negative_likelihood_ratio",
        Positive(binary::negative_likelihood_ratio),
        "how much a negative call lowers the odds",
    )
    .asked(),
    row(BINARY, "prevalence", Aim::Neither, Positive(binary::prevalence), "share of positive rows").asked(),
    down(
        BINARY,
        "prevalence_threshold",
        Positive(binary::prevalence_threshold),
        "prevalence below which most positive calls are false",
    )
    .asked(),
    up(BINARY, "fbeta", PositiveAt(binary::fbeta), "F1 with recall counting BETA times as much").takes(&BETA),
    up(
        CLASSES,
        "auc_precision_recall",
        Each(ranking::auc_precision_recall),
        "area under the precision-recall curve, interpolated",
    )
    .asked(),
    up(BINARY, "max_recall", Positive(operating::max_recall), "recall at the lowest threshold").asked(),
    up(
        BINARY,
        "precision_at_recall",
        PositiveAt(operating::precision_at_recall),
        "best precision at a recall of at least RECALL",
    )
    .takes(&RECALL),
    up(
        BINARY,
        "recall_at_precision",
        PositiveAt(operating::recall_at_precision),
        "best recall at a precision of at least PRECISION",
    )
    .takes(&PRECISION),
    up(
        BINARY,
        "sensitivity_at_specificity",
        PositiveAt(operating::sensitivity_at_specificity),
        "best recall at a specificity of at least SPECIFICITY",
    )
    .takes(&SPECIFICITY),
    up(
        BINARY,
        "specificity_at_sensitivity",
        PositiveAt(operating::specificity_at_sensitivity),
        "best specificity at a recall of at least SENSITIVITY",
    )
    .takes(&SENSITIVITY),
    up(BINARY, "lift", PositiveAt(operating::lift), "positives in the top SHARE of rows over those by chance")
        .takes(&SHARE),
    up(BINARY, "gain", PositiveAt(operating::gain), "share of the positives in the top SHARE of rows").takes(&SHARE),
    up(CLASSES, "d2_log_loss", Classes(probability::d2_log_loss), "share of the surprise of blind answers spared")
        .asked(),
    up(CLASSES, "d2_brier", Classes(probability::d2_brier), "share of the Brier score of blind answers spared").asked(),
    down(
        CLASSES,
        "max_calibration_error",
        Classes(probability::max_calibration_error),
        "largest gap between what probabilities promise and what happens",
    )
    .asked(),
    row(
        BINARY,
        "calibration",
        Aim::Near(1.0),
        Positive(probability::calibration),
        "mean probability over share of positive rows",
    )
    .asked(),
    row(BINARY, "mean_label", Aim::Neither, Positive(probability::mean_label), "share of positive rows").asked(),
    row(
        BINARY,
        "mean_prediction",
        Aim::Neither,
        Positive(probability::mean_prediction),
        "mean probability of the positive class",
    )
    .asked(),
    up(
        BINARY,
        "squared_pearson_correlation",
        Positive(probability::squared_pearson_correlation),
        "squared correlation of label and probability",
    )
    .asked(),
    up(
        BINARY,
        "coefficient_of_discrimination",
        Positive(probability::coefficient_of_discrimination),
        "mean probability of positive rows minus that of others",
    )
    .asked(),
    up(
        MULTICLASS,
        "recall_weighted",
        Classes(multiclass::recall_weighted),
        "mean recall, weighted by the classes' rows",
    )
    .asked(),
    up(MULTICLASS, "precision_micro", Classes(multiclass::accuracy), "precision of all decisions together: accuracy")
        .asked(),
    up(MULTICLASS, "recall_micro", Classes(multiclass::accuracy), "recall of all decisions together: accuracy").asked(),
    up(MULTICLASS, "f1_micro", Classes(multiclass::accuracy), "F1 of all decisions together: accuracy").asked(),
    up(MULTICLASS, "jaccard_macro", Classes(multiclass::jaccard_macro), "mean overlap of true and predicted rows")
        .asked(),
    up(
        MULTICLASS,
        "top_k_accuracy",
        ClassesAt(multiclass::top_k_accuracy),
        "share of rows whose class is among the K most probable",
    )
    .takes(&K),
    up(MULTICLASS, "roc_auc_weighted", Classes(pairs::roc_auc_weighted), "roc_auc, weighted by the classes' rows")
        .asked(),
    up(MULTICLASS, "roc_auc_ovo", Classes(pairs::roc_auc_ovo), "mean area with which each class is told from each")
        .asked(),
    up(
        MULTICLASS,
        "roc_auc_ovo_weighted",
        Classes(pairs::roc_auc_ovo_weighted),
        "roc_auc_ovo, weighted by the pairs' rows",
    )
    .asked(),
    row(EVERY, "example_count", Aim::Neither, Rows(prepared::example_count), "number of rows").asked(),
    row(EVERY, "weighted_example_count", Aim::Neither, Rows(prepared::weighted_example_count), "sum of the weights")
        .asked(),
];
