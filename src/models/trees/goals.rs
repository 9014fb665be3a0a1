//! What a boosted model is to minimise: the objective as written becomes a loss, true values and first scores.

use anyhow::Result;

use crate::base::fail;
use crate::data::target::Target;
use crate::models::input;
use crate::models::params;
use crate::models::predictor::FitInput;
use crate::models::trees::exact;
use crate::models::trees::loss::Loss;
use crate::models::trees::weights::RowWeights;
use crate::spec::model::{BoostObjective, BoostParams};

/// Smallest share of a class whose logarithm is a first score.
const SHARE_MIN: f64 = 1e-15;

/// True values as boosting reads them.
#[derive(Clone, Copy)]
pub enum Truth<'a> {
    /// Numbers.
    Numbers(&'a [f64]),
    /// Codes of classes, and how many classes there are.
    Classes(&'a [u32], usize),
}

/// What is true, what is minimised, and the scores of no tree at all.
pub struct Goal<'a> {
    /// What is true.
    pub truth: Truth<'a>,
    /// What is minimised.
    pub loss: Loss,
    /// One score an output: mean, median or quantile, logarithm of the mean, log odds, log shares.
    pub initial: Vec<f64>,
}

/// Settles the goal of a fit.
///
/// Errors: an objective of another task, `alpha` out of range, a target that the objective cannot have (named with its
/// row).
pub fn goal<'a>(fit: &FitInput<'a>, params: &BoostParams, weights: Option<RowWeights<'_>>) -> Result<Goal<'a>> {
    let objective = params.objective;
    match fit.target {
        Target::Numbers(_) => {
            let loss = number_loss(objective, params.alpha)?;
            let values = input::numbers("boost", fit.target)?;
            let initial = first_number(loss, values, weights)?;
            Ok(Goal { truth: Truth::Numbers(values), loss, initial: vec![initial] })
        }
        Target::Classes { .. } => {
            let classes = input::classes("boost", fit.target)?;
            let count = classes.counts.len();
            let loss = class_loss(objective, count)?;
            let shares = shares(classes.codes, &classes.counts, weights);
            let logs: Vec<f64> = shares.iter().map(|share| share.max(SHARE_MIN).ln()).collect();
            let initial = if loss == Loss::Logistic { vec![logs[1] - logs[0]] } else { logs };
            Ok(Goal { truth: Truth::Classes(classes.codes, count), loss, initial })
        }
        Target::Labels { .. } => Err(input::no_target("boost")),
    }
}

fn number_loss(objective: BoostObjective, alpha: f64) -> Result<Loss> {
    Ok(match objective {
        BoostObjective::Auto | BoostObjective::Squared => Loss::Squared,
        BoostObjective::Absolute => Loss::Absolute,
        BoostObjective::Huber => {
            params::check("boost", "alpha", alpha, alpha > 0.0, "above 0 for `huber`")?;
            Loss::Huber(alpha)
        }
        BoostObjective::Quantile => {
            params::check("boost", "alpha", alpha, alpha > 0.0 && alpha < 1.0, "between 0 and 1 for `quantile`")?;
            Loss::Quantile(alpha)
        }
        BoostObjective::Poisson => Loss::Poisson,
        BoostObjective::Binary | BoostObjective::Multiclass => {
            let what = format!("objective `{}` predicts classes, but the target is a number", objective.name());
            return Err(fail::usage(what)
                .hint("for numbers use auto, squared, absolute, huber, quantile or poisson")
                .into());
        }
    })
}

fn class_loss(objective: BoostObjective, classes: usize) -> Result<Loss> {
    match objective {
        BoostObjective::Auto if classes == 2 => Ok(Loss::Logistic),
        BoostObjective::Auto | BoostObjective::Multiclass => Ok(Loss::Softmax),
        BoostObjective::Binary if classes == 2 => Ok(Loss::Logistic),
        BoostObjective::Binary => {
            Err(fail::usage(format!("objective `binary` needs two classes; the target has {classes}"))
                .hint("use auto or multiclass")
                .into())
        }
        _ => {
            let what = format!("objective `{}` predicts numbers, but the target is a class", objective.name());
            Err(fail::usage(what).hint("for classes use auto, binary or multiclass").into())
        }
    }
}

fn first_number(loss: Loss, values: &[f64], weights: Option<RowWeights<'_>>) -> Result<f64> {
    if let Some(level) = loss.leaf_level() {
        return Ok(match weights {
            None => exact::quantile(&mut values.to_vec(), level),
            Some(weights) => {
                let pairs = values.iter().copied().zip(weights.values.iter().copied());
                let mut counting: Vec<(f64, f64)> = pairs.filter(|(_, weight)| *weight > 0.0).collect();
                exact::weighted_quantile(&mut counting, level, weights.is_whole)
            }
        });
    }
    if loss == Loss::Poisson
        && let Some(row) = values.iter().position(|value| *value < 0.0)
    {
        return Err(fail::usage(format!("the target of training row {row} is {}", values[row]))
            .hint("`poisson` needs values of at least 0; correct them, or use another objective")
            .into());
    }
    let mean = match weights {
        None => exact::sum(values.iter().copied()) / values.len() as f64,
        Some(weights) => {
            let terms = values.iter().zip(weights.values).map(|(value, weight)| value * weight);
            exact::sum(terms) / weights.total
        }
    };
    match loss {
        Loss::Poisson if mean <= 0.0 => Err(fail::usage("all targets of the training rows that count are 0")
            .hint("`poisson` learns a logarithm of rates, and there is none; use another objective")
            .into()),
        Loss::Poisson => Ok(mean.ln()),
        _ => Ok(mean),
    }
}

fn shares(codes: &[u32], counts: &[u64], weights: Option<RowWeights<'_>>) -> Vec<f64> {
    let Some(weights) = weights else {
        return counts.iter().map(|&count| count as f64 / codes.len() as f64).collect();
    };
    let mut by_class = vec![Vec::new(); counts.len()];
    codes.iter().zip(weights.values).for_each(|(&code, &weight)| by_class[code as usize].push(weight));
    by_class.iter().map(|class| exact::sum(class.iter().copied()) / weights.total).collect()
}
