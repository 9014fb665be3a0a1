//! The card of one column: how answers follow it, what it is worth, what a linear model makes of it.

use crate::base::units;
use crate::record::explanation::{ColumnExplanation, ExplanationRecord};
use crate::render::escape::markup;
use crate::render::explanation::{curves, margin_words, short, signed};
use crate::render::number::percent;
use crate::render::page::fact;
use crate::render::plot::visible;

/// Outputs whose change by one unit is written.
const OUTPUTS: usize = 6;

/// The card of `column`, the one at place `order` by importance.
pub fn card(of: &ExplanationRecord, order: usize, column: &ColumnExplanation) -> String {
    let (find, name) = (markup(&column.name.to_lowercase()), markup(&visible(&column.name)));
    let mut text = format!(
        "<article class=\"card\" id=\"c{order}\" data-order=\"{order}\" data-find=\"{find}\">\n<header><h3><a \
         href=\"#c{order}\">\
         {name}</a></h3><span class=\"badge\">{}</span></header>\n<figure>{}",
        column.column_type.name(),
        curves::plot(column, &of.outputs, &of.mean_answer)
    );
    if let Some(found) = column.dependence.as_ref().filter(|found| found.levels_left_out > 0) {
        let more = units::plural(found.levels_left_out, "rarer value");
        text.push_str(&format!("<figcaption>{more} not drawn</figcaption>"));
    }
    text.push_str("</figure>\n<dl class=\"facts\">");
    if let Some(drop) = &column.permutation {
        text.push_str(&fact("importance", &short(drop.mean), None));
    }
    if let Some(size) = column.contribution {
        text.push_str(&fact("contribution", &format!("± {}", short(size)), None));
    }
    if let Some(share) = column.own_importance {
        text.push_str(&fact("model's own", &percent(share), None));
    }
    if let Some(missing) = column.dependence.as_ref().and_then(|found| found.missing.as_ref()) {
        let all: Vec<String> = missing.iter().take(3).map(|answer| short(*answer)).collect();
        text.push_str(&fact("answer if missing", &all.join(", "), None));
    }
    if let Some(h2) = column.interaction {
        text.push_str(&fact("interacts (H²)", &short(h2), None));
    }
    text.push_str("</dl>\n");
    text.push_str(&linear(of, column));
    text.push_str("</article>\n");
    text
}

/// What a linear model makes of the column.
fn linear(of: &ExplanationRecord, column: &ColumnExplanation) -> String {
    let Some(found) = &column.linear else {
        return String::new();
    };
    let score = of.contributions.as_ref().map_or("score", |method| margin_words(of, method));
    let ratio = |change: f64| match score {
        "log odds" => format!(" (odds × {})", short(change.exp())),
        "logarithm of the answer" => format!(" (answer × {})", short(change.exp())),
        _ => String::new(),
    };
    let changes = |changes: &[f64]| match (changes, of.outputs.as_slice()) {
        ([only], _) => format!("{}{}", signed(*only), ratio(*only)),
        (all, names) => {
            let words = names.iter().zip(all).take(OUTPUTS);
            words.map(|(name, change)| format!("{name} {}", signed(*change))).collect::<Vec<_>>().join(", ")
        }
    };
    if let Some(slopes) = &found.per_unit {
        let unit = if column.column_type.is_numeric() { "1 more" } else { "one day later" };
        return format!("<p class=\"fix\"><b>{unit}</b>{} {}</p>\n", markup(score), markup(&changes(slopes)));
    }
    if let Some(why) = &found.left_out {
        return format!("<p class=\"fix\">No coefficient in its own unit: {}.</p>\n", markup(why));
    }
    let Some((first, _)) = found.levels.first() else {
        return String::new();
    };
    let rows: String = found.levels[1..]
        .iter()
        .map(|(level, of)| {
            format!("<tr><td>{}</td><td class=\"n\">{}</td></tr>", markup(&visible(level)), markup(&changes(of)))
        })
        .collect();
    let first = markup(&visible(first));
    format!("<details><summary>{} compared with {first}</summary><table>{rows}</table></details>\n", markup(score))
}
