//! The search itself: threads that try points, one thread that hands them out, keeps what ended, and knows when to end.
//!
//! Trials are handed out and judged by `search::study`, so that the study is the same however many run at once. Each trial
//! that ends goes into the journal of the study's run at once, and is sealed as a run of its own together with others soon
//! after, in the order of their numbers. Trials beyond the one that the study ends with are let go of.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::base::id::ObjectId;
use crate::base::talk::{Task, Unit};
use crate::base::{fail, failpoint, limits};
use crate::ops::context::OpCtx;
use crate::ops::recorded::Work;
use crate::ops::tune::attempt::{Attempt, Fate};
use crate::ops::tune::settle::{Settled, Subject};
use crate::ops::tune::trials::EndedTrial;
use crate::record::run::RunRecord;
use crate::record::study::StudyEnd;
use crate::repo::Repo;
use crate::search::study::{Ask, Ending, Study};

/// What a search came to.
pub struct Searched {
    /// Trials by number, without gaps.
    pub trials: Vec<EndedTrial>,
    /// Why it ended.
    pub ended: StudyEnd,
    /// How many of the trials had been made before.
    pub taken_over: usize,
}

/// A point to try.
pub struct Job {
    /// Number of the trial.
    pub number: usize,
    /// What to try.
    pub params: toml::Table,
}

/// What all threads of a search share.
pub struct Shared<'a> {
    /// The repository, with a staging area of the search.
    pub repo: &'a Repo,
    /// What is searched.
    pub settled: &'a Settled<'a>,
    /// Record of the study as it began.
    pub begun: ObjectId,
    /// The surroundings.
    pub ctx: &'a OpCtx<'a>,
    study: Mutex<Study>,
    /// Trials of this number and above are to stop.
    stop_from: AtomicUsize,
}

impl Shared<'_> {
    /// The study, for a moment.
    pub fn study(&self) -> MutexGuard<'_, Study> {
        // A panic inside the study shows in the trial that met it; what the others need is whole.
        self.study.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the trial `number` is no longer wanted.
    pub fn is_unwanted(&self, number: usize) -> bool {
        number >= self.stop_from.load(Ordering::Relaxed)
    }

    fn stop_from(&self, number: usize) {
        self.stop_from.fetch_min(number, Ordering::Relaxed);
    }
}

/// Searches until the study ends, at most `jobs` trials at once.
///
/// Errors: no trial came to its end (the message has the first reason); a command that never logs its metric; the disk.
pub fn search(
    repo: &Repo,
    settled: &Settled<'_>,
    study: Study,
    begun: ObjectId,
    jobs: usize,
    work: &mut Work,
    ctx: &OpCtx<'_>,
) -> Result<Searched> {
    let bar = ctx.talk.start("tune", Some(settled.settings.tune.trials as u64), Unit::Items);
    bar.advance(settled.kept.len() as u64);
    let shared =
        Shared { repo, settled, begun, ctx, study: Mutex::new(study), stop_from: AtomicUsize::new(usize::MAX) };
    let start = work.start().clone();
    let (orders, queue) = mpsc::channel::<Job>();
    let (sender, fates) = mpsc::channel::<Fate>();
    let queue = Mutex::new(queue);
    let keeper = Keeper {
        shared: &shared,
        work,
        bar,
        ended: settled.kept.clone(),
        unsealed: BTreeMap::new(),
        sealed_to: 0,
        waiting_since: Instant::now(),
        seals_at_once: false,
    };
    let threads = (std::thread::available_parallelism().map_or(1, usize::from) / jobs).max(1);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, attempt, queue) = (sender.clone(), Attempt { shared: &shared, start: &start }, &queue);
            // Alone, a trial has all threads there are.
            let pool = (jobs > 1).then(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build()).transpose()?;
            scope.spawn(move || {
                let labour = || labour(queue, &sender, |job| attempt.attempt(job));
                match &pool {
                    Some(pool) => pool.install(labour),
                    None => labour(),
                }
            });
        }
        drop(sender);
        // Dropping the orders, on every way out, sends the workers home.
        keeper.run(orders, &fates, jobs)
    })
}

/// Works on jobs until there are no more.
fn labour(queue: &Mutex<Receiver<Job>>, sender: &Sender<Fate>, work: impl Fn(&Job) -> Fate) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let fate = catch_unwind(AssertUnwindSafe(|| work(&job))).unwrap_or_else(|panic| Fate::panicked(&job, &*panic));
        if sender.send(fate).is_err() {
            return;
        }
    }
}

/// The thread that hands out and keeps.
struct Keeper<'a, 'w> {
    shared: &'a Shared<'a>,
    work: &'w mut Work,
    bar: Box<dyn Task>,
    /// Trials that ended, also beyond one that has not.
    ended: BTreeMap<usize, EndedTrial>,
    /// Records of those that are not sealed.
    unsealed: BTreeMap<usize, RunRecord>,
    /// Trials below are sealed, or were before.
    sealed_to: usize,
    /// Since when the oldest of the unsealed ones waits.
    waiting_since: Instant,
    /// Whether the last trial is kept nowhere until it is sealed.
    seals_at_once: bool,
}

impl Keeper<'_, '_> {
    fn run(mut self, orders: Sender<Job>, fates: &Receiver<Fate>, jobs: usize) -> Result<Searched> {
        let settings = &self.shared.settled.settings;
        let deadline = self.shared.settled.time.map(|time| Instant::now() + time);
        let (mut running, mut timed_out, mut broken) = (0, false, None);
        loop {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) && !timed_out {
                timed_out = true;
                self.shared.study().close();
                // One trial is always made, so that there is an answer.
                self.shared.stop_from(1);
            }
            running += self.hand_out(&orders, jobs - running, broken.is_some());
            if running == 0 {
                break;
            }
            match fates.recv_timeout(self.patience(deadline.filter(|_| !timed_out))) {
                Ok(fate) => {
                    running -= 1;
                    if let Err(error) = self.take(fate) {
                        // The others end first, then the first error is the answer.
                        broken.get_or_insert(error);
                        self.shared.stop_from(0);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if broken.is_none() && self.is_due() {
                self.seal()?;
            }
        }
        drop(orders);
        self.seal()?;
        if let Some(error) = broken {
            return Err(error);
        }
        let (count, ending) = self.end();
        let trials: Vec<EndedTrial> = (0..count).map_while(|number| self.ended.remove(&number)).collect();
        let taken_over = trials.iter().filter(|trial| self.shared.settled.kept.contains_key(&trial.number)).count();
        let ended = match ending {
            _ if trials.len() < count => StudyEnd::Time,
            Ending::Trials => StudyEnd::Trials,
            Ending::Patience(_) => StudyEnd::Patience,
            Ending::Reached(_) => StudyEnd::Target,
            Ending::Exhausted => StudyEnd::Exhausted,
            Ending::Closed => StudyEnd::Time,
        };
        self.work.tag("ended", ended.name())?;
        match trials.iter().any(|trial| trial.outcome.value().is_some()) {
            true => Ok(Searched { trials, ended, taken_over }),
            false => Err(none_ended(&trials, &settings.tune.metric, self.shared.settled)),
        }
    }

    /// Hands out trials to at most `free` workers; returns to how many.
    fn hand_out(&mut self, orders: &Sender<Job>, free: usize, broken: bool) -> usize {
        let mut handed = 0;
        while !broken && handed < free {
            let Ask::Trial { number, params } = self.shared.study().ask() else { break };
            if self.shared.is_unwanted(number) || orders.send(Job { number, params }).is_err() {
                break;
            }
            handed += 1;
        }
        handed
    }

    /// How long to wait for a trial before there is something else to do.
    fn patience(&self, deadline: Option<Instant>) -> Duration {
        let mut patience = Duration::from_secs(60);
        if !self.unsealed.is_empty() {
            patience = patience.min(limits::TRIALS_WAIT.saturating_sub(self.waiting_since.elapsed()));
        }
        deadline.map_or(patience, |deadline| patience.min(deadline.saturating_duration_since(Instant::now())))
    }

    /// Keeps a trial that ended.
    fn take(&mut self, fate: Fate) -> Result<()> {
        let (trial, record) = match fate {
            Fate::Ended(trial, record) => (*trial, record),
            Fate::Stopped => return Ok(()),
            Fate::Broken(error) => return Err(error),
        };
        let number = trial.number;
        if let Some(record) = record {
            if self.unsealed.is_empty() {
                self.waiting_since = Instant::now();
            }
            // A journal that is full keeps no more: trials are then sealed one by one, which is slow and as safe.
            self.seals_at_once = self.work.ended(&record).is_err();
            failpoint::hit("tune.trial-kept");
            self.unsealed.insert(number, *record);
        }
        let mut study = self.shared.study();
        study.tell(number, trial.outcome.clone())?;
        if let Some(best) = study.best().and_then(|best| best.outcome.value()) {
            self.bar.say(&format!("tune, best {best:.5}"));
        }
        drop(study);
        self.bar.advance(1);
        self.ended.insert(number, trial);
        let (end, _) = self.end();
        self.shared.stop_from(end);
        Ok(())
    }

    /// How many trials the study has, and why no more. It goes no further than the trial that ended it.
    fn end(&self) -> (usize, Ending) {
        match self.shared.study().end() {
            (_, why @ (Ending::Reached(last) | Ending::Patience(last))) => (last + 1, why),
            end => end,
        }
    }

    fn is_due(&self) -> bool {
        let waits = !self.unsealed.is_empty() && self.waiting_since.elapsed() >= limits::TRIALS_WAIT;
        waits || self.unsealed.len() >= limits::TRIALS_AT_ONCE || self.seals_at_once
    }

    /// Seals the trials that have ended, up to the first that has not or that the study goes no further than.
    fn seal(&mut self) -> Result<()> {
        let (end, _) = self.end();
        let first = self.sealed_to;
        let to = (first..end).find(|number| !self.ended.contains_key(number)).unwrap_or(end);
        let batch: Vec<RunRecord> = (first..to).filter_map(|number| self.unsealed.remove(&number)).collect();
        let ctx = self.shared.ctx;
        self.shared.repo.seal_ended(&batch, &ctx.actor(), ctx.clock.now()).context("cannot keep the trials")?;
        self.sealed_to = to;
        self.waiting_since = Instant::now();
        if !batch.is_empty() {
            failpoint::hit("tune.trials-sealed");
        }
        Ok(())
    }
}

fn none_ended(trials: &[EndedTrial], metric: &Option<String>, settled: &Settled<'_>) -> anyhow::Error {
    let metric = metric.as_deref().unwrap_or("the metric");
    let Some(first) = trials.iter().find_map(EndedTrial::error) else {
        return fail::world("the time was over before a trial had ended").hint("give more --time").into();
    };
    let what = match trials.len() {
        1 => format!("the only trial failed: {first}"),
        count => format!("all {count} trials failed to give a value of {metric}; the first: {first}"),
    };
    match settled.subject {
        Subject::Model(_) => fail::usage(what).hint("correct the space, or fix parameters with --set").into(),
        Subject::Stage(_) => fail::world(what).hint("see what the command printed with `mlops log --errors`").into(),
    }
}
