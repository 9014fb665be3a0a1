//! Measures on resampled rows, for their intervals.

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::seed::Seed;
use crate::metrics::facets::FacetMeasure;
use crate::metrics::facets::counts::{CELLS, Counts, Outcomes};

/// Values of a measure on `resamples` resamples of the rows, each row drawn 0 to 7 times with a mean of 1 (Poisson bootstrap),
/// NaN where it has no meaning. The same `seed` draws the same rows, so that two models are paired. Empty for a measure that is
/// no function of counts, or that looks at labels alone: these are of the data, and not resampled.
///
/// O(rows × resamples), in parallel, the same on any number of threads. Errors: as [`Outcomes::count`].
pub fn replicate(outcomes: &Outcomes, measure: &FacetMeasure, resamples: u32, seed: Seed) -> Result<Vec<f64>> {
    if !measure.is_counted() {
        return Ok(Vec::new());
    }
    outcomes.count()?;
    let cells: Vec<Option<usize>> = outcomes.cells().collect();
    let strata = outcomes.strata_count();
    let times = times_table();
    let one = |number: u32| {
        let mut rng = seed.nth(u64::from(number)).rng();
        let mut counts = vec![[0.0; CELLS]; strata];
        for (block, part) in cells.chunks(4).enumerate() {
            let mut bits = rng.bits();
            for (place, cell) in part.iter().enumerate() {
                let drawn = f64::from(times[(bits & 0xffff) as usize]);
                bits >>= 16;
                if let Some(cell) = cell {
                    let weight = outcomes.weights.map_or(1.0, |weights| weights[block * 4 + place]);
                    counts[cell / CELLS][cell % CELLS] += drawn * weight;
                }
            }
        }
        let counts = Counts::new(counts, [Vec::new(), Vec::new()], outcomes.strata.is_some());
        measure.value(&counts).unwrap_or(f64::NAN)
    };
    Ok((0..resamples).into_par_iter().map(one).collect())
}

/// How often a row is drawn for each of 65,536 equally likely numbers: a Poisson number with mean 1, cut at 7.
fn times_table() -> Vec<u8> {
    let mut chance = (-1.0_f64).exp();
    let (mut below, mut table) = (0.0, Vec::with_capacity(1 << 16));
    for times in 0..=7_u8 {
        below += chance;
        chance /= f64::from(times) + 1.0;
        let end = if times == 7 { 1 << 16 } else { (below * 65_536.0).round() as usize };
        table.resize(end.max(table.len()), times);
    }
    table
}
