//! XGBoost's objectives, as losses of ours and back.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::fail;
use crate::models::trees::loss::Loss;

/// What an objective makes of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss of ours whose answers are made alike.
    pub loss: Loss,
    /// How `base_score` becomes a score.
    pub base: Base,
}

/// How `base_score`, an answer, becomes a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// It is one.
    Score,
    /// Its log odds.
    LogOdds,
    /// Its logarithm.
    Log,
}

impl Base {
    /// The score of an answer. Errors: an answer that has none.
    pub fn score(self, answer: f64) -> Result<f64> {
        let score = match self {
            Base::Score => answer,
            Base::LogOdds => -(1.0 / answer - 1.0).ln(),
            Base::Log => answer.ln(),
        };
        match score.is_finite() {
            true => Ok(score),
            false => Err(fail::world(format!("`base_score` is {answer}, which is no answer of its objective")).into()),
        }
    }
}

/// What the object `objective` of the file means.
///
/// Errors (usage): an objective whose answers no loss of ours makes, named; damage.
pub fn read(object: &BTreeMap<String, Value>, notes: &mut Vec<String>) -> Result<Objective> {
    let name = object.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| fail::world("its objective has no name"))?;
    let mut kept = |loss: Loss, why: &str| {
        notes.push(format!("objective `{name}` is kept as `{}`: {why}", loss.name()));
        loss
    };
    let (loss, base) = match name {
        "reg:squarederror" | "reg:linear" => (Loss::Squared, Base::Score),
        "reg:absoluteerror" => (Loss::Absolute, Base::Score),
        "reg:squaredlogerror" => (kept(Loss::Squared, "scores are the answers of both"), Base::Score),
        "reg:pseudohubererror" => {
            let slope = number(object, "pseudo_huber_param", "huber_slope", 1.0)?;
            (kept(Loss::Huber(slope), "scores are the answers of both"), Base::Score)
        }
        "reg:quantileerror" => {
            let level = number(object, "quantile_loss_param", "quantile_alpha", 0.5)?;
            if level >= 1.0 {
                return Err(fail::world(format!("`quantile_alpha` is {level}")).into());
            }
            (Loss::Quantile(level), Base::Score)
        }
        "binary:logistic" => (Loss::Logistic, Base::LogOdds),
        "reg:logistic" => (kept(Loss::Logistic, "its answer is the probability of the second class"), Base::LogOdds),
        "binary:logitraw" => (kept(Loss::Logistic, "answers are probabilities, not scores"), Base::LogOdds),
        "count:poisson" => (Loss::Poisson, Base::Log),
        "reg:gamma" | "reg:tweedie" => (kept(Loss::Poisson, "answers are exponentials of scores"), Base::Log),
        "multi:softprob" => (Loss::Softmax, Base::Score),
        "multi:softmax" => (kept(Loss::Softmax, "answers are probabilities, not only the class"), Base::Score),
        _ => {
            let name: String = name.chars().take(40).collect();
            let what = format!("XGBoost's objective `{name}` cannot be expressed here");
            return Err(fail::usage(what).hint("its answers are not those of any task and loss here").into());
        }
    };
    Ok(Objective { loss, base })
}

/// A positive number of an objective: `0.5`, or a list of one, `[5E-1]`.
fn number(object: &BTreeMap<String, Value>, group: &str, name: &str, default: f64) -> Result<f64> {
    let Some(text) = object.get(group).and_then(|group| group.get(name)).and_then(Value::as_str) else {
        return Ok(default);
    };
    match numbers(text)?.as_slice() {
        [value] if *value > 0.0 => Ok(*value),
        [_] => Err(fail::world(format!("`{name}` of the objective is `{text}`")).into()),
        all => Err(fail::usage(format!("`{name}` has {} values; a model with one can be read", all.len())).into()),
    }
}

/// The finite numbers of a text: one, or a list in brackets.
pub fn numbers(text: &str) -> Result<Vec<f64>> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let values = inner.split(',').map(|word| {
        let value: Option<f64> = word.trim().parse().ok().filter(|value: &f64| value.is_finite());
        let short: String = word.chars().take(40).collect();
        value.ok_or_else(|| fail::world(format!("`{short}` stands where a number belongs")).into())
    });
    values.collect()
}

/// The object `objective` of a loss, and the `base_score` whose score is 0.
pub fn write(loss: Loss, outputs: usize) -> (Value, &'static str) {
    let scale = json!({ "scale_pos_weight": "1" });
    match loss {
        Loss::Squared => (json!({ "name": "reg:squarederror", "reg_loss_param": scale }), "0E0"),
        Loss::Absolute => (json!({ "name": "reg:absoluteerror" }), "0E0"),
        Loss::Huber(slope) => {
            let param = json!({ "huber_slope": format!("{slope:e}") });
            (json!({ "name": "reg:pseudohubererror", "pseudo_huber_param": param }), "0E0")
        }
        Loss::Quantile(level) => {
            let param = json!({ "quantile_alpha": format!("[{level:e}]") });
            (json!({ "name": "reg:quantileerror", "quantile_loss_param": param }), "0E0")
        }
        Loss::Poisson => {
            let param = json!({ "max_delta_step": "0.7" });
            (json!({ "name": "count:poisson", "poisson_regression_param": param }), "1E0")
        }
        Loss::Logistic => (json!({ "name": "binary:logistic", "reg_loss_param": scale }), "5E-1"),
        Loss::Softmax => {
            let param = json!({ "num_class": outputs.to_string() });
            (json!({ "name": "multi:softprob", "softmax_multiclass_param": param }), "0E0")
        }
    }
}
