//! `fsck`: verifies everything the repository holds; each finding says what to do.

use anyhow::Result;
use serde::Serialize;

use crate::repo::Repo;
use crate::repo::fsck::{FsckFinding, fsck as inspect};

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct FsckReport {
    /// Whether nothing was found.
    pub clean: bool,
    /// Everything found.
    pub findings: Vec<FsckFinding>,
    /// Whether the index was built again.
    pub index_rebuilt: bool,
}

/// Reads and verifies every object, reference and line; builds the index again first when asked.
pub fn fsck(repo: &Repo, rebuild_index: bool) -> Result<FsckReport> {
    if rebuild_index {
        repo.rebuild_index()?;
    }
    let findings = inspect(repo)?;
    Ok(FsckReport { clean: findings.is_empty(), findings, index_rebuilt: rebuild_index })
}
