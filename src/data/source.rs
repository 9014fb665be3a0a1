//! From a raw file to a table: which format it has, how it is read, what was guessed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use crate::base::fail::{self, Failure};
use crate::base::talk::Talk;
use crate::data::format::{csv, parquet};
use crate::data::infer::NULL_VALUES;
use crate::data::table::Table;
use crate::record::dataset::{ColumnRecord, Format, ParseOptions};
use crate::spec::schema::ColumnType;

/// What is known about a raw file before it is read; the rest is found out.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Its format; told by its ending and first bytes when absent.
    pub format: Option<Format>,
    /// What stands between two fields; CSV.
    pub delimiter: Option<char>,
    /// Whether the first line holds the names; yes when absent; CSV.
    pub header: Option<bool>,
    /// Texts that mean "missing"; pandas' list when absent. An empty field is always missing. CSV.
    pub null_values: Option<Vec<String>>,
    /// Types that are not to be inferred.
    pub types: BTreeMap<String, ColumnType>,
}

/// A table and all that was decided on the way.
pub struct ReadTable {
    /// The rows.
    pub table: Table,
    /// With these, [`reread`] gives the same table again.
    pub parse: ParseOptions,
    /// Everything that was guessed, one sentence each.
    pub guesses: Vec<String>,
}

/// Reads a raw file. Types of text tables come from every value, not from the first ones.
///
/// Errors: no such file (world); a folder, an empty file, anything in its content that is not a table (usage, with row
/// and column). Memory: the table plus a few megabytes.
pub fn read(path: &Path, options: &ReadOptions, talk: &dyn Talk) -> Result<ReadTable> {
    let named = || format!("cannot use {}", path.display());
    let (format, note) = find_format(path, options.format)?;
    let mut guesses = Vec::from_iter(note);
    let mut parse = ParseOptions {
        format,
        delimiter: ',',
        header: options.header.unwrap_or(true),
        null_values: Vec::new(),
        types: options.types.clone(),
    };
    let table = match format {
        Format::Parquet => {
            let (frame, notes) = parquet::read(path, &options.types).with_context(named)?;
            guesses.extend(notes);
            Table::new(frame).with_context(named)?
        }
        Format::Csv => {
            parse.null_values = null_values(options.null_values.as_deref());
            let csv_options = csv::CsvOptions {
                delimiter: options.delimiter,
                header: options.header,
                null_values: &parse.null_values,
                types: &options.types,
            };
            let read = csv::read(path, &csv_options, talk).with_context(named)?;
            (parse.delimiter, parse.header) = (read.delimiter, read.header);
            guesses.extend(read.guesses);
            Table::new(read.table).with_context(named)?
        }
    };
    if table.rows() == 0 {
        return Err(fail::usage(format!("{} has columns but no rows", path.display())).into());
    }
    Ok(ReadTable { table, parse, guesses })
}

/// Reads a raw file again with recorded options and types; the table is the recorded one if the file is.
///
/// Errors: other columns than recorded, or values that are not of the recorded type.
pub fn reread(path: &Path, parse: &ParseOptions, columns: &[ColumnRecord]) -> Result<Table> {
    let named = || format!("cannot read {} again", path.display());
    let table = match parse.format {
        Format::Csv => Table::new(csv::reread(path, parse, columns).with_context(named)?)?,
        Format::Parquet => Table::new(parquet::read(path, &parse.types).with_context(named)?.0)?,
    };
    if table.columns() != columns {
        return Err(fail::world(format!("{} does not have the recorded columns", path.display())).into());
    }
    Ok(table)
}

/// The texts that mean "missing", with empty text among them.
pub fn null_values(given: Option<&[String]>) -> Vec<String> {
    let mut values: Vec<String> = match given {
        Some(given) => given.to_vec(),
        None => NULL_VALUES.map(str::to_owned).to_vec(),
    };
    if !values.iter().any(String::is_empty) {
        values.insert(0, String::new());
    }
    values
}

/// The format of `path`, and a sentence when its name says something else.
fn find_format(path: &Path, given: Option<Format>) -> Result<(Format, Option<String>)> {
    let shown = path.display();
    if path.is_dir() {
        return Err(fail::usage(format!("{shown} is a folder, not a file")).hint("name the file inside it").into());
    }
    let file = File::open(path).map_err(|error| {
        fail::world(format!("cannot open {shown}: {error}"))
            .hint("check the path; it is relative to the project folder")
    })?;
    let mut first = Vec::new();
    file.take(16).read_to_end(&mut first).with_context(|| format!("cannot read {shown}"))?;
    if first.is_empty() {
        return Err(fail::usage(format!("{shown} is empty")).hint("a table needs names and at least one row").into());
    }
    let is_parquet = first.starts_with(b"PAR1");
    if let Some(format) = given {
        return Ok((format, None));
    }
    if !is_parquet {
        refuse_other_formats(path, &first)?;
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let named_parquet = matches!(ending.as_str(), "parquet" | "pq");
    let named_text = matches!(ending.as_str(), "csv" | "tsv" | "txt" | "tab" | "data" | "");
    Ok(match (is_parquet, named_parquet, named_text) {
        (true, true, _) => (Format::Parquet, None),
        (true, false, _) => (Format::Parquet, Some(format!("{shown} is Parquet, whatever its ending says"))),
        (false, true, _) => {
            (Format::Csv, Some(format!("{shown} is not Parquet, whatever its ending says; read as CSV")))
        }
        (false, false, true) => (Format::Csv, None),
        (false, false, false) => {
            (Format::Csv, Some(format!("{shown} is read as CSV: its ending `.{ending}` is not known")))
        }
    })
}

/// Content that is known not to be a table we read.
fn refuse_other_formats(path: &Path, first: &[u8]) -> Result<(), Failure> {
    const KNOWN: [(&[u8], &str, &str); 8] = [
        (b"\x1f\x8b", "compressed with gzip", "unpack it first: gunzip FILE"),
        (b"BZh91AY", "compressed with bzip2", "unpack it first: bunzip2 FILE"),
        (b"\xfd7zXZ", "compressed with xz", "unpack it first: unxz FILE"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first: unzstd FILE"),
        (b"PK\x03\x04", "a zip archive or an Excel file", "unpack it, or export the sheet as CSV"),
        (b"SQLite format 3", "an SQLite database", "export the table as CSV or Parquet"),
        (b"ARROW1", "an Arrow file", "write it as Parquet or CSV"),
        (b"%PDF", "a PDF document", "export the table as CSV"),
    ];
    match KNOWN.iter().find(|(magic, ..)| first.starts_with(magic)) {
        Some((_, what, hint)) => Err(fail::usage(format!("{} is {what}", path.display())).hint(*hint)),
        None => Ok(()),
    }
}
