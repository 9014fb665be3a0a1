//! A validation as JUnit XML, so that build servers show it beside the tests.
//!
//! The dialect is that of the Jenkins plugin, which GitLab, GitHub actions and Azure read too: `testsuites`,
//! `testsuite`, `testcase` with `failure`, `skipped` or `system-out` inside.

use crate::base::limits::DOCUMENT_FINDINGS_MAX;
use crate::base::units;
use crate::quality::report::Finding;
use crate::render::escape::{attribute, markup};
use crate::render::validation::{ValidationDocument, name_of, rows_of, sentence};
use crate::spec::schema::Severity;

/// Rows named for each finding.
const ROWS: usize = 20;

/// The document: a test case for each `CODE:COLUMN`; what fails the table is a failure, a warning that does not is
/// skipped, a note passes and says itself. Without findings there is one case, which passes.
pub fn junit(document: &ValidationDocument<'_>) -> String {
    let shown = &document.findings[..document.findings.len().min(DOCUMENT_FINDINGS_MAX)];
    let cases: Vec<String> = shown.iter().map(|finding| case(document, finding)).collect();
    let failures = shown.iter().filter(|finding| document.fails(finding)).count();
    let skipped = shown.iter().filter(|finding| is_skipped(document, finding)).count();
    let cases = if cases.is_empty() {
        vec![format!("    <testcase classname=\"{}\" name=\"schema\"/>\n", markup(document.schema))]
    } else {
        cases
    };
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", cases.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mlops validate\" {counts}>\n  \
         <testsuite name=\"{}\" {counts}>\n    <properties>\n      <property name=\"rows\" value=\"{}\"/>\n      \
         <property name=\"verdict\" value=\"{}\"/>\n      \
         <property name=\"findings\" value=\"{}\"/>\n    </properties>\n",
        markup(document.dataset),
        document.rows,
        document.verdict.name(),
        document.findings.len()
    );
    text.extend(cases);
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn is_skipped(document: &ValidationDocument<'_>, finding: &Finding) -> bool {
    !document.fails(finding) && finding.severity == Severity::Warning
}

fn case(document: &ValidationDocument<'_>, finding: &Finding) -> String {
    let message = attribute(&sentence(finding));
    let body = markup(&body(finding));
    let inner = if document.fails(finding) {
        format!("<failure type=\"{}\" message=\"{message}\">{body}</failure>", markup(&finding.code))
    } else if is_skipped(document, finding) {
        format!("<skipped message=\"{message}\"/>\n      <system-out>{body}</system-out>")
    } else {
        format!("<system-out>{body}</system-out>")
    };
    format!(
        "    <testcase classname=\"{}\" name=\"{}\">\n      {inner}\n    </testcase>\n",
        markup(document.schema),
        attribute(&name_of(finding))
    )
}

fn body(finding: &Finding) -> String {
    let all = [
        ("severity", finding.severity.name()),
        ("rule", &finding.constraint),
        ("observed", &finding.observed),
        ("expected", &finding.expected),
    ];
    let known = all.iter().filter(|(_, text)| !text.is_empty());
    let mut lines: Vec<String> = known.map(|(name, text)| format!("{name}: {text}")).collect();
    if !finding.rows.is_empty() {
        let (rows, count) = (rows_of(finding, ROWS).join(", "), units::plural(finding.count, "row"));
        lines.push(format!("{count}, first: {rows}"));
    }
    if !finding.fix.is_empty() {
        lines.push(format!("to settle it: {}", finding.fix));
    }
    lines.join("\n")
}
