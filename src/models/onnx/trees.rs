//! Tree ensembles of ONNX graphs, checked before they are run.
//!
//! The engine follows node numbers without looking: every one must be there, lead down and end in a leaf, and every
//! leaf must add to a class that there is. What is right but is read otherwise by the engine, or not at all, is written
//! in another way: `>=` at a branch, a binary classifier whose only score is that of the second class, a base value for
//! one of two classes, regression (as scores of classes), averages (as sums of shares).

use std::collections::HashMap;

use anyhow::Result;
use tract_onnx::pb::attribute_proto::AttributeType;

use crate::base::limits::{CLASSES_MAX, COLUMNS_MAX};
use crate::models::onnx::proto::{
    AttributeProto, NodeProto, attribute, attribute_mut, int, ints, ints_attribute, text, texts,
};
use crate::models::onnx::refuse::{node_damaged, node_unsupported};

const LISTS: [&str; 6] = [
    "nodes_nodeids",
    "nodes_treeids",
    "nodes_featureids",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "nodes_missing_value_tracks_true",
];

const LEAVES: [&str; 4] = ["class_treeids", "class_nodeids", "class_ids", "class_weights"];

/// What a checked ensemble needs and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trees {
    /// Largest feature that a branch looks at, and one.
    pub features: usize,
    /// Scores of a row.
    pub outputs: usize,
}

/// Checks an ensemble and brings it into the form that the engine reads right.
///
/// Errors: lists of different lengths, numbers that lead nowhere or in circles, leaves of unknown classes, thresholds
/// of 64 bits.
pub fn check(node: &mut NodeProto) -> Result<Trees> {
    if let Some(wide) = node.attribute.iter().find(|attribute| attribute.name.ends_with("_as_tensor")) {
        return Err(node_unsupported(node, &format!("keeps its numbers in 64 bits (`{}`)", wide.name)));
    }
    let outputs = outputs(node)?;
    let [leaf_trees, leaf_nodes, leaf_classes, weights] = LEAVES;
    let leaves = ints(node, leaf_classes).len();
    let weighed = attribute(node, weights).map_or(0, |attribute| attribute.floats.len());
    if leaves == 0 || [leaf_trees, leaf_nodes].iter().any(|name| ints(node, name).len() != leaves) || weighed != leaves
    {
        return Err(node_damaged(node, "has lists of leaves of different lengths"));
    }
    let features = check_nodes(node)?;
    if ints(node, leaf_classes).iter().any(|class| !(0..outputs as i64).contains(class)) {
        return Err(node_damaged(node, &format!("has a leaf of a class beyond its {outputs}")));
    }
    normalise(node, outputs)?;
    Ok(Trees { features, outputs })
}

/// Makes a classifier of a regressor, whose classes are the targets: as many, but at least three, as one or two have a
/// form of their own. The name of its scores and the number of targets.
///
/// Errors: no targets, leaves of others, aggregates other than sum and average, a link that is none of each score
/// alone.
pub fn regressor(node: &mut NodeProto) -> Result<(String, i64)> {
    let targets = int(node, "n_targets").filter(|count| *count > 0 && *count <= CLASSES_MAX as i64);
    let targets = targets.ok_or_else(|| node_damaged(node, "says no number of targets that can be"))?;
    if ints(node, "target_ids").iter().any(|id| !(0..targets).contains(id)) {
        return Err(node_damaged(node, &format!("has a leaf of a target beyond its {targets}")));
    }
    let link = text(node, "post_transform").unwrap_or("NONE");
    if !matches!(link, "NONE" | "LOGISTIC") {
        return Err(node_unsupported(node, &format!("changes its scores by {link}")));
    }
    let aggregate = text(node, "aggregate_function").unwrap_or("SUM").to_owned();
    if !matches!(aggregate.as_str(), "SUM" | "AVERAGE") {
        return Err(node_unsupported(node, &format!("joins its trees by {aggregate}")));
    }
    let trees = ints(node, "nodes_treeids").iter().max().map_or(1, |last| last.saturating_add(1).max(1));
    let labels = targets.max(3);
    for given in &mut node.attribute {
        match given.name.as_str() {
            "target_weights" if aggregate == "AVERAGE" => {
                // In 64 bits, so that the share of a tree is rounded once.
                given.floats.iter_mut().for_each(|weight| *weight = (f64::from(*weight) / trees as f64) as f32);
            }
            "base_values" if !given.floats.is_empty() => given.floats.resize(labels as usize, 0.0),
            _ => {}
        }
        if let Some(rest) = given.name.strip_prefix("target_") {
            given.name = format!("class_{rest}");
        }
    }
    node.attribute.retain(|given| !matches!(given.name.as_str(), "n_targets" | "aggregate_function"));
    node.attribute.push(ints_attribute("classlabels_int64s", (0..labels).collect()));
    node.op_type = "TreeEnsembleClassifier".to_owned();
    let scores = format!("{}/scores", node.output[0]);
    node.output = vec![format!("{}/largest", node.output[0]), scores.clone()];
    Ok((scores, targets))
}

fn outputs(node: &NodeProto) -> Result<usize> {
    match ints(node, "classlabels_int64s").len() {
        0 => Err(node_damaged(node, "names no classes")),
        count if count > CLASSES_MAX => Err(node_unsupported(node, "has too many classes")),
        count => Ok(count),
    }
}

/// A node of a tree as the file has it.
#[derive(Clone, Copy)]
struct Branch {
    children: Option<[usize; 2]>,
}

/// Checks the nodes of all trees; the number of features that they look at.
fn check_nodes(node: &NodeProto) -> Result<usize> {
    let wrong = |why: &str| node_damaged(node, why);
    let modes = texts(node, "nodes_modes")?;
    let count = modes.len();
    let thresholds = attribute(node, "nodes_values").map_or(0, |attribute| attribute.floats.len());
    let lengths = LISTS[..5].iter().all(|name| ints(node, name).len() == count);
    let missing = ints(node, LISTS[5]).len();
    if count == 0 || !lengths || thresholds != count || !(missing == 0 || missing == count) {
        return Err(wrong("has lists of nodes of different lengths"));
    }
    let [numbers, trees, features, yes, no] = [0, 1, 2, 3, 4].map(|at| ints(node, LISTS[at]));
    let mut places: HashMap<i64, Vec<Branch>> = HashMap::new();
    let mut widest = 0;
    for at in 0..count {
        let tree = places.entry(trees[at]).or_default();
        if usize::try_from(numbers[at]) != Ok(tree.len()) {
            return Err(wrong("has a tree whose nodes are not numbered one after the other from 0"));
        }
        let children = match modes[at].as_str() {
            "LEAF" => None,
            "BRANCH_LEQ" | "BRANCH_LT" | "BRANCH_GT" | "BRANCH_GTE" | "BRANCH_EQ" | "BRANCH_NEQ" => {
                let child = |number: i64| usize::try_from(number).map_err(|_| wrong("has a branch that leads nowhere"));
                Some([child(yes[at])?, child(no[at])?])
            }
            mode => return Err(node_unsupported(node, &format!("has a branch of kind `{mode}`"))),
        };
        if children.is_some() {
            let feature = usize::try_from(features[at]).ok().filter(|feature| *feature < COLUMNS_MAX);
            widest = widest.max(feature.ok_or_else(|| wrong("has a branch by a feature that cannot be"))? + 1);
        }
        tree.push(Branch { children });
    }
    for tree in 0..places.len() as i64 {
        let branches = places.get(&tree).ok_or_else(|| wrong("has trees that are not numbered from 0"))?;
        walk(branches).map_err(wrong)?;
    }
    if trees.windows(2).any(|pair| pair[1] != pair[0] && pair[1] != pair[0] + 1) || trees[0] != 0 {
        return Err(wrong("has trees that are not numbered one after the other from 0"));
    }
    check_leaves(node, &places).map(|()| widest)
}

/// Follows a tree from its root: every node at most once.
fn walk(branches: &[Branch]) -> std::result::Result<(), &'static str> {
    let mut seen = vec![false; branches.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let place = seen.get_mut(at).ok_or("has a branch that leads nowhere")?;
        if std::mem::replace(place, true) {
            return Err("has branches that meet again");
        }
        open.extend(branches[at].children.into_iter().flatten());
    }
    Ok(())
}

/// Checks that leaves weigh where leaves are, in the order of trees.
fn check_leaves(node: &NodeProto, places: &HashMap<i64, Vec<Branch>>) -> Result<()> {
    let [trees, numbers, _, _] = LEAVES;
    let (trees, numbers) = (ints(node, trees), ints(node, numbers));
    for (tree, number) in trees.iter().zip(numbers) {
        let found = places.get(tree).and_then(|tree| tree.get(usize::try_from(*number).ok()?));
        if found.is_none_or(|branch| branch.children.is_some()) {
            return Err(node_damaged(node, "has a weight where no leaf is"));
        }
    }
    let ordered = trees.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1);
    if !ordered || trees[0] != 0 || trees.last() != Some(&(places.len() as i64 - 1)) {
        return Err(node_unsupported(node, "lists its leaves out of the order of its trees"));
    }
    Ok(())
}

/// Writes in another way what the engine would read wrongly.
fn normalise(node: &mut NodeProto, outputs: usize) -> Result<()> {
    turn_around(node)?;
    if outputs == 2 {
        let only = |class: i64| ints(node, "class_ids").iter().all(|id| *id == class);
        let (first, second) = (only(0), only(1));
        if second && let Some(ids) = attribute_mut(node, "class_ids") {
            ids.ints.fill(0);
        }
        if (first || second)
            && let Some(base) = attribute_mut(node, "base_values")
        {
            match base.floats.len() {
                1 => base.floats.push(0.0),
                2 if second => base.floats.swap(0, 1),
                _ => {}
            }
        }
    }
    match attribute(node, "base_values").map(|base| base.floats.len()) {
        Some(0) => node.attribute.retain(|attribute| attribute.name != "base_values"),
        Some(length) if length != outputs => return Err(node_damaged(node, "has base values for other classes")),
        _ => {}
    }
    Ok(())
}

/// `x >= t` as `x < t` with its sides exchanged.
fn turn_around(node: &mut NodeProto) -> Result<()> {
    let modes = texts(node, "nodes_modes")?;
    let turned: Vec<usize> = (0..modes.len()).filter(|at| modes[*at] == "BRANCH_GTE").collect();
    if turned.is_empty() {
        return Ok(());
    }
    let (yes, no) = (ints(node, LISTS[3]).to_vec(), ints(node, LISTS[4]).to_vec());
    let mut missing = ints(node, LISTS[5]).to_vec();
    missing.resize(modes.len(), 0);
    for &at in &turned {
        missing[at] = i64::from(missing[at] == 0);
    }
    if attribute(node, LISTS[5]).is_none() {
        let (name, kind) = (LISTS[5].to_owned(), AttributeType::Ints as i32);
        node.attribute.push(AttributeProto { name, r#type: kind, ..AttributeProto::default() });
    }
    for given in &mut node.attribute {
        for &at in &turned {
            match given.name.as_str() {
                "nodes_modes" => given.strings[at] = b"BRANCH_LT".to_vec(),
                "nodes_truenodeids" => given.ints[at] = no[at],
                "nodes_falsenodeids" => given.ints[at] = yes[at],
                _ => {}
            }
        }
        if given.name == LISTS[5] {
            given.ints.clone_from(&missing);
        }
    }
    Ok(())
}
