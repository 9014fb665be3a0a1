//! The verdict with its gates, findings, and the table of metrics of the page.

use crate::base::units;
use crate::record::evaluation::{GateResult, Judgement, Verdict};
use crate::render::escape::{markup, shortened};
use crate::render::evaluation::figures::{figure, interval};
use crate::render::evaluation::{EvaluationDocument, chart, clipped, name};
use crate::render::page::tile;

/// Metrics that stand in the open.
const OPEN: usize = 14;
/// Characters of a sentence made of data.
const SENTENCE: usize = 600;

/// Text made of data for element content, cut.
pub fn sentence(text: &str) -> String {
    markup(&shortened(text, SENTENCE))
}

/// The verdict as a badge of the head of the page.
pub fn verdict(of: &EvaluationDocument<'_>) -> String {
    let (sign, word) = match of.judgement.verdict {
        Verdict::Pass => ("✓", "Pass"),
        Verdict::Fail => ("✕", "Fail"),
        Verdict::None => ("–", "No verdict"),
    };
    format!(
        "<p class=\"verdict {}\"><span aria-hidden=\"true\">{sign}</span>{word}: {}</p>\n",
        of.judgement.verdict.name(),
        of.verdict_words()
    )
}

/// The big numbers of the head of the page.
pub fn tiles(document: &EvaluationDocument<'_>) -> String {
    let of = document.judgement;
    let mut text = "<dl class=\"tiles\">\n".to_owned();
    let headline = clipped(&of.headline, 40);
    if let Some(value) = of.metrics.get(&of.headline) {
        let sure = of.intervals.get(&of.headline).map_or_else(String::new, interval);
        text.push_str(&tile(&headline, &figure(*value), &sure));
    }
    if let Some((other, change)) =
        of.comparison.as_ref().and_then(|other| Some((other, other.metrics.get(&of.headline)?)))
    {
        let mark = match change.better {
            Some(true) => "better beyond chance",
            Some(false) => "worse beyond chance",
            None => "chance would explain it",
        };
        let title = format!("against {}", clipped(&other.name, 40));
        text.push_str(&tile(&title, &super::figures::signed(change.difference), mark));
    }
    if let Some(value) = of.baseline.as_ref().and_then(|baseline| baseline.get(&of.headline)) {
        text.push_str(&tile("Baseline", &figure(*value), &headline));
    }
    text.push_str(&tile("Rows", &units::count(of.rows), &of.rows_of));
    if !of.gates.is_empty() {
        let held = of.gates.iter().filter(|gate| gate.verdict == Verdict::Pass).count();
        text.push_str(&tile("Gates", &format!("{held} of {}", of.gates.len()), "hold"));
    }
    text.push_str("</dl>\n");
    text
}

/// The table of gates.
pub fn gates(of: &Judgement) -> String {
    if of.gates.is_empty() {
        return String::new();
    }
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), figure);
    let row = |gate: &GateResult| {
        let badge = if gate.verdict == Verdict::Pass { "pass" } else { "error" };
        format!(
            "<tr><td><span class=\"badge {badge}\">{}</span></td><td><code>{}</code></td><td class=\"n\">{}</td><td \
            class=\"n\">{}</td>\
             <td>{}</td></tr>",
            gate.verdict.name(),
            markup(&shortened(&gate.expression, 200)),
            number(gate.value),
            number(gate.bound),
            sentence(&gate.reason)
        )
    };
    let rows: String = of.gates.iter().map(row).collect();
    format!(
        "<h2 id=\"gates\">Gates</h2>\n<div class=\"panel scroll\"><table \
        class=\"roomy\"><thead><tr><th>verdict</th><th>what must hold</th>\
         <th class=\"n\">value</th><th class=\"n\">bound</th><th>why</th></tr></thead><tbody>{rows}</tbody></table>\
         </div>\n"
    )
}

/// What is odd about the rows.
pub fn findings(of: &Judgement) -> String {
    if of.findings.is_empty() {
        return String::new();
    }
    let mut items = String::new();
    for finding in &of.findings {
        let class = match finding.severity.as_str() {
            "error" => "error",
            "warning" => "warning",
            _ => "info",
        };
        let rows = finding.rows.map_or_else(String::new, |rows| format!(" ({})", units::plural(rows, "row")));
        items.push_str(&format!(
            "<li class=\"{class}\"><b>{}</b> {}{rows}</li>",
            markup(&shortened(&finding.code, 60)),
            sentence(&finding.message)
        ));
    }
    format!("<h2 id=\"findings\">What is odd about these rows</h2>\n<ul class=\"alerts\">{items}</ul>\n")
}

/// All metrics, what people look at first in the open.
pub fn metrics(document: &EvaluationDocument<'_>) -> String {
    let names = document.metric_names();
    if names.is_empty() {
        return String::new();
    }
    let (open, folded) = names.split_at(names.len().min(OPEN));
    let mut keys = vec!["<span class=\"key\"><i class=\"point\"></i>this model, with its interval</span>".to_owned()];
    if document.judgement.baseline.is_some() {
        keys.push("<span class=\"key\"><i class=\"bar baseline\"></i>baseline</span>".to_owned());
    }
    if let Some(other) = &document.judgement.comparison {
        keys.push(format!("<span class=\"key\"><i class=\"circle\"></i>{}</span>", name(&other.name)));
    }
    let mut text = format!(
        "<h2 id=\"metrics\">Metrics</h2>\n<div class=\"panel\"><p class=\"keys\">{}</p><div class=\"scroll\">{}</div>",
        keys.concat(),
        table(document, open)
    );
    if !folded.is_empty() {
        let more = units::plural(folded.len() as u64, "more metric");
        text.push_str(&format!(
            "<details><summary>{more}</summary><div class=\"scroll\">{}</div></details>",
            table(document, folded)
        ));
    }
    text.push_str("</div>\n");
    text
}

fn table(document: &EvaluationDocument<'_>, names: &[&str]) -> String {
    let of = document.judgement;
    let other = of.comparison.as_ref();
    let mut heads = "<th>metric</th><th class=\"n\">value</th><th>interval</th><th class=\"picture\"></th>".to_owned();
    if of.baseline.is_some() {
        heads.push_str("<th class=\"n\">baseline</th>");
    }
    if let Some(other) = other {
        heads.push_str(&format!("<th class=\"n\">{}</th>", name(&other.name)));
    }
    let mut rows = String::new();
    for metric in names {
        let Some(value) = of.metrics.get(*metric).copied() else { continue };
        let sure = of.intervals.get(*metric);
        let base = of.baseline.as_ref().map(|all| all.get(*metric).copied());
        let theirs = other.map(|other| other.other_metrics.get(*metric).copied());
        let about = document.words(metric).map_or("", |words| words.about.as_str());
        let title = format!("{}: {}", clipped(metric, 60), document.value_words(metric));
        let cell = |value: Option<Option<f64>>| {
            value.map_or_else(String::new, |value| {
                format!("<td class=\"n\">{}</td>", value.map_or_else(String::new, figure))
            })
        };
        rows.push_str(&format!(
            "<tr><td><b>{}</b>{}</td><td class=\"n\">{}</td><td class=\"sure\">{}</td><td \
            class=\"picture\">{}</td>{}{}</tr>",
            name(metric),
            if about.is_empty() { String::new() } else { format!("<small>{}</small>", markup(&shortened(about, 160))) },
            figure(value),
            sure.map_or_else(String::new, interval),
            chart::value(&title, value, sure, base.flatten(), theirs.flatten()),
            cell(base),
            cell(theirs)
        ));
    }
    format!("<table class=\"roomy metrics\"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
}
