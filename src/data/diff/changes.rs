//! The rows that differ between two tables as a table of their own.

use anyhow::{Context, Result};
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series};

use crate::data::diff::RowDiff;
use crate::data::format::csv::write::Cells;
use crate::data::table::Table;

/// The rows of `diff` with a first column `change`: `removed`, then changed rows as `old` and `new` below each other,
/// then `added`. The other columns are those that both tables have.
///
/// A column of two number types becomes float, of other two types text. Errors: more rows than a table holds.
pub fn table(old: &Table, new: &Table, diff: &RowDiff) -> Result<Table> {
    let (was, is): (Vec<u32>, Vec<u32>) = diff.changed.iter().copied().unzip();
    let pieces = [old.take(&diff.removed)?, old.take(&was)?, new.take(&is)?, new.take(&diff.added)?];
    let words = ["removed", "old", "new", "added"];
    let names = words.iter().zip(&pieces).flat_map(|(word, piece)| std::iter::repeat_n(*word, piece.rows()));
    let mut name = "change".to_owned();
    while diff.columns.contains(&name) {
        name.push('_');
    }
    let mut columns: Vec<Column> = vec![Series::new(name.as_str().into(), names.collect::<Vec<_>>()).into()];
    for name in &diff.columns {
        columns.push(stacked(name, &pieces).with_context(|| format!("cannot put column `{name}` together"))?);
    }
    let all = Table::new(DataFrame::new(columns[0].len(), columns).context("cannot put changed rows together")?)?;
    all.take(&order(diff))
}

/// Removed rows, then old and new side by side, then added rows, as rows of the stacked pieces.
fn order(diff: &RowDiff) -> Vec<u32> {
    let (removed, changed) = (diff.removed.len() as u32, diff.changed.len() as u32);
    let pairs = (0..changed).flat_map(|pair| [removed + pair, removed + changed + pair]);
    let added = removed + 2 * changed;
    (0..removed).chain(pairs).chain(added..added + diff.added.len() as u32).collect()
}

fn stacked(name: &str, pieces: &[Table; 4]) -> Result<Column> {
    let columns = pieces.iter().map(|piece| piece.column(name)).collect::<Result<Vec<&Column>>>()?;
    let (old, new) = (columns[0].dtype(), columns[2].dtype());
    let is_number = |of: &DataType| matches!(of, DataType::Int64 | DataType::Float64);
    let mut all: Option<Column> = None;
    for column in &columns {
        let column = match old == new {
            true => (*column).clone(),
            false if is_number(old) && is_number(new) => column.cast(&DataType::Float64)?,
            false => as_text(name, column)?,
        };
        match &mut all {
            None => all = Some(column),
            Some(all) => {
                all.append(&column)?;
            }
        }
    }
    all.context("there are four pieces")
}

fn as_text(name: &str, column: &Column) -> Result<Column> {
    let cells = Cells::of(column)?;
    let text = |row: usize| {
        let mut bytes = Vec::new();
        cells.push(row, &mut bytes).then(|| String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Series::new(name.into(), (0..column.len()).map(text).collect::<Vec<Option<String>>>()).into())
}
