//! Gradient-based one-side sampling (Ke et al. 2017, algorithm 2): rows with large gradients are kept, of the others a
//! few are drawn and count for all.

use crate::base::seed::Seed;

/// The rows of one tree.
pub struct Drawn {
    /// All of them, ascending.
    pub rows: Vec<u32>,
    /// Those that stand for others, ascending.
    pub raised: Vec<u32>,
}

/// Rows kept and rows drawn, of `count`; at least one of each.
fn counts(count: usize, top: f64, other: f64) -> (usize, usize) {
    let of = |share: f64| ((count as f64 * share) as usize).clamp(1, count.max(1));
    (of(top), of(other))
}

/// How many rows each drawn row stands for.
pub fn factor(count: usize, top: f64, other: f64) -> f64 {
    let (kept, drawn) = counts(count, top, other);
    ((count - kept) as f64 / drawn as f64).max(1.0)
}

/// Keeps the `top` share of `rows` with the largest measures (and all that tie with the last), and draws a share `other`
/// of all from the rest. `measures` has one value for each of `rows`: the product of both derivatives, summed over
/// outputs, in absolute value, as LightGBM takes it.
pub fn draw(rows: &[u32], measures: &[f64], top: f64, other: f64, seed: Seed) -> Drawn {
    let count = rows.len();
    let (top_count, mut wanted) = counts(count, top, other);
    let mut sorted = measures.to_vec();
    let (_, least, _) = sorted.select_nth_unstable_by(top_count - 1, |a, b| b.total_cmp(a));
    let least = *least;
    let mut left = measures.iter().filter(|measure| **measure < least).count();
    let mut drawn = Drawn { rows: Vec::with_capacity(top_count + wanted), raised: Vec::with_capacity(wanted) };
    let mut rng = seed.rng();
    for (&row, &measure) in rows.iter().zip(measures) {
        if measure >= least {
            drawn.rows.push(row);
            continue;
        }
        if wanted > 0 && rng.below(left as u64) < wanted as u64 {
            drawn.rows.push(row);
            drawn.raised.push(row);
            wanted -= 1;
        }
        left -= 1;
    }
    drawn
}
