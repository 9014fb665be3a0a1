//! Interactions: Friedman's H² (Friedman, Popescu 2008, §8.1).
//!
//! With centred partial dependences `F` at the rows, of two columns `H² = Σ (F_jk - F_j - F_k)² / Σ F_jk²`, of one
//! column with all others `H² = Σ (f - F_j - F_-j)² / Σ f²`. Of several outputs both sums run over all of them. H² is
//! large too where both columns hardly matter, so the size of the part that is not additive is given beside it.

use anyhow::Result;
use rayon::prelude::*;

use crate::data::frame::Frame;
use crate::models::explain::mix::{CELLS_AT_ONCE, mixed};
use crate::models::explain::model::{Model, means};

/// A share of the mean square of all answers below which a dependence counts as flat, as rounding alone makes such.
const FLAT_SHARE: f64 = 1e-20;

/// How far two columns act together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Positions of the columns.
    pub columns: (usize, usize),
    /// Friedman's H², from 0 to about 1.
    pub h2: f64,
    /// Root mean square of what is not additive, in the unit of the answers, over rows and outputs.
    pub strength: f64,
}

/// Interactions of every pair of the columns `places`, and the overall H² of each of them, in their order.
///
/// Cost: rows² × (pairs + 2 columns) predictions, in parallel.
pub fn interactions(frame: &Frame, places: &[usize], model: &Model<'_>) -> Result<(Vec<Pair>, Vec<f64>)> {
    let whole = centred(model.answers(frame)?, model.outputs);
    let flat = FLAT_SHARE * whole.iter().map(|value| value * value).sum::<f64>().max(f64::MIN_POSITIVE);
    let alone: Vec<Vec<f64>> =
        places.par_iter().map(|&place| dependence(frame, &[place], model)).collect::<Result<_>>()?;
    let all: Vec<usize> = (0..frame.columns().len()).collect();
    let overall = places.par_iter().zip(&alone).map(|(&place, own)| {
        let others: Vec<usize> = all.iter().copied().filter(|other| *other != place).collect();
        let others = dependence(frame, &others, model)?;
        Ok(not_additive(&whole, own, &others, flat).0)
    });
    let overall: Vec<f64> = overall.collect::<Result<_>>()?;
    let numbers: Vec<(usize, usize)> =
        (0..places.len()).flat_map(|a| (a + 1..places.len()).map(move |b| (a, b))).collect();
    let pairs = numbers.into_par_iter().map(|(a, b)| {
        let together = dependence(frame, &[places[a], places[b]], model)?;
        let (h2, strength) = not_additive(&together, &alone[a], &alone[b], flat);
        Ok(Pair { columns: (places[a], places[b]), h2, strength })
    });
    Ok((pairs.collect::<Result<_>>()?, overall))
}

/// Share of the squares of `whole` that `a + b` leaves, and its root mean square.
fn not_additive(whole: &[f64], a: &[f64], b: &[f64], flat: f64) -> (f64, f64) {
    let left = whole.iter().zip(a).zip(b).map(|((whole, a), b)| (whole - a - b).powi(2));
    let (left, all) = (left.sum::<f64>(), whole.iter().map(|value| value * value).sum::<f64>());
    if all <= flat || left <= flat {
        return (0.0, 0.0);
    }
    (left / all, (left / whole.len().max(1) as f64).sqrt())
}

/// Centred partial dependence on the columns `places` at every row of `frame`, `rows × outputs`.
fn dependence(frame: &Frame, places: &[usize], model: &Model<'_>) -> Result<Vec<f64>> {
    let rows: Vec<u32> = (0..frame.rows() as u32).collect();
    let cells = (rows.len() * frame.columns().len()).max(1);
    let mut values = Vec::with_capacity(rows.len() * model.outputs);
    for some in rows.chunks((CELLS_AT_ONCE / cells).max(1)) {
        let known: Vec<u32> = some.iter().flat_map(|row| std::iter::repeat_n(*row, rows.len())).collect();
        let answers = model.answers(&mixed(frame, places, &known, &rows.repeat(some.len()))?)?;
        for of_row in answers.chunks_exact((rows.len() * model.outputs).max(1)) {
            values.extend(means(of_row, model.outputs));
        }
    }
    Ok(centred(values, model.outputs))
}

fn centred(mut values: Vec<f64>, outputs: usize) -> Vec<f64> {
    let means = means(&values, outputs);
    for row in values.chunks_exact_mut(outputs.max(1)) {
        row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean);
    }
    values
}
