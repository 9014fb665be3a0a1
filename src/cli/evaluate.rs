//! `mlops evaluate`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::base::fail;
use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::cli::args::TaskName;
use crate::cli::evaluate_view::show;
use crate::cli::metric_list;
use crate::cli::train::parsed;
use crate::metrics::facets;
use crate::metrics::zoo;
use crate::ops::evaluate::predictions::{self, PredictionsOptions};
use crate::ops::evaluate::{EvaluateOptions, EvaluateReport, evaluate};
use crate::ops::execute::parse_format;
use crate::ops::stages::Workspace;
use crate::record::evaluation::Verdict;
use crate::spec::costs::CostMatrix;
use crate::spec::project::{EvaluateSpec, ProjectSpec};
use crate::spec::slice::split_list;

/// Judge a model on rows it has not seen
///
/// Measures the model on the test rows of its own split, or on another dataset with --on, by slices when asked, and
/// holds it against gates such as `accuracy >= 0.9` or `f1_macro >= champion.f1_macro - 0.01`. The verdict is pass, fail
/// or none (no gates); exits 1 on fail. A gate whose metric is missing fails; a gate against a champion that does not
/// exist yet passes and says so. Clusters are measured by `silhouette`, `davies_bouldin`, `calinski_harabasz` and `inertia`,
/// with known groups by `adjusted_rand` and `normalized_mutual_info`; anomaly scores by `flagged_share` and `score_p99`, with
/// labels by `average_precision`, `roc_auc` and `precision`. Metrics are weighted by the column of weights, where there is
/// one; `--list-metrics` lists them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops evaluate
  mlops evaluate penguins@candidate --gate 'accuracy >= 0.95' --by island
  mlops evaluate run:last --on new_penguins --against penguins@champion
  mlops evaluate --report comment.md --report evaluation.html
  mlops evaluate --metric 'roc_auc,precision_at_recall(0.9),f1(class=yes)'
  mlops evaluate --list-metrics --task binary
  mlops evaluate --predictions scored.csv --label churned --score p --positive yes --gate 'roc_auc >= 0.8' --by region")]
pub struct EvaluateArgs {
    /// Model: NAME, NAME@v3, NAME@champion, an id, run:last; the newest trained one when absent
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Another dataset to judge on, all its rows
    #[arg(long, value_name = "DATA")]
    on: Option<String>,
    /// What must hold, as 'accuracy >= 0.9' or 'f1 >= champion.f1 - 1%'
    #[arg(long = "gate", value_name = "EXPR", long_help = GATE_HELP)]
    gates: Vec<String>,
    /// Model to compare with on the same rows; the champion when a gate names it
    #[arg(long, value_name = "MODEL")]
    against: Option<String>,
    /// Parts of the rows that are judged apart: COL, `bins(COL, 5)`, `A * B`, or a condition
    ///
    /// A column: each value; numbers of many values in four bins of equally many rows, dates and times by hour, day, month,
    /// quarter or year. `bins(age, 5)`: five bins of equally many rows. `sex * bins(age, 5)`: each combination, of up to
    /// three parts; conditions in brackets. Anything that compares is a condition in SQL, as `age >= 60 AND sex = 'F'`, with the
    /// slices yes and no. Rows without a value are a slice of their own. Several are written with commas between them, or
    /// with the flag given again; names with signs stand in double quotes.
    #[arg(long = "by", value_name = "SLICE,…")]
    slices: Vec<String>,
    /// Metrics to report: `f1`, `precision_at_recall(0.9)`, `f1(class=NAME)`, or `all`; the usual ones of the task when absent
    #[arg(long = "metric", value_name = "NAME,…")]
    metrics: Vec<String>,
    /// List all metrics with what they measure and which values are good
    #[arg(long, conflicts_with_all = ["model", "on", "gates", "against", "metrics"])]
    list_metrics: bool,
    /// What each answer costs: a row for each true class, a number for each predicted one, as '0,1;5,0'; for `expected_cost`
    #[arg(long, value_name = "ROWS", allow_hyphen_values = true, value_parser = parsed::<CostMatrix>)]
    cost_matrix: Option<CostMatrix>,
    /// Gates hold only when the whole interval clears the bound
    ///
    /// The interval is that of the value or, for a bound of the champion, of the difference, both models judged on the same
    /// resampled rows. Costs, measures of the data and disturbed metrics have none: their value is judged. Where no interval
    /// can be made (fewer than 10 rows, --resamples 0, the flip test) the gate fails.
    #[arg(long)]
    confident: bool,
    /// Resamples that intervals come from; 0: no intervals
    #[arg(long, value_name = "N")]
    resamples: Option<u32>,
    /// Share of intervals that hold the true value
    #[arg(long, value_name = "SHARE")]
    level: Option<f64>,
    /// Leave slices of fewer rows out
    #[arg(long = "min-slice", value_name = "ROWS")]
    slice_rows_min: Option<u64>,
    /// How many of the worst slices are looked for without being named; 0: none
    #[arg(long, value_name = "N")]
    worst: Option<u32>,
    /// Column that rows are weighed by, or `none`; the dataset's own column of weights when absent
    #[arg(long, value_name = "COL")]
    weight: Option<String>,
    /// Group whose treatment is measured: sex=F, 'age>=60', or a column for each of its values
    #[arg(long = "facet", value_name = "COL=VALUE", long_help = facet_help())]
    facets: Vec<String>,
    /// Class that is a good answer to a person, or '>= 50000' for numbers; the positive class, or above the median, when absent
    #[arg(long, value_name = "CLASS")]
    favourable: Option<String>,
    /// Column whose values CDDL and CDDPL are conditional on
    #[arg(long, value_name = "COL")]
    facet_group: Option<String>,
    /// Also try missing values, noise and other seeds
    ///
    /// 5, 10 and 20 % of all values missing and 10 % of each column's, normal noise of 0.1 and 0.3 standard deviations on
    /// numbers, texts never seen; each three times. The same training with five other seeds, where that is recorded and would
    /// take no longer than five minutes. On at most 5,000 rows.
    #[arg(long)]
    robustness: bool,
    /// Also measure latency, size and training time
    ///
    /// Latencies are of answers to one row at a time, at most 1,000 rows or two seconds, and differ from time to time: they are
    /// in the report and among the metrics of the run, not in the record of the evaluation.
    #[arg(long)]
    costs: bool,
    /// Judge the answers in this file in place of a model: any format that is read, also outside of a repository
    ///
    /// Needs --label; the project file is not asked. Columns as `mlops predict` writes them are known by their names: probability_CLASS, prediction; others are
    /// named by --score or --prediction. Rows without a label are left out. Everything but --against, --costs and
    /// --robustness works as with a model; --by, --facet and --weight name other columns of the file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "on", "against", "costs", "robustness"], requires = "label")]
    predictions: Option<PathBuf>,
    /// Column of the truth in the file
    #[arg(long, value_name = "COL", requires = "predictions")]
    label: Option<String>,
    /// Columns of probabilities: one of the positive class, or one for each class, named after it
    #[arg(long = "score", value_name = "COL,…", value_delimiter = ',', requires = "predictions")]
    scores: Vec<String>,
    /// Column of predicted numbers, or of predicted classes, of which only metrics of counts can be had
    #[arg(long, value_name = "COL", requires = "predictions")]
    prediction: Option<String>,
    /// Column of the lower ends of the intervals of predicted numbers
    #[arg(long, value_name = "COL", requires = "high")]
    low: Option<String>,
    /// Column of the upper ends
    #[arg(long, value_name = "COL", requires = "low")]
    high: Option<String>,
    /// Class that one column of probabilities is of; the second in order when absent
    #[arg(long, value_name = "CLASS", requires = "predictions")]
    positive: Option<String>,
    /// The positive class is predicted where its probability is above this
    #[arg(long, value_name = "P", requires = "predictions")]
    threshold: Option<f64>,
    /// With --predictions: what is predicted, told by the columns when absent. With --list-metrics: only metrics of it
    #[arg(long, value_enum)]
    task: Option<TaskName>,
    /// Format of the file; told by its ending and first bytes when absent
    #[arg(long, value_name = "FORMAT", requires = "predictions")]
    format: Option<String>,
    /// Write a document: .html, .md (fit for a pull-request comment) or .json; may be given more than once
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
}

impl EvaluateArgs {
    /// What the project file says, with the flags over it.
    fn over(&self, written: EvaluateSpec) -> EvaluateSpec {
        let first = |given: &Vec<String>, written: Vec<String>| if given.is_empty() { written } else { given.clone() };
        EvaluateSpec {
            metrics: first(&self.metrics.iter().flat_map(|text| zoo::split(text)).collect(), written.metrics),
            slices: first(&self.slices.iter().flat_map(|text| split_list(text)).collect(), written.slices),
            gates: first(&self.gates, written.gates),
            confident: self.confident || written.confident,
            resamples: self.resamples.unwrap_or(written.resamples),
            level: self.level.unwrap_or(written.level),
            slice_rows_min: self.slice_rows_min.unwrap_or(written.slice_rows_min),
            worst: self.worst.unwrap_or(written.worst),
            weight: self.weight.clone().or(written.weight),
            facets: first(&self.facets, written.facets),
            favourable: self.favourable.clone().or(written.favourable),
            facet_group: self.facet_group.clone().or(written.facet_group),
            report: written.report,
            robustness: self.robustness || written.robustness,
            cost_matrix: self.cost_matrix.clone().map_or(written.cost_matrix, |costs| costs.0),
        }
    }
}

/// The language of gates.
const GATE_HELP: &str = "What must hold: TERM OP BOUND, with OP one of >= > <= < ==

TERM:
  METRIC, METRIC(0.9)             a metric of all rows, with its parameter if it has one
  latency_p50_ms, latency_p99_ms, rows_per_second, size_mb, train_seconds
  slice(SLICE=VALUE).METRIC       of one slice: sex=F, bins(age, 5)=< 18, sex * port=F * S
  slice(CONDITION).METRIC         of the rows for which it holds: age >= 60 AND sex = 'F'
  slice(SLICE).METRIC.min         or .max, .gap (largest minus smallest), .each (every slice has to hold)
  facet(COL=VALUE).MEASURE        fairness to a group, see --facet; facet(COL).MEASURE.min and so on
  robustness(missing=0.1).METRIC  of disturbed rows: missing, noise, unseen, seed; 'noise=0.3, age' for one column
  TERM - TERM, TERM / TERM
BOUND:
  a number
  champion.TERM, champion.TERM - 0.01, champion.TERM - 1%   a relative change is (value - champion) / champion

A value on the bound passes >= and <=. A metric without a value fails, as does a slice without rows, and a relative change of a \
champion's 0; a gate about a champion that does not exist yet passes and says so. `.each` compares every slice with the same slice \
of the champion.";

/// All measures of fairness with their formulas.
fn facet_help() -> String {
    let mut text = "Group whose treatment is measured: sex=F, 'age>=60', or a column for each of its values. d: rows of the group; a: \
                    all others with a value; n: rows, q: favourable share of true labels, n', q' the same of answers, 1 \
                    favourable, 0 not; P: shares of all labels. Names and signs as in SageMaker Clarify. A measure without \
                    a value (0 / 0) is left out.\n\n"
        .to_owned();
    for measure in facets::all() {
        let line = format!("  {:<6} {}: {}\n", measure.name, measure.formula, measure.about);
        text.push_str(&line);
    }
    text
}

/// Runs the verb.
pub fn run(args: &EvaluateArgs, app: &App) -> Result<Answer> {
    if args.list_metrics {
        return metric_list::run(args.task.map(TaskName::task), app);
    }
    if args.task.is_some() && args.predictions.is_none() {
        let what = "--task says what a file of predictions predicts, or which metrics to list";
        return Err(fail::usage(what).hint("add --predictions FILE or --list-metrics").into());
    }
    let report = match &args.predictions {
        Some(file) => judge_file(args, file, app)?,
        None => judge_model(args, app)?,
    };
    app.print("evaluate", &report, |ui| show(&report, ui))?;
    for path in &args.report {
        app.ui.info(&format!("wrote {}", path.display()));
    }
    if report.judgement.verdict == Verdict::None {
        app.ui.hint("no gates were given, so there is no verdict: add --gate 'accuracy >= 0.9'");
    }
    Ok(if report.judgement.verdict == Verdict::Fail { Answer::No } else { Answer::Yes })
}

/// The project file says nothing of foreign answers: flags alone do.
fn judge_file(args: &EvaluateArgs, file: &Path, app: &App) -> Result<EvaluateReport> {
    let predictions = PredictionsOptions {
        file: app.path(file),
        name: file.display().to_string(),
        format: args.format.as_deref().map(parse_format).transpose()?,
        label: args.label.clone().unwrap_or_default(),
        scores: args.scores.clone(),
        prediction: args.prediction.clone(),
        low: args.low.clone(),
        high: args.high.clone(),
        positive: args.positive.clone(),
        task: args.task.map(TaskName::task),
        threshold: args.threshold,
    };
    let repo = app.repo_if_there()?;
    let seed = match &repo {
        Some(repo) => app.project(repo)?.spec.project.seed,
        None => ProjectSpec::default().project.seed,
    };
    let report = args.report.iter().map(|path| app.path(path)).collect();
    let options = EvaluateOptions { report, spec: args.over(EvaluateSpec::default()), ..EvaluateOptions::default() };
    predictions::evaluate(repo.as_ref(), &predictions, &options, &app.ctx(seed))
}

fn judge_model(args: &EvaluateArgs, app: &App) -> Result<EvaluateReport> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let written = project.spec.evaluate.clone().unwrap_or_default();
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let report = match args.report.is_empty() {
        true => written.report.iter().map(|path| space.path(path)).collect(),
        false => args.report.iter().map(|path| app.path(path)).collect(),
    };
    let options = EvaluateOptions {
        model: args.model.clone(),
        on: args.on.clone(),
        against: args.against.clone(),
        name: Some(space.model_name()),
        costs: args.costs,
        report,
        spec: args.over(written),
    };
    evaluate(&repo, &options, &app.ctx(project.spec.project.seed))
}
