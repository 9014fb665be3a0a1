//! Metrics of predicted numbers. y: truth, p: prediction, both of n finite numbers; every mean and sum is weighted. All are
//! O(n) but those that sort.

use crate::metrics::numbers::Numbers;
use crate::metrics::weights;
use crate::metrics::{ranking, spread};

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

/// Mean p − y, in the target's unit: above 0, too much is predicted.
pub fn mean_error(numbers: &Numbers) -> Option<f64> {
    numbers.mean(|truth, predicted| predicted - truth)
}

/// Mean y.
pub fn mean_label(numbers: &Numbers) -> Option<f64> {
    numbers.mean(|truth, _| truth)
}

/// Mean p.
pub fn mean_prediction(numbers: &Numbers) -> Option<f64> {
    numbers.mean(|_, predicted| predicted)
}

/// Mean p over mean y, 1 at best. Left out when the mean of the truth is 0. Equals TFMA's `Calibration`.
pub fn calibration(numbers: &Numbers) -> Option<f64> {
    let label = mean_label(numbers).filter(|label| *label != 0.0)?;
    mean_prediction(numbers).map(|prediction| prediction / label)
}

/// 1 − Σ(y − p)² / Σ(y − ȳ)², at most 1, 0 for predicting the mean. Left out when the truth is constant. Equals
/// `r2_score`.
pub fn r2(numbers: &Numbers) -> Option<f64> {
    let spread = spread::variance(numbers.truth(), numbers.weights())?;
    mse(numbers).map(|error| 1.0 - error / spread)
}

/// 1 − Var(y − p) / Var(y), at most 1: R² that forgives a constant offset. Left out when the truth is constant. Equals
/// `explained_variance_score`.
pub fn explained_variance(numbers: &Numbers) -> Option<f64> {
    let spread = spread::variance(numbers.truth(), numbers.weights()).filter(|spread| spread.is_finite())?;
    let errors: Vec<f64> = numbers.pairs().map(|(truth, predicted)| truth - predicted).collect();
    let is_finite = errors.iter().all(|error| error.is_finite());
    is_finite.then(|| 1.0 - spread::variance(&errors, numbers.weights()).unwrap_or(0.0) / spread)
}

/// 1 − Σ|y − p| / Σ|y − m|, m the median of the truth, at most 1, 0 for predicting it. Left out when that sum is 0. Equals
/// `d2_absolute_error_score`. O(n log n).
pub fn d2_absolute_error(numbers: &Numbers) -> Option<f64> {
    if numbers.rows() == 0 {
        return None;
    }
    let median = weights::percentile(numbers.truth(), numbers.weights(), 0.5)?;
    let blind = numbers.mean(|truth, _| (truth - median).abs()).filter(|error| *error > 0.0)?;
    mae(numbers).map(|error| 1.0 - error / blind)
}

/// Mean |y − p| / |y|, as a fraction (0.1 is ten percent). Left out when a true value is 0. Elsewhere equals
/// `mean_absolute_percentage_error`, which answers with a number near 10¹⁵ then.
pub fn mape(numbers: &Numbers) -> Option<f64> {
    let no_zero = numbers.truth().iter().all(|truth| *truth != 0.0);
    numbers.mean(|truth, predicted| ((truth - predicted) / truth).abs()).filter(|_| no_zero)
}

/// Mean of 2 |y − p| / (|y| + |p|), in `[0, 2]`; a row where both are 0 counts 0 (Makridakis 1993, with the absolute values
/// of Armstrong 1985).
pub fn smape(numbers: &Numbers) -> Option<f64> {
    let part = |truth: f64, predicted: f64| {
        // Halves, so that the sum of two huge numbers does not overflow.
        let size = truth.abs() / 2.0 + predicted.abs() / 2.0;
        if size == 0.0 { 0.0 } else { (truth / 2.0 - predicted / 2.0).abs() / size * 2.0 }
    };
    numbers.mean(part)
}

/// Σ|y − p| / Σ|y|, as a fraction: the percentage error that zeros do not break (Kolassa and Schütz 2007, "MAD/Mean
/// ratio"). Left out when all true values are 0.
pub fn wape(numbers: &Numbers) -> Option<f64> {
    let size = numbers.mean(|truth, _| truth.abs()).filter(|size| *size > 0.0)?;
    mae(numbers).map(|error| error / size)
}

/// Pinball loss of the quantile `q`, 0 at best, in the target's unit: mean of q (y − p) where y is above p, (1 − q) (p − y)
/// elsewhere (Koenker and Bassett 1978). Half the MAE for q = 0.5. Equals `mean_pinball_loss(alpha=q)`.
pub fn quantile_loss(numbers: &Numbers, q: f64) -> Option<f64> {
    numbers.mean(|truth, predicted| {
        let above = truth - predicted;
        if above >= 0.0 { q * above } else { (q - 1.0) * above }
    })
}

/// Median |y − p|, in the target's unit; the mean of the two middle ones for an even number of rows. Equals
/// `median_absolute_error`. O(n log n).
pub fn median_absolute_error(numbers: &Numbers) -> Option<f64> {
    let mut errors: Vec<f64> = numbers.pairs().map(|(truth, predicted)| (truth - predicted).abs()).collect();
    if numbers.weights().each().is_some() {
        return weights::percentile(&errors, numbers.weights(), 0.5);
    }
    errors.sort_unstable_by(f64::total_cmp);
    let upper = *errors.get(errors.len() / 2)?;
    let lower = errors[(errors.len() - 1) / 2];
    Some(lower + (upper - lower) / 2.0)
}

/// Largest |y − p| of the rows that weigh something, in the target's unit. Equals `max_error`.
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

/// Pearson's correlation of y and p, in `[-1, 1]`. Left out when either is constant. Equals `numpy.corrcoef`.
pub fn pearson(numbers: &Numbers) -> Option<f64> {
    spread::correlation(numbers.truth(), numbers.predicted(), numbers.weights())
}

/// Square of [`pearson`], in `[0, 1]`. Equals TFMA's `SquaredPearsonCorrelation`.
pub fn squared_pearson_correlation(numbers: &Numbers) -> Option<f64> {
    pearson(numbers).map(|value| value * value)
}

/// Spearman's rank correlation of y and p, in `[-1, 1]`, ties sharing their mean rank. Left out when either is
/// constant. Equals `scipy.stats.spearmanr`. O(n log n).
pub fn spearman(numbers: &Numbers) -> Option<f64> {
    let ranks = |values: &[f64]| ranking::weighted_ranks(values, numbers.weights());
    let (truth, predicted) = (ranks(numbers.truth()), ranks(numbers.predicted()));
    spread::correlation(&truth, &predicted, numbers.weights())
}

/// Share of rows whose truth lies within the interval that goes with the prediction, ends included, in `[0, 1]`. Left out
/// without intervals. Compare it with the level that the intervals claim.
pub fn coverage(numbers: &Numbers) -> Option<f64> {
    let bounds = numbers.bounds()?;
    let is_within = |((truth, low), high): ((&f64, &f64), &f64)| f64::from(u8::from(low <= truth && truth <= high));
    numbers.weights().mean(numbers.truth().iter().zip(bounds.low).zip(bounds.high).map(is_within))
}

/// Mean width of the intervals that go with the predictions, in the target's unit. Left out without intervals.
pub fn mean_interval_width(numbers: &Numbers) -> Option<f64> {
    let bounds = numbers.bounds()?;
    numbers.weights().mean(bounds.low.iter().zip(bounds.high).map(|(low, high)| high - low))
}
