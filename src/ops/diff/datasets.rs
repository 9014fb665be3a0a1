//! Two datasets side by side: columns, statistics and, when asked for, rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::Talk;
use crate::base::units;
use crate::data::diff::statistics::{ProfileDiff, StatisticChange, compare};
use crate::data::diff::{RowDiff, by_key, by_rows, changes, common_columns, same_value};
use crate::data::table::Table;
use crate::drift;
use crate::drift::report::DriftReport;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::diff::{DiffOptions, Named};
use crate::ops::transform::write_file;
use crate::record::dataset::Roles;
use crate::repo::Repo;

/// How two datasets differ.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetDiff {
    /// The older one.
    pub old: Named,
    /// The newer one.
    pub new: Named,
    /// Whether nothing that was compared differs: columns, roles and the table as a whole, or its rows in any order
    /// when those were compared.
    pub same: bool,
    /// Numbers of rows.
    pub rows: Pair<u64>,
    /// Columns that came, went or changed their type.
    pub columns: ProfileDiff,
    /// Roles (target, task, key, ignored columns) that changed.
    pub roles: Vec<RoleChange>,
    /// Statistics that moved, biggest change first.
    pub statistics: Vec<StatisticChange>,
    /// How far distributions moved, when asked for; from the stored profiles, without the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftReport>,
    /// Rows that differ, when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row_changes: Option<RowChanges>,
}

/// Something of the older and of the newer dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// Of the older one.
    pub old: T,
    /// Of the newer one.
    pub new: T,
}

/// A role that changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleChange {
    /// `target`, `task`, `key` or `ignore`.
    pub role: &'static str,
    /// What it was.
    pub old: Value,
    /// What it is.
    pub new: Value,
}

/// Rows that differ. Counts are exact; shown are the first ones. Rows count from 1.
#[derive(Clone, Debug, Serialize)]
pub struct RowChanges {
    /// Columns that identify a row; empty when whole rows were compared as a multiset.
    pub key: Vec<String>,
    /// Columns compared: those that both have.
    pub compared: Vec<String>,
    /// Rows of the older dataset alone.
    pub removed: u64,
    /// Rows of the newer dataset alone.
    pub added: u64,
    /// Rows with the same key and other values.
    pub changed: u64,
    /// Rows that both have.
    pub unchanged: u64,
    /// Rows whose key an earlier row of the same dataset has.
    pub repeated_keys: Pair<u64>,
    /// Changed values by column, most first.
    pub changed_cells: Vec<ChangedCells>,
    /// The first removed rows.
    pub removed_rows: Vec<ShownRow>,
    /// The first added rows.
    pub added_rows: Vec<ShownRow>,
    /// The first changed rows.
    pub changed_rows: Vec<ShownChange>,
    /// The file that all of them were written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<PathBuf>,
}

/// Number of changed values of one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedCells {
    /// The column.
    pub column: String,
    /// Values that changed.
    pub cells: u64,
}

/// One row; a value is `null` when it is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownRow {
    /// Its number.
    pub row: u64,
    /// Its values as they are written to CSV.
    pub values: BTreeMap<String, Option<String>>,
}

/// One row that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownChange {
    /// Its number in the older dataset.
    pub old_row: u64,
    /// Its number in the newer dataset.
    pub new_row: u64,
    /// Its key.
    pub key: BTreeMap<String, Option<String>>,
    /// What changed.
    pub cells: Vec<ShownCell>,
}

/// One value that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownCell {
    /// The column.
    pub column: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// Compares two datasets.
pub fn diff(repo: &Repo, options: &DiffOptions, talk: &dyn Talk) -> Result<DatasetDiff> {
    let old = dataset::find(repo, Some(&options.old), None)?;
    let new = dataset::find(repo, Some(&options.new), None)?;
    let (before, after) = (dataset::profile(repo, &old.record)?, dataset::profile(repo, &new.record)?);
    let drift = options.drift.as_ref().map(|how| drift::compare::compare(&before, &after, how)).transpose()?;
    let mut columns = compare(&before, &after);
    let statistics = std::mem::take(&mut columns.statistics);
    let roles = role_changes(&old.record.roles, &new.record.roles);
    let row_changes = if options.rows { Some(rows(repo, &old, &new, options, talk)?) } else { None };
    let tables_same = match &row_changes {
        Some(rows) => rows.removed == 0 && rows.added == 0 && rows.changed == 0,
        None => old.record.table == new.record.table,
    };
    let named = |of: &OpenDataset| Named { name: of.label.clone(), id: of.id.hex() };
    Ok(DatasetDiff {
        same: tables_same && columns.is_empty() && roles.is_empty(),
        rows: Pair { old: old.record.rows, new: new.record.rows },
        old: named(&old),
        new: named(&new),
        columns,
        roles,
        statistics,
        drift,
        row_changes,
    })
}

fn role_changes(old: &Roles, new: &Roles) -> Vec<RoleChange> {
    let all = [
        ("target", json!(old.target), json!(new.target)),
        ("task", json!(old.task), json!(new.task)),
        ("key", json!(old.key), json!(new.key)),
        ("ignore", json!(old.ignore), json!(new.ignore)),
    ];
    let changed = all.into_iter().filter(|(_, old, new)| old != new);
    changed.map(|(role, old, new)| RoleChange { role, old, new }).collect()
}

fn rows(
    repo: &Repo,
    old: &OpenDataset,
    new: &OpenDataset,
    options: &DiffOptions,
    talk: &dyn Talk,
) -> Result<RowChanges> {
    let (old_table, new_table) = (dataset::table(repo, old, talk)?, dataset::table(repo, new, talk)?);
    let common = common_columns(&old_table, &new_table);
    let key = key(options, new, &common, talk)?;
    if common.is_empty() {
        talk.warn("the datasets have no column in common, so no row of one is a row of the other");
    }
    let found = if key.is_empty() { by_rows(&old_table, &new_table)? } else { by_key(&old_table, &new_table, &key)? };
    for (of, repeated) in [(old, found.repeated_keys.0), (new, found.repeated_keys.1)] {
        if repeated > 0 {
            let rows = units::plural(repeated, "row");
            talk.warn(&format!(
                "{rows} of {} repeat the key {} of an earlier row; equal rows are compared first, the others in order",
                of.label,
                key.join(", ")
            ));
        }
    }
    if let Some(path) = &options.output {
        write_file(&changes::table(&old_table, &new_table, &found)?, path)?;
    }
    Ok(report(&old_table, &new_table, found, key, options))
}

/// The columns asked for, else the key recorded with the newer dataset where both have its columns.
fn key(options: &DiffOptions, new: &OpenDataset, common: &[String], talk: &dyn Talk) -> Result<Vec<String>> {
    if let Some(unknown) = options.key.iter().find(|name| !common.contains(name)) {
        return Err(suggest::unknown("column of both datasets", unknown, common.iter().map(String::as_str)).into());
    }
    for (place, name) in options.key.iter().enumerate() {
        if options.key[..place].contains(name) {
            return Err(fail::usage(format!("the key names `{name}` twice")).into());
        }
    }
    if !options.key.is_empty() {
        return Ok(options.key.clone());
    }
    let recorded = &new.record.roles.key;
    if let Some(gone) = recorded.iter().find(|name| !common.contains(name)) {
        talk.warn(&format!("the recorded key has `{gone}`, which one side lacks; whole rows are compared instead"));
        return Ok(Vec::new());
    }
    Ok(recorded.clone())
}

fn report(old: &Table, new: &Table, found: RowDiff, key: Vec<String>, options: &DiffOptions) -> RowChanges {
    let shown = |table: &Table, rows: &[u32]| {
        let names: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
        let row = |row: &u32| ShownRow { row: u64::from(*row) + 1, values: values(table, *row, &names) };
        rows.iter().take(options.limit).map(row).collect::<Vec<_>>()
    };
    let change = |(old_row, new_row): &(u32, u32)| {
        let cells = found.columns.iter().map(|column| ShownCell {
            column: column.clone(),
            old: old.cell(*old_row as usize, column),
            new: new.cell(*new_row as usize, column),
        });
        let is_same = |cell: &ShownCell| same_value((old, *old_row), (new, *new_row), &cell.column);
        ShownChange {
            old_row: u64::from(*old_row) + 1,
            new_row: u64::from(*new_row) + 1,
            key: values(new, *new_row, &key),
            cells: cells.filter(|cell| !is_same(cell)).collect(),
        }
    };
    RowChanges {
        removed: found.removed.len() as u64,
        added: found.added.len() as u64,
        changed: found.changed.len() as u64,
        unchanged: found.unchanged,
        repeated_keys: Pair { old: found.repeated_keys.0, new: found.repeated_keys.1 },
        changed_cells: found
            .changed_cells
            .iter()
            .map(|(column, cells)| ChangedCells { column: column.clone(), cells: *cells })
            .collect(),
        removed_rows: shown(old, &found.removed),
        added_rows: shown(new, &found.added),
        changed_rows: found.changed.iter().take(options.limit).map(change).collect(),
        key,
        compared: found.columns,
        output: options.output.clone(),
    }
}

fn values(table: &Table, row: u32, columns: &[String]) -> BTreeMap<String, Option<String>> {
    columns.iter().map(|name| (name.clone(), table.cell(row as usize, name))).collect()
}
