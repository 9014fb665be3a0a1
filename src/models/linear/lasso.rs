//! `lasso` and `elastic_net`: squared loss with a penalty on absolute values, by coordinate descent: on the products of
//! all pairs of features where these are few, on columns where they are many.

use anyhow::Result;

use crate::base::limits::{NORMAL_FEATURES_MAX, PRODUCTS_FEATURES_MAX};
use crate::base::units;
use crate::models::input;
use crate::models::linear::columns::{Columns, Layout};
use crate::models::linear::descent::{self, Penalties, Quadratic};
use crate::models::linear::design::Design;
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::moments::{Moments, Sums};
use crate::models::linear::{checks, conjugate, least_squares, path};
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::record::run::MetricPoint;
use crate::spec::model::{Alpha, ElasticNetParams, LassoParams, LinearParams};

/// Most parts held out in turn.
const FOLDS_MAX: usize = 100;
/// Most strengths tried.
const ALPHAS_MAX: usize = 10_000;
/// Share of the first of the last changes at which they are left.
const SETTLED: f64 = 1e-9;
/// Largest strength: beyond any that leaves a coefficient.
pub const ALPHA_MAX: f64 = 1e300;

/// Squared loss over some rows, by the sum of their weights, at a point that coordinate descent moves.
pub trait SquaredLoss: Quadratic {
    /// Mean square of the centred target.
    fn target_squares(&self) -> f64;
    /// Mean square of the residuals at `point`, and mean product of residuals and target.
    fn residuals(&self, point: &[f64]) -> (f64, f64);
}

/// The target, with mean 0 and variance 1 over the weights.
pub struct Goal {
    /// One value a row.
    pub values: Vec<f64>,
    /// What was subtracted.
    pub mean: f64,
    /// What it was then divided by; 1 for a constant.
    pub scale: f64,
}

impl Goal {
    /// Standardises `truth`.
    pub fn new(design: &Design<'_>, truth: &[f64]) -> Goal {
        let mean = least_squares::weighted_mean(design, truth);
        let squares: f64 = truth.iter().enumerate().map(|(row, y)| design.weight(row) * (y - mean).powi(2)).sum();
        let deviation = (squares / design.total()).sqrt();
        let scale = if deviation >= f64::MIN_POSITIVE { deviation } else { 1.0 };
        Goal { values: truth.iter().map(|value| (value - mean) / scale).collect(), mean, scale }
    }
}

/// Fits the lasso: minimises Σ weight·(y − Xw − b)² / (2·Σ weight) + alpha·‖w‖₁, the intercept free; equals
/// scikit-learn's `Lasso`, and `LassoCV` of the same folds where `alpha` is `auto`.
///
/// Folds are drawn with the seed. Features as they come are penalised: standardise them in the recipe. Points: `alpha`,
/// where it was chosen. Cost of up to [`PRODUCTS_FEATURES_MAX`] features: one pass over the rows (one a fold for
/// `auto`), `O(rows × features²)`; of more: `O(rows × (numbers + groups))` for each pass of the descent, of which
/// `auto` makes about folds × alphas × 10. Errors: nothing to learn from, values that are not finite, categories,
/// parameters out of range, bad weights.
pub fn fit_lasso(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: LassoParams = params::read("lasso", fit.params)?;
    elastic("lasso", fit, &ElasticNetParams::of(params, 1.0))
}

/// Fits the elastic net: as [`fit_lasso`] with the penalty alpha·l1_ratio·‖w‖₁ + alpha·(1 − l1_ratio)/2·‖w‖²; equals
/// scikit-learn's `ElasticNet` and `ElasticNetCV`.
pub fn fit_elastic_net(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: ElasticNetParams = params::read("elastic_net", fit.params)?;
    elastic("elastic_net", fit, &params)
}

fn elastic(kind: &str, fit: &mut FitInput<'_>, params: &ElasticNetParams) -> Result<Box<dyn Predictor>> {
    check(kind, params, fit.target.len())?;
    let weights = checks::weights(kind, fit, 1)?;
    let truth = input::numbers(kind, fit.target)?;
    let design = Design::standard(fit.matrix, weights);
    let goal = Goal::new(&design, truth);
    let alpha = match params.alpha {
        Alpha::Value(alpha) => alpha,
        Alpha::Named(_) => {
            let folds = path::folds(fit.seed, design.rows(), params.folds);
            let choice = path::choose(&design, &goal, params, &folds, Way::of(&design));
            path::say(kind, &choice, params, fit.talk);
            let _ = (fit.points)(MetricPoint { name: "alpha".to_owned(), step: 0, value: choice.alpha });
            choice.alpha
        }
    };
    let point = match alpha * params.l1_ratio > 0.0 {
        true => {
            let (point, descent) = solution(&design, &goal, alpha, params, Way::of(&design));
            warn_if_early(kind, params, &descent, fit);
            point
        }
        // No absolute value is penalised: ridge regression, whose penalty is on the sum.
        false => {
            let l2 = alpha * design.total();
            let linear = LinearParams { l2, ..LinearParams::default() };
            match design.width() > NORMAL_FEATURES_MAX {
                true => conjugate::solution(kind, &design, truth, &linear, fit.talk),
                false => least_squares::solution(&design, truth, l2)?,
            }
        }
    };
    let kept = point[..design.width()].iter().filter(|value| **value != 0.0).count() as u64;
    fit.talk.info(&format!("`{kind}` keeps {} of {} features", units::count(kept), design.width()));
    Ok(Box::new(Linear::new(kind, Link::Identity, &design, design.unscaled(&point))?))
}

fn check(kind: &str, params: &ElasticNetParams, rows: usize) -> Result<()> {
    params::check(kind, "l1_ratio", params.l1_ratio, (0.0..=1.0).contains(&params.l1_ratio), "from 0 to 1")?;
    params::check(kind, "tolerance", params.tolerance, params.tolerance > 0.0, "above 0")?;
    let passes = params.max_iterations;
    params::check(kind, "max_iterations", passes as f64, passes > 0, "1 or more")?;
    match params.alpha {
        Alpha::Value(alpha) => {
            let fine = (0.0..=ALPHA_MAX).contains(&alpha);
            params::check(kind, "alpha", alpha, fine, "0 or more, or \"auto\"")
        }
        Alpha::Named(_) => {
            let (folds, alphas) = (params.folds, params.alphas);
            let fine = folds >= 2 && folds <= FOLDS_MAX.min(rows.max(2));
            params::check(kind, "folds", folds as f64, fine, "from 2 to 100, and no more than the training rows")?;
            params::check(kind, "alphas", alphas as f64, (1..=ALPHAS_MAX).contains(&alphas), "from 1 to 10,000")?;
            params::check(kind, "l1_ratio", params.l1_ratio, params.l1_ratio > 0.0, "above 0 when alpha is \"auto\"")
        }
    }
}

/// How squared loss is kept; the optimum is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Products of all pairs of features, made once.
    Products,
    /// Residuals of all rows, brought up to date with each step.
    Columns,
}

impl Way {
    /// The faster one.
    pub fn of(design: &Design<'_>) -> Way {
        if design.width() <= PRODUCTS_FEATURES_MAX { Way::Products } else { Way::Columns }
    }
}

/// Where a descent ended.
pub struct Descent {
    /// Duality gap, as a share of the target's mean square.
    pub gap: f64,
    /// Passes over the coefficients.
    pub passes: u64,
}

/// Coefficients of the standardised features, then the intercept.
pub fn solution(
    design: &Design<'_>,
    goal: &Goal,
    alpha: f64,
    params: &ElasticNetParams,
    way: Way,
) -> (Vec<f64>, Descent) {
    let strength = Strength::new(design, goal, alpha, params.l1_ratio);
    let mut point = vec![0.0; design.width()];
    let (descent, means, mean) = match way {
        Way::Products => {
            let moments = Moments::of(&Sums::of(design, &goal.values, |_| true));
            let mut loss = moments.start();
            let descent = descend(&mut loss, &strength, &mut point, params);
            // A pass costs next to nothing here, and as many again square what is left of the error.
            let penalties = Penalties { absolute: &strength.absolute, square: &strength.square };
            descent::settle(&mut loss, penalties, &mut point, SETTLED, descent.passes);
            (descent, moments.means, moments.mean)
        }
        Way::Columns => {
            let layout = Layout::new(design);
            let weights = (0..design.rows()).map(|row| design.weight(row)).collect();
            let mut columns = Columns::new(&layout, weights, &goal.values);
            let descent = descend(&mut columns, &strength, &mut point, params);
            (descent, columns.means().to_vec(), columns.mean())
        }
    };
    let offset = mean - point.iter().zip(&means).map(|(value, mean)| value * mean).sum::<f64>();
    point.iter_mut().for_each(|value| *value *= goal.scale);
    point.push(goal.mean + goal.scale * offset);
    (point, descent)
}

fn warn_if_early(kind: &str, params: &ElasticNetParams, descent: &Descent, fit: &FitInput<'_>) {
    if descent.gap > params.tolerance {
        let (gap, passes, tolerance) = (descent.gap, descent.passes, params.tolerance);
        fit.talk.warn(&format!(
            "`{kind}` stopped after {passes} passes at a duality gap of {gap:.1e}, above its tolerance {tolerance:e}"
        ));
        fit.talk.hint("raise `max_iterations` or `alpha`");
    }
}

/// Penalties of one strength, on standardised features and target.
pub struct Strength {
    absolute: Vec<f64>,
    square: Vec<f64>,
}

impl Strength {
    /// The penalties of `alpha`.
    pub fn new(design: &Design<'_>, goal: &Goal, alpha: f64, l1_ratio: f64) -> Strength {
        Strength {
            absolute: checks::penalties(alpha * l1_ratio / goal.scale, &design.scales, 1),
            square: checks::penalties(alpha * (1.0 - l1_ratio), &design.scales, 2),
        }
    }
}

/// Descends from `point` until the duality gap is within the tolerance.
pub fn descend(
    loss: &mut impl SquaredLoss,
    strength: &Strength,
    point: &mut [f64],
    params: &ElasticNetParams,
) -> Descent {
    let penalties = Penalties { absolute: &strength.absolute, square: &strength.square };
    let mut descent = Descent { gap: f64::INFINITY, passes: 0 };
    while descent.passes < params.max_iterations {
        let (change, passes) = descent::round(loss, penalties, point);
        descent.passes += passes;
        descent.gap = gap(loss, strength, point) / loss.target_squares().max(f64::MIN_POSITIVE);
        if descent.gap <= params.tolerance || change == 0.0 {
            break;
        }
    }
    descent
}

/// The objective here minus that of the dual at the residuals, shrunk until they are feasible: never below the distance
/// from the optimum (Kim, Koh, Lustig, Boyd, Gorinevsky 2007; as scikit-learn's).
fn gap(loss: &impl SquaredLoss, strength: &Strength, point: &[f64]) -> f64 {
    let (squares, product) = loss.residuals(point);
    let (mut norm, mut absolute, mut square) = (0.0_f64, 0.0, 0.0);
    for (place, value) in point.iter().enumerate() {
        let slope = loss.slope(place) - strength.square[place] * value;
        norm = norm.max(slope.abs() / strength.absolute[place].max(f64::MIN_POSITIVE));
        absolute += strength.absolute[place] * value.abs();
        square += strength.square[place] * value * value;
    }
    let share = if norm > 1.0 { 1.0 / norm } else { 1.0 };
    (0.5 * (1.0 + share * share) * (squares + square) + absolute - share * product).max(0.0)
}
