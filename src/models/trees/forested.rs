//! Trees that have been grown independently: their answers are averaged.

use std::any::Any;

use anyhow::Result;

use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::predictor::{Contributions, Importance, Margin, Predictions, Predictor};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::shap;

/// Trees whose leaves hold answers.
pub struct Forested {
    /// The trees. Leaves hold the mean, the share of the second of two classes, or the shares of all classes.
    pub ensemble: Ensemble,
    /// Number of classes; 0 for numbers.
    pub classes: usize,
}

/// Reads a forest back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let classes = form.count("classes", CLASSES_MAX)?;
    let ensemble = Ensemble::read(form)?;
    let width = if classes > 2 { classes } else { 1 };
    if classes == 1 || ensemble.trees.is_empty() || ensemble.width != width {
        return Err(damaged(
            "width",
            &format!("leaves of {} values do not answer for {classes} classes", ensemble.width),
        ));
    }
    let is_share = |value: &f64| (0.0..=1.0).contains(value);
    let mut leaves = ensemble.trees.iter().flat_map(|tree| tree.values.chunks_exact(width));
    let sums_to_one = |leaf: &[f64]| width == 1 || (leaf.iter().sum::<f64>() - 1.0).abs() < 1e-9;
    if classes > 0 && !leaves.all(|leaf| leaf.iter().all(is_share) && sums_to_one(leaf)) {
        return Err(damaged("values", "these are not shares"));
    }
    Ok(Box::new(Forested { ensemble, classes }))
}

impl Predictor for Forested {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        let sums = self.ensemble.sums(matrix, &vec![0.0; self.ensemble.width])?;
        let trees = self.ensemble.trees.len() as f64;
        let means = sums.into_iter().map(|sum| sum / trees);
        Ok(match self.classes {
            0 => Predictions::Numbers(means.collect()),
            2 => {
                let pairs = means.flat_map(|share| [1.0 - share, share]);
                Predictions::Probabilities { classes: 2, values: pairs.collect() }
            }
            classes => Predictions::Probabilities { classes, values: means.collect() },
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("classes", self.classes as u64);
        self.ensemble.write(form);
    }
    fn importance(&self) -> Option<Vec<Importance>> {
        self.ensemble.importance()
    }

    fn contributions(&self, matrix: &Matrix) -> Result<Option<Contributions>> {
        let share = 1.0 / self.ensemble.trees.len() as f64;
        shap::contributions(&self.ensemble, matrix, &vec![0.0; self.ensemble.width], share, Margin::Answer)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
