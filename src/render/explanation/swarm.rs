//! Contributions row by row: a strip of dots for each column, coloured by the column's value.

use std::fmt::Write;

use crate::record::explanation::{ColumnExplanation, SwarmPoint};
use crate::render::escape::{markup, shortened};
use crate::render::explanation::scale::Scale;
use crate::render::explanation::short;
use crate::render::plot::visible;

const ROW: f64 = 34.0;
const WIDTH: f64 = 760.0;
const FROM: f64 = 158.0;
const TO: f64 = 748.0;
/// Dots are set apart that would be nearer than this.
const DOT: f64 = 4.2;
/// How far dots go from the middle of their strip.
const REACH: f64 = 13.5;
/// Colours from low to high.
const COLOURS: usize = 5;

const INFALLIBLE: &str = "writing to a String cannot fail";

/// The strips of the columns that have points, for one output; `name` says what is summed. Nothing without points.
pub fn swarm(name: &str, columns: &[&ColumnExplanation], output: usize) -> String {
    let drawn: Vec<&&ColumnExplanation> = columns.iter().filter(|column| !column.swarm.is_empty()).collect();
    if drawn.is_empty() {
        return String::new();
    }
    let value = |point: &SwarmPoint| point.contributions.get(output).copied().unwrap_or(0.0);
    let all = drawn.iter().flat_map(|column| column.swarm.iter().map(value)).chain([0.0]);
    let scale = Scale::new(all, FROM, TO).padded(0.02);
    let tall = ROW * drawn.len() as f64;
    let mut svg = format!(
        "<svg class=\"swarm\" viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">",
        tall + 18.0,
        markup(name)
    );
    for (tick, text) in scale.ticks(7) {
        let x = scale.at(tick);
        let class = if tick == 0.0 { "axis" } else { "rule" };
        write!(
            svg,
            "<path class=\"{class}\" d=\"M{x:.1} 0V{tall}\"/><text class=\"mid\" x=\"{x:.1}\" y=\"{:.1}\">{text}</text>",
            tall + 13.0
        )
        .expect(INFALLIBLE);
    }
    for (index, column) in drawn.iter().enumerate() {
        let middle = ROW * (index as f64 + 0.5);
        let values: Vec<f64> = column.swarm.iter().map(value).collect();
        let (low, high) = ends(&values);
        write!(
            svg,
            "<g><title>{}: from {} to {}</title><text class=\"value end\" x=\"{}\" y=\"{:.1}\">{}</text>\
             <rect class=\"strip\" x=\"{FROM}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{}\"/>",
            markup(&visible(&column.name)),
            short(low),
            short(high),
            FROM - 10.0,
            middle + 3.5,
            markup(&shortened(&visible(&column.name), 26)),
            middle - ROW / 2.0 + 1.0,
            TO - FROM,
            ROW - 2.0,
        )
        .expect(INFALLIBLE);
        dots(&mut svg, column, &values, &scale, middle);
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

fn ends(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// The dots of one strip, one path a colour: lines of no length with round ends.
fn dots(svg: &mut String, column: &ColumnExplanation, values: &[f64], scale: &Scale, middle: f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut paths: Vec<String> = vec![String::new(); COLOURS + 1];
    let mut slots: Vec<(i64, u32)> = Vec::new();
    for place in order {
        let x = scale.at(values[place]);
        let slot = (x / DOT).floor() as i64;
        let height = match slots.last_mut() {
            Some((last, count)) if *last == slot => {
                *count += 1;
                *count
            }
            _ => {
                slots.push((slot, 0));
                0
            }
        };
        // 0, 1 above, 1 below, 2 above, …; beyond the strip they lie over each other.
        let side = if height % 2 == 1 { -1.0 } else { 1.0 };
        let away = (f64::from(height.div_ceil(2)) * DOT * 0.8).min(REACH);
        let colour =
            column.swarm[place].rank.map_or(COLOURS, |rank| ((rank * COLOURS as f64) as usize).min(COLOURS - 1));
        write!(paths[colour], "M{x:.1} {:.1}h0", middle + side * away).expect(INFALLIBLE);
    }
    for (colour, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
        let class = if colour == COLOURS { "rn".to_owned() } else { format!("r{colour}") };
        write!(svg, "<path class=\"{class}\" d=\"{path}\"/>").expect(INFALLIBLE);
    }
}
