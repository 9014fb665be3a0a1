//! Files whose columns have types of their own: columns brought to ours, and rows read piece by piece.
//!
//! A damaged file is an error, also where the reader below panics on it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, Result};
use polars::prelude::{ChunkApply, Column, DataFrame, DataType, IntoColumn, PolarsResult, TimeUnit, TimeZone};

use crate::base::fail;
use crate::base::talk::Task;
use crate::data::build::{self, Builder};
use crate::data::infer::shown;
use crate::data::names;
use crate::data::stream::{RawTable, RowBatches, Seen, Survey};
use crate::data::table;
use crate::spec::schema::ColumnType;

/// A file that can be read in bounded pieces of rows, as often as needed.
pub trait Pieces: Send {
    /// Names of the columns, in order.
    fn names(&self) -> Vec<String>;

    /// Number of pieces.
    fn count(&self) -> usize;

    /// Length of the file in bytes.
    fn bytes(&self) -> u64;

    /// The rows of one piece, in types of the file. Errors: damage.
    fn read(&self, piece: usize) -> Result<DataFrame>;
}

/// A file with types of its own, surveyed.
pub struct ForeignTable<P> {
    pieces: P,
    survey: Survey,
}

/// Reads all pieces once for the types and missing values of the columns.
///
/// Errors: damage, a nested or otherwise unsupported column (named), names that cannot stand beside each other.
pub fn survey<P: Pieces>(pieces: P, task: &dyn Task) -> Result<ForeignTable<P>> {
    let names = pieces.names();
    if names.is_empty() {
        return Err(fail::usage("the file has no columns").hint("a table needs at least one").into());
    }
    let mut guesses = names::check(&names)?;
    let mut columns: Vec<Option<Seen>> = vec![None; names.len()];
    let mut rows = 0;
    for piece in 0..pieces.count() {
        let read = pieces.read(piece)?;
        for (seen, column) in columns.iter_mut().zip(read.columns()) {
            let column = normal(column, &mut guesses)?;
            let column_type = table::column_type(column.dtype()).unwrap_or(ColumnType::Text);
            let here = Seen::Typed { column_type, missing: column.null_count() as u64 };
            *seen = Some(seen.take().map_or_else(|| here.clone(), |before| before.joined(&here, rows)));
        }
        rows += read.height() as u64;
        task.advance(share(&pieces, piece));
    }
    let columns =
        columns.into_iter().map(|seen| seen.unwrap_or(Seen::Typed { column_type: ColumnType::Text, missing: 0 }));
    let mut said = std::collections::HashSet::new();
    guesses.retain(|guess| said.insert(guess.clone()));
    let survey = Survey { names, rows, columns: columns.collect(), guesses };
    Ok(ForeignTable { pieces, survey })
}

/// Bytes of the file that one piece stands for.
fn share(pieces: &impl Pieces, piece: usize) -> u64 {
    let count = pieces.count().max(1) as u64;
    pieces.bytes() * (piece as u64 + 1) / count - pieces.bytes() * piece as u64 / count
}

impl<P: Pieces + Sync> RawTable for ForeignTable<P> {
    fn survey(&self) -> &Survey {
        &self.survey
    }

    fn batches<'a>(&'a self, types: &[ColumnType], task: &'a dyn Task) -> Result<Box<dyn RowBatches + 'a>> {
        Ok(Box::new(ForeignBatches { table: self, types: types.to_vec(), task, next: 0, rows: 0 }))
    }
}

struct ForeignBatches<'a, P> {
    table: &'a ForeignTable<P>,
    types: Vec<ColumnType>,
    task: &'a dyn Task,
    next: usize,
    rows: u64,
}

impl<P: Pieces + Sync> RowBatches for ForeignBatches<'_, P> {
    fn next(&mut self) -> Result<Option<DataFrame>> {
        while self.next < self.table.pieces.count() {
            let piece = self.next;
            self.next += 1;
            let read = self.table.pieces.read(piece)?;
            self.task.advance(share(&self.table.pieces, piece));
            if read.width() != self.types.len() {
                return Err(build::changed().into());
            }
            if read.height() == 0 {
                continue;
            }
            let mut ignored = Vec::new();
            let pairs = read.columns().iter().zip(&self.types);
            let columns = pairs.map(|(column, wanted)| typed(&normal(column, &mut ignored)?, *wanted, self.rows));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            self.rows += read.height() as u64;
            return Ok(Some(DataFrame::new(read.height(), columns).context("cannot join columns")?));
        }
        Ok(None)
    }
}

/// Runs a reader of `kind`; a panic on hostile bytes becomes an error like any other damage.
pub fn guarded<T>(kind: &str, read: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    let damaged = |why: String| {
        fail::usage(format!("this {kind} file cannot be read: {why}")).hint("is it damaged? write or copy it again")
    };
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(error)) => Err(damaged(error.to_string()).into()),
        Err(_) => Err(damaged("its content contradicts itself".to_owned()).into()),
    }
}

/// A column brought to one of our types; a sentence where that is a guess.
///
/// Errors: a nested or otherwise unsupported type, binary values that are not UTF-8.
pub fn normal(column: &Column, guesses: &mut Vec<String>) -> Result<Column> {
    let name = column.name();
    match column.dtype() {
        DataType::Time => {
            let nanos = column.as_materialized_series().time()?.physical();
            if nanos.iter().flatten().all(|nanos| nanos % 1_000 == 0) {
                return Ok(column.clone());
            }
            guesses.push(format!("column `{name}`: digits below a microsecond are cut"));
            Ok(nanos.apply_values(|nanos| nanos - nanos % 1_000).into_time().into_column())
        }
        of if table::column_type(of).is_some() => Ok(column.clone()),
        DataType::UInt64 | DataType::UInt128 | DataType::Int128 => cast(column, &DataType::Int64).or_else(|_| {
            guesses.push(format!("column `{name}` is kept as text: its integers do not fit 64 bits"));
            cast(column, &DataType::String)
        }),
        of if of.is_integer() => cast(column, &DataType::Int64),
        of if of.is_float() => cast(column, &DataType::Float64),
        DataType::Decimal(_, scale) => {
            guesses.push(format!("column `{name}` holds decimals with {scale} digits; they become floats"));
            cast(column, &DataType::Float64)
        }
        DataType::Datetime(unit, zone) => {
            if zone.is_none() {
                guesses.push(format!("column `{name}`: its times have no zone and are taken as UTC"));
            }
            if *unit == TimeUnit::Nanoseconds && below_microsecond(column)? {
                guesses.push(format!("column `{name}`: digits below a microsecond are cut"));
            }
            cast(column, &DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
        }
        DataType::Categorical(..) | DataType::Enum(..) => cast(column, &DataType::String),
        DataType::Null => {
            guesses.push(format!("column `{name}` is kept as text: it has no values at all"));
            cast(column, &DataType::String)
        }
        DataType::Binary | DataType::BinaryOffset => cast(column, &DataType::String),
        of => Err(fail::usage(format!("column `{name}` has the type {of}, which is not supported"))
            .hint("drop it, or turn it into numbers, text, dates or time stamps before")
            .into()),
    }
}

/// A column of ours as one of type `wanted`; text is read as in a text table. `rows` come before it.
pub fn typed(column: &Column, wanted: ColumnType, rows: u64) -> Result<Column> {
    if table::column_type(column.dtype()) != Some(ColumnType::Text) || wanted == ColumnType::Text {
        return cast(column, &table::data_type(wanted));
    }
    let mut builder = Builder::new(column.name(), wanted, column.len());
    for (row, text) in column.as_materialized_series().str()?.iter().enumerate() {
        match text {
            None => builder.push_missing(),
            Some(text) if !builder.push(text) => {
                return Err(build::misfit(column.name(), wanted, rows + row as u64, &shown(text)).into());
            }
            Some(_) => {}
        }
    }
    Ok(builder.finish())
}

/// Casts every value or fails with the column's name.
fn cast(column: &Column, to: &DataType) -> Result<Column> {
    column.strict_cast(to).map_err(|_| {
        let (name, from) = (column.name(), column.dtype());
        fail::usage(format!("column `{name}` of type {from} holds values that cannot become {to}"))
            .hint("drop the column, or convert it before")
            .into()
    })
}

fn below_microsecond(column: &Column) -> Result<bool> {
    let values = column.as_materialized_series().datetime()?.physical();
    Ok(values.iter().flatten().any(|nanos| nanos % 1_000 != 0))
}
