//! Values as their rank: 0, 1, 2…

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, units};
use crate::data::frame::{MISSING_CODE, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::levels::{Counted, LevelMap};
use crate::features::step::{ColumnAction, FittedColumn, Learned};

/// How values are ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct OrdinalOptions {
    /// The values from lowest to highest; ascending when absent.
    pub order: Option<Vec<String>>,
}

/// One column's ranks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedOrdinal {
    pub(crate) column: Arc<str>,
    pub(crate) levels: LevelMap,
}

/// Learns the ranks of a column of text or numbers: as in `order`, else ascending (text by its bytes).
///
/// Values that were not seen, or that `order` does not name, become missing: scikit-learn's `OrdinalEncoder` (1.9) with
/// `handle_unknown="use_encoded_value", unknown_value=nan`. A note tells how many training rows `order` leaves out.
/// Errors: `order` names something that is not a number for a column of numbers.
pub fn fit(column: &Working, order: Option<&[String]>) -> Result<(FittedOrdinal, Vec<String>)> {
    let name = &column.name;
    let Some(counted) = Counted::of(&column.values) else {
        return Err(fail::usage(format!("column `{name}` has no values to put in order")).into());
    };
    let mut notes = Vec::new();
    let levels = match order {
        None => {
            let codes = (0..counted.len() as u32).collect();
            counted.with_codes(codes)
        }
        Some(order) => {
            let (levels, left_out) = in_order(name, &counted, order)?;
            if left_out > 0 {
                let rows = units::plural(left_out, "training row");
                notes.push(format!("column `{name}`: {rows} with values that `order` does not name count as missing"));
            }
            levels
        }
    };
    Ok((FittedOrdinal { column: Arc::clone(name), levels }, notes))
}

/// The map of `order`, and how many rows have a value outside it.
fn in_order(name: &str, counted: &Counted, order: &[String]) -> Result<(LevelMap, u64)> {
    match counted {
        Counted::Text(seen) => {
            let ranks: HashMap<&str, u32> = order.iter().map(String::as_str).zip(0..).collect();
            let mut levels: Vec<(&str, u32)> = ranks.iter().map(|(level, rank)| (*level, *rank)).collect();
            levels.sort_unstable();
            let left_out = seen.iter().filter(|(level, _)| !ranks.contains_key(&**level)).map(|(_, count)| count).sum();
            let (levels, codes) = levels.into_iter().map(|(level, rank)| (Arc::from(level), rank)).unzip();
            Ok((LevelMap::Text { levels, codes }, left_out))
        }
        Counted::Number(seen) => {
            let mut levels = Vec::with_capacity(order.len());
            for (text, rank) in order.iter().zip(0_u32..) {
                let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                let number = number.ok_or_else(|| {
                    fail::usage(format!("column `{name}` holds numbers, but `order` names `{text}`"))
                        .hint("write the numbers as text, like order = [\"1\", \"2\", \"3\"]")
                })?;
                levels.push((number + 0.0, rank));
            }
            levels.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            if let Some(twice) = levels.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(fail::usage(format!("`order` names the number {} twice", twice[0].0)).into());
            }
            let known = |value: f64| levels.binary_search_by(|(level, _)| level.total_cmp(&value)).is_ok();
            let left_out = seen.iter().filter(|(value, _)| !known(*value)).map(|(_, count)| count).sum();
            let (levels, codes) = levels.into_iter().unzip();
            Ok((LevelMap::Number { levels, codes }, left_out))
        }
    }
}

impl ColumnAction for OrdinalOptions {
    fn name(&self) -> &'static str {
        "ordinal"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text, Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, self.order.as_deref())?;
        Ok((FittedColumn::Ordinal(fitted), notes))
    }
}

impl ColumnStep for FittedOrdinal {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("ordinal", &[if self.levels.is_text() { Kind::Text } else { Kind::Number }])?;
        self.levels.check(MISSING_CODE as usize)?;
        Ok(vec![Shape { kind: Kind::Number, ..input.clone() }])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Some(codes) = self.levels.encode::<Vec<u32>>(&column.values) else {
            return vec![column];
        };
        let rank = |code: u32| if code == MISSING_CODE { f64::NAN } else { f64::from(code) };
        vec![column.with(Values::Number(codes.into_iter().map(rank).collect()))]
    }
}
