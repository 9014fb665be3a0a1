//! How strongly two columns go together: correlation, ranks, information.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::ParallelSliceMut;

use crate::data::frame::{MISSING_CODE, MISSING_TIME, Values};
use crate::quality::rows::float_key;

/// Cells of a contingency table kept as a grid; larger ones are kept as a tree.
const GRID_CELLS_MAX: usize = 1 << 20;

/// The pairs of finite values in the same row.
pub fn finite_pairs(a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).unzip()
}

/// The squared correlation of Pearson; 0 when a column does not vary. All values finite.
pub fn pearson_squared(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (centred(a), centred(b));
    let sum = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (aa, bb, ab) = (sum(&a, &a), sum(&b, &b), sum(&a, &b));
    let square = ab / aa * (ab / bb);
    if square.is_finite() { square.min(1.0) } else { 0.0 }
}

/// Differences to the mean, scaled to a largest size of 1 so that no square overflows.
fn centred(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let mean = values.iter().map(|value| value / largest).sum::<f64>() / values.len().max(1) as f64;
    let apart: Vec<f64> = values.iter().map(|value| value / largest - mean).collect();
    let widest = apart.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    // What rounding leaves of a constant is no variance.
    if widest <= 1e-12 {
        return vec![0.0; apart.len()];
    }
    apart.iter().map(|value| value / widest).collect()
}

/// The squared rank correlation of Spearman, ties at their mean rank. All values finite.
pub fn spearman_squared(a: &[f64], b: &[f64]) -> f64 {
    pearson_squared(&ranks(a), &ranks(b))
}

/// Ranks from 1, ties at their mean rank. No value is not-a-number.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, u32)> = values.iter().map(|value| value + 0.0).zip(0..).collect();
    order.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|(_, row)| ranks[*row as usize] = rank);
        before += tied.len();
    }
    ranks
}

/// Area under the ROC curve of `values` for telling the rows that are `positive`, ties half; `None` without both kinds.
///
/// From the rank sum (Mann and Whitney 1947).
pub fn roc_area(values: &[f64], positive: &[bool]) -> Option<f64> {
    let count = positive.iter().filter(|positive| **positive).count() as f64;
    let others = positive.len() as f64 - count;
    if count == 0.0 || others == 0.0 {
        return None;
    }
    let ranks = ranks(values);
    let sum: f64 = ranks.iter().zip(positive).filter(|(_, positive)| **positive).map(|(rank, _)| rank).sum();
    Some((sum - count * (count + 1.0) / 2.0) / (count * others))
}

/// Values as codes, when there are at most `levels_max` distinct ones; [`MISSING_CODE`] for missing.
pub fn coded(values: &Values, levels_max: usize) -> Option<(Vec<u32>, usize)> {
    fn code(keys: impl Iterator<Item = Option<u64>>, levels_max: usize) -> Option<(Vec<u32>, usize)> {
        let mut seen: HashMap<u64, u32> = HashMap::new();
        let mut codes = Vec::new();
        for key in keys {
            let next = seen.len() as u32;
            codes.push(key.map_or(MISSING_CODE, |key| *seen.entry(key).or_insert(next)));
            if seen.len() > levels_max {
                return None;
            }
        }
        Some((codes, seen.len()))
    }
    let present = |code: &u32| (*code != MISSING_CODE).then_some(u64::from(*code));
    match values {
        Values::Number(values) => {
            code(values.iter().map(|value| (!value.is_nan()).then(|| float_key(*value))), levels_max)
        }
        Values::Time(values) => {
            code(values.iter().map(|micros| (*micros != MISSING_TIME).then_some(*micros as u64)), levels_max)
        }
        // Codes of text may have gaps: levels that no row has.
        Values::Text(text) => code(text.codes.iter().map(present), levels_max),
        Values::Category { codes, .. } => code(codes.iter().map(present), levels_max),
        Values::Indicator { codes, code: one } => {
            code(codes.iter().map(|found| Some(u64::from(found == one))), levels_max)
        }
    }
}

/// What one coded column says of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Information {
    /// Rows where both have a value.
    pub rows: u64,
    /// Distinct values of the first among them.
    pub levels: usize,
    /// Distinct values of the second among them.
    pub classes: usize,
    /// Distinct pairs among them: as many as `levels` when the first decides the second.
    pub pairs: usize,
    /// Rows of the rarest value of the second.
    pub rarest: u64,
    /// Mutual information as a share of the entropy of the second, in `[0, 1]`.
    pub share: f64,
}

/// Mutual information of two coded columns (codes below `levels` and `classes`), with the correction of Miller and Madow
/// (1955) for chance: `I + (levels + classes - pairs - 1) / 2n`, over the entropy of the second column.
pub fn information(codes: &[u32], levels: usize, labels: &[u32], classes: usize) -> Information {
    let both = codes.iter().zip(labels).filter(|(code, label)| **code != MISSING_CODE && **label != MISSING_CODE);
    let cell = |code: u32, label: u32| code as usize * classes + label as usize;
    let cells: Vec<(usize, u64)> = if levels * classes <= GRID_CELLS_MAX {
        let mut grid = vec![0_u64; levels * classes];
        both.for_each(|(code, label)| grid[cell(*code, *label)] += 1);
        grid.into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
    } else {
        let mut tree: BTreeMap<usize, u64> = BTreeMap::new();
        both.for_each(|(code, label)| *tree.entry(cell(*code, *label)).or_default() += 1);
        tree.into_iter().collect()
    };
    let (mut of_level, mut of_class) = (vec![0_u64; levels], vec![0_u64; classes]);
    for (cell, count) in &cells {
        of_level[cell / classes] += count;
        of_class[cell % classes] += count;
    }
    let rows: u64 = of_class.iter().sum();
    let entropy = |counts: &mut dyn Iterator<Item = u64>| {
        let part = |count: u64| count as f64 / rows as f64;
        -counts.filter(|count| *count > 0).map(|count| part(count) * part(count).ln()).sum::<f64>()
    };
    let used = |counts: &[u64]| counts.iter().filter(|count| **count > 0).count();
    let (levels, classes, pairs) = (used(&of_level), used(&of_class), cells.len());
    let of_classes = entropy(&mut of_class.iter().copied());
    let shared = entropy(&mut of_level.iter().copied()) + of_classes - entropy(&mut cells.iter().map(|cell| cell.1));
    let chance = (levels as f64 + classes as f64 - pairs as f64 - 1.0) / (2.0 * rows as f64);
    let share = if of_classes > 0.0 { ((shared + chance) / of_classes).clamp(0.0, 1.0) } else { 0.0 };
    let rarest = of_class.iter().copied().filter(|count| *count > 0).min().unwrap_or(0);
    Information { rows, levels, classes, pairs, rarest, share }
}
