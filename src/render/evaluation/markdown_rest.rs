//! What is folded in the comment: all metrics, slices, fairness, robustness, costs, and how it was measured.

use std::collections::BTreeMap;

use crate::base::units;
use crate::record::evaluation::{Judgement, SliceResult};
use crate::render::escape::markdown as escape;
use crate::render::evaluation::figures::{figure, signed};
use crate::render::evaluation::markdown::{cell, metric_table, more, row, sentence, slice_row, table};
use crate::render::evaluation::parts::method;
use crate::render::evaluation::{EvaluationDocument, cost_words, disturbance_words};
use crate::render::explanation::short;

/// Slices listed.
const SLICES: usize = 60;
/// Columns of the importance.
const COLUMNS: usize = 15;

/// Folded parts, with what they are called when they are left out.
pub fn parts<'a>(document: &EvaluationDocument<'_>) -> Vec<(&'a str, String)> {
    let of = document.judgement;
    vec![
        ("all metrics", folded("All metrics", &metric_table(document, &document.metric_names()))),
        ("slices", slices(of)),
        ("fairness", folded("Fairness", &facets(of))),
        ("robustness", folded("Robustness", &robustness(of))),
        ("costs", folded("Costs", &costs(document.costs))),
        ("importance", folded("What the model relies on", &importance(document))),
        ("how it was measured", folded("How this was measured", &words(document))),
    ]
}

fn folded(summary: &str, inside: &str) -> String {
    if inside.is_empty() {
        return String::new();
    }
    format!("\n<details><summary>{summary}</summary>\n\n{inside}\n</details>\n")
}

fn slices(of: &Judgement) -> String {
    let list = |slices: &[SliceResult]| {
        let rows: Vec<String> = slices.iter().take(SLICES).map(|slice| slice_row(slice, &of.headline)).collect();
        let headline = format!("#{}", cell(&of.headline));
        table(&["slice", "#rows", &headline], &rows) + &more(slices.len(), SLICES)
    };
    if of.slices.is_empty() {
        return String::new();
    }
    let summary = units::plural(of.slices.len() as u64, "slice");
    folded(&summary, &list(&of.slices))
}

fn facets(of: &Judgement) -> String {
    let mut text = String::new();
    for facet in &of.facets {
        let measures = |all: &BTreeMap<String, f64>, kind: &str| {
            let rows = all.iter().map(|(measure, value)| row(&[cell(measure), kind.to_owned(), figure(*value)]));
            rows.collect::<Vec<_>>()
        };
        let mut rows = measures(&facet.pre_training, "data");
        rows.extend(measures(&facet.post_training, "answers"));
        text.push_str(&format!(
            "**{}**: {} of this group, {} of all others; favourable: {}.\n\n{}\n",
            cell(&format!("{}={}", facet.column, facet.value)),
            units::plural(facet.rows, "row"),
            units::count(facet.rest),
            cell(&facet.favourable),
            table(&["measure", "of the", "#value"], &rows)
        ));
    }
    text
}

fn robustness(of: &Judgement) -> String {
    let rows: Vec<String> = of
        .robustness
        .iter()
        .take(SLICES)
        .map(|result| {
            row(&[
                escape(&disturbance_words(&result.kind, result.amount)),
                result.column.as_deref().map_or_else(|| "all".to_owned(), cell),
                cell(&result.metric),
                figure(result.before),
                figure(result.after),
                signed(result.after - result.before),
            ])
        })
        .collect();
    table(&["disturbance", "column", "metric", "#before", "#after", "#change"], &rows)
        + &more(of.robustness.len(), SLICES)
}

fn costs(costs: &BTreeMap<String, f64>) -> String {
    let rows: Vec<String> = costs.iter().map(|(name, value)| row(&[cell(name), cost_words(name, *value)])).collect();
    table(&["cost", "#on this machine"], &rows)
}

fn importance(document: &EvaluationDocument<'_>) -> String {
    let Some(of) = document.importance.filter(|of| !of.columns.is_empty()) else {
        return String::new();
    };
    let rows: Vec<String> =
        of.columns.iter().take(COLUMNS).map(|column| row(&[cell(&column.name), short(column.value)])).collect();
    let list = table(&["column", "#importance"], &rows);
    format!("{}\n\n{list}{}", sentence(&of.source), more(of.columns.len(), COLUMNS))
}

fn words(document: &EvaluationDocument<'_>) -> String {
    method(document).iter().map(|item| format!("- {}\n", sentence(item))).collect()
}
