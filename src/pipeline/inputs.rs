//! Hashes of files and folders that stages read or write.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::base::fail;
use crate::base::hash::{self, Hasher};
use crate::base::id::ObjectId;

/// Entries that are never part of a folder's hash, at any depth: what tools derive and keep for themselves.
const IGNORED: &[&str] = &[".git", ".mlops", "__pycache__"];

/// Where the hash of a regular file comes from, so that files which did not change need not be read again.
pub trait FileHashes {
    /// BLAKE3 of the bytes of the regular file at `path`; equals `b3sum`.
    fn file(&self, path: &Path) -> Result<ObjectId>;
}

/// Reads every file every time.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadAlways;

impl FileHashes for ReadAlways {
    fn file(&self, path: &Path) -> Result<ObjectId> {
        let hashed = File::open(path).and_then(|mut file| hash::hash_reader(&mut file));
        hashed.map(|(id, _)| id).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Hash of the file or folder `path` below the project folder `root`; `None` when there is none.
///
/// A file: hash of its bytes. A folder: hash over the files in it at any depth, sorted by path, each with its path
/// inside the folder, the hash of its bytes and whether it may be executed. Empty folders, `.git`, `.mlops`,
/// `__pycache__` and the project's `mlops.lock` do not count. `path` itself may be a link and is followed; a link
/// inside a folder counts by the text of its target, and by the bytes there if that is a file. A folder behind such a
/// link is not entered: a stage that reads it lists it.
///
/// Errors: a file that cannot be read; something that is neither file, folder nor link.
pub fn hash_input(root: &Path, path: &Path, files: &dyn FileHashes) -> Result<Option<ObjectId>> {
    let full = root.join(path);
    let Some(metadata) = metadata(&full)? else {
        return Ok(None);
    };
    if metadata.is_file() {
        return files.file(&full).map(Some);
    }
    if !metadata.is_dir() {
        return Err(unusual(&full).into());
    }
    hash_folder(root, &full, files).map(Some)
}

fn hash_folder(root: &Path, folder: &Path, files: &dyn FileHashes) -> Result<ObjectId> {
    let lock = root.join("mlops.lock");
    let mut paths: Vec<PathBuf> = Vec::new();
    let walk = WalkDir::new(folder).min_depth(1).into_iter();
    for entry in walk.filter_entry(|entry| !IGNORED.iter().any(|name| entry.file_name() == *name)) {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if !entry.file_type().is_dir() && entry.path() != lock {
            paths.push(entry.into_path());
        }
    }
    // Bytes of the whole path, not part by part: an order that no platform and no walk can change.
    paths.sort_unstable_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    let mut hasher = Hasher::new();
    hasher.update(b"mlops folder 1\0");
    for path in &paths {
        let name = path.strip_prefix(folder).unwrap_or(path).as_os_str().as_encoded_bytes();
        add(&mut hasher, name);
        hash_entry(&mut hasher, path, files)?;
    }
    Ok(hasher.finish())
}

fn hash_entry(hasher: &mut Hasher, path: &Path, files: &dyn FileHashes) -> Result<()> {
    let own = fs::symlink_metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    if own.is_symlink() {
        let target = fs::read_link(path).with_context(|| format!("cannot read link {}", path.display()))?;
        hasher.update(b"l");
        add(hasher, target.as_os_str().as_encoded_bytes());
        if metadata(path)?.is_some_and(|target| target.is_file()) {
            hasher.update(b"f").update(files.file(path)?.as_bytes());
        }
        return Ok(());
    }
    if !own.is_file() {
        return Err(unusual(path).into());
    }
    let executable = own.permissions().mode() & 0o111 != 0;
    hasher.update(if executable { b"x" } else { b"f" }).update(files.file(path)?.as_bytes());
    Ok(())
}

/// Adds bytes preceded by their length, so that names and hashes cannot run together.
fn add(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
}

/// What is at the end of all links; `None` when nothing is.
fn metadata(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot look at {}", path.display())),
    }
}

fn unusual(path: &Path) -> fail::Failure {
    fail::world(format!("{} is neither a file nor a folder", path.display()))
        .hint("pipes, sockets and devices cannot be inputs of a stage")
}
