//! Scores of a regression, checked once.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::Bounds;
use crate::metrics::weights::Weights;

/// True and predicted numbers of the same rows, all finite.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    truth: &'a [f64],
    predicted: &'a [f64],
    weights: Weights<'a>,
    bounds: Option<Bounds<'a>>,
}

impl<'a> Numbers<'a> {
    /// Checks that all slices have one length and hold finite numbers only.
    ///
    /// Errors: lengths that differ; a number that is not finite; a lower end above its upper end; weights that are none
    /// (see [`Weights::new`]).
    pub fn new(
        truth: &'a [f64],
        predicted: &'a [f64],
        weights: Option<&'a [f64]>,
        bounds: Option<Bounds<'a>>,
    ) -> Result<Numbers<'a>> {
        if truth.len() != predicted.len() {
            let message = format!("{} true values and {} predictions", truth.len(), predicted.len());
            return Err(fail::usage(message).into());
        }
        if let Some(row) = truth.iter().position(|value| !value.is_finite()) {
            return Err(fail::usage(format!("row {row}: the true value is {}", truth[row])).into());
        }
        if let Some(row) = predicted.iter().position(|value| !value.is_finite()) {
            let message = format!("row {row}: the prediction is {}", predicted[row]);
            return Err(fail::world(message).hint("the model is damaged, or its features hold extreme values").into());
        }
        if let Some(bounds) = bounds {
            check_bounds(&bounds, truth.len())?;
        }
        Ok(Numbers { truth, predicted, weights: Weights::new(weights, truth.len())?, bounds })
    }

    /// True values.
    pub fn truth(&self) -> &'a [f64] {
        self.truth
    }

    /// Predicted values.
    pub fn predicted(&self) -> &'a [f64] {
        self.predicted
    }

    /// How much each row counts.
    pub fn weights(&self) -> &Weights<'a> {
        &self.weights
    }

    /// Intervals that go with the predictions, where there are some.
    pub fn bounds(&self) -> Option<Bounds<'a>> {
        self.bounds
    }

    /// Truth and prediction of each row.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        self.truth.iter().copied().zip(self.predicted.iter().copied())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Weighted mean over rows of a function of truth and prediction; `None` without rows.
    pub fn mean(&self, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
        self.weights.mean(self.pairs().map(|(truth, predicted)| of(truth, predicted)))
    }
}

fn check_bounds(bounds: &Bounds, rows: usize) -> Result<()> {
    let (low, high) = (bounds.low, bounds.high);
    if low.len() != rows || high.len() != rows {
        let what = format!("{rows} rows have {} lower and {} upper ends of intervals", low.len(), high.len());
        return Err(fail::usage(what).into());
    }
    let fits = |row: &usize| low[*row].is_finite() && high[*row].is_finite() && low[*row] <= high[*row];
    match (0..rows).find(|row| !fits(row)) {
        None => Ok(()),
        Some(row) => {
            let what = format!("row {row}: the interval runs from {} to {}", low[row], high[row]);
            Err(fail::usage(what).hint("both ends are finite numbers, the lower one first").into())
        }
    }
}
