//! Statistics of every column, exact: distinct values are counted, quantiles come from sorted values.
//!
//! One file a kind of column (`numbers`, `times`, `texts`), the two sketches that are kept for later comparison (`sketch`,
//! `distinct`), and what is made on demand only: a profile for each slice (`slices`), weighted statistics (`weighted`).
//! No number here depends on the order of rows or on the number of threads.

mod distinct;
mod numbers;
mod sketch;
pub mod slices;
pub mod sums;
pub mod texts;
mod times;
pub mod weighted;

use anyhow::Result;
use polars::prelude::{Column, DataType};
use rayon::prelude::*;

use crate::base::limits::{PROFILE_BYTES_MAX, SKETCH_POINTS_MAX, TOP_BYTES_MAX};
use crate::data::table::Table;
use crate::data::value::DAY_MICROS;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::ColumnType;

/// How much may be kept of one column, so that the profile of a wide table still fits one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Points of the quantile sketch; 0 for neither sketch nor deciles.
    points: usize,
    /// Precision of the distinct sketch.
    precision: u32,
    /// Bytes of the most frequent values.
    top_bytes: usize,
}

impl Room {
    /// Bytes of a share below which a column keeps no sketches: above some 16,000 columns.
    const SHARE_MIN: usize = 2 << 10;
    /// About the bytes of a point: a float, a count, two commas.
    const POINT_BYTES: usize = 24;
    /// Fewest points and bytes of frequent values worth keeping.
    const POINTS_MIN: usize = 16;
    const TOP_BYTES_MIN: usize = 256;

    /// The room of one column among `columns`: everything up to about 450 of them, then less and less.
    pub fn among(columns: usize) -> Room {
        let share = PROFILE_BYTES_MAX / columns.max(1);
        let points = (share / 3 / Room::POINT_BYTES).clamp(Room::POINTS_MIN, SKETCH_POINTS_MAX);
        Room {
            points: if share < Room::SHARE_MIN { 0 } else { points },
            precision: (share / 6).max(1).ilog2().clamp(distinct::PRECISION_MIN, distinct::PRECISION),
            top_bytes: (share / 3).clamp(Room::TOP_BYTES_MIN, TOP_BYTES_MAX),
        }
    }
}

/// Describes every column of `table`, columns in parallel.
///
/// Cost: each numeric column is copied and sorted, O(n log n) time and 8 bytes a row; each text column takes one look-up a row.
pub fn profile(table: &Table) -> ProfileRecord {
    let types = table.columns();
    let room = Room::among(types.len());
    let pairs: Vec<(&Column, ColumnType)> =
        table.polars().columns().iter().zip(types.iter().map(|column| column.column_type)).collect();
    // One column at a time: halves of the list would leave a thread idle when the costly columns stand together.
    let described = pairs.into_par_iter().with_max_len(1).map(|(column, of)| column_profile_in(room, column, of));
    ProfileRecord { rows: table.rows() as u64, columns: described.collect() }
}

/// Describes one column with all the room a profile may give to one; see [`profile`].
pub fn column_profile(column: &Column, column_type: ColumnType) -> ColumnProfile {
    column_profile_in(Room::among(1), column, column_type)
}

/// Describes one column of several; see [`profile`].
pub fn column_profile_in(room: Room, column: &Column, column_type: ColumnType) -> ColumnProfile {
    let missing = column.null_count() as u64;
    let mut profile = ColumnProfile {
        name: column.name().to_string(),
        column_type,
        present: column.len() as u64 - missing,
        missing,
        unique: 0,
        numbers: None,
        texts: None,
        times: None,
        top: Vec::new(),
        quantile_sketch: None,
        distinct_sketch: None,
    };
    let described = match column.dtype() {
        DataType::Boolean => describe_booleans(room, column, &mut profile),
        DataType::String => texts::describe(room, column, &mut profile),
        DataType::Float64 => numbers::describe_floats(room, column, &mut profile),
        _ => describe_whole(room, column, &mut profile),
    };
    described.expect("each column type can be viewed as what it is");
    profile
}

fn describe_booleans(room: Room, column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let values = column.as_materialized_series().bool()?;
    let yes = values.sum().map_or(0, u64::from);
    let counts = [("false".to_owned(), profile.present - yes), ("true".to_owned(), yes)];
    profile.top = most_frequent(counts.into_iter().filter(|(_, count)| *count > 0).collect());
    profile.unique = profile.top.len() as u64;
    if room.points > 0 {
        let mut registers = distinct::Registers::new(room.precision);
        profile.top.iter().for_each(|(name, _)| registers.add(distinct::hash_integer(i64::from(name == "true"))));
        profile.distinct_sketch = Some(registers.sketch());
    }
    Ok(())
}

/// Whole numbers and what is kept as them: days, microseconds, nanoseconds of a day.
fn describe_whole(room: Room, column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let physical = column.as_materialized_series().to_physical_repr();
    // Reserved whole: a list that grows by doubling takes three times its room on the way.
    let mut values: Vec<i64> = Vec::with_capacity(physical.len() - physical.null_count());
    match physical.dtype() {
        DataType::Int32 => values.extend(physical.i32()?.iter().flatten().map(i64::from)),
        _ => physical.i64()?.downcast_iter().for_each(|piece| match piece.validity() {
            None => values.extend_from_slice(piece.values()),
            Some(_) => values.extend(piece.iter().flatten()),
        }),
    }
    drop(physical);
    numbers::sort_whole(&mut values);
    match column.dtype() {
        DataType::Date => {
            numbers::describe_sorted_whole(room, &values, numbers::Unit::times(DAY_MICROS), profile);
            profile.times = times::describe(&mut values, DAY_MICROS);
        }
        DataType::Datetime(..) => {
            numbers::describe_sorted_whole(room, &values, numbers::Unit::times(1), profile);
            profile.times = times::describe(&mut values, 1);
        }
        // A time of day is kept in nanoseconds and described in microseconds, as moments are.
        DataType::Time => numbers::describe_sorted_whole(room, &values, numbers::Unit::part(1000), profile),
        _ => numbers::describe_sorted_whole(room, &values, numbers::Unit::times(1), profile),
    }
    Ok(())
}

/// Most frequent first, ties by value.
fn most_frequent(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}
