//! Sums that do not lose digits, in row order, so that a mean over a million rows is right to the last bits.

/// Sum of `values` with Neumaier's compensation (Neumaier 1974): the error does not grow with their number.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    // A sum that overflowed stays infinite; its compensation would make it NaN.
    if total.is_finite() { total + lost } else { total }
}

/// Mean of `count` values; `None` when there are none.
pub fn mean(values: impl IntoIterator<Item = f64>, count: usize) -> Option<f64> {
    (count > 0).then(|| sum(values) / count as f64)
}

/// `part / whole` of two counts; `None` when the whole is nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
