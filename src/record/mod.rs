//! What the tool writes and reads again: one type a kind of record, each with a `KIND` and a `VERSION`.
//!
//! Lives here: the types, and the envelope `{"kind", "version", "data"}` in canonical JSON that they are kept in.
//! Does not live here: where records are kept (`store`, `repo`), how their numbers are computed (the maths folders).
//!
//! Always holds: a record names its inputs by id; one of a newer version is refused with the version needed; equal
//! records have equal bytes.

pub mod dataset;
pub mod evaluation;
pub mod explanation;
pub mod model;
pub mod monitoring;
pub mod profile;
pub mod recipe;
pub mod remote;
pub mod run;
pub mod split;
pub mod study;
pub mod training;

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::json;

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned {
    /// Name of the kind, as written.
    const KIND: &'static str;
    /// Version written; readers accept this and every older one that they still know.
    const VERSION: u32;

    /// Ids of all objects that must exist for this record to mean anything.
    fn references(&self) -> Vec<ObjectId>;
}

#[derive(Serialize)]
struct EnvelopeRef<'a, R> {
    kind: &'a str,
    version: u32,
    data: &'a R,
}

#[derive(Deserialize)]
struct Header {
    kind: String,
    version: u32,
}

#[derive(Deserialize)]
struct Envelope<R> {
    data: R,
}

/// Canonical bytes of a record; their hash is its id.
pub fn encode<R: Record>(record: &R) -> Result<Vec<u8>> {
    let envelope = EnvelopeRef { kind: R::KIND, version: R::VERSION, data: record };
    json::canonical(&envelope).with_context(|| format!("cannot write a {} record", R::KIND))
}

/// Reads a record back.
///
/// Errors: not JSON, another kind, a newer version (the message names both versions).
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R> {
    let (kind, version) = peek(bytes).ok_or_else(|| fail::world(format!("this is not a {} record", R::KIND)))?;
    if kind != R::KIND {
        return Err(fail::world(format!("this is a {kind} record, not a {} record", R::KIND)).into());
    }
    if version > R::VERSION {
        let known = R::VERSION;
        return Err(fail::world(format!(
            "this {kind} record has version {version}; this mlops reads versions up to {known}"
        ))
        .hint(format!("use an mlops that reads {kind} records of version {version}"))
        .into());
    }
    let envelope: Envelope<R> =
        serde_json::from_slice(bytes).with_context(|| format!("damaged {kind} record of version {version}"))?;
    Ok(envelope.data)
}

/// Kind and version of a record, or `None` when the bytes are not a record.
pub fn peek(bytes: &[u8]) -> Option<(String, u32)> {
    // Cheap test first: blobs are megabytes, records start with this brace and key in canonical form.
    if !bytes.starts_with(b"{\"data\":") {
        return None;
    }
    let header: Header = serde_json::from_slice(bytes).ok()?;
    Some((header.kind, header.version))
}

/// Ids that a record refers to; empty when the bytes are not a record of a known kind.
pub fn references(bytes: &[u8]) -> Result<Vec<ObjectId>> {
    let Some((kind, _)) = peek(bytes) else {
        return Ok(Vec::new());
    };
    Ok(match kind.as_str() {
        dataset::DatasetRecord::KIND => decode::<dataset::DatasetRecord>(bytes)?.references(),
        evaluation::EvaluationRecord::KIND => decode::<evaluation::EvaluationRecord>(bytes)?.references(),
        explanation::ExplanationRecord::KIND => decode::<explanation::ExplanationRecord>(bytes)?.references(),
        model::ModelRecord::KIND => decode::<model::ModelRecord>(bytes)?.references(),
        profile::ProfileRecord::KIND => decode::<profile::ProfileRecord>(bytes)?.references(),
        recipe::RecipeRecord::KIND => decode::<recipe::RecipeRecord>(bytes)?.references(),
        run::RunRecord::KIND => decode::<run::RunRecord>(bytes)?.references(),
        split::SplitRecord::KIND => decode::<split::SplitRecord>(bytes)?.references(),
        study::StudyRecord::KIND => decode::<study::StudyRecord>(bytes)?.references(),
        training::TrainingRecord::KIND => decode::<training::TrainingRecord>(bytes)?.references(),
        _ => Vec::new(),
    })
}
