//! Writing runs into the tables. Every function runs inside the transaction of its caller.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::base::limits;
use crate::index::row;
use crate::index::source::{OpenLines, OpenRun, Prefix, SealedRun};
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState};

/// Forgets everything derived; file stamps stay.
pub fn clear(connection: &Connection) -> rusqlite::Result<()> {
    for table in ["run", "name", "point", "metric", "param", "tag", "link"] {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    set_prefix(connection, &Prefix { length: 0, hash: hash(b"") })
}

/// Remembers how much of the list of sealed runs was read.
pub fn set_prefix(connection: &Connection, prefix: &Prefix) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE sealed SET length = ?1, hash = ?2, stamp = NULL")?;
    update.execute(params![prefix.length as i64, prefix.hash.hex()]).map(drop)
}

/// Puts a sealed run in place of whatever was known of it.
pub fn sealed(connection: &Connection, sealed: &SealedRun, record: &RunRecord) -> rusqlite::Result<()> {
    let key = start(connection, &record.start, record.state)?;
    let mut update = connection.prepare_cached(
        "UPDATE run SET record = ?2, ended = ?3, wall_seconds = ?4, cpu_seconds = ?5, peak_memory_bytes = ?6,
         exit_code = ?7, error = ?8, output_text = ?9 WHERE key = ?1",
    )?;
    update.execute(params![
        key,
        sealed.record.hex(),
        record.ended.as_micros(),
        record.wall_seconds,
        record.usage.cpu_seconds,
        record.usage.peak_memory_bytes as i64,
        record.exit_code,
        record.error,
        record.output_text.map(|id| id.hex()),
    ])?;
    points(connection, key, &record.metrics)?;
    params_of(connection, key, &record.params)?;
    tags(connection, key, &record.tags)?;
    links(connection, key, &record.inputs, &record.outputs)
}

/// Puts a sealed run whose record cannot be read: listed as failed, with why, and tried again next time.
pub fn broken(connection: &Connection, sealed: &SealedRun, why: &str) -> rusqlite::Result<()> {
    remove(connection, &sealed.run.hex())?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO run (id, record, broken, kind, state, started, command, seed, tool_version, host, user, error)
         VALUES (?1, ?2, 1, 'unknown', 'failed', ?3, '[]', 0, '', '', '', ?4)",
    )?;
    let error = format!("the record of this run cannot be read: {why}");
    insert.execute(params![sealed.run.hex(), sealed.record.hex(), sealed.time.as_micros(), error]).map(drop)
}

/// Adds lines of an open run, which is made when they include its start.
pub fn open(connection: &Connection, run: &OpenRun, lines: &OpenLines) -> rusqlite::Result<()> {
    let key = match &lines.start {
        Some(begin) => Some(start(connection, begin, run.state)?),
        None => key_of(connection, &run.run.hex())?,
    };
    let Some(key) = key else {
        return Ok(());
    };
    let mut update = connection
        .prepare_cached("UPDATE run SET state = ?2, consumed = ?3, length = ?4 WHERE key = ?1 AND record IS NULL")?;
    update.execute(params![key, run.state.name(), lines.end as i64, lines.length as i64])?;
    points(connection, key, &lines.points)?;
    params_of(connection, key, &lines.params)?;
    tags(connection, key, &lines.tags)?;
    links(connection, key, &lines.inputs, &lines.outputs)
}

/// Forgets one run.
pub fn remove(connection: &Connection, run: &str) -> rusqlite::Result<()> {
    let Some(key) = key_of(connection, run)? else {
        return Ok(());
    };
    for table in ["point", "metric", "param", "tag", "link"] {
        connection.prepare_cached(&format!("DELETE FROM {table} WHERE run = ?1"))?.execute([key])?;
    }
    connection.prepare_cached("DELETE FROM run WHERE key = ?1")?.execute([key]).map(drop)
}

fn key_of(connection: &Connection, run: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT key FROM run WHERE id = ?1")?.query_row([run], |row| row.get(0)).optional()
}

/// Starts a run afresh.
fn start(connection: &Connection, start: &RunStart, state: RunState) -> rusqlite::Result<i64> {
    remove(connection, &start.id.hex())?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO run (id, kind, stage, stage_key, state, started, command, code_commit, code_dirty, seed,
         tool_version, host, user, code) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    insert.insert(params![
        start.id.hex(),
        start.kind,
        start.stage,
        start.stage_key.map(|key| key.hex()),
        state.name(),
        start.started.as_micros(),
        serde_json::Value::from(start.command.clone()).to_string(),
        start.code.as_ref().map(|code| code.commit.as_str()),
        start.code.as_ref().map(|code| code.dirty),
        // The same 64 bits: SQLite has signed integers only.
        start.seed as i64,
        start.tool_version,
        start.host,
        start.user,
        start.code.as_ref().map(|code| serde_json::json!(code).to_string()),
    ])
}

fn name(connection: &Connection, text: &str) -> rusqlite::Result<i64> {
    let mut find = connection.prepare_cached("SELECT key FROM name WHERE text = ?1")?;
    if let Some(key) = find.query_row([text], |row| row.get(0)).optional()? {
        return Ok(key);
    }
    connection.prepare_cached("INSERT INTO name (text) VALUES (?1)")?.insert([text])
}

fn points(connection: &Connection, run: i64, points: &[MetricPoint]) -> rusqlite::Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    let next: i64 = connection
        .prepare_cached("SELECT coalesce(max(seq), -1) + 1 FROM point WHERE run = ?1")?
        .query_row([run], |row| row.get(0))?;
    let mut insert =
        connection.prepare_cached("INSERT INTO point (run, seq, name, step, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut last: BTreeMap<&str, (i64, f64)> = BTreeMap::new();
    for (seq, point) in (next..).zip(points) {
        let key = match last.get(point.name.as_str()) {
            Some((key, _)) => *key,
            None => name(connection, &point.name)?,
        };
        insert.execute(params![run, seq, key, point.step, point.value])?;
        last.insert(&point.name, (key, point.value));
    }
    let mut replace =
        connection.prepare_cached("INSERT OR REPLACE INTO metric (run, name, value) VALUES (?1, ?2, ?3)")?;
    last.into_values().try_for_each(|(key, value)| replace.execute(params![run, key, value]).map(drop))
}

fn params_of(connection: &Connection, run: i64, params: &BTreeMap<String, serde_json::Value>) -> rusqlite::Result<()> {
    let mut replace = connection
        .prepare_cached("INSERT OR REPLACE INTO param (run, name, value, text, number) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    params.iter().try_for_each(|(text, value)| {
        let json = value.to_string();
        let shown = value.as_str().unwrap_or(&json);
        replace.execute(params![run, name(connection, text)?, json, shown, number(value)]).map(drop)
    })
}

/// The number that a parameter is, or that its text says, as tools that know no other parameters than text keep it.
fn number(value: &serde_json::Value) -> Option<Value> {
    let whole = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let real = || value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite());
    whole.map(Value::Integer).or_else(|| real().map(Value::Real))
}

fn tags(connection: &Connection, run: i64, tags: &BTreeMap<String, String>) -> rusqlite::Result<()> {
    let mut replace = connection.prepare_cached("INSERT OR REPLACE INTO tag (run, name, value) VALUES (?1, ?2, ?3)")?;
    tags.iter().try_for_each(|(text, value)| replace.execute(params![run, name(connection, text)?, value]).map(drop))
}

fn links(connection: &Connection, run: i64, inputs: &[Link], outputs: &[Link]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO link (run, output, role, name, object, seq)
         VALUES (?1, ?2, ?3, ?4, ?5, (SELECT count(*) FROM link WHERE run = ?1))",
    )?;
    let sides = inputs.iter().map(|link| (false, link)).chain(outputs.iter().map(|link| (true, link)));
    for (output, Link { role, name, id }) in sides {
        insert.execute(params![run, output, role, name, id.hex()])?;
    }
    Ok(())
}

/// The stamp that the list of sealed runs had when nothing in it was new.
pub fn stamp(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT stamp FROM sealed", [], |row| row.get(0))
}

/// Remembers that nothing is new in a list with this stamp. Forgotten without harm when another process writes just now.
pub fn remember_stamp(connection: &Connection, now: &str) {
    let is_known = stamp(connection).is_ok_and(|known| known.as_deref() == Some(now));
    if !is_known && connection.busy_timeout(Duration::ZERO).is_ok() {
        let _ = connection.execute("UPDATE sealed SET stamp = ?1", [now]);
        let _ = connection.busy_timeout(limits::INDEX_BUSY);
    }
}

/// The prefix of the list of sealed runs that was read.
pub fn prefix(connection: &Connection) -> rusqlite::Result<Prefix> {
    connection.query_row("SELECT length, hash FROM sealed", [], |row| {
        let length: i64 = row.get(0)?;
        let hash: ObjectId = row::id(row, 1)?;
        Ok(Prefix { length: length as u64, hash })
    })
}
