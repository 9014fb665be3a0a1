//! The lower sections of the page: slices, importance, fairness, robustness, costs, and how it was measured.

use crate::base::units;
use crate::record::evaluation::{FacetResult, SliceResult};
use crate::render::evaluation::dots::{Dot, dots};
use crate::render::evaluation::figures::{figure, interval, signed};
use crate::render::evaluation::measures::sentence;
use crate::render::evaluation::{EvaluationDocument, clipped, cost_words, disturbance_words, name, slice_name};
use crate::render::explanation::importance::{Bar, bars};
use crate::render::number::{number, percent};

/// Slices drawn of one column.
const SLICES: usize = 40;
/// Metrics beside the headline in the table of slices.
const METRICS: usize = 5;
/// Columns of the importance.
const COLUMNS: usize = 25;

fn as_dots(of: &[&SliceResult], headline: &str) -> Vec<Dot> {
    let dot = |slice: &&SliceResult| {
        let value = *slice.metrics.get(headline)?;
        let interval = slice.intervals.get(headline).copied();
        Some(Dot { name: slice_name(slice), rows: Some(slice.rows), value, interval, other: None })
    };
    of.iter().filter_map(dot).take(SLICES).collect()
}

/// A panel of some slices: dots with intervals beside the value of all rows, and the table.
fn slice_panel(document: &EvaluationDocument<'_>, title: &str, about: &str, slices: &[&SliceResult]) -> String {
    let of = document.judgement;
    let overall = of.metrics.get(&of.headline).copied();
    let lines = as_dots(slices, &of.headline);
    let without = slices.iter().filter(|slice| !slice.metrics.contains_key(&of.headline)).count();
    let mut notes = Vec::new();
    if slices.len() - without > SLICES {
        notes.push(format!("The first {SLICES} of {} are drawn.", units::plural(slices.len() as u64, "slice")));
    }
    if without > 0 {
        let count = units::plural(without as u64, "slice");
        notes.push(format!("{count} without a value of {} (too few rows, or of one class only).", name(&of.headline)));
    }
    let picture = match lines.is_empty() {
        true => String::new(),
        false => {
            let said = format!("{} of slices of {}", clipped(&of.headline, 40), clipped(title, 60));
            let plot = dots(&said, &lines, overall, document.higher_is_better(&of.headline));
            format!("<div class=\"scroll\"><figure class=\"wide\">{plot}</figure></div>")
        }
    };
    format!(
        "<div class=\"panel\"><h3>{}</h3><p>{about}{}</p>{picture}{}</div>",
        name(title),
        notes.join(" "),
        slice_table(document, slices)
    )
}

fn slice_table(document: &EvaluationDocument<'_>, slices: &[&SliceResult]) -> String {
    let of = document.judgement;
    let there = |metric: &str| slices.iter().any(|slice| slice.metrics.contains_key(metric));
    let names: Vec<&str> =
        document.metric_names().into_iter().filter(|metric| there(metric)).take(METRICS + 1).collect();
    let heads: String = names.iter().map(|metric| format!("<th class=\"n\">{}</th>", name(metric))).collect();
    let mut rows = String::new();
    for slice in slices.iter().take(5 * SLICES) {
        let cell = |metric: &&str| {
            let sure =
                slice.intervals.get(*metric).map_or_else(String::new, |of| format!("<small>{}</small>", interval(of)));
            let value = slice.metrics.get(*metric).map_or_else(String::new, |value| figure(*value));
            format!("<td class=\"n\">{value}{sure}</td>")
        };
        rows.push_str(&format!(
            "<tr><td>{}</td><td class=\"n\">{}</td>{}</tr>",
            name(&slice_name(slice)),
            units::count(slice.rows),
            names.iter().map(cell).collect::<String>()
        ));
    }
    let share = |slice: &&SliceResult| slice.rows as f64 / of.rows.max(1) as f64;
    let smallest = slices.iter().map(share).fold(f64::INFINITY, f64::min);
    format!(
        "<details><summary>as a table (the smallest slice has {} of the rows)</summary><div \
        class=\"scroll\"><table><thead><tr>\
         <th>slice</th><th class=\"n\">rows</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div></details>",
        percent(if smallest.is_finite() { smallest } else { 0.0 })
    )
}

/// Slices that were asked for, a panel a column, and the worst ones that were found.
pub fn slices(document: &EvaluationDocument<'_>) -> String {
    let of = document.judgement;
    if of.slices.is_empty() && of.worst_slices.is_empty() {
        return String::new();
    }
    let headline = name(&of.headline);
    let mut panels = String::new();
    let mut columns: Vec<&str> = Vec::new();
    for slice in &of.slices {
        if !columns.contains(&slice.column.as_str()) {
            columns.push(&slice.column);
        }
    }
    for column in columns {
        let held: Vec<&SliceResult> = of.slices.iter().filter(|slice| slice.column == column).collect();
        let about = format!("{headline} of each slice beside that of all rows (the line). ");
        panels.push_str(&slice_panel(document, column, &about, &held));
    }
    if !of.worst_slices.is_empty() {
        let held: Vec<&SliceResult> = of.worst_slices.iter().collect();
        let about = format!("Found without being asked for: where {headline} is worst, the worst first. ");
        panels.push_str(&slice_panel(document, "Worst slices", &about, &held));
    }
    format!("<h2 id=\"slices\">Slices</h2>\n<div class=\"pair\">{panels}</div>\n")
}

/// What the model relies on, or that nobody knows.
pub fn importance(document: &EvaluationDocument<'_>) -> String {
    let body = match document.importance.filter(|of| !of.columns.is_empty()) {
        None => "<p>Not known: this model says nothing of it by itself. <code>mlops explain</code> finds out.</p>"
            .to_owned(),
        Some(of) => {
            let names: Vec<String> = of.columns.iter().take(COLUMNS).map(|column| clipped(&column.name, 120)).collect();
            let drawn: Vec<Bar<'_>> = of
                .columns
                .iter()
                .zip(&names)
                .map(|(column, name)| {
                    let title = column.interval.map_or_else(String::new, |(low, high)| {
                        format!("interval {} to {}", number(low), number(high))
                    });
                    Bar { name, value: column.value, interval: column.interval, title }
                })
                .collect();
            let more = match of.columns.len().saturating_sub(COLUMNS) {
                0 => String::new(),
                more => format!(" {more} more columns are not drawn."),
            };
            let plot = bars("Importance of columns", &drawn, &[]);
            format!("<p>{}{more}</p><figure class=\"wide\">{plot}</figure>", sentence(&of.source))
        }
    };
    format!("<h2 id=\"importance\">What the model relies on</h2>\n<div class=\"panel\">{body}</div>\n")
}

/// Fairness to each group, nothing when none was asked for.
pub fn facets(document: &EvaluationDocument<'_>) -> String {
    let facets = &document.judgement.facets;
    if facets.is_empty() {
        return String::new();
    }
    let panel = |facet: &FacetResult| {
        let measures = |all: &std::collections::BTreeMap<String, f64>| {
            let rows = all.iter().map(|(measure, value)| {
                format!("<tr><td>{}</td><td class=\"n\">{}</td></tr>", name(measure), figure(*value))
            });
            rows.collect::<String>()
        };
        format!(
            "<div class=\"panel\"><h3>{}</h3><p>{} of this group, {} of all others; favourable: {}.</p><div \
            class=\"pair narrow\">\
             <table><thead><tr><th>of the data</th><th class=\"n\"></th></tr></thead><tbody>{}</tbody></table>\
             <table><thead><tr><th>of the answers</th><th class=\"n\"></th></tr></thead><tbody>{}</tbody></table>\
             </div></div>",
            name(&format!("{}={}", facet.column, facet.value)),
            units::plural(facet.rows, "row"),
            units::count(facet.rest),
            name(&facet.favourable),
            measures(&facet.pre_training),
            measures(&facet.post_training)
        )
    };
    let panels: String = facets.iter().map(panel).collect();
    format!(
        "<h2 id=\"fairness\">Fairness</h2>\n<p class=\"lead\">Measures of SageMaker Clarify; <code>mlops evaluate \
        --help</code> has the \
         formulas. 0 is equal treatment, for DI 1.</p>\n<div class=\"pair\">{panels}</div>\n"
    )
}

/// What disturbances do.
pub fn robustness(document: &EvaluationDocument<'_>) -> String {
    let of = &document.judgement.robustness;
    if of.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for result in of {
        let deviation = result.deviation.map_or_else(String::new, |deviation| format!(" ± {}", figure(deviation)));
        rows.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}{deviation}</td><td \
            class=\"n\">{}</td></tr>",
            sentence(&disturbance_words(&result.kind, result.amount)),
            result.column.as_deref().map_or_else(|| "all columns".to_owned(), name),
            name(&result.metric),
            figure(result.before),
            figure(result.after),
            signed(result.after - result.before)
        ));
    }
    format!(
        "<h2 id=\"robustness\">Robustness</h2>\n<div class=\"panel scroll\"><table \
        class=\"roomy\"><thead><tr><th>disturbance</th>\
         <th>column</th><th>metric</th><th class=\"n\">before</th><th class=\"n\">after</th>\
         <th class=\"n\">change</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

/// What an answer costs.
pub fn costs(document: &EvaluationDocument<'_>) -> String {
    if document.costs.is_empty() {
        return String::new();
    }
    let row = |(cost, value): (&String, &f64)| {
        format!("<tr><td>{}</td><td class=\"n\">{}</td></tr>", name(cost), sentence(&cost_words(cost, *value)))
    };
    let rows: String = document.costs.iter().map(row).collect();
    format!(
        "<h2 id=\"costs\">Costs</h2>\n<div class=\"panel\"><p>Measured on this machine; another one, or a busy one, \
        gives other \
         numbers.</p><table class=\"few\"><tbody>{rows}</tbody></table></div>\n"
    )
}

/// Sentences on how everything was measured.
pub fn method(document: &EvaluationDocument<'_>) -> Vec<String> {
    let of = document.judgement;
    let mut words = vec![match of.rows_of.as_str() {
        "test" => "Measured on the test rows, which neither fitting nor choosing saw.".to_owned(),
        "validation" => "Measured on the validation rows, which choosing saw: they flatter the model.".to_owned(),
        "train" => "Measured on the rows that the model was fitted on, which flatters it.".to_owned(),
        _ => "Measured on all rows of the dataset that have the truth.".to_owned(),
    }];
    if let Some(weight) = &of.weight {
        words.push(format!("Rows are weighed by the column {weight}."));
    }
    match &of.interval_method {
        Some(method) => words.push(format!(
            "Intervals hold the true value in {} of cases: {} of {} resamples, drawn from the seed.",
            percent(method.level),
            method.name.replace('_', " "),
            units::count(u64::from(method.resamples))
        )),
        None if of.intervals.is_empty() => words.push("No intervals were asked for.".to_owned()),
        None => {}
    }
    if of.baseline.is_some() {
        words.push("The baseline gives every row the one answer that suits the training rows best.".to_owned());
    }
    if !of.headline.is_empty() {
        words.push(format!("{} stands for all metrics where one number is needed.", of.headline));
    }
    if !document.evaluation.is_empty() {
        words.push(format!("Evaluation {}; equal inputs give equal numbers, costs aside.", document.evaluation));
    }
    words
}
