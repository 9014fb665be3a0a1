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

impl FittedCategory {
    /// Codes that another tool has settled: each level has its place as its code.
    ///
    /// Errors (usage): no levels, more than [`CATEGORIES_MAX`], a level twice, a number that is not finite.
    pub fn known(column: &str, levels: &KnownLevels) -> Result<FittedCategory> {
        let count = levels.len();
        if count == 0 || count > CATEGORIES_MAX {
            return Err(fail::usage(format!("column `{column}` has {} categories", units::count(count as u64)))
                .hint(format!("at least 1 and at most {CATEGORIES_MAX} are possible"))
                .into());
        }
        let mut codes: Vec<u32> = (0..count as u32).collect();
        let levels = match levels {
            KnownLevels::Text(names) => {
                codes.sort_by_key(|&code| names[code as usize].as_str());
                let levels = codes.iter().map(|&code| Arc::from(names[code as usize].as_str())).collect();
                LevelMap::Text { levels, codes }
            }
            KnownLevels::Numbers(numbers) => {
                codes.sort_by(|a, b| numbers[*a as usize].total_cmp(&numbers[*b as usize]));
                let levels = codes.iter().map(|&code| numbers[code as usize]).collect();
                LevelMap::Number { levels, codes }
            }
        };
        match levels.check(count) {
            Ok(()) => Ok(FittedCategory { column: column.into(), levels, count: count as u32 }),
            Err(_) => Err(fail::usage(format!("column `{column}` has a category twice")).into()),
        }
    }
}

/// Levels of a category in the order of their codes.
#[derive(Clone, Debug, PartialEq)]
pub enum KnownLevels {
    /// Of a column of text.
    Text(Vec<String>),
    /// Of a column of numbers.
    Numbers(Vec<f64>),
}

impl KnownLevels {
    fn len(&self) -> usize {
        match self {
            KnownLevels::Text(names) => names.len(),
            KnownLevels::Numbers(numbers) => numbers.len(),
        }
    }
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
