//! Trials as runs: what is kept of each, and how a study that is taken up again reads it back.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::index::RunFilter;
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState, TRIAL};
use crate::record::study::{StudyTrial, TrialState};
use crate::repo::Repo;
use crate::search::told::Outcome;

/// Tag of a run with the study it belongs to.
pub const STUDY_TAG: &str = "study";
/// Tag of a trial with its number.
pub const NUMBER_TAG: &str = "trial";
/// Tag of a trial with how it ended: `finished`, `pruned` or `failed`.
pub const OUTCOME_TAG: &str = "outcome";
/// Tag of a trial with the metric of its study.
pub const METRIC_TAG: &str = "metric";
/// Role of the record of a study as it began, to the runs that belong to it.
pub const BEGUN: &str = "study_begun";
/// Metric with what a trial reported on its way, in the direction of the study's metric.
pub const PROGRESS: &str = "progress";

/// A trial that ended.
#[derive(Clone, Debug)]
pub struct EndedTrial {
    /// Its number in the study, from 0.
    pub number: usize,
    /// Its run.
    pub run: RunId,
    /// The point.
    pub params: toml::Table,
    /// How it ended.
    pub outcome: Outcome,
    /// What it reported on its way: steps, rising, and the value there.
    pub curve: Vec<(u64, f64)>,
    /// All metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// When a trial began and ended.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its end.
    pub ended: Timestamp,
    /// From start to end, in seconds.
    pub seconds: f64,
}

impl EndedTrial {
    /// How it ended, in a word.
    pub fn state(&self) -> TrialState {
        match &self.outcome {
            Outcome::Value(_) => TrialState::Finished,
            Outcome::Pruned { .. } => TrialState::Pruned,
            Outcome::Failed(_) => TrialState::Failed,
        }
    }

    /// Why it failed.
    pub fn error(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Failed(why) => Some(why),
            _ => None,
        }
    }

    /// The line of the study's record.
    pub fn to_study_trial(&self) -> Result<StudyTrial> {
        Ok(StudyTrial {
            number: self.number as u64,
            run: self.run,
            state: self.state(),
            params: as_json(&self.params)?,
            value: self.outcome.value(),
            error: self.error().map(str::to_owned),
        })
    }

    /// The record of its run. Processor time and memory are not told apart among trials of one process, so they are left at 0.
    pub fn to_record(
        &self,
        start: RunStart,
        study: &RunId,
        begun: ObjectId,
        metric: &str,
        span: Span,
    ) -> Result<RunRecord> {
        let on_the_way = self.curve.iter().map(|(step, value)| point(PROGRESS, *step as i64, *value));
        let at_the_end = self.metrics.iter().map(|(name, value)| point(name, 0, *value));
        Ok(RunRecord {
            state: if self.state() == TrialState::Failed { RunState::Failed } else { RunState::Finished },
            ended: span.ended.max(start.started),
            wall_seconds: span.seconds,
            usage: Usage::default(),
            params: as_json(&self.params)?,
            metrics: on_the_way.chain(at_the_end).collect(),
            tags: tags(study, self.number, metric, Some(self.state())).collect(),
            inputs: vec![origin(study, begun)],
            outputs: Vec::new(),
            output_text: None,
            exit_code: None,
            error: self.error().map(str::to_owned),
            start,
        })
    }

    /// The trial that a record is of; `None` when it was killed before it ended.
    pub fn of_record(record: &RunRecord) -> Option<EndedTrial> {
        let number = record.tags.get(NUMBER_TAG)?.parse().ok()?;
        let curve = record.metrics.iter().filter(|point| point.name == PROGRESS);
        let curve: Vec<(u64, f64)> = curve.map(|point| (point.step.max(0) as u64, point.value)).collect();
        let mut metrics: BTreeMap<String, f64> =
            record.last_metrics().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        metrics.remove(PROGRESS);
        let outcome = match TrialState::named(record.tags.get(OUTCOME_TAG)?)? {
            TrialState::Finished => Outcome::Value(*metrics.get(record.tags.get(METRIC_TAG)?)?),
            TrialState::Pruned => {
                let (step, value) = *curve.last()?;
                Outcome::Pruned { step, value }
            }
            TrialState::Failed => Outcome::Failed(record.error.clone().unwrap_or_default()),
        };
        let params = serde_json::to_value(&record.params).and_then(serde_json::from_value).ok()?;
        Some(EndedTrial { number, run: record.start.id, params, outcome, curve, metrics })
    }
}

/// What every run of a study reads.
pub fn origin(study: &RunId, begun: ObjectId) -> Link {
    Link { role: BEGUN.to_owned(), name: format!("run:{study}"), id: begun }
}

/// Tags of a trial, with how it ended once that is known.
pub fn tags(
    study: &RunId,
    number: usize,
    metric: &str,
    state: Option<TrialState>,
) -> impl Iterator<Item = (String, String)> {
    let tag = |name: &str, value: String| (name.to_owned(), value);
    let outcome = state.map(|state| tag(OUTCOME_TAG, state.name().to_owned()));
    let known = [tag(STUDY_TAG, study.hex()), tag(NUMBER_TAG, number.to_string()), tag(METRIC_TAG, metric.to_owned())];
    known.into_iter().chain(outcome)
}

/// Parameters as records keep them.
pub fn as_json(params: &toml::Table) -> Result<BTreeMap<String, serde_json::Value>> {
    params.iter().map(|(name, value)| Ok((name.clone(), serde_json::to_value(value)?))).collect()
}

/// The trials of `study` that ended, by number. One that was tried twice, as by two processes, gave the same both times.
pub fn kept(repo: &Repo, study: &RunId) -> Result<BTreeMap<usize, EndedTrial>> {
    let filter = RunFilter {
        kind: Some(TRIAL.to_owned()),
        tag: Some((STUDY_TAG.to_owned(), study.hex())),
        ..RunFilter::default()
    };
    let mut found = BTreeMap::new();
    for row in repo.index()?.runs(&filter)? {
        let Some(id) = row.record else { continue };
        let record: RunRecord = repo.record(&id)?;
        if let Some(trial) = EndedTrial::of_record(&record) {
            found.insert(trial.number, trial);
        }
    }
    Ok(found)
}

fn point(name: &str, step: i64, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), step, value }
}
