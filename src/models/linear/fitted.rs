//! What every linear model is once it is fitted: coefficients, intercepts and a link.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::linear::design::{self, Design};
use crate::models::predictor::{Predictions, Predictor};
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
}

/// A fitted linear model.
pub struct Linear {
    kind: String,
    link: Link,
    width: usize,
    /// For each output: `width` coefficients, then the intercept.
    point: Vec<f64>,
}

impl Linear {
    /// Wraps what was fitted. Errors: a coefficient that is not finite.
    pub fn new(kind: &str, link: Link, width: usize, point: Vec<f64>) -> Result<Linear> {
        if point.iter().any(|value| !value.is_finite()) {
            let what = format!("the coefficients of `{kind}` grow without bound");
            return Err(fail::usage(what).hint("raise l2, or scale the features").into());
        }
        Ok(Linear { kind: kind.to_owned(), link, width, point })
    }

    /// Coefficients and intercept of each output, one after the other.
    #[cfg(test)]
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    fn outputs(&self) -> usize {
        self.point.len() / (self.width + 1)
    }
}

/// Reads a linear model back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let kind = form.text("kind")?;
    let link = match form.u64("link")? {
        0 => Link::Identity,
        1 => Link::Logit,
        2 => Link::Softmax,
        other => return Err(damaged("link", &format!("{other} is no link"))),
    };
    let width = form.count("width", u32::MAX as usize)?;
    let outputs = form.count("outputs", CLASSES_MAX)?;
    if outputs == 0 || (outputs > 1) != (link == Link::Softmax) {
        return Err(damaged("outputs", &format!("{outputs} do not go with this link")));
    }
    let point = form.finite("point", outputs.saturating_mul(width + 1))?;
    Ok(Box::new(Linear { kind, link, width, point }))
}

impl Predictor for Linear {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.width)?;
        input::all_finite(&self.kind, matrix)?;
        let design = Design::plain(matrix);
        let blocks: Vec<_> = design::blocks(0..matrix.rows()).collect();
        let outputs = self.outputs();
        let answers: Vec<Vec<f64>> = blocks
            .into_par_iter()
            .map(|block| {
                let rows = block.len();
                let mut scores = vec![0.0; rows * outputs];
                design.scores(block, &self.point, &mut scores);
                answers(self.link, rows, scores)
            })
            .collect();
        let values = answers.concat();
        Ok(match self.link {
            Link::Identity => Predictions::Numbers(values),
            Link::Logit => Predictions::Probabilities { classes: 2, values },
            Link::Softmax => Predictions::Probabilities { classes: outputs, values },
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.text("kind", &self.kind);
        form.u64("link", self.link as u64);
        form.u64("width", self.width as u64);
        form.u64("outputs", self.outputs() as u64);
        form.f64s("point", &self.point);
    }
}

/// Scores, output by output, as answers, row by row.
fn answers(link: Link, rows: usize, scores: Vec<f64>) -> Vec<f64> {
    match link {
        Link::Identity => scores,
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
