//! What boosting minimises: losses, their first and second derivatives, and how scores become answers.

use crate::models::trees::sums::{Scale, Sums};

/// A loss over rows whose model scores are real numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Half the squared difference; the score is the answer.
    Squared,
    /// Absolute difference; the score is the answer, and leaves hold medians.
    Absolute,
    /// Squared up to this difference, then in a straight line; the score is the answer.
    Huber(f64),
    /// Pinball loss of this level; the score is the answer, and leaves hold quantiles.
    Quantile(f64),
    /// Negative log likelihood of a Poisson rate; the score is the logarithm of the answer.
    Poisson,
    /// Negative log likelihood of two classes; the score is the log odds of the second.
    Logistic,
    /// Negative log likelihood of several classes; one score a class, softmax of them the answer.
    Softmax,
}

impl Loss {
    /// Its name in the stable form of models and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Squared => "squared",
            Loss::Absolute => "absolute",
            Loss::Huber(_) => "huber",
            Loss::Quantile(_) => "quantile",
            Loss::Poisson => "poisson",
            Loss::Logistic => "logistic",
            Loss::Softmax => "softmax",
        }
    }

    /// Its parameter; 0 for those that have none.
    pub fn alpha(self) -> f64 {
        match self {
            Loss::Huber(alpha) | Loss::Quantile(alpha) => alpha,
            _ => 0.0,
        }
    }

    /// Whether targets are classes.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Loss::Logistic | Loss::Softmax)
    }

    /// The level of the quantile that leaves hold in place of a Newton step.
    pub fn leaf_level(self) -> Option<f64> {
        match self {
            Loss::Absolute => Some(0.5),
            Loss::Quantile(level) => Some(level),
            _ => None,
        }
    }

    /// The loss of one number, as it is shown while training; 0 for losses of classes.
    pub fn of(self, score: f64, truth: f64) -> f64 {
        match self {
            Loss::Squared => Squared.at(score, truth).2,
            Loss::Absolute => Absolute.at(score, truth).2,
            Loss::Huber(delta) => Huber(delta).at(score, truth).2,
            Loss::Quantile(level) => Quantile(level).at(score, truth).2,
            Loss::Poisson => Poisson.at(score, truth).2,
            Loss::Logistic | Loss::Softmax => 0.0,
        }
    }
}

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

/// Smallest probability whose logarithm is taken.
const SHARE_MIN: f64 = 1e-15;
/// Probabilities multiplied before one logarithm is taken: 1e-15 to the power 16 is still a number.
const PRODUCT_TERMS: usize = 16;

/// Sums the negative logarithms of probabilities with one logarithm for several of them.
pub struct LogSum {
    product: f64,
    terms: usize,
    sum: f64,
}

impl Default for LogSum {
    fn default() -> LogSum {
        LogSum::new()
    }
}

impl LogSum {
    /// Starts at nothing.
    pub fn new() -> LogSum {
        LogSum { product: 1.0, terms: 0, sum: 0.0 }
    }

    /// Adds the negative logarithm of `share`, at least `SHARE_MIN`.
    #[inline(always)]
    pub fn add(&mut self, share: f64) {
        self.product *= share.max(SHARE_MIN);
        self.terms += 1;
        if self.terms == PRODUCT_TERMS {
            self.sum -= self.product.ln();
            (self.product, self.terms) = (1.0, 0);
        }
    }

    /// The sum.
    pub fn total(&self) -> f64 {
        self.sum - self.product.ln()
    }
}

/// 1 / (1 + e^-score).
#[inline(always)]
pub fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Turns scores into shares that sum to 1, in place.
pub fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        total += *score;
    }
    scores.iter_mut().for_each(|score| *score /= total);
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

/// Derivatives of the logistic loss for rows whose class is 0 or 1, times the weights; returns the summed loss.
pub fn logistic(scores: &[f64], classes: &[u32], weights: Option<&[f64]>, scale: &Scale, words: &mut [Sums]) -> f64 {
    let rows = scores.iter().zip(classes).zip(words);
    let Some(weights) = weights else {
        let mut loss = LogSum::new();
        for ((score, &class), words) in rows {
            let share = sigmoid(*score);
            let truth = f64::from(class);
            *words = scale.row(share - truth, share * (1.0 - share));
            loss.add(if class == 1 { share } else { 1.0 - share });
        }
        return loss.total();
    };
    let mut loss = 0.0;
    for (((score, &class), words), weight) in rows.zip(weights) {
        let share = sigmoid(*score);
        let truth = f64::from(class);
        *words = scale.row((share - truth) * weight, share * (1.0 - share) * weight);
        loss -= weight * (if class == 1 { share } else { 1.0 - share }).max(SHARE_MIN).ln();
    }
    loss
}

/// The summed loss of rows whose shares of all classes are known, times the weights.
pub fn softmax_loss(shares: &[f64], truth: &[u32], classes: usize, weights: Option<&[f64]>) -> f64 {
    let of_truth = shares.chunks_exact(classes).zip(truth).map(|(shares, &class)| shares[class as usize]);
    match weights {
        None => {
            let mut loss = LogSum::new();
            of_truth.for_each(|share| loss.add(share));
            loss.total()
        }
        Some(weights) => of_truth.zip(weights).map(|(share, weight)| -weight * share.max(SHARE_MIN).ln()).sum(),
    }
}

/// Which class of how many, and how its words are made.
#[derive(Clone, Copy)]
pub struct OneClass<'a> {
    /// The class.
    pub class: usize,
    /// How many there are.
    pub classes: usize,
    /// How words are made.
    pub scale: &'a Scale,
}

/// Derivatives of the softmax loss for one class, from the shares of all classes, row by row, times the weights.
///
/// The second derivative is `K / (K - 1) · p (1 - p)` (Friedman 2001, eq. 34; LightGBM).
pub fn softmax_class(one: OneClass<'_>, shares: &[f64], truth: &[u32], weights: Option<&[f64]>, words: &mut [Sums]) {
    let OneClass { class, classes, scale } = one;
    let factor = classes as f64 / (classes as f64 - 1.0);
    let derivatives = |shares: &[f64], truth: u32| {
        let share = shares[class];
        (share - f64::from(u8::from(truth as usize == class)), factor * share * (1.0 - share))
    };
    let rows = shares.chunks_exact(classes).zip(truth).zip(words);
    match weights {
        None => rows.for_each(|((shares, &truth), words)| {
            let (gradient, hessian) = derivatives(shares, truth);
            *words = scale.row(gradient, hessian);
        }),
        Some(weights) => rows.zip(weights).for_each(|(((shares, &truth), words), weight)| {
            let (gradient, hessian) = derivatives(shares, truth);
            *words = scale.row(gradient * weight, hessian * weight);
        }),
    }
}
