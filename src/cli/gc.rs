//! `mlops gc`

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::gc::{GcOptions, gc};

/// Remove objects that nothing names any more
///
/// Keeps everything that a dataset or model version, a run, the lock file or an open run reaches, and whatever is
/// younger than the grace period (one hour), as another process may be about to name it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlops gc --dry-run\n  mlops gc --keep 7")]
pub struct GcArgs {
    /// Say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Keep what is younger than this many days
    #[arg(long, value_name = "DAYS")]
    keep: Option<u32>,
}

/// Runs the verb.
pub fn run(args: &GcArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let keep = args.keep.map(|days| Duration::from_secs(u64::from(days) * 86_400));
    let root = repo.root().to_owned();
    let report = gc(&repo, &root, GcOptions { dry_run: args.dry_run, keep }, &app.ctx(0))?;
    app.print("gc", &report, |ui| {
        let verb = if report.dry_run { "would remove" } else { "removed" };
        ui.line(&format!("{verb} {}, {}", units::plural(report.removed as u64, "object"), units::bytes(report.bytes)))
    })?;
    Ok(Answer::Yes)
}
