//! Numbers that return to their start, as a point on a circle.

use std::f64::consts::TAU;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::CyclicSpec;

/// Where a number returns to its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CyclicOptions {
    /// Above 0.
    pub period: f64,
}

/// One column's circle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedCyclic {
    pub(crate) column: Arc<str>,
    pub(crate) period: f64,
    pub(crate) columns: [Arc<str>; 2],
}

/// Checks what was written.
pub fn check(spec: &CyclicSpec) -> Result<Action, Failure> {
    match spec.period.is_normal() && spec.period > 0.0 {
        true => Ok(Action::each(CyclicOptions { period: spec.period })),
        false => Err(fail::usage(format!("cyclic: period = {} is not above 0", spec.period))),
    }
}

/// Sine and cosine of a share of a whole turn.
pub fn on_circle(turn: f64) -> [f64; 2] {
    let (sine, cosine) = (turn * TAU).sin_cos();
    [sine, cosine]
}

/// Makes `NAME_sin` and `NAME_cos` of 2π · value / period, in place of the column, so that 23:59 is near 00:00. For times of
/// day (columns of times are seconds since midnight, period 86400), directions, phases; `dates` has it for parts of dates.
/// Nothing is learned. Missing stays missing in both.
impl ColumnAction for CyclicOptions {
    fn name(&self) -> &'static str {
        "cyclic"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let columns = ["sin", "cos"].map(|end| format!("{name}_{end}").into());
        let fitted = FittedCyclic { column: Arc::clone(name), period: self.period, columns };
        Ok((FittedColumn::Cyclic(fitted), Vec::new()))
    }
}

impl ColumnStep for FittedCyclic {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("cyclic", &[Kind::Number])?;
        if !self.period.is_normal() || self.period <= 0.0 {
            return Err(fail::world(format!("damaged recipe: column `{}` has no period", self.column)).into());
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Number(values) = &*column.values else {
            return vec![column];
        };
        // The remainder first: far from 0 a multiple of 2π has no digits left.
        let turn = |value: f64| value % self.period / self.period;
        let (sines, cosines) = values.iter().map(|&value| on_circle(turn(value)).into()).unzip();
        let [sine, cosine] = &self.columns;
        vec![column.made(sine, Values::Number(sines)), column.made(cosine, Values::Number(cosines))]
    }
}
