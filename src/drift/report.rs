//! What a comparison answers.

use serde::{Deserialize, Serialize};

use crate::record::profile::Histograms;
use crate::spec::drift::DriftTest;
use crate::spec::schema::ColumnType;

/// The comparison of two tables. Every number in it is finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// Whether `share_drifted` reaches `share`, or the number of rows is outside its bounds.
    pub drifted: bool,
    /// Share of the compared columns that drifted; 0 when none was compared.
    pub share_drifted: f64,
    /// Share from which the table counts as drifted.
    pub share: f64,
    /// Rows of both tables.
    pub rows: RowsDrift,
    /// Columns of both tables, in the order of the reference.
    pub columns: Vec<ColumnDrift>,
    /// Columns of the current table alone; not part of the share.
    pub new_columns: Vec<String>,
    /// Columns of the reference alone; not part of the share.
    pub vanished_columns: Vec<String>,
    /// What was left out or guessed about the comparison as a whole.
    pub notes: Vec<String>,
}

/// Rows of both tables (TFDV's `num_examples_drift_comparator`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowsDrift {
    /// Rows of the reference.
    pub reference: u64,
    /// Rows of the current table.
    pub current: u64,
    /// Current rows for each reference row; `None` when the reference has none.
    pub fraction: Option<f64>,
    /// Whether the fraction is outside the bounds that were set.
    pub drifted: bool,
}

/// What a comparison of values came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The test found no difference.
    Stable,
    /// The values drifted.
    Drifted,
    /// Beyond the threshold, but within what two samples of these sizes differ by anyway.
    WithinNoise,
    /// A small p-value of a small effect: many rows prove a difference that is not worth an alarm.
    SignificantButSmall,
    /// The type of the column is another.
    TypeChanged,
    /// Measured, with no threshold to hold it against.
    Measured,
    /// Not compared; the note says why.
    NotCompared,
}

impl Outcome {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Stable => "stable",
            Outcome::Drifted => "drifted",
            Outcome::WithinNoise => "within noise",
            Outcome::SignificantButSmall => "real but small",
            Outcome::TypeChanged => "type changed",
            Outcome::Measured => "measured",
            Outcome::NotCompared => "not compared",
        }
    }
}

/// The comparison of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// Name in both tables.
    pub name: String,
    /// Test by its name; `None` when the values were not compared.
    pub test: Option<DriftTest>,
    /// The statistic; `None` when there is none or it has no bound.
    pub statistic: Option<f64>,
    /// Its p-value, for tests that have one.
    pub p_value: Option<f64>,
    /// What the p-value, or else the statistic, is compared with.
    pub threshold: Option<f64>,
    /// Whether the test alone says drift: Evidently's answer.
    pub significant: bool,
    /// What the comparison of values came to.
    pub outcome: Outcome,
    /// Whether the values, the missing ones, the non-finite ones or the type drifted.
    pub drifted: bool,
    /// How large the difference is, whatever the number of rows.
    pub effect: Option<Effect>,
    /// About the 95 % quantile of the statistic between two samples of one population of these sizes.
    pub noise_floor: Option<f64>,
    /// Whether the statistic is that of the rows themselves; false when a profile holds a sketch or a cut list.
    pub exact: bool,
    /// Missing values.
    pub missing: RateDrift,
    /// NaN and infinite values, among those present.
    pub not_finite: RateDrift,
    /// Types in the reference and in the current table, when they differ.
    pub types: Option<(ColumnType, ColumnType)>,
    /// Values with their counts that the reference has not, most frequent first, at most 20.
    pub new_values: Vec<(String, u64)>,
    /// Values with their counts that the current table has not, most frequent first, at most 20.
    pub vanished_values: Vec<(String, u64)>,
    /// Both distributions over at most 20 shared bins.
    pub histograms: Option<Histograms>,
    /// What was guessed, approximate or not done.
    pub note: Option<String>,
}

/// A measure of size that does not grow with the number of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// `wasserstein_normed`: mean distance that values moved, in standard deviations of the reference; `cramers_v`: association of
    /// the table with the category, in `[0, 1]` (Cramér 1946).
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// A share of rows in both tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateDrift {
    /// In the reference, in `[0, 1]`.
    pub reference: f64,
    /// In the current table, in `[0, 1]`.
    pub current: f64,
    /// p-value of the difference of two proportions.
    pub p_value: Option<f64>,
    /// Whether p is below 0.01 and the shares differ by the least change that counts.
    pub drifted: bool,
}
