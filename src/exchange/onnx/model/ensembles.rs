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

/// The mean of all trees' leaves.
pub fn forested(graph: &mut Graph, model: &Forested, input: Input<'_>) -> Result<Answer> {
    let ensemble = &model.ensemble;
    let sums = match ensemble.width {
        1 => sums(graph, ensemble, &[0.0], input)?,
        _ => leaf_sums(graph, ensemble, input)?,
    };
    let trees = graph.number(ensemble.trees.len() as f64);
    let means = graph.div(&sums, &trees);
    Ok(match model.classes {
        0 => Answer::Numbers(means),
        2 => Answer::Shares(graph.pair(&means), 2),
        classes => Answer::Shares(means, classes),
    })
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

/// Sums of leaves of several values: the operator knows one value a leaf, so it finds the number of each tree's leaf, and
/// the values are looked up. Takes rows × trees × values numbers of memory to run.
fn leaf_sums(graph: &mut Graph, ensemble: &Ensemble, input: Input<'_>) -> Result<Tensor> {
    let width = ensemble.width;
    let mut start = vec![0.0; width];
    let (mut trees, mut table, mut count) = (Trees::default(), Vec::new(), 0);
    for tree in &ensemble.trees {
        if tree.nodes.is_empty() {
            start.iter_mut().zip(&tree.values).for_each(|(sum, value)| *sum += value);
            continue;
        }
        let first = trees.leaves();
        add(&mut trees, tree, input.features)?;
        (0..tree.values.len() / width).for_each(|leaf| trees.leaf(count, (first + leaf) as f64));
        table.extend_from_slice(&tree.values);
        count += 1;
    }
    let start = graph.numbers(&[1, width], &start);
    if count == 0 {
        return Ok(graph.repeated(input.rows, &start, width));
    }
    let matrix = input.matrix(graph);
    let leaves = trees.write(graph, &matrix, count);
    let leaves = graph.as_wholes(&leaves);
    let table = graph.numbers(&[table.len() / width, width], &table);
    let values = graph.along("Gather", &[&table, &leaves], 0);
    let sums = graph.sum_along(&values, 1, false);
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

/// Path lengths, and the score of their mean.
pub fn isolation(graph: &mut Graph, model: &IsolationForest, input: Input<'_>) -> Result<Answer> {
    let arrays = model.forest.to_arrays();
    let mut trees = Trees::default();
    let (mut first, mut alone) = (0, 0.0);
    for &count in &arrays.nodes {
        let place = first..first + count as usize;
        first = place.end;
        let (columns, lefts) = (&arrays.columns[place.clone()], &arrays.lefts[place.clone()]);
        let (thresholds, sizes) = (&arrays.thresholds[place.clone()], &arrays.sizes[place]);
        let mut depths = vec![0_u32; columns.len()];
        let is_leaf = |at: usize| thresholds[at] == f64::INFINITY;
        if is_leaf(0) {
            alone += usual_length(sizes[0] as usize);
            continue;
        }
        let (first_node, first_leaf) = (trees.nodes(), trees.leaves());
        // Numbers of nodes among the nodes, and of leaves among the leaves.
        let numbers: Vec<usize> = (0..columns.len())
            .scan([0, 0], |next, at| {
                let next = &mut next[usize::from(is_leaf(at))];
                *next += 1;
                Some(*next - 1)
            })
            .collect();
        let child = |at: usize| match is_leaf(at) {
            true => Child::Leaf(first_leaf + numbers[at]),
            false => Child::Node(first_node + numbers[at]),
        };
        trees.root(first_node);
        for at in 0..columns.len() {
            if is_leaf(at) {
                trees.leaf(0, f64::from(depths[at]) + usual_length(sizes[at] as usize));
                continue;
            }
            let left = lefts[at] as usize;
            depths[left] = depths[at] + 1;
            depths[left + 1] = depths[at] + 1;
            let children = [child(left), child(left + 1)];
            trees.node(columns[at] as usize, Ask::UpTo, thresholds[at], false, children);
        }
    }
    let matrix = input.matrix(graph);
    let missing = graph.any_missing(&matrix);
    let alone = graph.numbers(&[1, 1], &[alone]);
    let lengths = match trees.nodes() {
        0 => graph.repeated(input.rows, &alone, 1),
        _ => {
            let sums = trees.write(graph, &matrix, 1);
            graph.add(&sums, &alone)
        }
    };
    let count = graph.number(-(arrays.nodes.len() as f64));
    let usual = graph.number(usual_length(arrays.tree_rows as usize));
    let mean = graph.div(&lengths, &count);
    let ratio = graph.div(&mean, &usual);
    let two = graph.number(2.0);
    let scores = graph.op("Pow", &[&two, &ratio]);
    Ok(Answer::Anomalies(graph.missing_where(&missing, &scores), model.threshold))
}
