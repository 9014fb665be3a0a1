//! `naive_bayes`: each feature normal within each class, independent of the others (Gaussian naive Bayes).
//!
//! p(class | x) ∝ p(class) · Π N(x_j; mean, variance of feature j in the class). Equals scikit-learn's `GaussianNB`,
//! with weights too.

use std::any::Any;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::{Feature, Matrix};
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::trees::loss::softmax;
use crate::spec::model::NaiveBayesParams;

/// Log prior of a class without training rows: its probability is 0.
const NEVER: f64 = -1e300;
/// Largest squared distance of one feature, in variances: the sum over all features stays finite, and below [`NEVER`].
pub(crate) const SQUARE_MAX: f64 = 1e290;

/// Moments of every feature in every class.
pub(crate) struct NaiveBayes {
    pub(crate) features: usize,
    /// Natural logarithm of each class's share.
    pub(crate) log_priors: Vec<f64>,
    /// `classes × features`, class by class.
    pub(crate) means: Vec<f64>,
    /// Likewise; positive.
    pub(crate) variances: Vec<f64>,
}

/// Fits Gaussian naive Bayes. One pass over each feature.
///
/// Errors: nothing to learn from, values that are not finite, categories, `smoothing` below 0, no feature that varies.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: NaiveBayesParams = params::read("naive_bayes", fit.params)?;
    params::check("naive_bayes", "smoothing", given.smoothing, given.smoothing > 0.0, "above 0")?;
    input::learnable("naive_bayes", fit)?;
    input::all_finite("naive_bayes", fit.matrix)?;
    let classes = input::classes("naive_bayes", fit.target)?;
    let sizes = sizes(&classes, fit.weights);
    let total: f64 = sizes.iter().sum();
    let of = |feature| Moments::of(feature, classes.codes, &sizes, fit.weights);
    let moments: Vec<Moments> = fit.matrix.features().par_iter().map(of).collect();
    let largest = moments.iter().map(|moments| moments.variance).fold(0.0, f64::max);
    // Without any variance every row is alike, and the classes' shares are all that is left to say.
    let epsilon = if largest > 0.0 { given.smoothing * largest } else { 1.0 };
    let count = classes.counts.len();
    let mut fitted = NaiveBayes {
        features: moments.len(),
        log_priors: sizes.iter().map(|&size| if size <= 0.0 { NEVER } else { (size / total).ln() }).collect(),
        means: Vec::with_capacity(count * moments.len()),
        variances: Vec::with_capacity(count * moments.len()),
    };
    for class in 0..count {
        fitted.means.extend(moments.iter().map(|moments| moments.means[class]));
        fitted.variances.extend(moments.iter().map(|moments| moments.variances[class] + epsilon));
    }
    if let Some(place) = fitted.means.iter().chain(&fitted.variances).position(|value| !value.is_finite()) {
        let name = &fit.matrix.features()[place % fitted.features].name;
        return Err(fail::usage(format!(
            "`naive_bayes` cannot square the values of feature `{name}`: they are too large"
        ))
        .hint("add a scale step for it, or train a tree model (`boost`, `forest`, `tree`)")
        .into());
    }
    Ok(Box::new(fitted))
}

/// How much the rows of each class count together.
fn sizes(classes: &input::Classes<'_>, weights: Option<&[f64]>) -> Vec<f64> {
    let Some(weights) = weights else {
        return classes.counts.iter().map(|count| *count as f64).collect();
    };
    let mut sizes = vec![0.0; classes.counts.len()];
    classes.codes.iter().zip(weights).for_each(|(code, weight)| sizes[*code as usize] += weight);
    sizes
}

/// Moments of one feature: its variance over all rows, weights or not, and both moments within each class.
struct Moments {
    variance: f64,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Moments {
    fn of(feature: &Feature, codes: &[u32], sizes: &[f64], weights: Option<&[f64]>) -> Moments {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let divide = |sums: &mut [f64]| {
            sums.iter_mut().zip(sizes).for_each(|(sum, &size)| *sum /= if size > 0.0 { size } else { 1.0 });
        };
        let rows = codes.len() as f64;
        let mut means = vec![0.0; sizes.len()];
        for (row, &code) in codes.iter().enumerate() {
            means[code as usize] += weight(row) * feature.values.get(row);
        }
        divide(&mut means);
        let overall = match weights {
            None => means.iter().zip(sizes).map(|(mean, size)| mean * size).sum::<f64>() / rows,
            Some(_) => (0..codes.len()).map(|row| feature.values.get(row) / rows).sum(),
        };
        let mut variances = vec![0.0; sizes.len()];
        let mut variance = 0.0;
        for (row, &code) in codes.iter().enumerate() {
            let value = feature.values.get(row);
            variances[code as usize] += weight(row) * (value - means[code as usize]).powi(2);
            variance += (value - overall).powi(2);
        }
        divide(&mut variances);
        Moments { variance: variance / rows, means, variances }
    }
}

/// Reads a fitted model back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let log_priors = form.finite("log_priors", classes)?;
    let means = form.finite("means", classes.saturating_mul(features))?;
    let variances = form.finite("variances", classes.saturating_mul(features))?;
    if classes == 0 || variances.iter().any(|variance| *variance <= 0.0) {
        return Err(damaged("variances", "they must be above 0, and there must be a class"));
    }
    Ok(Box::new(NaiveBayes { features, log_priors, means, variances }))
}

impl Predictor for NaiveBayes {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        input::all_finite("naive_bayes", matrix)?;
        let classes = self.log_priors.len();
        let normalisers: Vec<f64> = self
            .variances
            .chunks_exact(self.features.max(1))
            .map(|variances| -0.5 * variances.iter().map(|v| (std::f64::consts::TAU * v).ln()).sum::<f64>())
            .collect();
        let mut values = vec![0.0; matrix.rows() * classes];
        values.par_chunks_exact_mut(classes).enumerate().for_each(|(row, shares)| {
            for (class, share) in shares.iter_mut().enumerate() {
                let place = class * self.features;
                let squares: f64 = matrix
                    .features()
                    .iter()
                    .enumerate()
                    .map(|(at, feature)| {
                        let distance = feature.values.get(row) - self.means[place + at];
                        (distance * distance / self.variances[place + at]).min(SQUARE_MAX)
                    })
                    .sum();
                *share = self.log_priors[class] + normalisers[class] - 0.5 * squares;
            }
            softmax(shares);
        });
        Ok(Predictions::Probabilities { classes, values })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.features as u64);
        form.u64("classes", self.log_priors.len() as u64);
        form.f64s("log_priors", &self.log_priors);
        form.f64s("means", &self.means);
        form.f64s("variances", &self.variances);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
