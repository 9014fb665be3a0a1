//! Opening a dataset version: its record and its typed table, rebuilt from the raw bytes if need be.

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::talk::Talk;
use crate::data::source;
use crate::data::table::Table;
use crate::ops::raw;
use crate::record::dataset::DatasetRecord;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;

/// A dataset version, opened.
pub struct OpenDataset {
    /// Id of its record.
    pub id: ObjectId,
    /// What a person calls it: `penguins@v3`, or a short id.
    pub label: String,
    /// Its record.
    pub record: DatasetRecord,
}

/// Finds a dataset by reference, or the newest version of the only (or most recently ingested) dataset.
///
/// Errors: nothing ingested yet, an unknown reference.
pub fn find(repo: &Repo, reference: Option<&str>, default_name: Option<&str>) -> Result<OpenDataset> {
    let reference = match (reference, default_name) {
        (Some(text), _) => text.to_owned(),
        (None, Some(name)) if repo.datasets()?.iter().any(|known| known == name) => name.to_owned(),
        (None, _) => newest(repo)?,
    };
    let found = repo.resolve_dataset(&reference)?;
    let label = match (&found.name, found.version) {
        (Some(name), Some(version)) => format!("{name}@v{version}"),
        _ => found.id.short(),
    };
    Ok(OpenDataset { id: found.id, label, record: repo.record(&found.id)? })
}

/// Name of the dataset that was ingested last.
///
/// Errors: nothing ingested yet.
pub fn newest(repo: &Repo) -> Result<String> {
    let mut newest = None;
    for name in repo.datasets()? {
        if let Some(version) = repo.dataset_versions(&name)?.last() {
            newest = newest.max(Some((version.time, name)));
        }
    }
    let failure =
        || fail::world("there is no dataset yet").hint("bring one in with `mlops ingest FILE --target COLUMN`");
    newest.map(|(_, name)| name).ok_or_else(|| failure().into())
}

/// The typed table of a dataset. Rebuilt from the raw bytes, and said, when the stored one is missing or damaged.
pub fn table(repo: &Repo, dataset: &OpenDataset, talk: &dyn Talk) -> Result<Table> {
    match read_table(repo, &dataset.record.table) {
        Ok(table) => Ok(table),
        Err(error) => {
            talk.warn(&format!(
                "the table of {} cannot be read ({error:#}); rebuilding it from the raw file",
                dataset.label
            ));
            rebuild(repo, &dataset.record).with_context(|| format!("cannot rebuild the table of {}", dataset.label))
        }
    }
}

fn read_table(repo: &Repo, id: &ObjectId) -> Result<Table> {
    let bytes = repo.store().get(id, u64::MAX)?;
    Table::from_parquet_bytes(bytes)
}

fn rebuild(repo: &Repo, record: &DatasetRecord) -> Result<Table> {
    let copies = record.sources.iter().map(|source| raw::copy_of(repo, source)).collect::<Result<Vec<_>>>()?;
    let files = copies.iter().zip(&record.sources).map(|(copy, source)| {
        let parse = source.parse.as_ref().unwrap_or(&record.parse);
        (copy.path().to_owned(), parse)
    });
    source::reread(&files.collect::<Vec<_>>(), &record.columns)
}

/// The profile of a dataset.
pub fn profile(repo: &Repo, record: &DatasetRecord) -> Result<ProfileRecord> {
    repo.record(&record.profile)
}
