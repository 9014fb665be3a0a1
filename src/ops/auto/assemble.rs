//! From trials to one model: which answer together, what each of them is, the recipe that feeds them all.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rayon::prelude::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::features::branches::Branch as RecipeBranch;
use crate::features::recipe::FittedRecipe;
use crate::models::blend::{self, Blend, Member};
use crate::models::predictor::Predictor;
use crate::models::zoo::{self, Kind};
use crate::ops::auto::ensemble::select;
use crate::ops::auto::ground::{Ground, Holding};
use crate::ops::auto::search::{eligible, seed_again};
use crate::ops::auto::trial::{End, Trial, fit_again};

/// Most members of a blend: each of them answers every request.
const MEMBERS_MAX: usize = 10;
/// The same where each is fitted again on all rows.
const MEMBERS_AGAIN_MAX: usize = 5;
/// Training rows from which a forest of each fold is kept rather than one of all rows: many trees as they are.
const FORESTS_KEPT_FROM: usize = 3_000;

/// The model.
pub struct Assembled {
    /// Its kind: `blend`, or that of the only model in it.
    pub kind: &'static Kind,
    /// The model.
    pub predictor: Box<dyn Predictor>,
    /// Makes its features.
    pub recipe: FittedRecipe,
    /// Its parameters, or what it consists of.
    pub params: toml::Table,
}

/// Numbers of the trials that answer together, and their shares, largest first.
///
/// Errors: no trial came to an answer; the first reasons are named.
pub fn choose(ground: &Ground, trials: &[Trial]) -> Result<Vec<(usize, f64)>> {
    let numbers = eligible(&trials.iter().collect::<Vec<_>>());
    if numbers.is_empty() {
        let why = trials.iter().find_map(|trial| match &trial.end {
            End::Failed(why) => Some(format!("{}: {why}", trial.config.name)),
            _ => None,
        });
        let what = format!("no configuration could be fitted; {}", why.unwrap_or_else(|| "none was tried".to_owned()));
        return Err(fail::usage(what).hint("look at the table with `mlops validate`, or name --models").into());
    }
    let candidates: Vec<&[f64]> = numbers.iter().map(|number| trials[*number].values.as_slice()).collect();
    let most = if ground.holding == Holding::Folds { MEMBERS_MAX } else { MEMBERS_AGAIN_MAX };
    let shares = select(&candidates, ground.loss(), most, ground.seed.derive("ensemble"));
    let mut chosen: Vec<(usize, f64)> = numbers.into_iter().zip(shares).filter(|(_, share)| *share > 0.0).collect();
    chosen.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    Ok(chosen)
}

/// Answers of the chosen ones together to the scored rows.
pub fn answers(trials: &[Trial], chosen: &[(usize, f64)]) -> Vec<f64> {
    let mut sum = vec![0.0; chosen.first().map_or(0, |(number, _)| trials[*number].answers.len())];
    for (number, share) in chosen {
        sum.iter_mut().zip(&trials[*number].answers).for_each(|(sum, value)| *sum += share * value);
    }
    sum
}

/// Fits again what has to be, and puts all of it together. `order` are the raw columns of the table.
///
/// Errors: those of the fits.
pub fn assemble(ground: &Ground, trials: &mut [Trial], chosen: &[(usize, f64)], order: &[&str]) -> Result<Assembled> {
    let mut kept: Vec<Vec<Box<dyn Predictor>>> = Vec::with_capacity(chosen.len());
    for (number, _) in chosen {
        let trial = &mut trials[*number];
        kept.push(match keeps_folds(ground, trial) {
            true => trial.folds.iter_mut().filter_map(|fold| fold.model.take()).collect(),
            false => Vec::new(),
        });
    }
    let trials = &*trials;
    let again: Vec<Result<Vec<Box<dyn Predictor>>>> = kept
        .into_par_iter()
        .zip(chosen)
        .map(|(kept, (number, _))| (kept, &trials[*number]))
        .map(|(kept, trial)| match kept.is_empty() {
            false => Ok(kept),
            true => fit_again(ground, trial, seed_again(ground.seed, trial.number))
                .map(|model| vec![model])
                .with_context(|| format!("{}, fitted again on all rows", trial.config.name)),
        })
        .collect();
    let used: BTreeSet<usize> = chosen.iter().map(|(number, _)| trials[*number].branch).collect();
    let recipe = recipe(ground, &used, order)?;
    let mut models = again.into_iter().collect::<Result<Vec<_>>>()?;
    if let ([(number, _)], [only]) = (chosen, models.as_mut_slice())
        && only.len() == 1
        && let Some(predictor) = only.pop()
    {
        let trial = &trials[*number];
        return Ok(Assembled { kind: trial.config.kind, predictor, recipe, params: trial.params() });
    }
    let width = |branch: usize| ground.branches[branch].recipe.features().len();
    let first = |branch: usize| used.iter().take_while(|used| **used < branch).map(|used| width(*used)).sum::<usize>();
    let params = params(ground, trials, chosen, &models);
    let members = chosen.iter().zip(models).map(|((number, weight), models)| {
        let trial = &trials[*number];
        let start = first(trial.branch);
        Member { kind: trial.config.kind.name, range: start..start + width(trial.branch), weight: *weight, models }
    });
    let features = recipe.features().len();
    let predictor = Blend::new(features, ground.target.classes().len(), members.collect())?;
    Ok(Assembled { kind: zoo::kind(blend::NAME)?, predictor: Box::new(predictor), recipe, params })
}

/// Whether the models of all folds answer together. Boosting that stopped by the rows held out has no better model; forests
/// of many rows are large enough together. Other kinds are fitted once more on all rows.
fn keeps_folds(ground: &Ground, trial: &Trial) -> bool {
    ground.holding == Holding::Folds
        && match trial.config.kind.name {
            "boost" => true,
            "forest" | "extra_trees" | "tree" => ground.target.len() >= FORESTS_KEPT_FROM,
            _ => false,
        }
}

/// The recipes of the branches in use: one alone as it is, several side by side.
fn recipe(ground: &Ground, used: &BTreeSet<usize>, order: &[&str]) -> Result<FittedRecipe> {
    let mut branches = used.iter().map(|branch| &ground.branches[*branch]);
    if let (Some(only), None) = (branches.next(), branches.next()) {
        return Ok(only.recipe.clone());
    }
    let of = |branch: &usize| {
        let branch = &ground.branches[*branch];
        RecipeBranch { name: branch.name.to_owned(), recipe: branch.recipe.clone() }
    };
    FittedRecipe::beside(used.iter().map(of).collect(), order)
}

/// What the blend consists of.
fn params(
    ground: &Ground,
    trials: &[Trial],
    chosen: &[(usize, f64)],
    models: &[Vec<Box<dyn Predictor>>],
) -> toml::Table {
    let members = chosen.iter().zip(models).map(|((number, weight), models)| {
        let trial = &trials[*number];
        let mut member = toml::Table::new();
        member.insert("trial".to_owned(), toml::Value::Integer(trial.number as i64 + 1));
        member.insert("name".to_owned(), trial.config.name.as_str().into());
        member.insert("kind".to_owned(), trial.config.kind.name.into());
        member.insert("weight".to_owned(), (*weight).into());
        member.insert("models".to_owned(), toml::Value::Integer(models.len() as i64));
        member.insert("params".to_owned(), toml::Value::Table(trial.config.params.clone()));
        toml::Value::Table(member)
    });
    let mut all = toml::Table::new();
    all.insert("members".to_owned(), toml::Value::Array(members.collect()));
    all.insert("trials".to_owned(), toml::Value::Integer(trials.len() as i64));
    all.insert("folds".to_owned(), toml::Value::Integer(ground.folds.len() as i64));
    all
}
