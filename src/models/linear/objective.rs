//! What `logistic` minimises: the mean over all rows of log loss plus penalty, as a function of the coefficients of
//! standardised features.

use std::ops::Range;

use faer::Mat;
use rayon::prelude::*;

use crate::models::linear::design::{self, Design};
use crate::models::linear::gram::gram;
use crate::models::trees::loss::{sigmoid, softmax};

/// `(Σ log loss + ½ Σ penalty · coefficient²) / rows`.
pub struct Objective<'a> {
    /// The features.
    pub design: &'a Design<'a>,
    /// Class of each row, below the number of classes.
    pub classes: &'a [u32],
    /// Number of scores: 1 for two classes, else one for each class.
    pub outputs: usize,
    /// Penalty of each feature.
    pub penalties: &'a [f64],
}

/// Value and slope at one point.
#[derive(Clone, Debug)]
pub struct Slope {
    /// The objective's value.
    pub value: f64,
    /// Its derivative, laid out like the point.
    pub gradient: Vec<f64>,
}

impl Slope {
    /// The largest component of the gradient.
    pub fn steepness(&self) -> f64 {
        self.gradient
            .iter()
            .fold(0.0, |most: f64, value| if value.is_nan() { f64::INFINITY } else { most.max(value.abs()) })
    }
}

impl Objective<'_> {
    /// Number of coefficients and intercepts.
    pub fn size(&self) -> usize {
        self.outputs * (self.design.width() + 1)
    }

    /// No coefficients, and intercepts that give the class shares.
    pub fn start(&self) -> Vec<f64> {
        let mut counts = vec![0.0_f64; self.outputs.max(2)];
        self.classes.iter().for_each(|&class| counts[class as usize] += 1.0);
        let mut point = vec![0.0; self.size()];
        let intercepts = point.iter_mut().skip(self.design.width()).step_by(self.design.width() + 1);
        match self.outputs {
            1 => intercepts.for_each(|intercept| *intercept = (counts[1] / counts[0]).ln()),
            _ => intercepts.zip(&counts).for_each(|(intercept, count)| *intercept = count.ln()),
        }
        point
    }

    /// Value and gradient. One pass over the rows: `O(rows × (numbers + groups) × outputs)`.
    pub fn slope(&self, point: &[f64]) -> Slope {
        let chunks = design::chunks(self.design.rows(), point.len());
        let partials: Vec<Slope> = chunks.into_par_iter().map(|range| self.partial(range, point)).collect();
        let mut total = Slope { value: 0.0, gradient: vec![0.0; point.len()] };
        for partial in partials {
            total.value += partial.value;
            total.gradient.iter_mut().zip(&partial.gradient).for_each(|(total, part)| *total += part);
        }
        let width = self.design.width();
        for (output, slopes) in point.chunks_exact(width + 1).zip(total.gradient.chunks_exact_mut(width + 1)) {
            for ((penalty, value), slope) in self.penalties.iter().zip(output).zip(slopes) {
                total.value += 0.5 * penalty * value * value;
                *slope += penalty * value;
            }
        }
        let rows = self.design.rows() as f64;
        total.value /= rows;
        total.gradient.iter_mut().for_each(|slope| *slope /= rows);
        total
    }

    /// Second derivatives: for outputs a and b, `Σ share_a (δ_ab − share_b) z zᵀ` and the penalties, by the number of rows.
    pub fn hessian(&self, point: &[f64]) -> Mat<f64> {
        let (size, width) = (self.design.width() + 1, self.design.width());
        let rows = self.design.rows() as f64;
        let shares = self.shares(point);
        let mut hessian = Mat::<f64>::zeros(self.size(), self.size());
        for left in 0..self.outputs {
            for right in 0..=left {
                let block = match self.outputs {
                    1 => gram(self.design, |row| shares[row] * (1.0 - shares[row])),
                    count => gram(self.design, |row| {
                        let same = if left == right { 1.0 } else { 0.0 };
                        shares[row * count + left] * (same - shares[row * count + right])
                    }),
                };
                for (row, column) in (0..size).flat_map(|row| (0..size).map(move |column| (row, column))) {
                    let value = block[(row, column)] / rows;
                    hessian[(left * size + row, right * size + column)] = value;
                    hessian[(right * size + column, left * size + row)] = value;
                }
            }
            for place in 0..width {
                hessian[(left * size + place, left * size + place)] += self.penalties[place] / rows;
            }
        }
        hessian
    }

    /// Probabilities of all rows: of the second class from one score, else of each class, row by row.
    fn shares(&self, point: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; self.design.rows() * self.outputs];
        shares.par_chunks_mut(design::BLOCK_ROWS * self.outputs).enumerate().for_each(|(block, out)| {
            let (start, rows) = (block * design::BLOCK_ROWS, out.len() / self.outputs);
            let mut scores = vec![0.0; out.len()];
            self.design.scores(start..start + rows, point, &mut scores);
            for (row, shares) in out.chunks_exact_mut(self.outputs).enumerate() {
                shares.iter_mut().enumerate().for_each(|(output, share)| *share = scores[output * rows + row]);
                match self.outputs {
                    1 => shares[0] = sigmoid(shares[0]),
                    _ => softmax(shares),
                }
            }
        });
        shares
    }

    fn partial(&self, range: Range<usize>, point: &[f64]) -> Slope {
        let mut slope = Slope { value: 0.0, gradient: vec![0.0; point.len()] };
        let mut row_scores = vec![0.0; self.outputs];
        for block in design::blocks(range) {
            let rows = block.len();
            let classes = &self.classes[block.clone()];
            let mut scores = vec![0.0; rows * self.outputs];
            self.design.scores(block.clone(), point, &mut scores);
            if self.outputs == 1 {
                for (score, &class) in scores.iter_mut().zip(classes) {
                    slope.value += sigmoid_loss(*score, f64::from(class));
                    *score = sigmoid(*score) - f64::from(class);
                }
            } else {
                for (row, &class) in classes.iter().enumerate() {
                    row_scores.iter_mut().enumerate().for_each(|(output, out)| *out = scores[output * rows + row]);
                    let true_score = row_scores[class as usize];
                    slope.value += log_sum(&row_scores) - true_score;
                    softmax(&mut row_scores);
                    row_scores[class as usize] -= 1.0;
                    row_scores.iter().enumerate().for_each(|(output, value)| scores[output * rows + row] = *value);
                }
            }
            self.design.products(block, &scores, &mut slope.gradient);
        }
        slope
    }
}

/// Log loss of `sigmoid(score)` against a class that is 1 or 0: `ln(1 + e^score) − class · score`.
fn sigmoid_loss(score: f64, class: f64) -> f64 {
    score.max(0.0) - class * score + (-score.abs()).exp().ln_1p()
}

/// `ln Σ e^score`, from which the log loss of a class is that minus its score.
fn log_sum(scores: &[f64]) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + scores.iter().map(|score| (score - largest).exp()).sum::<f64>().ln()
}
