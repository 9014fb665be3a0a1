//! Catching up with the truth: reads only what is new, and everything when nothing is known.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::{Connection, TransactionBehavior};

use crate::index::source::{OpenRun, SealedRun, SealedTail, Source};
use crate::index::{Index, row, schema, write};

/// Sealed runs read in one transaction, so that building a large index does not keep others out for long.
const BATCH_RUNS: usize = 5_000;

/// A run known to the index whose journal was open when it was last read.
struct Known {
    state: String,
    consumed: u64,
    length: u64,
}

/// What the truth has that the index has not.
struct News {
    /// Open runs to read on, each with the offset to read from.
    open: Vec<(OpenRun, u64)>,
    /// Runs whose journal is gone.
    gone: Vec<String>,
    sealed: SealedTail,
    /// Runs whose record could not be read before.
    broken: Vec<SealedRun>,
}

impl Index {
    /// Reads everything that is new in `source`. Without news it only reads, so it waits for nobody.
    ///
    /// Costs a stat per open run and a hash of the list of sealed runs, of a long one only when it was touched, then the
    /// records of new runs. A list that is not the one read before (restored from a copy) makes it start again, with a note.
    pub fn catch_up(&mut self, source: &dyn Source) -> Result<()> {
        match self.advance(source) {
            Err(error) => self.recover(source, error),
            done => done,
        }
    }

    /// Forgets everything derived and catches up from nothing.
    pub fn rebuild(&mut self, source: &dyn Source) -> Result<()> {
        let cleared = in_transaction(&mut self.connection, |connection| Ok(write::clear(connection)?));
        match cleared {
            Err(error) => self.recover(source, error),
            Ok(()) => self.catch_up(source),
        }
    }

    fn advance(&mut self, source: &dyn Source) -> Result<()> {
        let mut rebuilt = false;
        loop {
            // Taken before the list is read, so that what is written meanwhile gives another one.
            let stamp = source.stamp();
            if news(&self.connection, source, stamp.as_deref())?.is_empty() {
                if let Some(stamp) = &stamp {
                    write::remember_stamp(&self.connection, stamp);
                }
                break;
            }
            let again = in_transaction(&mut self.connection, |connection| {
                // Asked again under the lock: another process may have caught up meanwhile.
                let news = news(connection, source, None)?;
                rebuilt |= matches!(news.sealed, SealedTail::Changed);
                apply(connection, source, news)
            })?;
            if !again {
                break;
            }
        }
        if rebuilt {
            self.notes.push("the list of runs is not the one indexed before; the index was built again".to_owned());
        }
        Ok(())
    }

    /// Goes on after a failure of SQLite: with a new file, or in memory.
    fn recover(&mut self, source: &dyn Source, error: anyhow::Error) -> Result<()> {
        let (Some(path), Some(sql)) = (self.path.clone(), error.downcast_ref::<rusqlite::Error>()) else {
            return Err(error);
        };
        let mut notes = std::mem::take(&mut self.notes);
        if schema::is_damage(sql) {
            notes.push(schema::DAMAGE_NOTE.to_owned());
            // The damaged file is let go of before it is removed.
            *self = schema::in_memory(Vec::new())?;
            schema::throw_away(&path)?;
            *self = schema::open(&path)?;
        } else if schema::is_unusable(sql) {
            notes.push(schema::memory_note(sql));
            *self = schema::in_memory(Vec::new())?;
        } else {
            return Err(error);
        }
        self.notes.splice(0..0, notes);
        self.advance(source)
    }
}

fn in_transaction<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

impl News {
    fn is_empty(&self) -> bool {
        let nothing_sealed = matches!(&self.sealed, SealedTail::New { runs, .. } if runs.is_empty());
        nothing_sealed && self.open.is_empty() && self.gone.is_empty() && self.broken.is_empty()
    }
}

/// Compares the index with the truth; reads lengths and lines, no records except those that failed before.
///
/// `stamp` is that of the list of sealed runs: nothing is read of a list whose stamp is the one remembered.
fn news(connection: &Connection, source: &dyn Source, stamp: Option<&str>) -> Result<News> {
    let journals = source.open_runs()?;
    let prefix = write::prefix(connection)?;
    let sealed = match stamp.is_some() && stamp == write::stamp(connection)?.as_deref() {
        true => SealedTail::New { runs: Vec::new(), prefix },
        false => source.sealed(&prefix, BATCH_RUNS)?,
    };
    let mut known = known_open(connection)?;
    let ended = ended_among(connection, &journals)?;
    let mut open = Vec::new();
    for run in journals.into_iter().filter(|run| !ended.contains(&run.run.hex())) {
        match known.remove(&run.run.hex()) {
            Some(seen) if seen.length == run.length && seen.state == run.state.name() => {}
            // Shorter than it was: another journal, read from its start.
            Some(seen) if seen.length <= run.length => open.push((run, seen.consumed)),
            _ => open.push((run, 0)),
        }
    }
    let mut broken = broken_runs(connection)?;
    if !broken.is_empty() {
        let mut readable = source.records(&broken).into_iter().map(|record| record.is_ok());
        broken.retain(|_| readable.next().unwrap_or(false));
    }
    Ok(News { open, gone: known.into_keys().collect(), sealed, broken })
}

/// Writes the news; true when there may be more.
fn apply(connection: &Connection, source: &dyn Source, news: News) -> Result<bool> {
    let SealedTail::New { runs, prefix } = news.sealed else {
        write::clear(connection)?;
        return Ok(true);
    };
    for run in &news.gone {
        write::remove(connection, run)?;
    }
    for (run, offset) in &news.open {
        if let Some(lines) = source.lines(&run.run, *offset)? {
            write::open(connection, run, &lines)?;
        }
    }
    put_sealed(connection, source, &news.broken)?;
    put_sealed(connection, source, &runs)?;
    write::set_prefix(connection, &prefix)?;
    Ok(runs.len() == BATCH_RUNS)
}

fn put_sealed(connection: &Connection, source: &dyn Source, runs: &[SealedRun]) -> Result<()> {
    for (sealed, record) in runs.iter().zip(source.records(runs)) {
        match record {
            Ok(record) if record.start.id == sealed.run => write::sealed(connection, sealed, &record)?,
            Ok(record) => write::broken(connection, sealed, &format!("it is of run {}", record.start.id))?,
            Err(error) => write::broken(connection, sealed, &format!("{error:#}"))?,
        }
    }
    Ok(())
}

fn known_open(connection: &Connection) -> rusqlite::Result<BTreeMap<String, Known>> {
    let mut query = connection.prepare_cached("SELECT id, state, consumed, length FROM run WHERE record IS NULL")?;
    let rows = query.query_map([], |row| {
        let (consumed, length): (i64, i64) = (row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, Known { state: row.get(1)?, consumed: consumed as u64, length: length as u64 }))
    })?;
    rows.collect()
}

/// Runs that are sealed in the index and still have a journal, which is about to be removed.
fn ended_among(connection: &Connection, journals: &[OpenRun]) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare_cached("SELECT count(*) FROM run WHERE id = ?1 AND record IS NOT NULL")?;
    let mut ended = Vec::new();
    for run in journals.iter().map(|journal| journal.run.hex()) {
        let count: i64 = query.query_row([&run], |row| row.get(0))?;
        if count > 0 {
            ended.push(run);
        }
    }
    Ok(ended)
}

fn broken_runs(connection: &Connection) -> rusqlite::Result<Vec<SealedRun>> {
    let mut query = connection.prepare_cached("SELECT id, record, started FROM run WHERE broken = 1")?;
    let rows = query.query_map([], |row| {
        Ok(SealedRun { run: row::id(row, 0)?, record: row::id(row, 1)?, time: row::time(row, 2)? })
    })?;
    rows.collect()
}
