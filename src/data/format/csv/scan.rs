//! The first pass over a text table: every field is looked at, nothing is kept but what decides types and finds faults.

use std::io::Read;
use std::str::Utf8Error;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail::{self, Failure};
use crate::base::talk::Task;
use crate::base::units;
use crate::data::format::csv::NotUtf8;
use crate::data::format::csv::blocks::{Batch, Batches};
use crate::data::format::csv::fields::{self, Dialect, Problem};
use crate::data::format::csv::head::{Shape, too_long};
use crate::data::infer::{Evidence, Nulls};

/// What the whole file looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// Rows.
    pub rows: u64,
    /// Lines without any character, skipped.
    pub blank: u64,
    /// What the values of each column look like.
    pub columns: Vec<Evidence>,
}

/// What one block looks like.
struct BlockScan {
    counts: fields::Counts,
    lines: usize,
    columns: Vec<Evidence>,
}

/// The first thing wrong in a block; row and line count from the block's start.
struct BlockFault {
    row: usize,
    line: usize,
    what: What,
}

enum What {
    Malformed(Problem),
    NotText(usize),
    Nul(usize),
}

/// Scans rows from `source`, which starts at the first of them.
///
/// Errors: a row that is malformed, has another number of fields, is not UTF-8, holds a NUL byte or is too long; each
/// named by row and line.
pub fn scan(source: impl Read, shape: &Shape, nulls: &Nulls, task: &dyn Task) -> Result<Scan> {
    let mut whole = Scan { rows: 0, blank: 0, columns: vec![Evidence::default(); shape.names.len()] };
    let mut line = shape.data_line;
    let mut batches = Batches::new(source, shape.dialect);
    loop {
        let batch = batches.next()?.map_err(|long| too_long(line + long.line as u64 + 1, long.open_quote))?;
        let Some(Batch { bytes, blocks }) = batch else {
            return Ok(whole);
        };
        let scans: Vec<Result<BlockScan, BlockFault>> =
            blocks.into_par_iter().map(|block| scan_block(&bytes[block], shape, nulls)).collect();
        for block in scans {
            let block = block.map_err(|fault| describe(&fault, shape, whole.rows, line))?;
            for (column, seen) in whole.columns.iter_mut().zip(block.columns) {
                column.merge(seen, whole.rows);
            }
            whole.rows += block.counts.rows as u64;
            whole.blank += block.counts.blank as u64;
            line += block.lines as u64;
        }
        task.advance(bytes.len() as u64);
    }
}

fn scan_block(bytes: &[u8], shape: &Shape, nulls: &Nulls) -> Result<BlockScan, BlockFault> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error, shape.dialect))?;
    if let Some(at) = memchr::memchr(0, bytes) {
        let (row, column) = fields::locate(&text[..at], shape.dialect);
        return Err(BlockFault { row, line: fields::lines(&bytes[..at]), what: What::Nul(column) });
    }
    let mut columns = vec![Evidence::default(); shape.names.len()];
    let add = |row: usize, column: usize, field: fields::Field<'_>| match nulls.takes_as_value(field.quote.is_some()) {
        true => columns[column].add_text(row as u64, field.text),
        false => columns[column].add(row as u64, field.text, nulls),
    };
    let counts = fields::each_field(text, shape.dialect, Some(shape.names.len()), add).map_err(|fault| {
        let line = fields::lines(&bytes[..fault.at]);
        BlockFault { row: fault.row, line, what: What::Malformed(fault.problem) }
    })?;
    Ok(BlockScan { counts, lines: fields::lines(bytes), columns })
}

fn not_text(bytes: &[u8], error: Utf8Error, dialect: Dialect) -> BlockFault {
    let valid = &bytes[..error.valid_up_to()];
    let (row, column) = std::str::from_utf8(valid).map_or((0, 0), |text| fields::locate(text, dialect));
    BlockFault { row, line: fields::lines(valid), what: What::NotText(column) }
}

fn describe(fault: &BlockFault, shape: &Shape, rows: u64, lines: u64) -> anyhow::Error {
    let place = format!(
        "row {} (line {})",
        units::count(rows + fault.row as u64 + 1),
        units::count(lines + fault.line as u64 + 1)
    );
    let width = shape.names.len();
    let column = |index: usize| match shape.names.get(index) {
        Some(name) => format!("column `{name}`"),
        None => format!("field {}", index + 1),
    };
    let failure: Failure = match fault.what {
        What::Malformed(Problem::Fields(found)) => {
            let first = if shape.header { "the header" } else { "the first row" };
            fail::usage(format!("{place} has {}, {first} has {width}", units::plural(found as u64, "field")))
                .hint("quote fields that hold the delimiter, or give the right delimiter")
        }
        What::Malformed(Problem::AfterQuote(index)) => {
            fail::usage(format!("{place}, {}: something follows the closing quote", column(index)))
                .hint("write a quote inside a quoted field twice")
        }
        What::Malformed(Problem::OpenQuote(index)) => {
            fail::usage(format!("{place}, {}: the quote never closes", column(index)))
                .hint("close the quote, or double it if it belongs to the value")
        }
        What::NotText(index) => fail::usage(format!("{place}, {} is not UTF-8", column(index)))
            .hint("say which encoding the file has, as encoding = \"latin1\""),
        What::Nul(index) => {
            fail::usage(format!("{place}, {} holds a NUL byte: this is not a text table", column(index)))
                .hint("is the file damaged or of another format? export it again")
        }
    };
    match fault.what {
        What::NotText(_) => anyhow::Error::new(failure).context(NotUtf8 { place }),
        _ => failure.into(),
    }
}
