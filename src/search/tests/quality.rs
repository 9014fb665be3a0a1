//! How good what is found is, against Optuna on functions whose lowest values are known.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;

use crate::base::seed::Seed;
use crate::search::study::{Ask, Study, StudyOptions};
use crate::search::tests::functions::{FUNCTIONS, Function};
use crate::search::told::Outcome;
use crate::spec::tune::{Direction, SamplerName};

const TRIALS: usize = 60;
const SEEDS: u64 = 20;

/// The lowest value of a study in which as many trials run at once as can.
fn lowest(function: &Function, sampler: SamplerName, seed: u64) -> f64 {
    let options = StudyOptions::new(function.space(), Direction::Minimise, Seed(seed), TRIALS);
    let mut study = Study::new(StudyOptions { sampler, ..options }).expect("a study");
    let mut running = VecDeque::new();
    loop {
        match study.ask() {
            Ask::Trial { number, params } => running.push_back((number, (function.value)(&params))),
            Ask::Wait | Ask::Done => match running.pop_front() {
                Some((number, value)) => study.tell(number, Outcome::Value(value)).expect("it runs"),
                None => break,
            },
        }
    }
    study.best().and_then(|best| best.outcome.value()).expect("every trial has a value")
}

fn median(function: &Function, sampler: SamplerName) -> f64 {
    let mut values: Vec<f64> = (0..SEEDS).map(|seed| lowest(function, sampler, seed)).collect();
    values.sort_by(f64::total_cmp);
    0.5 * (values[values.len() / 2] + values[(values.len() - 1) / 2])
}

#[derive(Deserialize)]
struct Reference {
    found: BTreeMap<String, Found>,
}

#[derive(Deserialize)]
struct Found {
    median: f64,
}

#[test]
fn parzen_estimators_find_what_optuna_finds() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../../tests/fixtures/reference/search/optuna.json"))
            .expect("the fixture");
    for function in FUNCTIONS {
        let (ours, theirs) = (median(function, SamplerName::Tpe), reference.found[function.name].median);
        // Optuna sees each value before it chooses the next point; here five trials run at once.
        assert!(ours <= theirs + function.slack, "{}: {ours} where Optuna has {theirs}", function.name);
        let even = median(function, SamplerName::Sobol);
        assert!(ours < even, "{}: {ours}, and {even} by points spread evenly", function.name);
    }
}
