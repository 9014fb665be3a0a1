//! `kmeans`: rows are grouped around centers, each row with the nearest one (Lloyd 1982). No target is needed.
//!
//! Starts are greedy k-means++ (Arthur and Vassilvitskii 2007; scikit-learn's variant), each followed by Lloyd's rounds; of
//! several starts the one of the lowest inertia counts. Clusters are numbered by their training rows, the largest first.
//! smartcore's k-means starts once, plainly, and has no answer to a cluster that runs empty; tests compare with it.

mod lloyd;
mod plus_plus;

use std::any::Any;

use anyhow::Result;
use rayon::prelude::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::base::limits::{CLUSTERS_MAX, SILHOUETTE_ROWS_MAX};
use crate::base::units;
use crate::data::matrix::Matrix;
use crate::metrics::clustering::{Points, sample, silhouette};
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::kmeans::lloyd::{BLOCK_ROWS, Ended, nearest};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::spec::kinds::KMeansParams;

/// Numbers of clusters that `auto` tries.
const CLUSTERS_TRIED: std::ops::RangeInclusive<usize> = 2..=10;
/// Largest absolute value of a feature: the square of a distance over all features must stay finite.
const VALUE_MAX: f64 = 1e140;

/// Fitted centers.
pub(crate) struct KMeans {
    pub(crate) features: usize,
    /// Center by center.
    pub(crate) centers: Vec<f64>,
}

/// Rows to be grouped, row by row, with their weights.
pub(in crate::models) struct Rows<'a> {
    /// Their values.
    pub points: Points<'a>,
    /// How much each counts; all alike when absent.
    pub weights: Option<&'a [f64]>,
}

impl Rows<'_> {
    /// How much a row counts.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }
}

/// Fits centers. Cost: starts × rounds × rows × clusters × features, rows in parallel.
///
/// Errors: nothing to learn from, more clusters than rows, values that are not finite or too large to square, categories,
/// parameters out of range.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: KMeansParams = params::read("kmeans", fit.params)?;
    params::check("kmeans", "starts", given.starts as f64, (1..=1_000).contains(&given.starts), "1 to 1000")?;
    params::check("kmeans", "max_iterations", given.max_iterations as f64, given.max_iterations >= 1, "at least 1")?;
    params::check("kmeans", "tolerance", given.tolerance, given.tolerance >= 0.0, "0 or more")?;
    input::groupable("kmeans", fit)?;
    input::all_finite("kmeans", fit.matrix)?;
    small_enough(fit.matrix)?;
    let width = fit.matrix.features().len();
    let dense = fit.matrix.to_row_major();
    let rows = Rows { points: Points { values: &dense, width }, weights: fit.weights };
    let clusters = match given.clusters.given() {
        Some(clusters) => {
            let most = CLUSTERS_MAX.min(rows.points.rows());
            let range = format!("1 to {most} for {}", units::plural(rows.points.rows() as u64, "training row"));
            params::check("kmeans", "clusters", clusters as f64, (1..=most).contains(&clusters), &range)?;
            clusters
        }
        None => choose(&rows, &given, fit),
    };
    let ended = best(&rows, clusters, &given, fit);
    if ended.clusters(width) < clusters {
        let found = units::plural(ended.clusters(width) as u64, "cluster");
        fit.talk
            .warn(&format!("`kmeans` found {found}, not {clusters}: the training rows have no more distinct values"));
    }
    if !ended.settled {
        fit.talk
            .warn(&format!("`kmeans` stopped after {} rounds before its centers stood still", given.max_iterations));
        fit.talk.hint("raise `max_iterations`, or `tolerance`");
    }
    Ok(Box::new(KMeans { features: width, centers: ended.by_size(width) }))
}

/// Refuses values whose squared distances overflow.
fn small_enough(matrix: &Matrix) -> Result<()> {
    for feature in matrix.features() {
        if let Some(row) = (0..matrix.rows()).find(|&row| feature.values.get(row).abs() > VALUE_MAX) {
            let (name, value) = (&feature.name, feature.values.get(row));
            return Err(fail::usage(format!("`kmeans` cannot square feature `{name}`: it is {value:e} in row {row}"))
                .hint("add a scale step for it, or drop it")
                .into());
        }
    }
    Ok(())
}

/// The end of lowest inertia of all starts, the first of equals.
fn best(rows: &Rows<'_>, clusters: usize, params: &KMeansParams, fit: &FitInput<'_>) -> Ended {
    let seed = fit.seed.derive("kmeans");
    let mut best: Option<Ended> = None;
    for start in 0..params.starts as u64 {
        let centers = plus_plus::centers(rows, clusters, seed.nth(start));
        let ended = lloyd::run(rows, centers, params.max_iterations, params.tolerance);
        if best.as_ref().is_none_or(|best| ended.inertia < best.inertia) {
            best = Some(ended);
        }
    }
    best.expect("there is at least one start")
}

/// The number of clusters of the best silhouette among [`CLUSTERS_TRIED`] on a sample of the rows.
fn choose(rows: &Rows<'_>, params: &KMeansParams, fit: &FitInput<'_>) -> usize {
    let width = rows.points.width;
    let picked = sample(rows.points.rows());
    let values: Vec<f64> = picked.iter().flat_map(|row| rows.points.row(*row as usize)).copied().collect();
    let weights: Option<Vec<f64>> =
        rows.weights.map(|weights| picked.iter().map(|row| weights[*row as usize]).collect());
    let sampled = Rows { points: Points { values: &values, width }, weights: weights.as_deref() };
    let (mut chosen, mut highest) = (1, f64::NEG_INFINITY);
    for clusters in CLUSTERS_TRIED.filter(|clusters| *clusters < picked.len()) {
        let ended = best(&sampled, clusters, params, fit);
        let value = silhouette(&sampled.points, &ended.codes, clusters).unwrap_or(f64::NEG_INFINITY);
        if value > highest {
            (chosen, highest) = (clusters, value);
        }
    }
    let of = match picked.len() {
        SILHOUETTE_ROWS_MAX => format!("a sample of {SILHOUETTE_ROWS_MAX} rows"),
        rows => units::plural(rows as u64, "row"),
    };
    let why = if highest.is_finite() { format!("silhouette {highest:.3}") } else { "no number divides it".to_owned() };
    fit.talk.info(&format!("clusters {chosen}: {why}, the best of 2 to {} on {of}", CLUSTERS_TRIED.end()));
    chosen
}

/// Reads centers back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let clusters = form.count("clusters", CLUSTERS_MAX)?;
    let centers = form.finite("centers", features.saturating_mul(clusters))?;
    if features == 0 || clusters == 0 {
        return Err(damaged("centers", "there must be at least one, and a feature"));
    }
    Ok(Box::new(KMeans { features, centers }))
}

impl Predictor for KMeans {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        input::all_finite("kmeans", matrix)?;
        let dense = matrix.to_row_major();
        let points = Points { values: &dense, width: self.features };
        let found: Vec<(u32, f64)> = (0..matrix.rows())
            .into_par_iter()
            .with_min_len(BLOCK_ROWS)
            .map(|row| nearest(points.row(row), &self.centers))
            .collect();
        Ok(Predictions::Clusters {
            clusters: self.centers.len() / self.features,
            codes: found.iter().map(|(code, _)| *code).collect(),
            // A distance beyond the largest number is told as that.
            distances: found.iter().map(|(_, square)| square.sqrt().min(f64::MAX)).collect(),
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.features as u64);
        form.u64("clusters", (self.centers.len() / self.features) as u64);
        form.f64s("centers", &self.centers);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
