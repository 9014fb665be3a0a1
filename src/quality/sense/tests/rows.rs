//! Suspicions about rows: keys that look alike, rows on both sides of a split, rows that are odd as a whole.

use std::path::Path;

use anyhow::{Context, Result};
use polars::prelude::Column;

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::Values;
use crate::data::source::{self, ReadOptions};
use crate::data::table::Table;
use crate::data::target::Target;
use crate::quality::sense::associate::spearman_squared;
use crate::quality::sense::conflicts::{Conflicts, of_columns};
use crate::quality::sense::forest::{Forest, mean_length};
use crate::quality::sense::leakage::given_away;
use crate::quality::sense::options::Isolation;
use crate::quality::sense::overlap::{overlap, repeated};
use crate::quality::sense::study::numbers;
use crate::quality::sense::tests::{
    ROWS, floats, found, integers, named, noise, only, options, rng, roles, table, texts,
};
use crate::spec::schema::Severity;

#[test]
fn keys_that_look_alike_are_found() -> Result<()> {
    let names = |row: usize| match row {
        7 => "Customer 3".to_owned(),
        9 => " customer  5".to_owned(),
        11 => "ｃustomer 5".to_owned(),
        _ => format!("customer {row}"),
    };
    let customers = table(vec![texts("name", names), noise("x")]);
    let mut keyed = options("");
    keyed.roles.key = vec!["name".to_owned()];
    let finding = only(&customers, &keyed, "NEAR_DUPLICATE_KEY")?;
    assert_eq!((finding.rows, finding.count), (vec![8, 10, 12], 3));
    assert_eq!(finding.samples[0], "Customer 3 ~ customer 3");
    assert_eq!(named(&found(&customers, &options(""))?, &["NEAR_DUPLICATE_KEY"]), [""; 0]);
    // Equal keys are the schema's to find, and a second key column tells rows apart.
    let equal = table(vec![texts("name", |row| format!("c{}", row % 300)), noise("x")]);
    assert_eq!(named(&found(&equal, &keyed)?, &["NEAR_DUPLICATE_KEY"]), [""; 0]);
    let two = table(vec![texts("name", names), integers("year", |row| row as i64)]);
    keyed.roles.key.push("year".to_owned());
    assert_eq!(named(&found(&two, &keyed)?, &["NEAR_DUPLICATE_KEY"]), [""; 0]);
    Ok(())
}

fn part(ids: std::ops::Range<i64>, label: i64) -> Table {
    let (ids, labels): (Vec<i64>, Vec<i64>) = ids.map(|id| (id, label)).unzip();
    let halves: Vec<f64> = ids.iter().map(|id| *id as f64 / 2.0).collect();
    table(vec![Column::new("id".into(), ids), Column::new("x".into(), halves), Column::new("y".into(), labels)])
}

#[test]
fn test_rows_that_were_trained_on_are_found() -> Result<()> {
    let key = ["id".to_owned()];
    let seen = |train: &Table, test: &Table, key: &[String]| -> Result<Vec<(u64, Vec<u64>, Severity)>> {
        let found = overlap(train, test, key, &roles("y", None))?;
        Ok(found.into_iter().map(|finding| (finding.count, finding.rows, finding.severity)).collect())
    };
    assert_eq!(seen(&part(0..50, 0), &part(50..90, 0), &key)?, []);
    let (warning, info) = (Severity::Warning, Severity::Info);
    let two = vec![1, 2];
    assert_eq!(seen(&part(0..50, 0), &part(48..60, 0), &key)?, [(2, two.clone(), warning), (2, two.clone(), warning)]);
    // Another label: the key and the features are known, the row as a whole is not.
    assert_eq!(seen(&part(0..50, 0), &part(48..60, 1), &key)?, [(2, two.clone(), warning), (2, two.clone(), info)]);
    // Repeats inside the test rows alone are none, and a column that one part lacks is left out.
    assert_eq!(seen(&part(0..50, 0), &part(60..61, 0).take(&[0, 0])?, &key)?, []);
    let unlabelled = part(49..60, 0).select(&["id", "x"])?;
    assert_eq!(seen(&part(0..50, 0), &unlabelled, &[])?, [(1, vec![1], warning)]);
    assert!(overlap(&part(0..9, 0), &part(0..9, 0), &["no".to_owned()], &roles("", None)).is_err());
    Ok(())
}

#[test]
fn parts_of_other_types_are_compared_as_numbers_or_refused() -> Result<()> {
    let column = |values: Vec<f64>| table(vec![Column::new("a".into(), values)]);
    let whole = table(vec![Column::new("a".into(), vec![1_i64, 2, 3])]);
    assert_eq!(overlap(&whole, &column(vec![2.0, 2.5]), &[], &roles("", None))?[0].rows, [1]);
    let words = table(vec![Column::new("a".into(), vec!["1", "2"])]);
    let error = overlap(&whole, &words, &[], &roles("", None)).expect_err("numbers are no text");
    assert!(error.to_string().contains("column `a` is"), "{error}");
    Ok(())
}

#[test]
fn path_lengths_are_those_of_the_paper() {
    // scikit-learn 1.9.1, _average_path_length.
    let known = [(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.207392357589623), (5, 2.327020052042847), (16, 4.695531732007486)];
    for (rows, length) in known.into_iter().chain([(256, 10.244770920119917), (1_000, 12.969940887100174)]) {
        assert!((mean_length(rows) - length).abs() < 1e-12, "{rows}: {}", mean_length(rows));
    }
}

#[test]
fn two_rows_are_a_cut_apart_each() {
    // One cut parts two rows, so both have a path of 1 = c(2), and 2^-1 for a score; equal rows have the same.
    let forest = Forest::grow(&[&[0.0, 1.0]], 5, 256, Seed(1));
    assert_eq!(forest.scores(&[&[0.0, 1.0, -3.0]]), [0.5; 3]);
    let equal = Forest::grow(&[&[2.0, 2.0]], 5, 256, Seed(1));
    assert_eq!(equal.scores(&[&[2.0]]), [0.5]);
}

fn views(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

fn bikeshare(names: &[&str]) -> Result<Vec<Vec<f64>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bikeshare/data/bikeshare.csv");
    let frame = source::read(&path, &ReadOptions::default(), &Silent)?.table.frame(names)?;
    frame.columns().iter().map(|column| numbers(column.values.clone()).context("numbers")).collect()
}

#[test]
fn scores_go_with_those_of_scikit_learn() -> Result<()> {
    let columns = bikeshare(&["temp", "atemp", "hum", "windspeed", "casual", "registered"])?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/isolation/bikeshare_scores.csv");
    let text = std::fs::read_to_string(path)?;
    let theirs: Vec<f64> = text.lines().skip(1).map(str::parse).collect::<Result<_, _>>()?;
    let ours = Forest::grow(&views(&columns), 100, 256, Seed(42)).scores(&views(&columns));
    assert_eq!(ours.len(), theirs.len());
    // Two forests of scikit-learn of other seeds have a rank correlation of 0.951.
    let together = spearman_squared(&ours, &theirs).sqrt();
    assert!(together >= 0.95, "rank correlation {together}");
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    assert!((mean(&ours) - mean(&theirs)).abs() < 0.01, "{} and {}", mean(&ours), mean(&theirs));
    let above = |scores: &[f64]| scores.iter().filter(|score| **score >= 0.6).count() as f64 / scores.len() as f64;
    assert!((0.003..0.02).contains(&above(&ours)), "{}", above(&ours));
    Ok(())
}

#[test]
fn rows_that_are_odd_as_a_whole_are_found_with_the_column() -> Result<()> {
    let mut normals = rng("forest");
    let mut draw = |name: &str, odd: f64| floats(name, |row| if row == 70 { odd } else { normals.normal() });
    let rows = table(vec![draw("a", 6.0), draw("b", 25.0), draw("c", -6.0)]);
    let mut growing = options("");
    growing.outliers.isolation = Isolation::Always;
    let finding = only(&rows, &growing, "OUTLIERS_ISOLATION")?;
    assert_eq!(finding.rows[0], 71);
    assert!(finding.samples[0].ends_with("; b 25.0 sets it apart most"), "{:?}", finding.samples);
    growing.outliers.contamination = Some(0.05);
    let finding = only(&rows, &growing, "OUTLIERS_ISOLATION")?;
    assert_eq!((finding.count, finding.rows.len()), (ROWS as u64 / 20, 20));
    growing.outliers.isolation = Isolation::UpTo(100);
    let finding = only(&rows, &growing, "SENSE_LIMITED")?;
    assert_eq!(finding.constraint, "an isolation forest is grown for up to 100 rows unless asked for");
    Ok(())
}

#[test]
fn a_forest_does_not_depend_on_the_order_of_rows() -> Result<()> {
    let columns = bikeshare(&["temp", "hum", "casual"])?;
    let turned: Vec<Vec<f64>> = columns.iter().map(|column| column.iter().rev().copied().collect()).collect();
    let mut scores = Forest::grow(&views(&turned), 20, 256, Seed(3)).scores(&views(&turned));
    scores.reverse();
    assert_eq!(scores, Forest::grow(&views(&columns), 20, 256, Seed(3)).scores(&views(&columns)));
    Ok(())
}

#[test]
fn rows_of_two_tables_are_compared_in_some_columns() -> Result<()> {
    let check = |columns: &[&str], wanted: &[(u32, u32)]| -> Result<()> {
        assert_eq!(repeated(&part(0..50, 0), &part(48..52, 1), columns)?, wanted, "{columns:?}");
        Ok(())
    };
    check(&["id", "x"], &[(0, 48), (1, 49)])?;
    check(&["x"], &[(0, 48), (1, 49)])?;
    check(&["id", "y"], &[])?;
    check(&[], &[])?;
    assert!(repeated(&part(0..5, 0), &part(0..5, 0), &["no"]).is_err());
    Ok(())
}

#[test]
fn rows_that_no_model_can_tell_apart_are_counted() -> Result<()> {
    let table =
        table(vec![texts("a", |row| ["p", "q"][row % 2].to_owned()), integers("b", |row| (row % 4 / 2) as i64)]);
    let codes: Vec<u32> = (0..table.rows()).map(|row| u32::from(row % 2 == 1 || row == 4)).collect();
    let rows = table.rows() as u64;
    assert_eq!(of_columns(&table, &["a"], &codes)?, Conflicts { rows: rows / 2, lost: 1 });
    assert_eq!(of_columns(&table, &["a", "b"], &codes)?, Conflicts { rows: rows / 4, lost: 1 });
    assert_eq!(of_columns(&table, &[], &codes)?, Conflicts { rows: 0, lost: 0 });
    assert!(of_columns(&table, &["no"], &codes).is_err());
    Ok(())
}

#[test]
fn one_column_may_give_the_target_away() {
    let classes = |code: fn(u32) -> u32| Target::Classes {
        names: ["n".to_owned(), "y".to_owned()].into(),
        codes: (0..500).map(code).collect(),
    };
    let numbers = Values::Number((0..500).map(f64::from).collect());
    let check =
        |target: &Target, wanted: bool| assert_eq!(given_away(&numbers, target).is_some(), wanted, "{target:?}");
    check(&classes(|row| u32::from(row > 200)), true);
    check(&classes(|row| u32::from(row * 7 % 11 > 5)), false);
    check(&Target::Numbers((0..500).map(|row| f64::from(row) * 3.0 + 1.0).collect()), true);
    check(&Target::Numbers((0..500).map(|row| f64::from(row * 7 % 11)).collect()), false);
    check(&Target::Numbers(vec![1.0; 500]), false);
    assert_eq!(given_away(&Values::Number(vec![f64::NAN; 500]), &classes(|row| row % 2)), None);
    assert_eq!(given_away(&Values::Number(Vec::new()), &Target::Numbers(Vec::new())), None);
}
