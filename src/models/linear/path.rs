//! The penalty of lowest cross-validated error on a path of penalties, each started from the one before
//! (Friedman, Hastie, Tibshirani 2010; scikit-learn's `LassoCV` and `ElasticNetCV`).

use rayon::prelude::*;

use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::base::units;
use crate::models::linear::columns::{Columns, Layout};
use crate::models::linear::descent::Quadratic;
use crate::models::linear::design::Design;
use crate::models::linear::lasso::{self, ALPHA_MAX, Goal, Strength, Way};
use crate::models::linear::moments::{Moments, Sums};
use crate::spec::model::ElasticNetParams;

/// Smallest strength, as a share of the one that leaves no coefficient.
const PATH_END: f64 = 1e-3;

/// What cross-validation found.
pub struct Choice {
    /// The strength of lowest error.
    pub alpha: f64,
    /// Its mean squared error on rows held out.
    pub error: f64,
    /// Whether it is the smallest that was tried.
    pub last: bool,
    /// Descents that stopped before their tolerance.
    pub early: usize,
}

/// Errors of one fold, one a strength, with the weight that they have.
struct Fold {
    weight: f64,
    errors: Vec<f64>,
    early: usize,
}

/// The fold of each row: shuffled, all folds of one size or one apart.
pub fn folds(seed: Seed, rows: usize, count: usize) -> Vec<u8> {
    let mut folds: Vec<u8> = (0..rows).map(|row| (row * count / rows) as u8).collect();
    seed.derive("folds").rng().shuffle(&mut folds);
    folds
}

/// Tries all strengths on all folds; the largest strength on a tie. The same answer on any number of threads.
pub fn choose(design: &Design<'_>, goal: &Goal, params: &ElasticNetParams, folds: &[u8], way: Way) -> Choice {
    let (alphas, folds) = match way {
        Way::Products => by_products(design, goal, params, folds),
        Way::Columns => by_columns(design, goal, params, folds),
    };
    let weight: f64 = folds.iter().map(|fold| fold.weight).sum();
    let error = |place: usize| folds.iter().map(|fold| fold.weight * fold.errors[place]).sum::<f64>() / weight;
    let errors: Vec<f64> = (0..alphas.len()).map(error).collect();
    let best = (0..errors.len()).fold(0, |best, place| if errors[place] < errors[best] { place } else { best });
    Choice {
        alpha: alphas[best],
        error: errors[best] * goal.scale * goal.scale,
        last: best > 0 && best + 1 == alphas.len(),
        early: folds.iter().map(|fold| fold.early).sum(),
    }
}

/// Says what was chosen, and what is doubtful about it.
pub fn say(kind: &str, choice: &Choice, params: &ElasticNetParams, talk: &dyn Talk) {
    let (alpha, error, folds) = (choice.alpha, choice.error, params.folds);
    let tried = units::count(params.alphas as u64);
    talk.info(&format!(
        "`{kind}` chose alpha = {alpha:.4e} of {tried} by {folds}-fold cross-validation: mean squared error {error:.4e}"
    ));
    if choice.last {
        talk.info("it is the smallest that was tried; `linear` or `ridge` may do as well");
    }
    if choice.early > 0 {
        let all = params.alphas * params.folds;
        talk.warn(&format!("{} of {all} fits of the cross-validation stopped before their tolerance", choice.early));
        talk.hint("raise `max_iterations`");
    }
}

/// Strengths from the smallest that leaves no coefficient downwards, evenly in their logarithm.
fn grid(design: &Design<'_>, goal: &Goal, params: &ElasticNetParams, slope: impl Fn(usize) -> f64) -> Vec<f64> {
    let needed = |place: usize| slope(place).abs() * design.scales[place] * goal.scale / params.l1_ratio;
    let most = (0..design.width()).map(needed).fold(0.0, f64::max).min(ALPHA_MAX);
    // Nothing is related to the target at all: any strength leaves no coefficient.
    let most = if most > 0.0 { most } else { 1.0 };
    let last = (params.alphas - 1).max(1) as f64;
    (0..params.alphas).map(|place| most * PATH_END.powf(place as f64 / last)).collect()
}

fn by_products(design: &Design<'_>, goal: &Goal, params: &ElasticNetParams, folds: &[u8]) -> (Vec<f64>, Vec<Fold>) {
    let part = |fold: usize| Sums::of(design, &goal.values, |row| usize::from(folds[row]) == fold);
    let mut parts: Vec<Sums> = (0..params.folds).map(part).collect();
    let Some(first) = parts.first() else {
        return (vec![1.0], Vec::new());
    };
    let all = parts[1..].iter().fold(first.plus(first, 0.0), |all, part| all.plus(part, 1.0));
    let moments = Moments::of(&all);
    let alphas = grid(design, goal, params, |place| moments.right()[place]);
    parts.retain(|part| part.total() > 0.0 && part.total() < all.total());
    let walk = |part: &Sums| {
        let moments = Moments::of(&all.plus(part, -1.0));
        let mut loss = moments.start();
        let mut point = vec![0.0; design.width()];
        let mut fold = Fold { weight: part.total(), errors: Vec::with_capacity(alphas.len()), early: 0 };
        for &alpha in &alphas {
            let strength = Strength::new(design, goal, alpha, params.l1_ratio);
            let descent = lasso::descend(&mut loss, &strength, &mut point, params);
            fold.early += usize::from(descent.gap > params.tolerance);
            let shift: f64 = point.iter().zip(&moments.means).map(|(value, mean)| value * mean).sum();
            fold.errors.push(part.error(&point, moments.mean - shift));
        }
        fold
    };
    let found = parts.par_iter().map(walk).collect();
    (alphas, found)
}

fn by_columns(design: &Design<'_>, goal: &Goal, params: &ElasticNetParams, folds: &[u8]) -> (Vec<f64>, Vec<Fold>) {
    let layout = Layout::new(design);
    let weight = |row: usize| design.weight(row);
    let everything = Columns::new(&layout, (0..design.rows()).map(weight).collect(), &goal.values);
    let alphas = grid(design, goal, params, |place| everything.slope(place));
    let walk = |held: usize| {
        let here = |row: usize| usize::from(folds[row]) == held;
        let weights: Vec<f64> = (0..design.rows()).map(|row| if here(row) { 0.0 } else { weight(row) }).collect();
        let test: f64 = (0..design.rows()).filter(|row| here(*row)).map(weight).sum();
        if test <= 0.0 || weights.iter().all(|weight| *weight == 0.0) {
            return Fold { weight: 0.0, errors: vec![0.0; alphas.len()], early: 0 };
        }
        let mut loss = Columns::new(&layout, weights, &goal.values);
        let mut point = vec![0.0; design.width()];
        let mut fold = Fold { weight: test, errors: Vec::with_capacity(alphas.len()), early: 0 };
        for &alpha in &alphas {
            let strength = Strength::new(design, goal, alpha, params.l1_ratio);
            let descent = lasso::descend(&mut loss, &strength, &mut point, params);
            fold.early += usize::from(descent.gap > params.tolerance);
            let square = |row: usize| weight(row) * loss.residual(row).powi(2);
            fold.errors.push((0..design.rows()).filter(|row| here(*row)).map(square).sum::<f64>() / test);
        }
        fold
    };
    let found = (0..params.folds).into_par_iter().map(walk).collect();
    (alphas, found)
}
