//! `mlops fsck`

use anyhow::Result;
use clap::Args;

use crate::cli::app::{Answer, App};
use crate::ops::fsck::{FsckReport, fsck};
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Verify everything the repository holds
///
/// Reads every object and checks it against its name, follows every reference, walks the audit chain, and compares the
/// index with what it is derived from. Damaged objects are moved aside, never deleted. Exits 1 when anything is found.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlops fsck\n  mlops fsck --rebuild-index")]
pub struct FsckArgs {
    /// Build the index again first
    #[arg(long)]
    rebuild_index: bool,
}

/// Runs the verb.
pub fn run(args: &FsckArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let report = fsck(&repo, args.rebuild_index)?;
    app.print("fsck", &report, |ui| show(&report, ui))?;
    Ok(if report.clean { Answer::Yes } else { Answer::No })
}

fn show(report: &FsckReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["code", "subject", "what", "fix"]);
    for finding in &report.findings {
        table.row([finding.code.to_string(), finding.subject.clone(), finding.what.clone(), finding.fix.clone()]);
    }
    ui.table(&table)?;
    if report.clean { ui.line("everything is as it should be") } else { Ok(()) }
}
