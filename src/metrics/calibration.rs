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
    let (mut rows, mut positives) = (vec![Running::default(); bins], vec![Running::default(); bins]);
    let mut foretold = vec![Running::default(); bins];
    match weights.each() {
        None => {
            // Whole numbers need no compensation.
            let mut counts = vec![[0_u64; 2]; bins];
            for (&positive, &probability) in positive.iter().zip(probabilities) {
                let bin = bin_of(probability, bins);
                counts[bin][usize::from(positive)] += 1;
                foretold[bin].add(probability);
            }
            for (bin, [others, hits]) in counts.into_iter().enumerate() {
                rows[bin].add((others + hits) as f64);
                positives[bin].add(hits as f64);
            }
        }
        Some(each) => {
            for ((&positive, &probability), &weight) in positive.iter().zip(probabilities).zip(each) {
                let bin = bin_of(probability, bins);
                rows[bin].add(weight);
                foretold[bin].add(weight * probability);
                if positive {
                    positives[bin].add(weight);
                }
            }
        }
    }
    let bin = |place: usize| {
        let weight = rows[place].value();
        let probability_mean = sums::share(foretold[place].value(), weight)?;
        Some(ReliabilityBin {
            place,
            probability_mean,
            positive_share: positives[place].value() / weight,
            rows: weight,
        })
    };
    (0..bins).filter_map(bin).collect()
}
