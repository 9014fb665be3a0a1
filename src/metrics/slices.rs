//! Metrics of parts of the rows: one part for each value of one column.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Scores, compute_at};
use crate::record::evaluation::SliceResult;
use crate::spec::model::Task;

/// What the slice of rows without a value is called.
pub const MISSING: &str = "(missing)";

/// All metrics of the task, classes predicted as `threshold` has them, of the rows with each value of `column`. Row `r` has the value
/// `values[codes[r]]`; a code without a value means that it is missing, and such rows are a slice of their own.
///
/// Values that no row has are left out. Order: numbers by value, text by its bytes, missing last. Errors: `codes` of
/// another length than the scores, and those of [`compute_at`]. Cost: one copy of the scores, then that of [`compute_at`].
pub fn slices(
    column: &str,
    codes: &[u32],
    values: &[&str],
    scores: &Scores,
    task: Task,
    threshold: Option<f64>,
) -> Result<Vec<SliceResult>> {
    if codes.len() != scores.rows() {
        let message = format!("column `{column}` has {} values for {} scored rows", codes.len(), scores.rows());
        return Err(fail::usage(message).into());
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); values.len() + 1];
    for (row, &code) in codes.iter().enumerate() {
        members[(code as usize).min(values.len())].push(row);
    }
    let parts: Vec<usize> = order(values).into_iter().filter(|&part| !members[part].is_empty()).collect();
    let of_part = |part: usize| {
        let rows = &members[part];
        Ok(SliceResult {
            column: column.to_owned(),
            value: values.get(part).copied().unwrap_or(MISSING).to_owned(),
            rows: rows.len() as u64,
            metrics: Part::gather(scores, rows).compute(task, threshold)?,
            intervals: BTreeMap::new(),
        })
    };
    parts.into_par_iter().map(of_part).collect()
}

/// Positions of `values` in the order that people expect, and one more at the end for missing values.
fn order(values: &[&str]) -> Vec<usize> {
    let numbers: Option<Vec<f64>> = values.iter().map(|value| value.parse().ok()).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let by_number = numbers.as_ref().map_or(Ordering::Equal, |numbers| numbers[a].total_cmp(&numbers[b]));
        by_number.then_with(|| values[a].cmp(values[b]))
    });
    order.push(values.len());
    order
}

/// Scores of some rows, copied together.
enum Part<'a> {
    Classes { truth: Vec<u32>, probabilities: Vec<f64>, names: &'a [String] },
    Numbers { truth: Vec<f64>, predicted: Vec<f64> },
    Clusters { points: Vec<f64>, width: usize, codes: Vec<u32>, clusters: usize, distances: Vec<f64>, truth: Vec<u32> },
    Anomalies { truth: Vec<u32>, scores: Vec<f64>, threshold: f64 },
}

impl<'a> Part<'a> {
    fn gather(scores: &Scores<'a>, rows: &[usize]) -> Part<'a> {
        match *scores {
            Scores::Classes { truth, probabilities, names } => {
                let of_row = |&row: &usize| probabilities.iter().skip(row * names.len()).take(names.len()).copied();
                Part::Classes {
                    truth: rows.iter().map(|&row| truth[row]).collect(),
                    probabilities: rows.iter().flat_map(of_row).collect(),
                    names,
                }
            }
            Scores::Numbers { truth, predicted } => Part::Numbers {
                truth: rows.iter().map(|&row| truth[row]).collect(),
                predicted: rows.iter().filter_map(|&row| predicted.get(row).copied()).collect(),
            },
            Scores::Clusters(all) => Part::Clusters {
                points: rows.iter().flat_map(|&row| all.points.row(row)).copied().collect(),
                width: all.points.width,
                codes: rows.iter().map(|&row| all.codes[row]).collect(),
                clusters: all.clusters,
                distances: rows.iter().map(|&row| all.distances[row]).collect(),
                truth: rows.iter().map(|&row| all.truth[row]).collect(),
            },
            Scores::Anomalies { truth, scores, threshold } => Part::Anomalies {
                truth: rows.iter().map(|&row| truth[row]).collect(),
                scores: rows.iter().map(|&row| scores[row]).collect(),
                threshold,
            },
        }
    }

    fn compute(&self, task: Task, threshold: Option<f64>) -> Result<BTreeMap<String, f64>> {
        let scores = match self {
            Part::Classes { truth, probabilities, names } => Scores::Classes { truth, probabilities, names },
            Part::Numbers { truth, predicted } => Scores::Numbers { truth, predicted },
            Part::Clusters { points, width, codes, clusters, distances, truth } => Scores::Clusters(Clusters {
                points: Points { values: points, width: *width },
                codes,
                clusters: *clusters,
                distances,
                truth,
            }),
            Part::Anomalies { truth, scores, threshold } => Scores::Anomalies { truth, scores, threshold: *threshold },
        };
        compute_at(None, &scores, task, threshold)
    }
}
