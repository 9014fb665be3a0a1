//! One profile for each value of a column.

use std::collections::HashMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::limits::SLICES_MAX;
use crate::data::frame::{MISSING_CODE, MISSING_TIME, Values};
use crate::data::profile::profile;
use crate::data::table::Table;
use crate::record::profile::ProfileRecord;
use crate::spec::schema::ColumnType;

/// The rows that have one value of the column sliced by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// The value as it would be written to CSV; `None` for rows without one.
    pub value: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Their profile, of all columns.
    pub profile: ProfileRecord,
}

/// Slices of a table, and what was left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slices {
    /// The column sliced by.
    pub column: String,
    /// The slices, most rows first, ties by their first row.
    pub slices: Vec<Slice>,
    /// Further values, not profiled.
    pub other_values: u64,
    /// Rows that have them.
    pub other_rows: u64,
}

/// Profiles the rows of each value of column `by` apart: the `limits::SLICES_MAX` most frequent values, rows without a value
/// among them as one.
///
/// Errors: an unknown column; one of floats, whose values are no groups. Cost: a copy of each slice, one at a time, and its
/// profile.
pub fn profile_by(table: &Table, by: &str) -> Result<Slices> {
    if table.type_of(by)? == ColumnType::Float {
        return Err(fail::usage(format!("cannot slice by `{by}`: its values are floats, nearly all of them distinct"))
            .hint("slice by a column of text, whole numbers, booleans or dates")
            .into());
    }
    let mut groups = rows_by_value(table, by)?;
    groups.sort_by_key(|rows| (std::cmp::Reverse(rows.len()), rows[0]));
    let others = groups.split_off(groups.len().min(SLICES_MAX));
    let slice = |rows: Vec<u32>| {
        let value = table.cell(rows[0] as usize, by);
        Ok(Slice { value, rows: rows.len() as u64, profile: profile(&table.take(&rows)?) })
    };
    Ok(Slices {
        column: by.to_owned(),
        slices: groups.into_iter().map(slice).collect::<Result<_>>()?,
        other_values: others.len() as u64,
        other_rows: others.iter().map(|rows| rows.len() as u64).sum(),
    })
}

/// The rows of each distinct value, in the order of first appearance.
fn rows_by_value(table: &Table, by: &str) -> Result<Vec<Vec<u32>>> {
    let frame = table.frame(&[by])?;
    let keys: Vec<Option<u64>> = match &frame.column(by)?.values {
        Values::Text(text) => {
            text.codes.iter().map(|code| (*code != MISSING_CODE).then_some(u64::from(*code))).collect()
        }
        // As 64-bit floats; whole numbers beyond 2^53 that are one float share a slice.
        Values::Number(numbers) => {
            numbers.iter().map(|number| (!number.is_nan()).then_some((number + 0.0).to_bits())).collect()
        }
        Values::Time(times) => times.iter().map(|time| (*time != MISSING_TIME).then_some(*time as u64)).collect(),
        Values::Indicator { codes, .. } | Values::Category { codes, .. } => {
            codes.iter().map(|code| Some(u64::from(*code))).collect()
        }
    };
    let mut places: HashMap<Option<u64>, usize> = HashMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for (row, key) in keys.into_iter().enumerate() {
        let place = *places.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(row as u32);
    }
    Ok(groups)
}
