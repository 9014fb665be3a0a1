//! `mlops log`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::parse_setting;
use crate::cli::lineage::{self, LineageArgs};
use crate::cli::log_runs::{self, Form, moment};
use crate::cli::{log_history, profile_view};
use crate::ops::audit::AuditOptions;
use crate::ops::document::write_profile;
use crate::ops::log::{self, DatasetsReport, ModelsReport};
use crate::ops::profile::{ProfileOptions, profile};
use crate::ops::runs::RunsOptions;
use crate::ops::tune::resume::study_named;
use crate::repo::Repo;
use crate::repo::journal::JournalLine;
use crate::spec::query::parse_moment;
use crate::term::spark::Bars;
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
    after_help = r#"Examples:
  mlops log -n 10
  mlops log --kind train --sort roc_auc
  mlops log --kind tune
  mlops log --study last --sort roc_auc -n 10
  mlops log --models
  mlops log --datasets penguins --profile --by island
  mlops log --where "metrics.f1 > 0.9 and (params.trees >= 100 or tags.team = 'fraud')" --sort metrics.f1 -n 20
  mlops log --where "state = 'failed' and started > 7d" --columns run,kind,error
  mlops log --kind train --columns run,metrics.*,params.trees --csv > runs.csv
  mlops log --errors -n 3
  mlops log --audit --model penguins --since 30d
  mlops log --audit --verify
  mlops log --code run:last | git apply
  mlops log --lineage penguins@champion
  mlops log --lineage data/penguins.csv --down --mermaid
  mlops log --format openlineage > events.ndjson
  mlops log metric loss=0.31 --step 12
  export MLOPS_RUN=$(mlops log param lr=0.1 -q); mlops log metric loss=0.3"#
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
    /// Failed and killed runs with the end of what they printed (all of it with -v), and how to run them again
    #[arg(long, group = "what")]
    errors: bool,
    /// Every change of names, in order, from the hash-chained audit log
    #[arg(long, group = "what")]
    audit: bool,
    /// Follow the chain of hashes and hold it against the names there are; exits 1 when it is broken
    #[arg(long, requires = "audit")]
    verify: bool,
    /// Only changes of this registered model
    #[arg(long, requires = "audit", value_name = "NAME")]
    model: Option<String>,
    /// What the code of a run differed by from its commit, for `git apply`
    #[arg(long, group = "what", value_name = "RUN")]
    code: Option<String>,
    #[command(flatten)]
    lineage: LineageArgs,
    /// Only runs of this kind: ingest, validate, transform, train, tune, trial, evaluate, explain,
    /// register, import, stage, manual
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only runs of this stage
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Only runs of which this holds, as "metrics.f1 > 0.9 and params.trees >= 100 or tags.team = 'fraud'"
    ///
    /// Fields: metrics.NAME, params.NAME, tags.NAME, and what every run has: run, kind, stage, state, started, ended, seconds,
    /// cpu_seconds, memory, command, user, host, commit, dirty, seed, exit_code, error, model, dataset (also as
    /// attributes.NAME; MLflow's names status, start_time, end_time, run_id and user_id are known too). Odd names in
    /// backticks: metrics.`a b`. Tests: = != < <= > >= like ilike in (…) between … and …, is null, is not null; joined by
    /// and, or, not and brackets. A run without the field passes `is null` only. Texts in quotes, `%` and `_` in patterns of
    /// like. Times are dates ('2026-11-01', UTC), times, or ages: `started > 7d` means since seven days ago. Parameters
    /// compare as numbers with numbers, as texts with texts. `model = 'penguins'` is any version of it; ids may be shortened.
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    /// Only what started, or was changed, since then: a date, a time, or an age such as 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// In this order: fields divided by commas, each with asc or desc; a name alone is a metric
    ///
    /// Metrics come best first, times and numbers of runs largest first, all else from A; `-NAME` means smallest first. Runs
    /// without the field come last; ties, newest first.
    #[arg(long, value_name = "FIELD,…", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most this many
    #[arg(short = 'n', long = "limit", value_name = "N")]
    limit: Option<usize>,
    /// Pass over the first of them
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
    /// Columns: fields as in --where, or metrics.*, params.*, tags.*; by default also what --where and --sort name
    #[arg(long, value_name = "FIELD,…")]
    columns: Option<String>,
    /// Print runs as comma-separated values, with all that they have unless --columns says less
    #[arg(long, conflicts_with_all = ["md", "json"])]
    csv: bool,
    /// Print runs as a Markdown table
    #[arg(long, conflicts_with = "json")]
    md: bool,
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
        return log_history::errors(&repo, &options(args, &repo)?, app);
    } else if args.audit {
        return log_history::audit(&repo, &args.audit_options(app)?, args.verify, app);
    } else if let Some(reference) = &args.code {
        return log_history::code(&repo, reference, app);
    } else if args.lineage.is_asked() {
        return lineage::run(&args.lineage, &options(args, &repo)?, app, &repo);
    } else {
        return log_runs::show(&repo, &options(args, &repo)?, args.form(), app);
    }
    Ok(Answer::Yes)
}

impl LogArgs {
    fn form(&self) -> Form {
        match (self.csv, self.md) {
            (true, _) => Form::Csv,
            (_, true) => Form::Markdown,
            _ => Form::Lines,
        }
    }

    fn audit_options(&self, app: &App) -> Result<AuditOptions> {
        let now = app.clock.now();
        let since = self.since.as_deref().map(|text| parse_moment(text, now)).transpose()?;
        Ok(AuditOptions { model: self.model.clone(), since, limit: self.limit })
    }
}

/// What the flags say of runs.
fn options(args: &LogArgs, repo: &Repo) -> Result<RunsOptions> {
    Ok(RunsOptions {
        all: args.runs,
        study: args.study.as_deref().map(|text| study_named(repo, text)).transpose()?,
        kind: args.kind.clone(),
        stage: args.stage.clone(),
        condition: args.condition.clone(),
        since: args.since.clone(),
        sort: args.sort.clone(),
        offset: args.offset,
        limit: args.limit,
        columns: args.columns.clone(),
    })
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
            log_runs::shown_metrics(&row.metrics),
            moment(&row.time.to_string()),
        ]);
    }
    ui.table(&table)
}
