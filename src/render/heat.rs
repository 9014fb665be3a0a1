//! A map of correlations: strength as depth of colour, direction as one of two colours that everybody can tell apart.

use std::fmt::Write;

use crate::render::escape::{markup, shortened};
use crate::render::number::number;

/// Columns up to which each field has its number written in it.
const NUMBERS_MAX: usize = 12;

/// Characters of a name beside the map, and how wide one is.
const LABEL_CHARACTERS: usize = 18;
const LETTER: f64 = 5.6;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// Draws `values[row][column]` in `[-1, 1]`; `None` where there is none. `name` says what is measured.
pub fn heat_map(name: &str, columns: &[String], values: &[Vec<Option<f64>>]) -> String {
    let count = columns.len();
    let labels: Vec<String> = columns.iter().map(|column| shortened(column, LABEL_CHARACTERS)).collect();
    let longest = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0) as f64 * LETTER;
    let (left, top) = (longest + 8.0, longest * 0.75 + 12.0);
    let side = if count <= NUMBERS_MAX { 34.0 } else { 18.0 };
    // The last slanted name reaches beyond the last column.
    let (width, height) = (left + side * count as f64 + longest * 0.6, top + side * count as f64 + 2.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\" style=\"max-width:{:.0}px\">",
        markup(&format!("{name} of {count} columns")),
        width * 1.15
    );
    for (index, label) in labels.iter().enumerate() {
        let at = side * (index as f64 + 0.5);
        let label = markup(label);
        write!(
            svg,
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{label}</text>\
             <text transform=\"translate({:.1} {:.1}) rotate(-45)\">{label}</text>",
            left - 6.0,
            top + at + 3.5,
            left + at,
            top - 6.0
        )
        .expect(INFALLIBLE);
    }
    for (row, line) in values.iter().enumerate().take(count) {
        for (column, value) in line.iter().enumerate().take(count) {
            let (x, y) = (left + side * column as f64, top + side * row as f64);
            field(&mut svg, (x, y, side), *value, &columns[row], &columns[column]);
            if let (Some(value), true) = (value, count <= NUMBERS_MAX) {
                let strong = if value.abs() > 0.55 { " style=\"fill:var(--sheet)\"" } else { "" };
                let text = format!("{value:.2}").replace('-', "−");
                let (x, y) = (x + side / 2.0, y + side / 2.0 + 3.5);
                write!(
                    svg,
                    "<text class=\"mid value\" pointer-events=\"none\" x=\"{x:.1}\" y=\"{y:.1}\"{strong}>{text}</text>"
                )
                .expect(INFALLIBLE);
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

fn field(svg: &mut String, (x, y, side): (f64, f64, f64), value: Option<f64>, row: &str, column: &str) {
    let (fill, depth, text) = match value.filter(|value| value.is_finite()) {
        Some(value) => {
            let fill = if value < 0.0 { "--low" } else { "--high" };
            (fill, (value.abs().min(1.0) * 0.9 + 0.04), number((value * 1e4).round() / 1e4))
        }
        None => ("--wash", 1.0, "not known".to_owned()),
    };
    let size = side - 1.0;
    write!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{size}\" height=\"{size}\" rx=\"2\" fill=\"var({fill})\" \
         fill-opacity=\"{depth:.2}\"><title>{} and {}: {text}</title></rect>",
        markup(row),
        markup(column)
    )
    .expect(INFALLIBLE);
}
