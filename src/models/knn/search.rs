//! The nearest of many rows.

use smartcore::algorithm::neighbour::cover_tree::CoverTree;
use smartcore::metrics::distance::Distance;

/// Squared distance and number of a row.
pub type Nearest = (f64, usize);

/// Rows from which a tree can pay.
const ROWS_MIN: usize = 1_024;
/// Features up to which it does: among more, nearly all rows are about equally far.
const FEATURES_MAX: usize = 8;
/// Questions from which making it pays.
const QUERIES_MIN: usize = 256;
/// Rounding of a distance, in shares of the sizes of both rows, with room to spare.
const SLACK: f64 = 1e-12;

/// Whether a tree finds the nearest of `rows` rows sooner than looking at all of them.
pub fn is_worth_it(rows: usize, features: usize, queries: usize) -> bool {
    rows >= ROWS_MIN && features <= FEATURES_MAX && queries >= QUERIES_MIN
}

/// The `count` nearest of `rows` to `query`, nearest first, the earlier row first on a tie.
pub fn nearest<'r>(query: &[f64], rows: impl Iterator<Item = (usize, &'r [f64])>, count: usize) -> Vec<Nearest> {
    let mut best: Vec<Nearest> = Vec::with_capacity(count + 1);
    for (row, values) in rows {
        let distance: f64 = values.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum();
        if best.len() == count && best.last().is_some_and(|worst| distance >= worst.0) {
            continue;
        }
        let place = best.partition_point(|known| known.0 <= distance);
        best.insert(place, (distance, row));
        best.truncate(count);
    }
    best
}

#[derive(Clone, Debug)]
struct Euclid;

impl Distance<Vec<f64>> for Euclid {
    fn distance(&self, a: &Vec<f64>, b: &Vec<f64>) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }
}

/// A cover tree (Beygelzimer, Kakade and Langford 2006) of smartcore, which narrows down the rows that are looked at.
pub struct Tree {
    tree: CoverTree<Vec<f64>, Euclid>,
    /// Largest length of a row.
    longest: f64,
}

impl Tree {
    /// A tree of rows of `width` finite values; `None` for values whose distances overflow. Copies the rows.
    pub fn new(rows: &[f64], width: usize) -> Option<Tree> {
        let rows: Vec<Vec<f64>> = rows.chunks_exact(width).map(<[f64]>::to_vec).collect();
        let longest = rows.iter().map(|row| length(row)).fold(0.0, f64::max);
        if longest.is_nan() || longest >= f64::MAX.sqrt() / 4.0 {
            return None;
        }
        Some(Tree { tree: CoverTree::new(rows, Euclid).ok()?, longest })
    }

    /// As [`nearest`] of all `rows`, those the tree was made of.
    ///
    /// The tree says how far `count` rows reach; all rows within, and a little beyond for its rounding, are then compared.
    pub fn nearest(&self, query: &[f64], rows: &[f64], count: usize) -> Vec<Nearest> {
        let width = query.len();
        let asked = query.to_vec();
        let all = || nearest(query, rows.chunks_exact(width).enumerate(), count);
        let size = length(query) + self.longest;
        if !size.is_finite() {
            return all();
        }
        let Ok(found) = self.tree.find(&asked, count) else { return all() };
        let reach = found.iter().map(|(_, distance, _)| *distance).fold(0.0, f64::max) + SLACK * size;
        let Some(mut near) =
            self.tree.find_radius(&asked, reach.max(f64::MIN_POSITIVE)).ok().filter(|_| found.len() == count)
        else {
            return all();
        };
        near.sort_unstable_by_key(|(row, ..)| *row);
        let near: Vec<Nearest> =
            nearest(query, near.iter().map(|(row, ..)| (*row, &rows[row * width..(row + 1) * width])), count);
        if near.len() == count { near } else { all() }
    }
}

fn length(row: &[f64]) -> f64 {
    row.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::Seed;

    /// Both ways give the same bits for every query.
    #[track_caller]
    fn check(name: &str, rows: &[f64], width: usize) {
        let tree = Tree::new(rows, width).expect(name);
        for (turn, row) in rows.chunks_exact(width).enumerate().step_by(7) {
            for shift in [0.0, 0.3, 1e-9] {
                let query: Vec<f64> = row.iter().map(|value| value + shift).collect();
                for count in [1, 5, 40] {
                    let plain = nearest(&query, rows.chunks_exact(width).enumerate(), count);
                    assert_eq!(tree.nearest(&query, rows, count), plain, "{name}: row {turn}, {count} rows");
                }
            }
        }
    }

    #[test]
    fn a_tree_finds_the_rows_that_looking_at_all_finds() {
        let mut rng = Seed(3).rng();
        let mut draw = |count: usize, make: &mut dyn FnMut(f64, usize) -> f64| -> Vec<f64> {
            (0..count).map(|at| make(rng.normal(), at)).collect()
        };
        check("normal", &draw(1_500, &mut |value, _| value), 3);
        check("ties", &draw(1_200, &mut |value, _| value.round()), 2);
        check("two far heaps", &draw(1_200, &mut |value, at| if at / 3 % 2 == 0 { value } else { 1e9 + value }), 3);
        check("all alike", &[2.5; 900], 3);
        check("many scales", &draw(900, &mut |value, at| value * 10_f64.powi((at % 24) as i32 - 12)), 3);
        check("few rows", &draw(120, &mut |value, _| value), 3);
        assert!(Tree::new(&[1e200, 1.0], 2).is_none());
    }
}
