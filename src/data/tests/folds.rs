//! Folds, gaps, divisions by hash, and weights.

use std::collections::BTreeMap;

use anyhow::Result;
use proptest::prelude::{any, prop_assert_eq, proptest};
use serde_json::Value;

use crate::base::seed::Seed;
use crate::data::split::folds::{Folds, NO_FOLD, folds};
use crate::data::split::{NONE, Split, TEST, TRAIN, VALIDATION, split};
use crate::data::table::Table;
use crate::data::target::{Target, read_target};
use crate::data::tests::{failure, table};
use crate::data::weights;
use crate::spec::model::Task;
use crate::spec::split::{Gap, SplitMethod, SplitSpec};
use crate::spec::training::{ClassWeight, ClassWeightRule};

fn spec(method: SplitMethod, column: Option<&str>) -> SplitSpec {
    SplitSpec { method, column: column.map(str::to_owned), ..SplitSpec::default() }
}

/// A table `n,g,y` of `rows` rows: the row's number, one of seven groups, a class of three.
fn rows(rows: usize) -> Result<(Table, Target, Vec<u32>)> {
    let lines: Vec<String> =
        (0..rows).map(|row| format!("{row},g{},{}", row * row % 7, ["a", "b", "c"][row % 3])).collect();
    let table = table(&format!("n,g,y\n{}\n", lines.join("\n")))?;
    let (target, target_rows) = read_target(&table, "y", Task::Multiclass)?;
    Ok((table, target, target_rows))
}

fn fold(spec: &SplitSpec, of: usize) -> Result<(Split, Folds)> {
    let (table, target, target_rows) = rows(of)?;
    let keys = ["n".to_owned()];
    let divided = split(&table, Some(&target), &target_rows, spec, &keys, Seed(3))?;
    let folds = folds(&table, (&target, &target_rows), &divided, spec, &keys, Seed(3))?;
    Ok((divided, folds))
}

#[test]
fn every_row_outside_the_test_part_is_held_out_once() -> Result<()> {
    for method in
        [SplitMethod::Auto, SplitMethod::Random, SplitMethod::Stratified, SplitMethod::Group, SplitMethod::Hash]
    {
        let column = (method == SplitMethod::Group).then_some("g");
        // Seven residues, of which squares have four: as many groups.
        let folds = if method == SplitMethod::Group { 2 } else { 4 };
        let spec = SplitSpec { folds, test: 0.3, ..spec(method, column) };
        let (divided, folds) = fold(&spec, 90)?;
        let mut held = vec![0; 90];
        for (number, fold) in folds.splits().iter().enumerate() {
            fold.rows(VALIDATION).iter().for_each(|row| held[*row as usize] += 1);
            assert!(fold.rows(VALIDATION).iter().all(|row| usize::from(folds.numbers()[*row as usize]) == number));
            assert_eq!(
                fold.rows(TRAIN).len() + fold.rows(VALIDATION).len(),
                divided.rows(TRAIN).len() + divided.rows(VALIDATION).len()
            );
            assert!(fold.rows(TEST).is_empty(), "{method:?}");
        }
        for (row, part) in divided.parts().iter().enumerate() {
            assert_eq!(held[row], usize::from(*part != TEST), "{method:?}");
            assert_eq!(folds.numbers()[row] == NO_FOLD, *part == TEST, "{method:?}");
        }
        assert_eq!(fold(&spec, 90)?.1, folds, "{method:?}");
    }
    Ok(())
}

#[test]
fn folds_keep_classes_and_groups() -> Result<()> {
    let (divided, folds) = fold(&SplitSpec { folds: 5, ..SplitSpec::default() }, 93)?;
    let known = divided.rows(TRAIN).len() + divided.rows(VALIDATION).len();
    for fold in folds.splits() {
        let held = fold.rows(VALIDATION);
        assert!(held.len().abs_diff(known / 5) <= 1);
        for class in 0..3 {
            let all =
                divided.parts().iter().enumerate().filter(|(row, part)| row % 3 == class && **part != TEST).count();
            let of_fold = held.iter().filter(|row| **row as usize % 3 == class).count();
            assert!((of_fold as f64 - all as f64 / 5.0).abs() < 1.0, "{class}: {of_fold} of {all}");
        }
    }
    let (_, folds) = fold(&SplitSpec { folds: 2, ..spec(SplitMethod::Group, Some("g")) }, 90)?;
    let mut fold_of = BTreeMap::new();
    for (row, number) in folds.numbers().iter().enumerate().filter(|(_, number)| **number != NO_FOLD) {
        assert_eq!(*fold_of.entry(row * row % 7).or_insert(*number), *number);
    }
    let few = failure(fold(&SplitSpec { folds: 5, ..spec(SplitMethod::Group, Some("g")) }, 90));
    assert!(few.what.contains("groups for 5 folds"), "{}", few.what);
    let many = failure(fold(&SplitSpec { folds: 50, ..SplitSpec::default() }, 20));
    assert!(many.what.contains("too few for 50 folds"), "{}", many.what);
    Ok(())
}

#[test]
fn folds_of_groups_and_times_are_those_of_scikit_learn() -> Result<()> {
    let text = include_str!("../../../tests/fixtures/reference/training/training.json");
    let reference: Value = serde_json::from_str(text)?;
    let lines = |values: Vec<String>| format!("x,y\n{}\n", values.join("\n"));
    let groups = reference["folds"]["groups"].as_array().expect("groups").clone();
    let grouped = table(&lines(groups.iter().enumerate().map(|(row, group)| format!("g{group},{row}.5")).collect()))?;
    let (target, target_rows) = read_target(&grouped, "y", Task::Regression)?;
    let by_group = SplitSpec { folds: 3, test: 0.0, validation: 0.0, ..spec(SplitMethod::Group, Some("x")) };
    let all = Split::from_parts(vec![TRAIN; groups.len()])?;
    let made = folds(&grouped, (&target, &target_rows), &all, &by_group, &[], Seed(1))?;
    let sizes: Vec<usize> = made.splits().iter().map(|fold| fold.rows(VALIDATION).len()).collect();
    assert_eq!(Value::from(sizes), reference["folds"]["group_sizes"]);

    let series = table(&lines((0..50).map(|row| format!("{row},{row}.5")).collect()))?;
    let (target, target_rows) = read_target(&series, "y", Task::Regression)?;
    let by_time = SplitSpec { folds: 4, gap: Some(Gap::Rows(2)), ..spec(SplitMethod::Time, Some("x")) };
    let all = Split::from_parts(vec![TRAIN; 50])?;
    let made = folds(&series, (&target, &target_rows), &all, &by_time, &[], Seed(1))?;
    let found: Vec<[Vec<u32>; 2]> =
        made.splits().iter().map(|fold| [fold.rows(TRAIN), fold.rows(VALIDATION)]).collect();
    assert_eq!(serde_json::to_value(found)?, reference["folds"]["series"]);
    Ok(())
}

#[test]
fn folds_of_time_grow_and_need_times() -> Result<()> {
    let (divided, made) = fold(&SplitSpec { folds: 3, ..spec(SplitMethod::Time, Some("n")) }, 100)?;
    assert_eq!(divided.counts(), [60, 20, 20]);
    let found: Vec<(usize, usize)> =
        made.splits().iter().map(|fold| (fold.rows(TRAIN).len(), fold.rows(VALIDATION).len())).collect();
    assert_eq!(found, [(20, 20), (40, 20), (60, 20)]);
    let days = table("d,y\n1,1.5\n1,2.5\n1,3.5\n2,4.5\n2,5.5\n3,6.5\n4,1.5\n")?;
    let (target, target_rows) = read_target(&days, "y", Task::Regression)?;
    let all = Split::from_parts(vec![TRAIN; 7])?;
    let make = |count: usize| {
        let spec = SplitSpec { folds: count, ..spec(SplitMethod::Time, Some("d")) };
        folds(&days, (&target, &target_rows), &all, &spec, &[], Seed(1))
    };
    let three = make(3)?;
    assert_eq!(three.numbers(), [NO_FOLD, NO_FOLD, NO_FOLD, 0, 0, 1, 2]);
    assert!(failure(make(4)).what.contains("too few distinct times for 4 folds"));
    Ok(())
}

#[test]
fn a_gap_leaves_rows_out() -> Result<()> {
    let days: Vec<String> = (1..=20).map(|day| format!("2024-01-{day:02},{day}")).collect();
    let table = table(&format!("d,n\n{}\n", days.join("\n")))?;
    let divide = |column: &str, gap: &str| -> Result<Split> {
        let spec = SplitSpec { gap: Some(gap.parse()?), ..spec(SplitMethod::Time, Some(column)) };
        split(&table, None, &[], &spec, &[], Seed(0))
    };
    // Validation begins on day 13, the test on day 17: days 12 and 16 are nearer than two days.
    let parts: Vec<u8> = [vec![TRAIN; 11], vec![NONE], vec![VALIDATION; 3], vec![NONE], vec![TEST; 4]].concat();
    for (column, gap) in [("d", "2d"), ("d", "48h"), ("n", "2")] {
        assert_eq!(divide(column, gap)?.parts(), parts, "{column} {gap}");
    }
    assert_eq!(divide("d", "1 row")?.parts(), parts);
    assert_eq!(divide("d", "1d")?.counts(), [12, 4, 4]);
    assert!(failure(divide("n", "2d")).what.contains("does not suit column `n`, which is integer"));
    assert!(failure(divide("d", "2")).what.contains("does not suit column `d`"));
    let wide = failure(divide("d", "30d"));
    assert_eq!((wide.what.as_str(), wide.hint.is_some()), ("[split] leaves no training rows", true));
    Ok(())
}

/// Places and folds of single values, computed by the `blake3` package of Python (1.0.9) as the definition says.
#[test]
fn hashed_places_are_those_of_the_definition() -> Result<()> {
    let table = table("t,i,f,d,b\na,7,2.5,2025-03-01,true\né,8,,2025-03-02,false\n")?;
    let check = |columns: &[&str], row: usize, place: f64, fold: u8| -> Result<()> {
        let keys: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        // A share just above the place makes a test row of it, one just below does not.
        for (test, part) in [(place + 1e-9, TEST), (place - 1e-9, TRAIN)] {
            let spec = SplitSpec { test, validation: 0.0, ..spec(SplitMethod::Hash, None) };
            let parts = crate::data::split::hashed::divide(&table, &keys, &[row as u32], &spec)?;
            assert_eq!(parts, [part], "{columns:?}: {:?}", table.cell(row, columns[0]));
        }
        assert_eq!(crate::data::split::hashed::deal(&table, &keys, &[row as u32], 5)?, [fold], "{columns:?}");
        Ok(())
    };
    check(&["t"], 0, 0.906_765_992_750_622_9, 3)?;
    check(&["i"], 0, 0.235_675_393_549_268_25, 2)?;
    check(&["f"], 0, 0.250_762_884_307_701_33, 0)?;
    check(&["t", "i"], 0, 0.883_544_877_603_633_8, 1)?;
    check(&["f"], 1, 0.047_754_664_424_233_32, 2)?;
    check(&["t"], 1, 0.835_742_753_680_918, 3)?;
    check(&["d"], 0, 0.780_353_128_294_238_8, 1)?;
    check(&["b"], 0, 0.963_389_619_956_589_2, 4)
}

#[test]
fn a_hash_needs_something_to_hash() -> Result<()> {
    let table = table("k,n\nx,1\ny,2\nz,3\n")?;
    let none = failure(split(&table, None, &[], &spec(SplitMethod::Hash, None), &[], Seed(1)));
    assert!(none.what.contains("needs a column or key columns"), "{}", none.what);
    Ok(())
}

proptest! {
    #[test]
    fn rows_stay_where_they_are_when_rows_are_appended(seed in any::<u64>()) {
        let mut rng = Seed(seed).rng();
        let names: Vec<String> = (0..60).map(|_| format!("k{},1", rng.below(1_000_000))).collect();
        let divide = |count: usize| -> Result<Vec<u8>> {
            let table = table(&format!("k,n\n{}\n", names[..count].join("\n")))?;
            let spec = SplitSpec { test: 0.4, validation: 0.3, ..spec(SplitMethod::Hash, Some("k")) };
            Ok(split(&table, None, &[], &spec, &[], Seed(count as u64))?.parts().to_vec())
        };
        // Too few rows may leave a part empty, which is refused.
        if let (Ok(before), Ok(after)) = (divide(40), divide(60)) {
            prop_assert_eq!(&before[..], &after[..40]);
        }
    }
}

#[test]
fn weights_are_numbers_that_count() -> Result<()> {
    let table = table("w,t,y\n1,a,1\n0.5,b,2\n,c,3\n-1,d,4\n")?;
    assert_eq!(weights::read(&table, "w", &[0, 1])?, [1.0, 0.5]);
    let refused = |rows: &[u32]| failure(weights::read(&table, "w", rows)).what;
    assert_eq!(refused(&[0, 2]), "weight column `w` is missing in row 3");
    assert_eq!(refused(&[3]), "weight column `w` is -1 in row 4");
    assert!(failure(weights::read(&table, "t", &[0])).what.contains("is text; weights are numbers"));
    assert!(weights::read(&table, "v", &[0]).is_err());
    assert!(weights::check_sum(&[0.0, 0.0]).is_err() && weights::check_sum(&[1e308, 1e308]).is_err());
    assert!(weights::check_sum(&[0.0, 1.0]).is_ok());
    Ok(())
}

#[test]
fn balanced_classes_weigh_as_scikit_learn_has_it() -> Result<()> {
    let text = include_str!("../../../tests/fixtures/reference/training/training.json");
    let case = serde_json::from_str::<Value>(text)?["balanced"].clone();
    let numbers =
        |name: &str| -> Vec<f64> { case[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect() };
    let names: Vec<String> = ["a", "b", "c", "never"].map(str::to_owned).to_vec();
    let codes: Vec<u32> = numbers("codes").into_iter().map(|code| code as u32).collect();
    let target = Target::Classes { names: names.into(), codes: codes.clone() };
    let balanced = ClassWeight::Rule(ClassWeightRule::Balanced);
    let own = numbers("weights");
    for (rows, wanted) in [(None, "plain"), (Some(own.as_slice()), "weighted")] {
        let found = weights::class_factors(&balanced, &target, rows)?;
        for (found, wanted) in found.iter().zip(numbers(wanted)) {
            assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        }
        assert_eq!(found[3], 1.0, "a class without rows");
    }
    let given: ClassWeight = "b=2,a=0".parse()?;
    let factors = weights::class_factors(&given, &target, None)?;
    assert_eq!(factors, [0.0, 2.0, 1.0, 1.0]);
    assert_eq!(weights::times_factors(&factors, &codes[29..31], Some(&[3.0, 4.0])), [0.0, 8.0]);
    let unknown = failure(weights::class_factors(&"nver=1".parse()?, &target, None));
    assert_eq!(unknown.hint.as_deref(), Some("did you mean `never`?"));
    assert!(weights::class_factors(&balanced, &Target::Numbers(vec![1.0]), None).is_err());
    Ok(())
}
