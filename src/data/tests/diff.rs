//! Two tables side by side: rows by key, whole rows, statistics.

use std::fmt::Write;

use anyhow::Result;
use proptest::collection::vec;
use proptest::prelude::ProptestConfig;
use proptest::{prop_assert_eq, proptest};

use crate::data::diff::statistics::compare;
use crate::data::diff::{RowDiff, by_key, by_rows, changes, same_value};
use crate::data::profile::profile;
use crate::data::source::ReadOptions;
use crate::data::tests::{cells, read_file, table};
use crate::spec::schema::ColumnType;

/// `-1 +2 ~3>4 =5`: removed, added and changed rows by number, and how many are the same.
fn written(diff: &RowDiff) -> String {
    let mut text = String::new();
    let one = |row: &u32| row + 1;
    diff.removed.iter().map(one).for_each(|row| write!(text, "-{row} ").expect("a String"));
    diff.added.iter().map(one).for_each(|row| write!(text, "+{row} ").expect("a String"));
    diff.changed.iter().for_each(|(old, new)| write!(text, "~{}>{} ", old + 1, new + 1).expect("a String"));
    write!(text, "={}", diff.unchanged).expect("a String");
    text
}

#[test]
fn rows_are_compared_by_key() -> Result<()> {
    let cases = [
        ("k,a\n1,x\n2,y\n", "k,a\n1,x\n2,y\n", "=2"),
        ("k,a\n1,x\n2,y\n", "k,a\n2,y\n1,x\n", "=2"),
        ("k,a\n1,x\n2,y\n", "k,a\n1,x\n3,y\n", "-2 +2 =1"),
        ("k,a\n1,x\n2,y\n", "k,a\n1,x\n2,z\n", "~2>2 =1"),
        // Another type, the same worth; another worth.
        ("k,a\n1,1\n2,2\n", "k,a\n1,1.0\n2,2.5\n", "~2>2 =1"),
        ("k,a\n1,1\n2,2\n", "k,a\n1.0,1\n2.5,2\n", "-2 +2 =1"),
        // Integers beyond what a float holds are compared exactly.
        ("k,a\n1,9007199254740993\n", "k,a\n1,9007199254740992.0\n", "~1>1 =0"),
        ("k,a\n1,0.0\n2,nan\n3,-0.0\n4,1.5\n", "k,a\n1,-0.0\n2,nan\n3,0\n4,1.5\n", "=4"),
        ("k,a\n1,inf\n2,-inf\n3,1.5\n", "k,a\n1,inf\n2,inf\n3,1.5\n", "~2>2 =2"),
        // A missing value equals another missing value.
        ("k,a\n1,\n2,x\n", "k,a\n1,\n2,\n", "~2>2 =1"),
        // A day is its midnight.
        ("k,a\n1,2024-01-02\n", "k,a\n1,2024-01-02T00:00:00Z\n", "=1"),
        // Repeated keys: equal rows first, the others in order.
        ("k,a\n1,x\n1,y\n", "k,a\n1,y\n1,x\n", "=2"),
        ("k,a\n1,x\n1,y\n", "k,a\n1,y\n1,z\n", "~1>2 =1"),
        ("k,a\n1,x\n1,y\n1,z\n", "k,a\n1,w\n", "-2 -3 ~1>1 =0"),
        ("k,a\n1,x\n", "k,a\n1,x\n1,x\n", "+2 =1"),
        // A key may be missing.
        ("k,a\n,x\n2,y\n", "k,a\n,z\n2,y\n", "~1>1 =1"),
        // Columns that one side alone has are not compared.
        ("k,a,b\n1,x,p\n", "k,a,c\n1,x,q\n", "=1"),
    ];
    for (old, new, wanted) in cases {
        let options = ReadOptions { null_values: Some(vec![]), ..ReadOptions::default() };
        let read = |text: &str| read_file("t.csv", text.as_bytes(), &options).map(|read| read.table);
        let (old_table, new_table) = (read(old)?, read(new)?);
        let diff = by_key(&old_table, &new_table, &["k".to_owned()])?;
        assert_eq!(written(&diff), wanted, "{old}\n{new}");
    }
    Ok(())
}

#[test]
fn whole_rows_are_a_multiset() -> Result<()> {
    let cases = [
        ("a,b\n1,x\n2,y\n", "a,b\n2,y\n1,x\n", "=2"),
        ("a,b\n1,x\n1,x\n1,x\n", "a,b\n1,x\n", "-2 -3 =1"),
        ("a,b\n1,x\n", "a,b\n1,x\n1,x\n2,x\n", "+2 +3 =1"),
        ("a,b\n1,x\n", "b,a\nx,1\n", "=1"),
        ("a\n1\n", "a\n1.0\n", "=1"),
        ("a\n1\n", "b\n1\n", "-1 +1 =0"),
        ("a\n007\n", "a\n7\n", "-1 +1 =0"),
    ];
    for (old, new, wanted) in cases {
        assert_eq!(written(&by_rows(&table(old)?, &table(new)?)?), wanted, "{old}\n{new}");
    }
    Ok(())
}

#[test]
fn changes_are_counted_by_column_and_repeats_said() -> Result<()> {
    let old = table("k,a,b\n1,x,1\n2,y,2\n3,z,3\n3,z,3\n")?;
    let new = table("k,a,b\n1,X,1\n2,Y,9\n3,z,3\n3,z,3\n")?;
    let diff = by_key(&old, &new, &["k".to_owned()])?;
    assert_eq!(diff.changed_cells, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(diff.repeated_keys, (1, 1));
    assert!(by_key(&old, &new, &["K".to_owned()]).is_err());
    assert!(same_value((&old, 0), (&new, 0), "b") && !same_value((&old, 0), (&new, 0), "a"));
    assert!(!same_value((&old, 0), (&new, 0), "nowhere"));
    Ok(())
}

#[test]
fn differing_rows_make_a_table() -> Result<()> {
    let old = table("k,a,b,gone\n1,1,x,p\n2,2,y,p\n3,3,z,p\n")?;
    let new = table("change,k,a,b\nq,2,2.5,y\nq,3,3,7\nq,4,4,\n")?;
    let diff = by_key(&old, &new, &["k".to_owned()])?;
    let all = changes::table(&old, &new, &diff)?;
    assert_eq!(cells(&all, "change"), ["removed", "old", "new", "old", "new", "added"]);
    assert_eq!(cells(&all, "k"), ["1", "2", "2", "3", "3", "4"]);
    assert_eq!(cells(&all, "a"), ["1.0", "2.0", "2.5", "3.0", "3.0", "4.0"]);
    assert_eq!(cells(&all, "b"), ["x", "y", "y", "z", "7", "-"]);
    let names: Vec<String> = all.columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["change", "k", "a", "b"]);
    let none = changes::table(&old, &old, &by_rows(&old, &old)?)?;
    assert_eq!((none.rows(), none.columns().len()), (0, 5));
    Ok(())
}

#[test]
fn types_that_do_not_fit_become_text() -> Result<()> {
    let diff = changes::table(
        &table("a\n2024-01-02\n")?,
        &table("a\ntrue\n")?,
        &by_rows(&table("a\n2024-01-02\n")?, &table("a\ntrue\n")?)?,
    )?;
    assert_eq!(cells(&diff, "a"), ["2024-01-02", "true"]);
    Ok(())
}

#[test]
fn statistics_that_moved_come_biggest_first() -> Result<()> {
    let old = table("n,t,d,same\n1,a,2024-01-01,1\n2,a,2024-01-02,1\n3,b,2024-01-03,1\n")?;
    let new = table("n,t,d,same,more\n101,a,2024-01-01,1,1\n102,,2024-01-02,1,1\n103.5,b,2024-01-09,1,1\n")?;
    let diff = compare(&profile(&old), &profile(&new));
    let names = |columns: &[crate::record::dataset::ColumnRecord]| {
        columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&diff.added), diff.removed.len(), diff.reordered), (vec!["more".to_owned()], 0, false));
    let retyped: Vec<_> = diff.retyped.iter().map(|column| (&*column.name, column.old, column.new)).collect();
    assert_eq!(retyped, [("n", ColumnType::Integer, ColumnType::Float)]);
    assert_eq!(diff.statistics[0].column, "n");
    assert!(diff.statistics.windows(2).all(|pair| pair[0].change >= pair[1].change));
    assert!(diff.statistics.iter().all(|change| change.column != "same" && change.change.is_finite()));
    let find = |column: &str, statistic: &str| {
        let found = diff.statistics.iter().find(|change| change.column == column && change.statistic == statistic);
        found.map(|change| (change.old.to_string(), change.new.to_string()))
    };
    let pair = |old: &str, new: &str| Some((old.to_owned(), new.to_owned()));
    assert_eq!(find("n", "min"), pair("1", "101"));
    assert_eq!(find("n", "median"), pair("2", "102"));
    assert_eq!(find("d", "max"), pair("\"2024-01-03\"", "\"2024-01-09\""));
    assert_eq!(find("t", "share of \"b\""), pair("0.3333333333333333", "0.5"));
    assert_eq!(find("t", "missing_share"), pair("0", "0.3333333333333333"));
    assert!(compare(&profile(&old), &profile(&old)).is_empty());
    let moved = compare(&profile(&old), &profile(&old.select(&["t", "n", "d", "same"])?));
    assert!(moved.reordered && moved.statistics.is_empty());
    Ok(())
}

#[test]
fn huge_numbers_do_not_overflow_a_change() -> Result<()> {
    let diff = compare(&profile(&table("a\n-1.7e308\n1.0\n")?), &profile(&table("a\n1.7e308\n1.0\n")?));
    assert!(!diff.statistics.is_empty() && diff.statistics.iter().all(|change| change.change.is_finite()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// Against the plain definition: for every row, how often each table has it.
    #[test]
    fn a_multiset_by_its_definition(old in vec((0..4_u8, 0..3_u8), 1..40), new in vec((0..4_u8, 0..3_u8), 1..40)) {
        let text = |rows: &[(u8, u8)]| {
            rows.iter().fold("a,b\n".to_owned(), |text, (a, b)| text + &format!("{a},{b}\n"))
        };
        let diff = table(&text(&old)).and_then(|a| by_rows(&a, &table(&text(&new))?)).expect("small tables compare");
        let count = |rows: &[(u8, u8)], row: (u8, u8)| rows.iter().filter(|other| **other == row).count();
        let (mut removed, mut added) = (0, 0);
        for row in (0..4).flat_map(|a| (0..3).map(move |b| (a, b))) {
            removed += count(&old, row).saturating_sub(count(&new, row));
            added += count(&new, row).saturating_sub(count(&old, row));
        }
        prop_assert_eq!((diff.removed.len(), diff.added.len()), (removed, added));
        prop_assert_eq!(diff.unchanged as usize, old.len() - removed);
        // By a key that repeats, every row is accounted for once on each side.
        let keyed = table(&text(&old)).and_then(|a| by_key(&a, &table(&text(&new))?, &["a".to_owned()]));
        let keyed = keyed.expect("small tables compare");
        let both = keyed.changed.len() + keyed.unchanged as usize;
        prop_assert_eq!(keyed.removed.len() + both, old.len());
        prop_assert_eq!(keyed.added.len() + both, new.len());
    }
}

/// Where the empty field is empty text, not a missing value, is for the reader of CSV to say; here both are at hand.
#[test]
fn a_missing_value_is_not_empty_text() -> Result<()> {
    let with_text = |text: &str| table("a\nx\n").and_then(|table| table.with_texts("b", vec![text.to_owned()]));
    let missing = table("a,b\nx,\n")?;
    let diff = by_rows(&with_text("")?, &missing)?;
    assert_eq!(written(&diff), "-1 +1 =0");
    assert_eq!(written(&by_rows(&with_text("")?, &with_text("")?)?), "=1");
    Ok(())
}
