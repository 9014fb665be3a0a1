//! Runs whose process died without ending them: noticed and sealed by the next command.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};

use crate::base::clock::Timestamp;
use crate::base::fs;
use crate::base::host::Usage;
use crate::base::id::RunId;
use crate::record::run::{Link, RunStart, RunState};
use crate::repo::Repo;
use crate::repo::journal::{MANUAL, RunEnd};
use crate::repo::journals::{self, JournalTail, OpenJournal};
use crate::repo::refs::{Actor, Change, RefMove};
use crate::repo::seal::RunContent;

/// What the record of a killed run says.
const WHY: &str = "the process of this run died before it ended the run";

/// Seals every run whose process is dead as killed, in one commit, and returns them.
///
/// Runs that had ended inside a dead one and were not sealed yet are sealed as they ended. Links to objects that the process
/// had not made durable are left out of the records. Cost with nothing to do: one
/// listing of the folder of open runs. Two processes that notice the same run do not both seal it: each must get the
/// lock on its journal.
pub fn seal_dead_runs(repo: &Repo, actor: &Actor, now: Timestamp) -> Result<Vec<RunId>> {
    let journals = journals::all(repo.layout())?;
    if journals.is_empty() {
        return Ok(Vec::new());
    }
    let dead = journals.iter().map(Dead::find).collect::<Result<Vec<_>>>()?;
    let dead: Vec<Dead> = dead.into_iter().flatten().collect();
    if dead.is_empty() {
        return Ok(Vec::new());
    }
    let sealed: HashSet<RunId> = repo.runs()?.iter().map(|line| line.run).collect();
    let (done, open): (Vec<Dead>, Vec<Dead>) = dead.into_iter().partition(|dead| sealed.contains(&dead.start.id));
    // A journal whose run is sealed was about to be removed when its process died.
    done.iter().try_for_each(Dead::remove)?;
    let mut moves = Vec::new();
    let mut open_sealed = Vec::new();
    for mut dead in open {
        dead.journal.path = journals::begin_seal(&dead.journal.path)?;
        moves.extend(dead.keep(repo, &sealed, now)?);
        open_sealed.push(dead);
    }
    if !moves.is_empty() {
        repo.commit(Change { moves }, actor, now)?;
    }
    open_sealed.iter().try_for_each(Dead::remove)?;
    Ok(open_sealed.iter().map(|dead| dead.start.id).collect())
}

fn is_of(moved: &RefMove, wanted: &RunId) -> bool {
    matches!(moved, RefMove::Run { run, .. } if run == wanted)
}

/// Leaves out links to objects that are not there.
fn keep_durable(repo: &Repo, links: &mut Vec<Link>) -> Result<()> {
    let there = links.iter().map(|link| repo.store().contains(&link.id)).collect::<Result<Vec<bool>>>()?;
    let mut there = there.into_iter();
    links.retain(|_| there.next().unwrap_or(false));
    Ok(())
}

/// A journal that no process holds; locked, so that nobody else seals it.
struct Dead {
    journal: OpenJournal,
    start: RunStart,
    file: File,
}

impl Dead {
    fn find(journal: &OpenJournal) -> Result<Option<Dead>> {
        let path = &journal.path;
        let Some(file) = journals::open_if_there(path)? else {
            return Ok(None);
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        // Whoever held it may have sealed and removed it between opening and locking.
        if !journals::is_still(&file, path) {
            return Ok(None);
        }
        let start = journals::header(&file).filter(|start| start.kind != MANUAL && start.id == journal.run);
        Ok(start.map(|start| Dead { journal: journal.clone(), start, file }))
    }

    /// Keeps the run's record and those of runs that ended inside it and are not in `sealed`; returns the moves that seal
    /// them.
    fn keep(&self, repo: &Repo, sealed: &HashSet<RunId>, now: Timestamp) -> Result<Vec<RefMove>> {
        let JournalTail { lines, .. } = journals::read(&self.journal.path, 0)?.unwrap_or_default();
        let mut content = RunContent::of(lines);
        for links in [&mut content.inputs, &mut content.outputs] {
            keep_durable(repo, links)?;
        }
        let mut moves = Vec::new();
        for mut inner in std::mem::take(&mut content.ended) {
            if sealed.contains(&inner.start.id) || moves.iter().any(|moved| is_of(moved, &inner.start.id)) {
                continue;
            }
            for links in [&mut inner.inputs, &mut inner.outputs] {
                keep_durable(repo, links)?;
            }
            moves.push(RefMove::Run { run: inner.start.id, record: repo.put_record(&inner)? });
        }
        let end = RunEnd {
            state: RunState::Killed,
            ended: now,
            wall_seconds: self.last_sign_of_life().unwrap_or(now).seconds_since(self.start.started).max(0.0),
            usage: Usage::default(),
            exit_code: None,
            error: Some(WHY.to_owned()),
            output_text: None,
        };
        let record = repo.put_record(&content.into_record(self.start.clone(), end))?;
        moves.push(RefMove::Run { run: self.start.id, record });
        Ok(moves)
    }

    /// When the journal was last written: the run lived at least until then.
    fn last_sign_of_life(&self) -> Option<Timestamp> {
        let modified = self.file.metadata().and_then(|metadata| metadata.modified()).ok()?;
        let since = modified.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_micros()).ok().map(Timestamp::from_micros)
    }

    fn remove(&self) -> Result<()> {
        fs::remove_if_there(&self.journal.path)
    }
}
