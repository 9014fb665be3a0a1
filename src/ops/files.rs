//! Hashes of files that people keep, remembered by their stamps so that unchanged files are not read again.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::hash;
use crate::base::id::ObjectId;
use crate::repo::Repo;

/// Identity of a file's bytes as far as the file system tells it.
#[derive(Clone, Debug)]
pub struct FileStamp {
    /// Length in bytes.
    pub length: u64,
    /// Last change of the bytes, nanoseconds since 1970.
    pub modified: i64,
    /// Last change of bytes or attributes, nanoseconds since 1970.
    pub changed: i64,
    /// Number of the file in its file system.
    pub inode: u64,
    /// When it was taken, nanoseconds since 1970: a change in the same tick of the file system's clock goes unseen, so
    /// a hash is only trusted when the last change is clearly older than this.
    pub taken: i64,
}

impl FileStamp {
    /// Whether both tell of the same bytes.
    pub fn same_bytes(&self, other: &FileStamp) -> bool {
        let key = |stamp: &FileStamp| (stamp.length, stamp.modified, stamp.changed, stamp.inode);
        key(self) == key(other)
    }
}

/// Stamps a regular file.
///
/// Errors: missing, a folder.
pub fn stamp(path: &Path) -> Result<FileStamp> {
    let taken = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
    let meta = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if !meta.is_file() {
        let what = format!("{} is not a file", path.display());
        return Err(fail::usage(what).hint("name one CSV or Parquet file").into());
    }
    Ok(FileStamp {
        length: meta.len(),
        modified: meta.mtime() * 1_000_000_000 + meta.mtime_nsec(),
        changed: meta.ctime() * 1_000_000_000 + meta.ctime_nsec(),
        inode: meta.ino(),
        taken,
    })
}

/// The hash of a file whose stamp has not changed since it was last hashed.
pub fn known_hash(repo: &Repo, path: &Path, stamp: &FileStamp) -> Option<ObjectId> {
    let index = repo.index().ok()?;
    index.stat_get(&path_key(repo, path), stamp.length, stamp.modified, stamp.changed, stamp.inode).ok().flatten()
}

/// Remembers the hash of a file, so that it need not be read again while its stamp stays.
pub fn remember_hash(repo: &Repo, path: &Path, stamp: &FileStamp, id: ObjectId) {
    // Losing this only costs time, so a failure is not worth stopping for.
    if let Ok(index) = repo.index() {
        let key = (stamp.length, stamp.modified, stamp.changed, stamp.inode);
        let _ = index.stat_put(&path_key(repo, path), key, id, stamp.taken);
    }
}

/// The id of a file's bytes, read only if its stamp has changed.
pub fn hash_file(repo: &Repo, path: &Path) -> Result<ObjectId> {
    let seen = stamp(path)?;
    if let Some(id) = known_hash(repo, path, &seen) {
        return Ok(id);
    }
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (id, _) = hash::hash_reader(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
    if stamp(path)?.same_bytes(&seen) {
        remember_hash(repo, path, &seen, id);
    }
    Ok(id)
}

/// Paths inside the project are kept relative to it, so that the folder can move.
fn path_key(repo: &Repo, path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    full.strip_prefix(repo.root()).unwrap_or(&full).display().to_string()
}
