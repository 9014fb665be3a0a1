//! From a raw file to a table: which format it has, how it is read, what was guessed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use polars::prelude::{Column, DataFrame};

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::{Talk, Task, Unit};
use crate::base::units;
use crate::data::build;
use crate::data::infer::NULL_VALUES;
use crate::data::open::{self, Opened};
use crate::data::stream::{Quiet, Seen};
use crate::data::table::{self, Table};
use crate::record::dataset::{ColumnRecord, Compression, Format, ParseOptions};
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
    /// What stands around a field that holds delimiters or line ends; found out when absent. CSV.
    pub quote: Option<char>,
    /// How text is written as bytes, a label of the WHATWG Encoding Standard as `latin1`; found out when absent. CSV, JSON.
    pub encoding: Option<String>,
    /// How the file is packed; told by its first bytes when absent.
    pub compression: Option<Compression>,
    /// The sheet to read; the first when absent. Excel.
    pub sheet: Option<String>,
    /// The member to read; the only table among them when absent. Zip.
    pub member: Option<String>,
    /// Types that win over the inference where every value has them; a column that has other values keeps its own, said.
    pub wanted: BTreeMap<String, ColumnType>,
    /// Whether a field in quotes is a value whatever it says; CSV.
    pub quoted_values: bool,
    /// Folder for unpacked and recoded files, which vanish with the table; the system's when absent.
    pub temp_folder: Option<PathBuf>,
    /// Most bytes that a packed file may unpack to, however small it is; `limits::SOURCE_BYTES_MAX` and
    /// `limits::UNPACK_RATIO_MAX` when absent.
    pub unpacked_bytes_max: Option<u64>,
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
    files: Vec<Opened>,
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
    let mut notes = Vec::new();
    let mut stated = Stated::default();
    for (path, options) in inputs {
        let file = open::file(path, options, task).with_context(|| format!("cannot use {}", path.display()))?;
        notes.extend(file.notes.iter().chain(&file.survey().guesses).cloned());
        stated.given.extend(options.types.clone());
        stated.wanted.extend(options.wanted.clone());
        opened.push(file);
    }
    let mut table = settle(opened, &stated)?;
    table.guesses.splice(0..0, notes);
    let mut said = HashSet::new();
    table.guesses.retain(|guess: &String| said.insert(guess.clone()));
    Ok(table)
}

/// Types from outside the files.
#[derive(Default)]
struct Stated {
    given: BTreeMap<String, ColumnType>,
    wanted: BTreeMap<String, ColumnType>,
}

impl Stated {
    /// The type of a column, and a sentence when that was a guess.
    fn decide(&self, name: &str, seen: &Seen) -> (ColumnType, Option<String>) {
        if let Some(given) = self.given.get(name) {
            return (*given, None);
        }
        let (inferred, guess) = seen.decide(name);
        match self.wanted.get(name) {
            Some(wanted) if *wanted == inferred => (inferred, None),
            Some(wanted) if seen.fits(*wanted) => (*wanted, None),
            Some(wanted) => {
                let (wanted, kept) = (wanted.name(), inferred.name());
                let why = guess.map_or_else(String::new, |guess| format!(" ({guess})"));
                let said =
                    format!("column `{name}`: the schema says {wanted}, its values do not; it is read as {kept}{why}");
                (inferred, Some(said))
            }
            None => (inferred, guess),
        }
    }
}

/// Decides the type of every column over all files.
fn settle(files: Vec<Opened>, stated: &Stated) -> Result<OpenTable> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut seen: Vec<Option<Seen>> = Vec::new();
    let (mut rows, mut missing, mut guesses) = (0, Vec::<u64>::new(), Vec::new());
    for file in &files {
        let survey = file.survey();
        let mut here = vec![false; names.len()];
        for (name, column) in survey.names.iter().zip(&survey.columns) {
            let at = *places.entry(name.clone()).or_insert_with(|| {
                if rows > 0 {
                    guesses.push(not_everywhere(name));
                }
                names.push(name.clone());
                seen.push(None);
                missing.push(rows);
                here.push(false);
                names.len() - 1
            });
            here[at] = true;
            missing[at] += missing_in(column);
            seen[at] = Some(seen[at].take().map_or_else(|| column.clone(), |before| before.joined(column, rows)));
        }
        for (at, name) in names.iter().enumerate().filter(|(at, _)| !here[*at]) {
            missing[at] += survey.rows;
            guesses.push(not_everywhere(name));
        }
        rows += survey.rows;
    }
    if let Some(odd) = stated.given.keys().find(|name| !places.contains_key(*name)) {
        return Err(suggest::unknown("column", odd, names.iter().map(String::as_str)).into());
    }
    if rows >= u64::from(u32::MAX) {
        let rows = units::count(rows);
        return Err(fail::usage(format!("the table has {rows} rows; at most 4,294,967,294 are read")).into());
    }
    if rows == 0 {
        return Err(fail::usage("there are columns but no rows").hint("a table needs at least one row").into());
    }
    let mut columns = Vec::with_capacity(names.len());
    for (name, seen) in names.into_iter().zip(seen.into_iter().flatten()) {
        let (column_type, guess) = stated.decide(&name, &seen);
        guesses.extend(guess);
        columns.push(ColumnRecord { name, column_type });
    }
    let parse = files.iter().map(|file| file.parse.clone()).collect();
    Ok(OpenTable { files, columns, parse, guesses, rows, missing })
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
        for file in &self.files {
            let names = &file.survey().names;
            let known: HashMap<&str, ColumnType> =
                self.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
            let types: Vec<ColumnType> = names.iter().filter_map(|name| known.get(name.as_str()).copied()).collect();
            let mut batches = file.table.batches(&types, task)?;
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
            return Err(build::changed().into());
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
        let there: HashMap<&str, &Column> =
            batch.columns().iter().map(|column| (column.name().as_str(), column)).collect();
        let column = |wanted: &ColumnRecord| match there.get(wanted.name.as_str()) {
            Some(column) => (*column).clone(),
            None => Column::full_null(wanted.name.as_str().into(), height, &table::data_type(wanted.column_type)),
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
        quote: Some(parse.quote),
        encoding: Some(parse.encoding.clone()),
        compression: Some(parse.compression),
        sheet: parse.sheet.clone(),
        member: parse.member.clone(),
        quoted_values: parse.quoted_values,
        ..ReadOptions::default()
    }
}

/// Options that read a file as it was read before, with the types given then; the others are inferred anew.
pub fn as_before(parse: &ParseOptions) -> ReadOptions {
    ReadOptions { types: parse.types.clone(), ..as_recorded(parse, &[]) }
}

/// Whether reading a file with `options` is what `parse` says was done; what is not asked for may be anything.
pub fn reads_as(options: &ReadOptions, parse: &ParseOptions) -> bool {
    let nulls = options.null_values.as_deref();
    let same_nulls = match parse.format {
        Format::Csv | Format::Excel => null_values(nulls) == parse.null_values,
        Format::Json | Format::Jsonl => {
            nulls.filter(|given| !given.is_empty()).map(|given| null_values(Some(given))).unwrap_or_default()
                == parse.null_values
        }
        Format::Parquet | Format::Ipc => true,
    };
    same_nulls
        && options.format.is_none_or(|format| format == parse.format)
        && options.delimiter.is_none_or(|delimiter| delimiter == parse.delimiter)
        && options.header.is_none_or(|header| header == parse.header)
        && options.quote.is_none_or(|quote| quote == parse.quote)
        && options.compression.is_none_or(|compression| compression == parse.compression)
        && options.sheet.as_ref().is_none_or(|sheet| Some(sheet) == parse.sheet.as_ref())
        && options.member.as_ref().is_none_or(|member| Some(member) == parse.member.as_ref())
        && options.encoding.as_ref().is_none_or(|encoding| encoding.eq_ignore_ascii_case(&parse.encoding))
        && options.quoted_values == parse.quoted_values
        && options.types == parse.types
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
