//! Rules about single numbers, dates and time stamps: bounds, lists, finiteness, distance from the mean.

use std::collections::HashSet;

use anyhow::Result;

use crate::base::fail;
use crate::base::units;
use crate::data::value::{self, DAY_MICROS};
use crate::quality::checks::{RowCheck, SHOWN_MAX, Tolerance};
use crate::quality::rows::{View, float_key};
use crate::quality::scan::Test;
use crate::record::profile::{ColumnProfile, NumberProfile};
use crate::spec::rule::Scalar;
use crate::spec::schema::{ColumnRules, ColumnType, Severity};

/// Whole numbers up to this size are floats too.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// An end of a range.
struct End<'a> {
    key: &'static str,
    bound: &'a Scalar,
    /// 1 for an upper end, -1 for a lower one.
    sign: f64,
    strict: bool,
}

/// Bounds, `domain`, `not_in` and `z_max` of numbers, dates and time stamps that the profile does not already settle.
///
/// Infinite values are outside every bound; not-a-number has a finding of its own. Errors: a bound that is no date.
pub fn checks(view: View<'_>, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<RowCheck<'static>>> {
    let mut checks = Vec::new();
    let ends = [
        ("min", &rules.min, -1.0, false),
        ("above", &rules.above, -1.0, true),
        ("max", &rules.max, 1.0, false),
        ("below", &rules.below, 1.0, true),
    ];
    for (key, bound, sign, strict) in ends {
        if let Some(bound) = bound {
            checks.extend(bounded(view, profile, rules, &End { key, bound, sign, strict })?);
        }
    }
    if let Some(domain) = &rules.domain
        && !settled(profile, |text| domain.iter().any(|value| same_text(value, text)))
    {
        let shown: Vec<String> = domain.iter().take(SHOWN_MAX).map(Scalar::text).collect();
        checks.push(RowCheck {
            code: "DOMAIN_UNEXPECTED_VALUES",
            severity: rules.severity,
            rule: format!("domain of {}", units::plural(domain.len() as u64, "value")),
            says: "not in the domain".to_owned(),
            expected: format!("one of {}{}", shown.join(", "), if domain.len() > SHOWN_MAX { ", …" } else { "" }),
            edit: format!("add the values to domain of column `{}`", rules.name),
            test: listed(view, domain, true)?,
            tolerance: Tolerance::Alone,
        });
    }
    if !rules.not_in.is_empty() && !settled(profile, |text| !rules.not_in.iter().any(|value| same_text(value, text))) {
        checks.push(RowCheck {
            code: "VALUE_FORBIDDEN",
            severity: rules.severity,
            rule: format!("not_in = [{}]", rules.not_in.iter().map(Scalar::text).collect::<Vec<_>>().join(", ")),
            says: "are not allowed".to_owned(),
            expected: "other values".to_owned(),
            edit: format!("change not_in or raise outside_max of column `{}`", rules.name),
            test: listed(view, &rules.not_in, false)?,
            tolerance: Tolerance::Alone,
        });
    }
    checks.extend(z_scores(profile, rules, view));
    Ok(checks)
}

/// Whether the profile lists every value, and all of them pass.
fn settled(profile: &ColumnProfile, passes: impl Fn(&str) -> bool) -> bool {
    profile.present == 0
        || (profile.top.len() as u64 == profile.unique && profile.top.iter().all(|(text, _)| passes(text)))
}

/// Whether the value is the one that a profile writes so.
pub fn same_text(value: &Scalar, text: &str) -> bool {
    match value.number() {
        Some(number) => value::float(text) == Some(number),
        None => value.text() == text,
    }
}

fn bounded(
    view: View<'_>,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    end: &End<'_>,
) -> Result<Option<RowCheck<'static>>> {
    let Some(numbers) = &profile.numbers else {
        return Ok(None);
    };
    let bound = position(view, end.bound).ok_or_else(|| {
        fail::usage(format!("column `{}`: {} = {} is no value of it", rules.name, end.key, end.bound.text()))
    })?;
    let seen = if end.sign > 0.0 { numbers.max } else { numbers.min };
    let outside = |seen: f64| seen * end.sign > bound * end.sign || (end.strict && seen == bound);
    let exact = bound.abs() < EXACT_MAX;
    if numbers.infinite == 0 && exact && !seen.is_some_and(outside) {
        return Ok(None);
    }
    let (sign, strict) = (end.sign, end.strict);
    let whole = whole_bound(view, end.bound, bound);
    let test = match view {
        View::Float(_) => Test::Real(Box::new(move |value| {
            value.is_nan() || if strict { value * sign < bound * sign } else { value * sign <= bound * sign }
        })),
        _ if sign > 0.0 => Test::Whole(Box::new(move |value| whole.holds_below(value, strict))),
        _ => Test::Whole(Box::new(move |value| whole.holds_above(value, strict))),
    };
    let low = sign < 0.0;
    let code = match (rules.column_type, low) {
        (ColumnType::Integer, true) => "INT_TYPE_SMALL_INT",
        (ColumnType::Integer, false) => "INT_TYPE_BIG_INT",
        (ColumnType::Float, true) => "FLOAT_TYPE_SMALL_FLOAT",
        (ColumnType::Float, false) => "FLOAT_TYPE_BIG_FLOAT",
        (_, true) => "TIME_TOO_EARLY",
        (_, false) => "TIME_TOO_LATE",
    };
    let is_time = matches!(view, View::Date(_) | View::Time(_));
    let (extreme, side, expected) = match (low, is_time) {
        (true, false) => {
            ("smallest", if strict { "not above" } else { "below" }, if strict { "above" } else { "at least" })
        }
        (false, false) => {
            ("largest", if strict { "not below" } else { "above" }, if strict { "below" } else { "at most" })
        }
        (true, true) => {
            ("earliest", if strict { "not after" } else { "before" }, if strict { "after" } else { "not before" })
        }
        (false, true) => {
            ("latest", if strict { "not before" } else { "after" }, if strict { "before" } else { "not after" })
        }
    };
    let (written, seen) = (end.bound.text(), seen.map_or_else(|| "infinite".to_owned(), |seen| shown(view, seen)));
    Ok(Some(RowCheck {
        code,
        severity: rules.severity,
        rule: format!("{} = {}", end.key, literal(end.bound)),
        says: format!("{side} {written}; {extreme} {seen}"),
        expected: format!("{expected} {written}"),
        edit: format!("change {} of column `{}`", end.key, rules.name),
        test,
        tolerance: Tolerance::Range,
    }))
}

/// A value as TOML writes it.
pub fn literal(value: &Scalar) -> String {
    match value {
        Scalar::Float(value) => format!("{value:?}"),
        Scalar::Text(text) => format!("{text:?}"),
        other => other.text(),
    }
}

/// A number, or a moment in microseconds, as people write it.
pub fn shown(view: View<'_>, value: f64) -> String {
    match view {
        View::Date(_) => value::date_text((value as i64).div_euclid(DAY_MICROS) as i32),
        View::Time(_) => value::timestamp_text(value as i64),
        _ => value.to_string(),
    }
}

/// Where a value lies among those of a column: the number, or microseconds since 1970.
pub fn position(view: View<'_>, value: &Scalar) -> Option<f64> {
    match view {
        View::Date(_) | View::Time(_) => moment(&value.text()).map(|micros| micros as f64),
        _ => value.number().filter(|number| !number.is_nan()),
    }
}

/// A date or a time stamp in microseconds since 1970.
pub fn moment(text: &str) -> Option<i64> {
    value::date(text).map(|days| i64::from(days) * DAY_MICROS).or_else(|| value::timestamp(text))
}

/// A bound of whole numbers: exact where it was written as one.
#[derive(Clone, Copy)]
enum Whole {
    Exact(i64),
    Float(f64),
}

fn whole_bound(view: View<'_>, written: &Scalar, bound: f64) -> Whole {
    match (view, written) {
        (View::Date(_) | View::Time(_), _) => moment(&written.text()).map_or(Whole::Float(bound), Whole::Exact),
        (_, Scalar::Integer(value)) => Whole::Exact(*value),
        _ => Whole::Float(bound),
    }
}

impl Whole {
    fn holds_below(self, value: i64, strict: bool) -> bool {
        match self {
            Whole::Exact(bound) => value < bound || (!strict && value == bound),
            Whole::Float(bound) => (value as f64) < bound || (!strict && value as f64 == bound),
        }
    }

    fn holds_above(self, value: i64, strict: bool) -> bool {
        match self {
            Whole::Exact(bound) => value > bound || (!strict && value == bound),
            Whole::Float(bound) => (value as f64) > bound || (!strict && value as f64 == bound),
        }
    }
}

/// Whether a value is (`inside`) or is not one of `values`.
fn listed(view: View<'_>, values: &[Scalar], inside: bool) -> Result<Test<'static>> {
    if let View::Float(_) = view {
        let known: HashSet<u64> = values.iter().filter_map(Scalar::number).map(float_key).collect();
        return Ok(Test::Real(Box::new(move |value| value.is_nan() || known.contains(&float_key(value)) == inside)));
    }
    let whole = |value: &Scalar| match (view, value) {
        (View::Date(_) | View::Time(_), _) => moment(&value.text()),
        (_, Scalar::Integer(value)) => Some(*value),
        (_, Scalar::Float(value)) if value.fract() == 0.0 => Some(*value as i64),
        _ => None,
    };
    let known: HashSet<i64> = values.iter().filter_map(whole).collect();
    Ok(Test::Whole(Box::new(move |value| known.contains(&value) == inside)))
}

/// `Z_SCORE_HIGH`: values more than `z_max` standard deviations (n - 1) from the mean.
fn z_scores(profile: &ColumnProfile, rules: &ColumnRules, view: View<'_>) -> Option<RowCheck<'static>> {
    let (most, numbers) = (rules.z_max?, profile.numbers.as_ref()?);
    let (mean, std) = (numbers.mean?, numbers.std.filter(|std| *std > 0.0)?);
    let reach = |value: f64| (value - mean).abs() / std;
    let farthest = reach(numbers.min?).max(reach(numbers.max?));
    if farthest <= most {
        return None;
    }
    let test = match view {
        View::Float(_) => Test::Real(Box::new(move |value| !value.is_finite() || (value - mean).abs() / std <= most)),
        _ => Test::Whole(Box::new(move |value| (value as f64 - mean).abs() / std <= most)),
    };
    Some(RowCheck {
        code: "Z_SCORE_HIGH",
        severity: rules.severity,
        rule: format!("z_max = {most:?}"),
        says: format!("too far from the mean; farthest {farthest:.2} standard deviations"),
        expected: format!("at most {most} standard deviations from the mean"),
        edit: format!("raise z_max of column `{}`", rules.name),
        test,
        tolerance: Tolerance::Alone,
    })
}

/// Code, number of values, what they are, the test that they fail.
type Kind = (&'static str, u64, &'static str, fn(f64) -> bool);

/// `FLOAT_TYPE_HAS_NAN`, `FLOAT_TYPE_HAS_INF`: values that are not numbers one can compute with. A warning unless
/// `finite` says more, as features treat them as missing.
pub fn not_finite(profile: &ColumnProfile, rules: &ColumnRules) -> Vec<RowCheck<'static>> {
    let Some(NumberProfile { nan, infinite, .. }) = profile.numbers else {
        return Vec::new();
    };
    if rules.finite == Some(false) {
        return Vec::new();
    }
    let strict = rules.finite == Some(true);
    let severity = if strict { rules.severity } else { rules.severity.min(Severity::Warning) };
    let kinds: [Kind; 2] = [
        ("FLOAT_TYPE_HAS_NAN", nan, "not-a-number", |value| !value.is_nan()),
        ("FLOAT_TYPE_HAS_INF", infinite, "infinite", |value| !value.is_infinite()),
    ];
    let found = kinds.into_iter().filter(|(_, count, _, _)| *count > 0);
    found
        .map(|(code, _, what, test)| RowCheck {
            code,
            severity,
            rule: if strict { "finite = true" } else { "finite numbers" }.to_owned(),
            says: what.to_owned(),
            expected: "finite or missing".to_owned(),
            edit: format!(
                "correct the source (features treat such values as missing), set finite = false for column `{}`",
                rules.name
            ),
            test: Test::Real(Box::new(test)),
            tolerance: Tolerance::Never,
        })
        .collect()
}
