//! Tests of two samples of numbers, each as scipy computes it, over counted points in place of rows.

use crate::drift::distribution;
use crate::drift::kolmogorov;
use crate::drift::pooled::Pooled;
use crate::drift::sample::Sample;
use crate::drift::small;

/// Smallest divisor of a normed Wasserstein distance: Evidently's.
const STD_MIN: f64 = 0.001;

/// A statistic and its p-value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    /// The statistic.
    pub statistic: f64,
    /// Chance of a statistic as extreme in samples of one population; `None` for a mere distance.
    pub p_value: Option<f64>,
}

impl Tested {
    /// A distance without a p-value.
    pub fn distance(statistic: f64) -> Tested {
        Tested { statistic, p_value: None }
    }

    /// A statistic with its p-value.
    pub fn new(statistic: f64, p_value: f64) -> Tested {
        Tested { statistic, p_value: Some(p_value.clamp(0.0, 1.0)) }
    }
}

/// Largest distance of the distribution functions, with the p-value of `scipy.stats.ks_2samp`.
pub fn kolmogorov_smirnov(pooled: &Pooled) -> Tested {
    let distance = pooled.steps().map(|(f, g, _)| (f - g).abs()).fold(0.0, f64::max);
    Tested::new(distance, kolmogorov::two_sample(pooled.n, pooled.m, distance))
}

/// `∫ |F - G| dx / max(std of the reference, 0.001)`: Evidently's `wasserstein`.
pub fn wasserstein(pooled: &Pooled, reference: &Sample) -> Tested {
    Tested::distance(pooled.integral(|f, g, _| (f - g).abs()) / norm(reference))
}

/// The divisor of a normed Wasserstein distance.
pub fn norm(reference: &Sample) -> f64 {
    reference.std().max(STD_MIN)
}

/// `sqrt(2 ∫ (F - G)² dx)`: `scipy.stats.energy_distance` (Székely and Rizzo 2013).
pub fn energy(pooled: &Pooled) -> Tested {
    Tested::distance((2.0 * pooled.integral(|f, g, _| (f - g) * (f - g))).sqrt())
}

/// k-sample Anderson-Darling statistic with midranks, normed (Scholz and Stephens 1987, eq. 7), and its p-value between
/// 0.001 and 0.25 by `scipy.stats.anderson_ksamp`. `None` below four rows or with one distinct value.
pub fn anderson(pooled: &Pooled) -> Option<Tested> {
    let total = pooled.total();
    if total < 4.0 || pooled.values.len() < 2 {
        return None;
    }
    let (mut sums, mut before, mut after) = ([0.0; 2], 0.0, 0.0);
    for (&reference, &current) in pooled.reference.iter().zip(&pooled.current) {
        let tied = reference + current;
        let middle = before + after + tied / 2.0;
        let spread = middle * (total - middle) - total * tied / 4.0;
        let share = |size: f64, seen: f64, here: f64| {
            tied / total * (total * (seen + here / 2.0) - middle * size).powi(2) / spread
        };
        sums[0] += share(pooled.n, before, reference);
        sums[1] += share(pooled.m, after, current);
        before += reference;
        after += current;
    }
    let raw = (sums[0] / pooled.n + sums[1] / pooled.m) * (total - 1.0) / total;
    let statistic = (raw - 1.0) / anderson_variance(pooled).sqrt();
    statistic.is_finite().then(|| Tested::new(statistic, anderson_tail(statistic)))
}

/// Variance of the statistic for two samples (Scholz and Stephens 1987, eq. 4). O(rows), a series beyond 10,000.
fn anderson_variance(pooled: &Pooled) -> f64 {
    let total = pooled.total();
    let h_inverse = pooled.unit();
    let (h, g) = harmonics(total);
    let a = (4.0 * g - 6.0) + (10.0 - 6.0 * g) * h_inverse;
    let b = (2.0 * g - 4.0) * 4.0 + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * h_inverse - 8.0 * h + 4.0 * g - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * 4.0 + (4.0 * h - 4.0 * g + 6.0) * 2.0 + (2.0 * h - 6.0) * h_inverse + 4.0 * h;
    let d = (2.0 * h + 6.0) * 4.0 - 8.0 * h;
    (a * total.powi(3) + b * total.powi(2) + c * total + d) / ((total - 1.0) * (total - 2.0) * (total - 3.0))
}

/// `h = Σ_{i<N} 1/i` and `g = Σ_{i<N-1} Σ_{i<j<N} 1 / ((N - i) j)`.
fn harmonics(total: f64) -> (f64, f64) {
    const SUMMED_MAX: f64 = 1e6;
    if total > SUMMED_MAX {
        // Euler and Maclaurin for h; g tends to π²/6 as (ln N + γ) / N, below 2e-5 here.
        let h = total.ln() + 0.577_215_664_901_532_9 - 0.5 / total;
        return (h, std::f64::consts::PI.powi(2) / 6.0 - h / total);
    }
    let (mut partial, mut g) = (0.0, 0.0);
    let (mut divisor, mut index) = (total - 1.0, 2.0);
    while divisor > 1.0 {
        partial += 1.0 / divisor;
        g += partial / index;
        divisor -= 1.0;
        index += 1.0;
    }
    (partial + 1.0, g)
}

/// Interpolates log p over the critical values of Scholz and Stephens' table 2 by least squares, as scipy does.
fn anderson_tail(statistic: f64) -> f64 {
    const CRITICAL: [f64; 7] = [
        0.675 - 0.245 - 0.105,
        1.281 + 0.25 - 0.305,
        1.645 + 0.678 - 0.362,
        1.96 + 1.149 - 0.391,
        2.326 + 1.822 - 0.396,
        2.573 + 2.364 - 0.345,
        3.085 + 3.615 - 0.154,
    ];
    const LEVELS: [f64; 7] = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];
    if statistic < CRITICAL[0] {
        return LEVELS[0];
    }
    if statistic > CRITICAL[6] {
        return LEVELS[6];
    }
    small::parabola(&CRITICAL, &LEVELS.map(f64::ln), statistic).exp()
}

/// Cramér and von Mises for two samples with midranks (Anderson 1962), as `scipy.stats.cramervonmises_2samp`: the exact
/// p-value up to 20 rows, else by the limit law. `None` below two rows on a side.
pub fn cramer_von_mises(pooled: &Pooled) -> Option<Tested> {
    let (n, m, total) = (pooled.n, pooled.m, pooled.total());
    if n < 2.0 || m < 2.0 {
        return None;
    }
    let (mut sums, mut before, mut after) = ([0.0; 2], 0.0, 0.0);
    for (&reference, &current) in pooled.reference.iter().zip(&pooled.current) {
        let rank = before + after + (reference + current + 1.0) / 2.0;
        sums[0] += squares(rank - before, reference);
        sums[1] += squares(rank - after, current);
        before += reference;
        after += current;
    }
    let u = n * sums[0] + m * sums[1];
    let product = n * m;
    let statistic = u / (product * total) - (4.0 * product - 1.0) / (6.0 * total);
    let p_value = if n.max(m) <= 20.0 {
        small::cramer_exact(u, n as u64, m as u64)
    } else {
        let (mean, variance) = cramer_moments(n, m);
        let normed = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
        if normed < 0.003 { 1.0 } else { (1.0 - small::cramer_limit(normed)).max(0.0) }
    };
    Some(Tested::new(statistic, p_value))
}

/// Mean and variance of the statistic in samples of one population (Anderson 1962, eq. 11 and 14).
pub fn cramer_moments(n: f64, m: f64) -> (f64, f64) {
    let (product, total) = (n * m, n + m);
    let top = (total + 1.0) * (4.0 * product * total - 3.0 * (n * n + m * m) - 2.0 * product);
    ((1.0 + 1.0 / total) / 6.0, top / (45.0 * total * total * 4.0 * product))
}

/// `Σ_{i=1}^{count} (offset - i)²`.
fn squares(offset: f64, count: f64) -> f64 {
    let middle = (count + 1.0) / 2.0;
    count * (offset - middle).powi(2) + count * (count * count - 1.0) / 12.0
}

/// Mann and Whitney's U of the reference, and the chance of one as small (`alternative="less"`, Evidently's choice: blind
/// to a current table with smaller values). Exact without ties while one side has 8 rows or fewer and the other at most
/// 500, else normal with ties and continuity corrected, as `scipy.stats.mannwhitneyu`.
pub fn mann_whitney(pooled: &Pooled) -> Option<Tested> {
    let (n, m, total) = (pooled.n, pooled.m, pooled.total());
    let (mut seen, mut ranks, mut ties) = (0.0, 0.0, 0.0);
    for (&reference, &current) in pooled.reference.iter().zip(&pooled.current) {
        let tied = reference + current;
        ranks += reference * (seen + (tied + 1.0) / 2.0);
        ties += tied.powi(3) - tied;
        seen += tied;
    }
    let u = ranks - n * (n + 1.0) / 2.0;
    let other = n * m - u;
    if n.min(m) <= 8.0 && n.max(m) <= 500.0 && ties == 0.0 {
        return Some(Tested::new(u, small::mann_whitney_tail(n.min(m) as usize, n.max(m) as usize, other as usize)));
    }
    let spread = (n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)))).sqrt();
    let z = (other - n * m / 2.0 - 0.5) / spread;
    z.is_finite().then(|| Tested::new(u, distribution::normal_tail(z)))
}

/// Student's t with pooled variance: `scipy.stats.ttest_ind`, which Evidently calls as it stands. `None` without spread.
pub fn student(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (reference.total(), current.total());
    let freedom = n + m - 2.0;
    let variance = (n * reference.variance + m * current.variance) / freedom;
    let t = (reference.mean - current.mean) / (variance * (1.0 / n + 1.0 / m)).sqrt();
    (freedom > 0.0 && t.is_finite()).then(|| Tested::new(t, distribution::student_two_tails(t, freedom)))
}

/// Epps and Singleton's statistic over characteristic functions at 0.4 and 0.8 semi-interquartile ranges (1986), as
/// `scipy.stats.epps_singleton_2samp`. `None` below five rows on a side or without an interquartile range.
pub fn epps_singleton(pooled: &Pooled) -> Option<Tested> {
    let (n, m, total) = (pooled.n, pooled.m, pooled.total());
    let half_range = (pooled.quantile(0.75) - pooled.quantile(0.25)) / 2.0;
    if n < 5.0 || m < 5.0 || half_range <= 0.0 || !half_range.is_finite() {
        return None;
    }
    let waves: Vec<[f64; 4]> = pooled
        .values
        .iter()
        .map(|value| {
            let (slow, fast) = (0.4 / half_range * value, 0.8 / half_range * value);
            [slow.cos(), fast.cos(), slow.sin(), fast.sin()]
        })
        .collect();
    let (mean_n, covariance_n) = small::covariance(&waves, &pooled.reference, n);
    let (mean_m, covariance_m) = small::covariance(&waves, &pooled.current, m);
    let mut covariance = [[0.0; 4]; 4];
    for (row, cells) in covariance.iter_mut().enumerate() {
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = total / n * covariance_n[row][column] + total / m * covariance_m[row][column];
        }
    }
    let difference: [f64; 4] = std::array::from_fn(|i| mean_n[i] - mean_m[i]);
    let (form, rank) = small::inverse_form(covariance, difference);
    let mut statistic = total * form;
    if n.max(m) < 25.0 {
        statistic /= 1.0 + total.powf(-0.45) + 10.1 * (n.powf(-1.7) + m.powf(-1.7));
    }
    statistic.is_finite().then(|| Tested::new(statistic, distribution::chi_square_tail(statistic, rank as f64)))
}
