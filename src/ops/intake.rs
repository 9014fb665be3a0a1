//! The heavy part of `ingest`: storing the raw bytes, reading the table, storing and describing it, all at once and in
//! bounded memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::Unit;
use crate::data::file::TableFile;
use crate::data::source::{self, ReadOptions};
use crate::data::target;
use crate::data::weights;
use crate::ops::context::OpCtx;
use crate::ops::ingest::IngestOptions;
use crate::ops::raw::{self, Bytes, Raw, Readable};
use crate::record::dataset::{ColumnRecord, ParseOptions, Roles, SourceFile};
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::source::redact;
use crate::store::Put;

/// Raw files taken in: everything staged, nothing committed.
pub struct Taken {
    /// The raw files, in order.
    pub sources: Vec<SourceFile>,
    /// How the first of them was read; the others where that differs.
    pub parse: ParseOptions,
    /// The typed table in the store.
    pub table: Put,
    /// Number of rows.
    pub rows: u64,
    /// Columns in order.
    pub columns: Vec<ColumnRecord>,
    /// Their profile.
    pub profile: ProfileRecord,
    /// Everything that was guessed.
    pub guesses: Vec<String>,
    /// What the columns mean.
    pub roles: Roles,
    /// Bytes that the raw files added to the store.
    pub raw_stored_bytes: u64,
}

/// Takes raw files in. One thread hashes, chunks and stores the raw bytes from start to end; beside it the table is read
/// in two passes and written as Parquet, and then stored by one more thread while this one describes it column by column:
/// no part keeps two cores busy alone.
///
/// Errors: whatever is wrong with a file as a table stops the storing too; nothing is kept. Memory: a batch of rows and the
/// columns being described, whatever the size of the files.
pub fn take_in(repo: &Repo, raws: &[Raw], options: &IngestOptions, roles: Roles, ctx: &OpCtx<'_>) -> Result<Taken> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let storing = scope.spawn(|| store_all(repo, raws, &stop));
        let described = read_and_describe(repo, raws, options, roles, ctx);
        stop.store(described.is_err(), Ordering::Relaxed);
        let stored = storing.join().map_err(|_| fail::world("storing the raw files stopped unexpectedly"))?;
        // A table that cannot be read is the error to show; the raw bytes go with the staging area.
        let mut taken = described?;
        let (mut sources, raw_stored_bytes) = stored?;
        let mut parse = taken.parse.into_iter();
        let first = parse.next().unwrap_or_default();
        for (source, how) in sources.iter_mut().skip(1).zip(parse) {
            source.parse = (how != first).then_some(how);
        }
        let TableFileParts { rows, columns } = taken.parts;
        taken.guesses.dedup();
        Ok(Taken {
            sources,
            parse: first,
            table: taken.stored,
            rows,
            columns,
            profile: taken.profile,
            guesses: taken.guesses,
            roles: taken.roles,
            raw_stored_bytes,
        })
    })
}

/// Stores what is new; the records of all raw files and the bytes they added.
fn store_all(repo: &Repo, raws: &[Raw], stop: &AtomicBool) -> Result<(Vec<SourceFile>, u64)> {
    let mut stored_bytes = 0;
    let mut sources = Vec::with_capacity(raws.len());
    for raw in raws {
        sources.push(match &raw.bytes {
            // How it was read is told anew, as the table is.
            Bytes::Kept(kept) => SourceFile { parse: None, ..kept.clone() },
            Bytes::New(new) => {
                let put = repo.store().put_reader(&mut Stoppable { file: raw::open(&new.path)?, stop })?;
                stored_bytes += put.stored_bytes;
                let (name, origin) = (new.name.clone(), new.origin.clone());
                SourceFile { name, raw: put.id, bytes: put.bytes, parse: None, origin }
            }
        });
    }
    Ok((sources, stored_bytes))
}

struct TableFileParts {
    rows: u64,
    columns: Vec<ColumnRecord>,
}

struct Described {
    parse: Vec<ParseOptions>,
    guesses: Vec<String>,
    roles: Roles,
    stored: Put,
    parts: TableFileParts,
    profile: ProfileRecord,
}

fn read_and_describe(
    repo: &Repo,
    raws: &[Raw],
    options: &IngestOptions,
    roles: Roles,
    ctx: &OpCtx<'_>,
) -> Result<Described> {
    let readable = raws.iter().map(|raw| raw.readable(repo)).collect::<Result<Vec<Readable>>>()?;
    let staging = repo.layout().staging();
    let read: Vec<ReadOptions> =
        raws.iter().map(|raw| ReadOptions { temp_folder: Some(staging.clone()), ..raw.read.clone() }).collect();
    let inputs: Vec<(&Path, &ReadOptions)> = readable.iter().map(Readable::path).zip(&read).collect();
    let length: u64 = raws.iter().map(Raw::length).sum();
    let named = || match options.sources.as_slice() {
        [only] => format!("cannot read {} as a table", redact(only)),
        many => format!("cannot read {} sources as one table", many.len()),
    };
    let bar = ctx.talk.start("ingest", Some(2 * length), Unit::Bytes);
    let mut open = source::open_each(&inputs, &*bar).with_context(named)?;
    let file = TableFile::write(&open, &staging, &*bar).with_context(named)?;
    drop(bar);
    let mut guesses = std::mem::take(&mut open.guesses);
    let roles = check_roles(&file, roles, &mut guesses)?;
    let (stored, profile) = std::thread::scope(|scope| {
        let storing = scope.spawn(|| -> Result<Put> { repo.store().put_reader(&mut file.open()?) });
        let bar = ctx.talk.start("describe", Some(file.columns().len() as u64), Unit::Items);
        let profile = file.profile(&*bar);
        (storing.join(), profile)
    });
    let stored = stored.map_err(|_| fail::world("storing the table stopped unexpectedly"))??;
    let parts = TableFileParts { rows: file.rows(), columns: file.columns().to_vec() };
    Ok(Described { parse: open.parse, guesses, roles, stored, parts, profile: profile? })
}

/// Checks that the columns named are there and settles the task.
fn check_roles(file: &TableFile, mut roles: Roles, guesses: &mut Vec<String>) -> Result<Roles> {
    let names = || file.columns().iter().map(|column| column.name.as_str());
    for name in roles.target.iter().chain(&roles.key).chain(&roles.ignore).chain(&roles.weight) {
        if !names().any(|known| known == name) {
            return Err(suggest::unknown("column", name, names()).into());
        }
    }
    for column in file.columns().iter().filter(|column| roles.weight.as_ref() == Some(&column.name)) {
        weights::check_type(column.column_type, &column.name)?;
    }
    if let Some(target) = &roles.target {
        let column = file.select(target)?;
        if let Some(task) = roles.task.filter(|task| !task.is_supervised()) {
            drop(target::read_target(&column, target, task)?);
            return Ok(roles);
        }
        let (task, why) = target::infer_task(&column, target)?;
        match roles.task {
            None => {
                guesses.push(format!("task {}: {why}", task.name()));
                roles.task = Some(task);
            }
            Some(given) => drop(target::read_target(&column, target, given)?),
        }
    }
    Ok(roles)
}

/// A raw file with a way to stop whoever reads it.
struct Stoppable<'a> {
    file: File,
    stop: &'a AtomicBool,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(io::Error::other("the file is no table")),
            false => self.file.read(buffer),
        }
    }
}
