//! Texts hashed into a fixed number of columns.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::murmur;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::HashSpec;

/// How texts are hashed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HashOptions {
    /// Columns made, 1 to [`limits::HASHED_COLUMNS_MAX`].
    pub width: usize,
    /// Whether half of the texts count as -1.
    pub signed: bool,
}

/// One column's hashing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedHash {
    column: Arc<str>,
    signed: bool,
    columns: Vec<Arc<str>>,
}

/// Checks what was written.
pub fn check(spec: &HashSpec) -> Result<Action, Failure> {
    check_width("hash", spec.width)?;
    Ok(Action::each(HashOptions { width: spec.width, signed: spec.signed }))
}

/// Refuses a number of columns that is out of range.
pub fn check_width(op: &str, width: usize) -> Result<(), Failure> {
    let most = limits::HASHED_COLUMNS_MAX;
    match (1..=most).contains(&width) {
        true => Ok(()),
        false => Err(fail::usage(format!("{op}: width = {width} is not between 1 and {most}"))),
    }
}

/// Puts ±1 into the column that a text's hash names, 0 into the others: Weinberger et al. 2009, "Feature hashing for large
/// scale multitask learning"; equals scikit-learn's `FeatureHasher(input_type="string")` (1.9) on one text a row. For texts
/// of so many values that none can be listed, or where new ones keep coming: an unseen text works like any other. Different
/// texts may share a column. Missing is 0 everywhere. Nothing is learned.
impl ColumnAction for HashOptions {
    fn name(&self) -> &'static str {
        "hash"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let columns = (0..self.width).map(|position| format!("{name}_hash_{position}").into()).collect();
        let fitted = FittedHash { column: Arc::clone(name), signed: self.signed, columns };
        Ok((FittedColumn::Hash(fitted), Vec::new()))
    }
}

impl FittedHash {
    /// Twice the column of each row, plus one for a negative sign.
    fn codes(&self, text: &TextValues) -> Vec<u32> {
        let place = |level: &Arc<str>| {
            let (position, sign) = murmur::place(level, self.columns.len());
            position * 2 + u32::from(self.signed && sign < 0.0)
        };
        if text.levels.len() > text.codes.len() {
            return text.codes.iter().map(|&code| text.levels.get(code as usize).map_or(MISSING_CODE, place)).collect();
        }
        let table: Vec<u32> = text.levels.iter().map(place).collect();
        text.codes.iter().map(|&code| *table.get(code as usize).unwrap_or(&MISSING_CODE)).collect()
    }
}

impl ColumnStep for FittedHash {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("hash", &[Kind::Text])?;
        if !(1..=limits::HASHED_COLUMNS_MAX).contains(&self.columns.len()) {
            let (name, width) = (&self.column, self.columns.len());
            return Err(fail::world(format!("damaged recipe: `{name}` is hashed into {width} columns")).into());
        }
        let kind = if self.signed { Kind::Number } else { Kind::Indicator };
        Ok(self.columns.iter().map(|name| input.made(name, kind)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Text(text) = &*column.values else {
            return vec![column];
        };
        let codes: Arc<[u32]> = self.codes(text).into();
        let made = (0_u32..).step_by(2).zip(&self.columns).map(|(plus, name)| {
            if !self.signed {
                return column.made(name, Values::Indicator { codes: Arc::clone(&codes), code: plus });
            }
            let value = |&code: &u32| match code {
                code if code == plus => 1.0,
                code if code == plus + 1 => -1.0,
                _ => 0.0,
            };
            column.made(name, Values::Number(codes.iter().map(value).collect()))
        });
        made.collect()
    }
}
