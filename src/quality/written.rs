//! `schema.toml` as people read it: every rule, and beside it what was seen.

use std::fmt::Write;

use anyhow::Result;

use crate::base::units;
use crate::quality::report::percent;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, Severity, TableRules};

/// Width at which lists go on in the next line.
const WIDTH: usize = 100;
/// Values of a column named in a comment.
const SHOWN_MAX: usize = 5;

const HEADER: &str = "\
# What a table must look like. Written by mlops from data, reviewed by people, kept in git.
# Check a table with `mlops validate`; widen rules with `mlops validate --accept`.
# Keys a column may have, with their defaults: required = true, missing_max = 1.0, outside_max = 0.0, unique = false,
# severity = \"error\" (or \"warning\", \"info\"); numbers: min, max, outliers_iqr; text: domain, pattern.
";

/// The schema as TOML with comments that say what `profile` has seen; reads back equal.
///
/// Written by hand, not by a serialiser, because comments are half of it.
pub fn to_toml(schema: &SchemaSpec, profile: &ProfileRecord) -> Result<String> {
    let mut text = String::from(HEADER);
    writeln!(text, "version = {}\n", schema.version)?;
    write_table(&mut text, &schema.table, profile)?;
    for rules in &schema.columns {
        write_column(&mut text, rules, profile.column(&rules.name))?;
    }
    Ok(text)
}

fn write_table(text: &mut String, rules: &TableRules, profile: &ProfileRecord) -> Result<()> {
    let (rows, columns) = (units::plural(profile.rows, "row"), units::plural(profile.columns.len() as u64, "column"));
    writeln!(text, "[table]  # seen: {rows}, {columns}")?;
    for (key, rows) in [("rows_min", rules.rows_min), ("rows_max", rules.rows_max)] {
        if let Some(rows) = rows {
            writeln!(text, "{key} = {rows}")?;
        }
    }
    if rules.key.is_empty() {
        writeln!(text, "# key = [\"column\", …]  # columns that together identify a row")?;
    } else {
        writeln!(text, "key = {}", list(&rules.key, "key = ".len()))?;
    }
    writeln!(text, "new_columns = {}", quoted(rules.new_columns.name()))?;
    writeln!(text, "duplicates = {}", quoted(rules.duplicates.name()))?;
    writeln!(text, "duplicates_max = {}", float(rules.duplicates_max))?;
    Ok(())
}

fn write_column(text: &mut String, rules: &ColumnRules, seen: Option<&ColumnProfile>) -> Result<()> {
    writeln!(text, "\n[[column]]  # {}", seen.map_or_else(|| "not in the data".to_owned(), describe))?;
    writeln!(text, "name = {}", quoted(&rules.name))?;
    writeln!(text, "type = {}", quoted(rules.column_type.name()))?;
    if !rules.required {
        writeln!(text, "required = false")?;
    }
    writeln!(text, "missing_max = {}", float(rules.missing_max))?;
    for (key, bound) in [("min", rules.min), ("max", rules.max)] {
        if let Some(bound) = bound {
            writeln!(text, "{key} = {}", float(bound))?;
        }
    }
    if let Some(domain) = &rules.domain {
        writeln!(text, "domain = {}", list(domain, "domain = ".len()))?;
    }
    if rules.outside_max != 0.0 {
        writeln!(text, "outside_max = {}", float(rules.outside_max))?;
    }
    if let Some(pattern) = &rules.pattern {
        writeln!(text, "pattern = {}", quoted(pattern))?;
    }
    if rules.unique {
        writeln!(text, "unique = true")?;
    }
    if let Some(factor) = rules.outliers_iqr {
        writeln!(text, "outliers_iqr = {}", float(factor))?;
    }
    if rules.severity != Severity::Error {
        writeln!(text, "severity = {}", quoted(rules.severity.name()))?;
    }
    Ok(())
}

/// What was seen of a column, in one line without line breaks.
fn describe(column: &ColumnProfile) -> String {
    if column.present == 0 {
        return "seen: no value".to_owned();
    }
    let mut parts = vec![match column.unique {
        1 => "one distinct value".to_owned(),
        unique if unique == column.present => "every value distinct".to_owned(),
        unique => format!("{} distinct", units::count(unique)),
    }];
    if column.missing > 0 {
        let share = column.missing as f64 / (column.present + column.missing) as f64;
        parts.insert(0, format!("{} missing", percent(share)));
    }
    let numeric = matches!(column.column_type, ColumnType::Integer | ColumnType::Float);
    match &column.numbers {
        Some(numbers) if numeric => {
            if let (Some(min), Some(max), Some(mean)) = (numbers.min, numbers.max, numbers.mean) {
                parts.push(format!("from {min} to {max}, mean {}", short(mean)));
            }
        }
        _ => {
            let shown = column.top.iter().take(SHOWN_MAX).map(|(value, count)| {
                let value: String = value.chars().take(24).collect();
                format!("{} {}", quoted(&value), units::count(*count))
            });
            parts.extend(shown);
            if column.top.len() > SHOWN_MAX {
                parts.push("…".to_owned());
            }
        }
    }
    format!("seen: {}", parts.join(", "))
}

/// Four significant digits.
fn short(value: f64) -> String {
    format!("{value:.3e}").parse::<f64>().unwrap_or(value).to_string()
}

/// A TOML float: always with a point or an exponent, reads back with the same bits.
fn float(value: f64) -> String {
    format!("{value:?}").to_lowercase()
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(control))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// A TOML array that goes on in the next line when it is wide.
fn list(values: &[String], indent: usize) -> String {
    let items: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let width: usize = items.iter().map(|item| item.chars().count() + 2).sum();
    if indent + width <= WIDTH {
        return format!("[{}]", items.join(", "));
    }
    let mut text = String::from("[");
    let mut column = WIDTH;
    for item in items {
        let length = item.chars().count() + 2;
        if column + length > WIDTH {
            text.push_str("\n    ");
            column = 4;
        } else {
            text.push(' ');
        }
        text.push_str(&item);
        text.push(',');
        column += length;
    }
    text.push_str("\n]");
    text
}
