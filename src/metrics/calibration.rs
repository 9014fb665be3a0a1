//! Whether events foretold with probability p happen with frequency p.

use crate::metrics::sums::{self, Running};
use crate::metrics::weights::Weights;

/// Bins of a reliability diagram unless said otherwise: ten, as most tools draw.
pub const BINS: usize = 10;

/// Rows whose probability lies in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Number of the bin, from 0.
    pub place: usize,
    /// Mean probability of the rows.
    pub probability_mean: f64,
    /// Share of the rows that are positive.
    pub positive_share: f64,
    /// Rows, or their weight, above 0.
    pub rows: f64,
}

/// The one of `bins` bins of equal width over `[0, 1]` that `probability` belongs to: the lower one on an inner border.
pub fn bin_of(probability: f64, bins: usize) -> usize {
    ((probability * bins as f64).ceil() as usize).clamp(1, bins) - 1
}

/// Reliability diagram: rows binned by `probabilities` into `bins` bins of equal width over `[0, 1]`, empty bins left
/// out. All slices of one length; a probability on an inner border belongs to the lower bin. O(rows). Definition: Guo
/// et al. 2017, §2; equals `calibration_curve(strategy="uniform")` of scikit-learn.
pub fn reliability(positive: &[bool], probabilities: &[f64], weights: &Weights, bins: usize) -> Vec<ReliabilityBin> {
    let bins = bins.max(1);
    let mut totals = vec![[Running::default(); 3]; bins];
    for (row, (&positive, &probability)) in positive.iter().zip(probabilities).enumerate() {
        let [rows, positives, foretold] = &mut totals[bin_of(probability, bins)];
        let weight = weights.of(row);
        rows.add(weight);
        positives.add(weight * f64::from(u8::from(positive)));
        foretold.add(weight * probability);
    }
    let bin = |(place, [rows, positives, foretold]): (usize, [Running; 3])| {
        let rows = rows.value();
        let probability_mean = sums::share(foretold.value(), rows)?;
        Some(ReliabilityBin { place, probability_mean, positive_share: positives.value() / rows, rows })
    };
    totals.into_iter().enumerate().filter_map(bin).collect()
}
