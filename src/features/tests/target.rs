//! Steps with a look at the target: out of fold, without a target, on hostile columns.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::split::Split;
use crate::data::target::Target;
use crate::features::recipe::{Family, FittedRecipe, Recipe};
use crate::features::tests::properties::bits;
use crate::features::tests::{assert_close, classes, feature, fit, fit_target, frame, names, number, text, written};

const NAN: f64 = f64::NAN;

fn words(rows: usize, distinct: usize) -> Column {
    let word = |row: usize| format!("w{}", row * 7919 % distinct);
    let words: Vec<String> = (0..rows).map(word).collect();
    Column::raw("w", Values::Text(TextValues::from_values(words.iter().map(|word| Some(word.as_str())))))
}

/// Each training row gets what a recipe fitted on the other folds gives it.
fn check_folds(target: &Target) -> Result<()> {
    let rows = target.len();
    let train = frame(vec![words(rows, 9)]);
    let steps = "{'op': 'target','columns': ['w'],'folds': 4}";
    let fitted = fit_target(steps, &train, target)?;
    let seed = serde_json::from_value(fitted.to_json()["steps"][0][0]["seed"].clone())?;
    let folds = crate::features::target::folds(target, 4, seed);
    let training = fitted.run(&train, Some(target))?;
    for fold in 0..4 {
        let of = |wanted: bool| -> Vec<u32> {
            (0..rows as u32).filter(|&row| (folds[row as usize] == fold) == wanted).collect()
        };
        let (own, others) = (of(true), of(false));
        assert!(own.len() >= rows / 4);
        let without = fit_target(steps, &train.take(&others), &target.take(&others))?.apply(&train.take(&own))?;
        for (name, place) in names(&fitted).iter().zip(0..) {
            let all: Vec<f64> = own.iter().map(|&row| training.features()[place].values.get(row as usize)).collect();
            assert_eq!(bits(&all), bits(&feature(&without, name)));
        }
    }
    Ok(())
}

#[test]
fn a_training_row_never_sees_its_own_target() -> Result<()> {
    let codes: Vec<u32> = (0..61).map(|row| (row * 31 % 7) % 3).collect();
    check_folds(&classes(&codes))?;
    check_folds(&classes(&codes.iter().map(|code| code.min(&1)).copied().collect::<Vec<_>>()))?;
    check_folds(&Target::Numbers((0..61).map(|row| f64::from(row * 17 % 23)).collect()))
}

#[test]
fn an_identifier_tells_nothing_out_of_fold() -> Result<()> {
    // Encoded with itself, a value of one row would be its own target.
    let train = frame(vec![words(50, 50)]);
    let target = classes(&(0..50).map(|row| row % 2).collect::<Vec<u32>>());
    let fitted = fit_target("{'op': 'target','columns': ['w'],'smooth': 0}", &train, &target)?;
    assert!(fitted.tells_training_rows_apart());
    let later = feature(&fitted.apply(&train)?, "w");
    assert!(later.iter().zip(0..).all(|(value, row)| *value == f64::from(row % 2)));
    let training = feature(&fitted.run(&train, Some(&target))?, "w");
    assert_close(&training, &[0.5; 50], 1e-12);
    Ok(())
}

#[test]
fn training_rows_are_put_into_a_table_of_all_rows() -> Result<()> {
    let rows = 40;
    let all = frame(vec![words(rows, 5), number("x", &[1.5; 40])]);
    let target = classes(&(0..rows).map(|row| (row * 31 % 7 > 3) as u32).collect::<Vec<u32>>());
    let split = Split::from_parts((0..rows).map(|row| u8::from(row % 4 == 0)).collect())?;
    let train = split.training(&all, &target, &(0..rows as u32).collect::<Vec<_>>())?;
    let steps = "{'op': 'target','columns': ['w']},{'op': 'one_hot','columns': ['x']}";
    let recipe = Recipe::from_spec(&written(&format!("'steps': [{steps}]"))?, Family::Linear)?;
    let fitted = recipe.fit(&train, Seed(1))?;
    // A recipe that was kept gives training rows the same again.
    let kept = FittedRecipe::from_json(&fitted.to_json())?;
    let training = kept.apply_training(&train)?;
    assert_eq!(bits(&training.to_row_major()), bits(&fitted.apply_training(&train)?.to_row_major()));
    let later = fitted.apply(&all)?;
    let put = fitted.apply(&all)?.with_rows(&split.rows(0), &training)?;
    let (later, put, training) = (feature(&later, "w"), feature(&put, "w"), feature(&training, "w"));
    assert!(split.rows(0).iter().zip(&training).all(|(&row, value)| put[row as usize] == *value));
    assert!(split.rows(1).iter().all(|&row| put[row as usize] == later[row as usize]));
    assert_ne!(put, later);
    assert!(fitted.apply(&all)?.with_rows(&[0], &fitted.apply(&all)?).is_err());
    Ok(())
}

#[test]
fn steps_after_target_encoding_learn_from_what_training_rows_get() -> Result<()> {
    let train = frame(vec![words(50, 50)]);
    let target = classes(&(0..50).map(|row| row % 2).collect::<Vec<u32>>());
    let steps =
        "{'op': 'target','columns': ['w'],'smooth': 0},{'op': 'scale','columns': 'numeric','method': 'min_max'}";
    let fitted = fit_target(steps, &train, &target)?;
    assert!(fitted.notes()[0].contains("is constant in the training rows"), "{:?}", fitted.notes());
    Ok(())
}

#[test]
fn unseen_and_missing_values_become_the_mean() -> Result<()> {
    let train = frame(vec![text("w", &["a", "a", "b", "?"]), number("n", &[1.0, 1.0, NAN, 2.0])]);
    let target = Target::Numbers(vec![1.0, 2.0, 3.0, 10.0]);
    let fitted = fit_target("{'op': 'target','columns': 'all','smooth': 0}", &train, &target)?;
    let later = frame(vec![text("w", &["b", "c", "?"]), number("n", &[2.0, 3.0, f64::INFINITY])]);
    let matrix = fitted.apply(&later)?;
    assert_eq!(feature(&matrix, "w"), [3.0, 4.0, 4.0]);
    assert_eq!(feature(&matrix, "n"), [10.0, 4.0, 4.0]);
    Ok(())
}

#[test]
fn without_a_target_such_steps_say_so() {
    let train = frame(vec![text("w", &["a", "b"]), number("x", &[1.0, 2.0])]);
    for steps in [
        "{'op': 'target','columns': ['w']}",
        "{'op': 'bin','columns': ['x'],'method': 'tree'}",
        "{'op': 'select','by': 'importance','keep': 1}",
        "{'op': 'select','by': 'mutual_information','keep': 1}",
    ] {
        let error = format!("{:#}", fit(steps, &train).expect_err(steps));
        assert!(error.contains("this step learns from the target, and there is none"), "{error}");
    }
}

#[test]
fn degenerate_columns_are_encoded_as_the_mean() -> Result<()> {
    let nothing = frame(vec![text("w", &["?", "?"]), number("x", &[NAN, f64::INFINITY])]);
    let target = classes(&[0, 1]);
    let fitted = fit_target("{'op': 'target','columns': 'all'}", &nothing, &target)?;
    assert_eq!(fitted.run(&nothing, Some(&target))?.to_row_major().iter().filter(|v| v.is_finite()).count(), 4);
    assert_eq!(fitted.apply(&nothing)?.to_row_major(), [0.5; 4]);
    // One row alone has no others to learn from.
    let one = frame(vec![text("w", &["a"])]);
    let fitted = fit_target("{'op': 'target','columns': ['w']}", &one, &Target::Numbers(vec![3.0]))?;
    assert_eq!(fitted.run(&one, Some(&Target::Numbers(vec![3.0])))?.to_row_major(), [3.0]);
    // The ends of the range.
    let wide = frame(vec![text("w", &["a", "a", "b", "b"])]);
    let target = Target::Numbers(vec![f64::MAX, f64::MAX, -f64::MAX, f64::MAX]);
    let fitted = fit_target("{'op': 'target','columns': ['w']}", &wide, &target)?;
    assert!(fitted.apply(&wide)?.to_row_major().iter().all(|value| value.is_finite()));
    Ok(())
}

#[test]
fn a_hundred_thousand_values_are_encoded_and_more_cells_refused() -> Result<()> {
    let rows = 200_000;
    let train = Frame::new(rows, vec![words(rows, 100_000)])?;
    let target = classes(&(0..rows as u32).map(|row| row % 2).collect::<Vec<u32>>());
    let fitted = fit_target("{'op': 'target','columns': ['w']}", &train, &target)?;
    let matrix = fitted.run(&train, Some(&target))?;
    assert!(matrix.to_row_major().iter().all(|value| (0.0..=1.0).contains(value)));
    let many = classes(&(0..rows as u32).map(|row| row % 30).collect::<Vec<u32>>());
    let error = format!("{:#}", fit_target("{'op': 'target','columns': ['w']}", &train, &many).expect_err("too many"));
    assert!(error.contains("100000 values of column `w` × 30 classes are more than 2000000"), "{error}");
    Ok(())
}

#[test]
fn folds_depend_on_seed_and_rows_alone() {
    let target = classes(&(0..100).map(|row| u32::from(row % 10 == 0)).collect::<Vec<u32>>());
    let folds = crate::features::target::folds(&target, 5, Seed(3));
    assert_eq!(folds, crate::features::target::folds(&target, 5, Seed(3)));
    assert_ne!(folds, crate::features::target::folds(&target, 5, Seed(4)));
    // Ten rows of the rare class, two in each fold.
    for fold in 0..5 {
        assert_eq!((0..100).filter(|&row| row % 10 == 0 && folds[row] == fold).count(), 2);
        assert_eq!(folds.iter().filter(|found| **found == fold).count(), 20);
    }
}

#[test]
fn a_tree_without_anything_to_tell_makes_one_bin() -> Result<()> {
    let target = classes(&[0, 1, 0, 1]);
    for values in [[1.0; 4], [NAN; 4], [0.0, 0.0, 1.0, 1.0]] {
        let train = frame(vec![number("x", &values)]);
        let fitted = fit_target("{'op': 'bin','columns': ['x'],'method': 'tree'}", &train, &target)?;
        assert!(fitted.notes()[0].contains("has no cut that tells anything"), "{:?}", fitted.notes());
        assert!(feature(&fitted.apply(&train)?, "x").iter().all(|bin| *bin == 0.0 || bin.is_nan()));
    }
    // Neighbouring numbers can be told apart.
    let next = f64::from_bits(1.0_f64.to_bits() + 1);
    let train = frame(vec![number("x", &[1.0, next, 1.0, next])]);
    let fitted = fit_target("{'op': 'bin','columns': ['x'],'method': 'tree','leaf_rows_min': 1}", &train, &target)?;
    assert_eq!(feature(&fitted.apply(&train)?, "x"), [0.0, 1.0, 0.0, 1.0]);
    Ok(())
}
