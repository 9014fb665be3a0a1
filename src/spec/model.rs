//! Model kinds and their parameters as people write them.

use serde::{Deserialize, Serialize};

/// What a model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of three or more classes.
    Multiclass,
    /// A number.
    Regression,
    /// The group that a row belongs to; nothing says which groups there are.
    Clustering,
    /// How odd a row is; nothing says which rows are.
    Anomaly,
}

impl Task {
    /// As written in the project file and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
            Task::Clustering => "clustering",
            Task::Anomaly => "anomaly",
        }
    }

    /// Whether the target is a class.
    pub fn is_classification(self) -> bool {
        matches!(self, Task::Binary | Task::Multiclass)
    }

    /// Whether there is something to learn from in the target; without, a target only judges.
    pub fn is_supervised(self) -> bool {
        !matches!(self, Task::Clustering | Task::Anomaly)
    }
}

/// `[train]` of the project file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSpec {
    /// Name of a model kind, checked against the zoo; `auto` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Parameters of that kind; unknown names are refused when the kind is known.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub params: toml::Table,
}

/// Parameters of the linear family: `linear`, `ridge`, `logistic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearParams {
    /// Strength of the squared (L2) penalty on coefficients, never on the intercept: `ridge` minimises
    /// ‖y − Xw − b‖² + l2·‖w‖² (scikit-learn's `alpha`); `logistic` the summed log loss + l2/2·‖w‖² (its `1/C`).
    /// `linear` has no penalty and ignores it.
    pub l2: f64,
    /// Most passes of the optimiser; `logistic` only.
    pub max_iterations: u64,
    /// The optimiser stops when the gradient's largest component, divided by the number of rows, is below this.
    pub tolerance: f64,
}

impl Default for LinearParams {
    fn default() -> LinearParams {
        LinearParams { l2: 1.0, max_iterations: 200, tolerance: 1e-6 }
    }
}

/// Parameters of single trees and forests: `tree`, `forest`, `extra_trees`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ForestParams {
    /// Number of trees; `tree` has one whatever is written.
    pub trees: usize,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
    /// Fewest rows in a leaf.
    pub leaf_rows: usize,
    /// Share of features tried at each split, in `(0, 1]`; 0 means the square root of their number for classification and
    /// a third for regression. `tree` tries all.
    pub feature_share: f64,
    /// Share of rows drawn for each tree, with replacement; 0 means all rows, not drawn. `tree` takes all.
    pub row_share: f64,
    /// Most bins a numeric feature is cut into before splits are searched, 2 to 65535.
    pub bins: usize,
}

impl Default for ForestParams {
    fn default() -> ForestParams {
        ForestParams { trees: 200, depth: 0, leaf_rows: 1, feature_share: 0.0, row_share: 1.0, bins: 255 }
    }
}

/// Parameters of gradient boosting: `boost`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoostParams {
    /// Number of boosting rounds.
    pub trees: usize,
    /// Shrinkage of each tree, in `(0, 1]`.
    pub learning_rate: f64,
    /// Most leaves of a tree; trees grow leaf by leaf, best gain first.
    pub leaves: usize,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
    /// Fewest rows in a leaf.
    pub leaf_rows: usize,
    /// Smallest sum of second derivatives in a leaf.
    pub leaf_hessian: f64,
    /// L2 penalty on leaf values.
    pub l2: f64,
    /// Smallest gain of a split.
    pub gain_min: f64,
    /// Share of features drawn for each tree, in `(0, 1]`.
    pub feature_share: f64,
    /// Share of rows drawn for each tree without replacement, in `(0, 1]`.
    pub row_share: f64,
    /// Most bins of a numeric feature, 2 to 65535.
    pub bins: usize,
    /// Stops when the validation loss has not improved for this many rounds; 0 means never.
    pub patience: usize,
}

impl Default for BoostParams {
    fn default() -> BoostParams {
        BoostParams {
            trees: 100,
            learning_rate: 0.1,
            leaves: 31,
            depth: 0,
            leaf_rows: 20,
            leaf_hessian: 1e-3,
            l2: 0.0,
            gain_min: 0.0,
            feature_share: 1.0,
            row_share: 1.0,
            bins: 255,
            patience: 0,
        }
    }
}

/// Parameters of k-nearest neighbours: `knn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NeighboursParams {
    /// How many neighbours vote.
    pub neighbours: usize,
    /// `uniform`: each vote counts one; `distance`: each counts the inverse of its distance.
    pub weights: NeighbourWeights,
}

/// How neighbours' votes count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeighbourWeights {
    /// Each vote counts one.
    #[default]
    Uniform,
    /// Each vote counts the inverse of its distance; exact matches take all.
    Distance,
}

impl Default for NeighboursParams {
    fn default() -> NeighboursParams {
        NeighboursParams { neighbours: 5, weights: NeighbourWeights::Uniform }
    }
}

/// Parameters of Gaussian naive Bayes: `naive_bayes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NaiveBayesParams {
    /// Share of the largest feature variance added to every variance.
    pub smoothing: f64,
}

impl Default for NaiveBayesParams {
    fn default() -> NaiveBayesParams {
        NaiveBayesParams { smoothing: 1e-9 }
    }
}

/// Parameters of the baseline: `baseline`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BaselineParams {
    /// What it answers whatever the features.
    pub strategy: BaselineStrategy,
}

/// What a baseline answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineStrategy {
    /// `shares` for classes, `mean` for numbers; one cluster, or the same score for every row, where there is no target.
    #[default]
    Auto,
    /// The share of each class in the training rows, as its probability.
    Shares,
    /// The commonest class of the training rows, with probability 1.
    Majority,
    /// The mean of the training rows.
    Mean,
    /// The median of the training rows: what the mean absolute error is smallest for.
    Median,
    /// The target of the last training row in the order of the table: the last value known, when rows are in the order of
    /// time.
    Last,
}
