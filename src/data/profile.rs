//! Statistics of every column, exact: distinct values are counted, quantiles come from sorted values.

use std::sync::Arc;

use anyhow::Result;
use polars::prelude::{Column, DataType};
use rayon::prelude::*;

use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::data::frame::MISSING_CODE;
use crate::data::plain;
use crate::data::table::Table;
use crate::data::value::DAY_MICROS;
use crate::record::profile::{ColumnProfile, NumberProfile, ProfileRecord, QUANTILES, TextProfile};
use crate::spec::schema::ColumnType;

/// Bins of a histogram.
const BINS: usize = 10;
/// Most frequent values kept for a column with more than [`DOMAIN_VALUES_MAX`] distinct ones.
const TOP_MAX: usize = 20;

/// Describes every column of `table`, columns in parallel.
///
/// Cost: each numeric column is copied and sorted, O(n log n) time and 8 bytes a row; each text column is coded once.
pub fn profile(table: &Table) -> ProfileRecord {
    let types = table.columns();
    let pairs: Vec<(&Column, ColumnType)> =
        table.polars().columns().iter().zip(types.iter().map(|column| column.column_type)).collect();
    let columns = pairs.into_par_iter().map(|(column, of)| column_profile(column, of)).collect();
    ProfileRecord { rows: table.rows() as u64, columns }
}

/// Describes one column; see [`profile`].
pub fn column_profile(column: &Column, column_type: ColumnType) -> ColumnProfile {
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
    let described = match column.as_materialized_series().dtype() {
        DataType::Boolean => describe_booleans(column, &mut profile),
        DataType::String => describe_texts(column, &mut profile),
        DataType::Float64 => describe_floats(column, &mut profile),
        _ => describe_integers(column, &mut profile),
    };
    described.expect("each of the column types can be viewed as what it is");
    profile
}

fn describe_booleans(column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let values = column.as_materialized_series().bool()?;
    let yes = values.iter().filter(|value| *value == Some(true)).count() as u64;
    let counts = vec![("false".to_owned(), profile.present - yes), ("true".to_owned(), yes)];
    profile.top = most_frequent(counts.into_iter().filter(|(_, count)| *count > 0).collect());
    profile.unique = profile.top.len() as u64;
    Ok(())
}

fn describe_texts(column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let text = plain::text_values(column.as_materialized_series().str()?);
    let mut counts = vec![0_u64; text.levels.len()];
    for code in text.codes.iter().filter(|code| **code != MISSING_CODE) {
        counts[*code as usize] += 1;
    }
    profile.unique = counts.len() as u64;
    let lengths: Vec<u64> = text.levels.iter().map(|level| level.chars().count() as u64).collect();
    let total: u64 = lengths.iter().zip(&counts).map(|(length, count)| length * count).sum();
    let empty = text.levels.iter().position(|level| level.is_empty());
    profile.texts = (profile.present > 0).then(|| TextProfile {
        length_min: lengths.iter().copied().min().unwrap_or(0),
        length_max: lengths.iter().copied().max().unwrap_or(0),
        length_mean: total as f64 / profile.present as f64,
        empty: empty.map_or(0, |code| counts[code]),
        padded: 0,
        invalid: 0,
    });
    let mut pairs: Vec<(&Arc<str>, u64)> = text.levels.iter().zip(counts).collect();
    pairs.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let kept = if pairs.len() <= DOMAIN_VALUES_MAX { pairs.len() } else { TOP_MAX };
    profile.top = pairs[..kept].iter().map(|(level, count)| (level.to_string(), *count)).collect();
    Ok(())
}

fn describe_floats(column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let mut finite = Vec::with_capacity(column.len());
    let (mut nan, mut high, mut low) = (0, 0, 0);
    for value in column.as_materialized_series().f64()?.iter().flatten() {
        match value {
            v if v.is_finite() => finite.push(v),
            v if v.is_nan() => nan += 1,
            v if v > 0.0 => high += 1,
            _ => low += 1,
        }
    }
    let mut numbers = moments(&finite);
    // Equal numbers must be neighbours: -0.0 and 0.0 are one value, so compare as numbers, not as bits.
    finite.sort_unstable_by(|a, b| a.partial_cmp(b).expect("finite numbers have an order"));
    profile.unique = distinct(&finite) + [nan, high, low].iter().filter(|count| **count > 0).count() as u64;
    (numbers.nan, numbers.infinite) = (nan, high + low);
    order(&finite, &mut numbers);
    profile.numbers = Some(numbers);
    Ok(())
}

/// Integers, dates, time stamps and times of day: the last three in microseconds.
fn describe_integers(column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    let series = column.as_materialized_series();
    let mut values: Vec<i64> = match series.dtype() {
        DataType::Int64 => series.i64()?.iter().flatten().collect(),
        DataType::Date => series.date()?.physical().iter().flatten().map(|day| i64::from(day) * DAY_MICROS).collect(),
        DataType::Time => series.time()?.physical().iter().flatten().map(|nanos| nanos / 1_000).collect(),
        _ => series.datetime()?.physical().iter().flatten().collect(),
    };
    values.sort_unstable();
    profile.unique = distinct(&values);
    if profile.column_type == ColumnType::Integer && profile.unique <= DOMAIN_VALUES_MAX as u64 {
        let runs = values.chunk_by(|a, b| a == b).map(|run| (run[0].to_string(), run.len() as u64));
        profile.top = most_frequent(runs.collect());
    }
    let floats: Vec<f64> = values.iter().map(|value| *value as f64).collect();
    let mut numbers = moments(&floats);
    order(&floats, &mut numbers);
    profile.numbers = Some(numbers);
    Ok(())
}

/// Most frequent first, ties by value.
fn most_frequent(mut counts: Vec<(String, u64)>) -> Vec<(String, u64)> {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts
}

fn distinct<T: PartialEq>(sorted: &[T]) -> u64 {
    sorted.chunk_by(|a, b| a == b).count() as u64
}

/// Zeros, mean and standard deviation of finite numbers in any order; the rest is empty.
///
/// Sums are compensated (Neumaier 1974), the deviation comes from a second pass over differences to the mean.
fn moments(values: &[f64]) -> NumberProfile {
    let count = values.len() as f64;
    let mean = (!values.is_empty()).then(|| sum(values.iter().map(|value| value / count)));
    let exact = (!values.is_empty()).then(|| sum(values.iter().copied()) / count).filter(|mean| mean.is_finite());
    // Sums of huge numbers overflow; the sum of n-ths does not.
    let mean = exact.or(mean);
    let square = mean.map(|mean| sum(values.iter().map(|value| (value - mean) * (value - mean))));
    let deviation =
        square.filter(|square| count > 1.0 && square.is_finite()).map(|square| (square / (count - 1.0)).sqrt());
    NumberProfile {
        zeros: values.iter().filter(|value| **value == 0.0).count() as u64,
        nan: 0,
        infinite: 0,
        min: None,
        max: None,
        mean,
        std: deviation,
        quantiles: Vec::new(),
        edges: Vec::new(),
        counts: Vec::new(),
        quantile_edges: Vec::new(),
    }
}

fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    if lost.is_finite() { total + lost } else { total }
}

/// Smallest, largest, quantiles and histogram of sorted finite numbers.
fn order(sorted: &[f64], numbers: &mut NumberProfile) {
    let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
        return;
    };
    (numbers.min, numbers.max) = (Some(min), Some(max));
    numbers.quantiles = QUANTILES.iter().map(|share| quantile(sorted, *share)).collect();
    numbers.edges = edges(min, max);
    let below = |edge: f64| sorted.partition_point(|value| *value < edge) as u64;
    let mut starts: Vec<u64> = numbers.edges[..BINS].iter().map(|edge| below(*edge)).collect();
    // Rounding may put the first edge a hair above the smallest value; nothing is outside.
    starts[0] = 0;
    starts.push(sorted.len() as u64);
    numbers.counts = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
}

/// The `share` quantile of sorted numbers, between neighbours by linear interpolation (Hyndman and Fan 1996, type 7).
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let (a, b) = (sorted[low], sorted[(low + 1).min(sorted.len() - 1)]);
    // The form of numpy's `_lerp`: monotonic, exact at both ends; weights avoid overflow of b - a.
    match b - a {
        step if !step.is_finite() => a * (1.0 - part) + b * part,
        step if part >= 0.5 => b - step * (1.0 - part),
        step => a + step * part,
    }
}

/// Edges of [`BINS`] bins of equal width; a range without width is widened by a half to both sides (`numpy.histogram`).
fn edges(min: f64, max: f64) -> Vec<f64> {
    let (min, max) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    let step = (max - min) / BINS as f64;
    let edge = |index: usize| match index {
        BINS => max,
        _ if step.is_finite() => min + step * index as f64,
        _ => min * (1.0 - index as f64 / BINS as f64) + max * (index as f64 / BINS as f64),
    };
    (0..=BINS).map(edge).collect()
}
