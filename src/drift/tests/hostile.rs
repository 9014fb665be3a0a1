//! Degenerate and hostile profiles: an answer or a note, never a panic, never a number that is not finite.

use serde_json::Value;

use crate::drift::report::{ColumnDrift, Outcome};
use crate::drift::tests::{by, categories, column, compared, numbers, report};
use crate::record::profile::ColumnProfile;
use crate::spec::drift::DriftTest;
use crate::spec::schema::ColumnType;

/// No `null` stands where JSON has no number for NaN or infinity: read back, the report is the same.
fn sound(drift: &ColumnDrift, what: &str) {
    for value in [drift.statistic, drift.p_value, drift.threshold, drift.noise_floor].into_iter().flatten() {
        assert!(value.is_finite(), "{what}: {drift:?}");
    }
    let text = serde_json::to_string(drift).expect("a report is JSON");
    let back: ColumnDrift = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
    assert_eq!(back.name, drift.name);
    assert!(drift.test.is_some() || drift.note.is_some(), "{what}");
    assert!(drift.statistic.is_some() || drift.note.is_some(), "{what}: {drift:?}");
}

fn float(points: &[(f64, u64)]) -> ColumnProfile {
    numbers(ColumnType::Float, points, true)
}

fn hostile_numbers() -> Vec<(&'static str, ColumnProfile)> {
    let mut all_missing = column(ColumnType::Float);
    all_missing.missing = 100;
    let mut all_nan = column(ColumnType::Float);
    all_nan.present = 10;
    all_nan.numbers = numbers(ColumnType::Float, &[(1.0, 1)], true).numbers.map(|mut own| {
        (own.nan, own.min, own.max, own.mean, own.std) = (10, None, None, None, None);
        (own.edges, own.counts) = (Vec::new(), Vec::new());
        own
    });
    let spread: Vec<(f64, u64)> = (0..300).map(|i| (f64::from(i) * 0.1, 1 + i as u64 % 3)).collect();
    let far: Vec<(f64, u64)> = (0..300).map(|i| (1e6 + f64::from(i), 2)).collect();
    let billions: Vec<(f64, u64)> = (0..50).map(|i| (f64::from(i), 1_000_000_000)).collect();
    let mut old = float(&spread);
    old.quantile_sketch = None;
    vec![
        ("empty", column(ColumnType::Float)),
        ("all missing", all_missing),
        ("all nan", all_nan),
        ("one value", float(&[(3.0, 1)])),
        ("one value often", float(&[(3.0, 1000)])),
        ("another value often", float(&[(4.0, 500)])),
        ("two values", float(&[(0.0, 10), (1.0, 20)])),
        ("spread", float(&spread)),
        ("far away", float(&far)),
        ("huge", float(&[(-1e308, 3), (0.0, 1), (1e308, 3), (1.7e308, 2)])),
        ("tiny", float(&[(5e-324, 30), (1e-320, 20), (2e-320, 9)])),
        ("billions", float(&billions)),
        ("cut", numbers(ColumnType::Float, &spread, false)),
        ("older profile", old),
    ]
}

#[test]
fn numbers_never_break_a_report() {
    for test in DriftTest::ALL.into_iter().filter(|test| test.takes_numbers() || test.takes_categories()) {
        for (left, reference) in hostile_numbers() {
            for (right, current) in hostile_numbers() {
                sound(&compared(&reference, &current, &by(test)), &format!("{} {left} / {right}", test.name()));
            }
        }
    }
}

#[test]
fn categories_never_break_a_report() {
    let names: Vec<String> = (0..1000).map(|i| format!("value {i}")).collect();
    let mut cut = categories(&names.iter().map(|name| (name.as_str(), 3)).collect::<Vec<_>>());
    (cut.present, cut.unique) = (100_000, 40_000);
    let mut unlisted = column(ColumnType::Text);
    unlisted.present = 10;
    let sides = [
        ("empty", column(ColumnType::Text)),
        ("one", categories(&[("a", 1)])),
        ("one often", categories(&[("a", 1_000_000_000)])),
        ("another", categories(&[("b", 7)])),
        ("two", categories(&[("a", 10), ("b", 3)])),
        ("four", categories(&[("a", 10), ("b", 3), ("c", 2_000_000_000), ("d", 1)])),
        ("cut", cut),
        ("unlisted", unlisted),
    ];
    for test in DriftTest::ALL.into_iter().filter(|test| test.takes_categories()) {
        for (left, reference) in &sides {
            for (right, current) in &sides {
                sound(&compared(reference, current, &by(test)), &format!("{} {left} / {right}", test.name()));
            }
        }
    }
}

#[test]
fn equal_columns_do_not_differ() {
    let spread: Vec<(f64, u64)> = (0..300).map(|i| (f64::from(i) * 0.1, 1 + i as u64 % 3)).collect();
    for profile in [float(&spread), float(&[(3.0, 50)]), categories(&[("a", 10), ("b", 3), ("c", 9)])] {
        for test in DriftTest::ALL.into_iter().filter(|test| *test != DriftTest::RangeShift) {
            let suits = if profile.top.is_empty() { test.takes_numbers() } else { test.takes_categories() };
            // U is no difference, a squared discrepancy without bias may lie below 0, k-sample statistics are centred.
            let zero = !matches!(
                test,
                DriftTest::Mannw
                    | DriftTest::EmpiricalMmd
                    | DriftTest::Anderson
                    | DriftTest::CramerVonMises
                    | DriftTest::FisherExact
            );
            if suits {
                let drift = compared(&profile, &profile, &by(test));
                assert_eq!(drift.outcome, Outcome::Stable, "{drift:?}");
                if zero {
                    assert_eq!(drift.statistic, Some(0.0), "{drift:?}");
                    assert!(drift.p_value.is_none_or(|p| p == 1.0), "{drift:?}");
                }
            }
        }
    }
}

#[test]
fn disjoint_columns_drift_whatever_the_test() {
    let low: Vec<(f64, u64)> = (0..100).map(|i| (f64::from(i), 5)).collect();
    let high: Vec<(f64, u64)> = (0..100).map(|i| (f64::from(i) + 1000.0, 5)).collect();
    for test in DriftTest::ALL.into_iter().filter(|test| test.takes_numbers()) {
        let drift = compared(&float(&low), &float(&high), &by(test));
        assert_eq!(drift.outcome, Outcome::Drifted, "{drift:?}");
    }
    let (left, right) = (categories(&[("a", 300), ("b", 200)]), categories(&[("c", 300), ("d", 200)]));
    for test in DriftTest::ALL.into_iter().filter(|test| test.takes_categories() && *test != DriftTest::FisherExact) {
        let drift = compared(&left, &right, &by(test));
        assert_eq!(drift.outcome, Outcome::Drifted, "{drift:?}");
        assert_eq!(drift.new_values, [("c".to_owned(), 300), ("d".to_owned(), 200)]);
    }
}

#[test]
fn a_value_that_a_cut_list_hides_is_found() {
    let names: Vec<String> = (0..1000).map(|i| format!("value {i}")).collect();
    let mut cut = categories(&names.iter().map(|name| (name.as_str(), 3)).collect::<Vec<_>>());
    (cut.present, cut.unique) = (100_000, 40_000);
    // The list of the reference shows no value more than three times: one that takes half of the rows is new.
    let drift = compared(&cut, &categories(&[("new", 50_000), ("value 1", 50_000)]), &by(DriftTest::JensenShannon));
    assert_eq!(drift.outcome, Outcome::Drifted);
    assert!(!drift.exact && drift.new_values.is_empty());
    let again = compared(&cut, &cut, &by(DriftTest::JensenShannon));
    assert_eq!((again.outcome, again.statistic), (Outcome::Stable, Some(0.0)));
}

#[test]
fn a_whole_report_is_json() {
    for (_, reference) in hostile_numbers() {
        for (_, current) in hostile_numbers() {
            let report = report(&reference, &current, &crate::drift::compare::DriftOptions::default());
            let value: Value = serde_json::to_value(&report).expect("a report is JSON");
            assert!(value["share_drifted"].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)));
        }
    }
}
