//! `log --audit`: who changed which name when and why, and whether that can be believed.

use anyhow::Result;
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::base::suggest;
use crate::repo::Repo;
use crate::repo::audit::AuditEntry;
use crate::repo::fsck::{FsckFinding, history};

/// Which changes.
#[derive(Clone, Debug, Default)]
pub struct AuditOptions {
    /// Only of this registered model.
    pub model: Option<String>,
    /// Only since this moment.
    pub since: Option<Timestamp>,
    /// At most this many, the newest.
    pub limit: Option<usize>,
}

/// The audit log, oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// One entry a change.
    pub audit: Vec<AuditEntry>,
    /// Changes that the filters let through, without the limit.
    pub matched: u64,
}

/// Whether history is whole.
#[derive(Clone, Debug, Serialize)]
pub struct AuditCheckReport {
    /// `whole` or `broken`.
    pub verdict: &'static str,
    /// Lines of the audit log; 0 when it cannot be read.
    pub lines: u64,
    /// Hash of the last line: kept elsewhere, it proves later that nothing before it was changed.
    pub head: ObjectId,
    /// What is wrong.
    pub findings: Vec<FsckFinding>,
}

/// The audit log, filtered.
///
/// Errors: a model that was never heard of; a line that cannot be read.
pub fn audit(repo: &Repo, options: &AuditOptions) -> Result<AuditReport> {
    let entries = repo.audit()?;
    let is_of = |entry: &AuditEntry, model: &str| {
        let named = entry.subject.split('@').next() == Some(model);
        named && !entry.action.starts_with("dataset.")
    };
    if let Some(model) = &options.model
        && !entries.iter().any(|entry| is_of(entry, model))
    {
        let known = repo.models()?;
        return Err(suggest::unknown("model", model, known.iter().map(String::as_str)).into());
    }
    let wanted = |entry: &AuditEntry| {
        options.since.is_none_or(|since| entry.time >= since)
            && options.model.as_ref().is_none_or(|model| is_of(entry, model))
    };
    let mut found: Vec<AuditEntry> = entries.into_iter().filter(wanted).collect();
    let matched = found.len() as u64;
    if let Some(limit) = options.limit {
        found.drain(..found.len().saturating_sub(limit));
    }
    Ok(AuditReport { audit: found, matched })
}

/// Follows the chain of hashes from the first line to the last, and holds it against refs: every version, alias move and
/// sealed run must have its line, and every line its version, move or run.
pub fn verify(repo: &Repo) -> Result<AuditCheckReport> {
    let findings = history(repo)?;
    let entries = repo.audit().unwrap_or_default();
    let head = entries.last().map_or_else(|| hash(b""), |entry| entry.hash);
    let verdict = if findings.is_empty() { "whole" } else { "broken" };
    Ok(AuditCheckReport { verdict, lines: entries.len() as u64, head, findings })
}
