//! Trees as flat arrays, built while growing and walked while predicting.

use crate::models::trees::binned::{BinFeature, Shape};

/// Marks a child that is a leaf; the other bits are its number.
pub const LEAF: u32 = 1 << 31;

const SET: u8 = 1;
const MISSING_LEFT: u8 = 2;

/// One inner node. 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Values up to this go left. For a set: position of its first word in [`Tree::sets`].
    pub threshold: f64,
    /// The feature it looks at.
    pub feature: u32,
    /// Left and right child: a later node, or a leaf when [`LEAF`] is set.
    pub children: [u32; 2],
    /// Number of words of its set.
    pub words: u16,
    /// Whether it asks for a set, and where missing and unseen values go.
    pub flags: u8,
}

/// One tree. Nodes come before their children, so every walk ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Inner nodes; a tree without one is its leaf 0.
    pub nodes: Vec<Node>,
    /// Values of all leaves, each as wide as the ensemble says.
    pub values: Vec<f64>,
    /// Sets of all nodes: one bit for each level that goes left.
    pub sets: Vec<u64>,
    /// What each node's split gained; empty for a model of an older version.
    pub gains: Vec<f32>,
    /// Rows, or their weights, that each leaf was grown from, above 0; empty for a model of an older version.
    pub covers: Vec<f32>,
}

/// A question about the bin of one feature.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Bins up to `cut` go left, and the missing bin when `missing_left`.
    Cut {
        /// Last bin that goes left.
        cut: usize,
        /// Bin of missing values.
        missing: usize,
        /// Where missing values go.
        missing_left: bool,
    },
    /// All bins but this go left.
    NotBin(usize),
    /// Bins whose bit is set go left.
    Set {
        /// One bit for each bin.
        bits: Vec<u64>,
        /// Where levels go that training rows did not have.
        rest_left: bool,
    },
}

/// The bit of one position; positions beyond the end are not set.
pub fn bit(bits: &[u64], place: usize) -> bool {
    bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// Sets the bit of one position.
pub fn set_bit(bits: &mut [u64], place: usize) {
    bits[place / 64] |= 1 << (place % 64);
}

impl Test {
    /// Whether rows of this bin go left.
    pub fn goes_left(&self, bin: usize) -> bool {
        match self {
            Test::Cut { cut, missing, missing_left } => bin <= *cut || (bin == *missing && *missing_left),
            Test::NotBin(one) => bin != *one,
            Test::Set { bits, .. } => bit(bits, bin),
        }
    }
}

impl Node {
    /// Whether it asks for a set of levels.
    pub fn is_set(&self) -> bool {
        self.flags & SET != 0
    }

    /// Whether missing and unseen values go left.
    pub fn missing_left(&self) -> bool {
        self.flags & MISSING_LEFT != 0
    }

    /// Whether the flags are ones that this version writes.
    pub fn flags_known(&self) -> bool {
        self.flags & !(SET | MISSING_LEFT) == 0
    }

    /// Whether a row with this value goes left. `sets` are those of its tree; a category's value is its code.
    pub fn goes_left(&self, value: f64, sets: &[u64]) -> bool {
        if self.is_set() {
            return self.set_goes_left(value, sets);
        }
        value <= self.threshold || (value.is_nan() && self.missing_left())
    }

    fn set_goes_left(&self, value: f64, sets: &[u64]) -> bool {
        // Casts of NaN and of numbers out of range saturate, so no value leads outside the set.
        let level = if value.is_nan() { usize::MAX } else { value as usize };
        match level / 64 < usize::from(self.words) {
            true => bit(&sets[self.threshold as usize..], level),
            false => self.missing_left(),
        }
    }
}

impl Tree {
    /// Adds a node that asks `test` of feature `number`, with its children still to be set; returns its number.
    pub fn push(&mut self, number: usize, feature: &BinFeature, test: &Test, gain: f64) -> u32 {
        let mut node = Node { threshold: 0.5, feature: number as u32, children: [LEAF; 2], words: 0, flags: 0 };
        let left_if = |yes: bool| if yes { MISSING_LEFT } else { 0 };
        match (test, &feature.shape) {
            (Test::Cut { cut, missing_left, .. }, Shape::Number { cuts }) => {
                node.threshold = cuts.get(*cut).copied().unwrap_or(f64::INFINITY);
                node.flags = left_if(*missing_left);
            }
            (Test::Set { bits, rest_left }, Shape::Category { levels }) => {
                let words = level_bits(bits, *rest_left, levels);
                node.threshold = self.sets.len() as f64;
                node.words = words.len() as u16;
                node.flags = SET | left_if(*rest_left);
                self.sets.extend(words);
            }
            // An indicator is 0 or 1 and never missing: the threshold is already right.
            _ => {}
        }
        self.gains.push(gain.max(0.0).min(f64::from(f32::MAX)) as f32);
        self.nodes.push(node);
        self.nodes.len() as u32 - 1
    }
}

/// Bits by bin become bits by level; levels without a bin of their own go where the rest goes.
fn level_bits(bits: &[u64], rest_left: bool, levels: &[u32]) -> Vec<u64> {
    let fill = if rest_left { u64::MAX } else { 0 };
    let length = levels.last().map_or(0, |&level| level as usize / 64 + 1);
    let mut by_level = vec![fill; length];
    for (bin, level) in levels.iter().enumerate() {
        let (word, mask) = (*level as usize / 64, 1 << (level % 64));
        match bit(bits, bin) {
            true => by_level[word] |= mask,
            false => by_level[word] &= !mask,
        }
    }
    by_level
}
