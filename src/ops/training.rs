//! What a training was asked for, as it is kept with its run, and the options that ask for the same again.

use crate::base::host;
use crate::base::id::ObjectId;
use crate::features::recipe::Family;
use crate::models::zoo::{ENGINE_VERSION, Kind};
use crate::ops::auto::report::AutoReport;
use crate::ops::context::OpCtx;
use crate::ops::prepare::{PrepareOptions, Prepared};
use crate::ops::train::TrainOptions;
use crate::record::dataset::Roles;
use crate::record::training::TrainingRecord;
use crate::spec::auto::AutoSpec;
use crate::spec::model::TrainSpec;

/// What is kept of a training so that it can be done again. `from` is the package that the fit went on from.
pub fn record(
    kind: &Kind,
    options: &TrainOptions,
    prepared: &Prepared,
    from: Option<ObjectId>,
    auto: Option<&AutoReport>,
    ctx: &OpCtx<'_>,
) -> TrainingRecord {
    let spec = &options.spec;
    let counted = |asked: &AutoSpec| AutoSpec {
        time: None,
        trials: auto.map(|report| report.trials).or(asked.trials),
        models: asked.models.clone(),
        jobs: None,
    };
    let unrepeatable = auto.filter(|report| report.replay.is_none()).map(|_| {
        "time was up before the first trial of the automatic search ended, and how far a fit comes in a time is not recorded"
            .to_owned()
    });
    TrainingRecord {
        engine: ENGINE_VERSION,
        processor: host::processor(),
        seed: ctx.seed,
        roles: Roles { task: Some(prepared.subject.task), ..prepared.subject.roles.clone() },
        split_spec: options.prepare.split.clone(),
        transform: options.prepare.transform.clone(),
        family: options.prepare.family.map(|family| family_name(family).to_owned()),
        train: TrainSpec {
            // A search chooses the kind.
            model: spec.auto.is_none().then(|| kind.name.to_owned()),
            from: None,
            auto: spec.auto.as_ref().map(counted),
            ..spec.clone()
        },
        dataset: prepared.subject.dataset.id,
        split: prepared.split_id,
        recipe: prepared.recipe_id,
        recipe_given: options.recipe.is_some() && spec.auto.is_none(),
        from,
        unrepeatable,
    }
}

/// The options that ask for the same training again: the rows divided and the recipe fitted anew.
pub fn options(record: &TrainingRecord) -> TrainOptions {
    let prepare = PrepareOptions {
        dataset: Some(record.dataset.hex()),
        default_name: None,
        roles: record.roles.clone(),
        split: record.split_spec.clone(),
        transform: record.transform.clone(),
        family: record.family.as_deref().and_then(family_named),
    };
    let spec = TrainSpec { from: record.from.map(|id| id.hex()), ..record.train.clone() };
    TrainOptions { prepare, recipe: None, spec }
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Linear => "linear",
        Family::Trees => "trees",
    }
}

fn family_named(name: &str) -> Option<Family> {
    [Family::Linear, Family::Trees].into_iter().find(|family| family_name(*family) == name)
}
