//! Rows sorted by a score, once, for every metric and curve that depends on their order.

use rayon::slice::ParallelSliceMut;

use crate::metrics::sums::Running;

/// What comes of calling every row positive whose score is at least `score`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The score.
    pub score: f64,
    /// Weight of the positive rows at or above it.
    pub true_positives: f64,
    /// Weight of the other rows at or above it.
    pub false_positives: f64,
}

impl Step {
    /// Weight of all rows at or above the score.
    pub fn called(&self) -> f64 {
        self.true_positives + self.false_positives
    }
}

/// One step for each distinct score, the highest first. Rows of equal score are never told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The steps.
    pub steps: Vec<Step>,
    /// Weight of all positive rows, above 0.
    pub positives: f64,
    /// Weight of all other rows, above 0.
    pub negatives: f64,
}

impl Ranked {
    /// Sorts rows by `scores` (no NaN); `positive`, `scores` and `weights` have one length, weights are above 0, and all 1
    /// when `None`. `None` unless there are positive and other rows. O(n log n), on all threads.
    pub fn new(positive: &[bool], scores: &[f64], weights: Option<&[f64]>) -> Option<Ranked> {
        let steps = match weights {
            None if scores.iter().all(|score| *score >= 0.0) => packed(positive, scores),
            _ => weighed(positive, scores, weights),
        };
        let last = steps.last()?;
        let (positives, negatives) = (last.true_positives, last.false_positives);
        (positives > 0.0 && negatives > 0.0).then_some(Ranked { steps, positives, negatives })
    }

    /// Each step with the one before it, which is nothing called at first.
    pub fn pairs(&self) -> impl Iterator<Item = (Step, Step)> {
        let nothing = Step { score: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
        let before = std::iter::once(nothing).chain(self.steps.iter().copied());
        before.zip(self.steps.iter().copied())
    }

    /// Weight of the positive rows among the `share` of the weight with the highest scores; rows of equal score at the
    /// border count in proportion. `share` is in `[0, 1]`.
    pub fn found_in(&self, share: f64) -> f64 {
        self.found_in_first(share * (self.positives + self.negatives))
    }

    /// Weight of the positive rows among the `first` of the weight with the highest scores; ties as in [`Ranked::found_in`].
    pub fn found_in_first(&self, first: f64) -> f64 {
        let at = self.steps.partition_point(|step| step.called() < first);
        let Some(step) = self.steps.get(at) else {
            return self.positives;
        };
        let before = at.checked_sub(1).map(|before| self.steps[before]);
        let (called, found) = before.map_or((0.0, 0.0), |before| (before.called(), before.true_positives));
        let size = step.called() - called;
        found + (step.true_positives - found) * (first - called).min(size) / size
    }
}

/// Rows without weights and scores of 0 or above, whose bits are in the order of their values: one number a row holds both
/// score and label, so that equal rows are equal numbers and any sort gives the same.
fn packed(positive: &[bool], scores: &[f64]) -> Vec<Step> {
    // Adding 0 makes one score of 0 and -0.
    let pack = |(score, positive): (&f64, &bool)| ((score + 0.0).to_bits() << 1) | u64::from(*positive);
    let mut rows: Vec<u64> = scores.iter().zip(positive).map(pack).collect();
    rows.par_sort_unstable();
    let mut steps: Vec<Step> = Vec::new();
    let mut counts = [0_u64; 2];
    for (place, row) in rows.iter().rev().enumerate() {
        counts[(row & 1) as usize] += 1;
        let is_last = rows.len() - place < 2 || rows[rows.len() - place - 2] >> 1 != row >> 1;
        if is_last {
            let [negatives, positives] = counts.map(|count| count as f64);
            let score = f64::from_bits(row >> 1);
            steps.push(Step { score, true_positives: positives, false_positives: negatives });
        }
    }
    steps
}

/// Rows of any score and weight, equal scores in row order.
fn weighed(positive: &[bool], scores: &[f64], weights: Option<&[f64]>) -> Vec<Step> {
    let mut rows: Vec<(u64, u32)> = scores.iter().zip(0..).map(|(score, row)| (!order_key(*score), row)).collect();
    rows.par_sort_unstable();
    let mut steps: Vec<Step> = Vec::new();
    let mut sums = [Running::default(); 2];
    for (place, (key, row)) in rows.iter().enumerate() {
        let row = *row as usize;
        sums[usize::from(positive[row])].add(weights.map_or(1.0, |weights| weights[row]));
        if rows.get(place + 1).is_none_or(|next| next.0 != *key) {
            let [negatives, positives] = sums.map(Running::value);
            steps.push(Step { score: scores[row], true_positives: positives, false_positives: negatives });
        }
    }
    steps
}

/// Bits in the order of the values, 0 and -0 alike.
fn order_key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}
