//! `baseline`: the class shares or the mean of the training rows, whatever the features. What any model has to beat.

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::spec::model::BaselineParams;

/// Always the same answer.
struct Baseline {
    features: usize,
    /// Class shares, or the mean alone.
    values: Vec<f64>,
    classes: bool,
}

/// Fits the baseline. Errors: no rows.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let _: BaselineParams = params::read("baseline", fit.params)?;
    let rows = fit.target.len() as f64;
    if fit.target.is_empty() {
        return Err(fail::usage("there are no training rows").hint("give data with at least one row").into());
    }
    let features = fit.matrix.features().len();
    Ok(match fit.target {
        Target::Classes { .. } => {
            let counts = input::classes("baseline", fit.target)?.counts;
            let values = counts.iter().map(|&count| count as f64 / rows).collect();
            Box::new(Baseline { features, values, classes: true })
        }
        Target::Numbers(_) => {
            let mean = input::numbers("baseline", fit.target)?.iter().sum::<f64>() / rows;
            Box::new(Baseline { features, values: vec![mean], classes: false })
        }
    })
}

/// Reads a baseline back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", u32::MAX as usize)?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let values = form.finite("values", classes.max(1))?;
    let total: f64 = values.iter().sum();
    if classes > 0 && (values.iter().any(|share| *share < 0.0) || (total - 1.0).abs() > 1e-9) {
        return Err(damaged("values", "these are not shares"));
    }
    Ok(Box::new(Baseline { features, values, classes: classes > 0 }))
}

impl Predictor for Baseline {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        let values = self.values.repeat(matrix.rows());
        Ok(match self.classes {
            true => Predictions::Probabilities { classes: self.values.len(), values },
            false => Predictions::Numbers(values),
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.features as u64);
        form.u64("classes", if self.classes { self.values.len() as u64 } else { 0 });
        form.f64s("values", &self.values);
    }
}
