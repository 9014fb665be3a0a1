//! What boosting minimises: losses, their first and second derivatives, and how scores become answers.

use crate::models::trees::sums::{Scale, Sums};

/// A loss over rows whose model scores are real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Half the squared difference; the score is the answer.
    Squared,
    /// Negative log likelihood of two classes; the score is the log odds of the second.
    Logistic,
    /// Negative log likelihood of several classes; one score a class, softmax of them the answer.
    Softmax,
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

/// Derivatives of the logistic loss for rows whose class is 0 or 1; returns the summed loss.
pub fn logistic(scores: &[f64], classes: &[u32], scale: &Scale, words: &mut [Sums]) -> f64 {
    let mut loss = LogSum::new();
    for ((score, &class), words) in scores.iter().zip(classes).zip(words) {
        let share = sigmoid(*score);
        let truth = f64::from(class);
        *words = scale.row(share - truth, share * (1.0 - share));
        loss.add(if class == 1 { share } else { 1.0 - share });
    }
    loss.total()
}

/// Derivatives of half the squared difference; returns the summed squared difference.
pub fn squared(scores: &[f64], truth: &[f64], scale: &Scale, words: &mut [Sums]) -> f64 {
    let mut loss = 0.0;
    for ((score, truth), words) in scores.iter().zip(truth).zip(words) {
        let difference = score - truth;
        *words = scale.row(difference, 1.0);
        loss += difference * difference;
    }
    loss
}

/// Derivatives of the softmax loss for class `class` of `classes`, from the shares of all classes, row by row.
///
/// The second derivative is `K / (K - 1) · p (1 - p)` (Friedman 2001, eq. 34; LightGBM).
pub fn softmax_class(shares: &[f64], truth: &[u32], class: usize, classes: usize, scale: &Scale, words: &mut [Sums]) {
    let factor = classes as f64 / (classes as f64 - 1.0);
    for ((shares, &truth), words) in shares.chunks_exact(classes).zip(truth).zip(words) {
        let share = shares[class];
        let is_true = f64::from(u8::from(truth as usize == class));
        *words = scale.row(share - is_true, factor * share * (1.0 - share));
    }
}
