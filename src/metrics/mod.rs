//! Numbers that say how good predictions are, and the verdict that gates draw from them.
//!
//! Lives here: the one table of metrics (`zoo`), their definitions by idea (`binary`, `multiclass`, `probability`,
//! `ranking`, `regression`, `clustering`, `anomaly`), curves for plots (`curves`, `calibration`), metrics of parts of the rows (`slices`) and
//! gates (`gate`). Does not live here: making predictions (`models`), deciding which rows are judged (`data`, `ops`),
//! drift (`drift`).
//!
//! Always holds: the same rows give the same bits on any number of threads; a value is a finite number or left out;
//! the predicted class is the most probable one, the first on a tie, unless a threshold is given; the positive class of a binary task is the second
//! name (names are sorted, so `1`, `true` and `yes` come second).

pub mod anomaly;
pub mod binary;
pub mod bootstrap;
pub mod calibration;
pub mod classes;
pub mod clustering;
pub mod compare;
pub mod counts;
pub mod curves;
pub mod folds;
pub mod gate;
pub mod multiclass;
pub mod numbers;
pub mod probability;
pub mod ranking;
pub mod regression;
pub mod slices;
pub mod sums;
pub mod zoo;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::metrics::anomaly::Anomalies;
use crate::metrics::classes::Classes;
use crate::metrics::clustering::Clusters;
use crate::metrics::numbers::Numbers;
use crate::record::evaluation::ConfusionMatrix;
use crate::spec::model::Task;

/// True values and what a model said of them.
#[derive(Clone, Copy, Debug)]
pub enum Scores<'a> {
    /// Classification.
    Classes {
        /// Code of the true class of each row, an index into `names`.
        truth: &'a [u32],
        /// `rows × classes` probabilities, row by row.
        probabilities: &'a [f64],
        /// Names of the classes, sorted; of two, the second is the positive class.
        names: &'a [String],
    },
    /// Regression.
    Numbers {
        /// True value of each row.
        truth: &'a [f64],
        /// Predicted value of each row.
        predicted: &'a [f64],
    },
    /// Clustering; known groups are compared where there are some.
    Clusters(Clusters<'a>),
    /// Anomaly detection.
    Anomalies {
        /// 0 normal, 1 anomalous, or missing, one a row.
        truth: &'a [u32],
        /// Anomaly score of each row.
        scores: &'a [f64],
        /// Scores above it are anomalous.
        threshold: f64,
    },
}

impl Scores<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Scores::Classes { truth, .. } => truth.len(),
            Scores::Numbers { truth, .. } => truth.len(),
            Scores::Clusters(clusters) => clusters.codes.len(),
            Scores::Anomalies { scores, .. } => scores.len(),
        }
    }
}

/// Scores of some rows with what else decides their metrics.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// True values and answers.
    pub scores: Scores<'a>,
    /// What is predicted.
    pub task: Task,
    /// The second of two classes is predicted where its probability is above it; `None`: the most probable class.
    pub threshold: Option<f64>,
    /// How much each row counts, 0 or more; `None`: all alike.
    pub weights: Option<&'a [f64]>,
    /// What each answer costs, `costs[truth][prediction]`, classes in their order; of classes only.
    pub costs: Option<&'a [Vec<f64>]>,
    /// Between which numbers each true number is said to lie; of regression only.
    pub bounds: Option<Bounds<'a>>,
}

/// Ends of the interval that goes with each predicted number, one a row.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// Lower ends.
    pub low: &'a [f64],
    /// Upper ends, none below its lower end.
    pub high: &'a [f64],
}

impl<'a> Sample<'a> {
    /// Scores alone: the most probable class, rows all alike, no costs, no intervals.
    pub fn new(scores: Scores<'a>, task: Task) -> Sample<'a> {
        Sample { scores, task, threshold: None, weights: None, costs: None, bounds: None }
    }
}

/// One row of the table of metrics.
#[derive(Debug)]
pub struct Metric {
    /// scikit-learn's name where it has one, without `_score` and `_loss` where people leave them out.
    pub name: &'static str,
    /// Tasks that it has a meaning for.
    pub tasks: &'static [Task],
    /// Whether a larger value is a better one.
    pub higher_is_better: bool,
    /// What it measures, in a sentence.
    pub about: &'static str,
    measure: Measure,
}

/// How a metric is computed; `None` where it has no meaning on the rows given.
#[derive(Debug)]
enum Measure {
    Classes(fn(&Classes) -> Option<f64>),
    Numbers(fn(&Numbers) -> Option<f64>),
    Clusters(fn(&Clusters) -> Option<f64>),
    Anomalies(fn(&Anomalies) -> Option<f64>),
}

/// Scores checked and counted once, for all metrics.
enum Prepared<'a> {
    Classes(Classes<'a>),
    Numbers(Numbers<'a>),
    Clusters(Clusters<'a>),
    Anomalies(Anomalies<'a>),
}

/// Values of the metrics `names`, or of all metrics of `task`, by name. One that has no meaning on these rows (one
/// class only, no rows, a constant target) is left out.
///
/// Errors: an unknown metric or one of another task; scores of another task; slices of different lengths; a class code
/// that has no name; a number that is not finite; a probability outside `[0, 1]`. Cost: O(rows × classes) for most,
/// O(classes × rows log rows) for `roc_auc`, `average_precision` and `ks` together.
pub fn compute(names: Option<&[&str]>, scores: &Scores, task: Task) -> Result<BTreeMap<String, f64>> {
    compute_at(names, scores, task, None)
}

/// As [`compute`], of a sample.
pub fn measure(names: Option<&[&str]>, sample: &Sample) -> Result<BTreeMap<String, f64>> {
    compute_at(names, &sample.scores, sample.task, sample.threshold)
}

/// As [`compute`], with the second of two classes predicted where its probability is above `threshold`.
pub fn compute_at(
    names: Option<&[&str]>,
    scores: &Scores,
    task: Task,
    threshold: Option<f64>,
) -> Result<BTreeMap<String, f64>> {
    let metrics = match names {
        None => zoo::all(task),
        Some(names) => names.iter().map(|name| zoo::find(name, task)).collect::<Result<_>>()?,
    };
    let prepared = prepare(scores, task, threshold)?;
    let values = metrics.into_iter().filter_map(|metric| {
        let value = match (&metric.measure, &prepared) {
            (Measure::Classes(measure), Prepared::Classes(classes)) => measure(classes),
            (Measure::Numbers(measure), Prepared::Numbers(numbers)) => measure(numbers),
            (Measure::Clusters(measure), Prepared::Clusters(clusters)) => measure(clusters),
            (Measure::Anomalies(measure), Prepared::Anomalies(anomalies)) => measure(anomalies),
            _ => None,
        };
        value.filter(|value| value.is_finite()).map(|value| (metric.name.to_owned(), value))
    });
    Ok(values.collect())
}

/// Counts of true against predicted classes; `None` for numbers and for scores that [`compute`] would refuse.
pub fn confusion(scores: &Scores) -> Option<ConfusionMatrix> {
    confusion_at(scores, None)
}

/// As [`confusion`], with the second of two classes predicted where its probability is above `threshold`.
pub fn confusion_at(scores: &Scores, threshold: Option<f64>) -> Option<ConfusionMatrix> {
    let Scores::Classes { truth, probabilities, names } = *scores else {
        return None;
    };
    let classes = Classes::new(truth, probabilities, names).ok()?.at(threshold);
    Some(classes.counts().to_matrix(names))
}

fn prepare<'a>(scores: &Scores<'a>, task: Task, threshold: Option<f64>) -> Result<Prepared<'a>> {
    let wrong =
        |what: &str| Err(fail::usage(format!("these scores are {what}, and the task is {}", task.name())).into());
    match *scores {
        Scores::Classes { truth, probabilities, names } if task.is_classification() => {
            if task == Task::Binary && names.len() != 2 {
                let message = format!("a binary task has two classes, these scores have {}", names.len());
                return Err(fail::usage(message).into());
            }
            Ok(Prepared::Classes(Classes::new(truth, probabilities, names)?.at(threshold)))
        }
        Scores::Numbers { truth, predicted } if task == Task::Regression => {
            Ok(Prepared::Numbers(Numbers::new(truth, predicted)?))
        }
        Scores::Clusters(clusters) if task == Task::Clustering => Ok(Prepared::Clusters(Clusters::new(clusters)?)),
        Scores::Anomalies { truth, scores, threshold } if task == Task::Anomaly => {
            Ok(Prepared::Anomalies(Anomalies::new(truth, scores, threshold)?))
        }
        Scores::Classes { .. } => wrong("probabilities of classes"),
        Scores::Numbers { .. } => wrong("numbers"),
        Scores::Clusters { .. } => wrong("clusters"),
        Scores::Anomalies { .. } => wrong("anomaly scores"),
    }
}
