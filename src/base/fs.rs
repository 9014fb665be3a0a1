//! Files that are either wholly there or not there at all.
//!
//! Every small mutable file of the product is written through [`write_atomic`]; every append that must survive a
//! power cut through [`append_durable`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;

/// Replaces `path` with `bytes`: temporary file in `staging` (same file system), fsync, rename, fsync of the folder.
pub fn write_atomic(path: &Path, staging: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix("write-")
        .permissions(readable())
        .tempfile_in(staging)
        .with_context(|| format!("cannot stage a file in {}", staging.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_data());
    written.with_context(|| format!("cannot write {}", path.display()))?;
    if let Some(parent) = path.parent() {
        create_dir_all(parent)?;
    }
    file.persist(path).map_err(|error| error.error).with_context(|| format!("cannot write {}", path.display()))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Permissions of a file that is meant for others too: those that the umask leaves. Temporary files are private otherwise.
pub fn readable() -> fs::Permissions {
    fs::Permissions::from_mode(0o666)
}

/// Appends `bytes` to `path` in one write and makes them durable; creates the file if needed.
pub fn append_durable(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = append_handle(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    written.with_context(|| format!("cannot append to {}", path.display()))
}

/// Opens `path` for appending; writes of whole lines by several processes do not mix.
pub fn append_handle(path: &Path) -> Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .with_context(|| format!("cannot open {} for appending", path.display()))
}

/// Makes the names inside `folder` durable.
pub fn sync_dir(folder: &Path) -> Result<()> {
    let synced = File::open(folder).and_then(|handle| handle.sync_all());
    synced.with_context(|| format!("cannot sync folder {}", folder.display()))
}

/// Creates `folder` and its parents.
pub fn create_dir_all(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create folder {}", folder.display()))
}

/// Reads a whole file of at most `limit` bytes; `None` when there is no such file.
pub fn read_optional(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    let mut bytes = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > limit {
        return Err(fail::world(format!("{} is larger than {limit} bytes", path.display())).into());
    }
    Ok(Some(bytes))
}

/// Reads a whole text file of at most `limit` bytes; `None` when there is no such file.
pub fn read_text_optional(path: &Path, limit: u64) -> Result<Option<String>> {
    let Some(bytes) = read_optional(path, limit)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| fail::usage(format!("{} is not UTF-8", path.display())))?;
    Ok(Some(text))
}

/// Removes a file; a file that is not there counts as removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The regular files directly inside `folder`, sorted by name; nothing when there is no such folder.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
