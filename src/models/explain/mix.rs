//! Raw rows put together from values of others.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use crate::data::frame::{Column, Frame, MISSING_CODE, TextValues, Values};

/// Cells of the rows that are made at a time: 8 MB.
pub const CELLS_AT_ONCE: usize = 1 << 20;

/// `frame` with text columns that list no value beyond those that rows have: each copy of them copies the list.
pub fn compact(frame: Frame) -> Result<Frame> {
    let rows = frame.rows();
    let columns = frame.into_columns().into_iter().map(|column| match &column.values {
        Values::Text(text) => Column { values: Values::Text(compact_text(text)), ..column },
        _ => column,
    });
    Frame::new(rows, columns.collect())
}

fn compact_text(text: &TextValues) -> TextValues {
    let mut places: HashMap<u32, u32> = HashMap::new();
    let mut kept = TextValues { codes: Vec::with_capacity(text.codes.len()), levels: Vec::new() };
    for &code in &text.codes {
        kept.codes.push(match code {
            MISSING_CODE => MISSING_CODE,
            code => *places.entry(code).or_insert_with(|| {
                kept.levels.push(Arc::clone(&text.levels[code as usize]));
                kept.levels.len() as u32 - 1
            }),
        });
    }
    kept
}

/// `frame` with other values in one column.
pub fn with_values(frame: &Frame, place: usize, values: Values) -> Result<Frame> {
    let mut values = Some(values);
    let columns = frame.columns().iter().enumerate().map(|(at, column)| match values.take_if(|_| at == place) {
        Some(values) => Column { values, ..column.without_values() },
        None => column.clone(),
    });
    Frame::new(frame.rows(), columns.collect())
}

/// Rows whose values in the columns `places` are those of the rows `some`, and in all others those of the rows `rest`.
pub fn mixed(frame: &Frame, places: &[usize], some: &[u32], rest: &[u32]) -> Result<Frame> {
    let columns = frame.columns().iter().enumerate().map(|(at, column)| {
        let rows = if places.contains(&at) { some } else { rest };
        Column { values: column.values.take(rows), ..column.without_values() }
    });
    Frame::new(some.len(), columns.collect())
}

/// Rows whose values in each column are those of the rows listed for it: `picks[column][row]`.
pub fn picked(frame: &Frame, picks: &[Vec<u32>]) -> Result<Frame> {
    let rows = picks.first().map_or(0, Vec::len);
    let columns = frame
        .columns()
        .iter()
        .zip(picks)
        .map(|(column, rows)| Column { values: column.values.take(rows), ..column.without_values() });
    Frame::new(rows, columns.collect())
}
