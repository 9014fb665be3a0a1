//! How much each parameter mattered: what a forest fitted to the trials gains by splitting on it.
//!
//! The idea of functional ANOVA (Hutter, Hoos and Leyton-Brown 2014) in its cheap form: shares of the gain, not of the
//! variance of marginals. A parameter that hardly moved, or moved with another, gets less than it deserves.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;
use serde_json::Value;

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::predictor::FitInput;
use crate::models::zoo;
use crate::record::study::StudyTrial;

/// Trials with a value from which on it is worth saying.
const TRIALS_MIN: usize = 10;

/// Shares of the parameters, which sum to 1; empty when there are too few trials to tell, or none differs.
pub fn importance(trials: &[StudyTrial], seed: u64) -> Result<BTreeMap<String, f64>> {
    let finished: Vec<(&StudyTrial, f64)> =
        trials.iter().filter_map(|trial| trial.value.map(|value| (trial, value))).collect();
    if finished.len() < TRIALS_MIN {
        return Ok(BTreeMap::new());
    }
    let names: Vec<&String> = finished[0].0.params.keys().collect();
    let features = names.iter().map(|name| feature(name, &finished)).collect();
    let matrix = Matrix::new(finished.len(), features)?;
    let target = Target::Numbers(finished.iter().map(|(_, value)| *value).collect());
    let mut params = toml::Table::new();
    params.insert("trees".to_owned(), toml::Value::Integer(60));
    // All of them at every split: drawn ones would be split by for want of better.
    params.insert("feature_share".to_owned(), toml::Value::Float(1.0));
    params.insert("leaf_rows".to_owned(), toml::Value::Integer(2));
    let mut input = FitInput {
        matrix: &matrix,
        target: &target,
        weights: None,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(seed).derive("importance"),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    };
    let Some(gains) = (zoo::kind("forest")?.fit)(&mut input)?.importance() else {
        return Ok(BTreeMap::new());
    };
    let total: f64 = gains.iter().map(|gain| gain.gain).sum();
    if total <= 0.0 || !total.is_finite() {
        return Ok(BTreeMap::new());
    }
    Ok(names.into_iter().cloned().zip(gains).map(|(name, gain)| (name, gain.gain / total)).collect())
}

/// One parameter as numbers; words and truth values in the order of their names.
fn feature(name: &str, trials: &[(&StudyTrial, f64)]) -> Feature {
    let value = |trial: &StudyTrial| trial.params.get(name).cloned().unwrap_or(Value::Null);
    let mut words: Vec<String> = trials.iter().map(|(trial, _)| value(trial).to_string()).collect();
    words.sort();
    words.dedup();
    let number = |trial: &StudyTrial| {
        let value = value(trial);
        value.as_f64().unwrap_or_else(|| words.binary_search(&value.to_string()).unwrap_or_default() as f64)
    };
    let values = trials.iter().map(|(trial, _)| number(trial)).collect();
    Feature { name: Arc::from(name), from: Arc::from(name), values: FeatureValues::Number(values) }
}
