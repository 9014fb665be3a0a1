//! Metrics of the probabilities themselves: proper scores, and how well they keep what they promise.

use crate::metrics::calibration;
use crate::metrics::classes::{Classes, most_probable};
use crate::metrics::sums;

/// Mean of −ln p(true class), in nats, 0 at best. Probabilities are clipped to `[ε, 1 − ε]`, ε = 2⁻⁵², so one certain
/// mistake costs 36 and not infinity. Equals `log_loss(labels=all classes)`.
pub fn log_loss(classes: &Classes) -> Option<f64> {
    let loss = |(row, &truth): (&[f64], &u32)| -row[truth as usize].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
    sums::mean(classes.probabilities().zip(classes.truth()).map(loss), classes.rows())
}

/// Mean squared distance between probabilities and truth, 0 at best (Brier 1950). Two classes: mean of (p₁ − y)², at
/// most 1. More: the sum over classes, at most 2. Equals `brier_score_loss`.
pub fn brier(classes: &Classes) -> Option<f64> {
    let binary = classes.counts().classes() == 2;
    let distance = |(row, &truth): (&[f64], &u32)| -> f64 {
        let square = |(class, &p): (usize, &f64)| (p - f64::from(u8::from(class == truth as usize))).powi(2);
        row.iter().enumerate().map(square).sum::<f64>() * if binary { 0.5 } else { 1.0 }
    };
    sums::mean(classes.probabilities().zip(classes.truth()).map(distance), classes.rows())
}

/// Expected calibration error, in `[0, 1]`, 0 at best: rows are binned by the probability of their most probable class into
/// ten bins of equal width, and the gap between mean probability and accuracy of each bin is weighted by its rows (Guo
/// et al. 2017, "On calibration of modern neural networks", eq. 3).
pub fn expected_calibration_error(classes: &Classes) -> Option<f64> {
    let best: Vec<u32> = classes.probabilities().map(most_probable).collect();
    let confidence: Vec<f64> = classes.probabilities().zip(&best).map(|(row, &class)| row[class as usize]).collect();
    let right: Vec<bool> = classes.truth().iter().zip(&best).map(|(a, b)| a == b).collect();
    let bins = calibration::reliability(&right, &confidence, calibration::BINS);
    let gap = |bin: &calibration::ReliabilityBin| {
        (bin.positive_share - bin.probability_mean).abs() * bin.rows as f64 / classes.rows() as f64
    };
    sums::mean(bins.iter().map(gap), usize::from(classes.rows() > 0))
}
