//! `text/csv` bodies: a header line, then one line a row; delimiter comma, quotes as in RFC 4180. The words that mean
//! "missing" are those that training data is read with unless it names others.

use crate::data::format::csv::fields::{self, Dialect, Fault, Problem};
use crate::data::source;
use crate::data::value;
use crate::serve::cell::Cell;
use crate::serve::columns::{self, Columns};
use crate::serve::error::{Reason, ServeError};
use crate::serve::schema::{InputSchema, SchemaColumn};
use crate::spec::schema::ColumnType;

/// Reads a body.
///
/// Errors: no header, a column twice, a needed column absent, rows of another width, values that are not of their column's
/// type.
pub fn read<'s>(body: &str, schema: &'s InputSchema) -> Result<Columns<'s>, ServeError> {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let mut start = 0;
    while let Some(length) = fields::blank_line(&body.as_bytes()[start..]) {
        start += length;
    }
    let Some(head_end) = fields::record_end(body, start, Dialect::COMMA).filter(|_| start < body.len()) else {
        let error = ServeError::new(Reason::NotCsv, "the body has no header line");
        return Err(error.hint("send the column names in the first line"));
    };
    let mut columns = Columns::new(schema);
    let positions = header(&body[start..head_end], &mut columns)?;
    let missing = source::null_values(None);
    let mut refused = None;
    let mut last = 0;
    let read = fields::each_field(&body[head_end..], Dialect::COMMA, Some(positions.len()), |row, place, field| {
        if refused.is_some() {
            return;
        }
        if row > last {
            refused = columns.end_row().err();
            last = row;
        }
        if place == 0 && refused.is_none() {
            refused = columns.begin_row().err();
        }
        if let (Some(position), None) = (positions[place], &refused) {
            let text = field.value();
            let cell = cell_of(&schema.columns()[position], &text, &missing);
            refused = columns.put(position, cell).err();
        }
    });
    if let Some(refused) = refused {
        return Err(refused);
    }
    let counts = read.map_err(|fault| not_csv(&fault, positions.len()))?;
    if counts.rows > 0 {
        columns.end_row()?;
    }
    Ok(columns)
}

fn header(line: &str, columns: &mut Columns<'_>) -> Result<Vec<Option<usize>>, ServeError> {
    let schema = columns.schema();
    let mut given = vec![false; schema.columns().len()];
    let mut positions = Vec::new();
    let mut twice = None;
    let read = fields::each_field(line, Dialect::COMMA, None, |_, place, field| {
        let name = field.value();
        let position = schema.position(&name, place);
        match position {
            None => columns.ignore(&name),
            Some(position) if std::mem::replace(&mut given[position], true) => twice = Some(columns::duplicate(&name)),
            Some(_) => {}
        }
        positions.push(position);
    });
    read.map_err(|fault| not_csv(&fault, 0))?;
    if let Some(twice) = twice {
        return Err(twice);
    }
    columns.check_given(&given)?;
    Ok(positions)
}

/// A field as the value its column asks for; text that is none stays text, which the column then refuses.
fn cell_of<'a>(column: &SchemaColumn, text: &'a str, missing: &[String]) -> Cell<'a> {
    let bare = value::trim(text);
    if bare.is_empty() || missing.iter().any(|word| word == bare) {
        return Cell::Null;
    }
    match column.column_type {
        ColumnType::Integer | ColumnType::Float => value::float(bare).map_or(Cell::Text(text), Cell::Number),
        ColumnType::Boolean => value::boolean(bare).map_or(Cell::Text(text), Cell::Boolean),
        _ => Cell::Text(text),
    }
}

fn not_csv(fault: &Fault, width: usize) -> ServeError {
    let row = fault.row;
    match fault.problem {
        Problem::Fields(found) => {
            ServeError::new(Reason::Ragged, format!("row {row} has {found} fields, not {width}")).row(row)
        }
        Problem::AfterQuote(place) => {
            let message = format!("row {row}, field {place}: something follows the closing quote");
            ServeError::new(Reason::NotCsv, message).row(row).hint("double the quotes inside a quoted field")
        }
        Problem::OpenQuote(place) => {
            let message = format!("row {row}, field {place}: a quote never closes");
            ServeError::new(Reason::NotCsv, message)
                .row(row)
                .hint("close the quote, or double it inside a quoted field")
        }
    }
}
