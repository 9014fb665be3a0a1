//! Rows of two tables dealt out anew: counts as they would be if both came from one population.

use crate::base::seed::Rng;

/// Rows up to which they are dealt one by one; beyond, counts are drawn from the normal limit.
const DEALT_ROWS_MAX: f64 = 20_000.0;

/// The pooled counts, ready to be dealt into a part as large as the reference and the rest.
pub struct Draws {
    pooled: Vec<f64>,
    n: f64,
    m: f64,
    /// The point of each row, while there are few.
    rows: Vec<u32>,
}

impl Draws {
    /// From the counts of both tables at each point.
    pub fn new(reference: &[f64], current: &[f64]) -> Draws {
        let pooled: Vec<f64> = reference.iter().zip(current).map(|(before, after)| before + after).collect();
        let (n, m) = (reference.iter().sum::<f64>(), current.iter().sum::<f64>());
        let mut rows = Vec::new();
        if n + m <= DEALT_ROWS_MAX {
            for (point, count) in pooled.iter().enumerate() {
                rows.extend(std::iter::repeat_n(point as u32, *count as usize));
            }
        }
        Draws { pooled, n, m, rows }
    }

    /// Counts of both parts after one deal. O(rows), or O(points) from the limit: the counts of the first part are normal
    /// with the mean and covariance of the multivariate hypergeometric law, and add up.
    pub fn draw(&self, rng: &mut Rng) -> (Vec<f64>, Vec<f64>) {
        let total = self.n + self.m;
        let mut first = vec![0.0; self.pooled.len()];
        if total <= DEALT_ROWS_MAX {
            let mut rows = self.rows.clone();
            for place in 0..(self.n as usize).min(rows.len()) {
                let other = place + rng.below((rows.len() - place) as u64) as usize;
                rows.swap(place, other);
                first[rows[place] as usize] += 1.0;
            }
        } else {
            let noise: Vec<f64> = self.pooled.iter().map(|count| (count / total).sqrt() * rng.normal()).collect();
            let sum: f64 = noise.iter().sum();
            let scale = (self.n * self.m / (total - 1.0)).sqrt();
            for ((cell, count), deviation) in first.iter_mut().zip(&self.pooled).zip(noise) {
                let share = count / total;
                *cell = (self.n * share + scale * (deviation - share * sum)).clamp(0.0, *count);
            }
        }
        let second = self.pooled.iter().zip(&first).map(|(count, cell)| count - cell).collect();
        (first, second)
    }
}
