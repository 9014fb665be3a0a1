//! Studies: the same whatever runs at once, taken up where they stopped, ended where they should.

use std::collections::BTreeMap;

use proptest::prelude::{any, prop_assert_eq, proptest};

use crate::base::seed::{Rng, Seed};
use crate::search::pruner::Pruner;
use crate::search::study::{Ask, Ending, StopAt, Study, StudyOptions, Verdict};
use crate::search::tests::{every_range, space};
use crate::search::told::{Outcome, Told};
use crate::spec::gate::Comparison;
use crate::spec::tune::{Direction, SamplerName};

/// What a trial answers: some fail, some have no number, and the rest have a curve that ends near the value.
fn value(params: &toml::Table) -> f64 {
    let a = params["a"].as_float().expect("a number");
    let b = params["b"].as_integer().expect("a whole number") as f64;
    match b as i64 {
        12 => f64::NAN,
        11 => f64::INFINITY,
        _ => (a.log10() + 2.0).powi(2) + (b / 5.0).powi(2),
    }
}

/// A trial under way.
struct Running {
    number: usize,
    value: f64,
    step: u64,
}

const STEPS: u64 = 9;

/// Runs a study with up to `jobs` trials at once that move and end in an order drawn by `order`, until it is over or `most`
/// have ended; those that run then are lost.
fn run(study: &mut Study, jobs: usize, order: &mut Rng, most: usize) -> Vec<Told> {
    let mut running: Vec<Running> = Vec::new();
    let mut ended = Vec::new();
    while ended.len() < most {
        let mut done = false;
        while running.len() < jobs {
            match study.ask() {
                Ask::Trial { number, params } => running.push(Running { number, value: value(&params), step: 0 }),
                Ask::Wait => break,
                Ask::Done => {
                    done = true;
                    break;
                }
            }
        }
        if running.is_empty() {
            assert!(done, "waits for nothing");
            break;
        }
        let at = order.below(running.len() as u64) as usize;
        let trial = &mut running[at];
        trial.step += 1;
        let now = if trial.value.is_nan() { 9.0 } else { trial.value } + 3.0 / trial.step as f64;
        let verdict = study.report(trial.number, trial.step, now);
        let outcome = match verdict {
            Verdict::Prune => Outcome::Pruned { step: trial.step, value: now },
            Verdict::Go if trial.step < STEPS => continue,
            Verdict::Go if trial.number % 17 == 5 => Outcome::Failed("it crashed".to_owned()),
            Verdict::Go => Outcome::Value(trial.value),
        };
        study.tell(trial.number, outcome).expect("it runs");
        ended.push(running.swap_remove(at).number);
    }
    // As it would be read back: in any order, each with what was reported.
    let mut all: BTreeMap<usize, Told> = study.told().iter().map(|told| (told.number, told.clone())).collect();
    all.extend(study.ahead().map(|told| (told.number, told)));
    all.into_values().collect()
}

fn options(sampler: SamplerName, pruner: Pruner, seed: u64) -> StudyOptions {
    StudyOptions { sampler, pruner, ..StudyOptions::new(every_range(), Direction::Minimise, Seed(seed), 40) }
}

fn start(options: &StudyOptions) -> Study {
    let mut study = Study::new(options.clone()).expect("a study");
    study.enqueue(&"a = 0.1\nb = 3".parse().expect("TOML"));
    study
}

fn pruners() -> [Pruner; 4] {
    [
        Pruner::None,
        Pruner::Median { trials_min: 3, steps_min: 2 },
        Pruner::Halving { steps_min: 1, reduction: 2 },
        Pruner::Hyperband { steps_min: 1, steps_max: 9, reduction: 3 },
    ]
}

proptest! {
    #[test]
    fn a_study_is_the_same_whatever_runs_at_once(seed in any::<u64>(), order in any::<u64>(), which in 0_usize..4) {
        let sampler = [SamplerName::Tpe, SamplerName::Random, SamplerName::Sobol, SamplerName::Tpe][which];
        let options = StudyOptions { patience: 25, ..options(sampler, pruners()[which].clone(), seed) };
        let alone = run(&mut start(&options), 1, &mut Seed(0).rng(), usize::MAX);
        for jobs in [2, 4, 8] {
            let mut study = start(&options);
            prop_assert_eq!(&run(&mut study, jobs, &mut Seed(order).rng(), usize::MAX), &alone, "{} jobs", jobs);
            prop_assert_eq!(study.told().len(), study.end().0);
        }
    }

    #[test]
    fn a_study_taken_up_again_goes_on_as_if_it_had_not_stopped(
        seed in any::<u64>(), order in any::<u64>(), ended in 0_usize..40, which in 0_usize..4,
    ) {
        let options = options(SamplerName::Tpe, pruners()[which].clone(), seed);
        let whole = run(&mut start(&options), 1, &mut Seed(0).rng(), usize::MAX);
        let mut order = Seed(order).rng();
        let mut kept = run(&mut start(&options), 4, &mut order, ended);
        order.shuffle(&mut kept);
        let mut study = start(&options);
        study.restore(kept).expect("as it was kept");
        prop_assert_eq!(run(&mut study, 2, &mut order, usize::MAX), whole);
    }
}

#[test]
fn values_that_are_no_numbers_are_failures_and_never_the_best() {
    let mut study = Study::new(StudyOptions::new(every_range(), Direction::Maximise, Seed(1), 4)).expect("a study");
    for value in [f64::NAN, f64::INFINITY, 1.0, f64::NEG_INFINITY] {
        let Ask::Trial { number, .. } = study.ask() else { panic!("a trial") };
        study.tell(number, Outcome::Value(value)).expect("it runs");
    }
    assert_eq!(study.best().map(|best| best.number), Some(2));
    let failed: Vec<bool> = study.told().iter().map(|told| matches!(told.outcome, Outcome::Failed(_))).collect();
    assert_eq!(failed, [true, true, false, true]);
    assert_eq!((study.ask(), study.is_over(), study.end()), (Ask::Done, true, (4, Ending::Trials)));
}

/// Runs one trial after the other with these values, the last for all later ones.
fn values(options: StudyOptions, values: &[f64]) -> Study {
    let mut study = Study::new(options).expect("a study");
    while let Ask::Trial { number, .. } = study.ask() {
        let value = values.get(number).or(values.last()).copied().expect("one value");
        study.tell(number, Outcome::Value(value)).expect("it runs");
    }
    study
}

#[track_caller]
fn ends(change: impl FnOnce(&mut StudyOptions), given: &[f64], wanted: (usize, Ending), best: usize) {
    let mut options = StudyOptions::new(every_range(), Direction::Maximise, Seed(1), 30);
    change(&mut options);
    let study = values(options, given);
    assert_eq!((study.told().len(), study.end().1), wanted);
    assert_eq!(study.best().map(|best| best.number), Some(best));
}

#[test]
fn studies_end_where_they_should() {
    let reach = |bound| Some(StopAt { comparison: Comparison::AtLeast, bound });
    ends(|_| (), &[1.0], (30, Ending::Trials), 0);
    ends(|o| o.stop_at = reach(3.0), &[1.0, 2.0, 3.0, 0.0], (7, Ending::Reached(2)), 2);
    ends(|o| (o.stop_at, o.lag) = (reach(3.0), 0), &[1.0, 2.0, 3.0, 0.0], (3, Ending::Reached(2)), 2);
    ends(|o| (o.stop_at, o.trials) = (reach(3.0), 4), &[1.0, 2.0, 3.0, 0.0], (4, Ending::Trials), 2);
    ends(|o| o.patience = 5, &[1.0, 2.0, 2.0], (11, Ending::Patience(6)), 1);
    ends(|o| (o.patience, o.lag) = (1, 0), &[1.0, 2.0, 2.0], (3, Ending::Patience(2)), 1);
    ends(|o| o.space = space("a = [1, 2, 3]\nb = { low = 1, high = 2 }"), &[1.0], (6, Ending::Exhausted), 0);
    ends(|o| o.space = space("a = 1"), &[1.0], (1, Ending::Exhausted), 0);
    ends(|o| o.space = space(""), &[1.0], (1, Ending::Exhausted), 0);
    let grid =
        |o: &mut StudyOptions| (o.space, o.sampler) = (space("a = { low = 0.0, high = 1.0 }"), SamplerName::Grid);
    ends(grid, &[1.0], (5, Ending::Exhausted), 0);
}

#[test]
fn every_point_of_a_small_space_is_tried_once() {
    for sampler in [SamplerName::Tpe, SamplerName::Random, SamplerName::Sobol] {
        let mut options = StudyOptions::new(space("a = { low = 1, high = 50 }"), Direction::Minimise, Seed(3), 100);
        options.sampler = sampler;
        let study = values(options, &[1.0]);
        let mut tried: Vec<i64> = study.told().iter().map(|told| told.point.0[0] as i64).collect();
        tried.sort_unstable();
        assert_eq!(tried, (1..=50).collect::<Vec<_>>(), "{sampler:?}");
    }
}

#[test]
fn a_study_that_is_closed_equals_one_of_so_many_trials() {
    let mut closed = Study::new(options(SamplerName::Tpe, Pruner::None, 9)).expect("a study");
    run(&mut closed, 4, &mut Seed(1).rng(), 20);
    closed.close();
    let (count, why) = closed.end();
    assert_eq!(why, Ending::Closed);
    let mut shorter = Study::new(StudyOptions { trials: count, ..closed.options().clone() }).expect("a study");
    let all = run(&mut shorter, 1, &mut Seed(1).rng(), usize::MAX);
    assert_eq!(all[..closed.told().len()], *closed.told());
}

#[test]
fn what_was_enqueued_and_the_best_of_another_study_come_first() {
    let space = every_range();
    let other = |number, a: f64, value| {
        let params = space.decode(&[a; 7]).to_toml(&space);
        Told::of(&space, number, &params, Outcome::Value(value), Vec::new())
    };
    let warm = vec![other(0, 0.2, 5.0), other(1, 0.4, 1.0), other(2, 0.6, f64::NAN)];
    let mut study = start(&options(SamplerName::Tpe, Pruner::None, 2));
    study.warm_from(warm.clone());
    let params = |ask: Ask| match ask {
        Ask::Trial { params, .. } => params,
        other => panic!("{other:?}"),
    };
    let first = params(study.ask());
    // What was not said lies in the middle; what is fixed stays.
    assert_eq!(first, "a = 0.1\nb = 3\nc = 20\nd = 0.5\ne = 'x'\nf = 6\ng = 0.5".parse().expect("TOML"));
    assert_eq!(params(study.ask()), warm[1].point.to_toml(&space));
}

#[test]
fn what_is_not_running_cannot_be_told() {
    let mut study = Study::new(options(SamplerName::Random, Pruner::None, 2)).expect("a study");
    assert!(study.tell(0, Outcome::Value(1.0)).is_err());
    assert_eq!(study.report(0, 1, 1.0), Verdict::Go);
    study.ask();
    study.tell(0, Outcome::Value(1.0)).expect("it runs");
    assert!(study.tell(0, Outcome::Value(1.0)).is_err());
    let twice = study.told()[0].clone();
    assert!(study.restore(vec![twice]).is_err());
}

#[test]
fn no_more_run_than_the_lag_allows() {
    let mut study = Study::new(options(SamplerName::Tpe, Pruner::None, 2)).expect("a study");
    let asked = (0..9).take_while(|_| matches!(study.ask(), Ask::Trial { .. })).count();
    assert_eq!((asked, study.options().jobs_max()), (5, 4));
    // A later one that has ended does not help the first one.
    study.tell(3, Outcome::Value(1.0)).expect("it runs");
    assert_eq!(study.ask(), Ask::Wait);
    study.tell(0, Outcome::Value(1.0)).expect("it runs");
    assert!(matches!(study.ask(), Ask::Trial { number: 5, .. }));
}
