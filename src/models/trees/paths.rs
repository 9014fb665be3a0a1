//! The paths of one tree, and which features of them each of many rows passes.

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::quadrature::Quadrature;
use crate::models::trees::tree::{LEAF, Tree};

/// Rows handled together: patterns that repeat among them are computed once.
pub const ROWS: usize = 512;
const WORDS: usize = ROWS / 64;
/// Features on a path up to which every pattern has a place in a table.
const TABLE_FEATURES_MAX: usize = 12;
/// No pattern has been computed.
const NONE: u32 = u32::MAX;

/// One bit for each row of a chunk.
type Bits = [u64; WORDS];

/// Values of the features that an ensemble asks for, feature by feature, for the rows of one chunk.
pub struct Columns {
    rows: usize,
    /// Where the values of each feature begin; only of those that are asked for.
    begins: Vec<usize>,
    values: Vec<f64>,
}

impl Columns {
    /// Rows `begin..end` of a matrix.
    pub fn new(ensemble: &Ensemble, matrix: &Matrix, begin: usize, end: usize) -> Columns {
        let mut columns =
            Columns { rows: end - begin, begins: vec![usize::MAX; matrix.features().len()], values: Vec::new() };
        for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes) {
            let feature = node.feature as usize;
            if columns.begins[feature] != usize::MAX {
                continue;
            }
            columns.begins[feature] = columns.values.len();
            match &matrix.features()[feature].values {
                FeatureValues::Number(values) => columns.values.extend_from_slice(&values[begin..end]),
                FeatureValues::Indicator { codes, code } => {
                    columns.values.extend(codes[begin..end].iter().map(|value| f64::from(u8::from(value == code))));
                }
                FeatureValues::Category { codes, .. } => columns.values.extend(
                    codes[begin..end].iter().map(|&code| if code == MISSING_CODE { f64::NAN } else { f64::from(code) }),
                ),
            }
        }
        columns
    }

    /// The rows that go left at a node.
    fn left(&self, tree: &Tree, node: usize) -> Bits {
        let node = &tree.nodes[node];
        let begin = self.begins[node.feature as usize];
        let values = &self.values[begin..begin + self.rows];
        let mut bits = [0; WORDS];
        let (threshold, missing_left) = (node.threshold, node.missing_left());
        for (word, values) in bits.iter_mut().zip(values.chunks(64)) {
            for (row, value) in values.iter().enumerate() {
                let goes = match node.is_set() {
                    true => node.goes_left(*value, &tree.sets),
                    false => (*value <= threshold) | (value.is_nan() & missing_left),
                };
                *word |= u64::from(goes) << row;
            }
        }
        bits
    }
}

/// One feature of a path.
#[derive(Clone, Copy)]
struct Element {
    feature: u32,
    /// Share of training rows that pass all its questions, given those of the others.
    share: f64,
    /// The rows that pass all its questions.
    passes: Bits,
}

/// A step of the walk over all paths.
enum Step {
    /// To this side of a node.
    Down(u32, usize),
    /// Back: the element at this place is again what it was, or is not there.
    Up(usize, Option<Element>),
}

/// Where contributions go: values, those of one row, outputs.
type Target<'a> = (&'a mut [f64], usize, usize);

/// Walks trees; keeps its memory.
#[derive(Default)]
pub struct Paths {
    quadrature: Quadrature,
    left: Vec<Bits>,
    covers: Vec<f64>,
    elements: Vec<Element>,
    steps: Vec<Step>,
    patterns: Vec<u16>,
    table: Vec<u32>,
    met: Vec<u16>,
    weights: Vec<f64>,
}

impl Paths {
    /// Adds what each feature contributes to the leaf values of one tree, which go to the outputs from `first` on.
    pub fn add(
        &mut self,
        tree: &Tree,
        columns: &Columns,
        first: usize,
        width: usize,
        (values, stride, outputs): Target<'_>,
    ) {
        if tree.nodes.is_empty() {
            return;
        }
        self.left.clear();
        self.left.extend((0..tree.nodes.len()).map(|node| columns.left(tree, node)));
        self.covers = tree.node_covers();
        self.elements.clear();
        self.steps.extend([Step::Down(0, 1), Step::Down(0, 0)]);
        while let Some(step) = self.steps.pop() {
            let (node, side) = match step {
                Step::Down(node, side) => (node as usize, side),
                Step::Up(place, Some(element)) => {
                    self.elements[place] = element;
                    continue;
                }
                Step::Up(..) => {
                    self.elements.pop();
                    continue;
                }
            };
            let child = tree.nodes[node].children[side];
            self.enter(tree, node, side, child);
            if child & LEAF != 0 {
                let leaf = (child & !LEAF) as usize;
                let leaf_values = &tree.values[leaf * width..(leaf + 1) * width];
                self.leaf(columns.rows, leaf_values, first, (&mut *values, stride, outputs));
            } else {
                self.steps.extend([Step::Down(child, 1), Step::Down(child, 0)]);
            }
        }
    }

    /// Takes the question of `node`, answered by `side`, into the path.
    fn enter(&mut self, tree: &Tree, node: usize, side: usize, child: u32) {
        let feature = tree.nodes[node].feature;
        let cover = match child & LEAF != 0 {
            true => f64::from(tree.covers[(child & !LEAF) as usize]),
            false => self.covers[child as usize],
        };
        let share = cover / self.covers[node];
        let flip = if side == 0 { 0 } else { u64::MAX };
        let mut passes = self.left[node];
        passes.iter_mut().for_each(|word| *word ^= flip);
        match self.elements.iter().position(|element| element.feature == feature) {
            None => {
                self.steps.push(Step::Up(self.elements.len(), None));
                self.elements.push(Element { feature, share, passes });
            }
            Some(place) => {
                let element = &mut self.elements[place];
                self.steps.push(Step::Up(place, Some(*element)));
                // Never 0, so that it can be divided by, however often shares are multiplied.
                element.share = (element.share * share).max(f64::MIN_POSITIVE);
                element.passes.iter_mut().zip(passes).for_each(|(word, passes)| *word &= passes);
            }
        }
    }

    fn leaf(&mut self, rows: usize, leaf_values: &[f64], first: usize, target: Target<'_>) {
        match self.elements.len() <= TABLE_FEATURES_MAX {
            true => self.by_pattern(rows, leaf_values, first, target),
            false => self.by_row(rows, leaf_values, first, target),
        }
    }

    fn by_pattern(&mut self, rows: usize, leaf_values: &[f64], first: usize, (values, stride, outputs): Target<'_>) {
        let count = self.elements.len();
        self.patterns.clear();
        self.patterns.resize(rows, 0);
        for (place, element) in self.elements.iter().enumerate() {
            for (patterns, word) in self.patterns.chunks_mut(64).zip(element.passes) {
                for (row, pattern) in patterns.iter_mut().enumerate() {
                    *pattern |= ((word >> row & 1) as u16) << place;
                }
            }
        }
        self.table.resize(self.table.len().max(1 << count), NONE);
        self.weights.clear();
        for row in 0..rows {
            let pattern = self.patterns[row];
            let mut begin = self.table[usize::from(pattern)];
            if begin == NONE {
                begin = self.weights.len() as u32;
                self.table[usize::from(pattern)] = begin;
                self.met.push(pattern);
                self.weights.resize(self.weights.len() + count, 0.0);
                let factors =
                    self.elements.iter().enumerate().map(|(at, element)| (element.share, pattern >> at & 1 == 1));
                let weights = &mut self.weights[begin as usize..];
                self.quadrature.weigh(factors, weights);
                if let [value] = leaf_values {
                    weights.iter_mut().for_each(|weight| *weight *= value);
                }
            }
            let weights = &self.weights[begin as usize..begin as usize + count];
            let values = &mut values[row * stride..(row + 1) * stride];
            for (element, weight) in self.elements.iter().zip(weights) {
                let place = element.feature as usize * outputs + first;
                match leaf_values {
                    [_] => values[place] += weight,
                    _ => {
                        let values = values[place..].iter_mut().zip(leaf_values);
                        values.for_each(|(sum, value)| *sum += weight * value);
                    }
                }
            }
        }
        for pattern in self.met.drain(..) {
            self.table[usize::from(pattern)] = NONE;
        }
    }

    fn by_row(&mut self, rows: usize, leaf_values: &[f64], first: usize, (values, stride, outputs): Target<'_>) {
        self.weights.clear();
        self.weights.resize(self.elements.len(), 0.0);
        for row in 0..rows {
            let passes = |element: &Element| element.passes[row / 64] >> (row % 64) & 1 == 1;
            let factors = self.elements.iter().map(|element| (element.share, passes(element)));
            self.quadrature.weigh(factors, &mut self.weights);
            for (element, weight) in self.elements.iter().zip(&self.weights) {
                let place = row * stride + element.feature as usize * outputs + first;
                let values = values[place..].iter_mut().zip(leaf_values);
                values.for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
}

impl Tree {
    /// Training rows of each inner node, or their weights.
    pub fn node_covers(&self) -> Vec<f64> {
        let mut covers = vec![0.0; self.nodes.len()];
        // Children come after their parent.
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let of = |child: u32| match child & LEAF != 0 {
                true => f64::from(self.covers[(child & !LEAF) as usize]),
                false => covers[child as usize],
            };
            covers[number] = of(node.children[0]) + of(node.children[1]);
        }
        covers
    }

    /// The product of the shares of training rows along the path to each leaf.
    pub fn leaf_shares(&self) -> Vec<f64> {
        let covers = self.node_covers();
        let mut reached = vec![0.0; self.nodes.len()];
        let mut shares = vec![1.0; self.covers.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            let above = if number == 0 { 1.0 } else { reached[number] };
            for child in node.children {
                match child & LEAF != 0 {
                    true => {
                        let leaf = (child & !LEAF) as usize;
                        shares[leaf] = above * (f64::from(self.covers[leaf]) / covers[number]);
                    }
                    false => reached[child as usize] = above * (covers[child as usize] / covers[number]),
                }
            }
        }
        shares
    }
}
