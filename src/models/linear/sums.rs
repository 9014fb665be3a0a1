//! Sums over rows: the parts they are made of, products, mean and spread.

use std::ops::Range;

/// Rows that are worked on at once: a block of one column stays in the first cache.
pub const BLOCK_ROWS: usize = 512;
/// Rows below which a chunk is not worth a task.
const CHUNK_ROWS: usize = 4096;
/// Most chunks, and so most tasks of one pass.
const CHUNKS_MAX: usize = 64;
/// Most floats that the partial sums of all chunks may have together: 256 MiB.
const PARTIAL_CELLS_MAX: usize = 1 << 25;

/// Parts of `rows` that may be summed apart, when each partial sum has `cells` floats. They depend on these two numbers
/// only; who sums the parts in order gets the same bits on any number of threads.
pub fn chunks(rows: usize, cells: usize) -> Vec<Range<usize>> {
    let count = (rows / CHUNK_ROWS).min(CHUNKS_MAX).min(PARTIAL_CELLS_MAX / cells.max(1)).max(1);
    (0..count).map(|chunk| chunk * rows / count..(chunk + 1) * rows / count).collect()
}

/// Blocks of a range, cut at multiples of their length; of those, one of `every`, the same ones whatever the range.
pub fn blocks(range: Range<usize>, every: usize) -> impl Iterator<Item = Range<usize>> {
    let numbers = (range.start / BLOCK_ROWS..range.end.div_ceil(BLOCK_ROWS)).filter(move |number| number % every == 0);
    numbers.map(move |number| (number * BLOCK_ROWS).max(range.start)..((number + 1) * BLOCK_ROWS).min(range.end))
}

/// Sum of products in eight lanes, which the compiler turns into vector instructions.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Weighted mean and standard deviation (1 for a constant) of the rows of weight above 0, by way of the range so that
/// nothing overflows however large the values.
pub fn moments(values: &[f64], weights: Option<&[f64]>) -> (f64, f64) {
    let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
    let counted = || values.iter().enumerate().map(|(row, value)| (*value, weight(row))).filter(|pair| pair.1 > 0.0);
    let low = counted().map(|(value, _)| value).fold(f64::INFINITY, f64::min);
    let high = counted().map(|(value, _)| value).fold(f64::NEG_INFINITY, f64::max);
    let half = high / 2.0 - low / 2.0;
    if low > high || half < f64::MIN_POSITIVE {
        return (if low > high { 0.0 } else { low }, 1.0);
    }
    let middle = low / 2.0 + high / 2.0;
    let total = weights.map_or(values.len() as f64, |weights| weights.iter().sum());
    let mean = counted().map(|(value, weight)| weight * ((value - middle) / half)).sum::<f64>() / total;
    let square = |(value, weight): (f64, f64)| weight * ((value - middle) / half - mean).powi(2);
    let deviation = half * (counted().map(square).sum::<f64>() / total).sqrt();
    match deviation >= f64::MIN_POSITIVE {
        true => (middle + half * mean, deviation),
        false => (low, 1.0),
    }
}
