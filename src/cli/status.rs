//! `mlops status`

use anyhow::Result;
use clap::Args;

use crate::cli::app::{Answer, App};
use crate::ops::status::{Freshness, StatusReport, status};
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Say what changed, what would run, and why
///
/// Reads only. A stage is `cached` when its last result stands, `stale` when it would run, `waiting` when a stage before
/// it would run, `blocked` when it cannot run as things are.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mlops status\n  mlops status --why\n  mlops status --exit-code && echo up to date"
)]
pub struct StatusArgs {
    /// Stages wanted, with all they depend on; every stage when absent
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
    /// Give the reasons
    #[arg(long)]
    why: bool,
    /// Exit 1 when something would run
    #[arg(long)]
    exit_code: bool,
}

/// Runs the verb.
pub fn run(args: &StatusArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    project.require_file()?;
    let report = status(&repo, &project.root, &project.spec, &args.stages)?;
    app.print("status", &report, |ui| show(&report, args.why, ui))?;
    Ok(if args.exit_code && !report.clean { Answer::No } else { Answer::Yes })
}

/// A table of stages, with reasons when asked for.
pub fn show(report: &StatusReport, why: bool, ui: &Ui) -> std::io::Result<()> {
    let headings: &[&str] = if why { &["stage", "state", "why"] } else { &["stage", "state"] };
    let mut table = Table::new(headings);
    for stage in &report.stages {
        let style = match stage.state {
            Freshness::Cached => Style::Dim,
            Freshness::Stale | Freshness::Waiting => Style::Warn,
            Freshness::Blocked => Style::Bad,
        };
        let mut cells = vec![stage.name.clone(), ui.paint(style, stage.state.name())];
        cells.extend(why.then(|| stage.why.join("; ")));
        table.row(cells);
    }
    ui.table(&table)?;
    if report.clean { ui.line("everything is up to date") } else { Ok(()) }
}
