//! What requests must look like: the model's inputs prepared for look-up, and counts of what looked suspicious.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::models::package::InputColumn;
use crate::spec::schema::ColumnType;

/// Something that training never saw but that does not stop an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suspicion {
    /// Text that no training row had.
    UnseenCategory,
    /// A number below or above all training rows.
    OutOfRange,
    /// A missing value in a column that never missed one.
    UnexpectedMissing,
    /// A number with a fraction in a column of whole numbers.
    Fraction,
    /// A column that the request left out; it had missing values in training, so it counts as missing.
    AbsentColumn,
}

/// All suspicions, in the order of their counters.
pub const SUSPICIONS: [Suspicion; 5] = [
    Suspicion::UnseenCategory,
    Suspicion::OutOfRange,
    Suspicion::UnexpectedMissing,
    Suspicion::Fraction,
    Suspicion::AbsentColumn,
];

/// Number of suspicious values of one column, by suspicion.
pub type Tally = [u64; SUSPICIONS.len()];

/// The inputs of one model, in the order of its header.
#[derive(Debug)]
pub struct InputSchema {
    columns: Vec<SchemaColumn>,
    positions: HashMap<Box<str>, usize>,
    in_order: Vec<Option<usize>>,
}

/// One input.
#[derive(Debug)]
pub struct SchemaColumn {
    /// Name in the data.
    pub name: Arc<str>,
    /// Type of its values.
    pub column_type: ColumnType,
    /// Whether training rows missed it.
    pub missing_seen: bool,
    /// Smallest and largest number of the training rows; not for times, which always move on.
    pub range: Option<(f64, f64)>,
    /// All values of the training rows, when they are few.
    pub domain: Option<Domain>,
    counts: [AtomicU64; SUSPICIONS.len()],
}

/// All values of a text column in training.
#[derive(Debug)]
pub struct Domain {
    /// The values.
    pub levels: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
}

impl Suspicion {
    /// Name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Suspicion::UnseenCategory => "unseen_category",
            Suspicion::OutOfRange => "out_of_range",
            Suspicion::UnexpectedMissing => "unexpected_missing",
            Suspicion::Fraction => "fraction",
            Suspicion::AbsentColumn => "absent_column",
        }
    }
}

impl Domain {
    /// The code of a value, if training had it.
    pub fn code(&self, value: &str) -> Option<u32> {
        self.codes.get(value).copied()
    }
}

impl InputSchema {
    /// Prepares the inputs of a model.
    pub fn new(inputs: &[InputColumn]) -> InputSchema {
        let columns: Vec<SchemaColumn> = inputs.iter().map(prepared).collect();
        let positions = columns.iter().enumerate().map(|(at, column)| (Box::from(&*column.name), at)).collect();
        let in_order = (0..columns.len()).map(Some).collect();
        InputSchema { columns, positions, in_order }
    }

    /// The inputs.
    pub fn columns(&self) -> &[SchemaColumn] {
        &self.columns
    }

    /// Where `name` stands; `guess` is tried first, as most clients send the columns in one order.
    pub fn position(&self, name: &str, guess: usize) -> Option<usize> {
        if self.columns.get(guess).is_some_and(|column| &*column.name == name) {
            return Some(guess);
        }
        self.positions.get(name).copied()
    }

    /// The positions of rows whose values come without names.
    pub fn in_order(&self) -> &[Option<usize>] {
        &self.in_order
    }

    /// Adds what one request had.
    pub fn count(&self, position: usize, tally: &Tally) {
        for (counter, more) in self.columns[position].counts.iter().zip(tally) {
            if *more > 0 {
                counter.fetch_add(*more, Ordering::Relaxed);
            }
        }
    }
}

impl SchemaColumn {
    /// What was suspicious so far, by suspicion.
    pub fn tally(&self) -> Tally {
        self.counts.each_ref().map(|counter| counter.load(Ordering::Relaxed))
    }
}

fn prepared(input: &InputColumn) -> SchemaColumn {
    let domain = input.domain.as_ref().map(|values| {
        let levels: Vec<Arc<str>> = values.iter().map(|value| Arc::from(value.as_str())).collect();
        let codes = levels.iter().enumerate().map(|(code, level)| (Arc::clone(level), code as u32)).collect();
        Domain { levels, codes }
    });
    SchemaColumn {
        name: Arc::from(input.name.as_str()),
        column_type: input.column_type,
        missing_seen: input.missing_seen,
        range: input.min.zip(input.max).filter(|_| input.column_type.is_numeric()),
        domain: domain.filter(|_| input.column_type == ColumnType::Text),
        counts: Default::default(),
    }
}
