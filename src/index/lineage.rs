//! Edges between runs and objects, and what follows from them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rusqlite::Params;

use crate::base::id::{ObjectId, RunId};
use crate::index::{Direction, Edge, Index, Side, row};
use crate::record::run::Link;

const EDGES: &str = "SELECT run.id, run.kind, link.output, link.role, link.name, link.object
    FROM link JOIN run ON run.key = link.run";

impl Index {
    /// Everything a run read and made, in the order it said so.
    pub fn edges_of_run(&self, run: &RunId) -> Result<Vec<Edge>> {
        self.edges("run.id = ?1 ORDER BY link.output, link.seq", [run.hex()])
    }

    /// Everything a run made.
    pub fn outputs_of_run(&self, run: &RunId) -> Result<Vec<Link>> {
        let made = self.edges("run.id = ?1 AND link.output = 1 ORDER BY link.seq", [run.hex()])?;
        Ok(made.into_iter().map(|Edge { role, name, object, .. }| Link { role, name, id: object }).collect())
    }

    /// The runs that made an object, newest first.
    pub fn producers(&self, object: &ObjectId) -> Result<Vec<Edge>> {
        self.edges("link.object = ?1 AND link.output = 1 ORDER BY run.started DESC, run.id DESC", [object.hex()])
    }

    /// The runs that read an object, newest first.
    pub fn consumers(&self, object: &ObjectId) -> Result<Vec<Edge>> {
        self.edges("link.object = ?1 AND link.output = 0 ORDER BY run.started DESC, run.id DESC", [object.hex()])
    }

    /// All edges between `object` and its origins ([`Direction::Up`]) or its descendants ([`Direction::Down`]),
    /// nearest first, each once. Follows every run that made or read an object.
    pub fn lineage(&self, object: &ObjectId, direction: Direction) -> Result<Vec<Edge>> {
        let mut found = Vec::new();
        let (mut objects, mut runs) = (BTreeSet::from([*object]), BTreeSet::new());
        let mut frontier = vec![*object];
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for object in frontier {
                let near = match direction {
                    Direction::Up => self.producers(&object)?,
                    Direction::Down => self.consumers(&object)?,
                };
                for edge in near {
                    let (run, side) = (edge.run, edge.side);
                    found.push(edge);
                    if !runs.insert(run) {
                        continue;
                    }
                    let far = self.edges_of_run(&run)?.into_iter().filter(|edge| edge.side != side);
                    for edge in far {
                        if objects.insert(edge.object) {
                            next.push(edge.object);
                        }
                        found.push(edge);
                    }
                }
            }
            frontier = next;
        }
        Ok(found)
    }

    /// Ids of runs that start with `prefix`, in hex digits; sorted.
    pub fn runs_with_prefix(&self, prefix: &str) -> Result<Vec<RunId>> {
        self.with_prefix("SELECT id FROM run WHERE id >= ?1 AND id < ?2 ORDER BY id", prefix)
    }

    /// Ids of objects that runs read or made, and of their records, that start with `prefix`; sorted.
    pub fn objects_with_prefix(&self, prefix: &str) -> Result<Vec<ObjectId>> {
        self.with_prefix(
            "SELECT object FROM link WHERE object >= ?1 AND object < ?2
             UNION SELECT record FROM run WHERE record >= ?1 AND record < ?2
             UNION SELECT output_text FROM run WHERE output_text >= ?1 AND output_text < ?2 ORDER BY 1",
            prefix,
        )
    }

    fn with_prefix<T>(&self, query: &str, prefix: &str) -> Result<Vec<T>>
    where
        T: std::str::FromStr<Err = crate::base::fail::Failure>,
    {
        // `g` follows every hex digit.
        let end = format!("{prefix}g");
        let found = self.connection.prepare_cached(query).and_then(|mut query| {
            let rows = query.query_map([prefix, end.as_str()], |row| row::id(row, 0))?;
            rows.collect()
        });
        found.context("cannot look up an id in the index")
    }

    fn edges(&self, condition: &str, values: impl Params) -> Result<Vec<Edge>> {
        let found = self.connection.prepare_cached(&format!("{EDGES} WHERE {condition}")).and_then(|mut query| {
            let rows = query.query_map(values, |row| {
                let output: bool = row.get(2)?;
                Ok(Edge {
                    run: row::id(row, 0)?,
                    kind: row.get(1)?,
                    side: if output { Side::Output } else { Side::Input },
                    role: row.get(3)?,
                    name: row.get(4)?,
                    object: row::id(row, 5)?,
                })
            })?;
            rows.collect()
        });
        found.context("cannot read lineage from the index")
    }
}
