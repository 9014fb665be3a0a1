//! Correlation of pairs of columns, each pair on the rows where both have a value.

use rayon::prelude::*;
use serde::Serialize;

use crate::data::frame::{MISSING_CODE, TextValues};
use crate::data::profile::sums::sum;

/// How strongly two columns go together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The earlier column.
    pub a: String,
    /// The later one.
    pub b: String,
    /// The coefficient; `None` when either column is constant on the shared rows, or there are fewer than two.
    pub value: Option<f64>,
    /// Rows where both have a value.
    pub rows: u64,
}

/// Two values of one row.
type Both = (f64, f64);

/// Pearson's `r = sum((x - mx)(y - my)) / sqrt(sum((x - mx)^2) sum((y - my)^2))` of every pair, strongest first, as
/// `pandas.DataFrame.corr` on finite numbers. Sums are compensated, means are those of the shared rows. O(rows · columns²).
pub fn pearson(columns: &[(&str, Vec<f64>)]) -> Vec<Pair> {
    paired(columns, |a, b| {
        let both: Vec<Both> = a.iter().copied().zip(b.iter().copied()).filter(finite).collect();
        (product_moment(&both), both.len())
    })
}

/// Spearman's coefficient of every pair: Pearson's of the ranks within the shared rows, ties at their mean rank
/// (`scipy.stats.spearmanr` on those rows). Strongest first. O(rows · log rows · columns²).
pub fn spearman(columns: &[(&str, Vec<f64>)]) -> Vec<Pair> {
    // Columns without holes have the same ranks in every pair.
    let whole: Vec<Option<Vec<f64>>> = columns
        .par_iter()
        .map(|(_, values)| values.iter().all(|value| value.is_finite()).then(|| ranks(values)))
        .collect();
    let ranked = |a: &usize, b: &usize| {
        let both: Vec<Both> = match (&whole[*a], &whole[*b]) {
            (Some(a), Some(b)) => a.iter().copied().zip(b.iter().copied()).collect(),
            _ => {
                let (a, b) = (&columns[*a].1, &columns[*b].1);
                let shared: (Vec<f64>, Vec<f64>) = a.iter().copied().zip(b.iter().copied()).filter(finite).unzip();
                ranks(&shared.0).into_iter().zip(ranks(&shared.1)).collect()
            }
        };
        (product_moment(&both), both.len())
    };
    let places: Vec<(&str, usize)> = columns.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    paired(&places, ranked)
}

/// Cramér's `V = sqrt(chi² / (n (min(r, c) - 1)))` of every pair of categorical columns, without correction for chance
/// (`scipy.stats.contingency.association`): small tables of many categories show some by chance. Strongest first.
pub fn categories(columns: &[(&str, TextValues)]) -> Vec<Pair> {
    paired(columns, cramers_v)
}

/// Applies `measure` to every pair of columns, pairs in parallel; strongest first, ties in the order of columns.
fn paired<T: Sync>(columns: &[(&str, T)], measure: impl Fn(&T, &T) -> (Option<f64>, usize) + Sync) -> Vec<Pair> {
    let pairs: Vec<(usize, usize)> =
        (0..columns.len()).flat_map(|a| (a + 1..columns.len()).map(move |b| (a, b))).collect();
    let measured = pairs.into_par_iter().map(|(a, b)| {
        let (value, rows) = measure(&columns[a].1, &columns[b].1);
        Pair { a: columns[a].0.to_owned(), b: columns[b].0.to_owned(), value, rows: rows as u64 }
    });
    let mut measured: Vec<Pair> = measured.collect();
    let strength = |pair: &Pair| pair.value.map_or(-1.0, f64::abs);
    measured.sort_by(|x, y| strength(y).total_cmp(&strength(x)));
    measured
}

fn finite(pair: &Both) -> bool {
    pair.0.is_finite() && pair.1.is_finite()
}

fn product_moment(both: &[Both]) -> Option<f64> {
    if both.len() < 2 {
        return None;
    }
    let count = both.len() as f64;
    let largest = |pick: fn(&Both) -> f64| both.iter().map(|pair| pick(pair).abs()).fold(0.0, f64::max);
    // Any scale gives the same coefficient; a power of two gives it without loss.
    let (x_scale, y_scale) = (unit(largest(|pair| pair.0)), unit(largest(|pair| pair.1)));
    let x_mean = sum(both, |pair| pair.0 * x_scale) / count;
    let y_mean = sum(both, |pair| pair.1 * y_scale) / count;
    let x_spread = both.iter().map(|pair| (pair.0 * x_scale - x_mean).abs()).fold(0.0, f64::max);
    let y_spread = both.iter().map(|pair| (pair.1 * y_scale - y_mean).abs()).fold(0.0, f64::max);
    let constant = |pick: fn(&Both) -> f64| both.iter().all(|pair| pick(pair) == pick(&both[0]));
    if constant(|pair| pair.0) || constant(|pair| pair.1) {
        return None;
    }
    let (x_unit, y_unit) = (unit(x_spread), unit(y_spread));
    let x = |pair: Both| (pair.0 * x_scale - x_mean) * x_unit;
    let y = |pair: Both| (pair.1 * y_scale - y_mean) * y_unit;
    let xx = sum(both, |pair| x(pair) * x(pair));
    let yy = sum(both, |pair| y(pair) * y(pair));
    let xy = sum(both, |pair| x(pair) * y(pair));
    Some((xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0)).filter(|r| r.is_finite())
}

/// A power of two that brings `size` near 1.
fn unit(size: f64) -> f64 {
    if size > 0.0 { 2.0_f64.powi(-(size.log2() as i32).clamp(-1000, 1000)) } else { 1.0 }
}

/// Ranks from 1, ties at the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    let value = |row: u32| values[row as usize] + 0.0;
    order.sort_unstable_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for run in order.chunk_by(|a, b| value(*a) == value(*b)) {
        let rank = before as f64 + (run.len() + 1) as f64 / 2.0;
        run.iter().for_each(|row| ranks[*row as usize] = rank);
        before += run.len();
    }
    ranks
}

fn cramers_v(a: &TextValues, b: &TextValues) -> (Option<f64>, usize) {
    let (rows, columns) = (a.levels.len(), b.levels.len());
    let mut cells = vec![0_u64; rows * columns];
    let (mut row_sums, mut column_sums) = (vec![0_u64; rows], vec![0_u64; columns]);
    for (&x, &y) in a.codes.iter().zip(&b.codes).filter(|(x, y)| **x != MISSING_CODE && **y != MISSING_CODE) {
        cells[x as usize * columns + y as usize] += 1;
        row_sums[x as usize] += 1;
        column_sums[y as usize] += 1;
    }
    let total = row_sums.iter().sum::<u64>();
    let seen = |sums: &[u64]| sums.iter().filter(|count| **count > 0).count();
    let least = seen(&row_sums).min(seen(&column_sums));
    if least < 2 {
        return (None, total as usize);
    }
    // In the order of sizes, so that the order of rows, and with it of codes, does not show in the last digit.
    let mut terms: Vec<f64> = Vec::with_capacity(cells.len());
    for (place, &found) in cells.iter().enumerate() {
        let expected = row_sums[place / columns] as f64 * column_sums[place % columns] as f64 / total as f64;
        if expected > 0.0 {
            terms.push((found as f64 - expected) * (found as f64 - expected) / expected);
        }
    }
    terms.sort_unstable_by(f64::total_cmp);
    let chi = sum(&terms, |term| term);
    let value = (chi / (total as f64 * (least - 1) as f64)).sqrt().min(1.0);
    (Some(value), total as usize)
}
