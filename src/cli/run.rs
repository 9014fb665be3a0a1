//! `mlops run`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::status;
use crate::ops::run::{RunOptions, RunReport, StageState, run as run_stages};
use crate::ops::status::status as stage_status;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Execute what the project file declares, as far as it has to
///
/// Builds the graph of `mlops.toml` (ingest, validate, transform, train, evaluate, register, and any [[stage]] command),
/// and runs every stage whose inputs differ from what its last result was made from: data, configuration, code of
/// commands, seed, version of this tool. Results of earlier runs are found by content, also after going back. What was
/// used is written to `mlops.lock`, which belongs into git.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops run                    all stages
  mlops run train              `train` and what it depends on
  mlops run --dry-run          the plan, with reasons
  mlops run --force train      again, although nothing changed")]
pub struct RunArgs {
    /// Stages wanted, with all they depend on; every stage when absent
    #[arg(value_name = "STAGE")]
    stages: Vec<String>,
    /// Run them although nothing changed
    #[arg(long)]
    force: bool,
    /// Say what would run, and why
    #[arg(long)]
    dry_run: bool,
    /// Most stages at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Go on with stages that do not depend on a failed one
    #[arg(long)]
    keep_going: bool,
}

/// Runs the verb.
pub fn run(args: &RunArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    project.require_file()?;
    if args.dry_run {
        let report = stage_status(&repo, &project.root, &project.spec, &args.stages)?;
        app.print("status", &report, |ui| status::show(&report, true, ui))?;
        return Ok(Answer::Yes);
    }
    let options = RunOptions {
        root: project.root.clone(),
        spec: project.spec.clone(),
        stages: args.stages.clone(),
        force: args.force,
        jobs: args.jobs,
        keep_going: args.keep_going,
    };
    let report = run_stages(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("run", &report, |ui| show(&report, ui))?;
    let registered = report.stages.iter().find(|stage| stage.name == "register" && stage.state == StageState::Done);
    if registered.is_some() {
        app.ui.hint("next: `mlops serve`; where it came from: `mlops why`");
    }
    Ok(match (report.blame, report.is_good()) {
        (Some(blame), _) => Answer::Could(blame),
        (None, true) => Answer::Yes,
        (None, false) => Answer::No,
    })
}

fn show(report: &RunReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["stage", "state", "#time", "result"]);
    for stage in &report.stages {
        let style = match stage.state {
            StageState::Done => Style::Good,
            StageState::Cached => Style::Dim,
            StageState::Failed => Style::Bad,
            StageState::Skipped => Style::Warn,
        };
        let bad = matches!(stage.state, StageState::Failed | StageState::Skipped) && stage.summary.is_empty();
        let result = if bad { stage.why.join("; ") } else { stage.summary.clone() };
        let result = result.lines().collect::<Vec<_>>().join(" ");
        table.row([stage.name.clone(), ui.paint(style, stage.state.name()), units::seconds(stage.seconds), result]);
    }
    ui.table(&table)
}
