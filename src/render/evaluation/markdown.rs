//! An evaluation for a comment on a change: the verdict, gates, the other model, what got worse; the rest folded.

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::base::units;
use crate::record::evaluation::{Judgement, ModelComparison, SliceResult, Verdict};
use crate::render::escape::{markdown as escape, shortened};
use crate::render::evaluation::confusion::mistakes;
use crate::render::evaluation::figures::{chance, difference, figure, interval};
use crate::render::evaluation::{
    EvaluationDocument, NAME, beyond_chance, markdown_rest, slice_difference_name, slice_name,
};
use crate::render::number::{percent, share};

/// Gates listed.
const GATES: usize = 50;
/// Metrics in the open.
pub const METRICS: usize = 10;
/// Slices listed in the open.
const SLICES: usize = 5;
/// Classes up to which the whole confusion is shown.
const CLASSES: usize = 8;
/// Mistakes listed of more classes.
const MISTAKES: usize = 10;
/// Characters of a sentence made of data.
const SENTENCE: usize = 300;
/// Bytes kept free for the sentence that says what was left out.
const RESERVE: usize = 400;

/// The document, at most [`MARKDOWN_CHARACTERS_MAX`] bytes; parts that do not fit are left out and counted.
pub fn markdown(document: &EvaluationDocument<'_>) -> String {
    let mut text = format!("{}\n{}", marker(document.key), head(document));
    let mut left_out: Vec<&str> = Vec::new();
    for (name, part) in open_parts(document).into_iter().chain(markdown_rest::parts(document)) {
        if part.is_empty() {
            continue;
        }
        match text.len() + part.len() + RESERVE <= MARKDOWN_CHARACTERS_MAX {
            true => text.push_str(&part),
            false => left_out.push(name),
        }
    }
    if !left_out.is_empty() {
        let count = units::plural(left_out.len() as u64, "part");
        text.push_str(&format!(
            "\n{count} did not fit: {}. The page (`--report evaluation.html`) and `--json` have everything.\n",
            left_out.join(", ")
        ));
    }
    text
}

/// A comment that nobody sees, by which the comment of an earlier evaluation is found and replaced.
pub fn marker(key: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "_.".contains(letter) { letter } else { '-' };
    let mut key: String = key.chars().take(NAME).map(plain).collect();
    // Two hyphens would end the comment early.
    while key.contains("--") {
        key = key.replace("--", "-");
    }
    format!("<!-- mlops evaluation {} -->", key.trim_matches('-'))
}

/// Text of the data for a cell.
pub fn cell(text: &str) -> String {
    escape(&shortened(text, NAME))
}

/// A sentence made of data.
pub fn sentence(text: &str) -> String {
    escape(&shortened(text, SENTENCE))
}

/// A table, nothing without rows. Headings that start with `#` are set to the right.
pub fn table(headings: &[&str], rows: &[String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = headings.iter().map(|heading| heading.trim_start_matches('#')).collect();
    let rules: Vec<&str> =
        headings.iter().map(|heading| if heading.starts_with('#') { "---:" } else { "---" }).collect();
    format!("| {} |\n|{}|\n{}\n", names.join(" | "), rules.join("|"), rows.join("\n"))
}

/// One row of a table.
pub fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// What the sentence under a table that was cut says.
pub fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("\nand {} more.\n", units::count(more as u64)),
    }
}

fn head(document: &EvaluationDocument<'_>) -> String {
    let of = document.judgement;
    let word = match of.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::None => "NO VERDICT",
    };
    let rows = escape(&shortened(&document.rows_words(), 2 * NAME));
    let mut text =
        format!("## {word}: {}\n\n**{}** on {rows}", cell(&document.title()), capital(&document.verdict_words()));
    let headline = document.value_words(&of.headline);
    if !headline.is_empty() {
        text.push_str(&format!("; {} **{headline}**", cell(&of.headline)));
    }
    if let Some((other, change)) =
        of.comparison.as_ref().and_then(|other| Some((other, other.metrics.get(&of.headline)?)))
    {
        let mark = match change.better {
            Some(true) => "better beyond chance",
            Some(false) => "worse beyond chance",
            None => "no difference beyond chance",
        };
        text.push_str(&format!(", {} against {} ({mark})", difference(change), cell(&other.name)));
    }
    text + ".\n"
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Parts that stand in the open, with what they are called when they are left out.
pub fn open_parts<'a>(document: &EvaluationDocument<'_>) -> Vec<(&'a str, String)> {
    let of = document.judgement;
    let other = of.comparison.as_ref();
    vec![
        ("gates", gates(of)),
        ("findings", findings(of)),
        ("the metrics", metrics(document)),
        ("row by row", other.map_or_else(String::new, row_by_row)),
        ("slices that got worse", other.map_or_else(String::new, worse)),
        ("worst slices", worst(of)),
        ("confusion", confusion(of)),
    ]
}

fn gates(of: &Judgement) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), figure);
    let mut sorted: Vec<_> = of.gates.iter().collect();
    sorted.sort_by_key(|gate| gate.verdict != Verdict::Fail);
    let rows: Vec<String> = sorted
        .into_iter()
        .take(GATES)
        .map(|gate| {
            let word = if gate.verdict == Verdict::Fail { "**FAIL**" } else { "pass" };
            let expression = escape(&shortened(&gate.expression, 2 * NAME));
            row(&[word.to_owned(), expression, number(gate.value), number(gate.bound), sentence(&gate.reason)])
        })
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!(
            "\n{}{}",
            table(&["verdict", "gate", "#value", "#bound", "why"], &rows),
            more(of.gates.len(), GATES)
        ),
    }
}

fn findings(of: &Judgement) -> String {
    let items: String = of
        .findings
        .iter()
        .take(SLICES)
        .map(|finding| {
            format!("- **{}** {}: {}\n", cell(&finding.severity), cell(&finding.code), sentence(&finding.message))
        })
        .collect();
    if items.is_empty() { items } else { format!("\n{items}{}", more(of.findings.len(), SLICES)) }
}

fn metrics(document: &EvaluationDocument<'_>) -> String {
    let all = document.metric_names();
    let names = &all[..all.len().min(METRICS)];
    format!("\n### Metrics\n\n{}", metric_table(document, names))
}

/// A table of metrics: with another model its values and the differences.
pub fn metric_table(document: &EvaluationDocument<'_>, names: &[&str]) -> String {
    let of = document.judgement;
    let base = of.baseline.as_ref();
    let other = of.comparison.as_ref();
    let theirs = other.map(|other| format!("#{}", cell(&other.name)));
    let mut headings = vec!["metric", "#value"];
    headings.extend(base.map(|_| "#baseline"));
    headings.extend(theirs.as_deref());
    headings.extend(other.map(|_| "#difference"));
    headings.extend(other.map(|_| "beyond chance"));
    let rows: Vec<String> = names
        .iter()
        .map(|metric| {
            let mut cells = vec![cell(metric), document.value_words(metric)];
            cells.extend(base.map(|base| base.get(*metric).map_or_else(String::new, |value| figure(*value))));
            if let Some(other) = other {
                let change = other.metrics.get(*metric);
                cells.push(other.other_metrics.get(*metric).map_or_else(String::new, |value| figure(*value)));
                cells.push(change.map_or_else(String::new, difference));
                cells.push(change.map_or_else(String::new, |of| {
                    let p = of.p_value.map_or_else(String::new, |p| format!(" (p {})", escape(&chance(p))));
                    let mark = beyond_chance(of);
                    if mark.is_empty() { format!("no{p}") } else { format!("**{mark}**{p}") }
                }));
            }
            row(&cells)
        })
        .collect();
    table(&headings, &rows)
}

fn row_by_row(other: &ModelComparison) -> String {
    let all = other.wins.saturating_add(other.losses).saturating_add(other.ties);
    let part = |count: u64| format!("{} ({})", units::count(count), percent(share(count, all)));
    let flips = other
        .flip_rate
        .map_or_else(String::new, |rate| format!(" {} of the rows get another class.", escape(&percent(rate))));
    format!(
        "\nRow by row against {}: {} answered better, {} worse, {} equally well.{flips}\n",
        cell(&other.name),
        escape(&part(other.wins)),
        escape(&part(other.losses)),
        escape(&part(other.ties))
    )
}

fn worse(other: &ModelComparison) -> String {
    let rows: Vec<String> = other
        .worse_slices
        .iter()
        .take(SLICES)
        .map(|slice| {
            row(&[
                cell(&slice_difference_name(slice)),
                units::count(slice.rows),
                cell(&slice.metric),
                figure(slice.difference.other),
                figure(slice.difference.value),
                difference(&slice.difference),
                beyond_chance(&slice.difference).to_owned(),
            ])
        })
        .collect();
    let headings = ["slice", "#rows", "metric", "#before", "#now", "#difference", "beyond chance"];
    match rows.is_empty() {
        true => String::new(),
        false => format!(
            "\n### Slices that got worse\n\n{}{}",
            table(&headings, &rows),
            more(other.worse_slices.len(), SLICES)
        ),
    }
}

fn worst(of: &Judgement) -> String {
    let rows: Vec<String> = of.worst_slices.iter().take(SLICES).map(|slice| slice_row(slice, &of.headline)).collect();
    match rows.is_empty() {
        true => String::new(),
        false => {
            let headline = format!("#{}", cell(&of.headline));
            let list = table(&["slice", "#rows", &headline], &rows);
            format!("\n### Worst slices\n\n{list}{}", more(of.worst_slices.len(), SLICES))
        }
    }
}

/// A slice with the value and the interval of one metric.
pub fn slice_row(slice: &SliceResult, metric: &str) -> String {
    let sure = slice.intervals.get(metric).map_or_else(String::new, |of| format!(" {}", interval(of)));
    let value = slice.metrics.get(metric).map_or_else(|| "–".to_owned(), |value| figure(*value));
    row(&[cell(&slice_name(slice)), units::count(slice.rows), format!("{value}{sure}")])
}

fn confusion(of: &Judgement) -> String {
    let Some(matrix) = of.confusion.as_ref().filter(|matrix| !matrix.classes.is_empty()) else {
        return String::new();
    };
    if matrix.classes.len() > CLASSES {
        let listed = mistakes(matrix, MISTAKES);
        let rows: Vec<String> = listed
            .iter()
            .map(|(truth, predicted, rows, part)| {
                row(&[cell(truth), cell(predicted), units::count(*rows), escape(&percent(*part))])
            })
            .collect();
        let head = format!("\n### Commonest mistakes of {} classes\n\n", matrix.classes.len());
        return head + &table(&["true", "predicted", "#rows", "#of the class"], &rows);
    }
    let headings: Vec<String> = std::iter::once("true, predicted →".to_owned())
        .chain(matrix.classes.iter().map(|class| format!("#{}", cell(class))))
        .collect();
    let rows: Vec<String> = matrix
        .classes
        .iter()
        .zip(&matrix.counts)
        .map(|(class, counts)| {
            let cells = counts.iter().map(|count| units::count(*count));
            row(&std::iter::once(format!("**{}**", cell(class))).chain(cells).collect::<Vec<_>>())
        })
        .collect();
    format!("\n### Confusion\n\n{}", table(&headings.iter().map(String::as_str).collect::<Vec<_>>(), &rows))
}
