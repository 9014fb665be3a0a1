//! What a linear model says of itself: coefficients in several units, and what each feature adds to each answer.

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::limits::CONTRIBUTIONS_MAX;
use crate::base::units;
use crate::data::matrix::Matrix;
use crate::models::input;
use crate::models::linear::fitted::{Linear, Link};
use crate::models::predictor::{Contributions, Margin};

/// One coefficient of one score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coefficient {
    /// The score it belongs to: 0 for numbers and two classes, else the class.
    pub output: usize,
    /// Position of the feature.
    pub feature: usize,
    /// Change of the score when the feature grows by 1.
    pub value: f64,
    /// Change of the score when the feature grows by its standard deviation over the training rows.
    pub standardised: f64,
    /// What that growth by 1 multiplies: the odds of a class, or the expected count; none where scores are the answers.
    /// Infinite where it is beyond floats.
    pub ratio: Option<f64>,
}

impl Linear {
    /// All coefficients, output by output, in the order of the features.
    pub fn coefficients(&self) -> Vec<Coefficient> {
        let outputs = self.point().chunks_exact(self.width() + 1).enumerate();
        let each = outputs.flat_map(|(output, point)| {
            point[..self.width()].iter().enumerate().map(move |(feature, &value)| Coefficient {
                output,
                feature,
                value,
                standardised: value * self.spreads()[feature],
                ratio: (self.link() != Link::Identity).then(|| value.exp()),
            })
        });
        each.collect()
    }

    /// The intercept of each output.
    pub fn intercepts(&self) -> Vec<f64> {
        self.point().iter().skip(self.width()).step_by(self.width() + 1).copied().collect()
    }

    /// How much each feature matters: mean over the outputs of the size of its standardised coefficient.
    pub fn weights_of_features(&self) -> Vec<f64> {
        let outputs = self.outputs() as f64;
        let mut sizes = vec![0.0; self.width()];
        for coefficient in self.coefficients() {
            sizes[coefficient.feature] += coefficient.standardised.abs() / outputs;
        }
        sizes
    }

    /// What each feature adds to each score, compared with its mean over the training rows: coefficient × (value −
    /// mean), and the score of the means.
    ///
    /// They sum to the score: the log odds of two classes, the logarithm of a count. These are the Shapley values of a
    /// linear model whose features are taken as independent (Štrumbelj and Kononenko 2014; `shap.LinearExplainer`).
    /// Errors: another number of features, values that are not finite, more than [`CONTRIBUTIONS_MAX`] values.
    pub fn parts_of_scores(&self, matrix: &Matrix) -> Result<Contributions> {
        input::same_width(matrix, self.width())?;
        input::all_finite("contributions", matrix)?;
        let (features, outputs) = (self.width(), self.outputs());
        let stride = (features + 1) * outputs;
        let cells = matrix.rows().saturating_mul(stride);
        if cells > CONTRIBUTIONS_MAX {
            let (cells, limit) = (units::count(cells as u64), units::count(CONTRIBUTIONS_MAX as u64));
            return Err(fail::usage(format!("there would be {cells} contributions; at most {limit} are made at once"))
                .hint("ask for fewer rows")
                .into());
        }
        let mut values = vec![0.0; cells];
        for (output, point) in self.point().chunks_exact(features + 1).enumerate() {
            let expected = point[features] + product(point, self.means());
            for (row, parts) in values.chunks_exact_mut(stride).enumerate() {
                let mut parts = parts.iter_mut().skip(output).step_by(outputs);
                for (feature, part) in parts.by_ref().take(features).enumerate() {
                    let value = matrix.features()[feature].values.get(row);
                    *part = point[feature] * (value - self.means()[feature]);
                }
                parts.for_each(|part| *part = expected);
            }
        }
        let margin = if self.link() == Link::Identity { Margin::Answer } else { Margin::Score };
        Ok(Contributions { features, outputs, margin, values })
    }
}

fn product(point: &[f64], means: &[f64]) -> f64 {
    point.iter().zip(means).map(|(value, mean)| value * mean).sum()
}
