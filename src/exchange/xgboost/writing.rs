//! From trees of ours to XGBoost's JSON.

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::fail;
use crate::exchange::columns::{Columns, ExportColumn};
use crate::exchange::outgoing::{Answer, OutTree, Outgoing};
use crate::exchange::xgboost::narrow::narrowed;
use crate::exchange::xgboost::objective;
use crate::models::package::ModelPackage;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::LEAF;

/// The version that the file says it is of: read by all since.
const VERSION: [u32; 3] = [2, 0, 0];
/// Whole numbers up to this one are told apart by floats of 32 bits.
const WHOLE_MAX: f64 = 16_777_216.0;
/// The parent of a root.
const NO_PARENT: u32 = i32::MAX as u32;

/// One tree as XGBoost has it.
#[derive(Default, Serialize)]
struct TreeForm {
    base_weights: Vec<f32>,
    categories: Vec<usize>,
    categories_nodes: Vec<usize>,
    categories_segments: Vec<usize>,
    categories_sizes: Vec<usize>,
    default_left: Vec<u8>,
    id: usize,
    left_children: Vec<i64>,
    loss_changes: Vec<f32>,
    parents: Vec<u32>,
    right_children: Vec<i64>,
    split_conditions: Vec<f32>,
    split_indices: Vec<u32>,
    split_type: Vec<u8>,
    sum_hessian: Vec<f32>,
    tree_param: Value,
}

/// Writes the whole file.
pub fn write(package: &ModelPackage, columns: &Columns) -> Result<Vec<u8>> {
    let outgoing = Outgoing::of(package, "XGBoost JSON")?;
    let (outputs, rounds) = (outgoing.outputs, outgoing.rounds());
    let (loss, share) = match outgoing.answer {
        Answer::Score(loss) => (loss, 1.0),
        // Sums with no link: what is averaged here is divided beforehand.
        Answer::Mean => (Loss::Squared, 1.0 / rounds as f64),
    };
    let (objective, base_score) = objective::write(loss, outputs);
    let mut trees = Vec::with_capacity(rounds * outputs);
    for (number, tree) in outgoing.trees().enumerate() {
        trees.push(tree_form(number, &tree, share, columns)?);
    }
    let is_softmax = loss == Loss::Softmax;
    let of_outputs = |is_used: bool, unused: usize| (if is_used { outputs } else { unused }).to_string();
    let kinds: Vec<&str> = columns.all.iter().map(kind).collect();
    let names: Vec<&str> = columns.all.iter().map(|column| column.name.as_str()).collect();
    let file = FileForm {
        learner: LearnerForm {
            attributes: json!({}),
            feature_names: names,
            feature_types: kinds,
            gradient_booster: BoosterForm {
                model: ModelForm {
                    gbtree_model_param: json!({ "num_parallel_tree": "1", "num_trees": trees.len().to_string() }),
                    iteration_indptr: (0..=rounds).map(|round| round * outputs).collect(),
                    tree_info: (0..trees.len()).map(|tree| tree % outputs).collect(),
                    trees,
                },
                name: "gbtree",
            },
            learner_model_param: json!({
                "base_score": base_score,
                "boost_from_average": "1",
                "num_class": of_outputs(is_softmax, 0),
                "num_feature": columns.all.len().to_string(),
                "num_target": of_outputs(!is_softmax, 1),
            }),
            objective,
        },
        version: VERSION,
    };
    Ok(serde_json::to_vec(&file)?)
}

#[derive(Serialize)]
struct FileForm<'a> {
    learner: LearnerForm<'a>,
    version: [u32; 3],
}

#[derive(Serialize)]
struct LearnerForm<'a> {
    attributes: Value,
    feature_names: Vec<&'a str>,
    feature_types: Vec<&'a str>,
    gradient_booster: BoosterForm,
    learner_model_param: Value,
    objective: Value,
}

#[derive(Serialize)]
struct BoosterForm {
    model: ModelForm,
    name: &'static str,
}

#[derive(Serialize)]
struct ModelForm {
    gbtree_model_param: Value,
    iteration_indptr: Vec<usize>,
    tree_info: Vec<usize>,
    trees: Vec<TreeForm>,
}

/// XGBoost's name for the type of a feature.
fn kind(column: &ExportColumn) -> &'static str {
    if column.codes > 0 { "c" } else { "float" }
}

/// One node, or leaf, to be written.
struct Waiting {
    child: u32,
    parent: u32,
}

/// Nodes level by level, so that siblings stand side by side: XGBoost finds the right one beside the left.
fn tree_form(number: usize, out: &OutTree<'_>, share: f64, columns: &Columns) -> Result<TreeForm> {
    let mut form = TreeForm { id: number, ..TreeForm::default() };
    let covers = out.covers();
    let root = if out.tree.nodes.is_empty() { LEAF } else { 0 };
    let mut order = vec![Waiting { child: root, parent: NO_PARENT }];
    let mut next = 0;
    while let Some(Waiting { child, parent }) = order.get(next) {
        let (child, parent) = (*child, *parent);
        let place = out.place(child);
        form.parents.push(parent);
        form.sum_hessian.push(covers.as_ref().map_or(1.0, |covers| covers[place] as f32));
        if child & LEAF != 0 {
            let value = (out.value((child & !LEAF) as usize) * share) as f32;
            if !value.is_finite() {
                return Err(fail::usage("the model answers with numbers beyond the 32 bits of XGBoost")
                    .hint("write it as lightgbm or json, or train on a smaller unit of the target")
                    .into());
            }
            form.leaf(value);
        } else {
            let children = order.len() as i64;
            form.inner(next, place, children, out, columns);
            let parent = next as u32;
            order.extend(out.tree.nodes[place].children.map(|child| Waiting { child, parent }));
        }
        next += 1;
    }
    form.tree_param = json!({
        "num_deleted": "0",
        "num_feature": columns.all.len().to_string(),
        "num_nodes": next.to_string(),
        "size_leaf_vector": "1",
    });
    Ok(form)
}

impl TreeForm {
    fn leaf(&mut self, value: f32) {
        self.base_weights.push(value);
        self.default_left.push(0);
        self.left_children.push(-1);
        self.right_children.push(-1);
        self.loss_changes.push(0.0);
        self.split_conditions.push(value);
        self.split_indices.push(0);
        self.split_type.push(0);
    }

    fn inner(&mut self, number: usize, place: usize, children: i64, out: &OutTree<'_>, columns: &Columns) {
        let node = &out.tree.nodes[place];
        self.base_weights.push(0.0);
        self.default_left.push(u8::from(node.missing_left()));
        self.left_children.push(children);
        self.right_children.push(children + 1);
        self.loss_changes.push(out.tree.gains.get(place).copied().unwrap_or(0.0));
        self.split_indices.push(node.feature);
        self.split_type.push(u8::from(node.is_set()));
        if !node.is_set() {
            self.split_conditions.push(narrowed(node.threshold));
            return;
        }
        self.split_conditions.push(0.0);
        let left = out.left_codes(node, &columns.all[node.feature as usize]);
        let begin = self.categories.len();
        self.categories.extend(left.iter().enumerate().filter(|(_, is_left)| !**is_left).map(|(code, _)| code));
        if self.categories.len() == begin {
            // A set must have a level: one that no row has.
            self.categories.push(left.len());
        }
        self.categories_nodes.push(number);
        self.categories_segments.push(begin);
        self.categories_sizes.push(self.categories.len() - begin);
    }
}

/// Columns with a threshold beyond the whole numbers that 32 bits tell apart.
pub fn coarse<'a>(package: &ModelPackage, columns: &'a Columns) -> Result<Vec<&'a str>> {
    let outgoing = Outgoing::of(package, "XGBoost JSON")?;
    let mut is_coarse = vec![false; columns.all.len()];
    for node in outgoing.trees().flat_map(|tree| &tree.tree.nodes).filter(|node| !node.is_set()) {
        is_coarse[node.feature as usize] |= node.threshold.is_finite() && node.threshold.abs() > WHOLE_MAX;
    }
    Ok(columns.all.iter().zip(is_coarse).filter(|(_, is_coarse)| *is_coarse).map(|(c, _)| c.name.as_str()).collect())
}

/// Letters that XGBoost's names of features cannot have.
pub fn forbidden(letter: char) -> bool {
    letter.is_control() || "[]<".contains(letter)
}
