//! Cells of a request on their way into columns: checked against the model's inputs as they come, one pass, no tree.
//!
//! Every protocol fills the same [`Columns`], so the same request gives the same answer and the same errors everywhere.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits;
use crate::base::suggest;
use crate::data::frame::{Column, Frame, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::serve::cell::{self, Cell};
use crate::serve::error::{Reason, ServeError};
use crate::serve::schema::{Domain, InputSchema, SchemaColumn, Suspicion, Tally};
use crate::spec::schema::ColumnType;

/// Names of unknown columns that are kept for hints.
const UNKNOWN_NAMES_MAX: usize = 8;

/// Columns that are being filled, in the order of the model's inputs.
pub struct Columns<'s> {
    schema: &'s InputSchema,
    builders: Vec<Builder>,
    rows: usize,
    in_row: usize,
    extra: u64,
    unknown: Vec<String>,
}

struct Builder {
    values: Building,
    tally: Tally,
}

enum Building {
    Number(Vec<f64>),
    Time(Vec<i64>),
    Text(Text),
}

/// Text on its way into codes; codes of the training values are remembered by their position in the domain.
#[derive(Default)]
struct Text {
    values: TextValues,
    of_domain: Vec<u32>,
    others: HashMap<Arc<str>, u32>,
}

impl<'s> Columns<'s> {
    /// Empty columns.
    pub fn new(schema: &'s InputSchema) -> Columns<'s> {
        let builder = |column: &SchemaColumn| Builder { values: Building::of(column), tally: Tally::default() };
        let builders = schema.columns().iter().map(builder).collect();
        Columns { schema, builders, rows: 0, in_row: 0, extra: 0, unknown: Vec::new() }
    }

    /// The model's inputs.
    pub fn schema(&self) -> &'s InputSchema {
        self.schema
    }

    /// Rows that are complete.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Notes a value of a column that the model does not know; it is ignored.
    pub fn ignore(&mut self, name: &str) {
        self.extra += 1;
        if self.unknown.len() < UNKNOWN_NAMES_MAX && !self.unknown.iter().any(|known| known == name) {
            self.unknown.push(cell::shown(name));
        }
    }

    /// Starts a row.
    ///
    /// Errors: one row too many.
    pub fn begin_row(&mut self) -> Result<(), ServeError> {
        self.in_row = 0;
        self.room_for(self.rows)
    }

    /// Ends a row; columns without a value in it are missing, if training knew them missing.
    ///
    /// Errors: a needed column is absent.
    pub fn end_row(&mut self) -> Result<(), ServeError> {
        if self.in_row < self.builders.len() {
            for position in 0..self.builders.len() {
                if self.builders[position].values.len() == self.rows {
                    self.absent(position, 1).map_err(|error| error.row(self.rows))?;
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Puts a value into column `position` of the row that was begun.
    ///
    /// Errors: a value of a wrong type, or a second value for that column.
    pub fn put(&mut self, position: usize, cell: Cell<'_>) -> Result<(), ServeError> {
        if self.builders[position].values.len() > self.rows {
            return Err(duplicate(&self.schema.columns()[position].name).row(self.rows));
        }
        self.in_row += 1;
        self.push(position, cell)
    }

    /// Puts the next value into column `position`, whatever the others hold; for requests that come column by column.
    ///
    /// Errors: a value of a wrong type, or one row too many.
    pub fn push(&mut self, position: usize, cell: Cell<'_>) -> Result<(), ServeError> {
        let column = &self.schema.columns()[position];
        let builder = &mut self.builders[position];
        let row = builder.values.len();
        if row >= limits::REQUEST_ROWS_MAX {
            return self.room_for(row);
        }
        if builder.push(column, cell) {
            return Ok(());
        }
        Err(cell::wrong_type(column, row, cell))
    }

    /// Ends a request that came column by column; `given` says which columns came.
    ///
    /// Errors: columns of different lengths, a needed column that is absent.
    pub fn end_columns(&mut self, given: &[bool]) -> Result<(), ServeError> {
        let first = given.iter().position(|given| *given);
        self.rows = first.map_or(0, |position| self.builders[position].values.len());
        for (position, given) in given.iter().enumerate() {
            let length = self.builders[position].values.len();
            if !given {
                self.absent(position, self.rows)?;
            } else if length != self.rows {
                let (name, rows) = (&self.schema.columns()[position].name, self.rows);
                let other = &self.schema.columns()[first.unwrap_or(position)].name;
                let message = format!("column `{name}` has {length} values and `{other}` has {rows}");
                return Err(ServeError::new(Reason::Ragged, message).column(name));
            }
        }
        Ok(())
    }

    /// Checks that every needed column is among `given`.
    ///
    /// Errors: the first that is not.
    pub fn check_given(&self, given: &[bool]) -> Result<(), ServeError> {
        let needed = self.schema.columns().iter().zip(given).find(|(column, given)| !**given && !column.missing_seen);
        needed.map_or(Ok(()), |(column, _)| Err(self.missing_column(column)))
    }

    /// The frame, and the number of values that were ignored. Counts what was suspicious.
    pub fn finish(self) -> (Vec<Column>, usize, u64) {
        let mut columns = Vec::with_capacity(self.builders.len());
        for (position, builder) in self.builders.into_iter().enumerate() {
            self.schema.count(position, &builder.tally);
            let name = Arc::clone(&self.schema.columns()[position].name);
            columns.push(Column { from: Arc::clone(&name), name, values: builder.values.done() });
        }
        (columns, self.rows, self.extra)
    }

    fn room_for(&self, row: usize) -> Result<(), ServeError> {
        if row < limits::REQUEST_ROWS_MAX {
            return Ok(());
        }
        let message = format!("one request may have {} rows", limits::REQUEST_ROWS_MAX);
        Err(ServeError::new(Reason::TooManyRows, message).row(row).hint("send the rows in several requests"))
    }

    fn missing_column(&self, column: &SchemaColumn) -> ServeError {
        let name = &*column.name;
        let message = format!("column `{name}` is absent and was never missing in training");
        let error = ServeError::new(Reason::MissingColumn, message).column(name);
        match suggest::nearest(name, self.unknown.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("is `{near}` meant to be `{name}`?")),
            None => error.hint(format!("send `{name}` ({}) with every row", column.column_type.name())),
        }
    }

    fn absent(&mut self, position: usize, rows: usize) -> Result<(), ServeError> {
        let column = &self.schema.columns()[position];
        if !column.missing_seen {
            return Err(self.missing_column(column));
        }
        let builder = &mut self.builders[position];
        builder.tally[Suspicion::AbsentColumn as usize] += rows as u64;
        for _ in 0..rows {
            builder.values.push_missing();
        }
        Ok(())
    }
}

impl Builder {
    /// Whether the value is of the column's type; only then is it kept.
    fn push(&mut self, column: &SchemaColumn, cell: Cell<'_>) -> bool {
        if cell == Cell::Null {
            self.tally[Suspicion::UnexpectedMissing as usize] += u64::from(!column.missing_seen);
            self.values.push_missing();
            return true;
        }
        match &mut self.values {
            Building::Number(values) => {
                let Some(number) = cell::number(column.column_type, cell) else { return false };
                let outside = column.range.is_some_and(|(min, max)| number < min || number > max);
                let fraction = column.column_type == ColumnType::Integer && number.fract() != 0.0;
                self.tally[Suspicion::OutOfRange as usize] += u64::from(outside);
                self.tally[Suspicion::Fraction as usize] += u64::from(fraction);
                values.push(number);
            }
            Building::Time(values) => {
                let Some(micros) = cell::micros(column.column_type, cell) else { return false };
                values.push(micros);
            }
            Building::Text(text) => {
                let Cell::Text(value) = cell else { return false };
                let unseen = text.push(column.domain.as_ref(), value);
                self.tally[Suspicion::UnseenCategory as usize] += u64::from(unseen);
            }
        }
        true
    }
}

impl Building {
    fn of(column: &SchemaColumn) -> Building {
        match column.column_type {
            ColumnType::Integer | ColumnType::Float | ColumnType::Boolean | ColumnType::Time => {
                Building::Number(Vec::new())
            }
            ColumnType::Date | ColumnType::Timestamp => Building::Time(Vec::new()),
            ColumnType::Text => Building::Text(Text::default()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Building::Number(values) => values.len(),
            Building::Time(values) => values.len(),
            Building::Text(text) => text.values.codes.len(),
        }
    }

    fn push_missing(&mut self) {
        match self {
            Building::Number(values) => values.push(f64::NAN),
            Building::Time(values) => values.push(MISSING_TIME),
            Building::Text(text) => text.values.codes.push(MISSING_CODE),
        }
    }

    fn done(self) -> Values {
        match self {
            Building::Number(values) => Values::Number(values),
            Building::Time(values) => Values::Time(values),
            Building::Text(text) => Values::Text(text.values),
        }
    }
}

impl Text {
    /// Adds a value and says whether training never saw it.
    fn push(&mut self, domain: Option<&Domain>, value: &str) -> bool {
        let known = domain.and_then(|domain| domain.code(value).map(|code| (domain, code as usize)));
        let code = match known {
            Some((domain, place)) => {
                if self.of_domain.is_empty() {
                    self.of_domain.resize(domain.levels.len(), MISSING_CODE);
                }
                if self.of_domain[place] == MISSING_CODE {
                    self.of_domain[place] = self.values.levels.len() as u32;
                    self.values.levels.push(Arc::clone(&domain.levels[place]));
                }
                self.of_domain[place]
            }
            None => match self.others.get(value) {
                Some(&code) => code,
                None => {
                    let (level, code): (Arc<str>, u32) = (value.into(), self.values.levels.len() as u32);
                    self.values.levels.push(Arc::clone(&level));
                    self.others.insert(level, code);
                    code
                }
            },
        };
        self.values.codes.push(code);
        domain.is_some() && known.is_none()
    }
}

/// The error for a name that stands twice.
pub fn duplicate(name: &str) -> ServeError {
    ServeError::new(Reason::DuplicateColumn, format!("column `{name}` is named twice")).column(name)
}

/// The columns as a frame.
///
/// Errors: none that a client can cause, as names and lengths are those of the model's inputs.
pub fn frame(columns: Vec<Column>, rows: usize) -> Result<Frame, ServeError> {
    Frame::new(rows, columns).map_err(|error| ServeError::new(Reason::Internal, format!("{error:#}")))
}
