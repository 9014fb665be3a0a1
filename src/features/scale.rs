//! Scaling numbers: `(value - center) / scale`.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working, change};
use crate::features::stats;
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::ScaleMethod;

/// How to scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleOptions {
    /// By which measures of center and spread.
    pub method: ScaleMethod,
    /// Where the smallest and the largest value go with [`ScaleMethod::MinMax`]; 0 and 1 when absent.
    pub range: Option<[f64; 2]>,
}

/// One column's scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedScale {
    pub(crate) column: Arc<str>,
    pub(crate) center: f64,
    pub(crate) scale: f64,
    /// Where 0 and 1 go after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<[f64; 2]>,
}

/// Learns center and scale of a column of numbers or indicators.
///
/// `standard`: mean and population standard deviation; `min_max`: smallest value and range, moved into `range` after;
/// `robust`: median and interquartile range; `max_abs`: 0 and the largest distance from it. These are scikit-learn's
/// `StandardScaler`, `MinMaxScaler`, `RobustScaler` and `MaxAbsScaler` (1.9), also in that a column without spread is only
/// centered, its scale being 1; a note says so. Missing values stay missing.
pub fn fit(column: &Working, options: ScaleOptions) -> Result<(FittedScale, Vec<String>)> {
    let method = options.method;
    let present = match &*column.values {
        Values::Number(values) => stats::present(values),
        Values::Indicator { codes, code } => Cow::Owned(indicator_numbers(codes, *code)),
        _ => Cow::Borrowed(&[][..]),
    };
    let name = &column.name;
    let (center, spread) = match method {
        _ if present.is_empty() => (0.0, 0.0),
        ScaleMethod::Standard => standard(&present),
        ScaleMethod::MinMax => {
            let (low, high) = stats::range(&present).unwrap_or_default();
            (low, high - low)
        }
        ScaleMethod::MaxAbs => (0.0, present.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()))),
        ScaleMethod::Robust => {
            let quarters = stats::quantiles(&mut present.to_vec(), &[0.25, 0.5, 0.75]);
            (quarters[1], quarters[2] - quarters[0])
        }
    };
    let mut notes = Vec::new();
    let scale = match spread {
        spread if spread > 0.0 && spread.is_finite() => spread,
        spread if spread > 0.0 => f64::MAX,
        _ => {
            let why = match method {
                _ if present.is_empty() => "has no value in the training rows",
                ScaleMethod::MaxAbs => "is 0 in all training rows",
                ScaleMethod::Robust => "has an interquartile range of 0 in the training rows",
                _ => "is constant in the training rows",
            };
            notes.push(format!("column `{name}` {why}: centered, not scaled"));
            1.0
        }
    };
    Ok((FittedScale { column: Arc::clone(name), center, scale, range: options.range }, notes))
}

/// Mean and population standard deviation, in two passes with the correction of Chan, Golub and LeVeque (1983, eq. 1.7):
/// Σ(x - m)² - (Σ(x - m))² / n. Spread at the level of rounding errors counts as 0, by scikit-learn's bound.
pub fn standard(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = stats::mean(values).unwrap_or(0.0);
    // Beyond this the squares would overflow; dividing by a power of two changes no digit.
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let unit = if largest > 1e150 { 2.0_f64.powi(600) } else { 1.0 };
    let away = stats::sum(values, |value| value / unit - mean / unit);
    let squares = stats::sum(values, |value| (value / unit - mean / unit).powi(2));
    let variance = (squares - away * away / count).max(0.0) / count;
    let rounding = count * f64::EPSILON * variance + (count * (mean / unit) * f64::EPSILON).powi(2);
    if variance <= rounding {
        return (mean, 0.0);
    }
    (mean, variance.sqrt() * unit)
}

fn indicator_numbers(codes: &[u32], code: u32) -> Vec<f64> {
    codes.iter().map(|&other| f64::from(u8::from(other == code))).collect()
}

impl ColumnAction for ScaleOptions {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number, Kind::Indicator]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, *self)?;
        Ok((FittedColumn::Scale(fitted), notes))
    }
}

impl ColumnStep for FittedScale {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("scale", &[Kind::Number, Kind::Indicator])?;
        if !self.center.is_finite() || !self.scale.is_finite() || self.scale <= 0.0 {
            return Err(fail::world(format!("damaged recipe: column `{}` is scaled by no number", self.column)).into());
        }
        if self.range.is_some_and(|[low, high]| !(low < high && (high - low).is_finite())) {
            return Err(fail::world(format!("damaged recipe: column `{}` has no range", self.column)).into());
        }
        Ok(vec![Shape { kind: Kind::Number, ..input.clone() }])
    }

    fn apply<'a>(&self, mut column: Working<'a>) -> Vec<Working<'a>> {
        if let Values::Indicator { codes, code } = &*column.values {
            let numbers = indicator_numbers(codes, *code);
            column = column.with(Values::Number(numbers));
        }
        // A value far outside what was seen must not become infinite.
        vec![match self.range {
            None => change(column, |value| (value - self.center) / self.scale),
            Some([low, high]) => change(column, |value| (value - self.center) / self.scale * (high - low) + low),
        }]
    }
}
