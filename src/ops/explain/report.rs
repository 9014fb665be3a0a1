//! Documents about an explanation.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::ops::explain::ExplainReport;
use crate::render::document::{DocumentKind, by_ending};
use crate::render::explanation::{ExplanationDocument, html, markdown};

/// The kind of each document, told by its ending.
///
/// Errors: another ending than `.html`, `.md` and `.json`.
pub fn kinds(paths: &[PathBuf]) -> Result<Vec<DocumentKind>> {
    let kind = |path: &PathBuf| match by_ending(path)? {
        DocumentKind::Junit => {
            let what = format!("an explanation has no verdict, so {} cannot be JUnit XML", path.display());
            Err(fail::usage(what).hint("end it with .html, .md or .json").into())
        }
        kind => Ok(kind),
    };
    paths.iter().map(kind).collect()
}

/// Writes the documents.
pub fn write(report: &ExplainReport, paths: &[PathBuf], kinds: &[DocumentKind]) -> Result<()> {
    let document = ExplanationDocument { model: &report.name, explanation: &report.record };
    for (path, kind) in paths.iter().zip(kinds) {
        let text = match kind {
            DocumentKind::Html => html::html(&document),
            DocumentKind::Markdown => markdown::markdown(&document),
            DocumentKind::Json | DocumentKind::Junit => serde_json::to_string_pretty(&report.record)? + "\n",
        };
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
