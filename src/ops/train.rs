//! `train`: fits a model on the training rows, scores it beside the baseline on the validation rows, keeps both.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::failpoint;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits::{DOMAIN_VALUES_MAX, MONITOR_ROWS};
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::data::profile::profile;
use crate::data::target::Target;
use crate::metrics::{self, Scores};
use crate::models::monitoring::{Answered, draw, monitoring};
use crate::models::package::{InputColumn, Lineage, ModelPackage, PackageHeader};
use crate::models::predictor::Predictions;
use crate::models::zoo::{self, Kind};
use crate::ops::auto::report::AutoReport;
use crate::ops::auto::{self, Automatic};
use crate::ops::choices::ChoicesReport;
use crate::ops::context::OpCtx;
use crate::ops::crossval::{FoldsReport, score_folds};
use crate::ops::evaluate::open_package;
use crate::ops::fit::{Fitted, fit};
use crate::ops::prepare::{Part, PrepareOptions, Prepared, prepare, prepare_for, reopen};
use crate::ops::recorded::{Done, Work, recorded};
use crate::ops::training;
use crate::ops::unsupervised::{self, Seen};
use crate::record::Record;
use crate::record::model::ModelRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::record::run::Link;
use crate::record::training::TrainingRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::auto::AutoSpec;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::training::CalibrationMethod;

/// What to train.
#[derive(Clone, Debug)]
pub struct TrainOptions {
    /// Dataset, split, recipe.
    pub prepare: PrepareOptions,
    /// A recipe record to use instead of fitting one.
    pub recipe: Option<ObjectId>,
    /// Kind, parameters, and what is decided around the fit.
    pub spec: TrainSpec,
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
    /// The model that the fit went on from, as a person calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The column that rows were weighed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Which rows `metrics` and `baseline` were measured on: `validation`, `train` when there are none, or after an automatic
    /// search `out_of_fold`: all rows outside the test part, each answered by models that had not seen it.
    pub scored_on: String,
    /// Scores of the model.
    pub metrics: BTreeMap<String, f64>,
    /// Scores of the baseline on the same rows.
    pub baseline: BTreeMap<String, f64>,
    /// What the baseline answers: `class_shares`, `mean`, or for a split by time `last_value`.
    pub baseline_kind: String,
    /// Class weights, calibration and threshold, where there are any.
    #[serde(flatten)]
    pub choices: ChoicesReport,
    /// What was tried, after an automatic search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto: Option<AutoReport>,
    /// Scores of each fold, when folds were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<FoldsReport>,
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
///
/// Errors: those of preparing the rows and of the fit; a model to go on from that is of another kind, task or target.
pub fn train(repo: &Repo, options: &TrainOptions, ctx: &OpCtx<'_>) -> Result<TrainReport> {
    train_after(repo, options, &[], ctx)
}

/// Trains one model, as [`train`], whose run also names what its parameters come from.
pub fn train_after(repo: &Repo, options: &TrainOptions, origins: &[Link], ctx: &OpCtx<'_>) -> Result<TrainReport> {
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let start = begin(repo, options)?;
    let outcome = recorded(repo, ctx, "train", |repo, work| {
        for Link { role, name, id } in origins {
            work.input(role, name, *id)?;
        }
        train_within(repo, options, start.as_ref(), work, ctx).map(Done::yes)
    })?;
    Ok(TrainReport { run: outcome.run, ..outcome.value })
}

/// Trains one model, as [`train`], without a run: what it makes is put into `repo` and nowhere named.
pub fn train_unrecorded(repo: &Repo, options: &TrainOptions, ctx: &OpCtx<'_>) -> Result<TrainReport> {
    let start = begin(repo, options)?;
    let mut work = Work::unrecorded(ctx.run_start("train", repo.root()));
    train_within(repo, options, start.as_ref(), &mut work, ctx)
}

/// Checks what needs no data, and opens the model to go on from.
fn begin(repo: &Repo, options: &TrainOptions) -> Result<Option<Start>> {
    options.spec.check()?;
    if let Some(auto) = &options.spec.auto {
        auto::check(&options.spec, auto)?;
    }
    options.spec.from.as_deref().map(|name| Start::open(repo, name)).transpose()
}

fn train_within(
    repo: &Repo,
    options: &TrainOptions,
    start: Option<&Start>,
    work: &mut Work,
    ctx: &OpCtx<'_>,
) -> Result<TrainReport> {
    if let Some(spec) = &options.spec.auto {
        return search_within(repo, options, spec, work, ctx);
    }
    if let Some(start) = start {
        work.input("model", &start.found.label(), start.found.package)?;
    }
    let prepared = match (start, options.recipe) {
        (Some(start), recipe) => prepare_for(repo, &options.prepare, &start.package, recipe, ctx)?,
        (None, Some(recipe)) => reopen(repo, &options.prepare, recipe, ctx)?,
        (None, None) => prepare(repo, &options.prepare, ctx)?,
    };
    let kind = match start {
        Some(start) => start.kind(options.spec.model.as_deref())?,
        None => choose_kind(options.spec.model.as_deref(), prepared.subject.task, ctx.talk)?,
    };
    let from = start.map(|start| start.package.predictor());
    let mut points = Vec::new();
    let fitted = fit(kind, options, &prepared, from, &mut points, ctx)?;
    work.points(&points)?;
    // The scores of folds go to the run and nowhere else.
    let folds = match work.is_recorded() {
        true => score_folds(kind, options, &prepared, start.map(|start| &start.package), ctx)?,
        false => None,
    };
    failpoint::hit("train.fitted");
    Keep { repo, kind, options, start, auto: None, ctx }.keep(prepared, fitted, folds, work)
}

/// Searches for a model, and keeps it like any other.
fn search_within(
    repo: &Repo,
    options: &TrainOptions,
    spec: &AutoSpec,
    work: &mut Work,
    ctx: &OpCtx<'_>,
) -> Result<TrainReport> {
    let Automatic { prepared, fitted, kind, report } = auto::auto(repo, options, spec, work, ctx)?;
    failpoint::hit("train.fitted");
    let kept =
        Keep { repo, kind, options, start: None, auto: Some(&report), ctx }.keep(prepared, fitted, None, work)?;
    Ok(TrainReport { auto: Some(report), ..kept })
}

/// A model that a fit goes on from.
struct Start {
    found: ModelRef,
    package: ModelPackage,
}

impl Start {
    fn open(repo: &Repo, name: &str) -> Result<Start> {
        let found = repo.resolve_model(name)?;
        let package = open_package(repo, &found.package)?;
        Ok(Start { found, package })
    }

    /// Its kind, which has to be the one asked for.
    fn kind(&self, asked: Option<&str>) -> Result<&'static Kind> {
        let header = &self.package.header;
        match asked.filter(|name| *name != "auto" && *name != header.model) {
            Some(name) => {
                let what =
                    format!("{} is a `{}` model; `{name}` cannot go on from it", self.found.label(), header.model);
                Err(fail::usage(what).hint("leave the model kind out, or name that of the model").into())
            }
            None => {
                let kind = zoo::kind_for(&header.model, header.task)?;
                zoo::check_from(kind).map(|()| kind)
            }
        }
    }
}

/// All metrics of the task for predictions against the truth, classes told apart by `threshold`; `seen` are the rows as the
/// model saw them.
pub fn score_at(
    predictions: &Predictions,
    truth: &Target,
    task: Task,
    threshold: Option<f64>,
    seen: &Seen,
) -> Result<BTreeMap<String, f64>> {
    metrics::compute_at(None, &scores(predictions, truth, seen)?, task, threshold)
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

/// Says when the features were of no use: what answers every row alike does as well.
fn warn_of_baseline(kind: &Kind, fitted: &Fitted, task: Task, talk: &dyn Talk) {
    let headline = metrics::zoo::headline(task);
    let (own, other) = (fitted.metrics.get(headline), fitted.baseline.metrics.get(headline));
    let (Some(own), Some(other), Ok(metric)) = (own, other, metrics::zoo::find(headline, task)) else {
        return;
    };
    let is_no_better = if metric.higher_is_better { own <= other } else { own >= other };
    if is_no_better && kind.name != "baseline" {
        let answer = fitted.baseline.kind;
        talk.warn(&format!("no better than the baseline ({answer}): {headline} {own:.4}, baseline {other:.4}"));
    }
}

fn all_params(kind: &Kind, given: &toml::Table) -> toml::Table {
    let mut params = (kind.params)();
    params.extend(given.clone());
    params
}

/// What is kept of a training, and whence.
struct Keep<'a> {
    repo: &'a Repo,
    kind: &'a Kind,
    options: &'a TrainOptions,
    start: Option<&'a Start>,
    auto: Option<&'a AutoReport>,
    ctx: &'a OpCtx<'a>,
}

impl Keep<'_> {
    fn keep(
        &self,
        prepared: Prepared,
        fitted: Fitted,
        folds: Option<FoldsReport>,
        work: &mut Work,
    ) -> Result<TrainReport> {
        let params = fitted.params.clone().unwrap_or_else(|| all_params(self.kind, &self.options.spec.params));
        self.log(&prepared, &fitted, &params, folds.as_ref(), work)?;
        warn_of_baseline(self.kind, &fitted, prepared.subject.task, self.ctx.talk);
        let training_rows = prepared.split.rows(Part::Train as u8);
        let profile = profile(&prepared.subject.table.take(&training_rows)?);
        let header = self.header(&prepared, &fitted, &params, &profile)?;
        let (target, features) = (header.target.clone(), header.features.len());
        let mut package = ModelPackage::new(header, prepared.recipe, fitted.predictor, profile);
        if let Some(calibration) = fitted.calibration {
            package = package.calibrated(self.options.spec.calibrate, calibration);
        }
        let answered = Answered { rows_of: fitted.scored_on, answers: &fitted.answers, truth: Some(&fitted.truth) };
        let seed = Seed(self.ctx.seed);
        let places = draw(training_rows.len(), MONITOR_ROWS, seed.derive("monitoring rows"));
        let sample: Vec<u32> = places.iter().map(|place| training_rows[*place as usize]).collect();
        let monitoring = monitoring(&package, &answered, &prepared.subject.frame.take(&sample), seed)?;
        let bytes = package.monitored(monitoring).to_bytes()?;
        let model = self.repo.store().put(&bytes)?.id;
        let (task, dataset) = (prepared.subject.task, prepared.subject.dataset);
        let record = self.repo.put_record(&ModelRecord {
            package: model,
            model: self.kind.name.to_owned(),
            task,
            dataset: Some(dataset.id),
            split: Some(prepared.split_id),
            recipe: Some(prepared.recipe_id),
            metrics: fitted.metrics.clone(),
            from: self.start.map(|start| start.found.package),
            imported: None,
        })?;
        work.output("model", self.kind.name, model)?;
        work.output("model_record", self.kind.name, record)?;
        Ok(TrainReport {
            run: RunId::new([0; 8]),
            model,
            record,
            kind: self.kind.name.to_owned(),
            task,
            target,
            dataset: dataset.label,
            from: self.start.map(|start| start.found.label()),
            weight: prepared.subject.roles.weight,
            scored_on: fitted.scored_on.to_owned(),
            metrics: fitted.metrics,
            baseline: fitted.baseline.metrics,
            baseline_kind: fitted.baseline.kind.to_owned(),
            choices: fitted.choices,
            auto: None,
            folds,
            rows: fitted.rows,
            features,
            bytes: bytes.len(),
            seconds: fitted.seconds,
        })
    }

    fn header(
        &self,
        prepared: &Prepared,
        fitted: &Fitted,
        params: &toml::Table,
        profile: &ProfileRecord,
    ) -> Result<PackageHeader> {
        let subject = &prepared.subject;
        let target = subject.roles.target.clone().unwrap_or_default();
        Ok(PackageHeader {
            model: self.kind.name.to_owned(),
            task: subject.task,
            inputs: inputs(prepared, profile),
            features: prepared.recipe.features().to_vec(),
            classes: subject.target.classes().to_vec(),
            target_type: profile.column(&target).map(|column| column.column_type),
            target,
            params: serde_json::to_value(params)?,
            seed: self.ctx.seed,
            lineage: Lineage {
                dataset: Some(subject.dataset.id),
                split: Some(prepared.split_id),
                recipe: Some(prepared.recipe_id),
                from: self.start.map(|start| start.found.package),
                imported: None,
            },
            metrics: fitted.metrics.clone(),
            engine: zoo::ENGINE_VERSION,
            calibration: CalibrationMethod::None,
            threshold: fitted.threshold,
            baseline_answer: (!fitted.baseline.answer.is_empty()).then(|| fitted.baseline.answer.clone()),
        })
    }

    /// Parameters, metrics and inputs of the run.
    fn log(
        &self,
        prepared: &Prepared,
        fitted: &Fitted,
        params: &toml::Table,
        folds: Option<&FoldsReport>,
        work: &mut Work,
    ) -> Result<()> {
        if let Some(folds) = folds {
            work.points(&folds.points())?;
        }
        if let Some(calibration) = &fitted.choices.calibration {
            let before = calibration.before.iter().map(|(name, value)| (format!("uncalibrated.{name}"), *value));
            work.metrics(&before.collect())?;
        }
        work.metrics(&fitted.metrics)?;
        for (name, value) in params {
            work.param(name, serde_json::to_value(value)?)?;
        }
        work.param("model", self.kind.name.into())?;
        // What stands in [train] beside kind and parameters, and what was made of it.
        let spec = TrainSpec { model: None, params: toml::Table::new(), ..self.options.spec.clone() };
        if let serde_json::Value::Object(settings) = serde_json::to_value(&spec)? {
            for (name, value) in settings {
                work.param(&format!("train.{name}"), value)?;
            }
        }
        if let Some(column) = &prepared.subject.roles.weight {
            work.param("train.weight", column.as_str().into())?;
        }
        if let Some(threshold) = &fitted.choices.threshold {
            work.param("threshold", threshold.value.into())?;
        }
        let dataset = &prepared.subject.dataset;
        work.input("dataset", &dataset.label, dataset.id)?;
        work.input("split", "split", prepared.split_id)?;
        work.input("recipe", "recipe", prepared.recipe_id)?;
        let from = self.start.map(|start| start.found.package);
        let training = training::record(self.kind, self.options, prepared, from, self.auto, self.ctx);
        work.input(TrainingRecord::KIND, "training", self.repo.put_record(&training)?)
    }
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
