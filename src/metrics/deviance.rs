//! Deviances of predicted numbers: twice the mean log-likelihood lost against predicting every row exactly, 0 at best.

use crate::metrics::numbers::Numbers;

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

/// 2 · mean (ln(p / y) + y / p − 1): deviance of amounts whose spread grows with their size. Left out when a true value or a
/// prediction is not positive. Equals `mean_gamma_deviance`.
pub fn mean_gamma_deviance(numbers: &Numbers) -> Option<f64> {
    let defined = numbers.pairs().all(|(truth, predicted)| truth > 0.0 && predicted > 0.0);
    numbers.mean(|truth, predicted| 2.0 * ((predicted / truth).ln() + truth / predicted - 1.0)).filter(|_| defined)
}

/// Deviance whose variance grows as the mean to `power`: 0 the squared error, 1 Poisson, 2 gamma, 3 inverse Gaussian,
/// between 1 and 2 amounts that are often 0 (Jørgensen 1987). `power` is 0 or below, or 1 or above. Left out where truth or
/// prediction have no meaning for it. Equals `mean_tweedie_deviance`.
pub fn mean_tweedie_deviance(numbers: &Numbers, power: f64) -> Option<f64> {
    let predictions = || numbers.predicted().iter().all(|predicted| *predicted > 0.0);
    let truth = |least: fn(f64) -> bool| numbers.truth().iter().all(|truth| least(*truth));
    if power == 0.0 {
        return numbers.mean(|truth, predicted| (truth - predicted).powi(2));
    }
    if power == 1.0 {
        return mean_poisson_deviance(numbers);
    }
    if power == 2.0 {
        return mean_gamma_deviance(numbers);
    }
    let defined = predictions()
        && if power < 0.0 {
            true
        } else if power < 2.0 {
            truth(|truth| truth >= 0.0)
        } else {
            truth(|truth| truth > 0.0)
        };
    let deviance = |truth: f64, predicted: f64| {
        // Below 0 a negative truth has no likelihood of its own and counts as 0 there, as in scikit-learn.
        let own = truth.max(0.0).powf(2.0 - power) / ((1.0 - power) * (2.0 - power));
        let cross = truth * predicted.powf(1.0 - power) / (1.0 - power);
        2.0 * (own - cross + predicted.powf(2.0 - power) / (2.0 - power))
    };
    defined.then(|| numbers.mean(deviance)).flatten()
}
