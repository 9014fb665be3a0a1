//! Partial dependence (Friedman 2001, §8.2) with curves of single rows (Goldstein et al. 2015): the answers with a
//! column set to one value after the other in every row.
//!
//! Brute force, as scikit-learn's `partial_dependence(method="brute", kind="average")`. It also asks about rows that
//! cannot be, where the column goes together with others; accumulated local effects do not.

use anyhow::Result;
use rayon::prelude::*;

use crate::data::frame::Frame;
use crate::models::explain::grid::{Grid, nothing};
use crate::models::explain::mix::with_values;
use crate::models::explain::model::{Model, means};
use crate::record::explanation::Dependence;

/// Partial dependence on the column at `place`, at the points of `grid`; with curves of `curves` rows, evenly from
/// first to last, for models of one output. Cost: a prediction of all rows for each point, and one for missing values,
/// in parallel.
pub fn dependence(frame: &Frame, place: usize, grid: &Grid, curves: usize, model: &Model<'_>) -> Result<Dependence> {
    let (rows, outputs) = (frame.rows(), model.outputs);
    let at_points: Vec<Vec<f64>> = (0..grid.len())
        .into_par_iter()
        .map(|point| model.answers(&with_values(frame, place, grid.constant(point, rows))?))
        .collect::<Result<_>>()?;
    let average: Vec<Vec<f64>> = at_points.iter().map(|answers| means(answers, outputs)).collect();
    let shown = if outputs == 1 { curves.min(rows) } else { 0 };
    let curve = |number: usize| {
        let row = if shown < 2 { 0 } else { number * (rows - 1) / (shown - 1) };
        at_points.iter().map(|answers| answers[row]).collect()
    };
    let missing = match grid.missing {
        true => Some(model.mean(&with_values(frame, place, nothing(&frame.columns()[place].values))?)?),
        false => None,
    };
    Ok(Dependence {
        labels: grid.labels.clone(),
        values: grid.values.clone(),
        rows: grid.rows.clone(),
        average: (0..outputs).map(|output| average.iter().map(|means| means[output]).collect()).collect(),
        curves: if grid.is_empty() { Vec::new() } else { (0..shown).map(curve).collect() },
        missing,
        levels_left_out: grid.left_out,
    })
}
