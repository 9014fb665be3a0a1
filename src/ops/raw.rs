//! The raw files of one `ingest`: files of the project, fetched copies of what lies elsewhere, and files that earlier
//! versions kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::{NamedTempFile, TempPath};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::data::source::{self, ReadOptions};
use crate::ops::context::OpCtx;
use crate::ops::files::{FileStamp, hash_file, remember_hash, stamp};
use crate::ops::ingest::IngestOptions;
use crate::record::dataset::{DatasetRecord, SourceFile};
use crate::record::remote::{Remembered, Validators};
use crate::repo::Repo;
use crate::source::{Content, FetchOptions, Fetched, fetch};

/// One raw file that is to be part of the new version.
pub struct Raw {
    /// Where its bytes are.
    pub bytes: Bytes,
    /// How it is read.
    pub read: ReadOptions,
}

/// Where the bytes of a raw file are.
pub enum Bytes {
    /// In a file, to be stored.
    New(NewRaw),
    /// In the store.
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
    /// What a server said of it.
    validators: Option<Validators>,
    /// Keeps a fetched copy until the version is stored.
    copy: Option<TempPath>,
}

impl NewRaw {
    /// The id of its bytes; a file of the project is read only if its stamp has changed.
    pub fn id(&self, repo: &Repo) -> Result<ObjectId> {
        hash_file(repo, &self.path)
    }

    /// What a person calls it.
    pub fn shown(&self) -> String {
        self.origin.clone().unwrap_or_else(|| self.path.display().to_string())
    }

    /// Whether it is still what it was when it was looked at.
    pub fn check_unchanged(&self) -> Result<()> {
        if self.copy.is_some() || stamp(&self.path)?.same_bytes(&self.seen) {
            return Ok(());
        }
        let what = format!("{} changed while it was read", self.path.display());
        Err(fail::world(what).hint("ingest it again when its writer is done").into())
    }

    /// Remembers the hash of a file of the project, and what a server said of a fetched one, so that neither is read again.
    pub fn remember(&self, repo: &Repo, raw: ObjectId) {
        if self.copy.is_none() {
            remember_hash(repo, &self.path, &self.seen, raw);
        }
        // Losing this only costs time, so a failure is not worth stopping for.
        if let (Some(origin), Some(validators), Ok(index)) = (&self.origin, &self.validators, repo.index()) {
            let _ = index.remember_remote(origin, &Remembered { validators: validators.clone(), raw });
        }
    }
}

impl Raw {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match &self.bytes {
            Bytes::New(new) => new.seen.length,
            Bytes::Kept(kept) => kept.bytes,
        }
    }

    /// The file to be stored, unless the store has it.
    pub fn to_store(&self) -> Option<&NewRaw> {
        match &self.bytes {
            Bytes::New(new) => Some(new),
            Bytes::Kept(_) => None,
        }
    }

    /// Makes the bytes readable as a file; what the store holds is verified on the way.
    pub fn readable(&self, repo: &Repo) -> Result<Readable> {
        match &self.bytes {
            Bytes::New(new) => Ok(Readable::Here(new.path.clone())),
            Bytes::Kept(kept) => Ok(Readable::Copy(copy_of(repo, kept)?)),
        }
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

/// The raw files of the new version in the order of their rows: with `append` those of `newest`, then those asked for.
///
/// Errors: whatever keeps a source from being fetched whole; an empty file.
pub fn raw_files(
    repo: &Repo,
    options: &IngestOptions,
    newest: Option<&DatasetRecord>,
    ctx: &OpCtx<'_>,
) -> Result<Vec<Raw>> {
    let mut raws: Vec<Raw> = match newest.filter(|_| options.append) {
        Some(record) => record.sources.iter().map(|source| kept(source, record)).collect(),
        None => Vec::new(),
    };
    let before: Vec<ObjectId> = raws.iter().filter_map(|raw| kept_id(&raw.bytes)).collect();
    for fetched in fetched(repo, options, ctx)? {
        let raw = raw_file(fetched, options)?;
        let id = match (&raw.bytes, before.is_empty()) {
            (Bytes::New(new), false) => Some(new.id(repo)?),
            (bytes, _) => kept_id(bytes),
        };
        // A step that is run twice must not double its rows.
        if id.is_some_and(|id| before.contains(&id)) {
            let name = raw.to_store().map_or_else(|| options.sources.join(" "), NewRaw::shown);
            ctx.talk.info(&format!("{name} is already part of the dataset; it is not appended again"));
            continue;
        }
        raws.push(raw);
    }
    Ok(raws)
}

fn kept_id(bytes: &Bytes) -> Option<ObjectId> {
    match bytes {
        Bytes::New(_) => None,
        Bytes::Kept(kept) => Some(kept.raw),
    }
}

fn kept(source: &SourceFile, record: &DatasetRecord) -> Raw {
    let read = source::as_before(source.parse.as_ref().unwrap_or(&record.parse));
    Raw { bytes: Bytes::Kept(source.clone()), read }
}

fn fetched(repo: &Repo, options: &IngestOptions, ctx: &OpCtx<'_>) -> Result<Vec<Fetched>> {
    let staging = repo.layout().staging();
    let remembered = |url: &str| {
        let known = repo.index().ok()?.remembered_remote(url).ok()??;
        repo.store().contains(&known.raw).unwrap_or(false).then_some(known)
    };
    let options_of_fetch = FetchOptions {
        bytes_max: options.bytes_max.unwrap_or(limits::SOURCE_BYTES_MAX),
        offline: ctx.offline,
        window: options.window,
        remembered: &remembered,
        ..FetchOptions::new(&options.folder, &staging, ctx.variables)
    };
    fetch(&options.sources, &options_of_fetch, ctx.talk)
}

/// One fetched file with how it is read: what the person says wins over what the source states.
fn raw_file(fetched: Fetched, options: &IngestOptions) -> Result<Raw> {
    let mut read = options.read.clone();
    read.format = read.format.or(fetched.format);
    if let Some(null_values) = fetched.null_values {
        // Made from a database: empty text is text there.
        read.quoted_values = true;
        read.null_values = read.null_values.or(Some(null_values));
    }
    for (name, column_type) in fetched.types {
        read.types.entry(name).or_insert(column_type);
    }
    let (name, origin, validators) = (fetched.name, fetched.origin, fetched.validators);
    let (path, copy) = match fetched.content {
        Content::Local(path) => (path, None),
        Content::Temporary(copy) => (copy.to_path_buf(), Some(copy)),
        Content::NotModified(Remembered { validators, raw }) => {
            let kept = SourceFile { name, raw, bytes: validators.bytes, parse: None, origin };
            return Ok(Raw { bytes: Bytes::Kept(kept), read });
        }
    };
    let seen = stamp(&path)?;
    let new = NewRaw { path, name, origin, seen, validators, copy };
    if new.seen.length == 0 {
        let what = format!("{} is empty", new.shown());
        return Err(fail::usage(what).hint("a table needs a header and rows").into());
    }
    Ok(Raw { bytes: Bytes::New(new), read })
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
