//! Values far outside the bulk of their column.

use crate::quality::checks::{RowCheck, Tolerance};
use crate::quality::rows::View;
use crate::quality::scan::Test;
use crate::record::profile::{ColumnProfile, NumberProfile};
use crate::spec::schema::{ColumnRules, Severity};

/// `OUTLIERS`: finite values outside Tukey's fences (Tukey 1977, *Exploratory Data Analysis*, 2D):
/// `[Q1 - k × IQR, Q3 + k × IQR]` with the quartiles of this table and k = `outliers_iqr`; 3 marks what he calls "far out".
///
/// A warning unless `severities` says more: an outlier is a question, not a mistake. None when the quartiles are equal, as
/// the fences would then exclude every other value.
pub fn check(view: View<'_>, profile: &ColumnProfile, rules: &ColumnRules) -> Option<RowCheck<'static>> {
    let (factor, numbers) = (rules.outliers_iqr?, profile.numbers.as_ref()?);
    let ((low, high), min, max) = (fences(numbers, factor)?, numbers.min?, numbers.max?);
    if low <= min && max <= high {
        return None;
    }
    let test = match view {
        View::Float(_) => Test::Real(Box::new(move |value| !value.is_finite() || (low <= value && value <= high))),
        _ => Test::Whole(Box::new(move |value| low <= value as f64 && value as f64 <= high)),
    };
    Some(RowCheck {
        code: "OUTLIERS",
        severity: rules.severity.min(Severity::Warning),
        rule: format!("outliers_iqr = {factor:?}"),
        says: format!("outside the fences; smallest {min}, largest {max}"),
        expected: format!("between {} and {}", tidy(low), tidy(high)),
        edit: format!("raise or remove outliers_iqr of column `{}`", rules.name),
        test,
        tolerance: Tolerance::Never,
    })
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
