//! `mlops train`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::{RoleArgs, SplitArgs, parse_setting};
use crate::ops::execute::prepare_options;
use crate::ops::stages::Workspace;
use crate::ops::train::{TrainOptions, TrainReport, train};
use crate::spec::project::ProjectSpec;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Fit a model and score it on rows it has not seen
///
/// Splits and transforms first if need be, fits on the training rows, scores the model beside the baseline on the
/// validation rows, and keeps the run with its parameters, metrics and cost. The test rows stay untouched for
/// `evaluate`. Clustering and anomaly detection need no target: one that is given is never fitted on and only judges, with
/// metrics such as `adjusted_rand` or `average_precision`; `predict` then writes `cluster` and `distance`, or `anomaly` and
/// `score`. Equal inputs and seed give the same model, byte for byte, on any number of threads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops train --target species
  mlops train --model forest --set trees=500 --set leaf_rows=3
  mlops train sales@v4 --model ridge --seed 7
  mlops train --task clustering --set clusters=4
  mlops train --task anomaly --set contamination=0.02")]
pub struct TrainArgs {
    /// Dataset; the newest one when absent
    #[arg(value_name = "DATA")]
    dataset: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    split: SplitArgs,
    /// boost, forest, extra_trees, tree, linear, ridge, logistic, svm, knn, naive_bayes, baseline; kmeans for clustering;
    /// isolation_forest for anomaly; or auto
    #[arg(short, long, value_name = "KIND")]
    model: Option<String>,
    /// A parameter of the model: params.NAME=VALUE or NAME=VALUE
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &TrainArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let mut project = app.project(&repo)?;
    apply(args, &mut project.spec, app)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let mut prepare = prepare_options(&space, None)?;
    prepare.dataset.clone_from(&args.dataset);
    let spec = project.spec.train.clone().unwrap_or_default();
    let options = TrainOptions { prepare, recipe: None, model: spec.model, params: spec.params };
    let report = train(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("train", &report, |ui| show(&report, ui))?;
    app.ui.hint("judge it on the test rows: `mlops evaluate`; try it: `mlops serve`");
    Ok(Answer::Yes)
}

/// Puts the flags over what the project file says.
fn apply(args: &TrainArgs, spec: &mut ProjectSpec, app: &App) -> Result<()> {
    args.roles.apply(spec);
    args.split.apply(spec)?;
    let train = spec.train.get_or_insert_default();
    if let Some(model) = &args.model {
        if train.model.as_ref() != Some(model) && !train.params.is_empty() {
            app.ui.info("parameters of the project file belong to another model and are left out");
            train.params.clear();
        }
        train.model = Some(model.clone());
    }
    for setting in &args.settings {
        let (name, value) = parse_setting(setting)?;
        let name = name.strip_prefix("params.").unwrap_or(&name);
        train.params.insert(name.to_owned(), value);
    }
    Ok(())
}

fn show(report: &TrainReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["metric", &format!("#{}", report.kind), "#baseline"]);
    for (name, value) in &report.metrics {
        let baseline = report.baseline.get(name).map_or_else(String::new, |value| format!("{value:.4}"));
        table.row([name.clone(), format!("{value:.4}"), baseline]);
    }
    ui.table(&table)?;
    let subject = match report.target.as_str() {
        "" => report.task.name().to_owned(),
        target => format!("`{target}` ({})", report.task.name()),
    };
    ui.line(&format!(
        "{} for {subject}: {} × {} in {}, scored on the {} rows",
        report.kind,
        units::plural(report.rows as u64, "row"),
        units::plural(report.features as u64, "feature"),
        units::seconds(report.seconds),
        report.scored_on,
    ))?;
    ui.line(&format!("model {}  run {}  {}", report.model.short(), report.run, units::bytes(report.bytes as u64)))
}
