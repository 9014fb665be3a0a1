//! What the index is fed: lines of refs and journals, and the records they name.

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
