//! The answer of a database as a CSV file, with the types of its columns.
//!
//! An empty field without quotes is NULL; every text is quoted, so that an empty text and `NA` stay texts. The only
//! column of a table writes NULL as `\N` without quotes: an empty line would be no row.

use std::collections::{BTreeMap, HashSet};

use anyhow::Result;

use crate::base::fail;
use crate::base::limits;
use crate::base::talk::Talk;
use crate::record::dataset::Format;
use crate::source::partition;
use crate::source::spool::Spool;
use crate::source::{Content, Fetched};
use crate::spec::schema::ColumnType;

/// What stands for NULL in a table of one column.
pub const LONELY_NULL: &str = "\\N";

/// Bytes gathered before they are written.
const BLOCK_BYTES: usize = 1 << 16;

/// Significant decimal digits that every 64-bit float keeps.
const FLOAT_DIGITS: usize = 15;

/// Whole numbers beyond this are not all floats.
const FLOAT_INTEGER_MAX: i64 = 1 << 53;

/// What a database says of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing; the values tell.
    Open,
    /// It has this type.
    Type(ColumnType),
    /// Decimal numbers of any length.
    Decimal,
}

/// One value on its way out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// NULL
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text, or anything written as one.
    Text(&'a str),
    /// Bytes, written in hexadecimal.
    Bytes(&'a [u8]),
}

/// What the values of one column have been.
#[derive(Clone, Debug)]
struct Seen {
    integers: u64,
    large: u64,
    not_binary: u64,
    reals: u64,
    texts: u64,
    bytes: u64,
    not_date: u64,
    not_time: u64,
    not_float: u64,
}

/// A column of the answer.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    claim: Claim,
    seen: Seen,
}

impl Column {
    /// A column of which no value was seen yet.
    pub fn new(name: &str, claim: Claim) -> Column {
        let seen = Seen {
            integers: 0,
            large: 0,
            not_binary: 0,
            reals: 0,
            texts: 0,
            bytes: 0,
            not_date: 0,
            not_time: 0,
            not_float: 0,
        };
        Column { name: name.to_owned(), claim, seen }
    }

    /// Takes note of a value that the database typed.
    pub fn see(&mut self, value: &Value<'_>) {
        let seen = &mut self.seen;
        match value {
            Value::Null => {}
            Value::Integer(number) => {
                seen.integers += 1;
                seen.large += u64::from(number.unsigned_abs() > FLOAT_INTEGER_MAX as u64);
                seen.not_binary += u64::from(!(0..=1).contains(number));
            }
            Value::Real(_) => seen.reals += 1,
            Value::Text(text) => {
                seen.texts += 1;
                self.see_written(text);
            }
            Value::Bytes(_) => seen.bytes += 1,
        }
    }

    /// Takes note of a value by how it is written, as far as its claim can be wrong.
    pub fn see_written(&mut self, text: &str) {
        match self.claim {
            Claim::Type(ColumnType::Date) => self.seen.not_date += u64::from(!is_date(text)),
            Claim::Type(ColumnType::Timestamp) => self.seen.not_time += u64::from(!is_date(text) && !is_moment(text)),
            Claim::Decimal => self.seen.not_float += u64::from(!float_keeps(text)),
            _ => {}
        }
    }

    /// The type that every value has, and a sentence when it is not what one would expect.
    fn decide(&self, whole: bool) -> (ColumnType, Option<String>) {
        let (seen, name) = (&self.seen, &self.name);
        let text = |why: &str| (ColumnType::Text, Some(format!("column `{name}` {why}; it is read as text")));
        match self.claim {
            Claim::Type(ColumnType::Date) if seen.not_date > 0 => text("is declared a date and holds other values"),
            Claim::Type(ColumnType::Timestamp) if seen.not_time > 0 => {
                text("is declared a time stamp and holds other values")
            }
            Claim::Decimal if seen.not_float > 0 => {
                text("holds decimal numbers of more than 15 digits, which a float would round (cast it in the query)")
            }
            Claim::Decimal => {
                (ColumnType::Float, Some(format!("column `{name}` is numeric; its values are read as floats")))
            }
            Claim::Type(claimed) if whole => (claimed, None),
            _ => self.by_values(),
        }
    }

    /// The type by the kinds of values, for databases whose declared types bind nobody.
    fn by_values(&self) -> (ColumnType, Option<String>) {
        let (seen, name) = (&self.seen, &self.name);
        let text = |why: &str| (ColumnType::Text, Some(format!("column `{name}` {why}; it is read as text")));
        let claimed = |wanted: ColumnType| self.claim == Claim::Type(wanted);
        let numbers = seen.integers + seen.reals;
        match (seen.bytes, seen.texts, numbers) {
            (0, 0, 0) => (if let Claim::Type(claimed) = self.claim { claimed } else { ColumnType::Text }, None),
            (0, 0, _) if seen.reals == 0 && claimed(ColumnType::Boolean) && seen.not_binary == 0 => {
                (ColumnType::Boolean, None)
            }
            (0, 0, _) if seen.reals == 0 => (ColumnType::Integer, None),
            (0, 0, _) if seen.large > 0 => text("holds fractions and whole numbers beyond 2^53"),
            (0, 0, _) => (ColumnType::Float, None),
            (0, _, 0) if claimed(ColumnType::Date) || claimed(ColumnType::Timestamp) => {
                (if claimed(ColumnType::Date) { ColumnType::Date } else { ColumnType::Timestamp }, None)
            }
            (0, _, 0) => (ColumnType::Text, None),
            (0, _, _) => text("holds both numbers and texts"),
            _ => text("holds raw bytes, written in hexadecimal"),
        }
    }
}

/// A CSV file under way.
pub struct Snapshot {
    spool: Spool,
    block: Vec<u8>,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    rows: u64,
}

impl Snapshot {
    /// Begins with the line of names. Errors: no columns, too many, an empty name, a name twice.
    pub fn new(spool: Spool, columns: Vec<Column>) -> Result<Snapshot> {
        if columns.is_empty() {
            return Err(fail::usage("the query gives no table").hint("write a query that begins with SELECT").into());
        }
        if columns.len() > limits::COLUMNS_MAX {
            return Err(fail::usage(format!("the query gives {} columns", columns.len())).into());
        }
        let mut names = HashSet::new();
        for (index, column) in columns.iter().enumerate() {
            if column.name.trim().is_empty() || !names.insert(&column.name) {
                let what = match column.name.trim() {
                    "" => format!("column {} of the query has no name", index + 1),
                    name => format!("the query gives two columns named `{name}`"),
                };
                return Err(fail::usage(what).hint("name it in the query: SELECT … AS name").into());
            }
        }
        let mut block = Vec::with_capacity(2 * BLOCK_BYTES);
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                block.push(b',');
            }
            push_quoted(&mut block, &column.name);
        }
        block.push(b'\n');
        Ok(Snapshot { spool, block, columns, rows: 0 })
    }

    /// Adds one value of the row under way; `index` is its column.
    pub fn value(&mut self, index: usize, value: &Value<'_>) {
        self.columns[index].see(value);
        if index > 0 {
            self.block.push(b',');
        }
        match value {
            Value::Null if self.columns.len() == 1 => self.block.extend_from_slice(LONELY_NULL.as_bytes()),
            Value::Null => {}
            Value::Integer(number) => self.block.extend_from_slice(number.to_string().as_bytes()),
            // The debug form is the shortest that reads back as the same number, also for 1e300.
            Value::Real(number) => self.block.extend_from_slice(format!("{number:?}").as_bytes()),
            Value::Text(text) => push_quoted(&mut self.block, text),
            Value::Bytes(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                push_quoted(&mut self.block, &hex);
            }
        }
    }

    /// Ends the row under way.
    pub fn end_row(&mut self) -> Result<()> {
        self.block.push(b'\n');
        self.rows += 1;
        self.flush(BLOCK_BYTES)
    }

    /// Adds a finished row, with its line end.
    pub fn row(&mut self, line: &[u8]) -> Result<()> {
        self.block.extend_from_slice(line);
        self.rows += 1;
        self.flush(BLOCK_BYTES)
    }

    fn flush(&mut self, beyond: usize) -> Result<()> {
        if self.block.len() >= beyond {
            self.spool.write(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }

    /// The finished file. `binding` says whether the database holds values to declared types.
    pub fn finish(mut self, binding: bool, name: String, origin: String, talk: &dyn Talk) -> Result<Fetched> {
        self.flush(1)?;
        if self.rows == 0 {
            return Err(fail::usage(format!("{origin} has no rows")).hint("check the table or the query").into());
        }
        let mut types = BTreeMap::new();
        for column in &self.columns {
            let (column_type, note) = column.decide(binding);
            if let Some(note) = note {
                talk.info(&note);
            }
            types.insert(column.name.clone(), column_type);
        }
        let lonely = (self.columns.len() == 1).then(|| LONELY_NULL.to_owned());
        let mut fetched = Fetched::plain(name, Some(origin), Content::Temporary(self.spool.finish()));
        fetched.format = Some(Format::Csv);
        fetched.types = types;
        fetched.null_values = Some([String::new()].into_iter().chain(lonely).collect());
        Ok(fetched)
    }
}

/// The text in quotes, those within doubled.
pub fn push_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Whether a decimal number has at most 15 significant digits, or is none at all (`NaN`, `Infinity`).
fn float_keeps(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit);
    let significant = digits.skip_while(|digit| *digit == b'0').count();
    let trailing = text.trim_end_matches('0').len();
    // Zeros at the end of a whole number are places, not digits.
    let zeros = if text.contains('.') { 0 } else { text.len() - trailing };
    significant.saturating_sub(zeros) <= FLOAT_DIGITS
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// `YYYY-MM-DD` of a day that exists.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    matches!((number(year, 4), number(month, 2), number(day, 2)),
        (Some(year), Some(month), Some(day)) if partition::is_day(year, month, day))
}

/// `YYYY-MM-DD[T ]HH:MM[:SS[.f]][Z|±HH[[:]MM]]`
fn is_moment(text: &str) -> bool {
    let (Some(day), Some(rest)) = (text.get(..10), text.get(10..)) else { return false };
    let Some(rest) = rest.strip_prefix(['T', ' ']) else { return false };
    let at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(at);
    is_date(day) && is_time(time) && is_zone(zone)
}

fn is_time(time: &str) -> bool {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let parts: Vec<Option<i64>> = whole.split(':').map(|part| number(part, 2)).collect();
    let fits = |value: Option<i64>, limit: i64| value.is_some_and(|value| value < limit);
    let sound = match parts.as_slice() {
        [hour, minute] => fits(*hour, 24) && fits(*minute, 60) && !time.contains('.'),
        [hour, minute, second] => fits(*hour, 24) && fits(*minute, 60) && fits(*second, 60),
        _ => false,
    };
    sound && (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_zone(zone: &str) -> bool {
    let Some(offset) = zone.strip_prefix(['+', '-']) else { return matches!(zone, "" | "Z") };
    let (hours, minutes) = offset.split_at_checked(2).unwrap_or((offset, ""));
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let minutes = if minutes.is_empty() { Some(0) } else { number(minutes, 2) };
    number(hours, 2).is_some_and(|hours| hours < 15) && minutes.is_some_and(|minutes| minutes < 60)
}
