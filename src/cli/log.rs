//! `mlops log`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::base::id::RunId;
use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::parse_setting;
use crate::cli::lineage::{self, LineageArgs};
use crate::cli::profile_view;
use crate::index::{RunFilter, RunRow, RunSort};
use crate::ops::document::write_profile;
use crate::ops::log::{self, AuditReport, DatasetsReport, ErrorsReport, ModelsReport, RunsReport};
use crate::ops::profile::{ProfileOptions, profile};
use crate::ops::tune::resume::study_named;
use crate::ops::tune::trials::STUDY_TAG;
use crate::record::run::TRIAL;
use crate::repo::journal::JournalLine;
use crate::term::spark::Bars;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Read the history, or write to a run
///
/// Without a subcommand: lists runs, newest first, or what the flags ask for. Trials of `tune` may be many, so they are left
/// out, and said to be, unless --runs, --study or --kind trial asks for them. `log metric`, `log param`, `log tag` and
/// `log artifact` write: inside a stage's command to that stage's run, elsewhere to --run or $MLOPS_RUN, else to a new
/// run of kind `manual` whose id is printed. `log metric -` reads `NAME=VALUE [STEP]` lines from standard input.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  mlops log -n 10
  mlops log --kind train --sort roc_auc
  mlops log --kind tune
  mlops log --study last --sort roc_auc -n 10
  mlops log --models
  mlops log --datasets penguins --profile --by island
  mlops log --errors
  mlops log --lineage penguins@champion
  mlops log --lineage data/penguins.csv --down --mermaid
  mlops log --format openlineage > events.ndjson
  mlops log metric loss=0.31 --step 12
  export MLOPS_RUN=$(mlops log param lr=0.1 -q); mlops log metric loss=0.3"
)]
pub struct LogArgs {
    #[command(subcommand)]
    write: Option<WriteArgs>,
    /// Runs, with the trials of studies
    #[arg(long)]
    runs: bool,
    /// Trials of this study: the id of its run, or `last`
    #[arg(long, value_name = "STUDY")]
    study: Option<String>,
    /// Dataset versions
    #[arg(long, group = "what", num_args = 0..=1, value_name = "NAME", default_missing_value = "")]
    datasets: Option<String>,
    /// What the columns of the dataset hold, and how they go together; of the newest version when none is named
    #[arg(long, requires = "datasets")]
    profile: bool,
    /// Profile each value of this column apart
    #[arg(long, requires = "profile", value_name = "COLUMN")]
    by: Option<String>,
    /// Weighted statistics too, with the weights in this column
    #[arg(long, requires = "profile", value_name = "COLUMN")]
    weight: Option<String>,
    /// Column to relate the others to; the dataset's target when absent
    #[arg(long, requires = "profile", value_name = "COLUMN")]
    target: Option<String>,
    /// Hold the profile against this dataset version
    #[arg(long, requires = "profile", value_name = "REF")]
    against: Option<String>,
    /// Write the profile as one HTML page, side by side with --against
    #[arg(long, requires = "profile", value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Registered model versions
    #[arg(long, group = "what", num_args = 0..=1, value_name = "NAME", default_missing_value = "")]
    models: Option<String>,
    /// Failed and killed runs with what they printed
    #[arg(long, group = "what")]
    errors: bool,
    /// Every change of names, in order, from the hash-chained audit log
    #[arg(long, group = "what")]
    audit: bool,
    #[command(flatten)]
    lineage: LineageArgs,
    /// Only runs of this kind: ingest, validate, transform, train, tune, trial, evaluate, explain,
    /// register, import, stage, manual
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only runs of this stage
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Best first by this metric; `-NAME` or a metric where less is better: smallest first
    #[arg(long, value_name = "METRIC", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most this many
    #[arg(short = 'n', long = "limit", value_name = "N")]
    limit: Option<usize>,
}

/// What to write.
#[derive(Debug, Subcommand)]
enum WriteArgs {
    /// Write values of metrics: NAME=VALUE…, or `-` to read lines from standard input
    Metric {
        /// NAME=VALUE, or -
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
        /// Position on the metric's own axis
        #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
        step: i64,
        /// The run; $MLOPS_RUN when absent
        #[arg(long)]
        run: Option<String>,
    },
    /// Write parameters: NAME=VALUE…
    Param {
        /// NAME=VALUE
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
        /// The run; $MLOPS_RUN when absent
        #[arg(long)]
        run: Option<String>,
    },
    /// Write tags: NAME=TEXT…
    Tag {
        /// NAME=TEXT
        #[arg(required = true, value_name = "NAME=TEXT")]
        values: Vec<String>,
        /// The run; $MLOPS_RUN when absent
        #[arg(long)]
        run: Option<String>,
    },
    /// Keep files with a run
    Artifact {
        /// Files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The run; $MLOPS_RUN when absent
        #[arg(long)]
        run: Option<String>,
    },
}

/// Runs the verb.
pub fn run(args: &LogArgs, app: &App) -> Result<Answer> {
    match &args.write {
        Some(write) => self::write(write, app),
        None => read(args, app),
    }
}

fn read(args: &LogArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let only = |name: &String| (!name.is_empty()).then(|| name.clone());
    if let Some(name) = args.datasets.as_ref().filter(|_| args.profile) {
        let (by, weight, target) = (args.by.clone(), args.weight.clone(), args.target.clone());
        let spec = app.project(&repo)?.spec;
        let (against, drift) = (args.against.clone(), spec.monitor);
        let options = ProfileOptions { dataset: only(name), by, weight, target, against, drift };
        let report = profile(&repo, &options, &app.ctx(spec.project.seed))?;
        if let Some(path) = &args.report {
            write_profile(&report, &app.path(path))?;
        }
        let bars = if app.environment.ascii() { Bars::Ascii } else { Bars::Blocks };
        app.print("profile", &report, |ui| profile_view::show(&report, bars, ui.verbose(), ui))?;
    } else if let Some(name) = &args.datasets {
        let report = log::datasets(&repo, only(name).as_deref())?;
        app.print("datasets", &report, |ui| show_datasets(&report, ui))?;
    } else if let Some(name) = &args.models {
        let report = log::models(&repo, only(name).as_deref())?;
        app.print("models", &report, |ui| show_models(&report, ui))?;
    } else if args.errors {
        let report = log::errors(&repo, args.limit)?;
        app.print("errors", &report, |ui| show_errors(&report, ui))?;
    } else if args.audit {
        let report = log::audit(&repo)?;
        app.print("audit", &report, |ui| show_audit(&report, ui))?;
    } else if args.lineage.is_asked() {
        let study = args.study.as_deref().map(|text| study_named(&repo, text)).transpose()?;
        return lineage::run(&args.lineage, &filter(args, study), app, &repo);
    } else {
        let study = args.study.as_deref().map(|text| study_named(&repo, text)).transpose()?;
        let report = log::runs(&repo, &filter(args, study))?;
        report.notes.iter().for_each(|note| app.ui.warn(note));
        app.print("runs", &report, |ui| show_runs(&report, ui))?;
        if report.trials_left_out > 0 {
            let trials = units::plural(report.trials_left_out, "trial");
            app.ui.info(&format!("{trials} left out: see them with --runs, or those of one study with --study"));
        }
    }
    Ok(Answer::Yes)
}

fn filter(args: &LogArgs, study: Option<RunId>) -> RunFilter {
    let sort = args.sort.as_deref().map_or(RunSort::Newest, |name| {
        let small = ["log_loss", "rmse", "mae", "mse", "mape", "brier", "loss"];
        let plain = name.trim_start_matches('-');
        let descending = !name.starts_with('-') && !small.iter().any(|end| plain.ends_with(end));
        RunSort::Metric { name: plain.to_owned(), descending }
    });
    let asked = args.runs || args.kind.is_some() || args.stage.is_some();
    RunFilter {
        kind: args.kind.clone().or(study.map(|_| TRIAL.to_owned())),
        without: (!asked && study.is_none()).then(|| TRIAL.to_owned()),
        tag: study.map(|study| (STUDY_TAG.to_owned(), study.hex())),
        stage: args.stage.clone(),
        sort,
        limit: args.limit,
        ..RunFilter::default()
    }
}

fn write(args: &WriteArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let text_setting = |text: &String| {
        let (name, _) = parse_setting(text)?;
        let value = text.split_once('=').map(|(_, value)| value.to_owned()).unwrap_or_default();
        Ok(JournalLine::Tag { name, value })
    };
    let (lines, run): (Result<Vec<JournalLine>>, &Option<String>) = match args {
        WriteArgs::Metric { values, run, .. } if *values == ["-"] => {
            (log::read_metrics(&mut std::io::stdin().lock()), run)
        }
        WriteArgs::Metric { values, step, run } => {
            (values.iter().map(|text| log::parse_metric(text, *step).map(JournalLine::Metric)).collect(), run)
        }
        WriteArgs::Param { values, run } => {
            let param = |text: &String| {
                let (name, value) = parse_setting(text)?;
                Ok(JournalLine::Param { name, value: serde_json::to_value(value)? })
            };
            (values.iter().map(param).collect(), run)
        }
        WriteArgs::Tag { values, run } => (values.iter().map(text_setting).collect(), run),
        WriteArgs::Artifact { files, run } => {
            (files.iter().map(|file| log::artifact(&repo, &app.path(file))).collect(), run)
        }
    };
    let run = run.as_deref().or(app.environment.run.as_deref());
    let report = log::write(&repo, run, &lines?, &app.ctx(0))?;
    app.print("log", &report, |ui| if report.created { ui.line(&report.run.hex()) } else { Ok(()) })?;
    if report.created {
        app.ui.info(&format!("new run {}; write more to it with --run or MLOPS_RUN", report.run));
    }
    Ok(Answer::Yes)
}

/// Metrics shown of a run; the rest are in --json.
const METRICS_SHOWN: usize = 3;

fn show_runs(report: &RunsReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["run", "kind", "stage", "state", "started", "#time", "metrics"]);
    for run in &report.runs {
        table.row([
            run.run.hex(),
            run.kind.clone(),
            run.stage.clone().unwrap_or_default(),
            paint_state(run, ui),
            moment(&run.started.to_string()),
            run.wall_seconds.map_or_else(String::new, units::seconds),
            shown_metrics(&run.metrics),
        ]);
    }
    ui.table(&table)
}

fn paint_state(run: &RunRow, ui: &Ui) -> String {
    let style = match run.state.name() {
        "finished" => Style::Good,
        "running" => Style::Warn,
        _ => Style::Bad,
    };
    ui.paint(style, run.state.name())
}

fn shown_metrics(metrics: &std::collections::BTreeMap<String, f64>) -> String {
    let mut words: Vec<String> =
        metrics.iter().take(METRICS_SHOWN).map(|(name, value)| format!("{name} {value:.4}")).collect();
    if metrics.len() > METRICS_SHOWN {
        words.push(format!("+{}", metrics.len() - METRICS_SHOWN));
    }
    words.join(", ")
}

/// A time stamp to the second, for people.
fn moment(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}

fn show_datasets(report: &DatasetsReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["dataset", "id", "#rows", "#columns", "#size", "target", "time"]);
    for row in &report.datasets {
        table.row([
            format!("{}@v{}", row.name, row.version),
            row.id.short(),
            units::count(row.rows),
            row.columns.to_string(),
            units::bytes(row.bytes),
            row.target.clone().unwrap_or_default(),
            moment(&row.time.to_string()),
        ]);
    }
    ui.table(&table)
}

fn show_models(report: &ModelsReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["model", "id", "kind", "state", "verdict", "aliases", "metrics", "time"]);
    for row in &report.models {
        table.row([
            format!("{}@v{}", row.name, row.version),
            row.id.short(),
            row.kind.clone(),
            row.state.name().to_owned(),
            row.verdict.name().to_owned(),
            row.aliases.join(", "),
            shown_metrics(&row.metrics),
            moment(&row.time.to_string()),
        ]);
    }
    ui.table(&table)
}

fn show_audit(report: &AuditReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["#seq", "time", "user", "action", "subject", "from", "to", "reason"]);
    for entry in &report.audit {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        table.row([
            entry.seq.to_string(),
            moment(&entry.time.to_string()),
            entry.actor.user.clone(),
            entry.action.to_string(),
            entry.subject.clone(),
            text(&entry.from),
            text(&entry.to),
            text(&entry.reason),
        ]);
    }
    ui.table(&table)
}

fn show_errors(report: &ErrorsReport, ui: &Ui) -> std::io::Result<()> {
    for row in &report.errors {
        let run = &row.run;
        let stage = run.stage.as_deref().unwrap_or(&run.kind);
        ui.line(&format!("{} {stage} {} {}", run.run, paint_state(run, ui), moment(&run.started.to_string())))?;
        for line in row.run.error.iter().flat_map(|error| error.lines()) {
            ui.line(&format!("    {line}"))?;
        }
        for line in row.output.iter().flat_map(|output| output.lines()) {
            ui.line(&format!("    | {line}"))?;
        }
    }
    Ok(())
}
