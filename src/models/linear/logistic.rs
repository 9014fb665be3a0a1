//! `logistic`: log loss with an L2 penalty. Two classes by Newton's method, more by L-BFGS.
//!
//! Minimises Σ −ln p(true class) + l2/2·‖w‖² with the intercepts left out of the norm: scikit-learn's
//! `LogisticRegression(C = 1/l2)`. Works on standardised numbers, with the penalty of the features as they are.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use rayon::prelude::*;

use crate::models::input;
use crate::models::linear::design::{self, Design};
use crate::models::linear::fitted::{Linear, Link};
use crate::models::linear::gram::gram;
use crate::models::linear::solve::Factor;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::trees::loss::{sigmoid, softmax};
use crate::spec::model::LinearParams;

/// Pairs of steps that L-BFGS remembers; Nocedal and Wright recommend 3 to 20.
const MEMORY: usize = 10;
/// Smallest curvature of one row, so that rows fitted perfectly do not make the Hessian singular.
const CURVATURE_MIN: f64 = 1e-12;
/// Newton's method may stop this much closer than asked: its last step costs little and squares the error.
const NEWTON_SHARE: f64 = 1e-3;
/// Halvings of one Newton step before the point counts as the optimum that rounding allows.
const HALVINGS_MAX: usize = 40;
/// Penalties beyond this (features of almost no spread) would overflow; their coefficients are 0 either way.
const PENALTY_MAX: f64 = 1e200;
/// Intercept of a class without training rows: its probability is 0.
const NEVER: f64 = -1e9;

/// Fits logistic regression.
///
/// Two classes: `O(iterations × rows × features²)` with about ten iterations; more: `O(iterations × rows × features ×
/// classes)`. Errors: nothing to learn from, values that are not finite, categories, parameters out of range.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: LinearParams = params::read("logistic", fit.params)?;
    params::check("logistic", "l2", given.l2, given.l2 >= 0.0, "0 or more")?;
    params::check("logistic", "tolerance", given.tolerance, given.tolerance > 0.0, "above 0")?;
    input::learnable("logistic", fit)?;
    input::all_finite("logistic", fit.matrix)?;
    let classes = input::classes("logistic", fit.target)?;
    let design = Design::standard(fit.matrix);
    let penalties = design.scales.iter().map(|scale| (given.l2 / scale / scale).min(PENALTY_MAX)).collect();
    let problem = Problem { design: &design, codes: classes.codes, counts: &classes.counts, penalties };
    let (link, point) = match classes.counts.len() {
        2 => (Link::Logit, newton(&problem, &given)?),
        _ => (Link::Softmax, quasi_newton(&problem, &given)?),
    };
    let width = design.width();
    Ok(Box::new(Linear::new("logistic", link, width, design.unscaled(&point))?))
}

struct Problem<'a> {
    design: &'a Design<'a>,
    codes: &'a [u32],
    counts: &'a [u64],
    penalties: Vec<f64>,
}

impl Problem<'_> {
    /// Loss and gradient at `point`, which has one output for two classes and one a class for more.
    fn evaluate(&self, point: &[f64]) -> (f64, Vec<f64>) {
        let chunks = design::chunks(self.design.rows(), point.len());
        let parts: Vec<(f64, Vec<f64>)> = chunks.into_par_iter().map(|range| self.partial(range, point)).collect();
        let mut gradient = vec![0.0; point.len()];
        let mut loss = 0.0;
        for (part, sums) in parts {
            loss += part;
            gradient.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        let width = self.design.width();
        for (output, slope) in point.chunks_exact(width + 1).zip(gradient.chunks_exact_mut(width + 1)) {
            for place in 0..width {
                loss += 0.5 * self.penalties[place] * output[place] * output[place];
                slope[place] += self.penalties[place] * output[place];
            }
        }
        (loss, gradient)
    }

    fn partial(&self, range: std::ops::Range<usize>, point: &[f64]) -> (f64, Vec<f64>) {
        let outputs = point.len() / (self.design.width() + 1);
        let mut sums = vec![0.0; point.len()];
        let mut loss = 0.0;
        let mut shares = vec![0.0; outputs];
        for block in design::blocks(range) {
            let rows = block.len();
            let mut scores = vec![0.0; rows * outputs];
            self.design.scores(block.clone(), point, &mut scores);
            for (row, &code) in self.codes[block.clone()].iter().enumerate() {
                if outputs == 1 {
                    let score = scores[row];
                    let truth = f64::from(code);
                    loss += score.max(0.0) - truth * score + (-score.abs()).exp().ln_1p();
                    scores[row] = sigmoid(score) - truth;
                    continue;
                }
                for output in 0..outputs {
                    shares[output] = scores[output * rows + row];
                }
                let wanted = shares[code as usize];
                let top = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                loss += top - wanted + shares.iter().map(|score| (score - top).exp()).sum::<f64>().ln();
                softmax(&mut shares);
                for output in 0..outputs {
                    scores[output * rows + row] = shares[output] - f64::from(u8::from(output == code as usize));
                }
            }
            self.design.products(block, &scores, &mut sums);
        }
        (loss, sums)
    }

    /// Probability of the second class in every row, for the curvature.
    fn probabilities(&self, point: &[f64]) -> Vec<f64> {
        let blocks: Vec<_> = design::blocks(0..self.design.rows()).collect();
        let scored = blocks.into_par_iter().map(|block| {
            let mut scores = vec![0.0; block.len()];
            self.design.scores(block, point, &mut scores);
            scores.iter_mut().for_each(|score| *score = sigmoid(*score));
            scores
        });
        scored.collect::<Vec<_>>().concat()
    }
}

/// Newton's method with step halving (iteratively reweighted least squares).
fn newton(problem: &Problem<'_>, params: &LinearParams) -> Result<Vec<f64>> {
    let (width, rows) = (problem.design.width(), problem.design.rows() as f64);
    let mut point = vec![0.0; width + 1];
    point[width] = (problem.counts[1] as f64 / problem.counts[0] as f64).ln();
    let (mut loss, mut gradient) = problem.evaluate(&point);
    for _ in 0..params.max_iterations {
        if largest(&gradient) / rows <= params.tolerance * NEWTON_SHARE {
            break;
        }
        let shares = problem.probabilities(&point);
        let mut hessian = gram(problem.design, |row| (shares[row] * (1.0 - shares[row])).max(CURVATURE_MIN));
        for place in 0..width {
            hessian[(place, place)] += problem.penalties[place];
        }
        let factor = Factor::cholesky(&hessian, 0.0).map_or_else(|| Factor::eigen(&hessian), Ok)?;
        let step = factor.solve(&gradient);
        let slope: f64 = gradient.iter().zip(&step).map(|(g, s)| g * s).sum();
        let Some(next) = halved(problem, &point, &step, loss, slope) else {
            break;
        };
        (point, loss, gradient) = next;
    }
    Ok(point)
}

/// The longest of the steps 1, 1/2, 1/4… that lowers the loss enough (Armijo); none when rounding allows no more.
fn halved(
    problem: &Problem<'_>,
    point: &[f64],
    step: &[f64],
    loss: f64,
    slope: f64,
) -> Option<(Vec<f64>, f64, Vec<f64>)> {
    let mut length = 1.0;
    for _ in 0..HALVINGS_MAX {
        let next: Vec<f64> = point.iter().zip(step).map(|(value, step)| value - length * step).collect();
        let (next_loss, gradient) = problem.evaluate(&next);
        if next_loss < loss - 1e-4 * length * slope || (next_loss <= loss && length == 1.0 && slope < 1e-9 * loss.abs())
        {
            return Some((next, next_loss, gradient));
        }
        length /= 2.0;
    }
    None
}

/// The problem as the optimiser sees it: scaled to one row, remembering the best point in case a line search gives up.
struct Scaled<'a> {
    problem: &'a Problem<'a>,
    rows: f64,
    best: &'a Mutex<(f64, Vec<f64>)>,
}

impl CostFunction for Scaled<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        let loss = self.problem.evaluate(point).0 / self.rows;
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        if loss < best.0 {
            *best = (loss, point.clone());
        }
        Ok(loss)
    }
}

impl Gradient for Scaled<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        let mut gradient = self.problem.evaluate(point).1;
        gradient.iter_mut().for_each(|slope| *slope /= self.rows);
        Ok(gradient)
    }
}

/// L-BFGS with the line search of Moré and Thuente, from the class shares.
fn quasi_newton(problem: &Problem<'_>, params: &LinearParams) -> Result<Vec<f64>> {
    let (width, rows) = (problem.design.width(), problem.design.rows() as f64);
    let mut start = vec![0.0; problem.counts.len() * (width + 1)];
    for (output, &count) in start.chunks_exact_mut(width + 1).zip(problem.counts) {
        output[width] = if count == 0 { NEVER } else { (count as f64 / rows).ln() };
    }
    let best = Mutex::new((f64::INFINITY, start.clone()));
    let scaled = Scaled { problem, rows, best: &best };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
        .with_tolerance_grad(params.tolerance)
        .and_then(|solver| solver.with_tolerance_cost(0.0));
    let outcome = solver.and_then(|solver| {
        Executor::new(scaled, solver).configure(|state| state.param(start).max_iters(params.max_iterations)).run()
    });
    // A line search that gives up has come as close as rounding allows; the best point seen is the answer then too.
    let found = outcome.ok().and_then(|result| result.state().get_best_param().cloned());
    let best = best.into_inner().unwrap_or_else(PoisonError::into_inner).1;
    Ok(found.unwrap_or(best))
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, value| most.max(value.abs()))
}
