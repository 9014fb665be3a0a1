//! Maximum mean discrepancy of two samples of numbers (Gretton et al. 2012) with a permutation test.

use crate::base::seed::Seed;
use crate::drift::numeric::Tested;
use crate::drift::permute::Draws;
use crate::drift::pooled::Pooled;

/// Rounds of the permutation test: Evidently's.
const ROUNDS: u32 = 100;

/// Unbiased squared discrepancy with a Gaussian kernel whose width is the median distance among reference rows, as
/// Evidently's `empirical_mmd`, and the share of permutations that are as large. The stream of chance is not numpy's.
/// `None` below two rows on a side. O(points² × rounds), whatever the number of rows.
pub fn mean_discrepancy(pooled: &Pooled, seed: Seed) -> Option<Tested> {
    let (n, m) = (pooled.n, pooled.m);
    if n < 2.0 || m < 2.0 {
        return None;
    }
    let squared = median_square(&pooled.values, &pooled.reference) / 2.0;
    let spread = if squared == 0.0 { 0.5 } else { squared };
    let points = pooled.values.len();
    let mut kernel = vec![0.0; points * points];
    for (row, left) in pooled.values.iter().enumerate() {
        for (column, right) in pooled.values.iter().enumerate() {
            kernel[row * points + column] = (-(left - right).powi(2) / (2.0 * spread)).exp();
        }
    }
    let statistic = |reference: &[f64], current: &[f64]| {
        let (mut within, mut across, mut beside) = (0.0, 0.0, 0.0);
        for (row, cells) in kernel.chunks_exact(points).enumerate() {
            let (mut to_reference, mut to_current) = (0.0, 0.0);
            for ((cell, before), after) in cells.iter().zip(reference).zip(current) {
                to_reference += cell * before;
                to_current += cell * after;
            }
            within += reference[row] * to_reference;
            across += reference[row] * to_current;
            beside += current[row] * to_current;
        }
        (within - n) / (n * (n - 1.0)) + (beside - m) / (m * (m - 1.0)) - 2.0 * across / (n * m)
    };
    let observed = statistic(&pooled.reference, &pooled.current);
    let draws = Draws::new(&pooled.reference, &pooled.current);
    let mut rng = seed.rng();
    let mut as_large = 0_u32;
    for _ in 0..ROUNDS {
        let (reference, current) = draws.draw(&mut rng);
        as_large += u32::from(observed <= statistic(&reference, &current));
    }
    observed.is_finite().then(|| Tested::new(observed, f64::from(as_large) / f64::from(ROUNDS)))
}

/// The middle one of the squared distances between all pairs of rows, each row with itself too; the lower of two.
fn median_square(values: &[f64], counts: &[f64]) -> f64 {
    let held: Vec<(f64, f64)> =
        values.iter().copied().zip(counts.iter().copied()).filter(|(_, count)| *count > 0.0).collect();
    let mut squares: Vec<(f64, f64)> = Vec::with_capacity(held.len() * held.len());
    for (left, left_count) in &held {
        squares.extend(held.iter().map(|(right, count)| ((left - right).powi(2), left_count * count)));
    }
    squares.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = squares.iter().map(|(_, count)| count).sum();
    // numpy's "nearest": rank (total - 1) / 2, a half rounded to the even rank.
    let rank = ((total - 1.0) / 2.0).round_ties_even();
    let mut seen = 0.0;
    for (square, count) in &squares {
        seen += count;
        if rank < seen {
            return *square;
        }
    }
    0.0
}
