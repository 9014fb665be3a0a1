//! The end of a run: its journal becomes its record.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::{fail, fs};
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState};
use crate::repo::Repo;
use crate::repo::draft_marks::is_conflict;
use crate::repo::journal::{JournalLine, RunEnd, RunJournal};
use crate::repo::journals::{self, JournalTail};
use crate::repo::refs::{Actor, Change, Committed, RefMove};

/// Role of what `log artifact` adds.
pub const ARTIFACT: &str = "artifact";

/// What the lines of a journal come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunContent {
    /// Parameters by name.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Metric points in the order logged.
    pub metrics: Vec<MetricPoint>,
    /// Tags by name.
    pub tags: BTreeMap<String, String>,
    /// What it read, each once.
    pub inputs: Vec<Link>,
    /// What it made, each once.
    pub outputs: Vec<Link>,
    /// Runs that ended inside it, in the order they ended.
    pub ended: Vec<RunRecord>,
}

impl RunContent {
    /// Adds up `lines` in order.
    pub fn of(lines: impl IntoIterator<Item = JournalLine>) -> RunContent {
        let mut content = RunContent::default();
        for line in lines {
            content.add(line);
        }
        content
    }

    fn add(&mut self, line: JournalLine) {
        match line {
            JournalLine::Start(_) => {}
            JournalLine::Metric(point) => self.metrics.push(point),
            JournalLine::Param { name, value } => {
                self.params.insert(name, value);
            }
            JournalLine::Tag { name, value } => {
                self.tags.insert(name, value);
            }
            JournalLine::Input(link) => add_once(&mut self.inputs, link),
            JournalLine::Output(link) => add_once(&mut self.outputs, link),
            JournalLine::Ended(record) => self.ended.push(*record),
            JournalLine::Artifact(link) => add_once(&mut self.outputs, Link { role: ARTIFACT.to_owned(), ..link }),
        }
    }

    /// The record of a run with this content; runs inside it have records of their own.
    pub fn into_record(self, start: RunStart, end: RunEnd) -> RunRecord {
        let RunContent { params, metrics, tags, inputs, outputs, ended: _ } = self;
        let RunEnd { state, ended, wall_seconds, usage, exit_code, error, output_text } = end;
        RunRecord {
            start,
            state,
            ended,
            wall_seconds,
            usage,
            params,
            metrics,
            tags,
            inputs,
            outputs,
            output_text,
            exit_code,
            error,
        }
    }
}

fn add_once(links: &mut Vec<Link>, link: Link) {
    if !links.contains(&link) {
        links.push(link);
    }
}

/// Keeps the records of `ended`, runs that have ended, and seals all of them in one commit; see [`Repo::seal_ended`].
pub fn seal_ended(repo: &Repo, ended: &[RunRecord], actor: &Actor, now: Timestamp) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    // One after the other: threads that make small files in one folder only wait for each other.
    let keep = |record: &RunRecord| Ok(RefMove::Run { run: record.start.id, record: repo.put_record(record)? });
    let moves = ended.iter().map(keep).collect::<Result<Vec<_>>>()?;
    repo.commit(Change { moves }, actor, now).map(drop)
}

impl RunJournal {
    /// Ends the run: keeps its record and commits it together with `extra` moves, all or nothing.
    ///
    /// The outcomes are those of `extra` in order, then that of the run. Errors: as [`crate::repo::Repo::commit`]; the run then
    /// counts as killed from the next command on, with all that it logged.
    pub fn seal(
        self,
        end: RunEnd,
        extra: Vec<RefMove>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(RunRecord, Vec<Committed>)> {
        let RunJournal { repo, start, lock: _lock } = self;
        let path = journals::begin_seal(&journals::open_path(repo.layout(), &start.id))?;
        let JournalTail { lines, .. } = journals::read(&path, 0)?
            .ok_or_else(|| fail::world(format!("the journal of run {} was removed while it ran", start.id)))?;
        let run = start.id;
        let record = RunContent::of(lines).into_record(start, end);
        let id = repo.put_record(&record)?;
        let mut moves = extra;
        moves.push(RefMove::Run { run, record: id });
        let committed = match repo.commit(Change { moves }, actor, now) {
            Err(error) if is_conflict(&error) => {
                // Others were faster: the run ends all the same, and says why nothing came of it.
                let (state, exit_code, why) = (RunState::Failed, Some(3), Some(format!("{error:#}")));
                let record = repo.put_record(&RunRecord { state, exit_code, error: why, ..record })?;
                repo.commit(Change { moves: vec![RefMove::Run { run, record }] }, actor, now)?;
                fs::remove_if_there(&path)?;
                return Err(error);
            }
            committed => committed?,
        };
        fs::remove_if_there(&path)?;
        Ok((record, committed))
    }
}
