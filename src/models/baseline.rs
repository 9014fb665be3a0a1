//! `baseline`: one answer whatever the features. What any model has to beat.
//!
//! Classes: their shares, the commonest, or the last one; numbers: mean, median or last value. Clustering: one cluster around
//! the mean of all rows. Anomaly detection: the same score for every row, so that none is odder than another and none is
//! flagged: what chance gives.

use std::any::Any;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::spec::model::{BaselineParams, BaselineStrategy, Task};

/// Score of every row, and the threshold that none is above.
pub(crate) const SAME_SCORE: f64 = 0.5;

/// Always the same answer.
pub(crate) struct Baseline {
    pub(crate) features: usize,
    pub(crate) answer: Answer,
}

/// What is always answered.
pub(crate) enum Answer {
    /// One share a class.
    Shares(Vec<f64>),
    /// One number.
    Number(f64),
    /// The only center.
    Center(Vec<f64>),
    /// The same score.
    Score,
}

/// Fits the baseline. Errors: no rows, a strategy that is for another task.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: BaselineParams = params::read("baseline", fit.params)?;
    if fit.target.is_empty() {
        return Err(fail::usage("there are no training rows").hint("give data with at least one row").into());
    }
    let features = fit.matrix.features().len();
    let answer = match fit.target {
        Target::Classes { .. } => Answer::Shares(shares(fit, given.strategy)?),
        Target::Numbers(_) => Answer::Number(number(fit, given.strategy)?),
        Target::Labels { task, .. } => {
            if given.strategy != BaselineStrategy::Auto {
                return Err(wrong(given.strategy, task.name(), "auto"));
            }
            match task {
                Task::Clustering => Answer::Center(center(fit)?),
                _ => Answer::Score,
            }
        }
    };
    Ok(Box::new(Baseline { features, answer }))
}

fn wrong(strategy: BaselineStrategy, task: &str, known: &str) -> anyhow::Error {
    let name = format!("{strategy:?}").to_lowercase();
    fail::usage(format!("strategy `{name}` of `baseline` means nothing for {task}")).hint(format!("use {known}")).into()
}

fn weight(fit: &FitInput<'_>, row: usize) -> f64 {
    fit.weights.map_or(1.0, |weights| weights[row])
}

fn shares(fit: &FitInput<'_>, strategy: BaselineStrategy) -> Result<Vec<f64>> {
    let classes = input::classes("baseline", fit.target)?;
    let mut sums = vec![0.0; classes.counts.len()];
    classes.codes.iter().enumerate().for_each(|(row, &code)| sums[code as usize] += weight(fit, row));
    let certain = |class: usize| (0..sums.len()).map(|other| f64::from(u8::from(other == class))).collect();
    let total: f64 = sums.iter().sum();
    Ok(match strategy {
        BaselineStrategy::Auto | BaselineStrategy::Shares => sums.iter().map(|sum| sum / total).collect(),
        BaselineStrategy::Majority => {
            certain((0..sums.len()).fold(0, |best, class| if sums[class] > sums[best] { class } else { best }))
        }
        BaselineStrategy::Last => certain(classes.codes.last().map_or(0, |code| *code as usize)),
        other => return Err(wrong(other, "classes", "auto, shares, majority or last")),
    })
}

fn number(fit: &FitInput<'_>, strategy: BaselineStrategy) -> Result<f64> {
    let values = input::numbers("baseline", fit.target)?;
    match strategy {
        BaselineStrategy::Auto | BaselineStrategy::Mean => match fit.weights {
            None => Ok(values.iter().sum::<f64>() / values.len() as f64),
            Some(weights) => {
                let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
                Ok(sum / weights.iter().sum::<f64>())
            }
        },
        BaselineStrategy::Median => Ok(median(values, fit)),
        BaselineStrategy::Last => Ok(values[values.len() - 1]),
        other => Err(wrong(other, "numbers", "auto, mean, median or last")),
    }
}

/// The value with as much weight below as above; the middle of two when the halves are equal.
fn median(values: &[f64], fit: &FitInput<'_>) -> f64 {
    let mut order: Vec<usize> = (0..values.len()).filter(|row| weight(fit, *row) > 0.0).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let half = order.iter().map(|row| weight(fit, *row)).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (place, row) in order.iter().enumerate() {
        below += weight(fit, *row);
        if below > half {
            return values[*row];
        }
        if below == half && place + 1 < order.len() {
            return values[*row] / 2.0 + values[order[place + 1]] / 2.0;
        }
    }
    order.last().map_or(0.0, |row| values[*row])
}

fn center(fit: &FitInput<'_>) -> Result<Vec<f64>> {
    input::all_finite("baseline", fit.matrix)?;
    let rows = 0..fit.matrix.rows();
    let total: f64 = rows.clone().map(|row| weight(fit, row)).sum();
    let mean = |feature: &crate::data::matrix::Feature| {
        // Each value is divided first, so that the sum of large ones stays finite.
        rows.clone().map(|row| weight(fit, row) / total * feature.values.get(row)).sum()
    };
    Ok(fit.matrix.features().iter().map(mean).collect())
}

/// Reads a baseline back. What answers classes and numbers ends with its values; the other tasks say which they are.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let values = form.f64s("values")?;
    if values.iter().any(|value| !value.is_finite()) {
        return Err(damaged("values", "they must be finite"));
    }
    let task = if form.end().is_ok() { String::new() } else { form.text("task")? };
    let answer = match (task.as_str(), classes, values.len()) {
        ("", 0, 1) => Answer::Number(values[0]),
        ("", _, count) if classes == count && count > 0 => {
            let total: f64 = values.iter().sum();
            if values.iter().any(|share| *share < 0.0) || (total - 1.0).abs() > 1e-9 {
                return Err(damaged("values", "these are not shares"));
            }
            Answer::Shares(values)
        }
        ("clustering", 0, width) if width == features && width > 0 => Answer::Center(values),
        ("anomaly", 0, 0) => Answer::Score,
        _ => return Err(damaged("values", "their number does not fit")),
    };
    Ok(Box::new(Baseline { features, answer }))
}

impl Predictor for Baseline {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        let rows = matrix.rows();
        Ok(match &self.answer {
            Answer::Shares(shares) => Predictions::Probabilities { classes: shares.len(), values: shares.repeat(rows) },
            Answer::Number(number) => Predictions::Numbers(vec![*number; rows]),
            Answer::Score => Predictions::Anomalies { scores: vec![SAME_SCORE; rows], threshold: SAME_SCORE },
            Answer::Center(center) => {
                input::all_finite("baseline", matrix)?;
                let distance = |row: usize| {
                    let pairs = matrix.features().iter().zip(center);
                    let square: f64 = pairs.map(|(feature, center)| (feature.values.get(row) - center).powi(2)).sum();
                    square.sqrt().min(f64::MAX)
                };
                let distances = (0..rows).map(distance).collect();
                Predictions::Clusters { clusters: 1, codes: vec![0; rows], distances }
            }
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.features as u64);
        let (classes, values, task): (usize, &[f64], &str) = match &self.answer {
            Answer::Shares(shares) => (shares.len(), shares, ""),
            Answer::Number(number) => (0, std::slice::from_ref(number), ""),
            Answer::Center(center) => (0, center, "clustering"),
            Answer::Score => (0, &[], "anomaly"),
        };
        form.u64("classes", classes as u64);
        form.f64s("values", values);
        if !task.is_empty() {
            form.text("task", task);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
