//! Content-addressed objects: bytes go in, the BLAKE3 of those bytes comes out, and gives the same bytes back for ever.
//!
//! ```text
//! objects/ab/cdef…    one file an object, named by the hash of the bytes it decodes to, written once, read-only
//!   header, 24 bytes  magic and format, encoding, decoded length, payload length            (format)
//!   payload           the bytes as they are | one zstd frame | a manifest of chunks         (format, manifest)
//! staging/object-…    objects that were put but not yet synced; gone when the store is dropped
//! quarantine/abcdef…  damaged files, as they were found
//! ```
//!
//! Lives here: the [`Store`] trait, its errors, the local and the in-memory store, chunking and verification, and the
//! contract suite that every store passes. Does not live here: what objects mean (`record`), which of them are still
//! needed (`repo`), copies elsewhere (`remote`).
//!
//! Always holds:
//! - An object file is complete and durable before it has its name; it never changes afterwards.
//! - No byte leaves a store unverified. What does not verify is moved to quarantine and named, never deleted.
//! - Objects of up to [`CHUNK_THRESHOLD_BYTES`](crate::base::limits::CHUNK_THRESHOLD_BYTES) are one file. Larger ones are
//!   a manifest of content-defined chunks, each an object of its own, so that similar blobs share what they have in
//!   common. A chunk is never itself chunked.
//! - Memory stays bounded by a few chunks, whatever the size of the object or of the lengths written in a file.

#[cfg(test)]
pub mod faulty;
pub mod local;
pub mod memory;

mod chunker;
mod disk;
mod error;
mod format;
mod manifest;
mod read;
mod shelf;
mod write;

#[cfg(test)]
mod tests;

use std::io::{self, Read};

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;

/// What one put did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put {
    /// Identity of the bytes: their BLAKE3, equal to `b3sum` of the same bytes.
    pub id: ObjectId,
    /// Number of bytes put.
    pub bytes: u64,
    /// New bytes on disk, chunks and manifest included; 0 when all of it was there already.
    pub stored_bytes: u64,
    /// False when the store held this object before.
    pub new: bool,
}

/// What is known of an object without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectStat {
    /// Bytes it decodes to.
    pub bytes: u64,
    /// Bytes of its own file; for a chunked blob that is the manifest, its chunks count for themselves.
    pub stored_bytes: u64,
    /// When it was last put, whether or not that put found it there already.
    pub modified: Timestamp,
}

/// A failure of the store itself.
///
/// Its `source` is a [`Failure`](crate::base::fail::Failure) with the hint, so that `fail::find` finds that wherever
/// this error ends up: directly in an `anyhow::Error`, below contexts, or inside the `io::Error` of a reader.
#[derive(Debug)]
pub enum StoreError {
    /// No such object here.
    Missing {
        /// What was asked for.
        id: ObjectId,
    },
    /// The file does not decode to the bytes it is named after.
    Damaged {
        /// The object whose file is bad.
        id: ObjectId,
        /// Where the file is now.
        moved_to: String,
        /// What does not fit.
        why: String,
    },
    /// More bytes than the caller or the format allows.
    TooLarge {
        /// The thing that is too large, as the subject of a sentence.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// The file system refused.
    Io {
        /// What was tried, as in "cannot `write`".
        doing: &'static str,
        /// On which path.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
}

/// A place that keeps objects.
///
/// Errors of every method carry a [`StoreError`] where the store itself is the cause; [`StoreError::find`] gets it out.
pub trait Store: Send + Sync {
    /// Keeps `bytes`; readable through this store at once, by everyone and durably after [`Store::sync`].
    ///
    /// Putting what is there already writes nothing, except that files whose header or length is wrong are replaced.
    fn put(&self, bytes: &[u8]) -> Result<Put>;

    /// Keeps all that `reader` gives, of any size up to about 1 TiB, in memory bounded by about 40 MiB.
    ///
    /// Errors: the reader's own; [`StoreError::TooLarge`].
    fn put_reader(&self, reader: &mut dyn Read) -> Result<Put>;

    /// Whether the object and all of its chunks are there with a good header and the right length; bytes are not read.
    fn contains(&self, id: &ObjectId) -> Result<bool>;

    /// Opens an object for reading from its start, in bounded memory.
    ///
    /// Bytes are verified before they are handed out, each chunk by its own id and the last one only together with the
    /// whole. A failed reader stays failed: it never looks like a shorter object. Errors while reading carry the
    /// [`StoreError`] inside the [`std::io::Error`].
    fn open(&self, id: &ObjectId) -> Result<Box<dyn Read + Send>>;

    /// Reads a whole object of at most `limit` bytes, verified.
    ///
    /// Errors: [`StoreError::TooLarge`] before anything of it is read.
    fn get(&self, id: &ObjectId, limit: u64) -> Result<Vec<u8>>;

    /// Makes everything put so far durable and visible to other processes.
    ///
    /// After an error what was put is still staged and the call may be repeated.
    fn sync(&self) -> Result<()>;

    /// The synced objects, chunks included, sorted. Files with other names are not objects and are left out.
    fn list(&self) -> Result<Vec<ObjectId>>;

    /// The chunks of a chunked blob, in order, repeated where content repeats; empty for an object in one file.
    fn parts(&self, id: &ObjectId) -> Result<Vec<ObjectId>>;

    /// Size and age of an object; `None` when it is not there. Reads the header only.
    fn stat(&self, id: &ObjectId) -> Result<Option<ObjectStat>>;

    /// Reads and verifies all of an object; `None` when it is good.
    ///
    /// The finding is [`StoreError::Missing`] or [`StoreError::Damaged`], of the object or of the first bad chunk.
    /// Errors: it could not be read at all, which says nothing about the object.
    fn check(&self, id: &ObjectId) -> Result<Option<StoreError>>;

    /// Removes an object's own file and returns the bytes that frees; 0 when it is not there.
    ///
    /// Only for `gc`, which has to look at [`Store::stat`] once more just before: a put that finds its object there
    /// renews `modified` instead of writing.
    fn remove(&self, id: &ObjectId) -> Result<u64>;
}
