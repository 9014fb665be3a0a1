//! How parameters are searched, as people write it.

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::units;
use crate::spec::gate::{Bound, GateSpec};

/// `[tune]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneSpec {
    /// Most trials.
    pub trials: usize,
    /// Most time, as `90s`, `10m` or `2h`; no limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The validation metric to improve; the task's headline metric when absent. For a stage: the name that its command logs.
    pub metric: Option<String>,
    /// Whether low or high values are good; as the metric says when absent. Metrics of the project's own must say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// How the next point is chosen.
    pub sampler: SamplerName,
    /// Which trials are given up before their end.
    pub pruner: PrunerName,
    /// Trials that run at once; what is found does not depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// Ends the search when this many trials in a row were no better than the best before them; 0 means never.
    pub patience: usize,
    /// Ends the search when a trial reaches it, as `roc_auc >= 0.92`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_at: Option<String>,
    /// Folds of the training rows that judge each trial in place of the validation rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
    /// The kind of model to tune; that of `[train]` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The `[[stage]]` to tune in place of a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Start of the search's chance; the project's seed when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Where each parameter may lie; the kind's own space when empty.
    pub space: toml::Table,
}

impl Default for TuneSpec {
    fn default() -> TuneSpec {
        TuneSpec {
            trials: 50,
            time: None,
            metric: None,
            direction: None,
            sampler: SamplerName::Tpe,
            pruner: PrunerName::None,
            jobs: None,
            patience: 0,
            stop_at: None,
            folds: None,
            model: None,
            stage: None,
            seed: None,
            space: toml::Table::new(),
        }
    }
}

impl TuneSpec {
    /// Checks what needs neither data nor the zoo: counts within their limits, a time, a bound that is a number, and not both
    /// a model and a stage. The space is checked where it is read.
    pub fn check(&self) -> Result<(), Failure> {
        if self.trials == 0 || self.trials > limits::TRIALS_MAX {
            return Err(fail::usage(format!("tune.trials is {}", self.trials))
                .hint(format!("it must be from 1 to {}", limits::TRIALS_MAX)));
        }
        if let Some(time) = &self.time
            && units::parse_duration(time)?.is_zero()
        {
            return Err(fail::usage("tune.time leaves no time").hint("write it like 90s, 10m or 2h"));
        }
        if self.jobs == Some(0) {
            return Err(fail::usage("tune.jobs is 0").hint("it is the number of trials that run at once, 1 or more"));
        }
        if let Some(folds) = self.folds
            && !(2..=limits::FOLDS_MAX).contains(&folds)
        {
            return Err(fail::usage(format!("tune.folds is {folds}"))
                .hint(format!("it must be from 2 to {}", limits::FOLDS_MAX)));
        }
        if self.model.is_some() && self.stage.is_some() {
            return Err(fail::usage("[tune] names both a model and a stage").hint("leave one of them out"));
        }
        self.stop_at.as_deref().map_or(Ok(()), |text| parse_stop_at(text).map(|_| ()))
    }
}

/// Reads a bound such as `roc_auc >= 0.92` that ends a search. Errors: no such form, or a bound that is not a number.
pub fn parse_stop_at(text: &str) -> Result<GateSpec, Failure> {
    let hint = "write it like `roc_auc >= 0.92` or `rmse <= 3`";
    let gate: GateSpec =
        text.parse().map_err(|_| fail::usage(format!("`{text}` is not a bound to stop at")).hint(hint))?;
    match gate.bound {
        Bound::Value(_) if gate.metric().is_some() => Ok(gate),
        Bound::Value(_) => Err(fail::usage(format!("`{text}` is not about one metric of all rows")).hint(hint)),
        Bound::Champion { .. } => Err(fail::usage(format!("`{text}` compares with a champion")).hint(hint)),
    }
}

/// Which values of a metric are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Low ones.
    #[serde(alias = "minimize")]
    Minimise,
    /// High ones.
    #[serde(alias = "maximize")]
    Maximise,
}

impl Direction {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Minimise => "minimise",
            Direction::Maximise => "maximise",
        }
    }

    /// Whether `value` is better than `other`; equal ones are not.
    pub fn better(self, value: f64, other: f64) -> bool {
        self.cost(value) < self.cost(other)
    }

    /// The value as a cost: the lower the better.
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Direction::Minimise => value,
            Direction::Maximise => -value,
        }
    }
}

/// How the next point is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplerName {
    /// Where good trials are dense and bad ones are not (tree-structured Parzen estimators); after some spread evenly.
    #[default]
    Tpe,
    /// Anywhere, each point as likely.
    Random,
    /// All combinations of a few values of each parameter.
    Grid,
    /// Spread evenly (Sobol's sequence, scrambled).
    Sobol,
}

impl SamplerName {
    /// All of them, the default first.
    pub const ALL: [SamplerName; 4] = [SamplerName::Tpe, SamplerName::Random, SamplerName::Grid, SamplerName::Sobol];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            SamplerName::Tpe => "tpe",
            SamplerName::Random => "random",
            SamplerName::Grid => "grid",
            SamplerName::Sobol => "sobol",
        }
    }
}

/// Which trials are given up before their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrunerName {
    /// None.
    #[default]
    None,
    /// Those whose best value so far is worse than the median of earlier trials at the same step.
    Median,
    /// All but the best part of those that came as far, again and again (asynchronous successive halving).
    Halving,
    /// As `halving`, with trials shared out among several lengths of the first part.
    Hyperband,
}

impl PrunerName {
    /// All of them, the default first.
    pub const ALL: [PrunerName; 4] = [PrunerName::None, PrunerName::Median, PrunerName::Halving, PrunerName::Hyperband];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            PrunerName::None => "none",
            PrunerName::Median => "median",
            PrunerName::Halving => "halving",
            PrunerName::Hyperband => "hyperband",
        }
    }
}
