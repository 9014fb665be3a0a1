//! How columns go together: correlations of numbers, and what each column tells of the target. Made on demand, never stored.

pub mod correlation;
pub mod information;

use anyhow::Result;
use serde::Serialize;

use crate::base::limits::{ASSOCIATED_COLUMNS_MAX, DOMAIN_VALUES_MAX, RANKED_ROWS_MAX};
use crate::base::units;
use crate::data::associate::correlation::{Pair, categories, pearson, spearman};
use crate::data::associate::information::{Information, information};
use crate::data::frame::{Column, TextValues, Values};
use crate::data::table::Table;
use crate::spec::schema::ColumnType;

/// Associations of the columns of one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Associations {
    /// Pearson's correlation of each pair of numeric columns, on the rows where both are finite; strongest first.
    pub pearson: Vec<Pair>,
    /// Spearman's rank correlation of the same pairs; strongest first.
    pub spearman: Vec<Pair>,
    /// Cramér's V of each pair of text or boolean columns of few values; strongest first.
    pub cramers_v: Vec<Pair>,
    /// What each column tells of the target; most first. Empty without a target.
    pub information: Vec<Information>,
    /// The target.
    pub target: Option<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// Associates the columns of `table`, and each with `target`.
///
/// Whole numbers, floats, dates and time stamps are numbers; text and booleans are categories. Columns beyond
/// `limits::ASSOCIATED_COLUMNS_MAX` of a kind, rank correlations beyond `limits::RANKED_ROWS_MAX` rows and text of more than
/// `limits::DOMAIN_VALUES_MAX` values are left out of pairs, and said. Errors: an unknown target. Cost: two passes over each
/// pair of columns, pairs in parallel; O(n log n) a column for ranks.
pub fn associate(table: &Table, target: Option<&str>) -> Result<Associations> {
    if let Some(target) = target {
        table.column(target)?;
    }
    let frame = table.frame_all()?;
    let types = table.columns();
    let mut found = Associations { target: target.map(str::to_owned), ..Associations::default() };
    let mut numeric: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut coded: Vec<(&str, TextValues)> = Vec::new();
    let (mut many, mut beyond) = (0_u64, 0_u64);
    for (column, of) in frame.columns().iter().zip(&types) {
        let kept = if is_category(of.column_type) { coded.len() } else { numeric.len() };
        if kept >= ASSOCIATED_COLUMNS_MAX {
            beyond += 1;
        } else if !is_category(of.column_type) {
            numeric.push((&column.name, numbers(column)));
        } else if let codes = codes(column)
            && codes.levels.len() <= DOMAIN_VALUES_MAX
        {
            coded.push((&column.name, codes));
        } else {
            many += 1;
        }
    }
    if beyond > 0 {
        let columns = units::plural(beyond, "column");
        found.notes.push(format!("{columns} beyond the first {ASSOCIATED_COLUMNS_MAX} of a kind are not paired"));
    }
    if many > 0 {
        let columns = units::plural(many, "text column");
        found.notes.push(format!("{columns} of more than {DOMAIN_VALUES_MAX} values are not paired"));
    }
    found.pearson = pearson(&numeric);
    if frame.rows() <= RANKED_ROWS_MAX {
        found.spearman = spearman(&numeric);
    } else {
        let most = units::count(RANKED_ROWS_MAX as u64);
        found.notes.push(format!("rank correlations are left out above {most} rows"));
    }
    found.cramers_v = categories(&coded);
    if let Some(target) = target {
        found.information = information(&frame, &types, target)?;
    }
    Ok(found)
}

fn is_category(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Text | ColumnType::Boolean)
}

/// The values of a column as numbers, not-a-number where missing.
fn numbers(column: &Column) -> Vec<f64> {
    match &column.values {
        Values::Number(numbers) => numbers.clone(),
        Values::Time(times) => {
            let missing = crate::data::frame::MISSING_TIME;
            times.iter().map(|time| if *time == missing { f64::NAN } else { *time as f64 }).collect()
        }
        values => vec![f64::NAN; values.len()],
    }
}

/// The values of a column as codes; numbers by their value.
fn codes(column: &Column) -> TextValues {
    match &column.values {
        Values::Text(text) => text.clone(),
        Values::Number(numbers) => {
            let names: Vec<Option<&str>> = numbers
                .iter()
                .map(|number| match number {
                    n if n.is_nan() => None,
                    n if *n == 0.0 => Some("false"),
                    _ => Some("true"),
                })
                .collect();
            TextValues::from_values(names)
        }
        _ => TextValues::default(),
    }
}
