//! Bins over one or two versions of a column, and the share of values in each.

use crate::record::profile::{ColumnProfile, NumberProfile, QuantileSketch};
use crate::spec::schema::ColumnType;

/// Bins of a plot when the profile holds enough to fill them.
const BINS: usize = 24;
/// Whole numbers up to this far apart get one bin each.
const SINGLE_VALUES_MAX: f64 = 32.0;
/// A plot leaves out one per cent at each end when the ends would squeeze the rest into a twentieth of its width.
const SQUEEZE: f64 = 20.0;
/// Microseconds in a day.
const DAY: f64 = 86_400e6;

/// Bins of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Bins {
    /// Ascending, one more than there are bins.
    pub edges: Vec<f64>,
    /// Whether each bin holds one whole number, its middle.
    pub single: bool,
    /// Whether values beyond both ends are left out.
    pub cut: bool,
    /// Smallest and largest value shown; the outer edges may lie beyond them.
    pub ends: (f64, f64),
}

/// Bins that suit all `columns`; `None` when none of them has a finite number.
pub fn bins(columns: &[&ColumnProfile]) -> Option<Bins> {
    let numbers: Vec<&NumberProfile> = columns.iter().filter_map(|column| column.numbers.as_ref()).collect();
    let ends = |pick: fn(&NumberProfile) -> Option<f64>| numbers.iter().copied().filter_map(pick);
    let low = ends(|numbers| numbers.min).reduce(f64::min)?;
    let high = ends(|numbers| numbers.max).reduce(f64::max)?;
    let fine = columns.iter().all(|column| column.quantile_sketch.is_some());
    if let ([only], false) = (numbers.as_slice(), fine)
        && low < high
    {
        let bins = Bins { edges: only.edges.clone(), single: false, cut: false, ends: (low, high) };
        return Some(bins).filter(|bins| bins.edges.len() > 1);
    }
    let inner = (
        ends(|numbers| numbers.quantiles.get(1).copied()).reduce(f64::min).unwrap_or(low),
        ends(|numbers| numbers.quantiles.get(9).copied()).reduce(f64::max).unwrap_or(high),
    );
    let cut = fine && inner.0 < inner.1 && high / SQUEEZE - low / SQUEEZE > inner.1 - inner.0;
    let (low, high) = if cut { inner } else { (low, high) };
    let (edges, single) = match columns[0].column_type {
        ColumnType::Integer if high - low < 1e15 => steps(low.floor(), high.ceil(), 1.0),
        ColumnType::Date => (steps(low, high, DAY).0.iter().map(|edge| edge + DAY / 2.0).collect(), false),
        _ => (even(low, high), false),
    };
    Some(Bins { edges, single, cut, ends: (low, high) })
}

/// Bins whose width is a multiple of `step`, so that each holds as many possible values; edges lie half a step beside.
fn steps(low: f64, high: f64, step: f64) -> (Vec<f64>, bool) {
    let values = (high - low) / step + 1.0;
    let single = values <= SINGLE_VALUES_MAX;
    let width = if single { 1.0 } else { (values / BINS as f64).ceil() };
    let bins = (values / width).ceil() as usize;
    let edge = |index: usize| low + step * (width * index as f64 - 0.5);
    ((0..=bins).map(edge).collect(), single)
}

/// Bins of equal width.
fn even(low: f64, high: f64) -> Vec<f64> {
    if low == high {
        let half = (low.abs() * 0.01).max(0.5);
        return vec![low - half, low + half];
    }
    // Weights instead of steps: high - low may be beyond the largest number.
    let edge = |index: usize| {
        let part = index as f64 / BINS as f64;
        low * (1.0 - part) + high * part
    };
    let mut edges: Vec<f64> = (0..=BINS).map(edge).collect();
    (edges[0], edges[BINS]) = (low, high);
    edges
}

/// Share of the finite values of `column` in each bin; values outside are in none. The last bin holds its upper edge
/// too.
pub fn shares(column: &ColumnProfile, edges: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; edges.len().saturating_sub(1)];
    let Some(numbers) = column.numbers.as_ref().filter(|_| !shares.is_empty()) else {
        return shares;
    };
    match &column.quantile_sketch {
        Some(sketch) => pour_points(sketch, edges, &mut shares),
        None => pour_bins(numbers, edges, &mut shares),
    }
    shares
}

fn pour_points(sketch: &QuantileSketch, edges: &[f64], shares: &mut [f64]) {
    let total: u64 = sketch.counts.iter().sum();
    for (value, count) in sketch.values.iter().zip(&sketch.counts) {
        let last = edges.len() - 1;
        let above = edges.partition_point(|edge| edge <= value);
        let bin = if *value == edges[last] { last } else { above };
        if (1..=last).contains(&bin) {
            shares[bin - 1] += *count as f64 / total.max(1) as f64;
        }
    }
}

/// Without a sketch the values of a bin are taken as spread evenly over it.
fn pour_bins(numbers: &NumberProfile, edges: &[f64], shares: &mut [f64]) {
    let total: u64 = numbers.counts.iter().sum();
    for (from, count) in numbers.edges.windows(2).zip(&numbers.counts) {
        let part = *count as f64 / total.max(1) as f64;
        for (to, share) in edges.windows(2).zip(shares.iter_mut()) {
            // Halved, as the difference of two huge numbers may be beyond the largest.
            let (low, high) = (from[0].max(to[0]), from[1].min(to[1]));
            let width = from[1] / 2.0 - from[0] / 2.0;
            if high > low && width > 0.0 {
                *share += part * ((high / 2.0 - low / 2.0) / width);
            }
        }
    }
}
