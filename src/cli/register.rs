//! `mlops register`

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::cli::args::parse_setting;
use crate::cli::serve::check_in_words;
use crate::ops::register::{RegisterOptions, RegisterReport, read_words, register};
use crate::ops::stages::Workspace;
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Keep a trained model as a numbered version
///
/// Versions never change and their numbers are never used again; a new one is `pending` (see `mlops mark`). A model whose
/// last evaluation failed its gates is refused (exit 1) unless --force is given with a reason, which the audit log keeps.
/// `--alias champion` needs the verdict `pass`, as `mlops promote` does. One word alone that can name a model is the NAME.
///
/// Before the version exists, the real server loads the package and has to answer rows of its data as `mlops predict` does
/// (`mlops serve --check` shows the same); --no-check leaves that out. Hooks in .mlops/hooks, executables of this clone
/// that never travel: `pre-register` and `pre-promote` (for each alias that moves) refuse with any exit code but 0,
/// `post-register` and `post-promote` are told afterwards. They get JSON on standard input and MLOPS_HOOK_* variables, and
/// 60 s (MLOPS_HOOK_TIMEOUT=10m).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops register
  mlops register penguins                            the newest trained model, as penguins
  mlops register run:last penguins --alias candidate --note 'more trees' --tag team=zoo
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
    /// A free word kept with the version; may be given again
    #[arg(long = "tag", value_name = "K=V")]
    tags: Vec<String>,
    /// Do not try the package with the real server first
    #[arg(long)]
    no_check: bool,
    /// Register, and move --alias, although gates failed or there are none; needs --reason
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
    let words = (args.model.as_deref(), args.name.as_deref());
    let (model, name) = read_words(&repo, words, space.model_name(), &app.ui)?;
    let mut tags = written.tags;
    tags.extend(read_tags(&args.tags)?);
    let options = RegisterOptions {
        model,
        name,
        alias: args.alias.clone().or(written.alias),
        promote: args.promote.clone().or(written.promote),
        note: args.note.clone().or(written.note),
        tags,
        force: args.force,
        reason: args.reason.clone(),
        evaluation: None,
        no_check: args.no_check || written.check == Some(false),
    };
    let report = register(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("register", &report, |ui| show(&report, ui))?;
    if report.refused {
        report.hint.iter().for_each(|hint| app.ui.hint(hint));
        return Ok(Answer::No);
    }
    Ok(Answer::Yes)
}

/// Reads `NAME=VALUE` words.
pub fn read_tags(words: &[String]) -> Result<BTreeMap<String, String>> {
    let tag = |text: &String| {
        let (name, _) = parse_setting(text)?;
        let value = text.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default();
        Ok((name, value))
    };
    words.iter().map(tag).collect()
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
        "{}@v{version}{state}: model {}, verdict {}, {}",
        report.name,
        report.id.short(),
        report.verdict.name(),
        report.state.unwrap_or_default().name()
    ))?;
    if let Some(check) = &report.check {
        ui.line(&format!("  {}", check_in_words(check)))?;
    }
    for (alias, at) in &report.aliases {
        ui.line(&format!("  {alias} -> v{at}"))?;
    }
    Ok(())
}
