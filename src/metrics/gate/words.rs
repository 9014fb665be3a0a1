//! Numbers and comparisons in the words of a reason.

use crate::spec::gate::Comparison;

/// What the comparison asks for.
pub fn wanted(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::AtLeast => "at least",
        Comparison::Above => "above",
        Comparison::AtMost => "at most",
        Comparison::Below => "below",
        Comparison::Equal => "equal to",
    }
}

/// Where a bound comes from that is a champion's value plus a number.
pub fn origin(theirs: f64, offset: f64) -> String {
    let theirs = show(theirs);
    match offset {
        0.0 => ", the champion's".to_owned(),
        offset if offset < 0.0 => format!(", the champion's {theirs} - {}", -offset),
        offset => format!(", the champion's {theirs} + {offset}"),
    }
}

/// Where a bound comes from that is a champion's value plus a share of it.
pub fn relative_origin(theirs: f64, share: f64) -> String {
    let sign = if share < 0.0 { '-' } else { '+' };
    let turned = if theirs < 0.0 { ", a negative value, of which a relative change counts the other way" } else { "" };
    format!(", the champion's {} {sign} {} %{turned}", show(theirs), show(share.abs() * 100.0))
}

/// Six significant digits, without trailing zeros.
pub fn show(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// Both numbers rounded, or both in full where rounding would make different ones look equal.
pub fn show_apart(a: f64, b: f64) -> (String, String) {
    let (short_a, short_b) = (show(a), show(b));
    if a != b && short_a == short_b { (a.to_string(), b.to_string()) } else { (short_a, short_b) }
}
