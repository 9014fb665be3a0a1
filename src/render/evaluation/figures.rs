//! How metrics, intervals and differences are written: the same in the terminal, in comments and on pages.

use crate::record::evaluation::{Difference, Interval};
use crate::render::number::number;

/// Digits behind the point that suit a number of this size.
fn decimals(size: f64) -> usize {
    match size {
        s if s >= 1e5 => 0,
        s if s >= 1e3 => 1,
        s if s >= 1e2 => 2,
        s if s >= 1e1 => 3,
        _ => 4,
    }
}

/// Whether a number is written with an exponent.
fn is_extreme(size: f64) -> bool {
    size != 0.0 && !(1e-4..1e9).contains(&size)
}

fn with_digits(value: f64, digits: usize) -> String {
    match value {
        v if !v.is_finite() => number(v),
        v if is_extreme(v.abs()) => format!("{v:.2e}"),
        v => {
            let text = format!("{v:.digits$}");
            // -0.0000 is nothing.
            if text.trim_start_matches('-').chars().all(|letter| matches!(letter, '0' | '.')) {
                text.trim_start_matches('-').to_owned()
            } else {
                text
            }
        }
    }
}

/// A metric: `0.8123`, `12.345`, `1234.6`, `3.20e-7`.
pub fn figure(value: f64) -> String {
    with_digits(value, decimals(value.abs()))
}

/// A difference with its sign: `+0.0123`.
pub fn signed(value: f64) -> String {
    sign(figure(value), value)
}

fn sign(text: String, value: f64) -> String {
    let is_nothing = text.chars().all(|letter| matches!(letter, '0' | '.'));
    if value > 0.0 && !is_nothing { format!("+{text}") } else { text }
}

/// Digits that tell the ends of an interval apart, one less than those of its values where that is enough.
fn interval_digits(of: &Interval) -> usize {
    let usual = decimals(of.low.abs().max(of.high.abs())).saturating_sub(1);
    let same = |digits: &usize| with_digits(of.low, *digits) == with_digits(of.high, *digits);
    (usual..=6).find(|digits| of.low >= of.high || !same(digits)).unwrap_or(6)
}

/// An interval: `[0.781, 0.842]`.
pub fn interval(of: &Interval) -> String {
    let digits = interval_digits(of);
    format!("[{}, {}]", with_digits(of.low, digits), with_digits(of.high, digits))
}

/// The interval of a difference: `[-0.004, +0.021]`.
pub fn signed_interval(of: &Interval) -> String {
    let digits = interval_digits(of);
    let end = |value: f64| sign(with_digits(value, digits), value);
    format!("[{}, {}]", end(of.low), end(of.high))
}

/// A difference with its interval: `+0.0123 [-0.004, +0.021]`.
pub fn difference(of: &Difference) -> String {
    let sure = of.interval.as_ref().map_or_else(String::new, |interval| format!(" {}", signed_interval(interval)));
    format!("{}{sure}", signed(of.difference))
}

/// A chance: `0.032`, `< 0.001`.
pub fn chance(p_value: f64) -> String {
    match p_value {
        p if p < 0.001 => "< 0.001".to_owned(),
        p => format!("{p:.3}"),
    }
}
