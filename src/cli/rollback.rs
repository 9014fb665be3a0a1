//! `mlops rollback`

use anyhow::Result;
use clap::Args;

use crate::cli::app::{Answer, App};
use crate::cli::promote::show;
use crate::ops::promote::rollback;
use crate::ops::stages::Workspace;

/// Move the champion back to where it was
///
/// `champion` goes to `previous`, and `previous` to where `champion` was: a second rollback undoes the first. Needs no
/// verdict, as that version was the champion before. Runs the promote hooks (see `mlops promote --help`).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  mlops rollback penguins --reason 'complaints about Chinstrap'")]
pub struct RollbackArgs {
    /// Name of the model; the project's when absent
    name: Option<String>,
    /// Go back although that version was rejected since; needs --reason
    #[arg(long)]
    force: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
}

/// Runs the verb.
pub fn run(args: &RollbackArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let name = args.name.clone().unwrap_or_else(|| space.model_name());
    let report = rollback(&repo, &name, args.force, args.reason.as_deref(), &app.ctx(0))?;
    app.print("rollback", &report, |ui| show(&report, ui))?;
    Ok(if report.refused { Answer::No } else { Answer::Yes })
}
