//! Metrics of points on the curves: what can be had at a wanted recall, precision or rate, and in the top share of the rows.
//!
//! A threshold lies between two distinct scores, so rows of equal score are called together.

use crate::metrics::positive::Positive;
use crate::metrics::ranked::{Ranked, Step};

fn best(positive: &Positive, reaches: impl Fn(&Ranked, &Step) -> bool, of: fn(&Ranked, &Step) -> f64) -> Option<f64> {
    let ranked = positive.ranked()?;
    let values = ranked.steps.iter().filter(|step| reaches(&ranked, step)).map(|step| of(&ranked, step));
    Some(values.fold(0.0, f64::max))
}

fn recall(ranked: &Ranked, step: &Step) -> f64 {
    step.true_positives / ranked.positives
}

fn precision(_ranked: &Ranked, step: &Step) -> f64 {
    step.true_positives / step.called()
}

fn specificity(ranked: &Ranked, step: &Step) -> f64 {
    (ranked.negatives - step.false_positives) / ranked.negatives
}

/// Best precision among all thresholds whose recall is at least `wanted`, in `[0, 1]`. Equals Keras' `PrecisionAtRecall`
/// with a threshold at every score.
pub fn precision_at_recall(positive: &Positive, wanted: f64) -> Option<f64> {
    best(positive, |ranked, step| recall(ranked, step) >= wanted, precision)
}

/// Best recall among all thresholds whose precision is at least `wanted`, in `[0, 1]`; 0 when no threshold reaches it.
/// Equals Keras' `RecallAtPrecision`.
pub fn recall_at_precision(positive: &Positive, wanted: f64) -> Option<f64> {
    best(positive, |ranked, step| precision(ranked, step) >= wanted, recall)
}

/// Best recall among all thresholds whose specificity is at least `wanted`, in `[0, 1]`; 0 when only calling nothing reaches
/// it. Equals Keras' `SensitivityAtSpecificity`.
pub fn sensitivity_at_specificity(positive: &Positive, wanted: f64) -> Option<f64> {
    best(positive, |ranked, step| specificity(ranked, step) >= wanted, recall)
}

/// Best specificity among all thresholds whose recall is at least `wanted`, in `[0, 1]`. Equals Keras'
/// `SpecificityAtSensitivity`.
pub fn specificity_at_sensitivity(positive: &Positive, wanted: f64) -> Option<f64> {
    if wanted <= 0.0 {
        // Calling nothing is a threshold too: no recall, and no false alarm.
        return positive.ranked().map(|_| 1.0);
    }
    best(positive, |ranked, step| recall(ranked, step) >= wanted, specificity)
}

/// Share of positive rows with a probability above 0, in `[0, 1]`: what the lowest threshold finds. Left out without
/// positive rows. Equals TFMA's `MaxRecall` on rows that have a prediction at all.
pub fn max_recall(positive: &Positive) -> Option<f64> {
    let found = positive.weights().sum(positive.pairs().map(|(truth, p)| if p > 0.0 { truth } else { 0.0 }));
    crate::metrics::sums::share(found, positive.positives())
}

/// Share of the positive rows among the top `share` of all rows, by probability, in `[0, 1]` (cumulative gain); rows of
/// equal probability at the border count in proportion.
pub fn gain(positive: &Positive, share: f64) -> Option<f64> {
    positive.ranked().map(|ranked| ranked.found_in(share) / ranked.positives)
}

/// How many times more positive rows the top `share` of all rows holds than as many rows drawn blindly: [`gain`] over
/// `share`.
pub fn lift(positive: &Positive, share: f64) -> Option<f64> {
    gain(positive, share).map(|gain| gain / share)
}
