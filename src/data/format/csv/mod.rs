//! Delimited text: comma, semicolon, tab or bar between fields, quotes where needed.
//!
//! Lives here: two passes over the file. The first looks at every field (faults, types, missing values) and keeps nothing;
//! the second, which knows the types, fills columns. Both cut fields with the same code (`fields`), block by block on all
//! cores (`blocks`). Does not live here: what a single value means (`data::value`), how a type is decided (`data::infer`).
//!
//! Always holds: the passes agree on the number of rows and, in every column, of missing values, or reading fails. Memory is
//! one batch of blocks beside the table.

mod blocks;
mod build;
pub mod fields;
mod head;
mod scan;
pub mod write;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, Result};
use polars::prelude::DataFrame;

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::{Talk, Task, Unit};
use crate::base::units;
use crate::data::infer::Nulls;
use crate::record::dataset::{ColumnRecord, ParseOptions};
use crate::spec::schema::ColumnType;

/// What is known about a text table before it is read; the rest is found out.
pub struct CsvOptions<'a> {
    /// What stands between two fields.
    pub delimiter: Option<char>,
    /// Whether the first line holds the names.
    pub header: Option<bool>,
    /// Texts that mean "missing".
    pub null_values: &'a [String],
    /// Types that are not to be inferred.
    pub types: &'a BTreeMap<String, ColumnType>,
}

/// A text table, how it was read, and what was guessed.
pub struct CsvTable {
    /// The rows.
    pub table: DataFrame,
    /// The delimiter found or given.
    pub delimiter: char,
    /// Whether the first line holds the names.
    pub header: bool,
    /// What was guessed, one sentence each.
    pub guesses: Vec<String>,
}

/// Reads the text table at `path`, inferring types from every value.
///
/// Errors: whatever is wrong with the file, by row and column; an unknown name among `types`; a value that is not of the
/// type given for its column. Cost: two passes over the file.
pub fn read(path: &Path, options: &CsvOptions<'_>, talk: &dyn Talk) -> Result<CsvTable> {
    let mut guesses = Vec::new();
    let shape = head::shape(open(path, 0)?, options.delimiter, options.header, &mut guesses)?;
    for name in options.types.keys() {
        if !shape.names.contains(name) {
            return Err(suggest::unknown("column", name, shape.names.iter().map(String::as_str)).into());
        }
    }
    let nulls = Nulls::new(options.null_values);
    let length = path.metadata().map_or(0, |meta| meta.len());
    let task = talk.start("reading", Some(2 * length), Unit::Bytes);
    let seen = scan::scan(open(path, shape.data_at)?, &shape, &nulls, task.as_ref())?;
    if seen.rows == 0 {
        return Err(fail::usage("the file has a line of names but no rows")
            .hint("say header = false if that line is a row")
            .into());
    }
    if seen.rows >= u64::from(u32::MAX) {
        let rows = units::count(seen.rows);
        return Err(fail::usage(format!("the file has {rows} rows; at most 4,294,967,294 are read")).into());
    }
    if seen.blank > 0 {
        guesses.push(format!("{} skipped: no character on it", units::plural(seen.blank, "blank line")));
    }
    let mut types = Vec::with_capacity(shape.names.len());
    for (name, evidence) in shape.names.iter().zip(&seen.columns) {
        let (inferred, guess) = evidence.decide(name);
        let given = options.types.get(name).copied();
        types.push(given.unwrap_or(inferred));
        guesses.extend(guess.filter(|_| given.is_none()));
    }
    let table = build::build(open(path, shape.data_at)?, &shape, &types, &nulls, task.as_ref())?;
    agree(&table, &seen)?;
    Ok(CsvTable { table, delimiter: char::from(shape.delimiter), header: shape.header, guesses })
}

/// Reads the text table at `path` again, with the options and types of the first time; one pass.
///
/// Errors: other columns than recorded; a value that is not of its recorded type.
pub fn reread(path: &Path, parse: &ParseOptions, columns: &[ColumnRecord]) -> Result<DataFrame> {
    let shape = head::shape(open(path, 0)?, Some(parse.delimiter), Some(parse.header), &mut Vec::new())?;
    if !shape.names.iter().eq(columns.iter().map(|column| &column.name)) {
        return Err(fail::world("the names in the file are not the recorded ones").into());
    }
    let types: Vec<ColumnType> = columns.iter().map(|column| column.column_type).collect();
    build::build(open(path, shape.data_at)?, &shape, &types, &Nulls::new(&parse.null_values), &Quiet)
}

/// A task that nobody watches.
struct Quiet;

impl Task for Quiet {
    fn advance(&self, _count: u64) {}
}

fn open(path: &Path, at: u64) -> Result<File> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.seek(SeekFrom::Start(at)).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(file)
}

/// The table holds what the scan saw: as many rows, and as many missing values in every column.
fn agree(table: &DataFrame, seen: &scan::Scan) -> Result<()> {
    if table.height() as u64 != seen.rows {
        let rows = table.height();
        return Err(fail::world(format!("the file has {} rows, but {rows} were read", seen.rows)).into());
    }
    for (column, evidence) in table.columns().iter().zip(&seen.columns) {
        let missing = column.null_count() as u64;
        if missing != evidence.missing {
            let (name, seen) = (column.name(), evidence.missing);
            return Err(
                fail::world(format!("column `{name}` has {seen} missing values, but {missing} were read")).into()
            );
        }
    }
    Ok(())
}
