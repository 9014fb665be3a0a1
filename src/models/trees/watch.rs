//! The loss on validation rows, tree by tree, and when it was lowest.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::trees::ensemble::Block;
use crate::models::trees::loss::{LogSum, Loss, sigmoid, softmax};
use crate::models::trees::tree::Tree;

/// Rows that one task handles; losses are summed block by block in this size.
const BLOCK_ROWS: usize = 2048;

/// Validation rows with their scores so far.
pub struct Watch<'a> {
    blocks: Vec<Block>,
    target: &'a Target,
    loss: Loss,
    outputs: usize,
    /// Scores row by row.
    scores: Vec<f64>,
    rounds: usize,
    best: (usize, f64),
}

impl<'a> Watch<'a> {
    /// Starts before the first new tree; `scores` has `outputs` scores a row, row by row.
    ///
    /// Errors: a target of another task.
    pub fn new(matrix: &Matrix, target: &'a Target, loss: Loss, scores: Vec<f64>, outputs: usize) -> Result<Watch<'a>> {
        let is_same_task = match target {
            Target::Numbers(_) => !loss.is_of_classes(),
            Target::Classes { codes, .. } => {
                let classes = if loss == Loss::Logistic { 2 } else { outputs as u32 };
                loss.is_of_classes() && codes.iter().all(|&code| code < classes)
            }
            Target::Labels { .. } => false,
        };
        if !is_same_task || target.len() != matrix.rows() {
            return Err(fail::world("the validation rows and the training rows have different targets").into());
        }
        let starts = (0..matrix.rows()).step_by(BLOCK_ROWS);
        let blocks = starts.map(|begin| Block::new(matrix, begin, matrix.rows().min(begin + BLOCK_ROWS)));
        let mut watch =
            Watch { blocks: blocks.collect(), target, loss, outputs, scores, rounds: 0, best: (0, f64::INFINITY) };
        watch.best.1 = watch.score(&[]);
        Ok(watch)
    }

    /// Adds one tree for each output and returns the mean loss.
    pub fn add(&mut self, trees: &[Tree]) -> f64 {
        let loss = self.score(trees);
        self.rounds += 1;
        if loss < self.best.1 {
            self.best = (self.rounds, loss);
        }
        loss
    }

    /// Rounds since the loss was lowest.
    pub fn rounds_without_gain(&self) -> usize {
        self.rounds - self.best.0
    }

    /// The number of rounds after which the loss was lowest.
    pub fn best_round(&self) -> usize {
        self.best.0
    }

    fn score(&mut self, trees: &[Tree]) -> f64 {
        let (outputs, target, loss) = (self.outputs, self.target, self.loss);
        let scores = self.scores.par_chunks_mut(BLOCK_ROWS * outputs).zip(&self.blocks);
        let losses: Vec<f64> = scores
            .enumerate()
            .map(|(number, (scores, block))| {
                for (row, scores) in block.rows().zip(scores.chunks_exact_mut(outputs)) {
                    for (tree, score) in trees.iter().zip(scores) {
                        *score += tree.values[tree.leaf(row)];
                    }
                }
                block_loss(scores, target, number * BLOCK_ROWS, loss, outputs)
            })
            .collect();
        losses.iter().sum::<f64>() / self.target.len() as f64
    }
}

fn block_loss(scores: &[f64], target: &Target, begin: usize, loss: Loss, outputs: usize) -> f64 {
    match target {
        Target::Numbers(values) => {
            scores.iter().zip(&values[begin..]).map(|(score, value)| loss.of(*score, *value)).sum()
        }
        Target::Classes { codes, .. } => {
            let mut sum = LogSum::new();
            for (scores, &code) in scores.chunks_exact(outputs).zip(&codes[begin..]) {
                sum.add(match loss {
                    Loss::Logistic if code == 1 => sigmoid(scores[0]),
                    Loss::Logistic => sigmoid(-scores[0]),
                    _ => {
                        let mut shares = scores.to_vec();
                        softmax(&mut shares);
                        shares[code as usize]
                    }
                });
            }
            sum.total()
        }
        // Refused when the watch began.
        Target::Labels { .. } => 0.0,
    }
}
