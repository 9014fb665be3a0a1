//! A search of parameters: what was asked for, every trial, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::id::{ObjectId, RunId};
use crate::record::Record;
use crate::record::dataset::Roles;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::recipe::TransformSpec;
use crate::spec::tune::TuneSpec;

/// A search of parameters. Kept once when it starts, without trials, and once when it ends; a resumed one ends with its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// The run that began it, which names it.
    pub study: RunId,
    /// What was asked for, settled: whoever goes on uses this and nothing else.
    pub settings: StudySettings,
    /// Its trials by number, without gaps. Empty in the record of a start.
    pub trials: Vec<StudyTrial>,
    /// Number of the best trial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<u64>,
    /// Why it ended; absent in the record of a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StudyEnd>,
}

/// Everything that the outcome of a study depends on. The number of trials tried at once is not here, as it does not matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudySettings {
    /// What is searched, and how: with the space, the metric, its direction and the seed of the search settled.
    pub tune: TuneSpec,
    /// Parameters that are the same in every trial, and what is decided around a fit.
    pub train: TrainSpec,
    /// The one source of chance of everything else.
    pub seed: u64,
    /// What is predicted; absent where a command is tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The command that is tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What the columns of the table mean.
    pub roles: Roles,
    /// How columns become features.
    pub transform: TransformSpec,
    /// Trials of this study were known to the sampler from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_from: Option<ObjectId>,
    /// The dataset record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<ObjectId>,
    /// The split record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<ObjectId>,
    /// The recipe record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<ObjectId>,
}

/// One point tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyTrial {
    /// Its number, from 0.
    pub number: u64,
    /// Its run.
    pub run: RunId,
    /// How it ended.
    pub state: TrialState,
    /// The point.
    pub params: BTreeMap<String, Value>,
    /// The metric, of a trial that finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// It has a value.
    Finished,
    /// Given up, as others had done better by then.
    Pruned,
    /// It ended with an error, or without a value.
    Failed,
}

/// Why a study ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyEnd {
    /// All trials asked for were made.
    Trials,
    /// The time was over.
    Time,
    /// A trial reached what was asked for.
    Target,
    /// No better trial for long.
    Patience,
    /// Every point of the space was tried.
    Exhausted,
}

impl TrialState {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            TrialState::Finished => "finished",
            TrialState::Pruned => "pruned",
            TrialState::Failed => "failed",
        }
    }

    /// The state so written.
    pub fn named(name: &str) -> Option<TrialState> {
        [TrialState::Finished, TrialState::Pruned, TrialState::Failed].into_iter().find(|state| state.name() == name)
    }
}

impl StudyEnd {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            StudyEnd::Trials => "trials",
            StudyEnd::Time => "time",
            StudyEnd::Target => "target",
            StudyEnd::Patience => "patience",
            StudyEnd::Exhausted => "exhausted",
        }
    }
}

impl StudyRecord {
    /// The best trial.
    pub fn best_trial(&self) -> Option<&StudyTrial> {
        self.trials.iter().find(|trial| Some(trial.number) == self.best)
    }
}

impl Record for StudyRecord {
    const KIND: &'static str = "study";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let StudySettings { warm_from, dataset, split, recipe, .. } = &self.settings;
        [warm_from, dataset, split, recipe].into_iter().copied().flatten().collect()
    }
}
