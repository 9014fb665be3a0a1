//! The raw files of one `ingest`: files of the project, fetched copies of what lies elsewhere, and files that earlier
//! versions kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::ops::files::{FileStamp, hash_file, stamp};
use crate::record::dataset::SourceFile;
use crate::repo::Repo;

/// One raw file that is to be part of the new version.
pub enum Raw {
    /// A file to be stored.
    New(NewRaw),
    /// One that an earlier version has stored.
    Kept(SourceFile),
}

/// A file to be stored.
pub struct NewRaw {
    /// Where it lies now.
    pub path: PathBuf,
    /// What the record calls it: its name without its folder, or its path below the folder or pattern asked for.
    pub name: String,
    /// Where it came from when that is not a file of the project; without secrets.
    pub origin: Option<String>,
    /// What the file system said of it before it was read.
    pub seen: FileStamp,
}

impl NewRaw {
    /// Looks at the file at `path`.
    ///
    /// Errors: missing, a folder, empty.
    pub fn look(path: &Path, name: String, origin: Option<String>) -> Result<NewRaw> {
        let seen = stamp(path)?;
        if seen.length == 0 {
            let what = format!("{} is empty", path.display());
            return Err(fail::usage(what).hint("a table needs a header and rows").into());
        }
        Ok(NewRaw { path: path.to_owned(), name, origin, seen })
    }

    /// The id of its bytes, read only if its stamp has changed.
    pub fn id(&self, repo: &Repo) -> Result<ObjectId> {
        hash_file(repo, &self.path)
    }

    /// Whether it is still what it was when it was looked at.
    pub fn check_unchanged(&self) -> Result<()> {
        if stamp(&self.path)?.same_bytes(&self.seen) {
            return Ok(());
        }
        let what = format!("{} changed while it was read", self.path.display());
        Err(fail::world(what).hint("ingest it again when its writer is done").into())
    }
}

/// A raw file as a path that can be read: the file itself, or a copy of what the store holds.
pub enum Readable {
    /// The file itself.
    Here(PathBuf),
    /// A copy, gone when dropped.
    Copy(NamedTempFile),
}

impl Readable {
    /// Where to read.
    pub fn path(&self) -> &Path {
        match self {
            Readable::Here(path) => path,
            Readable::Copy(file) => file.path(),
        }
    }
}

impl Raw {
    /// Makes the bytes readable as a file; what the store holds is verified on the way.
    pub fn readable(&self, repo: &Repo) -> Result<Readable> {
        match self {
            Raw::New(new) => Ok(Readable::Here(new.path.clone())),
            Raw::Kept(kept) => Ok(Readable::Copy(copy_of(repo, kept)?)),
        }
    }

    /// Length in bytes.
    pub fn bytes(&self) -> u64 {
        match self {
            Raw::New(new) => new.seen.length,
            Raw::Kept(kept) => kept.bytes,
        }
    }
}

/// Copies a stored raw file into the staging area.
pub fn copy_of(repo: &Repo, source: &SourceFile) -> Result<NamedTempFile> {
    let named = || format!("cannot read the stored copy of {}", source.name);
    // The ending helps to tell the format.
    let ending = Path::new(&source.name).extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    let mut builder = tempfile::Builder::new();
    let ending = ending.unwrap_or_default();
    let mut copy = builder.prefix("raw-").suffix(&ending).tempfile_in(repo.layout().staging()).with_context(named)?;
    io::copy(&mut repo.store().open(&source.raw).with_context(named)?, copy.as_file_mut()).with_context(named)?;
    Ok(copy)
}

/// Opens a file for reading, with its name in the error.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}
