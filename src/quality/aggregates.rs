//! Rules about a column as a whole: numbers of distinct values, moments, quantiles, values that must occur.

use anyhow::Result;
use polars::prelude::Column;

use crate::base::units;
use crate::data::profile::sums::quantile;
use crate::quality::found::Found;
use crate::quality::ranges::{position, same_text};
use crate::quality::report::Finding;
use crate::quality::rows::View;
use crate::record::profile::{ColumnProfile, NumberProfile, QUANTILES};
use crate::spec::rule::{Bounds, Scalar};
use crate::spec::schema::ColumnRules;

/// Every rule about the column as a whole except its distribution.
pub fn checks(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    found.extend(unique_count(profile, rules).map(Found::from));
    let share = (profile.present > 0).then(|| profile.unique as f64 / profile.present as f64);
    found.extend(bounded(rules, "unique_share", "UNIQUE_SHARE_OUTSIDE", rules.unique_share, share).map(Found::from));
    let numbers = profile.numbers.as_ref();
    for (key, code, bounds) in statistics(rules) {
        let value = numbers.and_then(|numbers| statistic(key, numbers, profile));
        found.extend(bounded(rules, key, code, bounds, value).map(Found::from));
    }
    for (share, bounds) in &rules.quantiles {
        let value = quantile_of(column, profile, share.parse().unwrap_or(f64::NAN))?;
        let key = format!("quantiles.{share:?}");
        found.extend(bounded(rules, &key, "QUANTILE_OUTSIDE", Some(*bounds), value).map(Found::from));
    }
    found.extend(most_common(profile, rules).map(Found::from));
    found.extend(contains(column, profile, rules)?.map(Found::from));
    Ok(found)
}

/// The statistics that may have bounds: key, code, bounds.
pub fn statistics(rules: &ColumnRules) -> [(&'static str, &'static str, Option<Bounds>); 6] {
    [
        ("mean", "MEAN_OUTSIDE", rules.mean),
        ("median", "MEDIAN_OUTSIDE", rules.median),
        ("std", "STD_OUTSIDE", rules.std),
        ("sum", "SUM_OUTSIDE", rules.sum),
        ("smallest", "SMALLEST_OUTSIDE", rules.smallest),
        ("largest", "LARGEST_OUTSIDE", rules.largest),
    ]
}

/// One of [`statistics`] by its key; none when there is no number to compute it from. The sum is mean times count.
pub fn statistic(key: &str, numbers: &NumberProfile, profile: &ColumnProfile) -> Option<f64> {
    let finite = profile.present - numbers.nan - numbers.infinite;
    match key {
        "mean" => numbers.mean,
        "median" => numbers.quantiles.get(5).copied(),
        "std" => numbers.std,
        "sum" => numbers.mean.map(|mean| mean * finite as f64),
        "smallest" => numbers.min,
        "largest" => numbers.max,
        _ => None,
    }
}

/// A quantile of the finite numbers; from the profile where it has it, else from the sorted column.
pub fn quantile_of(column: &Column, profile: &ColumnProfile, share: f64) -> Result<Option<f64>> {
    if !(0.0..=1.0).contains(&share) {
        return Ok(None);
    }
    let known = QUANTILES.iter().position(|known| *known == share);
    if let (Some(at), Some(numbers)) = (known, &profile.numbers) {
        return Ok(numbers.quantiles.get(at).copied());
    }
    let mut values: Vec<f64> =
        View::of(column)?.numbers().map(|(_, value)| value).filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    Ok((!values.is_empty()).then(|| quantile(&values, share)))
}

/// A statistic outside its bounds, or `STATS_NOT_AVAILABLE` when there is no value to compute it from.
fn bounded(rules: &ColumnRules, key: &str, code: &str, bounds: Option<Bounds>, value: Option<f64>) -> Option<Finding> {
    let bounds = bounds?;
    let rule = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("{key} = {{ min = {min:?}, max = {max:?} }}"),
        (Some(min), None) => format!("{key} = {{ min = {min:?} }}"),
        (None, Some(max)) => format!("{key} = {{ max = {max:?} }}"),
        (None, None) => return None,
    };
    let expected = match (bounds.min, bounds.max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (_, max) => format!("at most {}", max.unwrap_or(f64::INFINITY)),
    };
    let Some(value) = value else {
        let observed = format!("no value to compute {key} from");
        let finding = Finding::new("STATS_NOT_AVAILABLE", rules.severity, Some(&rules.name));
        return Some(
            finding.says(rule, observed, expected).settled_by(&format!("remove {key} of column `{}`", rules.name)),
        );
    };
    if bounds.min.is_none_or(|min| value >= min) && bounds.max.is_none_or(|max| value <= max) {
        return None;
    }
    let finding = Finding::new(code, rules.severity, Some(&rules.name));
    Some(
        finding
            .says(rule, format!("{key} is {value}"), expected)
            .settled_by(&format!("change {key} of column `{}`", rules.name)),
    )
}

/// `FEATURE_TYPE_LOW_UNIQUE`, `FEATURE_TYPE_HIGH_UNIQUE`; `FEATURE_TYPE_NO_UNIQUE` when there is no value to count.
fn unique_count(profile: &ColumnProfile, rules: &ColumnRules) -> Option<Finding> {
    let bounds = rules.unique_count?;
    let seen = profile.unique;
    let low = bounds.min.filter(|least| seen < *least);
    let high = bounds.max.filter(|most| seen > *most);
    let (code, rule, expected, away) = match (low, high) {
        (Some(least), _) => {
            let code = if seen == 0 { "FEATURE_TYPE_NO_UNIQUE" } else { "FEATURE_TYPE_LOW_UNIQUE" };
            (code, format!("min = {least}"), format!("at least {least}"), least - seen)
        }
        (_, Some(most)) => {
            ("FEATURE_TYPE_HIGH_UNIQUE", format!("max = {most}"), format!("at most {most}"), seen - most)
        }
        _ => return None,
    };
    let mut finding = Finding::new(code, rules.severity, Some(&rules.name))
        .says(format!("unique_count = {{ {rule} }}"), units::plural(seen, "distinct value"), expected)
        .settled_by(&format!("change unique_count of column `{}`", rules.name));
    finding.count = away;
    Some(finding)
}

/// `MOST_COMMON_UNEXPECTED`: the most frequent value is none of `most_common`; of values equally frequent one is enough.
fn most_common(profile: &ColumnProfile, rules: &ColumnRules) -> Option<Finding> {
    let (_, most) = profile.top.first().filter(|_| !rules.most_common.is_empty())?;
    let leading = profile.top.iter().take_while(|(_, count)| count == most);
    let listed = |text: &str| rules.most_common.iter().any(|value| same_text(value, text));
    if leading.clone().any(|(text, _)| listed(text)) {
        return None;
    }
    let (leader, count) = profile.top.first()?;
    let wanted: Vec<String> = rules.most_common.iter().map(Scalar::text).collect();
    let mut finding = Finding::new("MOST_COMMON_UNEXPECTED", rules.severity, Some(&rules.name))
        .says(
            format!("most_common = {wanted:?}"),
            format!("the most frequent value is {leader:?} ({})", units::count(*count)),
            format!("one of {}", wanted.join(", ")),
        )
        .settled_by(&format!("add the value to most_common of column `{}`", rules.name));
    finding.count = *count;
    Some(finding)
}

/// `VALUES_MISSING`: values that must occur and do not.
fn contains(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    if rules.contains.is_empty() {
        return Ok(None);
    }
    let missing = absent(column, profile, &rules.contains)?;
    if missing.is_empty() {
        return Ok(None);
    }
    let mut finding = Finding::new("VALUES_MISSING", rules.severity, Some(&rules.name))
        .says(
            format!("contains {}", units::plural(rules.contains.len() as u64, "value")),
            format!("{} not occur: {}", if missing.len() == 1 { "1 does" } else { "several do" }, missing.join(", ")),
            "each of them at least once".to_owned(),
        )
        .settled_by(&format!("remove the values from contains of column `{}`", rules.name));
    finding.count = missing.len() as u64;
    Ok(Some(finding))
}

/// Those of `values` that the column does not hold, as text.
pub fn absent(column: &Column, profile: &ColumnProfile, values: &[Scalar]) -> Result<Vec<String>> {
    let complete = profile.top.len() as u64 == profile.unique;
    let view = View::of(column)?;
    let mut missing = Vec::new();
    for value in values {
        let listed = profile.top.iter().any(|(text, _)| same_text(value, text));
        let occurs = || match view {
            View::Text(texts) => texts.iter().flatten().any(|text| *text == *value.text()),
            view => {
                position(view, value).is_some_and(|wanted| view.numbers_failing(|number| number != wanted).count > 0)
            }
        };
        if !listed && (complete || !occurs()) {
            missing.push(value.text());
        }
    }
    Ok(missing)
}
