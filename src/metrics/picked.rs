//! Scores of some of the rows, copied together.

use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Bounds, Sample, Scores};

/// What [`Sample`] borrows, owned, of some rows.
#[derive(Clone, Debug)]
pub struct Picked<'a> {
    sample: Sample<'a>,
    truth: Vec<u32>,
    values: Vec<f64>,
    true_values: Vec<f64>,
    codes: Vec<u32>,
    distances: Vec<f64>,
    weights: Option<Vec<f64>>,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
}

impl<'a> Picked<'a> {
    /// Copies `rows` of a sample whose slices have the lengths that they must have; every row is below its number of rows.
    pub fn new(sample: &Sample<'a>, rows: &[u32]) -> Picked<'a> {
        let numbers = |all: &[f64]| -> Vec<f64> { rows.iter().map(|row| all[*row as usize]).collect() };
        let codes = |all: &[u32]| -> Vec<u32> { rows.iter().map(|row| all[*row as usize]).collect() };
        let wide = |all: &[f64], width: usize| -> Vec<f64> {
            rows.iter().flat_map(|row| &all[*row as usize * width..(*row as usize + 1) * width]).copied().collect()
        };
        let mut picked = Picked {
            sample: *sample,
            truth: Vec::new(),
            values: Vec::new(),
            true_values: Vec::new(),
            codes: Vec::new(),
            distances: Vec::new(),
            weights: sample.weights.map(numbers),
            bounds: sample.bounds.map(|bounds| (numbers(bounds.low), numbers(bounds.high))),
        };
        match sample.scores {
            Scores::Classes { truth, probabilities, names } => {
                (picked.truth, picked.values) = (codes(truth), wide(probabilities, names.len()));
            }
            Scores::Numbers { truth, predicted } => {
                (picked.true_values, picked.values) = (numbers(truth), numbers(predicted));
            }
            Scores::Clusters(all) => {
                (picked.truth, picked.codes) = (codes(all.truth), codes(all.codes));
                (picked.values, picked.distances) = (wide(all.points.values, all.points.width), numbers(all.distances));
            }
            Scores::Anomalies { truth, scores, .. } => {
                (picked.truth, picked.values) = (codes(truth), numbers(scores));
            }
        }
        picked
    }

    /// The rows as a sample of their own.
    pub fn sample(&self) -> Sample<'_> {
        let scores = match self.sample.scores {
            Scores::Classes { names, .. } => Scores::Classes { truth: &self.truth, probabilities: &self.values, names },
            Scores::Numbers { .. } => Scores::Numbers { truth: &self.true_values, predicted: &self.values },
            Scores::Clusters(all) => Scores::Clusters(Clusters {
                points: Points { values: &self.values, width: all.points.width },
                codes: &self.codes,
                clusters: all.clusters,
                distances: &self.distances,
                truth: &self.truth,
            }),
            Scores::Anomalies { threshold, .. } => {
                Scores::Anomalies { truth: &self.truth, scores: &self.values, threshold }
            }
        };
        Sample {
            scores,
            weights: self.weights.as_deref(),
            bounds: self.bounds.as_ref().map(|(low, high)| Bounds { low, high }),
            ..self.sample
        }
    }
}
