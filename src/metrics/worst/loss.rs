//! What each row costs a model, in one number: the more the worse.

use crate::data::frame::MISSING_CODE;
use crate::metrics::{Sample, Scores};

/// Least probability that a row is taken to have had: a certain mistake costs no more than 13.8.
const PROBABILITY_MIN: f64 = 1e-6;

/// Loss of each row.
///
/// Classes: the log loss, `-ln` of the probability of the true class, at least 10⁻⁶. Numbers: the absolute error, which one
/// huge value moves less than the squared one. Clusters: the distance to the centre. Anomalies: 1 for a row told wrong and 0 for one
/// told right; without labels, the score, which is how surprising the row is. `None` where a row has no loss: scores
/// of other lengths, an anomaly task with labels in some rows only is judged by score too.
pub fn losses(sample: &Sample) -> Option<Vec<f64>> {
    let losses: Vec<f64> = match sample.scores {
        Scores::Classes { truth, probabilities, names } => {
            let rows = probabilities.chunks_exact(names.len().max(1));
            let loss = |(code, row): (&u32, &[f64])| {
                let probability = row.get(*code as usize).copied().unwrap_or(0.0);
                -probability.clamp(PROBABILITY_MIN, 1.0).ln()
            };
            truth.iter().zip(rows).map(loss).collect()
        }
        Scores::Numbers { truth, predicted } => {
            truth.iter().zip(predicted).map(|(truth, predicted)| (truth / 2.0 - predicted / 2.0).abs()).collect()
        }
        Scores::Clusters(clusters) => clusters.distances.to_vec(),
        Scores::Anomalies { truth, scores, threshold } => match truth.contains(&MISSING_CODE) {
            true => scores.to_vec(),
            false => {
                let wrong = |(truth, score): (&u32, &f64)| f64::from(u8::from((*truth == 1) != (*score > threshold)));
                truth.iter().zip(scores).map(wrong).collect()
            }
        },
    };
    let whole = losses.len() == sample.scores.rows() && losses.iter().all(|loss| loss.is_finite());
    whole.then_some(losses)
}
