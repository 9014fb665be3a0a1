//! Changes of refs: all of a change or nothing of it, whatever happens to the process or the power.
//!
//! Objects are made durable, the lock is taken, the lines are decided, the redo file is written (the commit), the
//! lines are written, the redo file is removed. Killed before the redo file, nothing happened; after it, the next
//! process that opens the repository writes the same lines at the same places.

use std::process;

use anyhow::{Context, Result};

use crate::base::clock::Timestamp;
use crate::base::lock::FileLock;
use crate::base::{fail, failpoint, limits};
use crate::repo::Repo;
use crate::repo::audit::Event;
use crate::repo::draft::{audit_append, draft};
use crate::repo::intent::{self, Intent};
use crate::repo::layout::Layout;
use crate::repo::refs::{Actor, Change, Committed};

/// The right to change refs; freed when dropped or when the process ends.
pub struct Guard<'r> {
    repo: &'r Repo,
    _lock: FileLock,
}

impl<'r> Guard<'r> {
    /// Waits for the repository lock and finishes what a process that died had committed.
    ///
    /// Errors: still held after [`limits::LOCK_WAIT`]; the message names the holder.
    pub fn take(repo: &'r Repo, actor: &Actor) -> Result<Guard<'r>> {
        let Actor { user, host, command } = actor;
        let holder = format!("`{command}` ({user}@{host}, process {})", process::id());
        let lock = FileLock::acquire(&repo.layout().lock(), limits::LOCK_WAIT, &holder)?;
        recover(repo.layout())?;
        Ok(Guard { repo, _lock: lock })
    }

    /// Commits `intent` and writes its lines.
    ///
    /// Errors: it could not be written; then it is taken back, or, if even that fails, finished by the next command.
    pub fn commit(&self, intent: &Intent) -> Result<()> {
        let layout = self.repo.layout();
        failpoint::hit("tx.before-intent");
        intent.publish(layout)?;
        failpoint::hit("tx.after-intent");
        let applied = apply(intent, layout);
        let Err(error) = applied else { return intent::retire(layout) };
        match intent.undo(layout) {
            Ok(()) => Err(error.context("nothing was changed")),
            Err(_) => Err(error.context("the change is recorded; the next command will finish writing it")),
        }
    }

    /// Writes audit lines that go with no change of refs.
    pub fn note(&self, events: Vec<Event>, actor: &Actor, now: Timestamp) -> Result<()> {
        self.commit(&Intent { appends: vec![audit_append(self.repo, events, actor, now)?] })
    }
}

fn apply(intent: &Intent, layout: &Layout) -> Result<()> {
    intent.apply_refs(layout)?;
    failpoint::hit("tx.after-refs");
    intent.apply_audit(layout)?;
    failpoint::hit("tx.after-audit");
    Ok(())
}

/// Finishes a pending transaction, for the holder of the lock; false when there is none.
fn recover(layout: &Layout) -> Result<bool> {
    let Some(pending) = intent::read(layout)? else {
        return Ok(false);
    };
    pending.apply_refs(layout)?;
    pending.apply_audit(layout)?;
    intent::retire(layout)?;
    Ok(true)
}

/// Finishes a pending transaction if its process is dead; does nothing while that process lives.
///
/// In a folder that cannot be written nothing is finished either: readers see the outcome all the same, as they read
/// through the redo file.
pub fn recover_if_free(layout: &Layout) -> Result<()> {
    if !intent::is_pending(layout) {
        return Ok(());
    }
    match FileLock::try_acquire(&layout.lock()) {
        Ok(Some(_lock)) => recover(layout).map(|_| ()).or_else(|error| match fail::find(&error) {
            Some(_) => Err(error),
            None => Ok(()),
        }),
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Applies `change`; see [`Repo::commit`].
pub fn commit(repo: &Repo, change: Change, actor: &Actor, now: Timestamp) -> Result<Vec<Committed>> {
    // Before the lock: making gigabytes durable must not keep other writers waiting.
    repo.store().sync().context("cannot make objects durable")?;
    let guard = Guard::take(repo, actor)?;
    let (committed, intent) = draft(repo, change, actor, now)?;
    if let Some(intent) = intent {
        guard.commit(&intent)?;
    }
    Ok(committed)
}
