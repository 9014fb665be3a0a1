//! `schema.toml`: what a table must look like, inferred once, reviewed by people, kept in git.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::rule::{
    Bounds, CountBounds, Level, Lifecycle, Order, Patterns, ReferenceSpec, RuleSpec, Scalar, Semantic,
};

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
    /// Rules over several columns, in SQL or ready-made.
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleSpec>,
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
    /// Fewest columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns_min: Option<u64>,
    /// Most columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns_max: Option<u64>,
    /// The columns must come in the order of the schema.
    #[serde(skip_serializing_if = "is_false")]
    pub columns_ordered: bool,
    /// Columns whose values together identify a row.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Severity of keys that differ only in case and space.
    pub near_keys: Level,
    /// Sets of columns whose values together occur once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Vec<String>>,
    /// Severity of columns that the schema does not name.
    pub new_columns: Severity,
    /// Severity of rows that repeat an earlier row in every column.
    pub duplicates: Severity,
    /// Largest share of rows that may repeat an earlier row, in `[0, 1]`.
    pub duplicates_max: f64,
    /// Environments of columns that name none; every environment when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_environments: Vec<String>,
    /// Severity of single codes, for the table and for every column that does not say otherwise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Level>,
}

impl Default for TableRules {
    fn default() -> TableRules {
        TableRules {
            rows_min: None,
            rows_max: None,
            columns_min: None,
            columns_max: None,
            columns_ordered: false,
            key: Vec::new(),
            near_keys: Level::Warning,
            unique: Vec::new(),
            new_columns: Severity::Error,
            duplicates: Severity::Warning,
            duplicates_max: 0.0,
            default_environments: Vec::new(),
            severities: BTreeMap::new(),
        }
    }
}

/// Rules about one column. A rule that is not written is not checked.
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
    /// Fewest rows with a value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present_min: Option<u64>,
    /// Smallest value: a number, or a date or time stamp as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Scalar>,
    /// Largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Scalar>,
    /// Every value is larger than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Scalar>,
    /// Every value is smaller than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Scalar>,
    /// The values allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Vec<Scalar>>,
    /// Values that are not allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_in: Vec<Scalar>,
    /// Largest share of present values that may break a rule about single values (`min`, `domain`, `pattern`, …), in
    /// `[0, 1]`; what Great Expectations calls `mostly` is one minus this.
    #[serde(default)]
    pub outside_max: f64,
    /// Regular expressions of which one matches every value as a whole; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Patterns>,
    /// Regular expressions of which none matches anywhere in a value; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_pattern: Option<Patterns>,
    /// Fewest characters; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_min: Option<u64>,
    /// Most characters; text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length_max: Option<u64>,
    /// Text that is a date or time written so (`%d/%m/%Y`; `iso`: any form that is read as a date or time stamp).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_format: Option<String>,
    /// Text that is JSON.
    #[serde(default, skip_serializing_if = "is_false")]
    pub json: bool,
    /// Text that is JSON of this JSON Schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<serde_json::Value>,
    /// Text of a known kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semantic: Option<Semantic>,
    /// Texts that mean true, where a boolean column is kept as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub true_values: Vec<String>,
    /// Texts that mean false.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub false_values: Vec<String>,
    /// No value twice.
    #[serde(default)]
    pub unique: bool,
    /// Number of distinct values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_count: Option<CountBounds>,
    /// Distinct values as a share of those present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_share: Option<Bounds>,
    /// Values rise or fall from row to row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// Most standard deviations from the mean; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_max: Option<f64>,
    /// Warns of values further than this many interquartile ranges outside the quartiles (Tukey's fences); numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outliers_iqr: Option<f64>,
    /// True: not-a-number and infinity break the rule; false: they may occur; absent: they are warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finite: Option<bool>,
    /// Arithmetic mean; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<Bounds>,
    /// Median; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<Bounds>,
    /// Standard deviation with n - 1 in the divisor; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<Bounds>,
    /// Sum; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Bounds>,
    /// The smallest value itself; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<Bounds>,
    /// The largest value itself; numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<Bounds>,
    /// Quantiles by their share: `quantiles = { "0.9" = { max = 10 } }`; numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quantiles: BTreeMap<String, Bounds>,
    /// The most frequent value is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub most_common: Vec<Scalar>,
    /// Values that must occur.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<Scalar>,
    /// A distribution to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceSpec>,
    /// Where the column is in its life; only `beta` and `production` columns are checked, as are those that say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Lifecycle>,
    /// Environments in which the column is required; the table's `default_environments` when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Environments in which the column is not expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_environments: Vec<String>,
    /// Severity of every finding about this column.
    #[serde(default)]
    pub severity: Severity,
    /// Severity of single codes: `severities = { OUTLIERS = "info" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub severities: BTreeMap<String, Level>,
}

impl ColumnRules {
    /// A column that must be there and of whose values only the type is settled.
    pub fn new(name: &str, column_type: ColumnType) -> ColumnRules {
        ColumnRules {
            name: name.to_owned(),
            column_type,
            required: true,
            missing_max: 1.0,
            present_min: None,
            min: None,
            max: None,
            above: None,
            below: None,
            domain: None,
            not_in: Vec::new(),
            outside_max: 0.0,
            pattern: None,
            not_pattern: None,
            length_min: None,
            length_max: None,
            date_format: None,
            json: false,
            json_schema: None,
            semantic: None,
            true_values: Vec::new(),
            false_values: Vec::new(),
            unique: false,
            unique_count: None,
            unique_share: None,
            order: None,
            z_max: None,
            outliers_iqr: None,
            finite: None,
            mean: None,
            median: None,
            std: None,
            sum: None,
            smallest: None,
            largest: None,
            quantiles: BTreeMap::new(),
            most_common: Vec::new(),
            contains: Vec::new(),
            reference: None,
            stage: None,
            environments: Vec::new(),
            not_environments: Vec::new(),
            severity: Severity::Error,
            severities: BTreeMap::new(),
        }
    }

    /// Whether the column is checked at all at its place in life; TFDV's rule.
    pub fn is_alive(&self) -> bool {
        matches!(self.stage, None | Some(Lifecycle::Beta | Lifecycle::Production))
    }

    /// Whether the column belongs to `environment`; `defaults` are those of columns that name none.
    pub fn is_in(&self, environment: &str, defaults: &[String]) -> bool {
        let named = if self.environments.is_empty() { defaults } else { &self.environments };
        let holds = |list: &[String]| list.iter().any(|known| known == environment);
        (named.is_empty() || holds(named)) && !holds(&self.not_environments)
    }
}

impl SchemaSpec {
    /// The rules of column `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnRules> {
        self.columns.iter().find(|rules| rules.name == name)
    }

    /// Every environment that the schema names, and the two that are always known; sorted.
    pub fn environments(&self) -> Vec<&str> {
        let mut names = vec!["training", "serving"];
        names.extend(self.table.default_environments.iter().map(String::as_str));
        for rules in &self.columns {
            names.extend(rules.environments.iter().chain(&rules.not_environments).map(String::as_str));
        }
        names.extend(self.rules.iter().flat_map(|rule| &rule.environments).map(String::as_str));
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn yes() -> bool {
    true
}

fn one() -> f64 {
    1.0
}

fn is_false(flag: &bool) -> bool {
    !flag
}
