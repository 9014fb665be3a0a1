//! Distributions against scipy's, at points of `functions.json`.

use serde_json::Value;

use crate::drift::discrete;
use crate::drift::distribution;
use crate::drift::kolmogorov;
use crate::drift::numeric;
use crate::drift::pooled::Pooled;
use crate::drift::sample::{Paired, Sample};
use crate::drift::small;
use crate::drift::tests::close;

/// The rows of one list: each an array.
fn rows(name: &str) -> Vec<Vec<Value>> {
    let text = include_str!("../../../tests/fixtures/reference/drift/functions.json");
    let all: Value = serde_json::from_str(text).expect("the file is JSON");
    let list = all[name].as_array().expect("the list is there");
    list.iter().map(|row| row.as_array().expect("a row is a list").clone()).collect()
}

/// Checks `of(row) == last of row`.
fn check(name: &str, tolerance: f64, of: impl Fn(&[f64]) -> f64) {
    let rows = rows(name);
    assert!(!rows.is_empty(), "{name}");
    for row in rows {
        let numbers: Vec<f64> = row.iter().map(|value| value.as_f64().expect("a number")).collect();
        let (expected, arguments) = numbers.split_last().expect("a row has a last");
        close(&format!("{name}{arguments:?}"), of(arguments), *expected, tolerance);
    }
}

#[test]
fn tails_are_those_of_scipy() {
    check("chi_square", 1e-10, |row| distribution::chi_square_tail(row[0], row[1]));
    check("normal", 1e-10, |row| distribution::normal_tail(row[0]));
    check("student", 1e-10, |row| distribution::student_two_tails(row[0], row[1]));
    check("cvm", 1e-10, |row| small::cramer_limit(row[0]));
}

#[test]
fn kolmogorov_exact_is_that_of_scipy() {
    check("ks_exact", 1e-9, |row| kolmogorov::two_sample(row[0], row[1], row[2]));
}

#[test]
fn kolmogorov_of_one_sample_is_that_of_scipy() {
    check("ks_asymptotic", 1e-9, |row| kolmogorov::one_sample(row[0], row[1]));
}

#[test]
fn fisher_is_that_of_scipy() {
    check("fisher", 1e-9, |row| {
        let paired = Paired {
            labels: vec![Some("a".to_owned()), Some("b".to_owned())],
            current: vec![row[0], row[1]],
            reference: vec![row[2], row[3]],
            exact: true,
            new_values: Vec::new(),
            vanished_values: Vec::new(),
        };
        discrete::fisher(&paired).p_value.expect("a p-value")
    });
}

/// Checks a p-value of two lists of values.
fn check_lists(name: &str, of: impl Fn(&Pooled) -> f64) {
    let sample = |value: &Value| {
        let values = value.as_array().expect("a list").iter().map(|value| (value.as_f64().expect("a number"), 1));
        Sample::new(values, true, false)
    };
    for row in rows(name) {
        let pooled = Pooled::new(&sample(&row[0]), &sample(&row[1]));
        close(&format!("{name} {row:?}"), of(&pooled), row[2].as_f64().expect("a number"), 1e-12);
    }
}

#[test]
fn few_rows_are_counted_out_as_in_scipy() {
    check_lists("mann_whitney_exact", |pooled| {
        numeric::mann_whitney(pooled).and_then(|tested| tested.p_value).expect("a p-value")
    });
    check_lists("cvm_exact", |pooled| {
        numeric::cramer_von_mises(pooled).and_then(|tested| tested.p_value).expect("a p-value")
    });
}
