//! A model's answers to the rows of a jury: what every part of an evaluation looks at.

use anyhow::Result;

use crate::data::frame::Frame;
use crate::metrics::{Bounds, Sample};
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;
use crate::ops::evaluate::jury::Jury;
use crate::ops::train::scores;
use crate::ops::unsupervised::{self, Seen};
use crate::spec::model::Task;

/// Rows, truth and answers.
pub struct Judged<'a> {
    /// The rows.
    pub jury: &'a Jury,
    /// The model; none when its answers come from a file.
    pub package: Option<&'a ModelPackage>,
    /// What it predicts.
    pub task: Task,
    /// The second of two classes is predicted where its probability is above it; `None`: the most probable class.
    pub threshold: Option<f64>,
    /// What it answers to them.
    pub predictions: Predictions,
    /// The rows as it saw them.
    pub seen: Seen,
    /// Lower and upper end of the interval that goes with each predicted number, where there are some.
    pub bounds: Option<(Vec<f64>, Vec<f64>)>,
}

impl<'a> Judged<'a> {
    /// Asks `package` about the rows of `jury`.
    pub fn ask(jury: &'a Jury, package: &'a ModelPackage) -> Result<Judged<'a>> {
        Judged::ask_about(jury, package, &jury.frame)
    }

    /// Asks `package` about `frame`: the columns that it reads, of the rows of `jury`.
    pub fn ask_about(jury: &'a Jury, package: &'a ModelPackage, frame: &Frame) -> Result<Judged<'a>> {
        let (predictions, seen) = unsupervised::answers(package, frame)?;
        let header = &package.header;
        Ok(Judged {
            jury,
            package: Some(package),
            task: header.task,
            threshold: header.threshold,
            predictions,
            seen,
            bounds: None,
        })
    }

    /// Truth and answers as metrics want them.
    pub fn sample(&self) -> Result<Sample<'_>> {
        Ok(Sample {
            scores: scores(&self.predictions, &self.jury.truth, &self.seen)?,
            task: self.task,
            threshold: self.threshold,
            weights: self.jury.weights.as_deref(),
            costs: Some(self.jury.costs.as_slice()).filter(|costs| !costs.is_empty()),
            bounds: self.bounds.as_ref().map(|(low, high)| Bounds { low, high }),
        })
    }
}
