//! What every linear model is once it is fitted: coefficients, intercepts and a link.

use std::any::Any;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::linear::design::Design;
use crate::models::linear::sums;
use crate::models::predictor::{Contributions, Importance, Predictions, Predictor};
use crate::models::trees::loss::{sigmoid, softmax};

/// From scores to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The score is the answer: regression.
    Identity = 0,
    /// The sigmoid of the one score is the probability of the second of two classes.
    Logit = 1,
    /// The softmax of one score a class are their probabilities.
    Softmax = 2,
    /// The exponential of the score is the answer: counts.
    Log = 3,
}

/// Largest score whose exponential is a number.
pub(crate) const LOG_MAX: f64 = 709.0;

/// A fitted linear model.
#[derive(Debug)]
pub struct Linear {
    kind: String,
    link: Link,
    width: usize,
    /// For each output: `width` coefficients, then the intercept.
    point: Vec<f64>,
    /// Weighted mean of each feature over the training rows.
    means: Vec<f64>,
    /// Weighted standard deviation of each feature over the training rows.
    spreads: Vec<f64>,
}

impl Linear {
    /// Wraps what was fitted on the rows of `design`: coefficients and intercepts of the features as they are. One pass
    /// over the rows. Errors: a coefficient that is not finite.
    pub fn new(kind: &str, link: Link, design: &Design<'_>, point: Vec<f64>) -> Result<Linear> {
        let shares = design.means();
        let numbers: Vec<bool> = {
            let mut numbers = vec![false; design.width()];
            design.numbers().iter().for_each(|number| numbers[number.place] = true);
            numbers
        };
        let pick = |place: usize, number: f64, share: f64| if numbers[place] { number } else { share };
        let each = |values: &[f64], of_share: fn(f64) -> f64| -> Vec<f64> {
            (0..design.width()).map(|place| pick(place, values[place], of_share(shares[place]))).collect()
        };
        let means = each(&design.shifts, |share| share);
        let spreads = each(&design.scales, |share| (share * (1.0 - share)).max(0.0).sqrt());
        if point.iter().chain(&means).chain(&spreads).any(|value| !value.is_finite()) {
            let what = format!("the coefficients of `{kind}` grow without bound");
            return Err(fail::usage(what).hint("raise the penalty, or scale the features").into());
        }
        Ok(Linear { kind: kind.to_owned(), link, width: design.width(), point, means, spreads })
    }

    /// Coefficients and intercept of each output, one after the other.
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of scores: one for numbers and two classes, else one a class.
    pub fn outputs(&self) -> usize {
        self.point.len() / (self.width + 1)
    }

    /// From scores to answers.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Weighted mean of each feature over the training rows; 0 in models of older versions, which did not keep it.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Weighted standard deviation of each feature over the training rows; 1 in models of older versions.
    pub fn spreads(&self) -> &[f64] {
        &self.spreads
    }
}

/// Reads a linear model back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    Ok(Box::new(read_linear(form)?))
}

/// As [`read`], for those who look at coefficients.
pub fn read_linear(form: &mut FormReader<'_>) -> Result<Linear> {
    let kind = form.text("kind")?;
    let link = match form.u64("link")? {
        0 => Link::Identity,
        1 => Link::Logit,
        2 => Link::Softmax,
        3 => Link::Log,
        other => return Err(damaged("link", &format!("{other} is no link"))),
    };
    let width = form.count("width", u32::MAX as usize)?;
    let outputs = form.count("outputs", CLASSES_MAX)?;
    if outputs == 0 || (outputs > 1) != (link == Link::Softmax) {
        return Err(damaged("outputs", &format!("{outputs} do not go with this link")));
    }
    let (means, spreads) = match form.next_is("means") {
        true => (form.finite("means", width)?, form.finite("spreads", width)?),
        // Older versions kept neither; what their width claims is not believed before the point shows it.
        false => (Vec::new(), Vec::new()),
    };
    let point = form.finite("point", outputs.saturating_mul(width + 1))?;
    let (means, spreads) = match means.is_empty() {
        true => (vec![0.0; width], vec![1.0; width]),
        false => (means, spreads),
    };
    match spreads.iter().position(|spread| *spread < 0.0) {
        Some(place) => Err(damaged("spreads", &format!("value {place} is {}", spreads[place]))),
        None => Ok(Linear { kind, link, width, point, means, spreads }),
    }
}

impl Predictor for Linear {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.width)?;
        input::all_finite(&self.kind, matrix)?;
        let design = Design::plain(matrix);
        let blocks: Vec<_> = sums::blocks(0..matrix.rows(), 1).collect();
        let outputs = self.outputs();
        let answers: Vec<Vec<f64>> = blocks
            .into_par_iter()
            .map(|block| {
                let (first, rows) = (block.start, block.len());
                let mut scores = vec![0.0; rows * outputs];
                design.scores(block, &self.point, &mut scores);
                self.addable(first, rows, &scores)?;
                Ok(answers(self.link, rows, scores))
            })
            .collect::<Result<_>>()?;
        let values = answers.concat();
        Ok(match self.link {
            Link::Identity | Link::Log => Predictions::Numbers(values),
            Link::Logit => Predictions::Probabilities { classes: 2, values },
            Link::Softmax => Predictions::Probabilities { classes: outputs, values },
        })
    }

    fn importance(&self) -> Option<Vec<Importance>> {
        Some(self.weights_of_features().into_iter().map(|gain| Importance { gain, splits: 0 }).collect())
    }

    fn contributions(&self, matrix: &Matrix) -> Result<Option<Contributions>> {
        self.parts_of_scores(matrix).map(Some)
    }

    fn write(&self, form: &mut FormWriter) {
        form.text("kind", &self.kind);
        form.u64("link", self.link as u64);
        form.u64("width", self.width as u64);
        form.u64("outputs", self.outputs() as u64);
        form.f64s("means", &self.means);
        form.f64s("spreads", &self.spreads);
        form.f64s("point", &self.point);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Linear {
    /// Checks that sums did not overflow to what is no number.
    fn addable(&self, first: usize, rows: usize, scores: &[f64]) -> Result<()> {
        let bad = |score: &f64| match self.link {
            Link::Logit | Link::Log => score.is_nan(),
            Link::Identity | Link::Softmax => !score.is_finite(),
        };
        match scores.iter().position(bad) {
            None => Ok(()),
            Some(place) => {
                let row = first + place % rows;
                Err(fail::usage(format!("the features of row {row} are too large for `{}` to add up", self.kind))
                    .hint("correct the data, or train again with a scale or clip step")
                    .into())
            }
        }
    }
}

/// Scores, output by output, as answers, row by row.
fn answers(link: Link, rows: usize, scores: Vec<f64>) -> Vec<f64> {
    match link {
        Link::Identity => scores,
        Link::Log => scores.into_iter().map(|score| score.min(LOG_MAX).exp()).collect(),
        Link::Logit => scores.into_iter().flat_map(|score| [sigmoid(-score), sigmoid(score)]).collect(),
        Link::Softmax => {
            let outputs = scores.len() / rows.max(1);
            let mut shares = vec![0.0; scores.len()];
            for (row, share) in shares.chunks_exact_mut(outputs.max(1)).enumerate() {
                for (output, value) in share.iter_mut().enumerate() {
                    *value = scores[output * rows + row];
                }
                softmax(share);
            }
            shares
        }
    }
}
