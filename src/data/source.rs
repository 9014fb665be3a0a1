//! From a raw file to a table: which format it has, how it is read, what was guessed.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use polars::prelude::{Column, DataFrame};

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::base::talk::{Talk, Task, Unit};
use crate::base::units;
use crate::data::format::{csv, parquet};
use crate::data::infer::{Evidence, NULL_VALUES};
use crate::data::stream::{Quiet, RawTable, Seen, Survey};
use crate::data::table::{self, Table};
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

/// Raw files surveyed, with the types of their columns settled; the rows can be read as often as needed.
pub struct OpenTable {
    files: Vec<Box<dyn RawTable>>,
    /// Names and types over all files, in the order of the first.
    pub columns: Vec<ColumnRecord>,
    /// How each file was read, in order.
    pub parse: Vec<ParseOptions>,
    /// Everything that was guessed, one sentence each.
    pub guesses: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    missing: Vec<u64>,
}

/// Surveys raw files that together are one table. Types come from every value of every file, not from the first ones.
///
/// Columns are matched by name; a file without one of them has missing values there, which is said.
/// Errors: no such file (world); a folder, an empty file, anything in its content that is not a table (usage, with row
/// and column); an unknown name among the given types. Cost: one pass over each file.
pub fn open(paths: &[PathBuf], options: &ReadOptions, task: &dyn Task) -> Result<OpenTable> {
    let inputs: Vec<(&Path, &ReadOptions)> = paths.iter().map(|path| (path.as_path(), options)).collect();
    open_each(&inputs, task)
}

/// As [`open`], each file with options of its own; given types hold for all files.
pub fn open_each(inputs: &[(&Path, &ReadOptions)], task: &dyn Task) -> Result<OpenTable> {
    let mut opened = Vec::new();
    let (mut parse, mut notes, mut types) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (path, options) in inputs {
        let named = || format!("cannot use {}", path.display());
        let (file, how, note) = open_file(path, options, task).with_context(named)?;
        notes.extend(note);
        notes.extend(file.survey().guesses.iter().cloned());
        types.extend(options.types.clone());
        parse.push(how);
        opened.push(file);
    }
    let mut table = settle(opened, &types)?;
    table.parse = parse;
    table.guesses.splice(0..0, notes);
    Ok(table)
}

/// One file by its format, how it was read, and a sentence when its name says something else.
fn open_file(
    path: &Path,
    options: &ReadOptions,
    task: &dyn Task,
) -> Result<(Box<dyn RawTable>, ParseOptions, Option<String>)> {
    let (format, note) = find_format(path, options.format)?;
    let mut parse = ParseOptions { format, types: options.types.clone(), ..ParseOptions::default() };
    let file: Box<dyn RawTable> = match format {
        Format::Parquet => Box::new(parquet::survey(path, &options.types)?),
        Format::Csv => {
            parse.null_values = null_values(options.null_values.as_deref());
            let asked = csv::CsvOptions {
                delimiter: options.delimiter,
                header: options.header,
                null_values: &parse.null_values,
            };
            let file = csv::survey(path, &asked, task)?;
            (parse.delimiter, parse.header) = (file.delimiter(), file.header());
            Box::new(file)
        }
    };
    Ok((file, parse, note))
}

/// The columns of several files, matched by name.
#[derive(Default)]
struct Joined {
    places: HashMap<String, usize>,
    columns: Vec<JoinedColumn>,
    rows: u64,
    guesses: Vec<String>,
}

struct JoinedColumn {
    name: String,
    seen: Seen,
    missing: u64,
    /// Rows of the files that have the column.
    rows: u64,
}

impl Joined {
    fn add(&mut self, survey: &Survey) {
        for (name, column) in survey.names.iter().zip(&survey.columns) {
            match self.places.get(name) {
                Some(at) => {
                    let known = &mut self.columns[*at];
                    let before = std::mem::replace(&mut known.seen, Seen::Values(Evidence::default()));
                    known.seen = before.joined(column, self.rows);
                    (known.missing, known.rows) = (known.missing + missing_in(column), known.rows + survey.rows);
                }
                None => {
                    self.places.insert(name.clone(), self.columns.len());
                    let (name, seen) = (name.clone(), column.clone());
                    self.columns.push(JoinedColumn { name, missing: missing_in(&seen), seen, rows: survey.rows });
                }
            }
        }
        self.rows += survey.rows;
    }

    /// Rows of files without a column are missing values of it.
    fn end(&mut self) {
        for column in self.columns.iter_mut().filter(|column| column.rows < self.rows) {
            column.missing += self.rows - column.rows;
            self.guesses.push(not_everywhere(&column.name));
        }
    }
}

/// Decides the type of every column over all files.
fn settle(files: Vec<Box<dyn RawTable>>, types: &BTreeMap<String, ColumnType>) -> Result<OpenTable> {
    let mut joined = Joined::default();
    files.iter().for_each(|file| joined.add(file.survey()));
    joined.end();
    if let Some(odd) = types.keys().find(|name| !joined.places.contains_key(*name)) {
        return Err(suggest::unknown("column", odd, joined.columns.iter().map(|column| column.name.as_str())).into());
    }
    if joined.rows >= u64::from(u32::MAX) {
        let rows = units::count(joined.rows);
        return Err(fail::usage(format!("the table has {rows} rows; at most 4,294,967,294 are read")).into());
    }
    if joined.rows == 0 {
        return Err(fail::usage("there are columns but no rows").into());
    }
    let (rows, mut guesses) = (joined.rows, joined.guesses);
    let missing = joined.columns.iter().map(|column| column.missing).collect();
    let mut columns = Vec::with_capacity(joined.columns.len());
    for JoinedColumn { name, seen, .. } in joined.columns {
        let (inferred, guess) = seen.decide(&name);
        let given = types.get(&name).copied();
        guesses.extend(guess.filter(|_| given.is_none()));
        columns.push(ColumnRecord { name, column_type: given.unwrap_or(inferred) });
    }
    Ok(OpenTable { files, columns, parse: Vec::new(), guesses, rows, missing })
}

fn not_everywhere(name: &str) -> String {
    format!("column `{name}` is not in every file; where it is not, its values are missing")
}

fn missing_in(seen: &Seen) -> u64 {
    match seen {
        Seen::Values(evidence) => evidence.missing,
        Seen::Typed { missing, .. } => *missing,
    }
}

impl OpenTable {
    /// Hands over all rows, batch by batch, with the columns of [`OpenTable::columns`]; `task` counts bytes.
    ///
    /// Errors: those of `each`; a value that is not of its column's type; a file that changed since the survey.
    pub fn each_batch(&self, task: &dyn Task, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        let (mut rows, mut missing) = (0, vec![0; self.columns.len()]);
        let types: HashMap<&str, ColumnType> =
            self.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        for file in &self.files {
            let names = file.survey().names.iter();
            let types: Vec<ColumnType> = names.filter_map(|name| types.get(name.as_str()).copied()).collect();
            let mut batches = file.batches(&types, task)?;
            while let Some(batch) = batches.next()? {
                let batch = self.aligned(batch)?;
                rows += batch.height() as u64;
                for (missing, column) in missing.iter_mut().zip(batch.columns()) {
                    *missing += column.null_count() as u64;
                }
                each(batch)?;
            }
        }
        // What the survey saw is what was read: rows, and missing values in every column.
        let same_missing = missing == self.missing;
        if rows != self.rows || !same_missing {
            return Err(fail::world("the file changed while it was being read")
                .hint("try again when nothing writes to it")
                .into());
        }
        Ok(())
    }

    /// The whole table in memory.
    pub fn collect(&self, task: &dyn Task) -> Result<Table> {
        let mut whole: Option<DataFrame> = None;
        self.each_batch(task, |batch| {
            match &mut whole {
                None => whole = Some(batch),
                Some(whole) => whole.vstack_mut_owned(batch).map(drop).context("cannot join batches of rows")?,
            }
            Ok(())
        })?;
        Table::new(whole.ok_or_else(|| fail::usage("there are columns but no rows"))?)
    }

    /// A batch of one file with the columns of the whole table: in order, absent ones full of missing values.
    fn aligned(&self, batch: DataFrame) -> Result<DataFrame> {
        if batch.get_column_names().iter().map(|name| name.as_str()).eq(self.columns.iter().map(|column| &*column.name))
        {
            return Ok(batch);
        }
        let height = batch.height();
        let column = |wanted: &ColumnRecord| match batch.column(&wanted.name) {
            Ok(column) => column.clone(),
            Err(_) => Column::full_null(wanted.name.as_str().into(), height, &table::data_type(wanted.column_type)),
        };
        let columns = self.columns.iter().map(column).collect();
        DataFrame::new(height, columns).context("cannot align the columns of several files")
    }
}

/// Reads a raw file whole. See [`open`]. Memory: the table plus a few megabytes.
pub fn read(path: &Path, options: &ReadOptions, talk: &dyn Talk) -> Result<ReadTable> {
    let length = path.metadata().map_or(0, |meta| meta.len());
    let task = talk.start("reading", Some(2 * length), Unit::Bytes);
    let mut open = open(&[path.to_owned()], options, task.as_ref())?;
    let table = open.collect(task.as_ref()).with_context(|| format!("cannot use {}", path.display()))?;
    let parse = open.parse.pop().unwrap_or_default();
    Ok(ReadTable { table, parse, guesses: open.guesses })
}

/// Options that read a file as it was read before, into columns of the recorded types.
pub fn as_recorded(parse: &ParseOptions, columns: &[ColumnRecord]) -> ReadOptions {
    ReadOptions {
        format: Some(parse.format),
        delimiter: Some(parse.delimiter),
        header: Some(parse.header),
        null_values: Some(parse.null_values.clone()),
        types: columns.iter().map(|column| (column.name.clone(), column.column_type)).collect(),
    }
}

/// Reads raw files again with recorded options and types; the table is the recorded one if the files are.
///
/// Errors: other columns than recorded, or values that are not of the recorded type.
pub fn reread(files: &[(PathBuf, &ParseOptions)], columns: &[ColumnRecord]) -> Result<Table> {
    let options: Vec<ReadOptions> = files.iter().map(|(_, parse)| as_recorded(parse, columns)).collect();
    let inputs: Vec<_> = files.iter().map(|(path, _)| path.as_path()).zip(&options).collect();
    let table = open_each(&inputs, &Quiet).and_then(|open| open.collect(&Quiet));
    let table = table.context("cannot read the stored raw files again")?;
    if table.columns() != columns {
        return Err(fail::world("the raw files do not have the recorded columns").into());
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
