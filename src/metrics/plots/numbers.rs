//! Pictures of predicted numbers.

use crate::base::limits::PLOT_PAIRS_MAX;
use crate::base::seed::Seed;
use crate::metrics::numbers::Numbers;
use crate::metrics::sums::Running;
use crate::metrics::weights::rising;
use crate::record::evaluation::{NumberPlots, PlotBin};

/// Bars of the histogram of residuals.
const RESIDUAL_BINS: usize = 30;
/// Bins of the calibration of numbers.
const CALIBRATION_BINS: usize = 10;

/// All three pictures of at least one row.
pub fn number_plots(numbers: &Numbers) -> NumberPlots {
    NumberPlots { pairs: pairs(numbers), residuals: residuals(numbers), calibration: calibration(numbers) }
}

/// Prediction and truth of all rows, or of a sample that is always the same for a number of rows, in their order.
fn pairs(numbers: &Numbers) -> Vec<[f64; 2]> {
    let mut rows: Vec<u32> = (0..numbers.rows() as u32).collect();
    if rows.len() > PLOT_PAIRS_MAX {
        Seed(0).derive("plot pairs").rng().shuffle(&mut rows);
        rows.truncate(PLOT_PAIRS_MAX);
        rows.sort_unstable();
    }
    rows.iter().map(|row| [numbers.predicted()[*row as usize], numbers.truth()[*row as usize]]).collect()
}

/// Truth minus prediction in bins of equal width from the smallest to the largest; one bin when all are equal, none when
/// their range is more than a number can hold.
fn residuals(numbers: &Numbers) -> Vec<PlotBin> {
    let residuals: Vec<f64> = numbers.pairs().map(|(truth, predicted)| truth - predicted).collect();
    let low = residuals.iter().copied().fold(f64::INFINITY, f64::min);
    let high = residuals.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / RESIDUAL_BINS as f64;
    if !width.is_finite() {
        return Vec::new();
    }
    let count = if width > 0.0 { RESIDUAL_BINS } else { 1 };
    let place = |residual: f64| if width > 0.0 { (((residual - low) / width) as usize).min(count - 1) } else { 0 };
    let borders = |bin: usize| {
        let border = |place: usize| if place == count { high } else { low + width * place as f64 };
        (border(bin), border(bin + 1))
    };
    binned(numbers, count, |row| place(residuals[row]), borders)
}

/// Predictions in bins of equally much weight, from the smallest to the largest; a row belongs to the bin that its middle
/// lies in. Bins without rows are left out.
fn calibration(numbers: &Numbers) -> Vec<PlotBin> {
    let order = rising(numbers.predicted());
    let mut place = vec![0_usize; order.len()];
    let mut below = Running::default();
    for row in &order {
        let weight = numbers.weights().of(*row as usize);
        let middle = (below.value() + weight / 2.0) / numbers.weights().total();
        place[*row as usize] = ((middle * CALIBRATION_BINS as f64) as usize).min(CALIBRATION_BINS - 1);
        below.add(weight);
    }
    let borders = |bin: usize| {
        let of_bin = || order.iter().filter(|row| place[**row as usize] == bin);
        let value = |row: Option<&u32>| row.map_or(0.0, |row| numbers.predicted()[*row as usize]);
        (value(of_bin().next()), value(of_bin().next_back()))
    };
    let mut bins = binned(numbers, CALIBRATION_BINS, |row| place[row], borders);
    bins.retain(|bin| bin.rest > 0.0);
    bins
}

/// Weight, mean prediction and mean truth of the rows of each bin; 0 for an empty one. A bin whose numbers sum to more than a
/// number can hold is left out.
fn binned(
    numbers: &Numbers,
    count: usize,
    place: impl Fn(usize) -> usize,
    borders: impl Fn(usize) -> (f64, f64),
) -> Vec<PlotBin> {
    let mut totals = vec![[Running::default(); 3]; count];
    for (row, (truth, predicted)) in numbers.pairs().enumerate() {
        let [rows, predictions, truths] = &mut totals[place(row)];
        let weight = numbers.weights().of(row);
        rows.add(weight);
        predictions.add(weight * predicted);
        truths.add(weight * truth);
    }
    let bin = |(bin, totals): (usize, &[Running; 3])| {
        let [rest, predictions, truths] = totals.map(Running::value);
        let (low, high) = borders(bin);
        let mean = |total: f64| if rest > 0.0 { total / rest } else { 0.0 };
        PlotBin { low, high, rest, members: 0.0, predicted: mean(predictions), observed: mean(truths) }
    };
    let bins = totals.iter().enumerate().map(bin);
    bins.filter(|bin| bin.predicted.is_finite() && bin.observed.is_finite()).collect()
}
