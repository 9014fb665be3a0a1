//! `logistic`: log loss with penalties; two classes share one sigmoid, more have a softmax.

use anyhow::Result;

use crate::models::input;
use crate::models::linear::checks;
use crate::models::linear::design::Design;
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::minimise::{self, Method};
use crate::models::linear::objective::{Objective, Truth};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::record::run::MetricPoint;
use crate::spec::model::{LogisticParams, Penalty};

/// Intercept of a class without training rows: its probability is 0.
const NEVER: f64 = -1e300;

/// Fits logistic regression: minimises Σ weight · log loss + l1·‖w‖₁ + l2/2·‖w‖², intercepts free. Equals
/// scikit-learn's `LogisticRegression` of `C = 1/l2` for the penalty `l2`, of `C = 1/l1`, `l1_ratio = 1` for `l1`, of
/// `C = 1/(l1 + l2)`, `l1_ratio = l1/(l1 + l2)` for `elastic_net`, and of `C = inf` for `none`.
///
/// Two classes with rows have one score, more have one each. Softmax intercepts sum to 0 over classes, and so do
/// coefficients under the penalties `l2` and `none`. The tolerance is on the gradient of standardised features, divided
/// by the sum of weights. Points: `train_loss` (mean log loss with penalty). Errors: nothing to learn from, values that
/// are not finite, categories, parameters out of range, weights that are negative or sum to 0.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params = read_params("logistic", fit.params)?;
    fit_by(fit, &params, None).map(|linear| Box::new(linear) as Box<dyn Predictor>)
}

/// Reads and checks the parameters of a generalised linear model.
pub fn read_params(kind: &str, given: &toml::Table) -> Result<LogisticParams> {
    let mut read: LogisticParams = params::read(kind, given)?;
    params::check(kind, "l2", read.l2, read.l2 >= 0.0, "0 or more")?;
    params::check(kind, "l1", read.l1, read.l1 >= 0.0, "0 or more")?;
    params::check(kind, "tolerance", read.tolerance, read.tolerance > 0.0, "above 0")?;
    let iterations = read.max_iterations;
    params::check(kind, "max_iterations", iterations as f64, iterations > 0, "1 or more")?;
    if matches!(read.penalty, Penalty::L2 | Penalty::None) {
        read.l1 = 0.0;
    }
    if matches!(read.penalty, Penalty::L1 | Penalty::None) {
        read.l2 = 0.0;
    }
    Ok(read)
}

/// As [`fit`], of parameters that have been checked, by one method or the faster one.
pub fn fit_by(fit: &mut FitInput<'_>, params: &LogisticParams, method: Option<Method>) -> Result<Linear> {
    let classes = input::classes("logistic", fit.target)?;
    let weights = checks::weights("logistic", fit, classes.counts.len())?;
    let totals = checks::class_totals("logistic", classes.codes, classes.counts.len(), weights)?;
    let learnt: Vec<u32> = (0..totals.len() as u32).filter(|&code| totals[code as usize] > 0.0).collect();
    // A class whose rows weigh nothing may stand anywhere.
    let place = |code: &u32| learnt.binary_search(code).map_or(0, |place| place as u32);
    let codes: Vec<u32> = classes.codes.iter().map(place).collect();
    let design = Design::standard(fit.matrix, weights);
    let objective = Objective {
        design: &design,
        truth: Truth::Classes(&codes),
        outputs: if learnt.len() == 2 { 1 } else { learnt.len() },
        square: &checks::penalties(params.l2 / design.total(), &design.scales, 2),
        absolute: &checks::penalties(params.l1 / design.total(), &design.scales, 1),
        every: 1,
    };
    let points = &mut *fit.points;
    let passed = |step: u64, value: f64| {
        // Optimisers that stop early have not solved their problem: they run to the end.
        let _ = points(MetricPoint { name: "train_loss".to_owned(), step: step as i64, value });
    };
    let method = method.unwrap_or_else(|| Method::of(&objective));
    let optimum = minimise::minimise(&objective, params, method, passed);
    minimise::warn_if_early("logistic", params, &optimum, fit.talk);
    let centred = matches!(params.penalty, Penalty::L2 | Penalty::None);
    let point = design.unscaled(&optimum.point);
    let (link, point) = match totals.len() {
        2 => (Link::Logit, point),
        count => (Link::Softmax, all_classes(point, design.width(), &learnt, count, centred)),
    };
    Linear::new("logistic", link, &design, point)
}

/// One output for each of `count` classes, from those learnt. Softmax is the same for scores that all have something
/// added: intercepts are made to sum to 0 over the classes learnt, and coefficients if they are to be `centred`.
fn all_classes(learnt_point: Vec<f64>, width: usize, learnt: &[u32], count: usize, centred: bool) -> Vec<f64> {
    let size = width + 1;
    // One score of two classes is the second one's lead over the first.
    let given = if learnt.len() == 2 { [vec![0.0; size], learnt_point].concat() } else { learnt_point };
    let mut point = vec![0.0; count * size];
    point.iter_mut().skip(width).step_by(size).for_each(|intercept| *intercept = NEVER);
    for place in 0..size {
        let mean = match centred || place == width {
            true => given[place..].iter().step_by(size).sum::<f64>() / learnt.len() as f64,
            false => 0.0,
        };
        for (value, &class) in given[place..].iter().step_by(size).zip(learnt) {
            point[class as usize * size + place] = value - mean;
        }
    }
    point
}
