//! What holds for any data: one row alone equals the same row among many, to the bit; nothing read panics.

use proptest::prelude::{Strategy, any, prop};
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::data::frame::{Column, Frame, MISSING_TIME, TextValues, Values};
use crate::features::recipe::Family;
use crate::features::recipe::FittedRecipe;
use crate::features::tests::{fit, fit_auto, frame};

/// Recipes that use every step on one column between them, each on all kinds of columns that it takes.
const STEPS: [&str; 9] = [
    "{'op': 'impute','columns': 'numeric','strategy': 'median','indicator': true}, {'op': 'scale','columns': 'numeric'}, \
     {'op': 'one_hot','columns': 'categorical','max': 4}, {'op': 'dates','columns': 'time','parts': ['month','hour','epoch']}",
    "{'op': 'impute','columns': 'all','strategy': 'mode'}, {'op': 'ordinal','columns': 'categorical'}, \
     {'op': 'dates','columns': 'time','parts': ['year','weekday']}, {'op': 'scale','columns': 'numeric','method': 'robust'}",
    "{'op': 'drop','columns': 'time'}, {'op': 'bin','columns': 'numeric','bins': 5}, \
     {'op': 'one_hot','columns': 'all','drop_first': true,'max': 3}",
    "{'op': 'missing','columns': 'all'}, {'op': 'quantile','columns': ['any']}, {'op': 'power','columns': ['few']}, \
     {'op': 'hash','columns': 'categorical','width': 3}, {'op': 'dates','columns': 'time','cyclic': true,'since': '2000-01-01', \
     'parts': ['quarter','week','day','second','time_of_day','is_weekend','is_month_start','is_month_end','day_of_year']}",
    "{'op': 'clip','columns': ['any'],'quantiles': [0.1,0.9]}, {'op': 'cyclic','columns': ['few'],'period': 2.5}, \
     {'op': 'text','columns': 'categorical','analyzer': 'char_wb','ngrams': [2,3],'width': 4,'values': 'tf','signed': true}, \
     {'op': 'cast','columns': 'time','to': 'number'}, {'op': 'rename','names': {'any': 'some'}}",
    "{'op': 'log','columns': ['any','few'],'method': 'signed','base': 10}, {'op': 'cast','columns': 'time','to': 'text'}, \
     {'op': 'tfidf','columns': 'categorical','analyzer': 'char','ngrams': [1,2],'min_rows': 1,'max': 9}",
    "{'op': 'rare','columns': 'categorical','share': 0.2}, {'op': 'frequency','columns': ['word','few']}, \
     {'op': 'quantile','columns': ['any'],'output': 'normal','quantiles': 4}, {'op': 'drop','columns': 'time'}",
    "{'op': 'cast','columns': ['any','time'],'to': 'text'}, {'op': 'rare','columns': 'categorical','count': 2}, \
     {'op': 'cast','columns': ['few'],'to': 'boolean'}, {'op': 'category','columns': 'categorical'}",
    "{'op': 'bin','columns': ['any'],'encode': 'one_hot','bins': 3}, {'op': 'bin','columns': ['few'],'edges': [-1.5,0.5]}, \
     {'op': 'cast','columns': ['word'],'to': 'time'}, {'op': 'dates','columns': ['time'],'parts': ['minute']}, \
     {'op': 'scale','columns': 'numeric','method': 'min_max','range': [-1,1]}, {'op': 'drop','columns': 'time'}, \
     {'op': 'scale','columns': 'all','method': 'max_abs'}",
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
            match fit(steps, &whole) {
                Ok(fitted) => check_rows(&fitted, &whole),
                // Few rows leave little to learn; nothing else stops these recipes.
                Err(error) => assert!(format!("{error:#}").contains("no feature"), "{steps}: {error:#}"),
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
        Column::raw("few", Values::Number(vec![1.0, 1.0, 0.0, 2.0])),
        Column::raw("word", Values::Text(TextValues::from_values(words))),
        Column::raw("time", Values::Time(vec![0, 86_400_000_000, 5, MISSING_TIME])),
    ]);
    for steps in STEPS {
        let accepted = damaged_everywhere(&fit(steps, &whole)?.to_json(), &whole);
        assert!(accepted > 0, "{steps}");
    }
    Ok(())
}

/// Replaces every value of a recipe in turn; gives how many of the damaged ones are accepted, none of which may fail.
fn damaged_everywhere(good: &Value, whole: &Frame) -> usize {
    let replacements = [
        Value::Null,
        Value::from(-1),
        Value::from(u64::MAX),
        Value::from(1e308),
        Value::from(""),
        Value::from("word"),
        Value::from("number"),
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
                if let Ok(matrix) = fitted.apply(whole) {
                    assert_eq!(matrix.features().len(), fitted.features().len());
                    assert!(matrix.to_row_major().iter().all(|value| !value.is_infinite()));
                }
            }
        }
    }
    accepted
}
