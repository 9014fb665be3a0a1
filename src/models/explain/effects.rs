//! Accumulated local effects (Apley, Zhu 2020), first order: what moving along a number changes among rows that are
//! near it.
//!
//! With the values cut at quantiles `z_0 < … < z_K`, `f(z_k) = Σ_{l ≤ k} mean over rows in (z_{l-1}, z_l] of
//! [f(z_l, x) - f(z_{l-1}, x)]`, centred by the mean over the rows, each bin at the middle of its ends, as `ALEPlot` does. Rows
//! keep their other values, so columns that go together are not torn apart.

use anyhow::Result;

use crate::data::frame::{Frame, MISSING_TIME, Values};
use crate::models::explain::mix::with_values;
use crate::models::explain::model::Model;
use crate::record::explanation::LocalEffects;

/// Effects of the number or time at `place`, in at most `bins` bins whose edges are values of rows. Rows without a
/// value are left out.
///
/// Gives in the place of effects the reason why there are none: text has no order, a constant no direction. Cost: two
/// predictions of all rows.
pub fn effects(
    frame: &Frame,
    place: usize,
    bins: usize,
    model: &Model<'_>,
) -> Result<std::result::Result<LocalEffects, String>> {
    let (numbers, time) = match &frame.columns()[place].values {
        Values::Number(numbers) => (numbers.clone(), false),
        Values::Time(times) => {
            let number = |time: &i64| if *time == MISSING_TIME { f64::NAN } else { *time as f64 };
            (times.iter().map(number).collect(), true)
        }
        _ => return Ok(Err("texts have no order to move along: see the dependence".to_owned())),
    };
    let rows: Vec<u32> = (0..numbers.len() as u32).filter(|row| numbers[*row as usize].is_finite()).collect();
    let values: Vec<f64> = rows.iter().map(|row| numbers[*row as usize]).collect();
    let edges = edges(&values, bins);
    if edges.len() < 2 {
        return Ok(Err("all rows have the same value".to_owned()));
    }
    let count = edges.len() - 1;
    // Bins are open below, but for the first.
    let bin_of = |value: &f64| edges.partition_point(|edge| edge < value).saturating_sub(1).min(count - 1);
    let bin: Vec<usize> = values.iter().map(bin_of).collect();
    let known = frame.take(&rows);
    let at = |side: usize| -> Result<Vec<f64>> {
        let moved = bin.iter().map(|bin| edges[bin + side]);
        let values = match time {
            true => Values::Time(moved.map(|value| value as i64).collect()),
            false => Values::Number(moved.collect()),
        };
        model.answers(&with_values(&known, place, values)?)
    };
    let (low, high) = (at(0)?, at(1)?);
    let mut of_bins = vec![0_u64; count];
    bin.iter().for_each(|&bin| of_bins[bin] += 1);
    let curve = |output: usize| {
        let mut sums = vec![0.0; count];
        for (row, &bin) in bin.iter().enumerate() {
            let place = row * model.outputs + output;
            sums[bin] += high[place] - low[place];
        }
        centred(&sums, &of_bins)
    };
    let values = (0..model.outputs).map(curve).collect();
    Ok(Ok(LocalEffects { edges, rows: of_bins, values }))
}

/// Sums of differences in each bin as a curve over the edges whose mean over the rows is 0.
fn centred(sums: &[f64], rows: &[u64]) -> Vec<f64> {
    let mut curve = vec![0.0];
    for (sum, &count) in sums.iter().zip(rows) {
        let last = curve[curve.len() - 1];
        curve.push(last + if count == 0 { 0.0 } else { sum / count as f64 });
    }
    let total: f64 = rows.iter().map(|&count| count as f64).sum();
    let middle = curve.windows(2).zip(rows).map(|(ends, &count)| (ends[0] + ends[1]) / 2.0 * count as f64);
    let mean = middle.sum::<f64>() / total;
    curve.iter().map(|value| value - mean).collect()
}

/// At most `bins + 1` distinct quantiles that are values themselves (R's type 1), smallest and largest among them.
fn edges(values: &[f64], bins: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(&first) = sorted.first() else {
        return Vec::new();
    };
    let at = |bin: usize| sorted[(bin * sorted.len()).div_ceil(bins).clamp(1, sorted.len()) - 1];
    let mut edges: Vec<f64> = std::iter::once(first).chain((1..=bins).map(at)).collect();
    edges.dedup();
    edges
}
