//! Many trees on the same features: walking them.

use anyhow::Result;
use rayon::prelude::*;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::input;
use crate::models::predictor::Importance;
use crate::models::trees::tree::{LEAF, Tree};

/// Rows walked at a time: a tree is fetched once for all of them, and their values stay in the cache.
const BLOCK_ROWS: usize = 512;

/// Trees whose leaves all have `width` values.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// Number of features they were grown on.
    pub features: usize,
    /// Values of a leaf.
    pub width: usize,
    /// The trees.
    pub trees: Vec<Tree>,
}

/// Rows as dense numbers: what a walk reads.
pub struct Block {
    values: Vec<f64>,
    width: usize,
}

impl Block {
    /// Rows `begin..end` of a matrix; a category's value is its code, NaN when missing.
    pub fn new(matrix: &Matrix, begin: usize, end: usize) -> Block {
        let width = matrix.features().len();
        let mut values = vec![0.0; (end - begin) * width];
        for (place, feature) in matrix.features().iter().enumerate() {
            let cells = values[place.min((end - begin) * width)..].iter_mut().step_by(width.max(1));
            match &feature.values {
                FeatureValues::Number(from) => cells.zip(&from[begin..end]).for_each(|(cell, value)| *cell = *value),
                FeatureValues::Indicator { codes, code } => {
                    cells.zip(&codes[begin..end]).for_each(|(cell, value)| *cell = f64::from(u8::from(value == code)));
                }
                FeatureValues::Category { codes, .. } => cells.zip(&codes[begin..end]).for_each(|(cell, &value)| {
                    *cell = if value == MISSING_CODE { f64::NAN } else { f64::from(value) };
                }),
            }
        }
        Block { values, width }
    }

    /// The values of each row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width.max(1))
    }
}

impl Tree {
    /// The leaf of one row.
    pub fn leaf(&self, row: &[f64]) -> usize {
        if self.nodes.is_empty() {
            return 0;
        }
        let mut next = 0;
        loop {
            let node = &self.nodes[next as usize];
            let goes_left = node.goes_left(row[node.feature as usize], &self.sets);
            next = node.children[usize::from(!goes_left)];
            if next & LEAF != 0 {
                return (next & !LEAF) as usize;
            }
        }
    }
}

impl Ensemble {
    /// Sums leaf values for every row: tree `t` adds its leaf's `width` values to outputs `t·width mod outputs` and
    /// following, starting from `initial` (`outputs` values). Returns `rows × outputs` values. Trees are added in their
    /// order, so the sums are the same bits on any number of threads.
    ///
    /// Errors: another number of features.
    pub fn sums(&self, matrix: &Matrix, initial: &[f64]) -> Result<Vec<f64>> {
        input::same_width(matrix, self.features)?;
        let outputs = initial.len();
        let mut sums = vec![0.0; matrix.rows() * outputs];
        sums.par_chunks_mut(BLOCK_ROWS * outputs).enumerate().for_each(|(number, sums)| {
            let begin = number * BLOCK_ROWS;
            let block = Block::new(matrix, begin, begin + sums.len() / outputs);
            sums.chunks_exact_mut(outputs).for_each(|sums| sums.copy_from_slice(initial));
            for (number, tree) in self.trees.iter().enumerate() {
                let first = number * self.width % outputs;
                for (row, sums) in block.rows().zip(sums.chunks_exact_mut(outputs)) {
                    let leaf = tree.leaf(row) * self.width;
                    for (sum, value) in sums[first..first + self.width].iter_mut().zip(&tree.values[leaf..]) {
                        *sum += value;
                    }
                }
            }
        });
        Ok(sums)
    }

    /// Gain and number of splits of each feature over all trees; `None` for a model of an older version, which did not
    /// keep gains.
    pub fn importance(&self) -> Option<Vec<Importance>> {
        let mut all = vec![Importance::default(); self.features];
        for tree in &self.trees {
            if tree.gains.len() != tree.nodes.len() {
                return None;
            }
            for (node, gain) in tree.nodes.iter().zip(&tree.gains) {
                let one = &mut all[node.feature as usize];
                one.gain += f64::from(*gain);
                one.splits += 1;
            }
        }
        Some(all)
    }
}
