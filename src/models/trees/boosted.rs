//! A boosted ensemble that has been fitted: from summed leaf values to answers.

use std::any::Any;

use anyhow::Result;

use crate::base::limits::CLASSES_MAX;
use crate::data::matrix::Matrix;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::predictor::{Contributions, Importance, Margin, Predictions, Predictor};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::loss::{Loss, sigmoid, softmax};
use crate::models::trees::shap;

/// Trees whose values sum to scores.
pub struct Boosted {
    /// The trees; output by output in turn.
    pub ensemble: Ensemble,
    /// How scores become answers.
    pub loss: Loss,
    /// Scores of no tree, one for each output.
    pub initial: Vec<f64>,
}

/// Reads a boosted ensemble back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let name = form.text("loss")?;
    let alpha = if form.next_is("alpha") { form.finite("alpha", 1)?[0] } else { 0.0 };
    let outputs = form.count("outputs", CLASSES_MAX)?;
    let initial = form.finite("initial", outputs)?;
    let loss = match (name.as_str(), outputs) {
        ("squared", 1) => Loss::Squared,
        ("absolute", 1) => Loss::Absolute,
        ("huber", 1) if alpha > 0.0 => Loss::Huber(alpha),
        ("quantile", 1) if alpha > 0.0 && alpha < 1.0 => Loss::Quantile(alpha),
        ("poisson", 1) => Loss::Poisson,
        ("logistic", 1) => Loss::Logistic,
        ("softmax", 2..) => Loss::Softmax,
        _ => return Err(damaged("loss", &format!("`{name}` (alpha {alpha}) with {outputs} outputs is not known"))),
    };
    let ensemble = Ensemble::read(form)?;
    if ensemble.width != 1 || ensemble.trees.len() % outputs != 0 {
        return Err(damaged("tree_nodes", &format!("these are not trees for {outputs} outputs")));
    }
    Ok(Box::new(Boosted { ensemble, loss, initial }))
}

/// Rounds of a boosted model; `None` for other kinds.
pub fn rounds(model: &dyn Predictor) -> Option<usize> {
    let boosted = model.as_any().downcast_ref::<Boosted>()?;
    Some(boosted.ensemble.trees.len() / boosted.initial.len().max(1))
}

/// A boosted model of the first `count` rounds of another; `None` for other kinds.
pub fn first_rounds(model: &dyn Predictor, count: usize) -> Option<Box<dyn Predictor>> {
    let boosted = model.as_any().downcast_ref::<Boosted>()?;
    let mut ensemble = boosted.ensemble.clone();
    ensemble.trees.truncate(count.saturating_mul(boosted.initial.len().max(1)));
    Some(Box::new(Boosted { ensemble, loss: boosted.loss, initial: boosted.initial.clone() }))
}

impl Predictor for Boosted {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        let mut sums = self.ensemble.sums(matrix, &self.initial)?;
        Ok(match self.loss {
            Loss::Squared | Loss::Absolute | Loss::Huber(_) | Loss::Quantile(_) => Predictions::Numbers(sums),
            Loss::Poisson => {
                // A rate beyond the range of numbers is answered with the largest number.
                sums.iter_mut().for_each(|score| *score = score.exp().min(f64::MAX));
                Predictions::Numbers(sums)
            }
            Loss::Logistic => {
                let pairs = sums.into_iter().flat_map(|score| {
                    let share = sigmoid(score);
                    [1.0 - share, share]
                });
                Predictions::Probabilities { classes: 2, values: pairs.collect() }
            }
            Loss::Softmax => {
                sums.chunks_exact_mut(self.initial.len()).for_each(softmax);
                Predictions::Probabilities { classes: self.initial.len(), values: sums }
            }
        })
    }

    fn write(&self, form: &mut FormWriter) {
        form.text("loss", self.loss.name());
        if self.loss.alpha() > 0.0 {
            form.f64("alpha", self.loss.alpha());
        }
        form.u64("outputs", self.initial.len() as u64);
        form.f64s("initial", &self.initial);
        self.ensemble.write(form);
    }

    fn importance(&self) -> Option<Vec<Importance>> {
        self.ensemble.importance()
    }

    fn contributions(&self, matrix: &Matrix) -> Result<Option<Contributions>> {
        let answers = matches!(self.loss, Loss::Squared | Loss::Absolute | Loss::Huber(_) | Loss::Quantile(_));
        let margin = if answers { Margin::Answer } else { Margin::Score };
        shap::contributions(&self.ensemble, matrix, &self.initial, 1.0, margin)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
