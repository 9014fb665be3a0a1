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
    /// Most frequent values and their counts, most frequent first, ties by value; text, booleans and integers of few
    /// distinct values. At most 20 for others, all of them up to 100 distinct values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<(String, u64)>,
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
