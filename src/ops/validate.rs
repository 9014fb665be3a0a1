//! `validate`: checks a dataset or a raw file against the reviewed schema; writes the schema; accepts findings into it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::fail;
use crate::base::fs;
use crate::base::id::{ObjectId, RunId};
use crate::base::json;
use crate::base::limits;
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::base::units;
use crate::data::table::Table;
use crate::drift::compare::{DriftOptions, compare};
use crate::drift::report::DriftReport;
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::ops::drifted;
use crate::ops::recorded::{Done, recorded};
use crate::ops::subject::{Origin, Subject};
use crate::quality::accept::accept;
use crate::quality::check::{examine, settle};
use crate::quality::edit::rewrite;
use crate::quality::found::{Found, Scope};
use crate::quality::infer::infer_schema;
use crate::quality::quarantine::divide;
use crate::quality::read::parse_schema;
use crate::quality::report::{Finding, verdict};
use crate::quality::sense::options::{Isolation, SenseOptions};
use crate::quality::sense::overlap::overlap;
use crate::quality::sense::sense;
use crate::quality::written::to_toml;
use crate::record::evaluation::Verdict;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::spec::drift::DriftSpec;
use crate::spec::schema::{ColumnType, SchemaSpec, Severity};

/// What to check, against what.
#[derive(Clone, Debug)]
pub struct ValidateOptions {
    /// The dataset; the newest one when absent.
    pub dataset: Option<String>,
    /// Name tried before "the newest one".
    pub default_name: Option<String>,
    /// The schema file.
    pub schema: PathBuf,
    /// Severity from which the verdict is `fail`, and from which a finding condemns a row.
    pub fail_on: Severity,
    /// The environment: `training`, `serving`, or one that the schema names.
    pub environment: String,
    /// Whether suspicions that need no rule are looked for.
    pub sense: bool,
    /// Whether rows are judged as a whole, however many there are.
    pub isolation: bool,
    /// A dataset whose distributions are compared with these.
    pub against: Option<String>,
    /// A dataset, usually the training rows, of which no row may be in this one.
    pub overlap: Option<String>,
    /// How distributions are compared.
    pub drift: DriftSpec,
    /// The source of chance, for permutation tests and isolation forests.
    pub seed: u64,
    /// Files for the rows that pass and for those that do not.
    pub split: Option<SplitFiles>,
}

/// Where the two parts of a divided table go; the endings tell the formats.
#[derive(Clone, Debug)]
pub struct SplitFiles {
    /// Rows that pass.
    pub good: PathBuf,
    /// Rows that do not, with the column `_findings`.
    pub bad: PathBuf,
}

/// What came of a check.
#[derive(Clone, Debug, Serialize)]
pub struct ValidateReport {
    /// The run; none for a raw file, which leaves no trace.
    pub run: Option<RunId>,
    /// The dataset as a person calls it, or the file.
    pub dataset: String,
    /// Number of its rows.
    pub rows: u64,
    /// Number of its columns.
    pub columns: usize,
    /// The schema file.
    pub schema: PathBuf,
    /// The environment that it was judged in.
    pub environment: String,
    /// The end of it.
    pub verdict: Verdict,
    /// Findings of each severity.
    pub counts: SeverityCounts,
    /// Everything found, worst first.
    pub findings: Vec<Finding>,
    /// The findings as an object; none for a raw file.
    pub quality: Option<ObjectId>,
    /// The comparison with another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftReport>,
    /// What came of dividing the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitReport>,
}

/// Findings of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SeverityCounts {
    /// What breaks the schema.
    pub error: usize,
    /// What is suspicious.
    pub warning: usize,
    /// What is worth knowing.
    pub info: usize,
}

/// The two parts of a divided table.
#[derive(Clone, Debug, Serialize)]
pub struct SplitReport {
    /// Rows that pass.
    pub rows_good: u64,
    /// Rows that do not.
    pub rows_bad: u64,
    /// File of those that pass.
    pub good: PathBuf,
    /// File of those that do not.
    pub bad: PathBuf,
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

/// Checks everything and reports all findings at once; kept as a run.
pub fn validate(repo: &Repo, options: &ValidateOptions, ctx: &OpCtx<'_>) -> Result<ValidateReport> {
    let schema = read_schema(&options.schema)?;
    let outcome = recorded(repo, ctx, "validate", |repo, work| {
        let subject = Subject::stored(repo, options.dataset.as_deref(), options.default_name.as_deref(), ctx.talk)?;
        let beside = Beside::of(repo, options, ctx.talk)?;
        let mut report = judge(&subject, &schema, &beside, options)?;
        let quality = repo.store().put(&json::canonical(&report.findings)?)?.id;
        report.quality = Some(quality);
        if let Some(id) = subject.id {
            work.input("dataset", &subject.label, id)?;
        }
        work.output("quality", report.verdict.name(), quality)?;
        let yes = report.verdict != Verdict::Fail;
        Ok(Done { value: report, moves: Vec::new(), yes })
    })?;
    Ok(ValidateReport { run: Some(outcome.run), ..outcome.value })
}

/// Checks a raw file in memory; nothing is kept and no repository is needed.
///
/// `repo` is where datasets to compare with are looked up.
pub fn validate_file(
    path: &Path,
    repo: Option<&Repo>,
    options: &ValidateOptions,
    ctx: &OpCtx<'_>,
) -> Result<ValidateReport> {
    let schema = read_schema(&options.schema)?;
    let subject = Subject::raw(path, Some(&schema), ctx.talk)?;
    if options.against.is_none() && options.overlap.is_none() {
        return judge(&subject, &schema, &Beside::default(), options);
    }
    let Some(repo) = repo else {
        return Err(fail::world("there is no repository here to compare with")
            .hint("run it inside a project, or leave out --against and --overlap")
            .into());
    };
    judge(&subject, &schema, &Beside::of(repo, options, ctx.talk)?, options)
}

/// Datasets that the judged one is held against.
#[derive(Default)]
struct Beside {
    against: Option<(String, ProfileRecord)>,
    overlap: Option<(String, Table)>,
}

impl Beside {
    fn of(repo: &Repo, options: &ValidateOptions, talk: &dyn Talk) -> Result<Beside> {
        let against = options.against.as_deref().map(|reference| -> Result<_> {
            let found = dataset::find(repo, Some(reference), None)?;
            let profile = dataset::profile(repo, &found.record)?;
            Ok((found.label, profile))
        });
        let overlap = options.overlap.as_deref().map(|reference| -> Result<_> {
            let found = dataset::find(repo, Some(reference), None)?;
            let table = dataset::table(repo, &found, talk)?;
            Ok((found.label, table))
        });
        Ok(Beside { against: against.transpose()?, overlap: overlap.transpose()? })
    }
}

/// Findings of every source about one table, worst first, with severities settled.
///
/// A rule that finds what a suspicion finds too speaks for both.
fn gather(
    subject: &Subject,
    schema: &SchemaSpec,
    beside: &Beside,
    drift: Option<&DriftReport>,
    options: &ValidateOptions,
) -> Result<Vec<Found>> {
    let scope = Scope { environment: &options.environment, keep_rows: options.split.is_some() };
    let (table, profile) = (&subject.table, &subject.profile);
    let mut found = examine(table, profile, schema, &scope)?;
    let mut more = Vec::new();
    if options.sense {
        let roles = subject.roles.clone();
        let mut how = SenseOptions { roles, seed: options.seed, ..SenseOptions::default() };
        if options.isolation {
            how.outliers.isolation = Isolation::Always;
        }
        more.extend(sense(table, profile, &how)?);
    }
    if let Some((_, train)) = &beside.overlap {
        more.extend(overlap(train, table, &[], &subject.roles)?);
    }
    if let (Some(report), Some((label, _))) = (drift, &beside.against) {
        more.extend(drifted::findings(report, label));
    }
    more.retain(|new| !found.iter().any(|known| known.finding.name() == new.name()));
    found.extend(more.into_iter().map(Found::from));
    Ok(settle(found, table, profile, schema))
}

fn judge(subject: &Subject, schema: &SchemaSpec, beside: &Beside, options: &ValidateOptions) -> Result<ValidateReport> {
    let how = DriftOptions { spec: options.drift.clone(), seed: Seed(options.seed) };
    let against = beside.against.as_ref();
    let drift = against.map(|(_, reference)| compare(reference, &subject.profile, &how)).transpose()?;
    let found = gather(subject, schema, beside, drift.as_ref(), options)?;
    let split = match &options.split {
        Some(files) => Some(divide_rows(&subject.table, &found, options.fail_on, files)?),
        None => None,
    };
    let findings: Vec<Finding> = found.into_iter().map(|found| found.finding).collect();
    let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    Ok(ValidateReport {
        run: None,
        dataset: subject.label.clone(),
        rows: subject.profile.rows,
        columns: subject.profile.columns.len(),
        schema: options.schema.clone(),
        environment: options.environment.clone(),
        verdict: verdict(&findings, options.fail_on),
        counts: SeverityCounts {
            error: count(Severity::Error),
            warning: count(Severity::Warning),
            info: count(Severity::Info),
        },
        findings,
        quality: None,
        drift,
        split,
    })
}

/// Name of the column that says why a row was put aside.
const REASONS: &str = "_findings";

fn divide_rows(table: &Table, found: &[Found], severity: Severity, files: &SplitFiles) -> Result<SplitReport> {
    let divided = divide(found, table.rows(), severity);
    write_table(&table.take(&divided.good)?, &files.good)?;
    write_table(&table.take(&divided.bad)?.with_texts(REASONS, divided.reasons)?, &files.bad)?;
    Ok(SplitReport {
        rows_good: divided.good.len() as u64,
        rows_bad: divided.bad.len() as u64,
        good: files.good.clone(),
        bad: files.bad.clone(),
    })
}

/// Writes CSV or Parquet, told by the ending.
fn write_table(table: &Table, path: &Path) -> Result<()> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    if !matches!(ending.as_str(), "csv" | "parquet") {
        return Err(fail::usage(format!("cannot tell how to write {}", path.display()))
            .hint("name files that end in .csv or .parquet")
            .into());
    }
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let written = if ending == "csv" { table.write_csv(&mut out) } else { table.write_parquet(&mut out) };
    let flushed = written.and_then(|()| std::io::Write::flush(&mut out).map_err(Into::into));
    flushed.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a schema inferred from a table, for people to review. Keeps one that is there unless `overwrite`.
pub fn init_schema(
    origin: &Origin<'_>,
    options: &ValidateOptions,
    overwrite: bool,
    ctx: &OpCtx<'_>,
) -> Result<SchemaReport> {
    if options.schema.exists() && !overwrite {
        let what = format!("{} exists and may have been reviewed", options.schema.display());
        return Err(fail::usage(what)
            .hint("widen it with `mlops validate --accept CODE[:COLUMN]`, or replace it with --force")
            .into());
    }
    let subject = open(origin, options, None, ctx)?;
    let schema = infer_schema(&subject.table, &subject.profile, &subject.roles);
    write_schema(&options.schema, &to_toml(&schema, &subject.profile)?)?;
    ctx.talk.hint(&format!("review {}, then keep it in git", options.schema.display()));
    let columns = schema.columns.len();
    Ok(SchemaReport { dataset: subject.label, schema: options.schema.clone(), columns, accepted: Vec::new() })
}

/// Widens the schema so that the findings named by `wanted` (`CODE`, `CODE:COLUMN` or `CODE:RULE`) do not recur; all that
/// are more than information when it is empty. What people wrote around the rules stays.
pub fn accept_findings(
    origin: &Origin<'_>,
    options: &ValidateOptions,
    wanted: &[String],
    ctx: &OpCtx<'_>,
) -> Result<SchemaReport> {
    let text = schema_text(&options.schema)?;
    let before = parse_schema(&text, &options.schema.display().to_string())?;
    let mut schema = before.clone();
    let subject = open(origin, options, Some(&before), ctx)?;
    let beside = match origin {
        Origin::Stored(repo) => Beside::of(repo, options, ctx.talk)?,
        Origin::File(_) => Beside::default(),
    };
    let how = DriftOptions { spec: options.drift.clone(), seed: Seed(options.seed) };
    let against = beside.against.as_ref();
    let drift = against.map(|(_, reference)| compare(reference, &subject.profile, &how)).transpose()?;
    let found = gather(&subject, &schema, &beside, drift.as_ref(), options)?;
    let mut accepted = Vec::new();
    for finding in found.iter().map(|found| &found.finding) {
        let name = finding.name();
        let asked = match wanted {
            [] => finding.severity > Severity::Info,
            _ => wanted.iter().any(|wanted| *wanted == name || *wanted == finding.code),
        };
        if asked && accept(&mut schema, finding, &subject.profile)? {
            accepted.push(name);
        }
    }
    if accepted.is_empty() && !wanted.is_empty() {
        let names: Vec<String> = found.iter().map(|found| found.finding.name()).collect();
        let what = format!("no finding is called {}", wanted.join(", "));
        let hint = if names.is_empty() {
            "there is no finding".to_owned()
        } else {
            format!("there are: {}", names.join(", "))
        };
        return Err(fail::usage(what).hint(hint).into());
    }
    if !accepted.is_empty() {
        let edited = rewrite(&text, &before, &schema, &subject.profile)?;
        if !edited.kept {
            let place = options.schema.display();
            ctx.talk.warn(&format!(
                "{place} was written anew, without its comments: its columns are not [[column]] tables"
            ));
        }
        write_schema(&options.schema, &edited.text)?;
    }
    let columns = schema.columns.len();
    Ok(SchemaReport { dataset: subject.label, schema: options.schema.clone(), columns, accepted })
}

fn open(
    origin: &Origin<'_>,
    options: &ValidateOptions,
    schema: Option<&SchemaSpec>,
    ctx: &OpCtx<'_>,
) -> Result<Subject> {
    match origin {
        Origin::Stored(repo) => {
            Subject::stored(repo, options.dataset.as_deref(), options.default_name.as_deref(), ctx.talk)
        }
        Origin::File(path) => Subject::raw(path, schema, ctx.talk),
    }
}

fn schema_text(path: &Path) -> Result<String> {
    let text = fs::read_text_optional(path, limits::SPEC_BYTES_MAX)?;
    text.ok_or_else(|| {
        fail::world(format!("there is no schema {}", path.display()))
            .hint("write one with `mlops validate --init`, then review it")
            .into()
    })
}

fn read_schema(path: &Path) -> Result<SchemaSpec> {
    parse_schema(&schema_text(path)?, &path.display().to_string())
}

/// Types that the schema at `path` gives to columns: they win over inference where every value has them.
///
/// Empty when there is no schema; one that cannot be read is left to `validate` to complain about, and said here.
pub fn schema_types(path: &Path, talk: &dyn Talk) -> BTreeMap<String, ColumnType> {
    if !path.is_file() {
        return BTreeMap::new();
    }
    match read_schema(path) {
        Ok(schema) => schema.columns.into_iter().map(|column| (column.name, column.column_type)).collect(),
        Err(error) => {
            talk.warn(&format!("types are inferred without the schema: {error:#}"));
            BTreeMap::new()
        }
    }
}

fn write_schema(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::write_atomic(path, folder, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}

/// `2 errors, 1 warning`: what a summary says of the findings.
pub fn counted(counts: &SeverityCounts) -> String {
    let parts = [(counts.error, "error"), (counts.warning, "warning"), (counts.info, "note")];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| units::plural(count as u64, noun))
        .collect();
    if said.is_empty() { "nothing found".to_owned() } else { said.join(", ") }
}
