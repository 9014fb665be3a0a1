//! What a store has to offer to keep objects: whole files by id, no more. Encoding, chunks and verification are above.

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;
use crate::store::StoreError;
use crate::store::format::{self, Content, Flaw, Header};

/// Tells one file from another that took its name: device and inode.
pub type FileIdentity = (u64, u64);

/// A file as it was read.
pub struct Loaded {
    /// All of it; one byte more than allowed when it is too long.
    pub file: Vec<u8>,
    /// Which file that was.
    pub identity: FileIdentity,
}

/// A file as it was looked at.
pub struct Head {
    /// Its first bytes, at most [`format::HEADER_BYTES`].
    pub start: Vec<u8>,
    /// Its length.
    pub file_bytes: u64,
    /// When it was last put.
    pub modified: Timestamp,
    /// Which file that was.
    pub identity: FileIdentity,
}

/// What a look at an object's file gave.
pub enum Found {
    /// There is none.
    Nothing,
    /// One with a good header and the length it should have.
    Good(Header, Head),
    /// One that cannot be this object.
    Bad(Head, Flaw),
}

/// A place for object files. Sees staged and synced ones alike.
pub trait Shelf: Send + Sync {
    /// Reads a file; `None` when there is none. Never more than one byte beyond [`format::FILE_BYTES_MAX`].
    fn load(&self, id: &ObjectId) -> Result<Option<Loaded>, StoreError>;

    /// Looks at a file; `None` when there is none.
    fn head(&self, id: &ObjectId) -> Result<Option<Head>, StoreError>;

    /// Stages a file for an id that has none; false when somebody else just staged it.
    fn stage(&self, id: &ObjectId, file: &[u8]) -> Result<bool, StoreError>;

    /// Renews the time stamp of a file; best effort.
    fn touch(&self, id: &ObjectId);

    /// Takes a file out of the way if it still is the one seen; says where it is now.
    fn quarantine(&self, id: &ObjectId, seen: FileIdentity) -> String;
}

/// Decodes and verifies one object file; also returns which file that was.
pub fn load(shelf: &dyn Shelf, id: &ObjectId) -> Result<(Content, FileIdentity), StoreError> {
    let loaded = shelf.load(id)?.ok_or(StoreError::Missing { id: *id })?;
    match format::decode(id, loaded.file) {
        Ok(content) => Ok((content, loaded.identity)),
        Err(flaw) => Err(damaged(shelf, id, loaded.identity, flaw)),
    }
}

/// Looks for an object by its header.
pub fn find(shelf: &dyn Shelf, id: &ObjectId) -> Result<Found, StoreError> {
    let Some(head) = shelf.head(id)? else {
        return Ok(Found::Nothing);
    };
    Ok(match Header::parse(&head.start, head.file_bytes) {
        Ok(header) => Found::Good(header, head),
        Err(flaw) => Found::Bad(head, flaw),
    })
}

/// Size and age of an object by its header; `None` when it is not there. A bad header is damage.
pub fn look(shelf: &dyn Shelf, id: &ObjectId) -> Result<Option<(Header, Head)>, StoreError> {
    match find(shelf, id)? {
        Found::Nothing => Ok(None),
        Found::Good(header, head) => Ok(Some((header, head))),
        Found::Bad(head, flaw) => Err(damaged(shelf, id, head.identity, flaw)),
    }
}

/// Quarantines a file and makes the error that names it.
pub fn damaged(shelf: &dyn Shelf, id: &ObjectId, seen: FileIdentity, flaw: Flaw) -> StoreError {
    StoreError::Damaged { id: *id, moved_to: shelf.quarantine(id, seen), why: flaw.0 }
}
