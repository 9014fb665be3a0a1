//! Getting: object files to verified bytes.

use std::io::{self, Read};
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::base::hash::Hasher;
use crate::base::id::ObjectId;
use crate::store::format::{Content, Encoding, Flaw};
use crate::store::manifest::{Manifest, Part};
use crate::store::shelf::{self, FileIdentity, Found, Shelf};
use crate::store::{ObjectStat, StoreError};

/// Most chunks decoded ahead of the reader, by all threads at once.
const AHEAD: usize = 8;

/// Opens an object for reading.
pub fn open(shelf: Arc<dyn Shelf>, id: &ObjectId) -> Result<Box<dyn Read + Send>> {
    Ok(match shelf::load(shelf.as_ref(), id)? {
        (Content::Bytes(bytes), _) => Box::new(io::Cursor::new(bytes)),
        (Content::Manifest(manifest), file) => Box::new(BlobReader::new(shelf, *id, manifest, file)),
    })
}

/// Reads a whole object of at most `limit` bytes.
pub fn get(shelf: Arc<dyn Shelf>, id: &ObjectId, limit: u64) -> Result<Vec<u8>> {
    let (header, _) = shelf::look(shelf.as_ref(), id)?.ok_or(StoreError::Missing { id: *id })?;
    if header.bytes > limit {
        return Err(StoreError::TooLarge { what: format!("object {id}"), limit }.into());
    }
    match shelf::load(shelf.as_ref(), id)? {
        (Content::Bytes(bytes), _) => Ok(bytes),
        (Content::Manifest(manifest), file) => {
            // Nothing is reserved for a length that only the file claims: the chunks have to be there one by one.
            let mut bytes = Vec::new();
            let mut reader = BlobReader::new(shelf, *id, manifest, file);
            while reader.load_next().with_context(|| format!("cannot read object {id}"))? {
                reader.ready.drain(..).for_each(|chunk| bytes.extend_from_slice(&chunk));
            }
            Ok(bytes)
        }
    }
}

/// Reads and verifies an object; its damage or absence is the answer, not a failure.
pub fn check(shelf: Arc<dyn Shelf>, id: &ObjectId) -> Result<Option<StoreError>> {
    let read_all = || match shelf::load(shelf.as_ref(), id)? {
        (Content::Bytes(_), _) => Ok(()),
        (Content::Manifest(manifest), file) => {
            let mut reader = BlobReader::new(shelf.clone(), *id, manifest, file);
            while reader.load_next()? {
                reader.ready.clear();
            }
            Ok(())
        }
    };
    match read_all() {
        Ok(()) => Ok(None),
        Err(finding @ (StoreError::Missing { .. } | StoreError::Damaged { .. })) => Ok(Some(finding)),
        Err(error) => Err(error).with_context(|| format!("cannot check object {id}")),
    }
}

/// Whether the object and its chunks are there, by their headers.
pub fn contains(shelf: &dyn Shelf, id: &ObjectId) -> Result<bool> {
    let Found::Good(header, _) = shelf::find(shelf, id)? else {
        return Ok(false);
    };
    if header.encoding != Encoding::Manifest {
        return Ok(true);
    }
    let parts = match manifest(shelf, id) {
        Ok(parts) => parts,
        Err(StoreError::Missing { .. } | StoreError::Damaged { .. }) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    for part in parts {
        match shelf::find(shelf, &part.id)? {
            Found::Good(header, _) if header.bytes == u64::from(part.bytes) => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The chunks of an object.
pub fn parts(shelf: &dyn Shelf, id: &ObjectId) -> Result<Vec<ObjectId>> {
    let (header, _) = shelf::look(shelf, id)?.ok_or(StoreError::Missing { id: *id })?;
    if header.encoding != Encoding::Manifest {
        return Ok(Vec::new());
    }
    Ok(manifest(shelf, id)?.iter().map(|part| part.id).collect())
}

/// Size and age of an object.
pub fn stat(shelf: &dyn Shelf, id: &ObjectId) -> Result<Option<ObjectStat>> {
    let found = shelf::look(shelf, id)?;
    Ok(found.map(|(header, head)| ObjectStat {
        bytes: header.bytes,
        stored_bytes: head.file_bytes,
        modified: head.modified,
    }))
}

fn manifest(shelf: &dyn Shelf, id: &ObjectId) -> Result<Vec<Part>, StoreError> {
    Ok(match shelf::load(shelf, id)?.0 {
        Content::Bytes(_) => Vec::new(),
        Content::Manifest(manifest) => manifest.parts,
    })
}

/// A chunked blob, read from its start, a few chunks ahead.
struct BlobReader {
    shelf: Arc<dyn Shelf>,
    id: ObjectId,
    manifest: Manifest,
    /// The file of the manifest.
    file: FileIdentity,
    /// The first chunk not yet loaded.
    next: usize,
    whole: Hasher,
    /// Loaded chunks in reading order.
    ready: Vec<Vec<u8>>,
    /// The chunk being handed out and the bytes of it already gone.
    current: (Vec<u8>, usize),
    failed: bool,
}

impl BlobReader {
    fn new(shelf: Arc<dyn Shelf>, id: ObjectId, manifest: Manifest, file: FileIdentity) -> BlobReader {
        let (ready, current) = (Vec::new(), (Vec::new(), 0));
        BlobReader { shelf, id, manifest, file, next: 0, whole: Hasher::new(), ready, current, failed: false }
    }

    /// Fills `ready` with the next chunks, verified, the last ones together with the whole; false at the end.
    fn load_next(&mut self) -> Result<bool, StoreError> {
        // A reader that only wants the start does not pay for many chunks: one, two, then more.
        let count = AHEAD.min(self.next + 1).min(self.manifest.parts.len() - self.next);
        if count == 0 {
            return Ok(false);
        }
        let parts = &self.manifest.parts[self.next..self.next + count];
        let loaded: Vec<Result<Vec<u8>, StoreError>> = parts.par_iter().map(|part| self.load_part(part)).collect();
        let mut ready = Vec::with_capacity(count);
        for chunk in loaded {
            let chunk = chunk?;
            self.whole.update_parallel(&chunk);
            ready.push(chunk);
        }
        self.next += count;
        if self.next == self.manifest.parts.len() {
            let found = self.whole.finish();
            if found != self.id {
                return Err(self.damaged(Flaw(format!("its chunks together hash to {found}"))));
            }
        }
        self.ready = ready;
        Ok(true)
    }

    fn load_part(&self, part: &Part) -> Result<Vec<u8>, StoreError> {
        match shelf::load(self.shelf.as_ref(), &part.id)?.0 {
            Content::Bytes(bytes) if bytes.len() as u64 == u64::from(part.bytes) => Ok(bytes),
            _ => Err(self.damaged(Flaw(format!("its chunk {} has another length", part.id)))),
        }
    }

    fn damaged(&self, flaw: Flaw) -> StoreError {
        shelf::damaged(self.shelf.as_ref(), &self.id, self.file, flaw)
    }

    /// Makes the next chunk current; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        if self.failed {
            return Err(io::Error::other(format!("reading object {} failed before", self.id)));
        }
        if self.ready.is_empty() {
            match self.load_next() {
                Ok(true) => self.ready.reverse(),
                Ok(false) => return Ok(false),
                Err(error) => {
                    self.failed = true;
                    return Err(error.into());
                }
            }
        }
        self.current = (self.ready.pop().unwrap_or_default(), 0);
        Ok(true)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.current.1 == self.current.0.len() {
            if !self.advance()? {
                self.current = (Vec::new(), 0);
                return Ok(0);
            }
        }
        let (chunk, at) = &mut self.current;
        let count = buffer.len().min(chunk.len() - *at);
        buffer[..count].copy_from_slice(&chunk[*at..*at + count]);
        *at += count;
        Ok(count)
    }
}
