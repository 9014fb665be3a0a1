//! Parameters of support vectors, k-means and isolation forests, as people write them.

use serde::{Deserialize, Serialize};

/// A number, or `"auto"`: chosen from the training rows, which is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AutoOr<T> {
    /// `"auto"`.
    Auto(Auto),
    /// The number.
    Given(T),
}

/// The word `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// As the only value.
    Auto,
}

impl<T: Copy> AutoOr<T> {
    /// The word.
    pub const AUTO: AutoOr<T> = AutoOr::Auto(Auto::Auto);

    /// The number, if one was written.
    pub fn given(self) -> Option<T> {
        match self {
            AutoOr::Given(value) => Some(value),
            AutoOr::Auto(_) => None,
        }
    }
}

/// Parameters of support vector machines: `svm`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SvmParams {
    /// How alike two rows are.
    pub kernel: KernelName,
    /// Price of a row on the wrong side, above 0: scikit-learn's `C`.
    pub cost: f64,
    /// Width of `rbf`, factor of `poly`; `auto` is 1 / (features × variance of all values), scikit-learn's `scale`.
    pub gamma: AutoOr<f64>,
    /// Power of `poly`, 1 to 10.
    pub degree: u32,
    /// What `poly` adds before it takes the power: scikit-learn's `coef0`.
    pub constant: f64,
    /// Half the width of the tube in which errors cost nothing, in the target's unit; regression only.
    pub epsilon: f64,
    /// The solver stops when no pair of rows breaks the optimality conditions by more than this.
    pub tolerance: f64,
}

/// Kernels of support vector machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelName {
    /// x·z.
    Linear,
    /// exp(−γ‖x − z‖²).
    #[default]
    Rbf,
    /// (γ x·z + constant)^degree.
    Poly,
}

impl Default for SvmParams {
    fn default() -> SvmParams {
        SvmParams {
            kernel: KernelName::Rbf,
            cost: 1.0,
            gamma: AutoOr::AUTO,
            degree: 3,
            constant: 0.0,
            epsilon: 0.1,
            tolerance: 1e-3,
        }
    }
}

/// Parameters of k-means: `kmeans`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KMeansParams {
    /// Number of clusters; `auto` tries 2 to 10 and takes the number of the best silhouette on a sample.
    pub clusters: AutoOr<usize>,
    /// How often it starts anew, from other centers; the best end counts.
    pub starts: usize,
    /// Most rounds of one start.
    pub max_iterations: usize,
    /// A start ends when all centers together move by less than this share of the mean variance of the features.
    pub tolerance: f64,
}

impl Default for KMeansParams {
    fn default() -> KMeansParams {
        KMeansParams { clusters: AutoOr::AUTO, starts: 5, max_iterations: 300, tolerance: 1e-4 }
    }
}

/// Parameters of isolation forests: `isolation_forest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IsolationForestParams {
    /// Number of trees.
    pub trees: usize,
    /// Rows that each tree is grown on, drawn without repeats.
    pub tree_rows: usize,
    /// Share of the training rows that are called anomalous, in `(0, 0.5]`: the threshold is that quantile of their scores.
    /// `auto` is a score of 0.5, what rows of average depth have (scikit-learn's `auto`).
    pub contamination: AutoOr<f64>,
}

impl Default for IsolationForestParams {
    fn default() -> IsolationForestParams {
        IsolationForestParams { trees: 100, tree_rows: 256, contamination: AutoOr::AUTO }
    }
}
