//! JSON: objects, one a line, or an array of them; each object is a row, its fields are the columns.
//!
//! Lives here: two passes over the file, as for delimited text: the first looks at every value and keeps nothing, the
//! second fills columns. Both cut blocks of whole objects (`blocks`) and read them with the same code (`parse`), on all
//! cores. Does not live here: what a single value means (`data::value`), how a type is decided (`data::infer`).
//!
//! Always holds: memory is one batch of blocks beside the rows handed over, whatever the file's length or nesting. The
//! types of JSON are respected: text stays text, `"007"` and `"12"` too, except that text of days and times alone becomes
//! those. Columns are the fields of all objects in the order of first appearance; a field that is absent or null is missing.

mod blocks;
mod build;
mod parse;
mod scan;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::talk::Task;
use crate::base::units;
use crate::data::format::json::blocks::Batches;
use crate::data::infer::Nulls;
use crate::data::names;
use crate::data::stream::{RawTable, RowBatches, Seen, Survey};
use crate::spec::schema::ColumnType;

/// Where the objects of a file start, and how they are divided.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// Whether they are the elements of an array.
    array: bool,
    /// Where the first of them may stand, in bytes.
    at: u64,
    /// Lines before that.
    line: u64,
}

/// A JSON file after the first pass.
pub struct JsonTable {
    path: PathBuf,
    start: Start,
    nulls: Option<Nulls>,
    survey: Survey,
}

/// Looks at every value of the JSON file at `path`, an array of objects or one object a line; text that is one of `nulls`
/// is missing. `task` counts bytes.
///
/// Errors: whatever is not JSON, not an object, nested, or given twice in one object, by row and field.
pub fn survey(path: &Path, array: bool, nulls: Option<Nulls>, task: &dyn Task) -> Result<JsonTable> {
    let start = find_start(path, array)?;
    let seen = scan::scan(Batches::new(open(path, start.at)?, start), nulls.as_ref(), task)?;
    if seen.rows == 0 {
        return Err(fail::usage("there is no object in the file").hint("a table needs at least one row").into());
    }
    if seen.names.is_empty() {
        return Err(fail::usage("its objects have no fields").hint("a row needs at least one named value").into());
    }
    let mut guesses = names::check(&seen.names)?;
    if seen.blank > 0 {
        guesses.push(format!("{} skipped: no character on it", units::plural(seen.blank, "blank line")));
    }
    let columns = seen.columns.into_iter().map(Seen::Values).collect();
    let survey = Survey { names: seen.names, rows: seen.rows, columns, guesses };
    Ok(JsonTable { path: path.to_owned(), start, nulls, survey })
}

impl RawTable for JsonTable {
    fn survey(&self) -> &Survey {
        &self.survey
    }

    fn batches<'a>(&'a self, types: &[ColumnType], task: &'a dyn Task) -> Result<Box<dyn RowBatches + 'a>> {
        let batches = Batches::new(open(&self.path, self.start.at)?, self.start);
        Ok(Box::new(build::JsonBatches::new(batches, &self.survey.names, types, self.nulls.as_ref(), task)))
    }
}

fn open(path: &Path, at: u64) -> Result<File> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.seek(SeekFrom::Start(at)).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(file)
}

/// Skips the byte order mark and, before an array, white space and its bracket.
fn find_start(path: &Path, array: bool) -> Result<Start> {
    let mut start = Start { array, at: 0, line: 0 };
    let mut bytes = BufReader::new(open(path, 0)?).bytes();
    let mut next = || bytes.next().transpose().with_context(|| format!("cannot read {}", path.display()));
    let mut byte = next()?;
    for mark in [0xEF, 0xBB, 0xBF] {
        if byte != Some(mark) {
            break;
        }
        (byte, start.at) = (next()?, start.at + 1);
    }
    if !array {
        return Ok(start);
    }
    while let Some(space @ (b' ' | b'\t' | b'\r' | b'\n')) = byte {
        start.line += u64::from(space == b'\n');
        (byte, start.at) = (next()?, start.at + 1);
    }
    start.at += 1;
    match byte {
        Some(b'[') => Ok(start),
        _ => Err(fail::usage("the file is not a JSON array")
            .hint("a table is an array of objects; for one object a line say format = \"jsonl\"")
            .into()),
    }
}
