//! What is known of trials that ended.

use crate::search::space::{Point, Space};

/// How a trial ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With this value of the metric. A value that is not finite counts as failed.
    Value(f64),
    /// Given up after `step`, where the metric was `value`.
    Pruned {
        /// The last step it came to.
        step: u64,
        /// The value there.
        value: f64,
    },
    /// It crashed, or gave no value; the reason is for people.
    Failed(String),
}

impl Outcome {
    /// The value of a trial that came to its end.
    pub fn value(&self) -> Option<f64> {
        match self {
            Outcome::Value(value) => Some(*value),
            _ => None,
        }
    }

    /// The same, with values that are no numbers turned into failures.
    pub fn checked(self) -> Outcome {
        match self {
            Outcome::Value(value) | Outcome::Pruned { value, .. } if !value.is_finite() => {
                Outcome::Failed(format!("its value is {value}"))
            }
            fine => fine,
        }
    }
}

/// A trial that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its place in the study, from 0.
    pub number: usize,
    /// What it was run with; [`Point::to_toml`] gives the parameters.
    pub point: Point,
    /// How it ended.
    pub outcome: Outcome,
    /// Its intermediate values: steps, rising, and the metric there. What pruning of later trials looks at.
    pub curve: Vec<(u64, f64)>,
}

impl Told {
    /// A trial as it was kept, to be restored or to learn from. Its point is the one of `space` nearest to `params`: the same
    /// one when it came from this space.
    pub fn of(space: &Space, number: usize, params: &toml::Table, outcome: Outcome, curve: Vec<(u64, f64)>) -> Told {
        Told { number, point: space.locate(params), outcome: outcome.checked(), curve }
    }
}
