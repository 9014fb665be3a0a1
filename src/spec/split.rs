//! How rows are divided into training, validation and test rows.

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};

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
    /// The column that `group`, `time` and `column` go by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Default for SplitSpec {
    fn default() -> SplitSpec {
        SplitSpec { method: SplitMethod::Auto, test: 0.2, validation: 0.2, column: None }
    }
}

impl SplitSpec {
    /// Checks shares and that a method has the column it needs.
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
        Ok(())
    }
}
