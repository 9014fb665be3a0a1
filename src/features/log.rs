//! Logarithms of numbers.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::features::column::{ColumnStep, Kind, Shape, Working, change, numbers};
use crate::features::stats;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::{LogMethod, LogSpec};

/// Which logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogOptions {
    /// Its formula.
    pub method: LogMethod,
    /// Its base, above 0 and not 1; e when absent.
    pub base: Option<f64>,
}

/// One column's logarithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedLog {
    pub(crate) column: Arc<str>,
    pub(crate) method: LogMethod,
    pub(crate) base: Option<f64>,
}

/// Checks what was written.
pub fn check(spec: &LogSpec) -> Result<Action, Failure> {
    if let Some(base) = spec.base.filter(|base| !is_base(*base)) {
        return Err(fail::usage(format!("log: base = {base} is no base of logarithms")).hint("leave it out for e"));
    }
    Ok(Action::each(LogOptions { method: spec.method, base: spec.base }))
}

fn is_base(base: f64) -> bool {
    base.is_finite() && base > 0.0 && base != 1.0
}

/// `log1p`: ln(1 + x), `log`: ln(x), `signed`: sign(x) ln(1 + |x|), each divided by ln(base); numpy's `log1p` and `log`. For
/// amounts and counts with a long tail. Nothing is learned. Missing stays missing; so does a number without a logarithm that
/// comes after training. Errors: one among the training rows.
impl ColumnAction for LogOptions {
    fn name(&self) -> &'static str {
        "log"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let fitted = FittedLog { column: Arc::clone(name), method: self.method, base: self.base };
        if let Some((lowest, _)) = stats::range(&numbers(&column.values))
            && fitted.value(lowest).is_nan()
        {
            let (method, others) = match self.method {
                LogMethod::Log => ("log", "log1p for numbers from 0, or signed for any"),
                _ => ("log1p", "signed for any number"),
            };
            let what = format!("column `{name}` has the value {lowest}, which has no {method}");
            return Err(fail::usage(what).hint(format!("use method {others}")).into());
        }
        Ok((FittedColumn::Log(fitted), Vec::new()))
    }
}

impl FittedLog {
    /// NaN where there is none.
    fn value(&self, value: f64) -> f64 {
        let natural = match self.method {
            LogMethod::Log if value <= 0.0 => f64::NAN,
            LogMethod::Log => return self.plain(value),
            LogMethod::Log1p if value <= -1.0 => f64::NAN,
            LogMethod::Log1p => value.ln_1p(),
            LogMethod::Signed => value.abs().ln_1p().copysign(value),
        };
        self.base.map_or(natural, |base| natural / base.ln())
    }

    /// Powers of 2 and 10 have whole logarithms.
    fn plain(&self, value: f64) -> f64 {
        match self.base {
            None => value.ln(),
            Some(2.0) => value.log2(),
            Some(10.0) => value.log10(),
            Some(base) => value.ln() / base.ln(),
        }
    }
}

impl ColumnStep for FittedLog {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("log", &[Kind::Number])?;
        if self.base.is_some_and(|base| !is_base(base)) {
            return Err(fail::world(format!("damaged recipe: the logarithm of `{}` has no base", self.column)).into());
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        vec![change(column, |value| self.value(value))]
    }
}
