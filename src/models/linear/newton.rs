//! Newton's method with backtracking, for problems of few coefficients: exact in about eight passes.

use crate::models::linear::objective::{Objective, Slope};
use crate::models::linear::solve::Factor;

/// Added to the unit diagonal of the Hessian, which is singular in the common part of softmax intercepts; times 100 as
/// often as needed.
const JITTER: f64 = 1e-12;
/// Armijo's condition: the share of the decrease that the slope promises.
const DECREASE: f64 = 1e-4;
/// Most halvings of a step.
const HALVINGS: usize = 40;

/// Where an optimiser ended.
pub struct Optimum {
    /// The point.
    pub point: Vec<f64>,
    /// Value and slope there.
    pub slope: Slope,
}

/// Minimises `objective` until no component of its gradient exceeds `tolerance`, and then takes one more step, which
/// squares the remaining error. `passed` receives the number and the value of each iteration.
pub fn minimise(
    objective: &Objective<'_>,
    tolerance: f64,
    iterations_max: u64,
    mut passed: impl FnMut(u64, f64),
) -> Optimum {
    let mut point = objective.start();
    let mut slope = objective.slope(&point);
    for iteration in 1..=iterations_max {
        let near = slope.steepness() <= tolerance;
        let Some((next, next_slope)) = improved(objective, &point, &slope) else {
            break;
        };
        (point, slope) = (next, next_slope);
        passed(iteration, slope.value);
        if near {
            break;
        }
    }
    Optimum { point, slope }
}

/// The next point; none when no step along Newton's direction lowers the value.
fn improved(objective: &Objective<'_>, point: &[f64], slope: &Slope) -> Option<(Vec<f64>, Slope)> {
    let hessian = objective.hessian(point);
    let factor = (0..6).find_map(|time| Factor::cholesky(&hessian, JITTER * 100_f64.powi(time)))?;
    let step = factor.solve(&slope.gradient);
    let promised: f64 = step.iter().zip(&slope.gradient).map(|(step, slope)| step * slope).sum();
    if promised.is_nan() || promised <= 0.0 {
        return None;
    }
    let mut share = 1.0;
    for _ in 0..HALVINGS {
        let next: Vec<f64> = point.iter().zip(&step).map(|(value, step)| value - share * step).collect();
        let found = objective.slope(&next);
        // Close to the optimum the value no longer changes in its last digits, but the gradient still does.
        let flat = found.value <= slope.value + 1e-14 * slope.value.abs() && found.steepness() < slope.steepness();
        if found.value <= slope.value - DECREASE * share * promised || flat {
            return Some((next, found));
        }
        share /= 2.0;
    }
    None
}
