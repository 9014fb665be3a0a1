//! Steps that look at the target or at several columns at once, as people write them.

use serde::{Deserialize, Serialize};

use crate::spec::recipe::{ColumnKind, Columns};

/// How strongly rare values are drawn to the mean of all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Smooth {
    /// This many rows of the mean of all are added to each value's own.
    Rows(f64),
    /// `auto`: by the spread of the target among a value's rows and among all.
    Named(SmoothName),
}

/// Named ways of smoothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmoothName {
    /// Empirical Bayes.
    Auto,
}

/// `target`: a value becomes the mean of the target over the training rows that have it; training rows get what was
/// learned on other ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// Which columns, of text or numbers.
    pub columns: Columns,
    /// How strongly rare values are drawn to the mean.
    #[serde(default = "smooth_default")]
    pub smooth: Smooth,
    /// Parts of the training rows, each encoded by what was learned on the others.
    #[serde(default = "folds_default")]
    pub folds: usize,
}

/// By what columns are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectBy {
    /// Variance of numbers and indicators.
    Variance,
    /// Absolute correlation with a column before it that is kept.
    Correlation,
    /// Mutual information with the target, in nats.
    MutualInformation,
    /// Share in the gain of a small ensemble of trees.
    Importance,
}

/// `select`: leaves out columns that say little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectSpec {
    /// Among which columns.
    #[serde(default = "all_columns")]
    pub columns: Columns,
    /// What is measured.
    pub by: SelectBy,
    /// How many are kept at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<usize>,
    /// What must be exceeded to be kept; for correlation, to be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// `pca`: principal components in place of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PcaSpec {
    /// Which columns.
    pub columns: Columns,
    /// A number of components, or below 1 the share of the variance that they explain together.
    pub components: f64,
    /// Gives every component unit variance.
    #[serde(default)]
    pub whiten: bool,
    /// Keeps the columns themselves too.
    #[serde(default)]
    pub keep: bool,
}

/// `kmeans`: distances to the centres of clusters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmeansSpec {
    /// Which columns.
    pub columns: Columns,
    /// How many clusters.
    pub clusters: usize,
    /// Keeps the columns themselves too.
    #[serde(default = "yes")]
    pub keep: bool,
}

/// `expression`: a column from a formula in SQL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionSpec {
    /// Name of the new column.
    pub name: String,
    /// The formula: columns, numbers, `'texts'`, operators, `CASE`, functions of one row.
    pub sql: String,
}

fn smooth_default() -> Smooth {
    Smooth::Named(SmoothName::Auto)
}

fn folds_default() -> usize {
    5
}

fn all_columns() -> Columns {
    Columns::Kind(ColumnKind::All)
}

fn yes() -> bool {
    true
}
