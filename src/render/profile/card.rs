//! The card of one column.

use crate::base::units;
use crate::quality::report::Finding;
use crate::record::profile::ColumnProfile;
use crate::render::bins;
use crate::render::escape::{markup, shortened};
use crate::render::number::{percent, share};
use crate::render::page::fact;
use crate::render::plot::{self, Bar};
use crate::render::profile::statistics::{self, Statistic};
use crate::render::profile::{DriftNumber, ProfileDocument};
use crate::spec::schema::ColumnType;

/// Values that a plot of frequencies names; the rest is one bar.
const VALUES: usize = 7;
/// Values quoted for a column in which none repeats.
const EXAMPLES: usize = 4;

/// The card of `column`, the one at place `order` of the table.
pub fn card(document: &ProfileDocument<'_>, order: usize, column: &ColumnProfile) -> String {
    let compared = document.compared.as_ref();
    let old = compared.and_then(|compared| compared.profile.column(&column.name));
    let drift = compared.and_then(|compared| compared.drift.iter().find(|number| number.column == column.name));
    let findings: Vec<&Finding> =
        document.findings.iter().filter(|finding| finding.column.as_deref() == Some(&*column.name)).collect();
    let statistics = statistics::statistics(column, old);
    let changed = statistics.iter().any(Statistic::changed) || (compared.is_some() && old.is_none());
    let state = if compared.is_none() {
        ""
    } else if changed {
        "changed"
    } else {
        "same"
    };
    let (find, kind) = (markup(&column.name.to_lowercase()), column.column_type.name());
    let change = statistics::distance(column, old);
    let mut text = format!(
        "<article class=\"card\" id=\"c{order}\" data-order=\"{order}\" data-find=\"{find}\" data-type=\"{kind}\" \
         data-missing=\"{:.6}\" data-unique=\"{}\" data-state=\"{state}\" data-change=\"{change:.6}\">\n",
        share(column.missing, column.present + column.missing),
        column.unique
    );
    text.push_str(&format!("<header><h3><a href=\"#c{order}\">{}</a></h3>", markup(&name(column))));
    text.push_str(&badges(document, column, old, drift));
    text.push_str("</header>\n");
    text.push_str(&figure(column, old));
    text.push_str(&missing(column));
    text.push_str("<dl class=\"facts\">");
    for statistic in statistics.iter().filter(|statistic| statistic.leading).take(6) {
        let was = statistic.old.as_deref().filter(|_| statistic.changed());
        text.push_str(&fact(statistic.name, &statistic.new, was));
    }
    text.push_str("</dl>\n");
    text.push_str(&alerts(&findings));
    text.push_str(&statistics::table(&statistics, old.is_some()));
    text.push_str("</article>\n");
    text
}

fn name(column: &ColumnProfile) -> String {
    if column.name.trim().is_empty() { plot::visible(&column.name) } else { column.name.clone() }
}

fn badges(
    document: &ProfileDocument<'_>,
    column: &ColumnProfile,
    old: Option<&ColumnProfile>,
    drift: Option<&DriftNumber>,
) -> String {
    let mut text = String::new();
    let mut badge = |class: &str, words: &str| {
        text.push_str(&format!("<span class=\"badge {class}\">{}</span>", markup(words)));
    };
    let kind = column.column_type.name();
    match old.filter(|old| old.column_type != column.column_type) {
        Some(old) => badge("warning", &format!("{} → {kind}", old.column_type.name())),
        None => badge("", kind),
    }
    if document.target == Some(&*column.name) {
        badge("target", "target");
    }
    if document.compared.is_some() && old.is_none() {
        badge("new", "new");
    }
    if let Some(number) = drift {
        let (class, word) = if number.drifted { ("drift", "drifted") } else { ("pass", "no drift") };
        let statistic = crate::render::number::number(number.statistic);
        badge(class, &format!("{word}: {} {statistic}", number.test));
    }
    if column.present > 1 && column.unique == 1 {
        badge("warning", "constant");
    } else if column.present > 20 && column.unique == column.present && column.column_type != ColumnType::Float {
        badge("", "all different");
    }
    text
}

/// The plot that suits the column.
fn figure(column: &ColumnProfile, old: Option<&ColumnProfile>) -> String {
    if column.present == 0 && old.is_none_or(|old| old.present == 0) {
        return "<p class=\"empty\">No values</p>\n".to_owned();
    }
    let old = old.filter(|old| old.numbers.is_some() == column.numbers.is_some());
    let both: Vec<&ColumnProfile> = [Some(column), old].into_iter().flatten().collect();
    if column.numbers.is_some() {
        let Some(bins) = bins::bins(&both) else {
            return "<p class=\"empty\">No finite values</p>\n".to_owned();
        };
        let now = bins::shares(column, &bins.edges);
        let then = old.map(|old| (old, bins::shares(old, &bins.edges)));
        let then = then.as_ref().map(|(old, shares)| (*old, shares.as_slice()));
        let svg = plot::histogram(&bins, (column, &now), then);
        return format!("<figure>{svg}<figcaption>{}</figcaption></figure>\n", caption(&bins, &both));
    }
    if column.top.first().is_none_or(|(_, count)| *count == 1) && column.present > 20 {
        let shown = column.top.iter().take(EXAMPLES).map(|(value, _)| {
            let value = markup(&shortened(&plot::visible(value), 40));
            format!("<code>{value}</code>")
        });
        let shown: Vec<String> = shown.collect();
        return format!("<p class=\"lead\">No value repeats: {}, …</p>\n", shown.join(", "));
    }
    let bars = frequencies(column, old);
    let name = format!("Most frequent values of {}", column.name);
    format!("<figure>{}</figure>\n", plot::bars(&name, &bars))
}

fn caption(bins: &bins::Bins, columns: &[&ColumnProfile]) -> String {
    let mut words = vec!["share of values; below: 5 – 95 %, quartiles, median, mean"];
    if bins.cut {
        words.push("the outer 1 % at each end is left out");
    }
    let rough = |column: &&ColumnProfile| column.quantile_sketch.as_ref().is_some_and(|sketch| !sketch.exact);
    if columns.iter().any(rough) {
        words.push("drawn from a sketch");
    }
    words.join("; ")
}

/// The most frequent values of the newer version, with the share that the older one had of each.
fn frequencies(column: &ColumnProfile, old: Option<&ColumnProfile>) -> Vec<Bar> {
    let before = |value: &str| {
        let old = old?;
        let found = old.top.iter().find(|(known, _)| known == value).map(|(_, count)| *count);
        // A value that is not among the kept ones of a cut list had a share too small to draw.
        Some(share(found.unwrap_or(0), old.present))
    };
    let mut bars: Vec<Bar> = column
        .top
        .iter()
        .take(VALUES)
        .map(|(value, count)| bar(value, *count, column.present, before(value)))
        .collect();
    let rest = column.present.saturating_sub(column.top.iter().take(VALUES).map(|(_, count)| count).sum());
    if rest > 0 {
        let others = column.unique.saturating_sub(VALUES as u64);
        let seen: Option<f64> = bars.iter().map(|bar| bar.then).sum();
        bars.push(bar(&units::plural(others, "other"), rest, column.present, seen.map(|seen| (1.0 - seen).max(0.0))));
    }
    bars
}

fn bar(label: &str, count: u64, of: u64, then: Option<f64>) -> Bar {
    let now = share(count, of);
    let before = then.map_or_else(String::new, |then| format!(", before {}", percent(then)));
    let title = format!("{} ({}){before}", units::plural(count, "row"), percent(now));
    Bar { label: label.to_owned(), now, then, text: percent(now), title }
}

fn missing(column: &ColumnProfile) -> String {
    let part = share(column.missing, column.present + column.missing);
    if column.missing == 0 {
        return String::new();
    }
    let label = format!("{} of rows have no value", percent(part));
    format!(
        "<div class=\"meter\"><span>missing</span>\
         <div role=\"img\" aria-label=\"{label}\"><i style=\"width:{:.2}%\"></i></div>\
         <span>{} ({})</span></div>\n",
        (part * 100.0).max(0.5),
        percent(part),
        units::count(column.missing)
    )
}

/// Findings in few words.
pub fn alerts(findings: &[&Finding]) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let items = findings.iter().map(|finding| {
        let (severity, code) = (finding.severity.name(), markup(&finding.code));
        let observed = markup(&finding.observed);
        format!("<li class=\"{severity}\"><b>{severity}</b> <code>{code}</code> {observed}</li>")
    });
    format!("<ul class=\"alerts\">{}</ul>\n", items.collect::<String>())
}
