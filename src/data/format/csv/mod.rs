//! Delimited text: comma, semicolon, tab or bar between fields, quotes where needed.
//!
//! Lives here: two passes over the file. The first looks at every field (faults, types, missing values) and keeps nothing;
//! the second, which knows the types, fills columns. Both cut fields with the same code (`fields`), block by block on all
//! cores (`blocks`). Does not live here: what a single value means (`data::value`), how a type is decided (`data::infer`).
//!
//! Always holds: memory is one batch of blocks beside the rows handed over. `data::source` checks that both passes agree.

mod blocks;
mod build;
pub mod fields;
mod guess;
mod head;
mod scan;
pub mod write;

use std::fmt;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::talk::Task;
use crate::base::units;
use crate::data::infer::Nulls;
use crate::data::stream::{RawTable, RowBatches, Seen, Survey};
use crate::spec::schema::ColumnType;

/// What is known about a text table before it is read; the rest is found out.
pub struct CsvOptions<'a> {
    /// What stands between two fields.
    pub delimiter: Option<char>,
    /// What stands around a field that holds delimiters or line ends.
    pub quote: Option<char>,
    /// Whether the first line holds the names.
    pub header: Option<bool>,
    /// Texts that mean "missing".
    pub null_values: &'a [String],
    /// Whether a field in quotes is a value whatever it says.
    pub quoted_values: bool,
}

/// Goes with the failure of a text table that is not UTF-8: it may be read in another encoding.
#[derive(Debug)]
pub struct NotUtf8 {
    /// Where the first byte stands that is not, as `row 3 (line 4)`.
    pub place: String,
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file is not UTF-8")
    }
}

/// A text table after the first pass.
pub struct CsvTable {
    path: PathBuf,
    shape: head::Shape,
    nulls: Nulls,
    survey: Survey,
}

/// Looks at every field of the text table at `path`; `task` counts bytes.
///
/// Errors: whatever is wrong with the file, by row and column.
pub fn survey(path: &Path, options: &CsvOptions<'_>, task: &dyn Task) -> Result<CsvTable> {
    let mut guesses = Vec::new();
    let shape = head::shape(open(path, 0)?, options, &mut guesses)?;
    let nulls = Nulls::new(options.null_values).with_quoted_values(options.quoted_values);
    let seen = scan::scan(open(path, shape.data_at)?, &shape, &nulls, task)?;
    if seen.rows == 0 {
        return Err(fail::usage("the file has a line of names but no rows")
            .hint("say header = false if that line is a row")
            .into());
    }
    if seen.blank > 0 {
        guesses.push(format!("{} skipped: no character on it", units::plural(seen.blank, "blank line")));
    }
    let columns = seen.columns.into_iter().map(Seen::Values).collect();
    let survey = Survey { names: shape.names.clone(), rows: seen.rows, columns, guesses };
    Ok(CsvTable { path: path.to_owned(), shape, nulls, survey })
}

impl CsvTable {
    /// The delimiter found or given.
    pub fn delimiter(&self) -> char {
        char::from(self.shape.dialect.delimiter)
    }

    /// The quote found or given.
    pub fn quote(&self) -> char {
        char::from(self.shape.dialect.quote)
    }

    /// Whether the first line holds the names.
    pub fn header(&self) -> bool {
        self.shape.header
    }
}

impl RawTable for CsvTable {
    fn survey(&self) -> &Survey {
        &self.survey
    }

    fn batches<'a>(&'a self, types: &[ColumnType], task: &'a dyn Task) -> Result<Box<dyn RowBatches + 'a>> {
        let source = open(&self.path, self.shape.data_at)?;
        Ok(Box::new(build::CsvBatches::new(source, &self.shape, types, &self.nulls, task)))
    }
}

fn open(path: &Path, at: u64) -> Result<File> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    file.seek(SeekFrom::Start(at)).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(file)
}
