//! Sums over rows of one column: products, mean and spread.

/// Sum of products in eight lanes, which the compiler turns into vector instructions.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Weighted mean and standard deviation (1 for a constant) of the rows of weight above 0, by way of the range so that
/// nothing overflows however large the values.
pub fn moments(values: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let counted = || values.iter().enumerate().map(|(row, value)| (*value, weight(row))).filter(|pair| pair.1 > 0.0);
    let low = counted().map(|(value, _)| value).fold(f64::INFINITY, f64::min);
    let high = counted().map(|(value, _)| value).fold(f64::NEG_INFINITY, f64::max);
    let half = high / 2.0 - low / 2.0;
    if low > high || half < f64::MIN_POSITIVE {
        return (if low > high { 0.0 } else { low }, 1.0);
    }
    let middle = low / 2.0 + high / 2.0;
    let total = weights.map_or(values.len() as f64, |weights| weights.iter().sum());
    let mean = counted().map(|(value, weight)| weight * ((value - middle) / half)).sum::<f64>() / total;
    let square = |(value, weight): (f64, f64)| weight * ((value - middle) / half - mean).powi(2);
    let deviation = half * (counted().map(square).sum::<f64>() / total).sqrt();
    match deviation >= f64::MIN_POSITIVE {
        true => (middle + half * mean, deviation),
        false => (low, 1.0),
    }
}
