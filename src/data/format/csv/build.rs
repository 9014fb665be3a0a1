//! The second pass over a text table: values of known types go into typed columns.

use std::fs::File;

use anyhow::{Context, Result};
use polars::prelude::{DataFrame, PlSmallStr};
use rayon::prelude::*;

use crate::base::fail::Failure;
use crate::base::talk::Task;
use crate::data::build::{self, Builder};
use crate::data::format::csv::blocks::{Batch, Batches};
use crate::data::format::csv::fields::{self, Field};
use crate::data::format::csv::head::{Shape, too_long};
use crate::data::infer::{Nulls, shown};
use crate::data::stream::RowBatches;
use crate::data::value;
use crate::spec::schema::ColumnType;

/// The first field of a block that does not fit.
enum Misfit {
    /// The value of this row and column is not of the column's type.
    Value { row: usize, column: usize, text: String },
    /// The block is not what the scan saw.
    Changed,
}

/// The rows of a text table, batch by batch.
pub struct CsvBatches<'a> {
    batches: Batches<File>,
    shape: &'a Shape,
    names: Vec<PlSmallStr>,
    types: Vec<ColumnType>,
    nulls: &'a Nulls,
    task: &'a dyn Task,
    rows: usize,
}

impl<'a> CsvBatches<'a> {
    /// Reads rows from `source`, which starts at the first of them, into columns of `types`.
    pub fn new(
        source: File,
        shape: &'a Shape,
        types: &[ColumnType],
        nulls: &'a Nulls,
        task: &'a dyn Task,
    ) -> CsvBatches<'a> {
        let names = shape.names.iter().map(|name| PlSmallStr::from_str(name)).collect();
        let batches = Batches::new(source, shape.dialect);
        CsvBatches { batches, shape, names, types: types.to_vec(), nulls, task, rows: 0 }
    }
}

impl RowBatches for CsvBatches<'_> {
    /// Errors: a value that is not of its column's type, named by row; content that is not well formed (the scan names what).
    fn next(&mut self) -> Result<Option<DataFrame>> {
        loop {
            let (shape, names, types, nulls) = (self.shape, &self.names, &self.types, self.nulls);
            let batch = self.batches.next()?;
            let batch = batch.map_err(|long| too_long(shape.data_line + long.line as u64 + 1, long.open_quote))?;
            let Some(Batch { bytes, blocks }) = batch else {
                return Ok(None);
            };
            let parts: Vec<Result<DataFrame, Misfit>> =
                blocks.into_par_iter().map(|block| build_block(&bytes[block], shape, names, types, nulls)).collect();
            let mut rows: Option<DataFrame> = None;
            for part in parts {
                let before = self.rows + rows.as_ref().map_or(0, DataFrame::height);
                let part = part.map_err(|misfit| describe(misfit, before, shape, types))?;
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

fn build_block(
    bytes: &[u8],
    shape: &Shape,
    names: &[PlSmallStr],
    types: &[ColumnType],
    nulls: &Nulls,
) -> Result<DataFrame, Misfit> {
    let text = std::str::from_utf8(bytes).map_err(|_| Misfit::Changed)?;
    let capacity = fields::lines(bytes) + 1;
    let pairs = names.iter().zip(types);
    let mut builders: Vec<Builder> = pairs.map(|(name, of)| Builder::new(name, *of, capacity)).collect();
    let mut misfit: Option<Misfit> = None;
    let push = |row: usize, column: usize, field: Field<'_>| {
        if !push_field(&mut builders[column], field, nulls) && misfit.is_none() {
            misfit = Some(Misfit::Value { row, column, text: shown(field.text) });
        }
    };
    let counts = fields::each_field(text, shape.dialect, Some(names.len()), push).map_err(|_| Misfit::Changed)?;
    match misfit {
        Some(misfit) => Err(misfit),
        None => {
            let columns = builders.into_iter().map(Builder::finish).collect();
            DataFrame::new(counts.rows, columns).map_err(|_| Misfit::Changed)
        }
    }
}

/// Adds one field; `false` when it is not of the column's type.
#[inline]
fn push_field(builder: &mut Builder, field: Field<'_>, nulls: &Nulls) -> bool {
    let text = value::trim(field.text);
    if !nulls.takes_as_value(field.quote.is_some()) && nulls.has(text) {
        builder.push_missing();
        return true;
    }
    if builder.is_text() { builder.push(&field.value()) } else { builder.push(text) }
}

fn describe(misfit: Misfit, rows: usize, shape: &Shape, types: &[ColumnType]) -> Failure {
    match misfit {
        Misfit::Changed => build::changed(),
        Misfit::Value { row, column, text } => {
            build::misfit(&shape.names[column], types[column], (rows + row) as u64, &text)
        }
    }
}
