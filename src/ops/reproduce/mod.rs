//! `reproduce`: trains a model again from what was recorded of it, and compares the two byte by byte.
//!
//! Everything comes from the repository: the dataset's table, the division of its rows, what was asked for. The project file
//! and the raw file may have changed or gone. What is made on the way vanishes, unless it is to be kept; the one run that
//! stays says how the comparison ended.

mod compare;
mod plan;

#[cfg(test)]
mod tests;

use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::hash::hash;
use crate::base::host;
use crate::base::id::{ObjectId, RunId};
use crate::models::zoo::ENGINE_VERSION;
use crate::ops::context::{OpCtx, TOOL_VERSION};
use crate::ops::recorded::{Done, recorded};
use crate::ops::reproduce::plan::Plan;
use crate::ops::train::{TrainOptions, train_unrecorded};
use crate::record::Record;
use crate::record::model::ModelRecord;
use crate::record::training::TrainingRecord;
use crate::repo::Repo;

/// Kind of the run that says how it went.
pub const KIND: &str = "reproduce";

/// What to train again.
#[derive(Clone, Debug)]
pub struct ReproduceOptions {
    /// The model, or `run:ID` for what a run made.
    pub model: String,
    /// Keep the rebuilt model although it differs, so that it can be judged and compared.
    pub keep: bool,
}

/// One thing that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// `engine`, `processor`, `dataset`, `recipe`, `header.params.trees`, `predictor`, …; causes come before what follows.
    pub what: String,
    /// As it was.
    pub recorded: Value,
    /// As it is now.
    pub now: Value,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReproduceReport {
    /// The run of this comparison.
    pub run: RunId,
    /// The model as a person calls it.
    pub model: String,
    /// Id of its package.
    pub id: ObjectId,
    /// Id of the package that was made now.
    pub rebuilt: ObjectId,
    /// Whether both are the same bytes.
    pub identical: bool,
    /// The run that had made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_by: Option<RunId>,
    /// What is not as it was, causes first; empty when identical.
    pub differences: Vec<Difference>,
    /// What had to be taken from elsewhere than from the record of the training.
    pub notes: Vec<String>,
    /// Whether the rebuilt model was kept.
    pub kept: bool,
    /// Seconds spent.
    pub seconds: f64,
}

/// What was made again.
struct Rebuilt {
    id: ObjectId,
    bytes: Vec<u8>,
    record: ObjectId,
    model: ModelRecord,
}

/// Trains a model again and compares it.
///
/// Errors (world): the model was imported; its training depended on time; what it was made from is not here any more. Each
/// says exactly what is missing.
pub fn reproduce(repo: &Repo, options: &ReproduceOptions, ctx: &OpCtx<'_>) -> Result<ReproduceReport> {
    let clock = Instant::now();
    let plan = plan::plan(repo, &options.model)?;
    plan.notes.iter().for_each(|note| ctx.talk.info(note));
    // The chance of the training, and no stage of a project.
    let ctx = &OpCtx { seed: plan.seed, stage: None, ..ctx.clone() };
    let outcome = recorded(repo, ctx, KIND, |staging, work| {
        work.input("model", &plan.label, plan.id)?;
        if let Some(id) = plan.training {
            work.input(TrainingRecord::KIND, "training", id)?;
        }
        let place = if options.keep { staging.clone() } else { staging.isolated()? };
        let (rebuilt, notes) = again(&place, &plan, ctx)?;
        let identical = rebuilt.id == plan.id;
        let differences = if identical { Vec::new() } else { differences(repo, &plan, &rebuilt)? };
        work.param("identical", identical.into())?;
        work.param("rebuilt", rebuilt.id.hex().into())?;
        if let Some(first) = differences.first() {
            work.param("first_difference", first.what.as_str().into())?;
        }
        if options.keep || identical {
            work.output("rebuilt", &plan.label, rebuilt.id)?;
        }
        if options.keep {
            work.output("rebuilt_record", &plan.label, rebuilt.record)?;
        }
        let value = (rebuilt.id, identical, differences, notes);
        Ok(Done { value, moves: Vec::new(), yes: identical })
    })?;
    let (rebuilt, identical, differences, notes) = outcome.value;
    Ok(ReproduceReport {
        run: outcome.run,
        model: plan.label,
        id: plan.id,
        rebuilt,
        identical,
        trained_by: plan.maker.map(|run| run.run),
        differences,
        notes: plan.notes.into_iter().chain(notes).collect(),
        kept: options.keep,
        seconds: clock.elapsed().as_secs_f64(),
    })
}

/// Trains as recorded: with the recipe fitted anew, and where that gives another model and the recipe had been fitted before
/// the training, with the recipe as it was.
fn again(place: &Repo, plan: &Plan, ctx: &OpCtx<'_>) -> Result<(Rebuilt, Vec<String>)> {
    let rebuilt = rebuild(place, &plan.options, ctx)?;
    let Some(recipe) =
        plan.given_recipe.filter(|recipe| rebuilt.id != plan.id && rebuilt.model.recipe != Some(*recipe))
    else {
        return Ok((rebuilt, Vec::new()));
    };
    let other = rebuilt.model.recipe.map_or_else(|| "another".to_owned(), |id| id.short());
    let note = format!(
        "the recipe {} had been fitted before the training and not as [transform] says ({other}); it is taken as it was",
        recipe.short()
    );
    ctx.talk.info(&note);
    let given = TrainOptions { recipe: Some(recipe), ..plan.options.clone() };
    Ok((rebuild(place, &given, ctx)?, vec![note]))
}

fn rebuild(place: &Repo, options: &TrainOptions, ctx: &OpCtx<'_>) -> Result<Rebuilt> {
    let report = train_unrecorded(place, options, ctx).context("the training cannot be done again")?;
    let bytes = place.store().get(&report.model, u64::MAX)?;
    Ok(Rebuilt { id: hash(&bytes), bytes, record: report.record, model: place.record(&report.record)? })
}

/// What is not as it was: engines and machine first, then what the training read, then what it made.
fn differences(repo: &Repo, plan: &Plan, rebuilt: &Rebuilt) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    let mut say = |what: &str, recorded: Value, now: Value| {
        if recorded != now && !recorded.is_null() {
            found.push(Difference { what: what.to_owned(), recorded, now });
        }
    };
    let bytes = repo.store().get(&plan.id, u64::MAX);
    say("engine", json!(plan.engine), json!(ENGINE_VERSION));
    say("tool_version", json!(plan.maker.as_ref().map(|run| &run.tool_version)), json!(TOOL_VERSION));
    say("processor", json!(plan.processor), json!(host::processor()));
    say("dataset", json!(plan.record.dataset), json!(rebuilt.model.dataset));
    say("split", json!(plan.record.split), json!(rebuilt.model.split));
    say("recipe", json!(plan.record.recipe), json!(rebuilt.model.recipe));
    say("from", json!(plan.record.from), json!(rebuilt.model.from));
    match bytes {
        Ok(bytes) => {
            // Engines and ids are told above by shorter names.
            let told = |what: &str| what == "header.engine" || what.starts_with("header.lineage.");
            let pieces = compare::packages(&bytes, &rebuilt.bytes)?;
            found.extend(pieces.into_iter().filter(|difference| !told(&difference.what)));
        }
        Err(error) => say("package", json!(format!("cannot be read: {error:#}")), json!(rebuilt.id)),
    }
    Ok(found)
}
