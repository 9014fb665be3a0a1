//! The slices that a model serves worst, found without being named.
//!
//! The search of SliceFinder (Chung, Kraska, Polyzotis, Tae and Whang, "Slice Finder: Automated Data Slicing for Model
//! Validation", ICDE 2019) over single values and pairs: every slice is held against all other rows by its loss, effect size
//! and a one-sided test, with the false discovery rate of Benjamini and Hochberg over all slices tried. Different from the
//! paper: all pairs are tried and nothing is pruned; slices are ranked by the excess of their loss that is sure; and what
//! earlier slices explain is no slice of its own.

pub mod loss;
mod sums;

#[cfg(test)]
mod tests;

use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::{SLICE_SEARCH_CANDIDATES_MAX, SLICE_SEARCH_PAIR_COLUMNS_MAX};
use crate::metrics::worst::sums::{Excess, Sums, excess};

/// Code of a row with a value that too few rows have.
pub const NO_LEVEL: u8 = u8::MAX;
/// Least mean loss above that of the other rows, in standard deviations of the loss, that is worth a word.
const EFFECT_MIN: f64 = 0.1;
/// Share of false slices among those found.
const FALSE_SHARE_MAX: f64 = 0.01;

/// One way to divide rows: a column, or its bins.
#[derive(Clone, Debug)]
pub struct Axis {
    /// One code a row, below `levels`, or [`NO_LEVEL`].
    pub codes: Vec<u8>,
    /// Number of codes.
    pub levels: usize,
}

/// How far to look.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Rows of the smallest slice; with weights as many rows of equal weight.
    pub rows_min: u64,
    /// Most slices found.
    pub most: usize,
}

/// A slice that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    /// One or two axes, ascending, each with the code of the slice.
    pub places: Vec<(usize, u8)>,
    /// Mean loss above that of all other rows, in standard deviations of the loss.
    pub effect: f64,
    /// Chance of such an excess, or a larger one, in rows picked blindly.
    pub p_value: f64,
}

/// A slice that was tried.
struct Tried {
    places: Vec<(usize, u8)>,
    excess: Excess,
    p_value: f64,
}

/// The slices of one or two of `axes` whose rows lose most, the worst first.
///
/// A slice is found when it and the other rows are at least `rows_min` rows, its mean loss is 0.1 standard deviations above
/// that of the others, and the excess is significant: at most 1 % of the slices found are expected to be chance
/// (Benjamini and Hochberg 1995, over all slices tried). The p-value is the larger one of Welch's test and of the test that
/// the rows were picked blindly; that of a pair is the largest one against all other rows and against the other rows of
/// both its halves, so that a pair is found only where it is worse than each half. The rank is the lower end of the 95 % interval of the
/// excess. A slice whose rows outside the slices found before it are not worse, after Bonferroni, is left out; so is a
/// pair inside a slice found before unless it is worse, after Bonferroni, than the rest of that slice.
///
/// `losses` are finite, one a row, the more the worse. The same bits on any number of threads. Cost: one pass over the rows
/// for each axis and for each pair of the [`SLICE_SEARCH_PAIR_COLUMNS_MAX`] axes whose levels differ most.
pub fn worst(axes: &[Axis], losses: &[f64], weights: Option<&[f64]>, search: &Search) -> Vec<Worst> {
    let Some(rows) = sums::standardized(losses, weights) else { return Vec::new() };
    let all = rows.iter().fold(Sums::default(), |sum, row| sum + *row);
    let singles: Vec<Vec<Sums>> = axes.par_iter().map(|axis| single(axis, &rows)).collect();
    let ground = Ground { axes, rows: &rows, all, singles: &singles, rows_min: search.rows_min as f64 };
    let (mut tried, mut count) = ground.try_singles();
    let paired = ground.most_different();
    let pairs: Vec<(usize, usize)> = (0..paired.len())
        .flat_map(|at| paired[at + 1..].iter().map(move |b| (at, *b)))
        .map(|(at, b)| (paired[at], b))
        .collect();
    let found: Vec<(Vec<Tried>, usize)> = pairs.into_par_iter().map(|(a, b)| ground.try_pair(a, b)).collect();
    for (more, tests) in found {
        tried.extend(more);
        count += tests;
    }
    let mut kept = discoveries(tried, count);
    kept.sort_by(|a, b| b.excess.low.total_cmp(&a.excess.low).then_with(|| a.places.cmp(&b.places)));
    kept.truncate(SLICE_SEARCH_CANDIDATES_MAX);
    ground.unexplained(kept, count, search.most)
}

/// Sums of the loss for each level of an axis.
fn single(axis: &Axis, rows: &[Sums]) -> Vec<Sums> {
    let mut cells = vec![Sums::default(); axis.levels + 1];
    for (code, row) in axis.codes.iter().zip(rows) {
        cells[usize::from(*code).min(axis.levels)] += *row;
    }
    cells.truncate(axis.levels);
    cells
}

/// The slices of `tried` that Benjamini and Hochberg's procedure keeps when `count` were tested.
fn discoveries(mut tried: Vec<Tried>, count: usize) -> Vec<Tried> {
    tried.sort_by(|a, b| a.p_value.total_cmp(&b.p_value).then_with(|| a.places.cmp(&b.places)));
    let bound = |rank: usize| FALSE_SHARE_MAX * (rank + 1) as f64 / count as f64;
    let kept = (0..tried.len()).rev().find(|rank| tried[*rank].p_value <= bound(*rank)).map_or(0, |rank| rank + 1);
    tried.truncate(kept);
    tried
}

/// What all slices are held against.
struct Ground<'a> {
    axes: &'a [Axis],
    rows: &'a [Sums],
    all: Sums,
    singles: &'a [Vec<Sums>],
    rows_min: f64,
}

impl Ground<'_> {
    /// Whether a slice and what is left of `all` without it have enough rows.
    fn is_large(&self, part: &Sums) -> bool {
        part.count() >= self.rows_min && (self.all - *part).count() >= self.rows_min
    }

    /// Every level of every axis: those that look worse, and how many there are.
    fn try_singles(&self) -> (Vec<Tried>, usize) {
        let (mut tried, mut count) = (Vec::new(), 0);
        for (axis, cells) in self.singles.iter().enumerate() {
            for (level, part) in (0..).zip(cells).filter(|(_, part)| self.is_large(part)) {
                count += 1;
                if let Some(excess) = excess(part, &(self.all - *part)).filter(|excess| excess.effect >= EFFECT_MIN) {
                    tried.push(Tried { places: vec![(axis, level)], p_value: excess.p_value, excess });
                }
            }
        }
        (tried, count)
    }

    /// Every pair of levels of two axes.
    fn try_pair(&self, a: usize, b: usize) -> (Vec<Tried>, usize) {
        let (first, second) = (&self.axes[a], &self.axes[b]);
        let width = second.levels + 1;
        let mut cells = vec![Sums::default(); (first.levels + 1) * width];
        for ((x, y), row) in first.codes.iter().zip(&second.codes).zip(self.rows) {
            cells[usize::from(*x).min(first.levels) * width + usize::from(*y).min(second.levels)] += *row;
        }
        let (mut tried, mut count) = (Vec::new(), 0);
        for x in 0..first.levels {
            for y in 0..second.levels {
                let part = &cells[x * width + y];
                let halves = [&self.singles[a][x], &self.singles[b][y]];
                // All rows of one half are that half.
                if !self.is_large(part) || halves.iter().any(|half| part.count() >= half.count()) {
                    continue;
                }
                count += 1;
                let Some(excess_of_all) = excess(part, &(self.all - *part)) else { continue };
                let beside = halves.map(|half| excess(part, &(*half - *part)).map_or(1.0, |excess| excess.p_value));
                let p_value = beside.into_iter().fold(excess_of_all.p_value, f64::max);
                if excess_of_all.effect >= EFFECT_MIN {
                    tried.push(Tried { places: vec![(a, x as u8), (b, y as u8)], p_value, excess: excess_of_all });
                }
            }
        }
        (tried, count)
    }

    /// The axes that are crossed: those whose levels differ most in loss, in the order they are given.
    fn most_different(&self) -> Vec<usize> {
        let between =
            |cells: &Vec<Sums>| cells.iter().map(|cell| cell.mean() * cell.mean() * cell.weight()).sum::<f64>();
        let mut order: Vec<usize> = (0..self.axes.len()).filter(|axis| self.axes[*axis].levels > 1).collect();
        if order.len() > SLICE_SEARCH_PAIR_COLUMNS_MAX {
            let spread: Vec<f64> = self.singles.iter().map(between).collect();
            order.sort_by(|a, b| spread[*b].total_cmp(&spread[*a]).then(a.cmp(b)));
            order.truncate(SLICE_SEARCH_PAIR_COLUMNS_MAX);
            order.sort_unstable();
        }
        order
    }

    /// The first `most` of `ranked` that say something beside those before them.
    fn unexplained(&self, ranked: Vec<Tried>, count: usize, most: usize) -> Vec<Worst> {
        let bonferroni = FALSE_SHARE_MAX / count.max(1) as f64;
        let clear = |found: Option<Excess>| {
            found.is_some_and(|excess| excess.p_value <= bonferroni && excess.effect >= EFFECT_MIN)
        };
        let mut told = vec![false; self.rows.len()];
        let mut untold = self.all;
        let mut found: Vec<Worst> = Vec::new();
        for tried in ranked {
            if found.len() >= most {
                break;
            }
            let holds = |row: &usize| tried.places.iter().all(|(axis, level)| self.axes[*axis].codes[*row] == *level);
            let rows: Vec<usize> = (0..self.rows.len()).filter(holds).collect();
            let sum_of =
                |rows: &mut dyn Iterator<Item = &usize>| rows.fold(Sums::default(), |sum, row| sum + self.rows[*row]);
            let part = sum_of(&mut rows.iter());
            let new = sum_of(&mut rows.iter().filter(|row| !told[**row]));
            let inside = found.iter().filter(|outer| outer.places.iter().all(|place| tried.places.contains(place)));
            let mut parents =
                inside.map(|outer| self.singles[outer.places[0].0][usize::from(outer.places[0].1)]).peekable();
            let tells = match parents.peek() {
                Some(_) => parents.all(|parent| clear(excess(&part, &(parent - part)))),
                None => found.is_empty() || clear(excess(&new, &(untold - new))),
            };
            if tells {
                rows.iter().for_each(|row| told[*row] = true);
                untold = untold - new;
                found.push(Worst { places: tried.places, effect: tried.excess.effect, p_value: tried.p_value });
            }
        }
        found
    }
}
