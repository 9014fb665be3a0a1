//! Points of the pictures of a sample, of a size that does not grow with its rows.

mod classes;
mod numbers;
#[cfg(test)]
mod tests;

use anyhow::Result;

use crate::metrics::Sample;
use crate::metrics::picked::Picked;
use crate::metrics::prepared::Prepared;
use crate::record::evaluation::Plots;

/// Curves, reliability and score histogram of each class (of two only the positive one, of more the ten most frequent, in
/// their order), or pairs, residuals and calibration of numbers; nothing for clusters and anomaly scores.
///
/// A class that no row or every row is of has no curves. Errors: as [`crate::metrics::measure`]. Cost: one sort a class.
pub fn plots(sample: &Sample) -> Result<Plots> {
    let prepared = Prepared::new(sample)?;
    match prepared.weights().rows_above_zero() {
        None => Ok(of_prepared(&prepared)),
        Some(kept) => Ok(of_prepared(&Prepared::new(&Picked::new(sample, &kept).sample())?)),
    }
}

fn of_prepared(prepared: &Prepared) -> Plots {
    match prepared {
        Prepared::Classes(classes) if classes.rows() > 0 => {
            Plots { classes: classes::class_plots(classes), numbers: None }
        }
        Prepared::Numbers(numbers) if numbers.rows() > 0 => {
            Plots { classes: Vec::new(), numbers: Some(numbers::number_plots(numbers)) }
        }
        _ => Plots::default(),
    }
}
