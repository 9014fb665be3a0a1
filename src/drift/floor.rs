//! How far apart two samples of one population are expected to be: the noise below which a difference says nothing.
//!
//! Every floor is about the 95 % quantile of the statistic when the pooled values are dealt into parts of these sizes.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, LN_2};

use crate::drift::bins::Shares;
use crate::drift::distribution::{chi_square_quantile, gamma_quantile, normal_quantile, normal_tail};
use crate::drift::pooled::Pooled;
use crate::spec::drift::DriftTest;

/// The share of pairs of samples of one population that stay below a floor.
const LEVEL: f64 = 0.95;
/// Parts of the line that the covariance of distribution functions is summed over; the cost grows with their square.
const PARTS: usize = 64;
/// Values in a bin up to which their division is summed exactly; normal beyond.
const COUNTED_MAX: f64 = 20.0;

/// Floors of statistics of distribution functions; `None` for others. `norm` is the divisor of the Wasserstein distance.
///
/// - `ks`: `1.3581 sqrt(1/n + 1/m)` (Smirnov 1948).
/// - `wasserstein`: `sqrt(n m / (n + m)) ∫|F - G| dx` tends to `∫|B(H(x))| dx` for a Brownian bridge `B` (del Barrio, Giné,
///   Matrán 1999): mean `sqrt(2/π) ∫ sqrt(H (1 - H)) dx`, variance from the covariance of absolute normals; a gamma law.
/// - `ed`: likewise `∫ B(H)² dx`: mean `∫ H (1 - H) dx`, variance `2 ∬ cov²`.
/// - `cramer_von_mises`: the limit law's 0.4614 at this mean and variance; `anderson`: 1.961 (Scholz, Stephens 1987).
/// - `es`: chi-square of 4 degrees; `t_test`: normal.
pub fn of_numbers(test: DriftTest, pooled: &Pooled, norm: f64) -> Option<f64> {
    match test {
        DriftTest::Ks => Some((1.3581 * pooled.unit().sqrt()).min(1.0)),
        DriftTest::Wasserstein => {
            let parts = parts(pooled, f64::sqrt);
            let mean = FRAC_2_PI.sqrt() * parts.iter().map(|part| part.1).sum::<f64>();
            let absolute = |r: f64| (1.0 - r * r).max(0.0).sqrt() + r * r.asin() - 1.0;
            let variance = FRAC_2_PI * over_pairs(&parts, absolute, FRAC_PI_2 - 1.0);
            Some(pooled.unit().sqrt() * gamma_quantile(mean, variance, LEVEL) / norm)
        }
        DriftTest::Ed => {
            let parts = parts(pooled, |variance| variance);
            let mean = parts.iter().map(|part| part.1).sum::<f64>();
            let variance = 2.0 * over_pairs(&parts, |r| r * r, 1.0);
            Some((2.0 * pooled.unit() * gamma_quantile(mean, variance, LEVEL)).sqrt())
        }
        DriftTest::CramerVonMises => {
            let (mean, variance) = crate::drift::numeric::cramer_moments(pooled.n, pooled.m);
            Some(mean + (0.461_36 - 1.0 / 6.0) * (45.0 * variance).sqrt())
        }
        DriftTest::Anderson => Some(1.961),
        DriftTest::Es => Some(chi_square_quantile(4.0, LEVEL)),
        DriftTest::TTest => Some(normal_quantile(0.5 + LEVEL / 2.0)),
        _ => None,
    }
}

/// The line in parts: the pooled distribution function in each, and `∫ weight(H (1 - H)) dx` over it.
fn parts(pooled: &Pooled, weight: fn(f64) -> f64) -> Vec<(f64, f64)> {
    let each = pooled.integral(|_, _, h| weight((h * (1.0 - h)).max(0.0))) / PARTS as f64;
    let mut parts: Vec<(f64, f64)> = Vec::with_capacity(PARTS + 1);
    let (mut level, mut mass) = (0.0, 0.0);
    let gaps = pooled.values.windows(2).map(|pair| pair[1] - pair[0]);
    for ((_, _, h), gap) in pooled.steps().zip(gaps) {
        let here = weight((h * (1.0 - h)).max(0.0)) * gap;
        level += here * h;
        mass += here;
        if mass >= each && mass > 0.0 {
            parts.push((level / mass, mass));
            (level, mass) = (0.0, 0.0);
        }
    }
    if mass > 0.0 {
        parts.push((level / mass, mass));
    }
    parts
}

/// `Σ_ij w_i w_j of(r_ij)`, `r` the correlation of a Brownian bridge at two levels; `of(1)` is given.
fn over_pairs(parts: &[(f64, f64)], of: impl Fn(f64) -> f64, at_one: f64) -> f64 {
    let mut sum = 0.0;
    for (index, (high, left)) in parts.iter().enumerate() {
        sum += left * left * at_one;
        for (low, right) in &parts[..index] {
            let r = (low * (1.0 - high) / (high * (1.0 - low))).sqrt().min(1.0);
            sum += 2.0 * left * right * of(r);
        }
    }
    sum
}

/// Floors of statistics over bins or categories, from the pooled counts; `None` for others.
///
/// - `psi`, `kl_div`, `jensenshannon`, `hellinger`, `TVD`: sums over bins. Given its pooled count, a bin's values are
///   divided binomially; means and variances add up, less one degree of freedom in all; a gamma law. Where bins are full
///   this is `chi²_(k-1) (1/n + 1/m)` for PSI (Yurdakul, Naranjo 2020), a half of it for KL, an eighth for JS and
///   Hellinger's square; in sparse bins the filled zeros of PSI weigh far more, and this form sees them.
/// - `chisquare`, `g_test`: `chi²_(k-1) (1 + m/n)`: the reference is a sample too. `z`: 1.96.
/// - `infinity_norm`: the union bound over the normal law of each share.
pub fn of_shares(test: DriftTest, reference: &[f64], current: &[f64]) -> Option<f64> {
    let (n, m) = (reference.iter().sum::<f64>(), current.iter().sum::<f64>());
    let pooled: Vec<f64> = reference.iter().zip(current).map(|(a, b)| a + b).filter(|count| *count > 0.0).collect();
    let filler = |share: f64, size: f64| {
        if share > 0.0 {
            share
        } else if size >= 10_000.0 {
            1.0 / size / 1e6
        } else {
            0.0001
        }
    };
    let filled = |p: f64, q: f64| (filler(p, n), filler(q, m));
    let freedom = pooled.len() as f64 - 1.0;
    let sum = |cell: &dyn Fn(f64, f64) -> f64, order: f64| over_cells(&pooled, n, m, cell, order);
    let half = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).ln() } else { 0.0 };
    let shannon = |p: f64, q: f64| (half(p, (p + q) / 2.0) + half(q, (p + q) / 2.0)) / 2.0;
    match test {
        DriftTest::Psi => Some(sum(
            &|p, q| {
                let (p, q) = filled(p, q);
                (p - q) * (p / q).ln()
            },
            1.0,
        )),
        DriftTest::KlDiv => Some(sum(
            &|p, q| {
                let (p, q) = filled(p, q);
                p * (p / q).ln() - p + q
            },
            1.0,
        )),
        DriftTest::JensenShannon => Some(sum(&shannon, 1.0).min(LN_2).sqrt()),
        DriftTest::JensenShannonDivergence => Some((sum(&shannon, 1.0) / LN_2).min(1.0)),
        DriftTest::Hellinger => Some(sum(&|p, q| (p.sqrt() - q.sqrt()).powi(2) / 2.0, 1.0).min(1.0).sqrt()),
        DriftTest::Tvd => Some(sum(&|p, q| (p - q).abs() / 2.0, 0.5).min(1.0)),
        DriftTest::Chisquare | DriftTest::GTest if freedom > 0.0 => {
            Some(chi_square_quantile(freedom, LEVEL) * (1.0 + m / n))
        }
        DriftTest::Z => Some(normal_quantile(0.5 + LEVEL / 2.0)),
        DriftTest::InfinityNorm => Some(largest_difference(&pooled, n, m)),
        _ => None,
    }
}

/// The 95 % quantile of a sum over cells. `order` 1 for cells that grow with the square of the difference, 0.5 for those
/// that grow with it: what the sizes being given takes from a cell of share p is `(1 - p)^order`.
fn over_cells(pooled: &[f64], n: f64, m: f64, cell: &dyn Fn(f64, f64) -> f64, order: f64) -> f64 {
    let (mut mean, mut variance) = (0.0, 0.0);
    for &count in pooled {
        let (cell_mean, cell_square) = divided(count, n, m, cell);
        let kept = (1.0 - count / (n + m)).max(0.0).powf(order);
        mean += cell_mean * kept;
        variance += (cell_square - cell_mean * cell_mean).max(0.0) * kept;
    }
    if order < 1.0 && pooled.len() > 1 {
        // What one cell has too much others have too little; with two cells the two are one.
        variance *= pooled.len() as f64 / (pooled.len() as f64 - 1.0);
    }
    gamma_quantile(mean, variance, LEVEL)
}

/// Mean and mean square of a cell when its `count` values fall to either side by the sizes.
fn divided(count: f64, n: f64, m: f64, cell: &dyn Fn(f64, f64) -> f64) -> (f64, f64) {
    let share = n / (n + m);
    let (mut weights, mut mean, mut square) = (0.0, 0.0, 0.0);
    let mut add = |first: f64, weight: f64| {
        let value = cell(first / n, (count - first) / m);
        weights += weight;
        mean += weight * value;
        square += weight * value * value;
    };
    if count <= COUNTED_MAX || count * share.min(1.0 - share) < 5.0 {
        let mut first = 0.0;
        let most = count.min(count * share + 12.0 * (count * share).sqrt() + 12.0);
        let mirrored = share > 0.5 && count > COUNTED_MAX;
        while first <= if mirrored { count.min(count * (1.0 - share) * 4.0 + 40.0) } else { most } {
            let here = if mirrored { count - first } else { first };
            add(here, crate::drift::distribution::binomial(count, here, share, 1.0 - share));
            first += 1.0;
        }
    } else {
        let spread = (count * share * (1.0 - share)).sqrt();
        for step in -16..=16 {
            let z = f64::from(step) * 0.25;
            add((count * share + z * spread).clamp(0.0, count), (-z * z / 2.0).exp());
        }
    }
    if weights > 0.0 { (mean / weights, square / weights) } else { (0.0, 0.0) }
}

/// The difference that no share exceeds with chance 0.95, by adding up the tails of all.
fn largest_difference(pooled: &[f64], n: f64, m: f64) -> f64 {
    let spreads: Vec<f64> = pooled
        .iter()
        .map(|count| count / (n + m))
        .map(|share| (share * (1.0 - share) * (1.0 / n + 1.0 / m)).sqrt())
        .collect();
    // Two shares differ by the same: one tail is the other's.
    let sides = if pooled.len() == 2 { 1.0 } else { 2.0 };
    let beyond = |bound: f64| -> f64 {
        spreads.iter().filter(|spread| **spread > 0.0).map(|spread| sides * normal_tail(bound / spread)).sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..30 {
        let middle = (low + high) / 2.0;
        if beyond(middle) > 1.0 - LEVEL { low = middle } else { high = middle }
    }
    high
}

/// Floors of numbers in bins.
pub fn of_bins(test: DriftTest, shares: &Shares, pooled: &Pooled) -> Option<f64> {
    let counts = |shares: &[f64], size: f64| shares.iter().map(|share| share * size).collect::<Vec<f64>>();
    of_shares(test, &counts(&shares.reference, pooled.n), &counts(&shares.current, pooled.m))
}
