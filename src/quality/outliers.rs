//! Values far outside the bulk of their column.

use anyhow::Result;
use polars::prelude::Column;

use crate::quality::report::{Finding, of_rows};
use crate::quality::rows::View;
use crate::record::profile::{ColumnProfile, NumberProfile};
use crate::spec::schema::{ColumnRules, Severity};

/// `OUTLIERS`: finite values outside Tukey's fences (Tukey 1977, *Exploratory Data Analysis*, 2D):
/// `[Q1 - k × IQR, Q3 + k × IQR]` with the quartiles of this table and k = `outliers_iqr`; 3 marks what he calls "far out".
///
/// Never worse than a warning: an outlier is a question, not a mistake. No finding when the quartiles are equal, as the
/// fences would then exclude every other value.
pub fn outliers(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    let (Some(factor), Some(numbers)) = (rules.outliers_iqr, &profile.numbers) else {
        return Ok(None);
    };
    let (Some((low, high)), Some(min), Some(max)) = (fences(numbers, factor), numbers.min, numbers.max) else {
        return Ok(None);
    };
    if low <= min && max <= high {
        return Ok(None);
    }
    let rows = View::of(column)?.numbers_failing(|value| !value.is_finite() || (low <= value && value <= high));
    let observed =
        format!("{} outside the fences; smallest {min}, largest {max}", of_rows(rows.count, profile.present, "value"),);
    let finding = Finding::new("OUTLIERS", rules.severity.min(Severity::Warning), Some(&rules.name))
        .says(format!("outliers_iqr = {factor:?}"), observed, format!("between {} and {}", tidy(low), tidy(high)))
        .at(rows)
        .settled_by(&format!("raise or remove outliers_iqr of column `{}`", rules.name));
    Ok(Some(finding))
}

/// The smallest factor with one decimal whose fences hold every finite value; `None` without quartiles that differ.
pub fn factor_for_all(numbers: &NumberProfile) -> Option<f64> {
    let ((first, third), min, max) = (quartiles(numbers)?, numbers.min?, numbers.max?);
    let reach = (first - min).max(max - third) / (third - first);
    let tenths = (reach * 10.0).ceil().max(0.0);
    let holds = |factor: &f64| fences(numbers, *factor).is_some_and(|(low, high)| low <= min && max <= high);
    // Rounding may leave the first candidate a hair short.
    [tenths / 10.0, (tenths + 1.0) / 10.0].into_iter().find(holds)
}

/// Lower and upper fence; `None` without quartiles that differ.
fn fences(numbers: &NumberProfile, factor: f64) -> Option<(f64, f64)> {
    let (first, third) = quartiles(numbers)?;
    let reach = factor * (third - first);
    (third > first && reach.is_finite()).then_some((first - reach, third + reach))
}

/// First and third quartile.
pub fn quartiles(numbers: &NumberProfile) -> Option<(f64, f64)> {
    Some((*numbers.quantiles.get(4)?, *numbers.quantiles.get(6)?))
}

/// Rounded to six significant digits, for people.
fn tidy(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().unwrap_or(value).to_string()
}
