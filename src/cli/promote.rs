//! `mlops promote`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::ops::promote::{CHAMPION, PromoteOptions, PromoteReport, promote};
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Point an alias at a registered version
///
/// `champion` is what gates compare with and what serving follows; when it moves, `previous` keeps its old place, and a
/// pending version becomes approved. The version needs the verdict `pass`, and must not be rejected or archived, or --force
/// with a reason; a champion is never archived. `--remove` takes an alias away. Every move is in the audit log; `mlops undo`
/// takes it back.
///
/// `.mlops/hooks/pre-promote` is asked first (any exit code but 0 refuses), `post-promote` told afterwards; both get JSON
/// on standard input and MLOPS_HOOK_* variables: COMMAND, NAME, VERSION, ALIAS, FROM, TO, REASON, VERDICT, STATE.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mlops promote penguins@v7 --reason 'better on Dream'\n  mlops promote penguins@v7 staging\n  mlops promote penguins --remove staging"
)]
pub struct PromoteArgs {
    /// The version: NAME@v7 or NAME@ALIAS; the NAME alone with --remove
    #[arg(value_name = "NAME@VERSION")]
    model: String,
    /// The alias to move
    #[arg(default_value = CHAMPION)]
    alias: String,
    /// Take this alias away instead
    #[arg(long, value_name = "A", conflicts_with = "alias")]
    remove: Option<String>,
    /// Move it although the version has no verdict `pass`, or is rejected or archived; needs --reason
    #[arg(long)]
    force: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
}

/// Runs the verb.
pub fn run(args: &PromoteArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let options = PromoteOptions {
        model: args.model.clone(),
        alias: args.remove.clone().unwrap_or_else(|| args.alias.clone()),
        remove: args.remove.is_some(),
        force: args.force,
        reason: args.reason.clone(),
    };
    let report = promote(&repo, &options, &app.ctx(0))?;
    app.print("promote", &report, |ui| show(&report, ui))?;
    if report.refused {
        let by_hook = report.reason.as_deref().is_some_and(|reason| reason.starts_with("hook "));
        app.ui.hint(match by_hook {
            true => "the hook is a file of this clone: .mlops/hooks",
            false => "evaluate it with gates that pass, or use --force --reason \"WHY\"",
        });
        return Ok(Answer::No);
    }
    Ok(Answer::Yes)
}

/// One line: what moved from where to where.
pub fn show(report: &PromoteReport, ui: &Ui) -> std::io::Result<()> {
    let version = |version: Option<u32>| version.map_or_else(|| "nothing".to_owned(), |version| format!("v{version}"));
    if report.refused {
        let reason = report.reason.as_deref().unwrap_or("it has not passed");
        return ui.line(&format!("{}: {reason}", ui.paint(Style::Bad, "refused")));
    }
    ui.line(&format!("{}@{}: {} -> {}", report.name, report.alias, version(report.from), version(report.to)))
}
