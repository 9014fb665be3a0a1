//! `explain`: what a model relies on, how it answers to each raw column, and why it answered single rows so.
//!
//! One recorded run; the explanation is kept as a record that names the package and the dataset.

mod budget;
mod columns;
mod contribution;
mod importance;
mod report;
mod rows;
mod shape;
mod single;
mod words;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits::{EXPLAIN_REPEATS_MAX, EXPLAIN_ROWS_MAX};
use crate::base::seed::Seed;
use crate::data::frame::Frame;
use crate::metrics::zoo;
use crate::models::explain::model::{self, Model};
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::open_model;
use crate::ops::explain::columns::Chosen;
use crate::ops::explain::rows::Ground;
use crate::ops::recorded::{Done, Work, recorded};
use crate::record::explanation::ExplanationRecord;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::model::Task;

/// What to explain, on what, how closely.
#[derive(Clone, Debug, Default)]
pub struct ExplainOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// Another dataset to look at, all its rows; the test rows of the training data when absent.
    pub on: Option<String>,
    /// Single rows: numbers counted from 1 without the header, or `COLUMN=VALUE` that one row has.
    pub single: Vec<String>,
    /// Raw columns to look at; all when empty.
    pub columns: Vec<String>,
    /// Columns whose dependence and local effects are measured, the most important first.
    pub top: usize,
    /// Rows to look at, drawn by the seed where there are more; as many as the kind of model answers quickly when
    /// absent.
    pub rows: Option<usize>,
    /// Shuffles of each column.
    pub repeats: usize,
    /// What permutation importance is measured by; the task's headline metric when absent.
    pub metric: Option<String>,
    /// Whether interactions are measured.
    pub interactions: bool,
    /// Documents to write, told apart by their endings: `.html`, `.md` or `.json`.
    pub report: Vec<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainReport {
    /// The run.
    pub run: RunId,
    /// The explanation record.
    pub explanation: ObjectId,
    /// The model as a person calls it.
    pub name: String,
    /// All that was found.
    #[serde(flatten)]
    pub record: ExplanationRecord,
    /// Seconds it took.
    pub seconds: f64,
}

/// One explanation under way.
struct Subject<'a> {
    options: &'a ExplainOptions,
    package: &'a ModelPackage,
    ground: &'a Ground,
    model: Model<'a>,
    seed: Seed,
    ctx: &'a OpCtx<'a>,
}

/// Explains one model.
///
/// Errors: an unknown model, dataset, column, metric or row; clusters, which are no quantity; a dataset that lacks
/// columns that the model reads; an ending of a report that is no document, before anything is computed.
pub fn explain(repo: &Repo, options: &ExplainOptions, ctx: &OpCtx<'_>) -> Result<ExplainReport> {
    let started = Instant::now();
    check(options)?;
    let kinds = report::kinds(&options.report)?;
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let (found, record, package) = open_model(repo, options.model.as_deref())?;
    explainable(&package, options)?;
    let outcome = recorded(repo, ctx, "explain", |repo, work| {
        let explanation = explained(repo, options, (&found, &record, &package), ctx)?;
        keep(repo, options, &found, explanation, work)
    })?;
    let (id, record) = outcome.value;
    let report = ExplainReport {
        run: outcome.run,
        explanation: id,
        name: found.label(),
        record,
        seconds: started.elapsed().as_secs_f64(),
    };
    report::write(&report, &options.report, &kinds)?;
    Ok(report)
}

fn check(options: &ExplainOptions) -> Result<()> {
    if let Some(rows) = options.rows.filter(|rows| *rows == 0 || *rows > EXPLAIN_ROWS_MAX) {
        let what = format!("--rows {rows} is not from 1 to {EXPLAIN_ROWS_MAX}");
        return Err(fail::usage(what).hint("a thousand rows are usually enough").into());
    }
    if options.repeats == 0 || options.repeats > EXPLAIN_REPEATS_MAX {
        let what = format!("--repeats {} is not from 1 to {EXPLAIN_REPEATS_MAX}", options.repeats);
        return Err(fail::usage(what).hint("ten shuffles are usually enough").into());
    }
    Ok(())
}

/// Refuses what has no explanation, and a metric that is none, before anything is read.
fn explainable(package: &ModelPackage, options: &ExplainOptions) -> Result<()> {
    let task = package.header.task;
    if task == Task::Clustering {
        let what = "a cluster is a name, not a quantity that columns could add to, so there is nothing to explain";
        return Err(fail::usage(what)
            .hint("see what clusters are made of with `mlops evaluate --by COLUMN`, or train a classifier on them")
            .into());
    }
    if let Some(name) = &options.metric {
        zoo::find(name, task)?;
    }
    Ok(())
}

/// All steps in order; none of the arithmetic.
fn explained(
    repo: &Repo,
    options: &ExplainOptions,
    (found, record, package): (&ModelRef, &ModelRecord, &ModelPackage),
    ctx: &OpCtx<'_>,
) -> Result<ExplanationRecord> {
    let seed = Seed(ctx.seed).derive("explain");
    let mut notes = Vec::new();
    let ground = Ground::open(repo, options, (record, package), seed, &mut notes, ctx)?;
    let wanted = ground.find_single(&options.single)?;
    let answer = |frame: &Frame| model::answers(package, frame);
    let model = Model { outputs: model::outputs(package), answer: &answer };
    let task = Subject { options, package, ground: &ground, model, seed, ctx };
    let contributions = contribution::summary(&task, &mut notes)?;
    let mut chosen = Chosen::new(&task, &contributions, &mut notes)?;
    let metric = importance::measure(&task, &mut chosen, &mut notes)?;
    chosen.sort();
    let groups = match &metric {
        Some(metric) => importance::groups(&task, &chosen, metric, &mut notes)?,
        None => Vec::new(),
    };
    shape::measure(&task, &mut chosen, &mut notes)?;
    let interactions = shape::interactions(&task, &mut chosen, &mut notes)?;
    let explained = single::explain(&task, &wanted, &contributions, &mut notes)?;
    let header = &package.header;
    let methods = words::methods(&task, metric.as_ref(), &contributions, !interactions.is_empty());
    for note in &notes {
        ctx.talk.info(note);
    }
    Ok(ExplanationRecord {
        package: found.package,
        dataset: ground.dataset.id,
        dataset_name: ground.dataset.label.clone(),
        model: header.model.clone(),
        task: header.task,
        target: header.target.clone(),
        rows_of: ground.rows_of.to_owned(),
        rows: ground.rows.len() as u64,
        rows_there: ground.there as u64,
        seed: ctx.seed,
        outputs: words::outputs(package),
        answer: words::answer(package),
        mean_answer: task.model.mean(&ground.frame)?,
        methods,
        notes,
        metric,
        contributions: Some(contributions.method()),
        columns: chosen.into_columns(),
        groups,
        interactions,
        explained,
        unread: ground.unread(package),
    })
}

fn keep(
    repo: &Repo,
    options: &ExplainOptions,
    found: &ModelRef,
    explanation: ExplanationRecord,
    work: &mut Work,
) -> Result<Done<(ObjectId, ExplanationRecord)>> {
    let id = repo.put_record(&explanation)?;
    work.param("rows", explanation.rows.into())?;
    work.param("repeats", options.repeats.into())?;
    work.param("top", options.top.into())?;
    if !options.columns.is_empty() {
        work.param("columns", options.columns.clone().into())?;
    }
    if let Some(metric) = &explanation.metric {
        work.param("metric", metric.name.as_str().into())?;
    }
    work.input("model", &found.label(), found.package)?;
    work.input("dataset", &explanation.dataset_name, explanation.dataset)?;
    work.output("explanation", &explanation.model, id)?;
    Ok(Done::yes((id, explanation)))
}
