//! Locks between processes that the operating system frees when their holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::base::fail;

/// Pause between two tries; short enough that waiting is not felt, long enough to cost nothing.
const RETRY: Duration = Duration::from_millis(5);

/// An exclusive lock on a file; freed when dropped or when the process ends, however it ends.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock on `path`, waiting up to `wait`; `holder` describes this process to whoever waits next.
    ///
    /// Errors: still held after `wait`; the message names the holder.
    pub fn acquire(path: &Path, wait: Duration, holder: &str) -> Result<FileLock> {
        let mut file = open(path)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < wait => thread::sleep(RETRY),
                Err(TryLockError::WouldBlock) => return Err(busy(&mut file, path, wait).into()),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
        // The text is only for people who wait, so a failure to write it must not stop the work.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        Ok(FileLock { file })
    }

    /// Takes the lock if nobody holds it.
    pub fn try_acquire(path: &Path) -> Result<Option<FileLock>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(FileLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// The locked file, for a holder that also writes to it.
    pub fn file(&self) -> &File {
        &self.file
    }
}

fn open(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    opened.with_context(|| format!("cannot open lock {}", path.display()))
}

fn busy(file: &mut File, path: &Path, wait: Duration) -> fail::Failure {
    let mut holder = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder));
    let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
    fail::world(format!("{} is held by {holder}; waited {} s", path.display(), wait.as_secs()))
        .hint("wait for it to finish, or stop it: the lock is freed when that process ends")
}
