//! Values as another kind: numbers of text, text of numbers, and so on.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::{fail, units};
use crate::data::frame::{MISSING_TIME, TextValues, Values};
use crate::features::category::CategoryOptions;
use crate::features::column::{ColumnStep, Kind, Shape, Working, missing};
use crate::features::impute::read_time;
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::steps::CastTo;

const MICROS_PER_SECOND: f64 = 1e6;

/// Into what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CastOptions {
    /// The kind that comes out.
    pub to: CastTo,
}

/// One column's change of kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedCast {
    pub(crate) column: Arc<str>,
    pub(crate) to: CastTo,
}

/// Changes the kind of a column. Numbers are read as `f64` is written (`-1.5e3`), white space around them left out, and
/// written in the shortest form that reads back; true, yes, y, t, on, 1 and false, no, n, f, off, 0 are booleans in any
/// letters; times are RFC 3339 (a date alone is its midnight in UTC), as numbers the seconds since 1970. To categories: what
/// the step `category` does. What cannot be read becomes missing; the note counts it for the training rows.
impl ColumnAction for CastOptions {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn kinds(&self) -> &'static [Kind] {
        match self.to {
            CastTo::Category => &[Kind::Text, Kind::Number],
            _ => &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator],
        }
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        if self.to == CastTo::Category {
            return CategoryOptions.learn(column);
        }
        let name = &column.name;
        let fitted = FittedCast { column: Arc::clone(name), to: self.to };
        let before = missing(&column.values);
        let lost = fitted.values(&column.values).map_or(0, |values| missing(&values).saturating_sub(before));
        let mut notes = Vec::new();
        if lost > 0 {
            let rows = units::plural(lost as u64, "training row");
            notes.push(format!(
                "column `{name}`: {rows} cannot be read as {} and count as missing",
                kind(self.to).name()
            ));
        }
        Ok((FittedColumn::Cast(fitted), notes))
    }
}

fn kind(to: CastTo) -> Kind {
    match to {
        CastTo::Number | CastTo::Boolean => Kind::Number,
        CastTo::Text => Kind::Text,
        CastTo::Time => Kind::Time,
        CastTo::Category => Kind::Category,
    }
}

impl FittedCast {
    /// The values as the other kind; `None` when they are of it already.
    fn values(&self, values: &Values) -> Option<Values> {
        match self.to {
            CastTo::Number => match values {
                Values::Text(text) => Some(Values::Number(by_level(text, f64::NAN, read_number))),
                Values::Time(times) => Some(Values::Number(times.iter().map(|&time| seconds(time)).collect())),
                Values::Indicator { codes, code } => Some(Values::Number(zero_or_one(codes, *code))),
                _ => None,
            },
            CastTo::Boolean => match values {
                Values::Text(text) => Some(Values::Number(by_level(text, f64::NAN, read_boolean))),
                Values::Number(numbers) => Some(Values::Number(numbers.iter().map(|&value| truth(value)).collect())),
                Values::Time(times) => Some(Values::Number(vec![f64::NAN; times.len()])),
                Values::Indicator { codes, code } => Some(Values::Number(zero_or_one(codes, *code))),
                Values::Category { .. } => None,
            },
            CastTo::Text => match values {
                Values::Number(numbers) => {
                    Some(texts(numbers, |value| value.is_nan(), |value| (value + 0.0).to_string()))
                }
                Values::Time(times) => Some(texts(times, |&time| time == MISSING_TIME, |&time| written_time(time))),
                Values::Indicator { codes, code } => {
                    Some(texts(&zero_or_one(codes, *code), |_| false, |value| value.to_string()))
                }
                _ => None,
            },
            CastTo::Time => match values {
                Values::Text(text) => Some(Values::Time(by_level(text, MISSING_TIME, |text| read_time(text.trim())))),
                Values::Number(numbers) => Some(Values::Time(numbers.iter().map(|&value| micros(value)).collect())),
                Values::Indicator { codes, .. } => Some(Values::Time(vec![MISSING_TIME; codes.len()])),
                _ => None,
            },
            CastTo::Category => None,
        }
    }
}

/// One value for each row, read once for each distinct text that rows may have.
fn by_level<T: Copy>(text: &TextValues, absent: T, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    if text.levels.len() > text.codes.len() {
        return (0..text.codes.len()).map(|row| text.get(row).and_then(&read).unwrap_or(absent)).collect();
    }
    let table: Vec<T> = text.levels.iter().map(|level| read(level).unwrap_or(absent)).collect();
    text.codes.iter().map(|&code| *table.get(code as usize).unwrap_or(&absent)).collect()
}

fn texts<T>(values: &[T], absent: impl Fn(&T) -> bool, write: impl Fn(&T) -> String) -> Values {
    let written: Vec<Option<String>> = values.iter().map(|value| (!absent(value)).then(|| write(value))).collect();
    Values::Text(TextValues::from_values(written.iter().map(|text| text.as_deref())))
}

fn read_number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn read_boolean(text: &str) -> Option<f64> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "t" | "on" | "1" => Some(1.0),
        "false" | "no" | "n" | "f" | "off" | "0" => Some(0.0),
        _ => None,
    }
}

fn truth(value: f64) -> f64 {
    if value.is_nan() { value } else { f64::from(u8::from(value != 0.0)) }
}

fn zero_or_one(codes: &[u32], code: u32) -> Vec<f64> {
    codes.iter().map(|&other| f64::from(u8::from(other == code))).collect()
}

fn seconds(time: i64) -> f64 {
    if time == MISSING_TIME { f64::NAN } else { time as f64 / MICROS_PER_SECOND }
}

/// Missing for what no clock of 64 bits shows.
fn micros(value: f64) -> i64 {
    let micros = (value * MICROS_PER_SECOND).round();
    if micros.abs() < 9.2e18 { micros as i64 } else { MISSING_TIME }
}

fn written_time(time: i64) -> String {
    Timestamp::from_micros(time).to_string()
}

impl ColumnStep for FittedCast {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("cast", &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator])?;
        if self.to == CastTo::Category {
            return Err(fail::world(format!("damaged recipe: column `{}` is cast without codes", self.column)).into());
        }
        Ok(vec![Shape { kind: kind(self.to), ..input.clone() }])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        match self.values(&column.values) {
            Some(values) => vec![column.with(values)],
            None => vec![column],
        }
    }
}
