//! Sums that do not lose digits, in row order, so that a mean over a million rows is right to the last bits.

/// A sum that grows, with Neumaier's compensation (Neumaier 1974): its error does not grow with the number of values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    total: f64,
    lost: f64,
}

impl Running {
    /// Adds one value.
    #[inline]
    pub fn add(&mut self, value: f64) {
        let next = self.total + value;
        let kept = self.total.abs() >= value.abs();
        self.lost += if kept { (self.total - next) + value } else { (value - next) + self.total };
        self.total = next;
    }

    /// The sum so far.
    #[inline]
    pub fn value(self) -> f64 {
        // A sum that overflowed stays infinite; its compensation would make it NaN.
        if self.total.is_finite() { self.total + self.lost } else { self.total }
    }
}

/// Sum of `values`, compensated.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut running = Running::default();
    values.into_iter().for_each(|value| running.add(value));
    running.value()
}

/// Mean of `count` values; `None` when there are none.
pub fn mean(values: impl IntoIterator<Item = f64>, count: usize) -> Option<f64> {
    (count > 0).then(|| sum(values) / count as f64)
}

/// `part / whole` of two counts or weights; `None` when the whole is nothing.
pub fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
