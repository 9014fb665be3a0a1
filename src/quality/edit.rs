//! Changing `schema.toml` in place: what people wrote beside the rules, and the order of it, stays.

use anyhow::{Context, Result};
use serde::Serialize;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value};

use crate::quality::written::{column_text, to_toml, value_text};
use crate::record::profile::ProfileRecord;
use crate::spec::schema::SchemaSpec;

/// The text of a schema after a change, and whether people's comments and order survived.
pub struct Edited {
    /// The new text.
    pub text: String,
    /// False when the text was laid out so that it had to be written anew.
    pub kept: bool,
}

/// Turns `text`, which says `before`, into one that says `after`, changing nothing else.
///
/// Reads its own result back; if that does not say `after` (rules inside inline arrays), the whole is written anew.
pub fn rewrite(text: &str, before: &SchemaSpec, after: &SchemaSpec, profile: &ProfileRecord) -> Result<Edited> {
    let edited = edit(text, before, after, profile).ok().flatten();
    let says = |text: &String| toml::from_str::<SchemaSpec>(text).is_ok_and(|read| read == *after);
    match edited.filter(says) {
        Some(text) => Ok(Edited { text, kept: true }),
        None => Ok(Edited { text: to_toml(after, profile)?, kept: false }),
    }
}

fn edit(text: &str, before: &SchemaSpec, after: &SchemaSpec, profile: &ProfileRecord) -> Result<Option<String>> {
    let mut document: DocumentMut = text.parse().context("the schema is no TOML")?;
    let changes = differences(&before.table, &after.table)?;
    if !changes.is_empty() {
        let table = document.entry("table").or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = table.as_table_mut() else { return Ok(None) };
        apply(table, changes)?;
    }
    if before.columns != after.columns {
        let columns = document.entry("column").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(columns) = columns.as_array_of_tables_mut() else { return Ok(None) };
        for (at, rules) in after.columns.iter().enumerate() {
            match before.column(&rules.name) {
                Some(old) => {
                    let Some(table) = columns.get_mut(at) else { return Ok(None) };
                    apply(table, differences(old, rules)?)?;
                }
                None => {
                    let text = column_text(rules, profile.column(&rules.name))?;
                    let mut new: DocumentMut = text.parse().context("a new column is no TOML")?;
                    let Some(tables) = new.get_mut("column").and_then(Item::as_array_of_tables_mut) else {
                        return Ok(None);
                    };
                    let mut table = tables.remove(0);
                    // Without a place of its own it comes after the table before it.
                    table.set_position(None);
                    columns.insert(at.min(columns.len()), table);
                }
            }
        }
    }
    if before.rules != after.rules {
        let Some(rules) = document.get_mut("rule").and_then(Item::as_array_of_tables_mut) else { return Ok(None) };
        for (at, (old, new)) in before.rules.iter().zip(&after.rules).enumerate() {
            let Some(table) = rules.get_mut(at) else { return Ok(None) };
            apply(table, differences(old, new)?)?;
        }
    }
    Ok(Some(document.to_string()))
}

/// Keys whose values differ, with the new value; none where the key goes.
fn differences<T: Serialize>(before: &T, after: &T) -> Result<Vec<(String, Option<toml::Value>)>> {
    let table = |value: &T| toml::Table::try_from(value).context("a rule cannot be written as TOML");
    let (before, mut after) = (table(before)?, table(after)?);
    let mut changes = Vec::new();
    for (key, old) in before {
        match after.remove(&key) {
            Some(new) if new == old => {}
            new => changes.push((key, new)),
        }
    }
    changes.extend(after.into_iter().map(|(key, new)| (key, Some(new))));
    Ok(changes)
}

fn apply(table: &mut Table, changes: Vec<(String, Option<toml::Value>)>) -> Result<()> {
    for (key, new) in changes {
        let Some(new) = new else {
            table.remove(&key);
            continue;
        };
        let value: Value = value_text(&new, 0).parse().context("a value cannot be written as TOML")?;
        match table.get_mut(&key).and_then(Item::as_value_mut) {
            Some(old) => replace(old, value),
            None => drop(table.insert(&key, Item::Value(value))),
        }
    }
    Ok(())
}

/// Puts a value where another was; a list that only grew keeps its items as they were written.
fn replace(old: &mut Value, new: Value) {
    if let (Value::Array(old), Value::Array(new)) = (&mut *old, &new)
        && old.len() < new.len()
        && old.iter().zip(new.iter()).all(same)
    {
        let more: Vec<Value> = new.iter().skip(old.len()).cloned().collect();
        for mut value in more {
            *value.decor_mut() = toml_edit::Decor::new(" ", "");
            old.push_formatted(value);
        }
        return;
    }
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}

/// Whether two plain values are the same, however they are written.
fn same((a, b): (&Value, &Value)) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Integer(a), Value::Integer(b)) => a.value() == b.value(),
        (Value::Float(a), Value::Float(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        _ => false,
    }
}
