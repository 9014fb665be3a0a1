//! `mlops evaluate`

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::metrics::facets;
use crate::ops::evaluate::{EvaluateOptions, EvaluateReport, evaluate};
use crate::ops::stages::Workspace;
use crate::record::evaluation::{ConfusionMatrix, Judgement, Verdict};
use crate::spec::project::EvaluateSpec;
use crate::spec::slice::split_list;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Judge a model on rows it has not seen
///
/// Measures the model on the test rows of its own split, or on another dataset with --on, by slices when asked, and
/// holds it against gates such as `accuracy >= 0.9` or `f1_macro >= champion.f1_macro - 0.01`. The verdict is pass, fail
/// or none (no gates); exits 1 on fail. A gate whose metric is missing fails; a gate against a champion that does not
/// exist yet passes and says so. Clusters are measured by `silhouette`, `davies_bouldin`, `calinski_harabasz` and `inertia`,
/// with known groups by `adjusted_rand` and `normalized_mutual_info`; anomaly scores by `flagged_share` and `score_p99`, with
/// labels by `average_precision`, `roc_auc` and `precision`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops evaluate
  mlops evaluate penguins@candidate --gate 'accuracy >= 0.95' --by island
  mlops evaluate run:last --on new_penguins --against penguins@champion")]
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
    /// Metrics to report; all of the task when absent
    #[arg(long = "metric", value_name = "NAME,…", value_delimiter = ',')]
    metrics: Vec<String>,
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
}

impl EvaluateArgs {
    /// What the project file says, with the flags over it.
    fn over(&self, written: EvaluateSpec) -> EvaluateSpec {
        let first = |given: &Vec<String>, written: Vec<String>| if given.is_empty() { written } else { given.clone() };
        EvaluateSpec {
            metrics: first(&self.metrics, written.metrics),
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
            robustness: self.robustness || written.robustness,
            cost_matrix: written.cost_matrix,
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
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let written = project.spec.evaluate.clone().unwrap_or_default();
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let options = EvaluateOptions {
        model: args.model.clone(),
        on: args.on.clone(),
        against: args.against.clone(),
        name: Some(space.model_name()),
        costs: args.costs,
        spec: args.over(written),
    };
    let report = evaluate(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("evaluate", &report, |ui| show(&report, ui))?;
    if report.judgement.verdict == Verdict::None {
        app.ui.hint("no gates were given, so there is no verdict: add --gate 'accuracy >= 0.9'");
    }
    Ok(if report.judgement.verdict == Verdict::Fail { Answer::No } else { Answer::Yes })
}

fn show(report: &EvaluateReport, ui: &Ui) -> std::io::Result<()> {
    let judgement = &report.judgement;
    let against = judgement.comparison.as_ref().map(|comparison| comparison.other_metrics.clone());
    let others = [("#baseline", &judgement.baseline), ("#against", &against)];
    let others: Vec<_> = others.iter().filter_map(|(name, other)| Some((*name, other.as_ref()?))).collect();
    let headings: Vec<&str> = ["metric", "#value"].into_iter().chain(others.iter().map(|(name, _)| *name)).collect();
    let mut table = Table::new(&headings);
    for (name, value) in &judgement.metrics {
        let other = others.iter().map(|(_, other)| other.get(name).map_or_else(String::new, |v| format!("{v:.4}")));
        table.row([name.clone(), format!("{value:.4}")].into_iter().chain(other));
    }
    ui.table(&table)?;
    if let Some(confusion) = &judgement.confusion {
        ui.line("")?;
        show_confusion(confusion, ui)?;
    }
    if !judgement.slices.is_empty() {
        ui.line("")?;
        show_slices(judgement, ui)?;
    }
    if !judgement.gates.is_empty() {
        ui.line("")?;
        let mut table = Table::new(&["gate", "verdict", "reason"]);
        for gate in &judgement.gates {
            table.row([gate.expression.clone(), gate.verdict.name().to_owned(), gate.reason.clone()]);
        }
        ui.table(&table)?;
    }
    ui.line("")?;
    let style = if judgement.verdict == Verdict::Fail { Style::Bad } else { Style::Good };
    let verdict = ui.paint(style, judgement.verdict.name());
    let rows = units::plural(judgement.rows, "row");
    ui.line(&format!(
        "verdict: {verdict}; {rows} ({}) of {}; model {}",
        judgement.rows_of,
        report.dataset,
        report.model.short()
    ))
}

fn show_confusion(confusion: &ConfusionMatrix, ui: &Ui) -> std::io::Result<()> {
    const CLASSES_SHOWN: usize = 12;
    if confusion.classes.len() > CLASSES_SHOWN {
        return ui.line(&format!("confusion of {} classes: see --json", confusion.classes.len()));
    }
    let headings: Vec<String> = std::iter::once("true \\ predicted".to_owned())
        .chain(confusion.classes.iter().map(|class| format!("#{class}")))
        .collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (class, counts) in confusion.classes.iter().zip(&confusion.counts) {
        table.row(std::iter::once(class.clone()).chain(counts.iter().map(|count| units::count(*count))));
    }
    ui.table(&table)
}

fn show_slices(report: &Judgement, ui: &Ui) -> std::io::Result<()> {
    const METRICS_SHOWN: usize = 4;
    let names: Vec<&String> = report.metrics.keys().take(METRICS_SHOWN).collect();
    let headings: Vec<String> = ["slice".to_owned(), "#rows".to_owned()]
        .into_iter()
        .chain(names.iter().map(|name| format!("#{name}")))
        .collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for slice in &report.slices {
        let values = names.iter().map(|name| slice.metrics.get(*name).map_or_else(String::new, |v| format!("{v:.4}")));
        let head = [format!("{}={}", slice.column, slice.value), units::count(slice.rows)];
        table.row(head.into_iter().chain(values));
    }
    ui.table(&table)
}
