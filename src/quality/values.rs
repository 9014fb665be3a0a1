//! Missing values, and values outside the range, the domain or the pattern of their column.

use std::collections::HashSet;

use anyhow::{Context, Result};
use polars::prelude::Column;
use regex::Regex;

use crate::base::units;
use crate::quality::report::{Finding, listed, of_rows, percent};
use crate::quality::rows::{Failing, Rows, View};
use crate::quality::rules;
use crate::record::profile::{ColumnProfile, NumberProfile};
use crate::spec::schema::{ColumnRules, ColumnType, Severity};

/// Wrong values shown in one finding.
const SHOWN_MAX: usize = 5;

/// `FEATURE_TYPE_NOT_PRESENT`: no value at all. `FEATURE_TYPE_LOW_FRACTION_PRESENT`: a larger share of values is missing
/// than `missing_max`.
pub fn presence(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    let rows = profile.present + profile.missing;
    let share = profile.missing as f64 / rows.max(1) as f64;
    if rows == 0 || share <= rules.missing_max {
        return Ok(None);
    }
    let code = if profile.present == 0 { "FEATURE_TYPE_NOT_PRESENT" } else { "FEATURE_TYPE_LOW_FRACTION_PRESENT" };
    let view = View::of(column)?;
    let expected = match rules.missing_max {
        0.0 => "no missing value".to_owned(),
        most => format!("at most {} missing", percent(most)),
    };
    let observed = format!("{} have no value", of_rows(profile.missing, rows, "row"));
    let finding = Finding::new(code, rules.severity, Some(&rules.name))
        .says(format!("missing_max = {:?}", rules.missing_max), observed, expected)
        .at(Rows::of((0..column.len()).filter(|row| view.is_missing(*row))))
        .settled_by(&format!("set missing_max = {:?} for column `{}`", rules::share_up(share, 100.0), rules.name));
    Ok(Some(finding))
}

/// Numbers below `min` or above `max`: `INT_TYPE_SMALL_INT`, `INT_TYPE_BIG_INT`, `FLOAT_TYPE_SMALL_FLOAT`,
/// `FLOAT_TYPE_BIG_FLOAT`. Both ends belong to the range; infinite values are outside a bound. The share outside either
/// end is compared with `outside_max`.
pub fn range(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<Finding>> {
    let Some(numbers) = &profile.numbers else {
        return Ok(Vec::new());
    };
    let beyond = |bound: Option<f64>, seen: Option<f64>, sign: f64| {
        bound.is_some_and(|bound| numbers.infinite > 0 || seen.is_some_and(|seen| seen * sign > bound * sign))
    };
    if !beyond(rules.min, numbers.min, -1.0) && !beyond(rules.max, numbers.max, 1.0) {
        return Ok(Vec::new());
    }
    let view = View::of(column)?;
    let below = rules.min.map(|min| view.numbers_failing(|value| value.is_nan() || value >= min)).unwrap_or_default();
    let above = rules.max.map(|max| view.numbers_failing(|value| value.is_nan() || value <= max)).unwrap_or_default();
    if (below.count + above.count) as f64 / profile.present as f64 <= rules.outside_max {
        return Ok(Vec::new());
    }
    let integer = rules.column_type == ColumnType::Integer;
    let codes = if integer {
        ["INT_TYPE_SMALL_INT", "INT_TYPE_BIG_INT"]
    } else {
        ["FLOAT_TYPE_SMALL_FLOAT", "FLOAT_TYPE_BIG_FLOAT"]
    };
    let ends = [
        (codes[0], below, "min", rules.min, "below", "smallest", numbers.min, "at least"),
        (codes[1], above, "max", rules.max, "above", "largest", numbers.max, "at most"),
    ];
    let mut findings = Vec::new();
    for (code, rows, key, bound, side, extreme, seen, expected) in ends {
        let (Some(bound), true) = (bound, rows.count > 0) else { continue };
        let seen = seen.map_or_else(|| "infinite".to_owned(), |seen| seen.to_string());
        let observed = format!("{} {side} {bound}; {extreme} {seen}", of_rows(rows.count, profile.present, "value"));
        findings.push(
            Finding::new(code, rules.severity, Some(&rules.name))
                .says(with_share(format!("{key} = {bound:?}"), rules), observed, format!("{expected} {bound}"))
                .at(rows)
                .settled_by(&format!("change {key} of column `{}`", rules.name)),
        );
    }
    Ok(findings)
}

/// `FLOAT_TYPE_HAS_NAN`, `FLOAT_TYPE_HAS_INF`: values that are not numbers one can compute with. Never worse than a
/// warning, as no rule forbids them: features treat them as missing.
pub fn not_finite(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<Finding>> {
    let Some(NumberProfile { nan, infinite, .. }) = profile.numbers else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    for (code, count, what) in
        [("FLOAT_TYPE_HAS_NAN", nan, "not-a-number"), ("FLOAT_TYPE_HAS_INF", infinite, "infinite")]
    {
        if count == 0 {
            continue;
        }
        let rows = View::of(column)?
            .numbers_failing(|value| if what == "infinite" { !value.is_infinite() } else { !value.is_nan() });
        let mut finding = Finding::new(code, rules.severity.min(Severity::Warning), Some(&rules.name))
            .says(
                "finite numbers".to_owned(),
                format!("{} {what}", of_rows(count, profile.present, "value")),
                "finite or missing".to_owned(),
            )
            .at(rows);
        finding.fix = "correct the source; features treat such values as missing".to_owned();
        findings.push(finding);
    }
    Ok(findings)
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

/// `ENUM_TYPE_UNEXPECTED_STRING_VALUES`: text that is not in `domain`, when its share is above `outside_max`.
pub fn domain(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    let Some(domain) = &rules.domain else {
        return Ok(None);
    };
    let allowed: HashSet<&str> = domain.iter().map(String::as_str).collect();
    let Some(failing) = outside(column, profile, rules, |text| allowed.contains(text))? else {
        return Ok(None);
    };
    let observed = format!(
        "{} not in the domain: {}",
        of_rows(failing.rows.count, profile.present, "value"),
        listed(&failing.values, SHOWN_MAX)
    );
    let shown: Vec<String> = domain.iter().take(SHOWN_MAX).map(|value| format!("{value:?}")).collect();
    let more = if domain.len() > SHOWN_MAX { format!(", … ({} in all)", domain.len()) } else { String::new() };
    let finding = Finding::new("ENUM_TYPE_UNEXPECTED_STRING_VALUES", rules.severity, Some(&rules.name))
        .says(
            with_share(format!("domain of {}", units::plural(domain.len() as u64, "value")), rules),
            observed,
            format!("one of {}{more}", shown.join(", ")),
        )
        .at(failing.rows)
        .settled_by(&format!("add the values to domain of column `{}`", rules.name));
    Ok(Some(finding))
}

/// `PATTERN_MISMATCH`: text that `pattern` does not match as a whole, when its share is above `outside_max`.
pub fn pattern(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    let Some(pattern) = &rules.pattern else {
        return Ok(None);
    };
    let whole = Regex::new(&rules::whole(pattern)).with_context(|| format!("pattern of column `{}`", rules.name))?;
    let Some(failing) = outside(column, profile, rules, |text| whole.is_match(text))? else {
        return Ok(None);
    };
    let observed = format!(
        "{} do not match: {}",
        of_rows(failing.rows.count, profile.present, "value"),
        listed(&failing.values, SHOWN_MAX)
    );
    let finding = Finding::new("PATTERN_MISMATCH", rules.severity, Some(&rules.name))
        .says(
            with_share(format!("pattern = {pattern:?}"), rules),
            observed,
            format!("text that {pattern} matches as a whole"),
        )
        .at(failing.rows)
        .settled_by(&format!("change pattern or raise outside_max of column `{}`", rules.name));
    Ok(Some(finding))
}

/// Rows and values that fail `test`, when their share is above what the rules tolerate.
fn outside(
    column: &Column,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    test: impl Fn(&str) -> bool,
) -> Result<Option<Failing>> {
    // The profile lists every value of a column that has few: then no row needs to be looked at.
    let listed = profile.top.len() as u64 == profile.unique;
    if listed && profile.top.iter().all(|(value, _)| test(value)) {
        return Ok(None);
    }
    let failing = View::of(column)?.texts_failing(test);
    let share = failing.rows.count as f64 / profile.present as f64;
    Ok((share > rules.outside_max).then_some(failing))
}

/// A rule with the share of values that may break it.
fn with_share(rule: String, rules: &ColumnRules) -> String {
    if rules.outside_max > 0.0 { format!("{rule}, outside_max = {:?}", rules.outside_max) } else { rule }
}
