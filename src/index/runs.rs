//! Questions about runs.

use anyhow::{Context, Result};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql};

use crate::base::id::{ObjectId, RunId};
use crate::index::search::RunSearch;
use crate::index::{Index, RunFilter, RunRow, RunSort, bulk, row};
use crate::record::run::{MetricPoint, RunState};
use crate::spec::query::{Attribute, Comparison, Condition, Field, Holds, Literal, SortKey};

/// Runs from which on details are read table by table and not run by run.
const BULK_RUNS: usize = 2_000;

const ASKING: &str = "cannot read the index; `mlops fsck --rebuild-index` builds it again";

impl Index {
    /// The runs that `filter` wants, in its order.
    ///
    /// Errors: sorted by a metric that no run has; the hint has the nearest one. Measured: 1,000 runs of 20 metrics
    /// and 5 parameters in 8 ms.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunRow>> {
        if let RunSort::Metric { name, .. } = &filter.sort {
            self.require(&Field::Metric(name.clone()))?;
        }
        Ok(self.found(&filter.search(), &[]).context(ASKING)?.runs)
    }

    /// One run; `None` when there is none of this id.
    pub fn run(&self, run: &RunId) -> Result<Option<RunRow>> {
        let query = format!("SELECT {} FROM run WHERE id = ?1", row::RUN_COLUMNS);
        Ok(self.collect(&query, &[&run.hex()]).context(ASKING)?.pop())
    }

    /// Every point of one metric of a run, or of all its metrics, in the order logged.
    pub fn history(&self, run: &RunId, metric: Option<&str>) -> Result<Vec<MetricPoint>> {
        let query = "SELECT name.text, point.step, point.value FROM point JOIN name ON name.key = point.name
             WHERE point.run = (SELECT key FROM run WHERE id = ?1) AND (?2 IS NULL OR name.text = ?2)
             ORDER BY point.seq";
        let points = self.connection.prepare_cached(query).and_then(|mut query| {
            let read =
                |row: &rusqlite::Row<'_>| Ok(MetricPoint { name: row.get(0)?, step: row.get(1)?, value: row.get(2)? });
            query.query_map((run.hex(), metric), read)?.collect()
        });
        points.context(ASKING)
    }

    /// Names of all metrics that any run has, sorted.
    pub fn metric_names(&self) -> Result<Vec<String>> {
        let query =
            "SELECT text FROM name WHERE EXISTS (SELECT 1 FROM metric WHERE metric.name = name.key) ORDER BY text";
        let names = self.connection.prepare_cached(query);
        names.and_then(|mut query| query.query_map([], |row| row.get(0))?.collect()).context(ASKING)
    }

    /// Finished runs of a stage with exactly these inputs, newest end first.
    pub fn runs_of_stage_key(&self, key: &ObjectId) -> Result<Vec<RunRow>> {
        let query = format!(
            "SELECT {} FROM run WHERE stage_key = ?1 AND state = 'finished' ORDER BY ended DESC, id DESC",
            row::RUN_COLUMNS
        );
        self.collect(&query, &[&key.hex()]).context(ASKING)
    }

    /// Number of runs of a kind.
    pub fn count_of_kind(&self, kind: &str) -> Result<u64> {
        let counted = self.connection.query_row("SELECT count(*) FROM run WHERE kind = ?1", [kind], |row| row.get(0));
        counted.map(|count: i64| count as u64).context(ASKING)
    }

    /// The newest run that started, whatever its state; never a trial of a study.
    pub fn newest_run(&self) -> Result<Option<RunId>> {
        let query = "SELECT id FROM run WHERE kind <> 'trial' ORDER BY started DESC, id DESC LIMIT 1";
        self.connection.query_row(query, [], |row| row::id(row, 0)).optional().context(ASKING)
    }

    /// The newest finished run that made an object in `role`, and that object; with `from`, only of runs that read it.
    pub fn newest_output(&self, role: &str, from: Option<&ObjectId>) -> Result<Option<(RunId, ObjectId)>> {
        let query = "SELECT run.id, made.object FROM run JOIN link AS made ON made.run = run.key
             WHERE run.state IN ('finished', 'failed') AND made.output = 1 AND made.role = ?1 AND (?2 IS NULL OR EXISTS
               (SELECT 1 FROM link AS used WHERE used.run = run.key AND used.output = 0 AND used.object = ?2))
             ORDER BY run.started DESC, run.id DESC, made.seq LIMIT 1";
        let from = from.map(|id| id.hex());
        let found = self.connection.query_row(query, (role, from), |row| Ok((row::id(row, 0)?, row::id(row, 1)?)));
        found.optional().context(ASKING)
    }

    /// The rows of these keys, in their order.
    pub(crate) fn rows_of(&self, keys: &[i64]) -> rusqlite::Result<Vec<RunRow>> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {} FROM run WHERE key = ?1", row::RUN_COLUMNS))?;
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            rows.push(statement.query_row([key], row::run)?.1);
        }
        if keys.len() >= BULK_RUNS {
            bulk::fill(&self.connection, keys, &mut rows)?;
            return Ok(rows);
        }
        let mut details = Details::prepare(&self.connection)?;
        keys.iter().zip(rows).map(|(key, run)| details.fill(*key, run)).collect()
    }

    fn collect(&self, query: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Vec<RunRow>> {
        let mut statement = self.connection.prepare_cached(query)?;
        let found = statement.query_map(values, row::run)?;
        let mut details = Details::prepare(&self.connection)?;
        found.map(|found| found.and_then(|(key, run)| details.fill(key, run))).collect()
    }
}

/// The three small queries that complete a row.
struct Details<'c> {
    params: CachedStatement<'c>,
    metrics: CachedStatement<'c>,
    tags: CachedStatement<'c>,
}

impl<'c> Details<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Details<'c>> {
        let statement = |table: &str| {
            connection.prepare_cached(&format!(
                "SELECT name.text, {table}.value FROM {table} JOIN name ON name.key = {table}.name WHERE {table}.run = ?1"
            ))
        };
        Ok(Details { params: statement("param")?, metrics: statement("metric")?, tags: statement("tag")? })
    }

    fn fill(&mut self, key: i64, mut run: RunRow) -> rusqlite::Result<RunRow> {
        let pair = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        run.params =
            self.params.query_map([key], |row| Ok((row.get(0)?, row::json(row, 1)?)))?.collect::<Result<_, _>>()?;
        run.metrics = self.metrics.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        run.tags = self.tags.query_map([key], pair)?.collect::<Result<_, _>>()?;
        Ok(run)
    }
}

impl RunFilter {
    /// The same as a search.
    fn search(&self) -> RunSearch {
        let text = |text: &str| Literal::Text(text.to_owned());
        let is = |field: Field, value: &str| Condition::Test(field, Holds::Compared(Comparison::Equal, text(value)));
        let mut all = Vec::new();
        let state = self.state.map(|state: RunState| state.name().to_owned());
        let equal = [(Attribute::Kind, &self.kind), (Attribute::Stage, &self.stage), (Attribute::State, &state)];
        for (attribute, value) in equal {
            all.extend(value.iter().map(|value| is(Field::Attribute(attribute), value)));
        }
        all.extend(self.without.iter().map(|kind| is(Field::Attribute(Attribute::Kind), kind).opposite()));
        all.extend(self.tag.iter().map(|(tag, value)| is(Field::Tag(tag.clone()), value)));
        all.extend(self.model.iter().map(|model| is(Field::Attribute(Attribute::Model), model)));
        let sort = match &self.sort {
            RunSort::Newest => Vec::new(),
            RunSort::Metric { name, descending } => {
                vec![SortKey { field: Field::Metric(name.clone()), descending: Some(*descending) }]
            }
        };
        let condition = (!all.is_empty()).then_some(Condition::All(all));
        RunSearch { condition, sort, offset: 0, limit: self.limit }
    }
}
