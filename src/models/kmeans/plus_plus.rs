//! Where rounds start: greedy k-means++, centers drawn far from one another.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::seed::{Rng, Seed};
use crate::models::kmeans::Rows;
use crate::models::kmeans::lloyd::{BLOCK_ROWS, square};

/// At most `clusters` rows as centers: the first drawn by weight, each further one the best of 2 + ln(clusters) rows drawn
/// in proportion to weight × squared distance from the centers so far. Fewer when no row is left that differs from all
/// centers. Cost: trials × clusters × rows × features.
pub fn centers(rows: &Rows<'_>, clusters: usize, seed: Seed) -> Vec<f64> {
    let count = rows.points.rows();
    let trials = 2 + (clusters as f64).ln() as usize;
    let mut rng = seed.rng();
    let weights: Vec<f64> = (0..count).map(|row| rows.weight(row)).collect();
    let first = draw(&weights, &mut rng).unwrap_or(0);
    let mut chosen = rows.points.row(first).to_vec();
    let mut closest = vec![f64::INFINITY; count];
    shrink(rows, first, &mut closest);
    for _ in 1..clusters {
        let pull: Vec<f64> = closest.iter().zip(&weights).map(|(square, weight)| square * weight).collect();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..trials {
            let Some(row) = draw(&pull, &mut rng) else { break };
            let mut trial = closest.clone();
            let left = shrink(rows, row, &mut trial);
            if best.as_ref().is_none_or(|(least, ..)| left < *least) {
                best = Some((left, row, trial));
            }
        }
        let Some((_, row, trial)) = best else { break };
        chosen.extend_from_slice(rows.points.row(row));
        closest = trial;
    }
    chosen
}

/// Lowers `closest` to the squared distance from `center` where that is less; returns their weighted sum.
fn shrink(rows: &Rows<'_>, center: usize, closest: &mut [f64]) -> f64 {
    let center = rows.points.row(center);
    let blocks: Vec<(usize, &mut [f64])> = closest.chunks_mut(BLOCK_ROWS).enumerate().collect();
    let sums: Vec<f64> = blocks
        .into_par_iter()
        .map(|(block, closest)| {
            let mut sum = 0.0;
            for (at, least) in closest.iter_mut().enumerate() {
                let row = block * BLOCK_ROWS + at;
                *least = least.min(square(rows.points.row(row), center));
                sum += *least * rows.weight(row);
            }
            sum
        })
        .collect();
    sums.iter().sum()
}

/// A position drawn in proportion to `shares`; `None` when all are 0.
fn draw(shares: &[f64], rng: &mut Rng) -> Option<usize> {
    let total: f64 = shares.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return None;
    }
    let wanted = rng.unit() * total;
    let mut sum = 0.0;
    for (position, share) in shares.iter().enumerate() {
        sum += share;
        if sum > wanted && *share > 0.0 {
            return Some(position);
        }
    }
    // Rounding may leave the last step out.
    shares.iter().rposition(|share| *share > 0.0)
}
