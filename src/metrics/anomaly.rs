//! Metrics of anomaly scores: with labels how well they find what is odd, without what they look like.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::MISSING_CODE;
use crate::metrics::ranking::Ranking;
use crate::metrics::sums;

/// Scores of rows, the threshold above which they are anomalous, and what is known of the rows.
#[derive(Debug)]
pub struct Anomalies<'a> {
    scores: &'a [f64],
    threshold: f64,
    /// Of the rows with a label: whether it says anomalous.
    positive: Vec<bool>,
    /// Scores of those rows.
    labelled: Vec<f64>,
}

impl<'a> Anomalies<'a> {
    /// Checks lengths and scores. `truth`: 0 normal, 1 anomalous, or missing.
    ///
    /// Errors: lengths that differ, a score that is not finite.
    pub fn new(truth: &[u32], scores: &'a [f64], threshold: f64) -> Result<Anomalies<'a>> {
        if truth.len() != scores.len() {
            return Err(fail::usage(format!("{} labels and {} scores", truth.len(), scores.len())).into());
        }
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(fail::world(format!("row {row}: the anomaly score is {}", scores[row])).into());
        }
        let known = || truth.iter().zip(scores).filter(|(label, _)| **label != MISSING_CODE);
        Ok(Anomalies {
            scores,
            threshold,
            positive: known().map(|(label, _)| *label == 1).collect(),
            labelled: known().map(|(_, score)| *score).collect(),
        })
    }

    fn is_flagged(&self, score: f64) -> bool {
        score > self.threshold
    }

    /// Of the labelled rows: truly anomalous and flagged, flagged, truly anomalous.
    fn counts(&self) -> (u64, u64, u64) {
        let flagged = |(_, score): &(&bool, &f64)| self.is_flagged(**score);
        let pairs = || self.positive.iter().zip(&self.labelled);
        let hits = pairs().filter(|pair| flagged(pair) && *pair.0).count();
        (hits as u64, pairs().filter(flagged).count() as u64, pairs().filter(|pair| *pair.0).count() as u64)
    }

    fn ranking(&self) -> Option<Ranking> {
        Ranking::new(&self.positive, &self.labelled)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.scores.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let sorted = self.sorted();
        let place = share * sorted.len().checked_sub(1)? as f64;
        let low = place.floor() as usize;
        let high = (low + 1).min(sorted.len() - 1);
        Some(sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64))
    }
}

/// Area under the ROC curve of the score against the labels. Left out without rows of both labels. Equals `roc_auc_score`.
pub fn roc_auc(anomalies: &Anomalies) -> Option<f64> {
    anomalies.ranking().map(|ranking| ranking.roc_auc)
}

/// Average precision of the score. Left out without rows of both labels. Equals `average_precision_score`.
pub fn average_precision(anomalies: &Anomalies) -> Option<f64> {
    anomalies.ranking().map(|ranking| ranking.average_precision)
}

/// Share of flagged rows that are anomalous: precision at the share that `contamination` flags. 0 when none is flagged;
/// left out without anomalous rows.
pub fn precision(anomalies: &Anomalies) -> Option<f64> {
    let (hits, flagged, positives) = anomalies.counts();
    (positives > 0).then(|| sums::share(hits, flagged).unwrap_or(0.0))
}

/// Share of anomalous rows that are flagged. Left out without any.
pub fn recall(anomalies: &Anomalies) -> Option<f64> {
    let (hits, _, positives) = anomalies.counts();
    sums::share(hits, positives)
}

/// Harmonic mean of [`precision`] and [`recall`]. Left out without anomalous rows.
pub fn f1(anomalies: &Anomalies) -> Option<f64> {
    let (hits, flagged, positives) = anomalies.counts();
    sums::share(2 * hits, flagged + positives).filter(|_| positives > 0)
}

/// Share of anomalous rows among the n of the highest scores, n being the number of anomalous rows; rows that tie at the
/// border count in proportion. Left out without rows of both labels.
pub fn precision_at_n(anomalies: &Anomalies) -> Option<f64> {
    anomalies.ranking()?;
    let (.., positives) = anomalies.counts();
    let (mut left, mut hits) = (positives as f64, 0.0);
    for tie in crate::metrics::ranking::ties(&anomalies.positive, &anomalies.labelled) {
        let size = (tie.positives + tie.negatives) as f64;
        let taken = size.min(left);
        hits += tie.positives as f64 * taken / size;
        left -= taken;
    }
    Some(hits / positives as f64)
}

/// Share of all rows that are flagged, in `[0, 1]`.
pub fn flagged_share(anomalies: &Anomalies) -> Option<f64> {
    let flagged = anomalies.scores.iter().filter(|score| anomalies.is_flagged(**score)).count();
    sums::share(flagged as u64, anomalies.scores.len() as u64)
}

/// Mean score.
pub fn score_mean(anomalies: &Anomalies) -> Option<f64> {
    sums::mean(anomalies.scores.iter().copied(), anomalies.scores.len())
}

/// Median score.
pub fn score_p50(anomalies: &Anomalies) -> Option<f64> {
    anomalies.quantile(0.5)
}

/// Score that 95 % of the rows do not exceed.
pub fn score_p95(anomalies: &Anomalies) -> Option<f64> {
    anomalies.quantile(0.95)
}

/// Score that 99 % of the rows do not exceed.
pub fn score_p99(anomalies: &Anomalies) -> Option<f64> {
    anomalies.quantile(0.99)
}

/// Highest score.
pub fn score_max(anomalies: &Anomalies) -> Option<f64> {
    anomalies.quantile(1.0)
}
