//! The redo file: what a committed transaction appends to which file, written whole before the first of them changes.
//!
//! Writing it is the commit. Every append knows the length its file had before, so doing it again changes nothing, and
//! readers can see its outcome before it is done.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::{fail, fs};
use crate::repo::layout::{self, Layout};

/// Most bytes of a redo file or of one file of refs.
pub const FILE_BYTES_MAX: u64 = 1 << 30;

/// Lines to append, in order; the audit log is last.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// One entry a file.
    pub appends: Vec<Append>,
}

/// Whole lines for the end of one file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    /// File, relative to `.mlops/`.
    pub file: String,
    /// Length of the file before.
    pub offset: u64,
    /// What is added.
    pub text: String,
}

/// Whether a transaction was left half done, or is being done right now.
pub fn is_pending(layout: &Layout) -> bool {
    layout.intent().symlink_metadata().is_ok()
}

/// The pending transaction, if there is one.
pub fn read(layout: &Layout) -> Result<Option<Intent>> {
    let path = layout.intent();
    let Some(bytes) = fs::read_optional(&path, FILE_BYTES_MAX)? else {
        return Ok(None);
    };
    let intent: Option<Intent> = serde_json::from_slice(&bytes).ok();
    match intent {
        Some(intent) if intent.appends.iter().all(|append| is_ours(&append.file)) => Ok(Some(intent)),
        _ => Err(fail::world(format!("{} is damaged", path.display()))
            .hint("move it away: the transaction it describes is then undone; run `mlops fsck` afterwards")
            .into()),
    }
}

/// Only refs and the audit log are ever appended to, so a forged file cannot reach outside.
fn is_ours(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    let plain = parts.iter().all(|part| !part.is_empty() && !part.starts_with('.'));
    plain && (file == layout::AUDIT || (parts.len() >= 2 && parts[0] == "refs"))
}

/// Bytes of a file of refs or of the audit log as of the last committed transaction, even when its lines are not all
/// written yet. Empty when there is no such file. A last line without an end is left out: it was never committed.
pub fn read_committed(layout: &Layout, file: &str) -> Result<Vec<u8>> {
    // The intent is read first: if it is gone, all of its lines are in place by the time the file is read.
    let pending = read(layout)?;
    let mut bytes = fs::read_optional(&layout.inside(file), FILE_BYTES_MAX)?.unwrap_or_default();
    for append in pending.iter().flat_map(|intent| &intent.appends).filter(|append| append.file == file) {
        let offset = append.offset as usize;
        if bytes.len() >= offset && bytes.len() < offset + append.text.len() {
            bytes.truncate(offset);
            bytes.extend_from_slice(append.text.as_bytes());
        }
    }
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    bytes.truncate(end);
    Ok(bytes)
}

impl Intent {
    /// Commits: after this returns, the transaction happens even if the process dies.
    pub fn publish(&self, layout: &Layout) -> Result<()> {
        let bytes = serde_json::to_vec(self).context("cannot write a transaction")?;
        fs::write_atomic(&layout.intent(), &layout.staging(), &bytes)
    }

    /// Writes and syncs the lines of refs. Safe to do again.
    pub fn apply_refs(&self, layout: &Layout) -> Result<()> {
        self.appends.iter().filter(|append| append.file != layout::AUDIT).try_for_each(|append| append.apply(layout))
    }

    /// Writes and syncs the audit lines. Safe to do again.
    pub fn apply_audit(&self, layout: &Layout) -> Result<()> {
        self.appends.iter().filter(|append| append.file == layout::AUDIT).try_for_each(|append| append.apply(layout))
    }

    /// Takes everything back, for a transaction whose lines could not be written (disk full).
    ///
    /// A crash in the middle of it leaves the redo file, so the transaction is then done, not half done.
    pub fn undo(&self, layout: &Layout) -> Result<()> {
        self.appends.iter().rev().try_for_each(|append| append.undo(layout))?;
        retire(layout)
    }
}

/// Forgets the redo file: all its lines are in place.
///
/// Not synced: if a power cut brings it back, it is done once more without effect.
pub fn retire(layout: &Layout) -> Result<()> {
    fs::remove_if_there(&layout.intent())
}

impl Append {
    fn apply(&self, layout: &Layout) -> Result<()> {
        let path = layout.inside(&self.file);
        let shown = || format!("cannot write {}", path.display());
        let created = !path.exists();
        let parent = path.parent().unwrap_or(layout.folder());
        fs::create_dir_all(parent)?;
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = opened.with_context(shown)?;
        let length = file.metadata().with_context(shown)?.len();
        let end = self.offset + self.text.len() as u64;
        if length < self.offset || length > end {
            return Err(changed_outside(&path, length, self.offset).into());
        }
        // Written at its own place, not at the end: the second time writes the same bytes over the first.
        file.write_all_at(self.text.as_bytes(), self.offset).and_then(|()| file.sync_data()).with_context(shown)?;
        if created { fs::sync_dir(parent) } else { Ok(()) }
    }

    fn undo(&self, layout: &Layout) -> Result<()> {
        let path = layout.inside(&self.file);
        if self.offset == 0 {
            // The transaction made this file: an empty one would be a name without versions.
            return fs::remove_if_there(&path);
        }
        match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            opened => {
                let shortened = opened.and_then(|file| {
                    // Never longer: a file that was not reached yet is left as it is.
                    let length = file.metadata()?.len();
                    file.set_len(length.min(self.offset))?;
                    file.sync_data()
                });
                shortened.with_context(|| format!("cannot take back the change of {}", path.display()))
            }
        }
    }
}

fn changed_outside(path: &Path, length: u64, expected: u64) -> fail::Failure {
    fail::world(format!(
        "{} has {length} bytes where an unfinished transaction expects {expected}: it was changed by hand",
        path.display()
    ))
    .hint("restore the file from a copy, or move `.mlops/intent.json` away; run `mlops fsck` afterwards")
}
