//! What each raw column adds to each answer.

use std::collections::HashMap;

use anyhow::Result;

use crate::base::limits::CONTRIBUTIONS_MAX;
use crate::data::frame::Frame;
use crate::features::recipe::FittedRecipe;
use crate::models::package::ModelPackage;
use crate::models::predictor::{Contributions, Margin};

/// Contributions of columns, or of sets of columns, to the answers for some rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributions {
    /// Columns, or sets of them.
    pub columns: usize,
    /// Outputs of each row.
    pub outputs: usize,
    /// What they sum to, less `base`.
    pub margin: Margin,
    /// What is expected of no row in particular, one an output.
    pub base: Vec<f64>,
    /// `rows × columns × outputs` contributions, row by row and column by column.
    pub values: Vec<f64>,
    /// Their standard errors, where they are sampled.
    pub errors: Option<Vec<f64>>,
}

impl Attributions {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / (self.columns * self.outputs).max(1)
    }

    /// The contributions of one column to one row, one an output.
    pub fn of(&self, row: usize, column: usize) -> &[f64] {
        let start = (row * self.columns + column) * self.outputs;
        &self.values[start..start + self.outputs]
    }

    /// The standard errors of the same.
    pub fn errors_of(&self, row: usize, column: usize) -> Option<&[f64]> {
        let start = (row * self.columns + column) * self.outputs;
        self.errors.as_ref().map(|errors| &errors[start..start + self.outputs])
    }

    /// What base and contributions of one row sum to, one an output.
    pub fn margin_of(&self, row: usize) -> Vec<f64> {
        let mut sums = self.base.clone();
        for column in 0..self.columns {
            sums.iter_mut().zip(self.of(row, column)).for_each(|(sum, value)| *sum += value);
        }
        sums
    }

    /// Mean size of each column's contributions, `columns × outputs`.
    pub fn sizes(&self) -> Vec<f64> {
        let stride = (self.columns * self.outputs).max(1);
        let mut sums = vec![0.0; stride];
        for row in self.values.chunks_exact(stride) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.abs());
        }
        let rows = self.rows().max(1) as f64;
        sums.into_iter().map(|sum| sum / rows).collect()
    }
}

/// Positions, among the inputs of a recipe, of the raw columns that each feature depends on.
pub struct Origins {
    columns: usize,
    of: Vec<Vec<usize>>,
}

impl Origins {
    /// Follows every feature back.
    pub fn new(recipe: &FittedRecipe) -> Origins {
        let inputs = recipe.inputs();
        let places: HashMap<&str, usize> = inputs.iter().enumerate().map(|(at, input)| (&*input.name, at)).collect();
        let of_feature = |feature: usize| -> Vec<usize> {
            let known = recipe.origins(feature).filter_map(|name| places.get(name).copied());
            known.collect()
        };
        Origins { columns: inputs.len(), of: (0..recipe.features().len()).map(of_feature).collect() }
    }

    /// Features that depend on more than one raw column.
    pub fn shared(&self) -> usize {
        self.of.iter().filter(|origins| origins.len() > 1).count()
    }

    /// Numbers of features summed to their raw columns; what depends on several is divided equally among them.
    pub fn sum(&self, of_features: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for (origins, value) in self.of.iter().zip(of_features) {
            origins.iter().for_each(|&column| sums[column] += value / origins.len() as f64);
        }
        sums
    }

    /// Contributions of features as those of raw columns; they sum to the same.
    pub fn to_raw(&self, parts: &Contributions) -> Attributions {
        let (outputs, stride) = (parts.outputs, self.columns * parts.outputs);
        let rows = parts.values.len() / ((parts.features + 1) * outputs).max(1);
        let mut values = vec![0.0; rows * stride];
        for (row, raw) in values.chunks_exact_mut(stride.max(1)).enumerate() {
            for (origins, part) in self.of.iter().zip(parts.row(row).chunks_exact(outputs.max(1))) {
                let share = 1.0 / origins.len().max(1) as f64;
                for &column in origins {
                    let sums = &mut raw[column * outputs..(column + 1) * outputs];
                    sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += share * value);
                }
            }
        }
        let base = if rows == 0 { vec![0.0; outputs] } else { parts.row(0)[parts.features * outputs..].to_vec() };
        Attributions { columns: self.columns, outputs, margin: parts.margin, base, values, errors: None }
    }
}

/// Exact contributions of the raw columns to the answers for the rows of `frame`; `None` when the model does not say,
/// or says it of probabilities that are mended afterwards.
///
/// Errors: those of the recipe and of the model. Memory: at most [`CONTRIBUTIONS_MAX`] contributions of features at a
/// time.
pub fn exact(package: &ModelPackage, frame: &Frame) -> Result<Option<Attributions>> {
    let origins = Origins::new(&package.recipe);
    let wide = (package.recipe.features().len() + 1) * package.header.classes.len().max(1);
    let length = (CONTRIBUTIONS_MAX / 8 / wide.max(1)).max(1);
    let mut all: Option<Attributions> = None;
    let rows: Vec<u32> = (0..frame.rows() as u32).collect();
    for piece in rows.chunks(length) {
        let matrix = package.recipe.apply(&frame.take(piece))?;
        let Some(parts) = package.predictor().contributions(&matrix)? else {
            return Ok(None);
        };
        let raw = origins.to_raw(&parts);
        match &mut all {
            Some(all) => all.values.extend(raw.values),
            None => all = Some(raw),
        }
    }
    Ok(all)
}
