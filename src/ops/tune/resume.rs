//! Studies that exist: by which name they are found, how they are taken up again, and learned from.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::index::{Index, RunFilter, RunRow, Side};
use crate::models::zoo;
use crate::ops::context::OpCtx;
use crate::ops::prepare::{PrepareOptions, reopen};
use crate::ops::stages::Workspace;
use crate::ops::tune::objective::Objective;
use crate::ops::tune::settle::{ModelSubject, Settled, Subject, stage_named, stage_subject, time_of};
use crate::ops::tune::trials::{BEGUN, STUDY_TAG, kept};
use crate::ops::tune::{KIND, Resume, TuneOptions};
use crate::record::Record;
use crate::record::run::RunState;
use crate::record::study::StudyRecord;
use crate::repo::Repo;
use crate::search::space::Space;
use crate::search::told::Told;
use crate::spec::tune::Direction;

/// The study that `text` names: `last`, or the id of a run that belongs to it.
///
/// Errors: no such run, or one of another kind.
pub fn study_named(repo: &Repo, text: &str) -> Result<RunId> {
    let index = repo.index()?;
    if text == "last" {
        let newest = runs(&index, None)?.into_iter().next();
        return newest
            .and_then(|row| study_of(&row))
            .ok_or_else(|| fail::usage("there is no study yet").hint("`mlops tune` makes one").into());
    }
    let run = repo.resolve_run(text)?;
    let row = index.run(&run)?;
    row.as_ref().and_then(study_of).ok_or_else(|| {
        let kind = row.map_or_else(String::new, |row| row.kind);
        fail::usage(format!("run {run} is of kind {kind} and belongs to no study"))
            .hint("see the studies there are: `mlops log --kind tune`")
            .into()
    })
}

fn study_of(row: &RunRow) -> Option<RunId> {
    row.tags.get(STUDY_TAG)?.parse().ok()
}

/// Runs of kind `tune`, of one study or of all, newest first.
fn runs(index: &Index, study: Option<&RunId>) -> Result<Vec<RunRow>> {
    let tag = study.map(|study| (STUDY_TAG.to_owned(), study.hex()));
    index.runs(&RunFilter { kind: Some(KIND.to_owned()), tag, ..RunFilter::default() })
}

/// The newest record in `role` that a run of the study made.
fn record_of(repo: &Repo, study: &RunId, role: &str) -> Result<Option<(ObjectId, StudyRecord)>> {
    let index = repo.index()?;
    for row in runs(&index, Some(study))? {
        let made = index.edges_of_run(&row.run)?.into_iter();
        let mut records = made.filter(|edge| edge.side == Side::Output && edge.role == role);
        if let Some(edge) = records.next() {
            return Ok(Some((edge.object, repo.record(&edge.object)?)));
        }
    }
    Ok(None)
}

/// The newest study whose last run did not end well.
fn unfinished(repo: &Repo) -> Result<RunId> {
    let mut seen = BTreeSet::new();
    for row in runs(&repo.index()?, None)? {
        let Some(study) = study_of(&row).filter(|study| seen.insert(*study)) else {
            continue;
        };
        let Some((_, record)) = record_of(repo, &study, BEGUN)? else { continue };
        let is_broken_off = match row.state {
            RunState::Killed => true,
            // One whose trials have all failed has come to its end.
            RunState::Failed => kept(repo, &study)?.len() < record.settings.tune.trials,
            RunState::Running | RunState::Finished => false,
        };
        if is_broken_off {
            return Ok(study);
        }
    }
    Err(fail::usage("no study was broken off")
        .hint("to go on with one that ended, name it and give more trials: `mlops tune --resume STUDY --trials 200`")
        .into())
}

/// Takes up a study where it stopped, with the settings it began with; more trials or time when `options` give them.
///
/// Errors: no such study, one whose record or rows are gone, a command that is not what it was.
pub fn resume<'a>(
    space: &Workspace<'a>,
    wanted: &Resume,
    options: &TuneOptions,
    ctx: &OpCtx<'_>,
) -> Result<(ObjectId, Settled<'a>)> {
    let repo = space.repo;
    let study = match wanted {
        Resume::Last => unfinished(repo)?,
        Resume::Study(text) => study_named(repo, text)?,
    };
    let (begun, record) = record_of(repo, &study, BEGUN)?.ok_or_else(|| {
        fail::usage(format!("study {study} stopped before its first trial")).hint("start another one")
    })?;
    if runs(&repo.index()?, Some(&study))?.iter().any(|row| row.state == RunState::Running) {
        return Err(fail::usage(format!("study {study} is being searched right now"))
            .hint("wait for it to end, or stop that process first")
            .into());
    }
    let mut settings = record.settings;
    settings.tune.trials = options.trials_given.unwrap_or(settings.tune.trials);
    settings.tune.time = options.time_given.clone().or(settings.tune.time);
    settings.tune.check()?;
    let ctx = OpCtx { seed: settings.seed, ..ctx.clone() };
    let searched = Space::from_toml(&settings.tune.space)?;
    let direction = settings.tune.direction.unwrap_or(Direction::Minimise);
    let (subject, first) = match settings.tune.stage.as_deref() {
        Some(name) => {
            let mut spec = stage_named(space, name)?;
            if Some(&spec.cmd) != settings.command.as_ref() {
                let what = format!("the command of stage `{name}` is not what it was when study {study} began");
                return Err(fail::usage(what).hint("start another study, with --warm-from this one").into());
            }
            spec.params.extend(settings.train.params.clone());
            (Subject::Stage(stage_subject(space, spec.clone())), spec.params)
        }
        None => {
            let subject = reopened(repo, &settings, direction, &ctx)?;
            let mut first = (subject.kind.params)();
            first.extend(settings.train.params.clone());
            (Subject::Model(Box::new(subject)), first)
        }
    };
    let warm = match &settings.warm_from {
        Some(id) => told(repo, &repo.record(id)?, &searched)?,
        None => Vec::new(),
    };
    let kept = kept(repo, &study)?;
    let time = time_of(&settings.tune)?;
    Ok((begun, Settled { study, settings, subject, space: searched, direction, first, warm, kept, time }))
}

/// The rows of a study as it had them.
fn reopened(
    repo: &Repo,
    settings: &crate::record::study::StudySettings,
    direction: Direction,
    ctx: &OpCtx<'_>,
) -> Result<ModelSubject> {
    let missing = || fail::world("the record of the study names no rows").hint("start another study");
    let (recipe, model) = settings.recipe.zip(settings.tune.model.as_deref()).ok_or_else(missing)?;
    let kind = zoo::kind(model)?;
    let prepare = PrepareOptions {
        dataset: settings.dataset.map(|id| id.hex()),
        default_name: None,
        roles: settings.roles.clone(),
        split: Default::default(),
        transform: settings.transform.clone(),
        family: Some(kind.family),
    };
    let prepared = reopen(repo, &prepare, recipe, ctx).context("cannot open the rows of the study again")?;
    let prepare = PrepareOptions { split: prepared.split_spec.clone(), ..prepare };
    let metric = crate::metrics::zoo::find(settings.tune.metric.as_deref().unwrap_or_default(), prepared.subject.task)?;
    let wanted = (metric.name, direction == Direction::Maximise);
    let objective = Objective::new(kind, &settings.train, &prepare, &prepared, wanted, ctx)?;
    Ok(ModelSubject { kind, objective, prepare, recipe })
}

/// Trials of another study to learn from, and its record.
///
/// Errors: a study that has not ended, or that searched another metric.
pub fn warm(repo: &Repo, reference: &str, settled: &Settled<'_>) -> Result<(ObjectId, Vec<Told>)> {
    let study = study_named(repo, reference)?;
    let (id, record) = record_of(repo, &study, StudyRecord::KIND)?.ok_or_else(|| {
        fail::usage(format!("study {study} has not ended")).hint("end it first: `mlops tune --resume`")
    })?;
    let (theirs, ours) = (&record.settings.tune, &settled.settings.tune);
    if (&theirs.metric, theirs.direction) != (&ours.metric, ours.direction) {
        let shown = |metric: &Option<String>| metric.clone().unwrap_or_default();
        let what = format!("study {study} searched by {}, this one by {}", shown(&theirs.metric), shown(&ours.metric));
        return Err(fail::usage(what).hint("search by the same metric in the same direction").into());
    }
    Ok((id, told(repo, &record, &settled.space)?))
}

/// The trials that a record lists, as they are learned from.
fn told(repo: &Repo, record: &StudyRecord, space: &Space) -> Result<Vec<Told>> {
    let mut all = kept(repo, &record.study)?;
    let listed = record.trials.iter().filter_map(|trial| all.remove(&(trial.number as usize)));
    Ok(listed.map(|trial| Told::of(space, trial.number, &trial.params, trial.outcome, trial.curve)).collect())
}
