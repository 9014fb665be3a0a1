//! How columns go together: the map of correlations, and what each tells of the target.

use crate::base::limits::HEAT_MAP_COLUMNS_MAX;
use crate::render::escape::markup;
use crate::render::heat::heat_map;
use crate::render::number::number;
use crate::render::plot::{Bar, bars};
use crate::render::profile::{CorrelationMatrix, ProfileDocument, TargetInformation};

/// Columns whose information about the target is drawn.
const INFORMATION_COLUMNS: usize = 20;

/// The section; nothing when the document holds no associations.
pub fn section(document: &ProfileDocument<'_>) -> String {
    let mut panels: Vec<String> = document.correlations.iter().filter_map(correlation_panel).collect();
    panels.extend(document.information.as_ref().and_then(information_panel));
    if panels.is_empty() {
        return String::new();
    }
    format!("<h2 id=\"associations\">Associations</h2>\n<div class=\"pair\">{}</div>\n", panels.join("\n"))
}

fn correlation_panel(matrix: &CorrelationMatrix) -> Option<String> {
    if matrix.columns.len() < 2 || matrix.values.len() < matrix.columns.len() {
        return None;
    }
    let kept = strongest(matrix);
    let columns: Vec<String> = kept.iter().map(|&index| matrix.columns[index].clone()).collect();
    let value = |row: usize, column: usize| matrix.values[row].get(column).copied().flatten();
    let values: Vec<Vec<Option<f64>>> =
        kept.iter().map(|&row| kept.iter().map(|&column| value(row, column)).collect()).collect();
    let note = match kept.len() < matrix.columns.len() {
        true => format!("The {} columns with the strongest of {}. ", kept.len(), matrix.columns.len()),
        false => String::new(),
    };
    let name = format!("{} correlation", matrix.method);
    Some(format!(
        "<div class=\"panel\"><h3>{}</h3><p>{note}Blue goes together, orange against each other; the deeper, the \
         stronger.</p>\
         <div class=\"scroll\">{}</div></div>",
        markup(&name),
        heat_map(&name, &columns, &values)
    ))
}

/// Columns that fit the map, those with the strongest correlation to another one; in the order of the table.
fn strongest(matrix: &CorrelationMatrix) -> Vec<usize> {
    let strength = |index: usize| {
        let line = matrix.values[index].iter().enumerate().filter(|(other, _)| *other != index);
        line.filter_map(|(_, value)| *value).map(f64::abs).fold(0.0, f64::max)
    };
    let mut order: Vec<(usize, f64)> = (0..matrix.columns.len()).map(|index| (index, strength(index))).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order.truncate(HEAT_MAP_COLUMNS_MAX);
    let mut kept: Vec<usize> = order.into_iter().map(|(index, _)| index).collect();
    kept.sort_unstable();
    kept
}

fn information_panel(information: &TargetInformation) -> Option<String> {
    let mut values: Vec<&(String, f64)> = information.values.iter().filter(|(_, value)| value.is_finite()).collect();
    values.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if values.is_empty() {
        return None;
    }
    let shown = values.len().min(INFORMATION_COLUMNS);
    let note =
        if shown < values.len() { format!(" The first {shown} of {} columns.", values.len()) } else { String::new() };
    let drawn: Vec<Bar> = values[..shown]
        .iter()
        .map(|(column, value)| {
            let text = number((value * 1e4).round() / 1e4);
            let title = format!("{text} {}", information.unit);
            Bar { label: column.clone(), now: value.max(0.0), then: None, text, title }
        })
        .collect();
    let name = format!("Mutual information with {}", information.target);
    Some(format!(
        "<div class=\"panel\"><h3>{}</h3><p>In {}: what knowing the column tells of the target.{note}</p>\
         <figure>{}</figure></div>",
        markup(&name),
        markup(&information.unit),
        bars(&name, &drawn)
    ))
}
