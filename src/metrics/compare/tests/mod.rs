//! Tests of comparisons: numbers of statsmodels and scipy, properties, what differences say.

use serde_json::Value;

use crate::base::seed::Seed;
use crate::metrics::bootstrap::{Plan, percentile};
use crate::metrics::compare::delong::DeLong;
use crate::metrics::compare::mcnemar::p_value;
use crate::metrics::compare::rows::{Outcome, outcome};
use crate::metrics::compare::{Wanted, differences};
use crate::metrics::tests::{Lcg, binary_table, names, number_table};
use crate::metrics::{Sample, Scores, folds, measure};
use crate::record::evaluation::{Difference, Interval};
use crate::spec::model::Task;

fn reference() -> Value {
    serde_json::from_str(include_str!("../../../../tests/fixtures/reference/compare/compare.json"))
        .expect("the fixture")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn check(what: &str, got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= 1e-9 * wanted.abs(), "{what}: {got}, wanted {wanted}");
}

fn check_interval(what: &str, got: Option<Interval>, wanted: &Value) {
    let got = got.expect("an interval");
    let wanted = numbers(wanted);
    check(what, got.low, wanted[0]);
    check(what, got.high, wanted[1]);
}

/// Probabilities of a second model for the rows of `binary_table`.
fn other_probabilities(truth: &[u32]) -> Vec<f64> {
    let mut lcg = Lcg(11);
    let score = |truth: &u32| (lcg.below(81) * 8 + 300 * u64::from(*truth)) as f64 / 1000.0;
    truth.iter().map(score).flat_map(|score| [1.0 - score, score]).collect()
}

/// Runs `with` on the samples of both models.
fn both<T>(with: impl FnOnce(&Sample, &Sample) -> T) -> T {
    let (truth, ours) = binary_table();
    let (theirs, names) = (other_probabilities(&truth), names(2));
    let sample =
        |probabilities| Sample::new(Scores::Classes { truth: &truth, probabilities, names: &names }, Task::Binary);
    with(&sample(&ours), &sample(&theirs))
}

fn differences_of(ours: &Sample, theirs: &Sample, metrics: &[&str], plan: &Plan) -> Vec<Difference> {
    let value = |sample: &Sample, metric: &str| measure(Some(&[metric]), sample).expect("well formed")[metric];
    let wanted: Vec<Wanted> = metrics
        .iter()
        .map(|metric| Wanted { metric, rows: None, values: (value(ours, metric), value(theirs, metric)) })
        .collect();
    differences(ours, theirs, &wanted, plan).expect("well formed")
}

const PLAN: Plan = Plan { resamples: 400, level: 0.95, seed: Seed(5) };

#[test]
fn areas_are_those_of_all_pairs_of_rows() {
    let reference = reference();
    let (truth, ours) = binary_table();
    let theirs = other_probabilities(&truth);
    let positive: Vec<bool> = truth.iter().map(|code| *code == 1).collect();
    let scores = [ours, theirs].map(|all| all.as_chunks::<2>().0.iter().map(|row| row[1]).collect::<Vec<f64>>());
    let delong = DeLong::new(&positive, &[&scores[0], &scores[1]]).expect("both classes");
    for (got, wanted) in delong.areas.iter().zip(numbers(&reference["areas"])) {
        check("area", *got, wanted);
    }
    for (a, row) in delong.covariances.iter().enumerate() {
        for (b, got) in row.iter().enumerate() {
            check("covariance", *got, reference["covariances"][a][b].as_f64().expect("a number"));
        }
    }
    check("chance", delong.p_value().expect("two areas"), reference["p_value"].as_f64().expect("a number"));
    check_interval("difference", delong.difference_interval(0.95), &reference["difference_interval"]);
    check_interval("area", delong.interval(0.95), &reference["interval"]);
}

#[test]
fn areas_need_two_rows_of_each_kind_and_know_equal_orders() {
    assert_eq!(DeLong::new(&[true, false, false], &[&[0.5, 0.1, 0.2]]), None);
    let (positive, scores) = ([true, false, true, false], [0.9, 0.1, 0.4, 0.6]);
    let twice = scores.map(|score| score * 2.0);
    let same = DeLong::new(&positive, &[&scores, &twice]).expect("two of each");
    assert_eq!((same.areas[0], same.p_value()), (0.75, Some(1.0)));
    assert_eq!(same.difference_interval(0.95), Some(Interval { low: 0.0, high: 0.0 }));
    let perfect = DeLong::new(&positive, &[&[0.9, 0.1, 0.8, 0.2]]).expect("two of each");
    assert_eq!((perfect.areas[0], perfect.interval(0.95)), (1.0, None));
}

#[test]
fn rows_that_one_model_is_right_on_are_weighed_as_statsmodels_does() {
    for case in reference()["mcnemar"].as_array().expect("a list") {
        let case = numbers(case);
        // As many on either side are no difference at all; statsmodels corrects even these for continuity.
        let wanted = if case[0] == case[1] { 1.0 } else { case[2] };
        check("chance", p_value(case[0] as u64, case[1] as u64), wanted);
        check("chance", p_value(case[1] as u64, case[0] as u64), wanted);
    }
    assert_eq!((p_value(0, 0), p_value(0, u64::MAX)), (1.0, 0.0));
}

#[test]
fn wins_losses_and_flips_are_counted_row_by_row() {
    let wanted = &reference()["rows"];
    let got = both(|ours, theirs| outcome(ours, theirs, None)).expect("classes");
    let count = |name: &str| wanted[name].as_u64().expect("a number");
    let ties = 400 - count("wins") - count("losses");
    assert_eq!(got, Outcome { wins: count("wins"), losses: count("losses"), ties, flips: count("flips") });
    let numbers = |predicted| Sample::new(Scores::Numbers { truth: &[1.0, 2.0, 3.0], predicted }, Task::Regression);
    let got = outcome(&numbers(&[1.0, 2.5, 2.0]), &numbers(&[1.5, 2.0, 4.0]), None).expect("numbers");
    assert_eq!(got, Outcome { wins: 1, losses: 1, ties: 1, flips: 0 });
    let few = outcome(&numbers(&[1.0, 2.5, 2.0]), &numbers(&[1.5, 2.0, 4.0]), Some(&[1])).expect("numbers");
    assert_eq!((few.wins, few.losses, few.ties), (0, 1, 0));
}

#[test]
fn thresholds_of_each_model_are_its_own() {
    let flipped = both(|ours, theirs| {
        let never = Sample { threshold: Some(1.0), ..*theirs };
        outcome(ours, &never, None).expect("classes").flips
    });
    let (_, probabilities) = binary_table();
    assert_eq!(flipped, probabilities.as_chunks::<2>().0.iter().filter(|row| row[1] > row[0]).count() as u64);
}

#[test]
fn the_better_model_is_better_beyond_chance() {
    let metrics = ["accuracy", "roc_auc", "brier", "log_loss"];
    let [ours, theirs] = both(|ours, theirs| {
        [differences_of(ours, theirs, &metrics, &PLAN), differences_of(theirs, ours, &metrics, &PLAN)]
    });
    let tests = ["mcnemar", "delong", "paired_bootstrap", "paired_bootstrap"];
    for ((one, other), test) in ours.iter().zip(&theirs).zip(tests) {
        assert_eq!((one.better, other.better), (Some(true), Some(false)), "{one:?}");
        assert_eq!((one.test.as_deref(), one.difference), (Some(test), -other.difference), "{one:?}");
        let (a, b) = (one.interval.expect("enough rows"), other.interval.expect("enough rows"));
        assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12, "{a:?} {b:?}");
        assert!(one.p_value.is_some_and(|chance| chance < 0.05), "{one:?}");
    }
    check("mcnemar", ours[0].p_value.expect("a chance"), p_value(82, 48));
}

#[test]
fn a_model_is_no_better_than_itself() {
    let metrics = ["accuracy", "roc_auc", "log_loss", "expected_calibration_error"];
    for difference in both(|ours, _| differences_of(ours, ours, &metrics, &PLAN)) {
        assert_eq!((difference.difference, difference.better, difference.p_value), (0.0, None, Some(1.0)));
        assert_eq!(difference.interval, Some(Interval { low: 0.0, high: 0.0 }));
    }
}

#[test]
fn lower_errors_are_better() {
    let (truth, predicted) = number_table();
    let worse: Vec<f64> = predicted.iter().map(|value| value * 1.3).collect();
    let sample = |predicted| Sample::new(Scores::Numbers { truth: &truth, predicted }, Task::Regression);
    for difference in differences_of(&sample(&predicted), &sample(&worse), &["rmse", "r2", "mae"], &PLAN) {
        assert_eq!(difference.better, Some(true), "{difference:?}");
    }
}

#[test]
fn without_resamples_only_tests_of_their_own_speak() {
    let plan = Plan { resamples: 0, ..PLAN };
    let found = both(|ours, theirs| differences_of(ours, theirs, &["brier", "accuracy", "roc_auc"], &plan));
    let tests: Vec<Option<&str>> = found.iter().map(|one| one.test.as_deref()).collect();
    assert_eq!(tests, [None, Some("mcnemar"), Some("delong")]);
    assert_eq!(found[0].interval, None);
}

#[test]
fn intervals_of_folds_and_of_replicates_are_those_of_scipy() {
    let reference = reference();
    let folds = &reference["folds"];
    check_interval("folds", folds::interval(&numbers(&folds["values"]), 0.25, 0.95), &folds["interval"]);
    assert_eq!(folds::interval(&[0.8], 0.25, 0.95), None);
    let replicates = &reference["percentile"];
    check_interval("percentile", percentile(&numbers(&replicates["values"]), 0.9), &replicates["interval"]);
}
