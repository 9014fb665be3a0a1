//! What a server said of a file when it was fetched, so that an unchanged file is not fetched again.

use crate::base::id::ObjectId;

/// What names one state of a remote file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// File name that was told or found, so that an unchanged file keeps its name.
    pub name: String,
    /// The server's `ETag`.
    pub etag: Option<String>,
    /// The server's `Last-Modified`, as it was written.
    pub last_modified: Option<String>,
    /// Length in bytes.
    pub bytes: u64,
}

/// A remote file that was fetched before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What the server said of it.
    pub validators: Validators,
    /// Blob of its bytes.
    pub raw: ObjectId,
}
