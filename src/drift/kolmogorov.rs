//! Distributions of the Kolmogorov-Smirnov statistic: two samples exactly, and one sample as scipy's `kstwo`.

use std::f64::consts::PI;

use crate::drift::distribution;

/// Sizes up to which scipy's `ks_2samp` counts paths.
const EXACT_ROWS_MAX: f64 = 10_000.0;

/// Two-sided p-value of the statistic `distance` between samples of `n` and `m`, as scipy's `ks_2samp` with
/// `method="auto"`: exact up to 10,000 rows, else the one-sample distribution at `n m / (n + m)` rows. Ties count as if
/// there were none. O(n × n distance) when exact.
pub fn two_sample(n: f64, m: f64, distance: f64) -> f64 {
    if distance <= 0.0 {
        return 1.0;
    }
    let p = if n.max(m) <= EXACT_ROWS_MAX {
        exact(n.max(m) as u64, n.min(m) as u64, distance)
    } else {
        one_sample((n.max(m) * n.min(m) / (n + m)).round_ties_even(), distance)
    };
    p.clamp(0.0, 1.0)
}

/// Share of lattice paths from (0, 0) to (m, n) that touch `|x / m - y / n| >= distance` (Hodges 1958), `m >= n`, by the
/// recursion of Viehmann (2021) over shares, which neither overflows nor cancels.
fn exact(m: u64, n: u64, distance: f64) -> f64 {
    let divisor = common_divisor(m, n);
    let (steps_m, steps_n) = ((m / divisor) as i64, (n / divisor) as i64);
    let height = (distance * (m as f64 / divisor as f64 * n as f64)).round_ties_even() as i64;
    if height == 0 {
        return 1.0;
    }
    let n = n as i64;
    let (mut low, mut high) = (0_i64, (height + steps_m - 1).div_euclid(steps_m).min(n + 1));
    let mut shares = vec![1.0; (2 * high + 2).min(n + 1) as usize];
    shares[..(high - low) as usize].fill(0.0);
    for i in 1..=m as i64 {
        let (last_low, last_length) = (low, high - low);
        low = ((steps_n * i - height).div_euclid(steps_m) + 1).clamp(0, n);
        high = (steps_n * i + height + steps_m - 1).div_euclid(steps_m).min(n + 1);
        if high <= low {
            return 1.0;
        }
        let mut share = if low == 0 { 0.0 } else { 1.0 };
        for offset in 0..high - low {
            let j = offset + low;
            let before = shares[(j - last_low) as usize];
            share = (before * i as f64 + share * j as f64) / (i + j) as f64;
            shares[offset as usize] = share;
        }
        let length = high - low;
        if last_length > length {
            shares[length as usize..last_length as usize].fill(1.0);
        }
    }
    shares[(high - low - 1) as usize]
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { common_divisor(b, a % b) }
}

/// Chance that the two-sided one-sample statistic of `n` rows reaches `x` (Simard and L'Ecuyer 2011, as scipy's
/// `kstwo.sf`): exact below 100,000 rows where that is cheap, else Pelz and Good's series, relative error 1e-5 or less.
pub fn one_sample(n: f64, x: f64) -> f64 {
    let reach = n * x;
    if x >= 1.0 {
        return 0.0;
    }
    if x <= 0.0 || reach <= 0.5 {
        return 1.0;
    }
    if reach >= n - 1.0 {
        return 2.0 * (1.0 - x).powf(n);
    }
    let square = reach * x;
    if square >= 370.0 {
        return 0.0;
    }
    if x >= 0.5 || square >= if n <= 140.0 { 4.0 } else { 2.2 } {
        return (2.0 * one_sided(n, x)).clamp(0.0, 1.0);
    }
    let below = if n <= 140.0 || (n <= 100_000.0 && n * x.powf(1.5) <= 1.4) { matrix(n, x) } else { series(n, x) };
    (1.0 - below).clamp(0.0, 1.0)
}

/// Chance that the one-sided statistic reaches `x` (Smirnov 1944): `x Σ_j C(n, j) (x + j/n)^(j-1) (1 - x - j/n)^(n-j)`.
fn one_sided(n: f64, x: f64) -> f64 {
    // Cephes changes to this limit form at the same size.
    if n > 1_000_000.0 {
        return (-(6.0 * n * x + 1.0).powi(2) / (18.0 * n)).exp();
    }
    let last = (n * (1.0 - x)).floor();
    let mut sum = 0.0;
    let mut j = 0.0;
    while j <= last {
        let p = x + j / n;
        sum += distribution::binomial(n, j, p, (n - j) / n - x) / p;
        j += 1.0;
    }
    x * sum
}

/// `P(D < x)` exactly, by the matrix of Durbin (1968) as Marsaglia, Tsang and Wang (2003) raise it to the n-th power.
fn matrix(n: f64, x: f64) -> f64 {
    let reach = n * x;
    let k = reach.ceil();
    let h = k - reach;
    let size = 2 * k as usize - 1;
    let mut factorials = vec![1.0; size + 1];
    for i in 1..=size {
        factorials[i] = factorials[i - 1] / i as f64;
    }
    let mut step = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size {
            if row + 1 >= column {
                step[row * size + column] = factorials[row + 1 - column];
            }
        }
    }
    for i in 0..size {
        let edge = (1.0 - h.powi(i as i32 + 1)) * factorials[i + 1];
        step[i * size] = edge;
        step[(size - 1) * size + size - 1 - i] = edge;
    }
    let corner = (2.0 * h - 1.0).max(0.0).powi(size as i32) - 2.0 * h.powi(size as i32);
    step[(size - 1) * size] = (1.0 + corner) * factorials[size];
    let mut power = Scaled { cells: identity(size), size, exponent: 0 };
    let mut square = Scaled { cells: step, size, exponent: 0 };
    let mut left = n as u64;
    while left > 0 {
        if left % 2 == 1 {
            power = power.times(&square);
        }
        square = square.times(&square);
        left /= 2;
    }
    let middle = k as usize - 1;
    let (mut p, mut exponent) = (power.cells[middle * size + middle], power.exponent);
    for i in 1..=n as u64 {
        p *= i as f64 / n;
        if p < SMALL {
            p /= SMALL;
            exponent -= SCALE;
        }
    }
    p * 2.0_f64.powi(exponent)
}

const SCALE: i32 = 400;
const SMALL: f64 = 3.872_591_914_849_318e-121; // 2^-400

/// A square matrix times `2^exponent`.
struct Scaled {
    cells: Vec<f64>,
    size: usize,
    exponent: i32,
}

impl Scaled {
    fn times(&self, other: &Scaled) -> Scaled {
        let size = self.size;
        let mut cells = vec![0.0; size * size];
        for row in 0..size {
            for inner in 0..size {
                let factor = self.cells[row * size + inner];
                if factor != 0.0 {
                    for column in 0..size {
                        cells[row * size + column] += factor * other.cells[inner * size + column];
                    }
                }
            }
        }
        let mut exponent = self.exponent + other.exponent;
        if cells[size / 2 * size + size / 2] > 1.0 / SMALL {
            cells.iter_mut().for_each(|cell| *cell *= SMALL);
            exponent += SCALE;
        }
        Scaled { cells, size, exponent }
    }
}

fn identity(size: usize) -> Vec<f64> {
    let mut cells = vec![0.0; size * size];
    (0..size).for_each(|i| cells[i * size + i] = 1.0);
    cells
}

/// `P(D < x)` for many rows: four terms of the expansion in `n^(-1/2)` (Pelz and Good 1976).
fn series(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, z4, z6) = (z.powi(2), z.powi(4), z.powi(6));
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let exponent = -pi2 / 8.0 / z2;
    if exponent < -708.0 {
        return 0.0;
    }
    let q = exponent.exp();
    let root = (2.0 * PI).sqrt();
    let mut terms = [0.0; 4];
    let last = (16.0 * z / PI).ceil() as i32;
    for k in (1..=last).rev() {
        let m = f64::from(2 * k - 1);
        let (m2, m4, m6) = (m.powi(2), m.powi(4), m.powi(6));
        let coefficients = [
            1.0,
            -z2 + pi2 / 4.0 * m2,
            6.0 * z6 + 2.0 * z4 + (2.0 * z4 - 5.0 * z2) * pi2 / 4.0 * m2 + pi4 * (1.0 - 2.0 * z2) / 16.0 * m4,
            -30.0 * z6 - 90.0 * z.powi(8)
                + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi4 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m4
                + pi6 * (5.0 - 30.0 * z2) / 64.0 * m6,
        ];
        let power = q.powi(8 * k);
        for (term, coefficient) in terms.iter_mut().zip(coefficients) {
            *term = *term * power + coefficient;
        }
    }
    let divisors = [z, 6.0 * z4, 72.0 * z.powi(7), 6480.0 * z.powi(10)];
    for (term, divisor) in terms.iter_mut().zip(divisors) {
        *term *= q * root / divisor;
    }
    let q = (-pi2 / 2.0 / z2).exp();
    for k in (1..=last).rev() {
        let (square, shift) = (f64::from(k * k), PI * f64::from(k));
        let power = q.powf(square);
        terms[2] += square * power * pi2 * root / (-36.0 * z.powi(3));
        terms[3] += (3.0 * z2 - shift * shift) * square * power * pi2 * root / (216.0 * z6);
    }
    terms.iter().zip(0..).map(|(term, power)| term / n.powf(f64::from(power) / 2.0)).sum()
}
