//! Losses of one score and one number, with their derivatives.

use crate::models::trees::sums::{Scale, Sums};

/// A loss of one score and one number.
pub trait Pointwise: Copy + Sync {
    /// First and second derivative by the score, and the loss as it is shown. Definitions of LightGBM 4.
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64);
}

/// Half the squared difference, shown without the half.
#[derive(Clone, Copy)]
pub struct Squared;

impl Pointwise for Squared {
    #[inline(always)]
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64) {
        let difference = score - truth;
        (difference, 1.0, difference * difference)
    }
}

/// The absolute difference; its second derivative is taken as 1, as leaves are refitted.
#[derive(Clone, Copy)]
pub struct Absolute;

impl Pointwise for Absolute {
    #[inline(always)]
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64) {
        let difference = score - truth;
        let sign = if difference == 0.0 { 0.0 } else { difference.signum() };
        (sign, 1.0, difference.abs())
    }
}

/// Huber's loss (1964) with this delta; its second derivative is taken as 1.
#[derive(Clone, Copy)]
pub struct Huber(pub f64);

impl Pointwise for Huber {
    #[inline(always)]
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64) {
        let difference = score - truth;
        let inside = difference.clamp(-self.0, self.0);
        let size = difference.abs();
        let loss = if size <= self.0 { 0.5 * size * size } else { self.0 * (size - 0.5 * self.0) };
        (inside, 1.0, loss)
    }
}

/// The pinball loss of this level; its second derivative is taken as 1, as leaves are refitted.
#[derive(Clone, Copy)]
pub struct Quantile(pub f64);

impl Pointwise for Quantile {
    #[inline(always)]
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64) {
        let difference = score - truth;
        let slope = if difference >= 0.0 { 1.0 - self.0 } else { -self.0 };
        (slope, 1.0, slope * difference)
    }
}

/// Added to the score in the second derivative of Poisson's loss, so that steps stay short (`poisson_max_delta_step`).
const POISSON_STEP: f64 = 0.7;

/// Negative log likelihood of a rate whose logarithm is the score, without its constant.
#[derive(Clone, Copy)]
pub struct Poisson;

impl Pointwise for Poisson {
    #[inline(always)]
    fn at(self, score: f64, truth: f64) -> (f64, f64, f64) {
        let rate = score.exp();
        (rate - truth, rate * POISSON_STEP.exp(), rate - truth * score)
    }
}

/// Largest sizes of both derivatives over some rows, times their weights. Does not depend on the order of rows.
pub fn largest<P: Pointwise>(loss: P, scores: &[f64], truth: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    let larger = |(g, h): (f64, f64), (gradient, hessian): (f64, f64)| (g.max(gradient.abs()), h.max(hessian));
    let rows = scores.iter().zip(truth).map(|(score, truth)| loss.at(*score, *truth));
    match weights {
        None => rows.fold((0.0, 0.0), |most, (gradient, hessian, _)| larger(most, (gradient, hessian))),
        Some(weights) => rows.zip(weights).fold((0.0, 0.0), |most, ((gradient, hessian, _), weight)| {
            larger(most, (gradient * weight, hessian * weight))
        }),
    }
}

/// Derivatives of a loss of numbers, times the weights; returns the summed loss.
pub fn numbers<P: Pointwise>(
    loss: P,
    scores: &[f64],
    truth: &[f64],
    weights: Option<&[f64]>,
    scale: &Scale,
    words: &mut [Sums],
) -> f64 {
    let mut sum = 0.0;
    let rows = scores.iter().zip(truth).zip(words);
    let Some(weights) = weights else {
        for ((score, truth), words) in rows {
            let (gradient, hessian, shown) = loss.at(*score, *truth);
            *words = scale.row(gradient, hessian);
            sum += shown;
        }
        return sum;
    };
    for (((score, truth), words), weight) in rows.zip(weights) {
        let (gradient, hessian, shown) = loss.at(*score, *truth);
        *words = scale.row(gradient * weight, hessian * weight);
        sum += shown * weight;
    }
    sum
}
