//! Rows that agree in every feature and disagree in their label.

use std::collections::BTreeMap;

use anyhow::Result;
use polars::prelude::Column;

use crate::base::units;
use crate::data::frame::MISSING_CODE;
use crate::data::table::Table;
use crate::quality::duplicates;
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::rows::Rows;
use crate::quality::sense::study::{Goal, Study};
use crate::spec::schema::Severity;

/// Share of rows that no model can tell from which it is suspicious.
const LOST_MIN: f64 = 0.01;
/// Groups of which rows are shown.
const GROUPS_SHOWN_MAX: usize = 5;

/// `LABEL_CONFLICT`: rows with equal values in all features (missing equals missing) but different classes, and the best
/// accuracy that is left: every group told as its most frequent class. Numbers to predict differ by nature and are not
/// compared.
///
/// Cost: a hash of every feature of every row and a sort of it; none when a feature has no value twice.
pub fn conflicts(study: &Study) -> Result<Option<Finding>> {
    let Some((target, Goal::Classes { names, codes })) = &study.goal else { return Ok(None) };
    let distinct = |place: &usize| {
        let column = study.profile_of(*place);
        column.missing <= 1 && column.unique == column.present
    };
    if study.features.is_empty() || study.features.iter().any(distinct) {
        return Ok(None);
    }
    let columns: Vec<&Column> = study.features.iter().map(|place| study.column(*place)).collect();
    let groups = differing(&columns, codes)?;
    if groups.is_empty() {
        return Ok(None);
    }
    let lost: u64 = groups.values().map(|rows| outvoted(rows, codes)).sum();
    let mut all: Vec<u32> = groups.values().flatten().copied().collect();
    all.sort_unstable();
    let labelled = codes.iter().filter(|code| **code != MISSING_CODE).count() as u64;
    let share = lost as f64 / labelled as f64;
    let severity = if share >= LOST_MIN { Severity::Warning } else { Severity::Info };
    let mut finding = Finding::new("LABEL_CONFLICT", severity, Some(target)).says(
        format!("rows that are equal in {} have one class", all_of(columns.len())),
        format!(
            "{} in {}; the best accuracy possible is {}",
            of_rows(all.len() as u64, labelled, "row"),
            units::plural(groups.len() as u64, "group"),
            percent(1.0 - share),
        ),
        "one class for equal features".to_owned(),
    );
    finding.count = Rows::of(all.iter().map(|row| *row as usize)).count;
    // The groups that disagree most, two rows of different classes from each.
    let mut shown: Vec<&Vec<u32>> = groups.values().collect();
    shown.sort_by_key(|rows| (std::cmp::Reverse(outvoted(rows, codes)), rows[0]));
    for rows in shown.into_iter().take(GROUPS_SHOWN_MAX) {
        let other = rows.iter().find(|row| codes[**row as usize] != codes[rows[0] as usize]);
        for row in [Some(&rows[0]), other].into_iter().flatten() {
            finding.rows.push(u64::from(*row) + 1);
            let class = &names[codes[*row as usize] as usize];
            finding.samples.push(format!("{target} {class}, {} rows with these features", rows.len()));
        }
    }
    finding.fix =
        "correct the labels, or add a feature that tells these rows apart; accept it when chance decides".to_owned();
    Ok(Some(finding))
}

/// Rows that no features tell from rows of another class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflicts {
    /// Rows whose features a row of another class has too.
    pub rows: u64,
    /// Those of them that are not of the most frequent class among their likes: mistakes that no model can avoid.
    pub lost: u64,
}

/// Conflicts between the classes `codes` of the rows of `table` that agree in all `columns`, missing equal to missing.
///
/// Errors: an unknown column. Cost: one hash a value, one sort.
pub fn of_columns(table: &Table, columns: &[&str], codes: &[u32]) -> Result<Conflicts> {
    let columns = columns.iter().map(|name| table.column(name)).collect::<Result<Vec<_>>>()?;
    let groups = if columns.is_empty() { BTreeMap::new() } else { differing(&columns, codes)? };
    let rows = groups.values().map(|rows| rows.len() as u64).sum();
    Ok(Conflicts { rows, lost: groups.values().map(|rows| outvoted(rows, codes)).sum() })
}

/// Groups of rows that agree in all `columns` and not in their class, by their first row.
fn differing(columns: &[&Column], codes: &[u32]) -> Result<BTreeMap<u32, Vec<u32>>> {
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (row, first) in duplicates::repeats(columns, false)? {
        groups.entry(first).or_insert_with(|| vec![first]).push(row);
    }
    groups.values_mut().for_each(|rows| rows.retain(|row| codes[*row as usize] != MISSING_CODE));
    let differ = |rows: &Vec<u32>| rows.iter().any(|row| codes[*row as usize] != codes[rows[0] as usize]);
    groups.retain(|_, rows| differ(rows));
    Ok(groups)
}

fn all_of(features: usize) -> String {
    if features == 1 { "the only feature".to_owned() } else { format!("all {features} features") }
}

/// Rows of a group that are not of its most frequent class.
fn outvoted(rows: &[u32], codes: &[u32]) -> u64 {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(codes[*row as usize]).or_default() += 1);
    rows.len() as u64 - counts.into_values().max().unwrap_or(0)
}
