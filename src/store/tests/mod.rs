//! Tests of the store: what every store has to do (`contract`), the file format against changed and hostile files
//! (`format`), cuts (`chunker`), damage and its repair (`damage`), and the folder on disk (`local`).
//!
//! Does not live here: killing the process and full disks, which need the whole program (`tests/suite`).
//!
//! Always holds: no network, no clock that matters, folders of their own that vanish.

mod chunker;
mod contract;
mod damage;
mod format;
mod local;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::base::id::ObjectId;
use crate::base::seed::Seed;
use crate::store::StoreError;
use crate::store::local::LocalStore;

const MIB: usize = 1 << 20;

/// A folder with a store in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Result<Folder> {
        Ok(Folder(tempfile::tempdir()?))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> Result<LocalStore> {
        LocalStore::open(&self.at("objects"), &self.at("tmp"), &self.at("quarantine"))
    }

    fn object(&self, id: &ObjectId) -> PathBuf {
        let hex = id.hex();
        self.at("objects").join(&hex[..2]).join(&hex[2..])
    }
}

/// Replaces a file, which may be read-only, by one with other bytes.
fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::remove_file(path)?;
    Ok(std::fs::write(path, bytes)?)
}

fn files(folder: &Path) -> Result<usize> {
    Ok(std::fs::read_dir(folder)?.count())
}

/// Bytes that do not compress.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut rng = Seed(seed).rng();
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        noise.extend_from_slice(&rng.bits().to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

/// Lines of numbers: compresses, but does not repeat.
fn table(seed: u64, bytes: usize) -> Vec<u8> {
    let mut rng = Seed(seed).rng();
    let mut text = Vec::with_capacity(bytes + 64);
    while text.len() < bytes {
        text.extend_from_slice(format!("{},{},{:.4}\n", rng.below(1000), rng.below(1_000_000), rng.unit()).as_bytes());
    }
    text.truncate(bytes);
    text
}

/// The store's failure in an error.
fn failure(error: &anyhow::Error) -> Result<&StoreError> {
    StoreError::find(error).with_context(|| format!("no store error in `{error:#}`"))
}

/// Hands out its bytes in pieces of changing size, with interruptions, as a pipe may.
struct Dribble<'b> {
    bytes: &'b [u8],
    calls: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = (1 + self.calls * 7919 % 100_000).min(buffer.len()).min(self.bytes.len());
        buffer[..count].copy_from_slice(&self.bytes[..count]);
        self.bytes = &self.bytes[count..];
        Ok(count)
    }
}
