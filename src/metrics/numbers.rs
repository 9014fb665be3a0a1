//! Scores of a regression, checked once.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::sums;

/// True and predicted numbers of the same rows, all finite.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    truth: &'a [f64],
    predicted: &'a [f64],
}

impl<'a> Numbers<'a> {
    /// Checks that both slices have one length and hold finite numbers only.
    pub fn new(truth: &'a [f64], predicted: &'a [f64]) -> Result<Numbers<'a>> {
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
        Ok(Numbers { truth, predicted })
    }

    /// True values.
    pub fn truth(&self) -> &'a [f64] {
        self.truth
    }

    /// Predicted values.
    pub fn predicted(&self) -> &'a [f64] {
        self.predicted
    }

    /// Truth and prediction of each row.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + 'a {
        self.truth.iter().copied().zip(self.predicted.iter().copied())
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Mean over rows of a function of truth and prediction; `None` without rows.
    pub fn mean(&self, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
        sums::mean(self.pairs().map(|(truth, predicted)| of(truth, predicted)), self.rows())
    }
}
