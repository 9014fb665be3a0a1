//! Small steps on the file system, each with an error that names its path.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::base::clock::Timestamp;
use crate::store::StoreError;

/// Threads that wait for the disk when objects are synced: the file system puts syncs that arrive together into one journal
/// commit. Measured on ext4, 108 chunks of 0.5 MB: 56 ms with one thread, 40 ms with 4, 31 ms with 16.
const SYNC_THREADS: usize = 16;

/// Does `work` on every item, on several threads that mostly wait; stops at the first failure.
pub fn on_threads<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), StoreError> + Sync) -> Result<(), StoreError> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<(), StoreError> {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..items.len().min(SYNC_THREADS)).map(|_| scope.spawn(worker)).collect();
        let mut result = worker();
        for other in others {
            let finished = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(finished);
        }
        result
    })
}

/// Makes a file's bytes, or a folder's names, durable.
pub fn flush(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| StoreError::io("sync", path, error))
}

/// Creates a folder and its parents.
pub fn create_folder(folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(|error| StoreError::io("create folder", folder, error))
}

/// All that is directly inside a folder.
pub fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.collect());
    listed.map_err(|error| StoreError::io("list", folder, error))
}

/// `None` for what is not there.
pub fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Removes a file; false when it was not there.
pub fn remove_file(path: &Path) -> Result<bool, StoreError> {
    let removed = optional(fs::remove_file(path)).map_err(|error| StoreError::io("remove", path, error))?;
    Ok(removed.is_some())
}

/// When a file was last written or renewed.
pub fn modified(metadata: &fs::Metadata) -> Timestamp {
    Timestamp::from_micros(metadata.mtime().saturating_mul(1_000_000).saturating_add(metadata.mtime_nsec() / 1000))
}
