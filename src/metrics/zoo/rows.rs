//! How rows of the tables are written.

use crate::metrics::metric::{Aim, Measure, Metric, Parameter, When};
use crate::spec::model::Task;

pub(super) const BINARY: &[Task] = &[Task::Binary];
pub(super) const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
pub(super) const MULTICLASS: &[Task] = &[Task::Multiclass];
pub(super) const NUMBERS: &[Task] = &[Task::Regression];
pub(super) const GROUPS: &[Task] = &[Task::Clustering];
pub(super) const ODD: &[Task] = &[Task::Anomaly];
pub(super) const EVERY: &[Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly];

/// A metric whose large values are good.
pub(super) const fn up(tasks: &'static [Task], name: &'static str, measure: Measure, about: &'static str) -> Metric {
    row(tasks, name, Aim::Higher, measure, about)
}

/// A metric whose small values are good.
pub(super) const fn down(tasks: &'static [Task], name: &'static str, measure: Measure, about: &'static str) -> Metric {
    row(tasks, name, Aim::Lower, measure, about)
}

/// A metric that judges nothing, or is best at one number.
pub(super) const fn row(
    tasks: &'static [Task],
    name: &'static str,
    aim: Aim,
    measure: Measure,
    about: &'static str,
) -> Metric {
    Metric { name, tasks, aim, about, when: When::Always, parameter: None, measure }
}

impl Metric {
    /// Only measured when asked for.
    pub(super) const fn asked(mut self) -> Metric {
        self.when = When::Asked;
        self
    }

    /// Measured when `when` says so.
    pub(super) const fn when(mut self, when: When) -> Metric {
        self.when = when;
        self
    }

    /// Takes a number in brackets, and so is measured when asked for.
    pub(super) const fn takes(mut self, parameter: &'static Parameter) -> Metric {
        self.parameter = Some(parameter);
        self.asked()
    }
}

fn is_share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn is_filled_share(value: f64) -> bool {
    is_share(value) && value > 0.0
}

fn is_beta(value: f64) -> bool {
    value > 0.0 && value <= 100.0
}

fn is_class_count(value: f64) -> bool {
    value.fract() == 0.0 && (1.0..=1_000.0).contains(&value)
}

fn is_power(value: f64) -> bool {
    (-10.0..=0.0).contains(&value) || (1.0..=10.0).contains(&value)
}

const SHARE_RANGE: &str = "a number from 0 to 1";
const FILLED_RANGE: &str = "a number above 0 and at most 1";

pub(super) static BETA: Parameter =
    Parameter { name: "BETA", range: "a number above 0 and at most 100", example: 2.0, accepts: is_beta };
pub(super) static RECALL: Parameter =
    Parameter { name: "RECALL", range: FILLED_RANGE, example: 0.9, accepts: is_filled_share };
pub(super) static PRECISION: Parameter =
    Parameter { name: "PRECISION", range: SHARE_RANGE, example: 0.9, accepts: is_share };
pub(super) static SPECIFICITY: Parameter =
    Parameter { name: "SPECIFICITY", range: SHARE_RANGE, example: 0.9, accepts: is_share };
pub(super) static SENSITIVITY: Parameter =
    Parameter { name: "SENSITIVITY", range: SHARE_RANGE, example: 0.9, accepts: is_share };
pub(super) static SHARE: Parameter =
    Parameter { name: "SHARE", range: FILLED_RANGE, example: 0.1, accepts: is_filled_share };
pub(super) static K: Parameter =
    Parameter { name: "K", range: "a whole number from 1 to 1000", example: 2.0, accepts: is_class_count };
pub(super) static QUANTILE: Parameter =
    Parameter { name: "QUANTILE", range: SHARE_RANGE, example: 0.9, accepts: is_share };
pub(super) static POWER: Parameter =
    Parameter { name: "POWER", range: "a number from -10 to 0 or from 1 to 10", example: 1.5, accepts: is_power };
