//! Isolation forest: rows that few random cuts set apart (Liu, Ting and Zhou 2008, *Isolation Forest*, ICDM).

use std::collections::HashSet;

use rayon::prelude::{
    IndexedParallelIterator, IntoParallelIterator, ParallelIterator, ParallelSlice, ParallelSliceMut,
};

use crate::base::seed::{Rng, Seed};
use crate::quality::rows::float_key;

/// Rows scored at a time: with 15 columns they fill a quarter of the second-level cache.
const BLOCK_ROWS: usize = 512;
/// Rows that go down a tree in step: their look-ups do not wait for one another.
const LANES: usize = 8;
/// Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// A cut of one column, or a leaf that leads to itself.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The column cut.
    column: u32,
    /// Where values up to the threshold go; the others go to the next node.
    left: u32,
    /// Infinite for a leaf, so that nothing is above it.
    threshold: f64,
}

/// One tree, its root first.
#[derive(Clone, Debug)]
struct Tree {
    nodes: Vec<Node>,
    /// Path length that each node stands for, if it is a leaf: its depth, and the mean depth of a tree of the rows in it.
    lengths: Vec<f64>,
    /// Rows that each node was grown on.
    sizes: Vec<u32>,
    /// Steps to the deepest leaf.
    depth: u32,
}

/// A grown forest.
#[derive(Clone, Debug)]
pub struct Forest {
    trees: Vec<Tree>,
    /// Rows that each tree was grown on.
    tree_rows: u32,
    /// Mean path length of a tree of as many rows: what scores are measured by.
    usual_length: f64,
}

/// A grown forest as plain arrays, tree after tree, each tree's root first: how it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForestArrays {
    /// Rows that each tree was grown on.
    pub tree_rows: u32,
    /// Nodes of each tree.
    pub nodes: Vec<u32>,
    /// The column that each node cuts; 0 for a leaf.
    pub columns: Vec<u32>,
    /// The node of the same tree where values up to the threshold go, the others go to the next one; itself for a leaf.
    pub lefts: Vec<u32>,
    /// Thresholds; infinite for a leaf.
    pub thresholds: Vec<f64>,
    /// Rows of each node.
    pub sizes: Vec<u32>,
}

/// Deepest tree that is read back: a tree of 4,294,967,296 rows ends at 32 cuts.
const DEPTH_MAX: u32 = 32;

/// Mean path length of an unsuccessful search in a binary search tree of `rows` rows:
/// `c(n) = 2 (ln(n - 1) + γ) - 2 (n - 1) / n`, with c(1) = 0 and c(2) = 1; scikit-learn's `_average_path_length`.
pub fn mean_length(rows: usize) -> f64 {
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => {
            let rows = rows as f64;
            2.0 * ((rows - 1.0).ln() + EULER) - 2.0 * (rows - 1.0) / rows
        }
    }
}

impl Forest {
    /// Grows `trees` trees on `tree_rows` rows each, drawn without repeats from `columns` of equal length, all finite.
    ///
    /// A node cuts a column drawn among those that vary in it, at a point drawn between its smallest and largest value;
    /// trees end at `log2(tree_rows)` cuts, one row or equal rows. The same rows in another order give the same forest.
    /// Cost: a hash and a sort of all rows, then `trees × tree_rows × columns`.
    pub fn grow(columns: &[&[f64]], trees: usize, tree_rows: usize, seed: Seed) -> Forest {
        let rows = columns.first().map_or(0, |column| column.len());
        let tree_rows = tree_rows.clamp(1, rows.max(1));
        let order = canonical(columns);
        let trees = (0..trees as u64)
            .into_par_iter()
            .map(|tree| {
                let mut rng = seed.nth(tree).rng();
                let drawn = draw(rows, tree_rows, &mut rng);
                let row = |place: &usize| columns.iter().map(|column| column[order[*place] as usize]).collect();
                Tree::grow(&drawn.iter().map(row).collect::<Vec<Vec<f64>>>(), &mut rng)
            })
            .collect();
        Forest { trees, tree_rows: tree_rows as u32, usual_length: mean_length(tree_rows) }
    }

    /// The forest as plain arrays.
    pub fn to_arrays(&self) -> ForestArrays {
        let nodes = || self.trees.iter().flat_map(|tree| &tree.nodes);
        ForestArrays {
            tree_rows: self.tree_rows,
            nodes: self.trees.iter().map(|tree| tree.nodes.len() as u32).collect(),
            columns: nodes().map(|node| node.column).collect(),
            lefts: nodes().map(|node| node.left).collect(),
            thresholds: nodes().map(|node| node.threshold).collect(),
            sizes: self.trees.iter().flat_map(|tree| &tree.sizes).copied().collect(),
        }
    }

    /// A forest over `columns` columns from arrays of unknown origin: every index, size and length is checked, so that
    /// scoring ends and stays within bounds. `None`: these arrays are no forest.
    pub fn from_arrays(arrays: &ForestArrays, columns: usize) -> Option<Forest> {
        let total = arrays.nodes.iter().map(|count| u64::from(*count)).sum::<u64>();
        let lengths = [arrays.columns.len(), arrays.lefts.len(), arrays.thresholds.len(), arrays.sizes.len()];
        if arrays.nodes.is_empty() || arrays.tree_rows < 2 || lengths.iter().any(|length| *length as u64 != total) {
            return None;
        }
        let mut trees = Vec::with_capacity(arrays.nodes.len());
        let mut start = 0;
        for count in &arrays.nodes {
            let place = start..start + *count as usize;
            start = place.end;
            let nodes = place.clone().map(|at| Node {
                column: arrays.columns[at],
                left: arrays.lefts[at],
                threshold: arrays.thresholds[at],
            });
            trees.push(Tree::checked(nodes.collect(), arrays.sizes[place].to_vec(), columns)?);
        }
        Some(Forest { trees, tree_rows: arrays.tree_rows, usual_length: mean_length(arrays.tree_rows as usize) })
    }

    /// The anomaly score of every row, `2^(-E[h(x)] / c(ψ))`, in `(0, 1]`: near 1 for rows that are soon set apart, below
    /// 0.5 for ordinary ones. scikit-learn's `-score_samples`. Rows in parallel.
    pub fn scores(&self, columns: &[&[f64]]) -> Vec<f64> {
        let width = columns.len();
        let mut scores = vec![0.0; columns.first().map_or(0, |column| column.len())];
        scores.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, scores)| {
            let start = block * BLOCK_ROWS;
            let padded = scores.len().next_multiple_of(LANES);
            let mut values = vec![0.0; padded * width];
            for (place, column) in columns.iter().enumerate() {
                for (row, value) in column[start..start + scores.len()].iter().enumerate() {
                    values[row * width + place] = *value;
                }
            }
            let mut lengths = vec![0.0; padded];
            for tree in &self.trees {
                for (lanes, rows) in lengths.chunks_exact_mut(LANES).zip(values.chunks_exact(LANES * width)) {
                    tree.add_lengths(rows, width, lanes);
                }
            }
            for (score, length) in scores.iter_mut().zip(lengths) {
                *score = (-length / self.trees.len() as f64 / self.usual_length).exp2();
            }
        });
        scores
    }

    /// The column that sets `row` apart most: the one whose cuts, over all trees, leave it with the fewest others, measured
    /// in bits: the logarithm of the rows before a cut over those after it.
    pub fn isolating_column(&self, row: &[f64]) -> usize {
        let mut bits = vec![0.0; row.len()];
        for tree in &self.trees {
            let mut at = 0;
            while tree.nodes[at].threshold < f64::INFINITY {
                let node = tree.nodes[at];
                let next = node.left as usize + usize::from(row[node.column as usize] > node.threshold);
                bits[node.column as usize] += (f64::from(tree.sizes[at]) / f64::from(tree.sizes[next])).log2();
                at = next;
            }
        }
        // The first of equals.
        (0..bits.len()).rev().max_by(|a, b| bits[*a].total_cmp(&bits[*b])).unwrap_or(0)
    }
}

impl Tree {
    fn grow(rows: &[Vec<f64>], rng: &mut Rng) -> Tree {
        let limit = usize::BITS - (rows.len().max(1) - 1).leading_zeros();
        let mut tree = Tree { nodes: Vec::new(), lengths: Vec::new(), sizes: Vec::new(), depth: 0 };
        let all: Vec<usize> = (0..rows.len()).collect();
        tree.add(all.len(), 0);
        let mut waiting = vec![(0, 0, all)];
        while let Some((at, depth, members)) = waiting.pop() {
            let cut = if depth < limit && members.len() > 1 { cut(rows, &members, rng) } else { None };
            let Some((column, threshold)) = cut else { continue };
            let (right, left): (Vec<usize>, Vec<usize>) =
                members.into_iter().partition(|row| rows[*row][column] > threshold);
            let child = tree.nodes.len();
            tree.nodes[at] = Node { column: column as u32, left: child as u32, threshold };
            tree.add(left.len(), depth + 1);
            tree.add(right.len(), depth + 1);
            waiting.push((child, depth + 1, left));
            waiting.push((child + 1, depth + 1, right));
        }
        tree
    }

    /// A tree of nodes that were read: children come after their parents, and each has one.
    fn checked(nodes: Vec<Node>, sizes: Vec<u32>, columns: usize) -> Option<Tree> {
        let mut depths = vec![u32::MAX; nodes.len()];
        *depths.first_mut()? = 0;
        for (at, node) in nodes.iter().enumerate() {
            let (depth, left) = (depths[at], node.left as usize);
            let leaf = node.threshold == f64::INFINITY && left == at && node.column == 0;
            let cut = node.threshold.is_finite() && left > at && left + 1 < nodes.len();
            if depth > DEPTH_MAX || sizes[at] == 0 || !(leaf || cut) || node.column as usize >= columns {
                return None;
            }
            for child in [left, left + 1].into_iter().filter(|_| cut) {
                if depths[child] != u32::MAX || sizes[child] > sizes[at] {
                    return None;
                }
                depths[child] = depth + 1;
            }
        }
        let length = |(depth, size): (&u32, &u32)| f64::from(*depth) + mean_length(*size as usize);
        let lengths = depths.iter().zip(&sizes).map(length).collect();
        Some(Tree { lengths, depth: depths.iter().copied().max()?, nodes, sizes })
    }

    /// Adds a leaf.
    fn add(&mut self, size: usize, depth: u32) {
        let itself = self.nodes.len() as u32;
        self.nodes.push(Node { column: 0, left: itself, threshold: f64::INFINITY });
        self.lengths.push(f64::from(depth) + mean_length(size));
        self.sizes.push(size as u32);
        self.depth = self.depth.max(depth);
    }

    /// Adds the path lengths of [`LANES`] rows of `width` values each.
    fn add_lengths(&self, rows: &[f64], width: usize, lengths: &mut [f64]) {
        let mut at = [0_u32; LANES];
        for _ in 0..self.depth {
            for (lane, at) in at.iter_mut().enumerate() {
                let node = self.nodes[*at as usize];
                let value = rows[lane * width + node.column as usize];
                *at = node.left + u32::from(value > node.threshold);
            }
        }
        for (length, at) in lengths.iter_mut().zip(at) {
            *length += self.lengths[at as usize];
        }
    }
}

/// A column that varies among `members`, and a point between its ends; `None` when none does.
fn cut(rows: &[Vec<f64>], members: &[usize], rng: &mut Rng) -> Option<(usize, f64)> {
    let mut left: Vec<usize> = (0..rows[0].len()).collect();
    while !left.is_empty() {
        let column = left.swap_remove(rng.below(left.len() as u64) as usize);
        let values = members.iter().map(|row| rows[*row][column]);
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low < high {
            let share = rng.unit();
            // Weights instead of a difference, which may overflow.
            let point = (low * (1.0 - share) + high * share).max(low);
            return Some((column, if point < high { point } else { low }));
        }
    }
    None
}

/// `count` numbers below `rows`, no one twice (Floyd's method).
fn draw(rows: usize, count: usize, rng: &mut Rng) -> Vec<usize> {
    let mut seen = HashSet::new();
    let mut drawn = Vec::with_capacity(count);
    for last in rows.saturating_sub(count)..rows {
        let pick = rng.below(last as u64 + 1) as usize;
        let pick = if seen.insert(pick) { pick } else { last };
        seen.insert(pick);
        drawn.push(pick);
    }
    drawn
}

/// The rows in an order that depends on their values alone; equal rows are next to each other, in any order.
fn canonical(columns: &[&[f64]]) -> Vec<u32> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut hashed: Vec<(u64, u32)> = (0..rows as u32).map(|row| (0, row)).collect();
    hashed.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, hashed)| {
        let start = block * BLOCK_ROWS;
        for column in columns {
            for ((hash, _), value) in hashed.iter_mut().zip(&column[start..]) {
                *hash = Seed(*hash).nth(float_key(*value)).0;
            }
        }
    });
    hashed.par_sort_unstable();
    hashed.par_chunks(BLOCK_ROWS).flat_map_iter(|rows| rows.iter().map(|(_, row)| *row)).collect()
}
