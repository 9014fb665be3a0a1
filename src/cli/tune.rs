//! `mlops tune`

use anyhow::Result;
use clap::Args;

use crate::base::suggest;
use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::{RoleArgs, SplitArgs, parse_setting};
use crate::config::project::PROJECT_FILE;
use crate::ops::execute::prepare_options;
use crate::ops::stages::Workspace;
use crate::ops::tune::{Resume, TuneOptions, TuneReport, tune};
use crate::record::study::StudyEnd;
use crate::search::space::{Dimension, Space};
use crate::spec::project::ProjectSpec;
use crate::spec::tune::{Direction, PrunerName, SamplerName, TuneSpec};
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Parameters shown of each trial, those that mattered most; the rest are in --json.
const PARAMS_SHOWN: usize = 6;
/// Trials below which shares of what mattered are little more than chance.
const TRIALS_FOR_SHARES: usize = 30;

/// Flags that a study which exists already has settled.
const SETTLED: [&str; 20] = [
    "dataset",
    "model",
    "stage",
    "sampler",
    "pruner",
    "metric",
    "direction",
    "folds",
    "space",
    "settings",
    "warm_from",
    "stop_at",
    "patience",
    "target",
    "task",
    "ignore",
    "key",
    "weight",
    "test",
    "validation",
];

/// Search for the parameters of a model, or of a command, that do best
///
/// Tries points of a space on the training rows, scores each on the validation rows (or on folds), keeps every trial as a run,
/// and trains a model with the best. The first trial, unless of a grid, has the usual
/// parameters. The test rows stay untouched for `evaluate`;
/// the values of the best trial flatter it, as it was chosen for them. Everything may stand in [tune] of the project file;
/// flags override it.
///
/// The same seed gives the same study, however many trials run at once. A limit of time gives as many trials as were made in
/// it, and the report says how many: `--trials` of that number gives the same study again. When the time is over, no trial
/// starts, and boosting ends early; other kinds end the trial that they are at, which then does not count.
///
/// With --stage, the command of that [[stage]] is run once a trial, with MLOPS_PARAM_<NAME> set from the point, and says how it
/// did with `mlops log metric NAME=VALUE`. Its files are not kept: run the stage with the best parameters, which --write puts
/// into the project file. Such trials run one at a time unless --jobs says otherwise, as they share the folder.
///
/// A trial that crashes or gives no value is kept as failed, and the search goes on. A study that was killed goes on with
/// --resume, from where it was, to the same end.
#[derive(Debug, Args)]
#[command(after_help = "Spaces:
  --space learning_rate=0.01..0.3:log    numbers, equal ratios equally far
  --space leaves=7..127                  whole numbers, as both bounds are; 0..1:0.1 has a step
  --space grow=leaf,depth                one of these
  --space depth=6                        always this

Examples:
  mlops tune
  mlops tune --model boost --trials 100 --jobs 4
  mlops tune --model ridge --space l2=0.001..100:log --sampler sobol
  mlops tune --time 10m --pruner hyperband --stop-at 'roc_auc >= 0.92'
  mlops tune --folds 5 --metric log_loss --set trees=300
  mlops tune --stage fit --space rate=0.001..1:log --metric loss
  mlops tune --resume
  mlops tune --resume 4f1c --trials 200
  mlops tune loans@v2 --warm-from last --write")]
pub struct TuneArgs {
    /// Dataset; the newest one when absent
    #[arg(value_name = "DATA")]
    dataset: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    #[command(flatten)]
    split: SplitArgs,
    /// Kind of model to tune; that of [train] when absent
    #[arg(short, long, value_name = "KIND", conflicts_with = "stage")]
    model: Option<String>,
    /// Tune the command of this [[stage]] instead
    #[arg(long, value_name = "NAME")]
    stage: Option<String>,
    /// Most trials; 50 when absent
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Start no trial after this time: 90s, 10m, 2h
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// How the next point is chosen: tpe, random, grid or sobol
    #[arg(long, value_name = "NAME", value_parser = sampler)]
    sampler: Option<SamplerName>,
    /// Which trials are given up on their way: none, median, halving or hyperband
    #[arg(long, value_name = "NAME", value_parser = pruner)]
    pruner: Option<PrunerName>,
    /// Trials at once; the number of cores when absent, at most what the study allows
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Metric to improve; the headline metric of the task when absent
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Which of its values are good, minimise or maximise; as is usual for the metric when absent
    #[arg(long, value_name = "WHICH", value_parser = direction)]
    direction: Option<Direction>,
    /// Score each trial on this many folds instead of the validation rows
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// Where a parameter may lie; the kind's own space when none is given
    #[arg(long, value_name = "NAME=RANGE")]
    space: Vec<String>,
    /// A parameter that is the same in every trial
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// End when a trial reaches this
    #[arg(long, value_name = "EXPRESSION")]
    stop_at: Option<String>,
    /// End after this many trials without a better one
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// Go on with a study: the newest that was broken off, or the one named, which --trials may extend
    #[arg(long, num_args = 0..=1, value_name = "STUDY", default_missing_value = "", conflicts_with_all = SETTLED)]
    resume: Option<String>,
    /// Learn from the trials of an earlier study, and try its best first
    #[arg(long, value_name = "STUDY")]
    warm_from: Option<String>,
    /// Write the best parameters into the project file
    #[arg(long)]
    write: bool,
}

fn sampler(text: &str) -> Result<SamplerName, String> {
    let found = SamplerName::ALL.into_iter().find(|sampler| sampler.name() == text);
    found.ok_or_else(|| suggest::unknown("sampler", text, SamplerName::ALL.map(SamplerName::name)).in_words())
}

fn pruner(text: &str) -> Result<PrunerName, String> {
    let found = PrunerName::ALL.into_iter().find(|pruner| pruner.name() == text);
    found.ok_or_else(|| suggest::unknown("pruner", text, PrunerName::ALL.map(PrunerName::name)).in_words())
}

fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "minimise" | "minimize" => Ok(Direction::Minimise),
        "maximise" | "maximize" => Ok(Direction::Maximise),
        _ => Err(suggest::unknown("direction", text, ["minimise", "maximise"]).in_words()),
    }
}

/// Runs the verb.
pub fn run(args: &TuneArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let mut project = app.project(&repo)?;
    let (spec, fixed) = apply(args, &mut project.spec, app)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let mut prepare = prepare_options(&space, None)?;
    prepare.dataset.clone_from(&args.dataset);
    let options = TuneOptions {
        prepare,
        train: project.spec.train.clone().unwrap_or_default(),
        tune: spec,
        fixed,
        resume: args.resume.as_ref().map(|text| match text.as_str() {
            "" => Resume::Last,
            named => Resume::Study(named.to_owned()),
        }),
        trials_given: args.trials,
        time_given: args.time.clone(),
        warm_from: args.warm_from.clone(),
        write: args.write.then(|| project.root.join(PROJECT_FILE)),
    };
    let report = tune(&space, &options, &app.ctx(project.spec.project.seed))?;
    app.print("tune", &report, |ui| show(&report, ui))?;
    hints(&report, app);
    Ok(Answer::Yes)
}

/// Puts the flags over what the project file says; with the parameters that are fixed.
fn apply(args: &TuneArgs, spec: &mut ProjectSpec, app: &App) -> Result<(TuneSpec, toml::Table)> {
    args.roles.apply(spec);
    args.split.apply(spec)?;
    let mut tune = spec.tune.clone().unwrap_or_default();
    let train = spec.train.get_or_insert_default();
    let of_file = tune.model.clone().or_else(|| train.model.clone());
    let model = args.model.clone().or_else(|| of_file.clone()).filter(|_| args.stage.is_none());
    if args.model.is_some() && args.model != of_file && !tune.space.is_empty() {
        app.ui.info("the space of the project file belongs to another model and is left out");
        tune.space.clear();
    }
    if model.is_some() && model != train.model && !train.params.is_empty() {
        app.ui.info("parameters of the project file belong to another model and are left out");
        train.params.clear();
    }
    // So that the recipe `auto` is that of the kind that is tuned.
    train.model = model;
    if args.model.is_some() || args.stage.is_some() {
        (tune.model, tune.stage) = (args.model.clone(), args.stage.clone());
    }
    tune.trials = args.trials.unwrap_or(tune.trials);
    tune.time = args.time.clone().or(tune.time);
    tune.sampler = args.sampler.unwrap_or(tune.sampler);
    tune.pruner = args.pruner.unwrap_or(tune.pruner);
    tune.jobs = args.jobs.or(tune.jobs);
    tune.metric = args.metric.clone().or(tune.metric);
    tune.direction = args.direction.or(tune.direction.filter(|_| args.metric.is_none()));
    tune.folds = args.folds.or(tune.folds);
    tune.stop_at = args.stop_at.clone().or(tune.stop_at);
    tune.patience = args.patience.unwrap_or(tune.patience);
    // The seed of the command line is the one of everything.
    tune.seed = args.split.seed.or(tune.seed);
    if !args.space.is_empty() {
        let mut space = Space::from_toml(&tune.space)?;
        for text in &args.space {
            space = space.with(text.parse::<Dimension>()?)?;
        }
        tune.space = space.to_toml();
    }
    let mut fixed = toml::Table::new();
    for setting in &args.settings {
        let (name, value) = parse_setting(setting)?;
        fixed.insert(name.strip_prefix("params.").unwrap_or(&name).to_owned(), value);
    }
    tune.check()?;
    Ok((tune, fixed))
}

fn show(report: &TuneReport, ui: &Ui) -> std::io::Result<()> {
    let mut names: Vec<&String> = report.best.params.keys().collect();
    let share = |name: &String| report.importance.get(name).copied().unwrap_or_default();
    // Sorted stably, so that without shares the names keep their order.
    names.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let shown = &names[..names.len().min(PARAMS_SHOWN)];
    let metric = format!("#{}", report.metric);
    let fixed = ["#trial", metric.as_str(), "run"];
    let headings: Vec<&str> = fixed.into_iter().chain(shown.iter().map(|name| name.as_str())).collect();
    let mut table = Table::new(&headings);
    for trial in &report.leaders {
        let value = trial.value.map_or_else(String::new, |value| format!("{value:.5}"));
        let params = shown.iter().map(|name| trial.params.get(*name).map_or_else(String::new, in_words));
        table.row([trial.number.to_string(), value, trial.run.hex()].into_iter().chain(params));
    }
    ui.table(&table)?;
    if names.len() > shown.len() {
        ui.line(&format!("{} more parameters are in --json", names.len() - shown.len()))?;
    }
    show_importance(report, &names, ui)?;
    ui.line("")?;
    ui.line(report.snippet.trim_end())?;
    ui.line("")?;
    ui.line(&ui.paint(Style::Bold, &ending(report)))?;
    let usual = report.usual.map_or_else(String::new, |usual| format!(" (usual parameters: {usual:.5})"));
    ui.line(&format!("best {} {:.5}, trial {}{usual}", report.metric, report.best.value, report.best.number))?;
    let model = report.model.map_or_else(String::new, |model| format!("  model {}", model.short()));
    ui.line(&format!("study {}{model}", report.study))
}

fn show_importance(report: &TuneReport, names: &[&String], ui: &Ui) -> std::io::Result<()> {
    if report.importance.is_empty() {
        return Ok(());
    }
    // What was the same in every trial cannot have mattered.
    let moved = |name: &&String| report.importance.get(*name).copied().filter(|share| *share > 0.0);
    let share = |name: &&String| moved(name).map(|share| format!("{name} {:.0} %", share * 100.0));
    let rough = if report.trials < TRIALS_FOR_SHARES { " (of few trials: rough)" } else { "" };
    ui.line("")?;
    ui.line(&format!("what mattered{rough}: {}", names.iter().filter_map(share).collect::<Vec<_>>().join(", ")))
}

/// What was tried, and why no more.
fn ending(report: &TuneReport) -> String {
    let trials = units::plural(report.trials as u64, "trial");
    let mut parts = Vec::new();
    for (count, what) in [(report.pruned, "given up"), (report.failed, "failed"), (report.taken_over, "made before")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let why = match report.ended {
        StudyEnd::Trials => "as asked",
        StudyEnd::Time => "when the time was over",
        StudyEnd::Target => "as one reached what was asked for",
        StudyEnd::Patience => "as none was better for long",
        StudyEnd::Exhausted => "as every point was tried",
    };
    format!("{trials}{parts} in {}, ended {why}", units::seconds(report.seconds))
}

fn in_words(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn hints(report: &TuneReport, app: &App) {
    if let Some(why) = &report.first_failure {
        app.ui.warn(&format!("{} failed; the first: {why}", units::plural(report.failed as u64, "trial")));
    }
    if report.ended == StudyEnd::Time {
        app.ui.info(&format!("the same study again, without a clock: --trials {}", report.trials));
    }
    match (&report.model, &report.stage) {
        (Some(_), _) if report.written.is_some() => {
            app.ui.hint("judge the model on the test rows: `mlops evaluate`; the project file has its parameters");
        }
        (Some(_), _) => {
            app.ui.hint("judge the model on the test rows: `mlops evaluate`; keep its parameters with --write")
        }
        (None, Some(stage)) if report.written.is_some() => {
            app.ui.hint(&format!("make its files with the best parameters: `mlops run {stage}`"));
        }
        _ => app.ui.hint("put the best parameters into the project file with --write, then `mlops run`"),
    }
}
