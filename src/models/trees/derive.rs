//! Derivatives of the loss for all rows, in the words that trees are grown from.

use rayon::prelude::*;

use crate::models::trees::goals::Truth;
use crate::models::trees::loss::{self, Loss, OneClass};
use crate::models::trees::pointwise::{self, Pointwise};
use crate::models::trees::sums::{Scale, Sums};
use crate::models::trees::weights::RowWeights;

/// Rows whose derivatives one task computes; losses are summed block by block in this size.
const BLOCK_ROWS: usize = 1 << 13;

/// Words of all rows, and what they are made from.
pub struct Derivatives<'a> {
    truth: Truth<'a>,
    loss: Loss,
    weights: Option<RowWeights<'a>>,
    /// How often a row may count in place of once.
    room: f64,
    /// Shares of all classes, row by row; softmax only.
    shares: Vec<f64>,
    words: Vec<Sums>,
    scale: Scale,
}

impl<'a> Derivatives<'a> {
    /// Room for all rows. `room` is how many rows one may stand for.
    pub fn new(truth: Truth<'a>, loss: Loss, weights: Option<RowWeights<'a>>, room: f64, outputs: usize) -> Self {
        let rows = match truth {
            Truth::Numbers(values) => values.len(),
            Truth::Classes(codes, _) => codes.len(),
        };
        let shares = vec![0.0; if loss == Loss::Softmax { rows * outputs } else { 0 }];
        Derivatives { truth, loss, weights, room, shares, words: vec![[0; 2]; rows], scale: Scale::new(rows, 1.0, 1.0) }
    }

    /// The words of all rows.
    pub fn words(&self) -> &[Sums] {
        &self.words
    }

    /// How to read them.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// True values, when they are numbers.
    pub fn numbers(&self) -> Option<&'a [f64]> {
        match self.truth {
            Truth::Numbers(values) => Some(values),
            Truth::Classes(..) => None,
        }
    }

    /// Computes what all outputs share, from the scores so far; returns their mean loss, weighted as the rows are.
    pub fn begin_round(&mut self, scores: &[Vec<f64>]) -> f64 {
        let sum = match (self.truth, self.loss) {
            (Truth::Classes(codes, classes), Loss::Softmax) => self.softmax(scores, codes, classes),
            (Truth::Classes(codes, _), _) => self.logistic(&scores[0], codes),
            (Truth::Numbers(values), Loss::Absolute) => self.pointwise(pointwise::Absolute, &scores[0], values),
            (Truth::Numbers(values), Loss::Huber(delta)) => self.pointwise(pointwise::Huber(delta), &scores[0], values),
            (Truth::Numbers(values), Loss::Quantile(level)) => {
                self.pointwise(pointwise::Quantile(level), &scores[0], values)
            }
            (Truth::Numbers(values), Loss::Poisson) => self.pointwise(pointwise::Poisson, &scores[0], values),
            (Truth::Numbers(values), _) => self.pointwise(pointwise::Squared, &scores[0], values),
        };
        sum / self.weights.map_or(self.words.len() as f64, |weights| weights.total)
    }

    /// Fills the words for one output, unless [`Derivatives::begin_round`] did.
    pub fn begin_output(&mut self, output: usize) {
        let (Truth::Classes(codes, classes), Loss::Softmax) = (self.truth, self.loss) else { return };
        let weights = self.weights;
        let scale = self.new_scale(1.0, 0.25 * classes as f64 / (classes as f64 - 1.0));
        let shares = self.shares.par_chunks(BLOCK_ROWS * classes).zip(codes.par_chunks(BLOCK_ROWS));
        shares.zip(self.words.par_chunks_mut(BLOCK_ROWS)).enumerate().for_each(|(block, ((shares, codes), words))| {
            let one = OneClass { class: output, classes, scale: &scale };
            loss::softmax_class(one, shares, codes, of_block(weights, block, codes.len()), words);
        });
        self.scale = scale;
    }

    /// Lets these rows stand for others; their words then count as often as there is room for.
    pub fn raise(&mut self, rows: &[u32]) {
        let (scale, room) = (self.scale, self.room);
        for &row in rows {
            let words = &mut self.words[row as usize];
            *words = scale.row(scale.gradient(*words) * room, scale.hessian(*words) * room);
        }
    }

    /// The product of both derivatives of each of `rows`, summed over outputs, in absolute value.
    pub fn measures(&mut self, rows: &[u32]) -> Vec<f64> {
        let outputs = if self.loss == Loss::Softmax { self.shares.len() / self.words.len() } else { 1 };
        let mut measures = vec![0.0; rows.len()];
        for output in 0..outputs {
            self.begin_output(output);
            let (scale, words) = (self.scale, &self.words);
            measures.par_iter_mut().zip(rows).with_min_len(BLOCK_ROWS).for_each(|(measure, &row)| {
                let words = words[row as usize];
                *measure += (scale.gradient(words) * scale.hessian(words)).abs();
            });
        }
        measures
    }

    fn new_scale(&self, gradient_max: f64, hessian_max: f64) -> Scale {
        let room = self.room * self.weights.map_or(1.0, |weights| weights.largest);
        Scale::new(self.words.len(), gradient_max * room, hessian_max * room)
    }

    fn softmax(&mut self, scores: &[Vec<f64>], codes: &[u32], classes: usize) -> f64 {
        let weights = self.weights;
        let blocks = self.shares.par_chunks_mut(BLOCK_ROWS * classes).zip(codes.par_chunks(BLOCK_ROWS));
        let losses = blocks.enumerate().map(|(block, (shares, codes))| {
            let begin = block * BLOCK_ROWS;
            for (row, shares) in shares.chunks_exact_mut(classes).enumerate() {
                shares.iter_mut().zip(scores).for_each(|(share, scores)| *share = scores[begin + row]);
                loss::softmax(shares);
            }
            loss::softmax_loss(shares, codes, classes, of_block(weights, block, codes.len()))
        });
        losses.collect::<Vec<f64>>().iter().sum()
    }

    fn logistic(&mut self, scores: &[f64], codes: &[u32]) -> f64 {
        let (weights, scale) = (self.weights, self.new_scale(1.0, 0.25));
        let rows = scores.par_chunks(BLOCK_ROWS).zip(codes.par_chunks(BLOCK_ROWS));
        let losses =
            rows.zip(self.words.par_chunks_mut(BLOCK_ROWS)).enumerate().map(|(block, ((scores, codes), words))| {
                loss::logistic(scores, codes, of_block(weights, block, codes.len()), &scale, words)
            });
        let losses: Vec<f64> = losses.collect();
        self.scale = scale;
        losses.iter().sum()
    }

    fn pointwise<P: Pointwise>(&mut self, point: P, scores: &[f64], values: &[f64]) -> f64 {
        let weights = self.weights;
        let blocks = || scores.par_chunks(BLOCK_ROWS).zip(values.par_chunks(BLOCK_ROWS)).enumerate();
        let most = blocks()
            .map(|(block, (scores, values))| {
                pointwise::largest(point, scores, values, of_block(weights, block, values.len()))
            })
            .reduce(|| (0.0, 0.0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let scale = Scale::new(self.words.len(), most.0 * self.room, most.1 * self.room);
        let losses = blocks().zip(self.words.par_chunks_mut(BLOCK_ROWS)).map(|((block, (scores, values)), words)| {
            pointwise::numbers(point, scores, values, of_block(weights, block, values.len()), &scale, words)
        });
        let losses: Vec<f64> = losses.collect();
        self.scale = scale;
        losses.iter().sum()
    }
}

/// The weights of one block of rows.
fn of_block(weights: Option<RowWeights<'_>>, block: usize, rows: usize) -> Option<&[f64]> {
    weights.map(|weights| &weights.values[block * BLOCK_ROWS..block * BLOCK_ROWS + rows])
}
