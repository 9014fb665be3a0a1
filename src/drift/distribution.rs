//! Tails of the distributions that tests compare with, to about 14 digits.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

/// Chance that a chi-square number of `freedom` degrees exceeds `value`; 1 without degrees of freedom.
pub fn chi_square_tail(value: f64, freedom: f64) -> f64 {
    if freedom <= 0.0 || value <= 0.0 {
        return 1.0;
    }
    if value.is_infinite() {
        return 0.0;
    }
    checked_gamma_ur(freedom / 2.0, value / 2.0).unwrap_or(f64::NAN)
}

/// Chance that a standard normal number exceeds `value`.
pub fn normal_tail(value: f64) -> f64 {
    // By the incomplete gamma function: the error function of statrs is good to 11 digits only.
    let beyond = 0.5 * chi_square_tail(value * value, 1.0);
    if value < 0.0 { 1.0 - beyond } else { beyond }
}

/// The value that a standard normal number stays below with chance `share`.
pub fn normal_quantile(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share)
}

/// Chance that a Student number of `freedom` degrees is further from 0 than `value`.
pub fn student_two_tails(value: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| 2.0 * law.sf(value.abs()))
}

/// About the value that a gamma number of this mean and variance stays below with chance `share`, by the normality of its
/// cube root (Wilson and Hilferty 1931).
pub fn gamma_quantile(mean: f64, variance: f64, share: f64) -> f64 {
    if mean <= 0.0 || variance <= 0.0 {
        return mean.max(0.0);
    }
    let ninth = variance / (mean * mean) / 9.0;
    mean * (1.0 - ninth + normal_quantile(share) * ninth.sqrt()).max(0.0).powi(3)
}

/// About the value that a chi-square number stays below with chance `share`; Wilson and Hilferty as above.
pub fn chi_square_quantile(freedom: f64, share: f64) -> f64 {
    if freedom == 1.0 {
        // The square of a normal number: exact, and the one case where the approximation is off by more than 1 %.
        return normal_quantile(0.5 + share / 2.0).powi(2);
    }
    gamma_quantile(freedom, 2.0 * freedom, share)
}

/// `C(n, k) p^k q^(n - k)` with `q = 1 - p` given apart, by Loader's saddle point (2000, *Fast and accurate computation of
/// binomial probabilities*): relative error about 1e-14 for any n, where differences of log-gammas lose n × 1e-16.
pub fn binomial(n: f64, k: f64, p: f64, q: f64) -> f64 {
    if k < 0.0 || k > n {
        return 0.0;
    }
    if p <= 0.0 {
        return if k == 0.0 { 1.0 } else { 0.0 };
    }
    if q <= 0.0 {
        return if k == n { 1.0 } else { 0.0 };
    }
    if k == 0.0 {
        return (n * (-p).ln_1p()).exp();
    }
    if k == n {
        return (n * p.ln()).exp();
    }
    let exponent =
        stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(k, n * p) - deviance(n - k, n * q);
    exponent.exp() * (n / (std::f64::consts::TAU * k * (n - k))).sqrt()
}

/// `ln n! - ln(sqrt(2 π n) (n / e)^n)`.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        let half_log = 0.5 * (std::f64::consts::TAU).ln();
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - half_log;
    }
    let square = n * n;
    let series = 1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square;
    (1.0 / 12.0 - (1.0 / 360.0 - series / square) / square) / n
}

/// `x ln(x / m) + m - x` without cancellation near `x = m`.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    for j in 1..1000 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}
