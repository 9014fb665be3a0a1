//! Hashes of files by their stamps, so that unchanged files are not read again. Lost without harm.

use anyhow::{Context, Result};
use rusqlite::OptionalExtension;

use crate::base::id::ObjectId;
use crate::index::{Index, row};

/// How much older than its entry a file must be. Within one tick of the file system's clock a file can change again
/// without changing its stamp; ticks are 1 to 10 ms on Linux.
const TICK_NS: i64 = 10_000_000;

impl Index {
    /// The hash of the file at `path`, if its stamp is the one remembered.
    ///
    /// An entry counts only if the file was last changed more than 10 ms before the entry was made. Otherwise the file
    /// may have been written once more in the same tick of the clock, with the same length and stamp, after it was
    /// hashed: git's "racily clean" entries (git, `Documentation/technical/racy-git.txt`). `ctime` is held to the same
    /// rule, as it cannot be set back by hand.
    pub fn stat_get(
        &self,
        path: &str,
        length: u64,
        mtime_ns: i64,
        ctime_ns: i64,
        inode: u64,
    ) -> Result<Option<ObjectId>> {
        let query = "SELECT object FROM stamp WHERE path = ?1 AND length = ?2 AND mtime_ns = ?3 AND ctime_ns = ?4
             AND inode = ?5 AND recorded_ns - max(mtime_ns, ctime_ns) > ?6";
        let values = (path, length as i64, mtime_ns, ctime_ns, inode as i64, TICK_NS);
        let found = self.connection.prepare_cached(query);
        let found = found.and_then(|mut query| query.query_row(values, |row| row::id(row, 0)).optional());
        found.context("cannot read file stamps from the index")
    }

    /// Remembers that the file at `path` has this hash. The stamp (length, mtime, ctime, inode) must be the one it had
    /// before it was read, and `taken_ns` the time at which that was looked up.
    pub fn stat_put(
        &self,
        path: &str,
        (length, mtime_ns, ctime_ns, inode): (u64, i64, i64, u64),
        object: ObjectId,
        taken_ns: i64,
    ) -> Result<()> {
        let insert = "INSERT OR REPLACE INTO stamp (path, length, mtime_ns, ctime_ns, inode, recorded_ns, object)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = (path, length as i64, mtime_ns, ctime_ns, inode as i64, taken_ns, object.hex());
        let put = self.connection.prepare_cached(insert).and_then(|mut insert| insert.execute(values));
        put.map(drop).context("cannot keep a file stamp in the index")
    }
}
