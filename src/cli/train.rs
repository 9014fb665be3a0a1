//! `mlops train`

use std::str::FromStr;

use anyhow::Result;
use clap::Args;

use crate::base::fail::Failure;
use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::{RoleArgs, SplitArgs, parse_setting};
use crate::cli::train_auto::{AutoArgs, show_auto};
use crate::ops::crossval::FoldsReport;
use crate::ops::execute::prepare_options;
use crate::ops::stages::Workspace;
use crate::ops::train::{TrainOptions, TrainReport, train};
use crate::spec::project::ProjectSpec;
use crate::spec::training::{CalibrationMethod, ClassWeight, ThresholdCosts, ThresholdSpec};
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Folds shown side by side.
const FOLDS_SHOWN: usize = 5;
/// Classes whose factors are shown.
const CLASSES_SHOWN: usize = 8;

/// Fit a model and score it on rows it has not seen
///
/// Splits and transforms first if need be, fits on the training rows, scores the model beside the baseline on the
/// validation rows, and keeps the run with its parameters, metrics and cost. The test rows stay untouched for
/// `evaluate`. Clustering and anomaly detection need no target: one that is given is never fitted on and only judges, with
/// metrics such as `adjusted_rand` or `average_precision`; `predict` then writes `cluster` and `distance`, or `anomaly` and
/// `score`. Equal inputs and seed give the same model, byte for byte, on any number of threads.
///
/// With --folds, the recipe and the model are fitted once more for each fold, on the rows outside the test part and by
/// the method of the split, and scored on what each left out; the model that is kept is fitted as always. Probabilities
/// are calibrated, and a threshold is chosen, on the validation rows, so the scores on these flatter both a little. Weights
/// of rows and classes count in the fit and in the calibration (rows only); scores count every row alike.
///
/// With --from, the fit goes on from an earlier model on new rows, with that model's target, classes and recipe.
///
/// With --auto, kind and parameters are searched for: first what is missing or suspicious in the table is said, then
/// configurations of all kinds are fitted on folds of all rows outside the test part, and the best are averaged (`blend`).
/// Scores are those of rows that a fit had not seen. The search ends after --time (60s when nothing is said) or --trials;
/// the same number of trials and seed give the same model, byte for byte, on any number of --jobs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops train --target species
  mlops train --model forest --set trees=500 --set leaf_rows=3
  mlops train sales@v4 --model ridge --seed 7
  mlops train --auto
  mlops train --auto --time 10m --models boost,forest,logistic
  mlops train --auto --trials 40 --jobs 2
  mlops train --folds 5 --class-weight balanced
  mlops train --calibrate isotonic --threshold cost --threshold-costs false_positive=1,false_negative=5
  mlops train loans@v2 --from loans@champion
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
    /// Number of folds to score the model on besides
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// How much classes count: balanced, or a factor for each as yes=2,no=1
    #[arg(long, value_name = "RULE", value_parser = parsed::<ClassWeight>)]
    class_weight: Option<ClassWeight>,
    /// How probabilities are mended on the validation rows: platt, isotonic or none
    #[arg(long, value_name = "METHOD", value_parser = parsed::<CalibrationMethod>)]
    calibrate: Option<CalibrationMethod>,
    /// From which probability on a row is positive: 0.3, or chosen by f1, balanced_accuracy, youden or cost
    #[arg(long, value_name = "T", value_parser = parsed::<ThresholdSpec>)]
    threshold: Option<ThresholdSpec>,
    /// What mistakes cost, as false_positive=1,false_negative=5; for --threshold cost
    #[arg(long, value_name = "COSTS", value_parser = parsed::<ThresholdCosts>)]
    threshold_costs: Option<ThresholdCosts>,
    /// Model to go on from: NAME@v3, NAME@champion, an id, run:last
    #[arg(long, value_name = "MODEL")]
    from: Option<String>,
    #[command(flatten)]
    auto: AutoArgs,
}

/// Reads a flag, with the hint of a failure in its message.
fn parsed<T: FromStr<Err = Failure>>(text: &str) -> Result<T, String> {
    text.parse().map_err(Failure::in_words)
}

/// Runs the verb.
pub fn run(args: &TrainArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let mut project = app.project(&repo)?;
    apply(args, &mut project.spec, app)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let mut prepare = prepare_options(&space, None)?;
    prepare.dataset.clone_from(&args.dataset);
    let options = TrainOptions { prepare, recipe: None, spec: project.spec.train.clone().unwrap_or_default() };
    let report = train(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("train", &report, |ui| show(&report, ui))?;
    app.ui.hint("judge it on the test rows: `mlops evaluate`; try it: `mlops serve`");
    Ok(Answer::Yes)
}

/// Puts the flags over what the project file says.
fn apply(args: &TrainArgs, spec: &mut ProjectSpec, app: &App) -> Result<()> {
    args.roles.apply(spec);
    args.split.apply(spec)?;
    spec.split.folds = args.folds.unwrap_or(spec.split.folds);
    spec.split.check()?;
    let train = spec.train.get_or_insert_default();
    train.class_weight = args.class_weight.clone().or(train.class_weight.take());
    train.calibrate = args.calibrate.unwrap_or(train.calibrate);
    if args.threshold.is_some() && args.threshold != train.threshold {
        // Costs of the project file are meant for its own way to choose.
        (train.threshold, train.threshold_costs) = (args.threshold, None);
    }
    train.threshold_costs = args.threshold_costs.or(train.threshold_costs);
    train.from = args.from.clone().or(train.from.take());
    args.auto.apply(train, args.model.is_some() || !args.settings.is_empty(), app)?;
    if train.auto.is_some() && args.auto.is_given() && args.model.is_none() && args.settings.is_empty() {
        // What the project file names is what the search is in place of.
        (train.model, train.params) = (None, toml::Table::new());
    }
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
    if let Some(auto) = &report.auto {
        show_auto(auto, ui)?;
    }
    let mut table = Table::new(&["metric", &format!("#{}", report.kind), "#baseline"]);
    for (name, value) in &report.metrics {
        let baseline = report.baseline.get(name).map_or_else(String::new, |value| format!("{value:.4}"));
        table.row([name.clone(), format!("{value:.4}"), baseline]);
    }
    ui.table(&table)?;
    if let Some(folds) = &report.folds {
        show_folds(folds, ui)?;
    }
    show_choices(report, ui)?;
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
        report.scored_on.replace('_', "-"),
    ))?;
    ui.line(&format!("model {}  run {}  {}", report.model.short(), report.run, units::bytes(report.bytes as u64)))
}

fn show_folds(folds: &FoldsReport, ui: &Ui) -> std::io::Result<()> {
    ui.line("")?;
    let headings: Vec<String> = folds.folds.iter().map(|fold| format!("#fold {}", fold.fold)).collect();
    // Many folds do not fit a line; their mean and spread say enough, and --json has them all.
    let shown = if headings.len() <= FOLDS_SHOWN { &headings[..] } else { &[] };
    let interval = format!("#{} % interval", 100.0 * FoldsReport::LEVEL);
    let names = ["metric", "#mean", "#deviation", &interval].into_iter().chain(shown.iter().map(String::as_str));
    let mut table = Table::new(&names.collect::<Vec<_>>());
    let number = |value: Option<&f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    for (name, mean) in &folds.mean {
        let each = folds.folds.iter().take(shown.len()).map(|fold| number(fold.metrics.get(name)));
        let ends = folds.interval.get(name).map(|found| format!("{:.4} … {:.4}", found.low, found.high));
        let head = [name.clone(), number(Some(mean)), number(folds.deviation.get(name)), ends.unwrap_or_default()];
        table.row(head.into_iter().chain(each));
    }
    ui.table(&table)?;
    ui.line("")
}

/// How rows were weighed, calibrated and told apart, a line each.
fn show_choices(report: &TrainReport, ui: &Ui) -> std::io::Result<()> {
    if let Some(from) = &report.from {
        ui.line(&format!("goes on from {from}"))?;
    }
    if let Some(weight) = &report.weight {
        ui.line(&format!("rows weighed by `{weight}`"))?;
    }
    if let Some(factors) = &report.choices.class_weight {
        let shown: Vec<String> =
            factors.iter().take(CLASSES_SHOWN).map(|(name, factor)| format!("{name} {factor:.4}")).collect();
        let more = if factors.len() > CLASSES_SHOWN { ", …" } else { "" };
        ui.line(&format!("classes weighed: {}{more}", shown.join(", ")))?;
    }
    if let Some(calibration) = &report.choices.calibration {
        let change = |name: &str| {
            let (before, after) = (calibration.before.get(name), calibration.after.get(name));
            let shown = |value: Option<&f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
            format!("{name} {} -> {}", shown(before), shown(after))
        };
        let rows = units::plural(calibration.rows as u64, "validation row");
        let (brier, loss) = (change("brier"), change("log_loss"));
        ui.line(&format!("calibrated ({}) on {rows}: {brier}, {loss}", calibration.method))?;
    }
    if let Some(threshold) = &report.choices.threshold {
        let reached = match (threshold.reached, threshold.at_half) {
            (Some(reached), Some(half)) => format!(": {reached:.4}, at one half {half:.4}"),
            _ => String::new(),
        };
        ui.line(&format!("positive above {:.4} (by {}){reached}", threshold.value, threshold.by))?;
    }
    Ok(())
}
