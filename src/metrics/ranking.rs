//! Metrics of order: how well a score puts positive rows above the others, and how well two orders agree.

use crate::metrics::positive::Positive;
use crate::metrics::ranked::{Ranked, Step};
use crate::metrics::sums::{self, Running};
use crate::metrics::weights::{Weights, rising};

/// Rows of equal score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tie {
    /// The score that they share.
    pub score: f64,
    /// Positive rows among them.
    pub positives: u64,
    /// Other rows among them.
    pub negatives: u64,
}

/// Rows of equal score counted together, highest score first. `positive` and `scores` have one length. O(n log n).
pub fn ties(positive: &[bool], scores: &[f64]) -> Vec<Tie> {
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut ties: Vec<Tie> = Vec::new();
    for (score, positive) in rows {
        // Compared with `==`, so that 0 and -0 are one score.
        if ties.last().is_none_or(|tie| tie.score != score) {
            ties.push(Tie { score, positives: 0, negatives: 0 });
        }
        if let Some(tie) = ties.last_mut() {
            tie.positives += u64::from(positive);
            tie.negatives += u64::from(!positive);
        }
    }
    ties
}

impl Ranked {
    /// P(positive above other) + P(tie) / 2, in `[0, 1]` (Fawcett 2006, §7; Hanley and McNeil 1982). Equals
    /// `roc_auc_score`.
    pub fn roc_auc(&self) -> f64 {
        let twice_won = |(before, step): (Step, Step)| {
            let tied = step.false_positives - before.false_positives;
            (step.true_positives - before.true_positives) * (2.0 * (self.negatives - step.false_positives) + tied)
        };
        sums::sum(self.pairs().map(twice_won)) / (2.0 * self.positives * self.negatives)
    }

    /// Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores, without interpolation, in `[0, 1]`. Equals `average_precision_score`.
    pub fn average_precision(&self) -> f64 {
        let part = |(before, step): (Step, Step)| {
            (step.true_positives - before.true_positives) * (step.true_positives / step.called())
        };
        sums::sum(self.pairs().map(part)) / self.positives
    }

    /// Largest distance between the score distributions of positive and other rows, in `[0, 1]`: the two-sample
    /// Kolmogorov-Smirnov statistic. Equals `scipy.stats.ks_2samp`.
    pub fn ks(&self) -> f64 {
        let distance =
            |step: &Step| (step.true_positives / self.positives - step.false_positives / self.negatives).abs();
        self.steps.iter().map(distance).fold(0.0, f64::max)
    }

    /// Area under the precision-recall curve between neighbouring thresholds as it truly runs, in `[0, 1]`: positives
    /// and others grow in proportion, so precision is no straight line (Davis and Goadrich 2006). For steps from P₁ to
    /// P₂ called rows, with slope s = ΔTP / ΔP: Σ s (ΔTP + (TP₁ − s P₁) ln(P₂ / P₁)) / positives, the logarithm 0 where P₁
    /// is 0. What TFMA and Keras sum over a fixed grid of thresholds, summed here over all of them.
    pub fn auc_precision_recall(&self) -> f64 {
        let part = |(before, step): (Step, Step)| {
            let (found, called) = (step.true_positives - before.true_positives, step.called() - before.called());
            if found == 0.0 {
                return 0.0;
            }
            let slope = found / called;
            let bend = if before.called() > 0.0 {
                (before.true_positives - slope * before.called()) * (step.called() / before.called()).ln()
            } else {
                0.0
            };
            slope * (found + bend)
        };
        sums::sum(self.pairs().map(part)) / self.positives
    }
}

/// Area under the ROC curve, in `[0, 1]`, ties counted half. Two classes: of the second. More: mean of one class
/// against the rest over the classes that occur. Left out when fewer than two classes occur. Equals
/// `roc_auc_score(multi_class="ovr", average="macro")` where that is defined (it wants every class to occur).
pub fn roc_auc(positive: &Positive) -> Option<f64> {
    positive.ranked().map(|ranked| ranked.roc_auc())
}

/// Average precision, in `[0, 1]`; classes as in [`roc_auc`]. Equals `average_precision_score`.
pub fn average_precision(positive: &Positive) -> Option<f64> {
    positive.ranked().map(|ranked| ranked.average_precision())
}

/// Area under the precision-recall curve, interpolated, in `[0, 1]`; classes as in [`roc_auc`]. Equals
/// `tf.keras.metrics.AUC(curve="PR")` with a threshold at every score.
pub fn auc_precision_recall(positive: &Positive) -> Option<f64> {
    positive.ranked().map(|ranked| ranked.auc_precision_recall())
}

/// Kolmogorov-Smirnov distance between the scores of positive and negative rows, in `[0, 1]`.
pub fn ks(positive: &Positive) -> Option<f64> {
    positive.ranked().map(|ranked| ranked.ks())
}

/// Rank of each value from 1, equal values sharing the mean of their ranks (scipy's `rankdata`); a row of weight 2 takes two
/// ranks. O(n log n).
pub fn ranks(values: &[f64], weights: &Weights) -> Vec<f64> {
    let order = rising(values);
    let mut ranks = vec![0.0; values.len()];
    let mut below = Running::default();
    for tied in order.chunk_by(|a, b| values[*a as usize] == values[*b as usize]) {
        let before = below.value();
        tied.iter().for_each(|row| below.add(weights.of(*row as usize)));
        let rank = (before + 1.0 + below.value()) / 2.0;
        tied.iter().for_each(|row| ranks[*row as usize] = rank);
    }
    ranks
}
