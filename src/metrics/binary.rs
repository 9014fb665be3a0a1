//! Metrics of a positive class from counts: of a binary task the second name, elsewhere the class asked for.
//!
//! TP, FP, TN, FN: rows truly and predicted positive, predicted positive but not so, and so on. Definitions as in
//! Fawcett 2006, "An introduction to ROC analysis", §2. Every function gives `None` where the quotient has no meaning.

use crate::metrics::positive::Positive;
use crate::metrics::sums::share;

/// TP / (TP + FP), in `[0, 1]`. 0 when there are positive rows and none was predicted, as `precision_score` has it;
/// left out when there are no positives at all, neither true nor predicted.
pub fn precision(positive: &Positive) -> Option<f64> {
    match share(positive.true_positives(), positive.called()) {
        None if positive.positives() > 0.0 => Some(0.0),
        precision => precision,
    }
}

/// TP / (TP + FN), in `[0, 1]`: the share of positive rows that was found. Left out without positive rows. Equals
/// `recall_score`.
pub fn recall(positive: &Positive) -> Option<f64> {
    share(positive.true_positives(), positive.positives())
}

/// 2 TP / (2 TP + FP + FN), in `[0, 1]`: harmonic mean of precision and recall. Equals `f1_score`.
pub fn f1(positive: &Positive) -> Option<f64> {
    share(2.0 * positive.true_positives(), positive.positives() + positive.called())
}

/// (1 + β²) TP / ((1 + β²) TP + β² FN + FP), in `[0, 1]`: recall counts β times as much as precision. Equals
/// `fbeta_score`.
pub fn fbeta(positive: &Positive, beta: f64) -> Option<f64> {
    let square = beta * beta;
    share((1.0 + square) * positive.true_positives(), square * positive.positives() + positive.called())
}

/// TN / (TN + FP), in `[0, 1]`: recall of the negative class. Equals `recall_score(pos_label=0)`.
pub fn specificity(positive: &Positive) -> Option<f64> {
    share(positive.true_negatives(), positive.negatives())
}

/// TN / (TN + FN), in `[0, 1]`: precision of the negative class. Equals `precision_score(pos_label=0)`.
pub fn negative_predictive_value(positive: &Positive) -> Option<f64> {
    match share(positive.true_negatives(), positive.true_negatives() + positive.false_negatives()) {
        None if positive.negatives() > 0.0 => Some(0.0),
        value => value,
    }
}

/// FP / (FP + TN), in `[0, 1]`: the share of negative rows raised as alarms.
pub fn false_positive_rate(positive: &Positive) -> Option<f64> {
    share(positive.false_positives(), positive.negatives())
}

/// FN / (FN + TP), in `[0, 1]`: the share of positive rows that was missed.
pub fn false_negative_rate(positive: &Positive) -> Option<f64> {
    share(positive.false_negatives(), positive.positives())
}

/// FP / (FP + TP), in `[0, 1]`: the share of rows predicted positive that are not. Left out when none was predicted.
pub fn false_discovery_rate(positive: &Positive) -> Option<f64> {
    share(positive.false_positives(), positive.called())
}

/// FN / (FN + TN), in `[0, 1]`: the share of rows predicted negative that are positive. Left out when none was predicted.
pub fn false_omission_rate(positive: &Positive) -> Option<f64> {
    let missed = positive.false_negatives();
    share(missed, missed + positive.true_negatives())
}

/// TP / (TP + FP + FN), in `[0, 1]`: overlap of true and predicted positives (Jaccard 1901), the threat score of weather
/// forecasts. Equals `jaccard_score`.
pub fn jaccard(positive: &Positive) -> Option<f64> {
    let hits = positive.true_positives();
    share(hits, hits + positive.false_positives() + positive.false_negatives())
}

/// Recall + specificity − 1, in `[-1, 1]`, 0 for chance (Youden 1950). Left out unless there are positive and negative
/// rows. Equals `balanced_accuracy_score(adjusted=True)`.
pub fn informedness(positive: &Positive) -> Option<f64> {
    Some(recall(positive)? + specificity(positive)? - 1.0)
}

/// TP / (TP + FP) + TN / (TN + FN) − 1, in `[-1, 1]`, 0 for chance (Powers 2011). Left out unless both are predicted.
pub fn markedness(positive: &Positive) -> Option<f64> {
    let of_called = share(positive.true_positives(), positive.called())?;
    let left = positive.true_negatives();
    Some(of_called + share(left, left + positive.false_negatives())? - 1.0)
}

/// √(precision · recall), in `[0, 1]` (Fowlkes and Mallows 1983). 0 when no row was found; left out without positive rows.
pub fn fowlkes_mallows(positive: &Positive) -> Option<f64> {
    let (recall, precision) = (recall(positive)?, precision(positive)?);
    Some((recall * precision).sqrt())
}

/// (TP · TN) / (FP · FN), 0 or above: odds of a positive call of positive rows over those of negative rows. Left out
/// without mistakes of both kinds, where it would be infinite.
pub fn diagnostic_odds_ratio(positive: &Positive) -> Option<f64> {
    let right = positive.true_positives() / positive.false_negatives();
    let wrong = positive.false_positives() / positive.true_negatives();
    (positive.false_negatives() > 0.0 && positive.false_positives() > 0.0).then(|| right / wrong)
}

/// Recall / false positive rate, 0 or above: how much a positive call raises the odds. Left out without false alarms, where
/// it would be infinite. Equals the first of `class_likelihood_ratios`.
pub fn positive_likelihood_ratio(positive: &Positive) -> Option<f64> {
    let (hit, alarm) = (recall(positive)?, false_positive_rate(positive)?);
    (alarm > 0.0).then(|| hit / alarm)
}

/// False negative rate / specificity, 0 or above: how much a negative call lowers the odds. Left out when every negative row
/// is a false alarm. Equals the second of `class_likelihood_ratios`.
pub fn negative_likelihood_ratio(positive: &Positive) -> Option<f64> {
    let (missed, left) = (false_negative_rate(positive)?, specificity(positive)?);
    (left > 0.0).then(|| missed / left)
}

/// Share of positive rows, in `[0, 1]`.
pub fn prevalence(positive: &Positive) -> Option<f64> {
    share(positive.positives(), positive.total())
}

/// √FPR / (√recall + √FPR), in `[0, 1]`: the prevalence below which most positive calls are false (Balayla 2020). The
/// same as (√(recall · FPR) − FPR) / (recall − FPR) where that is defined. Left out when no row is called positive.
pub fn prevalence_threshold(positive: &Positive) -> Option<f64> {
    let (hit, alarm) = (recall(positive)?.sqrt(), false_positive_rate(positive)?.sqrt());
    share(alarm, hit + alarm)
}
