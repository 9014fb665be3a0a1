//! Running trials side by side, fold by fold, until the trials or the time are used up.
//!
//! What is tried depends on numbers of trials and their outcomes alone; the clock only says how many there are. Of a search
//! that time ended, the trials up to the first unfinished one count, so that as many trials without a clock give the same.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::{Talk, Task as Bar, Unit};
use crate::ops::auto::budget::{Deadline, Rates};
use crate::ops::auto::ground::{Ground, Holding};
use crate::ops::auto::portfolio::{Config, Shape};
use crate::ops::auto::propose::{LAG, propose};
use crate::ops::auto::trial::{End, Fitted, Trial, fit_fold};

/// Trials whose models are kept: those of a lower rank are not chosen.
pub const KEPT: usize = 30;
/// A trial that gains less than this share of what the best one gains on the first fold is left behind.
const GAIN_MIN: f64 = 0.5;
/// Rows held out in the first fold from which its loss says enough to leave a trial behind.
const RACE_ROWS_MIN: usize = 1_000;

/// When to stop, and how many fits run side by side.
pub struct Bounds {
    /// Most trials.
    pub trials: usize,
    /// When time is up.
    pub deadline: Deadline,
    /// Fits side by side, at most [`LAG`].
    pub jobs: usize,
    /// Threads that they share.
    pub threads: usize,
}

/// What the search came to.
pub struct Found {
    /// Trials without a gap, in order of their numbers.
    pub trials: Vec<Trial>,
    /// Whether time ended it.
    pub out_of_time: bool,
    /// Trials that time ended, or that ended after one that time ended.
    pub discarded: usize,
    /// Whether the only trial was asked to end before its time.
    pub is_partial: bool,
}

/// One fit to do.
struct Job {
    number: usize,
    fold: usize,
    config: Config,
    branch: usize,
}

/// A trial under way.
struct Open {
    config: Config,
    branch: usize,
    /// The next fold to hand out.
    next: usize,
    done: Vec<Option<Fitted>>,
    left: usize,
    /// What the best of earlier trials gained on the first fold, when there is a race.
    rival: Option<f64>,
}

#[derive(Default)]
struct State {
    next: usize,
    open: BTreeMap<usize, Open>,
    done: BTreeMap<usize, Trial>,
    /// What trials gained on their first fold.
    gains: BTreeMap<usize, f64>,
    rates: Rates,
    most: usize,
    is_over: bool,
    is_partial: bool,
    shown: u64,
}

enum Next {
    Do(Box<Job>),
    Wait,
    End,
}

struct Search<'a> {
    ground: &'a Ground,
    portfolio: &'a [Config],
    shape: Shape,
    bounds: &'a Bounds,
    state: Mutex<State>,
    changed: Condvar,
    bar: Box<dyn Bar>,
}

/// Tries the portfolio, then what follows from its outcomes.
///
/// Errors: threads that cannot be started. A fit that fails is a failed trial.
pub fn search(ground: &Ground, portfolio: &[Config], bounds: &Bounds, talk: &dyn Talk) -> Result<Found> {
    let total = bounds.deadline.seconds().unwrap_or(bounds.trials as u64);
    let search = Search {
        ground,
        portfolio,
        shape: ground.shape(),
        bounds,
        state: Mutex::new(State { most: bounds.trials, ..State::default() }),
        changed: Condvar::new(),
        bar: talk.start("auto", Some(total), Unit::Items),
    };
    let jobs = bounds.jobs.clamp(1, LAG);
    let pools = (0..jobs)
        .map(|_| rayon::ThreadPoolBuilder::new().num_threads((bounds.threads / jobs).max(1)).build())
        .collect::<Result<Vec<_>, _>>()?;
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(|| search.work()));
        }
    });
    let state = search.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ended = state.done.len() + state.open.len();
    let trials: Vec<Trial> =
        state.done.into_iter().zip(0..).take_while(|((n, _), at)| n == at).map(|(t, _)| t.1).collect();
    let discarded = ended - trials.len();
    Ok(Found { discarded, trials, out_of_time: state.is_over, is_partial: state.is_partial })
}

impl Search<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one fit after the other until there is none left.
    fn work(&self) {
        loop {
            let mut state = self.lock();
            let job = loop {
                match self.next(&mut state) {
                    Next::Do(job) => break job,
                    Next::End => {
                        self.changed.notify_all();
                        return;
                    }
                    Next::Wait => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(state);
            let seed = self.ground.seed.derive("fits").nth(job.number as u64).nth(job.fold as u64);
            let late = || self.bounds.deadline.is_over();
            let fitted = fit_fold(self.ground, &job.config, job.branch, job.fold, seed, &late);
            self.put(&job, fitted);
            self.changed.notify_all();
        }
    }

    /// The next fit: of the earliest trial that has one, or of a new trial.
    fn next(&self, state: &mut State) -> Next {
        if state.is_over {
            return Next::End;
        }
        let mut found = None;
        for (number, open) in &mut state.open {
            let waits = open.rival.is_some() && open.next > 0 && open.done[0].is_none();
            if open.next < open.done.len() && !waits {
                open.next += 1;
                let (config, branch) = (open.config.clone(), open.branch);
                found = Some(Job { number: *number, fold: open.next - 1, config, branch });
                break;
            }
        }
        let job = match found {
            Some(job) => job,
            None => match self.begin(state) {
                Ok(job) => job,
                Err(next) => return next,
            },
        };
        let expected = state.rates.expect(&job.config, &self.shape);
        // The first trial is fitted in any case, so that there is a model at all.
        if job.number > 0 && self.bounds.deadline.is_too_near_for(expected) {
            state.is_over = true;
            return Next::End;
        }
        Next::Do(Box::new(job))
    }

    /// Opens the next trial, once those that it depends on have ended.
    fn begin(&self, state: &mut State) -> Result<Job, Next> {
        let number = state.next;
        let end = if state.open.is_empty() { Next::End } else { Next::Wait };
        if number >= state.most {
            return Err(end);
        }
        let known: Vec<&Trial> = state.done.range(..(number + 1).saturating_sub(LAG)).map(|(_, trial)| trial).collect();
        if known.len() < (number + 1).saturating_sub(LAG) {
            return Err(Next::Wait);
        }
        let proposed = match self.portfolio.get(number) {
            Some(config) => Some(config.clone()),
            None => propose(number, &known, &self.shape, self.ground.seed),
        };
        let found = proposed.and_then(|config| self.ground.branch(config.family).map(|branch| (config, branch)));
        let Some((config, branch)) = found else {
            state.most = number;
            return Err(end);
        };
        let races = self.ground.folds.len() > 1 && self.ground.folds[0].held.len() >= RACE_ROWS_MIN;
        let rival = known.iter().filter_map(|trial| state.gains.get(&trial.number)).copied().reduce(f64::max);
        let done: Vec<Option<Fitted>> = self.ground.folds.iter().map(|_| None).collect();
        let open =
            Open { config: config.clone(), branch, next: 1, left: done.len(), done, rival: rival.filter(|_| races) };
        state.open.insert(number, open);
        state.next += 1;
        Ok(Job { number, fold: 0, config, branch })
    }

    /// Takes the outcome of a fit.
    fn put(&self, job: &Job, fitted: Result<Fitted>) {
        let mut state = self.lock();
        let is_late = self.bounds.deadline.is_over();
        if is_late && job.number > 0 {
            // It may have ended before its time, which no replay would repeat.
            state.is_over = true;
            return;
        }
        state.is_partial |= is_late;
        let Some(mut open) = state.open.remove(&job.number) else {
            return;
        };
        let ended = |config: &Config, end, loss| Trial::ended(job.number, config.clone(), job.branch, end, loss);
        let fitted = match fitted {
            Ok(fitted) => fitted,
            Err(error) => {
                let trial = ended(&open.config, End::Failed(format!("{error:#}")), f64::NAN);
                return self.end(&mut state, trial);
            }
        };
        state.rates.learn(&job.config, &self.shape, fitted.fit_seconds + fitted.predict_seconds);
        if job.fold == 0 {
            let held = self.ground.target.take(&self.ground.folds[0].held);
            let loss = self.ground.loss().of(&self.ground.values(&fitted.answers, &held), 1.0);
            let gain = self.ground.baseline_loss - loss;
            state.gains.insert(job.number, gain);
            if open.rival.is_some_and(|rival| rival > 0.0 && (gain < GAIN_MIN * rival || gain.is_nan())) {
                let trial = ended(&open.config, End::Behind, loss);
                return self.end(&mut state, trial);
            }
        }
        open.done[job.fold] = Some(fitted);
        open.left -= 1;
        if open.left > 0 {
            state.open.insert(job.number, open);
            return;
        }
        let folds = open.done.into_iter().flatten().collect();
        let config = open.config.clone();
        let trial = Trial::finished(self.ground, job.number, open.config, job.branch, folds)
            .unwrap_or_else(|error| ended(&config, End::Failed(format!("{error:#}")), f64::NAN));
        self.end(&mut state, trial);
    }

    /// Keeps a trial that ended, forgets models that cannot be chosen any more, and shows how far the search is.
    fn end(&self, state: &mut State, trial: Trial) {
        state.done.insert(trial.number, trial);
        let chosen = match self.ground.holding {
            Holding::Folds => eligible(&state.done.values().collect::<Vec<_>>()),
            Holding::Times | Holding::Once => Vec::new(),
        };
        for trial in state.done.values_mut().filter(|trial| !chosen.contains(&trial.number)) {
            trial.folds.iter_mut().for_each(|fold| fold.model = None);
        }
        let passed = match self.bounds.deadline.seconds() {
            Some(_) => self.bounds.deadline.elapsed() as u64,
            None => state.done.len() as u64,
        };
        self.bar.advance(passed.saturating_sub(state.shown));
        state.shown = passed.max(state.shown);
        let scores = state.done.values().filter(|trial| trial.is_finished());
        if let Some(best) = scores.reduce(|a, b| if b.loss < a.loss { b } else { a }) {
            self.bar.say(&format!("auto: {} trials, best {:.4} ({})", state.done.len(), best.score, best.config.name));
        }
    }
}

/// Numbers of the trials that may answer together: the best ones, and the best one of each kind. Trials that are not among
/// them now never will be.
pub fn eligible(trials: &[&Trial]) -> Vec<usize> {
    let mut order: Vec<&&Trial> = trials.iter().filter(|trial| trial.is_finished()).collect();
    order.sort_by(|a, b| a.loss.total_cmp(&b.loss).then(a.number.cmp(&b.number)));
    let mut kinds: Vec<&str> = Vec::new();
    let mut chosen = Vec::new();
    for (rank, trial) in order.into_iter().enumerate() {
        let is_first = !kinds.contains(&trial.config.kind.name);
        if is_first {
            kinds.push(trial.config.kind.name);
        }
        if is_first || rank < KEPT {
            chosen.push(trial.number);
        }
    }
    chosen
}

/// The seed of fitting trial `number` again on all rows.
pub fn seed_again(seed: Seed, number: usize) -> Seed {
    seed.derive("again").nth(number as u64)
}
