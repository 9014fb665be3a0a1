//! Shares of two samples over the same bins, as Evidently and numpy make them.

use crate::drift::pooled::Pooled;
use crate::drift::sample::{Paired, Sample};

/// Distinct reference values up to which each value is a bin of its own.
const OWN_BINS_MAX: u64 = 20;

/// Shares of the reference and of the current table in each bin; each sums to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Of the reference.
    pub reference: Vec<f64>,
    /// Of the current table.
    pub current: Vec<f64>,
}

impl Shares {
    /// Of counts.
    pub fn of_counts(reference: &[f64], current: &[f64]) -> Shares {
        let shares = |counts: &[f64]| {
            let total: f64 = counts.iter().sum();
            counts.iter().map(|count| count / total.max(f64::MIN_POSITIVE)).collect()
        };
        Shares { reference: shares(reference), current: shares(current) }
    }

    /// Of categories.
    pub fn of_categories(paired: &Paired) -> Shares {
        Shares::of_counts(&paired.reference, &paired.current)
    }

    /// Of numbers, as Evidently bins them for PSI, Kullback-Leibler and Jensen-Shannon: a bin for each value with at most
    /// 20 distinct reference values, else Sturges' bins over all rows of both. `None` when the range is not finite.
    pub fn of_numbers(pooled: &Pooled, reference: &Sample, current: &Sample) -> Option<Shares> {
        if reference.unique <= OWN_BINS_MAX {
            return Some(Shares::of_counts(&pooled.reference, &pooled.current));
        }
        let edges = sturges(pooled, pooled.total(), reference.integer && current.integer)?;
        Some(Shares::over(pooled, &edges))
    }

    /// Of numbers, as Evidently bins them for Hellinger's distance: Sturges' bins over the distinct values. `None` likewise.
    pub fn of_distinct(pooled: &Pooled, reference: &Sample, current: &Sample) -> Option<Shares> {
        let distinct = match (reference.exact, current.exact) {
            (true, true) => pooled.values.len() as f64,
            // Not known without the data: whole numbers mostly repeat on the other side, others do not.
            _ if reference.integer && current.integer => reference.unique.max(current.unique) as f64,
            _ => reference.unique as f64 + current.unique as f64,
        };
        let edges = sturges(pooled, distinct, reference.integer && current.integer)?;
        Some(Shares::over(pooled, &edges))
    }

    /// Of numbers between ascending edges; the last bin holds its upper edge.
    pub fn over(pooled: &Pooled, edges: &[f64]) -> Shares {
        let bins = edges.len() - 1;
        let (mut reference, mut current) = (vec![0.0; bins], vec![0.0; bins]);
        let mut bin = 0;
        for ((&value, before), after) in pooled.values.iter().zip(&pooled.reference).zip(&pooled.current) {
            while bin + 1 < bins && value >= edges[bin + 1] {
                bin += 1;
            }
            reference[bin] += before;
            current[bin] += after;
        }
        Shares::of_counts(&reference, &current)
    }

    /// Empty cells become 0.0001, or a millionth of the smallest share where that is at most 0.0001 (Evidently).
    pub fn filled(mut self) -> Shares {
        for shares in [&mut self.reference, &mut self.current] {
            let smallest = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min);
            let filler = if smallest <= 0.0001 { smallest / 1e6 } else { 0.0001 };
            shares.iter_mut().filter(|share| **share == 0.0).for_each(|share| *share = filler);
        }
        self
    }

    /// Bins in which either side has a value.
    pub fn occupied(&self) -> usize {
        self.reference.iter().zip(&self.current).filter(|(p, q)| **p > 0.0 || **q > 0.0).count()
    }
}

/// Edges of Sturges' bins (1926) for `size` values between the smallest and the largest of both samples, as
/// `numpy.histogram_bin_edges(bins="sturges")` places them.
fn sturges(pooled: &Pooled, size: f64, integer: bool) -> Option<Vec<f64>> {
    let (low, high) = range(pooled);
    if !(high - low).is_finite() {
        return None;
    }
    let mut width = (high - low) / (size.log2() + 1.0);
    if integer && width < 1.0 {
        width = 1.0;
    }
    Some(equal(low, high, ((high - low) / width).ceil().clamp(1.0, 1024.0) as usize))
}

/// Smallest and largest value; half a unit around a single one, as numpy has it.
pub fn range(pooled: &Pooled) -> (f64, f64) {
    if pooled.low == pooled.high { (pooled.low - 0.5, pooled.high + 0.5) } else { (pooled.low, pooled.high) }
}

/// Edges of `bins` bins of equal width.
pub fn equal(low: f64, high: f64, bins: usize) -> Vec<f64> {
    let step = (high - low) / bins as f64;
    let mut edges: Vec<f64> = (0..bins).map(|index| index as f64 * step + low).collect();
    edges.push(high);
    edges
}
