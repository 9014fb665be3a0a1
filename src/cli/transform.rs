//! `mlops transform`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::{RoleArgs, SplitArgs};
use crate::ops::execute::prepare_options;
use crate::ops::stages::Workspace;
use crate::ops::transform::{TransformOptions, TransformReport, transform};
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Split the rows and turn columns into features
///
/// Divides the rows into training, validation and test rows, fits the recipe on the training rows only, applies it to
/// all, and keeps the split, the fitted recipe and the features. `train` does this by itself when it was not done.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops transform
  mlops transform penguins@v2 --test 0.3 -o features.parquet")]
pub struct TransformArgs {
    /// Dataset; the newest one when absent
    #[arg(value_name = "DATA")]
    dataset: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    split: SplitArgs,
    /// Also write the features of all rows to this file, CSV or Parquet by its ending
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the verb.
pub fn run(args: &TransformArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let mut project = app.project(&repo)?;
    args.roles.apply(&mut project.spec);
    args.split.apply(&mut project.spec)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let mut prepare = prepare_options(&space, None)?;
    prepare.dataset.clone_from(&args.dataset);
    let options = TransformOptions { prepare, output: args.output.as_ref().map(|path| app.path(path)) };
    let report = transform(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("transform", &report, |ui| show(&report, ui))?;
    Ok(Answer::Yes)
}

fn show(report: &TransformReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["feature", "type", "from"]);
    for feature in &report.features {
        table.row([feature.name.clone(), feature.feature_type.clone(), feature.from.clone()]);
    }
    ui.table(&table)?;
    let rows = report.rows;
    let parts = [(rows.train, "training"), (rows.validation, "validation"), (rows.test, "test")];
    let mut parts: Vec<String> = parts.iter().map(|(rows, name)| format!("{} {name}", units::count(*rows))).collect();
    if report.folds > 0 {
        parts.push(format!("{} folds", report.folds));
    }
    let count = units::plural(report.features.len() as u64, "feature");
    ui.line(&format!("recipe {}: {count}; rows: {}", report.recipe.short(), parts.join(", ")))?;
    report.output.as_ref().map_or(Ok(()), |path| ui.line(&format!("wrote {}", path.display())))
}
