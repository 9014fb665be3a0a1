//! How rows are divided into training, validation and test rows, and into folds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::base::fail::{self, Failure};
use crate::base::limits::FOLDS_MAX;

/// Ways to divide rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitMethod {
    /// Stratified for classification, random for regression.
    #[default]
    Auto,
    /// Every row alike.
    Random,
    /// The share of each class is the same in every part.
    Stratified,
    /// Rows with the same value of `column` stay together.
    Group,
    /// Earliest rows by `column` train, latest test.
    Time,
    /// `column` holds `train`, `validation` or `test`.
    Column,
    /// By a hash of `column`, or of the key columns: a row stays in its part whatever rows come or go.
    Hash,
}

impl SplitMethod {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            SplitMethod::Auto => "auto",
            SplitMethod::Random => "random",
            SplitMethod::Stratified => "stratified",
            SplitMethod::Group => "group",
            SplitMethod::Time => "time",
            SplitMethod::Column => "column",
            SplitMethod::Hash => "hash",
        }
    }
}

/// What lies between two parts of a division by time, and belongs to neither.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Gap {
    /// A length of time in microseconds, for columns of dates and time stamps.
    Micros(i64),
    /// A length in the unit of a numeric column.
    Units(f64),
    /// A number of rows.
    Rows(u64),
}

/// `[split]` of the project file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitSpec {
    /// How rows are divided.
    pub method: SplitMethod,
    /// Share of rows kept for the final test, in `[0, 1)`.
    pub test: f64,
    /// Share of rows kept for choosing a model, in `[0, 1)`.
    pub validation: f64,
    /// The column that `group`, `time`, `column` and `hash` go by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is left out between earlier and later parts; `time` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
    /// Number of folds that the rows outside the test part are divided into, to score a model on each; 0 means none.
    #[serde(skip_serializing_if = "is_zero")]
    pub folds: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Default for SplitSpec {
    fn default() -> SplitSpec {
        SplitSpec { method: SplitMethod::Auto, test: 0.2, validation: 0.2, column: None, gap: None, folds: 0 }
    }
}

impl SplitSpec {
    /// Checks shares and folds, that a method has the column it needs, and that a gap has a method that knows it.
    pub fn check(&self) -> Result<(), Failure> {
        let share_ok = |share: f64| (0.0..1.0).contains(&share);
        if !share_ok(self.test) || !share_ok(self.validation) || self.test + self.validation >= 1.0 {
            return Err(fail::usage(format!(
                "[split] test = {} and validation = {} leave no rows for training",
                self.test, self.validation
            ))
            .hint("both are shares between 0 and 1, and their sum is below 1"));
        }
        let needs_column = matches!(self.method, SplitMethod::Group | SplitMethod::Time | SplitMethod::Column);
        if needs_column && self.column.is_none() {
            return Err(fail::usage("[split] this method needs `column`").hint("add column = \"NAME\" to [split]"));
        }
        if self.gap.is_some() && self.method != SplitMethod::Time {
            return Err(fail::usage(format!("[split] gap means nothing to method = \"{}\"", self.method.name()))
                .hint("set method = \"time\" and column, or leave the gap out"));
        }
        if self.folds == 1 || self.folds > FOLDS_MAX {
            return Err(fail::usage(format!("[split] folds = {}", self.folds))
                .hint(format!("it is 2 to {FOLDS_MAX}, or 0 for none")));
        }
        Ok(())
    }
}

const SECOND_MICROS: i64 = 1_000_000;
/// Units of time, the longest first.
const UNITS: [(&str, i64); 5] = [
    ("w", 7 * 24 * 3600 * SECOND_MICROS),
    ("d", 24 * 3600 * SECOND_MICROS),
    ("h", 3600 * SECOND_MICROS),
    ("m", 60 * SECOND_MICROS),
    ("s", SECOND_MICROS),
];

impl FromStr for Gap {
    type Err = Failure;

    /// Reads `7d`, `12h`, `30m`, `90s`, `2w`, `100 rows`, or a number for a numeric column.
    fn from_str(text: &str) -> Result<Gap, Failure> {
        let text = text.trim();
        let bad = || {
            fail::usage(format!("`{text}` is not a gap"))
                .hint("write it like \"7d\", \"12h\", \"30m\" or \"100 rows\", or a number for a numeric column")
        };
        if let Ok(units) = text.parse::<f64>() {
            return if units.is_finite() && units > 0.0 { Ok(Gap::Units(units)) } else { Err(bad()) };
        }
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let number = text[..end].parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(bad)?;
        match text[end..].trim() {
            "row" | "rows" => Ok(Gap::Rows(u64::from(number))),
            unit => {
                let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
                scale.and_then(|scale| scale.checked_mul(i64::from(number))).map(Gap::Micros).ok_or_else(bad)
            }
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gap::Units(units) => write!(f, "{units}"),
            Gap::Rows(rows) => write!(f, "{rows} rows"),
            Gap::Micros(micros) => {
                // Weeks are read, but days are what people compare with.
                let whole = UNITS[1..].iter().find(|(_, scale)| micros % scale == 0);
                let (unit, scale) = whole.copied().unwrap_or(("s", SECOND_MICROS));
                write!(f, "{}{unit}", micros / scale)
            }
        }
    }
}

/// A gap as it may stand in a project file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl TryFrom<Written> for Gap {
    type Error = String;

    fn try_from(written: Written) -> Result<Gap, String> {
        let read = match written {
            Written::Number(number) => number.to_string().parse(),
            Written::Text(text) => text.parse::<Gap>(),
        };
        read.map_err(Failure::in_words)
    }
}

impl Serialize for Gap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Gap::Units(units) => serializer.serialize_f64(*units),
            _ => serializer.collect_str(self),
        }
    }
}
