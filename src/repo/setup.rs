//! Making and opening a repository.

use std::fs as std_fs;
use std::path::{self, Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::base::{fail, fs};
use crate::repo::Repo;
use crate::repo::layout::{FOLDER, FORMAT, Layout};
use crate::repo::transaction;
use crate::store::local::LocalStore;

/// Most bytes of the `format` file and of `.gitignore`.
const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;

const CONFIG: &str = "# Settings of this clone: remotes, link type. Not shared; `mlops.toml` is.\n";

/// Makes or completes the repository in `root`; true when it was made.
pub fn init(root: &Path) -> Result<(Repo, bool)> {
    let root = absolute(root)?;
    let layout = Layout::new(&root);
    let created = fs::read_optional(&layout.format(), SMALL_FILE_BYTES_MAX)?.is_none();
    if created {
        layout.folders().iter().try_for_each(|folder| fs::create_dir_all(folder))?;
        if !layout.config().exists() {
            fs::write_atomic(&layout.config(), &layout.staging(), CONFIG.as_bytes())?;
        }
        ignore_in_git(&root)?;
        // Last, because its presence says that the rest is there.
        fs::write_atomic(&layout.format(), &layout.staging(), format!("{FORMAT}\n").as_bytes())?;
    }
    Ok((open_at(layout)?, created))
}

/// Opens the repository of `start` or of the nearest folder above it.
pub fn open(start: &Path) -> Result<Repo> {
    let start = absolute(start)?;
    let found = start.ancestors().map(Layout::new).find(|layout| layout.format().is_file());
    let layout = found.ok_or_else(|| {
        fail::world(format!("there is no repository in {} or above it", start.display()))
            .hint("run `mlops init` in the project folder")
    })?;
    open_at(layout)
}

/// The same repository on a store of its own.
pub fn isolated(repo: &Repo) -> Result<Repo> {
    let layout = repo.layout().clone();
    let store = LocalStore::open(&layout.objects(), &layout.staging(), &layout.quarantine())?;
    Ok(Repo::with_store(layout, Arc::new(store)))
}

/// Makes a path absolute, keeping the links that people named, unless it climbs: only the file system knows where `..`
/// leads.
fn absolute(path: &Path) -> Result<PathBuf> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let found = if climbs { std_fs::canonicalize(path) } else { path::absolute(path) };
    found.with_context(|| format!("cannot find {}", path.display()))
}

fn open_at(layout: Layout) -> Result<Repo> {
    check_format(&layout)?;
    transaction::recover_if_free(&layout)?;
    let store = LocalStore::open(&layout.objects(), &layout.staging(), &layout.quarantine())?;
    Ok(Repo::with_store(layout, Arc::new(store)))
}

fn check_format(layout: &Layout) -> Result<()> {
    let path = layout.format();
    let text = fs::read_text_optional(&path, SMALL_FILE_BYTES_MAX)?.unwrap_or_default();
    match text.trim().parse::<u32>() {
        Ok(FORMAT) => Ok(()),
        Ok(newer) if newer > FORMAT => Err(fail::world(format!(
            "the repository {} has layout version {newer}; this mlops reads version {FORMAT}",
            layout.folder().display()
        ))
        .hint(format!("use an mlops that reads layout version {newer}"))
        .into()),
        _ => Err(fail::world(format!("{} does not hold a layout version", path.display()))
            .hint(format!("if the rest of the folder is sound, write `{FORMAT}` into it and run `mlops fsck`"))
            .into()),
    }
}

/// Adds the hidden folder to `.gitignore`, once, where git is in use.
fn ignore_in_git(root: &Path) -> Result<()> {
    let path = root.join(".gitignore");
    let present = fs::read_text_optional(&path, SMALL_FILE_BYTES_MAX)?;
    if present.is_none() && !in_git_checkout(root) {
        return Ok(());
    }
    let text = present.unwrap_or_default();
    let bare = |line: &str| line.trim().trim_matches('/') == FOLDER;
    if text.lines().any(bare) {
        return Ok(());
    }
    let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    fs::append_durable(&path, format!("{separator}{FOLDER}/\n").as_bytes())
}

fn in_git_checkout(root: &Path) -> bool {
    let real: PathBuf = std_fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    real.ancestors().any(|folder| folder.join(".git").exists())
}
