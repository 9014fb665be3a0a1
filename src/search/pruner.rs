//! Which trials are given up before their end.

use crate::search::told::{Outcome, Told};
use crate::spec::tune::{Direction, PrunerName};

/// A rule by which trials are given up. Steps are counted by what is tuned: trees grown, folds done, epochs.
#[derive(Clone, Debug, PartialEq)]
pub enum Pruner {
    /// None is.
    None,
    /// Those whose best value so far is worse than the median of what earlier trials had at the same step, as Optuna's
    /// `MedianPruner` does (Golovin et al. 2017, §3.2.2, has running means in place of the latter).
    Median {
        /// Trials that must have come as far before one is given up.
        trials_min: usize,
        /// Steps that every trial may take.
        steps_min: u64,
    },
    /// All but the best part of those that came to the same rung: `steps_min`, then each `reduction` times as far (Li et al.
    /// 2020, ASHA). A trial is judged once at each rung, against the earlier trials that reached it.
    Halving {
        /// Steps of the first rung, 1 or more.
        steps_min: u64,
        /// The best of this many go on, 2 or more.
        reduction: u64,
    },
    /// Halving from several first rungs; each trial belongs to one of them by its number, and is judged against those of its
    /// own alone (Li et al. 2018).
    Hyperband {
        /// Steps of the lowest first rung, 1 or more.
        steps_min: u64,
        /// Most steps of a trial.
        steps_max: u64,
        /// As of halving.
        reduction: u64,
    },
}

impl Pruner {
    /// The rule called `name` with its usual numbers, for trials of at most `steps_max` steps.
    pub fn named(name: PrunerName, steps_max: u64) -> Pruner {
        let steps_min = (steps_max / 27).max(1);
        match name {
            PrunerName::None => Pruner::None,
            PrunerName::Median => Pruner::Median { trials_min: 5, steps_min },
            PrunerName::Halving => Pruner::Halving { steps_min, reduction: 3 },
            PrunerName::Hyperband => Pruner::Hyperband { steps_min, steps_max, reduction: 3 },
        }
    }

    /// Whether trial `number` should be given up now, having reported `curve` (steps rising, the last one new), when `seen`
    /// are the trials it may be compared with. Equal values go on. A value that is not finite is worse than all that are.
    /// O(trials × logarithm of their steps), and nothing between rungs.
    pub fn gives_up(&self, number: usize, curve: &[(u64, f64)], seen: &[Told], direction: Direction) -> bool {
        let Some((step, _)) = curve.last().copied() else {
            return false;
        };
        let before = curve.len().checked_sub(2).map(|at| curve[at].0);
        match *self {
            Pruner::None => false,
            Pruner::Median { trials_min, steps_min } => {
                step >= steps_min && is_below_median(curve, step, seen, trials_min, direction)
            }
            Pruner::Halving { steps_min, reduction } => {
                let rung = rung(step, before, steps_min, reduction);
                rung.is_some_and(|rung| falls_at(rung, curve, seen.iter(), reduction, direction))
            }
            Pruner::Hyperband { steps_min, steps_max, reduction } => {
                let brackets = brackets(steps_min, steps_max, reduction);
                let own = bracket(number, brackets, reduction);
                let first = steps_min.saturating_mul(reduction.max(2).saturating_pow(own));
                let others = seen.iter().filter(|told| bracket(told.number, brackets, reduction) == own);
                let rung = rung(step, before, first, reduction);
                rung.is_some_and(|rung| falls_at(rung, curve, others, reduction, direction))
            }
        }
    }
}

fn cost(value: f64, direction: Direction) -> f64 {
    if value.is_finite() { direction.cost(value) } else { f64::INFINITY }
}

fn is_below_median(curve: &[(u64, f64)], step: u64, seen: &[Told], trials_min: usize, direction: Direction) -> bool {
    let came = seen.iter().filter(|told| !failed(told) && told.curve.last().is_some_and(|last| last.0 >= step));
    let at_step = |told: &Told| {
        let reports = told.curve.partition_point(|(at, _)| *at <= step);
        told.curve[..reports].last().map(|(_, value)| cost(*value, direction))
    };
    let mut costs: Vec<f64> = came.filter_map(at_step).collect();
    if costs.len() < trials_min.max(1) {
        return false;
    }
    let own = curve.iter().map(|(_, value)| cost(*value, direction)).fold(f64::INFINITY, f64::min);
    // The upper one of the two in the middle: doubt speaks for the trial.
    let middle = costs.len() / 2;
    let (_, median, _) = costs.select_nth_unstable_by(middle, f64::total_cmp);
    own > *median
}

/// The highest rung that the last report came to and the one before had not.
fn rung(step: u64, before: Option<u64>, first: u64, reduction: u64) -> Option<u64> {
    let (mut at, mut found) = (first.max(1), None);
    while at <= step {
        if before.is_none_or(|before| before < at) {
            found = Some(at);
        }
        let Some(next) = at.checked_mul(reduction.max(2)) else {
            break;
        };
        at = next;
    }
    found
}

/// Whether the value at `rung` is not among the best part of all that came there, this trial with them.
fn falls_at<'a>(
    rung: u64,
    curve: &[(u64, f64)],
    seen: impl Iterator<Item = &'a Told>,
    reduction: u64,
    direction: Direction,
) -> bool {
    let Some(own) = curve.last().map(|(_, value)| cost(*value, direction)) else {
        return false;
    };
    let (mut better, mut all) = (0, 1);
    for told in seen.filter(|told| !failed(told)) {
        // The first report at or after the rung, as that is the one this trial is judged by.
        let at = told.curve.partition_point(|(step, _)| *step < rung);
        if let Some((_, value)) = told.curve.get(at) {
            all += 1;
            better += u64::from(cost(*value, direction) < own);
        }
    }
    // The best one always goes on.
    better >= (all / reduction.max(2)).max(1)
}

fn failed(told: &Told) -> bool {
    matches!(told.outcome, Outcome::Failed(_))
}

/// How many first rungs there are: as many as fit between the fewest and most steps.
fn brackets(steps_min: u64, steps_max: u64, reduction: u64) -> u32 {
    let (mut at, mut count) = (steps_min.max(1), 1);
    while let Some(next) = at.checked_mul(reduction.max(2)).filter(|next| *next <= steps_max) {
        at = next;
        count += 1;
    }
    count
}

/// The bracket of a trial. Of those that start lower there are more, as each of them costs less: of 13 trials with three
/// brackets and a reduction of 3, 9 are in the lowest, 3 in the next and 1 in the last, in an order that repeats.
fn bracket(number: usize, brackets: u32, reduction: u64) -> u32 {
    let reduction = reduction.max(2);
    let sizes = (0..brackets).map(|at| reduction.saturating_pow(brackets - 1 - at));
    let total = sizes.clone().fold(0_u64, u64::saturating_add);
    let mut place = number as u64 % total;
    for (at, size) in sizes.enumerate() {
        if place < size {
            return at as u32;
        }
        place -= size;
    }
    brackets - 1
}
