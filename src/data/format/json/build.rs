//! The second pass over a JSON file: values of known types go into typed columns.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, PlSmallStr};
use rayon::prelude::*;

use crate::base::fail::Failure;
use crate::base::talk::Task;
use crate::data::build::{self, Builder};
use crate::data::format::json::blocks::{Batch, Batches};
use crate::data::format::json::parse::{self, Form, Value};
use crate::data::format::json::scan::{is_missing, text_of};
use crate::data::infer::{Nulls, shown};
use crate::data::stream::RowBatches;
use crate::spec::schema::ColumnType;

/// The first value of a block that does not fit.
enum Misfit {
    /// The value of this row and column is not of the column's type.
    Value { row: usize, column: usize, text: String },
    /// The block is not what the scan saw.
    Changed,
}

/// The rows of a JSON file, batch by batch.
pub struct JsonBatches<'a> {
    batches: Batches,
    columns: Columns<'a>,
    task: &'a dyn Task,
    rows: usize,
}

/// What is known of the columns.
struct Columns<'a> {
    names: Vec<PlSmallStr>,
    places: HashMap<&'a str, usize>,
    types: Vec<ColumnType>,
    nulls: Option<&'a Nulls>,
}

impl<'a> JsonBatches<'a> {
    /// Reads the objects of `batches` into columns `names` of `types`.
    pub fn new(
        batches: Batches,
        names: &'a [String],
        types: &[ColumnType],
        nulls: Option<&'a Nulls>,
        task: &'a dyn Task,
    ) -> JsonBatches<'a> {
        let places = names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        let names = names.iter().map(|name| PlSmallStr::from_str(name)).collect();
        JsonBatches { batches, columns: Columns { names, places, types: types.to_vec(), nulls }, task, rows: 0 }
    }
}

impl RowBatches for JsonBatches<'_> {
    /// Errors: a value that is not of its column's type, named by row; content that changed since the scan.
    fn next(&mut self) -> Result<Option<DataFrame>> {
        loop {
            let columns = &self.columns;
            let Some(Batch { bytes, blocks, .. }) = self.batches.next()? else { return Ok(None) };
            let parts: Vec<Result<DataFrame, Misfit>> =
                blocks.into_par_iter().map(|(block, form)| build_block(&bytes[block], form, columns)).collect();
            let mut rows: Option<DataFrame> = None;
            for part in parts {
                let before = self.rows + rows.as_ref().map_or(0, DataFrame::height);
                let part = part.map_err(|misfit| describe(misfit, before, columns))?;
                match &mut rows {
                    None => rows = Some(part),
                    Some(rows) => rows.vstack_mut_owned(part).map(drop).context("cannot join blocks of rows")?,
                }
            }
            self.task.advance(bytes.len() as u64);
            if let Some(rows) = rows.filter(|rows| rows.height() > 0) {
                self.rows += rows.height();
                return Ok(Some(rows));
            }
        }
    }
}

fn build_block(block: &[u8], form: Form, columns: &Columns<'_>) -> Result<DataFrame, Misfit> {
    let text = text_of(block).map_err(|_| Misfit::Changed)?;
    let pairs = columns.names.iter().zip(&columns.types);
    let mut builders: Vec<(Builder, usize)> = pairs.map(|(name, of)| (Builder::new(name, *of, 0), 0)).collect();
    let mut misfit: Option<Misfit> = None;
    let mut next = 0;
    let each = |row: usize, field: Cow<'_, str>, value: Value<'_>| {
        let at = match columns.names.get(next) {
            Some(name) if name.as_str() == field.as_ref() => next,
            _ => match columns.places.get(field.as_ref()) {
                Some(at) => *at,
                None => {
                    misfit = Some(Misfit::Changed);
                    return Ok(());
                }
            },
        };
        next = if at + 1 == columns.names.len() { 0 } else { at + 1 };
        let (builder, filled) = &mut builders[at];
        fill(builder, filled, row);
        *filled += 1;
        let text: &str = match &value {
            Value::Null => {
                builder.push_missing();
                return Ok(());
            }
            Value::Text(text) if is_missing(text, columns.nulls) => {
                builder.push_missing();
                return Ok(());
            }
            Value::Text(text) => text,
            Value::Number(text) => text,
            Value::Boolean(true) => "true",
            Value::Boolean(false) => "false",
        };
        if !builder.push(text) {
            builder.push_missing();
            misfit.get_or_insert_with(|| Misfit::Value { row, column: at, text: shown(text) });
        }
        Ok(())
    };
    let counts = parse::each_value(text, form, each).map_err(|_| Misfit::Changed)?;
    if let Some(misfit) = misfit {
        return Err(misfit);
    }
    let finish = |(mut builder, mut filled): (Builder, usize)| {
        fill(&mut builder, &mut filled, counts.rows);
        builder.finish()
    };
    DataFrame::new(counts.rows, builders.into_iter().map(finish).collect()).map_err(|_| Misfit::Changed)
}

/// Adds missing values up to `row`.
fn fill(builder: &mut Builder, filled: &mut usize, row: usize) {
    while *filled < row {
        builder.push_missing();
        *filled += 1;
    }
}

fn describe(misfit: Misfit, rows: usize, columns: &Columns<'_>) -> Failure {
    match misfit {
        Misfit::Changed => build::changed(),
        Misfit::Value { row, column, text } => {
            build::misfit(&columns.names[column], columns.types[column], (rows + row) as u64, &text)
        }
    }
}
