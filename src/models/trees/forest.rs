//! `tree`, `forest` (Breiman 2001) and `extra_trees` (Geurts, Ernst, Wehenkel 2006): trees grown until their leaves are
//! pure or small, their answers averaged.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::seed::{Rng, Seed};
use crate::base::talk::Unit;
use crate::data::target::Target;
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::trees::binned::Binned;
use crate::models::trees::choose::{Chooser, Rules};
use crate::models::trees::criterion::{Criterion, Item, Moments, Shares};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::forested::Forested;
use crate::models::trees::sums::ROWS_MAX;
use crate::models::trees::tree::{LEAF, Tree};
use crate::spec::model::ForestParams;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tree,
    Forest,
    ExtraTrees,
}

/// Fits a single tree on all rows and all features.
pub fn fit_tree(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    fit_kind(Kind::Tree, "tree", fit)
}

/// Fits a random forest: rows drawn for each tree, features for each node.
pub fn fit_forest(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    fit_kind(Kind::Forest, "forest", fit)
}

/// Fits extremely randomised trees: features and thresholds drawn for each node.
pub fn fit_extra_trees(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    fit_kind(Kind::ExtraTrees, "extra_trees", fit)
}

/// Default parameters of `extra_trees`: those of the forest, but all rows for each tree.
pub fn extra_trees_defaults() -> ForestParams {
    ForestParams { row_share: 0.0, ..ForestParams::default() }
}

/// What growing a tree needs besides its seed.
struct Forest<'a, C: Criterion> {
    binned: &'a Binned,
    criterion: &'a C,
    rules: Rules,
    depth: usize,
    row_share: f64,
    /// Appends a leaf's values.
    leaf: &'a (dyn Fn(&[Item], &mut Vec<f64>) + Sync),
}

fn fit_kind(kind: Kind, name: &'static str, fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params = read(kind, name, fit.params)?;
    input::learnable(name, fit)?;
    if fit.matrix.rows() >= ROWS_MAX {
        let rows = fit.matrix.rows();
        return Err(fail::usage(format!("`{name}` takes at most {ROWS_MAX} rows; there are {rows}")).into());
    }
    let binned = Binned::new(fit.matrix, params.bins, fit.seed.derive("bins"));
    let width = binned.features.len() as f64;
    let features = match params.feature_share {
        _ if kind == Kind::Tree => width,
        share if share > 0.0 => (width * share).round(),
        _ if fit.target.classes().is_empty() => (width / 3.0).floor(),
        _ => width.sqrt().floor(),
    };
    let rules = Rules {
        leaf_rows: params.leaf_rows as i64,
        features: features.max(1.0) as usize,
        random: kind == Kind::ExtraTrees,
    };
    let (trees, leaf_width, classes) = match fit.target {
        Target::Numbers(_) => (numbers(name, fit, &binned, rules, &params)?, 1, 0),
        Target::Classes { names, .. } if names.len() == 2 => (binary(name, fit, &binned, rules, &params)?, 1, 2),
        Target::Classes { names, .. } => (several(name, fit, &binned, rules, &params)?, names.len(), names.len()),
        Target::Labels { .. } => return Err(input::no_target(name)),
    };
    let ensemble = Ensemble { features: binned.features.len(), width: leaf_width, trees };
    Ok(Box::new(Forested { ensemble, classes }))
}

fn read(kind: Kind, name: &str, given: &toml::Table) -> Result<ForestParams> {
    let mut given = given.clone();
    if kind == Kind::ExtraTrees {
        given.entry("row_share").or_insert(extra_trees_defaults().row_share.into());
    }
    let mut params: ForestParams = params::read(name, &given)?;
    let check = |name_of, value: f64, fine, range| params::check(name, name_of, value, fine, range);
    check("trees", params.trees as f64, (1..=100_000).contains(&params.trees), "from 1 to 100000")?;
    check("leaf_rows", params.leaf_rows as f64, params.leaf_rows >= 1, "at least 1")?;
    check("bins", params.bins as f64, (2..=65_535).contains(&params.bins), "from 2 to 65535")?;
    for (what, share) in [("feature_share", params.feature_share), ("row_share", params.row_share)] {
        check(what, share, (0.0..=1.0).contains(&share), "from 0 to 1")?;
    }
    if kind == Kind::Tree {
        params.trees = 1;
        params.row_share = 0.0;
    }
    Ok(params)
}

fn numbers(name: &str, fit: &FitInput<'_>, binned: &Binned, rules: Rules, params: &ForestParams) -> Result<Vec<Tree>> {
    let truth = input::numbers(name, fit.target)?;
    // Fixed point around the mean, with room for every row drawn twenty times over.
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let largest = truth.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    let bits = 57 - (usize::BITS - truth.len().leading_zeros()) as i32;
    let power = if largest > 0.0 { bits - largest.log2().ceil() as i32 } else { 0 };
    let (scale, unit) = (2_f64.powi(power), 2_f64.powi(-power));
    let values: Vec<i64> = truth.iter().map(|value| ((value - mean) * scale).round() as i64).collect();
    let criterion = Moments { values: &values, unit };
    // Leaves answer with the mean of the true values, not of their fixed-point images.
    let leaf = |items: &[Item], out: &mut Vec<f64>| {
        let first = truth[items[0].row as usize];
        let (mut sum, mut weight) = (0.0, 0.0);
        for item in items {
            sum += (truth[item.row as usize] - first) * f64::from(item.weight);
            weight += f64::from(item.weight);
        }
        out.push(first + sum / weight);
    };
    let forest =
        Forest { binned, criterion: &criterion, rules, depth: params.depth, row_share: params.row_share, leaf: &leaf };
    Ok(forest.grow_all(name, fit, params.trees))
}

fn binary(name: &str, fit: &FitInput<'_>, binned: &Binned, rules: Rules, params: &ForestParams) -> Result<Vec<Tree>> {
    let codes = input::classes(name, fit.target)?.codes;
    let values: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
    let criterion = Moments { values: &values, unit: 1.0 };
    let leaf = |items: &[Item], out: &mut Vec<f64>| {
        let weight: u64 = items.iter().map(|item| u64::from(item.weight)).sum();
        let yes: u64 = items.iter().map(|item| u64::from(item.weight * codes[item.row as usize])).sum();
        out.push(yes as f64 / weight as f64);
    };
    let forest =
        Forest { binned, criterion: &criterion, rules, depth: params.depth, row_share: params.row_share, leaf: &leaf };
    Ok(forest.grow_all(name, fit, params.trees))
}

fn several(name: &str, fit: &FitInput<'_>, binned: &Binned, rules: Rules, params: &ForestParams) -> Result<Vec<Tree>> {
    let classes = input::classes(name, fit.target)?;
    let (codes, count) = (classes.codes, classes.counts.len());
    let criterion = Shares { codes, classes: count };
    let leaf = |items: &[Item], out: &mut Vec<f64>| {
        let begin = out.len();
        out.resize(begin + count, 0.0);
        let weight: u64 = items.iter().map(|item| u64::from(item.weight)).sum();
        for item in items {
            out[begin + codes[item.row as usize] as usize] += f64::from(item.weight);
        }
        out[begin..].iter_mut().for_each(|share| *share /= weight as f64);
    };
    let forest =
        Forest { binned, criterion: &criterion, rules, depth: params.depth, row_share: params.row_share, leaf: &leaf };
    Ok(forest.grow_all(name, fit, params.trees))
}

/// A part of a tree still to be grown.
struct Task {
    items: std::ops::Range<usize>,
    depth: usize,
    parent: Option<(u32, usize)>,
}

impl<C: Criterion> Forest<'_, C> {
    fn grow_all(&self, name: &str, fit: &FitInput<'_>, trees: usize) -> Vec<Tree> {
        let progress = fit.talk.start(name, Some(trees as u64), Unit::Items);
        let (seed, numbers) = (fit.seed, (0..trees as u64).into_par_iter());
        let grown = numbers.map(|number| {
            let tree = self.grow(seed.nth(number));
            progress.advance(1);
            tree
        });
        grown.collect()
    }

    /// Grows one tree depth first, left before right; nodes come out in that order.
    fn grow(&self, seed: Seed) -> Tree {
        let mut rng = seed.rng();
        let mut items = draw(self.binned.rows, self.row_share, &mut rng);
        let mut spare = vec![Item::default(); items.len()];
        let mut chooser = Chooser::new(self.binned, self.criterion, self.rules);
        let mut total = vec![0; self.criterion.words()];
        let mut tree = Tree::default();
        let mut leaves = 0;
        let mut tasks = vec![Task { items: 0..items.len(), depth: 0, parent: None }];
        while let Some(task) = tasks.pop() {
            let part = &mut items[task.items.clone()];
            total.fill(0);
            part.iter().for_each(|item| self.criterion.add(&mut total, *item));
            let may_split = (self.depth == 0 || task.depth < self.depth)
                && self.criterion.weight(&total) >= 2 * self.rules.leaf_rows
                && part.len() > 1
                && !self.criterion.is_pure(&total, part);
            let choice = if may_split { chooser.choose(part, &total, &mut rng) } else { None };
            let number = match choice {
                None => {
                    (self.leaf)(part, &mut tree.values);
                    leaves += 1;
                    LEAF | (leaves - 1)
                }
                Some(choice) => {
                    let feature = &self.binned.features[choice.feature];
                    let codes = &self.binned.columns[feature.column].codes;
                    let left = divide(part, &mut spare, |row| choice.test.goes_left(codes.get(row as usize)));
                    let node = tree.push(choice.feature, feature, &choice.test);
                    let middle = task.items.start + left;
                    let depth = task.depth + 1;
                    tasks.push(Task { items: middle..task.items.end, depth, parent: Some((node, 1)) });
                    tasks.push(Task { items: task.items.start..middle, depth, parent: Some((node, 0)) });
                    node
                }
            };
            if let Some((parent, side)) = task.parent {
                tree.nodes[parent as usize].children[side] = number;
            }
        }
        tree
    }
}

/// The rows of one tree: all of them once, or as many as the share says, drawn with replacement.
fn draw(rows: usize, share: f64, rng: &mut Rng) -> Vec<Item> {
    if share == 0.0 {
        return (0..rows as u32).map(|row| Item { row, weight: 1 }).collect();
    }
    let mut weights = vec![0_u32; rows];
    for _ in 0..((rows as f64 * share).round() as usize).max(1) {
        weights[rng.below(rows as u64) as usize] += 1;
    }
    let drawn = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
    drawn.map(|(row, &weight)| Item { row: row as u32, weight }).collect()
}

/// Moves the rows that go left to the front, keeping their order on both sides; returns their number.
fn divide(items: &mut [Item], spare: &mut [Item], goes_left: impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for place in 0..items.len() {
        let item = items[place];
        let goes = usize::from(goes_left(item.row));
        items[left] = item;
        spare[right] = item;
        left += goes;
        right += 1 - goes;
    }
    items[left..].copy_from_slice(&spare[..right]);
    left
}
