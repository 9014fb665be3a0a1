//! Newton's method with backtracking, for problems of few coefficients: exact in about eight passes. Where absolute
//! values are penalised, each step minimises the quadratic model and the penalty by coordinate descent (glmnet:
//! Friedman, Hastie, Tibshirani 2010; line search: Lee, Sun, Saunders 2014).

use faer::Mat;

use crate::models::linear::descent::{self, Penalties, Products};
use crate::models::linear::objective::{Objective, Slope};
use crate::models::linear::solve::Factor;

/// Added to the unit diagonal of the Hessian, which is singular in the common part of softmax intercepts; times 100 as
/// often as needed.
const JITTER: f64 = 1e-12;
/// Armijo's condition: the share of the decrease that the slope promises.
const DECREASE: f64 = 1e-4;
/// Most halvings of a step.
const HALVINGS: usize = 40;
/// Most passes over the coefficients for one step.
const PASSES: u64 = 500;
/// Those passes end when a coefficient changes the scores by less than this share of the largest change.
const STEP_EXACT: f64 = 1e-7;
/// Smallest pivot, squared, of second derivatives whose minimum is the only one.
const PIVOT_MIN: f64 = 1e-9;

/// Where an optimiser ended.
pub struct Optimum {
    /// The point.
    pub point: Vec<f64>,
    /// The objective's value there.
    pub value: f64,
    /// The largest component of its slope there.
    pub steepness: f64,
}

/// A point that has been looked at.
struct Place {
    point: Vec<f64>,
    slope: Slope,
    expected: Vec<f64>,
    steepness: f64,
}

/// Second derivatives, ready to make steps.
enum Curvature {
    Smooth(Factor),
    Absolute(Mat<f64>),
}

/// Minimises `objective` from `start` until no component of its slope exceeds `tolerance`, and then takes one more step
/// with the same second derivatives, which makes the remaining error much smaller. `passed` receives the number and the
/// value of each iteration.
pub fn minimise(
    objective: &Objective<'_>,
    start: Vec<f64>,
    tolerance: f64,
    iterations_max: u64,
    mut passed: impl FnMut(u64, f64),
) -> Optimum {
    let mut here = look(objective, start);
    let mut curvature = None;
    for iteration in 1..=iterations_max {
        let near = here.steepness <= tolerance;
        if !near || curvature.is_none() {
            curvature = bend(objective, &here.expected);
        }
        let Some(next) = curvature.as_ref().and_then(|curvature| improved(objective, &here, curvature)) else {
            break;
        };
        here = next;
        passed(iteration, here.slope.value);
        if near {
            break;
        }
    }
    Optimum { point: here.point, value: here.slope.value, steepness: here.steepness }
}

fn look(objective: &Objective<'_>, point: Vec<f64>) -> Place {
    let (slope, expected) = objective.expect(&point);
    let steepness = objective.steepness(&point, &slope.gradient);
    Place { point, slope, expected, steepness }
}

fn bend(objective: &Objective<'_>, expected: &[f64]) -> Option<Curvature> {
    let hessian = objective.hessian(expected);
    if objective.is_smooth() {
        let factor = (0..6).find_map(|time| Factor::cholesky(&hessian, JITTER * 100_f64.powi(time)))?;
        return Some(Curvature::Smooth(factor));
    }
    let finite = (0..hessian.ncols()).all(|place| hessian[(place, place)].is_finite());
    finite.then_some(Curvature::Absolute(hessian))
}

/// The next point; none when no step in the direction of the model's minimum lowers the value.
fn improved(objective: &Objective<'_>, here: &Place, curvature: &Curvature) -> Option<Place> {
    let (step, promised) = match curvature {
        Curvature::Smooth(factor) => {
            let step: Vec<f64> = factor.solve(&here.slope.gradient).into_iter().map(|step| -step).collect();
            let promised = -product(&step, &here.slope.gradient);
            (step, promised)
        }
        Curvature::Absolute(hessian) => lasso_step(objective, here, hessian),
    };
    if promised.is_nan() || promised <= 0.0 {
        return None;
    }
    let mut share = 1.0;
    for _ in 0..HALVINGS {
        let move_by = |(value, step): (&f64, &f64)| value + share * step;
        let next = look(objective, here.point.iter().zip(&step).map(move_by).collect());
        // Close to the optimum the value no longer changes in its last digits, but the gradient still does.
        let (found, before) = (next.slope.value, here.slope.value);
        let flat = found <= before + 1e-14 * before.abs() && next.steepness < here.steepness;
        if found <= before - DECREASE * share * promised || flat {
            return Some(next);
        }
        share /= 2.0;
    }
    None
}

/// The step to the minimum of the quadratic model with the absolute penalty, and the decrease that it promises.
fn lasso_step(objective: &Objective<'_>, here: &Place, hessian: &Mat<f64>) -> (Vec<f64>, f64) {
    let size = objective.design.width() + 1;
    let penalty = |place: usize| objective.absolute.get(place % size).copied().unwrap_or(0.0);
    let absolute: Vec<f64> = (0..here.point.len()).map(penalty).collect();
    // The squared penalty is in the Hessian already.
    let square = vec![0.0; absolute.len()];
    let slopes: Vec<f64> = here.slope.gradient.iter().map(|slope| -slope).collect();
    let mut products = Products::new(hessian, slopes.clone());
    let mut point = here.point.clone();
    let penalties = Penalties { absolute: &absolute, square: &square };
    descent::settle(&mut products, penalties, &mut point, STEP_EXACT, PASSES);
    let fixed = (objective.outputs > 1).then(|| point.len() - 1);
    let point = exact(hessian, &slopes, &absolute, (&here.point, &point), fixed).unwrap_or(point);
    let step: Vec<f64> = point.iter().zip(&here.point).map(|(next, value)| next - value).collect();
    // Where signs stay, penalty and slope nearly cancel and are added first, so that the last digits of the sum are right.
    let decrease = |place: usize| {
        let (before, after, slope) = (here.point[place], point[place], here.slope.gradient[place]);
        match before * after > 0.0 {
            true => -step[place] * (slope + absolute[place] * before.signum()),
            false => absolute[place] * (before.abs() - after.abs()) - step[place] * slope,
        }
    };
    let promised = (0..step.len()).map(decrease).sum();
    (step, promised)
}

/// The minimum of the model among points that are 0 where `near` is and keep its signs elsewhere; none if it is not
/// there, or not the only one. `fixed` stays as it is: of softmax intercepts, which may all have something added, one
/// has to.
fn exact(
    hessian: &Mat<f64>,
    slopes: &[f64],
    absolute: &[f64],
    (here, near): (&[f64], &[f64]),
    fixed: Option<usize>,
) -> Option<Vec<f64>> {
    let free = |place: usize| Some(place) != fixed && (near[place] != 0.0 || absolute[place] == 0.0);
    let (kept, held): (Vec<usize>, Vec<usize>) = (0..near.len()).partition(|&place| free(place));
    let right: Vec<f64> = kept
        .iter()
        .map(|&place| {
            let sign = if absolute[place] == 0.0 { 0.0 } else { near[place].signum() };
            let moved: f64 = held.iter().map(|&other| hessian[(place, other)] * (near[other] - here[other])).sum();
            slopes[place] - absolute[place] * sign - moved
        })
        .collect();
    let part = Mat::from_fn(kept.len(), kept.len(), |row, column| hessian[(kept[row], kept[column])]);
    let factor = Factor::cholesky(&part, 0.0).filter(|factor| factor.smallest_pivot() > PIVOT_MIN)?;
    let mut point = near.to_vec();
    for (&place, step) in kept.iter().zip(factor.solve(&right)) {
        point[place] = here[place] + step;
        let turned = absolute[place] > 0.0 && point[place] * near[place] <= 0.0;
        if turned || !point[place].is_finite() {
            return None;
        }
    }
    Some(point)
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
