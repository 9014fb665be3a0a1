//! A file of predictions judged as a model is: everything but what needs the model itself.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::talk::Talk;
use crate::base::units;
use crate::data::frame::Frame;
use crate::data::matrix::Matrix;
use crate::data::source::{self, ReadOptions};
use crate::data::table::Table;
use crate::data::weights;
use crate::metrics::zoo;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::answers::{self, Answers};
use crate::ops::evaluate::costs::Beside;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::jury::Jury;
use crate::ops::evaluate::{EvaluateOptions, EvaluateReport, gates, judge, report, slices};
use crate::ops::recorded::{Done, recorded};
use crate::ops::unsupervised::Seen;
use crate::record::dataset::Format;
use crate::record::evaluation::{Judgement, Plots, Verdict};
use crate::repo::Repo;
use crate::spec::gate::{GateSpec, Term};
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// What a file of predictions has where.
#[derive(Clone, Debug, Default)]
pub struct PredictionsOptions {
    /// The file, in any format that is read.
    pub file: PathBuf,
    /// The file as a person calls it.
    pub name: String,
    /// Its format; told by ending and first bytes when absent.
    pub format: Option<Format>,
    /// Column of the truth.
    pub label: String,
    /// Columns of probabilities: one of the positive class, or one a class.
    pub scores: Vec<String>,
    /// Column of predicted numbers or classes.
    pub prediction: Option<String>,
    /// Column of the lower ends of intervals.
    pub low: Option<String>,
    /// Column of the upper ends of intervals.
    pub high: Option<String>,
    /// The class that one column of probabilities is of; the second of two in order when absent.
    pub positive: Option<String>,
    /// What is predicted; told by the columns when absent.
    pub task: Option<Task>,
    /// The positive class is predicted where its probability is above it; one half when absent.
    pub threshold: Option<f64>,
}

/// Metrics that need probabilities, and say nothing of predicted classes alone.
const OF_PROBABILITIES: [&str; 25] = [
    "roc_auc",
    "roc_auc_weighted",
    "roc_auc_ovo",
    "roc_auc_ovo_weighted",
    "average_precision",
    "auc_precision_recall",
    "ks",
    "log_loss",
    "d2_log_loss",
    "brier",
    "d2_brier",
    "expected_calibration_error",
    "max_calibration_error",
    "squared_pearson_correlation",
    "coefficient_of_discrimination",
    "max_recall",
    "precision_at_recall",
    "recall_at_precision",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "lift",
    "gain",
    "top_k_accuracy",
    "prediction_mean",
    "calibration",
];

/// Judges the answers in a file. With a repository it is a run of kind `evaluate` that has the file among its inputs; without
/// one only the verdict and the documents remain.
///
/// Errors (usage): what needs a model (`--costs`, `--robustness`, a champion); columns that are not there or not what they
/// should be, with row and value; no row with a label.
pub fn evaluate(
    repo: Option<&Repo>,
    file: &PredictionsOptions,
    options: &EvaluateOptions,
    ctx: &OpCtx<'_>,
) -> Result<EvaluateReport> {
    let kinds = report::kinds(&options.report)?;
    let gates = options.spec.gates.iter().map(|text| text.parse()).collect::<Result<Vec<GateSpec>, _>>()?;
    refuse_models(options, &gates)?;
    let is_judged = |path: &&PathBuf| path.canonicalize().is_ok_and(|path| Some(path) == file.file.canonicalize().ok());
    if let Some(path) = options.report.iter().find(is_judged) {
        let what = format!("{} is the file that is judged: the report would take its place", path.display());
        return Err(fail::usage(what).hint("name another file for the report").into());
    }
    let name = file.name.clone();
    let (run, (judgement, task)) = match repo {
        None => (None, judged(file, options, &gates, ctx)?),
        Some(repo) => {
            let outcome = recorded(repo, ctx, "evaluate", |repo, work| {
                let mut bytes =
                    std::fs::File::open(&file.file).with_context(|| format!("cannot open {}", file.name))?;
                let id = repo.store().put_reader(&mut bytes)?.id;
                work.input("predictions", &name, id)?;
                let (judgement, task) = judged(file, options, &gates, ctx)?;
                work.metrics(&judgement.metrics)?;
                let yes = judgement.verdict != Verdict::Fail;
                Ok(Done { value: (judgement, task), moves: Vec::new(), yes })
            })?;
            (Some(outcome.run), outcome.value)
        }
    };
    let report = EvaluateReport {
        run,
        model: None,
        name: name.clone(),
        key: name.clone(),
        task,
        evaluation: None,
        dataset: name,
        costs: BTreeMap::new(),
        judgement,
    };
    report::write(repo, &report, None, &options.report, &kinds)?;
    Ok(report)
}

/// Refuses what only a model can answer.
fn refuse_models(options: &EvaluateOptions, gates: &[GateSpec]) -> Result<()> {
    let refused =
        |what: &str| Err(fail::usage(format!("{what} needs a model, and these answers come from a file")).into());
    if options.costs {
        return refused("--costs");
    }
    if options.spec.robustness {
        return refused("--robustness");
    }
    if options.against.is_some() {
        return refused("--against");
    }
    match gates.iter().find(|gate| gate.of_champion().is_some()) {
        Some(gate) => refused(&format!("the gate `{}`", gate.text)),
        None => Ok(()),
    }
}

fn judged(
    file: &PredictionsOptions,
    options: &EvaluateOptions,
    gates: &[GateSpec],
    ctx: &OpCtx<'_>,
) -> Result<(Judgement, Task)> {
    let read = ReadOptions { format: file.format, ..ReadOptions::default() };
    let table = source::read(&file.file, &read, ctx.talk)
        .with_context(|| format!("cannot read {} as a table", file.name))?
        .table;
    if table.rows() == 0 {
        return Err(fail::usage(format!("{} has no rows", file.name)).into());
    }
    let answers = answers::read(&table, file, ctx.talk)?;
    let mut spec = options.spec.clone();
    if answers.hard {
        only_counts(&mut spec, gates, answers.task)?;
    }
    let columns: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let spec = gates::with_needs(&spec, gates, answers.task, &columns)?;
    let jury = slices::divided(jury(&table, file, &answers, &spec)?, &spec, ctx)?;
    if file.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        return Err(fail::usage("a threshold of probabilities lies between 0 and 1").into());
    }
    if file.threshold.is_some() && (answers.task != Task::Binary || answers.hard) {
        return Err(fail::usage("a threshold is for probabilities of two classes")
            .hint("leave --threshold out")
            .into());
    }
    let Answers { task, predictions, bounds, hard, .. } = answers;
    let seen = Seen::of(&Matrix::default(), task);
    let threshold = file.threshold;
    let judged = Judged { jury: &jury, package: None, task, threshold, predictions, seen, bounds };
    let mut judgement = judge(&judged, &spec, None, gates, &Beside::default(), ctx)?;
    if hard {
        let parts = judgement.slices.iter_mut().chain(&mut judgement.worst_slices);
        parts.for_each(|slice| slice.metrics.retain(|name, _| !needs_probabilities(name)));
        judgement.plots = Plots::default();
    }
    Ok((judgement, task))
}

fn jury(table: &Table, file: &PredictionsOptions, answers: &Answers, spec: &EvaluateSpec) -> Result<Jury> {
    let weight = spec.weight.clone().filter(|column| column != "none");
    let weights = weight.as_deref().map(|column| weights::read(table, column, &answers.rows)).transpose()?;
    weights.as_deref().map_or(Ok(()), weights::check_sum)?;
    Ok(Jury {
        label: file.name.clone(),
        dataset: None,
        rows_of: "all",
        rows: answers.rows.clone(),
        table: table.take(&answers.rows)?,
        frame: Frame::new(answers.rows.len(), Vec::new())?,
        truth: answers.truth.clone(),
        weights,
        weight,
        costs: spec.cost_matrix.clone(),
        asked: spec.metrics.clone(),
        divisions: Vec::new(),
        findings: Vec::new(),
    })
}

fn needs_probabilities(name: &str) -> bool {
    let base = name.split('(').next().unwrap_or(name).trim();
    OF_PROBABILITIES.contains(&base)
}

/// Leaves metrics that predicted classes alone cannot give out of `spec`.
///
/// Errors: one was asked for.
fn only_counts(spec: &mut EvaluateSpec, gates: &[GateSpec], task: Task) -> Result<()> {
    let of_gates = gates.iter().flat_map(GateSpec::terms).map(|term| match term {
        Term::Whole(name) | Term::Part { metric: name, .. } => name.as_str(),
    });
    let asked = spec.metrics.iter().map(String::as_str).chain(of_gates).find(|name| needs_probabilities(name));
    if let Some(name) = asked {
        return Err(fail::usage(format!("`{name}` needs probabilities, and the file has predicted classes only"))
            .hint("name columns of probabilities with --score")
            .into());
    }
    if spec.metrics.is_empty() {
        let usual = zoo::usual(task).into_iter().filter(|name| !needs_probabilities(name));
        spec.metrics = usual.map(str::to_owned).collect();
    }
    Ok(())
}

/// Says how many rows have no label.
pub fn say_missing(label: &str, missing: usize, talk: &dyn Talk) {
    if missing > 0 {
        talk.info(&format!("{} without a value of `{label}` left out", units::plural(missing as u64, "row")));
    }
}
