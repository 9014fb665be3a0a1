//! Questions about numbers of 32 bits and of 64.
//!
//! XGBoost asks `f32(x) < t`, ours asks `x <= s`, both of 64-bit `x`. Rounding never changes the order of numbers, so for
//! each `t` there is one largest `x` that goes left: that is `s`, and the answers are the same for every `x`. The other
//! way, all numbers that round to the same 32 bits as `s` must go one way. Tables hold decimal numbers of few digits, and
//! thresholds half way between two of them are often a third: so they go where the shortest decimal among them goes, and
//! answers are the same for every number of up to six digits. All other numbers are told apart as before.

/// One more step of 32-bit floats beyond the largest: where rounding to infinity begins half way.
const BEYOND: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;

/// The largest `x` with `f32(x) < threshold`; minus infinity where there is none. `threshold` is not NaN.
pub fn widened(threshold: f32) -> f64 {
    let below = threshold.next_down();
    if threshold == f32::NEG_INFINITY {
        return f64::NEG_INFINITY;
    }
    let wide = |value: f32| if value.is_infinite() { BEYOND.copysign(f64::from(value)) } else { f64::from(value) };
    // Exact: both have 24 bits and are neighbours, so their middle has 25.
    let middle = wide(below) / 2.0 + wide(threshold) / 2.0;
    // A tie is rounded to the even one. Of two neighbours one is even; infinity counts as even.
    let ties_below = below.to_bits() & 1 == 0;
    if ties_below { middle } else { middle.next_down() }
}

/// The `t` for which `f32(x) < t` is `x <= threshold` for every decimal number `x` of up to six digits; finite.
pub fn narrowed(threshold: f64) -> f32 {
    let nearest = threshold.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32;
    // Shown with as many digits as tell it from its neighbours: the shortest decimal that rounds to it.
    let shortest: f64 = format!("{nearest:e}").parse().expect("a shown number can be read");
    let above = if shortest <= threshold { nearest.next_up() } else { nearest };
    // No feature of ours is infinite, so whatever is above the largest number asks the same.
    above.clamp(f32::MIN, f32::MAX)
}
