//! Raw tables in pieces: looked at once from start to end, then handed over in batches of rows, in bounded memory.
//!
//! A format implements [`RawTable`]; `source` settles the types over all files of a dataset and chains their batches.

use anyhow::Result;
use polars::prelude::DataFrame;

use crate::base::talk::Task;
use crate::data::infer::Evidence;
use crate::spec::schema::ColumnType;

/// What the values of one column look like, from all of them.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Texts whose type is to be decided.
    Values(Evidence),
    /// The file states the type.
    Typed {
        /// The type, one of ours.
        column_type: ColumnType,
        /// Rows without a value.
        missing: u64,
    },
}

impl Seen {
    /// The column over two files, `later` starting at row number `base`. Two stated types widen to the one that holds
    /// both: integer and float to float, date and time stamp to time stamp, anything else to text.
    pub fn joined(self, later: &Seen, base: u64) -> Seen {
        match (self, later) {
            (Seen::Values(mut evidence), Seen::Values(later)) => {
                evidence.merge(later.clone(), base);
                Seen::Values(evidence)
            }
            (Seen::Typed { column_type: a, missing }, Seen::Typed { column_type: b, missing: more }) => {
                Seen::Typed { column_type: widest(a, *b), missing: missing + more }
            }
            (Seen::Typed { column_type, missing }, Seen::Values(evidence)) => stated(column_type, missing, evidence),
            (Seen::Values(evidence), Seen::Typed { column_type, missing }) => stated(*column_type, *missing, &evidence),
        }
    }

    /// Whether every value can be held by a column of `wanted`.
    pub fn fits(&self, wanted: ColumnType) -> bool {
        match self {
            Seen::Values(evidence) => evidence.fits(wanted),
            Seen::Typed { column_type, .. } => widest(*column_type, wanted) == wanted,
        }
    }

    /// The type of the column, and a sentence when that was a guess.
    pub fn decide(&self, name: &str) -> (ColumnType, Option<String>) {
        match self {
            Seen::Values(evidence) => evidence.decide(name),
            Seen::Typed { column_type, .. } => (*column_type, None),
        }
    }
}

/// A stated type beside texts.
fn stated(column_type: ColumnType, missing: u64, evidence: &Evidence) -> Seen {
    let (other, _) = evidence.decide("");
    Seen::Typed { column_type: widest(column_type, other), missing: missing + evidence.missing }
}

fn widest(a: ColumnType, b: ColumnType) -> ColumnType {
    use ColumnType::{Date, Float, Integer, Text, Timestamp};
    match (a, b) {
        _ if a == b => a,
        (Integer, Float) | (Float, Integer) => Float,
        (Date, Timestamp) | (Timestamp, Date) => Timestamp,
        _ => Text,
    }
}

/// One raw file after every value was looked at once.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Names of the columns, in order, no one twice.
    pub names: Vec<String>,
    /// Number of rows.
    pub rows: u64,
    /// One entry for each column.
    pub columns: Vec<Seen>,
    /// What was guessed about the form of the file, one sentence each. Guesses about types are not among them.
    pub guesses: Vec<String>,
}

/// A raw file of some format, surveyed; its rows can be read as often as needed.
pub trait RawTable: Send {
    /// What the survey found.
    fn survey(&self) -> &Survey;

    /// The rows from the start, as columns of `types` (one for each column of the survey), a bounded batch at a time.
    ///
    /// Errors of the batches: a value that is not of its column's type, by row; a file that changed since the survey.
    fn batches<'a>(&'a self, types: &[ColumnType], task: &'a dyn Task) -> Result<Box<dyn RowBatches + 'a>>;
}

/// Rows in batches.
pub trait RowBatches: Send {
    /// The next rows in order, at least one; `None` after the last.
    fn next(&mut self) -> Result<Option<DataFrame>>;
}

/// A task that nobody watches.
pub struct Quiet;

impl Task for Quiet {
    fn advance(&self, _count: u64) {}
}
