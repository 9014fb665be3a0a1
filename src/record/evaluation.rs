//! A judgement of one model on one set of rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;

/// The end of every judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything asked for holds.
    Pass,
    /// Something asked for does not hold.
    Fail,
    /// Nothing was asked.
    None,
}

impl Verdict {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::None => "none",
        }
    }
}

/// Outcome of one gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// As the person wrote it.
    pub expression: String,
    /// The metric's value; `None` when it is missing.
    pub value: Option<f64>,
    /// The number it was compared with; `None` when there is none yet.
    pub bound: Option<f64>,
    /// Pass or fail.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
}

/// Metrics of the rows with one value of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceResult {
    /// Column that rows were divided by.
    pub column: String,
    /// Its value in this slice.
    pub value: String,
    /// Rows in the slice.
    pub rows: u64,
    /// Metrics by name; one that has no meaning on these rows is left out.
    pub metrics: BTreeMap<String, f64>,
}

/// Counts of true classes (rows) against predicted classes (columns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// Classes in order.
    pub classes: Vec<String>,
    /// `counts[truth][prediction]`.
    pub counts: Vec<Vec<u64>>,
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// The package that was judged.
    pub package: ObjectId,
    /// The dataset record whose rows it was judged on.
    pub dataset: ObjectId,
    /// Which rows: `test`, `validation`, `train` or `all`.
    pub rows_of: String,
    /// How many.
    pub rows: u64,
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// Classification only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<ConfusionMatrix>,
    /// Metrics of each slice asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceResult>,
    /// Outcome of each gate.
    pub gates: Vec<GateResult>,
    /// Outcome of all gates together.
    pub verdict: Verdict,
}

impl Record for EvaluationRecord {
    const KIND: &'static str = "evaluation";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        vec![self.package, self.dataset]
    }
}
