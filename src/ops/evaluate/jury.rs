//! The rows that a model is judged on, with their truth and weights.

use anyhow::Result;

use crate::base::fail;
use crate::data::divide::Division;
use crate::data::frame::Frame;
use crate::data::table::Table;
use crate::data::target::{self, Target};
use crate::data::weights;
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::evaluate::{EvaluateOptions, reading};
use crate::ops::prepare::{Part, read_split};
use crate::ops::unsupervised;
use crate::record::evaluation::JudgingFinding;
use crate::record::model::ModelRecord;
use crate::record::split::SplitRecord;
use crate::repo::Repo;

/// The rows a model is judged on, with the truth.
pub struct Jury {
    /// Where they come from, as a person calls it.
    pub label: String,
    /// The dataset they come from; none when they come from a file of predictions.
    pub dataset: Option<OpenDataset>,
    /// Which of its rows: `test`, `validation`, `train` or `all`.
    pub rows_of: &'static str,
    /// Their numbers in the dataset.
    pub rows: Vec<u32>,
    /// All columns of these rows.
    pub table: Table,
    /// The raw columns that the model reads, of these rows; none when they come from a file of predictions.
    pub frame: Frame,
    /// The truth of these rows.
    pub truth: Target,
    /// How much each row counts; `None`: all alike.
    pub weights: Option<Vec<f64>>,
    /// The column of weights.
    pub weight: Option<String>,
    /// What each answer costs, `costs[truth][prediction]`; empty where nobody said.
    pub costs: Vec<Vec<f64>>,
    /// The rows divided into the slices asked for.
    pub divisions: Vec<Division>,
    /// What was odd when they were read.
    pub findings: Vec<JudgingFinding>,
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

/// The rows that judge, read.
///
/// Errors: no row with the truth; what cannot be read.
pub fn jury(
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
    reading::check_inputs(&table, &header.inputs, &dataset.label)?;
    let ((all, with_target), unseen) = target::target_known(&table, &header.target, header.task, &header.classes)?;
    unsupervised::warn_without_labels(&header.target, &all, ctx.talk);
    let (rows, rows_of) = match options.on {
        Some(_) => (with_target.clone(), "all"),
        None => judged_rows(repo, record)?,
    };
    let findings = reading::findings(table.rows(), with_target.len(), &unseen, &header.target, rows_of);
    let rows: Vec<u32> = rows.into_iter().filter(|row| with_target.binary_search(row).is_ok()).collect();
    if rows.is_empty() {
        return Err(reading::no_rows(&dataset.label, &header.target, &header.classes, &unseen).into());
    }
    let position = |row: &u32| with_target.binary_search(row).map(|at| at as u32).ok();
    let kept: Vec<u32> = rows.iter().filter_map(position).collect();
    let (weights, weight) = weights(&table, &dataset, options.spec.weight.as_deref(), &rows, ctx)?;
    Ok(Jury {
        frame: reading::frame(&table, &header.inputs)?.take(&rows),
        table: table.take(&rows)?,
        rows,
        truth: all.take(&kept),
        weights,
        weight,
        costs: options.spec.cost_matrix.clone(),
        label: dataset.label.clone(),
        dataset: Some(dataset),
        rows_of,
        divisions: Vec::new(),
        findings,
    })
}

/// Weights of the judged rows and their column: the one named, else the dataset's own, said; none for `none`.
fn weights(
    table: &Table,
    dataset: &OpenDataset,
    asked: Option<&str>,
    rows: &[u32],
    ctx: &OpCtx<'_>,
) -> Result<(Option<Vec<f64>>, Option<String>)> {
    let column = match asked {
        Some("none") => None,
        Some(column) => Some(column),
        None => dataset.record.roles.weight.as_deref(),
    };
    let Some(column) = column else {
        return Ok((None, None));
    };
    if asked.is_none() {
        ctx.talk.info(&format!("rows are weighed by `{column}`, the weight column of {}", dataset.label));
    }
    let weights = weights::read(table, column, rows)?;
    weights::check_sum(&weights)?;
    Ok((Some(weights), Some(column.to_owned())))
}
