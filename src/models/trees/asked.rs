//! What trees ask of the rows of a chunk: values feature by feature, and the side that each row takes.

use std::ops::Range;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::tree::Tree;

/// Values of the features that an ensemble asks for, for the rows of one chunk.
pub struct Asked {
    rows: usize,
    /// Where the values of each feature begin; only of those that are asked for.
    begins: Vec<usize>,
    values: Vec<f64>,
}

impl Asked {
    /// Rows `begin..end` of a matrix.
    pub fn new(ensemble: &Ensemble, matrix: &Matrix, begin: usize, end: usize) -> Asked {
        let mut asked =
            Asked { rows: end - begin, begins: vec![usize::MAX; matrix.features().len()], values: Vec::new() };
        for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes) {
            let feature = node.feature as usize;
            if asked.begins[feature] != usize::MAX {
                continue;
            }
            asked.begins[feature] = asked.values.len();
            match &matrix.features()[feature].values {
                FeatureValues::Number(values) => asked.values.extend_from_slice(&values[begin..end]),
                FeatureValues::Indicator { codes, code } => {
                    asked.values.extend(codes[begin..end].iter().map(|value| f64::from(u8::from(value == code))));
                }
                FeatureValues::Category { codes, .. } => asked.values.extend(
                    codes[begin..end].iter().map(|&code| if code == MISSING_CODE { f64::NAN } else { f64::from(code) }),
                ),
            }
        }
        asked
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The side that each of `rows` takes at a node: 0 left, 1 right.
    pub fn sides(&self, tree: &Tree, node: u32, rows: Range<usize>, sides: &mut [u8]) {
        let node = &tree.nodes[node as usize];
        let begin = self.begins[node.feature as usize];
        let values = self.values[begin + rows.start..begin + rows.end].iter().zip(sides);
        let threshold = node.threshold;
        // NaN is neither above nor below: the negation of one comparison says where it goes.
        match (node.is_set(), node.missing_left()) {
            (true, _) => values.for_each(|(value, side)| *side = u8::from(!node.goes_left(*value, &tree.sets))),
            (false, true) => values.for_each(|(value, side)| *side = u8::from(*value > threshold)),
            (false, false) => values.for_each(|(value, side)| *side = 1 - u8::from(*value <= threshold)),
        }
    }
}
