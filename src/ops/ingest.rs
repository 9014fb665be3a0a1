//! `ingest`: a raw file becomes a dataset version, or is found unchanged.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::failpoint;
use crate::base::id::{ObjectId, RunId};
use crate::base::units;
use crate::data::source::{self, ReadOptions};
use crate::ops::context::OpCtx;
use crate::ops::files::{FileStamp, hash_file, remember_hash, stamp};
use crate::ops::intake::{Taken, take_in};
use crate::ops::recorded::{Done, recorded};
use crate::record::dataset::{DatasetRecord, Format, Roles, SourceFile};
use crate::repo::Repo;
use crate::repo::refs::{Committed, RefMove};

/// What to bring in and how to read it.
#[derive(Clone, Debug, Default)]
pub struct IngestOptions {
    /// The raw file.
    pub source: PathBuf,
    /// Name of the dataset; the file's name without its ending when absent.
    pub name: Option<String>,
    /// What the columns mean; parts left empty are those of the newest version.
    pub roles: Roles,
    /// How to read it.
    pub read: ReadOptions,
    /// Whether empty parts of `roles` mean "none" instead of "as before": the project file says all there is to say.
    pub roles_are_complete: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct IngestReport {
    /// Name of the dataset.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Id of the version's record.
    pub id: ObjectId,
    /// Id of the raw file; equals `b3sum FILE`.
    pub raw_id: ObjectId,
    /// Number of rows.
    pub rows: u64,
    /// Number of columns.
    pub columns: usize,
    /// Length of the raw file in bytes.
    pub bytes: u64,
    /// Whether the newest version already was this.
    pub unchanged: bool,
    /// Bytes added to the store.
    pub stored_bytes: u64,
    /// Everything that was guessed.
    pub guesses: Vec<String>,
    /// The column to predict.
    pub target: Option<String>,
    /// What kind of prediction.
    pub task: Option<String>,
    /// The run that did it; none when nothing was done.
    pub run: Option<RunId>,
}

/// Brings a raw file in. One pass to hash, chunk and store, and beside it one to infer, parse and profile.
pub fn ingest(repo: &Repo, options: &IngestOptions, ctx: &OpCtx<'_>) -> Result<IngestReport> {
    let (length, seen) = look_at(&options.source)?;
    let name = dataset_name(options)?;
    let newest = newest(repo, &name)?;
    if let Some((version, id, record)) = &newest
        && record.bytes() == length
        && asks_the_same(record, options, hash_file(repo, &options.source)?)
    {
        return Ok(report(&name, *version, *id, record, Vec::new(), None));
    }
    let roles = roles(options, newest.as_ref().map(|(_, _, record)| &record.roles));
    let outcome = recorded(repo, ctx, "ingest", |repo, work| {
        let Taken { raw, table, stored_table, profile, parse, guesses, roles } =
            take_in(repo, options, length, roles, ctx)?;
        if !look_at(&options.source)?.1.same_bytes(&seen) {
            let what = format!("{} changed while it was read", options.source.display());
            return Err(fail::world(what).hint("ingest it again when its writer is done").into());
        }
        failpoint::hit("ingest.parsed");
        let record = DatasetRecord {
            sources: vec![SourceFile {
                name: file_name(&options.source),
                raw: raw.id,
                bytes: raw.bytes,
                parse: None,
                origin: None,
            }],
            parse,
            table: stored_table.id,
            rows: table.rows() as u64,
            columns: table.columns(),
            profile: repo.put_record(&profile)?,
            roles,
        };
        let id = repo.put_record(&record)?;
        work.input("raw", &options.source.display().to_string(), raw.id)?;
        work.output("dataset", &name, id)?;
        let value = (id, record, guesses, raw.stored_bytes + stored_table.stored_bytes);
        Ok(Done { value, moves: vec![RefMove::Dataset { name: name.clone(), id }], yes: true })
    })?;
    let (id, record, guesses, stored_bytes) = outcome.value;
    remember_hash(repo, &options.source, &seen, record.sources[0].raw);
    let (version, new) = match outcome.committed.first() {
        Some(Committed::Dataset { version, new }) => (*version, *new),
        _ => (1, true),
    };
    let mut report = report(&name, version, id, &record, guesses, Some(outcome.run));
    (report.unchanged, report.stored_bytes) = (!new, stored_bytes);
    Ok(report)
}

/// Stamps a regular file.
///
/// Errors: missing, a folder, empty.
fn look_at(path: &Path) -> Result<(u64, FileStamp)> {
    let stamp = stamp(path)?;
    if stamp.length == 0 {
        return Err(fail::usage(format!("{} is empty", path.display())).hint("a table needs a header and rows").into());
    }
    Ok((stamp.length, stamp))
}

fn dataset_name(options: &IngestOptions) -> Result<String> {
    if let Some(name) = &options.name {
        return Ok(name.clone());
    }
    let stem = options.source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let kept = stem.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' });
    let name: String = kept.collect();
    match name.trim_start_matches('.') {
        "" => Err(fail::usage("the dataset needs a name").hint("give one with --name NAME").into()),
        name => Ok(name.to_owned()),
    }
}

fn newest(repo: &Repo, name: &str) -> Result<Option<(u32, ObjectId, DatasetRecord)>> {
    if !repo.datasets()?.iter().any(|known| known == name) {
        return Ok(None);
    }
    match repo.dataset_versions(name)?.last() {
        Some(newest) => Ok(Some((newest.version, newest.id, repo.record(&newest.id)?))),
        None => Ok(None),
    }
}

/// Whether reading `raw` with these options would give this record again.
fn asks_the_same(record: &DatasetRecord, options: &IngestOptions, raw: ObjectId) -> bool {
    let (read, parse) = (&options.read, &record.parse);
    let same_raw = matches!(record.sources.as_slice(), [only] if only.raw == raw);
    let same_read = read.format.is_none_or(|format| format == parse.format)
        && read.delimiter.is_none_or(|delimiter| delimiter == parse.delimiter)
        && read.header.is_none_or(|header| header == parse.header)
        && (parse.format == Format::Parquet || source::null_values(read.null_values.as_deref()) == parse.null_values)
        && read.types == parse.types;
    let wanted = roles(options, Some(&record.roles));
    let same_task = wanted.task.is_none() || wanted.task == record.roles.task;
    same_raw && same_read && same_task && Roles { task: record.roles.task, ..wanted } == record.roles
}

fn roles(options: &IngestOptions, before: Option<&Roles>) -> Roles {
    let Some(before) = before.filter(|_| !options.roles_are_complete) else {
        return options.roles.clone();
    };
    let keep = |new: &Vec<String>, old: &Vec<String>| if new.is_empty() { old.clone() } else { new.clone() };
    let target = options.roles.target.clone().or_else(|| before.target.clone());
    let same_target = target == before.target;
    Roles {
        task: options.roles.task.or(before.task.filter(|_| same_target)),
        target,
        key: keep(&options.roles.key, &before.key),
        ignore: keep(&options.roles.ignore, &before.ignore),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn report(
    name: &str,
    version: u32,
    id: ObjectId,
    record: &DatasetRecord,
    guesses: Vec<String>,
    run: Option<RunId>,
) -> IngestReport {
    IngestReport {
        name: name.to_owned(),
        version,
        id,
        raw_id: record.sources[0].raw,
        rows: record.rows,
        columns: record.columns.len(),
        bytes: record.bytes(),
        unchanged: run.is_none(),
        stored_bytes: 0,
        guesses,
        target: record.roles.target.clone(),
        task: record.roles.task.map(|task| task.name().to_owned()),
        run,
    }
}

/// One line for people.
pub fn summary(report: &IngestReport) -> String {
    let size = format!("{} × {}", units::plural(report.rows, "row"), units::plural(report.columns as u64, "column"));
    format!("{}@v{}: {size}, {}", report.name, report.version, units::bytes(report.bytes))
}
