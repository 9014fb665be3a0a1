//! Two models side by side: what they were made from and how, and how they answer the same rows.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::metrics::{self, zoo};
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::diff::DiffOptions;
use crate::ops::diff::datasets::{self, DatasetDiff};
use crate::ops::diff::pairs::{self, PairDiff};
use crate::ops::diff::steps::{Changes, steps};
use crate::ops::evaluate::compare::{Other, compare};
use crate::ops::evaluate::jury::jury;
use crate::ops::evaluate::{EvaluateOptions, Judged, open_package, slices};
use crate::record::evaluation::{Difference, ModelComparison};
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::project::EvaluateSpec;

/// How two models differ.
#[derive(Clone, Debug, Serialize)]
pub struct ModelDiff {
    /// What was recorded of both.
    #[serde(flatten)]
    pub pair: PairDiff,
    /// Their datasets, where these are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<DatasetDiff>>,
    /// Raw columns that they read; changed: another type or other values in training.
    pub inputs: Changes,
    /// Features that recipes make of them; changed: another type or another column.
    pub features: Changes,
    /// Steps of the recipes; changed: learned something else.
    pub steps: Changes,
    /// Both on the same rows, where both can answer them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedTogether>,
    /// Why they were not asked about the same rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
}

/// Two models on the rows that the newer one is judged on.
#[derive(Clone, Debug, Serialize)]
pub struct JudgedTogether {
    /// The dataset as a person calls it.
    pub dataset: String,
    /// Which of its rows.
    pub rows_of: &'static str,
    /// Number of rows.
    pub rows: u64,
    /// What is odd about them, in sentences.
    pub notes: Vec<String>,
    /// `value` is of the newer model, `other` of the older one.
    #[serde(flatten)]
    pub comparison: ModelComparison,
}

/// One side, opened.
struct Side<'a> {
    found: &'a ModelRef,
    record: ModelRecord,
    package: Option<ModelPackage>,
    why_not: Option<String>,
}

impl<'a> Side<'a> {
    /// Its record, and its package if that can be opened.
    fn open(repo: &Repo, found: &'a ModelRef) -> Result<Side<'a>> {
        let record = repo.record(&found.model)?;
        let (package, why_not) = match open_package(repo, &found.package) {
            Ok(package) => (Some(package), None),
            Err(error) => (None, Some(format!("{} cannot be opened: {error:#}", found.label()))),
        };
        Ok(Side { found, record, package, why_not })
    }
}

/// Compares two models.
pub fn diff(repo: &Repo, old: &ModelRef, new: &ModelRef, options: &DiffOptions, ctx: &OpCtx<'_>) -> Result<ModelDiff> {
    let pair = pairs::models(repo, old, new)?;
    let (old, new) = (Side::open(repo, old)?, Side::open(repo, new)?);
    let data = match (old.record.dataset, new.record.dataset) {
        (Some(a), Some(b)) if a != b => {
            let asked = DiffOptions { old: a.hex(), new: b.hex(), rows: false, ..options.clone() };
            Some(Box::new(datasets::diff(repo, &asked, ctx.talk)?))
        }
        _ => None,
    };
    let (mut inputs, mut features, mut changed_steps) = (Changes::default(), Changes::default(), Changes::default());
    if let (Some(a), Some(b)) = (&old.package, &new.package) {
        let columns = |package: &ModelPackage| -> Vec<(String, _)> {
            package.header.inputs.iter().map(|input| (input.name.clone(), input.clone())).collect()
        };
        let made = |package: &ModelPackage| -> Vec<(String, _)> {
            let all = package.header.features.iter();
            all.map(|feature| (feature.name.clone(), (feature.feature_type.clone(), feature.from.clone()))).collect()
        };
        inputs = Changes::between(&columns(a), &columns(b));
        features = Changes::between(&made(a), &made(b));
        let learned = |package: &ModelPackage| -> Vec<(String, Value)> { steps(&package.recipe.to_json()) };
        changed_steps = Changes::between(&learned(a), &learned(b));
    }
    let (judged, not_judged) = match options.records_only || old.found.package == new.found.package {
        true => (None, None),
        false => match together(repo, &old, &new, &options.evaluate, ctx)? {
            Ok(judged) => (Some(judged), None),
            Err(why) => (None, Some(why)),
        },
    };
    Ok(ModelDiff { pair, data, inputs, features, steps: changed_steps, judged, not_judged })
}

/// Both on the rows that the newer one is judged on; or why not.
fn together(
    repo: &Repo,
    old: &Side<'_>,
    new: &Side<'_>,
    spec: &EvaluateSpec,
    ctx: &OpCtx<'_>,
) -> Result<Result<JudgedTogether, String>> {
    let (a, b) = match (&old.package, &new.package) {
        (Some(a), Some(b)) => (a, b),
        _ => return Ok(Err(old.why_not.clone().or_else(|| new.why_not.clone()).unwrap_or_default())),
    };
    if a.header.task != b.header.task || a.header.target != b.header.target {
        let of = |package: &ModelPackage| format!("`{}` ({})", package.header.target, package.header.task.name());
        return Ok(Err(format!("one predicts {}, the other {}", of(a), of(b))));
    }
    if new.record.split.is_none() {
        return Ok(Err(format!("no rows are known that were kept from {}", new.found.label())));
    }
    match ask(repo, old, (new, b), spec, ctx) {
        Ok(judged) => Ok(Ok(judged)),
        // Columns that one of them lacks, a dataset that stayed behind: the records are worth comparing all the same.
        Err(error) => Ok(Err(format!("they cannot be asked about the same rows: {error:#}"))),
    }
}

fn ask(
    repo: &Repo,
    old: &Side<'_>,
    (new, package): (&Side<'_>, &ModelPackage),
    spec: &EvaluateSpec,
    ctx: &OpCtx<'_>,
) -> Result<JudgedTogether> {
    let mut notes = Vec::new();
    // A slice of the project file that these rows cannot be divided by is no reason to compare nothing.
    let whole = EvaluateSpec { slices: Vec::new(), ..spec.clone() };
    let judges = |spec: &EvaluateSpec| {
        let options = EvaluateOptions { spec: spec.clone(), ..EvaluateOptions::default() };
        jury(repo, &options, &new.record, package, ctx)
    };
    let (jury, spec) = match judges(spec) {
        Ok(jury) => (jury, spec),
        Err(error) if !spec.slices.is_empty() => {
            notes.push(format!("slices are left out: {error:#}"));
            (judges(&whole)?, &whole)
        }
        Err(error) => return Err(error),
    };
    let judged = Judged::ask(&jury, package)?;
    let headline = spec.metrics.first().map_or_else(|| zoo::headline(judged.task), String::as_str).to_owned();
    let parts = slices::slices(&judged, spec)?;
    let theirs = open_package(repo, &old.found.package)?;
    let other = Other { name: old.found.label(), id: old.found.package, package: theirs };
    let mut comparison = compare(&judged, &other, spec, &headline, &parts, ctx)?;
    if comparison.metrics.is_empty() {
        let own = metrics::measure(None, &judged.sample()?)?;
        comparison.metrics = side_by_side(&own, &comparison.other_metrics);
    }
    if old.record.split != new.record.split && old.record.imported.is_none() {
        let name = old.found.label();
        notes.push(format!(
            "{name} was trained on another division of rows and may have seen some of these, which flatters it"
        ));
    }
    Ok(JudgedTogether {
        dataset: jury.label.clone(),
        rows_of: jury.rows_of,
        rows: jury.truth.len() as u64,
        notes,
        comparison,
    })
}

/// Metrics that both have, without any word on chance.
fn side_by_side(new: &BTreeMap<String, f64>, old: &BTreeMap<String, f64>) -> BTreeMap<String, Difference> {
    let both = new.iter().filter_map(|(name, value)| Some((name, *value, *old.get(name)?)));
    let difference = |value: f64, other: f64| Difference {
        value,
        other,
        difference: value - other,
        interval: None,
        p_value: None,
        test: None,
        better: None,
    };
    both.map(|(name, value, other)| (name.clone(), difference(value, other))).collect()
}
