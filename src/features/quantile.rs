//! Numbers as their rank among the training rows, spread evenly or as a normal distribution.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::base::{fail, limits};
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working, change, numbers};
use crate::features::stats;
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::steps::QuantileOutput;

/// Ranks this close to an end count as the end: scikit-learn's `BOUNDS_THRESHOLD`.
pub(crate) const END: f64 = 1e-7;

/// How ranks are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileOptions {
    /// What comes out.
    pub output: QuantileOutput,
    /// How many quantiles are kept, 2 to [`limits::QUANTILES_MAX`].
    pub quantiles: usize,
}

/// One column's quantiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedQuantile {
    pub(crate) column: Arc<str>,
    pub(crate) output: QuantileOutput,
    /// Values at evenly spaced ranks, ascending, the smallest and the largest among them; none for a column without values.
    pub(crate) quantiles: Vec<f64>,
}

/// Learns the quantiles of all training rows, exactly (Hyndman and Fan's type 7): scikit-learn's
/// `QuantileTransformer(subsample=None)` (1.9). For heavy tails and odd shapes: only the order of the values is left.
/// A rank is interpolated between the two quantiles around a value, for repeated quantiles in the middle of their ranks; for
/// the normal output, Φ⁻¹(rank), held within ±5.2. Values beyond the training range get the rank 0 or 1. Missing stays
/// missing; so does everything when the training rows have no value. O(n log n).
impl ColumnAction for QuantileOptions {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut present = numbers(&column.values);
        let kept = self.quantiles.min(column.values.len()).max(1);
        let mut notes = Vec::new();
        let mut quantiles = Vec::new();
        if present.is_empty() {
            notes.push(format!("column `{name}` has no value in the training rows: it stays missing"));
        } else {
            let shares: Vec<f64> = (0..kept).map(|position| reference(position, kept)).collect();
            quantiles = stats::quantiles(&mut present, &shares);
            // Interpolating may break the order in the last digit.
            for position in 1..quantiles.len() {
                quantiles[position] = quantiles[position].max(quantiles[position - 1]);
            }
            if quantiles[0] == quantiles[kept - 1] {
                notes.push(format!("column `{name}` is constant in the training rows: all its ranks are the lowest"));
            }
        }
        let fitted = FittedQuantile { column: Arc::clone(name), output: self.output, quantiles };
        Ok((FittedColumn::Quantile(fitted), notes))
    }
}

/// The rank of the quantile at `position` of `count`.
pub(crate) fn reference(position: usize, count: usize) -> f64 {
    match count {
        1 => 0.0,
        _ if position + 1 == count => 1.0,
        _ => position as f64 * (1.0 / (count - 1) as f64),
    }
}

impl FittedQuantile {
    /// Rank of a number from 0 to 1; NaN for NaN.
    fn rank(&self, value: f64) -> f64 {
        let quantiles = &self.quantiles;
        let (Some(&low), Some(&high)) = (quantiles.first(), quantiles.last()) else {
            return f64::NAN;
        };
        let near = if self.output == QuantileOutput::Normal { END } else { 0.0 };
        if value.is_nan() {
            return value;
        }
        if value <= low || value - near < low {
            return 0.0;
        }
        if value >= high || value + near > high {
            return 1.0;
        }
        // The first quantile that is not below and the last one that is not above the value.
        let first = quantiles.partition_point(|quantile| *quantile < value);
        let last = quantiles.partition_point(|quantile| *quantile <= value) - 1;
        0.5 * (self.between(last, value) + self.between(first - 1, value))
    }

    /// Interpolates between the quantiles at `below` and after it; 0 < `below` + 1 < their number.
    fn between(&self, below: usize, value: f64) -> f64 {
        let count = self.quantiles.len();
        let (low, high) = (self.quantiles[below], self.quantiles[below + 1]);
        let (from, to) = (reference(below, count), reference(below + 1, count));
        // Halves, as a gap may be wider than the largest number.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        if share.is_finite() { from + (to - from) * share } else { from }
    }
}

impl ColumnStep for FittedQuantile {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("quantile", &[Kind::Number])?;
        let ascending = self.quantiles.windows(2).all(|pair| pair[0] <= pair[1]);
        let finite = self.quantiles.iter().all(|quantile| quantile.is_finite());
        if !ascending || !finite || self.quantiles.len() > limits::QUANTILES_MAX {
            let name = &self.column;
            return Err(fail::world(format!("damaged recipe: quantiles of column `{name}` are out of order")).into());
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        if !matches!(&*column.values, Values::Number(_)) {
            return vec![column];
        }
        let made = match self.output {
            QuantileOutput::Uniform => change(column, |value| self.rank(value)),
            QuantileOutput::Normal => {
                let normal = Normal::standard();
                // One step of rounding inside the threshold, so that no end is cut twice.
                let end = END - f64::EPSILON;
                let (low, high) = (normal.inverse_cdf(end), normal.inverse_cdf(1.0 - end));
                change(column, |value| match self.rank(value) {
                    rank if rank.is_nan() => rank,
                    rank if rank <= 0.0 => low,
                    rank if rank >= 1.0 => high,
                    rank => normal.inverse_cdf(rank).clamp(low, high),
                })
            }
        };
        vec![made]
    }
}
