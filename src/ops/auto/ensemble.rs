//! Which trials answer together, and with which shares: greedy selection with replacement (Caruana, Niculescu-Mizil, Crew,
//! Ksikes 2004) on answers to rows that no fit had seen, over bags of the candidates (Caruana, Munson, Niculescu-Mizil 2006)
//! and of the rows, so that what only noise tells apart shares the answer.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::seed::Seed;

/// Steps of one greedy selection.
const STEPS: usize = 30;
/// Selections that are averaged, each from a part of the candidates on rows drawn with replacement.
const BAGS: u64 = 16;
/// Share of the candidates that a bag holds.
const BAG_SHARE: f64 = 0.7;
/// Smallest share of an answer that is worth keeping models for.
const SHARE_MIN: f64 = 0.02;
/// Smallest probability that is believed, as of the metric `log_loss`.
const PROBABILITY_MIN: f64 = 1e-15;
/// Rows that selections look at; more hardly change what is chosen.
const ROWS_MAX: usize = 20_000;
/// Probabilities multiplied before a logarithm is taken: 1e-15 to the power of 16 is still a number.
const FACTORS: usize = 16;

/// What a selection makes small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Values are probabilities of the true class: mean of −ln.
    Log,
    /// Values are differences from the true number: mean of squares.
    Squared,
}

impl Loss {
    /// Mean loss of `values / scale`.
    pub fn of(self, values: &[f64], scale: f64) -> f64 {
        let count = values.len().max(1) as f64;
        match self {
            Loss::Squared => values.iter().map(|value| (value / scale).powi(2)).sum::<f64>() / count,
            Loss::Log => {
                let product = |some: &[f64]| -> f64 {
                    some.iter().map(|value| (value / scale).clamp(PROBABILITY_MIN, 1.0)).product()
                };
                -values.chunks(FACTORS).map(|some| product(some).ln()).sum::<f64>() / count
            }
        }
    }
}

/// Shares of the candidates in a common answer, summing to 1; most are 0, at most `most` are not.
///
/// `candidates` are values as `loss` wants them, one for each row, all of the same rows; they are linear, so that a mean of
/// answers has the mean of their values. The best candidate alone answers when all together are worse by more than chance
/// (one standard error) explains. Deterministic in `seed`.
/// Cost: bags × steps × candidates × rows.
pub fn select(candidates: &[&[f64]], loss: Loss, most: usize, seed: Seed) -> Vec<f64> {
    let rows = candidates.first().map_or(0, |values| values.len());
    let stride = rows.div_ceil(ROWS_MAX).max(1);
    let thinned: Vec<Vec<f64>> =
        candidates.iter().map(|values| values.iter().step_by(stride).copied().collect()).collect();
    let alone: Vec<f64> = thinned.iter().map(|values| loss.of(values, 1.0)).collect();
    let sound = (0..alone.len()).filter(|place| alone[*place].is_finite());
    let best = sound.reduce(|a, b| if alone[b] < alone[a] { b } else { a });
    let Some(best) = best else {
        return vec![0.0; candidates.len()];
    };
    let shares: Vec<Vec<f64>> = (0..BAGS)
        .into_par_iter()
        .map(|bag| {
            let mut rng = seed.nth(bag).rng();
            let held: Vec<usize> =
                (0..thinned.len()).filter(|place| *place == best || rng.unit() < BAG_SHARE).collect();
            let count = thinned[best].len();
            let drawn: Vec<usize> = (0..count).map(|_| rng.below(count as u64) as usize).collect();
            let values: Vec<Vec<f64>> =
                held.iter().map(|place| drawn.iter().map(|row| thinned[*place][*row]).collect()).collect();
            let mut shares = vec![0.0; thinned.len()];
            held.iter().zip(greedy(&values, loss)).for_each(|(place, share)| shares[*place] = share);
            shares
        })
        .collect();
    let mut mean: Vec<f64> = (0..thinned.len()).map(|at| shares.iter().map(|one| one[at]).sum::<f64>()).collect();
    keep_largest(&mut mean, most);
    if is_worse(&blended(&thinned, &mean), &thinned[best], loss) {
        mean.fill(0.0);
        mean[best] = 1.0;
    }
    mean
}

/// Whether the loss of `values` is above that of `others` by more than one standard error of the difference.
fn is_worse(values: &[f64], others: &[f64], loss: Loss) -> bool {
    let each = |value: &f64| loss.of(std::slice::from_ref(value), 1.0);
    let differences: Vec<f64> = values.iter().zip(others).map(|(value, other)| each(value) - each(other)).collect();
    let count = differences.len().max(2) as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let square = differences.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (square / count).sqrt();
    mean.is_nan() || error.is_nan() || mean > error
}

/// Adds whichever candidate makes the mean of all those added best, again and again; the best number of steps counts.
fn greedy(candidates: &[Vec<f64>], loss: Loss) -> Vec<f64> {
    let rows = candidates[0].len();
    let (mut sum, mut trial) = (vec![0.0; rows], vec![0.0; rows]);
    let mut added: Vec<usize> = Vec::with_capacity(STEPS);
    let mut best = (0, f64::INFINITY);
    for step in 1..=STEPS {
        let mut found = (0, f64::INFINITY);
        for (place, candidate) in candidates.iter().enumerate() {
            trial.iter_mut().zip(&sum).zip(candidate).for_each(|((trial, sum), value)| *trial = sum + value);
            let reached = loss.of(&trial, step as f64);
            if reached < found.1 {
                found = (place, reached);
            }
        }
        sum.iter_mut().zip(&candidates[found.0]).for_each(|(sum, value)| *sum += value);
        added.push(found.0);
        if found.1 < best.1 {
            best = (step, found.1);
        }
    }
    let mut shares = vec![0.0; candidates.len()];
    let steps = best.0.max(1);
    added[..steps].iter().for_each(|place| shares[*place] += 1.0 / steps as f64);
    shares
}

/// Forgets small shares and all but the `most` largest; the others sum to 1 again.
fn keep_largest(shares: &mut [f64], most: usize) {
    let total: f64 = shares.iter().sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
    for (rank, &place) in order.iter().enumerate() {
        if rank > 0 && (rank >= most || shares[place] < SHARE_MIN * total) {
            shares[place] = 0.0;
        }
    }
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= total);
}

/// The values of the common answer.
pub fn blended(candidates: &[Vec<f64>], shares: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; candidates.first().map_or(0, Vec::len)];
    for (values, share) in candidates.iter().zip(shares).filter(|(_, share)| **share > 0.0) {
        sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * value);
    }
    sum
}
