//! Columns of numbers, and of what is kept as whole numbers: one sort, everything else from the sorted values.

use anyhow::Result;
use polars::prelude::Column;

use crate::base::limits::TOP_VALUES_MAX;
use crate::data::profile::distinct::{Registers, hash_integer, hash_number};
use crate::data::profile::sketch::sketch;
use crate::data::profile::sums::{moments, quantile_of, whole_moments};
use crate::data::profile::{Room, most_frequent};
use crate::record::profile::{ColumnProfile, NumberProfile, QUANTILES};
use crate::spec::schema::ColumnType;

/// Bins of a histogram.
pub const BINS: usize = 10;
/// Whole numbers that span fewer values than this many to a row are counted, not compared.
const COUNTED_SPAN_MAX: usize = 1;

/// What one whole number of a column stands for: microseconds where it is days or nanoseconds.
#[derive(Clone, Copy)]
pub struct Unit {
    times: i64,
    part: i64,
}

impl Unit {
    /// `times` microseconds, or the number itself for 1.
    pub fn times(times: i64) -> Unit {
        Unit { times, part: 1 }
    }

    /// One `part`-th.
    pub fn part(part: i64) -> Unit {
        Unit { times: 1, part }
    }

    fn value(self, whole: f64) -> f64 {
        whole * self.times as f64 / self.part as f64
    }
}

/// A finite float as a whole number of the same order; its own inverse but for the type. Both zeros become one.
fn key(value: f64) -> i64 {
    flip((value + 0.0).to_bits() as i64)
}

fn unkey(key: i64) -> f64 {
    f64::from_bits(flip(key) as u64)
}

/// Bits of negative floats grow as the floats fall: turns all but the sign around.
fn flip(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// Describes floats. Cost: 8 bytes a row, one sort, some passes.
pub fn describe_floats(room: Room, column: &Column, profile: &mut ColumnProfile) -> Result<()> {
    // Sorted as whole numbers: their comparisons need no branches, and no second copy is ever made.
    let mut keys: Vec<i64> = Vec::with_capacity(profile.present as usize);
    let (mut nan, mut high, mut low) = (0_u64, 0_u64, 0_u64);
    let mut take = |value: f64| match value {
        v if v.is_finite() => keys.push(key(v)),
        v if v.is_nan() => nan += 1,
        v if v > 0.0 => high += 1,
        _ => low += 1,
    };
    let values = column.as_materialized_series().f64()?;
    match values.cont_slice() {
        Ok(values) if profile.missing == 0 => values.iter().copied().for_each(&mut take),
        _ => values.iter().flatten().for_each(&mut take),
    }
    keys.sort_unstable();
    let odd = [(nan, f64::NAN), (high, f64::INFINITY), (low, f64::NEG_INFINITY)];
    let odd = odd.into_iter().filter(|(count, _)| *count > 0).map(|(_, value)| hash_number(value));
    let finite = distinct(&keys);
    profile.unique = finite + odd.clone().count() as u64;
    let mut numbers = ordered(room, &keys, unkey);
    (numbers.mean, numbers.std) = moments(&keys, unkey);
    (numbers.nan, numbers.infinite) = (nan, high + low);
    profile.numbers = Some(numbers);
    if room.points > 0 {
        profile.quantile_sketch = Some(sketch(runs(&keys, unkey), keys.len() as u64, finite, room.points));
        let mut registers = Registers::new(room.precision);
        keys.chunk_by(|a, b| a == b).for_each(|run| registers.add(hash_number(unkey(run[0]))));
        odd.for_each(|hash| registers.add(hash));
        profile.distinct_sketch = Some(registers.sketch());
    }
    Ok(())
}

/// Sorts whole numbers in place; those that span few values are counted instead, in memory that the sort may use too.
pub fn sort_whole(values: &mut [i64]) {
    let (Some(&low), Some(&high)) = (values.iter().min(), values.iter().max()) else {
        return;
    };
    let span = high.abs_diff(low) as usize;
    if span >= values.len().saturating_mul(COUNTED_SPAN_MAX) {
        values.sort_unstable();
        return;
    }
    let mut counts = vec![0_u32; span + 1];
    values.iter().for_each(|value| counts[value.abs_diff(low) as usize] += 1);
    let mut place = 0;
    for (offset, count) in counts.iter().enumerate() {
        values[place..place + *count as usize].fill(low + offset as i64);
        place += *count as usize;
    }
}

/// Describes sorted whole numbers, each standing for one `unit`.
pub fn describe_sorted_whole(room: Room, sorted: &[i64], unit: Unit, profile: &mut ColumnProfile) {
    let value = |whole: i64| unit.value(whole as f64);
    profile.unique = distinct(sorted);
    if profile.column_type == ColumnType::Integer && profile.unique <= TOP_VALUES_MAX as u64 {
        let runs = sorted.chunk_by(|a, b| a == b).map(|run| (run[0].to_string(), run.len() as u64));
        profile.top = most_frequent(runs.collect());
        let mut bytes = 0;
        profile.top.retain(|(value, _)| {
            bytes += value.len();
            bytes <= room.top_bytes
        });
    }
    let mut numbers = ordered(room, sorted, value);
    let (mean, deviation) = whole_moments(sorted);
    (numbers.mean, numbers.std) = (mean.map(|mean| unit.value(mean)), deviation.map(|std| unit.value(std)));
    profile.numbers = Some(numbers);
    if room.points > 0 {
        let count = sorted.len() as u64;
        profile.quantile_sketch = Some(sketch(runs(sorted, value), count, profile.unique, room.points));
        let mut registers = Registers::new(room.precision);
        let hash = |whole: i64| hash_integer(whole.saturating_mul(unit.times));
        sorted.chunk_by(|a, b| a == b).for_each(|run| registers.add(hash(run[0])));
        profile.distinct_sketch = Some(registers.sketch());
    }
}

fn distinct(sorted: &[i64]) -> u64 {
    let steps = sorted.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
    steps + u64::from(!sorted.is_empty())
}

fn runs(sorted: &[i64], value: impl Fn(i64) -> f64 + Clone) -> impl Iterator<Item = (f64, u64)> + Clone {
    sorted.chunk_by(|a, b| a == b).map(move |run| (value(run[0]), run.len() as u64))
}

/// All but the moments: zeros, ends, quantiles and histograms of sorted values, read by `value`, which keeps their order.
fn ordered(room: Room, sorted: &[i64], value: impl Fn(i64) -> f64) -> NumberProfile {
    let mut numbers = NumberProfile {
        zeros: 0,
        nan: 0,
        infinite: 0,
        min: None,
        max: None,
        mean: None,
        std: None,
        quantiles: Vec::new(),
        edges: Vec::new(),
        counts: Vec::new(),
        quantile_edges: Vec::new(),
    };
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
        return numbers;
    };
    let (min, max) = (value(first), value(last));
    let below = |edge: f64| sorted.partition_point(|item| value(*item) < edge) as u64;
    let to = |edge: f64| sorted.partition_point(|item| value(*item) <= edge) as u64;
    let at = |share: f64| quantile_of(sorted.len() as u64, share, |place| value(sorted[place as usize]));
    numbers.zeros = to(0.0) - below(0.0);
    (numbers.min, numbers.max) = (Some(min), Some(max));
    numbers.quantiles = QUANTILES.iter().map(|share| at(*share)).collect();
    numbers.edges = edges(min, max);
    let mut starts: Vec<u64> = numbers.edges[..BINS].iter().map(|edge| below(*edge)).collect();
    // Rounding may put the first edge a hair above the smallest value; nothing is outside.
    starts[0] = 0;
    starts.push(sorted.len() as u64);
    numbers.counts = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if room.points > 0 {
        numbers.quantile_edges = (0..=BINS).map(|step| at(step as f64 / BINS as f64)).collect();
    }
    numbers
}

/// Edges of [`BINS`] bins of equal width; a range without width is widened by a half to both sides (`numpy.histogram`).
pub fn edges(min: f64, max: f64) -> Vec<f64> {
    let (min, max) = if min == max { (min - 0.5, max + 0.5) } else { (min, max) };
    let step = (max - min) / BINS as f64;
    let edge = |index: usize| match index {
        BINS => max,
        _ if step.is_finite() => min + step * index as f64,
        _ => min * (1.0 - index as f64 / BINS as f64) + max * (index as f64 / BINS as f64),
    };
    (0..=BINS).map(edge).collect()
}
