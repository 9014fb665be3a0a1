//! Values by what they are worth, and rows in groups of equal ones.

use std::hash::{DefaultHasher, Hasher};

use anyhow::Result;
use polars::prelude::PlHashMap;
use rayon::prelude::*;

use crate::data::format::csv::write::Cells;
use crate::data::table::Table;
use crate::data::value::DAY_MICROS;

/// Rows hashed by one thread at a time.
const PIECE_ROWS: usize = 16_384;
/// End of a chain of groups.
const NONE: u32 = u32::MAX;

/// A value in the one form that equal values share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth<'t> {
    /// No value.
    Missing,
    /// A whole number of 64 bits, whether kept as integer or float; both zeros.
    Whole(i64),
    /// Any other number, by its bits; all not-a-numbers have the same.
    Number(u64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(&'t str),
    /// A moment, or the midnight of a day, in microseconds since 1970.
    Moment(i64),
}

impl Worth<'_> {
    fn of_float(value: f64) -> Worth<'static> {
        // 2^63 itself is one beyond the largest integer; every float in between without a fraction is one exactly.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match value {
            v if v.is_nan() => Worth::Number(f64::NAN.to_bits()),
            v if v.fract() == 0.0 && (-LIMIT..LIMIT).contains(&v) => Worth::Whole(v as i64),
            v => Worth::Number(v.to_bits()),
        }
    }

    fn hash(self) -> u64 {
        let (tag, bits) = match self {
            Worth::Missing => (1, 0),
            Worth::Whole(value) => (2, value as u64),
            Worth::Number(bits) => (3, bits),
            Worth::Boolean(value) => (4, u64::from(value)),
            Worth::Moment(micros) => (5, micros as u64),
            Worth::Text(text) => {
                let mut hasher = DefaultHasher::new();
                hasher.write(text.as_bytes());
                (6, hasher.finish())
            }
        };
        mix(tag, bits)
    }
}

/// Folds the 128 bits of a product: every bit of both numbers reaches every bit of the result.
fn mix(state: u64, bits: u64) -> u64 {
    let wide = u128::from(state ^ bits ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93_u128;
    ((wide >> 64) as u64 ^ wide as u64).rotate_left(23).wrapping_add(state)
}

/// Some columns of one table, ready to be looked into.
pub struct Side<'t> {
    cells: Vec<Cells<'t>>,
    rows: usize,
}

impl<'t> Side<'t> {
    /// Looks into `columns` of `table`; an unknown one is an error with a suggestion.
    pub fn of(table: &'t Table, columns: &[String]) -> Result<Side<'t>> {
        let cells = columns.iter().map(|name| Cells::of(table.column(name)?)).collect::<Result<_>>()?;
        Ok(Side { cells, rows: table.rows() })
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.cells.len()
    }

    /// One value.
    pub fn value(&self, column: usize, row: usize) -> Worth<'t> {
        match self.cells[column] {
            Cells::Integer(values) => values.get(row).map(Worth::Whole),
            Cells::Float(values) => values.get(row).map(Worth::of_float),
            Cells::Boolean(values) => values.get(row).map(Worth::Boolean),
            Cells::Text(values) => values.get(row).map(Worth::Text),
            Cells::Date(values) => values.get(row).map(|days| Worth::Moment(i64::from(days) * DAY_MICROS)),
            Cells::Timestamp(values) => values.get(row).map(Worth::Moment),
            Cells::Time(values) => values.get(row).map(|nanos| Worth::Moment(nanos / 1_000)),
        }
        .unwrap_or(Worth::Missing)
    }

    /// One hash a row.
    fn hashes(&self) -> Vec<u64> {
        let mut hashes = vec![0_u64; self.rows];
        hashes.par_chunks_mut(PIECE_ROWS).enumerate().for_each(|(piece, hashes)| {
            for column in 0..self.cells.len() {
                for (place, hash) in hashes.iter_mut().enumerate() {
                    *hash = mix(*hash, self.value(column, piece * PIECE_ROWS + place).hash());
                }
            }
        });
        hashes
    }

    fn same(&self, row: usize, other: &Side<'_>, other_row: usize) -> bool {
        (0..self.cells.len()).all(|column| self.value(column, row) == other.value(column, other_row))
    }
}

/// Rows of two tables in groups of equal ones, numbered by first appearance, old table first.
pub struct Groups {
    /// Group of each row of the old table.
    pub old: Vec<u32>,
    /// Group of each row of the new table.
    pub new: Vec<u32>,
    /// Number of groups.
    pub count: usize,
}

/// Rows by group.
pub struct Members {
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl Members {
    /// The rows of one group, ascending.
    pub fn of(&self, group: usize) -> &[u32] {
        &self.rows[self.starts[group]..self.starts[group + 1]]
    }
}

impl Groups {
    /// Number of rows in each group, of one of the tables.
    pub fn counts(&self, rows: &[u32]) -> Vec<u32> {
        let mut counts = vec![0; self.count];
        rows.iter().for_each(|group| counts[*group as usize] += 1);
        counts
    }

    /// The rows of each group, of one of the tables.
    pub fn members(&self, rows: &[u32]) -> Members {
        let mut starts = Vec::with_capacity(self.count + 1);
        let mut total = 0;
        for count in self.counts(rows) {
            starts.push(total);
            total += count as usize;
        }
        starts.push(total);
        let mut next = starts.clone();
        let mut sorted = vec![0; rows.len()];
        for (row, group) in rows.iter().enumerate() {
            sorted[next[*group as usize]] = row as u32;
            next[*group as usize] += 1;
        }
        Members { starts, rows: sorted }
    }
}

/// The first row of a group, and the next group whose hash is the same.
struct First {
    is_new: bool,
    row: u32,
    next: u32,
}

/// Puts equal rows into one group; both sides have the same number of columns.
pub fn group(old: &Side<'_>, new: &Side<'_>) -> Groups {
    let mut heads: PlHashMap<u64, u32> = PlHashMap::default();
    let mut firsts: Vec<First> = Vec::new();
    let mut place = |side: &Side<'_>, is_new: bool| {
        let mut groups = Vec::with_capacity(side.rows);
        for (row, hash) in side.hashes().into_iter().enumerate() {
            let head = heads.get(&hash).copied().unwrap_or(NONE);
            let mut found = head;
            while let Some(first) = firsts.get(found as usize) {
                let home = if first.is_new { new } else { old };
                if side.same(row, home, first.row as usize) {
                    break;
                }
                found = first.next;
            }
            if found == NONE {
                found = firsts.len() as u32;
                firsts.push(First { is_new, row: row as u32, next: head });
                heads.insert(hash, found);
            }
            groups.push(found);
        }
        groups
    };
    let (of_old, of_new) = (place(old, false), place(new, true));
    Groups { old: of_old, new: of_new, count: firsts.len() }
}
