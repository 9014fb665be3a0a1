//! Columns on their way through a recipe, and what every fitted step does with one.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::{Column, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::data::target::Target;
use crate::features::stats;

/// Kinds of values a column can hold at some point of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers and booleans.
    Number,
    /// Text.
    Text,
    /// Dates and time stamps.
    Time,
    /// 0 or 1, made by a step.
    Indicator,
    /// Codes fixed in training, made by a step.
    Category,
}

impl Kind {
    /// The kind of some values.
    pub fn of(values: &Values) -> Kind {
        match values {
            Values::Number(_) => Kind::Number,
            Values::Text(_) => Kind::Text,
            Values::Time(_) => Kind::Time,
            Values::Indicator { .. } => Kind::Indicator,
            Values::Category { .. } => Kind::Category,
        }
    }

    /// As written in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Number => "number",
            Kind::Text => "text",
            Kind::Time => "time",
            Kind::Indicator => "indicator",
            Kind::Category => "category",
        }
    }
}

/// A column without its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Name, unique among the columns at that point.
    pub name: Arc<str>,
    /// The raw column it comes from.
    pub from: Arc<str>,
    /// Kind of its values.
    pub kind: Kind,
    /// Positions, among the raw columns, of all that it depends on, ascending.
    pub origins: Arc<[u32]>,
}

impl Shape {
    /// A column made from this one.
    pub fn made(&self, name: &Arc<str>, kind: Kind) -> Shape {
        Shape { name: Arc::clone(name), kind, ..self.clone() }
    }

    /// An error when the kind is not one of `kinds`: the fitted recipe contradicts itself.
    pub fn expect(&self, op: &str, kinds: &[Kind]) -> Result<()> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        let (name, kind) = (&self.name, self.kind.name());
        Err(fail::world(format!("damaged recipe: step {op} cannot work on column `{name}` of kind {kind}")).into())
    }
}

/// A column and its values; borrowed from the frame until a step changes them.
#[derive(Clone, Debug)]
pub struct Working<'a> {
    /// Name, unique among the columns at that point.
    pub name: Arc<str>,
    /// The raw column it comes from.
    pub from: Arc<str>,
    /// What it cannot be without, while fitting: a raw column, or a step over several columns.
    pub source: u32,
    /// Its values.
    pub values: Cow<'a, Values>,
}

impl<'a> Working<'a> {
    /// Brings a raw column in. Numbers that are not finite become missing; this is the only copy a recipe makes of them.
    pub fn enter(column: &'a Column) -> Working<'a> {
        let values = match &column.values {
            Values::Number(values) => {
                let finite = values.iter().map(|&value| if value.is_finite() { value } else { f64::NAN });
                Cow::Owned(Values::Number(finite.collect()))
            }
            other => Cow::Borrowed(other),
        };
        Working { name: Arc::clone(&column.name), from: Arc::clone(&column.from), source: 0, values }
    }

    /// A column made from this one.
    pub fn made(&self, name: &Arc<str>, values: Values) -> Working<'a> {
        Working {
            name: Arc::clone(name),
            from: Arc::clone(&self.from),
            source: self.source,
            values: Cow::Owned(values),
        }
    }

    /// This column with other values.
    pub fn with(self, values: Values) -> Working<'a> {
        Working { values: Cow::Owned(values), ..self }
    }
}

/// What a step has learned about one column; knows how to do the same to any rows.
pub trait ColumnStep: Send + Sync {
    /// Name of the column it works on.
    fn column(&self) -> &Arc<str>;

    /// Names of the columns it makes beside or in place of its own, for the recipe to keep unique.
    fn made(&mut self) -> &mut [Arc<str>];

    /// The columns that come out for `input`.
    ///
    /// Errors: a kind it cannot work on, or learned numbers that contradict each other. After `Ok`, applying it to a
    /// column of that shape cannot fail.
    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>>;

    /// Does the step. A column of a kind it cannot work on comes out unchanged.
    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>>;

    /// Does the step to the rows that it was fitted on, whose true values are `target`, one a row.
    ///
    /// Differs from [`ColumnStep::apply`] only where learned values hold a row's own true value.
    fn apply_training<'a>(&self, column: Working<'a>, _target: &Target) -> Vec<Working<'a>> {
        self.apply(column)
    }

    /// Whether [`ColumnStep::apply_training`] differs from [`ColumnStep::apply`].
    fn tells_training_rows_apart(&self) -> bool {
        false
    }
}

/// Numbers of a column of numbers or indicators, one a row; `None` for other kinds.
pub fn numeric(values: &Values) -> Option<Cow<'_, [f64]>> {
    match values {
        Values::Number(values) => Some(Cow::Borrowed(values)),
        Values::Indicator { codes, code } => {
            Some(codes.iter().map(|other| f64::from(u8::from(other == code))).collect())
        }
        _ => None,
    }
}

/// Changes every number that is there, in place; missing ones stay missing, and what would be infinite stays finite.
pub fn change<'a>(mut column: Working<'a>, change: impl Fn(f64) -> f64) -> Working<'a> {
    if let Values::Number(_) = &*column.values
        && let Values::Number(values) = column.values.to_mut()
    {
        for value in values.iter_mut() {
            // NaN passes through.
            *value = change(*value).clamp(-f64::MAX, f64::MAX);
        }
    }
    column
}

/// The numbers of a column that are there; none for a column of another kind.
pub fn numbers(values: &Values) -> Vec<f64> {
    match values {
        Values::Number(values) => stats::finite(values),
        _ => Vec::new(),
    }
}

/// Number of rows without a value.
pub fn missing(values: &Values) -> usize {
    match values {
        Values::Number(values) => values.iter().filter(|value| !value.is_finite()).count(),
        Values::Text(text) => text.codes.iter().filter(|&&code| code as usize >= text.levels.len()).count(),
        Values::Time(values) => values.iter().filter(|&&value| value == MISSING_TIME).count(),
        Values::Indicator { .. } => 0,
        Values::Category { codes, .. } => codes.iter().filter(|&&code| code == MISSING_CODE).count(),
    }
}

/// `rows` missing values of a raw kind.
pub fn nothing(kind: Kind, rows: usize) -> Values {
    match kind {
        Kind::Text => Values::Text(TextValues { codes: vec![MISSING_CODE; rows], levels: Vec::new() }),
        Kind::Time => Values::Time(vec![MISSING_TIME; rows]),
        Kind::Number | Kind::Indicator | Kind::Category => Values::Number(vec![f64::NAN; rows]),
    }
}
