//! Filling missing values.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::fail;
use crate::data::frame::{MISSING_TIME, TextValues, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working, missing};
use crate::features::levels::Counted;
use crate::features::stats;
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::ImputeStrategy;

/// When a column `NAME_missing` is added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Indicate {
    /// Never.
    Never,
    /// Always.
    Always,
    /// When this share of the training rows or more is missing.
    From(f64),
}

/// How to fill.
#[derive(Clone, Debug, PartialEq)]
pub struct ImputeOptions {
    /// What takes the place of a missing value; `None` leaves it missing.
    pub strategy: Option<ImputeStrategy>,
    /// The constant of [`ImputeStrategy::Constant`].
    pub value: Option<serde_json::Value>,
    /// When a column says where values were missing.
    pub indicate: Indicate,
}

/// What a missing value becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fill {
    /// Stays missing.
    Nothing,
    /// A finite number.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// Microseconds since 1970.
    Time(i64),
}

/// One column's filling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedImpute {
    pub(crate) column: Arc<str>,
    pub(crate) fill: Fill,
    pub(crate) indicator: Option<Arc<str>>,
}

/// Adds a column that says where values are missing, and leaves them missing: scikit-learn's `MissingIndicator`, with
/// `features="missing-only"` unless it is made `always`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MissingOptions {
    /// Even where no training row is missing.
    pub always: bool,
}

/// Learns what to fill `column` with.
///
/// Mean, median and mode are those of scikit-learn's `SimpleImputer`: over the values present, the smallest on a tie. A
/// column without any value: numbers are filled with 0, anything else stays missing; the note says so.
/// Errors: a strategy or constant that does not suit the kind.
pub fn fit(column: &Working, options: &ImputeOptions) -> Result<(FittedImpute, Vec<String>)> {
    let (name, rows) = (&column.name, column.values.len());
    let gaps = missing(&column.values);
    let fill = match options.strategy {
        None => Fill::Nothing,
        Some(ImputeStrategy::Constant) => constant(column, options.value.as_ref())?,
        Some(strategy) => learned(column, strategy)?,
    };
    let mut notes = Vec::new();
    if gaps == rows && options.strategy.is_some_and(|strategy| strategy != ImputeStrategy::Constant) {
        let done = if fill == Fill::Nothing { "it stays missing" } else { "filled with 0" };
        notes.push(format!("column `{name}` has no value in the training rows: {done}"));
    }
    let indicated = match options.indicate {
        Indicate::Never => false,
        Indicate::Always => true,
        Indicate::From(share) => gaps < rows && gaps as f64 >= share * rows as f64,
    };
    let indicator = indicated.then(|| Arc::from(format!("{name}_missing")));
    Ok((FittedImpute { column: Arc::clone(name), fill, indicator }, notes))
}

fn learned(column: &Working, strategy: ImputeStrategy) -> Result<Fill> {
    match &*column.values {
        Values::Number(values) => {
            let fill = match strategy {
                ImputeStrategy::Mean => stats::mean(&stats::present(values)),
                ImputeStrategy::Median => stats::median(&mut stats::finite(values)),
                _ => stats::most_frequent(&stats::counts(&mut stats::finite(values))),
            };
            Ok(Fill::Number(fill.unwrap_or(0.0)))
        }
        Values::Text(_) | Values::Time(_) if strategy != ImputeStrategy::Mode => {
            let (name, kind) = (&column.name, Kind::of(&column.values).name());
            let strategy = if strategy == ImputeStrategy::Mean { "mean" } else { "median" };
            Err(fail::usage(format!("column `{name}` is {kind}: it has no {strategy}"))
                .hint("use strategy = \"mode\" or \"constant\" for it, or columns = \"numeric\"")
                .into())
        }
        Values::Text(_) => Ok(match Counted::of(&column.values) {
            Some(Counted::Text(levels)) => stats::most_frequent(&levels).map_or(Fill::Nothing, Fill::Text),
            _ => Fill::Nothing,
        }),
        Values::Time(values) => {
            let mut present: Vec<i64> = values.iter().copied().filter(|&value| value != MISSING_TIME).collect();
            present.sort_unstable();
            let counts: Vec<_> = present.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect();
            Ok(stats::most_frequent(&counts).map_or(Fill::Nothing, Fill::Time))
        }
        Values::Indicator { .. } | Values::Category { .. } => Ok(Fill::Nothing),
    }
}

fn constant(column: &Working, value: Option<&serde_json::Value>) -> Result<Fill> {
    let number = value.and_then(|value| value.as_f64().or(value.as_bool().map(|b| f64::from(u8::from(b)))));
    let text = value.and_then(|value| value.as_str());
    let fill = match &*column.values {
        Values::Number(_) => number.map(Fill::Number),
        Values::Text(_) => text.map(|text| Fill::Text(text.into())),
        Values::Time(_) => text.and_then(read_time).map(Fill::Time),
        Values::Indicator { .. } | Values::Category { .. } => Some(Fill::Nothing),
    };
    let (name, kind) = (&column.name, Kind::of(&column.values).name());
    fill.ok_or_else(|| {
        let value = value.map_or_else(String::new, ToString::to_string);
        fail::usage(format!("column `{name}` is {kind}: it cannot be filled with {value}"))
            .hint("give a number for numbers, a text for text, a time like 2026-01-31T09:30:00Z for times")
            .into()
    })
}

/// Microseconds since 1970 of a date or a time stamp as in RFC 3339.
pub fn read_time(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse());
    time.ok().map(Timestamp::as_micros)
}

impl ColumnAction for ImputeOptions {
    fn name(&self) -> &'static str {
        "impute"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, self)?;
        Ok((FittedColumn::Impute(fitted), notes))
    }
}

impl ColumnAction for MissingOptions {
    fn name(&self) -> &'static str {
        "missing"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number, Kind::Text, Kind::Time, Kind::Category]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (name, gaps) = (&column.name, missing(&column.values));
        let mut notes = Vec::new();
        let indicate = if self.always || gaps > 0 { Indicate::Always } else { Indicate::Never };
        if indicate == Indicate::Never {
            notes.push(format!("column `{name}` is never missing in the training rows: no column `{name}_missing`"));
        }
        let (fitted, _) = fit(column, &ImputeOptions { strategy: None, value: None, indicate })?;
        Ok((FittedColumn::Impute(fitted), notes))
    }
}

impl ColumnStep for FittedImpute {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        self.indicator.as_mut_slice()
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        match &self.fill {
            Fill::Nothing => {}
            Fill::Number(value) => {
                input.expect("impute", &[Kind::Number])?;
                if !value.is_finite() {
                    return Err(fail::world("damaged recipe: a missing value is filled with no number").into());
                }
            }
            Fill::Text(_) => input.expect("impute", &[Kind::Text])?,
            Fill::Time(_) => input.expect("impute", &[Kind::Time])?,
        }
        let mut shapes = vec![input.clone()];
        shapes.extend(self.indicator.iter().map(|name| input.made(name, Kind::Indicator)));
        Ok(shapes)
    }

    fn apply<'a>(&self, mut column: Working<'a>) -> Vec<Working<'a>> {
        let indicator = self.indicator.as_ref().map(|name| column.made(name, indicator(&column.values)));
        match (&self.fill, &*column.values) {
            (Fill::Number(fill), Values::Number(_)) => {
                if let Values::Number(values) = column.values.to_mut() {
                    for value in values.iter_mut() {
                        *value = if value.is_nan() { *fill } else { *value };
                    }
                }
            }
            (Fill::Text(fill), Values::Text(text)) => {
                if let Some(filled) = fill_text(text, fill) {
                    column.values = Cow::Owned(Values::Text(filled));
                }
            }
            (Fill::Time(fill), Values::Time(values)) => {
                let filled = values.iter().map(|&value| if value == MISSING_TIME { *fill } else { value });
                column.values = Cow::Owned(Values::Time(filled.collect()));
            }
            _ => {}
        }
        std::iter::once(column).chain(indicator).collect()
    }
}

fn indicator(values: &Values) -> Values {
    let codes: Arc<[u32]> = match values {
        Values::Number(values) => values.iter().map(|value| u32::from(value.is_nan())).collect(),
        Values::Text(text) => text.codes.iter().map(|&code| u32::from(code as usize >= text.levels.len())).collect(),
        Values::Time(values) => values.iter().map(|&value| u32::from(value == MISSING_TIME)).collect(),
        Values::Indicator { codes, .. } => codes.iter().map(|_| 0).collect(),
        Values::Category { codes, levels } => codes.iter().map(|&code| u32::from(code >= *levels)).collect(),
    };
    Values::Indicator { codes, code: 1 }
}

/// `None` when nothing is missing.
fn fill_text(text: &TextValues, fill: &Arc<str>) -> Option<TextValues> {
    let known = text.levels.len();
    if text.codes.iter().all(|&code| (code as usize) < known) {
        return None;
    }
    let mut levels = text.levels.clone();
    let position = levels.iter().position(|level| level == fill).unwrap_or_else(|| {
        levels.push(Arc::clone(fill));
        known
    });
    let codes = text.codes.iter().map(|&code| if (code as usize) < known { code } else { position as u32 });
    Some(TextValues { codes: codes.collect(), levels })
}
