//! Finding runs by a condition, in an order.
//!
//! Every test of a condition is one query of one index, which gives the keys of the runs that it holds of; `and` and `or` are
//! made of sets of keys, one bit a run. So the cost is that of reading the values of each name asked for once, whatever
//! brackets are around it: about 10 ms a test that holds of all of 100,000 runs, next to nothing for one that holds of few.

mod leaf;
mod order;
mod set;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rusqlite::{Connection, params_from_iter};

use crate::base::fail;
use crate::base::id::RunId;
use crate::base::suggest;
use crate::index::search::set::KeySet;
use crate::index::{Index, RunRow};
use crate::record::run::KINDS;
use crate::spec::query::{Attribute, Comparison, Condition, Field, Holds, Literal, SortKey};

const ASKING: &str = "cannot read the index; `mlops fsck --rebuild-index` builds it again";

/// Which runs, in which order, and how many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSearch {
    /// What must hold of them; everything when absent.
    pub condition: Option<Condition>,
    /// Their order; newest start first where it says nothing.
    pub sort: Vec<SortKey>,
    /// Runs passed over.
    pub offset: usize,
    /// At most this many after that.
    pub limit: Option<usize>,
}

/// Runs found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Those asked for, in order.
    pub runs: Vec<RunRow>,
    /// How many there are without offset and limit.
    pub matched: u64,
    /// Models and datasets of each run, where they were asked for: names by run and attribute.
    pub links: BTreeMap<(RunId, Attribute), Vec<String>>,
}

impl Index {
    /// The runs that `search` wants, in its order; with the names of their models and datasets where `links` says so.
    ///
    /// Errors (usage): a metric, parameter or tag that no run has, a kind of run that does not exist; each with the nearest
    /// name. Measured with 100,000 runs of 20 metrics: see `benches/query.py`.
    pub fn search(&self, search: &RunSearch, links: &[Attribute]) -> Result<Found> {
        let fields = search.condition.iter().flat_map(Condition::fields);
        let empty = self.is_empty().context(ASKING)?;
        for field in fields.chain(search.sort.iter().map(|key| &key.field)).filter(|_| !empty) {
            self.require(field)?;
        }
        if let Some(condition) = &search.condition {
            self.require_kinds(condition)?;
        }
        self.found(search, links).context(ASKING)
    }

    /// As [`Index::search`], of names that may be unknown.
    pub(crate) fn found(&self, search: &RunSearch, links: &[Attribute]) -> rusqlite::Result<Found> {
        let wanted = search.condition.as_ref().map(|condition| holds_of(&self.connection, condition)).transpose()?;
        let matched = match &wanted {
            Some(wanted) => wanted.len() as u64,
            None => self.connection.query_row("SELECT count(*) FROM run", [], |row| row.get::<_, i64>(0))? as u64,
        };
        let keys = order::ordered(&self.connection, wanted.as_ref(), search)?;
        let runs = self.rows_of(&keys)?;
        let mut named = BTreeMap::new();
        for attribute in links {
            for (key, run) in keys.iter().zip(&runs) {
                named.insert((run.run, *attribute), self.link_names(*key, *attribute)?);
            }
        }
        Ok(Found { runs, matched, links: named })
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        self.connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM run)", [], |row| row.get(0))
    }

    /// Names of a run's models or datasets, those that it read first.
    fn link_names(&self, key: i64, attribute: Attribute) -> rusqlite::Result<Vec<String>> {
        let query = "SELECT DISTINCT name FROM link WHERE run = ?1 AND role = ?2 ORDER BY output, seq";
        let mut query = self.connection.prepare_cached(query)?;
        query.query_map((key, attribute.name()), |row| row.get(0))?.collect()
    }

    /// Demands that some run has the metric, parameter or tag.
    pub(crate) fn require(&self, field: &Field) -> Result<()> {
        let (table, kind, name) = match field {
            Field::Metric(name) => ("metric", "metric", name),
            Field::Param(name) => ("param", "parameter", name),
            Field::Tag(name) => ("tag", "tag", name),
            Field::Attribute(_) => return Ok(()),
        };
        let there =
            format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE name = (SELECT key FROM name WHERE text = ?1))");
        let there: bool = self.connection.query_row(&there, [name], |row| row.get(0)).context(ASKING)?;
        if there {
            return Ok(());
        }
        let known = self.names_in(table).context(ASKING)?;
        let mut failure = suggest::unknown(kind, name, known.iter().map(String::as_str));
        failure.what = format!("no run has a {kind} `{name}`");
        Err(failure.into())
    }

    /// Names that a table of values has, sorted.
    fn names_in(&self, table: &str) -> rusqlite::Result<Vec<String>> {
        let query = format!(
            "SELECT text FROM name WHERE EXISTS (SELECT 1 FROM {table} WHERE {table}.name = name.key) ORDER BY text"
        );
        self.connection.prepare(&query)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Demands that kinds of runs that are compared with exist.
    fn require_kinds(&self, condition: &Condition) -> Result<()> {
        let literals: Vec<&Literal> = match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                return parts.iter().try_for_each(|part| self.require_kinds(part));
            }
            Condition::Test(Field::Attribute(Attribute::Kind), holds) => match holds {
                Holds::Compared(Comparison::Equal | Comparison::NotEqual, literal) => vec![literal],
                Holds::Among { values, .. } => values.iter().collect(),
                _ => Vec::new(),
            },
            Condition::Test(..) => Vec::new(),
        };
        for literal in literals {
            if let Literal::Text(kind) = literal {
                self.require_kind(kind)?;
            }
        }
        Ok(())
    }

    fn require_kind(&self, kind: &str) -> Result<()> {
        if KINDS.contains(&kind) {
            return Ok(());
        }
        let query = "SELECT DISTINCT kind FROM run";
        let made: rusqlite::Result<Vec<String>> =
            self.connection.prepare(query).and_then(|mut query| query.query_map([], |row| row.get(0))?.collect());
        let made = made.context(ASKING)?;
        if made.iter().any(|known| known == kind) {
            return Ok(());
        }
        let mut failure = suggest::unknown("kind of run", kind, KINDS);
        if suggest::nearest(kind, KINDS).is_none() {
            failure = fail::usage(failure.what).hint(format!("kinds are {}", KINDS.join(", ")));
        }
        Err(failure.into())
    }
}

/// Keys of the runs that `condition` holds of.
fn holds_of(connection: &Connection, condition: &Condition) -> rusqlite::Result<KeySet> {
    match condition {
        Condition::All(parts) => {
            let mut all: Option<KeySet> = None;
            for part in parts {
                if all.as_ref().is_some_and(|all| all.len() == 0) {
                    break;
                }
                all = Some(match (all, is_not(part)) {
                    // Every run has a kind and a state: those that differ are all others.
                    (Some(all), Some(is)) => all.without(&holds_of(connection, &is)?),
                    (Some(all), None) => all.and(&holds_of(connection, part)?),
                    (None, _) => holds_of(connection, part)?,
                });
            }
            Ok(all.unwrap_or_default())
        }
        Condition::Any(parts) => {
            let mut any = KeySet::default();
            for part in parts {
                any = any.or(holds_of(connection, part)?);
            }
            Ok(any)
        }
        Condition::Test(field, holds) => leaf::holds_of(connection, field, holds),
    }
}

/// The opposite of a test that something every run has is not a value.
fn is_not(part: &Condition) -> Option<Condition> {
    match part {
        Condition::Test(
            Field::Attribute(Attribute::Kind | Attribute::State),
            Holds::Compared(Comparison::NotEqual, _),
        ) => Some(part.clone().opposite()),
        _ => None,
    }
}

/// Keys that a query gives in its first column.
fn keys_of(connection: &Connection, sql: &str, values: &[rusqlite::types::Value]) -> rusqlite::Result<KeySet> {
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query(params_from_iter(values))?;
    let mut found = KeySet::default();
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?);
    }
    Ok(found)
}
