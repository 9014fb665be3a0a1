//! Text as native categories, for models that split on sets of values.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, units};
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::levels::{Counted, LevelMap};
use crate::features::step::{ColumnAction, FittedColumn, Learned};

/// Most codes of one column, that of rarer values included: one byte, as histogram trees want (and as scikit-learn's
/// `HistGradientBoosting` allows).
pub const CATEGORIES_MAX: usize = 255;

/// How values become codes: there is nothing to choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CategoryOptions;

/// One column's codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedCategory {
    pub(crate) column: Arc<str>,
    pub(crate) levels: LevelMap,
    pub(crate) count: u32,
}

/// Learns the codes of a column of text: the most frequent values in the order of their bytes, then one code shared by all
/// rarer ones. Missing and unseen values have no code.
pub fn fit(column: &Working) -> Result<(FittedCategory, Vec<String>)> {
    let name = &column.name;
    let Some(counted) = Counted::of(&column.values) else {
        return Err(fail::usage(format!("column `{name}` has no distinct values to make categories of")).into());
    };
    let mut notes = Vec::new();
    let mut count = counted.len();
    let mut kept = count;
    if count > CATEGORIES_MAX {
        (kept, count) = (CATEGORIES_MAX - 1, CATEGORIES_MAX);
        let rare = units::plural((counted.len() - kept) as u64, "rarer value");
        notes.push(format!("column `{name}`: {rare} share one category"));
    }
    let codes = counted.frequent(kept);
    Ok((FittedCategory { column: Arc::clone(name), levels: counted.with_codes(codes), count: count as u32 }, notes))
}

impl ColumnAction for CategoryOptions {
    fn name(&self) -> &'static str {
        "category"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text, Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column)?;
        Ok((FittedColumn::Category(fitted), notes))
    }
}

impl ColumnStep for FittedCategory {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("category", &[if self.levels.is_text() { Kind::Text } else { Kind::Number }])?;
        if self.count as usize > CATEGORIES_MAX {
            return Err(fail::world("damaged recipe: a column has too many categories").into());
        }
        self.levels.check(self.count as usize)?;
        Ok(vec![Shape { kind: Kind::Category, ..input.clone() }])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        match self.levels.encode(&column.values) {
            Some(codes) => vec![column.with(Values::Category { codes, levels: self.count })],
            None => vec![column],
        }
    }
}
