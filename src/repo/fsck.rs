//! Inspection of everything the repository holds. Finds, never repairs; damaged objects are quarantined by the store.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::base::clock::Clock;
use crate::base::fs;
use crate::base::id::ObjectId;
use crate::index::Index;
use crate::repo::Repo;
use crate::repo::feed::Feed;
use crate::repo::fsck_refs;
use crate::repo::gc;
use crate::repo::intent;
use crate::repo::journals;
use crate::repo::objects;
use crate::repo::reach;
use crate::repo::transaction;
use crate::store::StoreError;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FsckFinding {
    /// What kind of thing, for programs: `missing_object`, `damaged_object`, `unreadable_object`, `misnamed_object`,
    /// `bad_ref`, `dangling_ref`, `audit_chain`, `unaudited_ref`, `lost_ref`, `damaged_journal`, `leftover_intent`,
    /// `stale_staging`, `index_disagrees`.
    pub code: String,
    /// Which one.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub fix: String,
}

impl FsckFinding {
    /// One finding.
    pub fn new(code: &str, subject: impl ToString, what: impl ToString, fix: impl ToString) -> FsckFinding {
        let (subject, what, fix) = (subject.to_string(), what.to_string(), fix.to_string());
        FsckFinding { code: code.to_owned(), subject, what, fix }
    }
}

const GET_IT_BACK: &str = "pull it from a remote, or ingest the source or run the stage again; then run `mlops fsck`";

/// Inspects everything: reads and verifies every object, every line of refs, journals and the audit log, and builds
/// the index anew in memory to compare. Empty when all is well. Sorted by code, then subject.
///
/// Cost: reads all bytes of all objects, on all threads.
pub fn fsck(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let mut findings = Vec::new();
    transaction::recover_if_free(repo.layout())?;
    findings.extend(leftovers(repo)?);
    let (bad_refs, readable) = fsck_refs::lines(repo)?;
    findings.extend(bad_refs);
    findings.extend(inspect_objects(repo, readable)?);
    findings.extend(misnamed(repo)?);
    findings.extend(fsck_refs::audit(repo, readable)?);
    findings.extend(inspect_journals(repo)?);
    if readable {
        findings.extend(index(repo)?);
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// What is wrong with refs and the audit log alone: lines, the chain of hashes, and whether both tell the same story.
///
/// Cost: reads both whole, and no object.
pub fn history(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let (mut findings, readable) = fsck_refs::lines(repo)?;
    findings.extend(fsck_refs::audit(repo, readable)?);
    findings.sort();
    Ok(findings)
}

fn leftovers(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let mut findings = Vec::new();
    if intent::is_pending(repo.layout()) {
        findings.push(FsckFinding::new(
            "leftover_intent",
            "intent.json",
            "a transaction is committed but not written out: its process is at work, or the folder cannot be written",
            "wait for other commands to end, make the folder writable, and run `mlops fsck` again",
        ));
    }
    // The ages of files are measured by the clock that gave them.
    for (path, bytes) in gc::stale_staging(repo.layout(), Clock::System.now())? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let what = format!("{bytes} bytes that a killed process was writing");
        findings.push(FsckFinding::new("stale_staging", name, what, "run `mlops gc`: it removes them"));
    }
    Ok(findings)
}

/// Verifies every object that is there, then looks for those that are not.
fn inspect_objects(repo: &Repo, readable: bool) -> Result<Vec<FsckFinding>> {
    let ids = repo.store().list()?;
    let checked: Vec<Option<StoreError>> =
        ids.par_iter().map(|id| repo.store().check(id)).collect::<Result<Vec<_>>>()?;
    let mut bad: BTreeMap<ObjectId, (&str, String)> = BTreeMap::new();
    for error in checked.into_iter().flatten() {
        let what = error.to_string();
        match error {
            StoreError::Damaged { id, .. } => {
                bad.insert(id, ("damaged_object", what));
            }
            // A chunk may be moved away as damaged by one check before another misses it.
            StoreError::Missing { id } => {
                bad.entry(id).or_insert(("missing_object", what));
            }
            other => return Err(other.into()),
        }
    }
    let mut needed_by = BTreeMap::new();
    if readable {
        let found = reach::reach(repo, reach::named(repo)?);
        for (id, lost) in found.unreadable {
            let code = if lost.missing { "missing_object" } else { "unreadable_object" };
            bad.entry(id).or_insert((code, lost.why));
            needed_by.insert(id, lost.needed_by);
        }
        needed_by.extend(needing_chunks(repo, &found.reached, &bad));
    }
    let finding = |(id, (code, what)): (ObjectId, (&str, String))| match needed_by.get(&id) {
        Some(who) => FsckFinding::new(code, id, format!("{what}; needed by {who}"), GET_IT_BACK),
        None if readable => {
            FsckFinding::new(code, id, format!("{what}; nothing names it"), "nothing: it is not needed")
        }
        None => FsckFinding::new(code, id, what, GET_IT_BACK),
    };
    Ok(bad.into_iter().map(finding).collect())
}

/// Who needs chunks that are bad: reaching a blob does not read all of its chunks.
fn needing_chunks(
    repo: &Repo,
    reached: &BTreeSet<ObjectId>,
    bad: &BTreeMap<ObjectId, (&str, String)>,
) -> BTreeMap<ObjectId, String> {
    let mut needed = BTreeMap::new();
    if bad.is_empty() {
        return needed;
    }
    for blob in reached {
        for part in repo.store().parts(blob).unwrap_or_default() {
            if bad.contains_key(&part) {
                needed.insert(part, format!("object {}", blob.short()));
            }
        }
    }
    needed
}

/// Files in the objects folder that are not named like objects; no one ever reads them.
fn misnamed(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let objects = repo.layout().objects();
    let mut findings = Vec::new();
    for path in objects::all_files(&objects)? {
        let relative = path.strip_prefix(&objects).unwrap_or(&path);
        let joined: String = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let well_placed =
            relative.components().count() == 2 && relative.iter().next().is_some_and(|part| part.len() == 2);
        if !well_placed || joined.parse::<ObjectId>().is_err() {
            let what = "a file among the objects that is not named like one";
            let fix = "move it away; if it is an object, put it back under its own name";
            findings.push(FsckFinding::new("misnamed_object", relative.display(), what, fix));
        }
    }
    Ok(findings)
}

fn inspect_journals(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let mut findings = Vec::new();
    for path in fs::files_in(&repo.layout().journals())? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(tail) = journals::read(&path, 0)? else {
            continue;
        };
        let what = match tail.start() {
            None => "it does not begin with the start of a run: a power cut, or a file from elsewhere".to_owned(),
            Some(start) if !name.starts_with(&start.id.hex()) => format!("it holds run {}", start.id),
            Some(_) if tail.damaged > 0 => format!("{} of its lines cannot be read", tail.damaged),
            Some(_) => continue,
        };
        let fix = "the run keeps what can be read of it; remove the file if there is nothing";
        findings.push(FsckFinding::new("damaged_journal", name, what, fix));
    }
    Ok(findings)
}

/// Compares the index with one built from nothing.
fn index(repo: &Repo) -> Result<Vec<FsckFinding>> {
    let before = repo.index()?.dump()?;
    let mut fresh = Index::in_memory()?;
    fresh.catch_up(&Feed::new(repo))?;
    let fresh = fresh.dump()?;
    // Runs at work may have logged in between: only an index that stands still can be judged.
    if before == fresh || repo.index()?.dump()? != before {
        return Ok(Vec::new());
    }
    let differing = before.iter().zip(&fresh).find(|(old, new)| old != new);
    let what = match differing {
        Some((old, new)) => format!("it says `{}` where the records say `{}`", old.trim_end(), new.trim_end()),
        None => format!("it has {} lines where the records give {}", before.len(), fresh.len()),
    };
    Ok(vec![FsckFinding::new("index_disagrees", "index.sqlite", what, "run `mlops fsck --rebuild-index`")])
}
