//! The start of a text table: delimiter, names, and where the rows begin.

use std::collections::HashMap;
use std::io::Read;

use anyhow::{Context, Result};

use crate::base::fail::{self, Failure};
use crate::base::limits::{COLUMNS_MAX, LINE_BYTES_MAX};
use crate::base::units;
use crate::data::format::csv::fields::{self, Field};
use crate::data::value::{self, Kind};

/// Bytes looked at to find the delimiter; more when the first line is longer.
const HEAD_BYTES: u64 = 256 << 10;
/// Records looked at to find the delimiter.
const DELIMITER_RECORDS: usize = 200;
/// Delimiters that are recognised, the likelier first.
const DELIMITERS: [char; 4] = [',', '\t', ';', '|'];
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Form of one text table.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// What stands between two fields.
    pub delimiter: u8,
    /// Whether the first line holds the names.
    pub header: bool,
    /// Names of the columns, in order.
    pub names: Vec<String>,
    /// Where the first row starts, in bytes.
    pub data_at: u64,
    /// Lines before the first row.
    pub data_line: u64,
}

/// Finds the shape of `file`; sentences about what was guessed go to `guesses`.
///
/// Errors: an empty file, binary content, another encoding than UTF-8, a first line that is too long, names that are empty
/// or given twice, too many columns.
pub fn shape(
    file: impl Read,
    delimiter: Option<char>,
    header: Option<bool>,
    guesses: &mut Vec<String>,
) -> Result<Shape> {
    let (bytes, whole) = read_head(file)?;
    let skip = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let text = head_text(&bytes[skip..])?;
    let whole = whole && text.len() + skip == bytes.len();
    let delimiter = match delimiter {
        Some(given) => delimiter_byte(given)?,
        None => guess_delimiter(text, whole, guesses),
    };
    let mut start = 0;
    while let Some(length) = fields::blank_line(&text.as_bytes()[start..]) {
        start += length;
    }
    if start == text.len() {
        return Err(fail::usage("the file is empty").hint("a table needs a line of names and at least one row").into());
    }
    let end = fields::record_end(text, start, delimiter).ok_or_else(|| broken_header(text, start, delimiter))?;
    let mut first = Vec::new();
    let push = |_: usize, _: usize, field: Field<'_>| first.push(field.value().into_owned());
    fields::each_field(&text[start..end], delimiter, None, push).map_err(|_| broken_header(text, start, delimiter))?;
    let with_names = header.unwrap_or(true);
    if header.is_none() && first.iter().all(|name| value::kind(value::trim(name)) <= Kind::Float) {
        guesses.push(
            "the first line is taken as names though it holds only numbers; say header = false if it is a row"
                .to_owned(),
        );
    }
    let names = if with_names { first } else { (1..=first.len()).map(|n| format!("column_{n}")).collect() };
    check_names(&names)?;
    let data = if with_names { end } else { start };
    let data_line = fields::lines(&text.as_bytes()[..data]) as u64;
    Ok(Shape { delimiter, header: with_names, names, data_at: (skip + data) as u64, data_line })
}

/// The start of the file, at least one whole line of it, and whether that is the whole file.
fn read_head(mut file: impl Read) -> Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    loop {
        let before = bytes.len();
        let read = file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes).context("cannot read the first bytes")?;
        if (read as u64) < HEAD_BYTES {
            return Ok((bytes, true));
        }
        if memchr::memchr(b'\n', &bytes[before..]).is_some() {
            return Ok((bytes, false));
        }
        if bytes.len() > LINE_BYTES_MAX {
            return Err(too_long(1, false).into());
        }
    }
}

/// A record of more bytes than any row may have.
pub fn too_long(line: u64, open_quote: bool) -> Failure {
    let (line, limit) = (units::count(line), units::bytes(LINE_BYTES_MAX as u64));
    match open_quote {
        true => fail::usage(format!("line {line} opens a quote that does not close within {limit}"))
            .hint("close the quote, or double it if it belongs to the value"),
        false => fail::usage(format!("line {line} has more than {limit}"))
            .hint("is this a text table whose lines end with a line feed? convert it, or give the right format"),
    }
}

/// The part of the head that is text.
fn head_text(bytes: &[u8]) -> Result<&str> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(fail::usage("the file is UTF-16, not UTF-8")
            .hint("convert it: iconv -f UTF-16 -t UTF-8 IN.csv > OUT.csv")
            .into());
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The head may end inside a character, and rows are checked by the scan; the first line must be text.
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    };
    let first_line = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    if memchr::memchr(0, &bytes[..first_line]).is_some() {
        return Err(fail::usage("the file is binary, not a text table: its first line has a NUL byte")
            .hint("give the right format, or export the table as CSV or Parquet")
            .into());
    }
    if text.len() < first_line {
        return Err(fail::usage(format!("the first line is not UTF-8 (byte {})", text.len() + 1))
            .hint("convert the file: iconv -f LATIN1 -t UTF-8 IN.csv > OUT.csv")
            .into());
    }
    let carriage = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    if first_line == bytes.len() && carriage + 1 < bytes.len() {
        return Err(fail::usage("its lines end with a carriage return only")
            .hint("convert it: tr '\\r' '\\n' < IN.csv > OUT.csv")
            .into());
    }
    Ok(text)
}

/// A delimiter as one byte.
pub fn delimiter_byte(given: char) -> Result<u8, Failure> {
    match u8::try_from(given) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(byte),
        _ => {
            Err(fail::usage(format!("`{given}` cannot be a delimiter"))
                .hint("give one ASCII character, as , ; | or tab"))
        }
    }
}

/// The delimiter that cuts the most records into as many fields as the first one; the most fields on a tie.
fn guess_delimiter(text: &str, whole: bool, guesses: &mut Vec<String>) -> u8 {
    let mut best = (0.0, 0, ',');
    for candidate in DELIMITERS {
        let (agreeing, width) = agreement(text, whole, candidate as u8);
        if width > 1 && (agreeing, width) > (best.0, best.1) {
            best = (agreeing, width, candidate);
        }
    }
    if best.2 != ',' {
        let shown = if best.2 == '\t' { "a tab".to_owned() } else { format!("`{}`", best.2) };
        guesses.push(format!("the delimiter is {shown}"));
    }
    best.2 as u8
}

/// Share of the first records that have as many fields as the very first, and that number.
fn agreement(text: &str, whole: bool, delimiter: u8) -> (f64, usize) {
    let mut widths: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < text.len() && widths.len() < DELIMITER_RECORDS {
        if let Some(length) = fields::blank_line(&text.as_bytes()[at..]) {
            at += length;
            continue;
        }
        let Some(end) = fields::record_end(text, at, delimiter) else {
            break;
        };
        if end == text.len() && !whole && !widths.is_empty() {
            break;
        }
        let mut width = 0;
        if fields::each_field(&text[at..end], delimiter, None, |_, column, _| width = column + 1).is_err() {
            break;
        }
        widths.push(width);
        at = end;
    }
    let first = widths.first().copied().unwrap_or(0);
    let agreeing = widths.iter().filter(|width| **width == first).count();
    (agreeing as f64 / widths.len().max(1) as f64, first)
}

fn broken_header(text: &str, start: usize, delimiter: u8) -> Failure {
    let mut last = None;
    let found = fields::each_field(&text[start..], delimiter, None, |row, column, _| last = Some((row, column)));
    let column = match found {
        Err(fault) if fault.row == 0 => match fault.problem {
            fields::Problem::OpenQuote(column) | fields::Problem::AfterQuote(column) => column,
            fields::Problem::Fields(_) => 0,
        },
        _ => last.map_or(0, |(_, column)| column),
    };
    fail::usage(format!("the quotes of name {} in the first line do not match", column + 1))
        .hint("a quote inside a quoted name is written twice")
}

fn check_names(names: &[String]) -> Result<(), Failure> {
    if names.len() > COLUMNS_MAX {
        let (count, limit) = (units::count(names.len() as u64), units::count(COLUMNS_MAX as u64));
        return Err(fail::usage(format!("the table has {count} columns; at most {limit} are read"))
            .hint("is the table transposed? rows are lines, columns are fields"));
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, name) in names.iter().enumerate() {
        let number = index + 1;
        if value::trim(name).is_empty() {
            return Err(fail::usage(format!("column {number} has no name"))
                .hint("name it in the first line, or say header = false if the first line is a row"));
        }
        if let Some(earlier) = seen.insert(name, number) {
            return Err(fail::usage(format!("two columns are called `{name}`: numbers {earlier} and {number}"))
                .hint("rename one of them in the first line"));
        }
    }
    Ok(())
}
