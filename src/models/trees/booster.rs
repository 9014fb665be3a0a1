//! Boosting round by round: derivatives, rows, trees, scores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use rayon::prelude::*;

use crate::base::seed::Seed;
use crate::base::talk::Unit;
use crate::models::predictor::FitInput;
use crate::models::trees::binned::Binned;
use crate::models::trees::constraints::Constraints;
use crate::models::trees::derive::Derivatives;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::exact;
use crate::models::trees::goals::Goal;
use crate::models::trees::goss;
use crate::models::trees::grow::{Ground, Grower, Grown, GrownLeaf, Size};
use crate::models::trees::histogram::Plan;
use crate::models::trees::loss::Loss;
use crate::models::trees::search::{HESSIAN_MIN, Limits, Search};
use crate::models::trees::tree::Tree;
use crate::models::trees::watch::Watch;
use crate::models::trees::weights::{self, RowWeights};
use crate::record::run::MetricPoint;
use crate::spec::model::{BoostGrowth, BoostParams};

/// Rows that one task updates.
const BLOCK_ROWS: usize = 1 << 13;
/// Largest step of the logarithm of a rate, before shrinkage: beyond, a Newton step has left the region where it means
/// anything, and a few further ones would leave the range of numbers.
const POISSON_STEP_MAX: f64 = 20.0;

/// What has been grown before.
pub struct Past {
    /// Its trees.
    pub ensemble: Ensemble,
    /// Scores of no tree, one for each output.
    pub initial: Vec<f64>,
}

/// Everything that lives from the first tree to the last.
pub struct Booster<'a> {
    params: &'a BoostParams,
    binned: &'a Binned,
    loss: Loss,
    weights: Option<RowWeights<'a>>,
    constraints: Constraints,
    limits: Limits,
    derivatives: Derivatives<'a>,
    /// Rows of a weight above 0.
    counting: Arc<Vec<u32>>,
    /// Scores of all rows, one list for each output.
    scores: Vec<Vec<f64>>,
    /// Where each row fell in the newest tree.
    leaf_of: Vec<AtomicU32>,
    grower: Grower,
    seed: Seed,
    /// Rounds of the model gone on from.
    done: usize,
}

/// The rows of one round.
struct RoundRows {
    rows: Arc<Vec<u32>>,
    /// Rows that stand for others, under GOSS.
    raised: Vec<u32>,
}

impl<'a> Booster<'a> {
    /// Before the first new tree; rows have the scores of the `past` trees.
    pub fn new(
        params: &'a BoostParams,
        binned: &'a Binned,
        goal: Goal<'a>,
        weights: Option<RowWeights<'a>>,
        constraints: Constraints,
        past: &Past,
        fit: &FitInput<'_>,
    ) -> Result<Booster<'a>> {
        let (rows, outputs) = (binned.rows, past.initial.len());
        let scores: Vec<Vec<f64>> = match past.ensemble.trees.is_empty() {
            true => past.initial.iter().map(|&score| vec![score; rows]).collect(),
            false => {
                let all = past.ensemble.sums(fit.matrix, &past.initial)?;
                let of = |output: usize| all.iter().skip(output).step_by(outputs).copied().collect();
                (0..outputs).map(of).collect()
            }
        };
        let counting = Arc::new(weights::rows(weights, rows));
        let is_goss = params.goss_top > 0.0;
        let room = if is_goss { goss::factor(counting.len(), params.goss_top, params.goss_other) } else { 1.0 };
        let limits = Limits {
            leaf_rows: params.leaf_rows as u64,
            leaf_hessian: params.leaf_hessian.max(HESSIAN_MIN),
            l1: params.l1,
            l2: params.l2,
            step_max: if params.leaf_step_max > 0.0 { params.leaf_step_max } else { f64::INFINITY },
            gain_min: params.gain_min,
        };
        Ok(Booster {
            params,
            binned,
            loss: goal.loss,
            weights,
            constraints,
            limits,
            derivatives: Derivatives::new(goal.truth, goal.loss, weights, room, outputs),
            counting,
            scores,
            leaf_of: std::iter::repeat_with(|| AtomicU32::new(0)).take(rows).collect(),
            grower: Grower::default(),
            seed: fit.seed,
            done: past.ensemble.trees.len() / outputs,
        })
    }

    /// Grows all trees, after those of the past.
    pub fn run(&mut self, fit: &mut FitInput<'_>, past: Past) -> Result<Ensemble> {
        let (outputs, done) = (self.scores.len(), self.done);
        let mut watch = match fit.validation {
            Some((matrix, target)) if matrix.rows() > 0 => {
                let scores = past.ensemble.sums(matrix, &past.initial)?;
                Some(Watch::new(matrix, target, self.loss, scores, outputs)?)
            }
            _ => None,
        };
        let mut ensemble = past.ensemble;
        if self.params.patience > 0 && watch.is_none() {
            fit.talk.warn("`patience` has no effect: there are no validation rows");
        }
        let progress = fit.talk.start("boost", Some(self.params.trees as u64), Unit::Items);
        for round in done..done + self.params.trees {
            let train_loss = self.derivatives.begin_round(&self.scores);
            let mut wanted = (fit.points)(point("train_loss", round, train_loss));
            let grew = self.round(round, &mut ensemble);
            progress.advance(1);
            if let Some(watch) = &mut watch {
                let newest = &ensemble.trees[ensemble.trees.len() - outputs..];
                let loss = point("validation_loss", round + 1, watch.add(newest));
                wanted = if wanted.is_break() { wanted } else { (fit.points)(loss) };
                if self.params.patience > 0 && watch.rounds_without_gain() >= self.params.patience {
                    break;
                }
            }
            if wanted.is_break() {
                break;
            }
            if !grew {
                fit.talk.info(&format!("boost stopped after {round} trees: no split improves the fit"));
                ensemble.trees.truncate(round * outputs);
                break;
            }
        }
        if let (Some(watch), true) = (&watch, self.params.patience > 0) {
            let best = done + watch.best_round();
            if best * outputs < ensemble.trees.len() {
                fit.talk.info(&format!("boost keeps {best} trees: the validation loss was lowest there"));
                ensemble.trees.truncate(best * outputs);
            }
        }
        Ok(ensemble)
    }

    /// Adds one tree for each output; whether any further round could add something.
    fn round(&mut self, round: usize, ensemble: &mut Ensemble) -> bool {
        let p = self.params;
        let seed = self.seed.nth(round as u64);
        let drawn = self.draw(round, seed.derive("rows"));
        let mut rows = drawn.rows.to_vec();
        let used = sample(self.binned.features.len(), p.feature_share, seed.derive("features"));
        let mut marks = vec![false; self.binned.features.len()];
        used.iter().for_each(|&feature| marks[feature as usize] = true);
        let plan = Plan::new(self.binned, &marks);
        let mut grew = p.row_share < 1.0 || p.feature_share < 1.0 || p.feature_share_node < 1.0 || p.goss_top > 0.0;
        for output in 0..self.scores.len() {
            rows.copy_from_slice(&drawn.rows);
            self.derivatives.begin_output(output);
            self.derivatives.raise(&drawn.raised);
            let tree = self.tree(output, &plan, &mut rows, seed.derive("nodes").nth(output as u64));
            grew |= !tree.nodes.is_empty();
            ensemble.trees.push(tree);
        }
        grew
    }

    fn draw(&mut self, round: usize, seed: Seed) -> RoundRows {
        let p = self.params;
        // LightGBM's rule: as long as shrinkage keeps scores near the first ones, gradients say little about rows.
        if p.goss_top > 0.0 && round as f64 >= (1.0 / p.learning_rate).floor() {
            let measures = self.derivatives.measures(&self.counting);
            let drawn = goss::draw(&self.counting, &measures, p.goss_top, p.goss_other, seed);
            return RoundRows { rows: Arc::new(drawn.rows), raised: drawn.raised };
        }
        if p.row_share >= 1.0 {
            return RoundRows { rows: Arc::clone(&self.counting), raised: Vec::new() };
        }
        let mut rows = sample(self.counting.len(), p.row_share, seed);
        rows.iter_mut().for_each(|row| *row = self.counting[*row as usize]);
        RoundRows { rows: Arc::new(rows), raised: Vec::new() }
    }

    fn tree(&mut self, output: usize, plan: &Plan, rows: &mut [u32], seed: Seed) -> Tree {
        let p = self.params;
        let scale = self.derivatives.scale();
        let search = Search { binned: self.binned, scale, limits: self.limits, monotone: &self.constraints.monotone };
        let size = Size { leaves: p.leaves, depth: p.depth, by_level: p.grow == BoostGrowth::Depth };
        let words = self.derivatives.words();
        let ground = Ground { search: &search, plan, size, words, constraints: &self.constraints, seed };
        let mut grown = self.grower.grow(&ground, rows);
        let values: Vec<f64> = grown
            .leaves
            .par_iter()
            .with_min_len(leaves_of_a_task(rows.len()))
            .map(|leaf| p.learning_rate * self.leaf_value(&search, output, leaf, rows))
            .collect();
        grown.tree.values = values;
        self.apply(output, &grown, rows);
        grown.tree
    }

    /// The value of a leaf before shrinkage: a Newton step, or a quantile of what is left to explain.
    fn leaf_value(&self, search: &Search<'_>, output: usize, leaf: &GrownLeaf, rows: &[u32]) -> f64 {
        let (Some(level), Some(truth)) = (self.loss.leaf_level(), self.derivatives.numbers()) else {
            let value = search.value(leaf.sums, leaf.l2, leaf.bounds);
            return if self.loss == Loss::Poisson { value.clamp(-POISSON_STEP_MAX, POISSON_STEP_MAX) } else { value };
        };
        let scores = &self.scores[output];
        let left =
            rows[leaf.rows.clone()].iter().map(|&row| (row as usize, truth[row as usize] - scores[row as usize]));
        let value = match self.weights {
            None => exact::quantile(&mut left.map(|(_, left)| left).collect::<Vec<f64>>(), level),
            Some(weights) => {
                let mut pairs: Vec<(f64, f64)> = left.map(|(row, left)| (left, weights.values[row])).collect();
                exact::weighted_quantile(&mut pairs, level, weights.is_whole)
            }
        };
        leaf.bounds.clamp(value.clamp(-self.limits.step_max, self.limits.step_max))
    }

    /// Adds the tree's values to the scores of all rows, drawn or not.
    fn apply(&mut self, output: usize, grown: &Grown, rows: &[u32]) {
        let (leaf_of, binned) = (&self.leaf_of, self.binned);
        let leaves = grown.leaves.par_iter().with_min_len(leaves_of_a_task(rows.len())).enumerate();
        leaves.for_each(|(leaf, GrownLeaf { rows: range, .. })| {
            // Every row is in one leaf, so no two threads write to the same place.
            rows[range.clone()].iter().for_each(|&row| leaf_of[row as usize].store(leaf as u32, Ordering::Relaxed));
        });
        if rows.len() < binned.rows {
            let mut is_drawn = vec![false; binned.rows];
            rows.iter().for_each(|&row| is_drawn[row as usize] = true);
            let mut rest = Vec::with_capacity(binned.rows - rows.len());
            rest.extend((0..binned.rows as u32).filter(|row| !is_drawn[*row as usize]));
            let mut scratch = vec![0; rest.len()];
            grown.place(binned, &mut rest, &mut scratch, |leaf, rows| {
                rows.iter().for_each(|&row| leaf_of[row as usize].store(leaf as u32, Ordering::Relaxed));
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
}

/// Fewest leaves worth a task: all of them when rows are so few that handing them to another thread costs more.
fn leaves_of_a_task(rows: usize) -> usize {
    if rows <= BLOCK_ROWS { usize::MAX } else { 1 }
}

fn point(name: &str, step: usize, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), step: step as i64, value }
}

/// A share of `0..count`, at least one, ascending; all of them when the share is 1 (Knuth's algorithm S).
fn sample(count: usize, share: f64, seed: Seed) -> Vec<u32> {
    if share >= 1.0 {
        return (0..count as u32).collect();
    }
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
