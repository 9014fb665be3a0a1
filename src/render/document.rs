//! Which kind of document a file is to be, told by its ending.

use std::path::Path;

use crate::base::fail::{self, Failure};
use crate::base::suggest;

/// The kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A page for a browser.
    Html,
    /// For a comment on a change, or the summary of a job.
    Markdown,
    /// JUnit XML, for the test view of a build server.
    Junit,
    /// The report as the tool's own JSON.
    Json,
}

const ENDINGS: [(&str, DocumentKind); 6] = [
    ("html", DocumentKind::Html),
    ("htm", DocumentKind::Html),
    ("md", DocumentKind::Markdown),
    ("markdown", DocumentKind::Markdown),
    ("xml", DocumentKind::Junit),
    ("json", DocumentKind::Json),
];

/// The kind of document that the ending of `path` asks for, in any case.
///
/// Errors: no ending, or another one; the hint has the nearest.
pub fn by_ending(path: &Path) -> Result<DocumentKind, Failure> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let found = ENDINGS.iter().find(|(known, _)| *known == ending);
    found.map(|(_, kind)| *kind).ok_or_else(|| {
        if ending.is_empty() {
            return fail::usage(format!("`{}` has no ending that says what kind of document it is", path.display()))
                .hint("end it with .html, .md, .xml (JUnit) or .json");
        }
        suggest::unknown("kind of document", &ending, ENDINGS.iter().map(|(known, _)| *known))
    })
}
