//! Formulas in SQL over the columns of one row.
//!
//! Only what looks at one row by itself is let through: no aggregates, windows, orders, subqueries, files, chance or clock.
//! The list is one of what is allowed, so that new functions of the table library are refused until somebody looks at them.

use std::sync::Arc;

use anyhow::Result;
use polars::chunked_array::cast::CastOptions;
use polars::prelude::{
    AggExpr, BooleanFunction, Column, DataFrame, DataType, Expr, FunctionExpr, IntoLazy, LiteralValue, PolarsError,
    StringFunction, TemporalFunction, TimeUnit,
};
use polars::sql::sql_expr;

use crate::base::fail::Failure;
use crate::base::{fail, limits, suggest};
use crate::data::frame::Values;
use crate::data::plain;
use crate::data::table::{Table, plain_series};

/// Most parts of a formula: each is visited by recursion somewhere in the table library.
const PARTS_MAX: usize = 500;
/// Stack on which a formula is read: the parser goes as deep as `EXPRESSION_BYTES_MAX` signs allow. Only what is used of it
/// takes memory.
const STACK_BYTES: usize = 64 << 20;

/// A formula that looks at one row by itself.
#[derive(Clone, Debug)]
pub struct Expression {
    sql: String,
    expr: Expr,
    inputs: Vec<Arc<str>>,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.sql == other.sql
    }
}

impl Expression {
    /// Reads a formula in the SQL of polars.
    ///
    /// A value that cannot be cast becomes missing, with `CAST` as with `TRY_CAST`. Errors (usage): no SQL expression,
    /// anything that is not row by row, no column at all.
    pub fn parse(sql: &str) -> Result<Expression> {
        if sql.len() > limits::EXPRESSION_BYTES_MAX {
            let (bytes, most) = (sql.len(), limits::EXPRESSION_BYTES_MAX);
            return Err(fail::usage(format!("a formula of {bytes} bytes is longer than {most}")).into());
        }
        let text = sql.to_owned();
        let parse = move || Expression::parse_here(text);
        let parser = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(parse);
        let stopped = || fail::world(format!("formula `{sql}` could not be read"));
        parser.map_err(|_| stopped())?.join().map_err(|_| stopped())?
    }

    /// The work of [`Expression::parse`], on a stack that long formulas fit.
    fn parse_here(sql: String) -> Result<Expression> {
        let expr = sql_expr(&sql).map_err(|error| wrong(&sql, &error))?;
        let mut inputs: Vec<Arc<str>> = Vec::new();
        for (count, part) in expr.into_iter().enumerate() {
            if count >= PARTS_MAX {
                return Err(fail::usage(format!("formula `{sql}` has more than {PARTS_MAX} parts")).into());
            }
            if let Some(what) = refused(part) {
                return Err(fail::usage(format!("formula `{sql}` uses {what}; a formula looks at one row by itself"))
                    .hint("use columns, numbers, 'texts', operators, CASE and functions of single values")
                    .into());
            }
            if let Expr::Column(name) = part
                && !inputs.iter().any(|known| **known == **name)
            {
                inputs.push(name.as_str().into());
            }
        }
        if inputs.is_empty() {
            return Err(fail::usage(format!("formula `{sql}` names no column"))
                .hint("columns are named as in the data, \"in quotes\" when they have spaces")
                .into());
        }
        // The table library visits parts from the end.
        inputs.sort_unstable_by_key(|name| sql.find(&**name).unwrap_or(usize::MAX));
        let expr = expr.map_expr(|part| match part {
            Expr::Cast { expr, dtype, .. } => Expr::Cast { expr, dtype, options: CastOptions::NonStrict },
            other => other,
        });
        Ok(Expression { sql, expr, inputs })
    }

    /// As written.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Columns that it reads, in the order in which they appear.
    pub fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    /// Errors (usage): a column of the formula that is none of `columns`, with the nearest one.
    pub fn check_inputs(&self, columns: &[&str]) -> Result<()> {
        match self.inputs.iter().find(|input| !columns.contains(&&***input)) {
            None => Ok(()),
            Some(unknown) => {
                let Failure { blame, what, hint } = suggest::unknown("column", unknown, columns.iter().copied());
                Err(Failure { blame, what: format!("formula `{}`: {what}", self.sql), hint }.into())
            }
        }
    }

    /// Whether the formula holds in each row of `table`, whose columns keep their types: `flag`, `day >= DATE '2024-01-31'`.
    /// `None` where it is NULL.
    ///
    /// Errors (usage): an unknown column; types that do not go together; a result that is not true or false.
    pub fn condition(&self, table: &Table) -> Result<Vec<Option<bool>>> {
        let columns = self.inputs.iter().map(|name| table.column(name).cloned()).collect::<Result<Vec<_>>>()?;
        let run = || -> Result<Column, PolarsError> {
            let frame = DataFrame::new(table.rows(), columns)?;
            frame.lazy().select([self.expr.clone().alias("result")]).collect()?.column("result").cloned()
        };
        let result = run().map_err(|error| wrong(&self.sql, &error))?;
        let Ok(answers) = result.as_materialized_series().bool() else {
            let of = result.dtype();
            return Err(fail::usage(format!("`{}` is no condition: it gives {of}, not true or false", self.sql))
                .hint("compare it with something, as in age >= 60")
                .into());
        };
        if answers.len() != table.rows() {
            return Err(fail::usage(format!("formula `{}` does not give one value a row", self.sql)).into());
        }
        Ok(answers.iter().collect())
    }

    /// Values of the formula, one for each row: numbers (0 and 1 for conditions), text or times.
    ///
    /// `columns` are the values of [`Expression::inputs`], in that order. Missing values are NULL, as in SQL. Errors
    /// (usage): types that do not go together, a result of another kind.
    pub fn evaluate(&self, columns: &[&Values]) -> Result<Values> {
        let rows = columns.first().map_or(0, |values| values.len());
        let columns =
            self.inputs.iter().zip(columns).map(|(name, values)| plain_series(name, values, 0..rows)).collect();
        let run = || -> Result<Column, PolarsError> {
            let frame = DataFrame::new(rows, columns)?;
            let result = frame.lazy().select([self.expr.clone().alias("result")]).collect()?;
            let column = result.column("result")?.clone();
            match column.dtype() {
                DataType::Boolean | DataType::String | DataType::Date => Ok(column),
                of if of.is_primitive_numeric() => column.cast(&DataType::Float64),
                DataType::Datetime(_, zone) => column.cast(&DataType::Datetime(TimeUnit::Microseconds, zone.clone())),
                of => Err(PolarsError::SQLInterface(format!("it gives {of}, not a number, text or time").into())),
            }
        };
        let column = run().map_err(|error| wrong(&self.sql, &error))?;
        if column.len() != rows {
            return Err(fail::usage(format!("formula `{}` does not give one value a row", self.sql)).into());
        }
        plain::values(&column)
    }
}

fn wrong(sql: &str, error: &PolarsError) -> anyhow::Error {
    let text = error.to_string();
    let short: String = text.lines().next().unwrap_or("").chars().take(300).collect();
    fail::usage(format!("formula `{sql}` cannot be used: {short}"))
        .hint("columns are named as in the data (\"in quotes\" when they have spaces); text stands 'in single quotes'")
        .into()
}

/// What a part is called when it does not look at one row by itself.
fn refused(part: &Expr) -> Option<String> {
    match part {
        Expr::Alias(..) | Expr::Column(_) | Expr::BinaryExpr { .. } | Expr::Ternary { .. } | Expr::Cast { .. } => None,
        Expr::Literal(LiteralValue::Range(_)) => Some("a range".to_owned()),
        Expr::Literal(_) => None,
        // The list of `x IN (1, 2)`.
        Expr::Agg(AggExpr::Implode { input, .. }) if matches!(**input, Expr::Literal(_)) => None,
        Expr::Agg(_) | Expr::Len => Some("an aggregate".to_owned()),
        Expr::Function { function, .. } if allowed(function) => None,
        Expr::Function { function, .. } => Some(format!("`{function}`")),
        Expr::Over { .. } => Some("a window".to_owned()),
        Expr::Sort { .. } | Expr::SortBy { .. } => Some("an order".to_owned()),
        Expr::SubPlan(..) => Some("a subquery".to_owned()),
        _ => Some("something that is not allowed here".to_owned()),
    }
}

fn allowed(function: &FunctionExpr) -> bool {
    match function {
        FunctionExpr::Abs
        | FunctionExpr::Negate
        | FunctionExpr::Pow(_)
        | FunctionExpr::Trigonometry(_)
        | FunctionExpr::Atan2
        | FunctionExpr::Sign
        | FunctionExpr::FillNull
        | FunctionExpr::Coalesce
        | FunctionExpr::Log
        | FunctionExpr::Log1p
        | FunctionExpr::Exp
        | FunctionExpr::Round { .. }
        | FunctionExpr::Truncate { .. }
        | FunctionExpr::Floor
        | FunctionExpr::Ceil
        | FunctionExpr::MaxHorizontal
        | FunctionExpr::MinHorizontal => true,
        FunctionExpr::Boolean(function) => matches!(
            function,
            BooleanFunction::IsNull
                | BooleanFunction::IsNotNull
                | BooleanFunction::IsFinite
                | BooleanFunction::IsInfinite
                | BooleanFunction::IsNan
                | BooleanFunction::IsNotNan
                | BooleanFunction::IsBetween { .. }
                | BooleanFunction::IsIn { .. }
                | BooleanFunction::AllHorizontal
                | BooleanFunction::AnyHorizontal
                | BooleanFunction::Not
        ),
        FunctionExpr::StringExpr(function) => allowed_text(function),
        FunctionExpr::TemporalExpr(function) => allowed_time(function),
        _ => false,
    }
}

fn allowed_text(function: &StringFunction) -> bool {
    matches!(
        function,
        StringFunction::ConcatHorizontal { .. }
            | StringFunction::Contains { .. }
            | StringFunction::EndsWith
            | StringFunction::Extract(_)
            | StringFunction::Find { .. }
            | StringFunction::LenBytes
            | StringFunction::LenChars
            | StringFunction::Lowercase
            | StringFunction::Replace { .. }
            | StringFunction::Slice
            | StringFunction::Head
            | StringFunction::Tail
            | StringFunction::StartsWith
            | StringFunction::StripChars
            | StringFunction::StripCharsStart
            | StringFunction::StripCharsEnd
            | StringFunction::StripPrefix
            | StringFunction::StripSuffix
            | StringFunction::Uppercase
    )
}

fn allowed_time(function: &TemporalFunction) -> bool {
    matches!(
        function,
        TemporalFunction::Year
            | TemporalFunction::IsLeapYear
            | TemporalFunction::IsoYear
            | TemporalFunction::Quarter
            | TemporalFunction::Month
            | TemporalFunction::Week
            | TemporalFunction::WeekDay
            | TemporalFunction::Day
            | TemporalFunction::OrdinalDay
            | TemporalFunction::Hour
            | TemporalFunction::Minute
            | TemporalFunction::Second
            | TemporalFunction::Date
            | TemporalFunction::TimeStamp(_)
    )
}
