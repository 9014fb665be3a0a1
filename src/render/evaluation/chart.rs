//! Small pictures in the cells of tables: where a value lies, how sure it is, and what it is compared with.

use std::fmt::Write;

use crate::record::evaluation::Interval;
use crate::render::escape::markup;
use crate::render::explanation::scale::Scale;

const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 18.0;
const FROM: f64 = 6.0;
const TO: f64 = 174.0;
const MIDDLE: f64 = 9.0;

const INFALLIBLE: &str = "writing to a String cannot fail";

fn open(title: &str) -> String {
    let title = markup(title);
    format!(
        "<svg class=\"mini\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
        aria-label=\"{title}\"><title>{title}</title>"
    )
}

fn whisker(svg: &mut String, scale: &Scale, of: &Interval) {
    let (low, high) = (scale.at(of.low), scale.at(of.high));
    write!(
        svg,
        "<path class=\"whisker\" d=\"M{low:.1} {MIDDLE}H{high:.1}M{low:.1} {0}V{1}M{high:.1} {0}V{1}\"/>",
        MIDDLE - 3.5,
        MIDDLE + 3.5
    )
    .expect(INFALLIBLE);
}

/// A value with its interval, a tick for the baseline and a ring for the other model, on a scale of their own.
pub fn value(
    title: &str,
    value: f64,
    interval: Option<&Interval>,
    baseline: Option<f64>,
    other: Option<f64>,
) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let ends = interval.map(|of| [of.low, of.high]).into_iter().flatten();
    let all: Vec<f64> = [Some(value), baseline, other].into_iter().flatten().chain(ends).collect();
    let scale = Scale::new(all.iter().copied(), FROM, TO).padded(0.06);
    let mut svg = open(title);
    write!(svg, "<path class=\"axis\" d=\"M{FROM} {MIDDLE}H{TO}\"/>").expect(INFALLIBLE);
    if let Some(of) = baseline.filter(|of| of.is_finite()) {
        write!(svg, "<path class=\"tick\" d=\"M{:.1} {}v10\"/>", scale.at(of), MIDDLE - 5.0).expect(INFALLIBLE);
    }
    if let Some(of) = interval {
        whisker(&mut svg, &scale, of);
    }
    if let Some(of) = other.filter(|of| of.is_finite()) {
        write!(svg, "<circle class=\"ring\" cx=\"{:.1}\" cy=\"{MIDDLE}\" r=\"3.8\"/>", scale.at(of)).expect(INFALLIBLE);
    }
    write!(svg, "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{MIDDLE}\" r=\"3.2\"/></svg>", scale.at(value))
        .expect(INFALLIBLE);
    svg
}

/// A difference with its interval around a line at none; `class` colours the dot: `good`, `bad` or nothing.
pub fn difference(title: &str, value: f64, interval: Option<&Interval>, class: &str) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let ends = interval.map(|of| [of.low, of.high]).into_iter().flatten();
    let reach = ends.chain([value]).filter(|of| of.is_finite()).fold(0.0, |reach: f64, of| reach.max(of.abs()));
    let scale = Scale::new([-reach, reach].into_iter(), FROM, TO).padded(0.05);
    let mut svg = open(title);
    write!(
        svg,
        "<path class=\"axis\" d=\"M{FROM} {MIDDLE}H{TO}\"/><path class=\"overall\" d=\"M{:.1} 1V{}\"/>",
        scale.at(0.0),
        HEIGHT - 1.0
    )
    .expect(INFALLIBLE);
    if let Some(of) = interval {
        whisker(&mut svg, &scale, of);
    }
    write!(svg, "<circle class=\"dot {class}\" cx=\"{:.1}\" cy=\"{MIDDLE}\" r=\"3.6\"/></svg>", scale.at(value))
        .expect(INFALLIBLE);
    svg
}

/// One bar in parts: `(class, name, count)`.
pub fn parts(title: &str, parts: &[(&str, &str, u64)]) -> String {
    const WIDE: f64 = 520.0;
    let sum: f64 = parts.iter().map(|part| part.2 as f64).sum();
    if sum <= 0.0 {
        return String::new();
    }
    let title = markup(title);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDE} 22\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>");
    let mut x = 0.0;
    for (class, name, count) in parts {
        let wide = WIDE * *count as f64 / sum;
        let words = crate::base::units::count(*count);
        write!(
            svg,
            "<g><title>{name}: {words}</title><rect class=\"{class}\" x=\"{x:.1}\" y=\"2\" width=\"{:.1}\" \
            height=\"18\" rx=\"3\"/></g>",
            (wide - 1.0).max(0.0)
        )
        .expect(INFALLIBLE);
        x += wide;
    }
    svg.push_str("</svg>");
    svg
}
