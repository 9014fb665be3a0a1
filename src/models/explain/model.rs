//! A model as a function of raw rows.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::Frame;
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;

/// From raw rows to `rows × outputs` finite answers, row by row.
pub type Answer<'a> = dyn Fn(&Frame) -> Result<Vec<f64>> + Sync + 'a;

/// A model as a function of raw rows.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    /// Answers of a row: one for numbers, two classes and anomalies, else one a class.
    pub outputs: usize,
    /// The function.
    pub answer: &'a Answer<'a>,
}

impl Model<'_> {
    /// Answers for the rows of `frame`, checked for their number.
    pub fn answers(&self, frame: &Frame) -> Result<Vec<f64>> {
        let answers = (self.answer)(frame)?;
        match answers.len() == frame.rows() * self.outputs {
            true => Ok(answers),
            false => Err(fail::world("the model answers another number of rows than it was asked for").into()),
        }
    }

    /// Mean of each output over the rows of `frame`; 0 of no rows.
    pub fn mean(&self, frame: &Frame) -> Result<Vec<f64>> {
        Ok(means(&self.answers(frame)?, self.outputs))
    }
}

/// Mean of each output of `rows × outputs` answers; 0 of no rows.
pub fn means(answers: &[f64], outputs: usize) -> Vec<f64> {
    let mut sums = vec![0.0; outputs];
    for row in answers.chunks_exact(outputs.max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, answer)| *sum += answer);
    }
    let rows = (answers.len() / outputs.max(1)).max(1) as f64;
    sums.into_iter().map(|sum| sum / rows).collect()
}

/// Number of outputs that a package has when it is explained.
pub fn outputs(package: &ModelPackage) -> usize {
    match package.header.task.is_classification() && package.header.classes.len() > 2 {
        true => package.header.classes.len(),
        false => 1,
    }
}

/// Answers of a package for raw rows: probabilities of the second of two classes or of all, numbers, anomaly scores.
///
/// Errors: those of the prediction; clusters, which are no quantity.
pub fn answers(package: &ModelPackage, frame: &Frame) -> Result<Vec<f64>> {
    flat(package.predict(frame)?)
}

/// Predictions as `rows × outputs` numbers.
///
/// Errors: clusters.
pub fn flat(predictions: Predictions) -> Result<Vec<f64>> {
    Ok(match predictions {
        Predictions::Numbers(values) => values,
        Predictions::Probabilities { classes: 2, values } => values.into_iter().skip(1).step_by(2).collect(),
        Predictions::Probabilities { values, .. } => values,
        Predictions::Anomalies { scores, .. } => scores,
        Predictions::Clusters { .. } => {
            let what = "a cluster is a name, not a quantity that columns could add to";
            return Err(fail::usage(what)
                .hint("see `mlops evaluate --by COLUMN` for what clusters are made of")
                .into());
        }
    })
}
