//! Which classes are taken for which: a map with counts and shares, or the commonest mistakes of many classes.

use std::fmt::Write;

use crate::base::units;
use crate::record::evaluation::ConfusionMatrix;
use crate::render::escape::markup;
use crate::render::evaluation::{name, short_label};
use crate::render::number::{brief, percent, share};

/// Classes up to which all are drawn.
const DRAWN: usize = 20;
/// Classes up to which the count and the share stand in the fields.
const NUMBERS: usize = 8;
/// Mistakes listed of more classes.
const MISTAKES: usize = 20;
/// Characters of a class beside the map, and how wide one is.
const LABEL: usize = 14;
const LETTER: f64 = 5.8;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// One mistake: `(truth, prediction, rows, share of the rows of the truth)`.
pub type Mistake<'a> = (&'a str, &'a str, u64, f64);

/// The commonest mistakes, the commonest first.
pub fn mistakes(of: &ConfusionMatrix, most: usize) -> Vec<Mistake<'_>> {
    let mut all: Vec<Mistake<'_>> = Vec::new();
    for (truth, counts) in of.classes.iter().zip(&of.counts) {
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        for (prediction, count) in of.classes.iter().zip(counts) {
            if truth != prediction && *count > 0 {
                all.push((truth.as_str(), prediction.as_str(), *count, share(*count, sum)));
            }
        }
    }
    all.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (a.0, a.1).cmp(&(b.0, b.1))));
    all.truncate(most);
    all
}

/// The map and its table; of many classes the commonest mistakes.
pub fn panel(of: &ConfusionMatrix) -> String {
    let count = of.classes.len();
    let head = "<div class=\"panel\"><h3>Confusion</h3>";
    if count <= DRAWN {
        return format!(
            "{head}<p>Rows by true class (down) and predicted class (across). The deeper, the larger the share of \
            the true \
             class; blue is right, brown is wrong.</p><figure>{}</figure>{}</div>",
            map(of),
            table(of)
        );
    }
    let rows: String = mistakes(of, MISTAKES)
        .into_iter()
        .map(|(truth, prediction, rows, part)| {
            format!(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                name(truth),
                name(prediction),
                units::count(rows),
                percent(part)
            )
        })
        .collect();
    format!(
        "{head}<p>The commonest mistakes of {count} classes, at most {MISTAKES}.</p><table><thead><tr><th>true</th>\
         <th>predicted</th><th class=\"n\">rows</th><th class=\"n\">of the class</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>"
    )
}

fn map(of: &ConfusionMatrix) -> String {
    let count = of.classes.len();
    let labels: Vec<String> = of.classes.iter().map(|class| short_label(class, LABEL)).collect();
    let longest =
        of.classes.iter().map(|class| class.chars().count().clamp(3, LABEL)).max().unwrap_or(3) as f64 * LETTER;
    let side = if count <= NUMBERS { 58.0 } else { 24.0 };
    let slant = count > 3;
    let (left, top) = (longest + 24.0, if slant { longest * 0.75 + 28.0 } else { 34.0 });
    let reach = if slant { longest * 0.6 } else { 0.0 };
    let (width, height) = (left + side * count as f64 + reach, top + side * count as f64 + 2.0);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"Confusion of {count} classes\" \
         style=\"max-width:{:.0}px\"><title>Confusion of {count} classes</title>\
         <text class=\"mid\" x=\"{:.1}\" y=\"10\">predicted</text>\
         <text class=\"mid\" transform=\"translate(10 {:.1}) rotate(-90)\">true</text>",
        width * 1.25,
        left + side * count as f64 / 2.0,
        top + side * count as f64 / 2.0
    );
    for (index, label) in labels.iter().enumerate() {
        let at = side * (index as f64 + 0.5);
        let across = match slant {
            true => format!("transform=\"translate({:.1} {:.1}) rotate(-45)\"", left + at, top - 6.0),
            false => format!("class=\"mid\" x=\"{:.1}\" y=\"{:.1}\"", left + at, top - 8.0),
        };
        write!(
            svg,
            "<text class=\"end value\" x=\"{:.1}\" y=\"{:.1}\">{label}</text><text {across}>{label}</text>",
            left - 6.0,
            top + at + 3.5
        )
        .expect(INFALLIBLE);
    }
    for (row, counts) in of.counts.iter().enumerate().take(count) {
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        for (column, rows) in counts.iter().enumerate().take(count) {
            let (x, y) = (left + side * column as f64, top + side * row as f64);
            field(&mut svg, (x, y, side), (*rows, share(*rows, sum)), (&of.classes, row, column));
        }
    }
    svg.push_str("</svg>");
    svg
}

fn field(
    svg: &mut String,
    (x, y, side): (f64, f64, f64),
    (rows, part): (u64, f64),
    (classes, row, column): (&[String], usize, usize),
) {
    let fill = match (rows, row == column) {
        (0, _) => "--wash",
        (_, true) => "--high",
        (_, false) => "--low",
    };
    let depth = if rows == 0 { 1.0 } else { part.clamp(0.0, 1.0) * 0.86 + 0.1 };
    let title = format!(
        "truly {}, predicted {}: {} ({} of the class)",
        short_label(&classes[row], 40),
        short_label(&classes[column], 40),
        units::plural(rows, "row"),
        percent(part)
    );
    write!(
        svg,
        "<g><title>{title}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{0}\" height=\"{0}\" rx=\"3\" \
        fill=\"var({fill})\" \
         fill-opacity=\"{depth:.2}\"/>",
        side - 2.0
    )
    .expect(INFALLIBLE);
    if side > 40.0 {
        let style = if rows > 0 && depth > 0.55 { " style=\"fill:var(--sheet)\"" } else { "" };
        let middle = x + side / 2.0 - 1.0;
        write!(
            svg,
            "<text class=\"mid value count-of\" x=\"{middle:.1}\" y=\"{:.1}\"{style}>{}</text>\
             <text class=\"mid\" x=\"{middle:.1}\" y=\"{:.1}\"{style}>{}</text>",
            y + side / 2.0 - 1.0,
            brief(rows as f64),
            y + side / 2.0 + 13.0,
            markup(&percent((part * 1e3).round() / 1e3))
        )
        .expect(INFALLIBLE);
    }
    svg.push_str("</g>");
}

fn table(of: &ConfusionMatrix) -> String {
    let heads: String = of.classes.iter().map(|class| format!("<th class=\"n\">{}</th>", name(class))).collect();
    let mut rows = String::new();
    for (class, counts) in of.classes.iter().zip(&of.counts) {
        let cells: String =
            counts.iter().map(|count| format!("<td class=\"n\">{}</td>", units::count(*count))).collect();
        rows.push_str(&format!("<tr><th>{}</th>{cells}</tr>", name(class)));
    }
    format!(
        "<details><summary>as a table</summary><div \
        class=\"scroll\"><table><thead><tr><th>true \\ predicted</th>{heads}</tr></thead>\
         <tbody>{rows}</tbody></table></div></details>"
    )
}
