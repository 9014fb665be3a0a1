//! Removing objects that nothing needs: a plan first, then exactly that plan, looked at once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs as std_fs;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;
use crate::base::{fail, failpoint, fs, limits, units};
use crate::repo::Repo;
use crate::repo::audit::Event;
use crate::repo::layout::Layout;
use crate::repo::objects;
use crate::repo::reach::{self, Reach};
use crate::repo::refs::Actor;
use crate::repo::transaction::Guard;

/// How long a file in the staging folder is left alone: nothing takes a day between its last write and its sync.
pub const STAGING_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What would be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcPlan {
    /// Objects and the bytes each frees; whatever refers to another one comes before it.
    pub remove: Vec<(ObjectId, u64)>,
    /// Files that killed processes left in the staging folder, and their bytes.
    pub stale: Vec<(PathBuf, u64)>,
    /// Bytes freed by all of it.
    pub bytes: u64,
    /// Only objects last put before this are removed.
    before: Timestamp,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GcDone {
    /// Number of objects.
    pub removed: usize,
    /// Bytes freed, staged files included.
    pub bytes: u64,
}

/// Plans the removal of every object that neither refs nor open runs nor `roots` lead to and that was last put more
/// than `keep` ago, but at least [`limits::GC_GRACE`]: other processes may be about to name younger ones.
///
/// Errors: a needed object cannot be read, so that what it leads to is not known. Cost: a look at every object.
pub fn plan_gc(repo: &Repo, roots: &[ObjectId], keep: Duration, now: Timestamp) -> Result<GcPlan> {
    let age = i64::try_from(keep.max(limits::GC_GRACE).as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(now.as_micros().saturating_sub(age));
    let needed = needed(repo, roots)?;
    let mut remove = BTreeMap::new();
    for id in repo.store().list()? {
        if !needed.contains(&id) {
            remove.extend(old_enough(repo, &id, before)?.map(|bytes| (id, bytes)));
        }
    }
    let remove = referrers_first(repo, remove);
    let stale = stale_staging(repo.layout(), now)?;
    let bytes = remove.iter().map(|(_, bytes)| bytes).chain(stale.iter().map(|(_, bytes)| bytes)).sum();
    Ok(GcPlan { remove, stale, bytes, before })
}

/// Removes what the plan says, except what was named or put again since; one audit line, written first.
///
/// Holds the repository lock, so that nothing is committed meanwhile. Killed half way, the rest is garbage for the
/// next time.
pub fn apply_gc(repo: &Repo, plan: GcPlan, roots: &[ObjectId], actor: &Actor, now: Timestamp) -> Result<GcDone> {
    failpoint::hit("gc.planned");
    if plan.remove.is_empty() && plan.stale.is_empty() {
        return Ok(GcDone::default());
    }
    let guard = Guard::take(repo, actor)?;
    let needed = needed(repo, roots)?;
    let unneeded: Vec<ObjectId> = plan.remove.iter().map(|(id, _)| *id).filter(|id| !needed.contains(id)).collect();
    let (objects, bytes) = (units::plural(unneeded.len() as u64, "object"), units::bytes(plan.bytes));
    let event = Event { action: "gc", subject: "objects".to_owned(), from: None, to: None, reason: None };
    guard.note(vec![Event { to: Some(format!("removes {objects}, at most {bytes}")), ..event }], actor, now)?;
    let mut done = GcDone::default();
    let half = unneeded.len() / 2;
    for (position, id) in unneeded.iter().enumerate() {
        if position == half {
            failpoint::hit("gc.half-removed");
        }
        // Looked at just before: a process that put it again renewed its time stamp and counts on it.
        if old_enough(repo, id, plan.before)?.is_some() {
            done.bytes += repo.store().remove(id)?;
            done.removed += 1;
        }
    }
    for (path, bytes) in &plan.stale {
        fs::remove_if_there(path)?;
        done.bytes += bytes;
    }
    Ok(done)
}

/// Files in the staging folder that nobody wrote to for [`STAGING_AGE`], with their bytes.
pub fn stale_staging(layout: &Layout, now: Timestamp) -> Result<Vec<(PathBuf, u64)>> {
    let mut stale = Vec::new();
    for path in fs::files_in(&layout.staging())? {
        let Ok(metadata) = std_fs::metadata(&path) else {
            continue;
        };
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let age = now.as_micros() as f64 / 1e6 - modified.map_or(0.0, |since| since.as_secs_f64());
        if age > STAGING_AGE.as_secs_f64() {
            stale.push((path, metadata.len()));
        }
    }
    Ok(stale)
}

fn needed(repo: &Repo, extra: &[ObjectId]) -> Result<BTreeSet<ObjectId>> {
    let mut roots = reach::named(repo)?;
    let open = reach::named_by_open_runs(repo)?;
    let optional = open.into_iter().chain(extra.iter().map(|id| (*id, "mlops.lock".to_owned())));
    for (id, who) in optional {
        if repo.store().stat(&id)?.is_some() {
            roots.entry(id).or_insert(who);
        }
    }
    let Reach { reached, unreadable } = reach::reach(repo, roots);
    match unreadable.first_key_value() {
        None => Ok(reached),
        Some((id, lost)) => Err(fail::world(format!(
            "nothing is removed: object {}, needed by {}, cannot be read, so what it refers to is not known",
            id.short(),
            lost.needed_by
        ))
        .hint("run `mlops fsck` and repair what it finds first")
        .into()),
    }
}

/// Bytes of an object that was last put before `before`.
fn old_enough(repo: &Repo, id: &ObjectId, before: Timestamp) -> Result<Option<u64>> {
    let stat = repo.store().stat(id)?;
    Ok(stat.filter(|stat| stat.modified < before).map(|stat| stat.stored_bytes))
}

/// Orders objects so that none goes before another one that refers to it: a crash half way then leaves no object
/// without its parts.
fn referrers_first(repo: &Repo, objects: BTreeMap<ObjectId, u64>) -> Vec<(ObjectId, u64)> {
    // One that cannot be read refers to nothing that matters any more.
    let references: BTreeMap<ObjectId, BTreeSet<ObjectId>> = objects
        .keys()
        .map(|id| {
            let all = objects::references(repo.store(), id).unwrap_or_default();
            (*id, all.into_iter().filter(|other| other != id && objects.contains_key(other)).collect())
        })
        .collect();
    let mut referrers: BTreeMap<ObjectId, usize> = BTreeMap::new();
    for other in references.values().flatten() {
        *referrers.entry(*other).or_default() += 1;
    }
    let mut free: Vec<ObjectId> = objects.keys().rev().filter(|id| !referrers.contains_key(id)).copied().collect();
    let mut ordered = Vec::with_capacity(objects.len());
    while let Some(id) = free.pop() {
        ordered.extend(objects.get(&id).map(|bytes| (id, *bytes)));
        for other in references.get(&id).into_iter().flatten() {
            if let Some(left) = referrers.get_mut(other) {
                *left -= 1;
                if *left == 0 {
                    free.push(*other);
                }
            }
        }
    }
    ordered
}
