//! The shape of XGBoost's JSON, as far as it is read; other fields are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The whole file.
#[derive(Debug, Deserialize)]
pub struct File {
    /// The model.
    pub learner: Learner,
}

/// The model.
#[derive(Debug, Deserialize)]
pub struct Learner {
    /// What people and wrappers have written on it.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Names of the features; none when it was trained without.
    #[serde(default)]
    pub feature_names: Vec<String>,
    /// Types of the features: `c` is a category.
    #[serde(default)]
    pub feature_types: Vec<String>,
    /// Its trees.
    pub gradient_booster: Booster,
    /// Its numbers, as texts.
    pub learner_model_param: BTreeMap<String, String>,
    /// What it minimised.
    pub objective: BTreeMap<String, Value>,
}

/// What holds the trees.
#[derive(Debug, Deserialize)]
pub struct Booster {
    /// `gbtree`, `dart` or `gblinear`.
    pub name: String,
    /// Its trees, for `gbtree`.
    pub model: Option<Model>,
    /// Its trees, for `dart`.
    pub gbtree: Option<Inner>,
    /// What each tree counts, for `dart`.
    pub weight_drop: Option<Vec<f64>>,
}

/// What `dart` wraps.
#[derive(Debug, Deserialize)]
pub struct Inner {
    /// Its trees.
    pub model: Model,
}

/// The trees.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// One a tree.
    #[serde(default)]
    pub trees: Vec<Tree>,
    /// The output of each tree.
    #[serde(default)]
    pub tree_info: Vec<usize>,
    /// Names of the levels of categories, since 3.1.
    #[serde(default)]
    pub cats: Option<Value>,
}

/// One tree, field by field over all nodes.
#[derive(Debug, Deserialize)]
pub struct Tree {
    /// Left child; -1 for a leaf.
    pub left_children: Vec<i64>,
    /// Right child.
    pub right_children: Vec<i64>,
    /// The feature asked for.
    pub split_indices: Vec<usize>,
    /// The threshold, or the value of a leaf; nothing for a category.
    pub split_conditions: Vec<Option<f64>>,
    /// Where missing values go: numbers, or booleans in version 1.
    pub default_left: Vec<Flag>,
    /// 1 for a category.
    #[serde(default)]
    pub split_type: Vec<u8>,
    /// Gain of each split.
    #[serde(default)]
    pub loss_changes: Vec<Option<f64>>,
    /// Weight of the rows of each node.
    #[serde(default)]
    pub sum_hessian: Vec<Option<f64>>,
    /// Levels of all sets, one after the other.
    #[serde(default)]
    pub categories: Vec<i64>,
    /// Nodes that ask for a set.
    #[serde(default)]
    pub categories_nodes: Vec<usize>,
    /// Where the set of each begins.
    #[serde(default)]
    pub categories_segments: Vec<usize>,
    /// Length of the set of each.
    #[serde(default)]
    pub categories_sizes: Vec<usize>,
    /// Its numbers, as texts.
    #[serde(default)]
    pub tree_param: BTreeMap<String, String>,
}

/// A boolean, as several versions write it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    /// Version 1.
    Boolean(bool),
    /// Since version 2.
    Number(u8),
}

impl Flag {
    /// As a boolean.
    pub fn is_set(self) -> bool {
        match self {
            Flag::Boolean(is_set) => is_set,
            Flag::Number(number) => number != 0,
        }
    }
}

/// The text as strict JSON: XGBoost writes `NaN` and `Infinity` bare, which no JSON reader takes. They become `null` and a
/// number beyond 32 bits. At most a third longer.
pub fn strict(bytes: &[u8]) -> Vec<u8> {
    let mut strict = Vec::with_capacity(bytes.len());
    let (mut rest, mut is_text) = (bytes, false);
    while let Some((&byte, after)) = rest.split_first() {
        let (taken, put): (usize, &[u8]) = match byte {
            b'\\' if is_text => (2, &rest[..2.min(rest.len())]),
            b'N' if !is_text && rest.starts_with(b"NaN") => (3, b"null"),
            b'I' if !is_text && rest.starts_with(b"Infinity") => (8, b"1e39"),
            _ => (1, &rest[..1]),
        };
        is_text ^= byte == b'"';
        strict.extend_from_slice(put);
        rest = rest.get(taken..).unwrap_or(&after[after.len()..]);
    }
    strict
}
