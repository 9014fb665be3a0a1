//! Suspicions about the target: rare classes, zeros, labels that contradict each other.

use anyhow::Result;

use crate::quality::sense::tests::{floats, found, integers, named, noise, only, options, rng, table, texts};
use crate::spec::schema::Severity;

const CODES: [&str; 6] =
    ["CLASS_IMBALANCE", "RARE_CLASS", "ZERO_INFLATED_TARGET", "TARGET_OUTLIERS", "TARGET_UNUSABLE", "LABEL_CONFLICT"];

/// What a target beside a feature of noise raises.
fn check(target: polars::prelude::Column, expected: &[&str]) -> Result<()> {
    let seen = found(&table(vec![noise("x"), noise("z"), target]), &options("y"))?;
    let wanted: Vec<String> = expected.iter().map(|code| format!("{code}:y")).collect();
    assert_eq!(named(&seen, &CODES), wanted, "{seen:#?}");
    Ok(())
}

#[test]
fn shares_of_classes_are_judged() -> Result<()> {
    let one_in = |share: usize| integers("y", move |row| i64::from(row % share == 0));
    check(one_in(2), &[])?;
    check(one_in(4), &[])?;
    check(one_in(5), &["CLASS_IMBALANCE"])?;
    check(one_in(40), &["CLASS_IMBALANCE"])?;
    check(one_in(100), &["CLASS_IMBALANCE", "RARE_CLASS"])?;
    let severe = only(&table(vec![noise("x"), one_in(40)]), &options("y"), "CLASS_IMBALANCE")?;
    assert_eq!(severe.severity, Severity::Warning);
    assert_eq!(severe.observed, "\"0\" 97.5 % (390) to \"1\" 2.5 % (10): 39.0 times, of 2 classes");
    let mild = only(&table(vec![noise("x"), one_in(10)]), &options("y"), "CLASS_IMBALANCE")?;
    assert_eq!((mild.severity, mild.count), (Severity::Info, 40));
    Ok(())
}

#[test]
fn shapes_of_numbers_to_predict_are_told() -> Result<()> {
    let mut amounts = rng("amounts");
    check(noise("y"), &[])?;
    check(floats("y", move |row| if row % 2 == 0 { 0.0 } else { amounts.unit() }), &["ZERO_INFLATED_TARGET"])?;
    check(floats("y", |row| if row == 3 { 1e6 } else { (row % 19) as f64 + 0.5 }), &["TARGET_OUTLIERS"])
}

#[test]
fn a_target_that_cannot_be_predicted_is_said() -> Result<()> {
    check(integers("y", |_| 1), &["TARGET_UNUSABLE"])?;
    // A target that is not there is that of a table to predict.
    let seen = found(&table(vec![noise("x")]), &options("y"))?;
    assert_eq!(named(&seen, &CODES), [""; 0]);
    Ok(())
}

#[test]
fn equal_features_with_different_labels_are_found() -> Result<()> {
    // 20 kinds of 20 rows; in kind 3 five rows are labelled otherwise.
    let columns = vec![
        integers("kind", |row| row as i64 % 20),
        texts("same", |row| format!("k{}", row % 20)),
        integers("y", |row| if row % 20 == 3 && row < 100 { 1 } else { i64::from(row % 20 > 10) }),
    ];
    let finding = only(&table(columns.clone()), &options("y"), "LABEL_CONFLICT")?;
    assert_eq!(finding.observed, "20 of 400 rows (5 %) in 1 group; the best accuracy possible is 98.75 %");
    assert_eq!((finding.count, finding.severity), (20, Severity::Warning));
    assert_eq!(finding.rows, [4, 104]);
    assert_eq!(finding.samples[0], "y 1, 20 rows with these features");
    let mut with_noise = columns.clone();
    with_noise.push(noise("x"));
    with_noise.push(integers("unique", |row| row as i64));
    assert_eq!(named(&found(&table(with_noise.clone()), &options("y"))?, &["LABEL_CONFLICT"]), [""; 0]);
    // Columns that are no features do not tell rows apart.
    let mut ignoring = options("y");
    ignoring.roles.ignore = vec!["x".to_owned(), "unique".to_owned()];
    assert_eq!(named(&found(&table(with_noise), &ignoring)?, &["LABEL_CONFLICT"]), ["LABEL_CONFLICT:y"]);
    Ok(())
}
