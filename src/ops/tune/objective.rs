//! What a trial measures: one kind of model, fitted with the parameters of a point and scored on rows that it did not see.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::limits::TRIAL_STEP_TREES;
use crate::base::seed::Seed;
use crate::base::talk::{Silent, Talk};
use crate::metrics::{self, Sample, zoo};
use crate::models::predictor::FitInput;
use crate::models::zoo::Kind;
use crate::ops::choices;
use crate::ops::context::OpCtx;
use crate::ops::fit::{Rows, weighted};
use crate::ops::prepare::{Part, PrepareOptions, Prepared, features_of, fit_recipe, recipe_for};
use crate::ops::train::scores;
use crate::ops::unsupervised::Seen;
use crate::record::run::MetricPoint;
use crate::spec::model::{Task, TrainSpec};

/// The metric of a fit that a trial reports while it grows.
pub const PROGRESS: &str = "validation_loss";

/// A fit to try many parameters on. The features are made once, and every thread reads them.
pub struct Objective {
    kind: &'static Kind,
    spec: TrainSpec,
    task: Task,
    seed: Seed,
    metric: String,
    higher_is_better: bool,
    sets: Vec<Set>,
}

/// Rows to fit on and rows to score.
struct Set {
    train: Rows,
    held: Rows,
    seen: Seen,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// Every metric of the task: of the validation rows, or the mean over the folds.
    Metrics(BTreeMap<String, f64>),
    /// It was asked to stop.
    Stopped,
}

/// Receives how well a trial does after a step, less being better whatever the metric; `Break` asks it to stop.
pub type Report<'a> = dyn FnMut(i64, f64) -> ControlFlow<()> + 'a;

impl Objective {
    /// Makes the features of all rows that trials are fitted and scored on.
    ///
    /// Errors: no validation rows and no folds; weights, calibration or thresholds that the kind or the task cannot use.
    /// Cost: one recipe a fold; as much memory as the features of all sets.
    pub fn new(
        kind: &'static Kind,
        spec: &TrainSpec,
        options: &PrepareOptions,
        prepared: &Prepared,
        metric: (String, bool),
        ctx: &OpCtx<'_>,
    ) -> Result<Objective> {
        choices::check(kind, spec, prepared)?;
        let sets = match &prepared.folds {
            Some(_) => of_folds(spec, options, prepared, ctx)?,
            None => vec![of_parts(spec, prepared)?],
        };
        Ok(Objective {
            kind,
            spec: spec.clone(),
            task: prepared.subject.task,
            seed: Seed(ctx.seed).derive("model"),
            metric: metric.0,
            higher_is_better: metric.1,
            sets,
        })
    }

    /// Whether trials report steps on the way, which is what pruning needs.
    pub fn has_steps(&self) -> bool {
        self.sets.len() > 1 || self.kind.name == "boost"
    }

    /// Fits with `params` on top of what is fixed, and scores.
    ///
    /// Reports the loss on the validation rows every [`TRIAL_STEP_TREES`] trees of a kind that grows tree by tree, or, with
    /// folds, the mean of the metric over the folds so far. Errors: those of the fit.
    pub fn measure(&self, params: &toml::Table, report: &mut Report<'_>) -> Result<Measured> {
        let mut all = self.spec.params.clone();
        all.extend(params.clone());
        let mut folds = Vec::new();
        for (place, set) in self.sets.iter().enumerate() {
            let alone = self.sets.len() == 1;
            let Some(metrics) = self.fit(set, &all, alone.then_some(&mut *report))? else {
                return Ok(Measured::Stopped);
            };
            folds.push(metrics);
            if !alone && let Some(mean) = mean(&folds).get(&self.metric) {
                let loss = if self.higher_is_better { -mean } else { *mean };
                if report(place as i64 + 1, loss).is_break() && place + 1 < self.sets.len() {
                    return Ok(Measured::Stopped);
                }
            }
        }
        Ok(Measured::Metrics(mean(&folds)))
    }

    /// One fit and its scores; `None` when it was stopped.
    fn fit(
        &self,
        set: &Set,
        params: &toml::Table,
        mut report: Option<&mut Report<'_>>,
    ) -> Result<Option<BTreeMap<String, f64>>> {
        let mut stopped = false;
        let mut points = |point: MetricPoint| {
            let Some(report) = report.as_mut().filter(|_| is_step(&point)) else {
                return ControlFlow::Continue(());
            };
            let flow = report(point.step, point.value);
            stopped |= flow.is_break();
            flow
        };
        let mut input = FitInput {
            matrix: &set.train.matrix,
            target: &set.train.target,
            weights: set.train.weights.as_deref(),
            validation: Some((&set.held.matrix, &set.held.target)),
            from: None,
            params,
            seed: self.seed,
            talk: &Silent,
            points: &mut points,
        };
        let predictor = (self.kind.fit)(&mut input)?;
        if stopped {
            return Ok(None);
        }
        let predictions = predictor.predict(&set.held.matrix)?;
        let scores = scores(&predictions, &set.held.target, &set.seen)?;
        let sample = Sample { threshold: self.spec.given_threshold(), ..Sample::new(scores, self.task) };
        let wanted = zoo::wanted(&sample, &[&self.metric]);
        metrics::measure(Some(&wanted.iter().map(String::as_str).collect::<Vec<_>>()), &sample).map(Some)
    }
}

fn is_step(point: &MetricPoint) -> bool {
    point.name == PROGRESS && point.step % TRIAL_STEP_TREES == 0 && point.value.is_finite()
}

/// The training and the validation rows.
fn of_parts(spec: &TrainSpec, prepared: &Prepared) -> Result<Set> {
    let part = |part: Part| -> Result<Rows> {
        let (matrix, target) = prepared.part(part)?;
        Ok(Rows { matrix, target, weights: prepared.weights(part) })
    };
    let held = part(Part::Validation)?;
    if held.matrix.rows() == 0 {
        return Err(fail::usage("trials are scored on validation rows, and there are none")
            .hint("set validation above 0 in [split], or score on folds with --folds 5")
            .into());
    }
    Set::new(part(Part::Train)?, held, spec, prepared.subject.task)
}

/// The rows outside and inside of each fold, with a recipe of their own.
fn of_folds(spec: &TrainSpec, options: &PrepareOptions, prepared: &Prepared, ctx: &OpCtx<'_>) -> Result<Vec<Set>> {
    let (subject, task) = (&prepared.subject, prepared.subject.task);
    let recipe = recipe_for(options, task)?;
    let splits = prepared.folds.iter().flat_map(|folds| folds.splits());
    let one = |split| -> Result<Set> {
        let fitted = fit_recipe(&recipe, subject, split, ctx.seed)?;
        let part = |part: Part| -> Result<Rows> {
            let (matrix, target) = features_of(subject, (&fitted, true), split, part)?;
            Ok(Rows { matrix, target, weights: subject.weights_of(&split.rows(part as u8)) })
        };
        Set::new(part(Part::Train)?, part(Part::Validation)?, spec, task)
    };
    splits.enumerate().map(|(place, split)| one(split).with_context(|| format!("fold {}", place + 1))).collect()
}

impl Set {
    fn new(train: Rows, held: Rows, spec: &TrainSpec, task: Task) -> Result<Set> {
        let (train, _) = weighted(train, spec)?;
        let seen = Seen::of(&held.matrix, task);
        Ok(Set { train, held, seen })
    }
}

/// Mean of each metric over the folds that have it.
fn mean(folds: &[BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<&String, (f64, f64)> = BTreeMap::new();
    for (name, value) in folds.iter().flatten() {
        let (sum, count) = sums.entry(name).or_default();
        (*sum, *count) = (*sum + value, *count + 1.0);
    }
    sums.into_iter().map(|(name, (sum, count))| (name.clone(), sum / count)).collect()
}

/// Says what folds do to early stopping.
pub fn say(params: &toml::Table, prepared: &Prepared, talk: &dyn Talk) {
    let stops_early = params.get("patience").and_then(toml::Value::as_integer).is_some_and(|rounds| rounds > 0);
    if stops_early && prepared.folds.is_some() {
        talk.info("folds stop early on the rows that they are scored on, which flatters their scores a little");
    }
}
