//! Lloyd's rounds: every row to its nearest center, every center to the mean of its rows, until nothing moves.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::models::kmeans::Rows;

/// Rows summed in one go: sums of blocks are added in order, so that threads change nothing.
pub const BLOCK_ROWS: usize = 4_096;

/// How one start ended.
pub struct Ended {
    /// Center by center.
    centers: Vec<f64>,
    /// Weight of the rows of each center.
    sizes: Vec<f64>,
    /// Center of each row.
    pub codes: Vec<u32>,
    /// Weighted sum of squared distances of rows to their centers.
    pub inertia: f64,
    /// Whether the centers stood still before rounds ran out.
    pub settled: bool,
}

/// What one pass over the rows finds.
struct Pass {
    codes: Vec<u32>,
    squares: Vec<f64>,
    /// Weighted sums of the rows of each center.
    sums: Vec<f64>,
    sizes: Vec<f64>,
    inertia: f64,
}

/// Nearest of `centers` to `row`, the first on a tie, and the squared distance.
pub fn nearest(row: &[f64], centers: &[f64]) -> (u32, f64) {
    let mut best = (0, f64::INFINITY);
    for (code, center) in centers.chunks_exact(row.len()).enumerate() {
        let square = square(row, center);
        if square < best.1 {
            best = (code as u32, square);
        }
    }
    best
}

/// Squared Euclidean distance.
pub fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Rounds from `centers` until no row changes its center, all centers together move by no more than `tolerance` times the
/// mean variance of the features, or `rounds_max` is reached; scikit-learn's rule. A center that loses all its rows takes
/// the row farthest from its own center.
pub fn run(rows: &Rows<'_>, mut centers: Vec<f64>, rounds_max: usize, tolerance: f64) -> Ended {
    let width = rows.points.width;
    let still = if tolerance > 0.0 { tolerance * mean_variance(rows) } else { 0.0 };
    let mut before: Option<Vec<u32>> = None;
    let mut settled = false;
    for _ in 0..rounds_max {
        let mut pass = pass(rows, &centers);
        fill_empty(rows, &mut pass);
        if before.as_ref() == Some(&pass.codes) {
            settled = true;
            break;
        }
        let mut next = centers.clone();
        for (code, size) in pass.sizes.iter().enumerate().filter(|(_, size)| **size > 0.0) {
            let place = code * width..(code + 1) * width;
            next[place.clone()].iter_mut().zip(&pass.sums[place]).for_each(|(to, sum)| *to = sum / size);
        }
        let moved = square(&centers, &next);
        (centers, before) = (next, Some(pass.codes));
        if moved <= still && tolerance > 0.0 {
            settled = true;
            break;
        }
    }
    let last = pass(rows, &centers);
    Ended { centers, sizes: last.sizes, codes: last.codes, inertia: last.inertia, settled }
}

fn pass(rows: &Rows<'_>, centers: &[f64]) -> Pass {
    let (count, width) = (rows.points.rows(), rows.points.width);
    let clusters = centers.len() / width;
    let of_block = |block: usize| {
        let range = block * BLOCK_ROWS..count.min((block + 1) * BLOCK_ROWS);
        let mut pass = Pass::new(clusters, width, range.len());
        for row in range {
            let values = rows.points.row(row);
            let ((code, square), weight) = (nearest(values, centers), rows.weight(row));
            let place = code as usize * width;
            pass.sums[place..place + width].iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            pass.sizes[code as usize] += weight;
            pass.inertia += weight * square;
            pass.codes.push(code);
            pass.squares.push(square);
        }
        pass
    };
    let blocks: Vec<Pass> = (0..count.div_ceil(BLOCK_ROWS)).into_par_iter().map(of_block).collect();
    let mut whole = Pass::new(clusters, width, count);
    for block in blocks {
        whole.codes.extend(block.codes);
        whole.squares.extend(block.squares);
        whole.sums.iter_mut().zip(block.sums).for_each(|(sum, more)| *sum += more);
        whole.sizes.iter_mut().zip(block.sizes).for_each(|(size, more)| *size += more);
        whole.inertia += block.inertia;
    }
    whole
}

impl Pass {
    fn new(clusters: usize, width: usize, rows: usize) -> Pass {
        Pass {
            codes: Vec::with_capacity(rows),
            squares: Vec::with_capacity(rows),
            sums: vec![0.0; clusters * width],
            sizes: vec![0.0; clusters],
            inertia: 0.0,
        }
    }
}

/// Gives every empty cluster the row that is farthest from its center, taken from a cluster of others.
fn fill_empty(rows: &Rows<'_>, pass: &mut Pass) {
    let width = rows.points.width;
    let empty: Vec<usize> = (0..pass.sizes.len()).filter(|code| pass.sizes[*code] <= 0.0).collect();
    for code in empty {
        let farthest = (0..pass.codes.len())
            .filter(|row| pass.squares[*row] > 0.0 && rows.weight(*row) > 0.0)
            .max_by(|a, b| pass.squares[*a].total_cmp(&pass.squares[*b]).then(b.cmp(a)));
        let Some(row) = farthest else { return };
        let (from, weight) = (pass.codes[row] as usize, rows.weight(row));
        for (at, value) in rows.points.row(row).iter().enumerate() {
            pass.sums[from * width + at] -= weight * value;
            pass.sums[code * width + at] = weight * value;
        }
        pass.sizes[from] -= weight;
        pass.sizes[code] = weight;
        (pass.codes[row], pass.squares[row]) = (code as u32, 0.0);
    }
}

/// Mean over features of their population variance.
fn mean_variance(rows: &Rows<'_>) -> f64 {
    let (count, width) = (rows.points.rows(), rows.points.width);
    let variance = |feature: usize| {
        let values = || (0..count).map(|row| rows.points.row(row)[feature]);
        let mean = values().sum::<f64>() / count as f64;
        values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count as f64
    };
    let variances: Vec<f64> = (0..width).into_par_iter().map(variance).collect();
    variances.iter().sum::<f64>() / width as f64
}

impl Ended {
    /// Number of centers of `width` values.
    pub fn clusters(&self, width: usize) -> usize {
        self.centers.len() / width
    }

    /// The centers, those of more rows first, then those of smaller values.
    pub fn by_size(&self, width: usize) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.sizes.len()).collect();
        let center = |code: usize| &self.centers[code * width..(code + 1) * width];
        let by_values = |a: usize, b: usize| {
            let pairs = center(a).iter().zip(center(b));
            pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        };
        order.sort_by(|&a, &b| self.sizes[b].total_cmp(&self.sizes[a]).then_with(|| by_values(a, b)));
        order.into_iter().flat_map(center).copied().collect()
    }
}
