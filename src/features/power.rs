//! Powers that make numbers look most like a normal distribution: Box-Cox and Yeo-Johnson.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::features::column::{ColumnStep, Kind, Shape, Working, change, numbers};
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::features::{minimum, scale, stats};
use crate::spec::steps::PowerMethod;

/// Precision of the power: that of scipy's `optimize.brent`.
const TOLERANCE: f64 = 1.48e-8;
/// Half of a number's range of exponents, so that squares of transformed values are numbers too.
const EXPONENT_MAX: f64 = 336.0;

/// How a power is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerOptions {
    /// Which family.
    pub method: PowerMethod,
    /// Brings the result to zero mean and unit standard deviation.
    pub standardize: bool,
}

/// One column's power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedPower {
    pub(crate) column: Arc<str>,
    pub(crate) method: PowerMethod,
    pub(crate) power: f64,
    pub(crate) center: f64,
    pub(crate) scale: f64,
}

/// Learns the power λ by maximum likelihood, the column being normal after the transform: scikit-learn's
/// `PowerTransformer` (1.9), found by Brent's method. For skewed numbers in linear models.
///
/// Box-Cox (1964): (x^λ - 1) / λ, ln x for λ = 0; for x > 0. Yeo and Johnson (2000): ((1 + x)^λ - 1) / λ for x ≥ 0, and
/// -((1 - x)^(2-λ) - 1) / (2 - λ) below. A constant column keeps λ = 1, with a note. Missing stays missing; so does a number
/// that is not above 0 for Box-Cox when it comes after training. Errors: one among the training rows.
/// Cost: about 40 passes over the column.
impl ColumnAction for PowerOptions {
    fn name(&self) -> &'static str {
        "power"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut present = numbers(&column.values);
        let (lowest, highest) = stats::range(&present).unwrap_or((1.0, 1.0));
        if self.method == PowerMethod::BoxCox && lowest <= 0.0 {
            let what = format!("column `{name}` has the value {lowest}: box_cox works on numbers above 0 only");
            return Err(fail::usage(what).hint("use method = \"yeo_johnson\", or add a constant before").into());
        }
        let mut notes = Vec::new();
        let power = if lowest < highest {
            most_likely(&present, self.method)
        } else {
            let why = if present.is_empty() { "has no value" } else { "is constant" };
            notes.push(format!("column `{name}` {why} in the training rows: its power is 1"));
            1.0
        };
        let mut fitted = FittedPower { column: Arc::clone(name), method: self.method, power, center: 0.0, scale: 1.0 };
        if self.standardize && !present.is_empty() {
            present.iter_mut().for_each(|value| *value = fitted.value(*value));
            let (mean, spread) = scale::standard(&present);
            fitted.center = mean;
            fitted.scale = if spread > 0.0 && spread.is_finite() { spread } else { 1.0 };
        }
        Ok((FittedColumn::Power(fitted), notes))
    }
}

/// The most likely power of numbers that differ.
fn most_likely(values: &[f64], method: PowerMethod) -> f64 {
    let count = values.len() as f64;
    match method {
        PowerMethod::BoxCox => {
            // Relative to their geometric mean the logarithms sum to 0 and the Jacobian drops out.
            let mut logs: Vec<f64> = values.iter().map(|value| value.ln()).collect();
            let mean = stats::mean(&logs).unwrap_or(0.0);
            logs.iter_mut().for_each(|log| *log -= mean);
            let widest = logs.iter().fold(0.0_f64, |widest, log| widest.max(log.abs()));
            let bound = EXPONENT_MAX / widest;
            let loss = |power: f64| log_variance(&logs, |log| raised(log, power));
            minimum::bounded(loss, -bound, bound, TOLERANCE)
        }
        PowerMethod::YeoJohnson => {
            let logs: Vec<f64> = values.iter().map(|value| value.abs().ln_1p().copysign(*value)).collect();
            let jacobian = stats::sum(&logs, |log| log);
            let (lowest, highest) = stats::range(&logs).unwrap_or((0.0, 1.0));
            // Above 0 the exponent is λ, below it 2 - λ; room for values 20 times as large, as in scipy.
            let bound = EXPONENT_MAX / (lowest.abs().max(highest.abs()) + 20.0_f64.ln());
            let (low, high) = match (lowest < 0.0, highest >= 0.0) {
                (true, true) => (2.0 - bound, bound),
                (true, false) => (2.0 - bound, 2.0 + bound),
                _ => (-bound, bound),
            };
            let (low, high) = (low.min(high), low.max(high));
            let turned = |log: f64, power: f64| {
                if log >= 0.0 { raised(log, power) } else { -raised(-log, 2.0 - power) }
            };
            let loss =
                |power: f64| 0.5 * count * log_variance(&logs, |log| turned(log, power)) - (power - 1.0) * jacobian;
            minimum::bounded(loss, low, high, TOLERANCE)
        }
    }
}

/// (e^(λ log) - 1) / λ, in the limit `log` itself.
fn raised(log: f64, power: f64) -> f64 {
    if power.abs() < 1e-19 { log } else { (power * log).exp_m1() / power }
}

/// Logarithm of the population variance of `term(value)`; infinite when that is no positive number.
fn log_variance(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let count = values.len() as f64;
    let mean = stats::sum(values, |value| term(value) / count);
    let variance = stats::sum(values, |value| (term(value) - mean).powi(2) / count);
    if variance > f64::MIN_POSITIVE && variance.is_finite() { variance.ln() } else { f64::INFINITY }
}

impl FittedPower {
    /// The transform without standardizing.
    fn value(&self, value: f64) -> f64 {
        let made = match self.method {
            PowerMethod::BoxCox if value <= 0.0 => f64::NAN,
            PowerMethod::BoxCox => raised(value.ln(), self.power),
            PowerMethod::YeoJohnson if value >= 0.0 => raised(value.ln_1p(), self.power),
            PowerMethod::YeoJohnson => -raised((-value).ln_1p(), 2.0 - self.power),
        };
        made.clamp(-f64::MAX, f64::MAX)
    }
}

impl ColumnStep for FittedPower {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("power", &[Kind::Number])?;
        let finite = self.power.is_finite() && self.center.is_finite() && self.scale.is_finite();
        if !finite || self.scale <= 0.0 {
            return Err(fail::world(format!("damaged recipe: column `{}` has no power", self.column)).into());
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        vec![change(column, |value| (self.value(value) - self.center) / self.scale)]
    }
}
