//! What a pass over one tree multiplies with at a few points of the quadrature.
//!
//! With `z` the share and `o` the outcome of a feature after a question, `z'` and `o'` before it (1 when it was not asked
//! before), a path through the question gains the factor `φ/φ'` with `φ = z + (o - z) t`, and its feature gains the slope
//! `(o - z)/φ - (o' - z')/φ'`, times the weight of the point. Both are written so that nothing is subtracted but shares.

use crate::models::trees::outline::Outline;
use crate::models::trees::tree::Tree;

/// One number for each point.
pub type Points<const N: usize> = [f64; N];

/// Factors and slopes of both sides of a node, by the symbol of a row there: 0 and 1 for the side that it takes, 2 when it
/// did not pass an earlier question of the feature.
pub struct Fork<const N: usize> {
    /// Of the path.
    pub factors: [[Points<N>; 3]; 2],
    /// Of the feature.
    pub slopes: [[Points<N>; 3]; 2],
}

/// One tree at `N` points.
pub struct Route<'a, const N: usize> {
    /// The tree.
    pub tree: &'a Tree,
    /// What is known of it.
    pub outline: &'a Outline,
    /// Each node.
    pub forks: Vec<Fork<N>>,
}

impl<'a, const N: usize> Route<'a, N> {
    /// At these points and weights; places without a point weigh nothing.
    pub fn new(tree: &'a Tree, outline: &'a Outline, rule: &[(f64, f64)]) -> Route<'a, N> {
        let mut points = [(0.5, 0.0); N];
        points.iter_mut().zip(rule).for_each(|(point, of_rule)| *point = *of_rule);
        let forks = outline.shares.iter().zip(&outline.above).map(|(shares, above)| {
            let before = above.map_or(1.0, |(node, side)| outline.shares[node as usize][usize::from(side)]);
            let mut fork = Fork { factors: [[[0.0; N]; 3]; 2], slopes: [[[0.0; N]; 3]; 2] };
            for (side, &share) in shares.iter().enumerate() {
                let (factors, slopes) = (&mut fork.factors[side], &mut fork.slopes[side]);
                for (at, (point, weight)) in points.iter().enumerate() {
                    let passed = share + (1.0 - share) * point;
                    let passed_before = before + (1.0 - before) * point;
                    factors[side][at] = passed / passed_before;
                    slopes[side][at] = weight * (before - share) / (passed * passed_before);
                    factors[1 - side][at] = share * (1.0 - point) / passed_before;
                    slopes[1 - side][at] = -weight / ((1.0 - point) * passed_before);
                    // A feature that has not passed before stays as it was: its share gets smaller, its slope does not.
                    factors[2][at] = share / before;
                }
            }
            fork
        });
        Route { tree, outline, forks: forks.collect() }
    }
}

/// `a + b`.
#[inline(always)]
pub fn plus<const N: usize>(a: &Points<N>, b: &Points<N>) -> Points<N> {
    std::array::from_fn(|at| a[at] + b[at])
}

/// `a · b`, point by point.
#[inline(always)]
pub fn times<const N: usize>(a: &Points<N>, b: &Points<N>) -> Points<N> {
    std::array::from_fn(|at| a[at] * b[at])
}

/// `sum + a · b`, point by point.
#[inline(always)]
pub fn add_product<const N: usize>(sum: &mut Points<N>, a: &Points<N>, b: &Points<N>) {
    for at in 0..N {
        sum[at] += a[at] * b[at];
    }
}

/// The sum over points of `a · b`; two sums side by side, as processors add.
#[inline(always)]
pub fn dot<const N: usize>(a: &Points<N>, b: &Points<N>) -> f64 {
    let mut sums = [0.0; 2];
    for (a, b) in a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0) {
        sums[0] += a[0] * b[0];
        sums[1] += a[1] * b[1];
    }
    sums[0] + sums[1]
}
