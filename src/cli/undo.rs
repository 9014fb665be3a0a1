//! `mlops undo`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::ops::stages::Workspace;
use crate::ops::undo::{UndoOptions, UndoReport, undo};
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Take the last change of a model's aliases, states, notes or tags back
///
/// What was changed together is taken back together: a promotion with the place of `previous` and the approval that came
/// with it, a rollback, a `mark`. Said twice, it goes two changes back; --redo does the last one taken back once more, as
/// long as nothing else has changed. Both are changes of their own in the audit log. Versions stay for ever. Exit 3 when
/// there is nothing to take back. Aliases that move run the promote hooks (see `mlops promote --help`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops undo
  mlops undo penguins --reason 'wrong version'
  mlops undo penguins --redo")]
pub struct UndoArgs {
    /// Name of the model; the project's when absent
    name: Option<String>,
    /// Do the change that was taken back last once more
    #[arg(long)]
    redo: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
}

/// Runs the verb.
pub fn run(args: &UndoArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let name = match &args.name {
        Some(name) => name.clone(),
        None => {
            let project = app.project(&repo)?;
            Workspace { repo: &repo, root: &project.root, spec: &project.spec }.model_name()
        }
    };
    let options = UndoOptions { name, redo: args.redo, reason: args.reason.clone() };
    let report = undo(&repo, &options, &app.ctx(0))?;
    app.print("undo", &report, |ui| show(&report, ui))?;
    if report.refused {
        return Ok(Answer::No);
    }
    let redo = if report.redo { "" } else { " --redo" };
    app.ui.hint(&format!("`mlops undo {}{redo}` reverses this", report.name));
    Ok(Answer::Yes)
}

fn show(report: &UndoReport, ui: &Ui) -> std::io::Result<()> {
    if report.refused {
        let reason = report.reason.as_deref().unwrap_or("a hook refused");
        return ui.line(&format!("{}: {reason}", ui.paint(Style::Bad, "refused")));
    }
    let why = report.of_reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let done = if report.redo { "done once more" } else { "taken back" };
    ui.line(&format!("{done}: change {} of {}{why}", report.change, report.time))?;
    let end = |end: &Option<String>| end.clone().unwrap_or_else(|| "nothing".to_owned());
    report
        .steps
        .iter()
        .try_for_each(|step| ui.line(&format!("  {}: {} -> {}", step.what, end(&step.from), end(&step.to))))
}
