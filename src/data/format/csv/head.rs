//! The start of a text table: delimiter, names, and where the rows begin.

use std::io::Read;

use anyhow::{Context, Result};

use crate::base::fail::{self, Failure};
use crate::base::limits::LINE_BYTES_MAX;
use crate::base::units;
use crate::data::format::csv::fields::{self, Dialect, Field};
use crate::data::format::csv::guess::{self, Head};
use crate::data::format::csv::{CsvOptions, NotUtf8};
use crate::data::names;

/// Bytes looked at to find the form; more when the first line is longer.
const HEAD_BYTES: u64 = 256 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Form of one text table.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its delimiter and quote.
    pub dialect: Dialect,
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
pub fn shape(file: impl Read, asked: &CsvOptions<'_>, guesses: &mut Vec<String>) -> Result<Shape> {
    let (bytes, whole) = read_head(file)?;
    let skip = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
    let text = head_text(&bytes[skip..])?;
    let whole = whole && text.len() + skip == bytes.len();
    let quote = asked.quote.map(quote_byte).transpose()?;
    let delimiter = asked.delimiter.map(delimiter_byte).transpose()?;
    if delimiter.is_some() && delimiter == quote {
        return Err(fail::usage("the delimiter and the quote are the same character").into());
    }
    let head = Head { text, whole };
    let dialect = guess::dialect(head, delimiter, quote, guesses);
    let mut start = 0;
    while let Some(length) = fields::blank_line(&text.as_bytes()[start..]) {
        start += length;
    }
    if start == text.len() {
        return Err(fail::usage("the file is empty").hint("a table needs a line of names and at least one row").into());
    }
    let end = fields::record_end(text, start, dialect).ok_or_else(|| broken_header(text, start, dialect))?;
    let mut first = Vec::new();
    let push = |_: usize, _: usize, field: Field<'_>| first.push(field.value().into_owned());
    fields::each_field(&text[start..end], dialect, None, push).map_err(|_| broken_header(text, start, dialect))?;
    let with_names = asked.header.unwrap_or_else(|| guess::has_names(head, dialect, guesses));
    let names = if with_names { first } else { (1..=first.len()).map(|n| format!("column_{n}")).collect() };
    guesses.extend(names::check(&names)?);
    let data = if with_names { end } else { start };
    let data_line = fields::lines(&text.as_bytes()[..data]) as u64;
    Ok(Shape { dialect, header: with_names, names, data_at: (skip + data) as u64, data_line })
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
            .hint("say encoding = \"utf-16le\" or \"utf-16be\"")
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
        let failure = fail::usage(format!("the first line is not UTF-8 (byte {})", text.len() + 1))
            .hint("say which encoding it has, as encoding = \"latin1\"");
        return Err(anyhow::Error::new(failure).context(NotUtf8 { place: "the first line".to_owned() }));
    }
    let carriage = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    if first_line == bytes.len() && carriage + 1 < bytes.len() {
        return Err(fail::usage("its lines end with a carriage return only")
            .hint("convert it: tr '\\r' '\\n' < IN.csv > OUT.csv")
            .into());
    }
    Ok(text)
}

/// A quote as one byte.
fn quote_byte(given: char) -> Result<u8, Failure> {
    match u8::try_from(given) {
        Ok(byte) if byte.is_ascii_punctuation() => Ok(byte),
        _ => Err(fail::usage(format!("`{given}` cannot be a quote")).hint("give one mark, as \" or '")),
    }
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

fn broken_header(text: &str, start: usize, dialect: Dialect) -> Failure {
    let mut last = None;
    let found = fields::each_field(&text[start..], dialect, None, |row, column, _| last = Some((row, column)));
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
