//! What can go wrong with an object, and what a person can do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::LazyLock;

use crate::base::fail::{self, Failure};
use crate::base::units;
use crate::store::StoreError;

impl StoreError {
    /// A refusal of the file system.
    pub fn io(doing: &'static str, path: &Path, cause: io::Error) -> StoreError {
        StoreError::Io { doing, path: path.display().to_string(), cause }
    }

    /// The store's failure inside an error, also when a reader's `io::Error` carries it.
    pub fn find(error: &anyhow::Error) -> Option<&StoreError> {
        error.downcast_ref::<StoreError>().or_else(|| error.chain().find_map(within))
    }

    /// The reason and the next step, the same for all failures of a kind.
    fn advice(&self) -> &'static Failure {
        match self {
            StoreError::Missing { .. } => &MISSING,
            StoreError::Damaged { .. } => &DAMAGED,
            StoreError::TooLarge { .. } => &TOO_LARGE,
            StoreError::Io { cause, .. } => match cause.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => &FULL,
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => &DENIED,
                _ => &REFUSED,
            },
        }
    }
}

fn within<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.downcast_ref::<StoreError>().or_else(|| inner.and_then(|inner| inner.downcast_ref::<StoreError>()))
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Missing { id } => write!(f, "object {id} is not in the store"),
            StoreError::Damaged { id, moved_to, why } => {
                write!(f, "object {id} is damaged: {why}; the file is now {moved_to}")
            }
            StoreError::TooLarge { what, limit } => write!(f, "{what} is larger than {}", units::bytes(*limit)),
            StoreError::Io { doing, path, cause } => write!(f, "cannot {doing} {path}: {cause}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.advice())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure { what: error.to_string(), ..error.advice().clone() }
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> io::Error {
        let kind = match &error {
            StoreError::Missing { .. } => io::ErrorKind::NotFound,
            StoreError::Damaged { .. } => io::ErrorKind::InvalidData,
            StoreError::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            StoreError::Io { cause, .. } => cause.kind(),
        };
        io::Error::new(kind, error)
    }
}

static MISSING: LazyLock<Failure> = LazyLock::new(|| {
    fail::world("its file is gone, or it was never put here")
        .hint("run `mlops fsck` to see what needs it; pull it, or ingest the source again, to get it back")
});
static DAMAGED: LazyLock<Failure> = LazyLock::new(|| {
    fail::world("the bytes on disk are not those that were written")
        .hint("ingest the source again or pull the object, then run `mlops fsck`; check the disk too")
});
static TOO_LARGE: LazyLock<Failure> =
    LazyLock::new(|| fail::world("it is not read into memory").hint("check that this is the object you meant"));
static FULL: LazyLock<Failure> = LazyLock::new(|| {
    fail::world("the disk is full").hint("free some space, for example with `mlops gc`, and run the command again")
});
static DENIED: LazyLock<Failure> = LazyLock::new(|| {
    fail::world("that is not allowed there").hint("check owner and permissions of the folder, and its mount")
});
static REFUSED: LazyLock<Failure> = LazyLock::new(|| {
    fail::world("the file system refused").hint("check the path and the disk, then run the command again")
});
