//! `diff`: two datasets, runs or models side by side. Reads only.

pub mod datasets;
pub mod models;
pub mod pairs;
pub mod steps;

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::drift::compare::DriftOptions;
use crate::ops::context::OpCtx;
use crate::ops::diff::datasets::DatasetDiff;
use crate::ops::diff::models::ModelDiff;
use crate::ops::diff::pairs::PairDiff;
use crate::repo::Repo;
use crate::repo::resolve::Resolved;
use crate::spec::project::EvaluateSpec;

/// What to compare, and how closely.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// The older thing.
    pub old: String,
    /// The newer thing.
    pub new: String,
    /// Compare rows, of datasets.
    pub rows: bool,
    /// Columns that identify a row; the recorded key when empty.
    pub key: Vec<String>,
    /// Compare the distributions of columns, of datasets.
    pub drift: Option<DriftOptions>,
    /// Rows of each kind to show.
    pub limit: usize,
    /// File to write all differing rows to, CSV or Parquet by its ending.
    pub output: Option<PathBuf>,
    /// Compare of models what was recorded, without asking them about the same rows.
    pub records_only: bool,
    /// How models are asked about the same rows: metrics, slices, resamples.
    pub evaluate: EvaluateSpec,
}

/// What differs.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum DiffReport {
    /// Two datasets.
    Datasets(Box<DatasetDiff>),
    /// Two runs.
    Runs(PairDiff),
    /// Two models.
    Models(Box<ModelDiff>),
}

/// One of two things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// What a person calls it.
    pub name: String,
    /// Its id.
    pub id: String,
}

impl DiffReport {
    /// Whether nothing that matters differs.
    pub fn same(&self) -> bool {
        match self {
            DiffReport::Datasets(diff) => diff.same,
            DiffReport::Runs(diff) => diff.same,
            DiffReport::Models(diff) => diff.pair.same,
        }
    }
}

/// Compares two things of one kind.
///
/// A run stands for its dataset or model beside one of these. Of a model and a dataset with the same name the model is
/// meant, unless rows are asked for or one side says `dataset:`. Errors: an unknown reference, two kinds.
pub fn diff(repo: &Repo, options: &DiffOptions, ctx: &OpCtx<'_>) -> Result<DiffReport> {
    let (old, new) = (options.old.as_str(), options.new.as_str());
    let datasets = || datasets::diff(repo, options, ctx.talk).map(|diff| DiffReport::Datasets(Box::new(diff)));
    if options.rows || [old, new].iter().any(|text| text.starts_with("dataset:")) {
        return datasets();
    }
    let of_models = |old: &str, new: &str| {
        let (old, new) = (repo.resolve_model(old)?, repo.resolve_model(new)?);
        models::diff(repo, &old, &new, options, ctx).map(|diff| DiffReport::Models(Box::new(diff)))
    };
    match (repo.resolve_any(old)?, repo.resolve_any(new)?) {
        (Resolved::Run(old), Resolved::Run(new)) => pairs::runs(repo, &old, &new).map(DiffReport::Runs),
        (Resolved::Dataset(_), Resolved::Dataset(_) | Resolved::Run(_)) | (Resolved::Run(_), Resolved::Dataset(_)) => {
            datasets()
        }
        (Resolved::Model(_), Resolved::Model(_) | Resolved::Run(_)) | (Resolved::Run(_), Resolved::Model(_)) => {
            of_models(old, new)
        }
        (old_found, new_found) => {
            let what = format!("`{old}` is {}, `{new}` is {}", kind(&old_found), kind(&new_found));
            Err(fail::usage(what)
                .hint(
                    "compare two datasets, two runs or two models; `dataset:NAME` and `model:NAME` say which is meant",
                )
                .into())
        }
    }
}

fn kind(of: &Resolved) -> &'static str {
    match of {
        Resolved::Dataset(_) => "a dataset",
        Resolved::Model(_) => "a model",
        Resolved::Run(_) => "a run",
        Resolved::Object(_) => "another object",
    }
}
