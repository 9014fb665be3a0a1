//! A finding on its way out: with all of its rows and the columns that show what they hold.

use crate::data::table::Table;
use crate::quality::report::Finding;
use crate::quality::rows::{Bits, Rows};

/// Columns shown for a row when none is concerned in particular.
const SHOWN_COLUMNS_MAX: usize = 5;
/// Characters of one value shown.
const SHOWN_CHARS_MAX: usize = 60;

/// How a table is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The environment: `training`, `serving` or one of the schema's own.
    pub environment: &'a str,
    /// Whether every row of a finding is remembered, not only the first ones.
    pub keep_rows: bool,
}

impl Default for Scope<'_> {
    fn default() -> Self {
        Scope { environment: TRAINING, keep_rows: false }
    }
}

/// The environment when none is named.
pub const TRAINING: &str = "training";

/// A finding and what is needed to act on it.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is told.
    pub finding: Finding,
    /// All rows concerned, when they were asked for.
    pub rows: Option<Bits>,
    /// Columns whose values are shown for the sample rows; the finding's own when empty.
    pub shown: Vec<String>,
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Found {
        Found { finding, rows: None, shown: Vec::new() }
    }
}

impl Found {
    /// A finding about rows.
    pub fn at(finding: Finding, mut rows: Rows) -> Found {
        let all = rows.all.take();
        Found { finding: finding.at(rows), rows: all, shown: Vec::new() }
    }

    /// Columns whose values are shown for the sample rows.
    pub fn showing(mut self, columns: impl IntoIterator<Item = String>) -> Found {
        self.shown = columns.into_iter().collect();
        self
    }

    /// Fills in what the sample rows hold.
    pub fn with_samples(mut self, table: &Table) -> Found {
        if !self.finding.samples.is_empty() {
            return self;
        }
        let own = self.finding.column.clone().filter(|name| self.shown.is_empty() && table.column(name).is_ok());
        let show = |row: &u64| match &own {
            Some(name) => cell(table, *row, name),
            None => {
                let shown = self.shown.iter().take(SHOWN_COLUMNS_MAX);
                let mut parts: Vec<String> =
                    shown.map(|name| format!("{name} = {}", cell(table, *row, name))).collect();
                if self.shown.len() > SHOWN_COLUMNS_MAX {
                    parts.push("…".to_owned());
                }
                parts.join(", ")
            }
        };
        self.finding.samples = self.finding.rows.iter().map(show).collect();
        self
    }
}

/// One value, shortened; row counted from 1.
fn cell(table: &Table, row: u64, name: &str) -> String {
    let text = table.cell(row as usize - 1, name).unwrap_or_else(|| "missing".to_owned());
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text;
    }
    text.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}
