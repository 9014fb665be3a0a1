//! Distances between two lists of shares.

use crate::drift::bins::Shares;

fn pairs(shares: &Shares) -> impl Iterator<Item = (f64, f64)> + '_ {
    shares.reference.iter().copied().zip(shares.current.iter().copied())
}

/// Population stability index `Σ (p - q) ln(p / q)`; the shares must be filled.
pub fn stability_index(shares: &Shares) -> f64 {
    pairs(shares).map(|(p, q)| (p - q) * (p / q).ln()).sum()
}

/// Kullback-Leibler divergence `Σ p ln(p / q)` in nats after both are normed to 1; the shares must be filled.
pub fn kullback_leibler(shares: &Shares) -> f64 {
    let (all_p, all_q) = (shares.reference.iter().sum::<f64>(), shares.current.iter().sum::<f64>());
    let normed = pairs(shares).map(|(p, q)| (p / all_p, q / all_q));
    normed.filter(|(p, _)| *p > 0.0).map(|(p, q)| p * (p / q).ln()).sum::<f64>().max(0.0)
}

/// Jensen-Shannon divergence in nats, in `[0, ln 2]`.
pub fn jensen_shannon(shares: &Shares) -> f64 {
    let part = |p: f64, middle: f64| if p > 0.0 { p * (p / middle).ln() } else { 0.0 };
    let sum: f64 = pairs(shares)
        .map(|(p, q)| {
            let middle = (p + q) / 2.0;
            part(p, middle) + part(q, middle)
        })
        .sum();
    (sum / 2.0).clamp(0.0, std::f64::consts::LN_2)
}

/// Hellinger distance `sqrt(1 - Σ sqrt(p q))`, summed as `sqrt(Σ (sqrt(p) - sqrt(q))² / 2)`, which is 0 for equal shares.
pub fn hellinger(shares: &Shares) -> f64 {
    let sum: f64 = pairs(shares).map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    (sum / 2.0).min(1.0).sqrt()
}

/// Total variation distance: half the sum of differences.
pub fn total_variation(shares: &Shares) -> f64 {
    0.5 * pairs(shares).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

/// Largest difference of shares (TFDV's L-infinity).
pub fn infinity_norm(shares: &Shares) -> f64 {
    pairs(shares).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
}
