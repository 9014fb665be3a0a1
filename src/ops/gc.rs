//! `gc`: removes objects that nothing names, plan first.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::base::id::ObjectId;
use crate::base::limits;
use crate::ops::context::OpCtx;
use crate::ops::run::lock_path;
use crate::pipeline::lockfile::LockFile;
use crate::repo::Repo;
use crate::repo::gc::{apply_gc, plan_gc};

/// What to remove.
#[derive(Clone, Copy, Debug)]
pub struct GcOptions {
    /// Plans only.
    pub dry_run: bool,
    /// Keeps what is younger than this.
    pub keep: Option<Duration>,
}

/// What was, or would be, removed.
#[derive(Clone, Debug, Serialize)]
pub struct GcReport {
    /// Whether nothing was removed because only a plan was asked for.
    pub dry_run: bool,
    /// Number of objects.
    pub removed: usize,
    /// Bytes freed.
    pub bytes: u64,
    /// The objects.
    pub objects: Vec<ObjectId>,
}

/// Removes what neither a reference, the lock file nor an open run reaches, and that is older than the grace period.
pub fn gc(repo: &Repo, root: &Path, options: GcOptions, ctx: &OpCtx<'_>) -> Result<GcReport> {
    let lock = LockFile::read(&lock_path(root))?;
    let roots: Vec<ObjectId> = lock.stages.values().flat_map(|entry| entry.outputs.values().copied()).collect();
    let keep = options.keep.unwrap_or(limits::GC_GRACE);
    let plan = plan_gc(repo, &roots, keep, ctx.clock.now())?;
    let objects: Vec<ObjectId> = plan.remove.iter().map(|(id, _)| *id).collect();
    let mut report = GcReport { dry_run: options.dry_run, removed: objects.len(), bytes: plan.bytes, objects };
    if !options.dry_run {
        let done = apply_gc(repo, plan, &roots, &ctx.actor(), ctx.clock.now())?;
        (report.removed, report.bytes) = (done.removed, done.bytes);
    }
    Ok(report)
}
