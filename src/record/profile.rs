//! Statistics of every column of one table, exact, from one pass.

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::spec::schema::ColumnType;

/// Profile of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileRecord {
    /// Number of rows.
    pub rows: u64,
    /// One entry for each column, in order.
    pub columns: Vec<ColumnProfile>,
}

/// Statistics of one column. `present + missing` is the number of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Rows with a value.
    pub present: u64,
    /// Rows without one.
    pub missing: u64,
    /// Distinct values among those present, exact.
    pub unique: u64,
    /// Statistics of numbers, dates and time stamps (the latter two in microseconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberProfile>,
    /// Statistics of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<TextProfile>,
    /// Statistics of dates and time stamps beyond those of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<TimeProfile>,
    /// Most frequent values and their counts, most frequent first, ties by value; text, booleans, and integers of few
    /// distinct values. All of them up to `limits::TOP_VALUES_MAX` distinct values, else that many of text and none of
    /// integers; fewer where long texts would go beyond `limits::TOP_BYTES_MAX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<(String, u64)>,
    /// The distribution of finite numbers, dates and time stamps, for comparison without the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile_sketch: Option<QuantileSketch>,
    /// The distinct values, for counting those of several tables together without the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_sketch: Option<DistinctSketch>,
}

/// A distribution as weighted points, ascending: every distinct value with its count when there are few, else points that
/// each stand for about the same number of neighbouring values (their mean). Mergeable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileSketch {
    /// Whether the points are the distinct values themselves, so that everything computed from them is exact.
    pub exact: bool,
    /// The points, ascending, at most `limits::SKETCH_POINTS_MAX`.
    pub values: Vec<f64>,
    /// Values that each point stands for; as many as `values`.
    pub counts: Vec<u64>,
}

/// HyperLogLog registers (Flajolet, Fusy, Gandouet, Meunier 2007): mergeable, error about `1.04 / sqrt(registers)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistinctSketch {
    /// One character a register, `0` + its value.
    pub registers: String,
}

/// Statistics of dates and time stamps. Moments are microseconds since 1970 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeProfile {
    /// Earliest moment.
    pub first: i64,
    /// Latest moment.
    pub last: i64,
    /// The most frequent distance between neighbouring distinct moments, the shorter on a tie; 0 with fewer than two.
    pub step: i64,
    /// Distances between neighbouring distinct moments that are longer than `step`.
    pub gaps: u64,
    /// The longest of them: where it starts and where it ends.
    pub longest_gap: Option<(i64, i64)>,
}

/// Statistics of finite numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// Values equal to zero.
    pub zeros: u64,
    /// Values that are not a number; counted as present.
    pub nan: u64,
    /// Values that are infinite.
    pub infinite: u64,
    /// Smallest finite value; `None` for the rest when there is none.
    pub min: Option<f64>,
    /// Largest finite value.
    pub max: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Standard deviation with n - 1 in the divisor.
    pub std: Option<f64>,
    /// Quantiles 0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1 (linear interpolation, as numpy's default).
    pub quantiles: Vec<f64>,
    /// Ten bins of equal width between `min` and `max`: 11 edges.
    pub edges: Vec<f64>,
    /// Values in each bin; the last bin holds the largest value too.
    pub counts: Vec<u64>,
    /// Ten bins of equal count (deciles): 11 edges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantile_edges: Vec<f64>,
}

/// The shares at which [`NumberProfile::quantiles`] are taken.
pub const QUANTILES: [f64; 11] = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

/// Statistics of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextProfile {
    /// Shortest value in characters.
    pub length_min: u64,
    /// Longest value in characters.
    pub length_max: u64,
    /// Mean length in characters.
    pub length_mean: f64,
    /// Values that are empty text.
    pub empty: u64,
    /// Values that start or end with white space.
    #[serde(default)]
    pub padded: u64,
    /// Values with control characters other than tab and line ends, or with the replacement character U+FFFD: invalid text,
    /// or text decoded wrongly.
    #[serde(default)]
    pub invalid: u64,
}

/// Two distributions over the same bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histograms {
    /// What each bin holds: a value, or `low – high`.
    pub labels: Vec<String>,
    /// Share of the reference in each bin.
    pub reference: Vec<f64>,
    /// Share of the current table in each bin.
    pub current: Vec<f64>,
}

impl ProfileRecord {
    /// The profile of column `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl Record for ProfileRecord {
    const KIND: &'static str = "profile";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        Vec::new()
    }
}
