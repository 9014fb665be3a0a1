//! Probabilities mended on rows that fitting did not see, so that events foretold with p happen with frequency p.
//!
//! Two classes: one curve from the score of the second to its probability. More: one curve a class against the rest, then
//! divided by their sum. Scores are log odds for kinds whose margins are (boosting, logistic regression) and the
//! probability itself for the others, as scikit-learn's `CalibratedClassifierCV` of a fitted model has it.

mod isotonic;
mod platt;

#[cfg(test)]
mod tests;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::predictor::Predictions;
use crate::spec::training::CalibrationMethod;

/// Kinds whose probabilities come from margins without bounds.
const MARGIN_KINDS: [&str; 2] = ["boost", "logistic"];
/// Largest size of log odds that a probability of 53 bits can tell: ln 2⁵³.
pub(crate) const LOG_ODDS_MAX: f64 = 36.736_800_569_677_1;
/// Values handled by one task.
const BLOCK_VALUES: usize = 16_384;

/// How the probabilities of a model are mended. Immutable; equal inputs give equal bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    pub(crate) log_odds: bool,
    pub(crate) curves: Vec<Curve>,
}

/// From a score to a probability.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Curve {
    /// As the model said: there was nothing to learn a curve from.
    Same,
    /// 1 / (1 + exp(slope·score + offset)).
    Sigmoid { slope: f64, offset: f64 },
    /// Straight lines between points, level beyond them; both rising.
    Steps { scores: Vec<f64>, probabilities: Vec<f64> },
}

impl Calibration {
    /// Learns the curves from `predictions` of rows whose true classes are `codes`, weighted by `weights`.
    ///
    /// Returns the classes whose probabilities stay as they are too, because no row or every row is of them. Errors: no
    /// method, predictions of numbers, other lengths, rows of one class only.
    pub fn fit(
        method: CalibrationMethod,
        kind: &str,
        predictions: &Predictions,
        codes: &[u32],
        weights: Option<&[f64]>,
    ) -> Result<(Calibration, Vec<usize>)> {
        let Predictions::Probabilities { classes, values } = predictions else {
            return Err(fail::usage("numbers cannot be calibrated; calibration is for classes").into());
        };
        let classes = *classes;
        if codes.len() * classes != values.len() || weights.is_some_and(|weights| weights.len() != codes.len()) {
            return Err(fail::world("the rows to calibrate on have different lengths").into());
        }
        let counted = |row: usize| weights.is_none_or(|weights| weights[row] > 0.0);
        let first = codes.iter().enumerate().find(|(row, _)| counted(*row)).map(|(_, code)| *code);
        if codes.iter().enumerate().all(|(row, code)| !counted(row) || Some(*code) == first) {
            return Err(fail::usage("the validation rows are of one class only, so nothing can be calibrated on them")
                .hint("make the validation part larger, or set calibrate = \"none\"")
                .into());
        }
        let log_odds = MARGIN_KINDS.contains(&kind);
        let (mut curves, mut left) = (Vec::new(), Vec::new());
        for class in if classes == 2 { 1..2 } else { 0..classes } {
            let positive: Vec<bool> = codes.iter().map(|code| *code as usize == class).collect();
            let any = (0..codes.len()).any(|row| counted(row) && positive[row]);
            let scores: Vec<f64> = values.chunks_exact(classes).map(|row| score(row, class, log_odds)).collect();
            curves.push(match method {
                CalibrationMethod::None => return Err(fail::usage("no calibration was asked for").into()),
                _ if !any => {
                    left.push(class);
                    Curve::Same
                }
                CalibrationMethod::Platt => {
                    let (slope, offset) = platt::fit(&scores, &positive, weights);
                    Curve::Sigmoid { slope, offset }
                }
                CalibrationMethod::Isotonic => {
                    let (scores, probabilities) = isotonic::fit(&scores, &positive, weights);
                    Curve::Steps { scores, probabilities }
                }
            });
        }
        Ok((Calibration { log_odds, curves }, left))
    }

    /// Mends probabilities; each row still sums to 1. A row whose classes all come out as 0 is spread evenly.
    pub fn apply(&self, predictions: Predictions) -> Predictions {
        let Predictions::Probabilities { classes, mut values } = predictions else {
            return predictions;
        };
        let width = classes.max(1);
        let block = (BLOCK_VALUES / width).max(1) * width;
        values.par_chunks_mut(block).for_each(|rows| {
            let mut mended = vec![0.0; width];
            for row in rows.chunks_exact_mut(width) {
                self.mend(row, &mut mended);
            }
        });
        Predictions::Probabilities { classes, values }
    }

    fn mend(&self, row: &mut [f64], mended: &mut [f64]) {
        if let ([curve], [_, _]) = (self.curves.as_slice(), &row) {
            let positive = curve.at(score(row, 1, self.log_odds), row[1]);
            row.copy_from_slice(&[1.0 - positive, positive]);
            return;
        }
        for ((class, curve), mended) in self.curves.iter().enumerate().zip(mended.iter_mut()) {
            *mended = curve.at(score(row, class, self.log_odds), row[class]);
        }
        let total: f64 = mended.iter().sum();
        let even = 1.0 / row.len() as f64;
        for (value, mended) in row.iter_mut().zip(mended) {
            *value = if total > 0.0 { *mended / total } else { even };
        }
    }

    /// Slope and offset of the line that log odds of two classes go through on their way to mended ones; `None` where it is
    /// no such line.
    pub fn line(&self) -> Option<(f64, f64)> {
        match self.curves.as_slice() {
            [Curve::Same] => Some((1.0, 0.0)),
            [Curve::Sigmoid { slope, offset }] if self.log_odds => Some((-slope, -offset)),
            _ => None,
        }
    }

    /// Writes it in this product's own form.
    pub fn write(&self, form: &mut FormWriter) {
        form.u64("calibration_log_odds", u64::from(self.log_odds));
        form.u64("calibration_curves", self.curves.len() as u64);
        for curve in &self.curves {
            let (shape, scores, probabilities): (u64, &[f64], &[f64]) = match curve {
                Curve::Same => (0, &[], &[]),
                Curve::Sigmoid { slope, offset } => (1, &[*slope], &[*offset]),
                Curve::Steps { scores, probabilities } => (2, scores, probabilities),
            };
            form.u64("curve", shape);
            form.f64s("scores", scores);
            form.f64s("probabilities", probabilities);
        }
    }

    /// Reads it back for a model of `classes` classes.
    ///
    /// Errors: another number of curves, points that are not finite, not rising or outside `[0, 1]`.
    pub fn read(form: &mut FormReader<'_>, classes: usize) -> Result<Calibration> {
        let log_odds = form.count("calibration_log_odds", 1)? == 1;
        let wanted = if classes == 2 { 1 } else { classes };
        let count = form.count("calibration_curves", wanted)?;
        if count != wanted || classes < 2 {
            return Err(damaged("calibration_curves", &format!("there are {count} curves for {classes} classes")));
        }
        let mut curves = Vec::with_capacity(count);
        for _ in 0..count {
            let shape = form.count("curve", 2)?;
            let scores = form.f64s("scores")?;
            let probabilities = form.finite("probabilities", scores.len())?;
            let finite = scores.iter().all(|score| score.is_finite());
            let rising = scores.is_sorted_by(|a, b| a < b) && probabilities.is_sorted();
            let inside = probabilities.iter().all(|value| (0.0..=1.0).contains(value));
            curves.push(match (shape, scores.as_slice()) {
                (0, []) => Curve::Same,
                (1, [slope]) if finite => Curve::Sigmoid { slope: *slope, offset: probabilities[0] },
                (2, [_, ..]) if finite && rising && inside => Curve::Steps { scores, probabilities },
                _ => return Err(damaged("curve", "these points are no curve of its shape")),
            });
        }
        Ok(Calibration { log_odds, curves })
    }
}

impl Curve {
    /// Probability for a score, in `[0, 1]`; `before` is what the model said.
    fn at(&self, score: f64, before: f64) -> f64 {
        match self {
            Curve::Same => before,
            Curve::Sigmoid { slope, offset } => platt::sigmoid(-(slope * score + offset)),
            Curve::Steps { scores, probabilities } => isotonic::at(scores, probabilities, score),
        }
    }
}

/// Score of one class in a row of probabilities.
fn score(row: &[f64], class: usize, log_odds: bool) -> f64 {
    let chance = row[class];
    if !log_odds {
        return chance;
    }
    // Of two classes the other's probability is kept as it is, which tells more digits than 1 − p near 1.
    let rest = if row.len() == 2 { row[1 - class] } else { 1.0 - chance };
    let odds = chance.max(f64::MIN_POSITIVE).ln() - rest.max(f64::MIN_POSITIVE).ln();
    odds.clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)
}
