//! The heavy part of `ingest`: storing the raw bytes, reading the table, storing and describing it, all at once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::suggest;
use crate::base::talk::{Task as TalkTask, Unit};
use crate::data::profile::profile;
use crate::data::source::{self, ReadTable};
use crate::data::table::Table;
use crate::data::target;
use crate::ops::context::OpCtx;
use crate::ops::ingest::IngestOptions;
use crate::record::dataset::{ParseOptions, Roles};
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::store::Put;

/// A raw file taken in: everything staged, nothing committed.
pub struct Taken {
    /// The raw bytes in the store.
    pub raw: Put,
    /// The typed table.
    pub table: Table,
    /// The typed table in the store.
    pub stored_table: Put,
    /// Its profile.
    pub profile: ProfileRecord,
    /// How the raw bytes were read.
    pub parse: ParseOptions,
    /// Everything that was guessed.
    pub guesses: Vec<String>,
    /// What the columns mean.
    pub roles: Roles,
}

/// Takes a raw file in. One thread hashes, chunks and stores the raw bytes from start to end; beside it the table is
/// read, and then stored by one more thread while this one describes it: no part keeps two cores busy alone.
///
/// Errors: whatever is wrong with the file as a table stops the storing too; nothing is kept.
pub fn take_in(repo: &Repo, options: &IngestOptions, length: u64, roles: Roles, ctx: &OpCtx<'_>) -> Result<Taken> {
    let path = &options.source;
    let bar = ctx.talk.start(&format!("ingest {}", path.display()), Some(length), Unit::Bytes);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let storing = scope.spawn(|| -> Result<Put> {
            let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            repo.store().put_reader(&mut Watched { file, bar: &*bar, stop: &stop })
        });
        let described = read_and_describe(repo, options, roles, ctx);
        stop.store(described.is_err(), Ordering::Relaxed);
        let raw = storing.join().map_err(|_| fail::world("storing the raw file stopped unexpectedly"))?;
        // A table that cannot be read is the error to show; the raw bytes go with the staging area.
        let (ReadTable { table, parse, guesses }, roles, stored_table, profile) = described?;
        Ok(Taken { raw: raw?, table, stored_table, profile, parse, guesses, roles })
    })
}

type Described = (ReadTable, Roles, Put, ProfileRecord);

fn read_and_describe(repo: &Repo, options: &IngestOptions, roles: Roles, ctx: &OpCtx<'_>) -> Result<Described> {
    let path = &options.source;
    let mut read = source::read(path, &options.read, ctx.talk)
        .with_context(|| format!("cannot read {} as a table", path.display()))?;
    let roles = check_roles(&read.table, roles, &mut read.guesses)?;
    let table = &read.table;
    let (stored, described) = std::thread::scope(|scope| {
        let storing = scope.spawn(|| -> Result<Put> {
            let mut parquet = Vec::new();
            table.write_parquet(&mut parquet)?;
            repo.store().put(&parquet)
        });
        let described = profile(table);
        (storing.join(), described)
    });
    let stored = stored.map_err(|_| fail::world("storing the table stopped unexpectedly"))??;
    Ok((read, roles, stored, described))
}

/// Checks that the columns named are there and settles the task.
fn check_roles(table: &Table, mut roles: Roles, guesses: &mut Vec<String>) -> Result<Roles> {
    let columns = table.columns();
    let names = || columns.iter().map(|column| column.name.as_str());
    for name in roles.target.iter().chain(&roles.key).chain(&roles.ignore) {
        if !names().any(|known| known == name) {
            return Err(suggest::unknown("column", name, names()).into());
        }
    }
    if let Some(target) = &roles.target {
        let (task, why) = target::infer_task(table, target)?;
        match roles.task {
            None => {
                guesses.push(format!("task {}: {why}", task.name()));
                roles.task = Some(task);
            }
            Some(given) => drop(target::read_target(table, target, given)?),
        }
    }
    Ok(roles)
}

/// The raw file with a progress bar, and a way to stop whoever reads it.
struct Watched<'a> {
    file: File,
    bar: &'a dyn TalkTask,
    stop: &'a AtomicBool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the file is no table"));
        }
        let count = self.file.read(buffer)?;
        self.bar.advance(count as u64);
        Ok(count)
    }
}
