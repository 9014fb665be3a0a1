//! What a careful reader notices in a table without any written rule: leaks, copies, identifiers, odd values.
//!
//! Lives here: one file for each kind of suspicion, and the order in which they are looked at ([`sense`]).
//! Does not live here: rules of a schema (the rest of `quality`), statistics of columns (`data::profile`), drift.
//!
//! Always holds: nothing is worse than a warning unless asked for; the profile and a sample of rows only rule out, all rows
//! decide; the findings do not depend on the number of threads, nor on the order of rows except for which rows are shown.

mod associate;
pub mod conflicts;
mod constant;
mod copies;
mod fold;
pub mod forest;
mod identifiers;
mod imbalance;
mod isolation;
pub mod leakage;
mod near_keys;
pub mod options;
mod outliers;
pub mod overlap;
mod pairs;
mod sentinels;
mod study;
mod text;
mod times;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::suggest;
use crate::data::table::Table;
use crate::quality::check::check_profile;
use crate::quality::report::Finding;
use crate::quality::sense::options::SenseOptions;
use crate::quality::sense::study::Study;
use crate::record::profile::ProfileRecord;

/// Every code that a suspicion may have, and what it says.
pub const CODES: &[(&str, &str)] = &[
    ("ALL_MISSING", "a column without any value"),
    ("CLASS_IMBALANCE", "a class many times as large as another"),
    ("CONSTANT_COLUMN", "one value in every row"),
    ("DUPLICATE_COLUMN", "a feature that repeats another"),
    ("HIGH_CARDINALITY", "text of too many values to learn from"),
    ("ID_LIKE", "a column that names rows"),
    ("INVALID_TEXT", "damaged text, or spaces at an end"),
    ("LABEL_CONFLICT", "equal features with different classes"),
    ("LEAKAGE", "features that give the target away"),
    ("MIXED_CASE_VALUES", "one category in several spellings"),
    ("MOSTLY_MISSING", "half of the values missing"),
    ("NEARLY_CONSTANT", "hardly any other value"),
    ("NEAR_DUPLICATE_KEY", "keys that a reader takes for the same"),
    ("NUMBERS_AS_TEXT", "numbers kept as text"),
    ("OUTLIERS_ISOLATION", "rows that are odd as a whole"),
    ("OUTLIERS_MAD", "values far from the median"),
    ("RARE_CLASS", "fewer than ten rows of a class"),
    ("SENSE_LIMITED", "something was not looked at"),
    ("SENTINEL", "a value that stands for unknown"),
    ("TARGET_OUTLIERS", "a few huge values to predict"),
    ("TARGET_UNUSABLE", "a target that cannot be predicted"),
    ("TIME_GAPS", "gaps in a regular series"),
    ("TIME_REPEATS", "moments of a series that come twice"),
    ("TRAIN_TEST_OVERLAP", "test rows that training has seen"),
    ("ZERO_INFLATED_TARGET", "mostly zeros to predict"),
];

/// Everything suspicious about `table`; worst first, then the table as a whole, then in the order of columns.
///
/// `profile` is that of the table. A target that the table does not have is not asked for (as when serving). Errors: a
/// profile of another table; an unknown key column or code (usage). Cost: a hash of all features of every row when there are
/// classes, a selection of the median distance of each numeric column with outliers; all else looks at rows only where the
/// profile and a sample of [`crate::base::limits::SENSE_SAMPLE_ROWS`] rows leave a doubt.
pub fn sense(table: &Table, profile: &ProfileRecord, options: &SenseOptions) -> Result<Vec<Finding>> {
    check_profile(table, profile)?;
    let known = CODES.iter().map(|(code, _)| *code);
    if let Some(unknown) = options.severities.keys().find(|code| !known.clone().any(|known| known == code.as_str())) {
        return Err(suggest::unknown("code", unknown, known).into());
    }
    let study = Study::new(table, profile, options)?;
    let (of_columns, of_table) = rayon::join(|| columns(&study), || whole(&study));
    let mut findings = of_table?;
    findings.extend(of_columns?);
    for finding in &mut findings {
        if let Some(severity) = options.severities.get(&finding.code) {
            finding.severity = *severity;
        }
    }
    let places: HashMap<&str, usize> = profile.columns.iter().map(|column| column.name.as_str()).zip(1..).collect();
    findings.sort_by_key(|finding| {
        let place = finding.column.as_ref().and_then(|name| places.get(name.as_str()));
        (Reverse(finding.severity), place.copied().unwrap_or(0))
    });
    Ok(findings)
}

/// What each column shows by itself, and about the target.
fn columns(study: &Study) -> Result<Vec<Finding>> {
    let found: Vec<Result<Vec<Finding>>> = (0..study.profile.columns.len())
        .into_par_iter()
        .map(|place| {
            let column = &study.profile.columns[place];
            if study.is_ignored(&column.name) {
                return Ok(Vec::new());
            }
            let mut findings: Vec<Finding> = constant::constant(study, place)?.into_iter().collect();
            findings.extend(constant::missing(study, column));
            findings.extend(identifiers::identifiers(study, place)?);
            findings.extend(text::text(study, place)?);
            // Values for "unknown" are far from the median by their nature, and move it.
            match sentinels::sentinels(study, place)? {
                Some(sentinel) => findings.push(sentinel),
                None => findings.extend(outliers::outliers(study, place)?),
            }
            findings.extend(times::times(column));
            Ok(findings)
        })
        .collect();
    let mut findings = Vec::new();
    for found in found {
        findings.extend(found?);
    }
    Ok(findings)
}

/// What columns show together.
fn whole(study: &Study) -> Result<Vec<Finding>> {
    let mut findings = study.notes.clone();
    findings.extend(imbalance::imbalance(study));
    let (alone, leaks) = leakage::leakage(study)?;
    findings.extend(leaks);
    findings.extend(pairs::pairs(study, &alone)?);
    findings.extend(copies::copies(study)?);
    findings.extend(conflicts::conflicts(study)?);
    findings.extend(near_keys::near_keys(study)?);
    findings.extend(isolation::isolation(study)?);
    Ok(findings)
}
