//! Tails of the distributions that tests compare with, to about 13 digits.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::{checked_gamma_ur, ln_gamma};

/// Chance that a chi-square number of one degree of freedom exceeds `value`.
pub fn chi_square_tail(value: f64) -> f64 {
    match value {
        value if value <= 0.0 => 1.0,
        value if value.is_infinite() => 0.0,
        // The error function of statrs is good to 11 digits only.
        value => checked_gamma_ur(0.5, value / 2.0).unwrap_or(f64::NAN),
    }
}

/// Chance that a standard normal number is further from 0 than `value`.
pub fn normal_two_tails(value: f64) -> f64 {
    chi_square_tail(value * value)
}

/// How many standard deviations from the mean a normal number stays with chance `level`.
pub fn normal_reach(level: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + level / 2.0)
}

/// Twice the chance of at most `few` heads in `throws` of a fair coin, at most 1.
pub fn coin_two_tails(few: u64, throws: u64) -> f64 {
    let (throws, half) = (throws as f64, 0.5_f64.ln());
    let chance = |heads: u64| {
        let heads = heads as f64;
        let ways = ln_gamma(throws + 1.0) - ln_gamma(heads + 1.0) - ln_gamma(throws - heads + 1.0);
        (ways + throws * half).exp()
    };
    (2.0 * (0..=few).map(chance).sum::<f64>()).min(1.0)
}
