//! Metrics of anomaly scores: with labels how well they find what is odd, without what they look like.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::MISSING_CODE;
use crate::metrics::ranked::Ranked;
use crate::metrics::sums::{self, Running};
use crate::metrics::weights::{Weights, rising};

/// Scores of rows, the threshold above which they are anomalous, and what is known of the rows.
#[derive(Debug)]
pub struct Anomalies<'a> {
    scores: &'a [f64],
    threshold: f64,
    weights: Weights<'a>,
    /// Of the rows with a label: whether it says anomalous.
    positive: Vec<bool>,
    /// Scores of those rows.
    labelled: Vec<f64>,
    /// Weights of those rows; `None` when all are 1.
    labelled_weights: Option<Vec<f64>>,
}

/// Weight of the labelled rows.
struct Labelled {
    /// Truly anomalous and flagged.
    hits: f64,
    flagged: f64,
    /// Truly anomalous.
    positives: f64,
}

impl<'a> Anomalies<'a> {
    /// Checks lengths, scores and weights. `truth`: 0 normal, 1 anomalous, or missing.
    ///
    /// Errors: lengths that differ, a score that is not finite, weights that are none (see [`Weights::new`]).
    pub fn new(truth: &[u32], scores: &'a [f64], threshold: f64, weights: Option<&'a [f64]>) -> Result<Anomalies<'a>> {
        if truth.len() != scores.len() {
            return Err(fail::usage(format!("{} labels and {} scores", truth.len(), scores.len())).into());
        }
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(fail::world(format!("row {row}: the anomaly score is {}", scores[row])).into());
        }
        let weights = Weights::new(weights, scores.len())?;
        let known: Vec<usize> = (0..truth.len()).filter(|row| truth[*row] != MISSING_CODE).collect();
        Ok(Anomalies {
            scores,
            threshold,
            positive: known.iter().map(|row| truth[*row] == 1).collect(),
            labelled: known.iter().map(|row| scores[*row]).collect(),
            labelled_weights: weights.each().map(|each| known.iter().map(|row| each[*row]).collect()),
            weights,
        })
    }

    /// How much each row counts.
    pub fn weights(&self) -> &Weights<'a> {
        &self.weights
    }

    fn is_flagged(&self, score: f64) -> bool {
        score > self.threshold
    }

    fn counts(&self) -> Labelled {
        let weight = |row: usize| self.labelled_weights.as_ref().map_or(1.0, |weights| weights[row]);
        let of =
            |wanted: &dyn Fn(usize) -> bool| sums::sum((0..self.labelled.len()).filter(|row| wanted(*row)).map(weight));
        let flagged = |row: usize| self.is_flagged(self.labelled[row]);
        Labelled {
            hits: of(&|row| self.positive[row] && flagged(row)),
            flagged: of(&flagged),
            positives: of(&|row| self.positive[row]),
        }
    }

    fn ranked(&self) -> Option<Ranked> {
        Ranked::new(&self.positive, &self.labelled, self.labelled_weights.as_deref())
    }

    /// Quantile with linear interpolation between the rows around it, a row of weight 2 being two rows. Equals numpy's.
    fn quantile(&self, share: f64) -> Option<f64> {
        if self.weights.each().is_some() {
            return self.weighted_quantile(share);
        }
        let mut sorted = self.scores.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let place = share * sorted.len().checked_sub(1)? as f64;
        let low = place.floor() as usize;
        let high = (low + 1).min(sorted.len() - 1);
        Some(sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64))
    }

    fn weighted_quantile(&self, share: f64) -> Option<f64> {
        let order = rising(self.scores);
        let last = self.scores[*order.last()? as usize];
        let place = share * (self.weights.total() - 1.0).max(0.0);
        let low = place.floor();
        let (mut below, mut lower) = (Running::default(), None);
        for row in order {
            below.add(self.weights.of(row as usize));
            let score = self.scores[row as usize];
            if lower.is_none() && below.value() > low {
                lower = Some(score);
            }
            if let Some(lower) = lower
                && below.value() > low + 1.0
            {
                return Some(lower + (score - lower) * (place - low));
            }
        }
        let lower = lower.unwrap_or(last);
        Some(lower + (last - lower) * (place - low))
    }
}

/// Area under the ROC curve of the score against the labels. Left out without rows of both labels. Equals `roc_auc_score`.
pub fn roc_auc(anomalies: &Anomalies) -> Option<f64> {
    anomalies.ranked().map(|ranked| ranked.roc_auc())
}

/// Average precision of the score. Left out without rows of both labels. Equals `average_precision_score`.
pub fn average_precision(anomalies: &Anomalies) -> Option<f64> {
    anomalies.ranked().map(|ranked| ranked.average_precision())
}

/// Share of flagged rows that are anomalous: precision at the share that `contamination` flags. 0 when none is flagged;
/// left out without anomalous rows.
pub fn precision(anomalies: &Anomalies) -> Option<f64> {
    let counts = anomalies.counts();
    (counts.positives > 0.0).then(|| sums::share(counts.hits, counts.flagged).unwrap_or(0.0))
}

/// Share of anomalous rows that are flagged. Left out without any.
pub fn recall(anomalies: &Anomalies) -> Option<f64> {
    let counts = anomalies.counts();
    sums::share(counts.hits, counts.positives)
}

/// Harmonic mean of [`precision`] and [`recall`]. Left out without anomalous rows.
pub fn f1(anomalies: &Anomalies) -> Option<f64> {
    let counts = anomalies.counts();
    sums::share(2.0 * counts.hits, counts.flagged + counts.positives).filter(|_| counts.positives > 0.0)
}

/// Share of anomalous rows among the n of the highest scores, n being the number of anomalous rows; rows that tie at the
/// border count in proportion. Left out without rows of both labels.
pub fn precision_at_n(anomalies: &Anomalies) -> Option<f64> {
    let ranked = anomalies.ranked()?;
    Some(ranked.found_in_first(ranked.positives) / ranked.positives)
}

/// Share of all rows that are flagged, in `[0, 1]`.
pub fn flagged_share(anomalies: &Anomalies) -> Option<f64> {
    let flagged = |score: &f64| f64::from(u8::from(anomalies.is_flagged(*score)));
    anomalies.weights.mean(anomalies.scores.iter().map(flagged))
}

/// Mean score.
pub fn score_mean(anomalies: &Anomalies) -> Option<f64> {
    anomalies.weights.mean(anomalies.scores.iter().copied())
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
