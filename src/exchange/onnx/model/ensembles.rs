//! Trees: boosted ones, forests and isolation forests.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::exchange::onnx::model::{Answer, Input};
use crate::exchange::onnx::recipe::Feature;
use crate::exchange::onnx::trees::{Ask, Child, Trees};
use crate::models::isolation_forest::{IsolationForest, usual_length};
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::forested::Forested;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::{LEAF, Node, Tree, bit};

/// Summed leaves, and what the loss makes of them.
pub fn boosted(graph: &mut Graph, model: &Boosted, input: Input<'_>) -> Result<Answer> {
    let outputs = model.initial.len();
    let scores = sums(graph, &model.ensemble, &model.initial, input)?;
    Ok(match model.loss {
        Loss::Squared | Loss::Absolute | Loss::Huber(_) | Loss::Quantile(_) => Answer::Numbers(scores),
        Loss::Poisson => {
            let rates = graph.op("Exp", &[&scores]);
            Answer::Numbers(graph.bounded(&rates))
        }
        Loss::Logistic => {
            let second = graph.sigmoid(&scores);
            Answer::Shares(graph.pair(&second), 2)
        }
        Loss::Softmax => Answer::Shares(graph.along("Softmax", &[&scores], 1), outputs),
    })
}

/// The mean of all trees' leaves, added one after the other: halves are common among means of shares, and the last digit
/// decides between classes. Takes rows × trees × values numbers of memory to run.
pub fn forested(graph: &mut Graph, model: &Forested, input: Input<'_>) -> Result<Answer> {
    let ensemble = &model.ensemble;
    let sums = match ensemble.width {
        1 => {
            let (leaves, count) = leaves(graph, ensemble, input, false)?;
            let sums = graph.sum_in_order(&leaves, 1, count);
            graph.widened(&sums, 1)
        }
        width => {
            let (leaves, count) = leaves(graph, ensemble, input, true)?;
            let leaves = graph.as_wholes(&leaves);
            let table: Vec<f64> = ensemble.trees.iter().flat_map(|tree| &tree.values).copied().collect();
            let table = graph.numbers(&[table.len() / width, width], &table);
            let values = graph.along("Gather", &[&table, &leaves], 0);
            graph.sum_in_order(&values, 1, count)
        }
    };
    let trees = graph.number(ensemble.trees.len() as f64);
    let means = graph.div(&sums, &trees);
    Ok(match model.classes {
        0 => Answer::Numbers(means),
        2 => Answer::Shares(graph.pair(&means), 2),
        classes => Answer::Shares(means, classes),
    })
}

/// The leaf of every tree, rows × trees: its value or, as the operator knows one value a leaf, its number among all leaves.
fn leaves(graph: &mut Graph, ensemble: &Ensemble, input: Input<'_>, numbered: bool) -> Result<(Tensor, usize)> {
    let mut trees = Trees::default();
    // What trees without nodes answer; those with nodes add nothing to it.
    let mut constants = vec![0.0; ensemble.trees.len()];
    let mut first = 0;
    for (number, tree) in ensemble.trees.iter().enumerate() {
        let own = tree.values.len() / ensemble.width;
        let value = |leaf: usize| if numbered { (first + leaf) as f64 } else { tree.values[leaf] };
        if tree.nodes.is_empty() {
            constants[number] = value(0);
        } else {
            add(&mut trees, tree, input.features)?;
            (0..own).for_each(|leaf| trees.leaf(number, value(leaf)));
        }
        first += own;
    }
    let count = constants.len();
    let all_grown = ensemble.trees.iter().all(|tree| !tree.nodes.is_empty());
    let constants = graph.numbers(&[1, count], &constants);
    if trees.nodes() == 0 {
        return Ok((graph.repeated(input.rows, &constants, count), count));
    }
    let matrix = input.matrix(graph);
    let grown = trees.write(graph, &matrix, count);
    let leaves = if all_grown { grown } else { graph.add(&grown, &constants) };
    Ok((leaves, count))
}

/// Sums of leaves of one value each: tree `t` adds to output `t mod outputs`.
fn sums(graph: &mut Graph, ensemble: &Ensemble, initial: &[f64], input: Input<'_>) -> Result<Tensor> {
    let outputs = initial.len();
    let mut start = initial.to_vec();
    let mut trees = Trees::default();
    for (number, tree) in ensemble.trees.iter().enumerate() {
        let target = number % outputs;
        if tree.nodes.is_empty() {
            start[target] += tree.values[0];
            continue;
        }
        add(&mut trees, tree, input.features)?;
        tree.values.iter().for_each(|value| trees.leaf(target, *value));
    }
    let start = graph.numbers(&[1, outputs], &start);
    if trees.nodes() == 0 {
        return Ok(graph.repeated(input.rows, &start, outputs));
    }
    let matrix = input.matrix(graph);
    let sums = trees.write(graph, &matrix, outputs);
    Ok(graph.add(&sums, &start))
}

/// Adds the nodes of one tree, whose leaves are still to be added in order.
fn add(trees: &mut Trees, tree: &Tree, features: &[Feature]) -> Result<()> {
    let (first_node, first_leaf) = (trees.nodes(), trees.leaves());
    trees.root(first_node);
    for node in &tree.nodes {
        let children = node.children.map(|child| match child & LEAF {
            0 => Child::Node(first_node + child as usize),
            _ => Child::Leaf(first_leaf + (child & !LEAF) as usize),
        });
        let place = node.feature as usize;
        match features.get(place).map(|feature| feature.levels) {
            Some(None) if !node.is_set() => {
                trees.node(place, Ask::UpTo, node.threshold, node.missing_left(), children);
            }
            Some(Some(levels)) if node.is_set() => add_set(trees, node, &tree.sets, levels, children),
            _ => {
                return Err(fail::usage(format!("a tree asks feature {place} for what it is not"))
                    .hint("the model does not fit its recipe; train it again")
                    .into());
            }
        }
    }
    Ok(())
}

/// A set of codes, of which -1 stands for missing and unseen: as the operator's sets know no numbers below 0, rows are sent
/// there by a node of its own where they are not in the set.
fn add_set(trees: &mut Trees, node: &Node, sets: &[u64], levels: u32, children: [Child; 2]) {
    let words = usize::from(node.words);
    let inside = |code: u32| match (code as usize / 64) < words {
        true => bit(&sets[node.threshold as usize..], code as usize),
        false => node.missing_left(),
    };
    // The set is written for the side that does not hold the missing.
    let wanted = !node.missing_left();
    let members: Vec<f64> = (0..levels).filter(|code| inside(*code) == wanted).map(f64::from).collect();
    let [left, right] = children;
    let sides = if wanted { [left, right] } else { [right, left] };
    if members.is_empty() {
        // Nothing is below every code.
        trees.node(node.feature as usize, Ask::UpTo, -2.0, false, sides);
        return;
    }
    trees.node(node.feature as usize, Ask::Member, 0.0, false, sides);
    trees.members(members.into_iter());
}

/// Path lengths, added one after the other, and the score of their mean. Takes rows × trees numbers of memory to run.
pub fn isolation(graph: &mut Graph, model: &IsolationForest, input: Input<'_>) -> Result<Answer> {
    let arrays = model.forest.to_arrays();
    let mut trees = Trees::default();
    let (mut first, mut constants) = (0, vec![0.0; arrays.nodes.len()]);
    for (number, &count) in arrays.nodes.iter().enumerate() {
        let place = first..first + count as usize;
        first = place.end;
        let tree = Cuts {
            columns: &arrays.columns[place.clone()],
            lefts: &arrays.lefts[place.clone()],
            thresholds: &arrays.thresholds[place.clone()],
            sizes: &arrays.sizes[place],
        };
        match tree.is_leaf(0) {
            true => constants[number] = usual_length(tree.sizes[0] as usize),
            false => tree.add(&mut trees, number),
        }
    }
    let matrix = input.matrix(graph);
    let missing = graph.any_missing(&matrix);
    let count = constants.len();
    let constants = graph.numbers(&[1, count], &constants);
    let lengths = match trees.nodes() {
        0 => graph.repeated(input.rows, &constants, count),
        _ => {
            let grown = trees.write(graph, &matrix, count);
            graph.add(&grown, &constants)
        }
    };
    let lengths = graph.sum_in_order(&lengths, 1, count);
    let lengths = graph.widened(&lengths, 1);
    let usual = usual_length(arrays.tree_rows as usize);
    let (trees, unit) = (graph.number(-(count as f64)), graph.number(usual));
    let mean = graph.div(&lengths, &trees);
    let ratio = graph.div(&mean, &unit);
    let two = graph.number(2.0);
    let scores = graph.op("Pow", &[&two, &ratio]);
    let score = |length: f64| (-length / count as f64 / usual).exp2();
    let enough = graph.number(length_at(score, model.threshold));
    let flags = graph.op("Less", &[&lengths, &enough]);
    let known = graph.op("Not", &[&missing]);
    let flags = graph.op("And", &[&flags, &known]);
    Ok(Answer::Anomalies { scores: graph.missing_where(&missing, &scores), flags, threshold: model.threshold })
}

/// The smallest length whose score, which falls with the length, is not above `threshold`: lengths can be compared without
/// the last digit of a power.
fn length_at(score: impl Fn(f64) -> f64, threshold: f64) -> f64 {
    let above = |bits: u64| score(f64::from_bits(bits)) > threshold;
    // Numbers that are not below 0 ascend with their bits.
    let (mut low, mut high) = (0.0_f64.to_bits(), f64::INFINITY.to_bits());
    while low < high {
        let middle = low + (high - low) / 2;
        if above(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    f64::from_bits(low)
}

/// One tree of an isolation forest.
struct Cuts<'t> {
    columns: &'t [u32],
    lefts: &'t [u32],
    thresholds: &'t [f64],
    sizes: &'t [u32],
}

impl Cuts<'_> {
    fn is_leaf(&self, at: usize) -> bool {
        self.thresholds[at] == f64::INFINITY
    }

    /// Adds the tree; its leaves are path lengths.
    fn add(&self, trees: &mut Trees, target: usize) {
        let (first_node, first_leaf) = (trees.nodes(), trees.leaves());
        // Numbers of nodes among the nodes, and of leaves among the leaves.
        let (mut next, mut numbers) = ([first_node, first_leaf], Vec::with_capacity(self.columns.len()));
        for at in 0..self.columns.len() {
            let next = &mut next[usize::from(self.is_leaf(at))];
            numbers.push(*next);
            *next += 1;
        }
        let child = |at: usize| match self.is_leaf(at) {
            true => Child::Leaf(numbers[at]),
            false => Child::Node(numbers[at]),
        };
        trees.root(first_node);
        let mut depths = vec![0_u32; self.columns.len()];
        for at in 0..self.columns.len() {
            if self.is_leaf(at) {
                trees.leaf(target, f64::from(depths[at]) + usual_length(self.sizes[at] as usize));
                continue;
            }
            let left = self.lefts[at] as usize;
            [depths[left], depths[left + 1]] = [depths[at] + 1; 2];
            trees.node(
                self.columns[at] as usize,
                Ask::UpTo,
                self.thresholds[at],
                false,
                [child(left), child(left + 1)],
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::length_at;

    #[test]
    fn lengths_are_told_apart_where_scores_are() {
        let score = |length: f64| (-length / 100.0 / 10.2).exp2();
        for threshold in [0.0, 1e-300, 0.3, 0.5, 0.51, 0.999_999, 1.0] {
            let length = length_at(score, threshold);
            assert!(score(length) <= threshold || length.is_infinite(), "{threshold}");
            assert!(length == 0.0 || score(length.next_down()) > threshold, "{threshold}");
        }
        assert_eq!(length_at(score, 1.0), 0.0, "no score is above 1");
    }
}
