//! OWL-QN (Andrew and Gao 2007): L-BFGS that keeps to one orthant a step, for penalties on absolute values and problems
//! of many coefficients.

use std::collections::VecDeque;

use crate::models::linear::newton::Optimum;
use crate::models::linear::objective::{Objective, Slope, steepest};

/// Steps that the curvature is estimated from.
const HISTORY: usize = 10;
/// Armijo's condition.
const DECREASE: f64 = 1e-4;
/// Most halvings of a step.
const HALVINGS: usize = 40;

/// One step and what it did to the gradient.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    product: f64,
}

/// Minimises `objective` from `start` until no component of its slope exceeds `tolerance`. `passed` receives the number
/// and the value of each iteration.
pub fn minimise(
    objective: &Objective<'_>,
    start: Vec<f64>,
    tolerance: f64,
    iterations_max: u64,
    mut passed: impl FnMut(u64, f64),
) -> Optimum {
    let size = objective.design.width() + 1;
    let penalty = |place: usize| objective.absolute.get(place % size).copied().unwrap_or(0.0);
    let (mut slope, mut point) = (objective.slope(&start), start);
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(HISTORY);
    for iteration in 1..=iterations_max {
        if objective.steepness(&point, &slope.gradient) <= tolerance {
            break;
        }
        let uphill: Vec<f64> =
            (0..point.len()).map(|place| steepest(point[place], slope.gradient[place], penalty(place))).collect();
        let Some((next, found)) = improved(objective, &point, &slope, &uphill, &pairs) else {
            // The curvature may mislead where signs have changed; steepest descent is tried before giving up.
            if pairs.is_empty() {
                break;
            }
            pairs.clear();
            continue;
        };
        remember(&mut pairs, (&point, &slope), (&next, &found));
        (point, slope) = (next, found);
        passed(iteration, slope.value);
    }
    let steepness = objective.steepness(&point, &slope.gradient);
    Optimum { point, value: slope.value, steepness }
}

/// The next point, within the orthant that the point and its slope choose.
fn improved(
    objective: &Objective<'_>,
    point: &[f64],
    slope: &Slope,
    uphill: &[f64],
    pairs: &VecDeque<Pair>,
) -> Option<(Vec<f64>, Slope)> {
    let mut direction = downhill(uphill, pairs);
    // Only components that lead down on their own are followed.
    for (direction, slope) in direction.iter_mut().zip(uphill) {
        if *direction * slope >= 0.0 {
            *direction = 0.0;
        }
    }
    let size = objective.design.width() + 1;
    let penalised = |place: usize| objective.absolute.get(place % size).is_some_and(|penalty| *penalty > 0.0);
    let mut share = match pairs.is_empty() {
        true => 1.0 / product(uphill, uphill).sqrt(),
        false => 1.0,
    };
    for _ in 0..HALVINGS {
        let next: Vec<f64> = (0..point.len())
            .map(|place| {
                let value = point[place] + share * direction[place];
                let sign = if point[place] != 0.0 { point[place] } else { -uphill[place] };
                if penalised(place) && value * sign <= 0.0 { 0.0 } else { value }
            })
            .collect();
        let found = objective.slope(&next);
        let promised: f64 = (0..point.len()).map(|place| uphill[place] * (point[place] - next[place])).sum();
        if promised > 0.0 && found.value <= slope.value - DECREASE * promised {
            return Some((next, found));
        }
        share /= 2.0;
    }
    None
}

/// Minus the estimated inverse second derivatives times `uphill` (Nocedal and Wright 2006, algorithm 7.4).
fn downhill(uphill: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = uphill.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = product(&pair.step, &direction) / pair.product;
        direction.iter_mut().zip(&pair.change).for_each(|(value, change)| *value -= share * change);
        shares.push(share);
    }
    if let Some(last) = pairs.back() {
        let scale = last.product / product(&last.change, &last.change);
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let back = product(&pair.change, &direction) / pair.product;
        direction.iter_mut().zip(&pair.step).for_each(|(value, step)| *value += (share - back) * step);
    }
    direction
}

fn remember(pairs: &mut VecDeque<Pair>, before: (&[f64], &Slope), after: (&[f64], &Slope)) {
    let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let step = difference(after.0, before.0);
    let change = difference(&after.1.gradient, &before.1.gradient);
    let product = product(&step, &change);
    if product > 0.0 && product.is_finite() {
        if pairs.len() == HISTORY {
            pairs.pop_front();
        }
        pairs.push_back(Pair { step, change, product });
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
