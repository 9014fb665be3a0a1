//! Journals of open runs: lines that any process may append while the run's own process holds a lock on the file.
//!
//! A run is open while `runs/ID.jsonl` exists. To seal it, its file is renamed to `runs/ID.sealing` first: whoever
//! appended before that is read, whoever comes after it gets an error, so no line is lost unnoticed. Lines are not
//! synced one by one: a killed process loses none of them, a power cut may lose the last seconds of an open run.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::base::lock::FileLock;
use crate::base::{fail, failpoint, limits};
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState};
use crate::repo::Repo;
use crate::repo::journals;
use crate::repo::layout::Layout;
use crate::repo::seal::RunContent;

/// Kind of the runs that nobody executes: made by hand, open for ever.
pub const MANUAL: &str = "manual";

/// Most bytes of one journal: what fits into the record it becomes, whose lines are shorter.
pub const JOURNAL_BYTES_MAX: u64 = limits::RECORD_BYTES_MAX - (1 << 20);

/// One fact about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalLine {
    /// First line: what was known when it started.
    Start(Box<RunStart>),
    /// One value of one metric.
    Metric(MetricPoint),
    /// A parameter; the last value of a name counts.
    Param {
        /// Its name.
        name: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// A free word; the last value of a name counts.
    Tag {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A thing that the run read.
    Input(Link),
    /// A thing that the run made.
    Output(Link),
    /// A file kept with the run; the same as an output, said by `log artifact`.
    Artifact(Link),
    /// A run that ended inside this one. It is sealed a little later together with others; if the process dies before,
    /// whoever seals this run seals it too.
    Ended(Box<RunRecord>),
}

/// How a run ended; what its journal does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// Finished or failed.
    pub state: RunState,
    /// When.
    pub ended: Timestamp,
    /// From start to end, in seconds.
    pub wall_seconds: f64,
    /// Processor time and memory.
    pub usage: Usage,
    /// Exit code of a command, or of the verb.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// Blob of a command's output, last part.
    pub output_text: Option<ObjectId>,
}

/// The journal of a run that this process executes; dropped without being sealed, the run counts as killed.
pub struct RunJournal {
    pub(crate) repo: Repo,
    pub(crate) start: RunStart,
    pub(crate) lock: FileLock,
}

impl RunJournal {
    /// Opens a run.
    ///
    /// Errors: the run exists, or its file cannot be written.
    pub fn start(repo: &Repo, start: &RunStart) -> Result<RunJournal> {
        let lock = create(repo.layout(), start)?;
        failpoint::hit("run.journal-open");
        Ok(RunJournal { repo: repo.clone(), start: start.clone(), lock })
    }

    /// The run.
    pub fn id(&self) -> RunId {
        self.start.id
    }

    /// Adds metric points, in order.
    ///
    /// Errors: a value that is not finite (JSON has no name for it), or a full journal.
    pub fn points(&mut self, points: &[MetricPoint]) -> Result<()> {
        self.append(&points.iter().cloned().map(JournalLine::Metric).collect::<Vec<_>>())
    }

    /// Sets a parameter.
    pub fn param(&mut self, name: &str, value: serde_json::Value) -> Result<()> {
        self.append(&[JournalLine::Param { name: name.to_owned(), value }])
    }

    /// Sets a tag.
    pub fn tag(&mut self, name: &str, value: &str) -> Result<()> {
        self.append(&[JournalLine::Tag { name: name.to_owned(), value: value.to_owned() }])
    }

    /// Says that the run read `link`.
    pub fn input(&mut self, link: Link) -> Result<()> {
        self.append(&[JournalLine::Input(link)])
    }

    /// Says that the run made `link`.
    pub fn output(&mut self, link: Link) -> Result<()> {
        self.append(&[JournalLine::Output(link)])
    }

    /// The metric points logged so far, by this process and others.
    pub fn logged(&self) -> Result<Vec<MetricPoint>> {
        let tail = journals::read(&journals::open_path(self.repo.layout(), &self.start.id), 0)?.unwrap_or_default();
        Ok(RunContent::of(tail.lines).metrics)
    }

    /// Keeps a run that ended inside this one, until it is sealed with [`crate::repo::Repo::seal_ended`].
    ///
    /// Errors: as [`RunJournal::points`].
    pub fn ended(&mut self, record: &RunRecord) -> Result<()> {
        self.append(&[JournalLine::Ended(Box::new(record.clone()))])
    }

    fn append(&mut self, lines: &[JournalLine]) -> Result<()> {
        write_lines(self.lock.file(), &self.start.id, lines)
    }
}

/// Opens a run of kind [`MANUAL`]: no process holds it, it counts as finished and stays open for [`append_to_run`].
pub fn start_manual(repo: &Repo, start: &RunStart) -> Result<RunId> {
    if start.kind != MANUAL {
        return Err(fail::usage(format!("run {} is of kind {}, not {MANUAL}", start.id, start.kind)).into());
    }
    create(repo.layout(), start)?;
    Ok(start.id)
}

/// Appends lines to an open run from any process, in one write, so that lines of several processes do not mix.
///
/// Errors: no such run; a run that has ended, even while this was being written; a value that is not finite. Cost:
/// one open, one write; no fsync except for objects that the lines name.
pub fn append_to_run(repo: &Repo, run: RunId, lines: &[JournalLine]) -> Result<()> {
    let names_objects =
        |line: &JournalLine| matches!(line, JournalLine::Input(_) | JournalLine::Output(_) | JournalLine::Artifact(_));
    if lines.iter().any(names_objects) {
        repo.store().sync()?;
    }
    let path = journals::open_path(repo.layout(), &run);
    let opened = File::options().read(true).append(true).open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(not_open(repo, &run)?.into()),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    write_lines(&file, &run, lines)?;
    if !journals::is_still(&file, &path) {
        return Err(fail::world(format!("run {run} ended while it was written to; the lines may be missing")).into());
    }
    Ok(())
}

fn not_open(repo: &Repo, run: &RunId) -> Result<fail::Failure> {
    let sealed = repo.runs()?.iter().any(|line| line.run == *run);
    let sealing = journals::sealing_path(repo.layout(), run).exists();
    Ok(if sealed || sealing {
        fail::usage(format!("run {run} has ended; nothing can be added to it"))
    } else {
        fail::usage(format!("there is no open run {run}"))
    }
    .hint("leave the run out to log to a new run of kind manual, or see `mlops log`"))
}

fn write_lines(file: &File, run: &RunId, lines: &[JournalLine]) -> Result<()> {
    let mut text = Vec::new();
    for line in lines {
        check_line(line)?;
        serde_json::to_writer(&mut text, line).context("cannot write a journal line")?;
        text.push(b'\n');
    }
    let shown = || format!("cannot write to run {run}");
    let length = file.metadata().with_context(shown)?.len();
    if length + text.len() as u64 > JOURNAL_BYTES_MAX {
        return Err(fail::world(format!("run {run} is full: its journal may have {JOURNAL_BYTES_MAX} bytes"))
            .hint("log fewer points, for example every tenth step")
            .into());
    }
    if ends_within_a_line(file, length) {
        // A write that a full disk cut short must not swallow the first line of this one.
        text.insert(0, b'\n');
    }
    (&mut &*file).write_all(&text).with_context(shown)
}

fn ends_within_a_line(file: &File, length: u64) -> bool {
    let mut last = [b'\n'];
    length > 0 && file.read_exact_at(&mut last, length - 1).is_ok() && last[0] != b'\n'
}

fn check_line(line: &JournalLine) -> Result<()> {
    match line {
        JournalLine::Metric(point) => check_point(point),
        JournalLine::Ended(record) => record.metrics.iter().try_for_each(check_point),
        _ => Ok(()),
    }
}

fn check_point(MetricPoint { name, step, value }: &MetricPoint) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(fail::usage(format!("metric {name} is {value} at step {step}: only finite numbers are kept"))
        .hint("leave the point out, or log how often it happened as a metric of its own")
        .into())
}

/// Makes a journal that no one sees before it is locked and has its first line.
fn create(layout: &Layout, start: &RunStart) -> Result<FileLock> {
    let path = journals::open_path(layout, &start.id);
    if path.exists() || journals::sealing_path(layout, &start.id).exists() {
        return Err(fail::world(format!("run {} exists already", start.id)).into());
    }
    let staged = layout.staging().join(format!("run-{}", start.id));
    let lock = FileLock::try_acquire(&staged)?
        .ok_or_else(|| fail::world(format!("run {} is being made by another process", start.id)))?;
    write_lines(lock.file(), &start.id, &[JournalLine::Start(Box::new(start.clone()))])?;
    fs::rename(&staged, &path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(lock)
}

/// State of a run that is not sealed; `None` when it has no journal.
///
/// A journal that its process holds is running; one that no process holds is killed, or, of kind [`MANUAL`], finished.
pub fn journal_state(repo: &Repo, run: &RunId) -> Result<Option<RunState>> {
    let Some(journal) = journals::all(repo.layout())?.into_iter().find(|journal| journal.run == *run) else {
        return Ok(None);
    };
    let Some(file) = journals::open_if_there(&journal.path)? else {
        return Ok(None);
    };
    journals::state_of(&journal.path, &journals::header(&file).map(|start| start.kind).unwrap_or_default())
}
