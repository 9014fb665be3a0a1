//! A model card as one page.

use crate::render::card::Card;
use crate::render::card::sections::{Section, after, before};
use crate::render::escape::{markup, shortened};
use crate::render::evaluation::html::sections;
use crate::render::evaluation::{html, measures, parts};
use crate::render::page;

/// Characters of a paragraph, and of a cell.
const PARAGRAPH: usize = 4_096;
const CELL: usize = 300;
const TITLE: usize = 80;

/// The page, with the whole evaluation in it.
pub fn html(card: &Card<'_>) -> String {
    let title = shortened(&card.label, TITLE);
    let model = &card.model;
    let lead = match model.target.as_str() {
        "" => format!("a <b>{}</b> model for {}", markup(&model.kind), model.task.name()),
        target => {
            format!("a <b>{}</b> model that predicts <b>{}</b>", markup(&model.kind), markup(&shortened(target, TITLE)))
        }
    };
    let judged = card
        .evaluation
        .as_ref()
        .map_or_else(String::new, |document| measures::verdict(document) + &measures::tiles(document));
    let head = format!(
        "<p class=\"kicker\">Model card</p>\n<h1><bdi>{}</bdi></h1>\n<p class=\"lead\">{lead}</p>\n{judged}",
        markup(&title)
    );
    let mut body = "<main>\n".to_owned();
    before(card).iter().for_each(|part| body.push_str(&section(part)));
    match &card.evaluation {
        None => body.push_str(
            "<h2>Evaluation</h2>\n<div class=\"panel\"><p>Nobody judged it yet: <code>mlops \
        evaluate</code> does.</p></div>\n",
        ),
        Some(document) => {
            let rows = markup(&shortened(&document.rows_words(), 2 * TITLE));
            body.push_str(&format!("<h2 id=\"evaluation\">Evaluation on {rows}</h2>\n{}", sections(document)));
            body.push_str(&parts::importance(document));
            body.push_str(&html::words(document));
        }
    }
    after(card).iter().for_each(|part| body.push_str(&section(part)));
    body.push_str("</main>\n");
    page::page(&format!("{title} · model card"), &head, &body)
}

fn section(of: &Section) -> String {
    if of.is_empty() {
        return String::new();
    }
    let mut text = format!("<h2>{}</h2>\n<div class=\"panel\">", of.title);
    for (name, words) in &of.words {
        let name = if name.is_empty() { String::new() } else { format!("<b>{name}.</b> ") };
        text.push_str(&format!("<p>{name}<bdi>{}</bdi></p>", markup(&shortened(words, PARAGRAPH))));
    }
    if !of.facts.is_empty() {
        let facts =
            of.facts.iter().map(|(name, value)| page::fact(&shortened(name, TITLE), &shortened(value, CELL), None));
        text.push_str(&format!("<dl class=\"facts\">{}</dl>", facts.collect::<String>()));
    }
    if !of.rows.is_empty() {
        text.push_str(&table(of));
    }
    if !of.left_out.is_empty() {
        text.push_str(&format!("<p>{}</p>", of.left_out));
    }
    for (about, command) in &of.commands {
        text.push_str(&format!("<p>{about}</p><p class=\"fix\"><code>{}</code></p>", markup(command)));
    }
    text + "</div>\n"
}

fn table(of: &Section) -> String {
    let class = |heading: &str| if heading.starts_with('#') { " class=\"n\"" } else { "" };
    let heads =
        of.headings.iter().map(|heading| format!("<th{}>{}</th>", class(heading), heading.trim_start_matches('#')));
    let cells = |row: &Vec<String>| {
        let cells = row.iter().zip(&of.headings);
        let cells = cells
            .map(|(cell, heading)| format!("<td{}><bdi>{}</bdi></td>", class(heading), markup(&shortened(cell, CELL))));
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    format!(
        "<div class=\"scroll\"><table class=\"roomy\"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        heads.collect::<String>(),
        of.rows.iter().map(cells).collect::<String>()
    )
}
