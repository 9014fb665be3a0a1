//! Principal components of numbers.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::{Mat, Par};
use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::{fail, limits};
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::fitting::shared;
use crate::features::many::{FittedMany, ManyStep, all_finite, check_numeric, drops, matrix_of, means_of};
use crate::features::recipe::StepForm;
use crate::spec::recipe::Columns;

/// Independent sums of a product, in a fixed order.
const LANES: usize = 8;
/// Variance of a component, as a share of the largest, up to which it is a rounding error and not divided by.
const VARIANCE_SHARE_MIN: f64 = 1e-14;

/// Which components.
#[derive(Clone, Debug, PartialEq)]
pub struct PcaOptions {
    /// Of which columns.
    pub columns: Columns,
    /// How many.
    pub components: Components,
    /// Gives every component unit variance.
    pub whiten: bool,
    /// Keeps the columns themselves too.
    pub keep: bool,
}

/// How many components.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Components {
    /// This many, or as many as there are.
    Count(usize),
    /// The first that explain more than this share of the variance together.
    Share(f64),
}

/// Components of some columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedPca {
    pub(crate) inputs: Vec<Arc<str>>,
    pub(crate) means: Vec<f64>,
    /// For each component, what each centered column is multiplied by.
    pub(crate) loadings: Vec<Vec<f64>>,
    pub(crate) columns: Vec<Arc<str>>,
}

/// Replaces the columns by their first principal components, `pca_1`, `pca_2`…
///
/// scikit-learn's `PCA` (1.9), from the eigenvectors of the covariance: the largest loading of each component is positive,
/// whitening divides by the standard deviation (n - 1), a share takes the first components that explain more than it.
/// Columns are centered, not scaled: scale them first unless their units compare. A missing value counts as the mean of the
/// training rows; where there was one in training, a note says so. O(rows · columns² + columns³). Errors (usage): a column
/// without numbers, too many columns.
pub fn fit(columns: &[&Working], options: &PcaOptions, notes: &mut Vec<String>) -> Result<Vec<StepForm>> {
    for column in columns {
        check_numeric("pca", column)?;
    }
    check_width("pca", columns.len())?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = matrix_of(columns);
    let means = means_of("pca", columns, &numbers, notes);
    let (variances, vectors) = components(&numbers, &means)?;
    let most = columns.len().min(numbers[0].len());
    let count = match options.components {
        Components::Count(count) => {
            if count > most {
                notes.push(format!("pca: there are no {count} components, {most} made"));
            }
            count.min(most)
        }
        Components::Share(share) => enough(&variances, share).min(most),
    };
    let largest = variances.first().copied().unwrap_or(0.0);
    let loadings = vectors.into_iter().zip(&variances).take(count).map(|(vector, &variance)| {
        let spread = variance > VARIANCE_SHARE_MIN * largest;
        let divisor = if options.whiten && spread { variance.sqrt() } else { 1.0 };
        vector.into_iter().map(|loading| (loading / divisor).clamp(-f64::MAX, f64::MAX)).collect()
    });
    let fitted = FittedPca {
        inputs: shared(columns.iter().map(|column| &*column.name)),
        means,
        loadings: loadings.collect(),
        columns: (1..=count).map(|number| format!("pca_{number}").into()).collect(),
    };
    let mut forms = vec![StepForm::Many(FittedMany::Pca(fitted))];
    if !options.keep {
        forms.push(drops(columns));
    }
    Ok(forms)
}

/// Refuses more columns than fit into a matrix of their products.
pub fn check_width(op: &str, columns: usize) -> Result<()> {
    if columns <= limits::COMPONENT_COLUMNS_MAX {
        return Ok(());
    }
    let most = limits::COMPONENT_COLUMNS_MAX;
    Err(fail::usage(format!("{op}: {columns} columns are more than {most}")).hint("name fewer columns").into())
}

/// Number of components that explain more than `share` of the variance together.
fn enough(variances: &[f64], share: f64) -> usize {
    let total: f64 = variances.iter().sum();
    let mut explained = 0.0;
    for (position, variance) in variances.iter().enumerate() {
        explained += variance / total;
        if explained > share {
            return position + 1;
        }
    }
    variances.len()
}

/// Variances and unit vectors of all components, the largest first; the largest loading of each is positive.
fn components(numbers: &[Cow<[f64]>], means: &[f64]) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let (width, rows) = (numbers.len(), numbers[0].len());
    let away = |value: f64, mean: f64| if value.is_finite() { value / 2.0 - mean / 2.0 } else { 0.0 };
    let largest = |(values, &mean): (&Cow<[f64]>, &f64)| {
        values.iter().fold(0.0_f64, |largest, &value| largest.max(away(value, mean).abs()))
    };
    // In units of half the largest distance, so that squares neither overflow nor vanish.
    let unit = match numbers.iter().zip(means).map(largest).fold(0.0, f64::max) {
        0.0 => 1.0,
        largest => largest,
    };
    let centered: Vec<Vec<f64>> = (0..width)
        .into_par_iter()
        .map(|at| numbers[at].iter().map(|&value| away(value, means[at]) / unit).collect())
        .collect();
    let degrees = (rows.max(2) - 1) as f64;
    let row = |a: usize| (0..=a).map(|b| dot(&centered[a], &centered[b]) / degrees).collect::<Vec<f64>>();
    let products: Vec<Vec<f64>> = (0..width).into_par_iter().map(row).collect();
    let covariance = Mat::from_fn(width, width, |a, b| products[a.max(b)][a.min(b)]);
    let mut values = Diag::<f64>::zeros(width);
    let mut vectors = Mat::<f64>::zeros(width, width);
    // One thread, so that results do not depend on how many there are.
    let scratch = evd::self_adjoint_evd_scratch::<f64>(width, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let mut buffer = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut buffer);
    let out = Some(vectors.as_mut());
    evd::self_adjoint_evd(covariance.as_ref(), values.as_mut(), out, Par::Seq, stack, Default::default())
        .map_err(|_| fail::world("pca: the eigenvalues of the covariance could not be computed"))?;
    let mut order: Vec<usize> = (0..width).rev().collect();
    order.sort_by(|&a, &b| values.column_vector()[b].total_cmp(&values.column_vector()[a]));
    let variance = |&at: &usize| (values.column_vector()[at].max(0.0) * 2.0 * unit * 2.0 * unit).min(f64::MAX);
    let vector = |&at: &usize| {
        let vector: Vec<f64> = (0..width).map(|row| vectors[(row, at)]).collect();
        let largest = vector
            .iter()
            .fold(0.0_f64, |largest, &loading| if loading.abs() > largest.abs() { loading } else { largest });
        vector.into_iter().map(|loading| if largest < 0.0 { -loading } else { loading }).collect()
    };
    Ok((order.iter().map(variance).collect(), order.iter().map(vector).collect()))
}

/// Σ a·b in a fixed order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (a_whole, b_whole) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_whole.remainder().iter().zip(b_whole.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_whole.zip(b_whole) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

impl ManyStep for FittedPca {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("pca", &[Kind::Number, Kind::Indicator])?;
        }
        let means = self.means.len() == inputs.len() && self.means.iter().all(|mean| mean.is_finite());
        if !means || self.loadings.len() != self.columns.len() || !all_finite(&self.loadings, inputs.len()) {
            return Err(damaged("components do not fit the columns that they are made of".to_owned()));
        }
        Ok(vec![Kind::Number; self.columns.len()])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let numbers = matrix_of(inputs);
        let component = |loadings: &Vec<f64>| {
            let mut scores = vec![0.0; numbers[0].len()];
            for ((values, mean), loading) in numbers.iter().zip(&self.means).zip(loadings) {
                for (score, value) in scores.iter_mut().zip(&**values) {
                    *score += if value.is_nan() { 0.0 } else { (value - mean) * loading };
                }
            }
            for score in scores.iter_mut().filter(|score| score.is_infinite()) {
                *score = f64::NAN;
            }
            Values::Number(scores)
        };
        Ok(self.loadings.par_iter().map(component).collect())
    }
}
