//! What the index is fed: lines of refs and journals, and the records they name.

use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::hash::hash;
use crate::base::id::RunId;
use crate::index::source::{OpenLines, OpenRun, Prefix, SealedRun, SealedTail, Source};
use crate::record::run::{RunRecord, RunState};
use crate::repo::Repo;
use crate::repo::journals;
use crate::repo::layout;
use crate::repo::refs::RunRef;
use crate::repo::seal::RunContent;
use crate::repo::{intent, lines};

/// Lists of sealed runs below this are read again: it costs less than a millisecond.
const LONG_BYTES: u64 = 1 << 20;
/// A file can change again within one tick of the file system's clock, 1 to 10 ms on Linux, without showing it.
const TICK_NS: u64 = 10_000_000;

/// The truth of one repository.
pub struct Feed<'r> {
    repo: &'r Repo,
}

impl<'r> Feed<'r> {
    /// Feeds from `repo`.
    pub fn new(repo: &'r Repo) -> Feed<'r> {
        Feed { repo }
    }
}

impl Source for Feed<'_> {
    fn open_runs(&self) -> Result<Vec<OpenRun>> {
        let mut open = Vec::new();
        for journal in journals::all(self.repo.layout())? {
            let Some(file) = journals::open_if_there(&journal.path)? else {
                continue;
            };
            let length = file.metadata().with_context(|| format!("cannot read {}", journal.path.display()))?.len();
            // A journal without a readable first line says nothing about its run; `fsck` reports it.
            let Some(start) = journals::header(&file).filter(|start| start.id == journal.run) else {
                continue;
            };
            let state = journals::state_of(&journal.path, &start.kind)?;
            open.extend(state.map(|state: RunState| OpenRun { run: journal.run, state, length }));
        }
        Ok(open)
    }

    fn lines(&self, run: &RunId, offset: u64) -> Result<Option<OpenLines>> {
        let layout = self.repo.layout();
        let read = |path| journals::read(path, offset);
        let tail = match read(&journals::open_path(layout, run))? {
            Some(tail) => tail,
            None => match read(&journals::sealing_path(layout, run))? {
                Some(tail) => tail,
                None => return Ok(None),
            },
        };
        let (start, end, length) = (tail.start().cloned(), tail.end, tail.length);
        // Runs that ended inside it are listed once they are sealed, a moment later.
        let RunContent { params, metrics, tags, inputs, outputs, ended: _ } = RunContent::of(tail.lines);
        Ok(Some(OpenLines { start, points: metrics, params, tags, inputs, outputs, end, length }))
    }

    fn stamp(&self) -> Option<String> {
        if intent::is_pending(self.repo.layout()) {
            return None;
        }
        let seen = self.repo.layout().inside(layout::RUNS).metadata().ok()?;
        let (written, changed) = ((seen.mtime(), seen.mtime_nsec()), (seen.ctime(), seen.ctime_nsec()));
        let newest = written.max(changed);
        let age = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos() as i128
            - (i128::from(newest.0) * 1_000_000_000 + i128::from(newest.1));
        let is_settled = age > i128::from(TICK_NS);
        (seen.len() >= LONG_BYTES && is_settled)
            .then(|| format!("{} {written:?} {changed:?} {} {}", seen.len(), seen.ino(), seen.dev()))
    }

    fn sealed(&self, known: &Prefix, most: usize) -> Result<SealedTail> {
        let bytes = intent::read_committed(self.repo.layout(), layout::RUNS)?;
        let length = known.length as usize;
        if bytes.len() < length || hash(&bytes[..length]) != known.hash {
            return Ok(SealedTail::Changed);
        }
        let tail = &bytes[length..];
        let end: usize = tail.split_inclusive(|byte| *byte == b'\n').take(most).map(<[u8]>::len).sum();
        let refs: Vec<RunRef> = lines::parse(&tail[..end], layout::RUNS)?;
        let runs = refs.into_iter().map(|RunRef { run, record, time }| SealedRun { run, record, time }).collect();
        let end = length + end;
        Ok(SealedTail::New { runs, prefix: Prefix { length: end as u64, hash: hash(&bytes[..end]) } })
    }

    fn records(&self, runs: &[SealedRun]) -> Vec<Result<RunRecord>> {
        // Each is read and checked on its own, so any number of threads gives the same answer.
        runs.par_iter().map(|sealed| self.repo.record(&sealed.record)).collect()
    }
}
