//! Points of the ROC and precision-recall curves, for plots.

use crate::metrics::ranking;

/// One threshold of a score and what comes of calling every row at or above it positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The threshold; infinite at the first point, where no row is positive.
    pub threshold: f64,
    /// Positive rows at or above it.
    pub true_positives: u64,
    /// Other rows at or above it.
    pub false_positives: u64,
}

/// One curve: its points from the highest threshold to the lowest, and the totals they are shares of.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Positive rows.
    pub positives: u64,
    /// Other rows.
    pub negatives: u64,
    /// From nothing called positive to everything, one for each distinct score.
    pub points: Vec<CurvePoint>,
}

impl Curve {
    /// One point for each distinct one of `scores`, of rows that are `positive` or not, both of one length. `None`
    /// unless there are positive and other rows. O(n log n).
    pub fn new(positive: &[bool], scores: &[f64]) -> Option<Curve> {
        let mut last = CurvePoint { threshold: f64::INFINITY, true_positives: 0, false_positives: 0 };
        let mut points = vec![last];
        for tie in ranking::ties(positive, scores) {
            last = CurvePoint {
                threshold: tie.score,
                true_positives: last.true_positives + tie.positives,
                false_positives: last.false_positives + tie.negatives,
            };
            points.push(last);
        }
        let curve = Curve { positives: last.true_positives, negatives: last.false_positives, points };
        (curve.positives > 0 && curve.negatives > 0).then_some(curve)
    }

    /// At most `limit` points (at least 2), first and last kept, the others evenly chosen.
    pub fn thinned(&self, limit: usize) -> Curve {
        let (count, limit) = (self.points.len(), limit.max(2));
        let points = match count <= limit {
            true => self.points.clone(),
            false => (0..limit).map(|step| self.points[step * (count - 1) / (limit - 1)]).collect(),
        };
        Curve { points, ..*self }
    }

    /// `(false positive rate, true positive rate)` of each point. Equals
    /// `roc_curve(drop_intermediate=False)`.
    pub fn roc(&self) -> Vec<(f64, f64)> {
        let rate = |point: &CurvePoint| {
            (point.false_positives as f64 / self.negatives as f64, point.true_positives as f64 / self.positives as f64)
        };
        self.points.iter().map(rate).collect()
    }

    /// `(recall, precision)` of each point; precision is 1 where no row is called positive. Equals
    /// `precision_recall_curve` read from its end.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        let rate = |point: &CurvePoint| {
            let called = point.true_positives + point.false_positives;
            let precision = if called == 0 { 1.0 } else { point.true_positives as f64 / called as f64 };
            (point.true_positives as f64 / self.positives as f64, precision)
        };
        self.points.iter().map(rate).collect()
    }
}
