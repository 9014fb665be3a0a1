//! The cells of one sheet of a workbook, and what has to be said about them.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::{Context, Result};
use calamine::{
    Data, DataRef, Dimensions, ExcelDateTime, Ods, Reader, SheetType, Sheets, Xls, Xlsb, Xlsx, open_workbook_from_rs,
};
use zip::ZipArchive;

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::base::units;
use crate::data::unpack::{self, Bounds};
use crate::data::value;

type Source = BufReader<File>;

/// One cell with a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number; workbooks keep whole numbers as floats too.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(Box<str>),
    /// A day, a time of day or both, as text.
    Time(Box<str>),
}

impl Cell {
    /// The value as it would stand in a text table; whole numbers without a fraction.
    pub fn text(&self) -> Cow<'_, str> {
        /// Whole numbers up to here are exact.
        const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
        match self {
            Cell::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT_MAX => {
                Cow::Owned((*number as i64).to_string())
            }
            Cell::Number(number) => Cow::Owned(value::float_text(*number)),
            Cell::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Cell::Text(text) | Cell::Time(text) => Cow::Borrowed(text),
        }
    }
}

/// A cell and where it stands, from 0.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its row.
    pub row: u32,
    /// Its column.
    pub column: u32,
    /// Its value.
    pub value: Cell,
}

/// A sheet as it is read.
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its cells by row, then column.
    pub cells: Vec<Placed>,
    /// What has to be said.
    pub notes: Vec<String>,
}

/// Cells that are said to be there, the first of them and how many.
#[derive(Default)]
struct Counted {
    first: Option<(u32, u32)>,
    count: u64,
}

impl Counted {
    fn add(&mut self, place: (u32, u32)) {
        self.first.get_or_insert(place);
        self.count += 1;
    }

    fn note(&self, say: impl Fn(u64, String) -> String) -> Option<String> {
        self.first.map(|(row, column)| say(self.count, address(row, column)))
    }
}

/// What was met while reading cells.
#[derive(Default)]
struct Met {
    cells: Vec<Placed>,
    formulas: Counted,
    unknown: Counted,
    errors: Counted,
}

/// Reads a sheet, the first one when none is named.
///
/// Errors: see [`super::survey`]. A panic of the reader on hostile bytes is an error like any other damage.
pub fn read(path: &Path, wanted: Option<&str>, bytes_max: Option<u64>) -> Result<Sheet> {
    check_size(path, bytes_max)?;
    match catch_unwind(AssertUnwindSafe(|| read_sheet(path, wanted))) {
        Ok(read) => read,
        Err(_) => Err(damaged("its content contradicts itself").into()),
    }
}

/// A workbook is an archive: what its parts unpack to is bounded like any packed file.
fn check_size(path: &Path, bytes_max: Option<u64>) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let length = file.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    if let Ok(archive) = ZipArchive::new(BufReader::new(file)) {
        let unpacked = archive.decompressed_size().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(u64::MAX);
        Bounds { packed: length, bytes_max }.check(unpacked)?;
    }
    Ok(())
}

fn read_sheet(path: &Path, wanted: Option<&str>) -> Result<Sheet> {
    let mut book = open(path)?;
    let (name, mut notes) = choose(&book, wanted)?;
    let mut met = Met::default();
    let merged = match &mut book {
        Sheets::Xlsx(book) => {
            read_xlsx(book, &name, &mut met).map_err(|error| damaged(&error.to_string()))?;
            book.merge_cells_by_sheet_name(&name).unwrap_or_default()
        }
        Sheets::Xlsb(book) => {
            read_xlsb(book, &name, &mut met).map_err(|error| damaged(&error.to_string()))?;
            Vec::new()
        }
        Sheets::Xls(book) => {
            read_whole(book, &name, &mut met).map_err(|error| damaged(&error.to_string()))?;
            book.merge_cells_by_sheet_name(&name).unwrap_or_default()
        }
        Sheets::Ods(book) => {
            read_whole(book, &name, &mut met).map_err(|error| damaged(&error.to_string()))?;
            Vec::new()
        }
    };
    met.cells.sort_by_key(|cell| (cell.row, cell.column));
    notes.extend(said(&met, &merged));
    Ok(Sheet { name, cells: met.cells, notes })
}

fn said(met: &Met, merged: &[Dimensions]) -> Vec<String> {
    let cells = |count| units::plural(count, "cell");
    let formulas = met.formulas.note(|count, first| {
        format!("{} with a formula: the value computed last is read (first: {first})", cells(count))
    });
    let unknown = met.unknown.note(|count, first| {
        format!("{} with a formula that was never computed: taken as missing (first: {first})", cells(count))
    });
    let errors =
        met.errors.note(|count, first| format!("{} with an error: taken as missing (first: {first})", cells(count)));
    let merged = merged.first().map(|first| {
        let (from, to) = (address(first.start.0, first.start.1), address(first.end.0, first.end.1));
        let count = units::plural(merged.len() as u64, "merged range");
        format!("{count}: only the first cell of each has a value, the others are missing (first: {from}:{to})")
    });
    [formulas, unknown, errors, merged].into_iter().flatten().collect()
}

fn open(path: &Path) -> Result<Sheets<Source>> {
    let source = || -> Result<Source> {
        Ok(BufReader::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?))
    };
    let mut first = [0; 4];
    source()?.read_exact(&mut first).map_err(|_| damaged("it is cut short"))?;
    let archive = if first == *unpack::ZIP {
        Some(ZipArchive::new(source()?).map_err(|error| damaged(&error.to_string()))?)
    } else {
        None
    };
    let has = |name: &str| archive.as_ref().is_some_and(|archive| archive.index_for_name(name).is_some());
    let bad = |error: &dyn std::fmt::Display| damaged(&error.to_string());
    Ok(match () {
        () if archive.is_none() => Sheets::Xls(open_workbook_from_rs::<Xls<_>, _>(source()?).map_err(|e| bad(&e))?),
        () if has("xl/workbook.bin") => {
            Sheets::Xlsb(open_workbook_from_rs::<Xlsb<_>, _>(source()?).map_err(|e| bad(&e))?)
        }
        () if has("content.xml") => Sheets::Ods(open_workbook_from_rs::<Ods<_>, _>(source()?).map_err(|e| bad(&e))?),
        () => Sheets::Xlsx(open_workbook_from_rs::<Xlsx<_>, _>(source()?).map_err(|e| bad(&e))?),
    })
}

/// The sheet to read, and a sentence when there is a choice.
fn choose(book: &Sheets<Source>, wanted: Option<&str>) -> Result<(String, Vec<String>), Failure> {
    let sheets = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let names: Vec<&str> = sheets.map(|sheet| sheet.name.as_str()).collect();
    match (wanted, names.as_slice()) {
        (Some(wanted), _) if names.contains(&wanted) => Ok((wanted.to_owned(), Vec::new())),
        (Some(wanted), _) => Err(suggest::unknown("sheet", wanted, names.iter().copied())),
        (None, []) => Err(fail::usage("the workbook has no sheet of cells").hint("export the table as CSV")),
        (None, [only]) => Ok(((*only).to_owned(), Vec::new())),
        (None, [first, others @ ..]) => {
            let others = others.join("`, `");
            Ok(((*first).to_owned(), vec![format!("sheet `{first}` is read, not `{others}`")]))
        }
    }
}

fn read_xlsx(book: &mut Xlsx<Source>, name: &str, met: &mut Met) -> Result<(), calamine::XlsxError> {
    let mut reader = book.worksheet_cells_reader(name)?;
    while let Some(cell) = reader.next_cell_with_formula_metadata()? {
        if cell.formula.is_some() {
            let never = cell.value == DataRef::Empty;
            if never { met.unknown.add(cell.pos) } else { met.formulas.add(cell.pos) }
        }
        met.add(cell.pos, cell.value.into());
    }
    Ok(())
}

fn read_xlsb(book: &mut Xlsb<Source>, name: &str, met: &mut Met) -> Result<(), calamine::XlsbError> {
    let mut reader = book.worksheet_cells_reader(name)?;
    while let Some(cell) = reader.next_cell()? {
        met.add(cell.get_position(), cell.get_value().clone().into());
    }
    drop(reader);
    let mut reader = book.worksheet_cells_reader(name)?;
    while let Some(formula) = reader.next_formula()? {
        if !formula.get_value().is_empty() {
            met.formulas.add(formula.get_position());
        }
    }
    Ok(())
}

/// Older and OpenDocument workbooks are read as one rectangle.
fn read_whole<B: Reader<Source>>(book: &mut B, name: &str, met: &mut Met) -> Result<(), B::Error> {
    let range = book.worksheet_range(name)?;
    let start = range.start().unwrap_or_default();
    for (row, column, value) in range.used_cells() {
        met.add((start.0 + row as u32, start.1 + column as u32), value.clone());
    }
    let formulas = book.worksheet_formula(name)?;
    let start = formulas.start().unwrap_or_default();
    for (row, column, _) in formulas.used_cells().filter(|(_, _, formula)| !formula.is_empty()) {
        met.formulas.add((start.0 + row as u32, start.1 + column as u32));
    }
    Ok(())
}

impl Met {
    fn add(&mut self, place: (u32, u32), data: Data) {
        let value = match data {
            Data::Int(number) => Cell::Number(number as f64),
            Data::Float(number) if number.is_finite() => Cell::Number(number),
            Data::Bool(value) => Cell::Boolean(value),
            Data::String(text) if !value::trim(&text).is_empty() => Cell::Text(text.into()),
            Data::DateTime(moment) => Cell::Time(moment_text(&moment).into()),
            Data::DateTimeIso(text) => Cell::Time(text.into()),
            Data::DurationIso(text) => Cell::Time(duration_text(&text).unwrap_or(text).into()),
            Data::Error(_) | Data::Float(_) => {
                self.errors.add(place);
                return;
            }
            Data::String(_) | Data::Empty => return,
        };
        self.cells.push(Placed { row: place.0, column: place.1, value });
    }
}

/// A day, a time of day below one day, or both; durations of a day and more have more than 23 hours.
fn moment_text(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    if moment.is_duration() || (0.0..1.0).contains(&days) {
        let millis = (days * 86_400_000.0).round();
        if !(0.0..1e15).contains(&millis) {
            return value::float_text(days);
        }
        let (seconds, millis) = (millis as u64 / 1_000, millis as u64 % 1_000);
        let start = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        return if millis == 0 { start } else { format!("{start}.{millis:03}") };
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, milli) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date} {hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date} {hour:02}:{minute:02}:{second:02}.{milli:03}"),
    }
}

/// `PT09H30M00S` as `09:30:00`.
fn duration_text(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?;
    let (whole, fraction) = seconds.split_once(['.', ',']).unwrap_or((seconds, ""));
    let number = |digits: &str| digits.parse::<u32>().ok();
    let start = format!("{:02}:{:02}:{:02}", number(hours)?, number(minutes)?, number(whole)?);
    let plain = fraction.trim_end_matches('0');
    Some(if plain.is_empty() { start } else { format!("{start}.{plain}") })
}

/// `B7` for row 6 and column 1.
pub fn address(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut left = column + 1;
    while left > 0 {
        letters.push(b'A' + ((left - 1) % 26) as u8);
        left = (left - 1) / 26;
    }
    letters.reverse();
    format!("{}{}", String::from_utf8_lossy(&letters), row + 1)
}

fn damaged(why: &str) -> Failure {
    fail::usage(format!("this workbook cannot be read: {why}"))
        .hint("is it damaged, or protected by a password? save it again, or export the sheet as CSV")
}
