//! Looking at rows: which of a column's values fail a test. Only used once the profile has shown that some do.

use std::collections::HashMap;

use anyhow::Result;
use polars::prelude::{BooleanChunked, Column, DataType, Float64Chunked, Int32Chunked, Int64Chunked, StringChunked};

use crate::base::limits::FINDING_ROWS_MAX;
use crate::data::value::DAY_MICROS;

/// Rows that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The first of them, counted from 1.
    pub first: Vec<u64>,
    /// How many there are.
    pub count: u64,
}

impl Rows {
    /// Adds row number `row`, counted from 0.
    pub fn add(&mut self, row: usize) {
        if self.first.len() < FINDING_ROWS_MAX {
            self.first.push(row as u64 + 1);
        }
        self.count += 1;
    }

    /// The rows, counted from 0, that `numbers` gives in ascending order.
    pub fn of(numbers: impl Iterator<Item = usize>) -> Rows {
        let mut rows = Rows::default();
        numbers.for_each(|row| rows.add(row));
        rows
    }
}

/// Text that fails a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failing {
    /// Rows with such text.
    pub rows: Rows,
    /// The distinct texts with their counts, most frequent first, ties by value.
    pub values: Vec<(String, u64)>,
}

/// A column as what it is kept as.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// Whole numbers.
    Integer(&'a Int64Chunked),
    /// Floating point numbers.
    Float(&'a Float64Chunked),
    /// True or false.
    Boolean(&'a BooleanChunked),
    /// Text.
    Text(&'a StringChunked),
    /// Days since 1970.
    Date(&'a Int32Chunked),
    /// Microseconds since 1970, or nanoseconds since midnight.
    Time(&'a Int64Chunked),
}

impl<'a> View<'a> {
    /// The view of a table's column.
    pub fn of(column: &'a Column) -> Result<View<'a>> {
        let series = column.as_materialized_series();
        Ok(match series.dtype() {
            DataType::Int64 => View::Integer(series.i64()?),
            DataType::Float64 => View::Float(series.f64()?),
            DataType::Boolean => View::Boolean(series.bool()?),
            DataType::String => View::Text(series.str()?),
            DataType::Date => View::Date(series.date()?.physical()),
            DataType::Time => View::Time(series.time()?.physical()),
            _ => View::Time(series.datetime()?.physical()),
        })
    }

    /// The present values as numbers with their rows, in order; times in microseconds, text not at all.
    pub fn numbers(self) -> Box<dyn Iterator<Item = (usize, f64)> + 'a> {
        fn present<'a, T>(
            values: impl Iterator<Item = Option<T>> + 'a,
            number: impl Fn(T) -> f64 + 'a,
        ) -> Box<dyn Iterator<Item = (usize, f64)> + 'a> {
            Box::new(values.enumerate().filter_map(move |(row, value)| value.map(|value| (row, number(value)))))
        }
        match self {
            View::Integer(values) | View::Time(values) => present(values.iter(), |value| value as f64),
            View::Float(values) => present(values.iter(), |value| value),
            View::Boolean(values) => present(values.iter(), |value| f64::from(u8::from(value))),
            View::Date(values) => present(values.iter(), |day| (i64::from(day) * DAY_MICROS) as f64),
            View::Text(_) => Box::new(std::iter::empty()),
        }
    }

    /// Rows whose number fails `test`.
    pub fn numbers_failing(self, test: impl Fn(f64) -> bool) -> Rows {
        Rows::of(self.numbers().filter(|(_, value)| !test(*value)).map(|(row, _)| row))
    }

    /// Rows and values whose text fails `test`. Tests a value once.
    pub fn texts_failing(self, test: impl Fn(&str) -> bool) -> Failing {
        let View::Text(values) = self else {
            return Failing::default();
        };
        let mut rows = Rows::default();
        let mut counts: HashMap<&str, Option<u64>> = HashMap::new();
        for (row, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            if let Some(count) = counts.entry(value).or_insert_with(|| (!test(value)).then_some(0)) {
                *count += 1;
                rows.add(row);
            }
        }
        let failing = counts.into_iter().filter_map(|(value, count)| count.map(|count| (value.to_owned(), count)));
        let mut values: Vec<(String, u64)> = failing.collect();
        values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Failing { rows, values }
    }

    /// Whether the row has no value.
    pub fn is_missing(self, row: usize) -> bool {
        match self {
            View::Integer(values) | View::Time(values) => values.get(row).is_none(),
            View::Float(values) => values.get(row).is_none(),
            View::Boolean(values) => values.get(row).is_none(),
            View::Text(values) => values.get(row).is_none(),
            View::Date(values) => values.get(row).is_none(),
        }
    }

    /// Whether two rows hold the same value; missing equals missing, not-a-number equals not-a-number, -0 equals 0.
    pub fn same(self, a: usize, b: usize) -> bool {
        match self {
            View::Integer(values) | View::Time(values) => values.get(a) == values.get(b),
            View::Float(values) => values.get(a).map(float_key) == values.get(b).map(float_key),
            View::Boolean(values) => values.get(a) == values.get(b),
            View::Text(values) => values.get(a) == values.get(b),
            View::Date(values) => values.get(a) == values.get(b),
        }
    }
}

/// Bits that are equal exactly for equal numbers, all not-a-numbers being equal.
pub fn float_key(value: f64) -> u64 {
    // Adding zero turns -0 into 0 and changes nothing else.
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}
