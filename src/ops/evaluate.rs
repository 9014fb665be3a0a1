//! `evaluate`: metrics on rows that fitting never saw, slices, gates, and a verdict.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::data::frame::{Frame, MISSING_CODE, Values};
use crate::data::matrix::Matrix;
use crate::data::target::{self, Target};
use crate::metrics::gate::{self, Lookup};
use crate::metrics::slices::slices as measure_slices;
use crate::metrics::{self, zoo};
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;
use crate::ops::context::OpCtx;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::fit::constant;
use crate::ops::prepare::{Part, read_split};
use crate::ops::recorded::{Done, recorded};
use crate::ops::train::{score_at, scores};
use crate::ops::unsupervised::{self, Seen};
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::{ConfusionMatrix, EvaluationRecord, GateResult, SliceResult, Verdict};
use crate::record::model::ModelRecord;
use crate::record::split::SplitRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::gate::{Bound, GateSpec};
use crate::spec::model::Task;

/// What to judge, on what, by what.
#[derive(Clone, Debug, Default)]
pub struct EvaluateOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// Another dataset to judge on, all its rows; the test rows of the training data when absent.
    pub on: Option<String>,
    /// Metrics to report; all of the task when empty.
    pub metrics: Vec<String>,
    /// Columns whose values are judged apart.
    pub slices: Vec<String>,
    /// What must hold.
    pub gates: Vec<String>,
    /// The model to compare with; the champion of `name` when absent.
    pub against: Option<String>,
    /// Name under which the champion is looked for.
    pub name: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateReport {
    /// The run.
    pub run: RunId,
    /// The model: id of its package.
    pub model: ObjectId,
    /// The evaluation record.
    pub evaluation: ObjectId,
    /// The dataset as a person calls it.
    pub dataset: String,
    /// Which rows: `test`, `validation`, `train` or `all`.
    pub rows_of: String,
    /// How many.
    pub rows: u64,
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// The same metrics of the baseline of its training rows, on the same rows; none for packages that do not know it.
    pub baseline: Option<BTreeMap<String, f64>>,
    /// The same metrics of the model compared with, on the same rows.
    pub against: Option<BTreeMap<String, f64>>,
    /// Classification only.
    pub confusion: Option<ConfusionMatrix>,
    /// Metrics of each slice.
    pub slices: Vec<SliceResult>,
    /// Outcome of each gate.
    pub gates: Vec<GateResult>,
    /// Outcome of all gates together.
    pub verdict: Verdict,
}

/// Options with the columns that gates are about among the slices.
///
/// Errors: a gate about a metric or column that does not exist, before anything is computed.
fn with_gate_slices(
    options: &EvaluateOptions,
    gates: &[GateSpec],
    record: &ModelRecord,
    task: Task,
    repo: &Repo,
) -> Result<EvaluateOptions> {
    let dataset: DatasetRecord = match record.dataset {
        Some(id) => repo.record(&id)?,
        None => dataset::find(repo, options.on.as_deref(), None)?.record,
    };
    let columns: Vec<&str> = dataset.columns.iter().map(|column| column.name.as_str()).collect();
    let mut options = options.clone();
    for gate in gates {
        if let Some(column) = gate::check(gate, task, &columns)?
            && !options.slices.iter().any(|known| known == column)
        {
            options.slices.push(column.to_owned());
        }
    }
    Ok(options)
}

/// The rows a model is judged on, with the truth.
struct Jury {
    dataset: OpenDataset,
    rows_of: &'static str,
    frame: Frame,
    truth: Target,
    slices: Frame,
}

/// A package and its record, opened and verified.
pub fn open_model(repo: &Repo, reference: Option<&str>) -> Result<(ModelRef, ModelRecord, ModelPackage)> {
    let found = match reference {
        Some(text) => repo.resolve_model(text)?,
        None => repo.newest_model()?,
    };
    let record: ModelRecord = repo.record(&found.model)?;
    let package = open_package(repo, &found.package)?;
    Ok((found, record, package))
}

/// What to serve when nothing was named: the champion of `name`, else its newest version, else the newest trained model.
pub fn default_model(repo: &Repo, name: &str) -> Result<String> {
    let names = repo.models()?;
    let name = match names.as_slice() {
        [only] => only,
        _ if names.iter().any(|known| known == name) => name,
        _ => return Ok(repo.newest_model()?.package.hex()),
    };
    let champion = repo.aliases(name)?.contains_key("champion");
    Ok(format!("{name}@{}", if champion { "champion" } else { "latest" }))
}

/// A package by its id.
pub fn open_package(repo: &Repo, id: &ObjectId) -> Result<ModelPackage> {
    ModelPackage::open(&repo.store().get(id, u64::MAX)?)
}

/// The model that gates compare `package` with: the champion of `name`, or the one before it if that is `package`
/// itself, so that judging a champion again gives the verdict that made it one.
pub fn champion(repo: &Repo, name: &str, package: ObjectId) -> Result<Option<ModelRef>> {
    if !repo.models()?.iter().any(|known| known == name) {
        return Ok(None);
    }
    let aliases = repo.aliases(name)?;
    for alias in ["champion", "previous"] {
        if aliases.contains_key(alias) {
            let found = repo.resolve_model(&format!("{name}@{alias}"))?;
            if found.package != package {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// Judges one model.
pub fn evaluate(repo: &Repo, options: &EvaluateOptions, ctx: &OpCtx<'_>) -> Result<EvaluateReport> {
    let gates = options.gates.iter().map(|text| text.parse()).collect::<Result<Vec<GateSpec>, _>>()?;
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let (found, record, package) = open_model(repo, options.model.as_deref())?;
    if record.imported.is_some() {
        check_imported(&found.label(), options, &package)?;
    }
    let outcome = recorded(repo, ctx, "evaluate", |repo, work| {
        let task = package.header.task;
        let names = options.metrics.iter().map(String::as_str).collect::<Vec<_>>();
        for name in &names {
            zoo::find(name, task)?;
        }
        let shown = |all: BTreeMap<String, f64>| match names.is_empty() {
            true => all,
            false => all.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect(),
        };
        let options = &with_gate_slices(options, &gates, &record, task, repo)?;
        let jury = jury(repo, options, &record, &package, ctx)?;
        let (predictions, seen) = unsupervised::answers(&package, &jury.frame)?;
        unsupervised::say(task, predictions.rows(), ctx.talk);
        let threshold = package.header.threshold;
        let measured = score_at(&predictions, &jury.truth, task, threshold, &seen)?;
        let baseline = baseline(&package, &jury)?.map(shown);
        let against = against(repo, options, &gates, found.package, &jury)?;
        let slices = slices(&jury, &predictions, &seen, &package)?;
        let lookup = Lookup { metrics: &measured, slices: &slices };
        let judged = gate::judge_all(&gates, &lookup, against.as_ref());
        let evaluation = EvaluationRecord {
            package: found.package,
            dataset: jury.dataset.id,
            rows_of: jury.rows_of.to_owned(),
            rows: jury.truth.len() as u64,
            metrics: shown(measured),
            confusion: metrics::confusion_at(&scores(&predictions, &jury.truth, &seen)?, threshold),
            slices,
            verdict: gate::verdict(&judged),
            gates: judged,
        };
        let id = repo.put_record(&evaluation)?;
        work.input("model", &found.label(), found.package)?;
        work.input("dataset", &jury.dataset.label, jury.dataset.id)?;
        work.output("evaluation", evaluation.verdict.name(), id)?;
        work.metrics(&evaluation.metrics)?;
        let yes = evaluation.verdict != Verdict::Fail;
        let compared = (baseline, against.map(shown));
        Ok(Done { value: (id, evaluation, jury.dataset.label, compared), moves: Vec::new(), yes })
    })?;
    let (id, evaluation, dataset, (baseline, against)) = outcome.value;
    Ok(EvaluateReport {
        run: outcome.run,
        model: evaluation.package,
        evaluation: id,
        dataset,
        rows_of: evaluation.rows_of,
        rows: evaluation.rows,
        metrics: evaluation.metrics,
        baseline,
        against,
        confusion: evaluation.confusion,
        slices: evaluation.slices,
        gates: evaluation.gates,
        verdict: evaluation.verdict,
    })
}

/// What an imported model lacks to be judged: rows that it never saw, and the column of the truth.
fn check_imported(label: &str, options: &EvaluateOptions, package: &ModelPackage) -> Result<()> {
    if options.on.is_none() {
        return Err(fail::usage(format!("{label} was imported: there are no test rows that it never saw"))
            .hint("name the rows to judge it on with --on DATASET")
            .into());
    }
    if package.header.target.is_empty() {
        return Err(fail::usage(format!("{label} was imported without the name of the column that it predicts"))
            .hint("import it again with --target COLUMN")
            .into());
    }
    Ok(())
}

/// The error for a model that knows no split.
fn no_rows_of_its_own(kind: &str) -> anyhow::Error {
    let what = format!("this `{kind}` model knows no rows that were kept from it");
    fail::usage(what).hint("name the rows to judge it on with --on DATASET").into()
}

/// Rows of its training data that a model is judged on, and what they are called: the test rows, or where there are none the
/// validation rows, then the training rows.
pub fn judged_rows(repo: &Repo, record: &ModelRecord) -> Result<(Vec<u32>, &'static str)> {
    let id = record.split.ok_or_else(|| no_rows_of_its_own(&record.model))?;
    let split = read_split(repo, &repo.record::<SplitRecord>(&id)?)?;
    let parts = [(Part::Test, "test"), (Part::Validation, "validation"), (Part::Train, "train")];
    let filled = parts.into_iter().map(|(part, name)| (split.rows(part as u8), name));
    Ok(filled.into_iter().find(|(rows, _)| !rows.is_empty()).unwrap_or_default())
}

fn jury(
    repo: &Repo,
    options: &EvaluateOptions,
    record: &ModelRecord,
    package: &ModelPackage,
    ctx: &OpCtx<'_>,
) -> Result<Jury> {
    let trained_on = record.dataset.map(|id| id.hex());
    let dataset = dataset::find(repo, options.on.as_deref().or(trained_on.as_deref()), None)?;
    let table = dataset::table(repo, &dataset, ctx.talk)?;
    let header = &package.header;
    let (all, with_target) = target::target_against(&table, &header.target, header.task, &header.classes)?;
    unsupervised::warn_without_labels(&header.target, &all, ctx.talk);
    let (rows, rows_of) = match options.on {
        Some(_) => (with_target.clone(), "all"),
        None => judged_rows(repo, record)?,
    };
    if rows.is_empty() {
        let what = format!("{} has no row with a value of `{}`", dataset.label, header.target);
        return Err(fail::usage(what).hint("evaluate on a dataset that has the truth").into());
    }
    if rows_of != "test" && options.on.is_none() {
        ctx.talk.warn(&format!("there are no test rows: judged on the {rows_of} rows, which flatters the model"));
    }
    let position = |row: &u32| with_target.binary_search(row).map(|at| at as u32).ok();
    let kept: Vec<u32> = rows.iter().filter_map(position).collect();
    let inputs: Vec<&str> = header.inputs.iter().map(|input| input.name.as_str()).collect();
    let slices: Vec<&str> = options.slices.iter().map(String::as_str).collect();
    Ok(Jury {
        frame: table.frame(&inputs)?.take(&rows),
        slices: table.frame(&slices)?.take(&rows),
        truth: all.take(&kept),
        dataset,
        rows_of,
    })
}

/// Metrics of what any model has to beat, on the same rows.
fn baseline(package: &ModelPackage, jury: &Jury) -> Result<Option<BTreeMap<String, f64>>> {
    let answer = package.header.baseline_answer.as_deref();
    let answers = answer.and_then(|answer| constant(answer, &jury.truth));
    let measured = |answers: &Predictions| {
        let nothing = Seen::of(&Matrix::default(), package.header.task);
        score_at(answers, &jury.truth, package.header.task, None, &nothing)
    };
    answers.as_ref().map(measured).transpose()
}

/// Metrics of the model compared with, on the same rows, when a gate or the person asks for it.
fn against(
    repo: &Repo,
    options: &EvaluateOptions,
    gates: &[GateSpec],
    package: ObjectId,
    jury: &Jury,
) -> Result<Option<BTreeMap<String, f64>>> {
    let asked = gates.iter().any(|gate| matches!(gate.bound, Bound::Champion { .. }));
    let other = match (&options.against, &options.name) {
        (Some(reference), _) => Some(repo.resolve_model(reference)?),
        (None, Some(name)) if asked => champion(repo, name, package)?,
        _ => None,
    };
    let Some(other) = other else {
        return Ok(None);
    };
    let other = open_package(repo, &other.package)?;
    let (predictions, seen) = unsupervised::answers(&other, &jury.frame)?;
    score_at(&predictions, &jury.truth, other.header.task, other.header.threshold, &seen).map(Some)
}

fn slices(jury: &Jury, predictions: &Predictions, seen: &Seen, package: &ModelPackage) -> Result<Vec<SliceResult>> {
    let scores = scores(predictions, &jury.truth, seen)?;
    let mut all = Vec::new();
    for column in jury.slices.columns() {
        let (codes, names) = slice_codes(&column.values);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        all.extend(measure_slices(
            &column.name,
            &codes,
            &names,
            &scores,
            package.header.task,
            package.header.threshold,
        )?);
    }
    Ok(all)
}

/// Distinct values of a column up to this many are slices of their own; a numeric column with more is cut at its quartiles.
const SLICE_VALUES_MAX: usize = 50;

fn slice_codes(values: &Values) -> (Vec<u32>, Vec<String>) {
    match values {
        Values::Text(text) => (text.codes.clone(), text.levels.iter().map(|level| level.to_string()).collect()),
        Values::Number(numbers) => number_slices(numbers),
        Values::Time(times) => {
            let numbers: Vec<f64> = times.iter().map(|&t| if t == i64::MIN { f64::NAN } else { t as f64 }).collect();
            number_slices(&numbers)
        }
        Values::Indicator { codes, .. } | Values::Category { codes, .. } => {
            (vec![MISSING_CODE; codes.len()], Vec::new())
        }
    }
}

fn number_slices(numbers: &[f64]) -> (Vec<u32>, Vec<String>) {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    if distinct.len() <= SLICE_VALUES_MAX {
        let code = |value: &f64| distinct.binary_search_by(|x| x.total_cmp(value)).map_or(MISSING_CODE, |at| at as u32);
        return (numbers.iter().map(code).collect(), distinct.iter().map(f64::to_string).collect());
    }
    let cuts = [1, 2, 3].map(|quarter| sorted[sorted.len() * quarter / 4]);
    let code = |value: &f64| match value.is_finite() {
        true => cuts.iter().filter(|cut| value >= *cut).count() as u32,
        false => MISSING_CODE,
    };
    let [a, b, c] = cuts;
    let names = [format!("< {a}"), format!("{a} to < {b}"), format!("{b} to < {c}"), format!(">= {c}")];
    (numbers.iter().map(code).collect(), names.to_vec())
}
