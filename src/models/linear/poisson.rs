//! `poisson`: counts whose logarithm of the expectation is linear.

use anyhow::Result;

use crate::base::fail;
use crate::models::input;
use crate::models::linear::checks;
use crate::models::linear::design::Design;
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::logistic;
use crate::models::linear::minimise::{self, Method};
use crate::models::linear::objective::{Objective, Truth};
use crate::models::predictor::{FitInput, Predictor};
use crate::record::run::MetricPoint;

/// Fits Poisson regression: minimises Σ weight · (e^score − y · score) + l1·‖w‖₁ + l2/2·‖w‖², the intercept free;
/// equals scikit-learn's `PoissonRegressor(alpha=l2 / rows)`.
///
/// Answers are the exponential of the score. The tolerance is a share of the mean count where that is above 1. Points:
/// `train_loss`. Errors: as `logistic`; a negative target, a target that is 0 in every row that counts.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let mut params = logistic::read_params("poisson", fit.params)?;
    let weights = checks::weights("poisson", fit, 1)?;
    let counts = input::numbers("poisson", fit.target)?;
    if let Some(row) = counts.iter().position(|count| *count < 0.0) {
        return Err(fail::usage(format!(
            "`poisson` needs a target of 0 or more; training row {row} has {}",
            counts[row]
        ))
        .hint("train `ridge` or `boost`, or correct the data")
        .into());
    }
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let sum: f64 = counts.iter().enumerate().map(|(row, count)| weight(row) * count).sum();
    if sum <= 0.0 {
        return Err(fail::usage("the target is 0 in every training row that counts")
            .hint("check the target column, the weights and the split")
            .into());
    }
    let design = Design::standard(fit.matrix, weights);
    params.tolerance *= (sum / design.total()).max(1.0);
    let objective = Objective {
        design: &design,
        truth: Truth::Counts(counts),
        outputs: 1,
        square: &checks::penalties(params.l2 / design.total(), &design.scales, 2),
        absolute: &checks::penalties(params.l1 / design.total(), &design.scales, 1),
        every: 1,
    };
    let points = &mut *fit.points;
    let passed = |step: u64, value: f64| {
        // Optimisers that stop early have not solved their problem: they run to the end.
        let _ = points(MetricPoint { name: "train_loss".to_owned(), step: step as i64, value });
    };
    let optimum = minimise::minimise(&objective, &params, Method::of(&objective), passed);
    minimise::warn_if_early("poisson", &params, &optimum, fit.talk);
    let point = design.unscaled(&optimum.point);
    Ok(Box::new(Linear::new("poisson", Link::Log, &design, point)?))
}
