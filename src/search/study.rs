//! A study: which trial comes next, which is given up, when the search ends.
//!
//! What trial n is, and whether it is given up, is decided by the trials 0 to n − 1 − lag alone, where `lag` is fixed for the
//! study; the points of those between are known, their outcomes are not looked at even when they are there. Trial n is
//! handed out when the trials it may look at have ended, so up to `lag` + 1 trials can run at once, and the study is the
//! same however many do and in whatever order they end.

use std::collections::{BTreeMap, HashMap};

use crate::base::fail::{self, Failure};
use crate::base::limits;
use crate::base::seed::Seed;
use crate::search::pruner::Pruner;
use crate::search::sampler::{self, History, Sampler};
use crate::search::space::{Point, Space};
use crate::search::told::{Outcome, Told};
use crate::spec::gate::{Bound, Comparison, GateSpec};
use crate::spec::tune::{Direction, SamplerName};

/// How many trials may follow one that has not ended, unless the study says otherwise.
///
/// Larger keeps more jobs busy; smaller learns sooner.
pub const LAG: usize = 4;

/// What a study is.
#[derive(Clone, Debug)]
pub struct StudyOptions {
    /// Where the parameters may lie.
    pub space: Space,
    /// Which values are good.
    pub direction: Direction,
    /// Start of all chance.
    pub seed: Seed,
    /// How points are chosen.
    pub sampler: SamplerName,
    /// Which trials are given up.
    pub pruner: Pruner,
    /// Most trials.
    pub trials: usize,
    /// How many trials may follow one that has not ended; 0 is one trial after the other.
    pub lag: usize,
    /// Ends after this many trials in a row that were no better than the best before them; 0 means never.
    pub patience: usize,
    /// Ends when a trial's value is so.
    pub stop_at: Option<StopAt>,
}

impl StudyOptions {
    /// A study with the usual sampler and lag, without pruning, patience or bound.
    pub fn new(space: Space, direction: Direction, seed: Seed, trials: usize) -> StudyOptions {
        StudyOptions {
            space,
            direction,
            seed,
            sampler: SamplerName::Tpe,
            pruner: Pruner::None,
            trials,
            lag: LAG,
            patience: 0,
            stop_at: None,
        }
    }

    /// Most trials that are worth running at once: one less than could, so that a slow one does not stop all others.
    pub fn jobs_max(&self) -> usize {
        self.lag.max(1)
    }
}

/// A value that is good enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StopAt {
    /// How a trial's value is compared.
    pub comparison: Comparison,
    /// With what.
    pub bound: f64,
}

impl StopAt {
    /// The bound of a gate; `None` when it compares with a champion.
    pub fn of(gate: &GateSpec) -> Option<StopAt> {
        match gate.bound {
            Bound::Value(bound) => Some(StopAt { comparison: gate.comparison, bound }),
            Bound::Champion { .. } => None,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Run this trial.
    Trial {
        /// Its place in the study.
        number: usize,
        /// What to run it with.
        params: toml::Table,
    },
    /// Ask again when a running trial has ended.
    Wait,
    /// There is nothing left to start; trials may still run.
    Done,
}

/// What a trial should do after a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Go,
    /// End here, and tell [`Outcome::Pruned`] with this step and value.
    Prune,
}

/// Why a study has ended or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All trials were handed out.
    Trials,
    /// This trial was the last that patience had for a better one.
    Patience(usize),
    /// This trial's value was good enough.
    Reached(usize),
    /// Every point of the space was tried.
    Exhausted,
    /// It was closed from outside, as at the end of its time.
    Closed,
}

/// A search under way. It holds no lock and starts no thread: share it behind a mutex.
pub struct Study {
    options: StudyOptions,
    sampler: Box<dyn Sampler>,
    /// Points of the first trials, given and not chosen.
    given: Vec<Point>,
    warm: Vec<Told>,
    /// Trials 0, 1, … without a gap, all ended.
    told: Vec<Told>,
    /// Trials after the first that has not ended.
    open: BTreeMap<usize, Trial>,
    /// The first trial that had the point of these bits.
    tried: HashMap<Vec<u64>, usize>,
    /// No number below is left to hand out.
    next: usize,
    /// Position in `told` of the best.
    best: Option<usize>,
    /// Numbers from here on are not handed out, and why.
    end: (usize, Ending),
}

/// A trial that was handed out or restored.
struct Trial {
    point: Point,
    curve: Vec<(u64, f64)>,
    /// Once it has ended.
    outcome: Option<Outcome>,
}

impl Study {
    /// A study without trials. Errors: a grid with too many points, or trials beyond [`limits::TRIALS_MAX`].
    pub fn new(options: StudyOptions) -> Result<Study, Failure> {
        if options.trials > limits::TRIALS_MAX {
            return Err(fail::usage(format!("{} trials", options.trials))
                .hint(format!("a search has at most {}", limits::TRIALS_MAX)));
        }
        Ok(Study {
            sampler: sampler::named(options.sampler, &options.space, options.seed)?,
            given: Vec::new(),
            warm: Vec::new(),
            told: Vec::new(),
            open: BTreeMap::new(),
            tried: HashMap::new(),
            next: 0,
            best: None,
            end: (options.trials, Ending::Trials),
            options,
        })
    }

    /// Adds a point to those tried first, as the defaults of a kind: the point of the space nearest to `params`, where
    /// parameters that are absent, or `"auto"` for a number, lie in the middle. A study that is restored must be given the same.
    pub fn enqueue(&mut self, params: &toml::Table) {
        debug_assert!(self.next == 0 && self.told.is_empty() && self.open.is_empty(), "the study has begun");
        let point = self.options.space.locate(params);
        if !self.given.contains(&point) {
            self.given.push(point);
        }
    }

    /// Learns from trials of another study, and adds the best of them to the points tried first. Their values are compared
    /// with each other only, as they may come from other rows. A study that is restored must be given the same.
    pub fn warm_from(&mut self, warm: Vec<Told>) {
        let values = warm.iter().filter_map(|told| Some((told, told.outcome.value()?)));
        let cost = |value: f64| self.options.direction.cost(value);
        let best = values.min_by(|a, b| cost(a.1).total_cmp(&cost(b.1))).map(|(told, _)| told.point.clone());
        self.given.extend(best.filter(|point| !self.given.contains(point)));
        self.warm.extend(warm);
    }

    /// Takes up trials that have ended before, in any order and with gaps; numbers that are missing are handed out again.
    /// What is handed out then is what would have been, had the study gone on.
    ///
    /// Errors: a number twice, or one beyond [`limits::TRIALS_MAX`].
    pub fn restore(&mut self, told: Vec<Told>) -> Result<(), Failure> {
        for Told { number, point, outcome, curve } in told {
            if number >= limits::TRIALS_MAX || number < self.told.len() || self.open.contains_key(&number) {
                return Err(fail::world(format!("trial {number} of the study cannot be restored"))
                    .hint("the study is damaged: start another one, with --warm-from this one to learn from it"));
            }
            self.note(&point, number);
            self.open.insert(number, Trial { point, curve, outcome: Some(outcome.checked()) });
        }
        self.settle();
        Ok(())
    }

    /// The next trial to run, if there is one now.
    pub fn ask(&mut self) -> Ask {
        loop {
            self.next = self.next.max(self.told.len());
            let number = self.next;
            if number >= self.end.0 {
                return Ask::Done;
            }
            if self.open.contains_key(&number) {
                self.next += 1;
                continue;
            }
            if self.told.len() + self.options.lag < number {
                return Ask::Wait;
            }
            let Some(point) = self.choose(number) else {
                self.end_at(number, Ending::Exhausted);
                return Ask::Done;
            };
            let params = point.to_toml(&self.options.space);
            self.note(&point, number);
            self.open.insert(number, Trial { point, curve: Vec::new(), outcome: None });
            self.next += 1;
            return Ask::Trial { number, params };
        }
    }

    /// Notes that the running trial `number` has come to `step` with this value of the metric, and says whether it should
    /// go on. Steps that do not rise, and those after [`limits::TRIAL_REPORTS_MAX`], are passed over. A value that is not
    /// finite is the worst.
    pub fn report(&mut self, number: usize, step: u64, value: f64) -> Verdict {
        let Some(trial) = self.open.get_mut(&number).filter(|trial| trial.outcome.is_none()) else {
            return Verdict::Go;
        };
        let rises = trial.curve.last().is_none_or(|(last, _)| step > *last);
        if !rises || trial.curve.len() >= limits::TRIAL_REPORTS_MAX {
            return Verdict::Go;
        }
        trial.curve.push((step, value));
        let seen = &self.told[..number.saturating_sub(self.options.lag)];
        match self.options.pruner.gives_up(number, &trial.curve, seen, self.options.direction) {
            true => Verdict::Prune,
            false => Verdict::Go,
        }
    }

    /// Notes how the running trial `number` has ended. Errors: it is not running.
    pub fn tell(&mut self, number: usize, outcome: Outcome) -> Result<(), Failure> {
        let Some(trial) = self.open.get_mut(&number).filter(|trial| trial.outcome.is_none()) else {
            return Err(fail::world(format!("trial {number} is not running")));
        };
        trial.outcome = Some(outcome.checked());
        self.settle();
        Ok(())
    }

    /// Hands out no more trials. A study of as many trials as were handed out is the same, so this is where a time limit
    /// is made good.
    pub fn close(&mut self) {
        self.end_at(self.next.max(self.told.len()), Ending::Closed);
    }

    /// The trials that have ended, from the first on without a gap.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// Trials that have ended ahead of one that has not: no part of the study before that one ends, but worth keeping.
    pub fn ahead(&self) -> impl Iterator<Item = Told> {
        self.open.iter().filter_map(|(number, trial)| {
            let (point, curve) = (trial.point.clone(), trial.curve.clone());
            Some(Told { number: *number, point, outcome: trial.outcome.clone()?, curve })
        })
    }

    /// The best of those told; the earlier one of equals. `None` when none came to its end.
    pub fn best(&self) -> Option<&Told> {
        self.best.map(|best| &self.told[best])
    }

    /// How many trials there are, as far as is known now, and why no more.
    pub fn end(&self) -> (usize, Ending) {
        self.end
    }

    /// Whether every trial has ended and none is left.
    pub fn is_over(&self) -> bool {
        self.told.len() >= self.end.0
    }

    /// What the study is.
    pub fn options(&self) -> &StudyOptions {
        &self.options
    }

    fn end_at(&mut self, number: usize, why: Ending) {
        if number < self.end.0 {
            self.end = (number, why);
        }
    }

    fn note(&mut self, point: &Point, number: usize) {
        let first = self.tried.entry(bits(point)).or_insert(number);
        *first = (*first).min(number);
    }

    fn is_tried(&self, point: &Point, before: usize) -> bool {
        self.tried.get(&bits(point)).is_some_and(|first| *first < before)
    }

    fn choose(&mut self, number: usize) -> Option<Point> {
        if let Some(point) = self.given.get(number) {
            return Some(point.clone());
        }
        let settled = number.saturating_sub(self.options.lag);
        let between = (settled..number).map(|at| match self.told.get(at) {
            Some(told) => told.point.clone(),
            None => self.open[&at].point.clone(),
        });
        let pending: Vec<Point> = between.collect();
        let StudyOptions { space, seed, direction, .. } = &self.options;
        let told = &self.told[..settled];
        let history =
            History { warm: &self.warm, told, pending: &pending, given: self.given.len(), direction: *direction };
        let point = self.sampler.suggest(number, &history, space, *seed)?;
        if self.sampler.avoids_repeats() && self.is_tried(&point, number) {
            return self.untried(number);
        }
        Some(point)
    }

    /// A point that no trial before `number` had; `None` when there is none.
    fn untried(&self, number: usize) -> Option<Point> {
        let StudyOptions { space, seed, .. } = &self.options;
        let seed = seed.derive("untried").nth(number as u64);
        let drawn = (0..DRAWS).map(|draw| sampler::anywhere(space, seed.nth(draw)));
        let mut last = None;
        for point in drawn {
            if !self.is_tried(&point, number) {
                return Some(point);
            }
            last = Some(point);
        }
        // Nearly all points were tried: those that are left are found one by one, or there are too many to be sure.
        let Some(count) = space.count().filter(|count| *count <= limits::TRIALS_MAX as u64) else {
            return last;
        };
        let start = seed.rng().below(count);
        (0..count).map(|at| space.nth((start + at) % count)).find(|point| !self.is_tried(point, number))
    }

    /// Moves trials that have ended, and have none before them that has not, to those told, and judges what they mean for
    /// the end of the study.
    fn settle(&mut self) {
        while let Some(first) = self.open.first_entry() {
            let number = self.told.len();
            if *first.key() != number || first.get().outcome.is_none() {
                return;
            }
            let Trial { point, curve, outcome } = first.remove();
            let outcome = outcome.expect("looked at just before");
            let value = outcome.value();
            self.told.push(Told { number, point, outcome, curve });
            self.judge(number, value);
        }
    }

    fn judge(&mut self, number: usize, value: Option<f64>) {
        let StudyOptions { direction, lag, patience, stop_at, .. } = self.options;
        let best = self.best().and_then(|told| told.outcome.value());
        if let Some(value) = value {
            if best.is_none_or(|best| direction.better(value, best)) {
                self.best = Some(number);
            }
            if stop_at.is_some_and(|stop| stop.comparison.holds(value, stop.bound)) {
                self.end_at(number + 1 + lag, Ending::Reached(number));
            }
        }
        let without = self.best.map_or(number + 1, |best| number - best);
        if patience > 0 && without >= patience {
            self.end_at(number + 1 + lag, Ending::Patience(number));
        }
    }
}

/// Draws after which a point that was not tried before is looked for in another way.
const DRAWS: u64 = 64;

fn bits(point: &Point) -> Vec<u64> {
    point.0.iter().map(|number| number.to_bits()).collect()
}
