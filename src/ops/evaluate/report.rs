//! Documents about an evaluation, and what they need to know beside the record.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::metrics::metric::Metric;
use crate::metrics::zoo;
use crate::models::explain::attribution::Origins;
use crate::models::package::ModelPackage;
use crate::ops::dataset;
use crate::ops::evaluate::{EvaluateReport, open_package};
use crate::record::evaluation::{EvaluationRecord, Judgement};
use crate::record::explanation::{ColumnExplanation, ExplanationRecord};
use crate::render::document::{DocumentKind, by_ending};
use crate::render::evaluation::{EvaluationDocument, Importance, ImportantColumn, MetricWords, html, markdown};
use crate::repo::Repo;
use crate::spec::model::Task;

/// The kind of each document, told by its ending.
///
/// Errors: another ending than `.html`, `.md` and `.json`.
pub fn kinds(paths: &[PathBuf]) -> Result<Vec<DocumentKind>> {
    let kind = |path: &PathBuf| match by_ending(path)? {
        DocumentKind::Junit => {
            let what = format!("an evaluation is no list of checks, so {} cannot be JUnit XML", path.display());
            Err(fail::usage(what).hint("end it with .html, .md or .json").into())
        }
        kind => Ok(kind),
    };
    paths.iter().map(kind).collect()
}

/// What is known of the metrics of a task and of those measured, in the order that they are shown in.
pub fn metric_words(task: Task, judgement: &Judgement) -> Vec<MetricWords> {
    let known = zoo::all(task);
    let words = |name: &str, metric: Option<&'static Metric>| MetricWords {
        name: name.to_owned(),
        about: metric.map_or_else(String::new, |metric| metric.about.to_owned()),
        higher_is_better: metric.and_then(|metric| metric.aim.higher_is_better()),
    };
    let mut all: Vec<MetricWords> = known.iter().map(|metric| words(metric.name, Some(metric))).collect();
    let others = judgement.metrics.keys().filter(|name| !known.iter().any(|metric| metric.name == name.as_str()));
    all.extend(others.map(|name| words(name, zoo::find(name, task).ok().map(|chosen| chosen.metric))));
    all
}

/// What a model relies on: from its newest explanation, else from the model itself, else `None`.
pub fn importance(repo: &Repo, id: &ObjectId, package: Option<&ModelPackage>) -> Result<Option<Importance>> {
    if let Some(explanation) = repo.newest_explanation(id)? {
        return Ok(Some(explained(&repo.record(&explanation)?)));
    }
    Ok(package.and_then(own_importance))
}

fn explained(of: &ExplanationRecord) -> Importance {
    let permutation = of.metric.as_ref().map(|metric| metric.name.as_str());
    let column = |column: &ColumnExplanation| {
        let name = column.name.clone();
        match permutation {
            Some(_) => column.permutation.map(|drop| ImportantColumn {
                name,
                value: drop.mean,
                interval: Some((drop.low, drop.high)),
            }),
            None => column.contribution.map(|value| ImportantColumn { name, value, interval: None }),
        }
    };
    let source = match permutation {
        Some(metric) => format!(
            "How much worse {metric} gets when a column is shuffled, with the 95 % interval, on {} rows of {} \
            (`mlops explain`).",
            of.rows, of.dataset_name
        ),
        None => format!("Mean size of contributions on {} rows of {} (`mlops explain`).", of.rows, of.dataset_name),
    };
    Importance { source, columns: sorted(of.columns.iter().filter_map(column).collect()) }
}

/// The model's own importance by raw column.
fn own_importance(package: &ModelPackage) -> Option<Importance> {
    let gains: Vec<f64> = package.predictor().importance()?.into_iter().map(|of| of.gain.max(0.0)).collect();
    let sums = Origins::new(&package.recipe).sum(&gains);
    let total: f64 = sums.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let columns = package.recipe.inputs().iter().zip(sums).map(|(input, sum)| ImportantColumn {
        name: input.name.to_string(),
        value: sum / total,
        interval: None,
    });
    let source = "The model's own shares (gains of splits, or sizes of standardised coefficients) by raw column, as \
    the training \
                  rows had them; `mlops explain` measures what shuffling a column costs.";
    Some(Importance { source: source.to_owned(), columns: sorted(columns.collect()) })
}

fn sorted(mut columns: Vec<ImportantColumn>) -> Vec<ImportantColumn> {
    columns.sort_by(|a, b| b.value.total_cmp(&a.value));
    columns
}

/// Everything that documents and the terminal say beside the report.
pub struct Words {
    /// Of the metrics.
    pub metrics: Vec<MetricWords>,
    /// What the model relies on.
    pub importance: Option<Importance>,
    evaluation: String,
}

impl Words {
    /// Without importance, which a terminal has no room for.
    pub fn of(report: &EvaluateReport) -> Words {
        Words {
            metrics: metric_words(report.task, &report.judgement),
            importance: None,
            evaluation: report.evaluation.map_or_else(String::new, |id| id.short()),
        }
    }

    /// The report as a document.
    pub fn document<'a>(&'a self, report: &'a EvaluateReport) -> EvaluationDocument<'a> {
        EvaluationDocument {
            model: &report.name,
            key: &report.key,
            dataset: &report.dataset,
            evaluation: &self.evaluation,
            judgement: &report.judgement,
            costs: &report.costs,
            metrics: &self.metrics,
            importance: self.importance.as_ref(),
        }
    }
}

/// Writes the documents, their kinds as [`kinds`] told.
pub fn write(
    repo: Option<&Repo>,
    report: &EvaluateReport,
    package: Option<&ModelPackage>,
    paths: &[PathBuf],
    kinds: &[DocumentKind],
) -> Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    let importance = match (repo, &report.model) {
        (Some(repo), Some(model)) => importance(repo, model, package)?,
        _ => None,
    };
    let words = Words { importance, ..Words::of(report) };
    let document = words.document(report);
    for (path, kind) in paths.iter().zip(kinds) {
        let text = match kind {
            DocumentKind::Html => html::html(&document),
            DocumentKind::Markdown => markdown::markdown(&document),
            DocumentKind::Json | DocumentKind::Junit => serde_json::to_string_pretty(report)? + "\n",
        };
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Writes the documents of an evaluation that was made before; costs, which it does not keep, are left out.
pub fn redraw(repo: &Repo, id: &ObjectId, key: &str, paths: &[PathBuf]) -> Result<()> {
    let kinds = kinds(paths)?;
    let record: EvaluationRecord = repo.record(id)?;
    let package = open_package(repo, &record.package)?;
    let report = EvaluateReport {
        run: None,
        model: Some(record.package),
        name: repo.resolve_model(&record.package.hex())?.label(),
        key: key.to_owned(),
        task: package.header.task,
        evaluation: Some(*id),
        dataset: dataset::find(repo, Some(&record.dataset.hex()), None)?.label,
        costs: BTreeMap::new(),
        judgement: record.judgement,
    };
    write(Some(repo), &report, Some(&package), paths, &kinds)
}
