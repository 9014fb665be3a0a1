//! Gauss-Legendre quadrature on `[0, 1]`, and the integrals of Shapley values by it.

use std::f64::consts::PI;

/// Points and weights by their number, and the products of one call.
#[derive(Default)]
pub struct Quadrature {
    /// For `n` points at place `n`; empty until asked for.
    rules: Vec<Vec<(f64, f64)>>,
    shares: Vec<(f64, bool)>,
    products: Vec<f64>,
}

impl Quadrature {
    /// For each factor `(z, is_one)` computes `(o - z) ∫₀¹ Π_{others} (z + (o - z) t) dt` with `o` 1 or 0. All `z` are above
    /// 0 and at most 1. `O(n²/2)` for `n` factors.
    pub fn weigh(&mut self, factors: impl Iterator<Item = (f64, bool)>, weights: &mut [f64]) {
        self.shares.clear();
        self.shares.extend(factors);
        let count = self.shares.len().div_ceil(2);
        if self.rules.len() <= count {
            self.rules.resize(count + 1, Vec::new());
        }
        if self.rules[count].is_empty() {
            self.rules[count] = rule(count);
        }
        let rule = &self.rules[count];
        self.products.clear();
        self.products.extend(rule.iter().map(|(_, weight)| *weight));
        for &(share, is_one) in &self.shares {
            let slope = if is_one { 1.0 - share } else { -share };
            self.products.iter_mut().zip(rule).for_each(|(product, (point, _))| *product *= share + slope * point);
        }
        for (weight, &(share, is_one)) in weights.iter_mut().zip(&self.shares) {
            let slope = if is_one { 1.0 - share } else { -share };
            let quotients =
                self.products.iter().zip(rule).map(|(product, (point, _))| product / (share + slope * point));
            *weight = slope * quotients.sum::<f64>();
        }
    }
}

/// Points and weights on `[0, 1]`: exact for polynomials of degree below `2·count`. Roots of the Legendre polynomial by
/// Newton's method from Tricomi's estimate.
fn rule(count: usize) -> Vec<(f64, f64)> {
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
    use super::{Quadrature, rule};

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

    #[test]
    fn weights_are_those_of_shapley() {
        // Two factors: each keeps half of its effect with the other present, half without.
        let mut weights = [0.0; 2];
        Quadrature::default().weigh([(0.25, true), (0.5, false)].into_iter(), &mut weights);
        assert!((weights[0] - 0.75 * 0.5 * 0.5).abs() < 1e-15, "{weights:?}");
        assert!((weights[1] + 0.5 * (0.5 * 0.25 + 0.5)).abs() < 1e-15, "{weights:?}");
    }
}
