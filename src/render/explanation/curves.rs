//! How answers follow one column: partial dependence, curves of single rows, accumulated local effects.

use std::fmt::Write;

use crate::record::explanation::{ColumnExplanation, Dependence, LocalEffects};
use crate::render::escape::{markup, shortened};
use crate::render::explanation::scale::Scale;
use crate::render::explanation::short;
use crate::render::number::brief_value;
use crate::render::plot::{LEFT, RIGHT, WIDTH, visible};
use crate::spec::schema::ColumnType;

const TOP: f64 = 8.0;
const BASE: f64 = 132.0;
/// Outputs that are drawn, each with a colour and dashes of its own.
const OUTPUTS: usize = 6;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// A line or a plot of dots, whichever the column asks for; nothing without points.
pub fn plot(column: &ColumnExplanation, outputs: &[String], centre: &[f64]) -> String {
    match &column.dependence {
        None => String::new(),
        Some(found) if found.labels.is_empty() => "<p class=\"lead\">No row has a value.</p>".to_owned(),
        Some(found) if found.values.len() < 2 || column.column_type == ColumnType::Boolean => {
            dots(column, found, outputs)
        }
        Some(found) => lines(column, found, outputs, centre),
    }
}

/// Times of day are seconds since midnight; documents write them from microseconds.
fn value_words(value: f64, column_type: ColumnType) -> String {
    let scaled = if column_type == ColumnType::Time { value * 1e6 } else { value };
    brief_value(scaled, column_type)
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        let letter = if path.is_empty() { 'M' } else { 'L' };
        write!(path, "{letter}{x:.1} {y:.1}").expect(INFALLIBLE);
    }
    path
}

fn lines(column: &ColumnExplanation, found: &Dependence, outputs: &[String], centre: &[f64]) -> String {
    let effects = column.effects.as_ref();
    let drawn = outputs.len().min(OUTPUTS).min(found.average.len());
    let edges = effects.map(|effects| effects.edges.as_slice()).unwrap_or_default();
    // Local effects reach to the outermost rows; the plot shows the stretch that dependence is measured on.
    let x = Scale::new(found.values.iter().copied(), LEFT + 4.0, RIGHT);
    let ends = (found.values[0], found.values[found.values.len() - 1]);
    let inside = |value: f64| value >= ends.0 && value <= ends.1;
    let lifted = |effects: &LocalEffects, output: usize| -> Vec<(f64, f64)> {
        let lift = centre.get(output).copied().unwrap_or(0.0);
        let line = effects.edges.iter().zip(&effects.values[output]);
        line.filter(|(edge, _)| inside(**edge)).map(|(edge, value)| (*edge, value + lift)).collect()
    };
    let effect_lines: Vec<Vec<(f64, f64)>> = match effects.filter(|_| drawn == 1) {
        Some(effects) => (0..drawn).map(|output| lifted(effects, output)).collect(),
        None => Vec::new(),
    };
    let heights = found.average[..drawn].iter().flatten().copied();
    let of_curves = found.curves.iter().flatten().copied();
    let of_effects = effect_lines.iter().flatten().map(|point| point.1);
    let y = Scale::new(heights.chain(of_curves).chain(of_effects), BASE, TOP).padded(0.03);
    let mut svg = open(column, BASE + 20.0);
    grid(&mut svg, &y, (LEFT, RIGHT));
    for curve in &found.curves {
        let line = path(found.values.iter().zip(curve).map(|(value, answer)| (x.at(*value), y.at(*answer))));
        write!(svg, "<path class=\"ice\" d=\"{line}\"/>").expect(INFALLIBLE);
    }
    for edge in edges.iter().filter(|edge| inside(**edge)) {
        write!(svg, "<path class=\"rug\" d=\"M{:.1} {BASE}v4\"/>", x.at(*edge)).expect(INFALLIBLE);
    }
    for line in effect_lines.iter().filter(|line| line.len() > 1) {
        let line = path(line.iter().map(|(edge, value)| (x.at(*edge), y.at(*value))));
        write!(svg, "<path class=\"line effects\" d=\"{line}\"/>").expect(INFALLIBLE);
    }
    for (output, answers) in found.average[..drawn].iter().enumerate() {
        let line = path(found.values.iter().zip(answers).map(|(value, answer)| (x.at(*value), y.at(*answer))));
        write!(svg, "<path class=\"line o{output}\" d=\"{line}\"/>").expect(INFALLIBLE);
    }
    hover(&mut svg, column, found, outputs, &x);
    let middle = found.values[found.values.len() / 2];
    for (class, value) in [("", ends.0), ("mid", middle), ("end", ends.1)] {
        let at = if class.is_empty() { LEFT + 4.0 } else { x.at(value) };
        let words = value_words(value, column.column_type);
        write!(svg, "<text class=\"{class}\" x=\"{at:.1}\" y=\"{}\">{words}</text>", BASE + 15.0).expect(INFALLIBLE);
        if found.values.len() < 3 && class.is_empty() {
            let words = value_words(ends.1, column.column_type);
            write!(svg, "<text class=\"end\" x=\"{RIGHT}\" y=\"{}\">{words}</text>", BASE + 15.0).expect(INFALLIBLE);
            break;
        }
    }
    svg.push_str("</svg>");
    svg
}

fn open(column: &ColumnExplanation, height: f64) -> String {
    let name = markup(&format!("Mean answer by {}", visible(&column.name)));
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{name}\">")
}

fn grid(svg: &mut String, y: &Scale, (left, right): (f64, f64)) {
    for (tick, text) in y.ticks(5) {
        let at = y.at(tick);
        write!(
            svg,
            "<path class=\"rule\" d=\"M{left} {at:.1}H{right}\"/><text class=\"end\" x=\"{}\" y=\"{:.1}\">{text}</text>",
            left - 5.0,
            at + 3.5
        )
        .expect(INFALLIBLE);
    }
    write!(svg, "<path class=\"axis\" d=\"M{left} {BASE}H{right}\"/>").expect(INFALLIBLE);
}

/// Fields that say their numbers under the pointer, each from halfway to the point before to halfway to the next.
fn hover(svg: &mut String, column: &ColumnExplanation, found: &Dependence, outputs: &[String], x: &Scale) {
    svg.push_str("<g class=\"hover\">");
    let places: Vec<f64> = found.values.iter().map(|value| x.at(*value)).collect();
    for (point, place) in places.iter().enumerate() {
        let from = if point == 0 { *place } else { (places[point - 1] + place) / 2.0 };
        let to = places.get(point + 1).map_or(*place, |next| (place + next) / 2.0);
        write!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"><title>{}: {}</title></rect>",
            (to - from).max(0.5),
            BASE - TOP,
            value_words(found.values[point], column.column_type),
            markup(&point_words(found, outputs, point))
        )
        .expect(INFALLIBLE);
    }
    svg.push_str("</g>");
}

fn point_words(found: &Dependence, outputs: &[String], point: usize) -> String {
    let of = |output: usize| short(found.average[output][point]);
    match outputs {
        [_] => of(0),
        _ => {
            let words = outputs.iter().take(OUTPUTS).enumerate();
            words.map(|(output, name)| format!("{name} {}", of(output))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// A line of dots for each value: text and columns of one value or two.
fn dots(column: &ColumnExplanation, found: &Dependence, outputs: &[String]) -> String {
    const LINE: f64 = 19.0;
    const FROM: f64 = 124.0;
    const TO: f64 = 312.0;
    let drawn = outputs.len().min(OUTPUTS).min(found.average.len());
    let scale = Scale::new(found.average[..drawn].iter().flatten().copied(), FROM, TO).padded(0.06);
    let tall = LINE * found.labels.len() as f64;
    let mut svg = open(column, tall + 16.0);
    for (tick, text) in scale.ticks(5) {
        let at = scale.at(tick);
        write!(
            svg,
            "<path class=\"rule\" d=\"M{at:.1} 0V{tall}\"/><text class=\"mid\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>",
            tall + 12.0
        )
        .expect(INFALLIBLE);
    }
    for (point, label) in found.labels.iter().enumerate() {
        let middle = LINE * (point as f64 + 0.5);
        let rows = found.rows.get(point).map_or_else(String::new, |rows| format!(" ({rows} rows)"));
        write!(
            svg,
            "<g><title>{}{rows}: {}</title><text class=\"value end\" x=\"{}\" y=\"{:.1}\">{}</text>\
             <path class=\"axis\" d=\"M{FROM} {middle:.1}H{TO}\"/>",
            markup(&visible(label)),
            markup(&point_words(found, outputs, point)),
            FROM - 7.0,
            middle + 3.5,
            markup(&shortened(&visible(label), 20))
        )
        .expect(INFALLIBLE);
        for (output, answers) in found.average[..drawn].iter().enumerate() {
            write!(
                svg,
                "<circle class=\"dot o{output}\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4.5\"/>",
                scale.at(answers[point])
            )
            .expect(INFALLIBLE);
        }
        if drawn == 1 {
            let text = short(found.average[0][point]);
            write!(svg, "<text x=\"{}\" y=\"{:.1}\">{text}</text>", TO + 8.0, middle + 3.5).expect(INFALLIBLE);
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

/// Names of the outputs with their colours, for more than one.
pub fn legend(outputs: &[String]) -> String {
    if outputs.len() < 2 {
        return "<p><span class=\"key\"><i class=\"bar o0\"></i>mean answer (partial dependence)</span><span \
        class=\"key\">\
                <i class=\"bar effects\"></i>accumulated local effects, from the mean answer</span><span class=\"key\">\
                <i class=\"bar ice\"></i>single rows</span></p>\n"
            .to_owned();
    }
    let key = |(output, name): (usize, &String)| {
        format!("<span class=\"key\"><i class=\"bar o{output}\"></i>{}</span>", markup(&visible(name)))
    };
    let more = match outputs.len().saturating_sub(OUTPUTS) {
        0 => String::new(),
        more => format!("<span class=\"key\">and {more} more classes, not drawn</span>"),
    };
    format!("<p>{}{more}</p>\n", outputs.iter().take(OUTPUTS).enumerate().map(key).collect::<String>())
}
