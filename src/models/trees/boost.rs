//! `boost`: gradient boosting (Friedman 2001) with second derivatives (Chen and Guestrin 2016), leaf by leaf.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::talk::Unit;
use crate::data::target::Target;
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::trees::binned::Binned;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::grow::{Grower, Grown, GrownLeaf, Size};
use crate::models::trees::histogram::Plan;
use crate::models::trees::loss::{self, LogSum, Loss};
use crate::models::trees::search::{Limits, Search};
use crate::models::trees::sums::{ROWS_MAX, Scale, Sums};
use crate::models::trees::tree::Tree;
use crate::models::trees::watch::Watch;
use crate::record::run::MetricPoint;
use crate::spec::model::BoostParams;

/// Rows whose derivatives one task computes; losses are summed block by block in this size.
const BLOCK_ROWS: usize = 1 << 13;
/// A leaf's second derivatives must not vanish: its value has them in the divisor.
const HESSIAN_MIN: f64 = 1e-9;

/// True values as boosting reads them.
#[derive(Clone, Copy)]
enum Truth<'a> {
    Numbers(&'a [f64]),
    Classes(&'a [u32], usize),
}

/// Everything that lives from the first tree to the last.
struct Booster<'a> {
    params: &'a BoostParams,
    binned: &'a Binned,
    truth: Truth<'a>,
    loss: Loss,
    /// Scores of all rows, one list for each output.
    scores: Vec<Vec<f64>>,
    /// Shares of all classes, row by row; softmax only.
    shares: Vec<f64>,
    words: Vec<Sums>,
    /// Where each row fell in the newest tree.
    leaf_of: Vec<AtomicU32>,
    grower: Grower,
    seed: Seed,
}

/// Fits a boosted ensemble. `O(rows × features)` for each level of each tree; a byte a cell and about 50 bytes a row.
///
/// Points: `train_loss` and `validation_loss` (mean log loss, or mean squared error), the step being the number of trees.
/// Errors: nothing to learn from, parameters out of range, more than 2^27 rows.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: BoostParams = params::read("boost", fit.params)?;
    check(&params)?;
    input::learnable("boost", fit)?;
    let rows = fit.matrix.rows();
    if rows >= ROWS_MAX {
        return Err(fail::usage(format!("`boost` takes at most {ROWS_MAX} rows; there are {rows}")).into());
    }
    let (truth, loss, initial) = start(fit.target)?;
    let binned = Binned::new(fit.matrix, params.bins, fit.seed.derive("bins"));
    let mut booster = Booster {
        params: &params,
        binned: &binned,
        truth,
        loss,
        scores: initial.iter().map(|&score| vec![score; rows]).collect(),
        shares: vec![0.0; if loss == Loss::Softmax { rows * initial.len() } else { 0 }],
        words: vec![[0; 2]; rows],
        leaf_of: std::iter::repeat_with(|| AtomicU32::new(0)).take(rows).collect(),
        grower: Grower::default(),
        seed: fit.seed,
    };
    let ensemble = booster.run(fit, &initial)?;
    Ok(Box::new(Boosted { ensemble, loss, initial }))
}

fn check(params: &BoostParams) -> Result<()> {
    let p = params;
    let check = |name, value: f64, fine, range| params::check("boost", name, value, fine, range);
    let is_share = |share: f64| share > 0.0 && share <= 1.0;
    check("trees", p.trees as f64, (1..=100_000).contains(&p.trees), "from 1 to 100000")?;
    check("learning_rate", p.learning_rate, is_share(p.learning_rate), "above 0 and at most 1")?;
    check("leaves", p.leaves as f64, (2..=65_536).contains(&p.leaves), "from 2 to 65536")?;
    check("leaf_rows", p.leaf_rows as f64, p.leaf_rows >= 1, "at least 1")?;
    check("leaf_hessian", p.leaf_hessian, p.leaf_hessian >= 0.0, "at least 0")?;
    check("l2", p.l2, p.l2 >= 0.0, "at least 0")?;
    check("gain_min", p.gain_min, p.gain_min >= 0.0, "at least 0")?;
    check("feature_share", p.feature_share, is_share(p.feature_share), "above 0 and at most 1")?;
    check("row_share", p.row_share, is_share(p.row_share), "above 0 and at most 1")?;
    check("bins", p.bins as f64, (2..=65_535).contains(&p.bins), "from 2 to 65535")
}

/// What is true, which loss fits it, and the scores of no tree at all: the mean, the log odds, the log shares.
fn start(target: &Target) -> Result<(Truth<'_>, Loss, Vec<f64>)> {
    if let Target::Numbers(_) = target {
        let values = input::numbers("boost", target)?;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        return Ok((Truth::Numbers(values), Loss::Squared, vec![mean]));
    }
    let classes = input::classes("boost", target)?;
    let rows = classes.codes.len() as f64;
    let log_share = |count: u64| (count as f64 / rows).max(1e-15).ln();
    Ok(match classes.counts.as_slice() {
        [no, yes] => (Truth::Classes(classes.codes, 2), Loss::Logistic, vec![log_share(*yes) - log_share(*no)]),
        counts => {
            let initial = counts.iter().map(|&count| log_share(count)).collect();
            (Truth::Classes(classes.codes, counts.len()), Loss::Softmax, initial)
        }
    })
}

impl Booster<'_> {
    fn run(&mut self, fit: &mut FitInput<'_>, initial: &[f64]) -> Result<Ensemble> {
        let outputs = self.scores.len();
        let mut ensemble = Ensemble { features: self.binned.features.len(), width: 1, trees: Vec::new() };
        let mut watch = match fit.validation {
            Some((matrix, target)) if matrix.rows() > 0 => Some(Watch::new(matrix, target, self.loss, initial)?),
            _ => None,
        };
        if self.params.patience > 0 && watch.is_none() {
            fit.talk.warn("`patience` has no effect: there are no validation rows");
        }
        let progress = fit.talk.start("boost", Some(self.params.trees as u64), Unit::Items);
        for round in 0..self.params.trees {
            let train_loss = self.begin_round();
            (fit.points)(point("train_loss", round, train_loss));
            let grew = self.round(round, &mut ensemble);
            progress.advance(1);
            if let Some(watch) = &mut watch {
                let newest = &ensemble.trees[ensemble.trees.len() - outputs..];
                (fit.points)(point("validation_loss", round + 1, watch.add(newest)));
                if self.params.patience > 0 && watch.rounds_without_gain() >= self.params.patience {
                    break;
                }
            }
            if !grew {
                fit.talk.info(&format!("boost stopped after {round} trees: no split improves the fit"));
                ensemble.trees.truncate(round * outputs);
                break;
            }
        }
        if let (Some(watch), true) = (&watch, self.params.patience > 0) {
            let best = watch.best_round();
            if best * outputs < ensemble.trees.len() {
                fit.talk.info(&format!("boost keeps {best} trees: the validation loss was lowest there"));
                ensemble.trees.truncate(best * outputs);
            }
        }
        Ok(ensemble)
    }

    /// Adds one tree for each output; whether any further round could add something.
    fn round(&mut self, round: usize, ensemble: &mut Ensemble) -> bool {
        let seed = self.seed.nth(round as u64);
        let drawn = sample(self.binned.rows, self.params.row_share, seed.derive("rows"));
        let mut rows = drawn.clone();
        let used = sample(self.binned.features.len(), self.params.feature_share, seed.derive("features"));
        let mut marks = vec![false; self.binned.features.len()];
        used.iter().for_each(|&feature| marks[feature as usize] = true);
        let plan = Plan::new(self.binned, &marks);
        let mut grew = self.params.row_share < 1.0 || self.params.feature_share < 1.0;
        for output in 0..self.scores.len() {
            rows.copy_from_slice(&drawn);
            let tree = self.tree(output, &plan, &mut rows);
            grew |= !tree.nodes.is_empty();
            ensemble.trees.push(tree);
        }
        grew
    }

    fn tree(&mut self, output: usize, plan: &Plan, rows: &mut [u32]) -> Tree {
        let scale = self.derive(output);
        let p = self.params;
        let limits = Limits {
            leaf_rows: p.leaf_rows as u64,
            leaf_hessian: p.leaf_hessian.max(HESSIAN_MIN),
            l2: p.l2,
            gain_min: p.gain_min,
        };
        let search = Search { binned: self.binned, scale, limits };
        let size = Size { leaves: p.leaves, depth: p.depth };
        let mut grown = self.grower.grow(&search, plan, size, rows, &self.words);
        let values = grown.leaves.iter().map(|leaf| {
            let divisor = scale.hessian(leaf.sums) + p.l2;
            if divisor < HESSIAN_MIN { 0.0 } else { -p.learning_rate * scale.gradient(leaf.sums) / divisor }
        });
        grown.tree.values = values.collect();
        self.apply(output, &grown, rows);
        grown.tree
    }

    /// Adds the tree's values to the scores of all rows, drawn or not.
    fn apply(&mut self, output: usize, grown: &Grown, rows: &[u32]) {
        let (leaf_of, binned) = (&self.leaf_of, self.binned);
        if rows.len() == binned.rows {
            grown.leaves.par_iter().enumerate().for_each(|(leaf, GrownLeaf { rows: range, .. })| {
                // Every row is in one leaf, so no two threads write to the same place.
                rows[range.clone()].iter().for_each(|&row| leaf_of[row as usize].store(leaf as u32, Ordering::Relaxed));
            });
        } else {
            leaf_of.par_iter().enumerate().with_min_len(BLOCK_ROWS).for_each(|(row, leaf)| {
                leaf.store(grown.leaf_of(binned, row) as u32, Ordering::Relaxed);
            });
        }
        let values = &grown.tree.values;
        let scores = self.scores[output].par_chunks_mut(BLOCK_ROWS).zip(leaf_of.par_chunks(BLOCK_ROWS));
        scores.for_each(|(scores, leaves)| {
            for (score, leaf) in scores.iter_mut().zip(leaves) {
                *score += values[leaf.load(Ordering::Relaxed) as usize];
            }
        });
    }

    /// Derivatives that need all outputs; returns the mean loss of the trees so far.
    fn begin_round(&mut self) -> f64 {
        let rows = self.binned.rows as f64;
        match self.truth {
            Truth::Classes(codes, classes) if self.loss == Loss::Softmax => {
                let scores = &self.scores;
                let blocks = self.shares.par_chunks_mut(BLOCK_ROWS * classes).zip(codes.par_chunks(BLOCK_ROWS));
                let losses: Vec<f64> = blocks
                    .enumerate()
                    .map(|(number, (shares, codes))| softmax_block(scores, number * BLOCK_ROWS, shares, codes))
                    .collect();
                losses.iter().sum::<f64>() / rows
            }
            Truth::Classes(codes, _) => {
                let scale = Scale::new(self.binned.rows, 1.0, 0.25);
                self.blocks(codes, |scores, codes, words| loss::logistic(scores, codes, &scale, words)) / rows
            }
            Truth::Numbers(values) => {
                let scale = self.squared_scale(values);
                self.blocks(values, |scores, values, words| loss::squared(scores, values, &scale, words)) / rows
            }
        }
    }

    /// Runs `work` over blocks of rows and sums what it returns in their order.
    fn blocks<T: Sync>(&mut self, truth: &[T], work: impl Fn(&[f64], &[T], &mut [Sums]) -> f64 + Sync) -> f64 {
        let scores = self.scores[0].par_chunks(BLOCK_ROWS);
        let blocks = scores.zip(truth.par_chunks(BLOCK_ROWS)).zip(self.words.par_chunks_mut(BLOCK_ROWS));
        let losses: Vec<f64> = blocks.map(|((scores, truth), words)| work(scores, truth, words)).collect();
        losses.iter().sum()
    }

    fn squared_scale(&self, values: &[f64]) -> Scale {
        let differences = self.scores[0].par_iter().zip(values).map(|(score, value)| (score - value).abs());
        Scale::new(self.binned.rows, differences.reduce(|| 0.0, f64::max), 1.0)
    }

    /// Fills the words for one output, unless `begin_round` did, and says how to read them.
    fn derive(&mut self, output: usize) -> Scale {
        let rows = self.binned.rows;
        match self.truth {
            Truth::Classes(codes, classes) if self.loss == Loss::Softmax => {
                let scale = Scale::new(rows, 1.0, 0.25 * classes as f64 / (classes as f64 - 1.0));
                let shares = self.shares.par_chunks(BLOCK_ROWS * classes).zip(codes.par_chunks(BLOCK_ROWS));
                shares.zip(self.words.par_chunks_mut(BLOCK_ROWS)).for_each(|((shares, codes), words)| {
                    loss::softmax_class(shares, codes, output, classes, &scale, words);
                });
                scale
            }
            Truth::Classes(..) => Scale::new(rows, 1.0, 0.25),
            Truth::Numbers(values) => self.squared_scale(values),
        }
    }
}

fn softmax_block(scores: &[Vec<f64>], begin: usize, shares: &mut [f64], codes: &[u32]) -> f64 {
    let mut loss = LogSum::new();
    for (place, (shares, &code)) in shares.chunks_exact_mut(scores.len()).zip(codes).enumerate() {
        for (share, scores) in shares.iter_mut().zip(scores) {
            *share = scores[begin + place];
        }
        loss::softmax(shares);
        loss.add(shares[code as usize]);
    }
    loss.total()
}

fn point(name: &str, step: usize, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), step: step as i64, value }
}

/// A share of `0..count`, at least one, ascending; all of them when the share is 1 (Knuth's algorithm S).
fn sample(count: usize, share: f64, seed: Seed) -> Vec<u32> {
    let mut wanted = ((count as f64 * share).round() as usize).clamp(count.min(1), count);
    let mut rng = seed.rng();
    let mut drawn = Vec::with_capacity(wanted);
    for place in 0..count {
        let left = count - place;
        if wanted == left || rng.below(left as u64) < wanted as u64 {
            drawn.push(place as u32);
            wanted -= 1;
        }
    }
    drawn
}
