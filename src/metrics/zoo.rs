//! The one table of metrics: a new metric is a function in the file of its idea and a row here.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::metrics::anomaly::{self, Anomalies};
use crate::metrics::classes::Classes;
use crate::metrics::clustering::{self, Clusters};
use crate::metrics::numbers::Numbers;
use crate::metrics::{Measure, Metric};
use crate::metrics::{binary, multiclass, probability, ranking, regression};
use crate::spec::model::Task;

const BINARY: &[Task] = &[Task::Binary];
const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
const NUMBERS: &[Task] = &[Task::Regression];

/// In the order that tables show them: what people look at first comes first.
static TABLE: &[Metric] = &[
    up(CLASSES, "accuracy", multiclass::accuracy, "share of rows predicted rightly"),
    up(CLASSES, "balanced_accuracy", multiclass::balanced_accuracy, "mean recall of the classes"),
    up(BINARY, "f1", binary::f1, "harmonic mean of precision and recall of the positive class"),
    up(BINARY, "precision", binary::precision, "share of rows predicted positive that are"),
    up(BINARY, "recall", binary::recall, "share of positive rows that were found"),
    up(BINARY, "specificity", binary::specificity, "share of negative rows that were left alone"),
    up(CLASSES, "f1_macro", multiclass::f1_macro, "mean F1 of the classes"),
    up(CLASSES, "f1_weighted", multiclass::f1_weighted, "mean F1 of the classes, weighted by their rows"),
    up(CLASSES, "precision_macro", multiclass::precision_macro, "mean precision of the classes"),
    up(CLASSES, "precision_weighted", multiclass::precision_weighted, "mean precision, weighted by the classes' rows"),
    up(CLASSES, "recall_macro", multiclass::recall_macro, "mean recall of the classes, true or predicted"),
    up(CLASSES, "roc_auc", ranking::roc_auc, "chance that a row of the class ranks above one that is not"),
    up(CLASSES, "average_precision", ranking::average_precision, "area under the precision-recall steps"),
    up(CLASSES, "ks", ranking::ks, "largest distance between scores of the class and of the others"),
    down(CLASSES, "log_loss", probability::log_loss, "mean surprise at the true class, in nats"),
    down(CLASSES, "brier", probability::brier, "mean squared distance of probabilities from the truth"),
    down(
        CLASSES,
        "expected_calibration_error",
        probability::expected_calibration_error,
        "mean gap between what probabilities promise and what happens",
    ),
    up(CLASSES, "matthews_corrcoef", multiclass::matthews_corrcoef, "correlation of true and predicted classes"),
    up(CLASSES, "cohen_kappa", multiclass::cohen_kappa, "agreement of true and predicted classes beyond chance"),
    up(BINARY, "jaccard", binary::jaccard, "overlap of true and predicted positives"),
    up(
        BINARY,
        "negative_predictive_value",
        binary::negative_predictive_value,
        "share of rows predicted negative that are",
    ),
    down(BINARY, "false_positive_rate", binary::false_positive_rate, "share of negative rows predicted positive"),
    down(BINARY, "false_negative_rate", binary::false_negative_rate, "share of positive rows that were missed"),
    numbers_down("rmse", regression::rmse, "square root of the mean squared error, in the target's unit"),
    numbers_down("mae", regression::mae, "mean absolute error, in the target's unit"),
    numbers_up("r2", regression::r2, "share of the target's variance explained"),
    numbers_down("mse", regression::mse, "mean squared error"),
    numbers_down("mape", regression::mape, "mean absolute error as a fraction of the true value"),
    numbers_down("wape", regression::wape, "total absolute error as a fraction of the total"),
    numbers_down("median_absolute_error", regression::median_absolute_error, "median absolute error"),
    numbers_down("max_error", regression::max_error, "largest absolute error"),
    numbers_up("explained_variance", regression::explained_variance, "share of variance explained, offset forgiven"),
    numbers_up("pearson", regression::pearson, "correlation of truth and prediction"),
    numbers_up("spearman", regression::spearman, "rank correlation of truth and prediction"),
    numbers_down("msle", regression::msle, "mean squared error of ln(1 + value)"),
    numbers_down("rmsle", regression::rmsle, "square root of the mean squared error of ln(1 + value)"),
    numbers_down("mean_poisson_deviance", regression::mean_poisson_deviance, "deviance of counts"),
    groups(true, "silhouette", clustering::sampled_silhouette, "how much nearer rows are to their own cluster's rows"),
    groups(true, "calinski_harabasz", clustering::calinski_harabasz, "spread between clusters over spread within"),
    groups(false, "davies_bouldin", clustering::davies_bouldin, "spread of clusters over their distance"),
    groups(false, "inertia", clustering::inertia, "sum of squared distances from the centers"),
    groups(true, "clusters", clustering::filled, "clusters that have rows"),
    groups(false, "largest_share", clustering::largest_share, "share of the rows in the largest cluster"),
    groups(true, "adjusted_rand", clustering::adjusted_rand, "agreement with the known groups beyond chance"),
    groups(
        true,
        "normalized_mutual_info",
        clustering::normalized_mutual_info,
        "information shared with the known groups",
    ),
    groups(true, "homogeneity", clustering::homogeneity, "how far clusters are of one known group only"),
    groups(true, "completeness", clustering::completeness, "how far known groups are in one cluster only"),
    odd(true, "roc_auc", anomaly::roc_auc, "chance that an anomalous row scores above a normal one"),
    odd(true, "average_precision", anomaly::average_precision, "area under the precision-recall steps"),
    odd(true, "precision", anomaly::precision, "share of flagged rows that are anomalous"),
    odd(true, "recall", anomaly::recall, "share of anomalous rows that are flagged"),
    odd(true, "f1", anomaly::f1, "harmonic mean of precision and recall"),
    odd(true, "precision_at_n", anomaly::precision_at_n, "anomalous share of as many top rows as there are anomalies"),
    odd(false, "flagged_share", anomaly::flagged_share, "share of all rows that are flagged"),
    odd(false, "score_mean", anomaly::score_mean, "mean anomaly score"),
    odd(false, "score_p50", anomaly::score_p50, "median anomaly score"),
    odd(false, "score_p95", anomaly::score_p95, "score that 95 % of the rows do not exceed"),
    odd(false, "score_p99", anomaly::score_p99, "score that 99 % of the rows do not exceed"),
    odd(false, "score_max", anomaly::score_max, "highest anomaly score"),
];

/// What people call metrics elsewhere, and what they are called here; used for "did you mean" only.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("acc", "accuracy"),
    ("adjusted_rand_score", "adjusted_rand"),
    ("ari", "adjusted_rand"),
    ("auc", "roc_auc"),
    ("average_precision_score", "average_precision"),
    ("auprc", "average_precision"),
    ("brier_score", "brier"),
    ("brier_score_loss", "brier"),
    ("cross_entropy", "log_loss"),
    ("ece", "expected_calibration_error"),
    ("fnr", "false_negative_rate"),
    ("fpr", "false_positive_rate"),
    ("logloss", "log_loss"),
    ("mcc", "matthews_corrcoef"),
    ("mutual_info", "normalized_mutual_info"),
    ("nmi", "normalized_mutual_info"),
    ("mean_absolute_error", "mae"),
    ("mean_absolute_percentage_error", "mape"),
    ("mean_squared_error", "mse"),
    ("mean_squared_log_error", "msle"),
    ("npv", "negative_predictive_value"),
    ("ppv", "precision"),
    ("pr_auc", "average_precision"),
    ("root_mean_squared_error", "rmse"),
    ("sensitivity", "recall"),
    ("tnr", "specificity"),
    ("tpr", "recall"),
];

/// Metrics that have a meaning for `task`, what people look at first in front.
pub fn all(task: Task) -> Vec<&'static Metric> {
    TABLE.iter().filter(|metric| metric.tasks.contains(&task)).collect()
}

/// The metric called `name`.
///
/// Errors: an unknown name, with the nearest one; a metric of another task, with those of this one.
pub fn find(name: &str, task: Task) -> Result<&'static Metric> {
    let known = all(task);
    if let Some(metric) = known.iter().find(|metric| metric.name == name) {
        return Ok(metric);
    }
    let names = known.iter().map(|metric| metric.name);
    let others = TABLE.iter().filter(|metric| metric.name == name);
    let tasks: Vec<&str> = others.flat_map(|metric| metric.tasks).map(|task| task.name()).collect();
    if !tasks.is_empty() {
        let message = format!("metric `{name}` is for {} tasks; this task is {}", tasks.join(" and "), task.name());
        return Err(fail::usage(message).hint(format!("use one of {}", names.collect::<Vec<_>>().join(", "))).into());
    }
    let lower = name.to_lowercase();
    let plain = lower.strip_suffix("_score").unwrap_or(&lower).trim_start_matches("neg_");
    let meant = OTHER_NAMES.iter().find(|(other, _)| *other == lower || *other == plain).map_or(plain, |pair| pair.1);
    if known.iter().any(|metric| metric.name == meant) {
        return Err(fail::usage(format!("unknown metric `{name}`")).hint(format!("did you mean `{meant}`?")).into());
    }
    Err(suggest::unknown("metric", name, names).into())
}

/// The metric that a search improves and a listing shows when nobody said which.
pub fn headline(task: Task) -> &'static str {
    match task {
        Task::Binary => "roc_auc",
        Task::Multiclass => "log_loss",
        Task::Regression => "rmse",
        Task::Clustering => "silhouette",
        Task::Anomaly => "average_precision",
    }
}

const fn up(
    tasks: &'static [Task],
    name: &'static str,
    measure: fn(&Classes) -> Option<f64>,
    about: &'static str,
) -> Metric {
    Metric { name, tasks, higher_is_better: true, about, measure: Measure::Classes(measure) }
}

const fn down(
    tasks: &'static [Task],
    name: &'static str,
    measure: fn(&Classes) -> Option<f64>,
    about: &'static str,
) -> Metric {
    Metric { name, tasks, higher_is_better: false, about, measure: Measure::Classes(measure) }
}

const fn numbers_up(name: &'static str, measure: fn(&Numbers) -> Option<f64>, about: &'static str) -> Metric {
    Metric { name, tasks: NUMBERS, higher_is_better: true, about, measure: Measure::Numbers(measure) }
}

const fn numbers_down(name: &'static str, measure: fn(&Numbers) -> Option<f64>, about: &'static str) -> Metric {
    Metric { name, tasks: NUMBERS, higher_is_better: false, about, measure: Measure::Numbers(measure) }
}

const fn groups(
    higher_is_better: bool,
    name: &'static str,
    measure: fn(&Clusters) -> Option<f64>,
    about: &'static str,
) -> Metric {
    Metric { name, tasks: &[Task::Clustering], higher_is_better, about, measure: Measure::Clusters(measure) }
}

const fn odd(
    higher_is_better: bool,
    name: &'static str,
    measure: fn(&Anomalies) -> Option<f64>,
    about: &'static str,
) -> Metric {
    Metric { name, tasks: &[Task::Anomaly], higher_is_better, about, measure: Measure::Anomalies(measure) }
}
