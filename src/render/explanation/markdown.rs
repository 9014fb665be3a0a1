//! An explanation for a comment on a change.

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::record::explanation::{ColumnExplanation, ExplanationRecord, RowExplanation};
use crate::render::escape::{markdown as escape, shortened};
use crate::render::explanation::{
    ExplanationDocument, margin_words, method_words, rows_of, short, signed, value_words,
};
use crate::render::number::percent;

/// Columns in the table.
const COLUMNS: usize = 20;
/// Contributions listed of a single row.
const CONTRIBUTIONS: usize = 10;
/// Pairs listed.
const PAIRS: usize = 5;
/// Characters of one cell.
const CELL: usize = 80;

/// The document: a table of columns, single rows, interactions, and folded how it was made. At most
/// [`MARKDOWN_CHARACTERS_MAX`] characters.
pub fn markdown(document: &ExplanationDocument<'_>) -> String {
    let of = document.explanation;
    let mut text = format!(
        "## What {} relies on\n\nA {} model that answers with the {}, on {}.{}\n\n",
        cell(document.model),
        cell(&of.model),
        cell(&of.answer),
        cell(&rows_of(of)),
        of.metric.as_ref().map_or_else(String::new, |metric| {
            format!(" {} is **{:.4}** there.", cell(&metric.name), metric.value)
        })
    );
    text.push_str(&columns(of));
    for row in &of.explained {
        text.push_str(&single(of, row));
    }
    if !of.interactions.is_empty() {
        text.push_str("\nColumns that act together most:\n\n");
        for pair in of.interactions.iter().take(PAIRS) {
            let (a, b) = (cell(&pair.a), cell(&pair.b));
            text.push_str(&format!("- {a} × {b}: H² {}, size {}\n", short(pair.h2), short(pair.strength)));
        }
    }
    let mut items = String::new();
    for words in of.methods.iter().chain(&of.notes) {
        items.push_str(&format!("- {}\n", escape(words)));
    }
    let folded = format!("\n<details><summary>How this was made</summary>\n\n{items}\n</details>\n");
    if text.chars().count() + folded.chars().count() <= MARKDOWN_CHARACTERS_MAX {
        text.push_str(&folded);
    }
    match text.char_indices().nth(MARKDOWN_CHARACTERS_MAX) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

fn cell(text: &str) -> String {
    escape(&shortened(text, CELL))
}

fn columns(of: &ExplanationRecord) -> String {
    let moves = of
        .contributions
        .as_ref()
        .map(|method| format!("moves the {} by ({})", margin_words(of, method), method_words(method)));
    let mut text = "| column |".to_owned();
    let mut rule = "\n|---|".to_owned();
    if let Some(metric) = &of.metric {
        text.push_str(&format!(" shuffled, {} gets worse by |", cell(&metric.name)));
        rule.push_str("---:|");
    }
    if let Some(moves) = &moves {
        text.push_str(&format!(" {moves} |"));
        rule.push_str("---:|");
    }
    text.push_str(&rule);
    text.push('\n');
    for column in of.columns.iter().take(COLUMNS) {
        text.push_str(&line(of, column, moves.is_some()));
    }
    if of.columns.len() > COLUMNS {
        text.push_str(&format!("\nThe first {COLUMNS} of {} columns.\n", of.columns.len()));
    }
    for group in &of.groups {
        let names: Vec<String> = group.columns.iter().map(|name| cell(name)).collect();
        let drop = &group.permutation;
        text.push_str(&format!(
            "\nTogether, {}: {} ({}).\n",
            names.join(" + "),
            short(drop.mean),
            interval(drop.low, drop.high)
        ));
    }
    text
}

fn interval(low: f64, high: f64) -> String {
    format!("{} to {}", short(low), short(high))
}

fn line(of: &ExplanationRecord, column: &ColumnExplanation, contributions: bool) -> String {
    let mut text = format!("| {} |", cell(&column.name));
    if of.metric.is_some() {
        let drop = column.permutation.as_ref();
        let words =
            drop.map_or_else(String::new, |drop| format!("{} ({})", short(drop.mean), interval(drop.low, drop.high)));
        text.push_str(&format!(" {words} |"));
    }
    if contributions {
        text.push_str(&format!(" {} |", column.contribution.map_or_else(String::new, short)));
    }
    text.push('\n');
    text
}

fn single(of: &ExplanationRecord, row: &RowExplanation) -> String {
    let output = of.outputs.get(row.output).map_or("", String::as_str);
    let answer = row.answers.get(row.output).copied().unwrap_or(0.0);
    let probability = match of.task.is_classification() {
        true => format!(" (probability of {}: {})", cell(output), percent(answer)),
        false => String::new(),
    };
    let truth = row.truth.as_deref().map_or_else(String::new, |truth| format!(", truly **{}**", cell(truth)));
    let mut text = format!(
        "\n### Row {}: {}{probability}{truth}\n\nExpected {}; ends at {}.\n\n| column | value | adds |\n|---|---|---:|\n",
        row.row,
        cell(&value_words(&row.prediction)),
        short(row.base.get(row.output).copied().unwrap_or(0.0)),
        short(row.margin.get(row.output).copied().unwrap_or(0.0)),
    );
    for part in row.contributions.iter().take(CONTRIBUTIONS) {
        let value = part.value.as_deref().map_or_else(|| "(missing)".to_owned(), |value| cell(&value_words(value)));
        let of = |values: &[f64]| values.get(row.output).copied().unwrap_or(0.0);
        let error = part.errors.as_deref().map_or_else(String::new, |errors| format!(" ± {}", short(of(errors))));
        text.push_str(&format!("| {} | {value} | {}{error} |\n", cell(&part.column), signed(of(&part.contributions))));
    }
    let rest = row.contributions.len().saturating_sub(CONTRIBUTIONS);
    if rest > 0 {
        text.push_str(&format!("\nand {rest} more columns that add less.\n"));
    }
    text
}
