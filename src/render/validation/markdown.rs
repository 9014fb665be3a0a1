//! A validation for a comment on a change, or for the summary of a job.

use crate::base::limits::MARKDOWN_CHARACTERS_MAX;
use crate::base::units;
use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::render::escape::{code_spans, markdown as escape, shortened};
use crate::render::validation::{SEVERITIES, ValidationDocument, rows_of};

/// Findings that stand in the open; the rest is folded.
const OPEN: usize = 10;
/// Rows named for each finding.
const ROWS: usize = 5;
/// Characters of one cell.
const CELL: usize = 300;
/// Characters kept free for the sentence that says what was left out, and the end of a fold.
const RESERVE: usize = 300;

/// The document: a heading with the verdict, the first findings as a table, the rest and the fixes folded. At most
/// [`MARKDOWN_CHARACTERS_MAX`] characters; it says what was left out.
pub fn markdown(document: &ValidationDocument<'_>) -> String {
    let (sign, words) = match document.verdict {
        Verdict::Pass => ("✅", "is valid"),
        Verdict::Fail => ("❌", "is not valid"),
        Verdict::None => ("⚪", "was not judged"),
    };
    let mut text = format!("## {sign} {} {words}\n\n{}\n", escape(document.dataset), summary(document));
    if document.findings.is_empty() {
        return text;
    }
    text.push('\n');
    let (open, folded) = document.findings.split_at(document.findings.len().min(OPEN));
    let mut left = table(&mut text, open);
    if left == 0 && !folded.is_empty() {
        let more = units::plural(folded.len() as u64, "more finding");
        text.push_str(&format!("\n<details><summary>{more}</summary>\n\n"));
        left = table(&mut text, folded);
        text.push_str("\n</details>\n");
    } else {
        left += folded.len();
    }
    if left > 0 {
        let more = units::plural(left as u64, "more finding");
        text.push_str(&format!("\n{more} did not fit; `mlops validate` lists them all.\n"));
        return text;
    }
    fixes(&mut text, document);
    text
}

fn summary(document: &ValidationDocument<'_>) -> String {
    let counts: Vec<String> = SEVERITIES
        .iter()
        .filter(|severity| document.count(**severity) > 0)
        .map(|severity| match severity.name() {
            "info" => units::plural(document.count(*severity), "note"),
            name => format!("**{}**", units::plural(document.count(*severity), name)),
        })
        .collect();
    let counts = if counts.is_empty() { "No findings".to_owned() } else { counts.join(", ") };
    let against = document.against.map_or_else(String::new, |label| format!(" and {}", escape(label)));
    let rows = units::plural(document.rows, "row");
    format!("{counts} in {rows}, against {}{against}.", escape(document.schema))
}

/// Writes as many findings as fit; returns how many did not.
fn table(text: &mut String, findings: &[Finding]) -> usize {
    text.push_str("| severity | check | column | observed | expected | rows |\n|---|---|---|---|---|---|\n");
    let mut size = text.chars().count();
    for (place, finding) in findings.iter().enumerate() {
        let line = line(finding);
        size += line.chars().count();
        if size + RESERVE > MARKDOWN_CHARACTERS_MAX {
            return findings.len() - place;
        }
        text.push_str(&line);
    }
    0
}

fn line(finding: &Finding) -> String {
    let cell = |text: &str| escape(&shortened(text, CELL));
    let sign = match finding.severity.name() {
        "error" => "🔴 error",
        "warning" => "🟠 warning",
        _ => "🔵 info",
    };
    let mut rows = rows_of(finding, ROWS).join(", ");
    if finding.count as usize > ROWS.min(finding.rows.len()) && !finding.rows.is_empty() {
        rows.push_str(", …");
    }
    format!(
        "| {sign} | {} | {} | {} | {} | {} |\n",
        cell(&finding.code),
        cell(finding.column.as_deref().unwrap_or("")),
        cell(&finding.observed),
        cell(&finding.expected),
        cell(&rows)
    )
}

/// What settles each finding, folded, as far as it fits.
fn fixes(text: &mut String, document: &ValidationDocument<'_>) {
    let mut items = String::new();
    let mut size = text.chars().count() + RESERVE;
    for finding in document.findings.iter().filter(|finding| !finding.fix.is_empty()) {
        let column = finding.column.as_deref().map_or_else(String::new, |column| format!(" of {}", escape(column)));
        let fix = code_spans(&shortened(&finding.fix, CELL), escape);
        let item = format!("- {}{column}: {fix}\n", escape(&finding.code));
        size += item.chars().count();
        if size > MARKDOWN_CHARACTERS_MAX {
            items.push_str("- …\n");
            break;
        }
        items.push_str(&item);
    }
    if !items.is_empty() {
        text.push_str(&format!("\n<details><summary>How to settle them</summary>\n\n{items}\n</details>\n"));
    }
}
