//! Metrics of parts of the rows: one part for each slice of a division.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::data::divide::Division;
use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Bounds, Sample, Scores, measure};
use crate::record::evaluation::SliceResult;

/// All metrics of the task of each slice of each division, in their order; slices of fewer rows than `rows_min` are left out.
///
/// Errors: a division of other rows than the sample; those of [`measure`]. Cost: one copy of the scores a division, then that
/// of [`measure`], slices in parallel.
pub fn slices(divisions: &[Division], sample: &Sample, rows_min: u64) -> Result<Vec<SliceResult>> {
    let rows = sample.scores.rows();
    if let Some(odd) = divisions.iter().find(|division| division.codes.len() != rows) {
        let (text, found) = (&odd.text, odd.codes.len());
        return Err(fail::usage(format!("slice `{text}` has {found} rows for {rows} scored rows")).into());
    }
    let parts: Vec<(&Division, usize, Vec<u32>)> = divisions
        .iter()
        .flat_map(|division| division.members().into_iter().enumerate().map(move |(at, rows)| (division, at, rows)))
        .filter(|(_, _, rows)| rows.len() as u64 >= rows_min)
        .collect();
    let result = |(division, at, rows): (&Division, usize, Vec<u32>)| {
        Ok(SliceResult {
            column: division.text.clone(),
            value: division.names[at].clone(),
            rows: rows.len() as u64,
            metrics: of_rows(sample, &rows)?,
            intervals: BTreeMap::new(),
        })
    };
    parts.into_par_iter().map(result).collect()
}

/// All metrics of the rows numbered `rows` alone. Cost: one copy of their scores, then that of [`measure`].
///
/// Errors: as [`measure`].
pub fn of_rows(sample: &Sample, rows: &[u32]) -> Result<BTreeMap<String, f64>> {
    measure_rows(sample, rows, None)
}

/// As [`of_rows`], of the metrics `names` alone.
pub fn of_rows_named(sample: &Sample, rows: &[u32], names: &[&str]) -> Result<BTreeMap<String, f64>> {
    measure_rows(sample, rows, Some(names))
}

fn measure_rows(sample: &Sample, rows: &[u32], names: Option<&[&str]>) -> Result<BTreeMap<String, f64>> {
    let part = Part::gather(&sample.scores, rows);
    let of_rows = |values: &[f64]| rows.iter().filter_map(|&row| values.get(row as usize).copied()).collect::<Vec<_>>();
    let weights = sample.weights.map(of_rows);
    let ends = sample.bounds.map(|bounds| (of_rows(bounds.low), of_rows(bounds.high)));
    let bounds = ends.as_ref().map(|(low, high)| Bounds { low, high });
    measure(names, &Sample { scores: part.scores(), weights: weights.as_deref(), bounds, ..*sample })
}

/// Scores of some rows, copied together.
enum Part<'a> {
    Classes { truth: Vec<u32>, probabilities: Vec<f64>, names: &'a [String] },
    Numbers { truth: Vec<f64>, predicted: Vec<f64> },
    Clusters { points: Vec<f64>, width: usize, codes: Vec<u32>, clusters: usize, distances: Vec<f64>, truth: Vec<u32> },
    Anomalies { truth: Vec<u32>, scores: Vec<f64>, threshold: f64 },
}

impl<'a> Part<'a> {
    /// Copies the scores of `rows`.
    fn gather(scores: &Scores<'a>, rows: &[u32]) -> Part<'a> {
        match *scores {
            Scores::Classes { truth, probabilities, names } => {
                let width = names.len();
                let of_row = |&row: &u32| {
                    let start = row as usize * width;
                    probabilities.get(start..start + width).unwrap_or_default().iter().copied()
                };
                Part::Classes {
                    truth: rows.iter().map(|&row| truth[row as usize]).collect(),
                    probabilities: rows.iter().flat_map(of_row).collect(),
                    names,
                }
            }
            Scores::Numbers { truth, predicted } => Part::Numbers {
                truth: rows.iter().map(|&row| truth[row as usize]).collect(),
                predicted: rows.iter().filter_map(|&row| predicted.get(row as usize).copied()).collect(),
            },
            Scores::Clusters(all) => Part::Clusters {
                points: rows.iter().flat_map(|&row| all.points.row(row as usize)).copied().collect(),
                width: all.points.width,
                codes: rows.iter().map(|&row| all.codes[row as usize]).collect(),
                clusters: all.clusters,
                distances: rows.iter().map(|&row| all.distances[row as usize]).collect(),
                truth: rows.iter().map(|&row| all.truth[row as usize]).collect(),
            },
            Scores::Anomalies { truth, scores, threshold } => Part::Anomalies {
                truth: rows.iter().map(|&row| truth[row as usize]).collect(),
                scores: rows.iter().map(|&row| scores[row as usize]).collect(),
                threshold,
            },
        }
    }

    /// The scores as metrics want them.
    fn scores(&self) -> Scores<'_> {
        match self {
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
        }
    }
}
