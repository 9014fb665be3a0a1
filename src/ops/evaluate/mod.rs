//! `evaluate`: metrics on rows that fitting never saw, how sure they are, on whom, against which other model, and a verdict.

pub mod answers;
pub mod compare;
pub mod costs;
pub mod facets;
pub mod findings;
pub mod flip;
pub mod gates;
pub mod intervals;
pub mod judged;
pub mod jury;
pub mod models;
pub mod plots;
pub mod predictions;
pub mod reading;
pub mod report;
pub mod robustness;
pub mod seeds;
pub mod slices;
pub mod worst;

pub use judged::Judged;
pub use jury::{Jury, judged_rows};
pub use models::{champion, default_model, open_model, open_package};

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::data::matrix::Matrix;
use crate::metrics::gate;
use crate::metrics::{self, zoo};
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::compare::Other;
use crate::ops::evaluate::costs::Beside;
use crate::ops::fit::constant;
use crate::ops::recorded::{Done, recorded};
use crate::ops::unsupervised::{self, Seen};
use crate::record::evaluation::{EvaluationRecord, Judgement, Verdict};
use crate::repo::Repo;
use crate::spec::gate::GateSpec;
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// What to judge, on what, by what.
#[derive(Clone, Debug, Default)]
pub struct EvaluateOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// Another dataset to judge on, all its rows; the test rows of the training data when absent.
    pub on: Option<String>,
    /// The model to compare with; the champion of `name` when absent.
    pub against: Option<String>,
    /// Name under which the champion is looked for.
    pub name: Option<String>,
    /// Whether latency, size and training time are measured although no gate asks for them.
    pub costs: bool,
    /// Documents to write, told apart by their endings: `.html`, `.md` or `.json`.
    pub report: Vec<PathBuf>,
    /// Everything that the project file may say of it.
    pub spec: EvaluateSpec,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluateReport {
    /// The run; none outside of a repository.
    pub run: Option<RunId>,
    /// The model: id of its package; none when the answers come from a file.
    pub model: Option<ObjectId>,
    /// The model as a person calls it.
    pub name: String,
    /// Name that its versions have, or would have.
    #[serde(skip)]
    pub key: String,
    /// What it predicts.
    pub task: Task,
    /// The evaluation record; none when the answers come from a file.
    pub evaluation: Option<ObjectId>,
    /// The dataset as a person calls it.
    pub dataset: String,
    /// Costs of the model by name, where they were measured: no part of the record, as they differ from time to time.
    pub costs: BTreeMap<String, f64>,
    /// What was found out.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// Judges one model.
pub fn evaluate(repo: &Repo, options: &EvaluateOptions, ctx: &OpCtx<'_>) -> Result<EvaluateReport> {
    let spec = &options.spec;
    let kinds = report::kinds(&options.report)?;
    intervals::check(spec)?;
    let gates = spec.gates.iter().map(|text| text.parse()).collect::<Result<Vec<GateSpec>, _>>()?;
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let (found, record, package) = open_model(repo, options.model.as_deref())?;
    if record.imported.is_some() {
        check_imported(&found.label(), options, &package)?;
    }
    // A version is held against the champion of its own name, whatever the project is called.
    let options = &EvaluateOptions { name: found.name.clone().or(options.name.clone()), ..options.clone() };
    let other = Other::find(repo, options, &gates, found.package)?;
    let outcome = recorded(repo, ctx, "evaluate", |repo, work| {
        let spec = &gates::with_gate_slices(spec, &gates, &record, package.header.task, options.on.as_deref(), repo)?;
        let jury = slices::divided(jury::jury(repo, options, &record, &package, ctx)?, spec, ctx)?;
        let beside = costs::costs(repo, options, &gates, (&found, &package), other.as_ref(), &jury, ctx)?;
        let costs = beside.costs.clone();
        let judged = Judged::ask(&jury, &package)?;
        unsupervised::say(judged.task, judged.predictions.rows(), ctx.talk);
        let robustness = match spec.robustness {
            true => {
                let names = gates::disturbed_metrics(&gates, headline(spec, judged.task));
                robustness::robustness(repo, &record, &judged, &names, ctx)?
            }
            false => Vec::new(),
        };
        let beside = Beside { robustness, ..beside };
        let mut judgement = judge(&judged, spec, other.as_ref(), &gates, &beside, ctx)?;
        judgement.findings.extend(findings::against_training(repo, &record, &judged, ctx)?);
        findings::say(&judgement.findings, ctx);
        let dataset = jury.dataset.as_ref().map_or(record.dataset, |dataset| Some(dataset.id));
        let dataset = dataset.ok_or_else(|| fail::world("the rows that were judged are of no dataset"))?;
        let evaluation = EvaluationRecord { package: found.package, dataset, judgement };
        let id = repo.put_record(&evaluation)?;
        work.input("model", &found.label(), found.package)?;
        work.input("dataset", &jury.label, dataset)?;
        work.output("evaluation", evaluation.judgement.verdict.name(), id)?;
        work.metrics(&evaluation.judgement.metrics)?;
        work.metrics(&costs)?;
        let yes = evaluation.judgement.verdict != Verdict::Fail;
        Ok(Done { value: (id, evaluation, jury.label, costs), moves: Vec::new(), yes })
    })?;
    let (evaluation, record, dataset, costs) = outcome.value;
    let (name, judgement) = (found.label(), record.judgement);
    let key = options.name.clone().unwrap_or_else(|| name.clone());
    let (run, model, task) = (Some(outcome.run), Some(record.package), package.header.task);
    let evaluation = Some(evaluation);
    let report = EvaluateReport { run, model, name, key, task, evaluation, dataset, costs, judgement };
    report::write(Some(repo), &report, Some(&package), &options.report, &kinds)?;
    Ok(report)
}

/// All that is found out from rows, truth and answers alone, with the verdict.
fn judge(
    judged: &Judged<'_>,
    spec: &EvaluateSpec,
    other: Option<&Other>,
    gates: &[GateSpec],
    beside: &Beside,
    ctx: &OpCtx<'_>,
) -> Result<Judgement> {
    let task = judged.task;
    // `all` shows all that was measured, as nothing does.
    let names = spec.metrics.iter().map(String::as_str).filter(|name| *name != zoo::ALL).collect::<Vec<_>>();
    for name in &names {
        zoo::find(name, task)?;
    }
    let is_all = names.len() < spec.metrics.len() || names.is_empty();
    let headline = headline(spec, task).to_owned();
    let shown = |all: BTreeMap<String, f64>| match is_all {
        true => all,
        false => all.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect(),
    };
    let sample = judged.sample()?;
    let measured = metrics::measure(None, &sample)?;
    let mut slices = slices::slices(judged, spec)?;
    let (intervals, interval_method) = intervals::intervals(judged, spec, &headline, &mut slices, ctx)?;
    let worst_slices = worst::worst_slices(judged, spec, &headline, ctx)?;
    let comparison = other.map(|other| compare::compare(judged, other, spec, &headline, &slices, ctx)).transpose()?;
    let facets = facets::facets(judged, spec, ctx)?;
    let known = gates::Known { metrics: &measured, slices: &slices, facets: &facets, beside };
    let results = gates::judge(gates, judged, spec, &known, other, ctx)?;
    Ok(Judgement {
        rows_of: judged.jury.rows_of.to_owned(),
        rows: judged.jury.truth.len() as u64,
        metrics: shown(measured),
        confusion: metrics::confusion_at(&sample.scores, sample.threshold),
        slices,
        verdict: gate::verdict(&results),
        gates: results,
        plots: plots::plots(judged, spec)?,
        headline,
        weight: judged.jury.weight.clone(),
        intervals,
        interval_method,
        baseline: baseline(judged)?.map(shown),
        worst_slices,
        comparison,
        facets,
        robustness: beside.robustness.clone(),
        findings: findings::findings(judged)?,
    })
}

/// Name of the metric that stands for all: the first one asked for, else that of the task.
fn headline(spec: &EvaluateSpec, task: Task) -> &str {
    spec.metrics.iter().find(|name| *name != zoo::ALL).map_or_else(|| zoo::headline(task), String::as_str)
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

/// Metrics of what any model has to beat, on the same rows; none for a model that does not know it.
fn baseline(judged: &Judged<'_>) -> Result<Option<BTreeMap<String, f64>>> {
    let answer = judged.package.and_then(|package| package.header.baseline_answer.as_deref());
    let Some(predictions) = answer.and_then(|answer| constant(answer, &judged.jury.truth)) else {
        return Ok(None);
    };
    let seen = Seen::of(&Matrix::default(), judged.task);
    let (task, jury) = (judged.task, judged.jury);
    let beaten = Judged { predictions, seen, package: None, threshold: None, task, jury, bounds: None };
    metrics::measure(None, &beaten.sample()?).map(Some)
}
