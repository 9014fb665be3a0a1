//! Variance and correlation of weighted rows.

use crate::metrics::weights::Weights;

/// Population variance; `None` when the values are all equal or there are none. All weights must be above 0.
pub fn variance(values: &[f64], weights: &Weights) -> Option<f64> {
    let first = *values.first()?;
    if values.iter().all(|value| *value == first) {
        return None;
    }
    let mean = weights.mean(values.iter().copied())?;
    weights.mean(values.iter().map(|value| (value - mean).powi(2))).filter(|variance| *variance > 0.0)
}

/// Pearson's correlation, in `[-1, 1]`; `None` when either side is constant. All weights must be above 0.
pub fn correlation(a: &[f64], b: &[f64], weights: &Weights) -> Option<f64> {
    let (a_variance, b_variance) = (variance(a, weights)?, variance(b, weights)?);
    let a_mean = weights.mean(a.iter().copied())?;
    let b_mean = weights.mean(b.iter().copied())?;
    let covariance = weights.mean(a.iter().zip(b).map(|(a, b)| (a - a_mean) * (b - b_mean)))?;
    Some((covariance / (a_variance.sqrt() * b_variance.sqrt())).clamp(-1.0, 1.0))
}
