//! Everything derived, as text: two indexes that say the same have equal dumps.

use anyhow::{Context, Result};
use rusqlite::types::ValueRef;

use crate::index::Index;

/// Queries without integer keys, which depend on the order of arrival, and without how far open journals were read.
const PARTS: [&str; 5] = [
    "SELECT 'run', id, record, broken, kind, stage, stage_key, state, started, ended, wall_seconds, cpu_seconds,
       peak_memory_bytes, command, code, seed, tool_version, host, user, exit_code, error, output_text
       FROM run ORDER BY id",
    "SELECT 'point', run.id, point.seq, name.text, point.step, point.value FROM point
       JOIN run ON run.key = point.run JOIN name ON name.key = point.name ORDER BY run.id, point.seq",
    "SELECT 'metric', run.id, name.text, metric.value FROM metric
       JOIN run ON run.key = metric.run JOIN name ON name.key = metric.name ORDER BY run.id, name.text",
    "SELECT kind, id, text, value FROM (
       SELECT 'param' AS kind, run.id, name.text, param.value FROM param
         JOIN run ON run.key = param.run JOIN name ON name.key = param.name
       UNION ALL SELECT 'tag', run.id, name.text, tag.value FROM tag
         JOIN run ON run.key = tag.run JOIN name ON name.key = tag.name) ORDER BY kind, id, text",
    "SELECT 'link', run.id, link.output, link.seq, link.role, link.name, link.object FROM link
       JOIN run ON run.key = link.run ORDER BY run.id, link.output, link.seq, link.role, link.name, link.object",
];

impl Index {
    /// One line a row of everything derived, in an order that depends on content only.
    pub fn dump(&self) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for part in PARTS {
            self.dump_part(part, &mut lines).context("cannot read the index")?;
        }
        Ok(lines)
    }

    fn dump_part(&self, query: &str, lines: &mut Vec<String>) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(query)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut line = String::new();
            for column in 0..columns {
                let text = match row.get_ref(column)? {
                    ValueRef::Null => "-".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => format!("{number:e}"),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).escape_debug().to_string()
                    }
                };
                line.push_str(&text);
                line.push('\t');
            }
            lines.push(line);
        }
        Ok(())
    }
}

#[cfg(test)]
impl Index {
    /// Changes one value behind everybody's back.
    pub fn tamper(&self) -> Result<()> {
        self.connection.execute("UPDATE metric SET value = value + 1", [])?;
        Ok(())
    }
}
