//! The page about an explanation.

use crate::base::limits::HEAT_MAP_COLUMNS_MAX;
use crate::base::units;
use crate::record::explanation::{ColumnExplanation, ExplanationRecord, RowExplanation};
use crate::render::escape::markup;
use crate::render::explanation::importance::{Bar, bars};
use crate::render::explanation::{
    ExplanationDocument, card, curves, margin_words, method_words, rows_of, short, swarm, value_words, waterfall,
};
use crate::render::heat::heat_map;
use crate::render::number::{number, percent};
use crate::render::page::{self, tile};
use crate::render::plot::visible;

/// Columns with a bar; more cannot be read.
const BARS: usize = 25;
/// Columns with a strip of dots.
const STRIPS: usize = 20;
/// Pairs in the list of interactions.
const PAIRS: usize = 15;
/// Cards from which on they can be searched.
const SEARCHED: usize = 9;
/// Outputs whose contributions are drawn row by row.
const SWARM_OUTPUTS: usize = 6;

/// The page: what the model relies on, single rows, how answers follow each column, interactions, and how it was made.
pub fn html(document: &ExplanationDocument<'_>) -> String {
    let of = document.explanation;
    let mut body = String::new();
    let cards = of.columns.iter().filter(|column| column.dependence.is_some()).count();
    if cards > SEARCHED {
        let orders = [("order up", "most important first"), ("find up", "by name")];
        body.push_str(&page::tools("a column", &[], &orders));
    }
    body.push_str("<main>\n");
    body.push_str(&rows(of));
    body.push_str(&importance(of));
    body.push_str(&swarms(of));
    body.push_str(&shapes(of));
    body.push_str(&interactions(of));
    body.push_str(&words(of));
    body.push_str("</main>\n");
    page::page(&format!("{} · explanation", document.model), &head(document), &body)
}

fn head(document: &ExplanationDocument<'_>) -> String {
    let of = document.explanation;
    let mut text = format!(
        "<p class=\"kicker\">Explanation</p>\n<h1>{}</h1>\n<p class=\"lead\">a <b>{}</b> model that answers with the \
         <b>{}</b> · \
         on {}</p>\n<dl class=\"tiles\">\n",
        markup(document.model),
        markup(&of.model),
        markup(&of.answer),
        markup(&rows_of(of))
    );
    if let Some(metric) = &of.metric {
        text.push_str(&tile(&metric.name, &number((metric.value * 1e4).round() / 1e4), "on these rows"));
    }
    text.push_str(&tile(
        "Rows",
        &units::count(of.rows),
        if of.rows < of.rows_there { "a sample" } else { &of.rows_of },
    ));
    text.push_str(&tile("Columns", &units::count(of.columns.len() as u64), "looked at"));
    if let Some(method) = &of.contributions {
        text.push_str(&tile(
            "Contributions",
            method_words(method),
            &format!("sum to the {}", margin_words(of, method)),
        ));
        if let [base] = method.base.as_slice() {
            text.push_str(&tile(
                "Expected",
                &short(*base),
                &format!("{} of no row in particular", margin_words(of, method)),
            ));
        }
    }
    text.push_str("</dl>\n");
    text
}

fn importance(of: &ExplanationRecord) -> String {
    let mut panels = Vec::new();
    if let Some(metric) = &of.metric {
        let drops: Vec<Bar<'_>> =
            of.columns.iter().filter_map(|column| Some(Bar::of(&column.name, column.permutation.as_ref()?))).collect();
        let groups: Vec<(String, _)> =
            of.groups.iter().map(|group| (group.columns.join(" + "), &group.permutation)).collect();
        let together: Vec<Bar<'_>> = groups.iter().map(|(name, drop)| Bar::of(name, drop)).collect();
        let mut panel = format!(
            "<div class=\"panel\"><h3>Permutation importance</h3><p>How much worse {} gets when the column is \
             shuffled, with the \
             95 % interval of {} shuffles.{}</p><figure>{}</figure>",
            markup(&metric.name),
            metric.repeats,
            shown(drops.len()),
            bars("Permutation importance", &drops[..drops.len().min(BARS)], &together)
        );
        if !together.is_empty() {
            let names: Vec<String> = of
                .groups
                .iter()
                .zip(&groups)
                .map(|(group, (name, _))| format!("{} ({})", markup(name), short(group.association)))
                .collect();
            panel.push_str(&format!(
                "<p>Columns that go together, shuffled together: each alone can look unimportant as the others stand \
                 in for \
                 it. With their strongest association: {}.</p><figure>{}</figure>",
                names.join("; "),
                bars("Permutation importance of groups", &together, &drops)
            ));
        }
        panels.push(panel + "</div>");
    }
    if let Some(method) = &of.contributions {
        let mut sizes: Vec<&ColumnExplanation> =
            of.columns.iter().filter(|column| column.contribution.is_some()).collect();
        sizes.sort_by(|a, b| b.contribution.unwrap_or(0.0).total_cmp(&a.contribution.unwrap_or(0.0)));
        let drawn: Vec<Bar<'_>> = sizes.iter().map(|column| size_bar(of, column)).collect();
        let each = if of.outputs.len() > 1 { ", mean over classes" } else { "" };
        panels.push(format!(
            "<div class=\"panel\"><h3>Mean size of contributions</h3><p>How far the column moves the {} of a row on \
             the average{each}: \
             {}.{}</p><figure>{}</figure></div>",
            margin_words(of, method),
            method_words(method),
            shown(drawn.len()),
            bars("Mean size of contributions", &drawn[..drawn.len().min(BARS)], &[])
        ));
    }
    format!("<h2 id=\"importance\">What the model relies on</h2>\n<div class=\"pair\">{}</div>\n", panels.join("\n"))
}

fn size_bar<'a>(of: &ExplanationRecord, column: &'a ColumnExplanation) -> Bar<'a> {
    let classes = of.outputs.iter().zip(&column.contribution_by_output);
    let title = match of.outputs.len() {
        1 => String::new(),
        _ => classes.map(|(name, size)| format!("{name} {}", short(*size))).collect::<Vec<_>>().join(", "),
    };
    Bar { name: &column.name, value: column.contribution.unwrap_or(0.0), interval: None, title }
}

fn shown(count: usize) -> String {
    if count > BARS { format!(" The first {BARS} of {count} columns.") } else { String::new() }
}

fn swarms(of: &ExplanationRecord) -> String {
    let Some(method) = &of.contributions else {
        return String::new();
    };
    let mut columns: Vec<&ColumnExplanation> = of.columns.iter().filter(|column| !column.swarm.is_empty()).collect();
    columns.sort_by(|a, b| b.contribution.unwrap_or(0.0).total_cmp(&a.contribution.unwrap_or(0.0)));
    columns.truncate(STRIPS);
    let Some(first) = columns.first() else {
        return String::new();
    };
    let rows = first.swarm.len();
    let mut text = format!(
        "<h2 id=\"rows\">Contributions row by row</h2>\n<div class=\"panel\"><p>Each dot is one of {rows} rows: \
         right of the line the \
         column raises the {}, left of it it lowers it. <span class=\"key\">low value <span class=\"ramp\"></span> \
         high \
         value</span> Text and missing values are grey.</p>",
        margin_words(of, method)
    );
    let drawn = first.swarm.first().map_or(1, |point| point.contributions.len()).min(SWARM_OUTPUTS);
    for output in 0..drawn {
        let name = of.outputs.get(output).map_or("", String::as_str);
        let plot = swarm::swarm(&format!("Contributions to {name}"), &columns, output);
        match drawn {
            1 => text.push_str(&format!("<div class=\"scroll wide\">{plot}</div>")),
            _ => text.push_str(&format!(
                "<details{}><summary>{}</summary><div class=\"scroll wide\">{plot}</div></details>",
                if output == 0 { " open" } else { "" },
                markup(&visible(name))
            )),
        }
    }
    text.push_str("</div>\n");
    text
}

fn rows(of: &ExplanationRecord) -> String {
    let Some(method) = of.contributions.as_ref().filter(|_| !of.explained.is_empty()) else {
        return String::new();
    };
    let mut text = "<h2 id=\"single\">Single rows</h2>\n<div class=\"pair\">".to_owned();
    for row in &of.explained {
        text.push_str(&one_row(of, row, margin_words(of, method)));
    }
    text.push_str("</div>\n");
    text
}

fn one_row(of: &ExplanationRecord, row: &RowExplanation, margin: &str) -> String {
    let key: String = row.key.iter().map(|(name, value)| format!(" · {} {}", markup(name), markup(value))).collect();
    let output = of.outputs.get(row.output).map_or("", String::as_str);
    let answer = row.answers.get(row.output).copied().unwrap_or(0.0);
    let answered = match of.task.is_classification() {
        true => format!("{} (probability of {}: {})", row.prediction, output, percent(answer)),
        false => value_words(&row.prediction),
    };
    let sum = match margin {
        "probability" => format!("probability of {output}"),
        "answer" => output.to_owned(),
        "logarithm of the answer" => margin.to_owned(),
        other => format!("{other} of {output}"),
    };
    let truth = row
        .truth
        .as_deref()
        .map_or_else(String::new, |truth| format!(" · truly <b>{}</b>", markup(&value_words(truth))));
    let part = row.part.as_deref().map_or_else(String::new, |part| format!(" · a {part} row"));
    format!(
        "<div class=\"panel\"><h3>Row {}{key}</h3><p>answered <b>{}</b>{truth}{part}</p><figure class=\"wide\">{}</figure></div>",
        units::count(row.row),
        markup(&answered),
        waterfall::waterfall(row, &sum)
    )
}

fn shapes(of: &ExplanationRecord) -> String {
    let cards: Vec<(usize, &ColumnExplanation)> =
        of.columns.iter().enumerate().filter(|(_, column)| column.dependence.is_some()).collect();
    if cards.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "<h2 id=\"columns\">How answers follow each column</h2>\n{}<div class=\"grid\" data-list>\n",
        curves::legend(&of.outputs)
    );
    for (order, column) in cards {
        text.push_str(&card::card(of, order, column));
    }
    text.push_str("</div>\n");
    text
}

fn interactions(of: &ExplanationRecord) -> String {
    if of.interactions.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = Vec::new();
    for name in of.interactions.iter().flat_map(|pair| [&pair.a, &pair.b]) {
        if !names.contains(name) && names.len() < HEAT_MAP_COLUMNS_MAX {
            names.push(name.clone());
        }
    }
    let mut values = vec![vec![None; names.len()]; names.len()];
    for pair in &of.interactions {
        let place = |name: &String| names.iter().position(|known| known == name);
        if let (Some(a), Some(b)) = (place(&pair.a), place(&pair.b)) {
            (values[a][b], values[b][a]) = (Some(pair.h2), Some(pair.h2));
        }
    }
    let rows: String = of
        .interactions
        .iter()
        .take(PAIRS)
        .map(|pair| {
            let (a, b) = (markup(&visible(&pair.a)), markup(&visible(&pair.b)));
            let (h2, size) = (short(pair.h2), short(pair.strength));
            format!("<tr><td>{a} × {b}</td><td class=\"n\">{h2}</td><td class=\"n\">{size}</td></tr>")
        })
        .collect();
    format!(
        "<h2 id=\"interactions\">Which columns act together</h2>\n<div class=\"pair\"><div \
         class=\"panel\"><h3>Interaction of pairs \
         (H²)</h3><p>Share of the joint effect that is not the sum of both: the deeper, the more.</p>\
         <figure>{}</figure></div><div class=\"panel\"><h3>Strongest pairs</h3><p>Size is in the unit of the {}: a \
         large \
         share of a small effect is small.</p><table><thead><tr><th>pair</th><th class=\"n\">H²</th><th \
         class=\"n\">size</th></tr>\
         </thead><tbody>{rows}</tbody></table></div></div>\n",
        heat_map("Interaction", &names, &values),
        if of.task.is_classification() { "probability" } else { "answer" }
    )
}

fn words(of: &ExplanationRecord) -> String {
    let list = |items: &[String]| items.iter().map(|item| format!("<li>{}</li>", markup(item))).collect::<String>();
    let mut text = format!("<h2 id=\"method\">How this was made</h2>\n<ul class=\"words\">{}", list(&of.methods));
    text.push_str(&list(&of.notes));
    if !of.unread.is_empty() {
        const NAMES: usize = 20;
        let names: Vec<String> = of.unread.iter().take(NAMES).map(|name| visible(name)).collect();
        let more = if of.unread.len() > NAMES { ", …" } else { "" };
        text.push_str(&format!("<li>The model does not read {}{more}.</li>", markup(&names.join(", "))));
    }
    text.push_str(&format!("<li>Seed {}; equal inputs give equal numbers.</li></ul>\n", number(of.seed as f64)));
    text
}
