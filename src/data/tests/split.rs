//! How rows are divided.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::split::{NONE, Split, TEST, TRAIN, VALIDATION, split};
use crate::data::table::Table;
use crate::data::target::{Target, read_target};
use crate::data::tests::{failure, table};
use crate::spec::model::Task;
use crate::spec::split::{SplitMethod, SplitSpec};

fn spec(method: SplitMethod, column: Option<&str>) -> SplitSpec {
    SplitSpec { method, column: column.map(str::to_owned), ..SplitSpec::default() }
}

/// A table `n,y` whose class `y` is given for every row.
fn classes(names: &[&str]) -> Result<(Table, Target, Vec<u32>)> {
    let rows: Vec<String> = names.iter().enumerate().map(|(row, name)| format!("{row},{name}")).collect();
    let table = table(&format!("n,y\n{}\n", rows.join("\n")))?;
    let (target, rows) = read_target(&table, "y", Task::Multiclass)?;
    Ok((table, target, rows))
}

#[test]
fn random_rows_add_up_and_repeat() -> Result<()> {
    let rows: Vec<String> = (0..103).map(|row| format!("{row},{}", f64::from(row) / 7.0)).collect();
    let table = table(&format!("n,y\n{}\n", rows.join("\n")))?;
    let (target, rows) = read_target(&table, "y", Task::Regression)?;
    let make = |seed: u64| split(&table, Some(&target), &rows, &SplitSpec::default(), &[], Seed(seed));
    let first = make(1)?;
    assert_eq!(first.counts(), [61, 21, 21]);
    assert_eq!(first, make(1)?);
    assert_ne!(first, make(2)?);
    assert_eq!(Split::from_parts(first.parts().to_vec())?, first);
    assert!(Split::from_parts(vec![0, 4]).is_err());
    let without_target = split(&table, None, &[], &spec(SplitMethod::Random, None), &[], Seed(1))?;
    assert_eq!(without_target.counts(), [61, 21, 21]);
    Ok(())
}

#[test]
fn every_class_keeps_its_share_within_one_row() -> Result<()> {
    let sizes = [("a", 137), ("b", 41), ("c", 7), ("d", 2), ("e", 1), ("NA", 9)];
    let names: Vec<&str> = sizes.iter().flat_map(|(name, size)| std::iter::repeat_n(*name, *size)).collect();
    let (table, target, rows) = classes(&names)?;
    let divided = split(&table, Some(&target), &rows, &SplitSpec::default(), &[], Seed(5))?;
    // 188 rows have a class: round(37.6) = 38 for each of the held-out parts.
    assert_eq!(divided.counts(), [112, 38, 38]);
    assert_eq!(divided.rows(NONE).len(), 9);
    for (name, size) in sizes.iter().take(5) {
        let of = |part: u8| divided.rows(part).iter().filter(|row| names[**row as usize] == *name).count();
        assert!(of(TRAIN) >= 1, "{name}");
        for part in [VALIDATION, TEST] {
            assert!((of(part) as f64 - 0.2 * *size as f64).abs() < 1.0, "{name} {part} {}", of(part));
        }
    }
    Ok(())
}

#[test]
fn groups_stay_together() -> Result<()> {
    let rows: Vec<String> = (0..300)
        .map(|row| format!("{},{}", if row < 20 { String::new() } else { format!("g{}", row % 37) }, row))
        .collect();
    let table = table(&format!("g,n\n{}\n", rows.join("\n")))?;
    let divided = split(&table, None, &[], &spec(SplitMethod::Group, Some("g")), &[], Seed(3))?;
    let mut part_of = std::collections::HashMap::new();
    for row in 0..300 {
        let part = divided.parts()[row];
        assert_eq!(*part_of.entry(table.cell(row, "g")).or_insert(part), part);
    }
    let [train, validation, test] = divided.counts();
    assert!(
        train.abs_diff(180) <= 10 && validation.abs_diff(60) <= 10 && test.abs_diff(60) <= 10,
        "{train} {validation} {test}"
    );
    Ok(())
}

#[test]
fn too_few_groups_are_refused() -> Result<()> {
    let table = table("g,n\na,1\na,2\na,3\nb,4\nb,5\nb,6\n")?;
    let refused = failure(split(&table, None, &[], &spec(SplitMethod::Group, Some("g")), &[], Seed(3)));
    assert!(refused.what.starts_with("[split] leaves no"), "{}", refused.what);
    Ok(())
}

#[test]
fn later_rows_are_held_out() -> Result<()> {
    let days = ["2024-01-05", "2024-01-01", "2024-01-04", "2024-01-02", "2024-01-03", "2024-01-05"];
    let table = table(&format!("d,n\n{}\n", days.map(|day| format!("{day},1")).join("\n")))?;
    let divided = split(&table, None, &[], &spec(SplitMethod::Time, Some("d")), &[], Seed(0))?;
    // Two rows of the last day stay together although 0.2 of six rows is one.
    assert_eq!(divided.parts(), [TEST, TRAIN, VALIDATION, TRAIN, TRAIN, TEST]);
    let word = failure(split(
        &self::table("d,n\nx,1\ny,2\nz,3\nw,1\nv,2\n")?,
        None,
        &[],
        &spec(SplitMethod::Time, Some("d")),
        &[],
        Seed(0),
    ));
    assert!(word.what.contains("is text; a time split needs times or numbers"));
    let gap = failure(split(
        &self::table("d,n\n1,1\nNA,2\n3,3\n4,4\n5,5\n")?,
        None,
        &[],
        &spec(SplitMethod::Time, Some("d")),
        &[],
        Seed(0),
    ));
    assert!(gap.what.contains("is missing in row 2"), "{}", gap.what);
    let two = failure(split(
        &self::table("d,n\n1,1\n1,2\n1,3\n2,4\n2,5\n")?,
        None,
        &[],
        &spec(SplitMethod::Time, Some("d")),
        &[],
        Seed(0),
    ));
    assert!(two.what.contains("has too few distinct times"), "{}", two.what);
    Ok(())
}

#[test]
fn a_column_may_say_it() -> Result<()> {
    let table = table("p,n\ntrain,1\ntest,2\nNA,3\nvalidation,4\ntrain,5\n")?;
    let divided = split(&table, None, &[], &spec(SplitMethod::Column, Some("p")), &[], Seed(0))?;
    assert_eq!(divided.parts(), [TRAIN, TEST, NONE, VALIDATION, TRAIN]);
    let odd = self::table("p,n\ntrain,1\nholdout,2\n")?;
    let refused = failure(split(&odd, None, &[], &spec(SplitMethod::Column, Some("p")), &[], Seed(0)));
    assert_eq!(refused.what, "[split] column `p` holds `holdout` in row 2");
    let unknown = failure(split(&odd, None, &[], &spec(SplitMethod::Group, Some("q")), &[], Seed(0)));
    assert!(unknown.what.contains("unknown column `q`"));
    Ok(())
}

#[test]
fn parts_that_cannot_be_filled_are_refused() -> Result<()> {
    let (table, target, rows) = classes(&["a", "b"])?;
    let few = failure(split(&table, Some(&target), &rows, &SplitSpec::default(), &[], Seed(0)));
    assert!(few.what.contains("2 rows with a target are too few"), "{}", few.what);
    let numbers = Target::Numbers(vec![1.0, 2.0]);
    let no_classes = failure(split(&table, Some(&numbers), &rows, &spec(SplitMethod::Stratified, None), &[], Seed(0)));
    assert!(no_classes.what.contains("needs a target with classes"));
    let (table, target, rows) = classes(&["a", "b", "c", "d", "e", "f"])?;
    let singles = failure(split(&table, Some(&target), &rows, &SplitSpec::default(), &[], Seed(0)));
    assert!(singles.what.contains("leaves no validation rows"), "{}", singles.what);
    Ok(())
}

#[test]
fn only_training_rows_reach_a_fit() -> Result<()> {
    let table = table("n,y\n0,a\n1,NA\n2,b\n3,a\n4,b\n")?;
    let (target, rows) = read_target(&table, "y", Task::Binary)?;
    let divided = Split::from_parts(vec![TRAIN, TRAIN, TEST, VALIDATION, TRAIN])?;
    let frame = table.frame(&["n"])?;
    let training = divided.training(&frame, &target, &rows)?;
    assert_eq!(training.frame(), &frame.take(&[0, 4]));
    assert_eq!(training.target(), &Target::Classes { names: ["a", "b"].map(str::to_owned).into(), codes: vec![0, 1] });
    assert!(divided.training(&frame.take(&[0]), &target, &rows).is_err());
    let none = Split::from_parts(vec![TEST, TRAIN, TEST, TEST, TEST])?;
    assert!(failure(none.training(&frame, &target, &rows)).what.contains("no training row has a target"));
    Ok(())
}
