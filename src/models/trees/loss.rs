//! What boosting minimises: losses, their first and second derivatives, and how scores become answers.

use crate::models::trees::pointwise::{Absolute, Huber, Pointwise, Poisson, Quantile, Squared};
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
