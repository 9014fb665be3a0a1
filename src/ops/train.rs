//! `train`: fits a model on the training rows, scores it beside the baseline on the validation rows, keeps both.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::failpoint;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::data::matrix::Matrix;
use crate::data::profile::profile;
use crate::data::target::Target;
use crate::metrics::{self, Scores};
use crate::models::package::{InputColumn, Lineage, ModelPackage, PackageHeader};
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::zoo::{self, Kind};
use crate::ops::context::OpCtx;
use crate::ops::prepare::{Part, PrepareOptions, Prepared, prepare, reopen};
use crate::ops::recorded::{Done, Work, recorded};
use crate::ops::unsupervised::{self, Seen};
use crate::record::model::ModelRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::repo::Repo;
use crate::spec::model::Task;

/// What to train.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Dataset, split, recipe.
    pub prepare: PrepareOptions,
    /// A recipe record to use instead of fitting one.
    pub recipe: Option<ObjectId>,
    /// Name of a model kind; `auto` when absent.
    pub model: Option<String>,
    /// Its parameters.
    pub params: toml::Table,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TrainReport {
    /// The run.
    pub run: RunId,
    /// The model: id of its package.
    pub model: ObjectId,
    /// Id of the model record.
    pub record: ObjectId,
    /// Name of the model kind.
    pub kind: String,
    /// What it predicts.
    pub task: Task,
    /// The column it predicts.
    pub target: String,
    /// The dataset as a person calls it.
    pub dataset: String,
    /// Which rows `metrics` and `baseline` were measured on: `validation`, or `train` when there are none.
    pub scored_on: String,
    /// Scores of the model.
    pub metrics: BTreeMap<String, f64>,
    /// Scores of the baseline on the same rows.
    pub baseline: BTreeMap<String, f64>,
    /// Rows fitted on.
    pub rows: usize,
    /// Number of features.
    pub features: usize,
    /// Length of the package in bytes.
    pub bytes: usize,
    /// Seconds spent fitting.
    pub seconds: f64,
}

/// The kind that `model` names; the default one of the task for `auto`, which is said.
pub fn choose_kind(model: Option<&str>, task: Task, talk: &dyn Talk) -> Result<&'static Kind> {
    match model {
        None | Some("auto") => {
            let name = zoo::default_kind(task);
            talk.info(&format!("model {name}: chosen for a {} task as none was named", task.name()));
            zoo::kind_for(name, task)
        }
        Some(name) => zoo::kind_for(name, task),
    }
}

/// Trains one model.
pub fn train(repo: &Repo, options: &TrainOptions, ctx: &OpCtx<'_>) -> Result<TrainReport> {
    let outcome = recorded(repo, ctx, "train", |repo, work| {
        let prepared = match options.recipe {
            Some(recipe) => reopen(repo, &options.prepare, recipe, ctx)?,
            None => prepare(repo, &options.prepare, ctx)?,
        };
        let kind = choose_kind(options.model.as_deref(), prepared.subject.task, ctx.talk)?;
        let fitted = fit(kind, options, &prepared, work, ctx)?;
        failpoint::hit("train.fitted");
        keep(repo, kind, prepared, fitted, work, ctx).map(Done::yes)
    })?;
    Ok(TrainReport { run: outcome.run, ..outcome.value })
}

struct Fitted {
    predictor: Box<dyn Predictor>,
    params: toml::Table,
    scored_on: Part,
    metrics: BTreeMap<String, f64>,
    baseline: BTreeMap<String, f64>,
    rows: usize,
    seconds: f64,
}

fn fit(kind: &Kind, options: &TrainOptions, prepared: &Prepared, work: &mut Work, ctx: &OpCtx<'_>) -> Result<Fitted> {
    let (matrix, target) = prepared.part(Part::Train)?;
    let (held_matrix, held_target) = prepared.part(Part::Validation)?;
    let started = Instant::now();
    let mut points = Vec::new();
    let mut fit_kind = |kind: &Kind, params: &toml::Table| {
        let mut input = FitInput {
            matrix: &matrix,
            target: &target,
            weights: None,
            validation: (held_matrix.rows() > 0).then_some((&held_matrix, &held_target)),
            params,
            seed: Seed(ctx.seed).derive("model"),
            talk: ctx.talk,
            points: &mut |point| points.push(point),
        };
        (kind.fit)(&mut input)
    };
    let predictor = fit_kind(kind, &options.params)?;
    let seconds = started.elapsed().as_secs_f64();
    let baseline = fit_kind(zoo::kind("baseline")?, &toml::Table::new())?;
    work.points(&points)?;
    let (scored_on, scored, truth) = match held_matrix.rows() {
        0 => (Part::Train, &matrix, &target),
        _ => (Part::Validation, &held_matrix, &held_target),
    };
    if scored_on == Part::Train {
        ctx.talk.warn("there are no validation rows: these scores are of the training rows and flatter the model");
    }
    let task = prepared.subject.task;
    unsupervised::say(task, scored.rows(), ctx.talk);
    Ok(Fitted {
        metrics: score(&predictor.predict(scored)?, truth, task, scored)?,
        baseline: score(&baseline.predict(scored)?, truth, task, scored)?,
        params: all_params(kind, &options.params),
        predictor,
        scored_on,
        rows: matrix.rows(),
        seconds,
    })
}

/// All metrics of the task for predictions of the rows of `matrix` against the truth.
pub fn score(predictions: &Predictions, truth: &Target, task: Task, matrix: &Matrix) -> Result<BTreeMap<String, f64>> {
    metrics::compute(None, &scores(predictions, truth, &Seen::of(matrix, task))?, task)
}

/// Predictions and truth as the metrics want them.
pub fn scores<'a>(predictions: &'a Predictions, truth: &'a Target, seen: &'a Seen) -> Result<Scores<'a>> {
    match (predictions, truth) {
        (Predictions::Probabilities { values, .. }, Target::Classes { names, codes }) => {
            Ok(Scores::Classes { truth: codes, probabilities: values, names })
        }
        (Predictions::Numbers(predicted), Target::Numbers(truth)) => Ok(Scores::Numbers { truth, predicted }),
        (_, Target::Labels { codes, .. }) => unsupervised::scores(predictions, codes, seen),
        _ => Err(fail::usage("the model and the target are of different tasks").into()),
    }
}

fn all_params(kind: &Kind, given: &toml::Table) -> toml::Table {
    let mut params = (kind.params)();
    params.extend(given.clone());
    params
}

fn keep(
    repo: &Repo,
    kind: &Kind,
    prepared: Prepared,
    fitted: Fitted,
    work: &mut Work,
    ctx: &OpCtx<'_>,
) -> Result<TrainReport> {
    let (matrix_rows, task) = (fitted.rows, prepared.subject.task);
    let target = prepared.subject.roles.target.clone().unwrap_or_default();
    let training_rows = prepared.split.rows(Part::Train as u8);
    let baseline_profile = profile(&prepared.subject.table.take(&training_rows)?);
    let header = PackageHeader {
        model: kind.name.to_owned(),
        task,
        inputs: inputs(&prepared, &baseline_profile),
        features: prepared.recipe.features().to_vec(),
        classes: prepared.subject.target.classes().to_vec(),
        target_type: baseline_profile.column(&target).map(|column| column.column_type),
        target: target.clone(),
        params: serde_json::to_value(&fitted.params)?,
        seed: ctx.seed,
        lineage: Lineage { dataset: prepared.subject.dataset.id, split: prepared.split_id, recipe: prepared.recipe_id },
        metrics: fitted.metrics.clone(),
        engine: zoo::ENGINE_VERSION,
    };
    let features = header.features.len();
    let package = ModelPackage::new(header, prepared.recipe, fitted.predictor, baseline_profile);
    let bytes = package.to_bytes()?;
    let model = repo.store().put(&bytes)?.id;
    let record = repo.put_record(&ModelRecord {
        package: model,
        model: kind.name.to_owned(),
        task,
        dataset: prepared.subject.dataset.id,
        split: prepared.split_id,
        recipe: prepared.recipe_id,
        metrics: fitted.metrics.clone(),
    })?;
    work.metrics(&fitted.metrics)?;
    for (name, value) in &fitted.params {
        work.param(name, serde_json::to_value(value)?)?;
    }
    work.param("model", kind.name.into())?;
    let dataset = &prepared.subject.dataset;
    work.input("dataset", &dataset.label, dataset.id)?;
    work.input("split", "split", prepared.split_id)?;
    work.input("recipe", "recipe", prepared.recipe_id)?;
    work.output("model", kind.name, model)?;
    work.output("model_record", kind.name, record)?;
    Ok(TrainReport {
        run: RunId::new([0; 8]),
        model,
        record,
        kind: kind.name.to_owned(),
        task,
        target,
        dataset: dataset.label.clone(),
        scored_on: if fitted.scored_on == Part::Train { "train" } else { "validation" }.to_owned(),
        metrics: fitted.metrics,
        baseline: fitted.baseline,
        rows: matrix_rows,
        features,
        bytes: bytes.len(),
        seconds: fitted.seconds,
    })
}

/// What the model may be asked with: the raw columns that its recipe reads, as they were in training.
fn inputs(prepared: &Prepared, profile: &ProfileRecord) -> Vec<InputColumn> {
    let few = |column: &ColumnProfile| column.unique <= DOMAIN_VALUES_MAX as u64;
    let wanted = prepared.recipe.inputs().iter().filter_map(|input| profile.column(&input.name));
    let described = wanted.map(|column| InputColumn {
        name: column.name.clone(),
        column_type: column.column_type,
        missing_seen: column.missing > 0,
        domain: (column.texts.is_some() && few(column) && column.top.len() as u64 == column.unique)
            .then(|| column.top.iter().map(|(value, _)| value.clone()).collect()),
        min: column.numbers.as_ref().and_then(|numbers| numbers.min),
        max: column.numbers.as_ref().and_then(|numbers| numbers.max),
    });
    described.collect()
}
