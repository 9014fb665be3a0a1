//! Steps on text, against scikit-learn 1.9.1.

use std::sync::Arc;

use anyhow::Result;

use crate::data::frame::{Column, MISSING_CODE, TextValues, Values};
use crate::data::matrix::FeatureValues;
use crate::features::recipe::Family;
use crate::features::tests::{assert_close, feature, fit, fit_auto, frame, names, number, one, text};

const D: [&str; 10] = ["b", "a", "c", "b", "é", "b", "c", "Z", "a", "d"];

/// Names and rows of what one-hot makes of [`D`].
fn one_hot(options: &str) -> Result<(Vec<String>, Vec<String>)> {
    let frame = frame(vec![text("x", &D)]);
    let fitted = fit(&format!("{{ 'op': 'one_hot', 'columns': ['x'] {options} }}"), &frame)?;
    let matrix = fitted.apply(&frame)?;
    let width = matrix.features().len();
    let digits: Vec<String> = matrix.to_row_major().iter().map(ToString::to_string).collect();
    Ok((
        names(&fitted).into_iter().map(str::to_owned).collect(),
        digits.chunks(width).map(|row| row.concat()).collect(),
    ))
}

#[test]
fn one_hot_equals_one_hot_encoder() -> Result<()> {
    let (names, rows) = one_hot("")?;
    assert_eq!(names, ["x=Z", "x=a", "x=b", "x=c", "x=d", "x=é"]);
    let expected = ["001000", "010000", "000100", "001000", "000001", "001000", "000100", "100000", "010000", "000010"];
    assert_eq!(rows, expected);
    // Among values equally frequent the earlier are kept: here scikit-learn would keep `c`.
    let (names, rows) = one_hot(", 'max': 3")?;
    assert_eq!(names, ["x=a", "x=b", "x=other"]);
    assert_eq!(rows, ["010", "100", "001", "010", "001", "010", "001", "001", "100", "001"]);
    let (names, rows) = one_hot(", 'max': 3, 'drop_first': true")?;
    assert_eq!(names, ["x=b", "x=other"]);
    assert_eq!(rows, ["10", "00", "01", "10", "01", "10", "01", "01", "00", "01"]);
    Ok(())
}

#[test]
fn grouped_values_are_noted() -> Result<()> {
    let train = frame(vec![text("x", &D)]);
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'], 'max': 3 }", &train)?;
    assert_eq!(fitted.notes(), ["column `x`: 4 rarer values (5 rows) share the column `x=other`"]);
    Ok(())
}

#[test]
fn unseen_and_missing_values_are_zero_everywhere() -> Result<()> {
    let train = frame(vec![text("x", &["a", "b", "c", "a", "?"])]);
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'], 'max': 2 }", &train)?;
    assert_eq!(names(&fitted), ["x=a", "x=other"]);
    let rows = fitted.apply(&frame(vec![text("x", &["q", "?", "c", "a"])]))?.to_row_major();
    assert_eq!(rows, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    Ok(())
}

#[test]
fn a_value_called_other_gets_its_own_column() -> Result<()> {
    let train = frame(vec![text("x", &["other", "other", "b", "c"]), number("x=b", &[0.0; 4])]);
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'], 'max': 2 }", &train)?;
    assert_eq!(names(&fitted), ["x=other", "x=other_2", "x=b"]);
    assert_eq!(feature(&fitted.apply(&train)?, "x=other"), [1.0, 1.0, 0.0, 0.0]);
    Ok(())
}

#[test]
fn numbers_have_values_too() -> Result<()> {
    let train = frame(vec![number("x", &[2.0, -1.5, 10.0, 2.0, f64::NAN, -0.0])]);
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'] }", &train)?;
    assert_eq!(names(&fitted), ["x=-1.5", "x=0", "x=2", "x=10"]);
    let matrix = fitted.apply(&train)?;
    assert_eq!(feature(&matrix, "x=2"), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!(feature(&matrix, "x=0"), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let ranks = one("{ 'op': 'ordinal', 'columns': ['x'], 'order': ['10', '2', '0'] }", train.columns()[0].clone())?;
    assert_close(&ranks, &[1.0, f64::NAN, 0.0, 1.0, f64::NAN, 2.0], 0.0);
    Ok(())
}

#[test]
fn ordinal_equals_ordinal_encoder() -> Result<()> {
    let fitted = fit("{ 'op': 'ordinal', 'columns': 'categorical' }", &frame(vec![text("x", &D)]))?;
    let other = frame(vec![text("x", &["b", "q", "a", "é", "Z", "d", "c", "?"])]);
    let expected = [2.0, f64::NAN, 1.0, 5.0, 0.0, 4.0, 3.0, f64::NAN];
    assert_close(&feature(&fitted.apply(&other)?, "x"), &expected, 0.0);
    let steps = "{ 'op': 'ordinal', 'columns': ['x'], 'order': ['low', 'mid', 'high'] }";
    let train = frame(vec![text("x", &["mid", "low", "x"])]);
    let fitted = fit(steps, &train)?;
    let note = "column `x`: 1 training row with values that `order` does not name count as missing";
    assert_eq!(fitted.notes(), [note]);
    let other = frame(vec![text("x", &["high", "low", "x", "mid"])]);
    assert_close(&feature(&fitted.apply(&other)?, "x"), &[2.0, 0.0, f64::NAN, 1.0], 0.0);
    Ok(())
}

#[test]
fn the_dictionary_may_be_in_any_order_and_hold_more_than_the_rows() -> Result<()> {
    let train = frame(vec![text("x", &["a", "b", "c"])]);
    let fitted = fit("{ 'op': 'ordinal', 'columns': ['x'] }", &train)?;
    let levels: Vec<Arc<str>> = ["zz", "c", "q", "a", "b"].map(Arc::from).to_vec();
    let odd =
        |codes: Vec<u32>| frame(vec![Column::raw("x", Values::Text(TextValues { codes, levels: levels.clone() }))]);
    // A dictionary longer than the rows, and one shorter; a code beyond the dictionary is a missing value.
    let short = feature(&fitted.apply(&odd(vec![1, 3, 4, MISSING_CODE]))?, "x");
    assert_close(&short, &[2.0, 0.0, 1.0, f64::NAN], 0.0);
    let long = feature(&fitted.apply(&odd(vec![1, 3, 4, MISSING_CODE, 0, 2, 99, 3]))?, "x");
    assert_close(&long, &[2.0, 0.0, 1.0, f64::NAN, f64::NAN, f64::NAN, f64::NAN, 0.0], 0.0);
    // Levels that no training row has do not exist.
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'] }", &odd(vec![1, 3]))?;
    assert_eq!(names(&fitted), ["x=a", "x=c"]);
    Ok(())
}

#[test]
fn the_mode_of_text_fills_its_gaps() -> Result<()> {
    let train = frame(vec![text("x", &["b", "a", "?", "a", "b"])]);
    let steps =
        "{ 'op': 'impute', 'columns': 'all', 'strategy': 'mode' }, { 'op': 'one_hot', 'columns': 'categorical' }";
    let fitted = fit(steps, &train)?;
    assert_eq!(feature(&fitted.apply(&train)?, "x=a"), [0.0, 1.0, 1.0, 1.0, 0.0]);
    // The value that fills need not be among those of the request.
    let request = frame(vec![text("x", &["?"])]);
    assert_eq!(feature(&fitted.apply(&request)?, "x=a"), [1.0]);
    let empty = frame(vec![text("x", &["?", "?"]), number("y", &[1.0, 2.0])]);
    let fitted = fit(steps, &empty)?;
    assert_eq!(names(&fitted), ["y"]);
    assert_eq!(fitted.notes()[0], "column `x` has no value in the training rows: it stays missing");
    Ok(())
}

#[test]
fn many_levels_are_grouped() -> Result<()> {
    // 100,000 values once each and three frequent ones.
    let values: Vec<String> =
        (0..130_000).map(|row| format!("v{}", if row < 100_000 { row } else { row % 3 })).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let train = frame(vec![text("x", &values)]);
    let fitted = fit("{ 'op': 'one_hot', 'columns': ['x'], 'max': 4 }", &train)?;
    assert_eq!(names(&fitted), ["x=v0", "x=v1", "x=v2", "x=other"]);
    let rare: f64 = feature(&fitted.apply(&train)?, "x=other").iter().sum();
    assert_eq!(rare, 99_997.0);
    Ok(())
}

#[test]
fn trees_get_native_categories() -> Result<()> {
    let values: Vec<String> = (0..3_000).map(|row| format!("v{:03}", if row < 300 { row } else { row % 10 })).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut rows: Vec<&str> = values.clone();
    rows[2_999] = "?";
    let train = frame(vec![text("x", &rows), number("n", &vec![f64::NAN; 3_000])]);
    let fitted = fit_auto(Family::Trees, &train)?;
    assert_eq!(names(&fitted), ["x"]);
    assert_eq!(fitted.features()[0].feature_type, "category");
    let notes =
        ["column `n` has no value in the training rows: left out", "column `x`: 46 rarer values share one category"];
    assert_eq!(fitted.notes(), notes);
    let matrix = fitted.apply(&frame(vec![text("x", &["v000", "v009", "v253", "v254", "v299", "new", "?"])]))?;
    let expected = [0, 9, 253, 254, 254, MISSING_CODE, MISSING_CODE];
    let FeatureValues::Category { codes, levels } = &matrix.features()[0].values else {
        anyhow::bail!("not a category");
    };
    assert_eq!((&codes[..], *levels), (&expected[..], 255));
    Ok(())
}
