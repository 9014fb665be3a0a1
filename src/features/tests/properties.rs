//! What holds for any data: one row alone equals the same row among many, to the bit; nothing read panics.

use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::data::frame::{Column, Frame, MISSING_TIME, TextValues, Values};
use crate::features::recipe::Family;
use crate::features::recipe::FittedRecipe;
use crate::features::tests::{fit, fit_auto, frame};

const STEPS: [&str; 3] = [
    "{'op': 'impute','columns': 'numeric','strategy': 'median','indicator': true}, {'op': 'scale','columns': 'numeric'}, \
     {'op': 'one_hot','columns': 'categorical','max': 4}, {'op': 'dates','columns': 'time','parts': ['month','hour','epoch']}",
    "{'op': 'impute','columns': 'all','strategy': 'mode'}, {'op': 'ordinal','columns': 'categorical'}, \
     {'op': 'dates','columns': 'time','parts': ['year','weekday']}, {'op': 'scale','columns': 'numeric','method': 'robust'}",
    "{'op': 'bin','columns': 'numeric','bins': 5}, {'op': 'one_hot','columns': 'all','drop_first': true,'max': 3}",
];

pub fn some_frame() -> impl Strategy<Value = Frame> {
    let row = (prop::num::f64::ANY, -3_i8..3, any::<Option<[bool; 3]>>(), any::<Option<i64>>());
    prop::collection::vec(row, 1..40).prop_map(|rows| {
        let words = rows.iter().map(|row| row.2.map(|bits| format!("w{bits:?}"))).collect::<Vec<_>>();
        let times = rows.iter().map(|row| row.3.unwrap_or(MISSING_TIME)).collect();
        frame(vec![
            Column::raw("any", Values::Number(rows.iter().map(|row| row.0).collect())),
            Column::raw("few", Values::Number(rows.iter().map(|row| f64::from(row.1)).collect())),
            Column::raw("word", Values::Text(TextValues::from_values(words.iter().map(|word| word.as_deref())))),
            Column::raw("time", Values::Time(times)),
        ])
    })
}

/// The row alone, its text coded by a dictionary of its own.
fn alone(whole: &Frame, row: usize) -> Frame {
    let part = whole.take(&[row as u32]);
    let columns = part.into_columns().into_iter().map(|column| match &column.values {
        Values::Text(text) => Column::raw(&column.name, Values::Text(TextValues::from_values([text.get(0)]))),
        _ => column,
    });
    frame(columns.collect())
}

pub fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

pub fn check_rows(fitted: &FittedRecipe, whole: &Frame) {
    let matrix = fitted.apply(whole).expect("the frame it was fitted on");
    let (dense, width) = (matrix.to_row_major(), matrix.features().len());
    assert!(dense.iter().all(|value| !value.is_infinite()));
    for row in 0..whole.rows() {
        let single = fitted.apply(&alone(whole, row)).expect("one of its rows").to_row_major();
        assert_eq!(bits(&single), bits(&dense[row * width..(row + 1) * width]), "row {row}");
    }
}

#[test]
fn one_row_equals_the_same_row_among_all() {
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let result = runner.run(&some_frame(), |whole| {
        for steps in STEPS {
            // Times are left to the first two; the third would need them dropped.
            let steps = if steps.contains("dates") {
                steps.to_owned()
            } else {
                format!("{{'op': 'drop','columns': 'time'}}, {steps}")
            };
            if let Ok(fitted) = fit(&steps, &whole) {
                check_rows(&fitted, &whole);
            }
        }
        for family in [Family::Linear, Family::Trees] {
            if let Ok(fitted) = fit_auto(family, &whole) {
                check_rows(&fitted, &whole);
            }
        }
        Ok(())
    });
    result.expect("one row equals the same row among all");
}

/// Large enough that columns are worked on in parallel.
#[test]
pub fn bits_do_not_depend_on_the_number_of_threads() -> anyhow::Result<()> {
    let rows = 10_000;
    let columns = (0..6).map(|column| {
        let value = |row: usize| ((row * 7919 + column * 104_729) % 10_007) as f64 / 3.0;
        Column::raw(&format!("c{column}"), Values::Number((0..rows).map(value).collect()))
    });
    let whole = Frame::new(rows, columns.collect())?;
    let run = |threads: usize| -> anyhow::Result<(Vec<u64>, String)> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        pool.install(|| {
            let fitted = fit_auto(Family::Linear, &whole)?;
            Ok((bits(&fitted.apply(&whole)?.to_row_major()), fitted.to_json().to_string()))
        })
    };
    assert_eq!(run(1)?, run(3)?);
    Ok(())
}

/// Replaces one value somewhere inside.
pub fn damage(value: &mut Value, at: &mut usize, with: &Value) {
    if *at == 0 {
        *value = with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| damage(item, at, with)),
        Value::Object(map) => map.values_mut().for_each(|item| damage(item, at, with)),
        _ => {}
    }
}

#[test]
fn a_damaged_recipe_is_an_error_or_applies() -> anyhow::Result<()> {
    let words = ["x", "y", "z", "x"].map(Some);
    let whole = frame(vec![
        Column::raw("any", Values::Number(vec![0.5, 2.0, f64::NAN, 4.0])),
        Column::raw("word", Values::Text(TextValues::from_values(words))),
        Column::raw("time", Values::Time(vec![0, 86_400_000_000, 5, MISSING_TIME])),
    ]);
    let good = fit(STEPS[0], &whole)?.to_json();
    let replacements = [
        Value::Null,
        Value::from(-1),
        Value::from(u64::MAX),
        Value::from(1e308),
        Value::from(""),
        Value::from("word"),
        Value::from(true),
        Value::Array(Vec::new()),
        serde_json::json!(["x", "x"]),
        serde_json::json!([0, 1, 2, 3, 4, 5]),
    ];
    let mut accepted = 0;
    for at in 0..200 {
        for with in &replacements {
            let mut value = good.clone();
            damage(&mut value, &mut at.clone(), with);
            if let Ok(fitted) = FittedRecipe::from_json(&value) {
                accepted += 1;
                // Columns may now be missing; nothing else can go wrong, and features are as many as announced.
                if let Ok(matrix) = fitted.apply(&whole) {
                    assert_eq!(matrix.features().len(), fitted.features().len());
                }
            }
        }
    }
    assert!(accepted > 0);
    Ok(())
}
