//! Features that give the target away, alone or two together, and copies of features.

use anyhow::Result;
use polars::prelude::Column;

use crate::quality::sense::associate::{information, pearson_squared, ranks, roc_area, spearman_squared};
use crate::quality::sense::tests::{
    ROWS, floats, found, gaps, integers, named, noise, only, options, rng, table, texts,
};
use crate::spec::schema::Severity;

const CODES: [&str; 2] = ["LEAKAGE", "DUPLICATE_COLUMN"];

/// A number to predict that depends on noise.
fn number(row: usize) -> f64 {
    let mut rng = rng(&format!("number {row}"));
    (rng.normal() * 100.0).round() / 10.0
}

/// One of three classes.
fn class(row: usize) -> usize {
    rng(&format!("class {row}")).below(3) as usize
}

fn check(columns: Vec<Column>, expected: &[&str]) -> Result<()> {
    let seen = found(&table(columns), &options("y"))?;
    assert_eq!(named(&seen, &CODES), expected, "{seen:#?}");
    Ok(())
}

#[test]
fn numbers_that_are_the_target_are_found() -> Result<()> {
    let y = || floats("y", number);
    let leak = ["LEAKAGE:f"];
    check(vec![y(), floats("f", number)], &leak)?;
    check(vec![y(), floats("f", |row| 3.0 - 2.0 * number(row))], &leak)?;
    check(vec![y(), floats("f", |row| (number(row) / 3.0).exp())], &leak)?;
    check(vec![y(), floats("f", |row| number(row) + 0.01 * noise_of(row))], &leak)?;
    check(vec![y(), gaps("f", |row| (row % 3 > 0).then(|| number(row)))], &leak)?;
    check(vec![y(), texts("f", |row| format!("v{}", number(row).round()))], &[])?;
    check(vec![y(), floats("f", |row| number(row) + 3.0 * noise_of(row))], &[])?;
    check(vec![y(), noise("f")], &[])?;
    // One huge pair makes a correlation of 1 all by itself.
    let huge = |row: usize, value: f64| if row == 11 { 1e12 } else { value };
    check(vec![floats("y", |row| huge(row, number(row))), floats("f", |row| huge(row, noise_of(row)))], &[])
}

fn noise_of(row: usize) -> f64 {
    rng(&format!("more {row}")).normal()
}

#[test]
fn features_that_are_the_class_are_found() -> Result<()> {
    let y = || texts("y", |row| ["a", "b", "c"][class(row)].to_owned());
    let leak = ["LEAKAGE:f"];
    check(vec![y(), texts("f", |row| ["x", "y", "z"][class(row)].to_owned())], &leak)?;
    check(vec![y(), integers("f", |row| 2 * class(row) as i64 + row as i64 % 2)], &leak)?;
    check(vec![y(), floats("f", |row| class(row) as f64 * 10.0 + noise_of(row))], &leak)?;
    check(vec![y(), texts("f", |row| ["x", "y", "y"][class(row)].to_owned())], &[])?;
    check(vec![y(), floats("f", |row| class(row) as f64 * 2.0 + noise_of(row))], &[])?;
    let two = || integers("y", |row| i64::from(class(row) == 0));
    check(vec![two(), floats("f", |row| f64::from(u8::from(class(row) == 0)) * 20.0 + noise_of(row))], &leak)?;
    check(vec![two(), floats("f", |row| f64::from(u8::from(class(row) == 0)) * -20.0 + noise_of(row))], &leak)?;
    check(vec![two(), floats("f", |row| f64::from(u8::from(class(row) == 0)) * 2.0 + noise_of(row))], &[])?;
    // Text of which every value occurs once decides anything, and says nothing.
    check(vec![two(), texts("f", |row| format!("row {row}"))], &[])
}

#[test]
fn gaps_that_are_the_class_are_found() -> Result<()> {
    let y = || texts("y", |row| ["kept", "left", "lost"][class(row)].to_owned());
    let gaps_where = |class_of_gaps: usize| gaps("f", move |row| (class(row) != class_of_gaps).then(|| noise_of(row)));
    let finding = only(&table(vec![y(), gaps_where(1)]), &options("y"), "LEAKAGE")?;
    assert!(finding.observed.starts_with("`f` is missing in exactly the "), "{}", finding.observed);
    let present = gaps("f", |row| (class(row) == 2).then(|| noise_of(row)));
    let finding = only(&table(vec![y(), present]), &options("y"), "LEAKAGE")?;
    assert!(finding.observed.contains("is present in exactly the "), "{}", finding.observed);
    check(vec![y(), gaps("f", |row| (class(row) != 1 || row == 200).then(|| noise_of(row)))], &[])?;
    check(vec![y(), gaps("f", |row| (row % 4 > 0).then(|| noise_of(row)))], &[])
}

#[test]
fn two_features_that_make_the_target_are_found() -> Result<()> {
    let (a, b) = (|row: usize| number(row), |row: usize| 1.0 + (noise_of(row) * 10.0).abs().round());
    let with = |y: Column| vec![noise("x"), floats("a", a), floats("b", b), y];
    check(with(floats("y", |row| a(row) + b(row))), &["LEAKAGE:a"])?;
    check(with(floats("y", |row| a(row) - b(row))), &["LEAKAGE:a"])?;
    check(with(floats("y", |row| b(row) - a(row))), &["LEAKAGE:b"])?;
    check(with(floats("y", |row| a(row) * b(row))), &["LEAKAGE:a"])?;
    check(with(floats("y", |row| (a(row) / b(row) * 1e4).round() / 1e4)), &["LEAKAGE:a"])?;
    check(with(floats("y", |row| a(row) + b(row) + noise_of(row))), &[])?;
    check(with(floats("y", |row| if row % 50 == 0 { 0.0 } else { a(row) + b(row) })), &[])
}

#[test]
fn a_sum_says_both_features_and_how_to_leave_them_out() -> Result<()> {
    let columns = vec![
        integers("y", |row| (row * row % 91 + row % 7) as i64),
        integers("a", |row| (row * row % 91) as i64),
        integers("b", |row| row as i64 % 7),
    ];
    let finding = only(&table(columns), &options("y"), "LEAKAGE")?;
    assert_eq!(finding.observed, "`a` + `b` = `y` in 400 of 400 rows (100 %)");
    assert_eq!(finding.fix, "add \"a\" and \"b\" to [data] ignore in mlops.toml");
    assert_eq!((finding.severity, finding.count), (Severity::Warning, ROWS as u64));
    assert_eq!(finding.samples[1], "a 1, b 1, y 2");
    Ok(())
}

#[test]
fn more_pairs_than_are_searched_are_said() -> Result<()> {
    let columns = ["y", "a", "b", "c"].map(noise).to_vec();
    let mut few = options("y");
    few.pair_columns_max = 2;
    let finding = only(&table(columns), &few, "SENSE_LIMITED")?;
    assert_eq!((finding.count, finding.severity), (1, Severity::Info));
    Ok(())
}

#[test]
fn copies_of_features_are_found() -> Result<()> {
    let copy = ["DUPLICATE_COLUMN:f"];
    let a = || floats("a", number);
    check(vec![a(), noise("y"), floats("f", number)], &copy)?;
    check(vec![a(), noise("y"), floats("f", |row| 32.0 + 1.8 * number(row))], &copy)?;
    check(vec![a(), noise("y"), floats("f", |row| -number(row))], &copy)?;
    check(vec![a(), noise("y"), floats("f", |row| if row == 390 { 1.0 } else { number(row) })], &[])?;
    check(vec![a(), noise("y"), floats("f", |row| number(row) + 0.2 * noise_of(row))], &[])?;
    let words = || texts("w", |row| ["red", "green", "blue"][class(row)].to_owned());
    check(vec![words(), noise("y"), integers("f", |row| 10 - class(row) as i64)], &copy)?;
    check(vec![words(), noise("y"), texts("f", |row| ["red", "green", "blue"][class(row)].to_owned())], &copy)?;
    check(vec![words(), noise("y"), integers("f", |row| class(row).min(1) as i64)], &[])
}

#[test]
fn measures_of_association_are_exact() {
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    assert_eq!(ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    close(pearson_squared(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]), 0.64);
    close(pearson_squared(&[1e308, -1e308, 5e307], &[2e-300, -2e-300, 1e-300]), 1.0);
    close(pearson_squared(&[1e15, 1e15, 1e15], &[1.0, 2.0, 3.0]), 0.0);
    close(spearman_squared(&[1.0, 2.0, 3.0, 4.0], &[1.0, 8.0, 27.0, 64.0]), 1.0);
    // scikit-learn's example: roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) is 0.75.
    close(roc_area(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]).unwrap_or(0.0), 0.75);
    assert_eq!(roc_area(&[1.0], &[true]), None);
    let told = information(&[0, 0, 1, 1], 2, &[0, 0, 1, 1], 2);
    assert_eq!((told.rows, told.levels, told.classes, told.pairs, told.share), (4, 2, 2, 2, 1.0));
    let nothing = information(&[0, 1, 0, 1], 2, &[0, 0, 1, 1], 2);
    assert_eq!((nothing.pairs, nothing.share), (4, 0.0));
}
