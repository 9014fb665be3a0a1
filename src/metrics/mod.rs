//! Numbers that say how good predictions are, and the verdict that gates draw from them.
//!
//! Lives here: the one table of metrics (`zoo`, rows in `metric`), their definitions by idea (`binary`, `operating`, `multiclass`, `pairs`,
//! `probability`, `ranking`, `regression`, `deviance`, `clustering`, `anomaly`), what they count on (`classes`, `positive`, `ranked`, `numbers`,
//! `weights`), curves for plots (`curves`, `calibration`), metrics of parts of the rows (`slices`),
//! fairness to groups (`facets`), names of disturbances (`robustness`) and gates (`gate`). Does not live here: making predictions (`models`), deciding which rows are judged (`data`, `ops`), drift (`drift`).
//!
//! Always holds: a row of weight 2 counts as two such rows, one of weight 0 as none; the same rows give the same bits on any number of threads; a value is a finite number or left out;
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
pub mod deviance;
pub mod facets;
pub mod folds;
pub mod gate;
pub mod metric;
pub mod multiclass;
pub mod numbers;
pub mod operating;
pub mod pairs;
pub mod picked;
pub mod positive;
pub mod prepared;
pub mod probability;
pub mod ranked;
pub mod ranking;
pub mod regression;
pub mod robustness;
pub mod slices;
pub mod spread;
pub mod sums;
pub mod weights;
pub mod worst;
pub mod zoo;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::metrics::classes::Classes;
use crate::metrics::clustering::Clusters;
use crate::metrics::metric::Chosen;
use crate::metrics::picked::Picked;
use crate::metrics::prepared::{Known, Prepared};
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

/// Values of the metrics `names`, or of those measured unless others are asked for, by name, all rows alike and the most
/// probable class predicted. See [`measure`].
pub fn compute(names: Option<&[&str]>, scores: &Scores, task: Task) -> Result<BTreeMap<String, f64>> {
    measure(names, &Sample::new(*scores, task))
}

/// As [`compute`], with the second of two classes predicted where its probability is above `threshold`.
pub fn compute_at(
    names: Option<&[&str]>,
    scores: &Scores,
    task: Task,
    threshold: Option<f64>,
) -> Result<BTreeMap<String, f64>> {
    measure(names, &Sample { threshold, ..Sample::new(*scores, task) })
}

/// Values of the metrics `names`, each as it was asked for, or of those of [`zoo::usual`], by name. One that has no meaning
/// on these rows (one class only, no rows, a constant target) is left out.
///
/// Weights count as scikit-learn's `sample_weight`; where it has none, as repeated rows. Errors: an unknown metric or one of
/// another task; a parameter out of its range; a class that is none; scores of another task; slices of different lengths; a
/// class code that has no name; a number that is not finite; a probability outside `[0, 1]`; a weight below 0. Cost: O(rows ×
/// classes) for most, one sort of the rows a class for all that depend on their order; on all threads, with the same bits on
/// any number of them.
pub fn measure(names: Option<&[&str]>, sample: &Sample) -> Result<BTreeMap<String, f64>> {
    let chosen: Vec<Chosen> = match names {
        None => zoo::usual_of(sample).into_iter().map(|name| zoo::find(name, sample.task)).collect::<Result<_>>()?,
        Some(names) => names.iter().map(|name| zoo::find(name, sample.task)).collect::<Result<_>>()?,
    };
    // All rows are checked, also those that weigh nothing; the others alone are measured.
    let prepared = Prepared::new(sample)?;
    let rows = sample.scores.rows();
    match prepared.weights().rows_above_zero() {
        None => values(&chosen, &Known { prepared, rows }),
        Some(kept) => {
            let picked = Picked::new(sample, &kept);
            values(&chosen, &Known { prepared: Prepared::new(&picked.sample())?, rows })
        }
    }
}

/// Rows below which threads cost more than they save.
const PARALLEL_ROWS_MIN: usize = 5_000;

fn values(chosen: &[Chosen], known: &Known) -> Result<BTreeMap<String, f64>> {
    chosen.iter().try_for_each(|chosen| chosen.check(known))?;
    if let Prepared::Classes(classes) = &known.prepared
        && chosen.iter().any(Chosen::is_of_order)
    {
        classes.rank();
    }
    let value = |chosen: &Chosen| Some((chosen.name.clone(), chosen.value(known)?));
    if known.rows < PARALLEL_ROWS_MIN {
        return Ok(chosen.iter().filter_map(value).collect());
    }
    let found: Vec<(String, f64)> = chosen.par_iter().filter_map(value).collect();
    Ok(found.into_iter().collect())
}

/// Counts of true against predicted classes, of rows and not of their weights; `None` for numbers and for scores that [`compute`] would refuse.
pub fn confusion(scores: &Scores) -> Option<ConfusionMatrix> {
    confusion_at(scores, None)
}

/// As [`confusion`], with the second of two classes predicted where its probability is above `threshold`.
pub fn confusion_at(scores: &Scores, threshold: Option<f64>) -> Option<ConfusionMatrix> {
    let Scores::Classes { truth, probabilities, names } = *scores else {
        return None;
    };
    let classes = Classes::new(truth, probabilities, names, threshold, None).ok()?;
    Some(classes.counts().to_matrix(names))
}
