//! `mlops init`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::cli::args::TaskName;
use crate::config::project::PROJECT_FILE;
use crate::ops::init::{InitOptions, init};

/// Make a repository in this folder
///
/// Makes `.mlops/`, where everything is kept, adds it to `.gitignore`, and writes a commented `mlops.toml` unless there
/// is one. With --from, the project file is filled in from a table: source, target, task, metrics and a first gate.
/// Running it again changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  mlops init\n  mlops init --from data/penguins.csv --target species && mlops run
  mlops init --from data/shops.csv --task clustering && mlops run")]
pub struct InitArgs {
    /// Table to fill in the project file from
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Column to predict, with --from
    #[arg(long, value_name = "COLUMN", requires = "from")]
    target: Option<String>,
    /// What kind of prediction, with --from; clustering and anomaly need no target
    #[arg(long, value_enum, requires = "from")]
    task: Option<TaskName>,
}

/// Runs the verb.
pub fn run(args: &InitArgs, app: &App) -> Result<Answer> {
    let options = InitOptions {
        root: app.folder.clone(),
        from: args.from.as_ref().map(|path| app.path(path)),
        target: args.target.clone(),
        task: args.task.map(TaskName::task),
    };
    let report = init(&options, PROJECT_FILE, &app.ui)?;
    app.print("init", &report, |ui| {
        let state = if report.created { "made" } else { "already there:" };
        ui.line(&format!("{state} {}", report.path.display()))?;
        report.project_file.as_ref().map_or(Ok(()), |path| ui.line(&format!("wrote {}", path.display())))
    })?;
    app.ui.hint(match args.from {
        Some(_) => "next: `mlops run`",
        None => "next: `mlops ingest FILE --target COLUMN`, then `mlops train`",
    });
    Ok(Answer::Yes)
}
