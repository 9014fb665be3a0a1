//! Tables written as comma-separated text that reads back as the same table.

use std::io::Write;

use anyhow::{Context, Result};
use polars::prelude::{
    BooleanChunked, Column, DataFrame, DataType, Float64Chunked, Int32Chunked, Int64Chunked, StringChunked,
};
use rayon::prelude::*;

use crate::data::value;

/// Rows turned into text by one thread at a time.
const PIECE_ROWS: usize = 8_192;
/// Pieces held in memory at a time.
const PIECES: usize = 16;

/// Typed access to one column.
pub enum Cells<'a> {
    /// Integers.
    Integer(&'a Int64Chunked),
    /// Floats.
    Float(&'a Float64Chunked),
    /// Booleans.
    Boolean(&'a BooleanChunked),
    /// Text.
    Text(&'a StringChunked),
    /// Days since 1970-01-01.
    Date(&'a Int32Chunked),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(&'a Int64Chunked),
    /// Nanoseconds since midnight.
    Time(&'a Int64Chunked),
}

impl<'a> Cells<'a> {
    /// Looks into a column of one of the seven types.
    pub fn of(column: &'a Column) -> Result<Cells<'a>> {
        let series = column.as_materialized_series();
        Ok(match series.dtype() {
            DataType::Int64 => Cells::Integer(series.i64()?),
            DataType::Float64 => Cells::Float(series.f64()?),
            DataType::Boolean => Cells::Boolean(series.bool()?),
            DataType::String => Cells::Text(series.str()?),
            DataType::Date => Cells::Date(series.date()?.physical()),
            DataType::Time => Cells::Time(series.time()?.physical()),
            _ => Cells::Timestamp(series.datetime()?.physical()),
        })
    }

    /// Appends the value of `row` as text; `false` when it is missing.
    pub fn push(&self, row: usize, out: &mut Vec<u8>) -> bool {
        match self {
            Cells::Integer(values) => values.get(row).map(|value| {
                // Straight into the buffer: writing to memory cannot fail.
                let written = write!(out, "{value}");
                debug_assert!(written.is_ok());
            }),
            Cells::Float(values) => values.get(row).map(|value| value::push_float(out, value)),
            Cells::Boolean(values) => {
                values.get(row).map(|value| out.extend_from_slice(if value { b"true" } else { b"false" }))
            }
            Cells::Text(values) => values.get(row).map(|value| out.extend_from_slice(value.as_bytes())),
            Cells::Date(values) => values.get(row).map(|days| out.extend_from_slice(value::date_text(days).as_bytes())),
            Cells::Time(values) => {
                values.get(row).map(|nanos| out.extend_from_slice(value::time_text(nanos / 1_000).as_bytes()))
            }
            Cells::Timestamp(values) => {
                values.get(row).map(|micros| out.extend_from_slice(value::timestamp_text(micros).as_bytes()))
            }
        }
        .is_some()
    }
}

/// Writes names and rows, fields in quotes only where they must be; a missing value is an empty field.
///
/// Errors: writing fails.
pub fn write(table: &DataFrame, out: &mut dyn Write) -> Result<()> {
    let cells: Vec<Cells<'_>> = table.columns().iter().map(Cells::of).collect::<Result<_>>()?;
    let mut header = Vec::new();
    for (index, name) in table.get_column_names().into_iter().enumerate() {
        if index > 0 {
            header.push(b',');
        }
        push_text(&mut header, name);
    }
    header.push(b'\n');
    out.write_all(&header).context("cannot write CSV")?;
    let starts: Vec<usize> = (0..table.height()).step_by(PIECE_ROWS).collect();
    for group in starts.chunks(PIECES) {
        let pieces: Vec<Vec<u8>> =
            group.par_iter().map(|start| piece(&cells, *start, (start + PIECE_ROWS).min(table.height()))).collect();
        for piece in pieces {
            out.write_all(&piece).context("cannot write CSV")?;
        }
    }
    Ok(())
}

fn piece(cells: &[Cells<'_>], start: usize, end: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity((end - start) * cells.len() * 8);
    for row in start..end {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match cell {
                Cells::Text(values) => {
                    if let Some(text) = values.get(row) {
                        push_text(&mut out, text);
                    }
                }
                _ => {
                    cell.push(row, &mut out);
                }
            }
        }
        // A line without any character would be skipped on reading.
        if cells.len() == 1 && out.last().is_none_or(|byte| *byte == b'\n') {
            out.extend_from_slice(b"\"\"");
        }
        out.push(b'\n');
    }
    out
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    if !text.is_empty() && !text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
