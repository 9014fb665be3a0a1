//! Model cards: what a model is, what it may be used for, what it was made from, how good it is, how to use and
//! rebuild it.

pub mod html;
pub mod markdown;
pub mod sagemaker;
mod sections;

use std::collections::BTreeMap;

use crate::render::evaluation::EvaluationDocument;
use crate::spec::card::CardSpec;
use crate::spec::model::Task;

/// All that a model card says.
#[derive(Clone, Debug)]
pub struct Card<'a> {
    /// What a person calls the model: `titanic@v3`, or a short id.
    pub label: String,
    /// Its name, when it is registered.
    pub name: Option<String>,
    /// Number of its version, when it is registered.
    pub version: Option<u32>,
    /// Id of its package.
    pub package: String,
    /// Length of its package in bytes.
    pub package_bytes: u64,
    /// When the version was registered.
    pub registered: Option<String>,
    /// `pending`, `approved`, `rejected` or `archived`, when it is registered.
    pub state: Option<&'static str>,
    /// What is said of the version.
    pub note: Option<String>,
    /// Tags of the training run and of the version, which win.
    pub tags: BTreeMap<String, String>,
    /// Aliases that point at it now.
    pub aliases: Vec<String>,
    /// Moves of the aliases of the name, oldest first.
    pub moves: Vec<CardMove>,
    /// What people wrote.
    pub written: &'a CardSpec,
    /// The model itself.
    pub model: CardModel,
    /// What it was made from.
    pub training: CardTraining,
    /// The evaluation that counts; `None` when there is none.
    pub evaluation: Option<EvaluationDocument<'a>>,
    /// Metrics on the validation rows.
    pub validation: &'a BTreeMap<String, f64>,
    /// Commands, each with what it does.
    pub commands: Vec<CardCommand>,
}

/// One move of an alias.
#[derive(Clone, Debug)]
pub struct CardMove {
    /// The alias.
    pub alias: String,
    /// Version before.
    pub from: Option<u32>,
    /// Version since; `None` when it was removed.
    pub to: Option<u32>,
    /// When.
    pub time: String,
    /// Why.
    pub reason: Option<String>,
}

/// One command to type.
#[derive(Clone, Debug)]
pub struct CardCommand {
    /// What it does.
    pub about: &'static str,
    /// The words.
    pub command: String,
}

/// One column that the model reads.
#[derive(Clone, Debug)]
pub struct CardInput {
    /// Its name.
    pub name: String,
    /// Type of its values.
    pub column_type: &'static str,
    /// The values that were seen: `0.42 – 80`, `female, male`.
    pub seen: String,
    /// Whether a value was ever missing.
    pub missing: bool,
}

/// The model itself.
#[derive(Clone, Debug)]
pub struct CardModel {
    /// Name of its kind.
    pub kind: String,
    /// What it predicts.
    pub task: Task,
    /// Name of the predicted column; empty without one.
    pub target: String,
    /// Classes in the order of the probabilities.
    pub classes: Vec<String>,
    /// Columns that it reads.
    pub inputs: Vec<CardInput>,
    /// How many features are made of them.
    pub features: usize,
    /// Parameters by name, as written.
    pub params: Vec<(String, String)>,
    /// Seed of the training.
    pub seed: u64,
    /// Version of the engines that made it.
    pub engine: u32,
    /// How probabilities are calibrated; `None` when they are not.
    pub calibration: Option<&'static str>,
    /// Probability above which the second of two classes is predicted.
    pub threshold: Option<f64>,
    /// Whether it was made by another tool.
    pub imported: bool,
    /// What the search or the fit aimed at: the headline metric and whether more is better.
    pub aim: Option<(String, bool)>,
}

/// What the model was made from.
#[derive(Clone, Debug, Default)]
pub struct CardTraining {
    /// The dataset.
    pub dataset: Option<CardDataset>,
    /// Rows for training, validation and test.
    pub rows: Option<[u64; 3]>,
    /// The run.
    pub run: Option<CardRun>,
    /// Other objects that it was made from: `(what, id)`.
    pub lineage: Vec<(&'static str, String)>,
}

/// The dataset that a model was trained on.
#[derive(Clone, Debug, Default)]
pub struct CardDataset {
    /// What a person calls it.
    pub label: String,
    /// Id of its record.
    pub id: String,
    /// Its rows.
    pub rows: u64,
    /// Its columns.
    pub columns: usize,
    /// Raw files: `(name, b3sum)`.
    pub sources: Vec<(String, String)>,
    /// Rows of each value of the target, the commonest first.
    pub target_values: Vec<(String, u64)>,
    /// What is known of a target that is a number: `(what, value)`.
    pub target_numbers: Vec<(&'static str, String)>,
    /// Columns of time with their first and last moment.
    pub periods: Vec<(String, String, String)>,
}

/// The run that trained a model.
#[derive(Clone, Debug, Default)]
pub struct CardRun {
    /// Its id.
    pub id: String,
    /// When it started.
    pub started: String,
    /// Who started it.
    pub user: String,
    /// Where.
    pub host: String,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// The commit of the code, and whether files differed from it.
    pub code: Option<(String, bool)>,
    /// What was typed.
    pub command: String,
    /// Version of this tool.
    pub tool_version: String,
}
