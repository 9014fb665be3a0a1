//! Reading columns as the types they stand for.

use std::str::FromStr;

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

use crate::base::clock::Timestamp;
use crate::base::fail::Failure;
use crate::index::RunRow;
use crate::record::run::RunState;

/// Columns that [`run`] reads, of table `run`, in its order.
pub const RUN_COLUMNS: &str = "run.key, run.id, run.record, run.kind, run.stage, run.stage_key, run.state, run.started, \
     run.ended, run.wall_seconds, run.cpu_seconds, run.peak_memory_bytes, run.command, run.code, run.seed, \
     run.tool_version, run.host, run.user, run.exit_code, run.error, run.output_text";

/// Reads an id.
pub fn id<T: FromStr<Err = Failure>>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| bad(column, error))
}

/// Reads an id that may be absent.
pub fn optional_id<T: FromStr<Err = Failure>>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| bad(column, error))).transpose()
}

/// Reads a moment.
pub fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

/// Reads JSON.
pub fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    parsed(&row.get::<_, String>(column)?, column)
}

/// Parses the JSON text of a column.
pub fn parsed<T: serde::de::DeserializeOwned>(text: &str, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// Reads JSON that may be absent.
fn optional_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let there = row.get_ref(column)? != ValueRef::Null;
    there.then(|| json(row, column)).transpose()
}

/// Reads [`RUN_COLUMNS`]; returns the run's key too. Parameters, metrics and tags are left empty.
pub fn run(row: &Row<'_>) -> rusqlite::Result<(i64, RunRow)> {
    let seed: i64 = row.get(14)?;
    let peak_memory_bytes: Option<i64> = row.get(11)?;
    let read = RunRow {
        run: id(row, 1)?,
        record: optional_id(row, 2)?,
        kind: row.get(3)?,
        stage: row.get(4)?,
        stage_key: optional_id(row, 5)?,
        state: state(&row.get::<_, String>(6)?),
        started: time(row, 7)?,
        ended: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_micros),
        wall_seconds: row.get(9)?,
        cpu_seconds: row.get(10)?,
        peak_memory_bytes: peak_memory_bytes.map(|bytes| bytes as u64),
        command: json(row, 12)?,
        code: optional_json(row, 13)?,
        seed: seed as u64,
        tool_version: row.get(15)?,
        host: row.get(16)?,
        user: row.get(17)?,
        params: Default::default(),
        metrics: Default::default(),
        tags: Default::default(),
        exit_code: row.get(18)?,
        error: row.get(19)?,
        output_text: optional_id(row, 20)?,
    };
    Ok((row.get(0)?, read))
}

fn state(text: &str) -> RunState {
    let all = [RunState::Running, RunState::Finished, RunState::Killed];
    all.into_iter().find(|state| state.name() == text).unwrap_or(RunState::Failed)
}

fn bad(column: usize, error: Failure) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
