//! A validation as workflow commands of GitHub Actions: annotations on the lines of the schema that were broken.

use crate::base::limits::DOCUMENT_FINDINGS_MAX;
use crate::base::units;
use crate::quality::report::Finding;
use crate::render::escape::{command_message, command_property};
use crate::render::validation::{ValidationDocument, rows_of, sentence};
use crate::spec::schema::Severity;

/// Rows named for each finding.
const ROWS: usize = 5;

/// One line a finding: `::error file=schema.toml,line=12,title=CODE column::message`. What fails the table is an error,
/// whatever its severity; GitHub shows the first ten of each kind, so a last line counts them all.
pub fn github(document: &ValidationDocument<'_>) -> String {
    let mut text = String::new();
    for finding in document.findings.iter().take(DOCUMENT_FINDINGS_MAX) {
        text.push_str(&annotation(document, finding));
    }
    let verdict = document.verdict.name();
    let counts = units::plural(document.findings.len() as u64, "finding");
    let summary = format!("{}: {verdict}, {counts} in {}", document.dataset, units::plural(document.rows, "row"));
    text.push_str(&format!("::notice title=mlops validate::{}\n", command_message(&summary)));
    text
}

fn annotation(document: &ValidationDocument<'_>, finding: &Finding) -> String {
    let level = match finding.severity {
        _ if document.fails(finding) => "error",
        Severity::Info => "notice",
        _ => "warning",
    };
    let line = finding.column.as_deref().zip(document.schema_text).and_then(|(column, text)| line_of(text, column));
    let line = line.map_or_else(String::new, |line| format!(",line={line}"));
    let title = match &finding.column {
        Some(column) => format!("{} {column}", finding.code),
        None => finding.code.clone(),
    };
    let mut message = format!("{}: {}", document.dataset, sentence(finding));
    if !finding.rows.is_empty() {
        let more = if finding.count as usize > ROWS.min(finding.rows.len()) { ", …" } else { "" };
        message.push_str(&format!("\nrows: {}{more}", rows_of(finding, ROWS).join(", ")));
    }
    if !finding.fix.is_empty() {
        message.push_str(&format!("\n{}", finding.fix));
    }
    format!(
        "::{level} file={}{line},title={}::{}\n",
        command_property(document.schema),
        command_property(&title),
        command_message(&message)
    )
}

/// The line, counted from 1, on which the schema names a column: `name = "island"`. The tool writes names so; a name in
/// another notation has no line.
fn line_of(schema: &str, column: &str) -> Option<usize> {
    let is_name = |line: &str| {
        let value = line.trim().strip_prefix("name")?.trim_start().strip_prefix('=')?.trim();
        let named = match value.strip_prefix('\'') {
            Some(rest) => rest.split('\'').next().map(str::to_owned),
            None => serde_json::Deserializer::from_str(value).into_iter::<String>().next().and_then(Result::ok),
        };
        (named.as_deref() == Some(column)).then_some(())
    };
    schema.lines().position(|line| is_name(line).is_some()).map(|place| place + 1)
}
