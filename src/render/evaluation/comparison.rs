//! This model beside another one on the same rows: paired values, differences with intervals, wins and losses, slices.

use crate::base::units;
use crate::record::evaluation::{Difference, ModelComparison};
use crate::render::evaluation::dots::{Dot, dots};
use crate::render::evaluation::figures::{chance, figure, signed, signed_interval};
use crate::render::evaluation::{EvaluationDocument, beyond_chance, chart, clipped, name, slice_difference_name};
use crate::render::number::{percent, share};

/// Metrics compared in the open.
const METRICS: usize = 20;
/// Slices that got worse, listed.
const SLICES: usize = 20;

/// The section; nothing without another model.
pub fn comparison(document: &EvaluationDocument<'_>) -> String {
    let Some(other) = &document.judgement.comparison else {
        return String::new();
    };
    let names: Vec<&str> =
        document.metric_names().into_iter().filter(|name| other.metrics.contains_key(*name)).collect();
    let mut text = format!(
        "<h2 id=\"comparison\">Against {}</h2>\n<div class=\"pair\">{}{}</div>\n",
        name(&other.name),
        paired(document, other, &names),
        rows(document, other)
    );
    text.push_str(&differences(other, &names));
    text.push_str(&worse(other));
    text
}

fn paired(document: &EvaluationDocument<'_>, other: &ModelComparison, names: &[&str]) -> String {
    let shares = |of: &Difference| [of.value, of.other].iter().all(|value| (0.0..=1.0).contains(value));
    let line = |metric: &&str| {
        let of = other.metrics.get(*metric).filter(|of| shares(of))?;
        let sure = document.judgement.intervals.get(*metric).copied();
        Some(Dot { name: (*metric).to_owned(), rows: None, value: of.value, interval: sure, other: Some(of.other) })
    };
    let lines: Vec<Dot> = names.iter().filter_map(line).take(METRICS).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"panel\"><h3>Both models</h3><p class=\"keys\"><span class=\"key\"><i \
        class=\"point\"></i>{}</span><span \
         class=\"key\"><i class=\"circle\"></i>{}</span></p><div class=\"scroll\"><figure class=\"wide\">{}</figure>\
         </div></div>",
        name(document.model),
        name(&other.name),
        dots("Metrics of both models", &lines, None, None)
    )
}

fn rows(document: &EvaluationDocument<'_>, other: &ModelComparison) -> String {
    let all = other.wins.saturating_add(other.losses).saturating_add(other.ties);
    let part = |count: u64| format!("{} ({})", units::count(count), percent(share(count, all)));
    let parts = [("won", "better", other.wins), ("tied", "equally well", other.ties), ("lost", "worse", other.losses)];
    let flips = other.flip_rate.map_or_else(String::new, |rate| {
        format!("<p>{} of the rows get another class than from {}.</p>", percent(rate), name(&other.name))
    });
    format!(
        "<div class=\"panel\"><h3>Row by row</h3><p>Rows that {} answers better than {}, equally well, or worse.</p>\
         <figure class=\"wide\">{}</figure><table><tbody><tr><td><span class=\"key\"><i class=\"won\">\
         </i>better</span></td><td \
         class=\"n\">{}</td></tr><tr><td><span class=\"key\"><i class=\"tied\"></i>equally well</span></td>\
         <td class=\"n\">{}</td></tr>\
         <tr><td><span class=\"key\"><i class=\"lost\"></i>worse</span></td><td class=\"n\">{}</td></tr></tbody>\
         </table>{flips}</div>",
        name(document.model),
        name(&other.name),
        chart::parts("Rows won, tied and lost", &parts),
        part(other.wins),
        part(other.ties),
        part(other.losses)
    )
}

fn class_of(of: &Difference) -> &'static str {
    match of.better {
        Some(true) => "good",
        Some(false) => "bad",
        None => "",
    }
}

fn badge(of: &Difference) -> String {
    match of.better {
        Some(true) => "<span class=\"badge pass\">better</span>".to_owned(),
        Some(false) => "<span class=\"badge error\">worse</span>".to_owned(),
        None => "<span class=\"badge\">chance</span>".to_owned(),
    }
}

/// Cells of one difference.
fn cells(title: &str, of: &Difference) -> String {
    let told = format!("{}: {} {}", clipped(title, 60), signed(of.difference), beyond_chance(of));
    let test = of.p_value.map_or_else(String::new, |p| {
        let test = of.test.as_deref().unwrap_or("").replace('_', " ");
        format!("{}<small>{}</small>", crate::render::escape::markup(&chance(p)), crate::render::escape::markup(&test))
    });
    format!(
        "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"sure\">{}</td><td \
        class=\"picture\">{}</td>\
         <td class=\"n\">{test}</td><td>{}</td>",
        figure(of.value),
        figure(of.other),
        signed(of.difference),
        of.interval.as_ref().map_or_else(String::new, signed_interval),
        chart::difference(&told, of.difference, of.interval.as_ref(), class_of(of)),
        badge(of)
    )
}

const HEADS: &str = "<th class=\"n\">this</th><th class=\"n\">other</th><th \
class=\"n\">difference</th><th>interval</th>\
                     <th class=\"picture\"></th><th class=\"n\">p</th><th></th>";

fn differences(other: &ModelComparison, names: &[&str]) -> String {
    let row = |metric: &&str| {
        let of = other.metrics.get(*metric)?;
        Some(format!("<tr><td><b>{}</b></td>{}</tr>", name(metric), cells(metric, of)))
    };
    let (open, folded) = names.split_at(names.len().min(METRICS));
    let body = |names: &[&str]| names.iter().filter_map(row).collect::<String>();
    if open.is_empty() {
        return String::new();
    }
    let table = |rows: String| {
        format!(
            "<div class=\"scroll\"><table class=\"roomy \
            metrics\"><thead><tr><th>metric</th>{HEADS}</tr></thead><tbody>{rows}</tbody></table></div>"
        )
    };
    let mut text = format!(
        "<div class=\"panel\"><h3>Differences</h3><p>Both models on the same resampled rows. A difference counts as \
        better or worse \
         only when chance would not explain it.</p>{}",
        table(body(open))
    );
    if !folded.is_empty() {
        let more = units::plural(folded.len() as u64, "more metric");
        text.push_str(&format!("<details><summary>{more}</summary>{}</details>", table(body(folded))));
    }
    text.push_str("</div>\n");
    text
}

fn worse(other: &ModelComparison) -> String {
    if other.worse_slices.is_empty() {
        return String::new();
    }
    let rows: String = other
        .worse_slices
        .iter()
        .take(SLICES)
        .map(|slice| {
            let title = slice_difference_name(slice);
            format!(
                "<tr><td><b>{}</b></td><td class=\"n\">{}</td><td>{}</td>{}</tr>",
                name(&title),
                units::count(slice.rows),
                name(&slice.metric),
                cells(&title, &slice.difference)
            )
        })
        .collect();
    let more = other.worse_slices.len().saturating_sub(SLICES);
    let more = if more > 0 { format!("<p>and {more} more</p>") } else { String::new() };
    format!(
        "<div class=\"panel\"><h3>Slices that got worse</h3><div class=\"scroll\"><table class=\"roomy \
        metrics\"><thead><tr><th>slice</th>\
         <th class=\"n\">rows</th><th>metric</th>{HEADS}</tr></thead><tbody>{rows}</tbody></table></div>{more}</div>\n"
    )
}
