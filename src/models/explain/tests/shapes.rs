//! Points, dependence, local effects and interactions of functions whose answers are known, and of columns that are
//! hardly any.

use anyhow::Result;

use crate::data::frame::{Column, Frame, MISSING_TIME, TextValues, Values};
use crate::models::explain::dependence::dependence;
use crate::models::explain::effects::effects;
use crate::models::explain::grid::{Grid, grid, label, nothing};
use crate::models::explain::interactions::interactions;
use crate::models::explain::mix::compact;
use crate::models::explain::model::Model;
use crate::models::explain::tests::{each, frame, near};
use crate::spec::schema::ColumnType;

const NAN: f64 = f64::NAN;
const DAY: i64 = 86_400_000_000;

fn points(values: &[f64], column_type: ColumnType, count: usize) -> Grid {
    grid(&Values::Number(values.to_vec()), column_type, count)
}

fn words(values: &[Option<&str>]) -> Values {
    Values::Text(TextValues::from_values(values.iter().copied()))
}

#[test]
fn points_are_values_or_quantiles() {
    let many: Vec<f64> = (0..101).map(f64::from).collect();
    near(&points(&many, ColumnType::Float, 3).values, &[5.0, 50.0, 95.0], 1e-12);
    near(&points(&many, ColumnType::Integer, 4).values, &[5.0, 35.0, 65.0, 95.0], 0.0);
    let halves: Vec<f64> = (0..101).map(|value| f64::from(value) / 2.0).collect();
    let whole = points(&halves, ColumnType::Integer, 20);
    assert!(whole.values.iter().all(|value| value.fract() == 0.0) && whole.rows.is_empty(), "{whole:?}");
    let few = points(&[2.0, NAN, 1.0, 2.0, f64::INFINITY], ColumnType::Float, 20);
    assert_eq!(
        (few.values.as_slice(), few.rows.as_slice(), few.missing),
        ([1.0, 2.0].as_slice(), [1, 2].as_slice(), true)
    );
    let none = points(&[NAN, NAN], ColumnType::Float, 20);
    assert!(none.is_empty() && none.missing);
    let huge = points(&[f64::MIN, -1.0, 0.0, 1.0, f64::MAX], ColumnType::Float, 3);
    assert!(huge.values.iter().all(|value| value.is_finite()), "{huge:?}");
}

#[test]
fn points_of_text_are_the_most_frequent() {
    let found = grid(&words(&[Some("b"), Some("a"), None, Some("b"), Some("c")]), ColumnType::Text, 2);
    assert_eq!((found.labels.join(","), found.rows.clone(), found.left_out), ("b,a".to_owned(), vec![2, 1], 1));
    assert_eq!(found.constant(1, 2), words(&[Some("a"), Some("a")]));
    assert!(found.missing);
}

#[test]
fn points_of_times_are_times() {
    let times: Vec<i64> = (0..50).map(|day| day * DAY).chain([MISSING_TIME]).collect();
    let found = grid(&Values::Time(times), ColumnType::Date, 5);
    assert!(found.missing && found.labels[0] == "1970-01-03", "{found:?}");
    assert_eq!(found.constant(0, 1), Values::Time(vec![2 * DAY]));
    assert_eq!(nothing(&Values::Time(vec![5])), Values::Time(vec![MISSING_TIME]));
}

#[test]
fn labels_are_written_as_the_data_is() {
    let cases = [
        (1.0, ColumnType::Boolean, "true"),
        (3.25, ColumnType::Float, "3.25"),
        (40.0, ColumnType::Integer, "40"),
        (0.0, ColumnType::Timestamp, "1970-01-01T00:00:00Z"),
        (3_661.0, ColumnType::Time, "01:01:01"),
    ];
    for (value, column_type, wanted) in cases {
        assert_eq!(label(value, column_type), wanted);
    }
}

#[test]
fn dependence_on_text_and_missing_values() -> Result<()> {
    let columns = vec![
        Column::raw("text", words(&[Some("aa"), None, Some("b")])),
        Column::raw("number", Values::Number(vec![1.0, 2.0, 6.0])),
    ];
    let frame = Frame::new(3, columns)?;
    // Texts count by their length; a missing one is ten.
    let answer = |row: &[f64]| row[1] + if row[0].is_nan() { 10.0 } else { row[0] };
    let two = |frame: &Frame| Ok(each(frame, answer).into_iter().flat_map(|value| [value, -value]).collect());
    let model = Model { outputs: 2, answer: &two };
    let points = grid(&frame.columns()[0].values, ColumnType::Text, 20);
    let found = dependence(&frame, 0, &points, 5, &model)?;
    assert_eq!((found.average, found.missing), (vec![vec![5.0, 4.0], vec![-5.0, -4.0]], Some(vec![13.0, -13.0])));
    assert!(found.curves.is_empty(), "curves are of one output alone");
    Ok(())
}

#[test]
fn local_effects_of_a_line_are_a_line() -> Result<()> {
    let x: Vec<f64> = (0..60).map(|row| f64::from(row * row % 61)).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let frame = frame(&[&x, &y])?;
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, |row| 3.0 * row[0] - 50.0 * row[1])) };
    let found = effects(&frame, 0, 8, &model)?.expect("a number has effects");
    // The other column goes together with it all the way, and does not shine through.
    for (edges, values) in found.edges.windows(2).zip(found.values[0].windows(2)) {
        near(&[values[1] - values[0]], &[3.0 * (edges[1] - edges[0])], 1e-9);
    }
    let middles =
        found.values[0].windows(2).zip(&found.rows).map(|(ends, rows)| (ends[0] + ends[1]) / 2.0 * *rows as f64);
    near(&[middles.sum::<f64>()], &[0.0], 1e-9);
    assert_eq!(found.rows.iter().sum::<u64>(), 60);
    Ok(())
}

#[test]
fn local_effects_leave_out_what_has_none() -> Result<()> {
    let columns = vec![
        Column::raw("text", words(&[Some("a"), Some("b"), None])),
        Column::raw("constant", Values::Number(vec![4.0, 4.0, NAN])),
        Column::raw("empty", Values::Number(vec![NAN; 3])),
        Column::raw("gaps", Values::Number(vec![1.0, NAN, 2.0])),
    ];
    let frame = Frame::new(3, columns)?;
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, |row| row[3] * 2.0)) };
    for (place, why) in [(0, "no order"), (1, "same value"), (2, "same value")] {
        let found = effects(&frame, place, 10, &model)?;
        assert!(found.as_ref().is_err_and(|found| found.contains(why)), "{found:?}");
    }
    let found = effects(&frame, 3, 10, &model)?.expect("two values are a direction");
    assert_eq!((found.edges, found.rows, found.values), (vec![1.0, 2.0], vec![2], vec![vec![-1.0, 1.0]]));
    Ok(())
}

#[test]
fn interactions_of_sums_and_products() -> Result<()> {
    let a: Vec<f64> = (0..36).map(|row| f64::from(row % 6) - 2.5).collect();
    let b: Vec<f64> = (0..36).map(|row| f64::from(row / 6) - 2.5).collect();
    let c: Vec<f64> = (0..36).map(|row| f64::from(row * 5 % 7)).collect();
    let frame = frame(&[&a, &b, &c])?;
    let of = |function: fn(&[f64]) -> f64| {
        interactions(&frame, &[0, 1, 2], &Model { outputs: 1, answer: &|frame| Ok(each(frame, function)) })
    };
    let (pairs, overall) = of(|row| row[0] + 3.0 * row[1].powi(2) - row[2])?;
    assert!(pairs.iter().all(|pair| pair.h2 < 1e-12 && pair.strength < 1e-6), "{pairs:?}");
    near(&overall, &[0.0; 3], 1e-12);
    // A product of centred columns is nothing but interaction: 35/12 is the variance of each.
    let (pairs, overall) = of(|row| row[0] * row[1])?;
    near(&[pairs[0].h2, pairs[0].strength], &[1.0, 35.0 / 12.0], 1e-12);
    near(&overall, &[1.0, 1.0, 0.0], 1e-12);
    near(&[pairs[1].h2, pairs[2].h2], &[0.0, 0.0], 1e-12);
    let (pairs, overall) = of(|_| 4.0)?;
    assert!(pairs.iter().all(|pair| pair.h2 == 0.0) && overall == [0.0; 3]);
    Ok(())
}

#[test]
fn compact_text_lists_what_rows_have() -> Result<()> {
    let text = TextValues { codes: vec![2, u32::MAX, 2, 0], levels: vec!["a".into(), "b".into(), "c".into()] };
    let frame = compact(Frame::new(4, vec![Column::raw("t", Values::Text(text))])?)?;
    let wanted = TextValues { codes: vec![0, u32::MAX, 0, 1], levels: vec!["c".into(), "a".into()] };
    assert_eq!(frame.columns()[0].values, Values::Text(wanted));
    Ok(())
}
