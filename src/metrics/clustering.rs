//! Metrics of groups: how tight and apart they are, and how well they agree with the groups that people know.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::SILHOUETTE_ROWS_MAX;
use crate::base::seed::Seed;
use crate::data::frame::MISSING_CODE;
use crate::metrics::sums;
use crate::metrics::weights::Weights;

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

/// Clusters whose lengths and codes fit, with how much each row counts.
#[derive(Clone, Copy, Debug)]
pub struct Grouped<'a> {
    clusters: Clusters<'a>,
    weights: Weights<'a>,
}

impl<'a> Grouped<'a> {
    /// Checks that lengths, codes and weights fit.
    pub fn new(all: Clusters<'a>, weights: Option<&'a [f64]>) -> Result<Grouped<'a>> {
        let rows = all.codes.len();
        let same = all.distances.len() == rows && all.truth.len() == rows && all.points.rows() == rows;
        if !same || all.codes.iter().any(|code| *code as usize >= all.clusters) {
            return Err(fail::usage(format!("{rows} rows have other numbers of clusters, distances or labels")).into());
        }
        Ok(Grouped { clusters: all, weights: Weights::new(weights, rows)? })
    }

    /// How much each row counts.
    pub fn weights(&self) -> &Weights<'a> {
        &self.weights
    }

    /// Weight of each cluster.
    fn sizes(&self) -> Vec<f64> {
        sizes(self.clusters.codes, self.clusters.clusters, &self.weights)
    }

    /// Clusters against known groups of the rows that have one.
    fn labelled(&self) -> Option<Table> {
        let known = |(row, (code, truth)): (usize, (&u32, &u32))| {
            (*truth != MISSING_CODE).then(|| (*truth, *code, self.weights.of(row)))
        };
        let rows = self.clusters.codes.iter().zip(self.clusters.truth).enumerate();
        let rows: Vec<(u32, u32, f64)> = rows.filter_map(known).collect();
        (!rows.is_empty()).then(|| Table::new(&rows))
    }
}

fn sizes(codes: &[u32], clusters: usize, weights: &Weights) -> Vec<f64> {
    let mut sizes = vec![0.0; clusters];
    codes.iter().enumerate().for_each(|(row, code)| sizes[*code as usize] += weights.of(row));
    sizes
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
    let weights = Weights::new(None, codes.len()).ok()?;
    weighted_silhouette(points, codes, clusters, &weights)
}

/// As [`silhouette`], a row of weight 2 being two rows at one place.
fn weighted_silhouette(points: &Points, codes: &[u32], clusters: usize, weights: &Weights) -> Option<f64> {
    let sizes = sizes(codes, clusters, weights);
    let filled = sizes.iter().filter(|size| **size > 0.0).count();
    if filled < 2 || filled as f64 >= weights.total() {
        return None;
    }
    let of_row = |row: usize| {
        let own = codes[row] as usize;
        if sizes[own] <= 1.0 {
            return 0.0;
        }
        let mut totals = vec![0.0; clusters];
        for (other, code) in codes.iter().enumerate() {
            totals[*code as usize] += weights.of(other) * distance(points.row(row), points.row(other));
        }
        let within = totals[own] / (sizes[own] - 1.0);
        let others = (0..clusters).filter(|code| *code != own && sizes[*code] > 0.0);
        let apart = others.map(|code| totals[code] / sizes[code]).fold(f64::INFINITY, f64::min);
        let most = within.max(apart);
        if most > 0.0 { (apart - within) / most } else { 0.0 }
    };
    let values: Vec<f64> = (0..codes.len()).into_par_iter().map(of_row).collect();
    weights.mean(values)
}

/// [`silhouette`] of a [`sample`] of the rows, weighted.
pub fn sampled_silhouette(grouped: &Grouped) -> Option<f64> {
    let clusters = &grouped.clusters;
    let rows = sample(clusters.codes.len());
    if rows.len() == clusters.codes.len() {
        return weighted_silhouette(&clusters.points, clusters.codes, clusters.clusters, &grouped.weights);
    }
    let values: Vec<f64> = rows.iter().flat_map(|row| clusters.points.row(*row as usize)).copied().collect();
    let codes: Vec<u32> = rows.iter().map(|row| clusters.codes[*row as usize]).collect();
    let each = grouped.weights.each();
    let each: Option<Vec<f64>> = each.map(|each| rows.iter().map(|row| each[*row as usize]).collect());
    let weights = Weights::new(each.as_deref(), rows.len()).ok()?;
    weighted_silhouette(&Points { values: &values, width: clusters.points.width }, &codes, clusters.clusters, &weights)
}

/// Mean over clusters of the worst (s_i + s_j) / d_ij, 0 at best: s the mean distance of a cluster's rows from their mean, d
/// the distance of two means (Davies and Bouldin 1979). Left out as in [`silhouette`]. Equals `davies_bouldin_score`.
pub fn davies_bouldin(grouped: &Grouped) -> Option<f64> {
    let groups = Groups::new(grouped)?;
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
pub fn calinski_harabasz(grouped: &Grouped) -> Option<f64> {
    let groups = Groups::new(grouped)?;
    let (rows, count) = (grouped.weights.total(), groups.sizes.len() as f64);
    let width = grouped.clusters.points.width;
    let mean_of = |feature: usize| {
        let parts = groups.means.iter().zip(&groups.sizes).map(|(mean, size)| mean[feature] * *size);
        sums::sum(parts) / rows
    };
    let middle: Vec<f64> = (0..width).map(mean_of).collect();
    let squared = |mean: &Vec<f64>| distance(mean, &middle).powi(2);
    let between = sums::sum(groups.means.iter().zip(&groups.sizes).map(|(mean, size)| squared(mean) * *size));
    let within = groups.within;
    (within > 0.0).then(|| between * (rows - count) / (within * (count - 1.0)))
}

/// Sum of squared distances of rows from their centers, 0 at best. Equals `KMeans.inertia_` on the training rows.
pub fn inertia(grouped: &Grouped) -> Option<f64> {
    let distances = grouped.clusters.distances;
    let total = grouped.weights.sum(distances.iter().map(|distance| distance * distance));
    (!distances.is_empty()).then_some(total)
}

/// Number of clusters that have rows.
pub fn filled(grouped: &Grouped) -> Option<f64> {
    let filled = grouped.sizes().iter().filter(|size| **size > 0.0).count();
    (!grouped.clusters.codes.is_empty()).then_some(filled as f64)
}

/// Share of the rows in the largest cluster, in `(0, 1]`.
pub fn largest_share(grouped: &Grouped) -> Option<f64> {
    sums::share(grouped.sizes().into_iter().max_by(f64::total_cmp)?, grouped.weights.total())
}

/// Agreement with the known groups beyond chance, at most 1, 0 for chance (Hubert and Arabie 1985). Rows without a known
/// group are left out, here and below. Equals `adjusted_rand_score`.
pub fn adjusted_rand(grouped: &Grouped) -> Option<f64> {
    let table = grouped.labelled()?;
    let pairs = |counts: &[f64]| sums::sum(counts.iter().map(|n| n * (n - 1.0) / 2.0));
    let (cells, rows, columns) = (pairs(&table.cells), pairs(&table.rows), pairs(&table.columns));
    let all = pairs(&[table.total]);
    let (expected, most) = (if all > 0.0 { rows * columns / all } else { 0.0 }, (rows + columns) / 2.0);
    Some(if most == expected { 1.0 } else { (cells - expected) / (most - expected) })
}

/// Shared information over the mean of both entropies, in `[0, 1]`. Equals `normalized_mutual_info_score` and `v_measure`.
pub fn normalized_mutual_info(grouped: &Grouped) -> Option<f64> {
    let table = grouped.labelled()?;
    let (truth, found) = (entropy(&table.rows, table.total), entropy(&table.columns, table.total));
    let mean = (truth + found) / 2.0;
    Some(if mean == 0.0 { 1.0 } else { (table.shared() / mean).clamp(0.0, 1.0) })
}

/// Share of the known groups' entropy that the clusters explain, in `[0, 1]`: 1 when each cluster is of one group only
/// (Rosenberg and Hirschberg 2007). Equals `homogeneity_score`.
pub fn homogeneity(grouped: &Grouped) -> Option<f64> {
    let table = grouped.labelled()?;
    let truth = entropy(&table.rows, table.total);
    Some(if truth == 0.0 { 1.0 } else { (table.shared() / truth).clamp(0.0, 1.0) })
}

/// Share of the clusters' entropy that the known groups explain, in `[0, 1]`: 1 when each group is in one cluster only.
/// Equals `completeness_score`.
pub fn completeness(grouped: &Grouped) -> Option<f64> {
    let table = grouped.labelled()?;
    let found = entropy(&table.columns, table.total);
    Some(if found == 0.0 { 1.0 } else { (table.shared() / found).clamp(0.0, 1.0) })
}

/// Weight of known groups (rows) against clusters (columns).
struct Table {
    cells: Vec<f64>,
    rows: Vec<f64>,
    columns: Vec<f64>,
    total: f64,
}

impl Table {
    /// Of known group, cluster and weight of each row.
    fn new(pairs: &[(u32, u32, f64)]) -> Table {
        let width = pairs.iter().map(|pair| pair.1 as usize + 1).max().unwrap_or(0);
        let height = pairs.iter().map(|pair| pair.0 as usize + 1).max().unwrap_or(0);
        let mut table = Table {
            cells: vec![0.0; width * height],
            rows: vec![0.0; height],
            columns: vec![0.0; width],
            total: sums::sum(pairs.iter().map(|pair| pair.2)),
        };
        for (row, column, weight) in pairs {
            table.cells[*row as usize * width + *column as usize] += weight;
            table.rows[*row as usize] += weight;
            table.columns[*column as usize] += weight;
        }
        table
    }

    /// Mutual information in nats.
    fn shared(&self) -> f64 {
        let (total, width) = (self.total, self.columns.len());
        let part = |(place, both): (usize, &f64)| {
            let apart = self.rows[place / width] * self.columns[place % width];
            both / total * (both * total / apart).ln()
        };
        sums::sum(self.cells.iter().enumerate().filter(|(_, both)| **both > 0.0).map(part))
    }
}

fn entropy(counts: &[f64], total: f64) -> f64 {
    let part = |count: &f64| {
        let share = *count / total;
        -share * share.ln()
    };
    sums::sum(counts.iter().filter(|count| **count > 0.0).map(part))
}

/// Clusters that have rows: weight, mean, mean distance from it, and the squared distances of all rows together.
struct Groups {
    sizes: Vec<f64>,
    means: Vec<Vec<f64>>,
    spreads: Vec<f64>,
    within: f64,
}

impl Groups {
    fn new(grouped: &Grouped) -> Option<Groups> {
        let (clusters, weights) = (&grouped.clusters, &grouped.weights);
        let mut members = vec![Vec::new(); clusters.clusters];
        clusters.codes.iter().enumerate().for_each(|(row, code)| members[*code as usize].push(row));
        members.retain(|rows| !rows.is_empty());
        if members.len() < 2 || members.len() as f64 >= weights.total() {
            return None;
        }
        let points = clusters.points;
        let size = |rows: &Vec<usize>| sums::sum(rows.iter().map(|row| weights.of(*row)));
        let of = |rows: &Vec<usize>| {
            let total = size(rows);
            let mean_of =
                |feature| sums::sum(rows.iter().map(|row| weights.of(*row) * points.row(*row)[feature])) / total;
            let mean: Vec<f64> = (0..points.width).map(mean_of).collect();
            let distances: Vec<f64> = rows.iter().map(|row| distance(points.row(*row), &mean)).collect();
            let weighed = || rows.iter().map(|row| weights.of(*row)).zip(&distances);
            let spread = sums::sum(weighed().map(|(weight, distance)| weight * distance)) / total;
            (mean, spread, sums::sum(weighed().map(|(weight, distance)| weight * (distance * distance))))
        };
        let found: Vec<(Vec<f64>, f64, f64)> = (0..members.len()).into_par_iter().map(|at| of(&members[at])).collect();
        Some(Groups {
            sizes: members.iter().map(size).collect(),
            within: sums::sum(found.iter().map(|(.., within)| *within)),
            spreads: found.iter().map(|(_, spread, _)| *spread).collect(),
            means: found.into_iter().map(|(mean, ..)| mean).collect(),
        })
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}
