//! Importance of columns: the gain of each in a small ensemble of boosted trees.
//!
//! Only good for telling columns apart; models have trees of their own.

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::data::target::Target;
use crate::features::many::codes::Codes;

/// Trees grown one after the other on what the ones before left.
const TREES: usize = 20;
/// Levels of splits of one tree.
const DEPTH: usize = 4;
/// Share of a leaf's mean that is taken.
const RATE: f64 = 0.3;
/// Fewest rows of a leaf.
const LEAF_ROWS_MIN: usize = 5;
/// Classes that are told apart; rows of rarer ones are of none.
const CLASSES_MAX: usize = 10;

/// Values to explain, one list for each output, all centered.
type Outputs = Vec<Vec<f64>>;

/// Share of each column in the gain of all, or 0 for all when nothing is gained.
///
/// Least squares on the target, or on one column of 0 and 1 for each of the most frequent classes: a split's gain is the
/// sum over outputs of Σ (Σr)² / n over both sides less that of the whole, r being residuals. Codes of unordered columns
/// are sorted by the mean residual of the first output. O(trees · depth · rows · columns · outputs).
pub fn importances(columns: &[Codes], target: &Target, rows: &[u32]) -> Vec<f64> {
    let mut residuals = outputs(target, rows);
    let mut gains = vec![0.0; columns.len()];
    for _ in 0..TREES {
        let mut nodes = vec![(0..rows.len() as u32).collect::<Vec<u32>>()];
        for _ in 0..DEPTH {
            let mut below = Vec::with_capacity(nodes.len() * 2);
            for node in nodes {
                match best_split(columns, &residuals, &node) {
                    None => below.push(node),
                    Some(split) => {
                        gains[split.column] += split.gain;
                        let codes = &columns[split.column].codes;
                        let (left, right) =
                            node.into_iter().partition(|&row| split.left[usize::from(codes[row as usize])]);
                        below.extend([left, right]);
                    }
                }
            }
            nodes = below;
        }
        for output in &mut residuals {
            for node in &nodes {
                let mean = node.iter().map(|&row| output[row as usize]).sum::<f64>() / node.len().max(1) as f64;
                node.iter().for_each(|&row| output[row as usize] -= RATE * mean);
            }
        }
    }
    let total: f64 = gains.iter().sum();
    if total > 0.0 { gains.into_iter().map(|gain| gain / total).collect() } else { gains }
}

fn outputs(target: &Target, rows: &[u32]) -> Outputs {
    let mut outputs: Outputs = match target {
        Target::Numbers(values) => {
            let largest = rows.iter().fold(0.0_f64, |largest, &row| largest.max(values[row as usize].abs()));
            let unit = if largest > 0.0 { largest } else { 1.0 };
            vec![rows.iter().map(|&row| values[row as usize] / unit).collect()]
        }
        Target::Classes { names, codes } => {
            let mut counts = vec![0_u64; names.len()];
            rows.iter().for_each(|&row| counts[codes[row as usize] as usize] += 1);
            let mut order: Vec<usize> = (0..names.len()).collect();
            order.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
            // With two classes, one column says all.
            order.truncate(if names.len() <= 2 { 1 } else { CLASSES_MAX });
            let of = |class: usize| {
                let one = |&row: &u32| f64::from(u8::from(codes[row as usize] as usize == class));
                rows.iter().map(one).collect::<Vec<f64>>()
            };
            order.into_iter().map(of).collect()
        }
        // Labels only judge.
        Target::Labels { .. } => Vec::new(),
    };
    for output in &mut outputs {
        let mean = output.iter().sum::<f64>() / output.len().max(1) as f64;
        output.iter_mut().for_each(|value| *value -= mean);
    }
    outputs
}

struct Split {
    column: usize,
    gain: f64,
    /// Whether each code goes left.
    left: Vec<bool>,
}

/// The best split of a node over all columns, the first of equals; none without gain.
fn best_split(columns: &[Codes], residuals: &Outputs, node: &[u32]) -> Option<Split> {
    if node.len() < 2 * LEAF_ROWS_MIN {
        return None;
    }
    let spread: f64 = residuals.iter().flat_map(|output| node.iter().map(|&row| output[row as usize].powi(2))).sum();
    let splits: Vec<Option<(f64, Vec<bool>)>> =
        columns.par_iter().map(|column| split_of(column, residuals, node)).collect();
    let mut best: Option<Split> = None;
    for (column, split) in splits.into_iter().enumerate() {
        if let Some((gain, left)) = split
            && gain > best.as_ref().map_or(1e-12 * spread, |best| best.gain)
        {
            best = Some(Split { column, gain, left });
        }
    }
    best
}

fn split_of(column: &Codes, residuals: &Outputs, node: &[u32]) -> Option<(f64, Vec<bool>)> {
    let width = residuals.len();
    let mut counts = vec![0.0; column.count];
    let mut sums = vec![0.0; column.count * width];
    for &row in node {
        let code = usize::from(column.codes[row as usize]);
        counts[code] += 1.0;
        for (sum, output) in sums[code * width..].iter_mut().zip(residuals) {
            *sum += output[row as usize];
        }
    }
    let mut order: Vec<usize> = (0..column.count).filter(|&code| counts[code] > 0.0).collect();
    if !column.ordered {
        order.sort_by(|&a, &b| (sums[a * width] / counts[a]).total_cmp(&(sums[b * width] / counts[b])));
    }
    let total: Vec<f64> =
        (0..width).map(|output| order.iter().map(|&code| sums[code * width + output]).sum()).collect();
    let rows = node.len() as f64;
    let whole: f64 = total.iter().map(|total| total * total / rows).sum();
    let (mut below, mut left) = (vec![0.0; width], 0.0);
    let mut best = (0.0, 0);
    for (place, &code) in order.iter().enumerate().take(order.len().saturating_sub(1)) {
        left += counts[code];
        let mut gain = -whole;
        for (output, below) in below.iter_mut().enumerate() {
            *below += sums[code * width + output];
            gain += *below * *below / left + (total[output] - *below).powi(2) / (rows - left);
        }
        let fits = left >= LEAF_ROWS_MIN as f64 && rows - left >= LEAF_ROWS_MIN as f64;
        if fits && gain > best.0 {
            best = (gain, place + 1);
        }
    }
    if best.1 == 0 {
        return None;
    }
    let mut goes_left = vec![false; column.count];
    order[..best.1].iter().for_each(|&code| goes_left[code] = true);
    Some((best.0, goes_left))
}
