//! Values as how often they occur in the training rows.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::{MISSING_CODE, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::levels::{Counted, LevelMap};
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::steps::FrequencyMeasure;

/// How frequency is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrequencyOptions {
    /// Share or count.
    pub measure: FrequencyMeasure,
}

/// One column's frequencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedFrequency {
    pub(crate) column: Arc<str>,
    /// Code of each value: its position in `frequencies`.
    pub(crate) levels: LevelMap,
    pub(crate) frequencies: Vec<f64>,
}

/// Counts the values of a column of text or numbers, or divides by the number of rows that have one: pandas'
/// `value_counts(normalize=...)`. For texts of many values, where frequent ones behave alike; two values equally frequent
/// become the same number. A value never seen is 0; missing stays missing.
impl ColumnAction for FrequencyOptions {
    fn name(&self) -> &'static str {
        "frequency"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text, Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let Some(counted) = Counted::of(&column.values) else {
            return Err(fail::usage(format!("column `{name}` has no distinct values to count")).into());
        };
        let counts = counted.counts();
        let rows: u64 = counts.iter().sum();
        let whole = if self.measure == FrequencyMeasure::Share { rows as f64 } else { 1.0 };
        let frequencies = counts.iter().map(|&count| count as f64 / whole).collect();
        let codes = (0..counts.len() as u32).collect();
        let mut notes = Vec::new();
        if rows == 0 {
            notes.push(format!("column `{name}` has no value in the training rows: every value counts as unseen"));
        }
        let fitted = FittedFrequency { column: Arc::clone(name), levels: counted.with_codes(codes), frequencies };
        Ok((FittedColumn::Frequency(fitted), notes))
    }
}

impl ColumnStep for FittedFrequency {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("frequency", &[if self.levels.is_text() { Kind::Text } else { Kind::Number }])?;
        self.levels.check(self.frequencies.len())?;
        if self.frequencies.iter().any(|frequency| !frequency.is_finite()) {
            return Err(fail::world(format!("damaged recipe: frequencies of `{}` are no numbers", self.column)).into());
        }
        Ok(vec![Shape { kind: Kind::Number, ..input.clone() }])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Some(codes) = self.levels.encode::<Vec<u32>>(&column.values) else {
            return vec![column];
        };
        let missing = |row: usize| match &*column.values {
            Values::Text(text) => text.codes[row] as usize >= text.levels.len(),
            Values::Number(values) => values[row].is_nan(),
            _ => true,
        };
        let frequency = |(row, &code): (usize, &u32)| match code {
            MISSING_CODE if missing(row) => f64::NAN,
            MISSING_CODE => 0.0,
            code => self.frequencies[code as usize],
        };
        let made = codes.iter().enumerate().map(frequency).collect();
        vec![column.with(Values::Number(made))]
    }
}
