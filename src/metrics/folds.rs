//! How sure the mean of a metric over folds is.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::record::evaluation::Interval;

/// Interval of the mean of `values`, one a fold, by the corrected resampled t (Nadeau and Bengio 2003, "Inference for the
/// generalization error"): mean ± t(k − 1) s √(1 / k + `share`), with s the sample deviation and `share` the rows of a fold
/// over the rows fitted on. Folds share most of the rows they are fitted on, so their values scatter less than the mean is
/// uncertain; the plain t interval, without `share`, is about 1.5 times too narrow with five folds.
///
/// `None` for less than two values or a level that is no share.
pub fn interval(values: &[f64], share: f64, level: f64) -> Option<Interval> {
    if values.len() < 2 || !(level > 0.0 && level < 1.0) || !(share.is_finite() && share >= 0.0) {
        return None;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let law = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    let reach = law.inverse_cdf(0.5 + level / 2.0) * (variance * (1.0 / count + share)).sqrt();
    reach.is_finite().then_some(Interval { low: mean - reach, high: mean + reach })
}
