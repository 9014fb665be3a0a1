//! The page about a validation.

use crate::base::limits::DOCUMENT_FINDINGS_MAX;
use crate::base::units;
use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::render::escape::{code_spans, markup};
use crate::render::page::{self, fact};
use crate::render::plot;
use crate::render::validation::{SEVERITIES, ValidationDocument};

/// The page: the verdict, counts, and every finding with its rule, rows, fix and histograms.
pub fn html(document: &ValidationDocument<'_>) -> String {
    let mut body = String::new();
    if !document.findings.is_empty() {
        let mut codes: Vec<String> = document.findings.iter().map(|finding| finding.code.clone()).collect();
        codes.sort();
        codes.dedup();
        let severities = SEVERITIES.iter().filter(|severity| document.count(**severity) > 0);
        let severities = severities.map(|severity| severity.name().to_owned()).collect();
        let filters = [("severity", "Severity", severities), ("code", "Code", codes)];
        let orders = [("order up", "worst first"), ("rows down", "most rows first"), ("find up", "by column")];
        body.push_str(&page::tools("a finding", &filters, &orders));
    }
    body.push_str("<main>\n");
    if document.findings.is_empty() {
        body.push_str("<p class=\"empty\">Nothing to report: every check of the schema holds.</p>\n");
    }
    body.push_str("<div data-list>\n");
    for (order, finding) in document.findings.iter().enumerate().take(DOCUMENT_FINDINGS_MAX) {
        body.push_str(&article(order, finding));
    }
    body.push_str("</div>\n");
    if document.findings.len() > DOCUMENT_FINDINGS_MAX {
        let (shown, all) = (DOCUMENT_FINDINGS_MAX as u64, document.findings.len() as u64);
        let words = format!("The first {} of {} are shown.", units::count(shown), units::plural(all, "finding"));
        body.push_str(&format!("<p class=\"empty\">{words}</p>\n"));
    }
    body.push_str("</main>\n");
    page::page(&format!("{} · validation", document.dataset), &head(document), &body)
}

fn head(document: &ValidationDocument<'_>) -> String {
    let (sign, words) = match document.verdict {
        Verdict::Pass => ("✓", "Valid"),
        Verdict::Fail => ("✕", "Not valid"),
        Verdict::None => ("–", "Not judged"),
    };
    let against = document.against.map_or_else(String::new, |label| format!(" and <b>{}</b>", markup(label)));
    let mut text = format!(
        "<p class=\"kicker\">Validation</p>\n<h1>{}</h1>\n<p class=\"lead\">against <b>{}</b>{against}</p>\n\
         <p class=\"verdict {}\"><span aria-hidden=\"true\">{sign}</span>{words}</p>\n<dl class=\"tiles\">\n",
        markup(document.dataset),
        markup(document.schema),
        document.verdict.name()
    );
    for severity in SEVERITIES {
        let note = if severity >= document.fail_on { "fails the table" } else { "" };
        let noun = match severity.name() {
            "info" => "Notes",
            "warning" => "Warnings",
            _ => "Errors",
        };
        text.push_str(&page::tile(noun, &units::count(document.count(severity)), note));
    }
    text.push_str(&page::tile("Rows checked", &units::count(document.rows), ""));
    text.push_str("</dl>\n");
    text
}

fn article(order: usize, finding: &Finding) -> String {
    let (severity, code) = (finding.severity.name(), markup(&finding.code));
    let column = finding.column.as_deref();
    let find = format!("{} {} {}", column.unwrap_or(""), finding.code, finding.observed).to_lowercase();
    let place = match column {
        Some(column) => format!("column <b>{}</b>", markup(&plot::visible(column))),
        None => "the table".to_owned(),
    };
    let rows = if finding.rows.is_empty() { String::new() } else { units::plural(finding.count, "row") };
    let mut text = format!(
        "<article class=\"card finding {severity}\" data-order=\"{order}\" data-find=\"{}\" \
         data-severity=\"{severity}\" data-code=\"{code}\" data-rows=\"{}\">\n\
         <header><span class=\"badge {severity}\">{severity}</span><h3>{code}</h3><span class=\"where\">{place}</span>\
         <span class=\"rows\">{rows}</span></header>\n<dl class=\"facts\">",
        markup(&find),
        if finding.rows.is_empty() { 0 } else { finding.count }
    );
    for (name, value) in
        [("rule", &finding.constraint), ("observed", &finding.observed), ("expected", &finding.expected)]
    {
        if !value.is_empty() {
            text.push_str(&fact(name, value, None));
        }
    }
    text.push_str("</dl>\n");
    text.push_str(&histograms(finding));
    text.push_str(&samples(finding));
    if !finding.fix.is_empty() {
        text.push_str(&format!("<p class=\"fix\"><b>To settle it</b>{}</p>\n", code_spans(&finding.fix, markup)));
    }
    text.push_str("</article>\n");
    text
}

fn histograms(finding: &Finding) -> String {
    let Some(both) = &finding.histograms else {
        return String::new();
    };
    let name = format!("Distributions of {}, before and now", finding.column.as_deref().unwrap_or("the table"));
    format!(
        "<figure>{}<figcaption><span class=\"key\"><i></i>now</span>\
         <span class=\"key\"><i class=\"then\"></i>before</span>\
         share of values</figcaption></figure>\n",
        plot::columns(&name, &both.labels, &both.current, &both.reference)
    )
}

fn samples(finding: &Finding) -> String {
    if finding.rows.is_empty() {
        return String::new();
    }
    let shown = finding.rows.len() as u64;
    let title = match shown < finding.count {
        true => format!("First {} of {}", units::count(shown), units::plural(finding.count, "row")),
        false => units::plural(shown, "row"),
    };
    if finding.samples.is_empty() {
        let numbers: Vec<String> = finding.rows.iter().map(|row| units::count(*row)).collect();
        let rest = if shown < finding.count { ", …" } else { "" };
        return format!("<details><summary>{title}</summary><p>{}{rest}</p></details>\n", numbers.join(", "));
    }
    let lines = finding.rows.iter().enumerate().map(|(place, row)| {
        let value = finding.samples.get(place).map(|sample| markup(&plot::visible(sample))).unwrap_or_default();
        format!("<tr><th>{}</th><td><code>{value}</code></td></tr>", units::count(*row))
    });
    format!(
        "<details><summary>{title}</summary><table class=\"samples\"><thead><tr><th>row</th><th>value</th></tr></thead>\
         {}</table></details>\n",
        lines.collect::<String>()
    )
}
