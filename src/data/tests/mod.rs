//! Tests of tables: one file a subject, and the helpers they share.

mod bad_input;
mod diff;
mod folds;
mod foreign;
mod ingest;
mod json;
mod packed;
mod parquet;
mod profile;
mod profile_on_demand;
mod profile_reference;
mod property;
mod shape;
mod sketches;
mod spectrum;
mod split;
mod target;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::fail::{self, Failure};
use crate::base::talk::Silent;
use crate::data::source::{ReadOptions, ReadTable, read};
use crate::data::table::Table;
use crate::spec::schema::ColumnType;

/// Reads `bytes` as if they stood in a file called `name`.
fn read_file(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<ReadTable> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    std::fs::File::create(&path)?.write_all(bytes)?;
    read(&path, options, &Silent)
}

/// Reads a text table with nothing said about it.
fn read_text(text: &str) -> Result<ReadTable> {
    read_file("t.csv", text.as_bytes(), &ReadOptions::default())
}

/// A small table from text.
fn table(text: &str) -> Result<Table> {
    Ok(read_text(text)?.table)
}

/// The failure inside an error, as a person sees it.
fn failure<T>(result: Result<T>) -> Failure {
    let error = result.err().expect("this must fail");
    fail::find(&error).cloned().unwrap_or_else(|| fail::world(format!("not a failure: {error:#}")))
}

fn types(table: &Table) -> Vec<ColumnType> {
    table.columns().into_iter().map(|column| column.column_type).collect()
}

/// Cells of one column, `-` where missing.
fn cells(table: &Table, column: &str) -> Vec<String> {
    (0..table.rows()).map(|row| table.cell(row, column).unwrap_or_else(|| "-".to_owned())).collect()
}

/// A file of `tests/fixtures`.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// One of the real tables that the examples use.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("data").join(format!("{name}.csv"))
}
