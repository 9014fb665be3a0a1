//! Findings and the verdict over them.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::base::units;
use crate::quality::rows::Rows;
use crate::record::evaluation::Verdict;
use crate::record::profile::Histograms;
use crate::spec::schema::Severity;

/// One way in which a table is not what its schema says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is wrong, as TensorFlow Data Validation names it where it has a name: `SCHEMA_MISSING_COLUMN`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The column; `None` for the table as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The `[[rule]]` of the schema that is broken, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The rule as written in the schema: `missing_max = 0.05`.
    pub constraint: String,
    /// What was seen.
    pub observed: String,
    /// What the rule asks for.
    pub expected: String,
    /// The first rows concerned, counted from 1 without the header; at most [`crate::base::limits::FINDING_ROWS_MAX`].
    pub rows: Vec<u64>,
    /// What the first rows hold, one text for each of `rows`; empty where a value says nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
    /// The two distributions compared, for findings about drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histograms: Option<Histograms>,
    /// How many rows are concerned; for findings without rows, how many things (columns, rows too few).
    pub count: u64,
    /// The edit of the schema, or the command, that settles it.
    pub fix: String,
}

impl Finding {
    /// A finding about no particular rows; the other fields are filled in by its check.
    pub fn new(code: &str, severity: Severity, column: Option<&str>) -> Finding {
        Finding {
            code: code.to_owned(),
            severity,
            column: column.map(str::to_owned),
            rule: None,
            constraint: String::new(),
            observed: String::new(),
            expected: String::new(),
            rows: Vec::new(),
            samples: Vec::new(),
            histograms: None,
            count: 1,
            fix: String::new(),
        }
    }

    /// The `[[rule]]` that is broken.
    pub fn of_rule(mut self, name: &str) -> Finding {
        self.rule = Some(name.to_owned());
        self
    }

    /// `CODE:COLUMN`, `CODE:RULE`, or `CODE` for the table as a whole: what `--accept` takes.
    pub fn name(&self) -> String {
        match self.column.as_ref().or(self.rule.as_ref()) {
            Some(place) => format!("{}:{place}", self.code),
            None => self.code.clone(),
        }
    }

    /// The rule, what was seen and what was asked for.
    pub fn says(mut self, constraint: String, observed: String, expected: String) -> Finding {
        (self.constraint, self.observed, self.expected) = (constraint, observed, expected);
        self
    }

    /// The rows concerned.
    pub fn at(mut self, rows: Rows) -> Finding {
        (self.rows, self.count) = (rows.first, rows.count);
        self
    }

    /// What settles it by hand; the command that does the same is added.
    pub fn settled_by(mut self, edit: &str) -> Finding {
        let name = self.name();
        // A name with spaces or quotes is one word of a shell between single quotes.
        let plain = name.chars().all(|letter| letter.is_alphanumeric() || "_:-.".contains(letter));
        let word = if plain { name } else { format!("'{}'", name.replace('\'', "'\\''")) };
        self.fix = format!("{edit} in schema.toml, or run `mlops validate --accept {word}`");
        self
    }
}

/// Worst first, then the table as a whole before its columns, then columns in their order; what is equal stays in order.
pub struct Ranking<'a> {
    places: HashMap<&'a str, usize>,
}

impl<'a> Ranking<'a> {
    /// The order of columns is that of `names`; of a name that comes twice the first counts.
    pub fn of(names: impl IntoIterator<Item = &'a str>) -> Ranking<'a> {
        let mut places = HashMap::new();
        for (place, name) in names.into_iter().enumerate() {
            places.entry(name).or_insert(place + 1);
        }
        Ranking { places }
    }

    /// What findings are sorted by, ascending, with a stable sort.
    pub fn key(&self, finding: &Finding) -> (Reverse<Severity>, usize) {
        let place = finding.column.as_ref().and_then(|name| self.places.get(name.as_str()));
        (Reverse(finding.severity), place.copied().unwrap_or(0))
    }
}

/// Fail when a finding is at least as bad as `fail_on`, else pass.
pub fn verdict(findings: &[Finding], fail_on: Severity) -> Verdict {
    if findings.iter().any(|finding| finding.severity >= fail_on) { Verdict::Fail } else { Verdict::Pass }
}

/// A share as people read it: `12.5 %`, `under 0.01 %`.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.01 {
        return "under 0.01 %".to_owned();
    }
    let text = format!("{percent:.2}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `3 of 344 rows (0.87 %)`.
pub fn of_rows(count: u64, total: u64, noun: &str) -> String {
    let share = percent(count as f64 / total.max(1) as f64);
    format!("{} of {} ({share})", units::count(count), units::plural(total, noun))
}

/// Some values with their counts: `"a" (3), "b" (1), …`.
pub fn listed(values: &[(String, u64)], most: usize) -> String {
    let shown = values.iter().take(most).map(|(value, count)| format!("{value:?} ({})", units::count(*count)));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if values.len() > most {
        text.push_str(", …");
    }
    text
}
