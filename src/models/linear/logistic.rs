//! `logistic`: log loss with a squared penalty; two classes share one sigmoid, more have a softmax.

use anyhow::Result;

use crate::models::input;
use crate::models::linear::design::Design;
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::newton::Optimum;
use crate::models::linear::objective::Objective;
use crate::models::linear::{lbfgs, newton};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::record::run::MetricPoint;
use crate::spec::model::LinearParams;

/// Newton's method is taken up to this many coefficients: its factor costs a third of their cube.
const NEWTON_SIZE_MAX: usize = 1_000;
/// And up to this product of (outputs + 1) and (features + 1): beyond it the Hessian's pass over the rows costs more than
/// the hundred passes of L-BFGS.
const NEWTON_PASS_MAX: usize = 600;
/// Penalties beyond this (features of almost no spread) would overflow; their coefficients are 0 either way.
const PENALTY_MAX: f64 = 1e200;

/// Intercept of a class without training rows: its probability is 0.
const NEVER: f64 = -1e300;

/// How the objective is minimised; the optimum is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Second derivatives, few passes.
    Newton,
    /// First derivatives, many passes.
    Lbfgs,
}

/// Fits logistic regression: minimises Σ log loss + l2/2·‖w‖², intercepts free; equals scikit-learn's
/// `LogisticRegression(C=1/l2)`.
///
/// Two classes with rows have one score, more have one each. Softmax coefficients sum to 0 over classes. The tolerance is
/// on the gradient of standardised features, divided by the number of rows. Points: `train_loss` (mean log loss with
/// penalty). Errors: nothing to learn from, values that are not finite, categories, parameters out of range.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: LinearParams = params::read("logistic", fit.params)?;
    params::check("logistic", "l2", params.l2, params.l2 >= 0.0, "0 or more")?;
    let fine = params.tolerance > 0.0;
    params::check("logistic", "tolerance", params.tolerance, fine, "above 0")?;
    let iterations = params.max_iterations;
    params::check("logistic", "max_iterations", iterations as f64, iterations > 0, "1 or more")?;
    input::learnable("logistic", fit)?;
    input::all_finite("logistic", fit.matrix)?;
    let counts = input::classes("logistic", fit.target)?.counts;
    let outputs = match counts.iter().filter(|count| **count > 0).count() {
        2 => 1,
        learnt => learnt,
    };
    let width = fit.matrix.features().len();
    let few = outputs * (width + 1) <= NEWTON_SIZE_MAX && (outputs + 1) * (width + 1) <= NEWTON_PASS_MAX;
    fit_by(fit, &params, if few { Method::Newton } else { Method::Lbfgs })
}

/// As [`fit`], of parameters and input that have been checked, by one method.
pub fn fit_by(fit: &mut FitInput<'_>, params: &LinearParams, method: Method) -> Result<Box<dyn Predictor>> {
    let classes = input::classes("logistic", fit.target)?;
    let learnt: Vec<u32> = (0..classes.counts.len() as u32).filter(|&code| classes.counts[code as usize] > 0).collect();
    let place = |code: &u32| learnt.binary_search(code).map_or(0, |place| place as u32);
    let codes: Vec<u32> = classes.codes.iter().map(place).collect();
    let design = Design::standard(fit.matrix);
    let penalty = |scale: &f64| (params.l2 / scale / scale).min(PENALTY_MAX);
    let penalties: Vec<f64> = design.scales.iter().map(penalty).collect();
    let outputs = if learnt.len() == 2 { 1 } else { learnt.len() };
    let objective = Objective { design: &design, classes: &codes, outputs, penalties: &penalties };
    let points = &mut *fit.points;
    let passed = |step: u64, value: f64| {
        points(MetricPoint { name: "train_loss".to_owned(), step: step as i64, value });
    };
    let optimum = match method {
        Method::Newton => newton::minimise(&objective, params.tolerance, params.max_iterations, passed),
        Method::Lbfgs => lbfgs::minimise(&objective, params.tolerance, params.max_iterations, passed),
    };
    warn_if_early(fit, params, &optimum);
    let point = design.unscaled(&optimum.point);
    let (link, point) = match classes.counts.len() {
        2 => (Link::Logit, point),
        count => (Link::Softmax, all_classes(point, design.width(), &learnt, count)),
    };
    Ok(Box::new(Linear::new("logistic", link, design.width(), point)?))
}

fn warn_if_early(fit: &FitInput<'_>, params: &LinearParams, optimum: &Optimum) {
    let steepness = optimum.slope.steepness();
    if steepness > params.tolerance {
        let tolerance = params.tolerance;
        fit.talk
            .warn(&format!("`logistic` stopped at a gradient of {steepness:.1e}, above its tolerance {tolerance:e}"));
        fit.talk.hint("raise `max_iterations`, or `l2` if features separate the classes exactly");
    }
}

/// One output for each of `count` classes, from those learnt. Softmax is the same for scores that all have something added:
/// coefficients and intercepts are made to sum to 0 over the classes learnt.
fn all_classes(learnt_point: Vec<f64>, width: usize, learnt: &[u32], count: usize) -> Vec<f64> {
    let size = width + 1;
    // One score of two classes is the second one's lead over the first.
    let given = if learnt.len() == 2 { [vec![0.0; size], learnt_point].concat() } else { learnt_point };
    let mut point = vec![0.0; count * size];
    point.iter_mut().skip(width).step_by(size).for_each(|intercept| *intercept = NEVER);
    for place in 0..size {
        let mean = given[place..].iter().step_by(size).sum::<f64>() / learnt.len() as f64;
        for (value, &class) in given[place..].iter().step_by(size).zip(learnt) {
            point[class as usize * size + place] = value - mean;
        }
    }
    point
}
