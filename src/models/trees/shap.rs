//! Shapley values of trees (Lundberg, Erion, Lee 2018; path dependent), exact.
//!
//! For one leaf of value `v`, let each feature on its path have the share `z` of training rows that pass its questions
//! and `o = 1` if the row passes them, else 0. The contribution of feature `i` is
//! `v (o_i - z_i) ∫₀¹ Π_{j≠i} (z_j + (o_j - z_j) t) dt`: the weights `s! (n-1-s)! / n!` of Shapley's sum are integrals of
//! `t^s (1-t)^(n-1-s)` (the multilinear extension, Owen 1972). The integrand is a polynomial of degree below the number of
//! features on the path, so Gauss-Legendre quadrature with half as many points is exact, and no step of it subtracts.
//!
//! The result depends on the row only through which features it passes. Rows are taken many at a time; for each leaf the
//! few patterns that occur are computed once.

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use crate::base::fail;
use crate::data::matrix::Matrix;
use crate::models::input;
use crate::models::predictor::{Contributions, Margin};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::paths::{Columns, Paths, ROWS};

/// Contributions of all features to `initial` plus `share` times the summed leaf values. The expected value is that of
/// walks that take each side as often as training rows did. Parallel over rows; the same bits on any number of threads.
///
/// Errors: another number of features, a model that was kept without covers.
pub fn contributions(
    ensemble: &Ensemble,
    matrix: &Matrix,
    initial: &[f64],
    share: f64,
    margin: Margin,
) -> Result<Option<Contributions>> {
    input::same_width(matrix, ensemble.features)?;
    if ensemble.trees.iter().any(|tree| tree.covers.len() != tree.nodes.len() + 1) {
        return Err(fail::world("the model was trained by an older version, which kept no counts of rows by leaf")
            .hint("train it again to see contributions")
            .into());
    }
    let (features, outputs) = (ensemble.features, initial.len());
    let stride = (features + 1) * outputs;
    let length = matrix.rows().checked_mul(stride).ok_or_else(|| anyhow!("too many contributions for memory"))?;
    let expected = expected(ensemble, initial, share);
    let mut values = vec![0.0; length];
    values.par_chunks_mut(ROWS * stride).enumerate().for_each_init(Paths::default, |paths, (number, values)| {
        let begin = number * ROWS;
        let columns = Columns::new(ensemble, matrix, begin, begin + values.len() / stride);
        for (place, tree) in ensemble.trees.iter().enumerate() {
            paths.add(tree, &columns, place * ensemble.width % outputs, ensemble.width, (values, stride, outputs));
        }
        for row in values.chunks_exact_mut(stride) {
            let (of_features, last) = row.split_at_mut(features * outputs);
            of_features.iter_mut().for_each(|value| *value *= share);
            last.copy_from_slice(&expected);
        }
    });
    Ok(Some(Contributions { features, outputs, margin, values }))
}

fn expected(ensemble: &Ensemble, initial: &[f64], share: f64) -> Vec<f64> {
    let mut sums = vec![0.0; initial.len()];
    for (number, tree) in ensemble.trees.iter().enumerate() {
        let first = number * ensemble.width % initial.len();
        let shares = tree.leaf_shares();
        for (leaf, values) in shares.iter().zip(tree.values.chunks_exact(ensemble.width)) {
            sums[first..].iter_mut().zip(values).for_each(|(sum, value)| *sum += leaf * value);
        }
    }
    initial.iter().zip(sums).map(|(first, sum)| first + share * sum).collect()
}
