//! The schema itself: rules that contradict each other or do not suit their column are the writer's mistake.

use std::collections::HashSet;

use anyhow::Result;
use regex::Regex;

use crate::base::fail;
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec};

/// Version of the schema format.
pub const SCHEMA_VERSION: u32 = 1;

/// Checks a schema before any data is looked at.
///
/// Errors (usage): another version; a column named twice; a key of unknown columns; shares outside `[0, 1]`; `min` above
/// `max`; rules for numbers on text and the other way round; a pattern that is no regular expression. All are named.
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
            faults.push(format!("column `{}` is described twice", rules.name));
        }
        faults.extend(column_faults(rules).into_iter().map(|fault| format!("column `{}`: {fault}", rules.name)));
    }
    let table = &schema.table;
    faults.extend(
        table
            .key
            .iter()
            .filter(|name| !names.contains(name.as_str()))
            .map(|name| format!("[table] key names `{name}`, which is no column")),
    );
    if !is_share(table.duplicates_max) {
        faults.push(format!("[table] duplicates_max = {:?} is not between 0 and 1", table.duplicates_max));
    }
    if let (Some(least), Some(most)) = (table.rows_min, table.rows_max)
        && least > most
    {
        faults.push(format!("[table] rows_min = {least} is above rows_max = {most}"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(fail::usage(format!("schema.toml contradicts itself: {}", faults.join("; ")))
        .hint("correct it, or write a new one with `mlops validate --init`")
        .into())
}

fn column_faults(rules: &ColumnRules) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, share) in [("missing_max", rules.missing_max), ("outside_max", rules.outside_max)] {
        if !is_share(share) {
            faults.push(format!("{key} = {share:?} is not between 0 and 1"));
        }
    }
    for (key, bound) in [("min", rules.min), ("max", rules.max), ("outliers_iqr", rules.outliers_iqr)] {
        if bound.is_some_and(|bound| !bound.is_finite()) {
            faults.push(format!("{key} is not a finite number"));
        }
        if bound.is_some() && !matches!(rules.column_type, ColumnType::Integer | ColumnType::Float) {
            faults.push(format!("{key} is for numbers, not for {}", rules.column_type.name()));
        }
    }
    if let (Some(min), Some(max)) = (rules.min, rules.max)
        && min > max
    {
        faults.push(format!("min = {min:?} is above max = {max:?}"));
    }
    if rules.outliers_iqr.is_some_and(|factor| factor < 0.0) {
        faults.push("outliers_iqr is negative".to_owned());
    }
    for (key, given) in [("domain", rules.domain.is_some()), ("pattern", rules.pattern.is_some())] {
        if given && rules.column_type != ColumnType::Text {
            faults.push(format!("{key} is for text, not for {}", rules.column_type.name()));
        }
    }
    if let Some(Err(error)) = rules.pattern.as_ref().map(|pattern| Regex::new(&whole(pattern))) {
        faults.push(format!("pattern is no regular expression: {}", error.to_string().replace('\n', " ")));
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
