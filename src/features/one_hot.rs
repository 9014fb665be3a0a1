//! One column of 0 and 1 for each value.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, units};
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::levels::{Counted, LevelMap};
use crate::features::step::{ColumnAction, FittedColumn, Learned};

/// How values become columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneHotOptions {
    /// Most columns made from one, the column of rarer values included; at least 2.
    pub max: usize,
    /// Leaves out the first.
    pub drop_first: bool,
}

/// One column's values and the columns made from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedOneHot {
    pub(crate) column: Arc<str>,
    pub(crate) levels: LevelMap,
    /// Code of the first column made: 1 when the first value's is left out, else 0.
    pub(crate) first: u32,
    pub(crate) columns: Vec<Arc<str>>,
}

/// Learns the values of a column of text or numbers.
///
/// Columns come in the order of the values (text by its bytes, numbers ascending), that of rarer values last: equal to
/// scikit-learn's `OneHotEncoder(max_categories=max)` (1.9), except that a value never seen is 0 everywhere even when
/// rarer values share a column. Numbers are taken by their exact value.
pub fn fit(column: &Working, options: OneHotOptions) -> Result<(FittedOneHot, Vec<String>)> {
    let name = &column.name;
    let Some(counted) = Counted::of(&column.values) else {
        return Err(fail::usage(format!("column `{name}` has no distinct values to make columns of")).into());
    };
    let mut notes = Vec::new();
    let kept = if counted.len() > options.max { options.max - 1 } else { counted.len() };
    let codes = counted.frequent(kept);
    let mut columns = vec![Arc::from(""); kept];
    for (position, &code) in codes.iter().enumerate() {
        if let Some(made) = columns.get_mut(code as usize) {
            *made = format!("{name}={}", counted.name(position)).into();
        }
    }
    let rare = counted.len() - kept;
    if rare > 0 {
        columns.push(format!("{name}=other").into());
        let counts = counted.counts();
        let rows = codes.iter().zip(counts).filter(|(code, _)| **code == kept as u32).map(|(_, count)| count).sum();
        let (values, rows) = (units::plural(rare as u64, "rarer value"), units::plural(rows, "row"));
        notes.push(format!("column `{name}`: {values} ({rows}) share the column `{name}=other`"));
    }
    if counted.len() == 0 {
        notes.push(format!("column `{name}` has no value in the training rows: no columns made"));
    }
    let first = u32::from(options.drop_first && !columns.is_empty());
    columns.drain(..first as usize);
    Ok((FittedOneHot { column: Arc::clone(name), levels: counted.with_codes(codes), first, columns }, notes))
}

impl ColumnAction for OneHotOptions {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text, Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, *self)?;
        Ok((FittedColumn::OneHot(fitted), notes))
    }
}

impl ColumnStep for FittedOneHot {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("one_hot", &[if self.levels.is_text() { Kind::Text } else { Kind::Number }])?;
        if self.first > 1 {
            return Err(fail::world("damaged recipe: one_hot leaves out more than its first value").into());
        }
        self.levels.check(self.columns.len() + self.first as usize)?;
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Indicator)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Some(codes) = self.levels.encode::<Arc<[u32]>>(&column.values) else {
            return vec![column];
        };
        let made = (self.first..).zip(&self.columns);
        made.map(|(code, name)| column.made(name, Values::Indicator { codes: Arc::clone(&codes), code })).collect()
    }
}
