//! Sums, quantiles and modes of finite numbers, with the same bits on any machine and number of threads.

use std::borrow::Cow;

/// Numbers summed one after the other before block sums are added: bounds the rounding error at rows / BLOCK + BLOCK.
const BLOCK: usize = 1024;
/// Independent sums inside a block, so that the compiler may use vector instructions without changing the order.
const LANES: usize = 8;

/// The values that are finite, to be reordered.
pub fn finite(values: &[f64]) -> Vec<f64> {
    // Room for all at once: a vector that grows copies itself again and again.
    let mut found = Vec::with_capacity(values.len());
    found.extend(values.iter().copied().filter(|value| value.is_finite()));
    found
}

/// The values that are finite, to be read; a copy only where some are not.
pub fn present(values: &[f64]) -> Cow<'_, [f64]> {
    match values.iter().all(|value| value.is_finite()) {
        true => Cow::Borrowed(values),
        false => Cow::Owned(finite(values)),
    }
}

/// Sum of `term(value)` in a fixed order. O(n).
pub fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let blocks = values.chunks(BLOCK).map(|block| {
        let mut lanes = [0.0; LANES];
        let whole = block.chunks_exact(LANES);
        let rest: f64 = whole.remainder().iter().map(|&value| term(value)).sum();
        for chunk in whole {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                *lane += term(value);
            }
        }
        lanes.iter().sum::<f64>() + rest
    });
    blocks.sum()
}

/// Arithmetic mean of finite numbers; `None` for none. Never overflows.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let count = values.len() as f64;
    let total = sum(values, |value| value);
    Some(if total.is_finite() { total / count } else { sum(values, |value| value / count) })
}

/// Smallest and largest of finite numbers.
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(low, high), &value| (low.min(value), high.max(value))))
}

/// Quantiles at `shares` by linear interpolation (Hyndman and Fan's type 7, numpy's default), in the bits numpy gives.
///
/// Sorts `values`, which must be finite and not empty. O(n log n).
pub fn quantiles(values: &mut [f64], shares: &[f64]) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    shares.iter().map(|&share| interpolate(values, share)).collect()
}

fn interpolate(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    let fraction = position - below as f64;
    let gap = high - low;
    if !gap.is_finite() {
        return low * (1.0 - fraction) + high * fraction;
    }
    if fraction >= 0.5 { high - gap * (1.0 - fraction) } else { low + gap * fraction }
}

/// Median of finite numbers, the mean of the two middle ones when their number is even; `None` for none. O(n).
pub fn median(values: &mut [f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return Some(upper);
    }
    let below = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = below + upper;
    Some(if total.is_finite() { total / 2.0 } else { below / 2.0 + upper / 2.0 })
}

/// Distinct finite numbers in ascending order with how often each occurs; -0 counts as 0. Sorts. O(n log n).
pub fn counts(values: &mut [f64]) -> Vec<(f64, u64)> {
    for value in values.iter_mut() {
        // Adding zero turns -0 into 0 and changes nothing else.
        *value += 0.0;
    }
    values.sort_unstable_by(f64::total_cmp);
    let runs = values.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as u64)).collect()
}

/// The first of those that occur most often.
pub fn most_frequent<T: Clone>(counts: &[(T, u64)]) -> Option<T> {
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts.iter().find(|(_, count)| *count == most).map(|(value, _)| value.clone())
}
