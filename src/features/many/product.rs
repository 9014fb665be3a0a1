//! Products of numbers: what `polynomial` and `interact` make.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::{fail, limits};
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::many::{ManyStep, matrix_of};

/// Most factors of one product.
pub const FACTORS_MAX: usize = 3;

/// Products of columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedProduct {
    pub(crate) inputs: Vec<Arc<str>>,
    /// Positions in `inputs` of the factors of each product, ascending.
    pub(crate) factors: Vec<Vec<u32>>,
    pub(crate) columns: Vec<Arc<str>>,
}

impl FittedProduct {
    /// Products of `inputs`, each called by `name` from the positions of its factors.
    pub fn new(inputs: Vec<Arc<str>>, factors: Vec<Vec<u32>>, name: impl Fn(&[u32]) -> String) -> FittedProduct {
        let columns = factors.iter().map(|factors| name(factors).into()).collect();
        FittedProduct { inputs, factors, columns }
    }
}

/// Refuses more products than a table may have columns, before they are made.
pub fn check_count(op: &str, made: u128) -> Result<()> {
    if made <= limits::COLUMNS_MAX as u128 {
        return Ok(());
    }
    Err(fail::usage(format!("{op}: {made} columns are more than {}", limits::COLUMNS_MAX))
        .hint("name fewer columns")
        .into())
}

impl ManyStep for FittedProduct {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("product", &[Kind::Number, Kind::Indicator])?;
        }
        let sound = |factors: &Vec<u32>| {
            (1..=FACTORS_MAX).contains(&factors.len()) && factors.iter().all(|&at| (at as usize) < inputs.len())
        };
        if self.columns.len() != self.factors.len() || !self.factors.iter().all(sound) {
            return Err(damaged("products do not fit the columns that they are made of".to_owned()));
        }
        Ok(vec![Kind::Number; self.columns.len()])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let numbers = matrix_of(inputs);
        let product = |factors: &Vec<u32>| {
            let (last, before) = factors.split_last().map_or((0, &[][..]), |(last, before)| (*last, before));
            let mut product = numbers[last as usize].to_vec();
            for &factor in before.iter().rev() {
                for (product, factor) in product.iter_mut().zip(&*numbers[factor as usize]) {
                    *product *= factor;
                }
            }
            for value in product.iter_mut().filter(|value| value.is_infinite()) {
                *value = f64::NAN;
            }
            Values::Number(product)
        };
        Ok(self.factors.par_iter().map(product).collect())
    }
}
