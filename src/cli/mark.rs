//! `mlops mark`

use anyhow::Result;
use clap::Args;

use crate::cli::app::{Answer, App};
use crate::cli::register::read_tags;
use crate::ops::mark::{MarkOptions, MarkReport, mark};
use crate::term::ui::Ui;

/// Approve, reject or archive a version, or change its note and tags
///
/// A version is `pending` until somebody decides: `approved`, `rejected` or `archived` (SageMaker's approval status, and a
/// place for what is out of use). Moving `champion` to a pending version approves it. Aliases do not move to rejected and
/// archived versions without --force; the champion is never archived, and serving such a version warns. The version itself
/// never changes: each mark is a line of its own, in the audit log with who, when and why; `mlops undo` takes it back.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops mark penguins@v3 approved --reason 'seen by the biologists'
  mlops mark penguins@v2 archived
  mlops mark penguins@champion --note 'the one of the paper' --tag team=zoo --untag draft")]
pub struct MarkArgs {
    /// The version: NAME@v7 or NAME@ALIAS
    #[arg(value_name = "NAME@VERSION")]
    model: String,
    /// pending, approved, rejected or archived
    #[arg(value_name = "STATE")]
    state: Option<String>,
    /// A sentence kept with the version, in place of the one it has; '' takes it away
    #[arg(long, value_name = "T")]
    note: Option<String>,
    /// A free word kept with the version; may be given again
    #[arg(long = "tag", value_name = "K=V")]
    tags: Vec<String>,
    /// A tag to take away; may be given again
    #[arg(long = "untag", value_name = "K")]
    untags: Vec<String>,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
}

/// Runs the verb.
pub fn run(args: &MarkArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let options = MarkOptions {
        model: args.model.clone(),
        state: args.state.as_deref().map(str::parse).transpose()?,
        note: args.note.clone(),
        tags: read_tags(&args.tags)?,
        untags: args.untags.clone(),
        reason: args.reason.clone(),
    };
    let report = mark(&repo, &options, &app.ctx(0))?;
    app.print("mark", &report, |ui| show(&report, ui))?;
    Ok(Answer::Yes)
}

fn show(report: &MarkReport, ui: &Ui) -> std::io::Result<()> {
    let label = format!("{}@v{}", report.name, report.version);
    if report.changes.is_empty() {
        return ui.line(&format!("{label}: unchanged, {}", report.facts.state.name()));
    }
    report.changes.iter().try_for_each(|change| ui.line(&format!("{label}: {change}")))
}
