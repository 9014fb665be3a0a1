//! `schema.toml` as people read it: every rule, and beside it what was seen.

use std::fmt::Write;

use anyhow::Result;

use crate::base::units;
use crate::data::value::{self, DAY_MICROS};
use crate::quality::report::percent;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, TableRules};

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
        text.push_str(&column_text(rules, profile.column(&rules.name))?);
    }
    for rule in &schema.rules {
        writeln!(text, "\n[[rule]]")?;
        write_keys(&mut text, toml::Table::try_from(rule)?, toml::Table::new(), RULE_KEYS)?;
    }
    Ok(text)
}

/// Keys in the order in which they are written; others follow.
const TABLE_KEYS: &[&str] = &[
    "rows_min",
    "rows_max",
    "columns_min",
    "columns_max",
    "columns_ordered",
    "key",
    "near_keys",
    "unique",
    "new_columns",
    "duplicates",
    "duplicates_max",
];
const COLUMN_KEYS: &[&str] = &[
    "name",
    "type",
    "stage",
    "environments",
    "not_environments",
    "required",
    "missing_max",
    "present_min",
    "min",
    "above",
    "max",
    "below",
    "domain",
    "not_in",
    "outside_max",
    "pattern",
    "not_pattern",
    "length_min",
    "length_max",
    "unique",
];
const RULE_KEYS: &[&str] = &["name", "when", "check", "sql"];

fn write_table(text: &mut String, rules: &TableRules, profile: &ProfileRecord) -> Result<()> {
    let (rows, columns) = (units::plural(profile.rows, "row"), units::plural(profile.columns.len() as u64, "column"));
    writeln!(text, "[table]  # seen: {rows}, {columns}")?;
    let mut usual = toml::Table::try_from(TableRules::default())?;
    for kept in ["new_columns", "duplicates", "duplicates_max"] {
        usual.remove(kept);
    }
    let mut keys = toml::Table::try_from(rules)?;
    let rows = keys.iter().filter(|(key, _)| key.starts_with("rows_")).map(|(key, value)| (key.clone(), value.clone()));
    let rows: toml::Table = rows.collect();
    keys.retain(|key, _| !rows.contains_key(key));
    write_keys(text, rows, toml::Table::new(), TABLE_KEYS)?;
    if rules.key.is_empty() {
        match proposed_key(profile) {
            Some(name) => writeln!(text, "# key = [{}]  # every value is there, and no value twice", quoted(name))?,
            None => writeln!(text, "# key = [\"column\", …]  # columns that together identify a row")?,
        }
    }
    write_keys(text, keys, usual, TABLE_KEYS)
}

/// The first column that identifies rows: text or whole numbers, all there, no value twice.
fn proposed_key(profile: &ProfileRecord) -> Option<&str> {
    let identifies = |column: &&ColumnProfile| {
        let kind = matches!(column.column_type, ColumnType::Text | ColumnType::Integer);
        kind && column.missing == 0 && column.present > 1 && column.unique == column.present
    };
    profile.columns.iter().find(identifies).map(|column| column.name.as_str())
}

/// One `[[column]]` with an empty line before it.
pub fn column_text(rules: &ColumnRules, seen: Option<&ColumnProfile>) -> Result<String> {
    let mut text = format!("\n[[column]]  # {}\n", seen.map_or_else(|| "not in the data".to_owned(), describe));
    let mut usual = toml::Table::try_from(ColumnRules::new(&rules.name, rules.column_type))?;
    for kept in ["name", "type", "missing_max"] {
        usual.remove(kept);
    }
    write_keys(&mut text, toml::Table::try_from(rules)?, usual, COLUMN_KEYS)?;
    Ok(text)
}

/// All keys but those with their usual value.
fn write_keys(text: &mut String, mut keys: toml::Table, usual: toml::Table, order: &[&str]) -> Result<()> {
    keys.retain(|key, value| usual.get(key) != Some(value));
    let first = order.iter().filter_map(|key| keys.remove(*key).map(|value| ((*key).to_owned(), value)));
    let first: Vec<(String, toml::Value)> = first.collect();
    for (key, value) in first.into_iter().chain(keys) {
        writeln!(text, "{key} = {}", value_text(&value, key.len() + 3))?;
    }
    Ok(())
}

/// A value as TOML; a long list goes on in the next lines, tables stay in one. `indent` is where it starts.
pub fn value_text(value: &toml::Value, indent: usize) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Float(value) => float(*value),
        toml::Value::Array(items) => {
            list(&items.iter().map(|item| value_text(item, indent)).collect::<Vec<_>>(), indent)
        }
        toml::Value::Table(table) => {
            let inner =
                |(key, value): (&String, &toml::Value)| format!("{} = {}", bare(key), value_text(value, indent));
            format!("{{ {} }}", table.iter().map(inner).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// A key, in quotes where it needs them.
fn bare(key: &str) -> String {
    let plain =
        !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    if plain { key.to_owned() } else { quoted(key) }
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
        Some(numbers) => {
            if let (Some(min), Some(max)) = (numbers.min, numbers.max) {
                parts.push(format!("from {} to {}", moment(column.column_type, min), moment(column.column_type, max)));
            }
        }
        None => {
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

/// Microseconds since 1970 as a date or a time stamp.
pub fn moment(column_type: ColumnType, micros: f64) -> String {
    match column_type {
        ColumnType::Date => value::date_text((micros as i64).div_euclid(DAY_MICROS) as i32),
        _ => value::timestamp_text(micros as i64),
    }
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
fn list(items: &[String], indent: usize) -> String {
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
        text.push_str(item);
        text.push(',');
        column += length;
    }
    text.push_str("\n]");
    text
}
