//! Small numerical pieces of the tests of numbers: exact laws of few rows, a limit law, four-by-four algebra.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

/// The value at `x` of the parabola through the points `(xs, ys)` by least squares.
pub fn parabola(xs: &[f64], ys: &[f64], x: f64) -> f64 {
    // Centred, so that the normal equations are well conditioned.
    let middle = xs.iter().sum::<f64>() / xs.len() as f64;
    let moment = |power: i32| xs.iter().map(|value| (value - middle).powi(power)).sum::<f64>();
    let target = |power: i32| xs.iter().zip(ys).map(|(value, y)| (value - middle).powi(power) * y).sum::<f64>();
    let mut rows = [
        [moment(0), moment(1), moment(2), target(0)],
        [moment(1), moment(2), moment(3), target(1)],
        [moment(2), moment(3), moment(4), target(2)],
    ];
    for pivot in 0..3 {
        let lead = rows[pivot];
        for (_, row) in rows.iter_mut().enumerate().filter(|(index, _)| *index != pivot) {
            let factor = row[pivot] / lead[pivot];
            row.iter_mut().zip(lead).for_each(|(cell, above)| *cell -= factor * above);
        }
    }
    (0..3).map(|power| rows[power][3] / rows[power][power] * (x - middle).powi(power as i32)).sum()
}

/// Chance that Cramér and von Mises' sum `u` is at least this large, over all orders of `n` and `m` rows without ties
/// (Xiao, Gordon, Yakovlev 2006, algorithm 1).
pub fn cramer_exact(u: f64, n: u64, m: u64) -> f64 {
    let divisor = (1..=n.min(m)).rev().find(|d| n.is_multiple_of(*d) && m.is_multiple_of(*d)).unwrap_or(1);
    let multiple = n / divisor * m;
    let (a, b) = ((multiple / n) as i64, (multiple / m) as i64);
    let product = (n * m) as f64;
    let zeta = ((multiple * multiple * (n + m)) as f64 * (6.0 * u - product * (4.0 * product - 1.0))
        / (6.0 * product * product))
        .floor();
    let mut counts: Vec<BTreeMap<i64, f64>> = vec![BTreeMap::new(); n as usize + 1];
    counts[0].insert(0, 1.0);
    for row in 0..=m as i64 {
        let mut carried: BTreeMap<i64, f64> = BTreeMap::new();
        for (column, held) in counts.iter_mut().enumerate() {
            for (sum, count) in held.iter() {
                *carried.entry(*sum).or_default() += count;
            }
            let step = (a * column as i64 - b * row).pow(2);
            carried = carried.into_iter().map(|(sum, count)| (sum + step, count)).collect();
            held.clone_from(&carried);
        }
    }
    let last = &counts[n as usize];
    let all: f64 = last.values().sum();
    last.iter().filter(|(sum, _)| **sum as f64 >= zeta).map(|(_, count)| count).sum::<f64>() / all
}

/// Limit law of Cramér and von Mises' statistic (Anderson and Darling 1952, 1.3; Csörgő and Faraway 1996), summed until a
/// term is below 1e-7 as in scipy.
pub fn cramer_limit(x: f64) -> f64 {
    let mut sum = 0.0;
    for k in 0..100_u32 {
        let k = f64::from(k);
        let factor = (ln_gamma(k + 0.5) - ln_gamma(k + 1.0)).exp() / (PI.powf(1.5) * x.sqrt());
        let y = 4.0 * k + 1.0;
        let q = y * y / (16.0 * x);
        let term = factor * y.sqrt() * (-q).exp() * bessel_quarter(q);
        sum += term;
        if term.abs() < 1e-7 {
            break;
        }
    }
    sum
}

/// Modified Bessel function of the second kind of order 1/4: `∫_0^∞ exp(-q cosh t) cosh(t / 4) dt`. The trapezoid rule
/// converges exponentially, because the integrand falls off doubly so.
fn bessel_quarter(q: f64) -> f64 {
    const STEP: f64 = 1.0 / 64.0;
    let mut sum = 0.5 * (-q).exp();
    for i in 1..2000 {
        let t = f64::from(i) * STEP;
        let term = (-q * t.cosh()).exp() * (t / 4.0).cosh();
        sum += term;
        if term < sum * 1e-18 {
            break;
        }
    }
    sum * STEP
}

/// Chance that U of `n <= m` rows without ties is at least `u`, by counting orders (Mann and Whitney 1947). O(n² m²).
pub fn mann_whitney_tail(n: usize, m: usize, u: usize) -> f64 {
    // ways[j][s]: orders of i of the n rows among j of the m whose U is s.
    let mut ways: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        let mut next: Vec<Vec<f64>> = vec![vec![1.0]];
        for j in 1..=m {
            // The largest of all is one of the n (U grows by j) or one of the m.
            let mut sums = vec![0.0; i * j + 1];
            for (s, count) in ways[j].iter().enumerate() {
                sums[s + j] += count;
            }
            for (s, count) in next[j - 1].iter().enumerate() {
                sums[s] += count;
            }
            next.push(sums);
        }
        ways = next;
    }
    let last = &ways[m];
    last.iter().skip(u).sum::<f64>() / last.iter().sum::<f64>()
}

/// Weighted means and covariances (n in the divisor) of four columns.
pub fn covariance(rows: &[[f64; 4]], weights: &[f64], total: f64) -> ([f64; 4], [[f64; 4]; 4]) {
    let mut means = [0.0; 4];
    for (row, weight) in rows.iter().zip(weights) {
        means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value * weight / total);
    }
    let mut sums = [[0.0; 4]; 4];
    for (row, weight) in rows.iter().zip(weights) {
        let centred: [f64; 4] = std::array::from_fn(|i| row[i] - means[i]);
        for (cells, left) in sums.iter_mut().zip(centred) {
            cells.iter_mut().zip(centred).for_each(|(cell, right)| *cell += left * right * weight / total);
        }
    }
    (means, sums)
}

/// `vᵀ A⁺ v` for a symmetric matrix, and the rank of its pseudo-inverse; eigenvalues below 4 × 2^-52 of the largest count
/// as 0, as in numpy. Eigenvectors by Jacobi's rotations.
pub fn inverse_form(mut a: [[f64; 4]; 4], v: [f64; 4]) -> (f64, usize) {
    let mut vectors: [[f64; 4]; 4] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..64 {
        let off: f64 = (0..4).flat_map(|p| (0..p).map(move |q| (p, q))).map(|(p, q)| a[p][q].powi(2)).sum();
        if off == 0.0 || !off.is_finite() {
            break;
        }
        for p in 0..3 {
            for q in p + 1..4 {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let largest = (0..4).map(|i| a[i][i].abs()).fold(0.0, f64::max);
    let kept = (0..4).filter(|&i| a[i][i].abs() > 4.0 * f64::EPSILON * largest);
    let mut form = 0.0;
    let mut rank = 0;
    for i in kept {
        let along: f64 = (0..4).map(|row| vectors[row][i] * v[row]).sum();
        form += along * along / a[i][i];
        rank += 1;
    }
    (form, rank)
}

fn rotate(a: &mut [[f64; 4]; 4], vectors: &mut [[f64; 4]; 4], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let slope = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let tangent = slope.signum() / (slope.abs() + (slope * slope + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for row in a.iter_mut() {
        (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
    }
    let (upper, lower) = (a[p], a[q]);
    a[p] = std::array::from_fn(|k| cosine * upper[k] - sine * lower[k]);
    a[q] = std::array::from_fn(|k| sine * upper[k] + cosine * lower[k]);
    for row in vectors.iter_mut() {
        (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
    }
}
