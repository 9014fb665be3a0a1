//! One number divided by another.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::suggest;
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::many::{FittedMany, ManyStep, check_numeric, matrix_of};
use crate::features::recipe::StepForm;

/// What is divided by what.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioOptions {
    /// The column divided.
    pub numerator: String,
    /// The column divided by, another one.
    pub denominator: String,
    /// Name of the new column.
    pub name: String,
}

/// One number divided by another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedRatio {
    /// Numerator and denominator.
    pub(crate) inputs: Vec<Arc<str>>,
    pub(crate) column: Arc<str>,
}

/// Adds the ratio; missing where either number is, where the denominator is 0, and beyond the largest number.
///
/// Errors (usage): a column that is not there or is without numbers.
pub fn fit(columns: &[Working], options: &RatioOptions) -> Result<Vec<StepForm>> {
    for name in [&options.numerator, &options.denominator] {
        match columns.iter().find(|column| *column.name == **name) {
            Some(column) => check_numeric("ratio", column)?,
            None => {
                return Err(suggest::unknown("column", name, columns.iter().map(|column| &*column.name)).into());
            }
        }
    }
    let inputs = vec![options.numerator.as_str().into(), options.denominator.as_str().into()];
    Ok(vec![StepForm::Many(FittedMany::Ratio(FittedRatio { inputs, column: options.name.as_str().into() }))])
}

impl ManyStep for FittedRatio {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        std::slice::from_ref(&self.column)
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        std::slice::from_mut(&mut self.column)
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        if inputs.len() != 2 {
            return Err(damaged("a ratio is not of two columns".to_owned()));
        }
        for input in inputs {
            input.expect("ratio", &[Kind::Number, Kind::Indicator])?;
        }
        Ok(vec![Kind::Number])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let numbers = matrix_of(inputs);
        let divide = |(above, below): (&f64, &f64)| {
            let ratio = above / below;
            if ratio.is_finite() { ratio } else { f64::NAN }
        };
        Ok(vec![Values::Number(numbers[0].iter().zip(&*numbers[1]).map(divide).collect())])
    }
}
