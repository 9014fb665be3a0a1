//! Model kinds and their parameters as people write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::spec::auto::AutoSpec;
use crate::spec::training::{CalibrationMethod, ClassWeight, ThresholdCosts, ThresholdRule, ThresholdSpec};

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
    /// How much the rows of each class count; all alike when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// How probabilities are mended on the validation rows.
    #[serde(skip_serializing_if = "is_none")]
    pub calibrate: CalibrationMethod,
    /// From which probability on a row of a binary task counts as positive; one half when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdSpec>,
    /// What mistakes cost, for `threshold = "cost"`; 1 each when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_costs: Option<ThresholdCosts>,
    /// A model that the fit goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What a search for kind, parameters and an ensemble may spend, in place of naming them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<AutoSpec>,
}

impl TrainSpec {
    /// Checks what needs no data: weights, costs and thresholds within their ranges.
    pub fn check(&self) -> Result<(), Failure> {
        self.class_weight.as_ref().map_or(Ok(()), ClassWeight::check)?;
        self.threshold.as_ref().map_or(Ok(()), ThresholdSpec::check)?;
        self.threshold_costs.as_ref().map_or(Ok(()), ThresholdCosts::check)?;
        self.auto.as_ref().map_or(Ok(()), AutoSpec::check)?;
        if self.threshold_costs.is_some() && self.threshold != Some(ThresholdSpec::Rule(ThresholdRule::Cost)) {
            return Err(fail::usage("threshold costs are given, but the threshold is not chosen by cost")
                .hint("set threshold = \"cost\", or leave the costs out"));
        }
        Ok(())
    }

    /// The threshold, when it is given as a number and not chosen.
    pub fn given_threshold(&self) -> Option<f64> {
        match self.threshold {
            Some(ThresholdSpec::Value(value)) => Some(value),
            _ => None,
        }
    }
}

fn is_none(method: &CalibrationMethod) -> bool {
    *method == CalibrationMethod::None
}

/// Parameters of least squares: `linear`, `ridge`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearParams {
    /// Strength of the squared (L2) penalty on coefficients, never on the intercept: `ridge` minimises
    /// ‖y − Xw − b‖² + l2·‖w‖² (scikit-learn's `alpha`). `linear` has no penalty and ignores it.
    pub l2: f64,
    /// Most iterations, needed only beyond 5,000 features, where the equations are not solved in one go.
    pub max_iterations: u64,
    /// Those iterations stop when the gradient's largest component, divided by the sum of weights, is below this.
    pub tolerance: f64,
}

impl Default for LinearParams {
    fn default() -> LinearParams {
        LinearParams { l2: 1.0, max_iterations: 200, tolerance: 1e-6 }
    }
}

/// What keeps coefficients small; intercepts are never penalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Penalty {
    /// l2/2·‖w‖²: all coefficients smaller.
    #[default]
    L2,
    /// l1·‖w‖₁: many coefficients exactly 0.
    L1,
    /// l1·‖w‖₁ + l2/2·‖w‖².
    ElasticNet,
    /// Nothing.
    None,
}

/// Parameters of generalised linear models: `logistic`, `poisson`.
///
/// Both minimise Σ loss + l1·‖w‖₁ + l2/2·‖w‖², the sum over rows, not their mean. In terms of scikit-learn:
/// `LogisticRegression(C, l1_ratio)` has l2 = (1 − l1_ratio)/C and l1 = l1_ratio/C; `PoissonRegressor(alpha)` has
/// l2 = alpha × rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogisticParams {
    /// Which of `l1` and `l2` count; the other is ignored.
    pub penalty: Penalty,
    /// Strength of the squared penalty.
    pub l2: f64,
    /// Strength of the penalty on absolute values.
    pub l1: f64,
    /// Most passes of the optimiser.
    pub max_iterations: u64,
    /// The optimiser stops when the gradient's largest component, divided by the sum of weights, is below this.
    pub tolerance: f64,
}

impl Default for LogisticParams {
    fn default() -> LogisticParams {
        LogisticParams { penalty: Penalty::L2, l2: 1.0, l1: 1.0, max_iterations: 200, tolerance: 1e-6 }
    }
}

/// Strength of the penalty of `lasso` and `elastic_net`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Alpha {
    /// A word.
    Named(AlphaName),
    /// This strength.
    Value(f64),
}

/// Words in place of a strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlphaName {
    /// The strength of lowest squared error under cross-validation on the training rows.
    Auto,
}

/// Parameters of `lasso`, which minimises ‖y − Xw − b‖² / (2·rows) + alpha·‖w‖₁.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LassoParams {
    /// Strength of the penalty, scikit-learn's `alpha`; `auto` chooses it, as `LassoCV` does.
    pub alpha: Alpha,
    /// Strengths that `auto` tries, from the one that leaves no coefficient down to a thousandth of it.
    pub alphas: usize,
    /// Parts of the training rows that `auto` holds out in turn.
    pub folds: usize,
    /// Most passes over the coefficients.
    pub max_iterations: u64,
    /// The passes stop when the duality gap is below this share of ‖y − mean‖²; as scikit-learn's `tol`.
    pub tolerance: f64,
}

impl Default for LassoParams {
    fn default() -> LassoParams {
        LassoParams {
            alpha: Alpha::Named(AlphaName::Auto),
            alphas: 100,
            folds: 5,
            max_iterations: 1_000,
            tolerance: 1e-6,
        }
    }
}

/// Parameters of `elastic_net`, which minimises
/// ‖y − Xw − b‖² / (2·rows) + alpha·l1_ratio·‖w‖₁ + alpha·(1 − l1_ratio)/2·‖w‖².
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ElasticNetParams {
    /// As of [`LassoParams`]; scikit-learn's `ElasticNetCV` is the one that chooses.
    pub alpha: Alpha,
    /// Share of the penalty that is on absolute values: 1 is `lasso`, 0 is `ridge`. `auto` needs more than 0.
    pub l1_ratio: f64,
    /// As of [`LassoParams`].
    pub alphas: usize,
    /// As of [`LassoParams`].
    pub folds: usize,
    /// As of [`LassoParams`].
    pub max_iterations: u64,
    /// As of [`LassoParams`].
    pub tolerance: f64,
}

impl Default for ElasticNetParams {
    fn default() -> ElasticNetParams {
        ElasticNetParams::of(LassoParams::default(), 0.5)
    }
}

impl ElasticNetParams {
    /// The parameters of `lasso` with another share of absolute values.
    pub fn of(params: LassoParams, l1_ratio: f64) -> ElasticNetParams {
        let LassoParams { alpha, alphas, folds, max_iterations, tolerance } = params;
        ElasticNetParams { alpha, l1_ratio, alphas, folds, max_iterations, tolerance }
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
    /// What is minimised; `auto` takes `squared` for numbers, `binary` for two classes, `multiclass` for more.
    pub objective: BoostObjective,
    /// `huber`: the difference from which on the loss grows in a straight line, above 0. `quantile`: the level, between 0
    /// and 1. Other objectives ignore it.
    pub alpha: f64,
    /// Number of boosting rounds; when training goes on from a model, of further ones.
    pub trees: usize,
    /// Shrinkage of each tree, in `(0, 1]`.
    pub learning_rate: f64,
    /// Which leaf is split next.
    pub grow: BoostGrowth,
    /// Most leaves of a tree.
    pub leaves: usize,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
    /// Fewest rows in a leaf, whatever they weigh.
    pub leaf_rows: usize,
    /// Smallest sum of second derivatives in a leaf.
    pub leaf_hessian: f64,
    /// Largest size of a leaf's value before shrinkage; 0 means no limit.
    pub leaf_step_max: f64,
    /// L1 penalty on leaf values.
    pub l1: f64,
    /// L2 penalty on leaf values.
    pub l2: f64,
    /// Smallest gain of a split.
    pub gain_min: f64,
    /// Share of features drawn for each tree, in `(0, 1]`.
    pub feature_share: f64,
    /// Share of a tree's features drawn for each node, in `(0, 1]`.
    pub feature_share_node: f64,
    /// Share of rows drawn for each tree without replacement, in `(0, 1]`.
    pub row_share: f64,
    /// Share of rows with the largest gradients that each tree keeps (GOSS); 0, with `goss_other`, means all rows. The
    /// first `1 / learning_rate` trees see all rows, as in LightGBM.
    pub goss_top: f64,
    /// Share of rows drawn from the others, which count as much more as there are more of them.
    pub goss_other: f64,
    /// Most bins of a numeric feature, 2 to 65535.
    pub bins: usize,
    /// Stops when the validation loss has not improved for this many rounds; 0 means never.
    pub patience: usize,
    /// Features whose growth must never lower (1) or never raise (-1) the answer: `{ income = 1 }`. Names are those of
    /// features or of raw columns.
    pub monotone: BTreeMap<String, i8>,
    /// Groups of features that may stand on the same branch: `[["age", "income"], ["city"]]`. Features in no group make
    /// one more group together, as in scikit-learn. Names are those of features or of raw columns.
    pub interactions: Vec<Vec<String>>,
}

/// What boosting minimises. Definitions are those of LightGBM 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoostObjective {
    /// Follows the task.
    #[default]
    Auto,
    /// Squared difference: answers are means.
    Squared,
    /// Absolute difference: answers are medians.
    Absolute,
    /// Squared up to a difference of `alpha`, then in a straight line.
    Huber,
    /// Pinball loss: answers are quantiles of level `alpha`.
    Quantile,
    /// Poisson likelihood with a logarithmic link, for counts and amounts that are not negative.
    Poisson,
    /// Log loss of two classes.
    Binary,
    /// Log loss of classes with one score each.
    Multiclass,
}

impl BoostObjective {
    /// As written in the project file.
    pub fn name(self) -> &'static str {
        match self {
            BoostObjective::Auto => "auto",
            BoostObjective::Squared => "squared",
            BoostObjective::Absolute => "absolute",
            BoostObjective::Huber => "huber",
            BoostObjective::Quantile => "quantile",
            BoostObjective::Poisson => "poisson",
            BoostObjective::Binary => "binary",
            BoostObjective::Multiclass => "multiclass",
        }
    }
}

/// Which leaf of a boosted tree is split next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoostGrowth {
    /// The one that gains most.
    #[default]
    Leaf,
    /// One nearest to the root, and of those the one that gains most.
    Depth,
}

impl Default for BoostParams {
    fn default() -> BoostParams {
        BoostParams {
            objective: BoostObjective::Auto,
            alpha: 0.9,
            trees: 100,
            learning_rate: 0.1,
            grow: BoostGrowth::Leaf,
            leaves: 31,
            depth: 0,
            leaf_rows: 20,
            leaf_hessian: 1e-3,
            leaf_step_max: 0.0,
            l1: 0.0,
            l2: 0.0,
            gain_min: 0.0,
            feature_share: 1.0,
            feature_share_node: 1.0,
            row_share: 1.0,
            goss_top: 0.0,
            goss_other: 0.0,
            bins: 255,
            patience: 0,
            monotone: BTreeMap::new(),
            interactions: Vec::new(),
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
