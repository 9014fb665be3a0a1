//! One fit and what is decided around it: weights, the start, calibration, threshold, and the baseline beside it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::{Silent, Talk};
use crate::data::matrix::Matrix;
use crate::data::split::times;
use crate::data::target::Target;
use crate::data::weights;
use crate::models::calibration::Calibration;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::zoo::{self, Kind};
use crate::ops::choices::{ChoicesReport, calibrate, check, threshold};
use crate::ops::context::OpCtx;
use crate::ops::prepare::{Part, Prepared};
use crate::ops::train::{TrainOptions, score_at};
use crate::ops::unsupervised::{self, Seen};
use crate::record::run::MetricPoint;
use crate::spec::model::TrainSpec;
use crate::spec::split::SplitMethod;

/// Features, true values and weights of some rows.
pub struct Rows {
    /// Features.
    pub matrix: Matrix,
    /// True values.
    pub target: Target,
    /// How much each row counts; `None`: all alike.
    pub weights: Option<Vec<f64>>,
}

/// What was fitted, and how well it does.
pub struct Fitted {
    /// The model.
    pub predictor: Box<dyn Predictor>,
    /// Its calibration.
    pub calibration: Option<Calibration>,
    /// From which probability on a row is positive; one half when absent.
    pub threshold: Option<f64>,
    /// Its parameters or what it consists of, where that is not the kind's parameters with those given.
    pub params: Option<toml::Table>,
    /// Which rows the scores are of: `validation`, `train`, or `out_of_fold`.
    pub scored_on: &'static str,
    /// Its answers to these rows, calibrated.
    pub answers: Predictions,
    /// The truth of these rows.
    pub truth: Target,
    /// Scores of the model, calibrated and with its threshold.
    pub metrics: BTreeMap<String, f64>,
    /// What the model is compared with.
    pub baseline: BaselineReport,
    /// How rows were weighed, calibrated and told apart.
    pub choices: ChoicesReport,
    /// Rows fitted on.
    pub rows: usize,
    /// Seconds spent fitting.
    pub seconds: f64,
}

/// The baseline: one answer for every row.
#[derive(Clone, Debug)]
pub struct BaselineReport {
    /// `class_shares`, `mean`, `last_value` or `all_alike`.
    pub kind: &'static str,
    /// Class shares, or one number; empty where nothing is predicted.
    pub answer: Vec<f64>,
    /// Its scores on the rows that the model was scored on.
    pub metrics: BTreeMap<String, f64>,
}

/// Fits `kind` as `options` say, scores it and its baseline on the validation rows, or on the training rows when there are
/// none, which is said. `from` is the model that the fit goes on from.
///
/// Errors: weights or a start that the kind cannot use; calibration or a threshold without validation rows to learn from;
/// those of the fit.
pub fn fit(
    kind: &Kind,
    options: &TrainOptions,
    prepared: &Prepared,
    from: Option<&dyn Predictor>,
    points: &mut Vec<MetricPoint>,
    ctx: &OpCtx<'_>,
) -> Result<Fitted> {
    let (spec, task) = (&options.spec, prepared.subject.task);
    check(kind, spec, prepared)?;
    let rows_of = |part: Part| -> Result<Rows> {
        let (matrix, target) = prepared.part(part)?;
        Ok(Rows { matrix, target, weights: prepared.weights(part) })
    };
    let (train, factors) = weighted(rows_of(Part::Train)?, spec)?;
    let held = rows_of(Part::Validation)?;
    say_unseen_classes(&train.target, ctx.talk);
    let started = Instant::now();
    let predictor = fit_kind(kind, spec, &train, (held.matrix.rows() > 0).then_some(&held), from, ctx, points)?;
    let seconds = started.elapsed().as_secs_f64();
    let (scored_on, scored) = if held.matrix.rows() > 0 { ("validation", &held) } else { ("train", &train) };
    if held.matrix.rows() == 0 {
        ctx.talk.warn("there are no validation rows: these scores are of the training rows and flatter the model");
    }
    let raw = predictor.predict(&scored.matrix)?;
    unsupervised::say(task, scored.matrix.rows(), ctx.talk);
    let seen = Seen::of(&scored.matrix, task);
    let (calibration, mended, said) = calibrate(kind, spec.calibrate, raw, scored, task, ctx.talk)?;
    let threshold = threshold(spec, &mended, &scored.target)?;
    let value = threshold.as_ref().map(|threshold| threshold.value);
    let baseline = baseline(prepared, &train, scored, &seen, ctx)?;
    let named = |factors: Vec<f64>| train.target.classes().iter().cloned().zip(factors).collect();
    let class_weight = factors.map(named);
    Ok(Fitted {
        metrics: score_at(&mended, &scored.target, task, value, &seen)?,
        answers: mended,
        truth: scored.target.clone(),
        baseline,
        threshold: value,
        calibration,
        choices: ChoicesReport { class_weight, calibration: said, threshold },
        predictor,
        params: None,
        scored_on,
        rows: train.matrix.rows(),
        seconds,
    })
}

/// Multiplies the weights of classes into those of the rows, and checks what comes out; with the factor of each class when
/// classes are weighed.
///
/// Errors: classes that are not there, weights that sum to nothing.
pub fn weighted(mut rows: Rows, spec: &TrainSpec) -> Result<(Rows, Option<Vec<f64>>)> {
    let of_class = |weight| weights::class_factors(weight, &rows.target, rows.weights.as_deref());
    let factors = spec.class_weight.as_ref().map(of_class).transpose()?;
    if let (Some(factors), Target::Classes { codes, .. }) = (&factors, &rows.target) {
        rows.weights = Some(weights::times_factors(factors, codes, rows.weights.as_deref()));
    }
    if let Some(all) = &rows.weights {
        weights::check_sum(all)?;
    }
    Ok((rows, factors))
}

/// Fits one model.
pub fn fit_kind(
    kind: &Kind,
    spec: &TrainSpec,
    train: &Rows,
    held: Option<&Rows>,
    from: Option<&dyn Predictor>,
    ctx: &OpCtx<'_>,
    points: &mut Vec<MetricPoint>,
) -> Result<Box<dyn Predictor>> {
    let mut input = FitInput {
        matrix: &train.matrix,
        target: &train.target,
        weights: train.weights.as_deref(),
        validation: held.map(|held| (&held.matrix, &held.target)),
        from,
        params: &spec.params,
        seed: Seed(ctx.seed).derive("model"),
        talk: ctx.talk,
        points: &mut |point| {
            points.push(point);
            ControlFlow::Continue(())
        },
    };
    (kind.fit)(&mut input)
}

/// Says which classes no training row is of: a model cannot learn them.
pub fn say_unseen_classes(target: &Target, talk: &dyn Talk) {
    let Target::Classes { names, codes } = target else {
        return;
    };
    let mut seen = vec![false; names.len()];
    codes.iter().for_each(|code| seen[*code as usize] = true);
    for (name, _) in names.iter().zip(seen).filter(|(_, seen)| !seen) {
        talk.warn(&format!("no training row is of class `{name}`: the model cannot learn it"));
    }
}

/// What any model has to beat: class shares, the mean, for a split by time the target of the latest training row; one cluster
/// or the same score for every row where nothing is predicted.
pub fn baseline(
    prepared: &Prepared,
    train: &Rows,
    scored: &Rows,
    seen: &Seen,
    ctx: &OpCtx<'_>,
) -> Result<BaselineReport> {
    let (rows, task) = (train.target.len() as f64, prepared.subject.task);
    let (kind, answer) = match &train.target {
        Target::Classes { names, codes } => {
            let mut counts = vec![0_u64; names.len()];
            codes.iter().for_each(|code| counts[*code as usize] += 1);
            ("class_shares", counts.iter().map(|count| *count as f64 / rows).collect())
        }
        Target::Numbers(values) => match latest(prepared)? {
            Some(place) => ("last_value", vec![values[place]]),
            None => ("mean", vec![values.iter().sum::<f64>() / rows]),
        },
        Target::Labels { .. } => ("all_alike", Vec::new()),
    };
    let predictions = match constant(&answer, &scored.target) {
        Some(predictions) => predictions,
        None => {
            let (kind, quiet) = (zoo::kind("baseline")?, OpCtx { talk: &Silent, ..ctx.clone() });
            let plain = TrainSpec::default();
            fit_kind(kind, &plain, train, None, None, &quiet, &mut Vec::new())?.predict(&scored.matrix)?
        }
    };
    let metrics = score_at(&predictions, &scored.target, task, None, seen)?;
    Ok(BaselineReport { kind, answer, metrics })
}

/// The same answer for every row of `truth`; `None` where nothing is predicted.
pub fn constant(answer: &[f64], truth: &Target) -> Option<Predictions> {
    let values = answer.repeat(truth.len());
    match truth {
        Target::Classes { .. } => Some(Predictions::Probabilities { classes: answer.len(), values }),
        Target::Numbers(_) => Some(Predictions::Numbers(values)),
        Target::Labels { .. } => None,
    }
}

/// Place of the latest training row, the last one on a tie; none unless the rows are divided by time.
fn latest(prepared: &Prepared) -> Result<Option<usize>> {
    let (SplitMethod::Time, Some(column)) = (prepared.split_spec.method, &prepared.split_spec.column) else {
        return Ok(None);
    };
    let times = times::read(&prepared.subject.table, column, &prepared.split.rows(Part::Train as u8))?;
    Ok((0..times.len()).max_by(|a, b| times[*a].total_cmp(&times[*b])))
}
