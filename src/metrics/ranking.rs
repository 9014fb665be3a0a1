//! Metrics of order: how well a score puts positive rows above the others, and how well two orders agree.

use crate::metrics::classes::Classes;
use crate::metrics::sums;

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

/// What one sorting of the rows tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranking {
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// Area under the steps of the precision-recall curve.
    pub average_precision: f64,
    /// Largest distance between the score distributions of positive and other rows.
    pub ks: f64,
}

impl Ranking {
    /// Ranks rows by `scores`, of the same length as `positive`; `None` unless there are positive and other rows.
    ///
    /// `roc_auc`: P(positive above other) + P(tie) / 2, counted in whole numbers (Fawcett 2006, §7; Hanley and McNeil
    /// 1982); equals `roc_auc_score`. `average_precision`: Σ (Rₙ − Rₙ₋₁) Pₙ over distinct scores, without
    /// interpolation; equals `average_precision_score`. `ks`: two-sample Kolmogorov-Smirnov statistic; equals
    /// `scipy.stats.ks_2samp`.
    pub fn new(positive: &[bool], scores: &[f64]) -> Option<Ranking> {
        let ties = ties(positive, scores);
        let positives: u64 = ties.iter().map(|tie| tie.positives).sum();
        let negatives: u64 = ties.iter().map(|tie| tie.negatives).sum();
        if positives == 0 || negatives == 0 {
            return None;
        }
        let (mut true_positives, mut false_positives) = (0, 0);
        let mut twice_won = 0_u128;
        let mut steps = Vec::with_capacity(ties.len());
        let mut ks = 0.0_f64;
        for tie in &ties {
            let others_below = negatives - false_positives - tie.negatives;
            twice_won += u128::from(tie.positives) * u128::from(2 * others_below + tie.negatives);
            true_positives += tie.positives;
            false_positives += tie.negatives;
            let precision = true_positives as f64 / (true_positives + false_positives) as f64;
            steps.push(tie.positives as f64 * precision);
            let distance = true_positives as f64 / positives as f64 - false_positives as f64 / negatives as f64;
            ks = ks.max(distance.abs());
        }
        let pairs = u128::from(positives) * u128::from(negatives);
        Some(Ranking {
            roc_auc: twice_won as f64 / (2 * pairs) as f64,
            average_precision: sums::sum(steps) / positives as f64,
            ks,
        })
    }
}

/// Area under the ROC curve, in `[0, 1]`, ties counted half. Two classes: of the second. More: mean of one class
/// against the rest over the classes that occur. Left out when fewer than two classes occur. Equals
/// `roc_auc_score(multi_class="ovr", average="macro")` where that is defined (it wants every class to occur).
pub fn roc_auc(classes: &Classes) -> Option<f64> {
    mean_ranking(classes, |ranking| ranking.roc_auc)
}

/// Average precision, in `[0, 1]`; classes as in [`roc_auc`]. Equals `average_precision_score`.
pub fn average_precision(classes: &Classes) -> Option<f64> {
    mean_ranking(classes, |ranking| ranking.average_precision)
}

/// Kolmogorov-Smirnov distance between the scores of positive and negative rows, in `[0, 1]`.
pub fn ks(classes: &Classes) -> Option<f64> {
    mean_ranking(classes, |ranking| ranking.ks)
}

fn mean_ranking(classes: &Classes, of: fn(&Ranking) -> f64) -> Option<f64> {
    let values: Vec<f64> = classes.rankings().iter().flatten().map(of).collect();
    sums::mean(values.iter().copied(), values.len())
}

/// Rank of each value from 1, equal values sharing the mean of their ranks (scipy's `rankdata`). O(n log n).
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let end = start + order[start..].iter().take_while(|&&row| values[row] == value).count().max(1);
        for &row in &order[start..end] {
            ranks[row] = (start + 1 + end) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}
