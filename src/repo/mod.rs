//! The repository: the hidden folder of a project, and the names, history and lineage kept in it.
//!
//! Lives here: where things are (`layout`), refs and how they change (`refs`, `marks`, `undo`, `lines`, `draft`,
//! `draft_marks`, `intent`, `transaction`), the audit log, journals of open runs (`journal`, `journals`, `seal`,
//! `killed`), what a reference means (`resolve`), what the index is fed (`feed`), what is reachable, damaged or unneeded
//! (`reach`, `fsck`, `gc`). Does not live here: bytes of objects (`store`), SQL (`index`), what records mean (the maths
//! folders and `ops`).
//!
//! Always holds: truth is in objects, refs, the audit log and journals, and only [`Repo::commit`] and journals change
//! it; a name never points at an object that is not durable; a change happens wholly or not at all; no absolute path is
//! written anywhere, so the folder can be moved; the index can be thrown away.

pub mod audit;
mod draft;
mod draft_marks;
mod feed;
pub mod fsck;
mod fsck_refs;
pub mod gc;
mod intent;
pub mod journal;
pub mod journals;
pub mod killed;
pub mod layout;
mod lines;
mod lookup;
pub mod marks;
pub mod names;
mod objects;
pub mod reach;
pub mod refs;
pub mod resolve;
mod seal;
mod setup;
mod transaction;
pub mod undo;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;
use crate::base::{fail, limits};
use crate::index::Index;
use crate::record::run::RunRecord;
use crate::record::{self, Record};
use crate::repo::audit::AuditEntry;
use crate::repo::layout::Layout;
use crate::repo::refs::{Actor, Change, Committed};
use crate::store::Store;

/// One open repository. Cheap to open and to clone; any number of processes and threads may have it open at once.
#[derive(Clone)]
pub struct Repo {
    layout: Layout,
    store: Arc<dyn Store>,
}

impl Repo {
    /// Makes a repository in `root`, or completes and opens the one that is there; true when it was made.
    ///
    /// Adds `.mlops/` to `.gitignore` when `root` is in a git checkout or has that file. Errors: a folder or file that
    /// cannot be written, a newer layout.
    pub fn init(root: &Path) -> Result<(Repo, bool)> {
        setup::init(root)
    }

    /// Opens the repository of `start` or of the nearest folder above it.
    ///
    /// Finishes a transaction whose process died. Errors: no repository; a layout of a newer version.
    pub fn open(start: &Path) -> Result<Repo> {
        setup::open(start)
    }

    /// The same repository with a staging area of its own: what is put through it and not synced vanishes with it.
    pub fn isolated(&self) -> Result<Repo> {
        setup::isolated(self)
    }

    /// Opens the repository with this layout on another store, for tests that need stores to fail.
    pub fn with_store(layout: Layout, store: Arc<dyn Store>) -> Repo {
        Repo { layout, store }
    }

    /// The project folder: the one that holds `.mlops/`.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Where everything is.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The objects.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Keeps a record; its id depends on what it says and on nothing else. Durable from the next commit on.
    ///
    /// Errors: a record that could not be read back (a number in it is not finite), or of more than
    /// [`limits::RECORD_BYTES_MAX`] bytes.
    pub fn put_record<R: Record>(&self, record: &R) -> Result<ObjectId> {
        let bytes = record::encode(record)?;
        if bytes.len() as u64 > limits::RECORD_BYTES_MAX {
            let (length, most) = (bytes.len(), limits::RECORD_BYTES_MAX);
            return Err(
                fail::world(format!("this {} record has {length} bytes; at most {most} are kept", R::KIND)).into()
            );
        }
        // Better refused now than unreadable later.
        record::decode::<R>(&bytes)
            .with_context(|| format!("a {} record with a number that is not finite cannot be kept", R::KIND))?;
        Ok(self.store.put(&bytes)?.id)
    }

    /// Reads a record.
    ///
    /// Errors: missing, damaged, of another kind, of a newer version.
    pub fn record<R: Record>(&self, id: &ObjectId) -> Result<R> {
        let bytes = self.store.get(id, limits::RECORD_BYTES_MAX)?;
        record::decode(&bytes).with_context(|| format!("object {}", id.short()))
    }

    /// Applies all moves of `change`, or none; the outcomes are in the order of the moves.
    ///
    /// Everything put before is durable when this returns, and everything named is checked to be there. Errors: bad
    /// names, unknown versions, a run sealed before, the lock still held by another process after
    /// [`limits::LOCK_WAIT`]. Cost: about five fsyncs, none when everything is as asked already.
    pub fn commit(&self, change: Change, actor: &Actor, now: Timestamp) -> Result<Vec<Committed>> {
        transaction::commit(self, change, actor, now)
    }

    /// Seals runs that have ended, many in one commit, which costs little more than one.
    ///
    /// For runs without a journal of their own: until this returns they are known to nobody, unless the journal of the run
    /// that they ended in holds them ([`journal::RunJournal::ended`]). Errors: as [`Repo::commit`]; none is sealed then.
    pub fn seal_ended(&self, ended: &[RunRecord], actor: &Actor, now: Timestamp) -> Result<()> {
        seal::seal_ended(self, ended, actor, now)
    }

    /// Every change ever made, oldest first.
    pub fn audit(&self) -> Result<Vec<AuditEntry>> {
        audit::read(&self.layout)
    }

    /// Throws the index away and builds it again from the files it is derived from.
    pub fn rebuild_index(&self) -> Result<Index> {
        let mut index = Index::open(&self.layout.index())?;
        index.rebuild(&feed::Feed::new(self))?;
        Ok(index)
    }

    /// The index, caught up with everything committed and every line of open journals.
    ///
    /// What it had to do besides (rebuild, work in memory) is in [`Index::notes`].
    pub fn index(&self) -> Result<Index> {
        let mut index = Index::open(&self.layout.index())?;
        index.catch_up(&feed::Feed::new(self))?;
        Ok(index)
    }
}
