//! Parameters, metrics and tags of many runs at once: one pass over each table.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::FromSql;

use crate::index::{RunRow, row};

/// Fills in the details of `rows`, whose keys are `keys`.
pub fn fill(connection: &Connection, keys: &[i64], rows: &mut [RunRow]) -> rusqlite::Result<()> {
    let largest = keys.iter().copied().max().unwrap_or(0).max(0) as usize;
    let mut places: Vec<Option<usize>> = vec![None; largest + 1];
    for (place, key) in keys.iter().enumerate() {
        places[(*key).max(0) as usize] = Some(place);
    }
    let names = names(connection)?;
    let place = |key: i64| places.get(key.max(0) as usize).copied().flatten();
    each(connection, "metric", |key, name, value: f64| {
        if let (Some(at), Some(name)) = (place(key), names.get(&name)) {
            rows[at].metrics.insert(name.clone(), value);
        }
        Ok(())
    })?;
    each(connection, "tag", |key, name, value: String| {
        if let (Some(at), Some(name)) = (place(key), names.get(&name)) {
            rows[at].tags.insert(name.clone(), value);
        }
        Ok(())
    })?;
    each(connection, "param", |key, name, value: String| {
        if let (Some(at), Some(name)) = (place(key), names.get(&name)) {
            rows[at].params.insert(name.clone(), row::parsed(&value, 2)?);
        }
        Ok(())
    })
}

fn names(connection: &Connection) -> rusqlite::Result<BTreeMap<i64, String>> {
    let mut query = connection.prepare("SELECT key, text FROM name")?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Hands run, name and value of every row of a table to `take`.
fn each<T: FromSql>(
    connection: &Connection,
    table: &str,
    mut take: impl FnMut(i64, i64, T) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut query = connection.prepare(&format!("SELECT run, name, value FROM {table} ORDER BY run, name"))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        take(row.get(0)?, row.get(1)?, row.get(2)?)?;
    }
    Ok(())
}
