//! The quadratic program of support vector machines, solved by sequential minimal optimisation.
//!
//! Minimises ½ αᵀQα + pᵀα with yᵀα = 0 and 0 ≤ αᵢ ≤ Cᵢ, Qᵢⱼ = yᵢyⱼK(i, j). In each step the pair is chosen that breaks the
//! optimality conditions most and gains most by second-order information (Fan, Chen and Lin 2005, *Working set selection
//! using second order information*, WSS 2), as in LIBSVM, which scikit-learn wraps; without its shrinking. smartcore's
//! machines are not used: they make two passes of LASVM in an order of chance and stop short of this optimum.

use crate::models::svm::kernel::Columns;

/// What takes the place of a curvature that is not positive.
const TAU: f64 = 1e-12;
/// Steps after which a solver gives up, and steps for each variable if those are more.
const STEPS_MAX: (usize, usize) = (1_000_000, 100);

/// One program. Variables may share rows of the kernel matrix: two for each row in regression.
pub struct Program {
    /// Row of each variable.
    pub rows: Vec<usize>,
    /// y: +1 or −1.
    pub signs: Vec<f64>,
    /// p.
    pub linear: Vec<f64>,
    /// C.
    pub costs: Vec<f64>,
}

/// Where a solver ended.
pub struct Solution {
    /// yᵢαᵢ: what the row of each variable counts in a decision.
    pub coefficients: Vec<f64>,
    /// What is subtracted from a decision.
    pub offset: f64,
    /// Whether the conditions hold within the tolerance.
    pub settled: bool,
}

/// The state of a solver.
struct State<'p> {
    program: &'p Program,
    alphas: Vec<f64>,
    /// Gradient: Qα + p.
    slopes: Vec<f64>,
    diagonal: Vec<f64>,
}

/// Solves `program` until no pair breaks the conditions by more than `tolerance`. Cost: rows for each step, and a column of
/// the kernel matrix for rows not met before.
pub fn solve(program: &Program, columns: &mut Columns<'_>, tolerance: f64) -> Solution {
    let diagonal = columns.diagonal();
    let count = program.rows.len();
    let mut state = State {
        program,
        alphas: vec![0.0; count],
        slopes: program.linear.clone(),
        diagonal: program.rows.iter().map(|row| diagonal[*row]).collect(),
    };
    let mut settled = false;
    for _ in 0..STEPS_MAX.0.max(STEPS_MAX.1 * count) {
        let Some((first, highest)) = state.first() else {
            settled = true;
            break;
        };
        let column = columns.get(program.rows[first]);
        let (second, lowest) = state.second(first, highest, &column);
        let Some(second) = second.filter(|_| highest - lowest >= tolerance) else {
            settled = true;
            break;
        };
        let other = columns.get(program.rows[second]);
        state.step(first, second, &column, &other);
    }
    Solution {
        offset: state.offset(),
        coefficients: state.alphas.iter().zip(&program.signs).map(|(alpha, sign)| alpha * sign).collect(),
        settled,
    }
}

impl State<'_> {
    /// −yᵢ∇ᵢ.
    fn pull(&self, at: usize) -> f64 {
        -self.program.signs[at] * self.slopes[at]
    }

    /// Whether yᵢαᵢ may grow.
    fn may_grow(&self, at: usize) -> bool {
        if self.program.signs[at] > 0.0 { self.alphas[at] < self.program.costs[at] } else { self.alphas[at] > 0.0 }
    }

    /// Whether yᵢαᵢ may shrink.
    fn may_shrink(&self, at: usize) -> bool {
        if self.program.signs[at] > 0.0 { self.alphas[at] > 0.0 } else { self.alphas[at] < self.program.costs[at] }
    }

    /// The variable that most wants to grow, the first of equals.
    fn first(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for at in (0..self.alphas.len()).filter(|at| self.may_grow(*at)) {
            let pull = self.pull(at);
            if best.is_none_or(|(_, highest)| pull > highest) {
                best = Some((at, pull));
            }
        }
        best
    }

    /// The variable that gains most together with the first, and the lowest pull of all that may shrink.
    fn second(&self, first: usize, highest: f64, column: &[f64]) -> (Option<usize>, f64) {
        let (mut best, mut gained, mut lowest) = (None, 0.0, f64::INFINITY);
        for at in (0..self.alphas.len()).filter(|at| self.may_shrink(*at)) {
            let pull = self.pull(at);
            lowest = lowest.min(pull);
            let lead = highest - pull;
            if lead > 0.0 {
                let curve = self.diagonal[first] + self.diagonal[at] - 2.0 * column[self.program.rows[at]];
                let gain = lead * lead / if curve > 0.0 { curve } else { TAU };
                if gain > gained {
                    (best, gained) = (Some(at), gain);
                }
            }
        }
        (best, lowest)
    }

    /// Moves a pair to its optimum within its bounds.
    fn step(&mut self, i: usize, j: usize, of_i: &[f64], of_j: &[f64]) {
        let program = self.program;
        let curve = self.diagonal[i] + self.diagonal[j] - 2.0 * of_i[program.rows[j]];
        let curve = if curve > 0.0 { curve } else { TAU };
        let (sign_i, sign_j) = (program.signs[i], program.signs[j]);
        // yᵢαᵢ grows by `amount` and yⱼαⱼ shrinks by it; each bound is met exactly.
        let room = |alpha: f64, cost: f64, up: bool| if up { cost - alpha } else { alpha };
        let room_i = room(self.alphas[i], program.costs[i], sign_i > 0.0);
        let room_j = room(self.alphas[j], program.costs[j], sign_j < 0.0);
        let amount = ((self.pull(i) - self.pull(j)) / curve).min(room_i).min(room_j);
        let moved = |alpha: f64, cost: f64, up: bool, full: bool| match (up, full) {
            (true, true) => cost,
            (false, true) => 0.0,
            (true, false) => (alpha + amount).min(cost),
            (false, false) => (alpha - amount).max(0.0),
        };
        let (before_i, before_j) = (self.alphas[i], self.alphas[j]);
        self.alphas[i] = moved(before_i, program.costs[i], sign_i > 0.0, amount == room_i);
        self.alphas[j] = moved(before_j, program.costs[j], sign_j < 0.0, amount == room_j);
        let change_i = (self.alphas[i] - before_i) * sign_i;
        let change_j = (self.alphas[j] - before_j) * sign_j;
        for (at, slope) in self.slopes.iter_mut().enumerate() {
            let row = program.rows[at];
            *slope += program.signs[at] * (of_i[row] * change_i + of_j[row] * change_j);
        }
    }

    /// The mean of yᵢ∇ᵢ over variables within their bounds; without any, the middle of what the bounds allow.
    fn offset(&self) -> f64 {
        let (mut sum, mut free) = (0.0, 0_usize);
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for at in 0..self.alphas.len() {
            let value = -self.pull(at);
            match (self.may_grow(at), self.may_shrink(at)) {
                (true, true) => {
                    sum += value;
                    free += 1;
                }
                (true, false) => high = high.min(value),
                (false, _) => low = low.max(value),
            }
        }
        match (free, low.is_finite(), high.is_finite()) {
            (0, true, true) => f64::midpoint(low, high),
            (0, true, false) => low,
            (0, false, true) => high,
            (0, false, false) => 0.0,
            (free, ..) => sum / free as f64,
        }
    }
}
