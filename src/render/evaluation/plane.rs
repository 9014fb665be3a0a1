//! A plot with two axes: what every curve, histogram and cloud of an evaluation is drawn on.

use std::fmt::Write;

use crate::render::escape::markup;
use crate::render::explanation::scale::Scale;
use crate::render::number::brief;

/// Width of a plot in its own units.
pub const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 268.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 350.0;
const TOP: f64 = 8.0;
const BASE: f64 = 228.0;
/// Fields that say their numbers under the pointer; more are not hit.
const FIELDS: usize = 40;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// A plot under way.
pub struct Plane {
    svg: String,
    x: Scale,
    y: Scale,
    foot: f64,
}

impl Plane {
    /// Axes from the smallest to the largest of `x` and `y`; `name` says what the plot shows.
    pub fn new(name: &str, x: (&str, &[f64]), y: (&str, &[f64])) -> Plane {
        Plane::with_foot(name, x, y, 0.0)
    }

    /// The same with room for `foot` units below the axis.
    pub fn with_foot(name: &str, x: (&str, &[f64]), y: (&str, &[f64]), foot: f64) -> Plane {
        let name = markup(name);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{name}\"><title>{name}</title>",
            HEIGHT + foot
        );
        let scales = (Scale::new(x.1.iter().copied(), LEFT, RIGHT), Scale::new(y.1.iter().copied(), BASE, TOP));
        for (tick, _) in scales.1.ticks(5) {
            let text = brief(tick);
            let at = scales.1.at(tick);
            write!(
                svg,
                "<path class=\"rule\" d=\"M{LEFT} {at:.1}H{RIGHT}\"/><text class=\"end\" x=\"{}\" \
                y=\"{:.1}\">{text}</text>",
                LEFT - 5.0,
                at + 3.5
            )
            .expect(INFALLIBLE);
        }
        for (tick, _) in scales.0.ticks(5) {
            let text = brief(tick);
            let at = scales.0.at(tick);
            write!(svg, "<text class=\"mid\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>", BASE + foot + 14.0)
                .expect(INFALLIBLE);
        }
        write!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{BASE}H{RIGHT}\"/><text class=\"mid value\" x=\"{:.1}\" \
            y=\"{:.1}\">{}</text>\
             <text class=\"mid value\" transform=\"translate(9 {:.1}) rotate(-90)\">{}</text>",
            (LEFT + RIGHT) / 2.0,
            BASE + foot + 31.0,
            markup(x.0),
            (TOP + BASE) / 2.0,
            markup(y.0)
        )
        .expect(INFALLIBLE);
        Plane { svg, x: scales.0, y: scales.1, foot }
    }

    /// A line through points.
    pub fn line(&mut self, class: &str, points: &[[f64; 2]]) {
        let mut path = String::new();
        for [x, y] in points.iter().filter(|point| point.iter().all(|part| part.is_finite())) {
            let letter = if path.is_empty() { 'M' } else { 'L' };
            write!(path, "{letter}{:.1} {:.1}", self.x.at(*x), self.y.at(*y)).expect(INFALLIBLE);
        }
        if !path.is_empty() {
            write!(self.svg, "<path class=\"{class}\" d=\"{path}\"/>").expect(INFALLIBLE);
        }
    }

    /// A dot that says `title` under the pointer.
    pub fn dot(&mut self, class: &str, [x, y]: [f64; 2], radius: f64, title: &str) {
        if x.is_finite() && y.is_finite() {
            let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", markup(title)) };
            let (x, y) = (self.x.at(x), self.y.at(y));
            write!(self.svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\">{title}</circle>")
                .expect(INFALLIBLE);
        }
    }

    /// Many small dots as one path.
    pub fn cloud(&mut self, class: &str, points: &[[f64; 2]]) {
        let mut path = String::new();
        for [x, y] in points.iter().filter(|point| point.iter().all(|part| part.is_finite())) {
            write!(path, "M{:.1} {:.1}h0", self.x.at(*x), self.y.at(*y)).expect(INFALLIBLE);
        }
        write!(self.svg, "<path class=\"{class}\" d=\"{path}\"/>").expect(INFALLIBLE);
    }

    /// A bar from the axis up to `y`.
    pub fn bar(&mut self, class: &str, (low, high): (f64, f64), y: f64) {
        if low.is_finite() && high.is_finite() && y.is_finite() && y > 0.0 {
            let (from, to, top) = (self.x.at(low), self.x.at(high), self.y.at(y).min(BASE - 0.6));
            let wide = (to - from - 1.0).max(0.5);
            write!(
                self.svg,
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\"/>",
                BASE - top
            )
            .expect(INFALLIBLE);
        }
    }

    /// The outline of neighbouring bars `(low, high, y)`.
    pub fn steps(&mut self, class: &str, bars: &[(f64, f64, f64)]) {
        let mut path = String::new();
        for (low, high, y) in bars.iter().filter(|bar| bar.0.is_finite() && bar.1.is_finite() && bar.2.is_finite()) {
            let letter = if path.is_empty() { format!("M{:.1} {BASE}", self.x.at(*low)) } else { String::new() };
            write!(path, "{letter}V{:.1}H{:.1}", self.y.at(*y), self.x.at(*high)).expect(INFALLIBLE);
        }
        if !path.is_empty() {
            write!(self.svg, "<path class=\"{class}\" d=\"{path}V{BASE}\"/>").expect(INFALLIBLE);
        }
    }

    /// A bar in the room below the axis, hanging down by a share of it.
    pub fn hanging(&mut self, (low, high): (f64, f64), share: f64) {
        let (from, to) = (self.x.at(low), self.x.at(high));
        let tall = (self.foot - 4.0) * share.clamp(0.0, 1.0);
        if tall > 0.0 {
            write!(
                self.svg,
                "<rect class=\"count\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
                BASE + 3.0,
                (to - from - 1.0).max(0.5)
            )
            .expect(INFALLIBLE);
        }
    }

    /// An upright line at `x`.
    pub fn upright(&mut self, class: &str, x: f64) {
        write!(self.svg, "<path class=\"{class}\" d=\"M{:.1} {TOP}V{BASE}\"/>", self.x.at(x)).expect(INFALLIBLE);
    }

    /// Fields over the whole height that say `(low, high, title)` under the pointer; thinned where there are many.
    pub fn fields(&mut self, fields: &[(f64, f64, String)]) {
        let every = fields.len().div_ceil(FIELDS).max(1);
        self.svg.push_str("<g class=\"hover\">");
        for chunk in fields.chunks(every) {
            let (first, last) = (&chunk[0], &chunk[chunk.len() - 1]);
            let (from, to) = (self.x.at(first.0), self.x.at(last.1));
            write!(
                self.svg,
                "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{}</title></rect>",
                (to - from).max(0.5),
                BASE - TOP + self.foot,
                markup(&chunk[chunk.len() / 2].2)
            )
            .expect(INFALLIBLE);
        }
        self.svg.push_str("</g>");
    }

    /// The plot.
    pub fn done(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}
