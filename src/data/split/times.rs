//! Earlier rows train, later rows judge, and what lies between them may be left out.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::{MISSING_TIME, Values};
use crate::data::plain;
use crate::data::split::{NONE, TEST, TRAIN, VALIDATION, Wanted};
use crate::data::table::Table;
use crate::spec::schema::ColumnType;
use crate::spec::split::Gap;

/// A gap in the unit of the column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// Rows whose time is less than this before the later part.
    Time(f64),
    /// So many rows before the later part.
    Rows(usize),
}

/// A sortable time for each of `rows`.
pub fn read(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<f64>> {
    let column_type = table.type_of(column)?;
    if matches!(column_type, ColumnType::Text | ColumnType::Boolean) {
        let of = column_type.name();
        return Err(fail::usage(format!("[split] column `{column}` is {of}; a time split needs times or numbers"))
            .hint("name a column of dates, time stamps or numbers")
            .into());
    }
    let picked = table.select(&[column])?.take(rows)?;
    let times: Vec<f64> = match plain::values(picked.column(column)?)? {
        Values::Time(times) => {
            times.into_iter().map(|time| if time == MISSING_TIME { f64::NAN } else { time as f64 }).collect()
        }
        Values::Number(numbers) => numbers,
        _ => Vec::new(),
    };
    match times.iter().position(|time| time.is_nan()) {
        Some(place) => Err(fail::usage(format!("[split] column `{column}` is missing in row {}", rows[place] + 1))
            .hint("drop the rows without a time, or divide in another way")
            .into()),
        None => Ok(times),
    }
}

/// The gap in the unit of `column`.
///
/// Errors: a length of time for a numeric column, a bare number for a column of times.
pub fn gap(table: &Table, column: &str, gap: Option<Gap>) -> Result<Option<Distance>> {
    let is_number = table.type_of(column)?.is_numeric();
    Ok(match gap {
        None => None,
        Some(Gap::Rows(rows)) => Some(Distance::Rows(rows as usize)),
        Some(Gap::Units(units)) if is_number => Some(Distance::Time(units)),
        // A time of day is read in seconds, dates and time stamps in microseconds.
        Some(Gap::Micros(micros)) if table.type_of(column)? == ColumnType::Time => {
            Some(Distance::Time(micros as f64 / 1e6))
        }
        Some(Gap::Micros(micros)) if !is_number => Some(Distance::Time(micros as f64)),
        Some(gap) => {
            let of = table.type_of(column)?.name();
            let hint = if is_number { "write a number in the unit of the column" } else { "write it like \"7d\"" };
            return Err(fail::usage(format!("[split] gap = {gap} does not suit column `{column}`, which is {of}"))
                .hint(format!("{hint}, or \"100 rows\""))
                .into());
        }
    })
}

/// Rows in the order of their times, ties by row, and the places where the time changes.
pub struct Order<'a> {
    times: &'a [f64],
    order: Vec<usize>,
    changes: Vec<usize>,
}

impl Order<'_> {
    /// Sorts rows by time. O(n log n).
    pub fn new(times: &[f64]) -> Order<'_> {
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|a, b| times[*a].total_cmp(&times[*b]).then(a.cmp(b)));
        let changes = (1..order.len()).filter(|place| times[order[*place]] != times[order[place - 1]]).collect();
        Order { times, order, changes }
    }

    /// Rows, earliest first.
    pub fn rows(&self) -> &[usize] {
        &self.order
    }

    /// The change of time nearest to `ideal` within `low..high`, the earlier on a tie.
    pub fn cut(&self, ideal: usize, low: usize, high: usize) -> Option<usize> {
        let within = self.changes.iter().copied().filter(|change| (low..high).contains(change));
        within.min_by_key(|change| (change.abs_diff(ideal), *change))
    }

    /// Up to where earlier rows keep their distance from the part that begins at `place`.
    pub fn clear(&self, place: usize, gap: Option<Distance>) -> usize {
        match gap {
            None => place,
            Some(Distance::Rows(rows)) => place.saturating_sub(rows),
            Some(Distance::Time(_)) if place >= self.order.len() => place,
            Some(Distance::Time(length)) => {
                let limit = self.times[self.order[place]] - length;
                self.order.partition_point(|row| self.times[*row] <= limit)
            }
        }
    }
}

/// Parts of rows by their times.
///
/// Errors: too few distinct times for the parts asked for.
pub fn divide(times: &[f64], wanted: &Wanted, column: &str, gap: Option<Distance>) -> Result<Vec<u8>> {
    let order = Order::new(times);
    let rows = times.len();
    let too_few = || {
        fail::usage(format!("[split] column `{column}` has too few distinct times for the parts asked for"))
            .hint("set validation or test to 0, or divide in another way")
    };
    // Nothing when no rows are asked for.
    let cut = |ideal: usize, asked: bool, low: usize, high: usize| match asked {
        false => Some(high),
        true => order.cut(ideal, low, high),
    };
    let both = wanted.validation > 0 && wanted.test > 0;
    let first_test = if both { order.changes.get(1).copied().unwrap_or(rows) } else { 1 };
    let test = cut(wanted.train() + wanted.validation, wanted.test > 0, first_test, rows).ok_or_else(too_few)?;
    let validation = cut(wanted.train(), wanted.validation > 0, 1, test).ok_or_else(too_few)?;
    let (train_end, validation_end) = (order.clear(validation, gap), order.clear(test, gap));
    let mut parts = vec![NONE; rows];
    for (place, &row) in order.rows().iter().enumerate() {
        parts[row] = if place >= test {
            TEST
        } else if place >= validation {
            if place < validation_end { VALIDATION } else { NONE }
        } else if place < train_end {
            TRAIN
        } else {
            NONE
        };
    }
    Ok(parts)
}

/// Where each block begins: `folds` + 1 blocks one after the other, about equally large; rows of the same time share one.
///
/// Errors: too few distinct times.
pub fn blocks(order: &Order<'_>, folds: usize, column: &str) -> Result<Vec<usize>> {
    let rows = order.rows().len();
    let mut starts = vec![0];
    for block in 1..=folds {
        // Later blocks still need a change of time each.
        let last = order.changes.len().checked_sub(1 + folds - block).map(|place| order.changes[place]);
        let low = starts[block - 1] + 1;
        let found = last.and_then(|last| order.cut(block * rows / (folds + 1), low, last + 1));
        starts.push(found.ok_or_else(|| {
            fail::usage(format!("[split] column `{column}` has too few distinct times for {folds} folds"))
                .hint("ask for fewer folds, or divide in another way")
        })?);
    }
    Ok(starts)
}
