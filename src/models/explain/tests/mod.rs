//! Tests of explanations: reference numbers of other tools, functions whose answers are known, bad input.

mod draws;
mod packages;
mod shapes;

use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::data::frame::{Column, Frame, Values};
use crate::models::explain::dependence::dependence;
use crate::models::explain::effects::effects;
use crate::models::explain::grid::grid;
use crate::models::explain::interactions::interactions;
use crate::models::explain::model::Model;
use crate::models::explain::permutation::estimate;
use crate::spec::schema::ColumnType;

/// A frame of numbers called `x0`, `x1`, ….
fn frame(columns: &[&[f64]]) -> Result<Frame> {
    let named = columns.iter().enumerate();
    let columns: Vec<Column> =
        named.map(|(at, values)| Column::raw(&format!("x{at}"), Values::Number(values.to_vec()))).collect();
    Frame::new(columns.first().map_or(0, |column| column.values.len()), columns)
}

/// One row as numbers; the code of a text.
fn row_of(frame: &Frame, row: usize) -> Vec<f64> {
    let number = |column: &Column| match &column.values {
        Values::Number(values) => values[row],
        Values::Time(values) => values[row] as f64,
        Values::Text(text) => text.get(row).map_or(f64::NAN, |text| text.len() as f64),
        _ => f64::NAN,
    };
    frame.columns().iter().map(number).collect()
}

/// A function of the numbers of a row, as a model.
fn each(frame: &Frame, function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..frame.rows()).map(|row| function(&row_of(frame, row))).collect()
}

/// `a·b + c² − a/2 + [b > 0]·c`, as `make.py` has it.
fn reference(row: &[f64]) -> f64 {
    let [a, b, c] = row[..] else { return f64::NAN };
    a * b + c * c - 0.5 * a + if b > 0.0 { c } else { 0.0 }
}

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/explain/function.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|value| value.as_f64().expect("a number")).collect()
}

fn fixture_frame(fixture: &Value) -> Result<Frame> {
    let rows: Vec<Vec<f64>> = fixture["rows"].as_array().into_iter().flatten().map(list).collect();
    let columns: Vec<Vec<f64>> = (0..3).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
    frame(&columns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[track_caller]
fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{found:?} and {wanted:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() <= tolerance, "{found} is not {wanted}");
    }
}

#[test]
fn dependence_equals_scikit_learn() -> Result<()> {
    let fixture = fixture();
    let frame = fixture_frame(&fixture)?;
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, reference)) };
    for place in 0..3 {
        let wanted = &fixture["dependence"][place];
        let points = grid(&frame.columns()[place].values, ColumnType::Float, 7);
        let found = dependence(&frame, place, &points, 2, &model)?;
        near(&found.values, &list(&wanted["values"]), 1e-12);
        near(&found.average[0], &list(&wanted["average"]), 1e-9);
        near(&found.curves[0], &list(&wanted["first"]), 1e-9);
        near(&found.curves[1], &list(&wanted["last"]), 1e-9);
        assert_eq!(found.missing, None);
    }
    Ok(())
}

#[test]
fn local_effects_equal_the_paper() -> Result<()> {
    let fixture = fixture();
    let frame = fixture_frame(&fixture)?;
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, reference)) };
    for place in 0..3 {
        let wanted = &fixture["effects"][place];
        let found = effects(&frame, place, 6, &model)?.expect("a number has effects");
        near(&found.edges, &list(&wanted["edges"]), 0.0);
        let rows: Vec<f64> = found.rows.iter().map(|rows| *rows as f64).collect();
        near(&rows, &list(&wanted["rows"]), 0.0);
        near(&found.values[0], &list(&wanted["values"]), 1e-9);
    }
    Ok(())
}

#[test]
fn interactions_equal_the_paper() -> Result<()> {
    let fixture = fixture();
    let frame = fixture_frame(&fixture)?;
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, reference)) };
    let (pairs, overall) = interactions(&frame, &[0, 1, 2], &model)?;
    near(&overall, &list(&fixture["overall"]), 1e-9);
    for (pair, wanted) in pairs.iter().zip(fixture["pairs"].as_array().into_iter().flatten()) {
        near(&[pair.h2, pair.strength], &list(wanted), 1e-9);
    }
    Ok(())
}

#[test]
fn intervals_equal_scipy() {
    let wanted = &fixture()["interval"];
    let found = estimate(&list(&wanted["drops"]));
    let of = |name: &str| wanted[name].as_f64().unwrap_or(f64::NAN);
    near(&[found.std, found.low, found.high], &[of("std"), of("low"), of("high")], 1e-12);
    let one = estimate(&[0.5]);
    near(&[one.mean, one.std, one.low, one.high], &[0.5, 0.0, 0.5, 0.5], 0.0);
}
