//! Weighted sums of products of all pairs of features: normal equations and Hessians.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use crate::models::linear::design::Design;
use crate::models::linear::sums::{self, BLOCK_ROWS};

/// Sums of one chunk of rows.
struct Partial {
    /// Numbers and the intercept with each other.
    dense: Mat<f64>,
    /// Indicators (by place) with numbers and the intercept.
    mixed: Vec<f64>,
    /// Indicators with each other, the later place first.
    pairs: Vec<f64>,
}

/// `Σ weight(row) · z zᵀ` over one of `every` blocks of rows, where `z` has all features of `design` and, last, a 1 for
/// the intercept.
///
/// `O(rows × (numbers² + groups × (numbers + groups)))`: an indicator costs nothing in the rows where it is 0.
pub fn gram(design: &Design<'_>, every: usize, weight: impl Fn(usize) -> f64 + Sync) -> Mat<f64> {
    let size = design.width() + 1;
    let chunks = sums::chunks(design.rows(), 2 * size * size);
    let partials: Vec<Partial> = chunks.into_par_iter().map(|range| partial(design, range, every, &weight)).collect();
    let mut total = Mat::<f64>::zeros(size, size);
    let places: Vec<usize> = design.numbers().iter().map(|number| number.place).chain([size - 1]).collect();
    for partial in &partials {
        for (a, &left) in places.iter().enumerate() {
            for (b, &right) in places.iter().enumerate() {
                total[(left, right)] += partial.dense[(a, b)];
            }
        }
        for (left, sums) in partial.mixed.chunks_exact(places.len()).enumerate() {
            for (sum, &right) in sums.iter().zip(&places) {
                total[(left, right)] += sum;
                total[(right, left)] += sum;
            }
        }
        for (left, sums) in partial.pairs.chunks_exact(size).enumerate() {
            for (right, sum) in sums.iter().enumerate().take(left + 1) {
                total[(left, right)] += sum;
                if left != right {
                    total[(right, left)] += sum;
                }
            }
        }
    }
    total
}

fn partial(design: &Design<'_>, range: Range<usize>, every: usize, weight: &(impl Fn(usize) -> f64 + Sync)) -> Partial {
    let size = design.width() + 1;
    let dense = design.numbers().len() + 1;
    let grouped = if design.groups().is_empty() { 0 } else { size };
    let mut sums = Partial {
        dense: Mat::zeros(dense, dense),
        mixed: vec![0.0; grouped * dense],
        pairs: vec![0.0; grouped * size],
    };
    let mut rows = vec![0.0; BLOCK_ROWS * dense];
    let mut weighted = vec![0.0; BLOCK_ROWS * dense];
    let mut column = vec![0.0; BLOCK_ROWS];
    let mut here = Vec::with_capacity(design.groups().len());
    for block in sums::blocks(range, every) {
        let count = block.len();
        for (position, number) in design.numbers().iter().enumerate() {
            number.fill(block.clone(), &mut column);
            for (row, value) in column.iter().enumerate().take(count) {
                rows[row * dense + position] = *value;
            }
        }
        for (place, row) in block.enumerate() {
            let at = place * dense..(place + 1) * dense;
            let factor = weight(row);
            rows[at.end - 1] = 1.0;
            for (product, value) in weighted[at.clone()].iter_mut().zip(&rows[at.clone()]) {
                *product = factor * value;
            }
            here.clear();
            here.extend(design.groups().iter().filter_map(|group| group.place(row)));
            for (position, &left) in here.iter().enumerate() {
                for (sum, product) in sums.mixed[left * dense..][..dense].iter_mut().zip(&weighted[at.clone()]) {
                    *sum += product;
                }
                for &right in &here[..=position] {
                    sums.pairs[left.max(right) * size + left.min(right)] += factor;
                }
            }
        }
        let left = MatRef::from_row_major_slice(&rows[..count * dense], count, dense);
        let right = MatRef::from_row_major_slice(&weighted[..count * dense], count, dense);
        // One thread: rayon works on the chunks, and the order of additions must not depend on it.
        matmul(sums.dense.as_mut(), Accum::Add, left.transpose(), right, 1.0, Par::Seq);
    }
    sums
}
