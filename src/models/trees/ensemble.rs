//! Many trees on the same features: walking them, and their stable form.

use anyhow::Result;
use rayon::prelude::*;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::trees::tree::{LEAF, Node, Tree};

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

    /// Writes all trees, field by field over all nodes.
    pub fn write(&self, form: &mut FormWriter) {
        let nodes = || self.trees.iter().flat_map(|tree| &tree.nodes);
        let counts = |count: fn(&Tree) -> usize| self.trees.iter().map(|t| count(t) as u32).collect::<Vec<u32>>();
        form.u64("features", self.features as u64);
        form.u64("width", self.width as u64);
        form.u32s("tree_nodes", &counts(|tree| tree.nodes.len()));
        form.u32s("tree_values", &counts(|tree| tree.values.len()));
        form.u32s("tree_words", &counts(|tree| tree.sets.len()));
        form.u32s("feature", &nodes().map(|node| node.feature).collect::<Vec<_>>());
        form.f64s("threshold", &nodes().map(|node| node.threshold).collect::<Vec<_>>());
        form.u32s("left", &nodes().map(|node| node.children[0]).collect::<Vec<_>>());
        form.u32s("right", &nodes().map(|node| node.children[1]).collect::<Vec<_>>());
        form.u8s("flags", &nodes().map(|node| node.flags).collect::<Vec<_>>());
        form.u32s("words", &nodes().filter(|node| node.is_set()).map(|node| node.words.into()).collect::<Vec<_>>());
        form.f64s("values", &self.trees.iter().flat_map(|tree| &tree.values).copied().collect::<Vec<_>>());
        form.u64s("sets", &self.trees.iter().flat_map(|tree| &tree.sets).copied().collect::<Vec<_>>());
    }

    /// Reads trees back.
    ///
    /// Errors: lengths that do not agree, a feature, leaf or set that is not there, a child before its parent, a
    /// threshold or value that is not a number.
    pub fn read(form: &mut FormReader<'_>) -> Result<Ensemble> {
        let features = form.count("features", u32::MAX as usize)?;
        let width = form.count("width", u32::MAX as usize)?;
        let mut parts = Parts {
            nodes: form.u32s("tree_nodes")?.into_iter(),
            values: form.u32s("tree_values")?.into_iter(),
            words: form.u32s("tree_words")?.into_iter(),
        };
        let nodes = read_nodes(form)?;
        let value_count = total(parts.values.as_slice());
        let values = form.finite("values", value_count)?;
        let sets = form.u64s("sets")?;
        let trees = parts.nodes.len();
        let is_consistent = trees == parts.values.len()
            && trees == parts.words.len()
            && total(parts.nodes.as_slice()) == nodes.len()
            && total(parts.words.as_slice()) == sets.len();
        if width == 0 || !is_consistent {
            return Err(damaged("tree_nodes", "the lengths of its parts do not agree"));
        }
        let mut ensemble = Ensemble { features, width, trees: Vec::with_capacity(trees) };
        let (mut nodes, mut values, mut sets) = (nodes.as_slice(), values.as_slice(), sets.as_slice());
        while let Some((node_count, value_count, word_count)) = parts.next() {
            let tree = Tree {
                nodes: split_off(&mut nodes, node_count).to_vec(),
                values: split_off(&mut values, value_count).to_vec(),
                sets: split_off(&mut sets, word_count).to_vec(),
            };
            check(&tree, features, width)?;
            ensemble.trees.push(tree);
        }
        Ok(ensemble)
    }
}

struct Parts {
    nodes: std::vec::IntoIter<u32>,
    values: std::vec::IntoIter<u32>,
    words: std::vec::IntoIter<u32>,
}

impl Parts {
    fn next(&mut self) -> Option<(usize, usize, usize)> {
        Some((self.nodes.next()? as usize, self.values.next()? as usize, self.words.next()? as usize))
    }
}

fn total(counts: &[u32]) -> usize {
    counts.iter().map(|&count| count as usize).sum()
}

fn split_off<'a, T>(rest: &mut &'a [T], count: usize) -> &'a [T] {
    let (first, last) = rest.split_at(count);
    *rest = last;
    first
}

fn read_nodes(form: &mut FormReader<'_>) -> Result<Vec<Node>> {
    let feature = form.u32s("feature")?;
    let threshold = form.f64s("threshold")?;
    let left = form.u32s("left")?;
    let right = form.u32s("right")?;
    let flags = form.u8s("flags")?;
    let mut words = form.u32s("words")?.into_iter();
    let count = feature.len();
    if [threshold.len(), left.len(), right.len(), flags.len()] != [count; 4] {
        return Err(damaged("flags", "there are not as many nodes in every field"));
    }
    let mut nodes = Vec::with_capacity(count);
    for place in 0..count {
        let mut node = Node {
            threshold: threshold[place],
            feature: feature[place],
            children: [left[place], right[place]],
            words: 0,
            flags: flags[place],
        };
        if node.is_set() {
            let length = words.next().ok_or_else(|| damaged("words", "a set has no length"))?;
            node.words = length.try_into().map_err(|_| damaged("words", "a set is too long"))?;
        }
        nodes.push(node);
    }
    match words.next() {
        Some(_) => Err(damaged("words", "a length has no set")),
        None => Ok(nodes),
    }
}

fn check(tree: &Tree, features: usize, width: usize) -> Result<()> {
    let leaves = tree.values.len() / width;
    if leaves == 0 || leaves * width != tree.values.len() {
        return Err(damaged("values", "a tree's values do not make whole leaves"));
    }
    for (number, node) in tree.nodes.iter().enumerate() {
        if node.feature as usize >= features {
            return Err(damaged("feature", &format!("there is no feature {}", node.feature)));
        }
        for child in node.children {
            let (is_leaf, child) = (child & LEAF != 0, (child & !LEAF) as usize);
            let is_fine = if is_leaf { child < leaves } else { child > number && child < tree.nodes.len() };
            if !is_fine {
                return Err(damaged("left", &format!("node {number} has child {child}")));
            }
        }
        if !node.flags_known() || node.threshold.is_nan() {
            return Err(damaged("threshold", &format!("node {number} asks nothing that this version knows")));
        }
        let begin = node.threshold;
        let is_inside = begin >= 0.0 && begin.fract() == 0.0 && begin + f64::from(node.words) <= tree.sets.len() as f64;
        if node.is_set() && !is_inside {
            return Err(damaged("sets", &format!("the set of node {number} is not there")));
        }
    }
    Ok(())
}
