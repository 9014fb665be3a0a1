//! Metrics of predicted numbers. y: truth, p: prediction, both of n finite numbers. All are O(n) but the two that sort.

use crate::metrics::numbers::Numbers;
use crate::metrics::ranking;
use crate::metrics::sums;

/// Mean |y − p|, in the target's unit. Equals `mean_absolute_error`.
pub fn mae(numbers: &Numbers) -> Option<f64> {
    numbers.mean(|truth, predicted| (truth - predicted).abs())
}

/// Mean (y − p)², in the target's unit squared. Equals `mean_squared_error`.
pub fn mse(numbers: &Numbers) -> Option<f64> {
    numbers.mean(|truth, predicted| (truth - predicted).powi(2))
}

/// Square root of the mean (y − p)², in the target's unit. Equals `root_mean_squared_error`.
pub fn rmse(numbers: &Numbers) -> Option<f64> {
    mse(numbers).map(f64::sqrt)
}

/// 1 − Σ(y − p)² / Σ(y − ȳ)², at most 1, 0 for predicting the mean. Left out when the truth is constant. Equals
/// `r2_score`.
pub fn r2(numbers: &Numbers) -> Option<f64> {
    let spread = variance(numbers.truth())?;
    mse(numbers).map(|error| 1.0 - error / spread)
}

/// 1 − Var(y − p) / Var(y), at most 1: R² that forgives a constant offset. Left out when the truth is constant. Equals
/// `explained_variance_score`.
pub fn explained_variance(numbers: &Numbers) -> Option<f64> {
    let spread = variance(numbers.truth())?;
    let errors: Vec<f64> = numbers.pairs().map(|(truth, predicted)| truth - predicted).collect();
    Some(1.0 - variance(&errors).unwrap_or(0.0) / spread)
}

/// Mean |y − p| / |y|, as a fraction (0.1 is ten percent). Left out when a true value is 0. Elsewhere equals
/// `mean_absolute_percentage_error`, which answers with a number near 10¹⁵ then.
pub fn mape(numbers: &Numbers) -> Option<f64> {
    let no_zero = numbers.truth().iter().all(|truth| *truth != 0.0);
    numbers.mean(|truth, predicted| ((truth - predicted) / truth).abs()).filter(|_| no_zero)
}

/// Σ|y − p| / Σ|y|, as a fraction: the percentage error that zeros do not break (Kolassa and Schütz 2007, "MAD/Mean
/// ratio"). Left out when all true values are 0.
pub fn wape(numbers: &Numbers) -> Option<f64> {
    let size = numbers.mean(|truth, _| truth.abs()).filter(|size| *size > 0.0)?;
    mae(numbers).map(|error| error / size)
}

/// Median |y − p|, in the target's unit; the mean of the two middle ones for an even number of rows. Equals
/// `median_absolute_error`. O(n log n).
pub fn median_absolute_error(numbers: &Numbers) -> Option<f64> {
    let mut errors: Vec<f64> = numbers.pairs().map(|(truth, predicted)| (truth - predicted).abs()).collect();
    errors.sort_unstable_by(f64::total_cmp);
    let upper = *errors.get(errors.len() / 2)?;
    let lower = errors[(errors.len() - 1) / 2];
    Some(lower + (upper - lower) / 2.0)
}

/// Largest |y − p|, in the target's unit. Equals `max_error`.
pub fn max_error(numbers: &Numbers) -> Option<f64> {
    numbers.pairs().map(|(truth, predicted)| (truth - predicted).abs()).max_by(f64::total_cmp)
}

/// Mean (ln(1 + y) − ln(1 + p))². Left out when a true or predicted value is −1 or less. Equals
/// `mean_squared_log_error`.
pub fn msle(numbers: &Numbers) -> Option<f64> {
    let defined = numbers.pairs().all(|(truth, predicted)| truth > -1.0 && predicted > -1.0);
    numbers.mean(|truth, predicted| (truth.ln_1p() - predicted.ln_1p()).powi(2)).filter(|_| defined)
}

/// Square root of [`msle`]. Equals `root_mean_squared_log_error`.
pub fn rmsle(numbers: &Numbers) -> Option<f64> {
    msle(numbers).map(f64::sqrt)
}

/// 2 · mean (y ln(y / p) − y + p): deviance of counts, 0 at best. Left out when a true value is negative or a
/// prediction is not positive. Equals `mean_poisson_deviance`.
pub fn mean_poisson_deviance(numbers: &Numbers) -> Option<f64> {
    let defined = numbers.pairs().all(|(truth, predicted)| truth >= 0.0 && predicted > 0.0);
    let deviance = |truth: f64, predicted: f64| {
        let gain = if truth == 0.0 { 0.0 } else { truth * (truth / predicted).ln() };
        2.0 * (gain - truth + predicted)
    };
    numbers.mean(deviance).filter(|_| defined)
}

/// Pearson's correlation of y and p, in `[-1, 1]`. Left out when either is constant. Equals `numpy.corrcoef`.
pub fn pearson(numbers: &Numbers) -> Option<f64> {
    correlation(numbers.truth(), numbers.predicted())
}

/// Spearman's rank correlation of y and p, in `[-1, 1]`, ties sharing their mean rank. Left out when either is
/// constant. Equals `scipy.stats.spearmanr`. O(n log n).
pub fn spearman(numbers: &Numbers) -> Option<f64> {
    correlation(&ranking::ranks(numbers.truth()), &ranking::ranks(numbers.predicted()))
}

/// Population variance; `None` when the values are all equal or there are none.
fn variance(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    if values.iter().all(|value| *value == first) {
        return None;
    }
    let mean = sums::mean(values.iter().copied(), values.len())?;
    sums::mean(values.iter().map(|value| (value - mean).powi(2)), values.len()).filter(|variance| *variance > 0.0)
}

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a_variance, b_variance) = (variance(a)?, variance(b)?);
    let a_mean = sums::mean(a.iter().copied(), a.len())?;
    let b_mean = sums::mean(b.iter().copied(), b.len())?;
    let covariance = sums::mean(a.iter().zip(b).map(|(a, b)| (a - a_mean) * (b - b_mean)), a.len())?;
    Some((covariance / (a_variance.sqrt() * b_variance.sqrt())).clamp(-1.0, 1.0))
}
