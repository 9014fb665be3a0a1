//! Documents written beside the answer of a verb: validation reports and profile pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fs;
use crate::base::limits::SPEC_BYTES_MAX;
use crate::data::associate::Associations;
use crate::data::associate::correlation::Pair;
use crate::drift::report::DriftReport;
use crate::ops::profile::ProfileReport;
use crate::ops::validate::ValidateReport;
use crate::render::document::{DocumentKind, by_ending};
use crate::render::profile::{
    ComparedProfile, CorrelationMatrix, DriftNumber, ProfileDocument, TargetInformation, html,
};
use crate::render::validation::github::github;
use crate::render::validation::{ValidationDocument, document};
use crate::spec::schema::Severity;

/// What documents about a validation need beside its report.
pub struct ValidationWords<'a> {
    /// The project folder: annotations name files relative to it.
    pub root: &'a Path,
    /// The version compared with.
    pub against: Option<&'a str>,
    /// Severity from which the verdict is `fail`.
    pub fail_on: Severity,
}

/// Writes the report to each of `paths`, its kind told by the ending: `.html`, `.md`, `.xml` (JUnit), `.json`.
///
/// Errors: an unknown ending, before anything is written; a file that cannot be written.
pub fn write_validation(report: &ValidateReport, words: &ValidationWords<'_>, paths: &[PathBuf]) -> Result<()> {
    let kinds = paths.iter().map(|path| Ok(by_ending(path)?)).collect::<Result<Vec<DocumentKind>>>()?;
    with_document(report, words, |of| {
        paths.iter().zip(kinds).try_for_each(|(path, kind)| write(path, &document(of, kind)))
    })
}

/// Workflow commands that annotate the lines of the schema file on GitHub.
pub fn annotations(report: &ValidateReport, words: &ValidationWords<'_>) -> Result<String> {
    with_document(report, words, |of| Ok(github(of)))
}

fn with_document<T>(
    report: &ValidateReport,
    words: &ValidationWords<'_>,
    use_it: impl FnOnce(&ValidationDocument<'_>) -> Result<T>,
) -> Result<T> {
    let schema = report.schema.strip_prefix(words.root).unwrap_or(&report.schema).display().to_string();
    let text = fs::read_text_optional(&report.schema, SPEC_BYTES_MAX)?;
    use_it(&ValidationDocument {
        dataset: &report.dataset,
        rows: report.rows,
        schema: &schema,
        schema_text: text.as_deref(),
        against: words.against,
        verdict: report.verdict,
        fail_on: words.fail_on,
        findings: &report.findings,
    })
}

/// Writes a profile as one HTML page, with the version it is held against beside it.
///
/// Errors: an ending other than `.html`; a file that cannot be written.
pub fn write_profile(report: &ProfileReport, path: &Path) -> Result<()> {
    if by_ending(path)? != DocumentKind::Html {
        let what = format!("a profile is a page, and {} is none", path.display());
        return Err(crate::base::fail::usage(what).hint("end it with .html; --json prints the numbers").into());
    }
    let page = html(&ProfileDocument {
        title: &report.dataset,
        profile: &report.profile,
        facts: Vec::new(),
        target: report.associations.as_ref().and_then(|found| found.target.as_deref()),
        duplicates: None,
        compared: report.against.as_ref().map(|older| ComparedProfile {
            label: &older.dataset,
            profile: &older.profile,
            drift: drift_numbers(&older.drift),
        }),
        correlations: report.associations.as_ref().map(correlations).unwrap_or_default(),
        information: report.associations.as_ref().and_then(information),
        findings: &[],
    });
    write(path, &page)
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn drift_numbers(report: &DriftReport) -> Vec<DriftNumber> {
    let number = |column: &crate::drift::report::ColumnDrift| {
        Some(DriftNumber {
            column: column.name.clone(),
            test: column.test?.name().to_owned(),
            statistic: column.p_value.or(column.statistic)?,
            threshold: column.threshold?,
            drifted: column.drifted,
        })
    };
    report.columns.iter().filter_map(number).collect()
}

fn correlations(found: &Associations) -> Vec<CorrelationMatrix> {
    let matrices = [("Pearson", &found.pearson), ("Spearman", &found.spearman), ("Cramér's V", &found.cramers_v)];
    matrices.into_iter().filter(|(_, pairs)| !pairs.is_empty()).map(|(method, pairs)| matrix(method, pairs)).collect()
}

fn matrix(method: &str, pairs: &[Pair]) -> CorrelationMatrix {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut columns: Vec<String> = Vec::new();
    for name in pairs.iter().flat_map(|pair| [pair.a.as_str(), pair.b.as_str()]) {
        places.entry(name).or_insert_with(|| {
            columns.push(name.to_owned());
            columns.len() - 1
        });
    }
    let mut values = vec![vec![None; columns.len()]; columns.len()];
    for (place, row) in values.iter_mut().enumerate() {
        row[place] = Some(1.0);
    }
    for pair in pairs {
        let (a, b) = (places[pair.a.as_str()], places[pair.b.as_str()]);
        (values[a][b], values[b][a]) = (pair.value, pair.value);
    }
    CorrelationMatrix { method: method.to_owned(), columns, values }
}

fn information(found: &Associations) -> Option<TargetInformation> {
    let target = found.target.clone()?;
    let values = found.information.iter().map(|of| (of.column.clone(), of.nats)).collect();
    Some(TargetInformation { target, unit: "nats".to_owned(), values })
}
