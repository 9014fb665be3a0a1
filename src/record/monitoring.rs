//! What a model answered when it was made, and what it relies on: what monitoring compares later answers with.

use std::collections::HashSet;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::limits::SKETCH_POINTS_MAX;
use crate::record::Record;
use crate::record::profile::{ColumnProfile, ProfileRecord};

/// Distributions of a model's answers to rows it was not fitted on, where there were any, and importances of its columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitoringRecord {
    /// Which rows were answered: `validation`, `out_of_fold` (all rows outside the test part, each by models that had not
    /// seen it), `train` where nothing was held out, or `all` rows of the dataset that an imported model came with.
    pub rows_of: String,
    /// The answers as a table of the columns that `predict` writes: `prediction` and `probability_<class>`, `cluster` and
    /// `distance`, or `anomaly` and `score`. The class shares are the most frequent values of `prediction`.
    pub answers: ProfileRecord,
    /// The true values of the same rows; none where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<ColumnProfile>,
    /// How much the model relies on each raw column; none where that could not be told quickly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<BaselineImportance>,
    /// What was left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How an importance was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportanceMethod {
    /// Mean size of what the column adds to the margin (SHAP values), summed over classes.
    Contributions,
    /// Mean change of the answers when the column's values are shuffled among the rows.
    Shuffled,
}

/// Importances of raw columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineImportance {
    /// How they were measured.
    pub method: ImportanceMethod,
    /// Rows they were measured on: a sample of the training rows.
    pub rows: u64,
    /// Column and importance, most important first.
    pub columns: Vec<(String, f64)>,
}

impl MonitoringRecord {
    /// Checks what a file says: counts that add up, sketches within their limit, finite numbers.
    ///
    /// Errors: the first contradiction.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: &str| Err(fail::world(format!("damaged record of a model's answers: {what}")).into());
        if !["validation", "out_of_fold", "train", "all"].contains(&self.rows_of.as_str()) {
            return wrong("nobody knows the rows");
        }
        let rows = self.answers.rows;
        let mut names = HashSet::new();
        for column in self.answers.columns.iter().chain(&self.labels) {
            if column.present.checked_add(column.missing) != Some(rows) || !has_sound_counts(column) {
                return wrong(&format!("column `{}` does not add up", column.name));
            }
        }
        if !self.answers.columns.iter().all(|column| names.insert(column.name.as_str())) {
            return wrong("a column twice");
        }
        let Some(importance) = &self.importance else { return Ok(()) };
        let mut names = HashSet::new();
        for (name, value) in &importance.columns {
            if !value.is_finite() || *value < 0.0 || !names.insert(name.as_str()) {
                return wrong(&format!("the importance of `{name}` is none"));
            }
        }
        Ok(())
    }
}

/// Whether no count is of more values than the column has, and its sketch is one.
fn has_sound_counts(column: &ColumnProfile) -> bool {
    let within = |counts: &[u64]| {
        let total = counts.iter().try_fold(0_u64, |total, count| total.checked_add(*count));
        total.is_some_and(|total| total <= column.present)
    };
    let rises = |values: &[f64]| values.iter().all(|v| v.is_finite()) && values.windows(2).all(|two| two[0] < two[1]);
    let sketch = column.quantile_sketch.as_ref().is_none_or(|sketch| {
        sketch.values.len() == sketch.counts.len()
            && sketch.values.len() <= SKETCH_POINTS_MAX
            && rises(&sketch.values)
            && within(&sketch.counts)
    });
    let top: Vec<u64> = column.top.iter().map(|(_, count)| *count).collect();
    sketch && column.unique <= column.present && within(&top)
}

impl Record for MonitoringRecord {
    const KIND: &'static str = "monitoring";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        Vec::new()
    }
}
