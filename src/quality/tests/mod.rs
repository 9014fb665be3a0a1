//! Tests of checks, of inferred schemas and of widening them.

mod checks;
mod editing;
mod parity;
mod schemas;
mod vocabulary;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::talk::Silent;
use crate::data::profile::profile;
use crate::data::source::{self, ReadOptions};
use crate::data::table::Table;
use crate::quality::check::check;
use crate::quality::report::Finding;
use crate::record::profile::ProfileRecord;
use crate::spec::schema::SchemaSpec;

/// A table and its profile.
struct Seen {
    table: Table,
    profile: ProfileRecord,
}

impl Seen {
    fn new(table: Table) -> Seen {
        let profile = profile(&table);
        Seen { table, profile }
    }

    /// The table written as CSV; lines may be indented.
    fn csv(text: &str) -> Result<Seen> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("t.csv");
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        std::fs::write(&path, lines.join("\n") + "\n")?;
        Seen::file(&path)
    }

    fn file(path: &Path) -> Result<Seen> {
        Ok(Seen::new(source::read(path, &ReadOptions::default(), &Silent)?.table))
    }

    fn check(&self, schema: &SchemaSpec) -> Result<Vec<Finding>> {
        check(&self.table, &self.profile, schema)
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).join("data").join(format!("{name}.csv"))
}

/// `[[column]]` entries after a lax `[table]`.
fn schema(columns: &str) -> Result<SchemaSpec> {
    Ok(toml::from_str(&format!("version = 1\n[table]\nduplicates_max = 1.0\n{columns}"))?)
}

/// `CODE:COLUMN` of each finding that is more than information.
fn names(findings: &[Finding]) -> Vec<String> {
    let worse = findings.iter().filter(|finding| finding.severity > crate::spec::schema::Severity::Info);
    worse.map(|finding| format!("{}:{}", finding.code, finding.column.as_deref().unwrap_or("-"))).collect()
}
