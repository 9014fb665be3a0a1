//! A profile as one page: an overview, a card a column, associations, two versions side by side.

mod associations;
mod card;
mod statistics;

use crate::base::limits::PAGE_COLUMNS_MAX;
use crate::base::units;
use crate::quality::report::Finding;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::render::escape::markup;
use crate::render::number::{percent, share};
use crate::render::page;

/// All that a page about a profile shows. Borrowed from whoever made it; nothing here computes statistics.
#[derive(Clone, Debug)]
pub struct ProfileDocument<'a> {
    /// What is described: `penguins@v2`.
    pub title: &'a str,
    /// Its statistics.
    pub profile: &'a ProfileRecord,
    /// More to know of it, as name and text: where it came from, when.
    pub facts: Vec<(String, String)>,
    /// The column to predict.
    pub target: Option<&'a str>,
    /// Rows that repeat an earlier row, when counted.
    pub duplicates: Option<u64>,
    /// The older version to lay beside it.
    pub compared: Option<ComparedProfile<'a>>,
    /// Correlations of columns, one matrix a method.
    pub correlations: Vec<CorrelationMatrix>,
    /// What each column tells of the target.
    pub information: Option<TargetInformation>,
    /// What was found wrong; those about a column stand in its card.
    pub findings: &'a [Finding],
}

/// The older of two versions.
#[derive(Clone, Debug)]
pub struct ComparedProfile<'a> {
    /// What a person calls it: `penguins@v1`.
    pub label: &'a str,
    /// Its statistics.
    pub profile: &'a ProfileRecord,
    /// How far columns moved, when tested.
    pub drift: Vec<DriftNumber>,
}

/// How far one column moved between two versions.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftNumber {
    /// The column.
    pub column: String,
    /// Name of the test or distance.
    pub test: String,
    /// Its value.
    pub statistic: f64,
    /// From (for p-values: below) which value the column counts as drifted.
    pub threshold: f64,
    /// Whether it does.
    pub drifted: bool,
}

/// Correlations of columns with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct CorrelationMatrix {
    /// How they are measured: `Pearson`, `Spearman`.
    pub method: String,
    /// The columns.
    pub columns: Vec<String>,
    /// `values[row][column]` in `[-1, 1]`; `None` where there is none.
    pub values: Vec<Vec<Option<f64>>>,
}

/// Mutual information of columns with the target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetInformation {
    /// The target.
    pub target: String,
    /// Unit of the values: `bits`, `nats`, `share of the target's entropy`.
    pub unit: String,
    /// Column and value, in any order.
    pub values: Vec<(String, f64)>,
}

/// The page. At most [`PAGE_COLUMNS_MAX`] columns get a card, and the page says when there are more.
pub fn html(document: &ProfileDocument<'_>) -> String {
    let profile = document.profile;
    let mut body = String::new();
    let kinds = kinds(profile);
    let mut filters = vec![("type", "Type", kinds.iter().map(|(kind, _)| (*kind).to_owned()).collect::<Vec<_>>())];
    let mut orders = vec![
        ("order up", "as in the table"),
        ("find up", "by name"),
        ("missing down", "most missing first"),
        ("unique down", "most distinct first"),
    ];
    if document.compared.is_some() {
        filters.push(("state", "Compared", vec!["changed".to_owned(), "same".to_owned()]));
        orders.push(("change down", "most changed first"));
    }
    body.push_str(&page::tools("a column", &filters, &orders));
    body.push_str("<main>\n");
    body.push_str(&table_findings(document.findings));
    body.push_str("<h2 id=\"columns\">Columns</h2>\n");
    body.push_str(&legend(document));
    if profile.columns.len() > PAGE_COLUMNS_MAX {
        body.push_str(&format!(
            "<p class=\"lead\">The first {} of {} columns are shown.</p>\n",
            units::count(PAGE_COLUMNS_MAX as u64),
            units::count(profile.columns.len() as u64)
        ));
    }
    body.push_str("<div class=\"grid\" data-list>\n");
    for (order, column) in profile.columns.iter().enumerate().take(PAGE_COLUMNS_MAX) {
        body.push_str(&card::card(document, order, column));
    }
    body.push_str("</div>\n");
    if profile.columns.is_empty() {
        body.push_str("<p class=\"empty\">The table has no columns.</p>\n");
    }
    body.push_str(&gone(document));
    body.push_str(&associations::section(document));
    body.push_str("</main>\n");
    page::page(&format!("{} · profile", document.title), &head(document, &kinds), &body)
}

/// Column types with their numbers of columns, most frequent first.
fn kinds(profile: &ProfileRecord) -> Vec<(&'static str, u64)> {
    let mut kinds: Vec<(&'static str, u64)> = Vec::new();
    for column in &profile.columns {
        let name = column.column_type.name();
        match kinds.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => kinds.push((name, 1)),
        }
    }
    kinds.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    kinds
}

fn head(document: &ProfileDocument<'_>, kinds: &[(&str, u64)]) -> String {
    let profile = document.profile;
    let kicker = if document.compared.is_some() { "Comparison of two versions" } else { "Profile" };
    let mut text = format!("<p class=\"kicker\">{kicker}</p>\n<h1>{}</h1>\n", markup(document.title));
    if let Some(compared) = &document.compared {
        let label = markup(compared.label);
        text.push_str(&format!("<p class=\"lead\">beside the older version <b>{label}</b></p>\n"));
    }
    if !document.facts.is_empty() {
        let facts = document.facts.iter().map(|(name, value)| format!("{} <b>{}</b>", markup(name), markup(value)));
        text.push_str(&format!("<p class=\"lead\">{}</p>\n", facts.collect::<Vec<_>>().join(" · ")));
    }
    let missing = |profile: &ProfileRecord| profile.columns.iter().map(|column| column.missing).sum::<u64>();
    let cells = profile.rows * profile.columns.len() as u64;
    let old = document.compared.as_ref().map(|compared| compared.profile);
    let was = |pick: &dyn Fn(&ProfileRecord) -> String| old.map(|old| format!("was {}", pick(old))).unwrap_or_default();
    text.push_str("<dl class=\"tiles\">\n");
    text.push_str(&page::tile("Rows", &units::count(profile.rows), &was(&|old| units::count(old.rows))));
    let columns = |profile: &ProfileRecord| units::count(profile.columns.len() as u64);
    text.push_str(&page::tile("Columns", &columns(profile), &was(&columns)));
    let absent = percent(share(missing(profile), cells));
    let note = match old {
        Some(old) => format!("was {}", percent(share(missing(old), old.rows * old.columns.len() as u64))),
        None => format!("{} of {} cells", units::count(missing(profile)), units::count(cells)),
    };
    text.push_str(&page::tile("Missing cells", &absent, &note));
    if let Some(count) = document.duplicates {
        let note = percent(share(count, profile.rows));
        text.push_str(&page::tile("Repeated rows", &units::count(count), &note));
    }
    if let Some(compared) = &document.compared {
        let drifted = compared.drift.iter().filter(|number| number.drifted).count();
        if !compared.drift.is_empty() {
            let note = format!("of {} tested", compared.drift.len());
            text.push_str(&page::tile("Drifted columns", &units::count(drifted as u64), &note));
        }
    }
    if !document.findings.is_empty() {
        text.push_str(&page::tile("Findings", &units::count(document.findings.len() as u64), ""));
    }
    text.push_str("</dl>\n");
    text.push_str(&type_bar(kinds));
    text
}

/// A line divided by column types.
fn type_bar(kinds: &[(&str, u64)]) -> String {
    let parts = kinds.iter().map(|(kind, count)| format!("<span style=\"flex:{count}\"><i></i>{count} {kind}</span>"));
    format!("<div class=\"types\">{}</div>\n", parts.collect::<String>())
}

fn legend(document: &ProfileDocument<'_>) -> String {
    match &document.compared {
        None => String::new(),
        Some(compared) => format!(
            "<p><span class=\"key\"><i></i>{}</span><span class=\"key\"><i class=\"then\"></i>{}</span></p>\n",
            markup(document.title),
            markup(compared.label)
        ),
    }
}

/// Findings about the table as a whole.
fn table_findings(findings: &[Finding]) -> String {
    let whole: Vec<&Finding> = findings.iter().filter(|finding| finding.column.is_none()).collect();
    if whole.is_empty() {
        return String::new();
    }
    format!("<h2>About the table</h2>\n{}", card::alerts(&whole))
}

/// Columns that the older version alone has.
fn gone(document: &ProfileDocument<'_>) -> String {
    let Some(compared) = &document.compared else {
        return String::new();
    };
    let gone: Vec<&ColumnProfile> =
        compared.profile.columns.iter().filter(|column| document.profile.column(&column.name).is_none()).collect();
    if gone.is_empty() {
        return String::new();
    }
    let names = gone.iter().take(PAGE_COLUMNS_MAX);
    let items: String = names
        .map(|column| {
            let (name, kind) = (markup(&column.name), column.column_type.name());
            format!("<li><b>{name}</b> <span class=\"badge\">{kind}</span></li>")
        })
        .collect();
    format!("<h2>Columns that are gone</h2>\n<ul class=\"alerts\">{items}</ul>\n")
}
