//! What is decided beside a fit on rows that it did not see: how probabilities are mended, from where on a row is positive.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::talk::Talk;
use crate::data::target::Target;
use crate::metrics;
use crate::models::calibration::Calibration;
use crate::models::predictor::Predictions;
use crate::models::threshold::choose;
use crate::models::zoo::{self, Kind};
use crate::ops::fit::Rows;
use crate::ops::prepare::{Part, Prepared};
use crate::ops::train::scores;
use crate::ops::unsupervised::Seen;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::training::{CalibrationMethod, ThresholdSpec};

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

/// Refuses what cannot be done before anything is fitted.
pub fn check(kind: &Kind, spec: &TrainSpec, prepared: &Prepared) -> Result<()> {
    spec.check()?;
    let task = prepared.subject.task;
    zoo::check_weights(kind, task, prepared.subject.weights.is_some() || spec.class_weight.is_some())?;
    check_task(spec, task)?;
    let no_rows = prepared.split.counts()[Part::Validation as usize] == 0;
    let calibrates = spec.calibrate != CalibrationMethod::None;
    let chooses = matches!(spec.threshold, Some(ThresholdSpec::Rule(_)));
    if no_rows && (calibrates || chooses) {
        let what = if calibrates { "calibration is fitted" } else { "a threshold is chosen" };
        return Err(fail::usage(format!("{what} on validation rows, and there are none"))
            .hint("set validation above 0 in [split]; a threshold can also be given as a number")
            .into());
    }
    Ok(())
}

/// Refuses a calibration or a threshold that `task` has no use for.
pub fn check_task(spec: &TrainSpec, task: Task) -> Result<()> {
    if spec.calibrate != CalibrationMethod::None && !task.is_classification() {
        return Err(fail::usage("calibration is for classes, and this is a regression")
            .hint("leave calibrate out")
            .into());
    }
    if spec.threshold.is_some() && task != Task::Binary {
        let what = format!("a threshold tells two classes apart, and this is a {} task", task.name());
        return Err(fail::usage(what).hint("leave threshold out").into());
    }
    Ok(())
}

/// Curves, mended predictions, and what changed.
pub type Calibrated = (Option<Calibration>, Predictions, Option<CalibrationReport>);

/// Mends `raw`, the predictions for `held`, as `method` has it, and says what that changed.
///
/// Errors: rows of one class only.
pub fn calibrate(
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
    let seen = Seen::of(&held.matrix, task);
    let measure = |predictions: &Predictions| {
        let names = ["brier", "expected_calibration_error", "log_loss"];
        metrics::compute(Some(&names), &scores(predictions, &held.target, &seen)?, task)
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

/// The threshold that `spec` gives or asks to be chosen on `predictions`; none when it says nothing.
///
/// Errors: rows of one class only.
pub fn threshold(spec: &TrainSpec, predictions: &Predictions, truth: &Target) -> Result<Option<ThresholdReport>> {
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
