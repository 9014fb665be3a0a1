//! `knn`: the rows of the training data nearest to a row vote on its answer. Exact: found by looking at every row, or, for
//! many questions about many rows of few features, with the help of smartcore's cover tree; both find the same rows.

mod search;

use std::any::Any;
use std::sync::OnceLock;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::limits::{CLASSES_MAX, NEIGHBOURS_ROWS_MAX};
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::knn::search::{Nearest, Tree, nearest};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::spec::model::{NeighbourWeights, NeighboursParams};

/// The training rows, as they are.
pub(crate) struct Neighbours {
    pub(crate) features: usize,
    pub(crate) neighbours: usize,
    pub(crate) by_distance: bool,
    /// Row by row.
    pub(crate) rows: Vec<f64>,
    pub(crate) truth: Truth,
    /// Made when it is first worth it.
    tree: OnceLock<Option<Tree>>,
}

/// Answers of the training rows.
pub(crate) enum Truth {
    Classes { classes: usize, codes: Vec<u32> },
    Numbers(Vec<f64>),
}

/// Keeps the training rows; equals scikit-learn's `KNeighborsClassifier` and `KNeighborsRegressor` with Euclidean distance.
///
/// Errors: more than [`NEIGHBOURS_ROWS_MAX`] rows, weights (a neighbour is one row), values that are not finite, categories, fewer rows than neighbours.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: NeighboursParams = params::read("knn", fit.params)?;
    input::no_weights("knn", fit)?;
    input::learnable("knn", fit)?;
    input::all_finite("knn", fit.matrix)?;
    let rows = fit.matrix.rows();
    if rows > NEIGHBOURS_ROWS_MAX {
        let what =
            format!("`knn` looks at every training row for every answer; {rows} are more than {NEIGHBOURS_ROWS_MAX}");
        return Err(fail::usage(what).hint("train `boost` or `forest`, or keep fewer rows").into());
    }
    let fine = (1..=rows).contains(&given.neighbours);
    params::check("knn", "neighbours", given.neighbours as f64, fine, &format!("1 to the {rows} training rows"))?;
    let truth = match fit.target {
        Target::Classes { names, codes } => {
            input::classes("knn", fit.target)?;
            Truth::Classes { classes: names.len(), codes: codes.clone() }
        }
        Target::Numbers(_) => Truth::Numbers(input::numbers("knn", fit.target)?.to_vec()),
        Target::Labels { .. } => return Err(input::no_target("knn")),
    };
    Ok(Box::new(Neighbours {
        features: fit.matrix.features().len(),
        neighbours: given.neighbours,
        by_distance: given.weights == NeighbourWeights::Distance,
        rows: fit.matrix.to_row_major(),
        truth,
        tree: OnceLock::new(),
    }))
}

/// Reads the training rows back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let count = form.count("rows", NEIGHBOURS_ROWS_MAX)?;
    let neighbours = form.count("neighbours", count)?;
    let by_distance = form.u64("by_distance")? == 1;
    let rows = form.finite("values", features.saturating_mul(count))?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let truth = match classes {
        0 => Truth::Numbers(form.finite("truth", count)?),
        _ => Truth::Classes { classes, codes: form.u32s("truth")? },
    };
    if let Truth::Classes { codes, .. } = &truth
        && (codes.len() != count || codes.iter().any(|&code| code as usize >= classes))
    {
        return Err(damaged("truth", "these are not the classes of the rows"));
    }
    if neighbours == 0 || features == 0 {
        return Err(damaged("neighbours", "there must be at least one, and a feature"));
    }
    Ok(Box::new(Neighbours { features, neighbours, by_distance, rows, truth, tree: OnceLock::new() }))
}

impl Predictor for Neighbours {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        input::all_finite("knn", matrix)?;
        let queries = matrix.to_row_major();
        let tree = match search::is_worth_it(self.rows.len() / self.features, self.features, matrix.rows()) {
            true => self.tree.get_or_init(|| Tree::new(&self.rows, self.features)).as_ref(),
            false => None,
        };
        let find = |query: &[f64]| match tree {
            Some(tree) => tree.nearest(query, &self.rows, self.neighbours),
            None => nearest(query, self.rows.chunks_exact(self.features).enumerate(), self.neighbours),
        };
        let answers: Vec<Vec<f64>> =
            queries.par_chunks_exact(self.features).map(|query| self.answer(&find(query))).collect();
        let values = answers.concat();
        Ok(match &self.truth {
            Truth::Classes { classes, .. } => Predictions::Probabilities { classes: *classes, values },
            Truth::Numbers(_) => Predictions::Numbers(values),
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.features as u64);
        form.u64("rows", (self.rows.len() / self.features) as u64);
        form.u64("neighbours", self.neighbours as u64);
        form.u64("by_distance", u64::from(self.by_distance));
        form.f64s("values", &self.rows);
        match &self.truth {
            Truth::Classes { classes, codes } => {
                form.u64("classes", *classes as u64);
                form.u32s("truth", codes);
            }
            Truth::Numbers(values) => {
                form.u64("classes", 0);
                form.f64s("truth", values);
            }
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Neighbours {
    fn answer(&self, nearest: &[Nearest]) -> Vec<f64> {
        let exact = nearest.iter().any(|(distance, _)| *distance == 0.0);
        // Rows so far that no distance is a number are all equally far.
        let by_distance = self.by_distance && nearest.iter().any(|(distance, _)| distance.is_finite());
        let weight = |distance: f64| match (by_distance, exact) {
            (false, _) => 1.0,
            (true, true) => f64::from(u8::from(distance == 0.0)),
            (true, false) => 1.0 / distance.sqrt(),
        };
        let total: f64 = nearest.iter().map(|(distance, _)| weight(*distance)).sum();
        match &self.truth {
            Truth::Classes { classes, codes } => {
                let mut shares = vec![0.0; *classes];
                for (distance, row) in nearest {
                    shares[codes[*row] as usize] += weight(*distance) / total;
                }
                shares
            }
            Truth::Numbers(values) => {
                vec![nearest.iter().map(|(distance, row)| weight(*distance) * values[*row]).sum::<f64>() / total]
            }
        }
    }
}
