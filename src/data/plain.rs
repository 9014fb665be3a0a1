//! Columns of a table in the plain form of [`crate::data::frame`].

use std::sync::Arc;

use anyhow::Result;
use polars::prelude::{Column as PolarsColumn, DataType, PlHashMap, StringChunked};
use rayon::prelude::*;

use crate::data::frame::{Column, Frame, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::data::value::DAY_MICROS;

/// Brings columns of `rows` rows to plain form, in parallel.
pub fn frame(rows: usize, columns: &[&PolarsColumn]) -> Result<Frame> {
    let plain: Vec<Column> =
        columns.par_iter().map(|column| Ok(Column::raw(column.name(), values(column)?))).collect::<Result<_>>()?;
    Frame::new(rows, plain)
}

/// The values of one column: integers, booleans and times of day (in
/// seconds) as numbers, dates as the microseconds of their midnight, text as codes.
pub fn values(column: &PolarsColumn) -> Result<Values> {
    let series = column.as_materialized_series();
    Ok(match series.dtype() {
        DataType::Int64 => Values::Number(series.i64()?.iter().map(|v| v.map_or(f64::NAN, |v| v as f64)).collect()),
        DataType::Float64 => match series.f64()?.cont_slice() {
            Ok(values) => Values::Number(values.to_vec()),
            Err(_) => Values::Number(series.f64()?.iter().map(|value| value.unwrap_or(f64::NAN)).collect()),
        },
        DataType::Boolean => {
            let number = |value: Option<bool>| value.map_or(f64::NAN, |value| f64::from(u8::from(value)));
            Values::Number(series.bool()?.iter().map(number).collect())
        }
        DataType::String => Values::Text(text_values(series.str()?)),
        DataType::Time => {
            let seconds = |nanos: Option<i64>| nanos.map_or(f64::NAN, |nanos| nanos as f64 / 1e9);
            Values::Number(series.time()?.physical().iter().map(seconds).collect())
        }
        DataType::Date => {
            let micros = |days: Option<i32>| days.map_or(MISSING_TIME, |days| i64::from(days) * DAY_MICROS);
            Values::Time(series.date()?.physical().iter().map(micros).collect())
        }
        _ => {
            let times = series.datetime()?.physical();
            Values::Time(times.iter().map(|micros| micros.unwrap_or(MISSING_TIME)).collect())
        }
    })
}

/// Codes text in the order of first appearance; one look-up a row.
pub fn text_values(column: &StringChunked) -> TextValues {
    // The hasher is keyed at random in every process; codes depend on the order of rows alone.
    let mut seen: PlHashMap<&str, u32> = PlHashMap::default();
    let mut text = TextValues { codes: Vec::with_capacity(column.len()), levels: Vec::new() };
    for value in column.iter() {
        let code = match value {
            None => MISSING_CODE,
            Some(value) => *seen.entry(value).or_insert_with(|| {
                text.levels.push(Arc::from(value));
                text.levels.len() as u32 - 1
            }),
        };
        text.codes.push(code);
    }
    text
}
