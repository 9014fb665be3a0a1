//! The door to polars: a table of typed columns, and everything done to whole tables.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use polars::prelude::{Column, DataFrame, DataType, IdxCa, NamedFrom, PlSmallStr, Series, TimeUnit, TimeZone};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::fail;
use crate::base::suggest;
use crate::data::format::csv::write::Cells;
use crate::data::format::{csv, parquet};
use crate::data::frame::{Column as PlainColumn, Frame, MISSING_CODE, MISSING_TIME, Values};
use crate::data::plain;
use crate::record::dataset::ColumnRecord;
use crate::spec::schema::ColumnType;

/// Rows of features that are a table at a time; 64 columns of them are 32 MB.
pub const PIECE_ROWS: usize = 1 << 16;

/// A table: named columns of equal length, each of one of the seven types of [`ColumnType`]. Cloning is cheap.
///
/// Missing values are nulls. Time stamps are microseconds in UTC; times of day are whole microseconds too.
#[derive(Clone, Debug)]
pub struct Table {
    frame: DataFrame,
}

/// The polars type that a column type is kept in.
pub fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Integer => DataType::Int64,
        ColumnType::Float => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Text => DataType::String,
        ColumnType::Date => DataType::Date,
        ColumnType::Timestamp => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        ColumnType::Time => DataType::Time,
    }
}

/// The column type kept in a polars type; `None` for types that tables do not have.
pub fn column_type(data_type: &DataType) -> Option<ColumnType> {
    match data_type {
        DataType::Int64 => Some(ColumnType::Integer),
        DataType::Float64 => Some(ColumnType::Float),
        DataType::Boolean => Some(ColumnType::Boolean),
        DataType::String => Some(ColumnType::Text),
        DataType::Date => Some(ColumnType::Date),
        DataType::Datetime(TimeUnit::Microseconds, Some(zone)) if *zone == TimeZone::UTC => Some(ColumnType::Timestamp),
        DataType::Time => Some(ColumnType::Time),
        _ => None,
    }
}

impl Table {
    /// Wraps a polars frame whose columns are of the seven types, in one piece each.
    ///
    /// Errors: a column of another type; more rows than a row number of 32 bits counts.
    pub fn new(mut frame: DataFrame) -> Result<Table> {
        if let Some(odd) = frame.columns().iter().find(|column| column_type(column.dtype()).is_none()) {
            let (name, of) = (odd.name(), odd.dtype());
            return Err(fail::usage(format!("column `{name}` has the type {of}, which is not supported")).into());
        }
        if frame.height() >= u32::MAX as usize {
            return Err(fail::usage("the table has too many rows; at most 4,294,967,294 are held").into());
        }
        if frame.should_rechunk() {
            frame.rechunk_mut_par();
        }
        Ok(Table { frame })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.frame.height()
    }

    /// Names and types in order.
    pub fn columns(&self) -> Vec<ColumnRecord> {
        let record = |column: &Column| ColumnRecord {
            name: column.name().to_string(),
            column_type: column_type(column.dtype()).unwrap_or(ColumnType::Text),
        };
        self.frame.columns().iter().map(record).collect()
    }

    /// The table as polars sees it.
    pub fn polars(&self) -> &DataFrame {
        &self.frame
    }

    /// One column; an unknown name is an error with a suggestion.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let names = self.frame.columns().iter().map(|column| column.name().as_str());
        let found = self.frame.columns().iter().find(|column| column.name() == name);
        found.ok_or_else(|| suggest::unknown("column", name, names).into())
    }

    /// The type of one column; an unknown name is an error with a suggestion.
    pub fn type_of(&self, name: &str) -> Result<ColumnType> {
        Ok(column_type(self.column(name)?.dtype()).unwrap_or(ColumnType::Text))
    }

    /// Some columns in the plain form that features and models read, in the order asked for.
    ///
    /// Integers, booleans (0, 1) and times of day (seconds since midnight) become numbers, dates the microseconds of
    /// their midnight, text codes in the order of first appearance. Errors: an unknown name. Cost: one pass over each column, columns in parallel.
    pub fn frame(&self, columns: &[&str]) -> Result<Frame> {
        let columns = columns.iter().map(|name| self.column(name)).collect::<Result<Vec<_>>>()?;
        plain::frame(self.rows(), &columns)
    }

    /// All columns in plain form; see [`Table::frame`].
    pub fn frame_all(&self) -> Result<Frame> {
        plain::frame(self.rows(), &self.frame.columns().iter().collect::<Vec<_>>())
    }

    /// The rows numbered `rows`, in that order, repeats allowed.
    ///
    /// Errors: a row number beyond the table.
    pub fn take(&self, rows: &[u32]) -> Result<Table> {
        let numbers = IdxCa::from_vec(PlSmallStr::EMPTY, rows.to_vec());
        Ok(Table { frame: self.frame.take(&numbers).context("cannot pick rows of a table")? })
    }

    /// `count` rows from row `start` on, or as many as there are; shares their memory.
    pub fn slice(&self, start: usize, count: usize) -> Table {
        Table { frame: self.frame.slice(i64::try_from(start).unwrap_or(i64::MAX), count) }
    }

    /// The columns called `columns`, in that order; an unknown name is an error with a suggestion.
    pub fn select(&self, columns: &[&str]) -> Result<Table> {
        let columns = columns.iter().map(|name| self.column(name).cloned()).collect::<Result<Vec<_>>>()?;
        Ok(Table { frame: DataFrame::new(self.rows(), columns).context("cannot pick columns of a table")? })
    }

    /// One value as text, as it would be written to CSV; `None` when it is missing or there is no such row or column.
    pub fn cell(&self, row: usize, column: &str) -> Option<String> {
        if row >= self.rows() {
            return None;
        }
        let mut text = Vec::new();
        let cells = Cells::of(self.column(column).ok()?).ok()?;
        cells.push(row, &mut text).then(|| String::from_utf8(text).ok()).flatten()
    }

    /// Reads a Parquet file; foreign types are brought to the seven as `source::read` does.
    ///
    /// Errors: no such file, damage, an unsupported column.
    pub fn read_parquet(path: &Path) -> Result<Table> {
        let mut bytes = Vec::new();
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let read = BufReader::new(file).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {}", path.display()))?;
        Table::from_parquet_bytes(bytes).with_context(|| format!("cannot use {}", path.display()))
    }

    /// Reads Parquet from memory; see [`Table::read_parquet`].
    pub fn from_parquet_bytes(bytes: Vec<u8>) -> Result<Table> {
        Table::new(parquet::from_bytes(bytes)?.0)
    }

    /// The first `rows` rows of some columns of our own Parquet: a look at a large table.
    ///
    /// Errors: damage, a column that is not there.
    pub fn from_parquet_start(bytes: Vec<u8>, rows: usize, columns: &[&str]) -> Result<Table> {
        Table::new(parquet::start_of(bytes, rows, columns)?.0)
    }

    /// Writes Parquet; equal tables give equal bytes.
    pub fn write_parquet(&self, out: &mut dyn Write) -> Result<()> {
        parquet::write(&self.frame, out)
    }

    /// Writes CSV (RFC 4180, UTF-8, `\n`) that reads back as the same table; missing values are empty fields.
    pub fn write_csv(&self, out: &mut dyn Write) -> Result<()> {
        csv::write::write(&self.frame, out)
    }

    /// A table of features: numbers and times as they are, indicators and categories as integers, missing as null.
    pub fn from_frame(frame: &Frame) -> Result<Table> {
        Table::new(piece(frame, 0..frame.rows())?)
    }

    /// Writes the Parquet file that [`Table::from_frame`] would write of all `frames` one below the other, byte for byte,
    /// without ever holding that table: a frame of indicators that share their codes grows twentyfold as a table. Memory:
    /// one frame and [`PIECE_ROWS`] rows of the table. At least one frame; all have the same columns.
    pub fn write_frames(frames: &mut dyn Iterator<Item = Result<Frame>>, out: &mut dyn Write) -> Result<()> {
        let mut out = Some(out);
        let mut writer = None;
        for frame in frames {
            let frame = frame?;
            for start in (0..frame.rows().max(1)).step_by(PIECE_ROWS) {
                let rows = piece(&frame, start..(start + PIECE_ROWS).min(frame.rows()))?;
                if let Some(out) = out.take() {
                    writer = Some(parquet::Writer::new(out, &Table { frame: rows.clone() }.columns())?);
                }
                writer.as_mut().map_or(Ok(()), |writer| writer.push(rows))?;
            }
        }
        writer.map_or(Ok(()), parquet::Writer::finish)
    }

    /// Adds a column of numbers at the end; NaN is missing.
    ///
    /// Errors: another number of rows, a name that is taken.
    pub fn with_numbers(self, name: &str, values: Vec<f64>) -> Result<Table> {
        let rows = 0..values.len();
        // Without a missing value, which most predictions are, this is a copy and no more.
        let column = match values.iter().any(|value| value.is_nan()) {
            false => Series::new(name.into(), values).into(),
            true => plain_series(name, &Values::Number(values), rows),
        };
        self.with_column(column)
    }

    /// Adds a column of text at the end: for each row the one of `labels` that its code names; a code without a label is
    /// missing. Copies no text but into the column.
    ///
    /// Errors: another number of rows, a name that is taken.
    pub fn with_labels(self, name: &str, codes: &[u32], labels: &[String]) -> Result<Table> {
        let texts: Vec<Option<&str>> =
            codes.iter().map(|code| labels.get(*code as usize).map(String::as_str)).collect();
        self.with_column(Series::new(name.into(), texts).into())
    }

    /// Adds a column of text at the end.
    ///
    /// Errors: another number of rows, a name that is taken.
    pub fn with_texts(self, name: &str, values: Vec<String>) -> Result<Table> {
        self.with_column(Series::new(name.into(), values).into())
    }

    /// Adds a column of whole numbers at the end.
    ///
    /// Errors: another number of rows, a name that is taken.
    pub fn with_integers(self, name: &str, values: Vec<i64>) -> Result<Table> {
        self.with_column(Series::new(name.into(), values).into())
    }

    /// Adds a column of true and false at the end.
    ///
    /// Errors: another number of rows, a name that is taken.
    pub fn with_booleans(self, name: &str, values: Vec<bool>) -> Result<Table> {
        self.with_column(Series::new(name.into(), values).into())
    }

    fn with_column(mut self, column: Column) -> Result<Table> {
        let name = column.name().clone();
        if self.frame.columns().iter().any(|known| known.name() == &name) {
            return Err(fail::usage(format!("the table already has a column called `{name}`"))
                .hint("rename or drop that column before")
                .into());
        }
        if column.len() != self.rows() {
            let (found, rows) = (column.len(), self.rows());
            return Err(fail::world(format!("column `{name}` has {found} rows, the table has {rows}")).into());
        }
        self.frame.with_column(column).with_context(|| format!("cannot add column `{name}`"))?;
        Ok(self)
    }
}

/// Some rows of a plain frame as polars keeps them; columns in parallel.
fn piece(frame: &Frame, rows: Range<usize>) -> Result<DataFrame> {
    let column = |column: &PlainColumn| plain_series(&column.name, &column.values, rows.clone());
    let columns = frame.columns().par_iter().map(column).collect();
    DataFrame::new(rows.len(), columns).context("cannot make a table of features")
}

/// Some rows of one plain column as polars keeps it; NaN is missing.
pub fn plain_series(name: &str, values: &Values, rows: Range<usize>) -> Column {
    let name: PlSmallStr = name.into();
    let series = match values {
        Values::Number(values) => {
            let present = |value: &f64| (!value.is_nan()).then_some(*value);
            Series::new(name, values[rows].iter().map(present).collect::<Vec<_>>())
        }
        Values::Text(text) => Series::new(name, rows.map(|row| text.get(row)).collect::<Vec<_>>()),
        Values::Time(values) => {
            let known = values[rows].iter().map(|value| (*value != MISSING_TIME).then_some(*value)).collect::<Vec<_>>();
            let micros = Series::new(name, known);
            let utc = data_type(ColumnType::Timestamp);
            micros.cast(&utc).expect("any 64-bit integer is a time stamp")
        }
        Values::Indicator { codes, code } => {
            Series::new(name, codes[rows].iter().map(|found| i64::from(found == code)).collect::<Vec<_>>())
        }
        Values::Category { codes, .. } => {
            let known = codes[rows].iter().map(|code| (*code != MISSING_CODE).then_some(i64::from(*code)));
            Series::new(name, known.collect::<Vec<_>>())
        }
    };
    series.into()
}
