//! The words of `schema.toml` beside its columns: values, bounds, levels, and rules over several columns.

use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::spec::schema::Severity;

/// A value as written in a schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Text; also a date or a time stamp.
    Text(String),
    /// A date or a time stamp without quotes.
    Time(Datetime),
}

impl Scalar {
    /// The value as text, as it would stand in a text table.
    pub fn text(&self) -> String {
        match self {
            Scalar::Boolean(value) => value.to_string(),
            Scalar::Integer(value) => value.to_string(),
            Scalar::Float(value) => value.to_string(),
            Scalar::Text(value) => value.clone(),
            Scalar::Time(value) => value.to_string(),
        }
    }

    /// The value as a number; none for text.
    pub fn number(&self) -> Option<f64> {
        match self {
            Scalar::Integer(value) => Some(*value as f64),
            Scalar::Float(value) => Some(*value),
            _ => None,
        }
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Scalar {
        Scalar::Float(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Scalar {
        Scalar::Integer(value)
    }
}

impl From<&str> for Scalar {
    fn from(value: &str) -> Scalar {
        Scalar::Text(value.to_owned())
    }
}

/// The ends of a range; both belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// The ends of a range of counts; both belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountBounds {
    /// Fewest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// Most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// A severity, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not looked for, or not reported.
    Off,
    /// Worth knowing.
    Info,
    /// Suspicious.
    Warning,
    /// Breaks the schema.
    Error,
}

impl Level {
    /// The severity; none when off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Off => None,
            Level::Info => Some(Severity::Info),
            Level::Warning => Some(Severity::Warning),
            Level::Error => Some(Severity::Error),
        }
    }

    /// As written.
    pub fn name(self) -> &'static str {
        self.severity().map_or("off", Severity::name)
    }
}

/// Where a column is in its life; TFDV's lifecycle stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Not there yet.
    Planned,
    /// First trials.
    Alpha,
    /// Used, and checked.
    Beta,
    /// Used, and checked.
    Production,
    /// On its way out.
    Deprecated,
    /// For looking into problems.
    DebugOnly,
    /// Not used.
    Disabled,
}

/// How values go from row to row; missing values are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// No value is smaller than the one before.
    Increasing,
    /// Every value is larger than the one before.
    StrictlyIncreasing,
    /// No value is larger than the one before.
    Decreasing,
    /// Every value is smaller than the one before.
    StrictlyDecreasing,
}

impl Order {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Order::Increasing => "increasing",
            Order::StrictlyIncreasing => "strictly_increasing",
            Order::Decreasing => "decreasing",
            Order::StrictlyDecreasing => "strictly_decreasing",
        }
    }
}

/// Kinds of text that can be told by their form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Semantic {
    /// An address for electronic mail.
    Email,
    /// `http://` or `https://`.
    Url,
    /// A UUID (RFC 9562).
    Uuid,
    /// An address of the Internet Protocol, version 4 or 6.
    Ip,
}

impl Semantic {
    /// All of them.
    pub const ALL: [Semantic; 4] = [Semantic::Email, Semantic::Url, Semantic::Uuid, Semantic::Ip];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Semantic::Email => "email",
            Semantic::Url => "url",
            Semantic::Uuid => "uuid",
            Semantic::Ip => "ip",
        }
    }
}

/// One regular expression, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Patterns {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Patterns {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Patterns::One(pattern) => std::slice::from_ref(pattern),
            Patterns::Several(patterns) => patterns,
        }
    }
}

impl From<&str> for Patterns {
    fn from(pattern: &str) -> Patterns {
        Patterns::One(pattern.to_owned())
    }
}

/// A distribution written in the schema, and how far the data may be from it: `values` with `shares`, or `edges` of bins
/// with `shares`. Shares are scaled to sum to one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSpec {
    /// The values, for text and flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Scalar>,
    /// Ascending edges of bins, one more than shares, for numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
    /// Share of each value or bin.
    pub shares: Vec<f64>,
    /// Most Kullback-Leibler divergence of the data from the reference, natural logarithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kl_max: Option<f64>,
    /// Smallest p-value of Pearson's chi-squared test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chi2_p_min: Option<f64>,
    /// Smallest p-value of the Kolmogorov-Smirnov test against the piecewise linear distribution; bins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ks_p_min: Option<f64>,
}

/// Tuples of values that columns may hold together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TupleSpec {
    /// The columns.
    pub columns: Vec<String>,
    /// What they may hold, one list for each allowed combination.
    pub allowed: Vec<Vec<Scalar>>,
}

/// Columns whose sum is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SumSpec {
    /// What is added.
    pub columns: Vec<String>,
    /// A column (as text) or a number.
    pub equals: Scalar,
    /// How far the sum may be off.
    #[serde(default)]
    pub tolerance: f64,
}

/// One rule over several columns: exactly one of `check`, `sql`, `equal`, `greater`, `greater_or_equal`, `distinct`,
/// `tuples` and `sum`. A condition that is unknown because a value is missing is not broken, as in SQL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// What it is called; unique.
    pub name: String,
    /// SQL condition of the rows concerned; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// SQL condition that holds in every row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// A query over `data` (with the row number in `_row`) or `stats` (a row a column); whatever it returns is unexpected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// Columns that hold the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equal: Vec<String>,
    /// Each column is larger than the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub greater: Vec<String>,
    /// No column is smaller than the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub greater_or_equal: Vec<String>,
    /// Columns of which no two hold the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distinct: Vec<String>,
    /// Columns that only hold listed combinations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuples: Option<TupleSpec>,
    /// Columns with a known sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<SumSpec>,
    /// Smallest share of the rows concerned that keep the rule, in `[0, 1]`.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub mostly: f64,
    /// Most rows that `sql` may return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_max: Option<u64>,
    /// How bad a broken rule is.
    #[serde(default)]
    pub severity: Severity,
    /// What to tell people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Environments in which the rule holds; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
}

fn one() -> f64 {
    1.0
}

fn is_one(value: &f64) -> bool {
    *value == 1.0
}
