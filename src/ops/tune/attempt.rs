//! One trial, on the thread of a worker: a model that is fitted and scored, or a command that logs a value.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::host::Usage;
use crate::base::id::RunId;
use crate::base::talk::Silent;
use crate::ops::command;
use crate::ops::context::inner_start;
use crate::ops::tune::drive::{Job, Shared};
use crate::ops::tune::objective::{Measured, Objective};
use crate::ops::tune::settle::{StageSubject, Subject};
use crate::ops::tune::trials::{EndedTrial, OUTCOME_TAG, Span, as_json, origin, tags};
use crate::record::run::{RunRecord, RunStart, RunState, TRIAL};
use crate::record::study::TrialState;
use crate::repo::journal::{RunEnd, RunJournal};
use crate::search::study::Verdict;
use crate::search::told::Outcome;
use crate::spec::project::StageSpec;

/// What became of a job.
pub enum Fate {
    /// It ended; with the record to seal, unless it is sealed already.
    Ended(Box<EndedTrial>, Option<Box<RunRecord>>),
    /// It was not wanted any more.
    Stopped,
    /// The search cannot go on.
    Broken(anyhow::Error),
}

/// How a worker tries points.
pub struct Attempt<'a> {
    /// What all workers share.
    pub shared: &'a Shared<'a>,
    /// The run of the study.
    pub start: &'a RunStart,
}

/// What was measured of a point, before it is a trial.
#[derive(Default)]
struct Found {
    /// `None` when it was stopped.
    outcome: Option<Outcome>,
    curve: Vec<(u64, f64)>,
    metrics: BTreeMap<String, f64>,
}

impl Fate {
    /// The fate of a job whose thread panicked outside of the fit, which is caught closer by.
    pub fn panicked(job: &Job, panic: &(dyn Any + Send)) -> Fate {
        Fate::Broken(fail::world(format!("trial {} panicked: {}", job.number, words(panic))).into())
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

impl Attempt<'_> {
    /// Tries a point.
    pub fn attempt(&self, job: &Job) -> Fate {
        if self.shared.is_unwanted(job.number) {
            return Fate::Stopped;
        }
        match &self.shared.settled.subject {
            Subject::Model(subject) => self.fit(&subject.objective, job),
            Subject::Stage(subject) => self.run(subject, job).unwrap_or_else(Fate::Broken),
        }
    }

    fn metric(&self) -> &str {
        self.shared.settled.settings.tune.metric.as_deref().unwrap_or_default()
    }

    fn fit(&self, objective: &Objective, job: &Job) -> Fate {
        let now = || self.shared.ctx.clock.now();
        let (start, timer) = (inner_start(self.start, TRIAL, now()), Instant::now());
        let measured = catch_unwind(AssertUnwindSafe(|| self.measure(objective, job)));
        let found = measured.unwrap_or_else(|panic| {
            // A bug in one corner of the space must not cost the rest of the search.
            let outcome = Some(Outcome::Failed(format!("it panicked: {}", words(&*panic))));
            Found { outcome, ..Found::default() }
        });
        let Found { outcome: Some(outcome), curve, metrics } = found else {
            return Fate::Stopped;
        };
        let trial = self.trial(job, start.id, outcome, curve, metrics);
        let span = Span { ended: now(), seconds: timer.elapsed().as_secs_f64() };
        match trial.to_record(start, &self.shared.settled.study, self.shared.begun, self.metric(), span) {
            Ok(record) => Fate::Ended(Box::new(trial), Some(Box::new(record))),
            Err(error) => Fate::Broken(error),
        }
    }

    /// A fit and its scores, reporting on the way and heeding the answers.
    fn measure(&self, objective: &Objective, job: &Job) -> Found {
        let direction = self.shared.settled.direction;
        let (mut curve, mut pruned) = (Vec::new(), false);
        let mut report = |step: i64, loss: f64| {
            if self.shared.is_unwanted(job.number) {
                return ControlFlow::Break(());
            }
            let (step, value) = (step.max(0) as u64, direction.cost(loss));
            curve.push((step, value));
            pruned = self.shared.study().report(job.number, step, value) == Verdict::Prune;
            if pruned { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let measured = objective.measure(&job.params, &mut report);
        let (outcome, metrics) = match measured {
            Ok(Measured::Metrics(metrics)) => (Some(value_of(self.metric(), &metrics)), metrics),
            Ok(Measured::Stopped) => {
                let last = curve.last().filter(|_| pruned);
                (last.map(|(step, value)| Outcome::Pruned { step: *step, value: *value }), BTreeMap::new())
            }
            Err(error) => (Some(Outcome::Failed(format!("{error:#}"))), BTreeMap::new()),
        };
        Found { outcome, curve, metrics }
    }

    fn trial(
        &self,
        job: &Job,
        run: RunId,
        outcome: Outcome,
        curve: Vec<(u64, f64)>,
        metrics: BTreeMap<String, f64>,
    ) -> EndedTrial {
        EndedTrial { number: job.number, run, params: job.params.clone(), outcome: outcome.checked(), curve, metrics }
    }

    /// Runs the command of a stage with the point in its environment, as a run of its own that the command logs to.
    fn run(&self, subject: &StageSubject<'_>, job: &Job) -> Result<Fate> {
        let Shared { repo, settled, begun, ctx, .. } = self.shared;
        let mut start = inner_start(self.start, TRIAL, ctx.clock.now());
        start.stage = Some(subject.spec.name.clone());
        let (run, started, timer) = (start.id, start.started, Instant::now());
        let mut journal = RunJournal::start(repo, &start)?;
        journal.input(origin(&settled.study, *begun))?;
        for (name, value) in as_json(&job.params)? {
            journal.param(&name, value)?;
        }
        for (name, value) in tags(&settled.study, job.number, self.metric(), None) {
            journal.tag(&name, &value)?;
        }
        let mut spec: StageSpec = subject.spec.clone();
        spec.params.extend(job.params.clone());
        let child = command::start(&subject.space(), &spec, run)?;
        let (status, text) = command::wait(child, &Silent)?;
        let metrics: BTreeMap<String, f64> =
            journal.logged()?.into_iter().map(|point| (point.name, point.value)).collect();
        let outcome = match status.success() {
            true => value_of(self.metric(), &metrics),
            false => Outcome::Failed(format!("`{}` ended with {status}", spec.cmd)),
        };
        let silent = status.success() && !metrics.contains_key(self.metric());
        let trial = self.trial(job, run, outcome, Vec::new(), metrics);
        journal.tag(OUTCOME_TAG, trial.state().name())?;
        let failed = trial.state() == TrialState::Failed;
        let end = RunEnd {
            state: if failed { RunState::Failed } else { RunState::Finished },
            ended: ctx.clock.now().max(started),
            wall_seconds: timer.elapsed().as_secs_f64(),
            usage: Usage::default(),
            exit_code: status.code(),
            error: trial.error().map(str::to_owned),
            output_text: Some(repo.store().put(&text)?.id),
        };
        let now = end.ended;
        journal.seal(end, Vec::new(), &ctx.actor(), now).context("cannot keep a trial")?;
        if silent && self.shared.study().best().is_none() {
            return Err(self.never_logged(&spec));
        }
        Ok(Fate::Ended(Box::new(trial), None))
    }

    fn never_logged(&self, spec: &StageSpec) -> anyhow::Error {
        let metric = self.metric();
        fail::usage(format!("`{}` ended well and did not log {metric}, so there is nothing to search by", spec.cmd))
            .hint(format!("let it run `mlops log metric {metric}=VALUE`, or name what it logs with --metric"))
            .into()
    }
}

/// The value of the metric, or a failure when it has none.
fn value_of(metric: &str, metrics: &BTreeMap<String, f64>) -> Outcome {
    match metrics.get(metric) {
        Some(value) => Outcome::Value(*value),
        None => Outcome::Failed(format!("`{metric}` has no value")),
    }
}
