//! Comparators of TensorFlow Data Validation: shares of categories, and histograms of numbers over the union of edges.

use crate::drift::bins::Shares;
use crate::drift::divergence;
use crate::drift::sample::Paired;
use crate::record::profile::{ColumnProfile, NumberProfile};

/// Largest difference of counts over the rows of both tables, in `[0, 1]`.
pub fn normalized_abs_difference(paired: &Paired) -> f64 {
    let both = paired.reference.iter().zip(&paired.current);
    let largest = both.map(|(before, after)| (before - after).abs()).fold(0.0, f64::max);
    largest / (paired.reference.iter().sum::<f64>() + paired.current.iter().sum::<f64>()).max(1.0)
}

/// Jensen-Shannon divergence with base-2 logarithms, in `[0, 1]`.
pub fn jensen_shannon_bits(shares: &Shares) -> f64 {
    (divergence::jensen_shannon(shares) / std::f64::consts::LN_2).min(1.0)
}

/// Shares of two columns of numbers over the union of the edges of their histograms of ten bins, the values of a bin
/// spread evenly over it (TFDV's standard histograms); NaN and infinite values are two bins more. `None` without numbers.
pub fn shares_of_histograms(reference: &ColumnProfile, current: &ColumnProfile) -> Option<Shares> {
    let (before, after) = (reference.numbers.as_ref()?, current.numbers.as_ref()?);
    let mut edges: Vec<f64> =
        before.edges.iter().chain(&after.edges).copied().filter(|edge| edge.is_finite()).collect();
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let (reference, current) = (spread(before, &edges), spread(after, &edges));
    let empty = |counts: &[f64]| counts.iter().sum::<f64>() <= 0.0;
    (!empty(&reference) && !empty(&current)).then(|| Shares::of_counts(&reference, &current))
}

/// Counts of a histogram over finer edges, then NaN, then infinite. An edge that stands alone is a bin of its own.
fn spread(numbers: &NumberProfile, edges: &[f64]) -> Vec<f64> {
    let bins = edges.len().saturating_sub(1).max(1);
    let mut counts = vec![0.0; bins];
    for (pair, &count) in numbers.edges.windows(2).zip(&numbers.counts).filter(|(_, count)| **count > 0) {
        let width = pair[1] - pair[0];
        if width > 0.0 && width.is_finite() {
            let first = edges.partition_point(|edge| *edge < pair[0]);
            for bin in first..bins {
                let part = edges[bin + 1].min(pair[1]) - edges[bin];
                if part <= 0.0 {
                    break;
                }
                counts[bin] += count as f64 * part / width;
            }
        } else {
            let bin = edges.partition_point(|edge| *edge <= pair[0]).saturating_sub(1).min(bins - 1);
            counts[bin] += count as f64;
        }
    }
    counts.extend([numbers.nan as f64, numbers.infinite as f64]);
    counts
}
