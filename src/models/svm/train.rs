//! Machines from training rows: one for each pair of classes, or one for a number.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::limits::KERNEL_BYTES_MAX;
use crate::base::seed::Seed;
use crate::models::svm::kernel::{Columns, Kernel};
use crate::models::svm::platt::Sigmoid;
use crate::models::svm::solver::{Program, solve};

/// Parts that a sigmoid's decisions are made on, each by a machine that has not seen it.
const FOLDS: usize = 5;

/// Training rows and what machines are fitted with.
pub struct Task<'a> {
    /// Rows of `width` values.
    pub points: &'a [f64],
    /// Values of a row.
    pub width: usize,
    /// How alike two rows are.
    pub kernel: Kernel,
    /// Price of each row.
    pub costs: &'a [f64],
    /// When the solver stops.
    pub tolerance: f64,
}

/// One machine: its decision on x is Σ coefficient · K(row, x) − offset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Support vectors with their coefficients, by training row, rising.
    pub supports: Vec<(u32, f64)>,
    /// What is subtracted.
    pub offset: f64,
    /// Whether its solver settled.
    pub settled: bool,
}

impl Task<'_> {
    fn row(&self, row: usize) -> &[f64] {
        &self.points[row * self.width..(row + 1) * self.width]
    }

    fn gather(&self, rows: &[u32]) -> Vec<f64> {
        rows.iter().flat_map(|row| self.row(*row as usize)).copied().collect()
    }

    /// A machine that tells `first` rows (decisions above 0) from the others of `rows`.
    pub fn divide(&self, rows: &[u32], first: &[bool]) -> Machine {
        let points = self.gather(rows);
        let program = Program {
            rows: (0..rows.len()).collect(),
            signs: first.iter().map(|first| if *first { 1.0 } else { -1.0 }).collect(),
            linear: vec![-1.0; rows.len()],
            costs: rows.iter().map(|row| self.costs[*row as usize]).collect(),
        };
        let mut columns = Columns::new(self.kernel, &points, self.width, self.bytes());
        let solution = solve(&program, &mut columns, self.tolerance);
        let pairs = rows.iter().copied().zip(solution.coefficients);
        let supports = pairs.filter(|(_, coefficient)| *coefficient != 0.0).collect();
        Machine { supports, offset: solution.offset, settled: solution.settled }
    }

    /// A machine whose decisions are near `target`: errors below `epsilon` cost nothing.
    pub fn regress(&self, target: &[f64], epsilon: f64) -> Machine {
        let rows = target.len();
        let program = Program {
            rows: (0..2 * rows).map(|variable| variable % rows).collect(),
            signs: (0..2 * rows).map(|variable| if variable < rows { 1.0 } else { -1.0 }).collect(),
            linear: target.iter().map(|y| epsilon - y).chain(target.iter().map(|y| epsilon + y)).collect(),
            costs: self.costs.iter().chain(self.costs).copied().collect(),
        };
        let mut columns = Columns::new(self.kernel, self.points, self.width, self.bytes());
        let solution = solve(&program, &mut columns, self.tolerance);
        let (above, below) = solution.coefficients.split_at(rows);
        let pairs = (0..).zip(above.iter().zip(below).map(|(above, below)| above + below));
        let supports = pairs.filter(|(_, coefficient)| *coefficient != 0.0).collect();
        Machine { supports, offset: solution.offset, settled: solution.settled }
    }

    /// The sigmoid of a machine for `rows`, from decisions of [`FOLDS`] machines on rows they have not seen.
    pub fn sigmoid(&self, rows: &[u32], first: &[bool], seed: Seed) -> Sigmoid {
        let folds = folds(first, seed);
        let parts: Vec<Vec<(usize, f64)>> =
            (0..FOLDS).into_par_iter().map(|fold| self.unseen(rows, first, &folds, fold)).collect();
        let mut decisions = vec![0.0; rows.len()];
        parts.into_iter().flatten().for_each(|(place, decision)| decisions[place] = decision);
        Sigmoid::fit(&decisions, first)
    }

    /// Decisions on the rows of one fold, by their place; of a machine of the other folds. A single class decides for itself.
    fn unseen(&self, rows: &[u32], first: &[bool], folds: &[usize], fold: usize) -> Vec<(usize, f64)> {
        let (mut known, mut known_first, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..rows.len() {
            if folds[place] == fold {
                asked.push(place);
            } else {
                known.push(rows[place]);
                known_first.push(first[place]);
            }
        }
        let ones = known_first.iter().filter(|first| **first).count();
        let constant = match (ones, known.len() - ones) {
            (0, 0) => Some(0.0),
            (_, 0) => Some(1.0),
            (0, _) => Some(-1.0),
            _ => None,
        };
        if let Some(decision) = constant {
            return asked.into_iter().map(|place| (place, decision)).collect();
        }
        let machine = self.divide(&known, &known_first);
        asked.into_iter().map(|place| (place, self.decide(&machine, self.row(rows[place] as usize)))).collect()
    }

    /// The decision of a machine on one row.
    pub fn decide(&self, machine: &Machine, row: &[f64]) -> f64 {
        let part = |(support, coefficient): &(u32, f64)| coefficient * self.kernel.of(self.row(*support as usize), row);
        machine.supports.iter().map(part).sum::<f64>() - machine.offset
    }

    /// Bytes of kernel values for one of the machines that are fitted at once; never changes an answer.
    fn bytes(&self) -> usize {
        KERNEL_BYTES_MAX / rayon::current_num_threads().max(1)
    }
}

/// The fold of each row: rows of both classes are dealt out in an order of chance.
fn folds(first: &[bool], seed: Seed) -> Vec<usize> {
    let mut folds = vec![0; first.len()];
    let mut rng = seed.rng();
    for class in [true, false] {
        let mut members: Vec<usize> = (0..first.len()).filter(|place| first[*place] == class).collect();
        rng.shuffle(&mut members);
        members.into_iter().enumerate().for_each(|(turn, place)| folds[place] = turn % FOLDS);
    }
    folds
}
