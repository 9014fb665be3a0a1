//! Every test id against Evidently, scipy and TFDV's formulas on real tables.

use serde_json::Value;

use crate::drift::tests::{by, categories, close, compared, numbers};
use crate::record::profile::ColumnProfile;
use crate::spec::drift::{DriftSpec, DriftTest};
use crate::spec::schema::ColumnType;

fn side(case: &Value, name: &str) -> ColumnProfile {
    let list = |key: &str| case[name][key].as_array().expect("a list").clone();
    let counts = list("counts").into_iter().map(|count| count.as_u64().expect("a count"));
    if case["kind"] == "number" {
        let integer = case["integer"].as_bool().expect("a flag");
        let points = list("values").into_iter().map(|value| value.as_f64().expect("a number"));
        let column_type = if integer { ColumnType::Integer } else { ColumnType::Float };
        return numbers(column_type, &points.zip(counts).collect::<Vec<_>>(), true);
    }
    let values = list("values");
    let texts = values.iter().map(|value| value.as_str().expect("a text"));
    categories(&texts.zip(counts).collect::<Vec<_>>())
}

/// How far a permutation's p may be from Evidently's: four standard errors of both.
fn chance(test: DriftTest, p: f64) -> f64 {
    let rounds: f64 = if test == DriftTest::Tvd { 1000.0 } else { 100.0 };
    4.0 * (2.0 * (p * (1.0 - p)).max(0.01) / rounds).sqrt()
}

/// Scores and statistics of every test of a file, and how many were compared.
fn check(text: &str) -> usize {
    let file: Value = serde_json::from_str(text).expect("the file is JSON");
    let mut compared_tests = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (reference, current) = (side(case, "reference"), side(case, "current"));
        for (name, expected) in case["results"].as_object().expect("results") {
            let test: DriftTest = serde_json::from_value(Value::String(name.clone())).expect("a known test");
            let Some(score) = expected["score"].as_f64() else { continue };
            let what = format!("{} {name}", case["name"]);
            let drift = compared(&reference, &current, &by(test));
            let got = if test.is_p_value() { drift.p_value } else { drift.statistic };
            let got = got.unwrap_or_else(|| panic!("{what}: no answer: {:?}", drift.note));
            if matches!(test, DriftTest::Tvd | DriftTest::EmpiricalMmd) {
                assert!((got - score).abs() <= chance(test, score), "{what}: {got} in place of {score}");
            } else {
                close(&what, got, score, 1e-9);
                assert_eq!(drift.significant, expected["drifted"].as_bool().expect("a flag"), "{what}");
            }
            if let Some(statistic) = expected["statistic"].as_f64() {
                close(&format!("{what} statistic"), drift.statistic.expect("a statistic"), statistic, 1e-9);
            }
            compared_tests += 1;
        }
        for (name, expected) in case["tfdv"].as_object().expect("comparators") {
            let test: DriftTest = serde_json::from_value(Value::String(name.clone())).expect("a known test");
            let drift = compared(&reference, &current, &by(test));
            let got = drift.statistic.expect("a statistic");
            close(&format!("{} {name}", case["name"]), got, expected.as_f64().expect("a number"), 1e-9);
            compared_tests += 1;
        }
        let drift = compared(&reference, &current, &super::DriftOptions::default());
        assert_eq!(drift.test.map(DriftTest::name), case["default"].as_str(), "{}", case["name"]);
    }
    compared_tests
}

macro_rules! tables {
    ($($name:ident: $least:literal,)*) => {$(
        #[test]
        fn $name() {
            let compared = check(include_str!(concat!(
                "../../../tests/fixtures/reference/drift/", stringify!($name), ".json"
            )));
            assert!(compared >= $least, "{compared}");
        }
    )*};
}

tables! {
    penguins: 70,
    bikeshare: 100,
    titanic: 40,
    churn_800: 100,
    churn_20000: 90,
}

#[test]
fn names_are_read_back() {
    for test in DriftTest::ALL {
        let read: DriftTest = serde_json::from_value(Value::String(test.name().to_owned())).expect("a known test");
        assert_eq!(read, test);
        assert!(test == DriftTest::RangeShift || test.takes_numbers() || test.takes_categories());
    }
    assert!(DriftSpec::default().check().is_ok());
}
