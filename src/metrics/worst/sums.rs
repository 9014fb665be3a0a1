//! Sums of a loss over rows, and whether one set of rows loses more than another.

use std::ops::{Add, AddAssign, Sub};

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Standard errors below a difference at the lower end of its 95 % interval.
const ERRORS_BELOW: f64 = 1.96;

/// What rows add up to: weight, its square, weighted loss, weighted squared loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums([f64; 4]);

impl Sums {
    /// One row.
    pub fn of(weight: f64, loss: f64) -> Sums {
        Sums([weight, weight * weight, weight * loss, weight * loss * loss])
    }

    /// Weight of the rows.
    pub fn weight(&self) -> f64 {
        self.0[0]
    }

    /// How many rows of equal weight say as much (Kish): their number when all weigh the same.
    pub fn count(&self) -> f64 {
        if self.0[1] > 0.0 { self.0[0] * self.0[0] / self.0[1] } else { 0.0 }
    }

    /// Mean loss; 0 of no rows.
    pub fn mean(&self) -> f64 {
        if self.0[0] > 0.0 { self.0[2] / self.0[0] } else { 0.0 }
    }

    /// Variance of the loss, as of a sample.
    fn variance(&self) -> f64 {
        let (count, mean) = (self.count(), self.mean());
        if count > 1.0 { (self.0[3] / self.0[0] - mean * mean).max(0.0) * count / (count - 1.0) } else { 0.0 }
    }
}

impl Add for Sums {
    type Output = Sums;

    fn add(self, other: Sums) -> Sums {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Sums([a + e, b + f, c + g, d + h])
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        *self = *self + other;
    }
}

impl Sub for Sums {
    type Output = Sums;

    fn sub(self, other: Sums) -> Sums {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Sums([a - e, b - f, c - g, d - h])
    }
}

/// Rows with their losses brought to mean 0 and standard deviation 1, so that sums of squares keep their digits; `None` when
/// there is nothing to tell apart: no weight, one loss for all, a loss that is not finite.
pub fn standardized(losses: &[f64], weights: Option<&[f64]>) -> Option<Vec<Sums>> {
    let largest = losses.iter().fold(0.0_f64, |most, loss| most.max(loss.abs()));
    if !losses.iter().all(|loss| loss.is_finite()) || largest == 0.0 {
        return None;
    }
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let total: f64 = (0..losses.len()).map(weight).sum();
    let mean = losses.iter().enumerate().map(|(row, loss)| weight(row) * (loss / largest)).sum::<f64>() / total;
    let away = |loss: f64| loss / largest - mean;
    let spread = losses.iter().enumerate().map(|(row, loss)| weight(row) * away(*loss).powi(2)).sum::<f64>() / total;
    let deviation = spread.sqrt();
    let useful = deviation.is_finite() && deviation > 1e-12;
    useful
        .then(|| losses.iter().enumerate().map(|(row, loss)| Sums::of(weight(row), away(*loss) / deviation)).collect())
}

/// How much more one set of rows loses than another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// Difference of the mean losses, in standard deviations of the loss of all rows.
    pub effect: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Chance of a difference as large or larger between sets that do not differ: the larger one of two tests.
    pub p_value: f64,
}

/// How much more `part` loses than `rest`; `None` when either has fewer than two rows.
///
/// Two one-sided tests, of which the more careful one counts. Welch's keeps to its level where losses are skewed to the right,
/// as they are, but believes a handful of equal losses to be sure of themselves; the test with the variance of
/// both sets together, as if rows had been dealt out blindly, does not.
pub fn excess(part: &Sums, rest: &Sums) -> Option<Excess> {
    let (count, others) = (part.count(), rest.count());
    if count < 2.0 || others < 2.0 {
        return None;
    }
    let effect = part.mean() - rest.mean();
    let (a, b) = (part.variance() / count, rest.variance() / others);
    let welch_error = (a + b).sqrt();
    let together = (*part + *rest).variance();
    let blind_error = (together * (1.0 / count + 1.0 / others)).sqrt();
    let error = welch_error.max(blind_error);
    if effect <= 0.0 || !effect.is_finite() || error <= 0.0 {
        return Some(Excess { effect, low: effect - ERRORS_BELOW * error, p_value: 1.0 });
    }
    let freedom = (a + b).powi(2) / (a * a / (count - 1.0) + b * b / (others - 1.0));
    let welch = match freedom.is_finite().then(|| StudentsT::new(0.0, 1.0, freedom.max(1.0))) {
        Some(Ok(student)) => student.sf(effect / welch_error),
        _ => 0.0,
    };
    let blind = Normal::standard().sf(effect / blind_error);
    Some(Excess { effect, low: effect - ERRORS_BELOW * error, p_value: welch.max(blind) })
}
