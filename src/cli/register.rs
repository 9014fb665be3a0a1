//! `mlops register`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::ops::register::{RegisterOptions, RegisterReport, register};
use crate::ops::stages::Workspace;
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Keep a trained model as a numbered version
///
/// Versions never change and their numbers are never used again. A model whose last evaluation failed its gates is
/// refused (exit 1) unless --force is given with a reason, which the audit log keeps.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops register
  mlops register run:last penguins --alias candidate --note 'more trees'
  mlops register 9f3c1a penguins --force --reason 'gate too strict for the pilot'")]
pub struct RegisterArgs {
    /// Model: an id or run:last; the newest trained one when absent
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Name to register under; the project's name when absent
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Alias that moves to the new version
    #[arg(long, value_name = "A")]
    alias: Option<String>,
    /// Alias that moves only if every gate passed
    #[arg(long, value_name = "A")]
    promote: Option<String>,
    /// A sentence kept with the version
    #[arg(long, value_name = "T")]
    note: Option<String>,
    /// Register although gates failed; needs --reason
    #[arg(long)]
    force: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
}

/// Runs the verb.
pub fn run(args: &RegisterArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let written = project.spec.register.clone().unwrap_or_default();
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let options = RegisterOptions {
        model: args.model.clone(),
        name: args.name.clone().unwrap_or_else(|| space.model_name()),
        alias: args.alias.clone().or(written.alias),
        promote: args.promote.clone().or(written.promote),
        note: args.note.clone().or(written.note),
        force: args.force,
        reason: args.reason.clone(),
        evaluation: None,
    };
    let report = register(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("register", &report, |ui| show(&report, ui))?;
    if report.refused {
        app.ui.hint("train a better model, or register it all the same with --force --reason \"WHY\"");
        return Ok(Answer::No);
    }
    Ok(Answer::Yes)
}

fn show(report: &RegisterReport, ui: &Ui) -> std::io::Result<()> {
    let Some(version) = report.version else {
        let reason = report.reason.as_deref().unwrap_or("its gates failed");
        return ui.line(&format!(
            "{}: model {} was not registered: {reason}",
            ui.paint(Style::Bad, "refused"),
            report.id.short()
        ));
    };
    let state = if report.unchanged { " (unchanged)" } else { "" };
    ui.line(&format!(
        "{}@v{version}{state}: model {}, verdict {}",
        report.name,
        report.id.short(),
        report.verdict.name()
    ))?;
    for (alias, at) in &report.aliases {
        ui.line(&format!("  {alias} -> v{at}"))?;
    }
    Ok(())
}
