//! `tree`, `forest` (Breiman 2001) and `extra_trees` (Geurts, Ernst, Wehenkel 2006): trees grown until their leaves are
//! pure or small, their answers averaged.

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::data::target::Target;
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::trees::binned::Binned;
use crate::models::trees::choose::Rules;
use crate::models::trees::criterion::{Criterion, Item, Moments, Shares};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::exact;
use crate::models::trees::forest_grow::{Forest, Leaf};
use crate::models::trees::forested::Forested;
use crate::models::trees::sums::ROWS_MAX;
use crate::models::trees::tree::Tree;
use crate::models::trees::weighted::{Fixed, WeightedMoments, WeightedShares, fixed, fixed_weights};
use crate::models::trees::weights::{self, RowWeights};
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

fn fit_kind(kind: Kind, name: &'static str, fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params = read(kind, name, fit.params)?;
    input::learnable(name, fit)?;
    if fit.matrix.rows() >= ROWS_MAX {
        let rows = fit.matrix.rows();
        return Err(fail::usage(format!("`{name}` takes at most {ROWS_MAX} rows; there are {rows}")).into());
    }
    let weights = weights::checked(name, fit)?;
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
    let (target, seed, talk) = (fit.target, fit.seed, fit.talk);
    let plot = Plot { name, target, seed, talk, binned: &binned, rules, params: &params, weights };
    let (trees, leaf_width, classes) = match fit.target {
        Target::Numbers(_) => (plot.numbers()?, 1, 0),
        Target::Classes { names, .. } if names.len() == 2 => (plot.binary()?, 1, 2),
        Target::Classes { names, .. } => (plot.several()?, names.len(), names.len()),
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

/// What all trees of one fit share.
struct Plot<'a> {
    name: &'static str,
    target: &'a Target,
    seed: Seed,
    talk: &'a dyn Talk,
    binned: &'a Binned,
    rules: Rules,
    params: &'a ForestParams,
    weights: Option<RowWeights<'a>>,
}

impl Plot<'_> {
    fn grow<C: Criterion>(&self, criterion: &C, leaf: Leaf<'_>) -> Vec<Tree> {
        let (depth, row_share) = (self.params.depth, self.params.row_share);
        let rows = weights::rows(self.weights, self.binned.rows);
        let forest = Forest { binned: self.binned, criterion, rules: self.rules, depth, row_share, rows: &rows, leaf };
        forest.grow_all(self.name, self.seed, self.talk, self.params.trees)
    }

    fn numbers(&self) -> Result<Vec<Tree>> {
        let truth = input::numbers(self.name, self.target)?;
        let mean = exact::sum(truth.iter().copied()) / truth.len() as f64;
        // Fixed point around the mean, so that differences keep their digits.
        let Fixed { values, unit } = fixed(truth.iter().map(|value| value - mean), truth.len());
        // Leaves answer with the mean of the true values, not of their fixed-point images.
        let Some(weights) = self.weights else {
            let leaf = |items: &[Item], _: &[i64], out: &mut Vec<f64>| {
                out.push(mean_of(items, |row| truth[row], |_| 1.0));
            };
            return Ok(self.grow(&Moments { values: &values, unit }, &leaf));
        };
        let weighted = truth.iter().zip(weights.values).map(|(value, weight)| (value - mean) * weight);
        let row_weights = fixed_weights(weights.values);
        let criterion = WeightedMoments { plain: &values, values: fixed(weighted, truth.len()), weights: &row_weights };
        let leaf = |items: &[Item], _: &[i64], out: &mut Vec<f64>| {
            out.push(mean_of(items, |row| truth[row], |row| weights.values[row]));
        };
        Ok(self.grow(&criterion, &leaf))
    }

    fn binary(&self) -> Result<Vec<Tree>> {
        let codes = input::classes(self.name, self.target)?.codes;
        let values: Vec<i64> = codes.iter().map(|&code| i64::from(code)).collect();
        let Some(weights) = self.weights else {
            let leaf = |_: &[Item], sum: &[i64], out: &mut Vec<f64>| out.push(sum[0] as f64 / sum[1] as f64);
            return Ok(self.grow(&Moments { values: &values, unit: 1.0 }, &leaf));
        };
        let row_weights = fixed_weights(weights.values);
        let of_yes = codes.iter().zip(&row_weights.values).map(|(&code, &weight)| i64::from(code) * weight);
        let weighted = Fixed { values: of_yes.collect(), unit: row_weights.unit };
        let criterion = WeightedMoments { plain: &values, values: weighted, weights: &row_weights };
        let leaf = |_: &[Item], sum: &[i64], out: &mut Vec<f64>| out.push(sum[0] as f64 / sum[1] as f64);
        Ok(self.grow(&criterion, &leaf))
    }

    fn several(&self) -> Result<Vec<Tree>> {
        let classes = input::classes(self.name, self.target)?;
        let (codes, count) = (classes.codes, classes.counts.len());
        let leaf = |_: &[Item], sum: &[i64], out: &mut Vec<f64>| {
            let total = sum[..count].iter().sum::<i64>() as f64;
            out.extend(sum[..count].iter().map(|&weight| weight as f64 / total));
        };
        Ok(match self.weights {
            None => self.grow(&Shares { codes, classes: count }, &leaf),
            Some(weights) => {
                let row_weights = fixed_weights(weights.values);
                self.grow(&WeightedShares { codes, classes: count, weights: &row_weights }, &leaf)
            }
        })
    }
}

/// The mean of values, each counting as often as it was drawn times its weight; the same bits in any order of rows.
fn mean_of(items: &[Item], value: impl Fn(usize) -> f64, weight: impl Fn(usize) -> f64) -> f64 {
    let first = value(items[0].row as usize);
    if items.iter().all(|item| value(item.row as usize) == first) {
        return first;
    }
    let weight = |item: &Item| f64::from(item.weight) * weight(item.row as usize);
    let total = exact::sum(items.iter().map(weight));
    exact::sum(items.iter().map(|item| value(item.row as usize) * weight(item))) / total
}
