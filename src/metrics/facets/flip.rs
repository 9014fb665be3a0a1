//! The flip test: would rows of the group have been answered otherwise if they were not of it?

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

/// Neighbours asked, and how many others there must be for that; with fewer, the nearest one alone is asked (as `smclarify`).
const NEIGHBOURS: usize = 5;
const OTHERS_MIN: usize = 10;

/// Points of one side: `rows × width` finite numbers, row by row, with whether each is answered favourably.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a> {
    /// Coordinates.
    pub points: &'a [f64],
    /// Answers.
    pub favoured: &'a [bool],
}

/// `(F+ - F-) / n`: of the rows of the `group`, those answered favourably while most of their nearest `others` are not (F+), less
/// those the other way round (F-), as a share of the group. Negative where the group fares worse than its likes (Black, Yeom and
/// Fredrikson 2020, "FlipTest", approximated by nearest neighbours as Clarify does). `None` without rows on either side.
///
/// Distances are Euclidean; of equally near others the first are asked. O(group × others × width), in parallel.
pub fn flip_test(group: Neighbours, others: Neighbours, width: usize) -> Option<f64> {
    let (rows, others_count) = (group.favoured.len(), others.favoured.len());
    if rows == 0 || others_count == 0 {
        return None;
    }
    let asked = if others_count >= OTHERS_MIN { NEIGHBOURS } else { 1 };
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let flipped = |row: usize| -> i64 {
        let own = &group.points[row * width..(row + 1) * width];
        let mut near: Vec<(f64, usize)> = Vec::with_capacity(asked + 1);
        for other in 0..others_count {
            let far = distance(own, &others.points[other * width..(other + 1) * width]);
            if near.len() < asked || far < near[near.len() - 1].0 {
                let place = near.partition_point(|(nearer, _)| *nearer <= far);
                near.insert(place, (far, other));
                near.truncate(asked);
            }
        }
        let votes = near.iter().filter(|(_, other)| others.favoured[*other]).count();
        i64::from(group.favoured[row]) - i64::from(2 * votes > near.len())
    };
    let flips: i64 = (0..rows).into_par_iter().map(flipped).sum();
    Some(flips as f64 / rows as f64)
}
