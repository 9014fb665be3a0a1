//! L-BFGS (Nocedal and Wright 2006, algorithm 7.5) with the line search of Moré and Thuente, both argmin's, for
//! problems of many coefficients.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use crate::models::linear::newton::Optimum;
use crate::models::linear::objective::{Objective, Slope};

/// Steps that the curvature is estimated from; scikit-learn's (SciPy's) number.
const HISTORY: usize = 10;

/// The objective, remembering what it was asked last: argmin asks for value and gradient apart.
struct Problem<'a> {
    objective: &'a Objective<'a>,
    seen: &'a RefCell<Seen>,
}

/// What has been evaluated.
struct Seen {
    last: (Vec<f64>, Slope),
    /// The point of lowest value, which is the answer even when a line search gives up.
    best: (Vec<f64>, Slope),
    /// Number of evaluations and value, whenever the value became lower.
    lower: Vec<(u64, f64)>,
    evaluations: u64,
}

impl Problem<'_> {
    fn slope(&self, point: &[f64]) -> Slope {
        if self.seen.borrow().last.0 == point {
            return self.seen.borrow().last.1.clone();
        }
        let slope = self.objective.slope(point);
        let mut seen = self.seen.borrow_mut();
        seen.evaluations += 1;
        if slope.value <= seen.best.1.value {
            seen.best = (point.to_vec(), slope.clone());
            let evaluations = seen.evaluations;
            seen.lower.push((evaluations, slope.value));
        }
        seen.last = (point.to_vec(), slope.clone());
        slope
    }
}

impl CostFunction for Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.slope(point).value)
    }
}

impl Gradient for Problem<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.slope(point).gradient)
    }
}

/// Minimises `objective`, which must be smooth, from `start` until the norm of its gradient, and so each component, is
/// below `tolerance`. `passed` receives the number of evaluations and the value, whenever the value became lower.
pub fn minimise(
    objective: &Objective<'_>,
    start: Vec<f64>,
    tolerance: f64,
    iterations_max: u64,
    mut passed: impl FnMut(u64, f64),
) -> Optimum {
    let slope = objective.slope(&start);
    let seen = RefCell::new(Seen {
        last: (start.clone(), slope.clone()),
        best: (start.clone(), slope),
        lower: Vec::new(),
        evaluations: 1,
    });
    let problem = Problem { objective, seen: &seen };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), HISTORY)
        .with_tolerance_grad(tolerance)
        .and_then(|solver| solver.with_tolerance_cost(0.0))
        .expect("tolerances are checked to be 0 or more");
    let start_state = |state: argmin::core::IterState<Vec<f64>, Vec<f64>, (), (), (), f64>| {
        state.param(start).max_iters(iterations_max)
    };
    // A line search that finds nothing lower ends with an error: that is the end at the precision of floats, and the
    // best point seen is still the answer; the caller judges it by its gradient.
    let _ended = Executor::new(problem, solver).configure(start_state).timer(false).run();
    let seen = seen.into_inner();
    seen.lower.iter().for_each(|&(evaluations, value)| passed(evaluations, value));
    let (point, slope) = seen.best;
    let steepness = objective.steepness(&point, &slope.gradient);
    Optimum { point, value: slope.value, steepness }
}
