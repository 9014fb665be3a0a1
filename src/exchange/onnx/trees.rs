//! Trees as the operator `TreeEnsemble`: those of models, and tables of steps, which are trees of one column.

use crate::exchange::onnx::graph::{Graph, ML, Tensor, bytes, doubles, held, list, whole};

/// What a node asks: the standard's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Up to the split.
    UpTo = 0,
    /// Below the split.
    Below = 1,
    /// One of a set.
    Member = 6,
}

/// Where a branch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// At a node, by its number.
    Node(usize),
    /// At a leaf, by its number.
    Leaf(usize),
}

/// Nodes and leaves of many trees, field by field, as the operator wants them.
#[derive(Debug, Default)]
pub struct Trees {
    features: Vec<i64>,
    modes: Vec<u8>,
    splits: Vec<f64>,
    missing_true: Vec<i64>,
    children: [Vec<Child>; 2],
    members: Vec<f64>,
    targets: Vec<i64>,
    weights: Vec<f64>,
    roots: Vec<i64>,
}

impl Trees {
    /// Number of nodes so far: the number of the next one.
    pub fn nodes(&self) -> usize {
        self.features.len()
    }

    /// Number of leaves so far: the number of the next one.
    pub fn leaves(&self) -> usize {
        self.weights.len()
    }

    /// Starts a tree at node `root`.
    pub fn root(&mut self, root: usize) {
        self.roots.push(root as i64);
    }

    /// Adds a node; rows for which it is true go to the first child.
    pub fn node(&mut self, feature: usize, ask: Ask, split: f64, missing_true: bool, children: [Child; 2]) {
        self.features.push(feature as i64);
        self.modes.push(ask as u8);
        self.splits.push(split);
        self.missing_true.push(i64::from(missing_true));
        self.children.iter_mut().zip(children).for_each(|(all, child)| all.push(child));
    }

    /// Says which values the node just added is true for; at least one, whole and not below 0.
    pub fn members(&mut self, values: impl Iterator<Item = f64>) {
        self.members.extend(values);
        // The end of a set.
        self.members.push(f64::NAN);
    }

    /// Adds a leaf that adds `weight` to output `target`.
    pub fn leaf(&mut self, target: usize, weight: f64) {
        self.targets.push(target as i64);
        self.weights.push(weight);
    }

    /// The sums of all trees' leaves for every row of `matrix`: rows × `targets`. There is at least one tree.
    pub fn write(self, graph: &mut Graph, matrix: &Tensor, targets: usize) -> Tensor {
        let count = self.nodes();
        let ends = |children: &[Child]| {
            let end = |child: &Child| match child {
                Child::Node(number) => (*number as i64, 0),
                Child::Leaf(number) => (*number as i64, 1),
            };
            children.iter().map(end).unzip::<i64, i64, Vec<i64>, Vec<i64>>()
        };
        let ((yes, yes_leaf), (no, no_leaf)) = (ends(&self.children[0]), ends(&self.children[1]));
        // Sums of leaves, as they are.
        let mut attributes = vec![whole("aggregate_function", 1), whole("post_transform", 0)];
        attributes.extend([
            whole("n_targets", targets as i64),
            list("tree_roots", self.roots),
            list("nodes_featureids", self.features),
            held("nodes_modes", bytes(self.modes)),
            held("nodes_splits", doubles(&[count], &self.splits)),
            list("nodes_missing_value_tracks_true", self.missing_true),
            list("nodes_truenodeids", yes),
            list("nodes_trueleafs", yes_leaf),
            list("nodes_falsenodeids", no),
            list("nodes_falseleafs", no_leaf),
            list("leaf_targetids", self.targets),
            held("leaf_weights", doubles(&[self.weights.len()], &self.weights)),
        ]);
        if !self.members.is_empty() {
            attributes.push(held("membership_values", doubles(&[self.members.len()], &self.members)));
        }
        graph.node(ML, "TreeEnsemble", &[matrix], attributes)
    }
}

/// How many of `edges`, which ascend, are not above (`Ask::Below`) or below (`Ask::UpTo`) each number: rows × 1 of whole
/// numbers, by a balanced tree. Anything from 0 to their number where the number is missing.
pub fn steps(graph: &mut Graph, numbers: &Tensor, edges: &[f64], ask: Ask) -> Tensor {
    if edges.is_empty() {
        let none = graph.wholes(&[1, 1], &[0]);
        return graph.repeated(numbers, &none, 1);
    }
    let mut trees = Trees::default();
    (0..=edges.len()).for_each(|count| trees.leaf(0, count as f64));
    trees.root(0);
    // Ranges of edges whose node is still to be added, in the order of their numbers.
    let mut waiting = std::collections::VecDeque::from([(0, edges.len())]);
    let mut next = 1;
    while let Some((begin, end)) = waiting.pop_front() {
        let middle = begin + (end - begin) / 2;
        let mut child = |begin: usize, end: usize| {
            if begin == end {
                return Child::Leaf(begin);
            }
            waiting.push_back((begin, end));
            next += 1;
            Child::Node(next - 1)
        };
        let children = [child(begin, middle), child(middle + 1, end)];
        trees.node(0, ask, edges[middle], false, children);
    }
    let count = trees.write(graph, numbers, 1);
    graph.as_wholes(&count)
}
