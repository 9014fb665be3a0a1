//! What is looked at before anything is fitted, and what is done about it: missing values, columns that say nothing or too
//! much, classes that are rare.

use std::collections::HashSet;

use anyhow::Result;
use serde::Serialize;

use crate::base::talk::Talk;
use crate::base::units;
use crate::ops::auto::ground::Ground;
use crate::ops::context::OpCtx;
use crate::ops::dataset;
use crate::ops::prepare::Subject;
use crate::quality::sense::options::{Isolation, SenseOptions};
use crate::quality::sense::sense;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;

/// Suspicions that bear on what a model learns; others are the business of `validate`.
const CODES: [&str; 15] = [
    "ALL_MISSING",
    "CLASS_IMBALANCE",
    "CONSTANT_COLUMN",
    "DUPLICATE_COLUMN",
    "HIGH_CARDINALITY",
    "ID_LIKE",
    "LABEL_CONFLICT",
    "LEAKAGE",
    "MIXED_CASE_VALUES",
    "NEARLY_CONSTANT",
    "NUMBERS_AS_TEXT",
    "RARE_CLASS",
    "SENTINEL",
    "TARGET_OUTLIERS",
    "ZERO_INFLATED_TARGET",
];
/// Columns with missing values that are shown one by one.
const MISSING_SHOWN: usize = 12;

/// What was found before the search.
#[derive(Clone, Debug, Serialize)]
pub struct Guardrails {
    /// Rows of the table, with and without a target.
    pub rows: usize,
    /// Rows that models are fitted on and chosen by; the test rows are not among them.
    pub rows_learned_from: usize,
    /// Columns that features are made of.
    pub columns: usize,
    /// Columns among these with missing values.
    pub missing: Vec<MissingValues>,
    /// Everything else that was suspicious.
    pub findings: Vec<Guardrail>,
}

/// Missing values of a column.
#[derive(Clone, Debug, Serialize)]
pub struct MissingValues {
    /// The column.
    pub column: String,
    /// Rows without a value.
    pub count: u64,
    /// Their share of all rows.
    pub share: f64,
    /// What is done about them.
    pub action: String,
}

/// One suspicion.
#[derive(Clone, Debug, Serialize)]
pub struct Guardrail {
    /// Its code, as in `validate`.
    pub code: String,
    /// The column; none for the table as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What was seen.
    pub observed: String,
    /// What is done about it.
    pub action: String,
}

/// Looks at the whole table, as `validate` does.
///
/// Errors: those of the profile and of the suspicions.
pub fn guardrails(repo: &Repo, subject: &Subject, ground: &Ground, ctx: &OpCtx<'_>) -> Result<Guardrails> {
    let profile: ProfileRecord = dataset::profile(repo, &subject.dataset.record)?;
    let mut how = SenseOptions { roles: subject.roles.clone(), seed: ctx.seed, ..SenseOptions::default() };
    (how.outliers.isolation, how.outliers.mad) = (Isolation::Off, None);
    let used: HashSet<&str> =
        ground.branches.iter().flat_map(|branch| branch.recipe.inputs()).map(|input| input.name.as_str()).collect();
    let all: HashSet<&str> = subject.frame.columns().iter().map(|column| &*column.name).collect();
    let written = ground.branches[0].name == "written";
    let features = profile.columns.iter().filter(|column| all.contains(column.name.as_str()));
    let missing = features.filter(|column| column.missing > 0).map(|column| MissingValues {
        column: column.name.clone(),
        count: column.missing,
        share: column.missing as f64 / profile.rows.max(1) as f64,
        action: match (used.contains(column.name.as_str()), written, column.texts.is_some()) {
            (false, ..) => "the column is left out".to_owned(),
            (_, true, _) => "as the steps of [transform] say".to_owned(),
            (_, _, true) => "a state of its own for every kind of model".to_owned(),
            _ => "trees take them as they are, other kinds the median".to_owned(),
        },
    });
    let missing = missing.collect();
    let found = sense(&subject.table, &profile, &how)?;
    let bears = |finding: &crate::quality::report::Finding| {
        CODES.contains(&finding.code.as_str())
            && finding
                .column
                .as_deref()
                .is_none_or(|name| all.contains(name) || subject.roles.target.as_deref() == Some(name))
    };
    let findings = found.into_iter().filter(bears).map(|finding| {
        let is_target = finding.column == subject.roles.target;
        let is_used = is_target || finding.column.as_deref().is_none_or(|name| used.contains(name));
        Guardrail {
            action: action(&finding.code, finding.column.as_deref(), is_used, ground),
            code: finding.code,
            column: finding.column,
            observed: finding.observed,
        }
    });
    Ok(Guardrails {
        rows: subject.table.rows(),
        rows_learned_from: ground.target.len(),
        columns: subject.frame.columns().len(),
        missing,
        findings: findings.collect(),
    })
}

/// What is done about a suspicion. Nothing that a model may honestly learn from is taken away.
fn action(code: &str, column: Option<&str>, is_used: bool, ground: &Ground) -> String {
    let name = column.unwrap_or("COLUMN");
    if !is_used && column.is_some() {
        return "left out".to_owned();
    }
    match code {
        "LEAKAGE" => format!("kept, as only you know whether it is known in time; if not: --ignore {name}"),
        "ID_LIKE" | "HIGH_CARDINALITY" => {
            format!("kept as numbers or categories; if it only names rows: --ignore {name}")
        }
        "CLASS_IMBALANCE" | "RARE_CLASS" if ground.factors.is_some() => "classes are weighed as asked".to_owned(),
        "CLASS_IMBALANCE" | "RARE_CLASS" => {
            "every fold has its share; models are chosen by their probabilities, not by classes".to_owned()
        }
        "DUPLICATE_COLUMN" => "kept; models share between copies".to_owned(),
        "LABEL_CONFLICT" => "kept; no model can tell such rows apart".to_owned(),
        "TARGET_OUTLIERS" | "ZERO_INFLATED_TARGET" => "kept; squared errors are what counts".to_owned(),
        _ => "kept as it is".to_owned(),
    }
}

impl Guardrails {
    /// Says all of it, a line each.
    pub fn say(&self, talk: &dyn Talk) {
        let (rows, learned) = (units::count(self.rows as u64), units::count(self.rows_learned_from as u64));
        let columns = units::plural(self.columns as u64, "column");
        talk.info(&format!("guardrails: {rows} rows, {learned} to learn from, {columns}"));
        for missing in self.missing.iter().take(MISSING_SHOWN) {
            let MissingValues { column, count, share, action } = missing;
            let count = units::count(*count);
            talk.info(&format!("  `{column}` misses {count} values ({:.1} %): {action}", share * 100.0));
        }
        if self.missing.len() > MISSING_SHOWN {
            let more = units::plural((self.missing.len() - MISSING_SHOWN) as u64, "more column");
            talk.info(&format!("  {more} with missing values; --json lists all"));
        }
        for Guardrail { code, column, observed, action } in &self.findings {
            let place = column.as_ref().map_or_else(String::new, |column| format!(" `{column}`"));
            let line = format!("{code}{place}: {observed}; {action}");
            if code == "LEAKAGE" { talk.warn(&line) } else { talk.info(&format!("  {line}")) }
        }
        if self.missing.is_empty() && self.findings.is_empty() {
            talk.info("  nothing missing, nothing suspicious");
        }
    }
}
