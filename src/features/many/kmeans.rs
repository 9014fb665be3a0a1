//! Distances to the centres of clusters.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator, ParallelSlice};
use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::seed::{Rng, Seed};
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::fitting::shared;
use crate::features::many::pca::check_width;
use crate::features::many::{
    FittedMany, ManyStep, all_finite, check_numeric, drawn, drops, matrix_of, means_of, note_drawn,
};
use crate::features::recipe::StepForm;
use crate::spec::recipe::Columns;

/// Rounds of moving centres, at most; scikit-learn's default.
const ROUNDS_MAX: usize = 300;
/// Rows whose sums are taken by one thread, in a fixed order.
const BLOCK_ROWS: usize = 1_024;

/// Which clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct KmeansOptions {
    /// Of which columns.
    pub columns: Columns,
    /// How many; at least 1.
    pub clusters: usize,
    /// Keeps the columns themselves too.
    pub keep: bool,
}

/// Centres of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedKmeans {
    pub(crate) inputs: Vec<Arc<str>>,
    /// What missing values count as.
    pub(crate) means: Vec<f64>,
    pub(crate) centres: Vec<Vec<f64>>,
    pub(crate) columns: Vec<Arc<str>>,
}

/// Adds the Euclidean distance to each of the centres, `kmeans_1`, `kmeans_2`…: scikit-learn's `KMeans.transform` (1.9).
///
/// Centres start by k-means++ with 2 + ln k tries for each (Arthur, Vassilvitskii 2007) and move by Lloyd's rounds until no
/// row changes its cluster, 300 at most; they are then sorted, so that numbers do not depend on chance where centres do not.
/// Columns are taken as they are: scale them first. A missing value counts as the mean of the training rows. Beyond
/// `CLUSTER_ROWS_MAX` training rows, some are drawn. O(rounds · rows · clusters · columns). Errors (usage): a column without
/// numbers, too many columns.
pub fn fit(
    columns: &[&Working],
    options: &KmeansOptions,
    seed: Seed,
    notes: &mut Vec<String>,
) -> Result<Vec<StepForm>> {
    for column in columns {
        check_numeric("kmeans", column)?;
    }
    check_width("kmeans", columns.len())?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = matrix_of(columns);
    let means = means_of("kmeans", columns, &numbers, notes);
    let rows = drawn(numbers[0].len(), limits::CLUSTER_ROWS_MAX, seed.derive("rows"));
    note_drawn("kmeans", rows.len(), numbers[0].len(), notes);
    let mut points = Vec::with_capacity(rows.len() * columns.len());
    for &row in &rows {
        points.extend(numbers.iter().zip(&means).map(|(values, &mean)| {
            let value = values[row as usize];
            if value.is_nan() { mean } else { value }
        }));
    }
    let mut centres = lloyd(&points, columns.len(), start(&points, columns.len(), options.clusters, seed));
    centres.sort_by(|a, b| {
        a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    if centres.len() < options.clusters {
        let (made, wanted) = (centres.len(), options.clusters);
        notes.push(format!("kmeans: the training rows have only {made} distinct points for {wanted} clusters"));
    }
    let fitted = FittedKmeans {
        inputs: shared(columns.iter().map(|column| &*column.name)),
        means,
        columns: (1..=centres.len()).map(|number| format!("kmeans_{number}").into()).collect(),
        centres,
    };
    let mut forms = vec![StepForm::Many(FittedMany::Kmeans(fitted))];
    if !options.keep {
        forms.push(drops(columns));
    }
    Ok(forms)
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    // A distance beyond the largest number is as large as can be; infinite ones could not be compared by their sums.
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().min(1e300)
}

/// Centres to start from: each of several points drawn by its squared distance, the best of which is taken; fewer than
/// `clusters` when there are no more distinct points.
fn start(points: &[f64], width: usize, clusters: usize, seed: Seed) -> Vec<Vec<f64>> {
    let mut rng = seed.derive("start").rng();
    let count = points.len() / width;
    let point = |at: usize| &points[at * width..(at + 1) * width];
    let tries = 2 + (clusters as f64).ln() as usize;
    let mut centres = vec![point(rng.below(count as u64) as usize).to_vec()];
    let distances = |centre: &[f64], before: Option<&[f64]>| -> Vec<f64> {
        let one =
            |(at, point): (usize, &[f64])| square(point, centre).min(before.map_or(f64::INFINITY, |before| before[at]));
        points.par_chunks(width).enumerate().map(one).collect()
    };
    let mut nearest = distances(&centres[0], None);
    while centres.len() < clusters {
        let total: f64 = nearest.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..tries {
            let chosen = pick(&nearest, total, &mut rng);
            let after = distances(point(chosen), Some(&nearest));
            let left: f64 = after.iter().sum();
            if best.as_ref().is_none_or(|(least, ..)| left < *least) {
                best = Some((left, chosen, after));
            }
        }
        if let Some((_, chosen, after)) = best {
            centres.push(point(chosen).to_vec());
            nearest = after;
        }
    }
    centres
}

/// A position drawn in proportion to its weight, never one of weight 0.
fn pick(weights: &[f64], total: f64, rng: &mut Rng) -> usize {
    let mut left = rng.unit() * total;
    let mut last = 0;
    for (position, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        last = position;
        if left < weight {
            break;
        }
        left -= weight;
    }
    last
}

/// Position of the nearest centre, the first of equals, and the squared distance to it.
fn nearest(point: &[f64], centres: &[Vec<f64>]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    for (position, centre) in centres.iter().enumerate() {
        let distance = square(point, centre);
        if distance < best.1 {
            best = (position, distance);
        }
    }
    best
}

fn lloyd(points: &[f64], width: usize, mut centres: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut clusters: Vec<u32> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let found: Vec<(usize, f64)> =
            points.par_chunks(width).with_min_len(BLOCK_ROWS).map(|point| nearest(point, &centres)).collect();
        let now: Vec<u32> = found.iter().map(|(cluster, _)| *cluster as u32).collect();
        if now == clusters {
            break;
        }
        let mut counts = vec![0.0; centres.len()];
        now.iter().for_each(|&cluster| counts[cluster as usize] += 1.0);
        let mut sums = vec![vec![0.0; width]; centres.len()];
        for (point, &cluster) in points.chunks(width).zip(&now) {
            let count: f64 = counts[cluster as usize];
            for (sum, value) in sums[cluster as usize].iter_mut().zip(point) {
                *sum += value / count;
            }
        }
        // A cluster without rows goes where a row is farthest from its centre.
        let mut far: Vec<usize> = Vec::new();
        for (cluster, sum) in sums.iter_mut().enumerate().filter(|(cluster, _)| counts[*cluster] == 0.0) {
            let mut best = (0.0, None);
            for (row, (_, distance)) in found.iter().enumerate() {
                if *distance > best.0 && !far.contains(&row) {
                    best = (*distance, Some(row));
                }
            }
            match best.1 {
                Some(row) => {
                    far.push(row);
                    sum.copy_from_slice(&points[row * width..(row + 1) * width]);
                }
                None => sum.copy_from_slice(&centres[cluster]),
            }
        }
        centres = sums;
        clusters = now;
    }
    centres
}

impl ManyStep for FittedKmeans {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("kmeans", &[Kind::Number, Kind::Indicator])?;
        }
        let means = self.means.len() == inputs.len() && self.means.iter().all(|mean| mean.is_finite());
        if !means || self.centres.len() != self.columns.len() || !all_finite(&self.centres, inputs.len()) {
            return Err(damaged("centres do not fit the columns that they are made of".to_owned()));
        }
        Ok(vec![Kind::Number; self.columns.len()])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let numbers = matrix_of(inputs);
        let distance = |centre: &Vec<f64>| {
            let mut squares = vec![0.0; numbers[0].len()];
            for ((values, mean), centre) in numbers.iter().zip(&self.means).zip(centre) {
                for (square, &value) in squares.iter_mut().zip(&**values) {
                    let value = if value.is_nan() { *mean } else { value };
                    *square += (value - centre).powi(2);
                }
            }
            let root = |square: f64| if square.is_finite() { square.sqrt() } else { f64::NAN };
            Values::Number(squares.into_iter().map(root).collect())
        };
        Ok(self.centres.par_iter().map(distance).collect())
    }
}
