//! What every linear model checks before it fits: features, weights, and the number of coefficients.

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::COEFFICIENTS_MAX;
use crate::base::units;
use crate::models::input;
use crate::models::predictor::FitInput;

/// Largest sum of weights: its product with any loss must stay finite.
const WEIGHTS_MAX: f64 = 1e100;
/// Penalties beyond this (features of almost no spread) would overflow; their coefficients are 0 either way.
const PENALTY_MAX: f64 = 1e200;

/// Mean centred square below which an indicator is constant but for rounding; a standardised number has 0 or 1.
pub const CONSTANT_SHARE: f64 = 1e-12;

/// Checks that there is something to learn from, in finite numbers, with at most [`COEFFICIENTS_MAX`] coefficients in
/// all `outputs`, and gives the weights of the rows.
///
/// Errors: as `input::learnable` and `input::all_finite`; weights of another number, negative, not finite, of sum 0.
pub fn weights<'a>(kind: &str, fit: &FitInput<'a>, outputs: usize) -> Result<Option<&'a [f64]>> {
    input::learnable(kind, fit)?;
    input::all_finite(kind, fit.matrix)?;
    let width = fit.matrix.features().len();
    let size = (width + 1).saturating_mul(outputs);
    if size > COEFFICIENTS_MAX {
        let (size, limit) = (units::count(size as u64), units::count(COEFFICIENTS_MAX as u64));
        return Err(fail::usage(format!("`{kind}` would have {size} coefficients; at most {limit} are supported"))
            .hint("drop columns or lower the `max` of one_hot steps, or train `boost`")
            .into());
    }
    let Some(weights) = fit.weights else {
        return Ok(None);
    };
    let rows = fit.matrix.rows();
    if weights.len() != rows {
        return Err(fail::world(format!("there are {} weights for {rows} training rows", weights.len())).into());
    }
    if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
        return Err(fail::usage(format!("the weight of training row {row} is {}", weights[row]))
            .hint("weights must be finite numbers of 0 or more")
            .into());
    }
    let total: f64 = weights.iter().sum();
    match total > 0.0 && total <= WEIGHTS_MAX {
        true => Ok(Some(weights)),
        false => Err(fail::usage(format!("the weights of the training rows sum to {total:e}"))
            .hint(format!("their sum must be above 0 and at most {WEIGHTS_MAX:e}"))
            .into()),
    }
}

/// Sum of the weights of each class.
///
/// Errors: rows of fewer than two classes count.
pub fn class_totals(kind: &str, codes: &[u32], classes: usize, weights: Option<&[f64]>) -> Result<Vec<f64>> {
    let mut totals = vec![0.0; classes];
    for (row, &code) in codes.iter().enumerate() {
        totals[code as usize] += weights.map_or(1.0, |weights| weights[row]);
    }
    match totals.iter().filter(|total| **total > 0.0).count() {
        0 | 1 => Err(fail::usage(format!("`{kind}` needs rows of two classes; all rows of weight above 0 are of one"))
            .hint("check the weights, the target column and the split")
            .into()),
        _ => Ok(totals),
    }
}

/// Penalties of standardised features that equal `strength` on the features as they are: divided by each scale `power`
/// times.
pub fn penalties(strength: f64, scales: &[f64], power: i32) -> Vec<f64> {
    let each = |scale: &f64| match power {
        1 => strength / scale,
        _ => strength / scale / scale,
    };
    scales.iter().map(|scale| each(scale).min(PENALTY_MAX)).collect()
}
