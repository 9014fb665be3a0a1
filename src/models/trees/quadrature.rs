//! Gauss-Legendre quadrature on `[0, 1]`.

use std::f64::consts::PI;

/// Points and weights on `[0, 1]`: exact for polynomials of degree below `2·count`. Roots of the Legendre polynomial by
/// Newton's method from Tricomi's estimate.
pub fn rule(count: usize) -> Vec<(f64, f64)> {
    let size = count as f64;
    let points = (0..count).map(|place| {
        let mut x = (PI * (place as f64 + 0.75) / (size + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut value, mut before) = (1.0, 0.0);
            for degree in 0..count {
                let degree = degree as f64;
                (value, before) = (((2.0 * degree + 1.0) * x * value - degree * before) / (degree + 1.0), value);
            }
            slope = size * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() <= 1e-15 {
                break;
            }
        }
        (0.5 - 0.5 * x, 1.0 / ((1.0 - x * x) * slope * slope))
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::rule;

    #[test]
    fn powers_are_integrated_exactly() {
        for count in 1..=40 {
            let points = rule(count);
            for power in 0..2 * count as i32 {
                let found: f64 = points.iter().map(|(point, weight)| weight * point.powi(power)).sum();
                let expected = 1.0 / f64::from(power + 1);
                assert!((found - expected).abs() < 1e-13, "{count} points, power {power}: {found}");
            }
        }
    }
}
