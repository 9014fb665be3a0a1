//! Rows that repeat earlier rows, in every column, in the key or in one column.

use std::cmp::Reverse;

use anyhow::Result;
use polars::prelude::Column;
use rayon::prelude::{
    IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator, ParallelSlice, ParallelSliceMut,
};

use crate::data::table::Table;
use crate::quality::found::{Found, Scope};
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::rows::{Rows, View, float_key};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, Severity, TableRules};

/// Rows hashed at a time: their hashes stay in the second-level cache while all columns pass by.
const BLOCK_ROWS: usize = 16_384;
/// Columns that rows are told apart by first.
const LEAD_COLUMNS: usize = 3;
/// Looking at the rows left alike one by one pays if they are at most this part of all.
const LEAD_PAYS: usize = 64;
/// Bits of memory for each row in which hashes leave their mark.
const BITS_A_ROW: usize = 16;
/// Stands for a missing value.
const MISSING: u64 = 0x6d69_7373_696e_6721;

/// `DUPLICATE_ROWS`: rows that repeat an earlier one in every column; missing equals missing.
pub fn rows(table: &Table, profile: &ProfileRecord, rules: &TableRules, scope: &Scope<'_>) -> Result<Option<Found>> {
    // A column without repeats rules them out at once.
    let distinct = |column: &ColumnProfile| column.missing <= 1 && column.unique == column.present;
    if profile.columns.iter().any(distinct) {
        return Ok(None);
    }
    // Columns of many distinct values first: a few of them tell most rows apart.
    let mut order: Vec<(&ColumnProfile, &Column)> = profile.columns.iter().zip(table.polars().columns()).collect();
    order.sort_by_key(|(column, _)| Reverse(column.unique));
    let columns: Vec<&Column> = order.into_iter().map(|(_, column)| column).collect();
    let repeats = repeats(&columns, false)?;
    let (count, total) = (repeats.len() as u64, profile.rows);
    if count == 0 || count as f64 / total as f64 <= rules.duplicates_max {
        return Ok(None);
    }
    let finding = Finding::new("DUPLICATE_ROWS", rules.duplicates, None)
        .says(
            format!("duplicates_max = {:?}", rules.duplicates_max),
            format!("{} repeat an earlier row; {}", of_rows(count, total, "row"), first_pair(&repeats)),
            match rules.duplicates_max {
                0.0 => "no row repeats another in every column".to_owned(),
                most => format!("at most {} repeat another", percent(most)),
            },
        )
        .settled_by("raise [table] duplicates_max");
    let shown = profile.columns.iter().map(|column| column.name.clone());
    Ok(Some(Found::at(finding, rows_of(&repeats, scope)).showing(shown)))
}

/// `DUPLICATE_KEY`: rows whose key an earlier row has. `KEY_MISSING`: rows without a value in a key column; those are not
/// compared.
pub fn key(table: &Table, profile: &ProfileRecord, key: &[String], scope: &Scope<'_>) -> Result<Vec<Found>> {
    let columns = key.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let constraint = format!("key = {key:?}");
    let shown = || key.iter().cloned();
    let mut findings = Vec::new();
    if columns.iter().any(|column| column.null_count() > 0) {
        let views = columns.iter().map(|column| View::of(column)).collect::<Result<Vec<_>>>()?;
        let missing = (0..table.rows()).filter(|row| views.iter().any(|view| view.is_missing(*row)));
        let rows = Rows::keeping(scope.keep_rows, missing);
        let observed = format!("{} have no value in a key column", of_rows(rows.count, profile.rows, "row"));
        let finding = Finding::new("KEY_MISSING", Severity::Error, None)
            .says(constraint.clone(), observed, "every row has a value in every key column".to_owned())
            .settled_by("change or remove [table] key");
        findings.push(Found::at(finding, rows).showing(shown()));
    }
    let alone = key.len() == 1 && profile.column(&key[0]).is_some_and(|column| column.unique == column.present);
    let repeats = if alone { Vec::new() } else { repeats(&columns, true)? };
    if !repeats.is_empty() {
        let count = repeats.len() as u64;
        let observed =
            format!("{} repeat an earlier key; {}", of_rows(count, profile.rows, "row"), first_pair(&repeats));
        let finding = Finding::new("DUPLICATE_KEY", Severity::Error, None)
            .says(constraint, observed, "no two rows have the same key".to_owned())
            .settled_by("change or remove [table] key");
        findings.push(Found::at(finding, rows_of(&repeats, scope)).showing(shown()));
    }
    Ok(findings)
}

/// `NEAR_DUPLICATE_KEY`: keys that an earlier row has but for case and space. Keys without text have none.
pub fn near_keys(
    table: &Table,
    profile: &ProfileRecord,
    rules: &TableRules,
    scope: &Scope<'_>,
) -> Result<Option<Found>> {
    let columns = rules.key.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
    let views = columns.iter().map(|column| View::of(column)).collect::<Result<Vec<_>>>()?;
    let Some(severity) = rules.near_keys.severity().filter(|_| views.iter().any(|view| matches!(view, View::Text(_))))
    else {
        return Ok(None);
    };
    let alike = grouped(&views, table.rows(), &Sameness { skip_missing: true, near: true });
    let differs = |(row, first): &(u32, u32)| !views.iter().all(|view| view.same(*row as usize, *first as usize));
    let near: Vec<(u32, u32)> = alike.into_iter().filter(differs).collect();
    let Some((row, first)) = near.first() else {
        return Ok(None);
    };
    let (row, first) = (row + 1, first + 1);
    let observed = format!(
        "{} differ from an earlier key only in case or space; row {row} is like row {first}",
        of_rows(near.len() as u64, profile.rows, "row")
    );
    let finding = Finding::new("NEAR_DUPLICATE_KEY", severity, None)
        .says(format!("near_keys = {:?}", rules.near_keys.name()), observed, "keys that differ in more".to_owned())
        .settled_by("set [table] near_keys = \"off\"");
    Ok(Some(Found::at(finding, rows_of(&near, scope)).showing(rules.key.iter().cloned())))
}

/// `NOT_UNIQUE_TOGETHER`: rows whose values in a set of columns an earlier row has; rows with a missing one are left out.
pub fn together(table: &Table, profile: &ProfileRecord, set: &[String], scope: &Scope<'_>) -> Result<Option<Found>> {
    let columns = set.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
    let repeats = repeats(&columns, true)?;
    if repeats.is_empty() {
        return Ok(None);
    }
    let observed =
        format!("{} repeat earlier ones; {}", of_rows(repeats.len() as u64, profile.rows, "row"), first_pair(&repeats));
    let finding = Finding::new("NOT_UNIQUE_TOGETHER", Severity::Error, None)
        .says(format!("unique = {set:?}"), observed, "values that occur together once".to_owned())
        .settled_by("change [table] unique");
    Ok(Some(Found::at(finding, rows_of(&repeats, scope)).showing(set.iter().cloned())))
}

/// `NOT_UNIQUE`: values of a column that an earlier row has; missing values are not compared.
pub fn unique(
    column: &Column,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    scope: &Scope<'_>,
) -> Result<Option<Found>> {
    if !rules.unique || profile.unique == profile.present {
        return Ok(None);
    }
    let repeats = repeats(&[column], true)?;
    let count = repeats.len() as u64;
    let observed =
        format!("{} repeat an earlier one; {}", of_rows(count, profile.present, "value"), first_pair(&repeats));
    let finding = Finding::new("NOT_UNIQUE", rules.severity, Some(&rules.name))
        .says("unique = true".to_owned(), observed, "no value twice".to_owned())
        .settled_by(&format!("set unique = false for column `{}`", rules.name));
    Ok(Some(Found::at(finding, rows_of(&repeats, scope))))
}

fn first_pair(repeats: &[(u32, u32)]) -> String {
    repeats.first().map_or_else(String::new, |(row, earlier)| format!("row {} repeats row {}", row + 1, earlier + 1))
}

fn rows_of(repeats: &[(u32, u32)], scope: &Scope<'_>) -> Rows {
    Rows::keeping(scope.keep_rows, repeats.iter().map(|(row, _)| *row as usize))
}

/// Pairs of a row and the first earlier row with the same values in all `columns`, ascending; counted from 0.
///
/// Rows are grouped by a hash of 64 bits and compared value by value inside a group, so the result does not depend on the
/// hash. The first [`LEAD_COLUMNS`] columns tell most rows apart in most tables; only rows that they leave alike are looked
/// at in all columns. O(rows × columns) and a parallel sort of 16 bytes a row at worst.
pub(super) fn repeats(columns: &[&Column], skip_missing: bool) -> Result<Vec<(u32, u32)>> {
    let views = columns.iter().map(|column| View::of(column)).collect::<Result<Vec<_>>>()?;
    let count = columns.first().map_or(0, |column| column.len());
    Ok(grouped(&views, count, &Sameness { skip_missing, near: false }))
}

/// When two rows count as the same.
struct Sameness {
    /// Rows with a missing value are the same as none.
    skip_missing: bool,
    /// Case and space of text do not matter.
    near: bool,
}

fn grouped(views: &[View<'_>], count: usize, sameness: &Sameness) -> Vec<(u32, u32)> {
    let near = sameness.near;
    let lead = &views[..views.len().min(LEAD_COLUMNS)];
    let mut hashed = alike(hash_rows(lead, count, near));
    if lead.len() < views.len() {
        if hashed.len() <= count / LEAD_PAYS {
            hashed.par_iter_mut().for_each(|(hash, row)| *hash = hash_row(views, *row as usize, near));
        } else {
            hashed = alike(hash_rows(views, count, near));
        }
    }
    if sameness.skip_missing {
        hashed.retain(|(_, row)| !views.iter().any(|view| view.is_missing(*row as usize)));
    }
    hashed.par_sort_unstable();
    let same_hash: Vec<&[(u64, u32)]> = hashed.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).collect();
    let in_group = |group: &&[(u64, u32)]| {
        let mut firsts: Vec<u32> = Vec::new();
        let mut found = Vec::new();
        for (_, row) in *group {
            let same = |first: &u32| views.iter().all(|view| same(*view, *first as usize, *row as usize, near));
            match firsts.iter().copied().find(same) {
                Some(first) => found.push((*row, first)),
                None => firsts.push(*row),
            }
        }
        found
    };
    let found: Vec<Vec<(u32, u32)>> =
        same_hash.par_chunks(256).map(|groups| groups.iter().flat_map(in_group).collect()).collect();
    let mut pairs = found.concat();
    pairs.par_sort_unstable();
    pairs
}

/// The hash of every row over `views`, with its number.
fn hash_rows(views: &[View<'_>], count: usize, near: bool) -> Vec<(u64, u32)> {
    let mut hashed: Vec<(u64, u32)> = vec![(0, 0); count];
    hashed.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, hashes)| {
        let start = block * BLOCK_ROWS;
        for (offset, (_, row)) in hashes.iter_mut().enumerate() {
            *row = (start + offset) as u32;
        }
        views.iter().for_each(|view| add_column(*view, start, hashes, near));
    });
    hashed
}

fn hash_row(views: &[View<'_>], row: usize, near: bool) -> u64 {
    let mut hash = [(0, row as u32)];
    views.iter().for_each(|view| add_column(*view, row, &mut hash, near));
    hash[0].0
}

/// The rows whose hash another row has, sorted by hash.
///
/// Hashes leave their mark in a table of [`BITS_A_ROW`] bits a row; all but about one row in sixteen of those that are alone
/// find no other mark, and need not be sorted.
fn alike(hashed: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    let bits = (hashed.len().max(1) * BITS_A_ROW).next_power_of_two().max(64);
    let place = |hash: u64| (hash as usize & (bits - 1)) / 64;
    let bit = |hash: u64| 1_u64 << (hash % 64);
    let (mut once, mut twice) = (vec![0_u64; bits / 64], vec![0_u64; bits / 64]);
    for (hash, _) in &hashed {
        let (word, bit) = (place(*hash), bit(*hash));
        twice[word] |= once[word] & bit;
        once[word] |= bit;
    }
    let mut kept: Vec<(u64, u32)> =
        hashed.into_iter().filter(|(hash, _)| twice[place(*hash)] & bit(*hash) != 0).collect();
    kept.par_sort_unstable();
    kept.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1).flatten().copied().collect()
}

fn same(view: View<'_>, a: usize, b: usize, near: bool) -> bool {
    match view {
        View::Text(values) if near => values.get(a).map(plain) == values.get(b).map(plain),
        view => view.same(a, b),
    }
}

/// Text in small letters, with one space where there are several, and none at its ends.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.extend(word.chars().flat_map(char::to_lowercase));
    }
    plain
}

/// Mixes the values of rows `start..` into their hashes.
fn add_column(view: View, start: usize, hashes: &mut [(u64, u32)], near: bool) {
    fn add<T>(hashes: &mut [(u64, u32)], values: impl Iterator<Item = Option<T>>, key: impl Fn(T) -> u64) {
        for ((hash, _), value) in hashes.iter_mut().zip(values) {
            *hash = mix(*hash, value.map_or(MISSING, &key));
        }
    }
    let (from, length) = (start as i64, hashes.len());
    match view {
        View::Integer(values) | View::Time(values) => {
            add(hashes, values.slice(from, length).iter(), |value| value as u64)
        }
        View::Float(values) => add(hashes, values.slice(from, length).iter(), float_key),
        View::Boolean(values) => add(hashes, values.slice(from, length).iter(), u64::from),
        View::Date(values) => add(hashes, values.slice(from, length).iter(), |value| value as u64),
        View::Text(values) if near => {
            add(hashes, values.slice(from, length).iter(), |text| hash_text(&plain(text)));
        }
        View::Text(values) => add(hashes, values.slice(from, length).iter(), hash_text),
    }
}

/// Folded 128-bit multiplication, as in wyhash: every bit of the input reaches every bit of the result.
fn mix(hash: u64, key: u64) -> u64 {
    let product = u128::from(hash ^ 0x9e37_79b9_7f4a_7c15) * u128::from(key ^ 0xe703_7ed1_a0b4_28db);
    (product as u64) ^ (product >> 64) as u64 ^ key.rotate_left(23)
}

fn hash_text(text: &str) -> u64 {
    let words = text.as_bytes().chunks_exact(8);
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    let hash = words.fold(text.len() as u64, |hash, word| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        mix(hash, u64::from_le_bytes(bytes))
    });
    mix(hash, u64::from_le_bytes(last))
}
