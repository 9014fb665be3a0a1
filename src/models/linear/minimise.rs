//! Which optimiser an objective gets, where it starts, and what is said when it stops early.

use crate::base::talk::Talk;
use crate::models::linear::newton::Optimum;
use crate::models::linear::objective::Objective;
use crate::models::linear::{lbfgs, newton, orthant};
use crate::spec::model::{LogisticParams, Penalty};

/// Newton's method is taken up to this many coefficients: its factor costs a third of their cube.
const NEWTON_SIZE_MAX: usize = 1_000;
/// Steps that each method usually takes.
const NEWTON_STEPS: usize = 5;
const GRADIENT_STEPS: usize = 100;
/// How much faster a term of a matrix product is made than one of a column.
const PRODUCT_SPEED: usize = 4;
/// Rows of the part that a start is found on, and rows a coefficient of it.
const PART_ROWS_MIN: usize = 4_096;
const PART_ROWS_EACH: usize = 50;
/// Most blocks of which one is looked at for a start; fewer than the second number are not worth it.
const PART_EVERY: (usize, usize) = (16, 4);
/// Steps and precision of the start.
const PART_STEPS: u64 = 12;
const PART_TOLERANCE: f64 = 1e-4;
/// Mean loss below which classes count as told apart without error.
const SEPARATED_LOSS: f64 = 1e-4;

/// How an objective is minimised; the optimum is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Second derivatives, few passes.
    Newton,
    /// First derivatives, many passes.
    Gradient,
}

impl Method {
    /// The faster one, by the terms of its sums a row.
    pub fn of(objective: &Objective<'_>) -> Method {
        let (design, outputs) = (objective.design, objective.outputs);
        let (dense, groups) = (design.numbers().len() + 1, design.groups().len());
        let size = objective.size();
        if size > NEWTON_SIZE_MAX {
            return Method::Gradient;
        }
        let factor = size.pow(3) / 3 / PRODUCT_SPEED / design.rows().max(1);
        let hessian = outputs * (outputs + 1) / 2 * (dense * dense / PRODUCT_SPEED + groups * (dense + groups));
        let newton = NEWTON_STEPS * (hessian + factor);
        let gradient = GRADIENT_STEPS * 2 * outputs * (dense + groups);
        if newton <= gradient { Method::Newton } else { Method::Gradient }
    }
}

/// Minimises `objective`; the same bits on any number of threads.
pub fn minimise(
    objective: &Objective<'_>,
    params: &LogisticParams,
    method: Method,
    passed: impl FnMut(u64, f64),
) -> Optimum {
    let (tolerance, iterations) = (params.tolerance, params.max_iterations);
    match method {
        Method::Newton => newton::minimise(objective, newton_start(objective), tolerance, iterations, passed),
        Method::Gradient if objective.is_smooth() => {
            lbfgs::minimise(objective, objective.start(), tolerance, iterations, passed)
        }
        Method::Gradient => orthant::minimise(objective, objective.start(), tolerance, iterations, passed),
    }
}

/// The optimum of a part of the rows where there are many: closer than nothing, at a fraction of a pass.
fn newton_start(objective: &Objective<'_>) -> Vec<f64> {
    let start = objective.start();
    let rows = objective.design.rows();
    let every = (rows / PART_ROWS_MIN.max(PART_ROWS_EACH * objective.size())).min(PART_EVERY.0);
    if every < PART_EVERY.1 {
        return start;
    }
    let part = Objective { every, ..*objective };
    let found = newton::minimise(&part, start.clone(), PART_TOLERANCE, PART_STEPS, |_, _| ());
    // A part may lack what all rows have, as a class or a category, and then mislead.
    let better = objective.slope(&found.point).value < objective.slope(&start).value;
    if better { found.point } else { start }
}

/// Says so when the optimum was not reached, or when there is none.
pub fn warn_if_early(kind: &str, params: &LogisticParams, optimum: &Optimum, talk: &dyn Talk) {
    let (steepness, tolerance) = (optimum.steepness, params.tolerance);
    if steepness > tolerance {
        talk.warn(&format!("`{kind}` stopped at a gradient of {steepness:.1e}, above its tolerance {tolerance:e}"));
        talk.hint("raise `max_iterations`, or the penalty if features separate the classes exactly");
    } else if params.penalty == Penalty::None && kind == "logistic" && optimum.value < SEPARATED_LOSS {
        talk.warn("the features separate the classes exactly: without a penalty, coefficients have no largest value");
        talk.hint("set `penalty = \"l2\"`, and look for a feature that gives the target away");
    }
}
