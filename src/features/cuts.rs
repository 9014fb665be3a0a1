//! Bins whose edges a small decision tree finds, looking at the target.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use anyhow::Result;

use crate::base::units;
use crate::data::frame::Values;
use crate::data::target::Target;
use crate::features::bin::FittedBin;
use crate::features::column::{Kind, Working};
use crate::features::fitting::Fitting;
use crate::features::step::{FittedColumn, Learned, SupervisedAction};
use crate::spec::recipe::BinEncode;

/// Share of the training rows that a bin has at least, unless said otherwise.
const LEAF_SHARE: f64 = 0.05;
/// Gains below this share of what is to be gained are rounding errors.
const GAIN_SHARE_MIN: f64 = 1e-12;

/// How the tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeBinOptions {
    /// Most bins; at least 2.
    pub bins: usize,
    /// Fewest training rows of a bin; a twentieth of them when absent.
    pub rows_min: Option<usize>,
    /// Numbers of bins or columns of 0 and 1.
    pub encode: BinEncode,
}

impl SupervisedAction for TreeBinOptions {
    fn name(&self) -> &'static str {
        "bin"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    /// Learns the edges: the thresholds of scikit-learn's `DecisionTreeClassifier(criterion="entropy")` (1.9), for numbers
    /// `DecisionTreeRegressor`, with `max_leaf_nodes` bins of `min_samples_leaf` rows, on this column alone: best gain
    /// first, edges halfway between values, no split without gain. Missing values are left out. O(n log n + n · bins).
    fn learn(&self, column: &Working, fitting: &Fitting) -> Result<Learned> {
        let target = fitting.wanted_target()?;
        let mut order: Vec<(f64, u32)> = match &*column.values {
            Values::Number(values) => values.iter().copied().zip(0..).filter(|(value, _)| value.is_finite()).collect(),
            _ => Vec::new(),
        };
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let rows_min = self.rows_min.unwrap_or((LEAF_SHARE * order.len() as f64) as usize).max(1);
        let edges = grow(&order, &Gains::new(target), self.bins, rows_min);
        let name = &column.name;
        let mut notes = Vec::new();
        if edges.is_empty() {
            notes.push(format!("column `{name}` has no cut that tells anything about the target: one bin made"));
        } else if edges.len() + 1 < self.bins {
            let made = units::plural(edges.len() as u64 + 1, "bin");
            notes.push(format!("column `{name}`: {made} of at most {} tell something about the target", self.bins));
        }
        Ok((FittedColumn::Bin(FittedBin::new(name, edges, self.encode)), notes))
    }
}

/// What a split is measured by.
enum Gains<'t> {
    /// Entropy: Σ over both sides of Σ c·ln c - n·ln n, c rows of a class, n rows.
    Classes(&'t [u32], usize),
    /// Variance: Σ over both sides of (Σ y)² / n, y the distance from the mean in units of the largest one.
    Numbers(Vec<f64>),
}

/// A part of the ordered rows and the best split of it.
struct Node {
    start: usize,
    end: usize,
    /// First row of the upper part.
    cut: usize,
    gain: f64,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    /// Largest gain first, then the smaller values.
    fn cmp(&self, other: &Node) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.start.cmp(&self.start))
    }
}

/// Edges of at most `bins` bins of at least `rows_min` rows, ascending.
fn grow(order: &[(f64, u32)], gains: &Gains, bins: usize, rows_min: usize) -> Vec<f64> {
    let least = GAIN_SHARE_MIN * gains.most(order);
    let mut open = BinaryHeap::new();
    open.extend(gains.best(order, 0, order.len(), rows_min, least));
    let mut edges = Vec::new();
    while edges.len() + 1 < bins
        && let Some(node) = open.pop()
    {
        edges.push(halfway(order[node.cut - 1].0, order[node.cut].0));
        open.extend(gains.best(order, node.start, node.cut, rows_min, least));
        open.extend(gains.best(order, node.cut, node.end, rows_min, least));
    }
    edges.sort_unstable_by(f64::total_cmp);
    edges
}

/// Between two numbers, and above the lower one: an edge belongs to the bin above it.
fn halfway(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle > low { middle } else { high }
}

fn xlnx(count: f64) -> f64 {
    if count > 0.0 { count * count.ln() } else { 0.0 }
}

impl<'t> Gains<'t> {
    fn new(target: &'t Target) -> Gains<'t> {
        match target {
            Target::Classes { names, codes } => Gains::Classes(codes, names.len()),
            Target::Numbers(values) => {
                let count = values.len().max(1) as f64;
                let mean = values.iter().map(|value| value / count).sum::<f64>();
                let largest =
                    values.iter().fold(0.0_f64, |largest, value| largest.max((value / 2.0 - mean / 2.0).abs()));
                let unit = if largest > 0.0 { largest } else { 1.0 };
                Gains::Numbers(values.iter().map(|value| (value / 2.0 - mean / 2.0) / unit).collect())
            }
            // Labels only judge: nothing is gained by any cut.
            Target::Labels { codes, .. } => Gains::Numbers(vec![0.0; codes.len()]),
        }
    }

    /// What perfect bins would gain.
    fn most(&self, order: &[(f64, u32)]) -> f64 {
        match self {
            Gains::Classes(codes, classes) => {
                let mut counts = vec![0.0; *classes];
                order.iter().for_each(|(_, row)| counts[codes[*row as usize] as usize] += 1.0);
                xlnx(order.len() as f64) - counts.into_iter().map(xlnx).sum::<f64>()
            }
            Gains::Numbers(values) => order.iter().map(|(_, row)| values[*row as usize].powi(2)).sum(),
        }
    }

    /// The best split of rows `start..end` into parts of at least `rows_min`, the lowest of equals; none below `least`.
    fn best(&self, order: &[(f64, u32)], start: usize, end: usize, rows_min: usize, least: f64) -> Option<Node> {
        if end - start < 2 * rows_min {
            return None;
        }
        let mut best = Node { start, end, cut: start, gain: least };
        let mut offer = |cut: usize, gain: f64| {
            let apart = order[cut - 1].0 < order[cut].0;
            if apart && cut - start >= rows_min && end - cut >= rows_min && gain > best.gain {
                (best.cut, best.gain) = (cut, gain);
            }
        };
        match self {
            Gains::Classes(codes, classes) => {
                let mut above = vec![0.0; *classes];
                let class = |at: usize| codes[order[at].1 as usize] as usize;
                (start..end).for_each(|at| above[class(at)] += 1.0);
                let mut below = vec![0.0; *classes];
                let mut sums = (0.0, above.iter().copied().map(xlnx).sum::<f64>());
                let whole = xlnx((end - start) as f64) - sums.1;
                for at in start..end - 1 {
                    let class = class(at);
                    sums.0 += xlnx(below[class] + 1.0) - xlnx(below[class]);
                    sums.1 += xlnx(above[class] - 1.0) - xlnx(above[class]);
                    below[class] += 1.0;
                    above[class] -= 1.0;
                    let (left, right) = ((at + 1 - start) as f64, (end - at - 1) as f64);
                    offer(at + 1, whole - (xlnx(left) - sums.0) - (xlnx(right) - sums.1));
                }
            }
            Gains::Numbers(values) => {
                let total: f64 = (start..end).map(|at| values[order[at].1 as usize]).sum();
                let whole = total * total / (end - start) as f64;
                let mut sum = 0.0;
                for at in start..end - 1 {
                    sum += values[order[at].1 as usize];
                    let (left, right) = ((at + 1 - start) as f64, (end - at - 1) as f64);
                    offer(at + 1, sum * sum / left + (total - sum).powi(2) / right - whole);
                }
            }
        }
        (best.cut > start).then_some(best)
    }
}
