//! What every fitted model can do, and what it answers.

use std::any::Any;
use std::ops::ControlFlow;

use anyhow::Result;

use crate::base::fail;
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

    /// Answers for rows in pieces, one after the other.
    ///
    /// Errors: no piece, pieces of different kinds.
    pub fn joined(pieces: Vec<Predictions>) -> Result<Predictions> {
        let mut pieces = pieces.into_iter();
        let mut all = pieces.next().ok_or_else(|| fail::world("there are no answers to join"))?;
        for piece in pieces {
            match (&mut all, piece) {
                (Predictions::Numbers(all), Predictions::Numbers(more)) => all.extend(more),
                (
                    Predictions::Probabilities { classes, values },
                    Predictions::Probabilities { classes: same, values: more },
                ) if *classes == same => values.extend(more),
                _ => return Err(fail::world("the answers to two parts of the rows are of different kinds").into()),
            }
        }
        Ok(all)
    }

    /// Most probable class of each row, the first on a tie; empty for numbers.
    pub fn classes(&self) -> Vec<u32> {
        self.classes_at(None)
    }

    /// Class of each row; empty for numbers. Of two classes with a threshold: the second where its probability is above
    /// it. Else the most probable one, the first on a tie, which is what a threshold of one half gives.
    pub fn classes_at(&self, threshold: Option<f64>) -> Vec<u32> {
        let Predictions::Probabilities { classes, values } = self else {
            return Vec::new();
        };
        match (threshold, classes) {
            (Some(threshold), 2) => values.as_chunks::<2>().0.iter().map(|row| u32::from(row[1] > threshold)).collect(),
            _ => values.chunks_exact((*classes).max(1)).map(|row| argmax(row) as u32).collect(),
        }
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

/// How much a fitted model relies on one feature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Importance {
    /// What splits by it gained together, in the unit of the model's own criterion; compare within one model.
    pub gain: f64,
    /// Number of splits by it.
    pub splits: u64,
}

/// What contributions sum to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
    /// The answer itself: a number, or probabilities.
    Answer,
    /// The score before it becomes a probability or, for a logarithmic link, a rate.
    Score,
}

/// What each feature adds to the margin of each row, and the margin expected of no row in particular.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Number of features.
    pub features: usize,
    /// Margins of a row: one, or one a class. The one of two classes is that of the second.
    pub outputs: usize,
    /// What they sum to.
    pub margin: Margin,
    /// `rows × (features + 1) × outputs` values, row by row and feature by feature; the last of a row is what is expected.
    pub values: Vec<f64>,
}

impl Contributions {
    /// The `(features + 1) × outputs` values of one row.
    pub fn row(&self, row: usize) -> &[f64] {
        let stride = (self.features + 1) * self.outputs;
        &self.values[row * stride..(row + 1) * stride]
    }

    /// The margin of one row: what its contributions sum to.
    pub fn margin_of(&self, row: usize, output: usize) -> f64 {
        self.row(row).iter().skip(output).step_by(self.outputs.max(1)).sum()
    }
}

/// A fitted model. Immutable; the same matrix gives the same bits on any number of threads.
pub trait Predictor: Send + Sync {
    /// Answers for every row of `matrix`, whose features are those it was fitted on, in the same order.
    ///
    /// Errors: another number of features.
    fn predict(&self, matrix: &Matrix) -> Result<Predictions>;

    /// Writes everything needed to predict, in this product's own stable form.
    fn write(&self, form: &mut FormWriter);

    /// How much the model relies on each feature, in their order; `None` when it does not say.
    fn importance(&self) -> Option<Vec<Importance>> {
        None
    }

    /// What each feature adds to the margin of each row of `matrix`; `None` when the model does not say. Takes
    /// `rows × (features + 1) × outputs` numbers of memory, so many rows are better asked for in parts.
    ///
    /// Errors: another number of features.
    fn contributions(&self, _matrix: &Matrix) -> Result<Option<Contributions>> {
        Ok(None)
    }

    /// The model as its own type, for who goes on training from one or writes it in another format.
    fn as_any(&self) -> &dyn Any;
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
    /// A fitted model of the same features, by name and order, to go on from; kinds that cannot refuse it.
    pub from: Option<&'a dyn Predictor>,
    /// Parameters as written; each kind reads its own type from them and refuses unknown names.
    pub params: &'a toml::Table,
    /// Chance.
    pub seed: Seed,
    /// Progress.
    pub talk: &'a dyn Talk,
    /// Receives metric points while fitting (a loss for each tree). `Break` asks for no more: a kind that grows tree by tree
    /// ends with those it has, others go on to their end.
    pub points: &'a mut dyn FnMut(MetricPoint) -> ControlFlow<()>,
}
