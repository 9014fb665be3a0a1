//! `linear` and `ridge`: squared loss, solved from the centred and standardised normal equations.

use anyhow::Result;
use faer::Mat;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::limits::NORMAL_FEATURES_MAX;
use crate::models::input;
use crate::models::linear::design::{self, Design};
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::gram;
use crate::models::linear::solve::{self, Factor};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::spec::model::LinearParams;

/// Steps of iterative refinement; each multiplies the error by rounding error over smallest eigenvalue kept.
const REFINEMENTS: usize = 8;
/// Refinement ends when a step changes the solution by less than this share.
const REFINED: f64 = 1e-14;
/// Centred squares of an indicator are 0 or at least 1/2, those of a standardised number 0 or the number of rows.
const CONSTANT_SQUARES: f64 = 0.25;
/// Penalties beyond this (features of almost no spread) would overflow; their coefficients are 0 either way.
const PENALTY_MAX: f64 = 1e200;

/// Fits ordinary least squares; equals scikit-learn's `LinearRegression`.
///
/// Where features are collinear (all indicators of a column, more features than rows) the solution of smallest norm is
/// taken, in the units of the given features; features whose correlation matrix has an eigenvalue below about 1e-12 count
/// as collinear. `O(rows × features² + features³)`. Errors: as [`fit_ridge`].
pub fn fit_linear(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let _: LinearParams = params::read("linear", fit.params)?;
    least_squares("linear", fit, 0.0)
}

/// Fits ridge regression: minimises ‖y − Xw − b‖² + l2·‖w‖²; equals scikit-learn's `Ridge(alpha=l2)`. `l2` of 0 gives
/// `linear`.
///
/// Errors: nothing to learn from, values that are not finite, categories, too many features, `l2` below 0.
pub fn fit_ridge(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: LinearParams = params::read("ridge", fit.params)?;
    params::check("ridge", "l2", params.l2, params.l2 >= 0.0, "0 or more")?;
    least_squares("ridge", fit, params.l2)
}

fn least_squares(kind: &str, fit: &mut FitInput<'_>, l2: f64) -> Result<Box<dyn Predictor>> {
    input::learnable(kind, fit)?;
    input::all_finite(kind, fit.matrix)?;
    let truth = input::numbers(kind, fit.target)?;
    let width = fit.matrix.features().len();
    if width > NORMAL_FEATURES_MAX {
        return Err(fail::usage(format!("`{kind}` takes at most {NORMAL_FEATURES_MAX} features; there are {width}"))
            .hint("drop columns or lower the `max` of one_hot steps, or train `boost`")
            .into());
    }
    let design = Design::standard(fit.matrix);
    let point = design.unscaled(&solution(&design, truth, l2)?);
    Ok(Box::new(Linear::new(kind, Link::Identity, width, point)?))
}

/// Coefficients of the standardised features, then the intercept.
fn solution(design: &Design<'_>, truth: &[f64], l2: f64) -> Result<Vec<f64>> {
    let (rows, width) = (design.rows() as f64, design.width());
    let penalties: Vec<f64> = design.scales.iter().map(|scale| (l2 / scale / scale).min(PENALTY_MAX)).collect();
    let gram = gram::gram(design, |_| 1.0);
    let means: Vec<f64> = (0..width).map(|place| gram[(place, width)] / rows).collect();
    let centred = |row: usize, column: usize| gram[(row, column)] - gram[(row, width)] * means[column];
    let varies: Vec<bool> = (0..width).map(|place| centred(place, place) > CONSTANT_SQUARES).collect();
    let normal = Mat::from_fn(width, width, |row, column| match varies[row] && varies[column] {
        true => centred(row, column) + if row == column { penalties[row] } else { 0.0 },
        false => 0.0,
    });
    let factor = match l2 > 0.0 {
        true => Factor::cholesky(&normal, 0.0).map_or_else(|| Factor::eigen(&normal), Ok)?,
        false => Factor::eigen(&normal)?,
    };
    let mean = truth.iter().sum::<f64>() / rows;
    let mut point = vec![0.0; width + 1];
    point[width] = mean;
    let mut last = f64::INFINITY;
    // The products of the residuals come from the rows themselves, so each step repairs what rounding in the Gram matrix
    // and in its factor has spoilt.
    for _ in 0..REFINEMENTS {
        let mut right = residual_products(design, truth, &point);
        let total = right[width];
        for place in 0..width {
            right[place] -= means[place] * total + penalties[place] * point[place];
        }
        let step = factor.solve(&right[..width]);
        let size = step.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if size.is_nan() || size >= last {
            break;
        }
        last = size;
        point.iter_mut().zip(&step).for_each(|(value, step)| *value += step);
        point[width] = mean - point.iter().zip(&means).map(|(value, mean)| value * mean).sum::<f64>();
        if size <= REFINED * point[..width].iter().fold(0.0_f64, |most, value| most.max(value.abs())) {
            break;
        }
    }
    smallest(design, &factor, &mut point[..width]);
    point[width] = mean - point.iter().zip(&means).map(|(value, mean)| value * mean).sum::<f64>();
    Ok(point)
}

/// Moves within the solutions that fit equally well to the one of smallest norm in the units of the given features.
fn smallest(design: &Design<'_>, factor: &Factor, point: &mut [f64]) {
    let mut null = factor.null_space();
    if null.is_empty() {
        return;
    }
    let divide = |values: &mut [f64]| values.iter_mut().zip(&design.scales).for_each(|(value, scale)| *value /= scale);
    null.iter_mut().for_each(|direction| divide(direction));
    divide(point);
    solve::remove_span(point, null);
    point.iter_mut().zip(&design.scales).for_each(|(value, scale)| *value *= scale);
}

fn residual_products(design: &Design<'_>, truth: &[f64], point: &[f64]) -> Vec<f64> {
    let chunks = design::chunks(design.rows(), point.len());
    let partial = |range| {
        let mut sums = vec![0.0; point.len()];
        for block in design::blocks(range) {
            let mut residuals = vec![0.0; block.len()];
            design.scores(block.clone(), point, &mut residuals);
            residuals.iter_mut().zip(&truth[block.clone()]).for_each(|(score, truth)| *score = truth - *score);
            design.products(block, &residuals, &mut sums);
        }
        sums
    };
    let partials: Vec<Vec<f64>> = chunks.into_par_iter().map(partial).collect();
    let mut total = vec![0.0; point.len()];
    for partial in partials {
        total.iter_mut().zip(partial).for_each(|(total, part)| *total += part);
    }
    total
}
