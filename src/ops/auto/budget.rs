//! How long a fit is going to take, from how long others took.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ops::auto::portfolio::{Config, Shape};

/// How much longer than others of its kind a fit may take before it is a surprise.
const CAUTION: f64 = 1.3;
/// Rounds that patient boosting is expected to last.
const ROUNDS_EXPECTED: f64 = 300.0;

/// When the search ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: Instant,
    /// When no fit may be under way any more; none without a clock.
    end: Option<Instant>,
}

impl Deadline {
    /// `budget` after `start`, less `reserve` of it for what comes after the search.
    pub fn new(start: Instant, budget: Option<Duration>, reserve: f64) -> Deadline {
        Deadline { start, end: budget.map(|budget| start + budget.mul_f64(1.0 - reserve)) }
    }

    /// Whether time is up.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether a fit of `seconds` would end too late.
    pub fn is_too_near_for(&self, seconds: f64) -> bool {
        self.end.is_some_and(|end| Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 1e9)) > end)
    }

    /// Seconds since the start.
    pub fn elapsed(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Whole seconds of the search; none without a clock.
    pub fn seconds(&self) -> Option<u64> {
        self.end.map(|end| (end - self.start).as_secs().max(1))
    }
}

/// Seconds for one unit of work, by kind.
#[derive(Debug, Default)]
pub struct Rates {
    of_kind: BTreeMap<&'static str, (f64, f64)>,
}

impl Rates {
    /// Learns from a fit.
    pub fn learn(&mut self, config: &Config, shape: &Shape, seconds: f64) {
        let (all, work) = self.of_kind.entry(config.kind.name).or_insert((0.0, 0.0));
        *all += seconds;
        *work += units(config, shape);
    }

    /// Seconds that one fit may take: as fast as others of its kind, or as all kinds together; 0 before any.
    pub fn expect(&self, config: &Config, shape: &Shape) -> f64 {
        let all = || self.of_kind.values().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let (seconds, work) = self.of_kind.get(config.kind.name).copied().unwrap_or_else(all);
        if work > 0.0 { CAUTION * seconds / work * units(config, shape) } else { 0.0 }
    }
}

/// Work of one fit, in steps of about the same length within a kind and roughly so between kinds.
fn units(config: &Config, shape: &Shape) -> f64 {
    let number = |name: &str, usual: f64| {
        let value = config.params.get(name);
        value.and_then(|value| value.as_float().or(value.as_integer().map(|whole| whole as f64))).unwrap_or(usual)
    };
    let (rows, features) = (shape.rows.max(2) as f64, shape.features.max(1) as f64);
    let outputs = if shape.outputs > 2 { shape.outputs as f64 } else { 1.0 };
    match config.kind.name {
        "boost" => {
            let rounds = number("trees", 100.0);
            let rounds = if number("patience", 0.0) > 0.0 { rounds.min(ROUNDS_EXPECTED) } else { rounds };
            let leaves = number("leaves", 31.0);
            rounds * outputs * (rows * features * number("feature_share", 1.0) * leaves.log2() / 5.0 + leaves * 3e3)
        }
        "forest" | "extra_trees" | "tree" => {
            let share = match number("feature_share", 0.0) {
                share if share > 0.0 => share * features,
                _ => features.sqrt(),
            };
            number("trees", 200.0) * rows * rows.log2() * share
        }
        "svm" => rows * rows * features * outputs * outputs.max(2.0) / 2.0,
        "knn" => rows * rows * features * 0.1,
        _ => rows * features * 50.0 * outputs,
    }
}
