//! What an object is, and what it refers to, from its bytes alone.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::id::ObjectId;
use crate::base::limits;
use crate::record::{self, Record};
use crate::store::Store;

/// How every record begins; nothing more than this is read of a blob.
const RECORD_START: &[u8] = b"{\"data\":";

/// The whole bytes of an object that looks like a record; `None` for a blob.
///
/// Errors: missing, damaged.
pub fn record_bytes(store: &dyn Store, id: &ObjectId) -> Result<Option<Vec<u8>>> {
    let shown = || format!("cannot read object {id}");
    if store.stat(id)?.is_some_and(|stat| stat.bytes > limits::RECORD_BYTES_MAX) {
        return Ok(None);
    }
    let mut reader = store.open(id)?;
    let mut bytes = Vec::new();
    reader.by_ref().take(RECORD_START.len() as u64).read_to_end(&mut bytes).with_context(shown)?;
    if bytes != RECORD_START {
        return Ok(None);
    }
    reader.take(limits::RECORD_BYTES_MAX).read_to_end(&mut bytes).with_context(shown)?;
    Ok(Some(bytes))
}

/// Kind of a record; `None` for a blob.
pub fn kind(store: &dyn Store, id: &ObjectId) -> Result<Option<String>> {
    let bytes = record_bytes(store, id)?;
    Ok(bytes.and_then(|bytes| record::peek(&bytes)).map(|(kind, _)| kind))
}

/// Ids that an object refers to: chunks of a blob, references of a record.
///
/// A record of a kind or version that this build does not know, or a blob that only looks like a record, gives every
/// text in it that has the form of an id and is in the store: keeping too much is better than losing something.
pub fn references(store: &dyn Store, id: &ObjectId) -> Result<Vec<ObjectId>> {
    let mut ids = store.parts(id)?;
    let Some(bytes) = record_bytes(store, id)? else {
        return Ok(ids);
    };
    match record::references(&bytes) {
        Ok(known) if is_known(&bytes) => ids.extend(known),
        _ => {
            for found in ids_in(&bytes) {
                if store.contains(&found)? {
                    ids.push(found);
                }
            }
        }
    }
    Ok(ids)
}

/// Whether [`record::references`] knows this kind; it answers nothing for others.
fn is_known(bytes: &[u8]) -> bool {
    const KINDS: &[&str] = &[
        record::dataset::DatasetRecord::KIND,
        record::evaluation::EvaluationRecord::KIND,
        record::explanation::ExplanationRecord::KIND,
        record::model::ModelRecord::KIND,
        record::profile::ProfileRecord::KIND,
        record::recipe::RecipeRecord::KIND,
        record::run::RunRecord::KIND,
        record::split::SplitRecord::KIND,
        record::study::StudyRecord::KIND,
        record::training::TrainingRecord::KIND,
    ];
    record::peek(bytes).is_some_and(|(kind, _)| KINDS.contains(&kind.as_str()))
}

/// Every run of 64 hex digits between quotes.
fn ids_in(bytes: &[u8]) -> Vec<ObjectId> {
    let texts = bytes.split(|byte| *byte == b'"').filter(|text| text.len() == 64);
    texts.filter_map(|text| std::str::from_utf8(text).ok()?.parse().ok()).collect()
}

/// Every file below `folder`, sorted.
pub fn all_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).min_depth(1).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        if !entry.file_type().is_dir() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
