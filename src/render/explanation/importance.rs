//! Bars of importance with their intervals.

use std::fmt::Write;

use crate::record::explanation::Estimate;
use crate::render::escape::{markup, shortened};
use crate::render::explanation::scale::Scale;
use crate::render::explanation::short;
use crate::render::plot::visible;

const ROW: f64 = 22.0;
const WIDTH: f64 = 520.0;
const FROM: f64 = 150.0;
const TO: f64 = 440.0;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// One bar: a name, its value, and the interval when it has one.
pub struct Bar<'a> {
    /// The column.
    pub name: &'a str,
    /// Its value.
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: Option<(f64, f64)>,
    /// More to say under the pointer.
    pub title: String,
}

impl<'a> Bar<'a> {
    /// A bar of a mean with its interval.
    pub fn of(name: &'a str, of: &Estimate) -> Bar<'a> {
        let title = format!("95 % interval {} to {}", short(of.low), short(of.high));
        Bar { name, value: of.mean, interval: Some((of.low, of.high)), title }
    }
}

/// Horizontal bars from 0, to either side; `name` says what the plot shows.
pub fn bars(name: &str, bars: &[Bar<'_>], beside: &[Bar<'_>]) -> String {
    let values = bars.iter().chain(beside).flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.value, bar.value));
        [0.0, bar.value, low, high]
    });
    let scale = Scale::new(values, FROM, TO);
    let zero = scale.at(0.0);
    let tall = ROW * bars.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\"><path class=\"axis\" d=\"M{zero:.1} 0V{tall}\"/>",
        tall + 2.0,
        markup(name)
    );
    for (index, bar) in bars.iter().enumerate() {
        let y = ROW * index as f64 + 3.0;
        let end = scale.at(bar.value);
        let (left, wide) = (end.min(zero), (end - zero).abs());
        let full = markup(&visible(bar.name));
        let title = markup(&bar.title);
        let label = markup(&shortened(&visible(bar.name), 24));
        write!(
            svg,
            "<g><title>{full}: {}{}{title}</title><text class=\"value end\" x=\"{}\" y=\"{:.1}\">{label}</text>\
             <rect class=\"now\" x=\"{left:.1}\" y=\"{y}\" width=\"{wide:.1}\" height=\"15\" rx=\"2\"/>",
            short(bar.value),
            if title.is_empty() { "" } else { ", " },
            FROM - 8.0,
            y + 11.5,
        )
        .expect(INFALLIBLE);
        let mut edge = end.max(zero);
        if let Some((low, high)) = bar.interval {
            let (low, high, middle) = (scale.at(low), scale.at(high), y + 7.5);
            edge = edge.max(high);
            let (top, foot) = (middle - 3.5, middle + 3.5);
            write!(
                svg,
                "<path class=\"whisker\" d=\"M{low:.1} {middle}H{high:.1}M{low:.1} {top}V{foot}M{high:.1} {top}V{foot}\"/>"
            )
            .expect(INFALLIBLE);
        }
        write!(svg, "<text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>", edge + 7.0, y + 11.5, short(bar.value))
            .expect(INFALLIBLE);
    }
    svg.push_str("</svg>");
    svg
}
