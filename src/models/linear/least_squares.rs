//! `linear` and `ridge`: squared loss, solved from the centred and standardised normal equations.

use anyhow::Result;
use faer::Mat;

use crate::base::limits::NORMAL_FEATURES_MAX;
use crate::models::input;
use crate::models::linear::checks;
use crate::models::linear::conjugate;
use crate::models::linear::design::Design;
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
/// Smallest pivot, squared, of a factor that is believed; below, features may be collinear and eigenvalues decide.
const PIVOT_MIN: f64 = 1e-8;

/// Fits ordinary least squares, rows counting as much as they weigh; equals scikit-learn's `LinearRegression`.
///
/// Where features are collinear (all indicators of a column, more features than rows) the solution of smallest norm is
/// taken, in the units of the given features; features whose correlation matrix has an eigenvalue below about 1e-12
/// count as collinear. `O(rows × features² + features³)`. Beyond [`NORMAL_FEATURES_MAX`] features the equations are
/// solved by conjugate gradients: `O(rows × (numbers + groups))` a step, and of many solutions the one of smallest norm
/// in standardised features. Errors: as [`fit_ridge`].
pub fn fit_linear(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: LinearParams = params::read("linear", fit.params)?;
    least_squares("linear", fit, &LinearParams { l2: 0.0, ..params })
}

/// Fits ridge regression: minimises Σ weight·(y − Xw − b)² + l2·‖w‖²; equals scikit-learn's `Ridge(alpha=l2)`. `l2` of
/// 0 gives `linear`.
///
/// Errors: nothing to learn from, values that are not finite, categories, parameters out of range, weights that are
/// negative or sum to 0.
pub fn fit_ridge(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: LinearParams = params::read("ridge", fit.params)?;
    params::check("ridge", "l2", params.l2, params.l2 >= 0.0, "0 or more")?;
    least_squares("ridge", fit, &params)
}

fn least_squares(kind: &str, fit: &mut FitInput<'_>, params: &LinearParams) -> Result<Box<dyn Predictor>> {
    params::check(kind, "tolerance", params.tolerance, params.tolerance > 0.0, "above 0")?;
    let weights = checks::weights(kind, fit, 1)?;
    let truth = input::numbers(kind, fit.target)?;
    let design = Design::standard(fit.matrix, weights);
    let point = match design.width() > NORMAL_FEATURES_MAX {
        true => conjugate::solution(kind, &design, truth, params, fit.talk),
        false => solution(&design, truth, params.l2)?,
    };
    Ok(Box::new(Linear::new(kind, Link::Identity, &design, design.unscaled(&point))?))
}

/// Coefficients of the standardised features, then the intercept.
pub fn solution(design: &Design<'_>, truth: &[f64], l2: f64) -> Result<Vec<f64>> {
    let (total, width) = (design.total(), design.width());
    let penalties = checks::penalties(l2, &design.scales, 2);
    let gram = gram::gram(design, 1, |row| design.weight(row));
    let means: Vec<f64> = (0..width).map(|place| gram[(place, width)] / total).collect();
    let centred = |row: usize, column: usize| gram[(row, column)] - gram[(row, width)] * means[column];
    let varies: Vec<bool> = (0..width).map(|place| centred(place, place) > checks::CONSTANT_SHARE * total).collect();
    let normal = Mat::from_fn(width, width, |row, column| match varies[row] && varies[column] {
        true => centred(row, column) + if row == column { penalties[row] } else { 0.0 },
        false => 0.0,
    });
    let quick = Factor::cholesky(&normal, 0.0).filter(|factor| l2 > 0.0 || factor.smallest_pivot() > PIVOT_MIN);
    let factor = quick.map_or_else(|| Factor::eigen(&normal), Ok)?;
    let mean = weighted_mean(design, truth);
    let mut point = vec![0.0; width + 1];
    point[width] = mean;
    let mut last = f64::INFINITY;
    // The products of the residuals come from the rows themselves, so each step repairs what rounding in the Gram
    // matrix and in its factor has spoilt.
    for _ in 0..REFINEMENTS {
        let mut right = residual_products(design, truth, &point);
        let sum = right[width];
        for place in 0..width {
            right[place] -= means[place] * sum + penalties[place] * point[place];
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

/// Mean of the target over the weights of the rows.
pub fn weighted_mean(design: &Design<'_>, truth: &[f64]) -> f64 {
    truth.iter().enumerate().map(|(row, value)| design.weight(row) * value).sum::<f64>() / design.total()
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

/// Products of weighted residuals with each feature; their sum last.
pub fn residual_products(design: &Design<'_>, truth: &[f64], point: &[f64]) -> Vec<f64> {
    design.totals(|block, residuals| {
        design.scores(block.clone(), point, residuals);
        residuals.iter_mut().zip(&truth[block.clone()]).for_each(|(score, truth)| *score = truth - *score);
        design.weigh(block, residuals);
    })
}
