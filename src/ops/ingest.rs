//! `ingest`: raw files become a dataset version, or are found unchanged.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::failpoint;
use crate::base::id::{ObjectId, RunId};
use crate::base::units;
use crate::data::source::{self, ReadOptions};
use crate::ops::context::OpCtx;
use crate::ops::intake::take_in;
use crate::ops::raw::{Bytes, Raw, raw_files};
use crate::ops::recorded::{Done, recorded};
use crate::record::dataset::{ColumnRecord, DatasetRecord, Roles};
use crate::repo::Repo;
use crate::repo::refs::{Committed, RefMove};
use crate::source::partition::Window;

/// Endings of packed files, in front of which another ending may stand.
const PACKED: [&str; 5] = ["gz", "gzip", "zst", "zstd", "zip"];

/// What to bring in and how to read it.
#[derive(Clone, Debug, Default)]
pub struct IngestOptions {
    /// Files, folders, patterns, addresses or `-`, in the order of their rows; see [`crate::source::fetch`].
    pub sources: Vec<String>,
    /// Folder that relative sources start from.
    pub folder: PathBuf,
    /// Name of the dataset; the first file's name without its ending when absent.
    pub name: Option<String>,
    /// Whether the rows come after those of the newest version instead of taking their place.
    pub append: bool,
    /// Which partitions of a pattern are kept; all when absent.
    pub window: Option<Window>,
    /// Most bytes fetched from elsewhere; `limits::SOURCE_BYTES_MAX` when absent.
    pub bytes_max: Option<u64>,
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
    /// Id of the raw file, of the first where there are several; equals `b3sum FILE`.
    pub raw_id: ObjectId,
    /// Number of rows.
    pub rows: u64,
    /// Number of columns.
    pub columns: usize,
    /// Number of raw files.
    pub files: usize,
    /// Length of the raw files in bytes.
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

/// Brings raw files in as one table. One pass to hash, chunk and store, and beside it two to infer and parse.
///
/// Nothing is stored unless all of it is. A version with the same raw files, read the same way, is found unchanged without
/// reading them.
pub fn ingest(repo: &Repo, options: &IngestOptions, ctx: &OpCtx<'_>) -> Result<IngestReport> {
    let name = dataset_name(options)?;
    let newest = newest(repo, &name)?;
    let raws = raw_files(repo, options, newest.as_ref().map(|(_, _, record)| record), ctx)?;
    if let Some((version, id, record)) = &newest
        && asks_the_same(repo, record, &raws, options)?
    {
        return Ok(report(&name, *version, *id, record, Vec::new(), None));
    }
    let roles = roles(options, newest.as_ref().map(|(_, _, record)| &record.roles));
    let outcome = recorded(repo, ctx, "ingest", |repo, work| {
        let taken = take_in(repo, &raws, options, roles, ctx)?;
        for new in raws.iter().filter_map(Raw::to_store) {
            new.check_unchanged()?;
        }
        failpoint::hit("ingest.parsed");
        let record = DatasetRecord {
            sources: taken.sources,
            parse: taken.parse,
            table: taken.table.id,
            rows: taken.rows,
            columns: taken.columns,
            profile: repo.put_record(&taken.profile)?,
            roles: taken.roles,
        };
        let id = repo.put_record(&record)?;
        for source in &record.sources {
            work.input("raw", source.origin.as_deref().unwrap_or(&source.name), source.raw)?;
        }
        work.output("dataset", &name, id)?;
        let value = (id, record, taken.guesses, taken.raw_stored_bytes + taken.table.stored_bytes);
        Ok(Done { value, moves: vec![RefMove::Dataset { name: name.clone(), id }], yes: true })
    })?;
    let (id, record, guesses, stored_bytes) = outcome.value;
    for (raw, source) in raws.iter().zip(&record.sources) {
        if let Some(new) = raw.to_store() {
            new.remember(repo, source.raw);
        }
    }
    let (version, new) = match outcome.committed.first() {
        Some(Committed::Dataset { version, new }) => (*version, *new),
        _ => (1, true),
    };
    let mut report = report(&name, version, id, &record, guesses, Some(outcome.run));
    (report.unchanged, report.stored_bytes) = (!new, stored_bytes);
    Ok(report)
}

fn dataset_name(options: &IngestOptions) -> Result<String> {
    if let Some(name) = &options.name {
        return Ok(name.clone());
    }
    let first = options.sources.first().map(String::as_str).unwrap_or_default();
    let kept = stem(first);
    let kept = kept.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' });
    let name: String = kept.collect();
    match name.trim_start_matches('.') {
        "" => Err(fail::usage("the dataset needs a name").hint("give one with --name NAME").into()),
        name => Ok(name.to_owned()),
    }
}

/// What a source is called when nobody says: the table of a database; else the file's name without its ending, and
/// without that of a packed file: `flights` of `data/flights.csv.zip`.
pub fn stem(source: &str) -> String {
    let address = source.split_once("://").map(|(_, rest)| rest.split_once(['?', '#']).unwrap_or((rest, "")));
    if let Some(table) = address.and_then(|(_, query)| query.split('&').find_map(|part| part.strip_prefix("table="))) {
        // `schema.table` is called like its table.
        return table.rsplit('.').next().unwrap_or(table).to_owned();
    }
    // Standard input has no name.
    let mut name = Path::new(address.map_or(source, |(place, _)| place).trim_end_matches('-'));
    let packed = name.extension().is_some_and(|ending| PACKED.iter().any(|known| ending.eq_ignore_ascii_case(known)));
    if let (true, Some(inner)) = (packed, name.file_stem()) {
        name = Path::new(inner);
    }
    name.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
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

/// Whether reading `raws` with these options would give this record again.
///
/// Lengths are compared first, so that a file that grew is not hashed for nothing.
fn asks_the_same(repo: &Repo, record: &DatasetRecord, raws: &[Raw], options: &IngestOptions) -> Result<bool> {
    let lengths = record.sources.iter().map(|source| source.bytes);
    if !raws.iter().map(Raw::length).eq(lengths) || !means_the_same(record, options) {
        return Ok(false);
    }
    for (raw, source) in raws.iter().zip(&record.sources) {
        let (id, name) = match &raw.bytes {
            Bytes::New(new) => (new.id(repo)?, &new.name),
            Bytes::Kept(kept) => (kept.raw, &kept.name),
        };
        let parse = source.parse.as_ref().unwrap_or(&record.parse);
        if id != source.raw || *name != source.name || !source::reads_as(&raw.read, parse) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn means_the_same(record: &DatasetRecord, options: &IngestOptions) -> bool {
    let as_wanted = |column: &ColumnRecord| {
        let wanted = options.read.wanted.get(&column.name);
        wanted.is_none_or(|wanted| *wanted == column.column_type)
    };
    let wanted = roles(options, Some(&record.roles));
    let same_task = wanted.task.is_none() || wanted.task == record.roles.task;
    record.columns.iter().all(as_wanted) && same_task && Roles { task: record.roles.task, ..wanted } == record.roles
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
        weight: options.roles.weight.clone().or_else(|| before.weight.clone()),
    }
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
        files: record.sources.len(),
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
