//! What all trials of a search share: rows, folds, the forms that features come in, how answers are scored.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::units;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::data::split::folds::folds;
use crate::data::split::{Split, TRAIN, VALIDATION};
use crate::data::target::Target;
use crate::features::recipe::{Family, FittedRecipe, Recipe};
use crate::metrics;
use crate::metrics::zoo as metric_zoo;
use crate::models::predictor::Predictions;
use crate::ops::auto::ensemble::Loss;
use crate::ops::auto::portfolio::Shape;
use crate::ops::context::OpCtx;
use crate::ops::fit::{Rows, weighted};
use crate::ops::prepare::{Divided, Part, PrepareOptions, Subject, features_of, fit_recipe};
use crate::ops::train::scores;
use crate::ops::unsupervised::Seen;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::split::{SplitMethod, SplitSpec};

/// Rows up to which rows are held out in turn; beyond, the validation rows are held out once and models are fitted again
/// on all rows at the end.
const FOLDED_ROWS_MAX: usize = 100_000;
/// Rows up to which folds are eight, and up to which they are dealt twice.
const EIGHT_FOLDS_MAX: usize = 5_000;
const TWICE_MAX: usize = 600;

/// The features of all rows in one form.
pub struct Branch {
    /// What it is called in a recipe of several.
    pub name: &'static str,
    /// How they are made.
    pub recipe: FittedRecipe,
    /// The features of all rows that may be learned from.
    pub matrix: Matrix,
    /// Whether linear models, distances and kernels can eat them.
    pub dense: bool,
    parts: Vec<OnceLock<(Rows, Rows)>>,
}

/// Places of the rows of one fold among all that may be learned from, rising.
pub struct Fold {
    /// Rows to fit on.
    pub train: Vec<u32>,
    /// Rows held out.
    pub held: Vec<u32>,
}

/// How the rows held out came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// Each row is held out in turn; the models of the folds together are the model.
    Folds,
    /// Blocks of time: each model knows only the past of its fold, so models are fitted again on all rows.
    Times,
    /// One part of the rows is held out; models are fitted again on all rows.
    Once,
}

/// What all trials share.
pub struct Ground {
    /// What is predicted.
    pub task: Task,
    /// True values of all rows that may be learned from.
    pub target: Target,
    /// How much they count: `None`, all alike.
    pub weights: Option<Vec<f64>>,
    /// The same without the factors of classes, for calibration.
    pub row_weights: Option<Vec<f64>>,
    /// Factor of each class, when classes are weighed.
    pub factors: Option<Vec<f64>>,
    /// The forms of features.
    pub branches: Vec<Branch>,
    /// The folds.
    pub folds: Vec<Fold>,
    /// How often all rows are dealt into folds.
    pub repeats: usize,
    /// How rows are held out.
    pub holding: Holding,
    /// Places of the rows that are held out at least once, rising: those that scores are of.
    pub scored: Vec<u32>,
    /// True values of these.
    pub scored_target: Target,
    /// Loss of the shares or of the mean on them: what a trial has to beat.
    pub baseline_loss: f64,
    /// Chance of the search.
    pub seed: Seed,
}

impl Ground {
    /// Fits a recipe for each form of features on all rows outside the test part, and deals these rows into folds.
    ///
    /// `split` has no validation part: its training rows are all that may be learned from; `divided` is the division with
    /// one. Errors: those of recipes and of folds.
    pub fn new(
        subject: &Subject,
        divided: &Divided,
        split: &Split,
        options: (&PrepareOptions, &TrainSpec),
        families: &[Family],
        ctx: &OpCtx<'_>,
    ) -> Result<Ground> {
        let (prepare, spec) = options;
        let seed = Seed(ctx.seed).derive("auto");
        let rows = split.rows(TRAIN);
        let target = subject.target_of(&rows);
        let (folds, repeats, holding) = fold(subject, divided, split, &rows, ctx.seed)?;
        let mut branches = Vec::new();
        let families = if prepare.transform.steps.is_some() { &families[..1] } else { families };
        for family in families {
            let recipe = fit_recipe(&Recipe::from_spec(&prepare.transform, *family)?, subject, split, ctx.seed)?;
            let (matrix, _) = features_of(subject, (&recipe, true), split, Part::Train)?;
            let name = match (family, prepare.transform.steps.is_some()) {
                (_, true) => "written",
                (Family::Trees, _) => "trees",
                (Family::Linear, _) => "linear",
            };
            let parts = folds.iter().map(|_| OnceLock::new()).collect();
            branches.push(Branch { name, dense: is_dense(&matrix), recipe, matrix, parts });
        }
        let row_weights = subject.weights_of(&rows);
        let whole = Rows { matrix: Matrix::default(), target, weights: row_weights.clone() };
        let (Rows { target, weights, .. }, factors) = weighted(whole, spec)?;
        let mut scored: Vec<u32> = folds.iter().flat_map(|fold| fold.held.iter().copied()).collect();
        scored.sort_unstable();
        scored.dedup();
        let scored_target = target.take(&scored);
        let task = subject.task;
        let mut ground = Ground {
            task,
            target,
            weights,
            row_weights,
            factors,
            branches,
            folds,
            repeats,
            holding,
            scored,
            scored_target,
            baseline_loss: f64::INFINITY,
            seed,
        };
        ground.baseline_loss = ground.loss().of(&ground.values(&ground.constant(), &ground.scored_target), 1.0);
        Ok(ground)
    }

    /// The shape of the table, which the portfolio depends on.
    pub fn shape(&self) -> Shape {
        let features = self.branches.iter().map(|branch| branch.matrix.features().len()).max();
        let positive = match &self.target {
            Target::Numbers(values) => values.iter().all(|value| *value >= 0.0),
            _ => false,
        };
        Shape {
            task: self.task,
            rows: self.folds.first().map_or(0, |fold| fold.train.len()),
            outputs: self.target.classes().len().max(1),
            features: features.unwrap_or(0),
            positive,
        }
    }

    /// The form of features that a configuration of `family` eats; the only one where a person wrote the steps.
    pub fn branch(&self, family: Family) -> Option<usize> {
        let wanted = if family == Family::Trees { "trees" } else { "linear" };
        let only = (self.branches.len() == 1).then_some(0);
        self.branches.iter().position(|branch| branch.name == wanted).or(only)
    }

    /// Rows to fit on and rows held out of one fold, in one form of features.
    pub fn part(&self, branch: usize, fold: usize) -> &(Rows, Rows) {
        let Branch { matrix, parts, .. } = &self.branches[branch];
        parts[fold].get_or_init(|| {
            let of = |places: &[u32]| Rows {
                matrix: matrix.take(places),
                target: self.target.take(places),
                weights: self.weights.as_ref().map(|all| places.iter().map(|at| all[*at as usize]).collect()),
            };
            (of(&self.folds[fold].train), of(&self.folds[fold].held))
        })
    }

    /// All rows that may be learned from, in one form of features.
    pub fn whole(&self, branch: usize) -> Rows {
        let matrix = self.branches[branch].matrix.clone();
        Rows { matrix, target: self.target.clone(), weights: self.weights.clone() }
    }

    /// Values in an answer to one row: 1, or one for each class.
    pub fn width(&self) -> usize {
        self.target.classes().len().max(1)
    }

    /// What trials are compared and joined by: smooth on few rows, unlike ranks.
    pub fn loss(&self) -> Loss {
        if self.task == Task::Regression { Loss::Squared } else { Loss::Log }
    }

    /// What [`Ground::loss`] reads of answers: probabilities of the true class, or differences from the true number.
    pub fn values(&self, answers: &[f64], truth: &Target) -> Vec<f64> {
        match truth {
            Target::Classes { codes, .. } => {
                let rows = answers.chunks_exact(self.width()).zip(codes);
                rows.map(|(row, code)| row[*code as usize]).collect()
            }
            Target::Numbers(truth) => answers.iter().zip(truth).map(|(answer, truth)| answer - truth).collect(),
            Target::Labels { .. } => Vec::new(),
        }
    }

    /// The same answer for every scored row: class shares, or the mean.
    fn constant(&self) -> Vec<f64> {
        let rows = self.scored.len();
        match &self.scored_target {
            Target::Classes { names, codes } => {
                let mut counts = vec![0.0; names.len()];
                codes.iter().for_each(|code| counts[*code as usize] += 1.0 / rows as f64);
                counts.repeat(rows)
            }
            Target::Numbers(values) => vec![values.iter().sum::<f64>() / rows.max(1) as f64; rows],
            Target::Labels { .. } => Vec::new(),
        }
    }

    /// Answers as predictions.
    pub fn predictions(&self, answers: Vec<f64>) -> Predictions {
        match &self.target {
            Target::Classes { names, .. } => Predictions::Probabilities { classes: names.len(), values: answers },
            _ => Predictions::Numbers(answers),
        }
    }

    /// The headline metric of answers to the scored rows; not a number where it has no meaning.
    pub fn headline(&self, answers: &[f64]) -> Result<f64> {
        let name = metric_zoo::headline(self.task);
        let predictions = self.predictions(answers.to_vec());
        let seen = Seen::of(&Matrix::default(), self.task);
        let found: BTreeMap<String, f64> =
            metrics::compute(Some(&[name]), &scores(&predictions, &self.scored_target, &seen)?, self.task)?;
        Ok(found.get(name).copied().unwrap_or(f64::NAN))
    }
}

/// Whether every value is a finite number and no feature a category.
fn is_dense(matrix: &Matrix) -> bool {
    matrix.features().iter().all(|feature| match &feature.values {
        FeatureValues::Number(values) => values.iter().all(|value| value.is_finite()),
        FeatureValues::Indicator { .. } => true,
        FeatureValues::Category { .. } => false,
    })
}

type Folded = (Vec<Fold>, usize, Holding);

/// Folds by the method of the division; fewer where groups or times are few; the validation rows where there are many rows
/// or no folds can be made.
fn fold(subject: &Subject, divided: &Divided, split: &Split, rows: &[u32], seed: u64) -> Result<Folded> {
    let by_time = divided.spec.method == SplitMethod::Time;
    let asked = divided.spec.folds;
    if rows.len() > FOLDED_ROWS_MAX && asked == 0 && divided.split.counts()[Part::Validation as usize] > 0 {
        return Ok((vec![places(&divided.split, rows)], 1, Holding::Once));
    }
    let usual = if rows.len() <= EIGHT_FOLDS_MAX && !by_time { 8 } else { 5 };
    let numbers = if asked > 0 { vec![asked] } else { vec![usual, 5, 3, 2] };
    let mut refused = None;
    for number in numbers {
        match deal(subject, &divided.spec, split, number, Seed(seed).derive("split")) {
            Ok(splits) => {
                let mut dealt: Vec<Fold> = splits.iter().map(|split| places(split, rows)).collect();
                let again = !matches!(divided.spec.method, SplitMethod::Time | SplitMethod::Hash | SplitMethod::Group);
                let mut repeats = 1;
                if again && asked == 0 && rows.len() <= TWICE_MAX {
                    let splits = deal(subject, &divided.spec, split, number, Seed(seed).derive("split again"))?;
                    dealt.extend(splits.iter().map(|split| places(split, rows)));
                    repeats = 2;
                }
                if rows.len() > FOLDED_ROWS_MAX && asked == 0 {
                    // No validation part: the last fold takes its place, of times the latest.
                    dealt.drain(..dealt.len() - 1);
                    return Ok((dealt, 1, Holding::Once));
                }
                return Ok((dealt, repeats, if by_time { Holding::Times } else { Holding::Folds }));
            }
            Err(error) => refused = Some(error),
        }
    }
    if divided.split.counts()[Part::Validation as usize] > 0 {
        return Ok((vec![places(&divided.split, rows)], 1, Holding::Once));
    }
    let what = format!("{} outside the test part", units::plural(rows.len() as u64, "row"));
    Err(refused.unwrap_or_else(|| fail::usage(what).into()))
}

fn deal(subject: &Subject, spec: &SplitSpec, split: &Split, number: usize, seed: Seed) -> Result<Vec<Split>> {
    let spec = SplitSpec { folds: number, ..spec.clone() };
    let truth = (&subject.target, subject.target_rows.as_slice());
    Ok(folds(&subject.table, truth, split, &spec, &subject.roles.key, seed)?.splits().to_vec())
}

/// Where the training and the validation rows of `split` stand among `rows`, which rise.
fn places(split: &Split, rows: &[u32]) -> Fold {
    let of = |part: u8| {
        let all = rows.iter().zip(0_u32..);
        all.filter(|(row, _)| split.parts()[**row as usize] == part).map(|(_, place)| place).collect()
    };
    Fold { train: of(TRAIN), held: of(VALIDATION) }
}
