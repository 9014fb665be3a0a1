//! One row: from what is expected, column by column, to its answer.

use std::fmt::Write;

use crate::record::explanation::RowExplanation;
use crate::render::escape::{markup, shortened};
use crate::render::explanation::scale::Scale;
use crate::render::explanation::{short, signed, value_words};
use crate::render::plot::visible;

/// Columns that have a step of their own; the others share one.
const STEPS: usize = 12;
const ROW: f64 = 24.0;
const WIDTH: f64 = 640.0;
const FROM: f64 = 220.0;
const TO: f64 = 570.0;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// One step: what it is, what it adds, its standard error.
struct Step {
    label: String,
    adds: f64,
    error: Option<f64>,
}

/// The steps of one output, the largest first; `sum` says what they sum to.
pub fn waterfall(row: &RowExplanation, sum: &str) -> String {
    let output = row.output;
    let steps = steps(row);
    let (base, end) = (row.base.get(output).copied().unwrap_or(0.0), row.margin.get(output).copied().unwrap_or(0.0));
    let mut sums = vec![base];
    for step in &steps {
        sums.push(sums[sums.len() - 1] + step.adds);
    }
    let scale = Scale::new(sums.iter().copied(), FROM, TO).padded(0.03);
    let tall = ROW * (steps.len() + 2) as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">",
        tall + 2.0,
        markup(&format!("Contributions of columns to row {}, from {} to {}", row.row, short(base), short(end)))
    );
    let line = |svg: &mut String, index: usize, words: &str, value: f64| {
        let (x, y) = (scale.at(value), ROW * index as f64);
        write!(
            svg,
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{words}</text><path class=\"whisker\" d=\"M{x:.1} \
             {:.1}V{:.1}\"/>\
             <text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            FROM - 8.0,
            y + 15.5,
            y + 3.0,
            y + ROW - 1.0,
            x + 6.0,
            y + 15.5,
            short(value)
        )
        .expect(INFALLIBLE);
    };
    line(&mut svg, 0, "expected", base);
    for (index, step) in steps.iter().enumerate() {
        draw(&mut svg, step, (sums[index], sums[index + 1]), &scale, ROW * (index + 1) as f64);
    }
    line(&mut svg, steps.len() + 1, &markup(sum), end);
    svg.push_str("</svg>");
    svg
}

fn draw(svg: &mut String, step: &Step, (before, after): (f64, f64), scale: &Scale, y: f64) {
    let (a, b) = (scale.at(before), scale.at(after));
    let (left, wide) = (a.min(b), (a - b).abs().max(0.8));
    let class = if step.adds < 0.0 { "down" } else { "up" };
    let error = step.error.map_or_else(String::new, |error| format!(" ± {}", short(error)));
    // The number stands where there is room: right of a step that goes up, and of one that goes down.
    write!(
        svg,
        "<g><title>{}: {}{error}</title><text class=\"value end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\
         <rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"16\" rx=\"2\"/>\
         <path class=\"rule\" d=\"M{b:.1} {:.1}v8\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        markup(&step.label),
        signed(step.adds),
        FROM - 8.0,
        y + 15.5,
        markup(&shortened(&step.label, 38)),
        y + 4.0,
        y + 20.0,
        left + wide + 6.0,
        y + 15.5,
        signed(step.adds)
    )
    .expect(INFALLIBLE);
}

fn steps(row: &RowExplanation) -> Vec<Step> {
    let of = |values: &[f64]| values.get(row.output).copied().unwrap_or(0.0);
    let shown = if row.contributions.len() > STEPS { STEPS - 1 } else { row.contributions.len() };
    let (own, rest) = row.contributions.split_at(shown);
    let mut steps: Vec<Step> = own
        .iter()
        .map(|part| {
            let value = part.value.as_deref().map(value_words);
            let label = match value {
                Some(value) => format!("{} = {}", visible(&part.column), shortened(&visible(&value), 20)),
                None if part.column.ends_with(" other columns") => part.column.clone(),
                None => format!("{} is missing", visible(&part.column)),
            };
            Step { label, adds: of(&part.contributions), error: part.errors.as_deref().map(of) }
        })
        .collect();
    if !rest.is_empty() {
        let adds = rest.iter().map(|part| of(&part.contributions)).sum();
        steps.push(Step { label: format!("{} other columns", rest.len()), adds, error: None });
    }
    steps
}
