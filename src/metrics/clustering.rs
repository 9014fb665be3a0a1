//! Metrics of groups: how tight and apart they are, and how well they agree with the groups that people know.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::SILHOUETTE_ROWS_MAX;
use crate::base::seed::Seed;
use crate::data::frame::MISSING_CODE;
use crate::metrics::sums;

/// Rows of `width` values each, row by row.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// All values.
    pub values: &'a [f64],
    /// Values of one row, at least 1.
    pub width: usize,
}

impl<'a> Points<'a> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// One row.
    pub fn row(&self, row: usize) -> &'a [f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// Clusters of rows, with what is known of the rows.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a> {
    /// The rows, as the model saw them.
    pub points: Points<'a>,
    /// Cluster of each row.
    pub codes: &'a [u32],
    /// Number of clusters of the model; some may have no row here.
    pub clusters: usize,
    /// Distance of each row from its center.
    pub distances: &'a [f64],
    /// Known group of each row, missing where there is none.
    pub truth: &'a [u32],
}

impl<'a> Clusters<'a> {
    /// Checks that lengths and codes fit.
    pub fn new(all: Clusters<'a>) -> Result<Clusters<'a>> {
        let rows = all.codes.len();
        let same = all.distances.len() == rows && all.truth.len() == rows && all.points.rows() == rows;
        if !same || all.codes.iter().any(|code| *code as usize >= all.clusters) {
            return Err(fail::usage(format!("{rows} rows have other numbers of clusters, distances or labels")).into());
        }
        Ok(all)
    }

    /// Cluster and known group of the rows that have one.
    fn labelled(&self) -> Option<Table> {
        let pairs = self.codes.iter().zip(self.truth).filter(|(_, truth)| **truth != MISSING_CODE);
        let pairs: Vec<(u32, u32)> = pairs.map(|(code, truth)| (*truth, *code)).collect();
        (!pairs.is_empty()).then(|| Table::new(&pairs))
    }
}

/// Rows that silhouettes are measured on: all up to [`SILHOUETTE_ROWS_MAX`], else a sample of that many that is always the
/// same for a number of rows; rising.
pub fn sample(rows: usize) -> Vec<u32> {
    let mut all: Vec<u32> = (0..rows as u32).collect();
    if rows > SILHOUETTE_ROWS_MAX {
        Seed(0).derive("silhouette").rng().shuffle(&mut all);
        all.truncate(SILHOUETTE_ROWS_MAX);
        all.sort_unstable();
    }
    all
}

/// Mean over rows of (b − a) / max(a, b), in `[-1, 1]`: a the mean distance to the other rows of the row's cluster, b the
/// smallest mean distance to the rows of another one; 0 for a row alone in its cluster (Rousseeuw 1987). All of `points` are
/// used. `None` unless there are 2 to rows − 1 clusters with rows. Equals `silhouette_score`. O(rows² × width).
pub fn silhouette(points: &Points, codes: &[u32], clusters: usize) -> Option<f64> {
    let mut sizes = vec![0_u64; clusters];
    codes.iter().for_each(|code| sizes[*code as usize] += 1);
    let filled = sizes.iter().filter(|size| **size > 0).count();
    if filled < 2 || filled >= codes.len() {
        return None;
    }
    let of_row = |row: usize| {
        let own = codes[row] as usize;
        if sizes[own] == 1 {
            return 0.0;
        }
        let mut totals = vec![0.0; clusters];
        for (other, code) in codes.iter().enumerate() {
            totals[*code as usize] += distance(points.row(row), points.row(other));
        }
        let within = totals[own] / (sizes[own] - 1) as f64;
        let others = (0..clusters).filter(|code| *code != own && sizes[*code] > 0);
        let apart = others.map(|code| totals[code] / sizes[code] as f64).fold(f64::INFINITY, f64::min);
        let most = within.max(apart);
        if most > 0.0 { (apart - within) / most } else { 0.0 }
    };
    let values: Vec<f64> = (0..codes.len()).into_par_iter().map(of_row).collect();
    sums::mean(values.iter().copied(), values.len())
}

/// [`silhouette`] of a [`sample`] of the rows.
pub fn sampled_silhouette(clusters: &Clusters) -> Option<f64> {
    let rows = sample(clusters.codes.len());
    if rows.len() == clusters.codes.len() {
        return silhouette(&clusters.points, clusters.codes, clusters.clusters);
    }
    let values: Vec<f64> = rows.iter().flat_map(|row| clusters.points.row(*row as usize)).copied().collect();
    let codes: Vec<u32> = rows.iter().map(|row| clusters.codes[*row as usize]).collect();
    silhouette(&Points { values: &values, width: clusters.points.width }, &codes, clusters.clusters)
}

/// Mean over clusters of the worst (s_i + s_j) / d_ij, 0 at best: s the mean distance of a cluster's rows from their mean, d
/// the distance of two means (Davies and Bouldin 1979). Left out as in [`silhouette`]. Equals `davies_bouldin_score`.
pub fn davies_bouldin(clusters: &Clusters) -> Option<f64> {
    let groups = Groups::new(clusters)?;
    let count = groups.sizes.len();
    let worst = |own: usize| {
        let others = (0..count).filter(|other| *other != own);
        let ratio = |other: usize| {
            let apart = distance(&groups.means[own], &groups.means[other]);
            if apart > 0.0 { (groups.spreads[own] + groups.spreads[other]) / apart } else { 0.0 }
        };
        others.map(ratio).fold(0.0, f64::max)
    };
    sums::mean((0..count).map(worst), count)
}

/// (B / (k − 1)) / (W / (n − k)): squared distances of the k clusters' means from the mean of all n rows, times their rows,
/// over those of rows from their means (Calinski and Harabasz 1974). Left out as in [`silhouette`], and when every row is
/// its cluster's mean. Equals `calinski_harabasz_score`.
pub fn calinski_harabasz(clusters: &Clusters) -> Option<f64> {
    let groups = Groups::new(clusters)?;
    let (rows, count) = (clusters.codes.len() as f64, groups.sizes.len() as f64);
    let width = clusters.points.width;
    let mean_of = |feature: usize| {
        let parts = groups.means.iter().zip(&groups.sizes).map(|(mean, size)| mean[feature] * *size as f64);
        sums::sum(parts) / rows
    };
    let middle: Vec<f64> = (0..width).map(mean_of).collect();
    let squared = |mean: &Vec<f64>| distance(mean, &middle).powi(2);
    let between = sums::sum(groups.means.iter().zip(&groups.sizes).map(|(mean, size)| squared(mean) * *size as f64));
    let within = groups.within;
    (within > 0.0).then(|| between * (rows - count) / (within * (count - 1.0)))
}

/// Sum of squared distances of rows from their centers, 0 at best. Equals `KMeans.inertia_` on the training rows.
pub fn inertia(clusters: &Clusters) -> Option<f64> {
    let total = sums::sum(clusters.distances.iter().map(|distance| distance * distance));
    (!clusters.distances.is_empty()).then_some(total)
}

/// Number of clusters that have rows.
pub fn filled(clusters: &Clusters) -> Option<f64> {
    let mut seen = vec![false; clusters.clusters];
    clusters.codes.iter().for_each(|code| seen[*code as usize] = true);
    (!clusters.codes.is_empty()).then(|| seen.iter().filter(|seen| **seen).count() as f64)
}

/// Share of the rows in the largest cluster, in `(0, 1]`.
pub fn largest_share(clusters: &Clusters) -> Option<f64> {
    let mut sizes = vec![0_u64; clusters.clusters];
    clusters.codes.iter().for_each(|code| sizes[*code as usize] += 1);
    sums::share(sizes.iter().copied().max()?, clusters.codes.len() as u64)
}

/// Agreement with the known groups beyond chance, at most 1, 0 for chance (Hubert and Arabie 1985). Rows without a known
/// group are left out, here and below. Equals `adjusted_rand_score`.
pub fn adjusted_rand(clusters: &Clusters) -> Option<f64> {
    let table = clusters.labelled()?;
    let pairs = |counts: &[u64]| counts.iter().map(|n| i128::from(*n) * (i128::from(*n) - 1) / 2).sum::<i128>() as f64;
    let (cells, rows, columns) = (pairs(&table.cells), pairs(&table.rows), pairs(&table.columns));
    let all = pairs(&[table.total]);
    let (expected, most) = (if all > 0.0 { rows * columns / all } else { 0.0 }, (rows + columns) / 2.0);
    Some(if most == expected { 1.0 } else { (cells - expected) / (most - expected) })
}

/// Shared information over the mean of both entropies, in `[0, 1]`. Equals `normalized_mutual_info_score` and `v_measure`.
pub fn normalized_mutual_info(clusters: &Clusters) -> Option<f64> {
    let table = clusters.labelled()?;
    let (truth, found) = (entropy(&table.rows, table.total), entropy(&table.columns, table.total));
    let mean = (truth + found) / 2.0;
    Some(if mean == 0.0 { 1.0 } else { (table.shared() / mean).clamp(0.0, 1.0) })
}

/// Share of the known groups' entropy that the clusters explain, in `[0, 1]`: 1 when each cluster is of one group only
/// (Rosenberg and Hirschberg 2007). Equals `homogeneity_score`.
pub fn homogeneity(clusters: &Clusters) -> Option<f64> {
    let table = clusters.labelled()?;
    let truth = entropy(&table.rows, table.total);
    Some(if truth == 0.0 { 1.0 } else { (table.shared() / truth).clamp(0.0, 1.0) })
}

/// Share of the clusters' entropy that the known groups explain, in `[0, 1]`: 1 when each group is in one cluster only.
/// Equals `completeness_score`.
pub fn completeness(clusters: &Clusters) -> Option<f64> {
    let table = clusters.labelled()?;
    let found = entropy(&table.columns, table.total);
    Some(if found == 0.0 { 1.0 } else { (table.shared() / found).clamp(0.0, 1.0) })
}

/// Counts of known groups (rows) against clusters (columns).
struct Table {
    cells: Vec<u64>,
    rows: Vec<u64>,
    columns: Vec<u64>,
    total: u64,
}

impl Table {
    fn new(pairs: &[(u32, u32)]) -> Table {
        let width = pairs.iter().map(|pair| pair.1 as usize + 1).max().unwrap_or(0);
        let height = pairs.iter().map(|pair| pair.0 as usize + 1).max().unwrap_or(0);
        let mut table = Table {
            cells: vec![0; width * height],
            rows: vec![0; height],
            columns: vec![0; width],
            total: pairs.len() as u64,
        };
        for (row, column) in pairs {
            table.cells[*row as usize * width + *column as usize] += 1;
            table.rows[*row as usize] += 1;
            table.columns[*column as usize] += 1;
        }
        table
    }

    /// Mutual information in nats.
    fn shared(&self) -> f64 {
        let (total, width) = (self.total as f64, self.columns.len());
        let part = |(place, count): (usize, &u64)| {
            let both = *count as f64;
            let apart = self.rows[place / width] as f64 * self.columns[place % width] as f64;
            both / total * (both * total / apart).ln()
        };
        sums::sum(self.cells.iter().enumerate().filter(|(_, count)| **count > 0).map(part))
    }
}

fn entropy(counts: &[u64], total: u64) -> f64 {
    let part = |count: &u64| {
        let share = *count as f64 / total as f64;
        -share * share.ln()
    };
    sums::sum(counts.iter().filter(|count| **count > 0).map(part))
}

/// Clusters that have rows: rows, mean, mean distance from it, and the squared distances of all rows together.
struct Groups {
    sizes: Vec<u64>,
    means: Vec<Vec<f64>>,
    spreads: Vec<f64>,
    within: f64,
}

impl Groups {
    fn new(clusters: &Clusters) -> Option<Groups> {
        let mut members = vec![Vec::new(); clusters.clusters];
        clusters.codes.iter().enumerate().for_each(|(row, code)| members[*code as usize].push(row));
        members.retain(|rows| !rows.is_empty());
        if members.len() < 2 || members.len() >= clusters.codes.len() {
            return None;
        }
        let points = clusters.points;
        let of = |rows: &Vec<usize>| {
            let mean_of = |feature| sums::sum(rows.iter().map(|row| points.row(*row)[feature])) / rows.len() as f64;
            let mean: Vec<f64> = (0..points.width).map(mean_of).collect();
            let distances: Vec<f64> = rows.iter().map(|row| distance(points.row(*row), &mean)).collect();
            let spread = sums::sum(distances.iter().copied()) / rows.len() as f64;
            (mean, spread, sums::sum(distances.iter().map(|distance| distance * distance)))
        };
        let found: Vec<(Vec<f64>, f64, f64)> = (0..members.len()).into_par_iter().map(|at| of(&members[at])).collect();
        Some(Groups {
            sizes: members.iter().map(|rows| rows.len() as u64).collect(),
            within: sums::sum(found.iter().map(|(.., within)| *within)),
            spreads: found.iter().map(|(_, spread, _)| *spread).collect(),
            means: found.into_iter().map(|(mean, ..)| mean).collect(),
        })
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
