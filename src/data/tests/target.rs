//! What is predicted.

use anyhow::Result;

use crate::data::target::{Target, infer_task, read_target, target_against, target_known};
use crate::data::tests::{failure, table};
use crate::spec::model::Task::{self, Binary, Multiclass, Regression};

fn column(values: &[&str]) -> String {
    format!("y,x\n{}\n", values.iter().map(|value| format!("{value},1")).collect::<Vec<_>>().join("\n"))
}

#[track_caller]
fn check_task(values: &[&str], wanted: Task, why: &str) {
    let table = table(&column(values)).expect("the table is well formed");
    let (task, said) = infer_task(&table, "y").expect("the target is usable");
    assert_eq!(task, wanted, "{said}");
    assert_eq!(said, format!("target `y` {why}"));
}

#[test]
fn tasks_are_told_from_values() {
    check_task(&["yes", "no", "NA", "yes"], Binary, "is text with 2 distinct values: binary");
    check_task(&["a", "b", "c"], Multiclass, "is text with 3 distinct values: multiclass");
    check_task(&["true", "false"], Binary, "is boolean with 2 distinct values: binary");
    check_task(&["0", "1", "NA"], Binary, "has 2 distinct integers: binary");
    check_task(&["1000", "2000"], Binary, "has 2 distinct integers: binary");
    check_task(&["1", "2", "3"], Multiclass, "has 3 distinct integers: multiclass");
    check_task(&["2007", "2008", "2009"], Regression, "has 3 distinct integers: regression");
    check_task(
        &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
        Regression,
        "has 11 distinct integers: regression",
    );
    check_task(&["0.5", "1.5"], Regression, "holds floats: regression");
}

#[test]
fn targets_that_teach_nothing_are_refused() -> Result<()> {
    for (values, wanted) in [
        (&["a", "a", "NA"][..], "has the same value in every row: `a`"),
        (&["3", "3"], "has the same value in every row: `3`"),
        (&["NA", "NA"], "has no values"),
        (&["2024-01-01", "2024-01-02"], "is a date, which cannot be predicted"),
    ] {
        let table = table(&column(values))?;
        assert!(failure(infer_task(&table, "y")).what.contains(wanted), "{values:?}");
        assert!(failure(read_target(&table, "y", Multiclass)).what.contains(wanted), "{values:?}");
    }
    assert!(failure(read_target(&table(&column(&["1.5", "1.5"]))?, "y", Regression)).what.contains("same value"));
    let misnamed = failure(infer_task(&table("species,x\na,1\nb,2\n")?, "speceis"));
    assert_eq!(misnamed.hint.as_deref(), Some("did you mean `species`?"));
    Ok(())
}

#[test]
fn classes_are_sorted_and_gaps_left_out() -> Result<()> {
    let (target, rows) = read_target(&table(&column(&["10", "NA", "9", "100", "9"]))?, "y", Multiclass)?;
    assert_eq!(
        target,
        Target::Classes { names: ["9", "10", "100"].map(str::to_owned).into(), codes: vec![1, 0, 2, 0] }
    );
    assert_eq!(rows, [0, 2, 3, 4]);
    let (words, _) = read_target(&table(&column(&["b", "a", "B"]))?, "y", Multiclass)?;
    assert_eq!(words.classes(), ["B", "a", "b"]);
    let (floats, _) = read_target(&table(&column(&["1.0", "-0.5", "0.0", "-0.0"]))?, "y", Multiclass)?;
    assert_eq!(floats.classes(), ["-0.5", "0", "1"]);
    let (numbers, rows) = read_target(&table(&column(&["1.5", "NA", "2"]))?, "y", Regression)?;
    assert_eq!((numbers, rows), (Target::Numbers(vec![1.5, 2.0]), vec![0, 2]));
    Ok(())
}

#[test]
fn tasks_that_do_not_fit_are_refused() -> Result<()> {
    let three = table(&column(&["a", "b", "c"]))?;
    assert!(failure(read_target(&three, "y", Binary)).what.contains("has 3 distinct values, a binary task has two"));
    assert!(failure(read_target(&three, "y", Regression)).what.contains("is text; regression needs numbers"));
    let infinite = table(&column(&["1.5", "inf"]))?;
    assert!(failure(read_target(&infinite, "y", Regression)).what.contains("is infinite in row 2"));
    let names: Vec<String> = (0..1_001).map(|index| format!("id{index}")).collect();
    let many = table(&column(&names.iter().map(String::as_str).collect::<Vec<_>>()))?;
    assert!(failure(infer_task(&many, "y")).what.contains("has 1,001 distinct values; at most 1,000 classes"));
    Ok(())
}

#[test]
fn other_rows_use_the_classes_of_training() -> Result<()> {
    let classes = ["0".to_owned(), "1".to_owned()];
    // One class only is fine here, and 1.0 is the class 1.
    let (target, rows) = target_against(&table(&column(&["1.0", "NA", "1.0"]))?, "y", Binary, &classes)?;
    assert_eq!((target, rows), (Target::Classes { names: classes.clone().into(), codes: vec![1, 1] }, vec![0, 2]));
    let unseen = failure(target_against(&table(&column(&["1", "NA", "7"]))?, "y", Binary, &classes));
    assert_eq!(unseen.what, "target `y` holds `7` in row 3, a class that training never saw");
    let constant = target_against(&table(&column(&["2.5", "2.5"]))?, "y", Regression, &[])?;
    assert_eq!(constant.0, Target::Numbers(vec![2.5, 2.5]));
    Ok(())
}

#[test]
fn classes_that_training_never_saw_are_counted_and_left_out() -> Result<()> {
    let classes = ["a".to_owned(), "b".to_owned()];
    let table = table("x,y\n1,b\n2,z\n3,\n4,a\n5,q\n6,z\n")?;
    let ((target, rows), unseen) = target_known(&table, "y", Binary, &classes)?;
    assert_eq!((target, rows), (Target::Classes { names: classes.clone().into(), codes: vec![1, 0] }, vec![0, 3]));
    assert_eq!(unseen, [("z".to_owned(), 2), ("q".to_owned(), 1)]);
    let ((_, rows), unseen) = target_known(&table, "x", Regression, &[])?;
    assert_eq!((rows.len(), unseen), (6, Vec::new()));
    Ok(())
}
