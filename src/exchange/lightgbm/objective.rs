//! LightGBM's objectives, as losses of ours and back.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::lightgbm::text::{Fields, short};
use crate::models::trees::loss::Loss;

/// From scores to answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The loss of ours whose answers are made alike.
    pub loss: Loss,
    /// What scores are multiplied by first.
    pub scale: f64,
}

/// What the line `objective` means for a model of `outputs` scores a row.
///
/// Errors (usage): an objective whose answers no loss of ours makes, named; damage.
pub fn read(line: Option<&str>, outputs: usize, given: &Fields<'_>, notes: &mut Vec<String>) -> Result<Objective> {
    let mut words = line.unwrap_or_default().split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let options: Fields<'_> = words.map(|word| word.split_once(':').unwrap_or((word, ""))).collect();
    let number = |of: &str, default: f64| -> Result<f64> {
        let Some(text) = options.get(of).or_else(|| given.get(of)) else { return Ok(default) };
        let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
        value.ok_or_else(|| fail::world(format!("`{of}` of the objective is `{}`", short(text))).into())
    };
    let mut scale = 1.0;
    let mut as_numbers = |what: &str| {
        notes.push(format!("{what}: scores are the answers"));
        Loss::Squared
    };
    let loss = match name {
        _ if options.contains_key("sqrt") => return Err(refused("reg_sqrt", "its answers are squares of scores")),
        "regression" | "regression_l2" => Loss::Squared,
        "regression_l1" => Loss::Absolute,
        "huber" => Loss::Huber(number("alpha", 0.9)?),
        "quantile" => Loss::Quantile(number("alpha", 0.9)?),
        "fair" | "mape" => as_numbers(&format!("objective `{name}` is unknown here")),
        "" | "none" | "custom" => as_numbers("the model was trained with an objective of its own"),
        "poisson" => Loss::Poisson,
        "gamma" | "tweedie" => {
            notes.push(format!("objective `{name}` is kept as `poisson`: answers are exponentials of scores alike"));
            Loss::Poisson
        }
        "binary" => {
            scale = number("sigmoid", 1.0)?;
            Loss::Logistic
        }
        "cross_entropy" | "xentropy" => {
            notes.push(format!(
                "objective `{name}` is kept as two classes: its answer is the probability of the second"
            ));
            Loss::Logistic
        }
        "multiclass" | "softmax" => Loss::Softmax,
        "multiclassova" | "ova" => return Err(refused(name, "its probabilities do not sum to 1")),
        "lambdarank" | "rank_xendcg" => return Err(refused(name, "ranking is none of the tasks here")),
        _ => return Err(refused(&short(name), "its answers are not those of any loss here")),
    };
    let fits = match loss {
        Loss::Quantile(level) if level >= 1.0 => return Err(fail::world(format!("`alpha` is {level}")).into()),
        Loss::Softmax => outputs > 1,
        _ => outputs == 1,
    };
    match fits {
        true => Ok(Objective { loss, scale }),
        false => Err(fail::world(format!("objective `{name}` does not go with {outputs} scores a row")).into()),
    }
}

fn refused(name: &str, why: &str) -> anyhow::Error {
    fail::usage(format!("LightGBM's `{name}` cannot be expressed here: {why}")).into()
}

/// The line `objective` of a loss.
pub fn write(loss: Loss, outputs: usize) -> String {
    match loss {
        Loss::Squared => "regression".to_owned(),
        Loss::Absolute => "regression_l1".to_owned(),
        Loss::Huber(_) => "huber".to_owned(),
        Loss::Quantile(_) => "quantile".to_owned(),
        Loss::Poisson => "poisson".to_owned(),
        Loss::Logistic => "binary sigmoid:1".to_owned(),
        Loss::Softmax => format!("multiclass num_class:{outputs}"),
    }
}
