//! What every fitted model can do, and what it answers.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::form::FormWriter;
use crate::record::run::MetricPoint;
use crate::spec::model::Task;

/// Answers of a model, one for each row of the matrix it was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// Regression: one number a row.
    Numbers(Vec<f64>),
    /// Classification: `classes` probabilities a row, row by row, each row summing to 1.
    Probabilities {
        /// Number of classes, in the order of the target's names.
        classes: usize,
        /// `rows × classes` values in `[0, 1]`.
        values: Vec<f64>,
    },
    /// Clustering: the cluster of each row and how far the row is from its center.
    Clusters {
        /// Number of clusters.
        clusters: usize,
        /// One code a row, below `clusters`.
        codes: Vec<u32>,
        /// Euclidean distance to the cluster's center, among the features.
        distances: Vec<f64>,
    },
    /// Anomaly detection: how odd each row is.
    Anomalies {
        /// The higher the odder.
        scores: Vec<f64>,
        /// Scores above it are anomalous.
        threshold: f64,
    },
}

impl Predictions {
    /// Answers for no rows. `classes` is the number of class names.
    pub fn none(task: Task, classes: usize) -> Predictions {
        match task {
            Task::Regression => Predictions::Numbers(Vec::new()),
            Task::Binary | Task::Multiclass => Predictions::Probabilities { classes, values: Vec::new() },
            Task::Clustering => Predictions::Clusters { clusters: 0, codes: Vec::new(), distances: Vec::new() },
            Task::Anomaly => Predictions::Anomalies { scores: Vec::new(), threshold: 0.0 },
        }
    }

    /// Whether these answer `task`.
    pub fn fits(&self, task: Task) -> bool {
        match self {
            Predictions::Numbers(_) => task == Task::Regression,
            Predictions::Probabilities { .. } => task.is_classification(),
            Predictions::Clusters { .. } => task == Task::Clustering,
            Predictions::Anomalies { .. } => task == Task::Anomaly,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Predictions::Numbers(values) => values.len(),
            Predictions::Probabilities { classes, values } => values.len() / (*classes).max(1),
            Predictions::Clusters { codes, .. } => codes.len(),
            Predictions::Anomalies { scores, .. } => scores.len(),
        }
    }

    /// Most probable class of each row, the first on a tie; empty for numbers.
    pub fn classes(&self) -> Vec<u32> {
        let Predictions::Probabilities { classes, values } = self else {
            return Vec::new();
        };
        values.chunks_exact((*classes).max(1)).map(|row| argmax(row) as u32).collect()
    }
}

fn argmax(row: &[f64]) -> usize {
    let mut best = 0;
    for (position, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = position;
        }
    }
    best
}

/// A fitted model. Immutable; the same matrix gives the same bits on any number of threads.
pub trait Predictor: Send + Sync {
    /// Answers for every row of `matrix`, whose features are those it was fitted on, in the same order.
    ///
    /// Errors: another number of features.
    fn predict(&self, matrix: &Matrix) -> Result<Predictions>;

    /// Writes everything needed to predict, in this product's own stable form.
    fn write(&self, form: &mut FormWriter);
}

/// Everything that fitting may look at.
pub struct FitInput<'a> {
    /// Features of the training rows.
    pub matrix: &'a Matrix,
    /// True values of the training rows.
    pub target: &'a Target,
    /// How much each training row counts, finite and not negative, their sum above 0; `None`: every row counts one.
    pub weights: Option<&'a [f64]>,
    /// Features and true values of the validation rows, for early stopping; may be empty of rows.
    pub validation: Option<(&'a Matrix, &'a Target)>,
    /// Parameters as written; each kind reads its own type from them and refuses unknown names.
    pub params: &'a toml::Table,
    /// Chance.
    pub seed: Seed,
    /// Progress.
    pub talk: &'a dyn Talk,
    /// Receives metric points while fitting (a loss for each tree).
    pub points: &'a mut dyn FnMut(MetricPoint),
}
