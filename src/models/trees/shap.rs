//! Shapley values of trees (Lundberg, Erion, Lee 2018; path dependent), exact.
//!
//! For one leaf of value `v`, let each feature on its path have the share `z` of training rows that pass its questions
//! and `o = 1` if the row passes them, else 0. The contribution of feature `i` is
//! `v (o_i - z_i) ∫₀¹ Π_{j≠i} (z_j + (o_j - z_j) t) dt`: the weights `s! (n-1-s)! / n!` of Shapley's sum are integrals of
//! `t^s (1-t)^(n-1-s)` (the multilinear extension, Owen 1972). The integrand is a polynomial of degree below the number of
//! features on the path, so Gauss-Legendre quadrature with half as many points is exact.
//!
//! At one point `t` all leaves are summed in one walk down the tree and up again (`walk`, `routes`); the lower parts of a
//! tree, where many rows answer alike, are computed once for each answer (`twig`, `outline`). The cost of a row is that of
//! `nodes × points`, and points are at most half of the features. What a row gets does not depend on the others.

use anyhow::{Result, anyhow};
use rayon::prelude::*;

use crate::base::fail;
use crate::data::matrix::Matrix;
use crate::models::input;
use crate::models::predictor::{Contributions, Margin};
use crate::models::trees::asked::Asked;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::outline::Outline;
use crate::models::trees::quadrature::rule;
use crate::models::trees::routes::{Fork, Route};
use crate::models::trees::tree::Tree;
use crate::models::trees::twig::Target;
use crate::models::trees::walk::Walk;

/// Rows handled together at most: answers that repeat among them are computed once.
const ROWS: usize = 1024;
/// Points of one walk at most; of more, several walks are made.
const POINTS_MAX: usize = 8;
/// Bytes of factors and slopes that are held at a time, unless one walk alone needs more.
const ROUTE_BYTES: usize = 1 << 24;

/// One walk that is to be made: a tree, what is known of it, points and weights.
struct Pass<'a> {
    number: usize,
    tree: &'a Tree,
    outline: &'a Outline,
    rule: Vec<(f64, f64)>,
}

/// A walk at as many points as processors like.
enum AnyRoute<'a> {
    Two(Route<'a, 2>),
    Four(Route<'a, 4>),
    Six(Route<'a, 6>),
    Eight(Route<'a, 8>),
}

/// Working memory of one thread.
#[derive(Default)]
struct Walks {
    two: Walk<2>,
    four: Walk<4>,
    six: Walk<6>,
    eight: Walk<8>,
}

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
    let outlines: Vec<Outline> = ensemble.trees.par_iter().map(|tree| Outline::new(tree, features)).collect();
    // Enough parts for all threads; how many changes no bit.
    let rows = matrix.rows().div_ceil(rayon::current_num_threads() * 4).next_multiple_of(64).clamp(64, ROWS);
    for passes in batches(&passes(ensemble, &outlines)) {
        let routes: Vec<(usize, AnyRoute<'_>)> =
            passes.par_iter().map(|pass| (pass.number * ensemble.width, pass.route())).collect();
        values.par_chunks_mut(rows * stride).enumerate().for_each_init(Walks::default, |walks, (number, values)| {
            let begin = number * rows;
            let asked = Asked::new(ensemble, matrix, begin, begin + values.len() / stride);
            for (first, route) in &routes {
                for value in 0..ensemble.width {
                    let of_leaf = (value, ensemble.width);
                    let mut target = Target { values, stride, outputs, output: first % outputs + value, of_leaf };
                    walks.add(route, &asked, &mut target);
                }
            }
        });
    }
    values.par_chunks_mut(stride).with_min_len(ROWS).for_each(|row| {
        let (of_features, last) = row.split_at_mut(features * outputs);
        of_features.iter_mut().for_each(|value| *value *= share);
        last.copy_from_slice(&expected);
    });
    Ok(Some(Contributions { features, outputs, margin, values }))
}

/// The walks of all trees, in order.
fn passes<'a>(ensemble: &'a Ensemble, outlines: &'a [Outline]) -> Vec<Pass<'a>> {
    let most = outlines.iter().map(|outline| outline.features.div_ceil(2)).max().unwrap_or(0);
    let mut rules: Vec<Vec<(f64, f64)>> = vec![Vec::new(); most + 1];
    let mut passes = Vec::with_capacity(outlines.len());
    for (number, (tree, outline)) in ensemble.trees.iter().zip(outlines).enumerate() {
        let points = outline.features.div_ceil(2);
        if rules[points].is_empty() {
            rules[points] = rule(points);
        }
        passes.extend(rules[points].chunks(POINTS_MAX).map(|part| Pass { number, tree, outline, rule: part.to_vec() }));
    }
    passes
}

/// Walks whose factors are held together.
fn batches<'a, 'b>(mut passes: &'b [Pass<'a>]) -> Vec<&'b [Pass<'a>]> {
    let mut batches = Vec::new();
    while !passes.is_empty() {
        let mut bytes = 0;
        let fits = |pass: &&Pass<'_>| {
            bytes += pass.tree.nodes.len() * size_of::<Fork<POINTS_MAX>>();
            bytes <= ROUTE_BYTES
        };
        let (batch, rest) = passes.split_at(passes.iter().take_while(fits).count().max(1));
        batches.push(batch);
        passes = rest;
    }
    batches
}

impl<'a> Pass<'a> {
    fn route(&self) -> AnyRoute<'a> {
        let (tree, outline) = (self.tree, self.outline);
        match self.rule.len() {
            0..=2 => AnyRoute::Two(Route::new(tree, outline, &self.rule)),
            3..=4 => AnyRoute::Four(Route::new(tree, outline, &self.rule)),
            5..=6 => AnyRoute::Six(Route::new(tree, outline, &self.rule)),
            _ => AnyRoute::Eight(Route::new(tree, outline, &self.rule)),
        }
    }
}

impl Walks {
    fn add(&mut self, route: &AnyRoute<'_>, asked: &Asked, target: &mut Target<'_>) {
        match route {
            AnyRoute::Two(route) => self.two.add(route, asked, target),
            AnyRoute::Four(route) => self.four.add(route, asked, target),
            AnyRoute::Six(route) => self.six.add(route, asked, target),
            AnyRoute::Eight(route) => self.eight.add(route, asked, target),
        }
    }
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
