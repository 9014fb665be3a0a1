//! How good a node of a forest's tree is, from sums over its rows.
//!
//! All sums are integers, so they do not depend on the order of the rows. Goodness is `Σ S²/W`: for classes, with `S`
//! the weight of each class, its increase is `W` times the decrease of the Gini impurity; for numbers, with `S` the sum
//! of values, `W` times the decrease of the variance (Breiman, Friedman, Olshen, Stone 1984, chapters 4 and 8).

/// One row of a tree: its number and how often it was drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Item {
    /// Row of the table.
    pub row: u32,
    /// Times drawn; at least 1.
    pub weight: u32,
}

/// What a tree divides rows by.
pub trait Criterion: Sync {
    /// Words of a sum.
    fn words(&self) -> usize;
    /// Adds one row to a sum.
    fn add(&self, sum: &mut [i64], item: Item);
    /// Number of rows in a sum, each as often as it was drawn.
    fn weight(&self, sum: &[i64]) -> i64;
    /// How much these rows count together.
    fn cover(&self, sum: &[i64]) -> f64 {
        self.weight(sum) as f64
    }
    /// `Σ S²/W`; the weight is above 0.
    fn goodness(&self, sum: &[i64]) -> f64;
    /// Whether all rows are the same, so that no split can improve on them; `items` sum to `sum`.
    fn is_pure(&self, sum: &[i64], items: &[Item]) -> bool;
    /// Orders in which the bins of a category may be cut in two: the position of each bin in one such order.
    fn order_key(&self, sum: &[i64], order: usize) -> f64;
    /// Number of those orders.
    fn orders(&self) -> usize;
}

/// Numbers, and two classes as 0 and 1: words are the weighted sum of values and the weight.
pub struct Moments<'a> {
    /// Value of each row in fixed point.
    pub values: &'a [i64],
    /// Value of one unit of the fixed point.
    pub unit: f64,
}

impl Criterion for Moments<'_> {
    fn words(&self) -> usize {
        2
    }

    #[inline(always)]
    fn add(&self, sum: &mut [i64], item: Item) {
        let weight = i64::from(item.weight);
        sum[0] += self.values[item.row as usize] * weight;
        sum[1] += weight;
    }

    #[inline(always)]
    fn weight(&self, sum: &[i64]) -> i64 {
        sum[1]
    }

    #[inline(always)]
    fn goodness(&self, sum: &[i64]) -> f64 {
        let total = sum[0] as f64 * self.unit;
        total * total / sum[1] as f64
    }

    fn is_pure(&self, _sum: &[i64], items: &[Item]) -> bool {
        let value = |item: &Item| self.values[item.row as usize];
        items.iter().all(|item| value(item) == value(&items[0]))
    }

    fn order_key(&self, sum: &[i64], _order: usize) -> f64 {
        sum[0] as f64 / sum[1] as f64
    }

    fn orders(&self) -> usize {
        // The best cut of a category is one of this order (Fisher 1958).
        1
    }
}

/// Several classes: one word a class, its weight.
pub struct Shares<'a> {
    /// Class of each row.
    pub codes: &'a [u32],
    /// Number of classes.
    pub classes: usize,
}

/// Classes whose share orders the levels of a category; no order is sure to hold the best cut of several classes.
pub const ORDERS_MAX: usize = 8;

impl Criterion for Shares<'_> {
    fn words(&self) -> usize {
        self.classes
    }

    #[inline(always)]
    fn add(&self, sum: &mut [i64], item: Item) {
        sum[self.codes[item.row as usize] as usize] += i64::from(item.weight);
    }

    #[inline(always)]
    fn weight(&self, sum: &[i64]) -> i64 {
        sum.iter().sum()
    }

    #[inline(always)]
    fn goodness(&self, sum: &[i64]) -> f64 {
        let squares: f64 = sum.iter().map(|&weight| weight as f64 * weight as f64).sum();
        squares / self.weight(sum) as f64
    }

    fn is_pure(&self, sum: &[i64], _items: &[Item]) -> bool {
        sum.iter().filter(|&&weight| weight > 0).count() <= 1
    }

    fn order_key(&self, sum: &[i64], order: usize) -> f64 {
        sum[order] as f64 / self.weight(sum) as f64
    }

    fn orders(&self) -> usize {
        self.classes.min(ORDERS_MAX)
    }
}
