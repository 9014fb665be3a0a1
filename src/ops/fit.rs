//! One fit and what is decided around it: weights, the start, calibration, threshold, and the baseline beside it.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::data::matrix::Matrix;
use crate::data::split::times;
use crate::data::target::Target;
use crate::data::weights;
use crate::metrics;
use crate::models::calibration::Calibration;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::threshold::choose;
use crate::models::zoo::{self, Kind};
use crate::ops::context::OpCtx;
use crate::ops::prepare::{Part, Prepared};
use crate::ops::train::{TrainOptions, score_at};
use crate::record::run::MetricPoint;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::split::SplitMethod;
use crate::spec::training::{CalibrationMethod, ThresholdSpec};

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
    /// Which rows the scores are of.
    pub scored_on: Part,
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
    /// `class_shares`, `mean` or `last_value`.
    pub kind: &'static str,
    /// Class shares, or one number.
    pub answer: Vec<f64>,
    /// Its scores on the rows that the model was scored on.
    pub metrics: BTreeMap<String, f64>,
}

/// What was decided around a fit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChoicesReport {
    /// Factor of each class in the fit; none when all are 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<BTreeMap<String, f64>>,
    /// How probabilities were mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationReport>,
    /// From where on a row is positive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdReport>,
}

/// How probabilities were mended.
#[derive(Clone, Debug, Serialize)]
pub struct CalibrationReport {
    /// `platt` or `isotonic`.
    pub method: String,
    /// Validation rows it was fitted on.
    pub rows: usize,
    /// `brier`, `expected_calibration_error` and `log_loss` on those rows before.
    pub before: BTreeMap<String, f64>,
    /// The same after.
    pub after: BTreeMap<String, f64>,
}

/// From where on a row is positive.
#[derive(Clone, Debug, Serialize)]
pub struct ThresholdReport {
    /// The threshold.
    pub value: f64,
    /// What it was chosen by: `f1`, `balanced_accuracy`, `youden`, `cost`, or `given`.
    pub by: String,
    /// What the rule counts, there, on the validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<f64>,
    /// The same at one half.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_half: Option<f64>,
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
    let (train, factors) = training_rows(prepared, spec)?;
    let (matrix, target) = prepared.part(Part::Validation)?;
    let held = Rows { matrix, target, weights: prepared.weights(Part::Validation) };
    say_unseen_classes(&train.target, ctx.talk);
    let started = Instant::now();
    let predictor = fit_kind(kind, spec, &train, (held.matrix.rows() > 0).then_some(&held), from, ctx, points)?;
    let seconds = started.elapsed().as_secs_f64();
    let (scored_on, scored) = if held.matrix.rows() > 0 { (Part::Validation, &held) } else { (Part::Train, &train) };
    if scored_on == Part::Train {
        ctx.talk.warn("there are no validation rows: these scores are of the training rows and flatter the model");
    }
    let raw = predictor.predict(&scored.matrix)?;
    let (calibration, mended, said) = calibrate(kind, spec.calibrate, raw, scored, task, ctx.talk)?;
    let threshold = threshold(spec, &mended, &scored.target)?;
    let value = threshold.as_ref().map(|threshold| threshold.value);
    let baseline = baseline(prepared, &train.target, &scored.target, task)?;
    Ok(Fitted {
        metrics: score_at(&mended, &scored.target, task, value)?,
        baseline,
        threshold: value,
        calibration,
        choices: ChoicesReport { class_weight: factors, calibration: said, threshold },
        predictor,
        scored_on,
        rows: train.matrix.rows(),
        seconds,
    })
}

/// Refuses what cannot be done before anything is fitted.
fn check(kind: &Kind, spec: &TrainSpec, prepared: &Prepared) -> Result<()> {
    spec.check()?;
    let task = prepared.subject.task;
    zoo::check_weights(kind, task, prepared.subject.weights.is_some() || spec.class_weight.is_some())?;
    let no_rows = prepared.split.counts()[Part::Validation as usize] == 0;
    let calibrates = spec.calibrate != CalibrationMethod::None;
    if calibrates && !task.is_classification() {
        return Err(fail::usage("calibration is for classes, and this is a regression")
            .hint("leave calibrate out")
            .into());
    }
    if spec.threshold.is_some() && task != Task::Binary {
        let what = format!("a threshold tells two classes apart, and this is a {} task", task.name());
        return Err(fail::usage(what).hint("leave threshold out").into());
    }
    let chooses = matches!(spec.threshold, Some(ThresholdSpec::Rule(_)));
    if no_rows && (calibrates || chooses) {
        let what = if calibrates { "calibration is fitted" } else { "a threshold is chosen" };
        return Err(fail::usage(format!("{what} on validation rows, and there are none"))
            .hint("set validation above 0 in [split]; a threshold can also be given as a number")
            .into());
    }
    Ok(())
}

/// The training rows with their weights, those of their classes multiplied in; and the factors of the classes by name.
fn training_rows(prepared: &Prepared, spec: &TrainSpec) -> Result<(Rows, Option<BTreeMap<String, f64>>)> {
    let (matrix, target) = prepared.part(Part::Train)?;
    let rows = Rows { matrix, target, weights: prepared.weights(Part::Train) };
    let factors = match &spec.class_weight {
        Some(weight) => Some(weights::class_factors(weight, &rows.target, rows.weights.as_deref())?),
        None => None,
    };
    let named = factors.as_ref().map(|factors| {
        rows.target.classes().iter().cloned().zip(factors.iter().copied()).collect::<BTreeMap<String, f64>>()
    });
    Ok((weighted(rows, spec)?, named))
}

/// Multiplies the weights of classes into those of the rows, and checks what comes out.
pub fn weighted(mut rows: Rows, spec: &TrainSpec) -> Result<Rows> {
    if let (Some(weight), Target::Classes { codes, .. }) = (&spec.class_weight, &rows.target) {
        let factors = weights::class_factors(weight, &rows.target, rows.weights.as_deref())?;
        rows.weights = Some(weights::times_factors(&factors, codes, rows.weights.as_deref()));
    }
    if let Some(all) = &rows.weights {
        weights::check_sum(all)?;
    }
    Ok(rows)
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
        points: &mut |point| points.push(point),
    };
    (kind.fit)(&mut input)
}

/// Says which classes no training row is of: a model cannot learn them.
fn say_unseen_classes(target: &Target, talk: &dyn Talk) {
    let Target::Classes { names, codes } = target else {
        return;
    };
    let mut seen = vec![false; names.len()];
    codes.iter().for_each(|code| seen[*code as usize] = true);
    for (name, _) in names.iter().zip(seen).filter(|(_, seen)| !seen) {
        talk.warn(&format!("no training row is of class `{name}`: the model cannot learn it"));
    }
}

type Calibrated = (Option<Calibration>, Predictions, Option<CalibrationReport>);

fn calibrate(
    kind: &Kind,
    method: CalibrationMethod,
    raw: Predictions,
    held: &Rows,
    task: Task,
    talk: &dyn Talk,
) -> Result<Calibrated> {
    let (CalibrationMethod::Platt | CalibrationMethod::Isotonic, Target::Classes { names, codes }) =
        (method, &held.target)
    else {
        return Ok((None, raw, None));
    };
    let measure = |predictions: &Predictions| {
        let names = ["brier", "expected_calibration_error", "log_loss"];
        metrics::compute(Some(&names), &crate::ops::train::scores(predictions, &held.target)?, task)
    };
    let before = measure(&raw)?;
    let (calibration, left) = Calibration::fit(method, kind.name, &raw, codes, held.weights.as_deref())?;
    for class in left {
        let name = &names[class];
        talk.warn(&format!("no validation row is of class `{name}`: its probability is not calibrated"));
    }
    let mended = calibration.apply(raw);
    let after = measure(&mended)?;
    let report = CalibrationReport { method: method.name().to_owned(), rows: codes.len(), before, after };
    Ok((Some(calibration), mended, Some(report)))
}

fn threshold(spec: &TrainSpec, predictions: &Predictions, truth: &Target) -> Result<Option<ThresholdReport>> {
    let (rule, costs) = match spec.threshold {
        None => return Ok(None),
        Some(ThresholdSpec::Value(value)) => {
            return Ok(Some(ThresholdReport { value, by: "given".to_owned(), reached: None, at_half: None }));
        }
        Some(ThresholdSpec::Rule(rule)) => (rule, spec.threshold_costs.unwrap_or_default()),
    };
    let (Predictions::Probabilities { classes: 2, values }, Target::Classes { codes, .. }) = (predictions, truth)
    else {
        return Err(fail::world("the model does not answer two classes").into());
    };
    let positive: Vec<bool> = codes.iter().map(|code| *code == 1).collect();
    let probabilities: Vec<f64> = values.iter().skip(1).step_by(2).copied().collect();
    let chosen = choose(rule, costs, &positive, &probabilities)?;
    Ok(Some(ThresholdReport {
        value: chosen.threshold,
        by: rule.name().to_owned(),
        reached: Some(chosen.value),
        at_half: Some(chosen.value_at_half),
    }))
}

/// What any model has to beat: class shares, the mean, or for a split by time the target of the latest training row.
fn baseline(prepared: &Prepared, train: &Target, scored: &Target, task: Task) -> Result<BaselineReport> {
    let rows = train.len() as f64;
    let (kind, answer) = match train {
        Target::Classes { names, codes } => {
            let mut counts = vec![0_u64; names.len()];
            codes.iter().for_each(|code| counts[*code as usize] += 1);
            ("class_shares", counts.iter().map(|count| *count as f64 / rows).collect())
        }
        Target::Numbers(values) => match latest(prepared)? {
            Some(place) => ("last_value", vec![values[place]]),
            None => ("mean", vec![values.iter().sum::<f64>() / rows]),
        },
    };
    let metrics = score_at(&constant(&answer, scored), scored, task, None)?;
    Ok(BaselineReport { kind, answer, metrics })
}

/// The same answer for every row of `truth`.
pub fn constant(answer: &[f64], truth: &Target) -> Predictions {
    let values = answer.repeat(truth.len());
    match truth {
        Target::Classes { .. } => Predictions::Probabilities { classes: answer.len(), values },
        Target::Numbers(_) => Predictions::Numbers(values),
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
