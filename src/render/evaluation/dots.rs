//! One dot a line with its interval: slices beside the value of all rows, and two models beside each other.

use std::fmt::Write;

use crate::base::units;
use crate::record::evaluation::Interval;
use crate::render::escape::markup;
use crate::render::evaluation::figures::{figure, interval};
use crate::render::evaluation::short_label;
use crate::render::explanation::scale::Scale;
use crate::render::number::brief;

const ROW: f64 = 21.0;
const WIDTH: f64 = 540.0;
const FROM: f64 = 176.0;
const TO: f64 = 440.0;
/// Characters of a name beside its line.
const LABEL: usize = 30;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// One line.
pub struct Dot {
    /// What it stands for.
    pub name: String,
    /// Rows that its value comes from; `None` when that is said elsewhere.
    pub rows: Option<u64>,
    /// Its value.
    pub value: f64,
    /// Where that may well lie.
    pub interval: Option<Interval>,
    /// The same of another model, drawn as a ring.
    pub other: Option<f64>,
}

/// Whether the whole interval lies on the wrong side of the value of all rows (`bad`), on the right side (`good`), or
/// neither.
fn side(dot: &Dot, overall: Option<f64>, higher_is_better: Option<bool>) -> &'static str {
    let (Some(sure), Some(overall), Some(higher)) = (&dot.interval, overall, higher_is_better) else {
        return "";
    };
    match (sure.high < overall, sure.low > overall) {
        (true, _) => {
            if higher {
                "bad"
            } else {
                "good"
            }
        }
        (_, true) => {
            if higher {
                "good"
            } else {
                "bad"
            }
        }
        _ => "",
    }
}

/// The plot. `title` says what it shows; `overall` is the value of all rows.
pub fn dots(title: &str, dots: &[Dot], overall: Option<f64>, higher_is_better: Option<bool>) -> String {
    let ends = |dot: &Dot| dot.interval.map_or([dot.value; 2], |of| [of.low, of.high]);
    let all = dots.iter().flat_map(|dot| ends(dot).into_iter().chain([dot.value]).chain(dot.other)).chain(overall);
    let scale = Scale::new(all, FROM, TO).padded(0.03);
    let tall = ROW * dots.len() as f64;
    let title = markup(title);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>",
        tall + 20.0
    );
    for (tick, _) in scale.ticks(5) {
        let text = brief(tick);
        let at = scale.at(tick);
        write!(
            svg,
            "<path class=\"rule\" d=\"M{at:.1} 0V{tall}\"/><text class=\"mid\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>",
            tall + 14.0
        )
        .expect(INFALLIBLE);
    }
    if let Some(overall) = overall.filter(|overall| overall.is_finite()) {
        write!(
            svg,
            "<g><title>all rows: {}</title><path class=\"overall\" d=\"M{:.1} 0V{tall}\"/></g>",
            figure(overall),
            scale.at(overall)
        )
        .expect(INFALLIBLE);
    }
    for (index, dot) in dots.iter().enumerate().filter(|(_, dot)| dot.value.is_finite()) {
        line(&mut svg, &scale, ROW * (index as f64 + 0.5), dot, side(dot, overall, higher_is_better));
    }
    svg.push_str("</svg>");
    svg
}

fn line(svg: &mut String, scale: &Scale, middle: f64, dot: &Dot, side: &str) {
    let rows = dot.rows.map_or_else(String::new, |rows| format!(", {}", units::plural(rows, "row")));
    let sure = dot.interval.as_ref().map_or_else(String::new, |of| format!(" {}", interval(of)));
    let other = dot.other.map_or_else(String::new, |other| format!(", the other model {}", figure(other)));
    write!(
        svg,
        "<g><title>{}: {}{sure}{other}{rows}</title><rect class=\"strip\" x=\"0\" y=\"{:.1}\" width=\"{WIDTH}\" \
        height=\"{ROW}\"/>\
         <text class=\"value end\" x=\"{}\" y=\"{:.1}\">{}</text>",
        short_label(&dot.name, 120),
        figure(dot.value),
        middle - ROW / 2.0,
        FROM - 10.0,
        middle + 3.5,
        short_label(&dot.name, LABEL)
    )
    .expect(INFALLIBLE);
    if let Some(of) = &dot.interval {
        let (low, high) = (scale.at(of.low), scale.at(of.high));
        write!(
            svg,
            "<path class=\"whisker\" d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {0:.1}V{1:.1}M{high:.1} \
            {0:.1}V{1:.1}\"/>",
            middle - 3.5,
            middle + 3.5
        )
        .expect(INFALLIBLE);
    }
    let x = scale.at(dot.value);
    if let Some(other) = dot.other.filter(|other| other.is_finite()) {
        let there = scale.at(other);
        write!(
            svg,
            "<path class=\"pairing\" d=\"M{x:.1} {middle:.1}H{there:.1}\"/><circle class=\"ring\" cx=\"{there:.1}\" \
            cy=\"{middle:.1}\" \
             r=\"4.4\"/>"
        )
        .expect(INFALLIBLE);
    }
    let rows = dot.rows.map_or_else(String::new, |rows| format!(" · {}", units::count(rows)));
    write!(
        svg,
        "<circle class=\"dot {side}\" cx=\"{x:.1}\" cy=\"{middle:.1}\" r=\"4.2\"/><text x=\"{}\" \
        y=\"{:.1}\">{}{rows}</text></g>",
        TO + 10.0,
        middle + 3.5,
        figure(dot.value)
    )
    .expect(INFALLIBLE);
}
