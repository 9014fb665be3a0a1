//! Replicates of metrics that follow from the table of true against predicted classes.
//!
//! A resample is one addition a row; the metrics are then measured on the table, one row a cell, weighted by its sum.

use anyhow::Result;

use crate::metrics::compare::rows::predicted;
use crate::metrics::{self, Sample, Scores};
use crate::spec::model::Task;

/// Metrics of classes that follow from the table alone.
const METRICS: &[&str] = &[
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "specificity",
    "f1_macro",
    "f1_weighted",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "matthews_corrcoef",
    "cohen_kappa",
    "jaccard",
    "negative_predictive_value",
    "false_positive_rate",
    "false_negative_rate",
    "false_discovery_rate",
    "false_omission_rate",
    "informedness",
    "markedness",
    "fowlkes_mallows",
    "diagnostic_odds_ratio",
    "positive_likelihood_ratio",
    "negative_likelihood_ratio",
    "prevalence",
    "prevalence_threshold",
    "recall_weighted",
    "precision_micro",
    "recall_micro",
    "f1_micro",
    "jaccard_macro",
    "expected_cost",
];

/// Probabilities that the rows of one table may take; classes that are many are measured on their rows.
const PROBABILITIES_MAX: usize = 1 << 17;

/// Sums side by side, so that additions to one cell do not wait for each other.
const LANES: usize = 4;

/// Whether `metric` follows from the table.
pub fn has(metric: &str, task: Task) -> bool {
    task.is_classification() && METRICS.contains(&metric)
}

/// Metrics of the table of one sample's rows.
pub struct Table<'a> {
    names: &'a [String],
    sample: Sample<'a>,
    /// Cell of each row.
    codes: Vec<u32>,
    weights: Option<Vec<f64>>,
    /// Truth of each cell that has a row.
    truth: Vec<u32>,
    /// One row a cell: certain of the predicted class.
    probabilities: Vec<f64>,
    wanted: Vec<(usize, &'a str)>,
}

impl<'a> Table<'a> {
    /// Of the rows `rows` of `sample`, the quantities `wanted` (their numbers and metrics, all of which it [`has`]); `None`
    /// where there are too many cells, or no classes.
    pub fn new(sample: &Sample<'a>, rows: &[u32], wanted: &[(usize, &'a str)]) -> Option<Table<'a>> {
        let Scores::Classes { truth, names, .. } = sample.scores else {
            return None;
        };
        let width = names.len();
        let predicted = predicted(sample)?;
        let pairs: Vec<(u32, u32)> =
            rows.iter().map(|row| (truth[*row as usize], predicted(*row as usize))).collect();
        let mut cells = pairs.clone();
        cells.sort_unstable();
        cells.dedup();
        if cells.len().saturating_mul(width) > PROBABILITIES_MAX {
            return None;
        }
        let code = |pair: &(u32, u32)| cells.partition_point(|cell| cell < pair) as u32;
        let certain = |(_, predicted): &(u32, u32)| {
            let predicted = *predicted as usize;
            (0..width).map(move |class| f64::from(u8::from(class == predicted)))
        };
        Some(Table {
            names,
            sample: *sample,
            codes: pairs.iter().map(code).collect(),
            weights: sample.weights.map(|weights| rows.iter().map(|row| weights[*row as usize]).collect()),
            truth: cells.iter().map(|cell| cell.0).collect(),
            probabilities: cells.iter().flat_map(certain).collect(),
            wanted: wanted.to_vec(),
        })
    }

    /// Writes the values of its quantities; `draws` are the weights of its rows.
    pub fn values(&self, draws: &[u8], values: &mut [f64]) -> Result<()> {
        let weights = self.cells(draws);
        let drawn: Vec<usize> = (0..weights.len()).filter(|cell| weights[*cell] > 0.0).collect();
        let width = self.names.len();
        let truth: Vec<u32> = drawn.iter().map(|cell| self.truth[*cell]).collect();
        let probabilities: Vec<f64> =
            drawn.iter().flat_map(|cell| &self.probabilities[cell * width..][..width]).copied().collect();
        let weights: Vec<f64> = drawn.iter().map(|cell| weights[*cell]).collect();
        let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: self.names };
        let sample = Sample { scores, threshold: None, weights: Some(&weights), ..self.sample };
        let names: Vec<&str> = self.wanted.iter().map(|(_, metric)| *metric).collect();
        let measured = metrics::measure(Some(&names), &sample)?;
        for (quantity, metric) in &self.wanted {
            values[*quantity] = measured.get(*metric).copied().unwrap_or(f64::NAN);
        }
        Ok(())
    }

    /// Weight of each cell.
    fn cells(&self, draws: &[u8]) -> Vec<f64> {
        let cells = self.truth.len();
        if let Some(weights) = &self.weights {
            let mut sums = vec![0.0; cells];
            for ((code, draw), weight) in self.codes.iter().zip(draws).zip(weights) {
                sums[*code as usize] += f64::from(*draw) * weight;
            }
            return sums;
        }
        let mut sums = vec![[0_u64; LANES]; cells];
        let ((codes, last), (eights, others)) = (self.codes.as_chunks::<LANES>(), draws.as_chunks::<LANES>());
        for (codes, draws) in codes.iter().zip(eights) {
            for lane in 0..LANES {
                sums[codes[lane] as usize][lane] += u64::from(draws[lane]);
            }
        }
        for (code, draw) in last.iter().zip(others) {
            sums[*code as usize][0] += u64::from(*draw);
        }
        sums.iter().map(|lanes| lanes.iter().sum::<u64>() as f64).collect()
    }
}
