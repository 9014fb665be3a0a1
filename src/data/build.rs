//! Columns under construction: values of a known type arrive as text, one after the other.

use polars::prelude::{
    BooleanChunkedBuilder, ChunkedBuilder, Column, Float64Type, Int32Type, Int64Type, IntoColumn, PlSmallStr,
    PrimitiveChunkedBuilder, StringChunkedBuilder, TimeUnit, TimeZone,
};

use crate::base::fail::{self, Failure};
use crate::base::units;
use crate::data::value;
use crate::spec::schema::ColumnType;

/// One column under construction.
pub enum Builder {
    /// Whole numbers.
    Integer(PrimitiveChunkedBuilder<Int64Type>),
    /// Floating point numbers.
    Float(PrimitiveChunkedBuilder<Float64Type>),
    /// True or false.
    Boolean(BooleanChunkedBuilder),
    /// Text.
    Text(StringChunkedBuilder),
    /// Days since 1970.
    Date(PrimitiveChunkedBuilder<Int32Type>),
    /// Microseconds since 1970.
    Timestamp(PrimitiveChunkedBuilder<Int64Type>),
    /// Nanoseconds since midnight.
    Time(PrimitiveChunkedBuilder<Int64Type>),
}

impl Builder {
    /// An empty column with room for `capacity` values.
    pub fn new(name: &PlSmallStr, column_type: ColumnType, capacity: usize) -> Builder {
        let name = name.clone();
        match column_type {
            ColumnType::Integer => Builder::Integer(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::Float => Builder::Float(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::Boolean => Builder::Boolean(BooleanChunkedBuilder::new(name, capacity)),
            ColumnType::Text => Builder::Text(StringChunkedBuilder::new(name, capacity)),
            ColumnType::Date => Builder::Date(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::Timestamp => Builder::Timestamp(PrimitiveChunkedBuilder::new(name, capacity)),
            ColumnType::Time => Builder::Time(PrimitiveChunkedBuilder::new(name, capacity)),
        }
    }

    /// Whether values are kept to the letter.
    #[inline]
    pub fn is_text(&self) -> bool {
        matches!(self, Builder::Text(_))
    }

    /// Adds a missing value.
    #[inline]
    pub fn push_missing(&mut self) {
        match self {
            Builder::Integer(builder) | Builder::Timestamp(builder) | Builder::Time(builder) => builder.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Boolean(builder) => builder.append_null(),
            Builder::Text(builder) => builder.append_null(),
            Builder::Date(builder) => builder.append_null(),
        }
    }

    /// Adds one value; `false`, and nothing added, when it is not of the column's type.
    #[inline]
    pub fn push(&mut self, text: &str) -> bool {
        match self {
            Builder::Text(builder) => {
                builder.append_value(text);
                true
            }
            Builder::Integer(builder) => value::integer(text).map(|value| builder.append_value(value)).is_some(),
            Builder::Float(builder) => value::float(text).map(|value| builder.append_value(value)).is_some(),
            Builder::Boolean(builder) => value::boolean(text).map(|value| builder.append_value(value)).is_some(),
            Builder::Date(builder) => value::date(text).map(|value| builder.append_value(value)).is_some(),
            Builder::Timestamp(builder) => value::timestamp(text).map(|value| builder.append_value(value)).is_some(),
            Builder::Time(builder) => value::time(text).map(|value| builder.append_value(value * 1_000)).is_some(),
        }
    }

    /// The column.
    pub fn finish(self) -> Column {
        match self {
            Builder::Integer(builder) => builder.finish().into_column(),
            Builder::Float(builder) => builder.finish().into_column(),
            Builder::Boolean(builder) => builder.finish().into_column(),
            Builder::Text(builder) => builder.finish().into_column(),
            Builder::Date(builder) => builder.finish().into_date().into_column(),
            Builder::Timestamp(builder) => {
                builder.finish().into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
            }
            Builder::Time(builder) => builder.finish().into_time().into_column(),
        }
    }
}

/// The failure for a value that is not of its column's type; `row` counts from 0.
pub fn misfit(name: &str, of: ColumnType, row: u64, text: &str) -> Failure {
    let (of, row) = (of.name(), units::count(row + 1));
    fail::usage(format!("column `{name}` is to be read as {of}, but row {row} holds `{text}`"))
        .hint("correct the value, list it among the null values, or give the column another type")
}

/// The failure for a file that is not what the survey saw.
pub fn changed() -> Failure {
    fail::world("the file changed while it was being read").hint("try again when nothing writes to it")
}
