//! `validate`: checks a dataset against the reviewed schema; writes the schema; accepts findings into it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::fail;
use crate::base::fs;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits;
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::ops::recorded::{Done, recorded};
use crate::quality::accept::accept;
use crate::quality::check::check;
use crate::quality::infer::infer_schema;
use crate::quality::report::{Finding, verdict};
use crate::quality::written::to_toml;
use crate::record::evaluation::Verdict;
use crate::repo::Repo;
use crate::spec::schema::{SchemaSpec, Severity};

/// What to check, against what.
#[derive(Clone, Debug)]
pub struct ValidateOptions {
    /// The dataset; the newest one when absent.
    pub dataset: Option<String>,
    /// Name tried before "the newest one".
    pub default_name: Option<String>,
    /// The schema file.
    pub schema: PathBuf,
    /// Severity from which the verdict is `fail`.
    pub fail_on: Severity,
}

/// What came of a check.
#[derive(Clone, Debug, Serialize)]
pub struct ValidateReport {
    /// The run.
    pub run: RunId,
    /// The dataset as a person calls it.
    pub dataset: String,
    /// Number of its rows.
    pub rows: u64,
    /// The schema file.
    pub schema: PathBuf,
    /// The end of it.
    pub verdict: Verdict,
    /// Everything found, worst first.
    pub findings: Vec<Finding>,
    /// The findings as an object.
    pub quality: ObjectId,
}

/// What came of writing the schema.
#[derive(Clone, Debug, Serialize)]
pub struct SchemaReport {
    /// The dataset as a person calls it.
    pub dataset: String,
    /// The schema file.
    pub schema: PathBuf,
    /// Columns described.
    pub columns: usize,
    /// Findings accepted, by code and column; none for `--init`.
    pub accepted: Vec<String>,
}

/// Checks everything and reports all findings at once.
pub fn validate(repo: &Repo, options: &ValidateOptions, ctx: &OpCtx<'_>) -> Result<ValidateReport> {
    let schema = read_schema(&options.schema)?;
    let outcome = recorded(repo, ctx, "validate", |repo, work| {
        let dataset = dataset::find(repo, options.dataset.as_deref(), options.default_name.as_deref())?;
        let table = dataset::table(repo, &dataset, ctx.talk)?;
        let profile = dataset::profile(repo, &dataset.record)?;
        let findings = check(&table, &profile, &schema)?;
        let verdict = verdict(&findings, options.fail_on);
        let quality = repo.store().put(&crate::base::json::canonical(&findings)?)?.id;
        work.input("dataset", &dataset.label, dataset.id)?;
        work.output("quality", verdict.name(), quality)?;
        let yes = verdict != Verdict::Fail;
        let value = (dataset.label, dataset.record.rows, verdict, findings, quality);
        Ok(Done { value, moves: Vec::new(), yes })
    })?;
    let (dataset, rows, verdict, findings, quality) = outcome.value;
    Ok(ValidateReport { run: outcome.run, dataset, rows, schema: options.schema.clone(), verdict, findings, quality })
}

/// Writes a schema inferred from the dataset, for people to review. Keeps one that is there unless `overwrite`.
pub fn init_schema(repo: &Repo, options: &ValidateOptions, overwrite: bool, ctx: &OpCtx<'_>) -> Result<SchemaReport> {
    if options.schema.exists() && !overwrite {
        let what = format!("{} exists and may have been reviewed", options.schema.display());
        return Err(fail::usage(what)
            .hint("widen it with `mlops validate --accept CODE[:COLUMN]`, or replace it with --force")
            .into());
    }
    let dataset = dataset::find(repo, options.dataset.as_deref(), options.default_name.as_deref())?;
    let table = dataset::table(repo, &dataset, ctx.talk)?;
    let profile = dataset::profile(repo, &dataset.record)?;
    let schema = infer_schema(&table, &profile, &dataset.record.roles);
    write_schema(repo, &options.schema, &to_toml(&schema, &profile)?)?;
    ctx.talk.hint(&format!("review {}, then keep it in git", options.schema.display()));
    let columns = schema.columns.len();
    Ok(SchemaReport { dataset: dataset.label, schema: options.schema.clone(), columns, accepted: Vec::new() })
}

/// Widens the schema so that the findings named by `wanted` (`CODE` or `CODE:COLUMN`; all when empty) do not recur.
pub fn accept_findings(
    repo: &Repo,
    options: &ValidateOptions,
    wanted: &[String],
    ctx: &OpCtx<'_>,
) -> Result<SchemaReport> {
    let mut schema = read_schema(&options.schema)?;
    let dataset = dataset::find(repo, options.dataset.as_deref(), options.default_name.as_deref())?;
    let table = dataset::table(repo, &dataset, ctx.talk)?;
    let profile = dataset::profile(repo, &dataset.record)?;
    let findings = check(&table, &profile, &schema)?;
    let mut accepted = Vec::new();
    for finding in &findings {
        let name = finding_name(finding);
        let asked = wanted.is_empty() || wanted.iter().any(|w| *w == name || *w == finding.code);
        if asked && accept(&mut schema, finding, &profile)? {
            accepted.push(name);
        }
    }
    if accepted.is_empty() && !wanted.is_empty() {
        let names: Vec<String> = findings.iter().map(finding_name).collect();
        let what = format!("no finding is called {}", wanted.join(", "));
        return Err(fail::usage(what).hint(format!("there are: {}", names.join(", "))).into());
    }
    write_schema(repo, &options.schema, &to_toml(&schema, &profile)?)?;
    let columns = schema.columns.len();
    Ok(SchemaReport { dataset: dataset.label, schema: options.schema.clone(), columns, accepted })
}

/// `CODE:COLUMN`, or `CODE` for the table as a whole: what `--accept` takes.
pub fn finding_name(finding: &Finding) -> String {
    match &finding.column {
        Some(column) => format!("{}:{column}", finding.code),
        None => finding.code.clone(),
    }
}

fn read_schema(path: &Path) -> Result<SchemaSpec> {
    let text = fs::read_text_optional(path, limits::SPEC_BYTES_MAX)?.ok_or_else(|| {
        fail::world(format!("there is no schema {}", path.display()))
            .hint("write one with `mlops validate --init`, then review it")
    })?;
    let schema: SchemaSpec = toml::from_str(&text)
        .map_err(|error| fail::usage(format!("{} cannot be read: {}", path.display(), error.to_string().trim_end())))?;
    if schema.version > 1 {
        let what = format!("{} has version {}; this mlops reads version 1", path.display(), schema.version);
        return Err(fail::usage(what).hint("use a newer mlops").into());
    }
    Ok(schema)
}

fn write_schema(repo: &Repo, path: &Path, text: &str) -> Result<()> {
    let staging = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(repo.root());
    fs::write_atomic(path, staging, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
