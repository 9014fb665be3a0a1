//! A file of the person's folder, known by what is in it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::hash;
use crate::base::id::ObjectId;
use crate::record::dataset::DatasetRecord;
use crate::repo::Repo;

/// The file that `reference` names in `folder`, when it is one.
pub fn raw_file(reference: &str, folder: &Path) -> Option<PathBuf> {
    let path = folder.join(reference);
    path.is_file().then_some(path)
}

/// The object with the content of a file.
///
/// Errors (usage): nothing in the repository has this content; the hint names a dataset that came from a file of the same name.
pub fn object_of_file(repo: &Repo, path: &Path) -> Result<ObjectId> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let (id, _) = hash::hash_reader(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
    if repo.store().contains(&id)? || !repo.index()?.consumers(&id)?.is_empty() {
        return Ok(id);
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let hint = match came_from(repo, &name)? {
        Some(label) => format!("{label} came from a file of this name with other content: see `mlops why {label}`"),
        None => format!("bring it in with `mlops ingest {}`", path.display()),
    };
    Err(fail::usage(format!("nothing here came from {} as it is now (b3sum {id})", path.display())).hint(hint).into())
}

/// The newest dataset version with a source of this name.
fn came_from(repo: &Repo, name: &str) -> Result<Option<String>> {
    for dataset in repo.datasets()? {
        for entry in repo.dataset_versions(&dataset)?.into_iter().rev() {
            let record: DatasetRecord = repo.record(&entry.id)?;
            if record.sources.iter().any(|source| source.name == name) {
                return Ok(Some(format!("{dataset}@v{}", entry.version)));
            }
        }
    }
    Ok(None)
}
