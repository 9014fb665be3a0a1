//! Two profiles compared, column by column.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::seed::Seed;
use crate::base::suggest;
use crate::drift::column;
use crate::drift::report::{ColumnDrift, DriftReport, Outcome, RowsDrift};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::drift::DriftSpec;

/// How to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftOptions {
    /// Tests, thresholds and columns.
    pub spec: DriftSpec,
    /// Start of the permutation tests.
    pub seed: Seed,
}

impl Default for DriftOptions {
    /// Evidently's choices, and its seed.
    fn default() -> DriftOptions {
        DriftOptions { spec: DriftSpec::default(), seed: Seed(0) }
    }
}

/// Compares every column that both tables have. Needs nothing but the profiles: O(points) a column, whatever the number of
/// rows, unless an exact p-value of few rows or a permutation test is asked for.
///
/// Errors: a setting that is out of range, or that names a column neither table has or a test that does not suit it.
pub fn compare(reference: &ProfileRecord, current: &ProfileRecord, options: &DriftOptions) -> Result<DriftReport> {
    let spec = &options.spec;
    spec.check()?;
    known_columns(reference, current, spec)?;
    let wanted = |name: &str| {
        !spec.ignore.iter().any(|column| column == name)
            && (spec.columns.is_empty() || spec.columns.iter().any(|column| column == name))
    };
    let after: std::collections::HashMap<&str, &ColumnProfile> =
        current.columns.iter().map(|column| (column.name.as_str(), column)).collect();
    let shared: Vec<(&ColumnProfile, &ColumnProfile)> = reference
        .columns
        .iter()
        .filter(|column| wanted(&column.name))
        .filter_map(|column| after.get(column.name.as_str()).map(|other| (column, *other)))
        .collect();
    let columns: Vec<ColumnDrift> = shared
        .par_iter()
        .map(|(before, after)| column::compare(before, after, options))
        .collect::<Result<Vec<ColumnDrift>>>()?;
    let only_in = |these: &ProfileRecord, others: &ProfileRecord| -> Vec<String> {
        let names: BTreeSet<&str> = others.columns.iter().map(|column| column.name.as_str()).collect();
        let lone = these.columns.iter().map(|column| &column.name).filter(|name| wanted(name));
        lone.filter(|name| !names.contains(name.as_str())).cloned().collect()
    };
    let rows = rows_drift(reference.rows, current.rows, spec);
    let counted = columns.iter().filter(|column| column.drifted || is_judged(column)).count();
    let drifted = columns.iter().filter(|column| column.drifted).count();
    let share_drifted = if counted == 0 { 0.0 } else { drifted as f64 / counted as f64 };
    let mut notes = Vec::new();
    if counted == 0 {
        notes.push("no column was compared".to_owned());
    }
    Ok(DriftReport {
        drifted: (counted > 0 && share_drifted >= spec.share) || rows.drifted,
        share_drifted,
        share: spec.share,
        rows,
        columns,
        new_columns: only_in(current, reference),
        vanished_columns: only_in(reference, current),
        notes,
    })
}

/// Whether a column takes part in the share: times are measured, and what could not be compared has no answer.
fn is_judged(column: &ColumnDrift) -> bool {
    !matches!(column.outcome, Outcome::Measured | Outcome::NotCompared)
}

fn known_columns(reference: &ProfileRecord, current: &ProfileRecord, spec: &DriftSpec) -> Result<()> {
    let known: BTreeSet<&str> =
        reference.columns.iter().chain(&current.columns).map(|column| column.name.as_str()).collect();
    for name in spec.columns.iter().chain(&spec.ignore).chain(spec.column.keys()) {
        if !known.contains(name.as_str()) {
            return Err(suggest::unknown("column", name, known.iter().copied()).into());
        }
    }
    Ok(())
}

fn rows_drift(reference: u64, current: u64, spec: &DriftSpec) -> RowsDrift {
    let fraction = (reference > 0).then(|| current as f64 / reference as f64);
    let outside = |fraction: f64| {
        spec.rows_fraction_min.is_some_and(|least| fraction < least)
            || spec.rows_fraction_max.is_some_and(|most| fraction > most)
    };
    RowsDrift { reference, current, fraction, drifted: fraction.is_some_and(outside) }
}
