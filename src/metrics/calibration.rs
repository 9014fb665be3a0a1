//! Whether events foretold with probability p happen with frequency p.

use crate::metrics::sums;

/// Bins of a reliability diagram unless said otherwise: ten, as most tools draw.
pub const BINS: usize = 10;

/// Rows whose probability lies in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReliabilityBin {
    /// Mean probability of the rows.
    pub probability_mean: f64,
    /// Share of the rows that are positive.
    pub positive_share: f64,
    /// Number of rows, at least 1.
    pub rows: u64,
}

/// Reliability diagram: rows binned by `probabilities` into `bins` bins of equal width over `[0, 1]`, empty bins left
/// out. Both slices of one length; a probability on an inner border belongs to the lower bin. O(rows). Definition: Guo
/// et al. 2017, §2; equals `calibration_curve(strategy="uniform")` of scikit-learn.
pub fn reliability(positive: &[bool], probabilities: &[f64], bins: usize) -> Vec<ReliabilityBin> {
    let bins = bins.max(1);
    let mut members = vec![Vec::new(); bins];
    let mut positives = vec![0_u64; bins];
    for (&positive, &probability) in positive.iter().zip(probabilities) {
        let bin = ((probability * bins as f64).ceil() as usize).clamp(1, bins) - 1;
        members[bin].push(probability);
        positives[bin] += u64::from(positive);
    }
    let bin = |(members, positives): (Vec<f64>, u64)| {
        let rows = members.len() as u64;
        let probability_mean = sums::mean(members, rows as usize)?;
        Some(ReliabilityBin { probability_mean, positive_share: sums::share(positives, rows)?, rows })
    };
    members.into_iter().zip(positives).filter_map(bin).collect()
}
