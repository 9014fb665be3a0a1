//! One trial, on the thread of a worker: a model that is fitted and scored, or a command that logs a value.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
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
use crate::ops::tune::trials::{EndedTrial, METRIC_TAG, Span, as_json, origin, tags};
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
struct Result1 {
    outcome: Outcome,
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
