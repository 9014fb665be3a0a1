//! `schema.toml`: what a table must look like, inferred once, reviewed by people, kept in git.

use serde::{Deserialize, Serialize};

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Whole numbers of 64 bits with a sign.
    Integer,
    /// Floating point numbers of 64 bits.
    Float,
    /// True or false.
    Boolean,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// A moment; kept in UTC with microseconds.
    Timestamp,
    /// A time of day, with microseconds.
    Time,
}

impl ColumnType {
    /// As written in schemas and reports.
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Integer => "integer",
            ColumnType::Float => "float",
            ColumnType::Boolean => "boolean",
            ColumnType::Text => "text",
            ColumnType::Date => "date",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Time => "time",
        }
    }

    /// Whether values are numbers to a model: integers, floats and booleans.
    pub fn is_numeric(self) -> bool {
        matches!(self, ColumnType::Integer | ColumnType::Float | ColumnType::Boolean)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Suspicious.
    Warning,
    /// Breaks the schema.
    #[default]
    Error,
}

impl Severity {
    /// As written in schemas and reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSpec {
    /// Version of this format; 1.
    pub version: u32,
    /// Rules about the table as a whole.
    #[serde(default)]
    pub table: TableRules,
    /// One entry for each column, in the order of the data.
    #[serde(default, rename = "column")]
    pub columns: Vec<ColumnRules>,
}

/// Rules about the table as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TableRules {
    /// Fewest rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_min: Option<u64>,
    /// Most rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_max: Option<u64>,
    /// Columns whose values together identify a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Severity of columns that the schema does not name.
    pub new_columns: Severity,
    /// Severity of rows that repeat an earlier row in every column.
    pub duplicates: Severity,
    /// Largest share of rows that may repeat an earlier row, in `[0, 1]`.
    pub duplicates_max: f64,
}

impl Default for TableRules {
    fn default() -> TableRules {
        TableRules {
            rows_min: None,
            rows_max: None,
            key: Vec::new(),
            new_columns: Severity::Error,
            duplicates: Severity::Warning,
            duplicates_max: 0.0,
        }
    }
}

/// Rules about one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnRules {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether the column must be there.
    #[serde(default = "yes")]
    pub required: bool,
    /// Largest share of missing values, in `[0, 1]`.
    #[serde(default = "one")]
    pub missing_max: f64,
    /// Smallest value; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The values allowed; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Vec<String>>,
    /// Largest share of present values outside `domain`, `min`, `max` or `pattern`, in `[0, 1]`.
    #[serde(default)]
    pub outside_max: f64,
    /// Regular expression that every value matches as a whole; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// No value twice.
    #[serde(default)]
    pub unique: bool,
    /// Warns of values further than this many interquartile ranges outside the quartiles (Tukey's fences); numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outliers_iqr: Option<f64>,
    /// Severity of every finding about this column.
    #[serde(default)]
    pub severity: Severity,
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}
