//! Trees of other tools, put together as ours: any order of nodes in, nodes before their children out.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::{COLUMNS_MAX, FOREIGN_SET_BYTES_RATIO_MAX};
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::Predictor;
use crate::models::trees::tree::{LEAF, Node, Tree};
use crate::models::zoo;

/// Bytes of sets that any file may have.
const SET_BYTES_FREE: usize = 1 << 20;
/// Flags of a node, as `Node` has them.
const SET: u8 = 1;
const MISSING_LEFT: u8 = 2;

/// What a foreign node is.
pub enum Piece {
    /// An end.
    Leaf {
        /// What it adds.
        value: f64,
        /// Rows it was grown from; 0 where the file does not say.
        cover: f64,
    },
    /// A question.
    Split {
        /// Which feature.
        feature: usize,
        /// What is asked.
        question: Question,
        /// Foreign numbers of the children.
        children: [usize; 2],
        /// What it gained; 0 where the file does not say.
        gain: f64,
    },
}

/// A question about one feature.
pub enum Question {
    /// Values up to this go left.
    UpTo(f64),
    /// Levels whose bit is set go left.
    Among(Vec<u64>),
}

/// A piece and where missing values go.
pub struct Found {
    /// The node.
    pub piece: Piece,
    /// Whether missing values, and levels beyond the set, go left.
    pub missing_left: bool,
}

/// Room for sets, in proportion to the file.
pub struct Room(usize);

impl Room {
    /// For a file of `bytes` bytes.
    pub fn new(bytes: usize) -> Room {
        Room(bytes.saturating_mul(FOREIGN_SET_BYTES_RATIO_MAX).saturating_add(SET_BYTES_FREE))
    }

    /// Takes `words` words. Errors: there is not so much room.
    pub fn take(&mut self, words: usize) -> Result<()> {
        match self.0.checked_sub(words.saturating_mul(8)) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(fail::world("the sets of categories take far more room than the file itself")
                .hint("number the categories of each column from 0 without gaps, and train again")
                .into()),
        }
    }
}

/// Puts one tree together. `look` tells what a foreign node is; at most `nodes` of them are looked at, each once.
///
/// Errors: a node that is not there or has two parents, what `look` finds wrong.
pub fn tree(nodes: usize, root: usize, look: &mut dyn FnMut(usize) -> Result<Found>) -> Result<Tree> {
    let mut tree = Tree::default();
    let mut seen = vec![false; nodes];
    let mut covered = true;
    // A foreign node, and the child of ours that it becomes.
    let mut waiting: Vec<(usize, Option<(usize, usize)>)> = vec![(root, None)];
    while let Some((number, parent)) = waiting.pop() {
        match seen.get_mut(number) {
            None => return Err(fail::world(format!("there is no node {number}")).into()),
            Some(true) => return Err(fail::world(format!("node {number} has two parents")).into()),
            Some(seen) => *seen = true,
        }
        let found = look(number)?;
        let place = match found.piece {
            Piece::Leaf { value, cover } => {
                if !value.is_finite() {
                    return Err(fail::world(format!("the value of leaf {number} is {value}")).into());
                }
                covered &= (cover as f32) >= f32::MIN_POSITIVE && (cover as f32).is_finite();
                tree.values.push(value);
                tree.covers.push(cover as f32);
                LEAF | (tree.values.len() - 1) as u32
            }
            Piece::Split { feature, question, children, gain } => {
                let place = split(&mut tree, feature, question, found.missing_left)?;
                tree.gains.push(if gain > 0.0 { gain.min(f64::from(f32::MAX)) as f32 } else { 0.0 });
                waiting.push((children[1], Some((place, 1))));
                waiting.push((children[0], Some((place, 0))));
                place as u32
            }
        };
        if let Some((node, side)) = parent {
            tree.nodes[node].children[side] = place;
        }
    }
    if tree.nodes.is_empty() {
        // Nothing is shared out, so any count will do.
        tree.covers = vec![1.0];
    } else if !covered {
        (tree.covers, tree.gains) = (Vec::new(), Vec::new());
    }
    Ok(tree)
}

fn split(tree: &mut Tree, feature: usize, question: Question, missing_left: bool) -> Result<usize> {
    let mut node = Node {
        threshold: 0.0,
        feature: feature as u32,
        children: [LEAF; 2],
        words: 0,
        flags: if missing_left { MISSING_LEFT } else { 0 },
    };
    match question {
        Question::UpTo(threshold) if threshold.is_nan() => {
            return Err(fail::world("the threshold of a split is not a number").into());
        }
        Question::UpTo(threshold) => node.threshold = threshold,
        Question::Among(words) => {
            node.threshold = tree.sets.len() as f64;
            node.words = words.len().try_into().map_err(|_| fail::world("a set of categories is too long"))?;
            node.flags |= SET;
            tree.sets.extend(words);
        }
    }
    tree.nodes.push(node);
    Ok(tree.nodes.len() - 1)
}

/// Drops counts unless all trees have them: they are kept for all or for none.
pub fn level_counts(trees: &mut [Tree]) {
    if trees.iter().any(|tree| tree.covers.is_empty()) {
        trees.iter_mut().for_each(|tree| (tree.covers, tree.gains) = (Vec::new(), Vec::new()));
    }
}

/// Checks that no row can be answered with a sum beyond the range of numbers.
pub fn check_sums(trees: &[Tree], initial: &[f64]) -> Result<()> {
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let total: f64 = trees.iter().map(|tree| largest(&tree.values)).sum::<f64>() + largest(initial);
    if total < f64::MAX / 2.0 {
        return Ok(());
    }
    Err(fail::world("the leaves of the model sum to numbers beyond all range").into())
}

/// Reads the predictor back as one of `kind`, so that all checks of kept models have been passed.
pub fn accepted(kind: &'static str, predictor: &dyn Predictor) -> Result<Box<dyn Predictor>> {
    let mut form = FormWriter::new();
    predictor.write(&mut form);
    let bytes = form.finish();
    (zoo::kind(kind)?.read)(&mut FormReader::new(&bytes))
}

/// Checks the names of features; those used twice get a number, which is noted.
///
/// Errors: none, or more than a table may have.
pub fn names(given: Vec<String>, notes: &mut Vec<String>) -> Result<Vec<String>> {
    if given.is_empty() || given.len() > COLUMNS_MAX {
        let what = format!("the model reads {} features; from 1 to {COLUMNS_MAX} can be", given.len());
        return Err(fail::world(what).into());
    }
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Vec::with_capacity(given.len());
    for wanted in given {
        let mut name = if wanted.is_empty() { "feature".to_owned() } else { wanted.clone() };
        let mut number = taken.get(&name).copied().unwrap_or(0);
        while number > 0 && taken.contains_key(&format!("{name}_{number}")) {
            number += 1;
        }
        *taken.entry(name.clone()).or_insert(0) = number + 1;
        if number > 0 {
            name = format!("{name}_{number}");
            taken.insert(name.clone(), 1);
        }
        if name != wanted {
            notes.push(format!("the feature `{wanted}` is called `{name}` here"));
        }
        names.push(name);
    }
    Ok(names)
}
