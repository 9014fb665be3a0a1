//! Columns in the plain form that features, models and the server read: no table library, no types beyond four.
//!
//! Batch and online prediction both arrive here, so one code path serves both.

use std::sync::Arc;

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;

/// Code of a missing value in every coded column.
pub const MISSING_CODE: u32 = u32::MAX;
/// A missing date or time stamp.
pub const MISSING_TIME: i64 = i64::MIN;

/// Values of one column, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers; integers and booleans (0, 1) too. NaN is missing.
    Number(Vec<f64>),
    /// Text as codes into a list of distinct values.
    Text(TextValues),
    /// Microseconds since 1970-01-01T00:00:00Z. [`MISSING_TIME`] is missing.
    Time(Vec<i64>),
    /// 1 where `codes` equals `code`, else 0: a one-hot column that costs nothing, as its siblings share the codes.
    Indicator {
        /// One code a row, shared by all indicators made from one column.
        codes: Arc<[u32]>,
        /// The code that this column is 1 for.
        code: u32,
    },
    /// Codes `0..levels` fixed in training, for models with native categories. [`MISSING_CODE`] is missing or unseen.
    Category {
        /// One code a row.
        codes: Arc<[u32]>,
        /// Number of codes.
        levels: u32,
    },
}

/// Dictionary-coded text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextValues {
    /// Index into `levels` for each row; [`MISSING_CODE`] is missing.
    pub codes: Vec<u32>,
    /// Distinct values in any order; every code is below its length. May hold values that no row has.
    pub levels: Vec<Arc<str>>,
}

impl TextValues {
    /// Codes `values` in the order of first appearance.
    pub fn from_values<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> TextValues {
        let mut seen: std::collections::HashMap<Arc<str>, u32> = std::collections::HashMap::new();
        let mut text = TextValues::default();
        for value in values {
            let code = match value {
                None => MISSING_CODE,
                Some(value) => match seen.get(value) {
                    Some(&code) => code,
                    None => {
                        let level: Arc<str> = value.into();
                        let code = text.levels.len() as u32;
                        text.levels.push(Arc::clone(&level));
                        seen.insert(level, code);
                        code
                    }
                },
            };
            text.codes.push(code);
        }
        text
    }

    /// The value of one row.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.levels.get(self.codes[row] as usize).map(AsRef::as_ref)
    }
}

/// One named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name, unique in its frame.
    pub name: Arc<str>,
    /// The raw column it comes from; its own name for raw columns.
    pub from: Arc<str>,
    /// Its values.
    pub values: Values,
}

impl Column {
    /// A raw column.
    pub fn raw(name: &str, values: Values) -> Column {
        let name: Arc<str> = name.into();
        Column { from: Arc::clone(&name), name, values }
    }

    /// The column's names with no values, to be given others.
    pub fn without_values(&self) -> Column {
        Column { name: Arc::clone(&self.name), from: Arc::clone(&self.from), values: Values::Number(Vec::new()) }
    }
}

/// Columns of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    rows: usize,
    columns: Vec<Column>,
}

impl Values {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Values::Number(values) => values.len(),
            Values::Text(text) => text.codes.len(),
            Values::Time(values) => values.len(),
            Values::Indicator { codes, .. } | Values::Category { codes, .. } => codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values at `rows`, in that order.
    pub fn take(&self, rows: &[u32]) -> Values {
        fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize]).collect()
        }
        match self {
            Values::Number(values) => Values::Number(pick(values, rows)),
            Values::Text(text) => {
                Values::Text(TextValues { codes: pick(&text.codes, rows), levels: text.levels.clone() })
            }
            Values::Time(values) => Values::Time(pick(values, rows)),
            Values::Indicator { codes, code } => Values::Indicator { codes: pick(codes, rows).into(), code: *code },
            Values::Category { codes, levels } => Values::Category { codes: pick(codes, rows).into(), levels: *levels },
        }
    }
}

impl Frame {
    /// Puts columns together.
    ///
    /// Errors: lengths that differ, a name twice.
    pub fn new(rows: usize, columns: Vec<Column>) -> Result<Frame> {
        let mut names = std::collections::HashSet::new();
        for column in &columns {
            if column.values.len() != rows {
                let length = column.values.len();
                return Err(fail::world(format!("column `{}` has {length} rows, not {rows}", column.name)).into());
            }
            if !names.insert(Arc::clone(&column.name)) {
                return Err(fail::usage(format!("two columns are called `{}`", column.name)).into());
            }
        }
        Ok(Frame { rows, columns })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All columns in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Gives the columns away.
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The column called `name`; an unknown name is an error with a suggestion.
    pub fn column(&self, name: &str) -> Result<&Column> {
        let found = self.columns.iter().find(|column| &*column.name == name);
        found.ok_or_else(|| suggest::unknown("column", name, self.columns.iter().map(|c| &*c.name)).into())
    }

    /// The rows numbered `rows`, in that order.
    pub fn take(&self, rows: &[u32]) -> Frame {
        let columns = self.columns.iter().map(|column| Column { values: column.values.take(rows), ..column.clone() });
        Frame { rows: rows.len(), columns: columns.collect() }
    }
}
