//! `isolation_forest`: rows that few random cuts set apart are odd. No target is needed.
//!
//! The forest itself is the one that `mlops validate` looks for odd rows with ([`crate::quality::sense::forest`]). Scores are
//! scikit-learn's `-score_samples`: in `(0, 1]`, the higher the odder. A row is called anomalous when its score is *above*
//! the threshold: 0.5, or the quantile of the training scores that `contamination` asks for, as scikit-learn's `predict`.

use std::any::Any;
use std::borrow::Cow;

use anyhow::Result;

use crate::base::limits::ISOLATION_TREES_MAX;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::quality::sense::forest::{Forest, ForestArrays, mean_length};
use crate::spec::kinds::IsolationForestParams;

/// Threshold of `contamination = "auto"`: the score of a row whose paths are as long as those of a random tree.
const USUAL_SCORE: f64 = 0.5;
/// Most rows of one tree: sub-samples are the point of the method, and trees of more are no better (Liu 2008, §5.2).
const TREE_ROWS_MAX: usize = 1 << 20;

/// A forest with the score that divides.
pub(crate) struct IsolationForest {
    pub(crate) features: usize,
    pub(crate) threshold: f64,
    pub(crate) forest: Forest,
}

/// Path length that scores of a forest are measured by, when its trees were grown on `rows` rows.
pub(crate) fn usual_length(rows: usize) -> f64 {
    mean_length(rows)
}

/// Grows the forest and sets the threshold on the training scores.
///
/// Errors: nothing to learn from, weights, values that are not finite, categories, parameters out of range.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let kind = "isolation_forest";
    let given: IsolationForestParams = params::read(kind, fit.params)?;
    let trees_fine = (1..=ISOLATION_TREES_MAX).contains(&given.trees);
    params::check(kind, "trees", given.trees as f64, trees_fine, &format!("1 to {ISOLATION_TREES_MAX}"))?;
    let rows_fine = (2..=TREE_ROWS_MAX).contains(&given.tree_rows);
    params::check(kind, "tree_rows", given.tree_rows as f64, rows_fine, &format!("2 to {TREE_ROWS_MAX}"))?;
    let contamination = given.contamination.given();
    if let Some(share) = contamination {
        params::check(
            kind,
            "contamination",
            share,
            share > 0.0 && share <= 0.5,
            "above 0 and at most 0.5, or \"auto\"",
        )?;
    }
    input::no_weights(kind, fit)?;
    input::groupable(kind, fit)?;
    input::all_finite(kind, fit.matrix)?;
    let columns = columns(fit.matrix);
    let columns: Vec<&[f64]> = columns.iter().map(AsRef::as_ref).collect();
    let forest = Forest::grow(&columns, given.trees, given.tree_rows, fit.seed.derive("isolation"));
    let threshold = match contamination {
        None => USUAL_SCORE,
        Some(share) => quantile(forest.scores(&columns), 1.0 - share),
    };
    Ok(Box::new(IsolationForest { features: columns.len(), threshold, forest }))
}

/// Reads a forest back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let threshold = form.f64("threshold")?;
    let tree_rows = form.count("tree_rows", TREE_ROWS_MAX)? as u32;
    let arrays = ForestArrays {
        tree_rows,
        nodes: form.u32s("nodes")?,
        columns: form.u32s("columns")?,
        lefts: form.u32s("lefts")?,
        thresholds: form.f64s("thresholds")?,
        sizes: form.u32s("sizes")?,
    };
    if !(0.0..=1.0).contains(&threshold) || features == 0 || arrays.nodes.len() > ISOLATION_TREES_MAX {
        return Err(damaged("threshold", "it must be from 0 to 1, of a forest with features"));
    }
    match Forest::from_arrays(&arrays, features) {
        Some(forest) => Ok(Box::new(IsolationForest { features, threshold, forest })),
        None => Err(damaged("nodes", "these are no trees")),
    }
}

impl Predictor for IsolationForest {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        input::all_finite("isolation_forest", matrix)?;
        let columns = columns(matrix);
        let columns: Vec<&[f64]> = columns.iter().map(AsRef::as_ref).collect();
        let scores = self.forest.scores(&columns);
        Ok(Predictions::Anomalies { scores, threshold: self.threshold })
    }

    fn write(&self, form: &mut FormWriter) {
        let arrays = self.forest.to_arrays();
        form.u64("features", self.features as u64);
        form.f64("threshold", self.threshold);
        form.u64("tree_rows", u64::from(arrays.tree_rows));
        form.u32s("nodes", &arrays.nodes);
        form.u32s("columns", &arrays.columns);
        form.u32s("lefts", &arrays.lefts);
        form.f64s("thresholds", &arrays.thresholds);
        form.u32s("sizes", &arrays.sizes);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn columns<'a>(matrix: &'a Matrix) -> Vec<Cow<'a, [f64]>> {
    let rows = matrix.rows();
    let column = |feature: &'a Feature| match &feature.values {
        FeatureValues::Number(values) => Cow::Borrowed(values.as_slice()),
        other => Cow::Owned((0..rows).map(|row| other.get(row)).collect()),
    };
    matrix.features().iter().map(column).collect()
}

/// Quantile `share` of `values`, of which there is at least one, linear between neighbours: numpy's `quantile`.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let place = share * (values.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(values.len() - 1);
    values[low] + (values[high] - values[low]) * (place - low as f64)
}
