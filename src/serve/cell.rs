//! One value of a request: what it came as, what it is worth in its column, and the error when it is worth nothing.

use crate::data::value;
use crate::serve::error::{Reason, ServeError};
use crate::serve::schema::SchemaColumn;
use crate::spec::schema::ColumnType;

/// Characters of a value that are repeated in an error.
const SHOWN_CHARS: usize = 60;

/// One value as it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A value that is missing on purpose.
    Null,
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text; days and times too.
    Text(&'a str),
    /// A list, where one value belongs.
    List,
    /// An object, where one value belongs.
    Object,
}

/// Times of day are seconds since midnight, from text. Numbers are finite; booleans may come as 0 and 1, as tables often hold them, but numbers never as booleans.
pub fn number(column_type: ColumnType, cell: Cell<'_>) -> Option<f64> {
    match (column_type, cell) {
        (ColumnType::Boolean, Cell::Boolean(value)) => Some(f64::from(u8::from(value))),
        (ColumnType::Boolean, Cell::Number(value)) => (value == 0.0 || value == 1.0).then_some(value),
        (ColumnType::Time, Cell::Text(text)) => value::time(text).map(|micros| micros as f64 / 1e6),
        (ColumnType::Time, _) => None,
        (_, Cell::Number(value)) => value.is_finite().then_some(value),
        _ => None,
    }
}

/// Microseconds since 1970 of a day or moment written as text.
pub fn micros(column_type: ColumnType, cell: Cell<'_>) -> Option<i64> {
    let Cell::Text(text) = cell else { return None };
    let moment = value::timestamp(text)?;
    match column_type {
        ColumnType::Date => Some(moment.div_euclid(value::DAY_MICROS) * value::DAY_MICROS),
        _ => Some(moment),
    }
}

/// The error for a value of another type than its column.
pub fn wrong_type(column: &SchemaColumn, row: usize, cell: Cell<'_>) -> ServeError {
    let (name, wanted) = (&column.name, column.column_type.name());
    let got = match cell {
        Cell::Null => "nothing".to_owned(),
        Cell::Number(value) => format!("the number {value}"),
        Cell::Boolean(value) => format!("the boolean {value}"),
        Cell::Text(text) => format!("the text \"{}\"", shown(text)),
        Cell::List => "a list".to_owned(),
        Cell::Object => "an object".to_owned(),
    };
    let error = ServeError::new(Reason::WrongType, format!("column `{name}` is {wanted}, row {row} holds {got}"));
    let error = error.column(name).row(row);
    match (column.column_type, cell) {
        (ColumnType::Integer | ColumnType::Float, Cell::Text(text))
            if value::float(text).is_some_and(f64::is_finite) =>
        {
            error.hint(format!("send numbers without quotes: {}", shown(text.trim())))
        }
        (ColumnType::Integer | ColumnType::Float, _) => error.hint("send a number, or null when it is not known"),
        (ColumnType::Boolean, _) => error.hint("send true or false, or null when it is not known"),
        (ColumnType::Text, Cell::Number(value)) => error.hint(format!("send text in quotes: \"{value}\"")),
        (ColumnType::Text, _) => error.hint("send text in quotes, or null when it is not known"),
        (ColumnType::Date, _) => error.hint("send a day as text: \"2026-01-31\""),
        (ColumnType::Time, _) => error.hint("send a time of day as text: \"09:30:00\""),
        (ColumnType::Timestamp, _) => error.hint("send a time as text: \"2026-01-31T09:30:00Z\""),
    }
}

/// The start of a value, short enough for a message.
pub fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
