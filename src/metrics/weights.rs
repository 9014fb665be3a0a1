//! How much rows count: a row of weight 2 stands for two such rows, one of weight 0 for none.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::sums::{self, Running};

/// Weights of the rows of one task, checked, and their sum.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    each: Option<&'a [f64]>,
    rows: usize,
    total: f64,
}

impl<'a> Weights<'a> {
    /// Weights of `rows` rows; all 1 when `None`.
    ///
    /// Errors: another number of weights; one that is negative or not finite, with its row; a sum that is not finite.
    pub fn new(each: Option<&'a [f64]>, rows: usize) -> Result<Weights<'a>> {
        let Some(weights) = each else {
            return Ok(Weights { each, rows, total: rows as f64 });
        };
        if weights.len() != rows {
            return Err(fail::usage(format!("{rows} rows and {} weights", weights.len())).into());
        }
        if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            let what = format!("row {row}: the weight is {}", weights[row]);
            return Err(fail::usage(what).hint("weights are finite numbers, 0 or above").into());
        }
        let total = sums::sum(weights.iter().copied());
        if !total.is_finite() {
            return Err(fail::usage("the weights sum to more than a number can hold").hint("make them smaller").into());
        }
        Ok(Weights { each, rows, total })
    }

    /// Weight of each row; `None` when all are 1.
    pub fn each(&self) -> Option<&'a [f64]> {
        self.each
    }

    /// Weight of one row.
    pub fn of(&self, row: usize) -> f64 {
        self.each.map_or(1.0, |each| each[row])
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Sum of the weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Sum of `values`, one a row, each times its weight.
    pub fn sum(&self, values: impl IntoIterator<Item = f64>) -> f64 {
        match self.each {
            None => sums::sum(values),
            Some(each) => sums::sum(values.into_iter().zip(each).map(|(value, weight)| value * weight)),
        }
    }

    /// Weighted mean of `values`, one a row; `None` when nothing weighs anything.
    pub fn mean(&self, values: impl IntoIterator<Item = f64>) -> Option<f64> {
        (self.total > 0.0).then(|| self.sum(values) / self.total)
    }

    /// Rows that weigh something, where some do not.
    pub fn rows_above_zero(&self) -> Option<Vec<u32>> {
        let each = self.each.filter(|each| each.contains(&0.0))?;
        let rows = each.iter().zip(0..).filter(|(weight, _)| **weight > 0.0);
        Some(rows.map(|(_, row)| row).collect())
    }
}

/// The value that a share `share` of the weight does not exceed, as the mean of the two values around a border that falls
/// between two rows (Hyndman and Fan 1996, definition 2): the median for one half. Equals scikit-learn's
/// `_weighted_percentile(average=True)`. `None` without weight. O(n log n).
pub fn percentile(values: &[f64], weights: &Weights, share: f64) -> Option<f64> {
    let order = rising(values);
    let wanted = share * weights.total();
    let mut below = Running::default();
    for (place, row) in order.iter().enumerate() {
        below.add(weights.of(*row as usize));
        let (lower, over) = (values[*row as usize], below.value() - wanted);
        if over < 0.0 || below.value() == 0.0 {
            continue;
        }
        // The tolerance of scikit-learn, so that weights that sum up inexactly still meet the border.
        if over > f64::EPSILON {
            return Some(lower);
        }
        let upper = order.get(place + 1).map_or(lower, |next| values[*next as usize]);
        return Some(lower + (upper - lower) / 2.0);
    }
    order.last().map(|row| values[*row as usize])
}

/// Rows from the smallest value to the largest, equal values in row order.
pub fn rising(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|a, b| values[*a as usize].total_cmp(&values[*b as usize]));
    order
}
