//! The same training again with other seeds: how much of a metric is luck.

use std::time::Instant;

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::base::limits::ROBUSTNESS_TRAINING_SECONDS_MAX;
use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::metrics::robustness::SEEDS;
use crate::metrics::{self, Sample};
use crate::models::package::ModelPackage;
use crate::models::zoo;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::costs::train_seconds;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::robustness::summary;
use crate::ops::fit::fit;
use crate::ops::prepare::{PrepareOptions, reopen};
use crate::ops::train::{TrainOptions, scores};
use crate::ops::unsupervised::Seen;
use crate::record::dataset::Roles;
use crate::record::evaluation::RobustnessResult;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::model::TrainSpec;
use crate::spec::recipe::TransformSpec;
use crate::spec::split::SplitSpec;

/// The metrics `names` of models that the same training gives with [`SEEDS`] other seeds: same rows, recipe and parameters.
///
/// Nothing is recorded of these trainings. Nothing, and said why, for a model whose training is not recorded or goes on from
/// another one, for an ensemble found by a search, and where the trainings would take too long. Errors: those of a fit.
pub fn other_seeds(
    repo: &Repo,
    record: &ModelRecord,
    judged: &Judged<'_>,
    package: &ModelPackage,
    names: &[String],
    ctx: &OpCtx<'_>,
) -> Result<Vec<RobustnessResult>> {
    let skip = |why: &str| {
        ctx.talk.info(&format!("other seeds are not tried: {why}"));
        Ok(Vec::new())
    };
    let recipe = match record.recipe {
        _ if record.imported.is_some() => return skip("the model was imported"),
        _ if record.from.is_some() => return skip("the training went on from another model"),
        _ if record.model == "blend" => return skip("the model is an ensemble that a search put together"),
        None => return skip("the recipe of the training is not recorded"),
        Some(recipe) => recipe,
    };
    if let Some(seconds) = train_seconds(repo, record.package)?
        && seconds * SEEDS as f64 > ROBUSTNESS_TRAINING_SECONDS_MAX
    {
        return skip(&format!("{SEEDS} trainings of {seconds:.0} seconds would take too long"));
    }
    let Some(options) = options(repo, record, package, recipe)? else {
        return skip("no run that trained this model is recorded");
    };
    let quiet = OpCtx { talk: &Silent, ..ctx.clone() };
    let prepared = reopen(repo, &options.prepare, recipe, &quiet)?;
    let kind = zoo::kind_for(&record.model, record.task)?;
    let matrix = package.recipe.apply(&judged.jury.frame)?;
    let seen = Seen::of(&matrix, record.task);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = metrics::measure(Some(&names), &judged.sample()?)?;
    let seed = Seed(ctx.seed).derive("robustness.seeds");
    let started = Instant::now();
    let mut after = Vec::new();
    for number in 0..SEEDS {
        if started.elapsed().as_secs_f64() > ROBUSTNESS_TRAINING_SECONDS_MAX {
            let most = ROBUSTNESS_TRAINING_SECONDS_MAX;
            ctx.talk.warn(&format!("only {number} of {SEEDS} other seeds tried: {most} seconds were over"));
            break;
        }
        let other = OpCtx { seed: seed.nth(number).0, ..quiet.clone() };
        let fitted = fit(kind, &options, &prepared, None, &mut Vec::new(), &other)?;
        let raw = fitted.predictor.predict(&matrix)?;
        let predictions = match &fitted.calibration {
            Some(calibration) => calibration.apply(raw),
            None => raw,
        };
        let sample = Sample {
            scores: scores(&predictions, &judged.jury.truth, &seen)?,
            threshold: fitted.threshold,
            ..judged.sample()?
        };
        after.push(metrics::measure(Some(&names), &sample)?);
    }
    Ok(summary("seed", None, SEEDS as f64, &before, &after))
}

/// What the model was trained with, from the run that did; `None` when none is recorded.
fn options(
    repo: &Repo,
    record: &ModelRecord,
    package: &ModelPackage,
    recipe: ObjectId,
) -> Result<Option<TrainOptions>> {
    let index = repo.index()?;
    let runs = index.producers(&record.package)?;
    let Some(edge) = runs.iter().find(|edge| edge.kind == "train") else {
        return Ok(None);
    };
    let Some(run) = index.run(&edge.run)? else {
        return Ok(None);
    };
    let mut settings = serde_json::Map::new();
    for (name, value) in &run.params {
        if let Some(name) = name.strip_prefix("train.") {
            settings.insert(name.to_owned(), value.clone());
        }
    }
    let weight = settings.remove("weight").and_then(|name| name.as_str().map(str::to_owned));
    if settings.contains_key("auto") {
        settings.remove("auto");
    }
    let Ok(spec) = serde_json::from_value::<TrainSpec>(serde_json::Value::Object(settings)) else {
        return Ok(None);
    };
    let header = &package.header;
    let spec =
        TrainSpec { model: Some(record.model.clone()), params: serde_json::from_value(header.params.clone())?, ..spec };
    let target = Some(header.target.clone()).filter(|target| !target.is_empty());
    let prepare = PrepareOptions {
        dataset: None,
        default_name: None,
        roles: Roles { task: Some(record.task), target, weight, ..Roles::default() },
        split: SplitSpec::default(),
        transform: TransformSpec::default(),
        family: None,
    };
    Ok(Some(TrainOptions { prepare, recipe: Some(recipe), spec }))
}
