//! What `logistic` and `poisson` minimise: the weighted mean over rows of a loss, and penalties, as a function of the
//! coefficients of standardised features.

use std::ops::Range;

use faer::Mat;
use rayon::prelude::*;

use crate::models::linear::design::Design;
use crate::models::linear::gram::gram;
use crate::models::linear::sums;
use crate::models::trees::loss::{sigmoid, softmax};

/// What is to be predicted.
#[derive(Clone, Copy)]
pub enum Truth<'a> {
    /// Class of each row, below the number of classes. Two classes have one score, whose sigmoid is the probability of
    /// the second; more have one each.
    Classes(&'a [u32]),
    /// Count of each row, 0 or more; its expectation is the exponential of the one score.
    Counts(&'a [f64]),
}

/// `Σ weight · loss / Σ weight + Σ (absolute · |coefficient| + ½ square · coefficient²)`.
pub struct Objective<'a> {
    /// The features and weights.
    pub design: &'a Design<'a>,
    /// What is to be predicted.
    pub truth: Truth<'a>,
    /// Number of scores.
    pub outputs: usize,
    /// Penalty on the square of each feature's coefficients, by the sum of weights.
    pub square: &'a [f64],
    /// Penalty on their absolute values, by the sum of weights.
    pub absolute: &'a [f64],
    /// One of so many blocks of rows is looked at: 1 for all, more for an estimate.
    pub every: usize,
}

/// Value and slope at one point.
#[derive(Clone, Debug)]
pub struct Slope {
    /// The objective's value.
    pub value: f64,
    /// Derivative of its smooth part, laid out like the point.
    pub gradient: Vec<f64>,
}

/// Sums of one chunk of rows.
struct Partial {
    loss: f64,
    weight: f64,
    gradient: Vec<f64>,
}

impl Objective<'_> {
    /// Number of coefficients and intercepts.
    pub fn size(&self) -> usize {
        self.outputs * (self.design.width() + 1)
    }

    /// Whether any absolute value is penalised.
    pub fn is_smooth(&self) -> bool {
        self.absolute.iter().all(|penalty| *penalty == 0.0)
    }

    /// No coefficients, and intercepts that give the class shares or the mean of all rows.
    pub fn start(&self) -> Vec<f64> {
        let weight = |row: usize| self.design.weight(row);
        let intercepts: Vec<f64> = match self.truth {
            Truth::Classes(classes) => {
                let mut totals = vec![0.0_f64; self.outputs.max(2)];
                classes.iter().enumerate().for_each(|(row, &class)| totals[class as usize] += weight(row));
                match self.outputs {
                    1 => vec![(totals[1] / totals[0]).ln()],
                    _ => totals.iter().map(|total| (total / self.design.total()).ln()).collect(),
                }
            }
            Truth::Counts(counts) => {
                let sum: f64 = counts.iter().enumerate().map(|(row, count)| weight(row) * count).sum();
                vec![(sum / self.design.total()).ln()]
            }
        };
        let mut point = vec![0.0; self.size()];
        let places = point.iter_mut().skip(self.design.width()).step_by(self.design.width() + 1);
        places.zip(intercepts).for_each(|(place, intercept)| *place = intercept);
        point
    }

    /// Value and gradient. One pass over the rows: `O(rows × (numbers + groups) × outputs)`.
    pub fn slope(&self, point: &[f64]) -> Slope {
        self.pass(point, None)
    }

    /// As [`Objective::slope`], with the expectations of all rows, which the second derivatives are made of: `outputs`
    /// a row.
    pub fn expect(&self, point: &[f64]) -> (Slope, Vec<f64>) {
        let mut expected = vec![0.0; self.design.rows() * self.outputs];
        let slope = self.pass(point, Some(&mut expected));
        (slope, expected)
    }

    fn pass(&self, point: &[f64], expected: Option<&mut [f64]>) -> Slope {
        let chunks = sums::chunks(self.design.rows(), point.len());
        let mut rest = expected;
        let parts: Vec<(Range<usize>, Option<&mut [f64]>)> = chunks
            .into_iter()
            .map(|range| {
                let part = rest.take().map(|all| {
                    let (part, after) = all.split_at_mut(range.len() * self.outputs);
                    rest = Some(after);
                    part
                });
                (range, part)
            })
            .collect();
        let partials: Vec<Partial> =
            parts.into_par_iter().map(|(range, part)| self.partial(range, point, part)).collect();
        let mut slope = Slope { value: 0.0, gradient: vec![0.0; point.len()] };
        let mut weight = 0.0;
        for partial in partials {
            slope.value += partial.loss;
            weight += partial.weight;
            slope.gradient.iter_mut().zip(&partial.gradient).for_each(|(total, part)| *total += part);
        }
        slope.value /= weight;
        slope.gradient.iter_mut().for_each(|slope| *slope /= weight);
        let size = self.design.width() + 1;
        for (output, slopes) in point.chunks_exact(size).zip(slope.gradient.chunks_exact_mut(size)) {
            for (((square, absolute), value), slopes) in self.square.iter().zip(self.absolute).zip(output).zip(slopes) {
                slope.value += absolute * value.abs() + 0.5 * square * value * value;
                *slopes += square * value;
            }
        }
        slope
    }

    /// Second derivatives of the smooth part where rows have these expectations: for outputs a and b,
    /// `Σ weight · share_a (δ_ab − share_b) z zᵀ`, and the squared penalties.
    pub fn hessian(&self, expected: &[f64]) -> Mat<f64> {
        let (size, width) = (self.design.width() + 1, self.design.width());
        let total: f64 = match self.every {
            1 => self.design.total(),
            every => sums::blocks(0..self.design.rows(), every).flatten().map(|row| self.design.weight(row)).sum(),
        };
        let mut hessian = Mat::<f64>::zeros(self.size(), self.size());
        for left in 0..self.outputs {
            for right in 0..=left {
                let block = gram(self.design, self.every, |row| {
                    let here = &expected[row * self.outputs..(row + 1) * self.outputs];
                    let same = if left == right { 1.0 } else { 0.0 };
                    let curvature = match self.truth {
                        Truth::Classes(_) => here[left] * (same - here[right]),
                        Truth::Counts(_) => here[0],
                    };
                    self.design.weight(row) * curvature
                });
                for (row, column) in (0..size).flat_map(|row| (0..size).map(move |column| (row, column))) {
                    let value = block[(row, column)] / total;
                    hessian[(left * size + row, right * size + column)] = value;
                    hessian[(right * size + column, left * size + row)] = value;
                }
            }
            for place in 0..width {
                hessian[(left * size + place, left * size + place)] += self.square[place];
            }
        }
        hessian
    }

    /// The largest component of the gradient; where an absolute value is penalised, what is left of it after the best
    /// choice of that penalty's slope: 0 at the optimum.
    pub fn steepness(&self, point: &[f64], gradient: &[f64]) -> f64 {
        let size = self.design.width() + 1;
        let penalty = |place: usize| self.absolute.get(place % size).copied().unwrap_or(0.0);
        let most = |most: f64, value: f64| if value.is_nan() { f64::INFINITY } else { most.max(value) };
        let steps = point.iter().zip(gradient).enumerate();
        steps.map(|(place, (value, slope))| steepest(*value, *slope, penalty(place)).abs()).fold(0.0, most)
    }

    fn partial(&self, range: Range<usize>, point: &[f64], mut expected: Option<&mut [f64]>) -> Partial {
        let mut sums = Partial { loss: 0.0, weight: 0.0, gradient: vec![0.0; point.len()] };
        let first = range.start;
        let mut scores = vec![0.0; sums::BLOCK_ROWS * self.outputs];
        for block in sums::blocks(range, self.every) {
            let scores = &mut scores[..block.len() * self.outputs];
            self.design.scores(block.clone(), point, scores);
            let at = (block.start - first) * self.outputs..(block.end - first) * self.outputs;
            let out = expected.as_deref_mut().map(|expected| &mut expected[at]);
            self.residuals(block.clone(), scores, out, &mut sums);
            self.design.products(block, scores, &mut sums.gradient);
        }
        sums
    }

    /// Makes weighted residuals (expectation minus truth) of scores, and adds losses and weights.
    fn residuals(&self, block: Range<usize>, scores: &mut [f64], mut expected: Option<&mut [f64]>, sums: &mut Partial) {
        let (first, rows) = (block.start, block.len());
        let mut shares = vec![0.0; self.outputs];
        for row in 0..rows {
            let weight = self.design.weight(first + row);
            sums.weight += weight;
            let loss = match self.truth {
                Truth::Classes(classes) if self.outputs == 1 => {
                    let class = f64::from(classes[first + row]);
                    shares[0] = sigmoid(scores[row]);
                    let loss = sigmoid_loss(scores[row], class);
                    scores[row] = weight * (shares[0] - class);
                    loss
                }
                Truth::Classes(classes) => {
                    let class = classes[first + row] as usize;
                    shares.iter_mut().enumerate().for_each(|(output, share)| *share = scores[output * rows + row]);
                    let loss = log_sum(&shares) - shares[class];
                    softmax(&mut shares);
                    for (output, share) in shares.iter().enumerate() {
                        let truth = if output == class { 1.0 } else { 0.0 };
                        scores[output * rows + row] = weight * (share - truth);
                    }
                    loss
                }
                Truth::Counts(counts) => {
                    shares[0] = scores[row].exp();
                    let loss = shares[0] - counts[first + row] * scores[row];
                    scores[row] = weight * (shares[0] - counts[first + row]);
                    loss
                }
            };
            // A row that does not count may have any loss, infinity too.
            sums.loss += if weight > 0.0 { weight * loss } else { 0.0 };
            if let Some(expected) = expected.as_deref_mut() {
                expected[row * self.outputs..(row + 1) * self.outputs].copy_from_slice(&shares);
            }
            if weight == 0.0 {
                (0..self.outputs).for_each(|output| scores[output * rows + row] = 0.0);
            }
        }
    }
}

/// Slope towards lower values, `penalty · |value|` counted.
pub fn steepest(value: f64, slope: f64, penalty: f64) -> f64 {
    if value > 0.0 {
        return slope + penalty;
    }
    if value < 0.0 {
        return slope - penalty;
    }
    slope - slope.clamp(-penalty, penalty)
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
