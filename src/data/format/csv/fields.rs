//! Delimited text cut into records and fields: RFC 4180, plus records that end with `\n` or `\r\n`, mixed or not.
//!
//! A field that starts with a quote runs to the next quote that is not doubled; a quote anywhere else is an ordinary
//! character. Lines without any character are skipped.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// The two characters that a text table is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between two fields.
    pub delimiter: u8,
    /// What stands around a field that holds delimiters or line ends.
    pub quote: u8,
}

impl Dialect {
    /// RFC 4180.
    pub const COMMA: Dialect = Dialect { delimiter: b',', quote: b'"' };
}

/// One field: what stands between the delimiters, or between the quotes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field<'a> {
    /// Text between the delimiters or the quotes; doubled quotes are still doubled.
    pub text: &'a str,
    /// The quote it stood in.
    pub quote: Option<u8>,
}

impl<'a> Field<'a> {
    /// The value itself.
    pub fn value(self) -> Cow<'a, str> {
        let Some(quote) = self.quote.filter(|quote| self.text.as_bytes().contains(quote)).map(char::from) else {
            return Cow::Borrowed(self.text);
        };
        Cow::Owned(self.text.replace(&format!("{quote}{quote}"), quote.encode_utf8(&mut [0; 4])))
    }
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It has this many fields, not the number wanted.
    Fields(usize),
    /// After the closing quote of field number `.0` comes something else than a delimiter.
    AfterQuote(usize),
    /// Field number `.0` opens a quote that never closes.
    OpenQuote(usize),
}

/// The first thing wrong in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Record in the block, from 0.
    pub row: usize,
    /// Where in the block the record starts, in bytes.
    pub at: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// How many records and skipped lines a block has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records.
    pub rows: usize,
    /// Lines without any character.
    pub blank: usize,
}

/// Calls `each(row, column, field)` for every field of a block of whole records; `width` fields make a record, any number
/// when `None`.
///
/// Errors: the first record that is malformed or has another number of fields; its fields up to there were handed over.
pub fn each_field<'a>(
    block: &'a str,
    dialect: Dialect,
    width: Option<usize>,
    mut each: impl FnMut(usize, usize, Field<'a>),
) -> Result<Counts, Fault> {
    let bytes = block.as_bytes();
    let mut counts = Counts::default();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(end) = blank_line(&bytes[at..]) {
            counts.blank += 1;
            at += end;
            continue;
        }
        let start = at;
        let row = counts.rows;
        let mut column = 0;
        loop {
            let (field, after) = next_field(block, at, dialect).map_err(|open| Fault {
                row,
                at: start,
                problem: problem_at(column, open),
            })?;
            if width.is_none_or(|width| column < width) {
                each(row, column, field);
            }
            column += 1;
            at = after + 1;
            if after >= bytes.len() || bytes[after] != dialect.delimiter {
                break;
            }
        }
        if width.is_some_and(|width| width != column) {
            return Err(Fault { row, at: start, problem: Problem::Fields(column) });
        }
        counts.rows += 1;
    }
    Ok(counts)
}

/// Where the record that starts at `at` ends, its line end included; `None` when a quote never closes or something follows
/// a closing quote.
pub fn record_end(block: &str, at: usize, dialect: Dialect) -> Option<usize> {
    let bytes = block.as_bytes();
    let mut at = at;
    loop {
        let (_, after) = next_field(block, at, dialect).ok()?;
        match bytes.get(after) {
            Some(byte) if *byte == dialect.delimiter => at = after + 1,
            _ => return Some((after + 1).min(bytes.len())),
        }
    }
}

fn problem_at(column: usize, open: bool) -> Problem {
    if open { Problem::OpenQuote(column) } else { Problem::AfterQuote(column) }
}

/// Length of a line without any character at the start of `bytes`.
pub fn blank_line(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        [b'\r'] => Some(1),
        _ => None,
    }
}

/// The field at `at`, and where its delimiter or line end stands. `Err(true)`: its quote never closes; `Err(false)`:
/// something follows its closing quote.
#[inline]
fn next_field(block: &str, at: usize, dialect: Dialect) -> Result<(Field<'_>, usize), bool> {
    let bytes = block.as_bytes();
    if bytes.get(at) == Some(&dialect.quote) {
        let close = closing_quote(bytes, at + 1, dialect.quote).ok_or(true)?;
        let field = Field { text: &block[at + 1..close], quote: Some(dialect.quote) };
        return match &bytes[close + 1..] {
            [] | [b'\n', ..] => Ok((field, close + 1)),
            [b'\r', b'\n', ..] | [b'\r'] => Ok((field, close + 2)),
            [next, ..] if *next == dialect.delimiter => Ok((field, close + 1)),
            _ => Err(false),
        };
    }
    let rest = &bytes[at..];
    let end = at + rest.iter().position(|&b| b == dialect.delimiter || b == b'\n').unwrap_or(rest.len());
    let ends_line = bytes.get(end) != Some(&dialect.delimiter);
    let strip = usize::from(ends_line && end > at && bytes[end - 1] == b'\r');
    Ok((Field { text: &block[at..end - strip], quote: None }, end))
}

/// The quote that closes a field whose content starts at `from`.
pub fn closing_quote(bytes: &[u8], from: usize, mark: u8) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + memchr(mark, &bytes[at..])?;
        if bytes.get(quote + 1) != Some(&mark) {
            return Some(quote);
        }
        at = quote + 2;
    }
}

/// Number of line ends.
pub fn lines(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

/// Row (from 0) and column (from 0) of the field in which a well-formed `prefix` of a block ends.
pub fn locate(prefix: &str, dialect: Dialect) -> (usize, usize) {
    let mut last = (0, 0);
    match each_field(prefix, dialect, None, |row, column, _| last = (row, column)) {
        Err(Fault { row, problem: Problem::OpenQuote(column) | Problem::AfterQuote(column), .. }) => (row, column),
        Ok(counts) if prefix.is_empty() || prefix.ends_with('\n') => (counts.rows, 0),
        _ => last,
    }
}
