//! Some rows of a sample, each as often or as heavily as a resample has it.

use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Bounds, Sample, Scores};

/// Rows copied together.
pub struct Gathered<'a> {
    of: Sample<'a>,
    weights: Option<Vec<f64>>,
    codes: Vec<u32>,
    others: Vec<u32>,
    numbers: Vec<f64>,
    values: Vec<f64>,
    bounds: Option<[Vec<f64>; 2]>,
}

impl<'a> Gathered<'a> {
    /// The rows `rows` of `of`; `weights` are theirs.
    pub fn new(of: &Sample<'a>, rows: &[u32], weights: Option<Vec<f64>>) -> Gathered<'a> {
        let mut gathered = Gathered {
            of: *of,
            weights,
            codes: Vec::new(),
            others: Vec::new(),
            numbers: Vec::new(),
            values: Vec::new(),
            bounds: None,
        };
        let codes = |all: &[u32]| rows.iter().map(|&row| all[row as usize]).collect();
        let numbers = |all: &[f64]| rows.iter().map(|&row| all[row as usize]).collect();
        let wide = |all: &[f64], width: usize| {
            rows.iter().flat_map(|&row| &all[row as usize * width..][..width]).copied().collect()
        };
        gathered.bounds = of.bounds.map(|bounds| [numbers(bounds.low), numbers(bounds.high)]);
        match of.scores {
            Scores::Classes { truth, probabilities, names } => {
                gathered.codes = codes(truth);
                gathered.values = wide(probabilities, names.len());
            }
            Scores::Numbers { truth, predicted } => {
                gathered.numbers = numbers(truth);
                gathered.values = numbers(predicted);
            }
            Scores::Clusters(all) => {
                gathered.codes = codes(all.codes);
                gathered.others = codes(all.truth);
                gathered.numbers = numbers(all.distances);
                gathered.values = wide(all.points.values, all.points.width);
            }
            Scores::Anomalies { truth, scores, .. } => {
                gathered.codes = codes(truth);
                gathered.values = numbers(scores);
            }
        }
        gathered
    }

    /// As a sample of its own.
    pub fn sample(&self) -> Sample<'_> {
        let scores = match self.of.scores {
            Scores::Classes { names, .. } => Scores::Classes { truth: &self.codes, probabilities: &self.values, names },
            Scores::Numbers { .. } => Scores::Numbers { truth: &self.numbers, predicted: &self.values },
            Scores::Clusters(all) => Scores::Clusters(Clusters {
                points: Points { values: &self.values, width: all.points.width },
                codes: &self.codes,
                clusters: all.clusters,
                distances: &self.numbers,
                truth: &self.others,
            }),
            Scores::Anomalies { threshold, .. } => {
                Scores::Anomalies { truth: &self.codes, scores: &self.values, threshold }
            }
        };
        let bounds = self.bounds.as_ref().map(|[low, high]| Bounds { low, high });
        Sample { scores, weights: self.weights.as_deref(), bounds, ..self.of }
    }
}
