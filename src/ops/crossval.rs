//! Cross-validation: recipe and model fitted anew on each fold's other rows, scored on the fold.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::talk::{Silent, Unit};
use crate::metrics::folds;
use crate::models::package::ModelPackage;
use crate::models::zoo::Kind;
use crate::ops::context::OpCtx;
use crate::ops::fit::{Rows, fit_kind, weighted};
use crate::ops::prepare::{Part, Prepared, features_of, fit_recipe, recipe_for};
use crate::ops::train::{TrainOptions, score_at};
use crate::ops::unsupervised::Seen;
use crate::record::evaluation::Interval;
use crate::record::run::MetricPoint;
use crate::spec::split::SplitMethod;

/// Scores of all folds.
#[derive(Clone, Debug, Serialize)]
pub struct FoldsReport {
    /// How rows were divided.
    pub method: SplitMethod,
    /// One entry a fold, in order.
    pub folds: Vec<FoldReport>,
    /// Mean of each metric over the folds that have it.
    pub mean: BTreeMap<String, f64>,
    /// Its sample standard deviation (divided by n − 1); of metrics that two folds have.
    pub deviation: BTreeMap<String, f64>,
    /// Where the mean may well lie at the level [`FoldsReport::LEVEL`]; of metrics that two folds have (see
    /// [`crate::metrics::folds::interval`]).
    pub interval: BTreeMap<String, Interval>,
}

/// Scores of one fold.
#[derive(Clone, Debug, Serialize)]
pub struct FoldReport {
    /// Its number, from 1 on.
    pub fold: usize,
    /// Rows fitted on.
    pub train_rows: usize,
    /// Rows scored.
    pub rows: usize,
    /// Scores before calibration, classes told apart at one half unless the threshold is given as a number.
    pub metrics: BTreeMap<String, f64>,
}

/// Fits and scores every fold, one after the other; `None` when no folds were asked for. `from` is the model that each fit
/// goes on from, with its recipe.
///
/// No row of a fold is seen by the recipe or the fit it is scored with. Where fitting stops early (`patience`), it does so
/// on the fold itself, which is said. Errors: those of a fit, with the number of the fold. Cost: that of one fit a fold.
pub fn score_folds(
    kind: &Kind,
    options: &TrainOptions,
    prepared: &Prepared,
    from: Option<&ModelPackage>,
    ctx: &OpCtx<'_>,
) -> Result<Option<FoldsReport>> {
    let Some(folds) = &prepared.folds else {
        return Ok(None);
    };
    let recipe = recipe_for(&options.prepare, prepared.subject.task)?;
    let stops_early = options.spec.params.get("patience").and_then(toml::Value::as_integer).is_some_and(|p| p > 0);
    if stops_early {
        ctx.talk.info("folds stop early on the rows that they are scored on, which flatters their scores a little");
    }
    // What there is to say of the data was said of the whole.
    let quiet = OpCtx { talk: &Silent, ..ctx.clone() };
    let bar = ctx.talk.start("folds", Some(folds.splits().len() as u64), Unit::Items);
    let (subject, spec) = (&prepared.subject, &options.spec);
    let mut reports = Vec::new();
    for (place, split) in folds.splits().iter().enumerate() {
        let of_fold = || -> Result<FoldReport> {
            let fitted = match from {
                Some(package) => package.recipe.clone(),
                None => fit_recipe(&recipe, subject, split, ctx.seed)?,
            };
            let part = |part: Part| -> Result<Rows> {
                let (matrix, target) = features_of(subject, (&fitted, from.is_none()), split, part)?;
                Ok(Rows { matrix, target, weights: subject.weights_of(&split.rows(part as u8)) })
            };
            let (train, _) = weighted(part(Part::Train)?, spec)?;
            let held = part(Part::Validation)?;
            let start = from.map(ModelPackage::predictor);
            let watched = stops_early.then_some(&held);
            let predictor = fit_kind(kind, spec, &train, watched, start, &quiet, &mut Vec::new())?;
            let predictions = predictor.predict(&held.matrix)?;
            let seen = Seen::of(&held.matrix, subject.task);
            Ok(FoldReport {
                fold: place + 1,
                train_rows: train.matrix.rows(),
                rows: held.matrix.rows(),
                metrics: score_at(&predictions, &held.target, subject.task, spec.given_threshold(), &seen)?,
            })
        };
        reports.push(of_fold().with_context(|| format!("fold {} of {}", place + 1, folds.splits().len()))?);
        bar.advance(1);
    }
    let (mean, deviation, interval) = summary(&reports);
    Ok(Some(FoldsReport { method: prepared.split_spec.method, folds: reports, mean, deviation, interval }))
}

type Metrics = BTreeMap<String, f64>;

fn summary(reports: &[FoldReport]) -> (Metrics, Metrics, BTreeMap<String, Interval>) {
    // Folds are of about one size; that of all of them together stands for each.
    let total = |of: fn(&FoldReport) -> usize| reports.iter().map(of).sum::<usize>() as f64;
    let share = total(|report| report.rows) / total(|report| report.train_rows);
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (name, value) in reports.iter().flat_map(|report| &report.metrics) {
        values.entry(name).or_default().push(*value);
    }
    let (mut means, mut deviations, mut intervals) = (Metrics::new(), Metrics::new(), BTreeMap::new());
    for (name, values) in values {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        means.insert(name.to_owned(), mean);
        if values.len() > 1 {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            deviations.insert(name.to_owned(), (squares / (count - 1.0)).sqrt());
        }
        if let Some(interval) = folds::interval(&values, share, FoldsReport::LEVEL) {
            intervals.insert(name.to_owned(), interval);
        }
    }
    (means, deviations, intervals)
}

impl FoldsReport {
    /// Share of intervals that hold the true mean.
    pub const LEVEL: f64 = 0.95;

    /// As metric points: `fold.NAME` with the fold as step, `folds_mean.NAME`, `folds_deviation.NAME`, and the ends of the
    /// intervals `folds_low.NAME` and `folds_high.NAME`.
    pub fn points(&self) -> Vec<MetricPoint> {
        let point = |name: String, step: usize, value: f64| MetricPoint { name, step: step as i64, value };
        let each = self.folds.iter().flat_map(|fold| {
            fold.metrics.iter().map(move |(name, value)| point(format!("fold.{name}"), fold.fold, *value))
        });
        let mean = self.mean.iter().map(|(name, value)| point(format!("folds_mean.{name}"), 0, *value));
        let deviation = self.deviation.iter().map(|(name, value)| point(format!("folds_deviation.{name}"), 0, *value));
        let ends = self.interval.iter().flat_map(|(name, interval)| {
            [("low", interval.low), ("high", interval.high)].map(|(end, value)| (format!("folds_{end}.{name}"), value))
        });
        let ends = ends.map(|(name, value)| point(name, 0, value));
        each.chain(mean).chain(deviation).chain(ends).collect()
    }
}
