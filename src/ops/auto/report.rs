//! What a search says of itself: guardrails, leaderboard, how to repeat it.

use serde::Serialize;

use crate::ops::auto::guardrails::Guardrails;
use crate::ops::auto::trial::{End, Trial};

/// What came of an automatic search.
#[derive(Clone, Debug, Serialize)]
pub struct AutoReport {
    /// What was looked at first.
    pub guardrails: Guardrails,
    /// The metric that scores are of.
    pub metric: String,
    /// The loss that trials are ranked and joined by.
    pub ranked_by: String,
    /// All trials, best first, those without an answer last.
    pub leaderboard: Vec<Entry>,
    /// Trials that count; as many with the same seed give the same model.
    pub trials: usize,
    /// Trials that time ended, and that do not count.
    pub discarded: usize,
    /// Folds of each trial; 1 when one part of the rows is held out.
    pub folds: usize,
    /// `folds`, `times` or `once`: how rows are held out.
    pub held_out: String,
    /// Whether time ended the search.
    pub out_of_time: bool,
    /// Headline of the ensemble on the rows held out.
    pub score: f64,
    /// Seconds of the search, before the last fits.
    pub seconds: f64,
    /// Flags that give this model again; none when not even the first trial was finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

/// One trial.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its number, from 1 on.
    pub trial: usize,
    /// What it is called.
    pub name: String,
    /// The kind of model.
    pub kind: String,
    /// The features it eats: those of `trees`, of `linear` models, or as `written`.
    pub features: String,
    /// Parameters that differ from the kind's defaults.
    pub params: serde_json::Value,
    /// `finished`, `behind` (left after its first fold) or `failed`.
    pub state: String,
    /// The metric on the rows held out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The loss on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Seconds of fitting, all folds together.
    pub fit_seconds: f64,
    /// Seconds of answering the rows held out.
    pub predict_seconds: f64,
    /// Its share of the answer.
    pub weight: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// All trials with their shares, best first.
pub fn leaderboard(trials: &[Trial], shares: &[(usize, f64)], names: &[&str]) -> Vec<Entry> {
    let mut order: Vec<&Trial> = trials.iter().collect();
    let rank = |trial: &Trial| match trial.end {
        End::Finished => 0,
        End::Behind => 1,
        End::Failed(_) => 2,
    };
    order.sort_by(|a, b| rank(a).cmp(&rank(b)).then(a.loss.total_cmp(&b.loss)).then(a.number.cmp(&b.number)));
    let entry = |trial: &Trial| Entry {
        trial: trial.number + 1,
        name: trial.config.name.clone(),
        kind: trial.config.kind.name.to_owned(),
        features: names.get(trial.branch).copied().unwrap_or_default().to_owned(),
        params: serde_json::to_value(&trial.config.params).unwrap_or_default(),
        state: match trial.end {
            End::Finished => "finished",
            End::Behind => "behind",
            End::Failed(_) => "failed",
        }
        .to_owned(),
        score: Some(trial.score).filter(|score| score.is_finite()),
        loss: Some(trial.loss).filter(|loss| loss.is_finite()),
        fit_seconds: trial.fit_seconds(),
        predict_seconds: trial.predict_seconds(),
        weight: shares.iter().find(|share| share.0 == trial.number).map_or(0.0, |share| share.1),
        error: match &trial.end {
            End::Failed(why) => Some(why.clone()),
            _ => None,
        },
    };
    order.into_iter().map(entry).collect()
}
