//! Scores checked and counted once, for all metrics.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::anomaly::Anomalies;
use crate::metrics::classes::Classes;
use crate::metrics::clustering::Grouped;
use crate::metrics::numbers::Numbers;
use crate::metrics::weights::Weights;
use crate::metrics::{Sample, Scores};
use crate::spec::model::Task;

/// Scores that fit their task.
pub enum Prepared<'a> {
    /// Classification.
    Classes(Classes<'a>),
    /// Regression.
    Numbers(Numbers<'a>),
    /// Clustering.
    Clusters(Grouped<'a>),
    /// Anomaly detection.
    Anomalies(Anomalies<'a>),
}

/// What metrics are measured on.
pub struct Known<'a> {
    /// The rows that weigh something.
    pub prepared: Prepared<'a>,
    /// Number of all rows, with those that weigh nothing.
    pub rows: usize,
}

impl<'a> Prepared<'a> {
    /// Checks everything.
    ///
    /// Errors: scores of another task than said, and those of [`Classes::new`], [`Classes::costing`], [`Numbers::new`],
    /// [`Grouped::new`], [`Anomalies::new`].
    pub fn new(sample: &Sample<'a>) -> Result<Prepared<'a>> {
        let Sample { task, threshold, weights, .. } = *sample;
        if sample.costs.is_some() && !task.is_classification() {
            let what = format!("a cost matrix is for classes, and the task is {}", task.name());
            return Err(fail::usage(what).hint("leave the cost matrix out").into());
        }
        let wrong =
            |what: &str| Err(fail::usage(format!("these scores are {what}, and the task is {}", task.name())).into());
        match sample.scores {
            Scores::Classes { truth, probabilities, names } if task.is_classification() => {
                if task == Task::Binary && names.len() != 2 {
                    let message = format!("a binary task has two classes, these scores have {}", names.len());
                    return Err(fail::usage(message).into());
                }
                let classes = Classes::new(truth, probabilities, names, threshold, weights)?;
                Ok(Prepared::Classes(classes.costing(sample.costs)?))
            }
            Scores::Numbers { truth, predicted } if task == Task::Regression => {
                Ok(Prepared::Numbers(Numbers::new(truth, predicted, weights, sample.bounds)?))
            }
            Scores::Clusters(clusters) if task == Task::Clustering => {
                Ok(Prepared::Clusters(Grouped::new(clusters, weights)?))
            }
            Scores::Anomalies { truth, scores, threshold } if task == Task::Anomaly => {
                Ok(Prepared::Anomalies(Anomalies::new(truth, scores, threshold, weights)?))
            }
            Scores::Classes { .. } => wrong("probabilities of classes"),
            Scores::Numbers { .. } => wrong("numbers"),
            Scores::Clusters { .. } => wrong("clusters"),
            Scores::Anomalies { .. } => wrong("anomaly scores"),
        }
    }

    /// How much each row counts.
    pub fn weights(&self) -> &Weights<'a> {
        match self {
            Prepared::Classes(classes) => classes.weights(),
            Prepared::Numbers(numbers) => numbers.weights(),
            Prepared::Clusters(clusters) => clusters.weights(),
            Prepared::Anomalies(anomalies) => anomalies.weights(),
        }
    }
}

impl Known<'_> {
    /// Whether answers have a cost.
    pub fn has_costs(&self) -> bool {
        matches!(&self.prepared, Prepared::Classes(classes) if classes.costs().is_some())
    }

    /// Whether intervals go with the predictions.
    pub fn has_bounds(&self) -> bool {
        matches!(&self.prepared, Prepared::Numbers(numbers) if numbers.bounds().is_some())
    }
}

/// Number of rows, with those that weigh nothing.
pub fn example_count(known: &Known) -> f64 {
    known.rows as f64
}

/// Sum of the weights: the number of rows without any.
pub fn weighted_example_count(known: &Known) -> f64 {
    known.prepared.weights().total()
}
