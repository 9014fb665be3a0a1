//! A column from a formula in SQL.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::{fail, suggest};
use crate::data::expression::Expression;
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working, nothing};
use crate::features::fitted::damaged;
use crate::features::many::{FittedMany, ManyStep};
use crate::features::recipe::StepForm;

/// Training rows on which the formula of one row alone is compared with that of all rows.
const ROWS_COMPARED: usize = 32;

/// A formula and the name of its column.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpressionOptions {
    /// Name of the new column.
    pub name: String,
    /// The formula.
    pub expression: Expression,
}

/// A column from a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct FittedExpression {
    expression: Expression,
    column: Arc<str>,
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sql: String,
    column: Arc<str>,
    kind: Kind,
}

impl From<FittedExpression> for Written {
    fn from(fitted: FittedExpression) -> Written {
        Written { sql: fitted.expression.sql().to_owned(), column: fitted.column, kind: fitted.kind }
    }
}

impl TryFrom<Written> for FittedExpression {
    type Error = anyhow::Error;

    fn try_from(written: Written) -> Result<FittedExpression> {
        let expression = Expression::parse(&written.sql).context("damaged recipe")?;
        Ok(FittedExpression { expression, column: written.column, kind: written.kind })
    }
}

/// Adds the column: a number (1 or 0 for conditions), text or time.
///
/// Numbers are decimal numbers whatever they were in the table, booleans 1 and 0; missing values are NULL, and a result
/// that is infinite or no number is missing. Some rows are evaluated alone and compared with the whole. Errors (usage): an
/// unknown column, types that do not go together, a formula that gives one row another value than the same row among all.
pub fn fit(columns: &[Working], options: &ExpressionOptions) -> Result<Vec<StepForm>> {
    let known = |name: &Arc<str>| columns.iter().find(|column| column.name == *name);
    let mut inputs = Vec::with_capacity(options.expression.inputs().len());
    for name in options.expression.inputs() {
        let unknown = || suggest::unknown("column", name, columns.iter().map(|column| &*column.name));
        let column = known(name).ok_or_else(unknown)?;
        if let Values::Category { .. } = &*column.values {
            return Err(fail::usage(format!(
                "expression cannot work on column `{name}`, which is category at this point"
            ))
            .hint("put the expression before the step that makes categories")
            .into());
        }
        inputs.push(column);
    }
    let values: Vec<Cow<Values>> = inputs.iter().map(|column| plain(&column.values)).collect();
    let whole = options.expression.evaluate(&values.iter().map(|values| &**values).collect::<Vec<_>>())?;
    let rows = whole.len();
    for row in (0..ROWS_COMPARED.min(rows)).map(|at| at * rows / ROWS_COMPARED.min(rows)) {
        let alone: Vec<Values> = values.iter().map(|values| values.take(&[row as u32])).collect();
        let alone = options.expression.evaluate(&alone.iter().collect::<Vec<_>>())?;
        if !same(&alone, &whole, row) {
            let sql = options.expression.sql();
            return Err(fail::usage(format!(
                "formula `{sql}` gives row {} another value alone than among all",
                row + 1
            ))
            .hint("a formula looks at one row by itself")
            .into());
        }
    }
    let kind = Kind::of(&whole);
    let (expression, column) = (options.expression.clone(), options.name.as_str().into());
    Ok(vec![StepForm::Many(FittedMany::Expression(FittedExpression { expression, column, kind }))])
}

/// Indicators as the numbers that they stand for.
fn plain(values: &Values) -> Cow<'_, Values> {
    match values {
        Values::Indicator { codes, code } => {
            let numbers = codes.iter().map(|other| f64::from(u8::from(other == code)));
            Cow::Owned(Values::Number(numbers.collect()))
        }
        other => Cow::Borrowed(other),
    }
}

fn same(alone: &Values, whole: &Values, row: usize) -> bool {
    match (alone, whole) {
        (Values::Number(alone), Values::Number(whole)) => {
            alone[0].to_bits() == whole[row].to_bits() || (alone[0].is_nan() && whole[row].is_nan())
        }
        (Values::Text(alone), Values::Text(whole)) => alone.get(0) == whole.get(row),
        (Values::Time(alone), Values::Time(whole)) => alone[0] == whole[row],
        _ => false,
    }
}

impl ManyStep for FittedExpression {
    fn inputs(&self) -> &[Arc<str>] {
        self.expression.inputs()
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        std::slice::from_mut(&mut self.column)
    }

    fn columns(&self) -> &[Arc<str>] {
        std::slice::from_ref(&self.column)
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("expression", &[Kind::Number, Kind::Indicator, Kind::Text, Kind::Time])?;
        }
        let empty: Vec<Values> = inputs.iter().map(|input| nothing(input.kind, 0)).collect();
        let result = self.expression.evaluate(&empty.iter().collect::<Vec<_>>()).context("damaged recipe")?;
        if Kind::of(&result) != self.kind {
            return Err(damaged(format!("formula `{}` gives no {}", self.expression.sql(), self.kind.name())));
        }
        Ok(vec![self.kind])
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let columns: Vec<Cow<Values>> = inputs.iter().map(|input| plain(&input.values)).collect();
        let mut result = self.expression.evaluate(&columns.iter().map(|values| &**values).collect::<Vec<_>>())?;
        if Kind::of(&result) != self.kind {
            result = nothing(self.kind, result.len());
        }
        if let Values::Number(values) = &mut result {
            for value in values.iter_mut().filter(|value| value.is_infinite()) {
                *value = f64::NAN;
            }
        }
        Ok(vec![result])
    }
}
