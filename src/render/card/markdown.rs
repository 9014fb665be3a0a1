//! A model card as Markdown.

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::base::units;
use crate::render::card::Card;
use crate::render::card::sections::{Section, after, before};
use crate::render::escape::{markdown as escape, shortened};
use crate::render::evaluation::markdown::{open_parts, row, table};
use crate::render::evaluation::{EvaluationDocument, markdown_rest};

/// Characters of a paragraph.
const PARAGRAPH: usize = 2_048;
/// Characters of a cell.
const CELL: usize = 120;
/// Bytes kept free for the sentence that says what was left out.
const RESERVE: usize = 400;

/// The card, at most [`MARKDOWN_CHARACTERS_MAX`] bytes; parts that do not fit are left out and counted.
pub fn markdown(card: &Card<'_>) -> String {
    let mut text = format!("# {}\n", escape(&shortened(&card.label, CELL)));
    let mut parts: Vec<(&str, String)> = before(card).iter().map(|part| (part.title, section(part))).collect();
    parts.extend(evaluation(card));
    parts.extend(after(card).iter().map(|part| (part.title, section(part))));
    let mut left_out = Vec::new();
    for (name, part) in parts {
        match text.len() + part.len() + RESERVE <= MARKDOWN_CHARACTERS_MAX {
            true => text.push_str(&part),
            false => left_out.push(name),
        }
    }
    if !left_out.is_empty() {
        let count = units::plural(left_out.len() as u64, "part");
        text.push_str(&format!("\n{count} did not fit: {}. `--format html` has everything.\n", left_out.join(", ")));
    }
    text
}

fn evaluation<'a>(card: &Card<'_>) -> Vec<(&'a str, String)> {
    let Some(document) = &card.evaluation else {
        return vec![("Evaluation", "\n## Evaluation\n\nNobody judged it yet: `mlops evaluate` does.\n".to_owned())];
    };
    let mut parts = vec![("Evaluation", head(document))];
    // Headings of an evaluation are one level lower inside a card.
    parts.extend(open_parts(document).into_iter().chain(markdown_rest::parts(document)));
    parts
}

fn head(document: &EvaluationDocument<'_>) -> String {
    let verdict = document.judgement.verdict.name();
    let rows = escape(&shortened(&document.rows_words(), CELL));
    format!("\n## Evaluation\n\nVerdict **{verdict}** ({}) on {rows}.\n", document.verdict_words())
}

fn section(of: &Section) -> String {
    if of.is_empty() {
        return String::new();
    }
    let cell = |text: &String| escape(&shortened(text, CELL));
    let mut text = format!("\n## {}\n", of.title);
    for (name, words) in &of.words {
        let name = if name.is_empty() { String::new() } else { format!("**{name}.** ") };
        text.push_str(&format!("\n{name}{}\n", escape(&shortened(words, PARAGRAPH))));
    }
    if !of.facts.is_empty() {
        text.push('\n');
        for (name, value) in &of.facts {
            text.push_str(&format!("- {}: {}\n", cell(name), escape(&shortened(value, 2 * CELL))));
        }
    }
    if !of.rows.is_empty() {
        let rows: Vec<String> = of.rows.iter().map(|cells| row(&cells.iter().map(cell).collect::<Vec<_>>())).collect();
        text.push_str(&format!("\n{}", table(&of.headings, &rows)));
    }
    if !of.left_out.is_empty() {
        text.push_str(&format!("\n{}\n", of.left_out));
    }
    for (about, command) in &of.commands {
        // A fence longer than any run of backticks inside it.
        text.push_str(&format!("\n{about}:\n\n````sh\n{}\n````\n", command.replace("````", "'")));
    }
    text
}
