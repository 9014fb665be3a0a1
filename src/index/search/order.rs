//! The order of what was found, and the part of it that was asked for.

use std::cmp::Ordering;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::index::search::RunSearch;
use crate::index::search::leaf::Place;
use crate::index::search::set::KeySet;
use crate::spec::query::{Field, Sort, SortKey};

/// Keys of `wanted`, or of all runs, in the order of `search`, from its offset to its limit.
pub fn ordered(connection: &Connection, wanted: Option<&KeySet>, search: &RunSearch) -> rusqlite::Result<Vec<i64>> {
    let end = search.limit.map_or(usize::MAX, |limit| search.offset.saturating_add(limit));
    if search.limit == Some(0) {
        return Ok(Vec::new());
    }
    let most = if search.sort.is_empty() { end } else { usize::MAX };
    let mut keys = newest_first(connection, wanted, most)?;
    if !search.sort.is_empty() {
        let columns = search.sort.iter().map(|key| column(connection, key)).collect::<Result<Vec<_>, _>>()?;
        // Ties are settled by the place in `keys`, which is that of the newest start.
        let mut places: Vec<u32> = (0..keys.len() as u32).collect();
        let compare = |a: &u32, b: &u32| {
            let (first, second) = (keys[*a as usize], keys[*b as usize]);
            let ordered = columns.iter().map(|column| column.compare(first, second));
            ordered.fold(Ordering::Equal, Ordering::then).then(a.cmp(b))
        };
        if end < places.len() {
            places.select_nth_unstable_by(end, compare);
            places.truncate(end);
        }
        places.sort_unstable_by(compare);
        keys = places.into_iter().map(|place| keys[place as usize]).collect();
    }
    keys.truncate(end);
    Ok(keys.split_off(search.offset.min(keys.len())))
}

/// At most `most` of the wanted keys, newest start first.
fn newest_first(connection: &Connection, wanted: Option<&KeySet>, most: usize) -> rusqlite::Result<Vec<i64>> {
    let mut query = connection.prepare_cached("SELECT key FROM run ORDER BY started DESC, id DESC")?;
    let mut rows = query.query([])?;
    let left = wanted.map_or(usize::MAX, KeySet::len);
    let mut keys = Vec::new();
    while keys.len() < most.min(left)
        && let Some(row) = rows.next()?
    {
        let key = row.get(0)?;
        if wanted.is_none_or(|wanted| wanted.has(key)) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Values of one sort key by the key of the run, as numbers or as ranks of texts; NaN where a run has none.
struct Column {
    values: Vec<f64>,
    descending: bool,
}

impl Column {
    /// Missing values come last, whatever the direction.
    fn compare(&self, first: i64, second: i64) -> Ordering {
        let value = |key: i64| self.values.get(key as usize).copied().unwrap_or(f64::NAN);
        let (a, b) = (value(first), value(second));
        match (a.is_nan(), b.is_nan()) {
            (false, false) if self.descending => b.total_cmp(&a),
            (false, false) => a.total_cmp(&b),
            (a, b) => a.cmp(&b),
        }
    }

    fn set(&mut self, key: i64, value: f64) {
        let place = key.max(0) as usize;
        if place >= self.values.len() {
            self.values.resize(place + 1, f64::NAN);
        }
        self.values[place] = value;
    }
}

/// Reads all values of a sort key.
fn column(connection: &Connection, sort: &SortKey) -> rusqlite::Result<Column> {
    let largest_first = match &sort.field {
        Field::Metric(_) => true,
        Field::Param(_) | Field::Tag(_) => false,
        Field::Attribute(attribute) => matches!(attribute.sort(), Sort::Number | Sort::Time),
    };
    let mut column = Column { values: Vec::new(), descending: sort.descending.unwrap_or(largest_first) };
    let mut rank = 0.0;
    match &sort.field {
        Field::Metric(_) => values(connection, &sort.field, &mut column)?,
        Field::Attribute(attribute) if !matches!(attribute.sort(), Sort::Text | Sort::Link) => {
            values(connection, &sort.field, &mut column)?;
        }
        // Numbers before texts.
        Field::Param(_) => {
            ranks(connection, &sort.field, true, &mut rank, &mut column)?;
            ranks(connection, &sort.field, false, &mut rank, &mut column)?;
        }
        field => ranks(connection, field, false, &mut rank, &mut column)?,
    }
    Ok(column)
}

fn values(connection: &Connection, field: &Field, column: &mut Column) -> rusqlite::Result<()> {
    let place = Place::of(field, false);
    let (key, value) = place.columns();
    let sql = format!("{} AND {value} IS NOT NULL", place.select(&format!("{key}, {value}")));
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(params_from_iter(place.bound()))?;
    while let Some(row) = rows.next()? {
        let number = match row.get_ref(1)? {
            ValueRef::Integer(number) => number as f64,
            ValueRef::Real(number) => number,
            _ => f64::NAN,
        };
        column.set(row.get(0)?, number);
    }
    Ok(())
}

/// Sets ranks of values that count on from `rank`; equal values have equal ranks.
fn ranks(
    connection: &Connection,
    field: &Field,
    number: bool,
    rank: &mut f64,
    column: &mut Column,
) -> rusqlite::Result<()> {
    let place = Place::of(field, number);
    let (key, value) = place.columns();
    let only = match (field, number) {
        (Field::Param(_), false) => "number IS NULL".to_owned(),
        _ => format!("{value} IS NOT NULL"),
    };
    let sql = format!("{} AND {only} ORDER BY {value}", place.select(&format!("{key}, {value}")));
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(params_from_iter(place.bound()))?;
    let mut last: Option<Value> = None;
    while let Some(row) = rows.next()? {
        let found = row.get_ref(1)?;
        if last.as_ref().is_none_or(|last| ValueRef::from(last) != found) {
            last = Some(Value::try_from(found)?);
            *rank += 1.0;
        }
        column.set(row.get(0)?, *rank);
    }
    Ok(())
}
