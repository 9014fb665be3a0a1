//! A verb as a recorded run: journal while it works, one transaction when it ends, whatever the end.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::host;
use crate::base::id::{ObjectId, RunId};
use crate::ops::context::OpCtx;
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState};
use crate::repo::Repo;
use crate::repo::journal::{RunEnd, RunJournal};
use crate::repo::refs::{Committed, RefMove};

/// A run under way, as the verb inside sees it.
pub struct Work {
    start: RunStart,
    /// Where it is written down; nowhere for work that is no run.
    journal: Option<RunJournal>,
    /// Blob of what a command printed.
    pub output_text: Option<ObjectId>,
    /// How a command exited; the verb's own exit code when absent.
    pub exit_code: Option<i32>,
}

/// How the verb's work ended.
pub struct Done<T> {
    /// Its answer.
    pub value: T,
    /// References that move together with the end of the run.
    pub moves: Vec<RefMove>,
    /// False when the answer is no: the run counts as failed.
    pub yes: bool,
}

/// A run that ended.
pub struct Recorded<T> {
    /// Its identity.
    pub run: RunId,
    /// Its answer.
    pub value: T,
    /// What became of the references, in the order they were given.
    pub committed: Vec<Committed>,
}

impl<T> Done<T> {
    /// Work that ended with yes and moves nothing.
    pub fn yes(value: T) -> Done<T> {
        Done { value, moves: Vec::new(), yes: true }
    }
}

impl Work {
    /// Work that is no run: what it is told goes nowhere.
    pub fn unrecorded(start: RunStart) -> Work {
        Work { start, journal: None, output_text: None, exit_code: None }
    }

    /// Whether anybody will read what it is told.
    pub fn is_recorded(&self) -> bool {
        self.journal.is_some()
    }

    /// Identity of the run.
    pub fn run(&self) -> RunId {
        self.start.id
    }

    /// What was known when it started.
    pub fn start(&self) -> &RunStart {
        &self.start
    }

    fn write(&mut self, line: impl FnOnce(&mut RunJournal) -> Result<()>) -> Result<()> {
        self.journal.as_mut().map_or(Ok(()), line)
    }

    /// Keeps a run that ended inside this one, until it is sealed.
    pub fn ended(&mut self, record: &RunRecord) -> Result<()> {
        self.write(|journal| journal.ended(record))
    }

    /// Keeps a tag.
    pub fn tag(&mut self, name: &str, value: &str) -> Result<()> {
        self.write(|journal| journal.tag(name, value))
    }

    /// Keeps metric points.
    pub fn points(&mut self, points: &[MetricPoint]) -> Result<()> {
        self.write(|journal| journal.points(points))
    }

    /// Keeps the last value of each metric.
    pub fn metrics(&mut self, metrics: &BTreeMap<String, f64>) -> Result<()> {
        let points: Vec<MetricPoint> =
            metrics.iter().map(|(name, value)| MetricPoint { name: name.clone(), step: 0, value: *value }).collect();
        self.points(&points)
    }

    /// Keeps a parameter.
    pub fn param(&mut self, name: &str, value: serde_json::Value) -> Result<()> {
        self.write(|journal| journal.param(name, value))
    }

    /// Keeps what was read.
    pub fn input(&mut self, role: &str, name: &str, id: ObjectId) -> Result<()> {
        let link = Link { role: role.to_owned(), name: name.to_owned(), id };
        self.write(|journal| journal.input(link))
    }

    /// Keeps what was made.
    pub fn output(&mut self, role: &str, name: &str, id: ObjectId) -> Result<()> {
        let link = Link { role: role.to_owned(), name: name.to_owned(), id };
        self.write(|journal| journal.output(link))
    }
}

/// Names what the commit of the code does not hold among the things that the run read.
fn keep_code(work: &mut Work) -> Result<()> {
    let Some(code) = work.start().code.clone() else {
        return Ok(());
    };
    code.patch.map_or(Ok(()), |id| work.input("code", "changes that are not committed", id))?;
    code.untracked.map_or(Ok(()), |id| work.input("code", "list of untracked files", id))
}

/// Runs `work` as a recorded run of kind `kind`. An error inside is recorded as a failed run and returned.
///
/// The work is handed a repository with a staging area of its own: objects that it has put when it fails vanish, so
/// that nothing is stored unless all of it is.
pub fn recorded<T>(
    repo: &Repo,
    ctx: &OpCtx<'_>,
    kind: &str,
    work: impl FnOnce(&Repo, &mut Work) -> Result<Done<T>>,
) -> Result<Recorded<T>> {
    let start = ctx.run_start(kind, repo)?;
    let (run, started) = (start.id, start.started);
    let before = host::usage();
    let clock = std::time::Instant::now();
    let journal = RunJournal::start(repo, &start)?;
    let mut under_way = Work { start, journal: Some(journal), output_text: None, exit_code: None };
    keep_code(&mut under_way)?;
    let staging = repo.isolated()?;
    let outcome = work(&staging, &mut under_way).and_then(|done| staging.store().sync().map(|()| done));
    drop(staging);
    let now = ctx.clock.now();
    let after = host::usage();
    let mut end = RunEnd {
        state: RunState::Finished,
        ended: now.max(started),
        wall_seconds: clock.elapsed().as_secs_f64(),
        usage: host::Usage {
            cpu_seconds: after.cpu_seconds - before.cpu_seconds,
            peak_memory_bytes: after.peak_memory_bytes,
        },
        exit_code: Some(0),
        error: None,
        output_text: under_way.output_text,
    };
    let exit_code = under_way.exit_code;
    let journal = under_way.journal.take().expect("a recorded run has a journal until it is sealed");
    match outcome {
        Ok(done) => {
            if !done.yes {
                (end.state, end.exit_code) = (RunState::Failed, Some(exit_code.unwrap_or(1)));
            }
            let (_, committed) = journal.seal(end, done.moves, &ctx.actor(), now)?;
            Ok(Recorded { run, value: done.value, committed })
        }
        Err(error) => {
            let usage = fail::find(&error).is_some_and(|failure| failure.blame == fail::Blame::Request);
            (end.state, end.exit_code) = (RunState::Failed, Some(exit_code.unwrap_or(if usage { 2 } else { 3 })));
            end.error = Some(format!("{error:#}"));
            // The first error is the one worth reading; a journal that cannot be sealed shows up as `killed`.
            let _ = journal.seal(end, Vec::new(), &ctx.actor(), now);
            Err(error)
        }
    }
}
