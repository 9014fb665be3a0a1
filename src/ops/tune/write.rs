//! The best parameters as part of a project file, whose comments and order stay as they are.

use std::path::Path;

use anyhow::{Context, Result};
use toml_edit::{DocumentMut, InlineTable, Item, TableLike, Value};

use crate::base::{fail, fs, limits};

/// Where parameters go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `[train]`, with this kind of model.
    Model(String),
    /// The `[[stage]]` of this name.
    Stage(String),
}

/// Checks that there is a project file to write into, before a long search.
pub fn readable(path: &Path) -> Result<DocumentMut> {
    let text = fs::read_text_optional(path, limits::SPEC_BYTES_MAX)?.ok_or_else(|| {
        fail::usage(format!("there is no {} to write the best parameters into", path.display()))
            .hint("make one with `mlops init --from FILE --target COLUMN`, or leave --write out")
    })?;
    text.parse().with_context(|| format!("cannot read {}", path.display()))
}

/// Writes the parameters into the file, all of it or nothing.
pub fn write(path: &Path, staging: &Path, target: &Target, params: &toml::Table) -> Result<()> {
    let mut document = readable(path)?;
    put(&mut document, target, params)?;
    fs::write_atomic(path, staging, document.to_string().as_bytes())
}

/// Puts the parameters into a document.
///
/// Errors: no stage of that name, or a section that is no table.
pub fn put(document: &mut DocumentMut, target: &Target, params: &toml::Table) -> Result<()> {
    let section: &mut dyn TableLike = match target {
        Target::Model(kind) => {
            let train = document.entry("train").or_insert(toml_edit::table()).as_table_like_mut();
            let train = train.ok_or_else(|| fail::usage("`train` of the project file is no section"))?;
            let named = train.get("model").and_then(Item::as_str).map(str::to_owned);
            if named.as_ref().is_some_and(|named| named != kind) {
                // They belong to another kind.
                train.remove("params");
            }
            if named.as_ref() != Some(kind) {
                set(train, "model", Value::from(kind.as_str()));
            }
            train
        }
        Target::Stage(name) => {
            let stages = document.get_mut("stage").and_then(Item::as_array_of_tables_mut);
            let found = stages.and_then(|stages| {
                stages.iter_mut().find(|stage| stage.get("name").and_then(Item::as_str) == Some(name))
            });
            found.ok_or_else(|| fail::usage(format!("the project file has no [[stage]] `{name}`")))?
        }
    };
    let item = section.entry("params").or_insert(toml_edit::value(InlineTable::new()));
    let kept = item.as_table_like_mut().ok_or_else(|| fail::usage("`params` of the project file is no table"))?;
    for (name, value) in params {
        set(kept, name, value.to_string().parse().with_context(|| format!("cannot write {name} = {value}"))?);
    }
    if let Some(inline) = item.as_inline_table_mut() {
        // Between braces there are no comments, only blanks.
        inline.fmt();
    }
    Ok(())
}

/// Sets a key; what stands around the old value, as a comment after it, stays.
fn set(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => drop(table.insert(name, Item::Value(value))),
    }
}

/// The parameters as they stand in a project file.
pub fn snippet(target: &Target, params: &toml::Table) -> String {
    let inside: Vec<String> = params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let params = format!("params = {{ {} }}", inside.join(", "));
    match target {
        Target::Model(kind) => format!("[train]\nmodel = \"{kind}\"\n{params}\n"),
        Target::Stage(_) => format!("{params}\n"),
    }
}
