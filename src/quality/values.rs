//! Missing values, columns without a difference, values that must not fall, text of a kind that no rule names.

use anyhow::Result;
use polars::prelude::Column;

use crate::base::units;
use crate::quality::found::{Found, Scope};
use crate::quality::ranges::shown;
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::rows::{Rows, View};
use crate::quality::rules::share_up;
use crate::quality::texts;
use crate::record::profile::ColumnProfile;
use crate::spec::rule::{Order, Semantic};
use crate::spec::schema::{ColumnRules, ColumnType, Severity};

/// `FEATURE_TYPE_NOT_PRESENT`: no value at all. `FEATURE_TYPE_LOW_FRACTION_PRESENT`: a larger share of values is missing
/// than `missing_max`. `FEATURE_TYPE_LOW_NUMBER_PRESENT`: fewer values than `present_min`.
pub fn presence(
    column: &Column,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    scope: &Scope<'_>,
) -> Result<Vec<Found>> {
    let rows = profile.present + profile.missing;
    let mut found = Vec::new();
    let share = profile.missing as f64 / rows.max(1) as f64;
    if rows > 0 && share > rules.missing_max {
        let code = if profile.present == 0 { "FEATURE_TYPE_NOT_PRESENT" } else { "FEATURE_TYPE_LOW_FRACTION_PRESENT" };
        let view = View::of(column)?;
        let expected = match rules.missing_max {
            0.0 => "no missing value".to_owned(),
            most => format!("at most {} missing", percent(most)),
        };
        let observed = format!("{} have no value", of_rows(profile.missing, rows, "row"));
        let finding = Finding::new(code, rules.severity, Some(&rules.name))
            .says(format!("missing_max = {:?}", rules.missing_max), observed, expected)
            .settled_by(&format!("set missing_max = {:?} for column `{}`", share_up(share, 100.0), rules.name));
        let missing = Rows::keeping(scope.keep_rows, (0..column.len()).filter(|row| view.is_missing(*row)));
        found.push(Found::at(finding, missing));
    }
    if let Some(least) = rules.present_min.filter(|least| profile.present < *least) {
        let mut finding = Finding::new("FEATURE_TYPE_LOW_NUMBER_PRESENT", rules.severity, Some(&rules.name))
            .says(
                format!("present_min = {least}"),
                format!("{} with a value", units::plural(profile.present, "row")),
                format!("at least {}", units::plural(least, "row")),
            )
            .settled_by(&format!("lower present_min of column `{}`", rules.name));
        finding.count = least - profile.present;
        found.push(finding.into());
    }
    Ok(found)
}

/// `NOT_INCREASING`, `NOT_DECREASING`: a value that breaks the order with the present one before it.
pub fn order(column: &Column, rules: &ColumnRules, scope: &Scope<'_>) -> Result<Option<Found>> {
    let Some(order) = rules.order else {
        return Ok(None);
    };
    let view = View::of(column)?;
    let holds = |before: f64, value: f64| match order {
        Order::Increasing => value >= before,
        Order::StrictlyIncreasing => value > before,
        Order::Decreasing => value <= before,
        Order::StrictlyDecreasing => value < before,
    };
    let mut rows = Rows::new(scope.keep_rows);
    let (mut before, mut example) = (None, None);
    for (row, value) in view.numbers().filter(|(_, value)| !value.is_nan()) {
        if let Some(last) = before.filter(|last| !holds(*last, value)) {
            rows.add(row);
            example.get_or_insert_with(|| format!("{} follows {}", shown(view, value), shown(view, last)));
        }
        before = Some(value);
    }
    let Some(example) = example else {
        return Ok(None);
    };
    let code = match order {
        Order::Increasing | Order::StrictlyIncreasing => "NOT_INCREASING",
        Order::Decreasing | Order::StrictlyDecreasing => "NOT_DECREASING",
    };
    let present = (column.len() - column.null_count()) as u64;
    let finding = Finding::new(code, rules.severity, Some(&rules.name))
        .says(
            format!("order = {:?}", order.name()),
            format!("{} break the order; {example}", of_rows(rows.count, present, "value")),
            format!("values {}", order.name().replace('_', " ")),
        )
        .settled_by(&format!("remove order of column `{}`", rules.name));
    Ok(Some(Found::at(finding, rows)))
}

/// `SEMANTIC_DOMAIN_UPDATE`: every text is of a kind that no rule names; information. Looked for where the frequent values
/// are all of that kind, then decided by every value.
pub fn semantic(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Found>> {
    let free = rules.semantic.is_none() && rules.pattern.is_none() && rules.domain.is_none() && !rules.json;
    if !free || rules.column_type != ColumnType::Text || profile.top.is_empty() {
        return Ok(None);
    }
    let view = View::of(column)?;
    let all = |kind: &Semantic| profile.top.iter().all(|(value, _)| texts::is(*kind, value));
    let complete = profile.top.len() as u64 == profile.unique;
    let kinds = Semantic::ALL.into_iter().filter(all);
    let kind =
        kinds.into_iter().find(|kind| complete || view.texts_failing(|text| texts::is(*kind, text)).rows.count == 0);
    Ok(kind.map(|kind| {
        let mut finding = Finding::new("SEMANTIC_DOMAIN_UPDATE", Severity::Info, Some(&rules.name))
            .says(
                "semantic".to_owned(),
                format!("every value is of kind {}", kind.name()),
                "a rule that says so".to_owned(),
            )
            .settled_by(&format!("set semantic = {:?} for column `{}`", kind.name(), rules.name));
        finding.count = profile.present;
        finding.into()
    }))
}

/// `CONSTANT_COLUMN`: the same value in every one of at least two rows. Information only.
pub fn constant(profile: &ColumnProfile, rules: &ColumnRules) -> Option<Finding> {
    if profile.unique != 1 || profile.present < 2 || profile.missing > 0 {
        return None;
    }
    let mut finding = Finding::new("CONSTANT_COLUMN", Severity::Info, Some(&rules.name)).says(
        "more than one value".to_owned(),
        format!("the same value in all {}", units::plural(profile.present, "row")),
        "values that differ".to_owned(),
    );
    finding.count = profile.present;
    finding.fix = format!("nothing can be learned from it; add it to [data] ignore: {:?}", rules.name);
    Some(finding)
}
