//! The quantiles of a column on one line, on the scale of the histogram above it.

use std::fmt::Write;

use crate::record::profile::ColumnProfile;
use crate::render::escape::markup;
use crate::render::number::value;
use crate::render::plot::{LEFT, RIGHT};

/// Whiskers from the 5 % to the 95 % quantile, a box between the quartiles, a line at the median, a dot at the mean,
/// `ends` being the values at both ends of the plot and `y` the middle of the strip.
pub fn strip(column: &ColumnProfile, ends: (f64, f64), y: f64, old: bool) -> String {
    let Some(numbers) = column.numbers.as_ref().filter(|numbers| numbers.quantiles.len() == 11) else {
        return String::new();
    };
    // Halved, as the difference of two huge numbers may be beyond the largest.
    let width = ends.1 / 2.0 - ends.0 / 2.0;
    let place = |value: f64| {
        let part = if width > 0.0 { (value / 2.0 - ends.0 / 2.0) / width } else { 0.5 };
        LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
    };
    let quantile = |index: usize| place(numbers.quantiles[index]);
    let (low, first, median, third, high) = (quantile(2), quantile(4), quantile(5), quantile(6), quantile(8));
    let class = if old { " old" } else { "" };
    let kind = column.column_type;
    let said = |index: usize| value(numbers.quantiles[index], kind);
    let mean = numbers.mean.map_or_else(String::new, |mean| format!("; mean {}", value(mean, kind)));
    let title = format!(
        "{}5 % {}, 25 % {}, median {}, 75 % {}, 95 % {}{mean}",
        if old { "before: " } else { "" },
        said(2),
        said(4),
        said(5),
        said(6),
        said(8)
    );
    let mut svg = format!(
        "<g><title>{}</title><path class=\"whisker\" d=\"M{low:.1} {y}H{high:.1}\"/>\
         <rect class=\"box{class}\" x=\"{first:.1}\" y=\"{}\" width=\"{:.1}\" height=\"8\" rx=\"1.5\"/>\
         <path class=\"median{class}\" d=\"M{median:.1} {}v10\"/>",
        markup(&title),
        y - 4.0,
        (third - first).max(1.0),
        y - 5.0
    );
    if let Some(mean) = numbers.mean {
        write!(svg, "<circle class=\"mean\" cx=\"{:.1}\" cy=\"{y}\" r=\"1.8\"/>", place(mean))
            .expect("writing to a String cannot fail");
    }
    svg.push_str("</g>");
    svg
}
