//! Plots as inline SVG: histograms and bars, for one version or two laid over each other.
//!
//! The newer version is filled, the older one an outline: they differ without colour too. Every plot has a name for
//! those who cannot see it, and says its numbers under the pointer.

use std::fmt::Write;

use crate::record::profile::ColumnProfile;
use crate::render::bins::Bins;
use crate::render::escape::{markup, shortened};
use crate::render::number::{brief_value, number, percent, value};
use crate::render::strip;
use crate::spec::schema::ColumnType;

/// Width of every plot of a card, in its own units.
pub const WIDTH: f64 = 360.0;
/// Where bars begin: room for the shares on the left.
pub const LEFT: f64 = 34.0;
/// Where bars end.
pub const RIGHT: f64 = 354.0;
const TOP: f64 = 6.0;
const BASE: f64 = 106.0;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// A histogram of `now`, with the outline of `then` when there are two versions, and the quantiles of both below it.
pub fn histogram(bins: &Bins, now: (&ColumnProfile, &[f64]), then: Option<(&ColumnProfile, &[f64])>) -> String {
    let (column, shares) = now;
    let kind = column.column_type;
    let both = shares.iter().chain(then.iter().flat_map(|(_, shares)| shares.iter()));
    let peak = both.copied().fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let place = |index: usize| LEFT + (RIGHT - LEFT) * index as f64 / shares.len() as f64;
    let height = |share: f64| (BASE - TOP) * share / peak;
    let strips = 1 + usize::from(then.is_some());
    let foot = BASE + 6.0 + 14.0 * strips as f64;
    let mut svg = open(foot + 14.0, &histogram_name(bins, now, then.map(|(_, shares)| shares)));
    axis(&mut svg, peak);
    // Few single values stand apart, as they are no stretch of a scale.
    let slot = place(1) - place(0);
    let wide = if bins.single && slot > 24.0 { (slot * 0.8).min(44.0) } else { slot - 1.0 };
    let mut bars = String::new();
    for (index, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
        let (x, tall) = (place(index) + (slot - wide) / 2.0, height(*share).max(0.6));
        write!(bars, "M{x:.1} {BASE}v-{tall:.1}h{wide:.1}v{tall:.1}z").expect(INFALLIBLE);
    }
    write!(svg, "<path class=\"now\" d=\"{bars}\"/>").expect(INFALLIBLE);
    if let Some((_, shares)) = then {
        let heights: Vec<f64> = shares.iter().map(|share| height(*share)).collect();
        let apart = (wide < slot - 1.0).then_some(wide + 4.0);
        write!(svg, "<path class=\"then\" d=\"{}\"/>", outline(&heights, apart)).expect(INFALLIBLE);
    }
    svg.push_str("<g class=\"hover\">");
    for (index, share) in shares.iter().enumerate() {
        let before = then.map_or_else(String::new, |(_, shares)| format!(", before {}", percent(shares[index])));
        let (x, tall) = (place(index), BASE - TOP);
        let title = format!("{}: {}{before}", bin_label(bins, index, kind), percent(*share));
        write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{TOP}\" width=\"{slot:.1}\" height=\"{tall}\"><title>{title}</title></rect>"
        )
        .expect(INFALLIBLE);
    }
    svg.push_str("</g>");
    let ends = (bins.edges[0], bins.edges[shares.len()]);
    svg.push_str(&strip::strip(column, ends, BASE + 10.0, false));
    if let Some((old, _)) = then {
        svg.push_str(&strip::strip(old, ends, BASE + 24.0, true));
    }
    svg.push_str(&labels(bins, kind, foot + 10.0));
    svg.push_str("</svg>");
    svg
}

/// The outline of bars over the whole width: one line of steps, or one box a bar when they stand apart.
fn outline(heights: &[f64], width: Option<f64>) -> String {
    let slot = (RIGHT - LEFT) / heights.len() as f64;
    let mut line = if width.is_some() { String::new() } else { format!("M{LEFT} {BASE}") };
    for (index, tall) in heights.iter().enumerate() {
        let x = LEFT + slot * index as f64;
        match width {
            Some(width) => write!(line, "M{:.1} {BASE}v-{tall:.1}h{width:.1}v{tall:.1}", x + (slot - width) / 2.0),
            None => write!(line, "V{:.1}H{:.1}", BASE - tall, x + slot),
        }
        .expect(INFALLIBLE);
    }
    if width.is_none() { format!("{line}V{BASE}") } else { line }
}

/// What a histogram shows, in a sentence.
fn histogram_name(bins: &Bins, now: (&ColumnProfile, &[f64]), then: Option<&[f64]>) -> String {
    let (column, shares) = now;
    let count = shares.len();
    let (low, high) = (bins.edges[0], bins.edges[count]);
    let highest = (0..count).fold(0, |best, index| if shares[index] > shares[best] { index } else { best });
    let kind = column.column_type;
    let two = if then.is_some() { ", over that of the older version" } else { "" };
    format!(
        "Histogram of {}{two}: {count} bins from {} to {}, the highest at {} with {} of values",
        column.name,
        value(low, kind),
        value(high, kind),
        bin_label(bins, highest, kind),
        percent(shares[highest])
    )
}

fn bin_label(bins: &Bins, index: usize, kind: ColumnType) -> String {
    let (low, high) = (bins.edges[index], bins.edges[index + 1]);
    match (bins.single, kind) {
        (true, _) => number(low / 2.0 + high / 2.0),
        (_, ColumnType::Integer) if low.fract() != 0.0 => format!("{} – {}", number(low.ceil()), number(high.floor())),
        _ => format!("{} – {}", value(low, kind), value(high, kind)),
    }
}

/// Values under the axis: both ends and the middle; for single values those of the outer bins.
fn labels(bins: &Bins, kind: ColumnType, y: f64) -> String {
    let last = bins.edges.len() - 1;
    let middle = bins.edges[0] / 2.0 + bins.edges[last] / 2.0;
    let centre = (LEFT + RIGHT) / 2.0;
    let text = |class: &str, x: f64, value: f64| {
        format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\">{}</text>", brief_value(value, kind))
    };
    if bins.single && last == 1 {
        return text("mid", centre, middle);
    }
    let (inset, first, end) =
        if bins.single { ((RIGHT - LEFT) / last as f64 / 2.0, "mid", "mid") } else { (0.0, "", "end") };
    let mut all = text(first, LEFT + inset, bins.ends.0);
    if !bins.single || (last > 2 && last % 2 == 1) {
        all.push_str(&text("mid", centre, middle));
    }
    all.push_str(&text(end, RIGHT - inset, bins.ends.1));
    all
}

fn axis(svg: &mut String, peak: f64) {
    let (half, x) = ((TOP + BASE) / 2.0, LEFT - 5.0);
    write!(
        svg,
        "<path class=\"rule\" d=\"M{LEFT} {TOP}H{RIGHT}M{LEFT} {half}H{RIGHT}\"/>\
         <path class=\"axis\" d=\"M{LEFT} {BASE}H{RIGHT}\"/>\
         <text class=\"end\" x=\"{x}\" y=\"{}\">{}</text><text class=\"end\" x=\"{x}\" y=\"{BASE}\">0</text>",
        TOP + 6.0,
        axis_percent(peak)
    )
    .expect(INFALLIBLE);
}

/// Two digits at most: the axis is narrow.
fn axis_percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 10.0 { format!("{percent:.0}%") } else { format!("{}%", number((percent * 10.0).round() / 10.0)) }
}

fn open(height: f64, name: &str) -> String {
    let name = markup(name);
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{name}\">")
}

/// One bar of [`bars`].
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Its length; bars are drawn relative to the longest.
    pub now: f64,
    /// The older version's, if there are two.
    pub then: Option<f64>,
    /// What is written at its end.
    pub text: String,
    /// What is said under the pointer, after the label.
    pub title: String,
}

/// Horizontal bars, each with its label and number; `name` says what the plot shows.
pub fn bars(name: &str, bars: &[Bar]) -> String {
    const ROW: f64 = 19.0;
    const FROM: f64 = 124.0;
    const TO: f64 = 312.0;
    let lengths = bars.iter().flat_map(|bar| [Some(bar.now), bar.then]).flatten();
    let longest = lengths.fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut svg = open(ROW * bars.len() as f64 + 2.0, name);
    for (index, bar) in bars.iter().enumerate() {
        let y = ROW * index as f64 + 2.0;
        let long = |value: f64| (TO - FROM) * value / longest;
        let base = y + 11.0;
        write!(
            svg,
            "<g><title>{}: {}</title><text class=\"value end\" x=\"{}\" y=\"{base}\">{}</text>\
             <rect class=\"track\" x=\"{FROM}\" y=\"{y}\" width=\"{}\" height=\"14\" rx=\"2\"/>\
             <rect class=\"now\" x=\"{FROM}\" y=\"{y}\" width=\"{:.1}\" height=\"14\" rx=\"2\"/>",
            markup(&bar.label),
            markup(&bar.title),
            FROM - 7.0,
            markup(&shortened(&visible(&bar.label), 20)),
            TO - FROM,
            long(bar.now)
        )
        .expect(INFALLIBLE);
        if let Some(then) = bar.then {
            let width = long(then).max(0.5);
            write!(svg, "<rect class=\"then\" x=\"{FROM}\" y=\"{}\" width=\"{width:.1}\" height=\"12\"/>", y + 1.0)
                .expect(INFALLIBLE);
        }
        write!(svg, "<text x=\"{}\" y=\"{base}\">{}</text></g>", TO + 6.0, markup(&bar.text)).expect(INFALLIBLE);
    }
    svg.push_str("</svg>");
    svg
}

/// Text that would not be seen, made visible.
pub fn visible(text: &str) -> String {
    match text.trim() {
        "" if text.is_empty() => "(empty)".to_owned(),
        "" => format!("(spaces: {})", text.chars().count()),
        _ => text.replace(['\n', '\r', '\t'], "⏎"),
    }
}

/// Two distributions over the same named bins, as a finding holds them.
pub fn columns(name: &str, labels: &[String], now: &[f64], then: &[f64]) -> String {
    let count = labels.len().min(now.len()).min(then.len());
    if count == 0 {
        return String::new();
    }
    let finite = |share: &f64| if share.is_finite() { share.max(0.0) } else { 0.0 };
    let peak = now.iter().chain(then).map(finite).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let slot = (RIGHT - LEFT) / count as f64;
    let height = |share: &f64| (BASE - TOP) * finite(share) / peak;
    let mut svg = open(BASE + 18.0, name);
    axis(&mut svg, peak);
    let wide = (slot * 0.8).min(44.0);
    let mut bars = String::new();
    for (index, share) in now[..count].iter().enumerate() {
        let (x, tall) = (LEFT + slot * index as f64 + (slot - wide) / 2.0, height(share));
        write!(bars, "M{x:.1} {BASE}v-{tall:.1}h{wide:.1}v{tall:.1}z").expect(INFALLIBLE);
    }
    let line = outline(&then[..count].iter().map(height).collect::<Vec<_>>(), Some(wide + 4.0));
    write!(svg, "<path class=\"now\" d=\"{bars}\"/><path class=\"then\" d=\"{line}\"/>").expect(INFALLIBLE);
    svg.push_str("<g class=\"hover\">");
    for index in 0..count {
        let (x, tall) = (LEFT + slot * index as f64, BASE - TOP);
        let title = format!("{}: {}, before {}", visible(&labels[index]), percent(now[index]), percent(then[index]));
        write!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{TOP}\" width=\"{slot:.1}\" height=\"{tall}\"><title>{}</title></rect>",
            markup(&title)
        )
        .expect(INFALLIBLE);
    }
    svg.push_str("</g>");
    let letters = (slot / 5.6) as usize;
    let shown: Vec<usize> = if letters >= 5 || count == 1 { (0..count).collect() } else { vec![0, count - 1] };
    let most = if shown.len() == count { letters.max(5) } else { 26 };
    for &index in &shown {
        let (class, x) = match (shown.len() == count, index) {
            (true, _) => ("mid", LEFT + slot * (index as f64 + 0.5)),
            (false, 0) => ("", LEFT),
            _ => ("end", RIGHT),
        };
        let label = markup(&shortened(&visible(&labels[index]), most));
        write!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{}\">{label}</text>", BASE + 13.0).expect(INFALLIBLE);
    }
    svg.push_str("</svg>");
    svg
}
