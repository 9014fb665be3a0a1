//! Which model is meant, opened and verified.

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::models::package::ModelPackage;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;

/// A package and its record, opened and verified.
pub fn open_model(repo: &Repo, reference: Option<&str>) -> Result<(ModelRef, ModelRecord, ModelPackage)> {
    let found = match reference {
        Some(text) => repo.resolve_model(text)?,
        None => repo.newest_model()?,
    };
    let record: ModelRecord = repo.record(&found.model)?;
    let package = open_package(repo, &found.package)?;
    Ok((found, record, package))
}

/// What to serve when nothing was named: the champion of `name`, else its newest version, else the newest trained model.
pub fn default_model(repo: &Repo, name: &str) -> Result<String> {
    let names = repo.models()?;
    let name = match names.as_slice() {
        [only] => only,
        _ if names.iter().any(|known| known == name) => name,
        _ => return Ok(repo.newest_model()?.package.hex()),
    };
    let champion = repo.aliases(name)?.contains_key("champion");
    Ok(format!("{name}@{}", if champion { "champion" } else { "latest" }))
}

/// A package by its id.
pub fn open_package(repo: &Repo, id: &ObjectId) -> Result<ModelPackage> {
    ModelPackage::open(&repo.store().get(id, u64::MAX)?)
}

/// The model that gates compare `package` with: the champion of `name`, or the one before it if that is `package`
/// itself, so that judging a champion again gives the verdict that made it one.
pub fn champion(repo: &Repo, name: &str, package: ObjectId) -> Result<Option<ModelRef>> {
    if !repo.models()?.iter().any(|known| known == name) {
        return Ok(None);
    }
    let aliases = repo.aliases(name)?;
    for alias in ["champion", "previous"] {
        if aliases.contains_key(alias) {
            let found = repo.resolve_model(&format!("{name}@{alias}"))?;
            if found.package != package {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
