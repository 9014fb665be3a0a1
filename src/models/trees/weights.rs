//! How much rows count: checked once, then trusted.

use anyhow::Result;

use crate::base::fail;
use crate::data::target::Target;
use crate::models::predictor::FitInput;
use crate::models::trees::exact;

/// Largest weight of a row: squares of its product with the largest target, summed, stay finite.
const WEIGHT_MAX: f64 = 1e30;

/// Weights of all training rows.
#[derive(Clone, Copy)]
pub struct RowWeights<'a> {
    /// One a row, not negative.
    pub values: &'a [f64],
    /// Their sum, above 0.
    pub total: f64,
    /// The largest.
    pub largest: f64,
    /// Whether all are whole numbers, which count as repeats of a row.
    pub is_whole: bool,
}

/// Checks the weights that a fit was given.
///
/// Errors: another number of weights than rows; a weight that is negative, not finite or above [`WEIGHT_MAX`], with its
/// row; a sum of zero; classes of which only one has any weight.
pub fn checked<'a>(kind: &str, fit: &FitInput<'a>) -> Result<Option<RowWeights<'a>>> {
    let Some(values) = fit.weights else { return Ok(None) };
    if values.len() != fit.target.len() {
        let what = format!("there are {} weights for {} training rows", values.len(), fit.target.len());
        return Err(fail::world(what).into());
    }
    if let Some(row) = values.iter().position(|weight| !(0.0..=WEIGHT_MAX).contains(weight)) {
        return Err(fail::usage(format!("the weight of training row {row} is {}", values[row]))
            .hint(format!("weights must be numbers from 0 to {WEIGHT_MAX:e}"))
            .into());
    }
    let largest = values.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Err(fail::usage(format!("all weights of the training rows of `{kind}` are 0"))
            .hint("give at least two rows a weight above 0")
            .into());
    }
    if let Target::Classes { names, codes } = fit.target {
        let mut counts = vec![false; names.len()];
        codes.iter().zip(values).for_each(|(&code, &weight)| counts[code as usize] |= weight > 0.0);
        let mut present = (0..names.len()).filter(|&class| counts[class]);
        if let (Some(only), None) = (present.next(), present.next()) {
            return Err(fail::usage(format!("only class `{}` has training rows with a weight above 0", names[only]))
                .hint("give rows of another class a weight above 0")
                .into());
        }
    }
    let is_whole = values.iter().all(|weight| weight.fract() == 0.0 && *weight < 9e15);
    Ok(Some(RowWeights { values, total: exact::sum(values.iter().copied()), largest, is_whole }))
}

/// The rows that count at all, ascending.
pub fn rows(weights: Option<RowWeights<'_>>, rows: usize) -> Vec<u32> {
    match weights {
        None => (0..rows as u32).collect(),
        Some(weights) => (0..rows as u32).filter(|row| weights.values[*row as usize] > 0.0).collect(),
    }
}
