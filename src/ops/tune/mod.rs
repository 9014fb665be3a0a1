//! `tune`: searches parameters of a model or of a command, keeps every trial as a run, and trains the best.
//!
//! `settle` decides what a new study is and `resume` finds and takes up one that exists; `objective` and `attempt` try one
//! point; `drive` hands points to threads and keeps what ends; `trials` is the form in which it is kept.

mod attempt;
mod drive;
mod importance;
mod objective;
pub mod resume;
mod settle;
pub mod trials;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::base::failpoint;
use crate::base::id::{ObjectId, RunId};
use crate::base::seed::Seed;
use crate::base::units;
use crate::ops::context::OpCtx;
use crate::ops::prepare::PrepareOptions;
use crate::ops::recorded::{Done, Work, recorded};
use crate::ops::stages::Workspace;
use crate::ops::train::{TrainOptions, train_after};
use crate::ops::tune::drive::{Searched, search};
use crate::ops::tune::settle::{ModelSubject, Settled, Subject};
use crate::ops::tune::trials::{EndedTrial, STUDY_TAG, as_json, origin};
use crate::record::Record;
use crate::record::run::Link;
use crate::record::study::{StudyEnd, StudyRecord, StudyTrial, TrialState};
use crate::repo::Repo;
use crate::search::pruner::Pruner;
use crate::search::space::Range;
use crate::search::study::{LAG, StopAt, Study, StudyOptions};
use crate::search::told::Told;
use crate::spec::model::TrainSpec;
use crate::spec::tune::{Direction, SamplerName, TuneSpec, parse_stop_at};

/// Kind of the run of a study.
pub const KIND: &str = "tune";
/// Trials named in a report.
const LEADERS: usize = 10;

/// What to search.
#[derive(Clone, Debug)]
pub struct TuneOptions {
    /// Dataset, split, recipe.
    pub prepare: PrepareOptions,
    /// Kind and parameters that the search starts from, and what is decided around a fit.
    pub train: TrainSpec,
    /// What is searched, and how.
    pub tune: TuneSpec,
    /// Parameters that are not searched.
    pub fixed: toml::Table,
    /// A study to go on with; the options above, except the number of jobs, are then those it began with.
    pub resume: Option<Resume>,
    /// Number of trials that a study to go on with should have in all.
    pub trials_given: Option<usize>,
    /// Time that it may take from now on.
    pub time_given: Option<String>,
    /// A study to learn from.
    pub warm_from: Option<String>,
    /// The project file to write the best parameters into.
    pub write: Option<PathBuf>,
}

/// Which study to go on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The newest that was broken off.
    Last,
    /// The one so named.
    Study(String),
}

/// The best trial.
#[derive(Clone, Debug, Serialize)]
pub struct BestReport {
    /// Its run.
    pub run: RunId,
    /// Its number, from 0.
    pub number: usize,
    /// The parameters that were searched.
    pub params: BTreeMap<String, Value>,
    /// Its value of the metric.
    pub value: f64,
    /// All its metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TuneReport {
    /// The study: id of the run that began it.
    pub study: RunId,
    /// The run of this search; another one when the study was taken up again.
    pub run: RunId,
    /// The study record.
    pub record: ObjectId,
    /// Name of the model kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Name of the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The metric that was improved.
    pub metric: String,
    /// Which values of it are good.
    pub direction: Direction,
    /// Why it ended: `trials`, `time`, `target`, `patience` or `exhausted`.
    pub ended: StudyEnd,
    /// The best trial.
    pub best: BestReport,
    /// Value of the first trial, which has the parameters that are usual, as far as the space has them; not of a grid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
    /// Number of trials; with `--trials` of it, the same study comes out again.
    pub trials: usize,
    /// Trials with a value.
    pub finished: usize,
    /// Trials that were given up.
    pub pruned: usize,
    /// Trials that failed.
    pub failed: usize,
    /// Why the first of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_failure: Option<String>,
    /// Trials that had been made before.
    pub taken_over: usize,
    /// The best trials, best first.
    pub leaders: Vec<StudyTrial>,
    /// How much each parameter mattered, in shares; empty when there are too few trials to tell.
    pub importance: BTreeMap<String, f64>,
    /// The best parameters as they stand in a project file.
    pub snippet: String,
    /// The model trained with them: id of its package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ObjectId>,
    /// Its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_run: Option<RunId>,
    /// The project file that they were written into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<PathBuf>,
    /// Seconds spent searching.
    pub seconds: f64,
}

/// A study that ended, with its record.
struct Ended<'a> {
    settled: Settled<'a>,
    searched: Searched,
    record: StudyRecord,
    id: ObjectId,
}

/// Searches, keeps the study, and trains the best.
///
/// Errors: those of settling a study or of taking one up; no trial that came to its end.
pub fn tune(space: &Workspace<'_>, options: &TuneOptions, ctx: &OpCtx<'_>) -> Result<TuneReport> {
    if let Some(path) = &options.write {
        write::readable(path)?;
    }
    let clock = Instant::now();
    // Before the run of this verb exists, as it is a run of that study too.
    let resumed = options.resume.as_ref().map(|wanted| resume::resume(space, wanted, options, ctx)).transpose()?;
    let seed = resumed.as_ref().map_or(ctx.seed, |(_, settled)| settled.settings.seed);
    let ctx = &OpCtx { seed, ..ctx.clone() };
    let outcome = recorded(space.repo, ctx, KIND, |staging, work| {
        let (begun, settled) = match resumed {
            Some(found) => found,
            None => begin(settle::settle(space, options, work.run(), staging, ctx)?, staging)?,
        };
        note(&settled, begun, work)?;
        let study = study_of(&settled)?;
        let jobs = jobs(&settled, options.tune.jobs, &study, ctx);
        let searched = search(staging, &settled, study, begun, jobs, work, ctx)?;
        failpoint::hit("tune.searched");
        Ok(Done::yes(keep(settled, searched, staging, work)?))
    })?;
    let seconds = clock.elapsed().as_secs_f64();
    let Ended { settled, searched, record, id } = outcome.value;
    let best = best(&settled, &searched.trials);
    let mut report = report(&settled, &searched, record, best, seconds)?;
    (report.run, report.record) = (outcome.run, id);
    if let Subject::Model(subject) = &settled.subject {
        let made = train_best(space.repo, subject, &settled, best, id, ctx)?;
        (report.model, report.model_run) = (Some(made.0), Some(made.1));
    }
    if let Some(path) = &options.write {
        let target = target(&settled);
        write::write(path, &space.repo.layout().staging(), &target, &written_params(&settled, best))?;
        report.written = Some(path.clone());
    }
    Ok(report)
}

/// Keeps what the study is, so that whoever finds it broken off can go on.
fn begin<'a>(settled: Settled<'a>, staging: &Repo) -> Result<(ObjectId, Settled<'a>)> {
    let record = StudyRecord {
        study: settled.study,
        settings: settled.settings.clone(),
        trials: Vec::new(),
        best: None,
        ended: None,
    };
    let begun = staging.put_record(&record)?;
    // Trials name it, and they are sealed while the search goes on.
    staging.store().sync()?;
    Ok((begun, settled))
}

/// What the run of the study says from the start.
fn note(settled: &Settled<'_>, begun: ObjectId, work: &mut Work) -> Result<()> {
    let Settled { study, settings, .. } = settled;
    work.tag(STUDY_TAG, &study.hex())?;
    let Link { role, name, id } = origin(study, begun);
    work.output(&role, &name, id)?;
    let tune = serde_json::to_value(&settings.tune)?;
    for (name, value) in tune.as_object().into_iter().flatten().filter(|(name, _)| *name != "space") {
        work.param(&format!("tune.{name}"), value.clone())?;
    }
    for (role, id) in [("dataset", settings.dataset), ("split", settings.split), ("recipe", settings.recipe)] {
        if let Some(id) = id {
            work.input(role, role, id)?;
        }
    }
    Ok(())
}

/// The study as `search` knows it, with the trials that were made before.
fn study_of(settled: &Settled<'_>) -> Result<Study> {
    let tune = &settled.settings.tune;
    let stop_at = tune.stop_at.as_deref().map(parse_stop_at).transpose()?.and_then(|gate| StopAt::of(&gate));
    let options = StudyOptions {
        sampler: tune.sampler,
        pruner: Pruner::named(tune.pruner, steps_max(settled)),
        lag: LAG,
        patience: tune.patience,
        stop_at,
        ..StudyOptions::new(
            settled.space.clone(),
            settled.direction,
            Seed(tune.seed.unwrap_or(settled.settings.seed)).derive("tune"),
            tune.trials,
        )
    };
    let mut study = Study::new(options)?;
    if tune.sampler != SamplerName::Grid {
        // A grid has its own points, each once.
        study.enqueue(&settled.first);
    }
    study.warm_from(settled.warm.clone());
    let told = |trial: &EndedTrial| {
        Told::of(&settled.space, trial.number, &trial.params, trial.outcome.clone(), trial.curve.clone())
    };
    study.restore(settled.kept.values().map(told).collect())?;
    Ok(study)
}

/// Most steps that a trial reports: folds, or trees.
fn steps_max(settled: &Settled<'_>) -> u64 {
    let tune = &settled.settings.tune;
    if let Some(folds) = tune.folds {
        return folds as u64;
    }
    let searched = match settled.space.dimension("trees").map(|dimension| &dimension.range) {
        Some(Range::Integer { high, .. }) => Some(*high),
        Some(Range::Choice { values }) => values.iter().filter_map(toml::Value::as_integer).max(),
        _ => settled.first.get("trees").and_then(toml::Value::as_integer),
    };
    searched.unwrap_or(1).max(1) as u64
}

/// How many trials run at once. What is found does not depend on it.
fn jobs(settled: &Settled<'_>, wanted: Option<usize>, study: &Study, ctx: &OpCtx<'_>) -> usize {
    let most = study.options().jobs_max();
    let usual = match settled.subject {
        Subject::Model(_) => std::thread::available_parallelism().map_or(1, usize::from),
        // Commands share the project folder and may write the same files.
        Subject::Stage(_) => 1,
    };
    if wanted.is_some_and(|wanted| wanted > most) {
        let trials = units::plural(most as u64, "trial");
        ctx.talk
            .info(&format!("{trials} at once: more would have to be chosen without knowing how earlier ones ended"));
    }
    wanted.unwrap_or(usual).clamp(1, most)
}

/// The best trial: the first of equals. There is one, as a search without any is an error.
fn best<'t>(settled: &Settled<'_>, trials: &'t [EndedTrial]) -> &'t EndedTrial {
    leaders(settled, trials).into_iter().next().expect("a search ends with at least one value")
}

/// Trials with a value, best first, the first of equals before the others.
fn leaders<'t>(settled: &Settled<'_>, trials: &'t [EndedTrial]) -> Vec<&'t EndedTrial> {
    let cost = |trial: &EndedTrial| trial.outcome.value().map(|value| settled.direction.cost(value));
    let mut ranked: Vec<(f64, &EndedTrial)> =
        trials.iter().filter_map(|trial| cost(trial).map(|cost| (cost, trial))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.number.cmp(&b.1.number)));
    ranked.into_iter().map(|(_, trial)| trial).collect()
}

/// Keeps the study as it ended.
fn keep<'a>(settled: Settled<'a>, searched: Searched, staging: &Repo, work: &mut Work) -> Result<Ended<'a>> {
    let best = best(&settled, &searched.trials);
    work.metrics(&best.metrics)?;
    let record = StudyRecord {
        study: settled.study,
        settings: settled.settings.clone(),
        trials: searched.trials.iter().map(EndedTrial::to_study_trial).collect::<Result<_>>()?,
        best: Some(best.number as u64),
        ended: Some(searched.ended),
    };
    for (name, value) in as_json(&best.params)? {
        work.param(&name, value)?;
    }
    work.param("best", best.run.hex().into())?;
    work.param("trials", searched.trials.len().into())?;
    let id = staging.put_record(&record)?;
    work.output(StudyRecord::KIND, &format!("run:{}", settled.study), id)?;
    Ok(Ended { settled, searched, record, id })
}

/// All parameters of a model that is trained with the best point.
fn written_params(settled: &Settled<'_>, best: &EndedTrial) -> toml::Table {
    let mut params = settled.settings.train.params.clone();
    params.extend(best.params.clone());
    params
}

fn target(settled: &Settled<'_>) -> write::Target {
    match &settled.subject {
        Subject::Model(subject) => write::Target::Model(subject.kind.name.to_owned()),
        Subject::Stage(subject) => write::Target::Stage(subject.spec.name.clone()),
    }
}

/// Trains the best on the rows of the study; the run of the model names the study.
fn train_best(
    repo: &Repo,
    subject: &ModelSubject,
    settled: &Settled<'_>,
    best: &EndedTrial,
    study: ObjectId,
    ctx: &OpCtx<'_>,
) -> Result<(ObjectId, RunId)> {
    let params = written_params(settled, best);
    let options = TrainOptions {
        prepare: subject.prepare.clone(),
        recipe: Some(subject.recipe),
        spec: TrainSpec { params, ..settled.settings.train.clone() },
    };
    let origin = Link { role: StudyRecord::KIND.to_owned(), name: format!("run:{}", settled.study), id: study };
    let made = train_after(repo, &options, &[origin], ctx)?;
    Ok((made.model, made.run))
}

fn report(
    settled: &Settled<'_>,
    searched: &Searched,
    record: StudyRecord,
    best: &EndedTrial,
    seconds: f64,
) -> Result<TuneReport> {
    let count = |state: TrialState| record.trials.iter().filter(|trial| trial.state == state).count();
    let tune = &settled.settings.tune;
    let ranked = leaders(settled, &searched.trials);
    let first = searched.trials.first().filter(|_| tune.sampler != SamplerName::Grid);
    Ok(TuneReport {
        study: settled.study,
        run: settled.study,
        record: ObjectId::new([0; 32]),
        kind: tune.model.clone(),
        stage: tune.stage.clone(),
        metric: tune.metric.clone().unwrap_or_default(),
        direction: settled.direction,
        ended: searched.ended,
        best: BestReport {
            run: best.run,
            number: best.number,
            params: as_json(&best.params)?,
            value: best.outcome.value().unwrap_or(f64::NAN),
            metrics: best.metrics.clone(),
        },
        usual: first.and_then(|first| first.outcome.value()),
        trials: record.trials.len(),
        finished: count(TrialState::Finished),
        pruned: count(TrialState::Pruned),
        failed: count(TrialState::Failed),
        first_failure: record.trials.iter().find_map(|trial| trial.error.clone()),
        taken_over: searched.taken_over,
        leaders: ranked.iter().take(LEADERS).map(|trial| trial.to_study_trial()).collect::<Result<_>>()?,
        importance: importance::importance(&record.trials, settled.settings.seed)?,
        snippet: write::snippet(&target(settled), &written_params(settled, best)),
        model: None,
        model_run: None,
        written: None,
        seconds,
    })
}
