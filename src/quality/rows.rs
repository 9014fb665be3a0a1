//! Looking at rows: which of a column's values fail a test. Only used once the profile has shown that some do.

use std::collections::HashMap;

use anyhow::Result;
use polars::prelude::{BooleanChunked, Column, DataType, Float64Chunked, Int32Chunked, Int64Chunked, StringChunked};

use crate::base::limits::FINDING_ROWS_MAX;
use crate::data::value::DAY_MICROS;

/// A set of rows, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Adds row number `row`, counted from 0.
    pub fn add(&mut self, row: usize) {
        if self.words.len() <= row / 64 {
            self.words.resize(row / 64 + 1, 0);
        }
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// Whether the row is in the set.
    pub fn has(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Adds the rows of `other`.
    pub fn join(&mut self, other: &Bits) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, more)| *word |= more);
    }
}

/// Rows that a finding is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The first of them, counted from 1.
    pub first: Vec<u64>,
    /// How many there are.
    pub count: u64,
    /// All of them, where they were asked for.
    pub all: Option<Bits>,
}

impl Rows {
    /// No rows yet; every one added is remembered when `keep`.
    pub fn new(keep: bool) -> Rows {
        Rows { all: keep.then(Bits::default), ..Rows::default() }
    }

    /// Adds row number `row`, counted from 0.
    pub fn add(&mut self, row: usize) {
        if self.first.len() < FINDING_ROWS_MAX {
            self.first.push(row as u64 + 1);
        }
        self.count += 1;
        if let Some(all) = &mut self.all {
            all.add(row);
        }
    }

    /// The rows, counted from 0, that `numbers` gives in ascending order.
    pub fn of(numbers: impl Iterator<Item = usize>) -> Rows {
        let mut rows = Rows::default();
        numbers.for_each(|row| rows.add(row));
        rows
    }

    /// The same, and all of them are remembered when `keep`.
    pub fn keeping(keep: bool, numbers: impl Iterator<Item = usize>) -> Rows {
        let mut rows = Rows::new(keep);
        numbers.for_each(|row| rows.add(row));
        rows
    }

    /// Adds rows that come after these.
    pub fn append(&mut self, later: Rows) {
        let room = FINDING_ROWS_MAX.saturating_sub(self.first.len());
        self.first.extend(later.first.into_iter().take(room));
        self.count += later.count;
        if let (Some(all), Some(more)) = (&mut self.all, &later.all) {
            all.join(more);
        }
    }
}

/// Values that fail a test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failing {
    /// Rows with such values.
    pub rows: Rows,
    /// For text: the distinct values with their counts, most frequent first, ties by value.
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
        let mut rows = Rows::new(false);
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
