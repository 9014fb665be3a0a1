//! What a validation found, in the languages of people and of build servers.

pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;

use serde::Serialize;

use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::render::document::DocumentKind;
use crate::spec::schema::Severity;

/// All that a document about a validation says.
#[derive(Clone, Debug, Serialize)]
pub struct ValidationDocument<'a> {
    /// What was checked: `penguins@v3`.
    pub dataset: &'a str,
    /// Number of its rows.
    pub rows: u64,
    /// The schema file, relative to the project: annotations point into it.
    pub schema: &'a str,
    /// Text of the schema file, for the lines that annotations point at.
    #[serde(skip)]
    pub schema_text: Option<&'a str>,
    /// The version that it was compared with, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<&'a str>,
    /// The end of it.
    pub verdict: Verdict,
    /// Severity from which the verdict is `fail`.
    pub fail_on: Severity,
    /// Everything found, worst first.
    pub findings: &'a [Finding],
}

/// The document in the language asked for.
pub fn document(of: &ValidationDocument<'_>, kind: DocumentKind) -> String {
    match kind {
        DocumentKind::Html => html::html(of),
        DocumentKind::Markdown => markdown::markdown(of),
        DocumentKind::Junit => junit::junit(of),
        DocumentKind::Json => serde_json::to_string_pretty(of).expect("findings have text keys alone") + "\n",
    }
}

impl ValidationDocument<'_> {
    /// Number of findings of one severity.
    fn count(&self, severity: Severity) -> u64 {
        self.findings.iter().filter(|finding| finding.severity == severity).count() as u64
    }

    /// Whether a finding makes the verdict `fail`.
    fn fails(&self, finding: &Finding) -> bool {
        finding.severity >= self.fail_on
    }
}

/// All severities, worst first.
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];

/// `CODE:COLUMN`, or `CODE` for the table as a whole: what `--accept` takes.
fn name_of(finding: &Finding) -> String {
    match &finding.column {
        Some(column) => format!("{}:{column}", finding.code),
        None => finding.code.clone(),
    }
}

/// What was seen and what was asked for, in a sentence without an end.
fn sentence(finding: &Finding) -> String {
    match finding.expected.is_empty() {
        true => finding.observed.clone(),
        false => format!("{}; expected {}", finding.observed, finding.expected),
    }
}

/// Rows with what they hold: `17 ("x"), 23`; at most `most` of them.
fn rows_of(finding: &Finding, most: usize) -> Vec<String> {
    let row = |(place, row): (usize, &u64)| match finding.samples.get(place) {
        Some(sample) => format!("{row} ({sample})"),
        None => row.to_string(),
    };
    finding.rows.iter().enumerate().take(most).map(row).collect()
}
