//! The schema itself: rules that contradict each other or do not suit their column are the writer's mistake.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;
use regex::Regex;

use crate::base::fail;
use crate::base::suggest;
use crate::data::calendar;
use crate::quality::codes;
use crate::quality::{aggregates, conditions, ranges};
use crate::spec::rule::{Bounds, Level, Patterns, ReferenceSpec, Scalar};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, TableRules};

/// What TFDV calls a schema that makes no sense.
const SPECIFICATION: &str = "INVALID_SCHEMA_SPECIFICATION";
/// What TFDV calls a domain that makes no sense.
const DOMAIN: &str = "INVALID_DOMAIN_SPECIFICATION";

/// Version of the schema format.
pub const SCHEMA_VERSION: u32 = 1;

/// Checks a schema before any data is looked at.
///
/// Errors (usage): another version; a column or rule named twice; names of unknown columns; shares outside `[0, 1]`; ends
/// that cross; rules that do not suit their column; patterns, formats, JSON Schemas and SQL that cannot be used. All are
/// named, each with the code that TensorFlow Data Validation has for it.
pub fn check_schema(schema: &SchemaSpec) -> Result<()> {
    if schema.version != SCHEMA_VERSION {
        let found = schema.version;
        return Err(fail::usage(format!("schema.toml has version {found}; this mlops reads version {SCHEMA_VERSION}"))
            .hint(format!("use an mlops that reads schemas of version {found}"))
            .into());
    }
    let mut faults = Vec::new();
    let mut names = HashSet::new();
    for rules in &schema.columns {
        if !names.insert(rules.name.as_str()) {
            faults.push(format!("column `{}` is described twice ({SPECIFICATION})", rules.name));
        }
        let own = column_faults(rules).into_iter();
        faults.extend(own.map(|(code, fault)| format!("column `{}`: {fault} ({code})", rules.name)));
    }
    let mut rules = HashSet::new();
    for rule in &schema.rules {
        if !rules.insert(rule.name.as_str()) {
            faults.push(format!("rule `{}` is given twice ({SPECIFICATION})", rule.name));
        }
        let own = conditions::faults(rule).into_iter();
        faults.extend(own.map(|fault| format!("rule `{}` {fault} ({SPECIFICATION})", rule.name)));
    }
    faults.extend(
        table_faults(&schema.table, &names).into_iter().map(|fault| format!("[table] {fault} ({SPECIFICATION})")),
    );
    if faults.is_empty() {
        return Ok(());
    }
    Err(fail::usage(format!("schema.toml contradicts itself: {}", faults.join("; ")))
        .hint("correct it, or write a new one with `mlops validate --init`")
        .into())
}

fn table_faults(table: &TableRules, names: &HashSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    let lists = [("key", &table.key)].into_iter().chain(table.unique.iter().map(|set| ("unique", set)));
    for (key, list) in lists {
        let unknown = list.iter().filter(|name| !names.contains(name.as_str()));
        faults.extend(unknown.map(|name| format!("{key} names `{name}`, which is no column")));
    }
    if !is_share(table.duplicates_max) {
        faults.push(format!("duplicates_max = {:?} is not between 0 and 1", table.duplicates_max));
    }
    let ends = [
        ("rows_min", table.rows_min, "rows_max", table.rows_max),
        ("columns_min", table.columns_min, "columns_max", table.columns_max),
    ];
    for (low, least, high, most) in ends {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            faults.push(format!("{low} = {least} is above {high} = {most}"));
        }
    }
    faults.extend(unknown_codes(&table.severities));
    faults
}

/// Codes that no finding has.
fn unknown_codes(severities: &BTreeMap<String, Level>) -> Vec<String> {
    let known = codes::known;
    let unknown = severities.keys().filter(|name| !known().any(|code| code == name.as_str()));
    unknown
        .map(|name| match suggest::nearest(name, known()) {
            Some(near) => format!("severities names `{name}`, which is no code; did you mean `{near}`?"),
            None => format!("severities names `{name}`, which is no code"),
        })
        .collect()
}

type Fault = (&'static str, String);

fn column_faults(rules: &ColumnRules) -> Vec<Fault> {
    let mut faults = unsuited(rules);
    for (key, share) in [("missing_max", rules.missing_max), ("outside_max", rules.outside_max)] {
        if !is_share(share) {
            faults.push((SPECIFICATION, format!("{key} = {share:?} is not between 0 and 1")));
        }
    }
    for (key, value) in [("outliers_iqr", rules.outliers_iqr), ("z_max", rules.z_max)] {
        if value.is_some_and(|value| !value.is_finite()) {
            faults.push((DOMAIN, format!("{key} is not a finite number")));
        } else if value.is_some_and(|value| value < 0.0) {
            faults.push((DOMAIN, format!("{key} is negative")));
        }
    }
    faults.extend(ends(rules));
    if rules.domain.as_ref().is_some_and(Vec::is_empty) {
        faults.push((DOMAIN, "domain is empty: no value would be allowed".to_owned()));
    }
    let texts = |key: &str, patterns: &Option<Patterns>, as_whole: bool| -> Vec<Fault> {
        let all = patterns.iter().flat_map(|patterns| patterns.all());
        let wrong =
            all.filter_map(|pattern| Regex::new(&if as_whole { whole(pattern) } else { pattern.clone() }).err());
        wrong
            .map(|error| (DOMAIN, format!("{key} is no regular expression: {}", error.to_string().replace('\n', " "))))
            .collect()
    };
    faults.extend(texts("pattern", &rules.pattern, true));
    faults.extend(texts("not_pattern", &rules.not_pattern, false));
    if let Some(error) = rules.date_format.as_ref().and_then(|format| calendar::format_fault(format)) {
        faults.push((DOMAIN, format!("date_format cannot be used: {error}")));
    }
    if let Some(error) = rules.json_schema.as_ref().and_then(|schema| jsonschema::validator_for(schema).err()) {
        faults.push((DOMAIN, format!("json_schema cannot be used: {error}")));
    }
    faults.extend(rules.reference.iter().flat_map(reference_faults));
    for share in rules.quantiles.keys().filter(|share| !share.parse().is_ok_and(is_share)) {
        faults.push((SPECIFICATION, format!("quantiles: {share:?} is no share between 0 and 1")));
    }
    faults.extend(unknown_codes(&rules.severities).into_iter().map(|fault| (SPECIFICATION, fault)));
    faults
}

/// Rules that mean nothing for values of the column's type.
fn unsuited(rules: &ColumnRules) -> Vec<Fault> {
    let of = rules.column_type;
    let number = matches!(of, ColumnType::Integer | ColumnType::Float);
    let ordered = number || matches!(of, ColumnType::Date | ColumnType::Timestamp);
    let text = of == ColumnType::Text;
    let numbers: Vec<&str> = aggregates::statistics(rules)
        .iter()
        .filter(|(_, _, bounds)| bounds.is_some())
        .map(|(key, _, _)| *key)
        .collect();
    let mut uses = vec![
        ("min", rules.min.is_some(), ordered, "numbers and dates"),
        ("max", rules.max.is_some(), ordered, "numbers and dates"),
        ("above", rules.above.is_some(), ordered, "numbers and dates"),
        ("below", rules.below.is_some(), ordered, "numbers and dates"),
        ("order", rules.order.is_some(), ordered, "numbers and dates"),
        ("outliers_iqr", rules.outliers_iqr.is_some(), number, "numbers"),
        ("z_max", rules.z_max.is_some(), number, "numbers"),
        ("finite", rules.finite.is_some(), number, "numbers"),
        ("quantiles", !rules.quantiles.is_empty(), number, "numbers"),
        ("domain", rules.domain.is_some(), of != ColumnType::Boolean, "text, numbers and dates"),
        ("pattern", rules.pattern.is_some(), text, "text"),
        ("not_pattern", rules.not_pattern.is_some(), text, "text"),
        ("length_min", rules.length_min.is_some(), text, "text"),
        ("length_max", rules.length_max.is_some(), text, "text"),
        ("date_format", rules.date_format.is_some(), text, "text"),
        ("json", rules.json || rules.json_schema.is_some(), text, "text"),
        ("semantic", rules.semantic.is_some(), text, "text"),
    ];
    uses.extend(numbers.into_iter().map(|key| (key, true, number, "numbers")));
    let unsuited = uses.into_iter().filter(|(_, given, suits, _)| *given && !suits);
    let mut faults: Vec<Fault> = unsuited
        .map(|(key, _, _, what)| ("DOMAIN_INVALID_FOR_TYPE", format!("{key} is for {what}, not for {}", of.name())))
        .collect();
    let words = (rules.true_values.is_empty(), rules.false_values.is_empty());
    let shared = rules.true_values.iter().any(|text| rules.false_values.contains(text));
    match words {
        (true, true) => {}
        _ if of != ColumnType::Boolean => {
            faults.push((
                "BOOL_TYPE_INVALID_CONFIG",
                format!("true_values and false_values are for boolean, not for {}", of.name()),
            ));
        }
        (false, false) if !shared => {}
        _ => faults.push(("BOOL_TYPE_INVALID_CONFIG", "give true_values and false_values that differ".to_owned())),
    }
    faults
}

/// Ends that are no values of the column, and ends that cross.
fn ends(rules: &ColumnRules) -> Vec<Fault> {
    let mut faults = Vec::new();
    let times = matches!(rules.column_type, ColumnType::Date | ColumnType::Timestamp);
    let place = |value: &Scalar| match value.number() {
        Some(number) if !times => Some(number).filter(|number| number.is_finite()),
        _ if times => ranges::moment(&value.text()).map(|micros| micros as f64),
        _ => None,
    };
    let mut known: Vec<(&str, f64)> = Vec::new();
    for (key, bound) in [("min", &rules.min), ("above", &rules.above), ("max", &rules.max), ("below", &rules.below)] {
        let Some(bound) = bound else { continue };
        match place(bound) {
            Some(place) => known.push((key, place)),
            None if times => {
                faults.push((DOMAIN, format!("{key} = {} is no date or time stamp", ranges::literal(bound))))
            }
            None => faults.push((DOMAIN, format!("{key} is not a finite number"))),
        }
    }
    let none: Vec<Scalar> = Vec::new();
    let domain = rules.domain.as_ref().unwrap_or(&none);
    let of = rules.column_type;
    let listed = [("domain", domain), ("not_in", &rules.not_in), ("contains", &rules.contains)];
    for (key, values) in listed.into_iter().filter(|_| of != ColumnType::Text && of != ColumnType::Boolean) {
        let odd = values.iter().find(|value| place(value).is_none());
        faults
            .extend(odd.map(|odd| (DOMAIN, format!("{key} has {}, which is no {}", ranges::literal(odd), of.name()))));
    }
    let is_low = |key: &str| key == "min" || key == "above";
    for (low, least) in known.iter().filter(|(key, _)| is_low(key)) {
        for (high, most) in known.iter().filter(|(key, most)| !is_low(key) && least > most) {
            let shown = |value: f64| if times { String::new() } else { format!(" = {value:?}") };
            faults.push((DOMAIN, format!("{low}{} is above {high}{}", shown(*least), shown(*most))));
        }
    }
    let lengths = rules.length_min.zip(rules.length_max).filter(|(least, most)| least > most);
    if let Some((least, most)) = lengths {
        faults.push((DOMAIN, format!("length_min = {least} is above length_max = {most}")));
    }
    let statistics = aggregates::statistics(rules).into_iter().map(|(key, _, bounds)| (key, bounds));
    let all = statistics
        .chain([("unique_share", rules.unique_share)])
        .chain(rules.quantiles.iter().map(|(key, bounds)| (key.as_str(), Some(*bounds))));
    for (key, bounds) in all {
        if let Some(Bounds { min: Some(min), max: Some(max) }) = bounds.filter(|bounds| bounds.min > bounds.max) {
            faults.push((DOMAIN, format!("{key}: min = {min:?} is above max = {max:?}")));
        }
    }
    faults
}

fn reference_faults(reference: &ReferenceSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    let bins = !reference.edges.is_empty();
    let count = if bins { reference.edges.len() - 1 } else { reference.values.len() };
    if bins != reference.values.is_empty() {
        faults.push((DOMAIN, "reference has either values or edges".to_owned()));
    } else if count != reference.shares.len() || count == 0 {
        faults.push((DOMAIN, format!("reference needs one share for each of its {count} values or bins")));
    }
    if reference.shares.iter().any(|share| !share.is_finite() || *share < 0.0)
        || reference.shares.iter().sum::<f64>() <= 0.0
    {
        faults.push((DOMAIN, "the shares of reference are no distribution".to_owned()));
    }
    if reference.edges.windows(2).any(|pair| pair[0] >= pair[1]) {
        faults.push((DOMAIN, "the edges of reference do not rise".to_owned()));
    }
    if reference.ks_p_min.is_some() && !bins {
        faults.push((DOMAIN, "ks_p_min of reference needs edges".to_owned()));
    }
    faults
}

fn is_share(share: f64) -> bool {
    (0.0..=1.0).contains(&share)
}

/// A pattern that has to match from the first to the last character.
pub fn whole(pattern: &str) -> String {
    format!(r"\A(?:{pattern})\z")
}

/// `share` rounded up to a multiple of `1 / steps`, at most 1.
pub fn share_up(share: f64, steps: f64) -> f64 {
    let up = (share * steps).ceil() / steps;
    let up = if up < share { ((share * steps).ceil() + 1.0) / steps } else { up };
    up.clamp(0.0, 1.0)
}
