//! Leaving out columns that say little.

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::{fail, limits, units};
use crate::features::column::{Working, numeric};
use crate::features::fitting::Fitting;
use crate::features::many::codes::{Codes, information_beyond_chance};
use crate::features::many::gain::importances;
use crate::features::many::{drawn, drops, note_drawn};
use crate::features::recipe::StepForm;
use crate::features::stats;
use crate::spec::many::SelectBy;
use crate::spec::recipe::Columns;

/// Bins of a number whose mutual information or importance is measured.
const BINS: usize = 32;
/// Bins of a target of numbers.
const TARGET_BINS: usize = 16;
/// Correlation above which a column is left out, unless said otherwise.
const CORRELATION_MAX: f64 = 0.95;
/// Columns left out that a note names.
const NAMED_MAX: usize = 10;

/// What is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectOptions {
    /// Among which columns.
    pub columns: Columns,
    /// What is measured.
    pub by: SelectBy,
    /// How many are kept at most.
    pub keep: Option<usize>,
    /// What must be exceeded to be kept; for correlation, to be left out.
    pub threshold: Option<f64>,
}

/// Measures columns and leaves out those that do not exceed the threshold, or are not among the `keep` best (ties: the
/// earlier column).
///
/// *Variance*, population variance as scikit-learn's `VarianceThreshold`, and *correlation* look at numbers and indicators
/// alone; other columns stay. A column is left out when its absolute Pearson correlation with one before it that stays is
/// above the threshold; missing values count as the mean. *Mutual information* in nats is that of bins of equal size
/// (`mutual_info_score` of scikit-learn less what chance gives), *importance* a share of all; see `many::gain`. Beyond
/// `SELECT_ROWS_MAX` training rows, all but variance are measured on some drawn at random, and a note says so.
pub fn fit(
    columns: &[&Working],
    options: &SelectOptions,
    fitting: &Fitting,
    notes: &mut Vec<String>,
) -> Result<Vec<StepForm>> {
    let rows = columns.first().map_or(0, |column| column.values.len());
    let measured = match options.by {
        SelectBy::Variance => (0..rows as u32).collect(),
        _ => drawn(rows, limits::SELECT_ROWS_MAX, fitting.seed),
    };
    note_drawn("select", measured.len(), rows, notes);
    let (dropped, word) = match options.by {
        SelectBy::Variance => {
            let scores: Vec<Option<f64>> = columns.par_iter().map(|column| variance(column)).collect();
            (worst(&scores, options, 0.0), "little variance")
        }
        SelectBy::Correlation => (correlated(columns, &measured, options)?, "a correlation with a column before"),
        SelectBy::MutualInformation => {
            let target = Codes::of_target(fitting.wanted_target()?, &measured, TARGET_BINS);
            let score = |column: &&Working| {
                Some(information_beyond_chance(&Codes::of(&column.values, &measured, BINS), &target))
            };
            (worst(&columns.par_iter().map(score).collect::<Vec<_>>(), options, 0.0), "little to say about the target")
        }
        SelectBy::Importance => {
            let target = fitting.wanted_target()?;
            let codes: Vec<Codes> =
                columns.par_iter().map(|column| Codes::of(&column.values, &measured, BINS)).collect();
            let scores: Vec<_> = importances(&codes, target, &measured).into_iter().map(Some).collect();
            (worst(&scores, options, 0.0), "little importance")
        }
    };
    if dropped.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = dropped.iter().map(|&position| &*columns[position].name).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let named = names.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {}", units::plural(more as u64, "other")) } else { String::new() };
    notes.push(format!("{} with {word} left out: {named}{more}", units::plural(names.len() as u64, "column")));
    Ok(vec![drops(&dropped.iter().map(|&position| columns[position]).collect::<Vec<_>>())])
}

/// Columns that do not exceed the threshold, or are beyond the best; those without a score stay.
fn worst(scores: &[Option<f64>], options: &SelectOptions, least: f64) -> Vec<usize> {
    let mut scored: Vec<(usize, f64)> =
        scores.iter().enumerate().filter_map(|(position, score)| Some((position, (*score)?))).collect();
    let mut dropped: Vec<usize> = match options.keep {
        Some(keep) => {
            scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            scored.iter().skip(keep).map(|(position, _)| *position).collect()
        }
        None => {
            let threshold = options.threshold.unwrap_or(least);
            scored.iter().filter(|(_, score)| *score <= threshold).map(|(position, _)| *position).collect()
        }
    };
    dropped.sort_unstable();
    dropped
}

/// Population variance of the values present; `None` for other kinds.
fn variance(column: &Working) -> Option<f64> {
    let present = stats::finite(&numeric(&column.values)?);
    // A constant has no variance, whatever rounding says.
    if stats::range(&present).is_none_or(|(low, high)| low == high) {
        return Some(0.0);
    }
    let mean = stats::mean(&present).unwrap_or(0.0);
    let squares = stats::sum(&present, |value| (value - mean).powi(2));
    let variance = squares / present.len().max(1) as f64;
    Some(if variance.is_finite() { variance } else { f64::MAX })
}

/// Columns that are correlated with an earlier one that stays.
fn correlated(columns: &[&Working], rows: &[u32], options: &SelectOptions) -> Result<Vec<usize>> {
    let threshold = options.threshold.unwrap_or(CORRELATION_MAX);
    let numeric: Vec<usize> =
        (0..columns.len()).filter(|&position| numeric(&columns[position].values).is_some()).collect();
    if numeric.len() > limits::SELECT_PAIR_COLUMNS_MAX {
        let (count, most) = (numeric.len(), limits::SELECT_PAIR_COLUMNS_MAX);
        return Err(fail::usage(format!("select: {count} columns have too many pairs; at most {most} are compared"))
            .hint("select by variance or mutual_information first")
            .into());
    }
    let units: Vec<Option<Vec<f64>>> =
        numeric.par_iter().map(|&position| unit_vector(columns[position], rows)).collect();
    let (mut kept, mut dropped): (Vec<&Vec<f64>>, Vec<usize>) = (Vec::new(), Vec::new());
    for (&position, unit) in numeric.iter().zip(&units) {
        let Some(unit) = unit else {
            continue;
        };
        let dot = |other: &&Vec<f64>| other.iter().zip(unit).map(|(a, b)| a * b).sum::<f64>().abs();
        if kept.par_iter().any(|other| dot(other) > threshold) {
            dropped.push(position);
        } else {
            kept.push(unit);
        }
    }
    Ok(dropped)
}

/// Values less their mean, of length 1 together; missing ones are 0. `None` for a column without spread.
fn unit_vector(column: &Working, rows: &[u32]) -> Option<Vec<f64>> {
    let numbers = numeric(&column.values)?;
    let picked: Vec<f64> = rows.iter().map(|&row| numbers[row as usize]).collect();
    let present = stats::finite(&picked);
    let mean = stats::mean(&present)?;
    let largest = present.iter().fold(0.0_f64, |largest, value| largest.max((value / 2.0 - mean / 2.0).abs()));
    if largest == 0.0 {
        return None;
    }
    let away = |value: &f64| if value.is_finite() { (value / 2.0 - mean / 2.0) / largest } else { 0.0 };
    let mut unit: Vec<f64> = picked.iter().map(away).collect();
    let length = stats::sum(&unit, |value| value * value).sqrt();
    unit.iter_mut().for_each(|value| *value /= length);
    Some(unit)
}
