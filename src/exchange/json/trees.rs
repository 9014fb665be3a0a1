//! Trees as JSON: nodes by number, features and levels by name.

use serde::Serialize;
use serde_json::Value;

use crate::exchange::columns::{Columns, ExportColumn};
use crate::models::package::ModelPackage;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::forested::Forested;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::{LEAF, Node, Tree};

/// A model of trees.
#[derive(Serialize)]
pub struct TreesForm<'a> {
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<&'static str>,
    initial: &'a [f64],
    trees: Vec<TreeForm<'a>>,
}

#[derive(Serialize)]
struct TreeForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<usize>,
    nodes: Vec<NodeForm<'a>>,
}

/// An inner node or a leaf.
#[derive(Serialize)]
#[serde(untagged)]
enum NodeForm<'a> {
    UpTo {
        feature: &'a str,
        at_most: f64,
        missing: &'static str,
        left: usize,
        right: usize,
    },
    Among {
        feature: &'a str,
        among: Vec<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        levels: Option<Vec<&'a Value>>,
        missing: &'static str,
        left: usize,
        right: usize,
    },
    Value {
        value: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<f32>,
    },
    Values {
        values: &'a [f64],
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<f32>,
    },
}

impl<'a> TreesForm<'a> {
    /// The trees of a package; `None` for a model of another kind.
    pub fn of(package: &'a ModelPackage, columns: &'a Columns) -> Option<TreesForm<'a>> {
        let predictor = package.predictor().as_any();
        let (ensemble, loss, initial): (&Ensemble, Option<Loss>, &[f64]) =
            match (predictor.downcast_ref::<Boosted>(), predictor.downcast_ref::<Forested>()) {
                (Some(boosted), _) => (&boosted.ensemble, Some(boosted.loss), &boosted.initial),
                (None, Some(forested)) => (&forested.ensemble, None, &[]),
                (None, None) => return None,
            };
        let answer = match loss {
            None => "mean",
            Some(Loss::Logistic) => "sigmoid",
            Some(Loss::Softmax) => "softmax",
            Some(Loss::Poisson) => "exp",
            Some(Loss::Squared | Loss::Absolute | Loss::Huber(_) | Loss::Quantile(_)) => "identity",
        };
        let outputs = initial.len();
        let trees = ensemble.trees.iter().enumerate().map(|(number, tree)| TreeForm {
            output: (outputs > 0).then(|| number % outputs),
            nodes: nodes(tree, ensemble.width, columns),
        });
        Some(TreesForm { answer, loss: loss.map(Loss::name), initial, trees: trees.collect() })
    }
}

/// Inner nodes, then leaves.
fn nodes<'a>(tree: &'a Tree, width: usize, columns: &'a Columns) -> Vec<NodeForm<'a>> {
    let inner = tree.nodes.iter().map(|node| inner(node, tree, &columns.all[node.feature as usize]));
    let leaves = tree.values.chunks_exact(width).enumerate().map(|(leaf, values)| {
        let rows = tree.covers.get(leaf).copied();
        match values {
            [value] => NodeForm::Value { value: *value, rows },
            values => NodeForm::Values { values, rows },
        }
    });
    inner.chain(leaves).collect()
}

fn inner<'a>(node: &Node, tree: &Tree, column: &'a ExportColumn) -> NodeForm<'a> {
    let place = |child: u32| (child & !LEAF) as usize + if child & LEAF != 0 { tree.nodes.len() } else { 0 };
    let [left, right] = node.children.map(place);
    let missing = if node.missing_left() { "left" } else { "right" };
    let feature = column.feature.as_str();
    if !node.is_set() {
        // JSON has no infinity, and no feature is beyond the largest number.
        return NodeForm::UpTo { feature, at_most: node.threshold.clamp(f64::MIN, f64::MAX), missing, left, right };
    }
    let goes_left = |code: u32| node.goes_left(f64::from(code), &tree.sets);
    let own: Vec<u32> = (0..column.codes).map(|code| column.own_code(code)).collect();
    let mut among: Vec<u32> = own.iter().copied().filter(|code| goes_left(*code)).collect();
    among.sort_unstable();
    among.dedup();
    let levels = column
        .levels
        .as_ref()
        .map(|levels| levels.iter().zip(&own).filter(|(_, code)| goes_left(**code)).map(|(level, _)| level).collect());
    NodeForm::Among { feature, among, levels, missing, left, right }
}
