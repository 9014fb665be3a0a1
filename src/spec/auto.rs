//! What an automatic search may spend and choose from, as people write it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::limits::AUTO_TRIALS_MAX;
use crate::base::units;

/// What is spent when nothing is said.
const USUAL_TIME: Duration = Duration::from_secs(60);

/// `auto` of `[train]`: the kind, its parameters and an ensemble are searched for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoSpec {
    /// How long the whole search may take, as `60s` or `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// How many configurations are tried at most; the same number and seed give the same model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<usize>,
    /// Kinds of models to choose from; all that suit the table when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Fits side by side; as many as there are threads when absent. Changes nothing but how long it takes.
    #[serde(skip)]
    pub jobs: Option<usize>,
}

impl AutoSpec {
    /// Checks what needs no data: a time above 0, trials within their limit.
    pub fn check(&self) -> Result<(), Failure> {
        if let Some(text) = &self.time
            && units::parse_duration(text)?.is_zero()
        {
            return Err(fail::usage("an automatic search of no time finds nothing")
                .hint("give it some, as time = \"60s\" or --time 60s"));
        }
        match self.trials {
            Some(trials) if !(1..=AUTO_TRIALS_MAX).contains(&trials) => {
                Err(fail::usage(format!("{trials} trials")).hint(format!("they are 1 to {AUTO_TRIALS_MAX}")))
            }
            _ => Ok(()),
        }
    }

    /// How long the search may take; `None` when only trials are counted, so that no clock decides anything.
    pub fn budget(&self) -> Option<Duration> {
        match (&self.time, self.trials) {
            (Some(text), _) => units::parse_duration(text).ok(),
            (None, Some(_)) => None,
            (None, None) => Some(USUAL_TIME),
        }
    }
}
