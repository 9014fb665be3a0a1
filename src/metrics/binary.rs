//! Metrics of the positive class of a binary task, from counts. The positive class is the second name.
//!
//! TP, FP, TN, FN: rows truly and predicted positive, predicted positive but not so, and so on. Definitions as in
//! Fawcett 2006, "An introduction to ROC analysis", §2. Every function gives `None` where the quotient has no meaning.

use crate::metrics::classes::Classes;
use crate::metrics::sums;

const NEGATIVE: usize = 0;
const POSITIVE: usize = 1;

/// TP / (TP + FP), in `[0, 1]`. 0 when there are positive rows and none was predicted, as `precision_score` has it;
/// left out when there are no positives at all, neither true nor predicted.
pub fn precision(classes: &Classes) -> Option<f64> {
    classes.counts().precision(POSITIVE)
}

/// TP / (TP + FN), in `[0, 1]`: the share of positive rows that was found. Left out without positive rows. Equals
/// `recall_score`.
pub fn recall(classes: &Classes) -> Option<f64> {
    classes.counts().recall(POSITIVE)
}

/// 2 TP / (2 TP + FP + FN), in `[0, 1]`: harmonic mean of precision and recall. Equals `f1_score`.
pub fn f1(classes: &Classes) -> Option<f64> {
    classes.counts().f1(POSITIVE)
}

/// TN / (TN + FP), in `[0, 1]`: recall of the negative class. Equals `recall_score(pos_label=0)`.
pub fn specificity(classes: &Classes) -> Option<f64> {
    classes.counts().recall(NEGATIVE)
}

/// TN / (TN + FN), in `[0, 1]`: precision of the negative class. Equals `precision_score(pos_label=0)`.
pub fn negative_predictive_value(classes: &Classes) -> Option<f64> {
    classes.counts().precision(NEGATIVE)
}

/// FP / (FP + TN), in `[0, 1]`: the share of negative rows raised as alarms.
pub fn false_positive_rate(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    sums::share(counts.cell(NEGATIVE, POSITIVE), counts.truths(NEGATIVE))
}

/// FN / (FN + TP), in `[0, 1]`: the share of positive rows that was missed.
pub fn false_negative_rate(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    sums::share(counts.cell(POSITIVE, NEGATIVE), counts.truths(POSITIVE))
}

/// TP / (TP + FP + FN), in `[0, 1]`: overlap of true and predicted positives (Jaccard 1901). Equals `jaccard_score`.
pub fn jaccard(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    let hits = counts.hits(POSITIVE);
    sums::share(hits, counts.truths(POSITIVE) + counts.predictions(POSITIVE) - hits)
}
