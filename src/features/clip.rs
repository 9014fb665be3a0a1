//! Numbers held between two bounds.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::units;
use crate::features::column::{ColumnStep, Kind, Shape, Working, change, numbers};
use crate::features::stats;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::ClipSpec;

/// How bounds are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClipOptions {
    /// These; an absent one is no bound.
    Given(Option<f64>, Option<f64>),
    /// At these quantiles.
    Quantiles(f64, f64),
    /// This many interquartile ranges beyond the quartiles.
    Fences(f64),
}

/// One column's bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedClip {
    pub(crate) column: Arc<str>,
    pub(crate) lower: Option<f64>,
    pub(crate) upper: Option<f64>,
}

/// Checks what was written: exactly one way of choosing bounds, each in its range.
pub fn check(spec: &ClipSpec) -> Result<Action, Failure> {
    let given = spec.lower.is_some() || spec.upper.is_some();
    let options = match (given, spec.quantiles, spec.iqr) {
        (true, None, None) => {
            let bad = [spec.lower, spec.upper].into_iter().flatten().find(|bound| !bound.is_finite());
            if let Some(bad) = bad {
                return Err(fail::usage(format!("clip: {bad} is no bound")));
            }
            if let (Some(lower), Some(upper)) = (spec.lower, spec.upper)
                && lower > upper
            {
                return Err(fail::usage(format!("clip: lower = {lower} is above upper = {upper}")));
            }
            ClipOptions::Given(spec.lower, spec.upper)
        }
        (false, Some([lower, upper]), None) => {
            if !(0.0 <= lower && lower < upper && upper <= 1.0) {
                return Err(fail::usage(format!("clip: quantiles = [{lower}, {upper}] do not rise from 0 to 1"))
                    .hint("write them like quantiles = [0.01, 0.99]"));
            }
            ClipOptions::Quantiles(lower, upper)
        }
        (false, None, Some(ranges)) => {
            if !(ranges.is_finite() && ranges >= 0.0) {
                return Err(fail::usage(format!("clip: iqr = {ranges} is not 0 or more")));
            }
            ClipOptions::Fences(ranges)
        }
        _ => {
            return Err(fail::usage("clip needs one way of choosing its bounds")
                .hint("give lower and upper, or quantiles = [0.01, 0.99], or iqr = 1.5"));
        }
    };
    Ok(Action::each(options))
}

/// Learns the bounds: as given, by quantiles of the training rows (Hyndman and Fan's type 7, numpy's default), or Tukey's
/// fences, quartile ∓ iqr · (third quartile - first quartile). Equals `numpy.clip` between `numpy.quantile`s. For outliers
/// in linear models and neighbours; trees do not care. The note says how many training rows change. Missing stays missing.
impl ColumnAction for ClipOptions {
    fn name(&self) -> &'static str {
        "clip"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut present = numbers(&column.values);
        let mut notes = Vec::new();
        let (lower, upper) = match *self {
            ClipOptions::Given(lower, upper) => (lower, upper),
            _ if present.is_empty() => {
                notes.push(format!("column `{name}` has no value in the training rows: not clipped"));
                (None, None)
            }
            ClipOptions::Quantiles(lower, upper) => {
                let bounds = stats::quantiles(&mut present, &[lower, upper]);
                (Some(bounds[0]), Some(bounds[1]))
            }
            ClipOptions::Fences(ranges) => {
                let quarters = stats::quantiles(&mut present, &[0.25, 0.75]);
                let reach = ranges * (quarters[1] - quarters[0]);
                let bound = |value: f64| Some(value.clamp(-f64::MAX, f64::MAX)).filter(|bound| !bound.is_nan());
                (bound(quarters[0] - reach), bound(quarters[1] + reach))
            }
        };
        let fitted = FittedClip { column: Arc::clone(name), lower, upper };
        let changed = present.iter().filter(|value| fitted.value(**value) != **value).count() as u64;
        if changed > 0 {
            let rows = units::plural(changed, "training row");
            notes.push(format!("column `{name}`: {rows} clipped"));
        }
        Ok((FittedColumn::Clip(fitted), notes))
    }
}

impl FittedClip {
    fn value(&self, value: f64) -> f64 {
        match (self.lower, self.upper) {
            (Some(lower), _) if value < lower => lower,
            (_, Some(upper)) if value > upper => upper,
            _ => value,
        }
    }
}

impl ColumnStep for FittedClip {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("clip", &[Kind::Number])?;
        let finite = [self.lower, self.upper].into_iter().flatten().all(f64::is_finite);
        let rising = self.lower.zip(self.upper).is_none_or(|(lower, upper)| lower <= upper);
        if !finite || !rising {
            return Err(fail::world(format!("damaged recipe: column `{}` has no bounds", self.column)).into());
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        vec![change(column, |value| self.value(value))]
    }
}
