//! `log`: reads the history, and writes to a run.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits;
use crate::index::{RunFilter, RunRow};
use crate::ops::context::OpCtx;
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::{EvaluationRecord, Verdict};
use crate::record::model::ModelRecord;
use crate::record::run::{Link, MetricPoint, TRIAL};
use crate::repo::Repo;
use crate::repo::audit::AuditEntry;
use crate::repo::journal::{JournalLine, MANUAL, append_to_run, start_manual};
use crate::repo::marks::{self, VersionState};

/// Runs, as asked for.
#[derive(Clone, Debug, Serialize)]
pub struct RunsReport {
    /// Runs in the order asked for.
    pub runs: Vec<RunRow>,
    /// Trials of studies that were left out because nobody asked for them.
    pub trials_left_out: u64,
    /// What the person should know of the index: that it was built again, or is only in memory.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// One dataset version.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetRow {
    /// Name.
    pub name: String,
    /// Version.
    pub version: u32,
    /// Id of the version's record.
    pub id: ObjectId,
    /// When it came in.
    pub time: Timestamp,
    /// Number of rows.
    pub rows: u64,
    /// Number of columns.
    pub columns: usize,
    /// Length of the raw files in bytes.
    pub bytes: u64,
    /// The column to predict.
    pub target: Option<String>,
}

/// Dataset versions, newest first within a name.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetsReport {
    /// One entry a version.
    pub datasets: Vec<DatasetRow>,
}

/// One registered version.
#[derive(Clone, Debug, Serialize)]
pub struct ModelRow {
    /// Name.
    pub name: String,
    /// Version.
    pub version: u32,
    /// The model: id of its package.
    pub id: ObjectId,
    /// Name of the model kind.
    pub kind: String,
    /// When it was registered.
    pub time: Timestamp,
    /// Aliases that point at it.
    pub aliases: Vec<String>,
    /// What people have decided about it.
    pub state: VersionState,
    /// Verdict of its evaluation.
    pub verdict: Verdict,
    /// Scores of its evaluation, or of training when there is none.
    pub metrics: BTreeMap<String, f64>,
    /// A sentence kept with it.
    pub note: Option<String>,
    /// Free words kept with it.
    pub tags: BTreeMap<String, String>,
}

/// Registered versions, newest first within a name.
#[derive(Clone, Debug, Serialize)]
pub struct ModelsReport {
    /// One entry a version.
    pub models: Vec<ModelRow>,
}

/// The audit log, oldest first.
#[derive(Clone, Debug, Serialize)]
pub struct AuditReport {
    /// One entry a change.
    pub audit: Vec<AuditEntry>,
}

/// A failed or killed run with what it printed.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// Last part of a command's output.
    pub output: Option<String>,
}

/// Failed and killed runs, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorsReport {
    /// One entry a run.
    pub errors: Vec<ErrorRow>,
}

/// What was written to a run.
#[derive(Clone, Debug, Serialize)]
pub struct WrittenReport {
    /// The run.
    pub run: RunId,
    /// Whether it was made for this.
    pub created: bool,
    /// Lines written.
    pub lines: usize,
}

/// Runs by a filter.
pub fn runs(repo: &Repo, filter: &RunFilter) -> Result<RunsReport> {
    let index = repo.index()?;
    let trials_left_out = if filter.without.as_deref() == Some(TRIAL) { index.count_of_kind(TRIAL)? } else { 0 };
    Ok(RunsReport { runs: index.runs(filter)?, trials_left_out, notes: index.notes().to_vec() })
}

/// All dataset versions, or those of one name.
pub fn datasets(repo: &Repo, only: Option<&str>) -> Result<DatasetsReport> {
    let mut datasets = Vec::new();
    for name in repo.datasets()?.into_iter().filter(|name| only.is_none_or(|only| only == name)) {
        for entry in repo.dataset_versions(&name)?.into_iter().rev() {
            let record: DatasetRecord = repo.record(&entry.id)?;
            datasets.push(DatasetRow {
                name: name.clone(),
                version: entry.version,
                id: entry.id,
                time: entry.time,
                rows: record.rows,
                columns: record.columns.len(),
                bytes: record.bytes(),
                target: record.roles.target,
            });
        }
    }
    Ok(DatasetsReport { datasets })
}

/// All registered versions, or those of one name.
pub fn models(repo: &Repo, only: Option<&str>) -> Result<ModelsReport> {
    let mut models = Vec::new();
    for name in repo.models()?.into_iter().filter(|name| only.is_none_or(|only| only == name)) {
        let aliases = repo.aliases(&name)?;
        let versions = repo.model_versions(&name)?;
        let mut facts = marks::facts(&versions, &repo.marks(&name)?);
        for entry in versions.into_iter().rev() {
            let said = facts.remove(&entry.version).unwrap_or_default();
            let record: ModelRecord = repo.record(&entry.model)?;
            let evaluation = entry.evaluation.map(|id| repo.record::<EvaluationRecord>(&id)).transpose()?;
            let pointing = aliases.iter().filter(|(_, version)| **version == entry.version);
            models.push(ModelRow {
                name: name.clone(),
                version: entry.version,
                id: entry.package,
                kind: record.model,
                time: entry.time,
                aliases: pointing.map(|(alias, _)| alias.clone()).collect(),
                verdict: evaluation.as_ref().map_or(Verdict::None, |evaluation| evaluation.judgement.verdict),
                metrics: evaluation.map_or(record.metrics, |evaluation| evaluation.judgement.metrics),
                state: said.state,
                note: said.note,
                tags: said.tags,
            });
        }
    }
    Ok(ModelsReport { models })
}

/// The whole audit log.
pub fn audit(repo: &Repo) -> Result<AuditReport> {
    Ok(AuditReport { audit: repo.audit()? })
}

/// Failed and killed runs with what their commands printed.
pub fn errors(repo: &Repo, limit: Option<usize>) -> Result<ErrorsReport> {
    let mut errors = Vec::new();
    for run in repo.index()?.runs(&RunFilter::default())? {
        if !matches!(run.state.name(), "failed" | "killed") {
            continue;
        }
        if limit.is_some_and(|limit| errors.len() >= limit) {
            break;
        }
        let output = run.output_text.map(|id| repo.store().get(&id, limits::STAGE_OUTPUT_BYTES_MAX as u64 * 2));
        let output = output.transpose()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        errors.push(ErrorRow { run, output });
    }
    Ok(ErrorsReport { errors })
}

/// Writes lines to a run: the one named, else a new one of kind `manual`, whose id is reported for the next call.
pub fn write(repo: &Repo, run: Option<&str>, lines: &[JournalLine], ctx: &OpCtx<'_>) -> Result<WrittenReport> {
    let (run, created) = match run {
        Some(text) => (repo.resolve_run(text)?, false),
        None => {
            let mut start = ctx.run_start(MANUAL, repo.root());
            MANUAL.clone_into(&mut start.kind);
            (start_manual(repo, &start)?, true)
        }
    };
    append_to_run(repo, run, lines)?;
    Ok(WrittenReport { run, created, lines: lines.len() })
}

/// Reads `NAME=VALUE` as a metric point.
pub fn parse_metric(text: &str, step: i64) -> Result<MetricPoint> {
    let bad = || fail::usage(format!("`{text}` is not NAME=NUMBER")).hint("write it like loss=0.31");
    let (name, value) = text.split_once('=').ok_or_else(bad)?;
    let value: f64 = value.trim().parse().map_err(|_| bad())?;
    if name.trim().is_empty() || !value.is_finite() {
        return Err(bad().into());
    }
    Ok(MetricPoint { name: name.trim().to_owned(), step, value })
}

/// Reads metric points, one `NAME=VALUE` or `NAME=VALUE STEP` a line; a name without a step counts on from 0.
pub fn read_metrics(input: &mut dyn BufRead) -> Result<Vec<JournalLine>> {
    let mut next: BTreeMap<String, i64> = BTreeMap::new();
    let mut points = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let line = line.context("cannot read standard input")?;
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (metric, step) = match line.split_once(char::is_whitespace) {
            Some((metric, step)) => {
                let bad = || {
                    fail::usage(format!("line {}: `{step}` is not a step", number + 1))
                        .hint("write it like loss=0.31 12")
                };
                (metric, Some(step.trim().parse::<i64>().map_err(|_| bad())?))
            }
            None => (line, None),
        };
        let mut point = parse_metric(metric, 0).with_context(|| format!("line {}", number + 1))?;
        let counter = next.entry(point.name.clone()).or_insert(0);
        point.step = step.unwrap_or(*counter);
        *counter = point.step + 1;
        points.push(JournalLine::Metric(point));
    }
    Ok(points)
}

/// Stores a file and names it as an artifact.
pub fn artifact(repo: &Repo, path: &Path) -> Result<JournalLine> {
    let mut file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let id = repo.store().put_reader(&mut file).with_context(|| format!("cannot store {}", path.display()))?.id;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(JournalLine::Artifact(Link { role: "artifact".to_owned(), name, id }))
}
