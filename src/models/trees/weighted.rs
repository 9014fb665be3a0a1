//! How good a node is when rows have weights of their own, besides being drawn more than once.
//!
//! Weights are fixed point like everything that is summed here: one keeps its binary digits down to 2^-57 of the largest,
//! times the number of rows, and none becomes 0. Rows are counted apart, as `leaf_rows` asks for rows.

use crate::models::trees::criterion::{Criterion, Item, ORDERS_MAX};

/// Weights in fixed point.
pub struct Fixed {
    /// One a row; above 0 where the weight is.
    pub values: Vec<i64>,
    /// Value of one unit.
    pub unit: f64,
}

/// Numbers of either sign in fixed point, with room for every row drawn twenty times over.
pub fn fixed(values: impl Iterator<Item = f64> + Clone, rows: usize) -> Fixed {
    let largest = values.clone().map(f64::abs).fold(0.0, f64::max);
    let bits = 57 - (usize::BITS - rows.leading_zeros()) as i32;
    let power = if largest > 0.0 { (bits - largest.log2().ceil() as i32).clamp(-1000, 1000) } else { 0 };
    let scale = 2_f64.powi(power);
    Fixed { values: values.map(|value| (value * scale).round() as i64).collect(), unit: 2_f64.powi(-power) }
}

/// Weights of rows in fixed point.
pub fn fixed_weights(weights: &[f64]) -> Fixed {
    let mut made = fixed(weights.iter().copied(), weights.len());
    for (value, weight) in made.values.iter_mut().zip(weights) {
        if *weight > 0.0 {
            *value = (*value).max(1);
        }
    }
    made
}

/// Numbers, and two classes as 0 and 1: words are the weighted sum of values, the weight, the number of rows.
pub struct WeightedMoments<'a> {
    /// Value of each row, without its weight: only compared.
    pub plain: &'a [i64],
    /// Value times weight of each row.
    pub values: Fixed,
    /// Weight of each row.
    pub weights: &'a Fixed,
}

impl Criterion for WeightedMoments<'_> {
    fn words(&self) -> usize {
        3
    }

    #[inline(always)]
    fn add(&self, sum: &mut [i64], item: Item) {
        let times = i64::from(item.weight);
        sum[0] += self.values.values[item.row as usize] * times;
        sum[1] += self.weights.values[item.row as usize] * times;
        sum[2] += times;
    }

    #[inline(always)]
    fn weight(&self, sum: &[i64]) -> i64 {
        sum[2]
    }

    fn cover(&self, sum: &[i64]) -> f64 {
        sum[1] as f64 * self.weights.unit
    }

    #[inline(always)]
    fn goodness(&self, sum: &[i64]) -> f64 {
        let total = sum[0] as f64 * self.values.unit;
        total * total / self.cover(sum)
    }

    fn is_pure(&self, _sum: &[i64], items: &[Item]) -> bool {
        let value = |item: &Item| self.plain[item.row as usize];
        items.iter().all(|item| value(item) == value(&items[0]))
    }

    fn order_key(&self, sum: &[i64], _order: usize) -> f64 {
        sum[0] as f64 * self.values.unit / self.cover(sum)
    }

    fn orders(&self) -> usize {
        1
    }
}

/// Several classes: words are the weight of each, and the number of rows.
pub struct WeightedShares<'a> {
    /// Class of each row.
    pub codes: &'a [u32],
    /// Number of classes.
    pub classes: usize,
    /// Weight of each row.
    pub weights: &'a Fixed,
}

impl Criterion for WeightedShares<'_> {
    fn words(&self) -> usize {
        self.classes + 1
    }

    #[inline(always)]
    fn add(&self, sum: &mut [i64], item: Item) {
        let times = i64::from(item.weight);
        sum[self.codes[item.row as usize] as usize] += self.weights.values[item.row as usize] * times;
        sum[self.classes] += times;
    }

    #[inline(always)]
    fn weight(&self, sum: &[i64]) -> i64 {
        sum[self.classes]
    }

    fn cover(&self, sum: &[i64]) -> f64 {
        sum[..self.classes].iter().sum::<i64>() as f64 * self.weights.unit
    }

    #[inline(always)]
    fn goodness(&self, sum: &[i64]) -> f64 {
        let weights = sum[..self.classes].iter().map(|&weight| weight as f64 * self.weights.unit);
        weights.map(|weight| weight * weight).sum::<f64>() / self.cover(sum)
    }

    fn is_pure(&self, sum: &[i64], _items: &[Item]) -> bool {
        sum[..self.classes].iter().filter(|&&weight| weight > 0).count() <= 1
    }

    fn order_key(&self, sum: &[i64], order: usize) -> f64 {
        sum[order] as f64 * self.weights.unit / self.cover(sum)
    }

    fn orders(&self) -> usize {
        self.classes.min(ORDERS_MAX)
    }
}
