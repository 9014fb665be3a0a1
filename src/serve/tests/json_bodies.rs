//! Tests of requests in JSON.

use anyhow::{Context, Result};

use crate::base::limits;
use crate::data::frame::{Column, MISSING_CODE, MISSING_TIME, Values};
use crate::serve::error::{Reason, ServeError};
use crate::serve::json::{self, Params};
use crate::serve::schema::Suspicion;
use crate::serve::tests::fixture::schema;

const ROW: &str = r#"{"age": 30, "income": 5e4, "city": "Rome", "member": true, "joined": "2024-01-31", "seen": "2024-02-01T00:00:01Z"}"#;

/// The columns of a body that is right.
fn columns(body: &str) -> Result<Vec<Column>> {
    let schema = schema();
    let (columns, _) = json::read(body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(columns.finish().0)
}

/// The error of a body that is wrong.
fn refused(body: &str) -> Result<ServeError> {
    let schema = schema();
    json::read(body, &schema).err().with_context(|| format!("taken: {body}"))
}

/// Checks reason, column and row of an error.
fn check(body: &str, reason: Reason, column: Option<&str>, row: Option<usize>) -> Result<ServeError> {
    let error = refused(body)?;
    assert_eq!((error.reason, error.column.as_deref(), error.row), (reason, column, row), "{body}: {error:?}");
    assert!(column.is_none_or(|column| error.message.contains(&format!("`{column}`"))), "{error:?}");
    Ok(error)
}

fn records(change: &str, to: &str) -> String {
    assert!(ROW.contains(change), "{change} is not in the row");
    format!(r#"{{"dataframe_records": [{ROW}, {}]}}"#, ROW.replacen(change, to, 1))
}

#[test]
fn every_shape_fills_the_same_columns() -> Result<()> {
    let record = columns(&format!(r#"{{"dataframe_records": [{ROW}]}}"#))?;
    assert_eq!(record[0].values, Values::Number(vec![30.0]));
    assert_eq!(record[1].values, Values::Number(vec![50_000.0]));
    assert_eq!(record[3].values, Values::Number(vec![1.0]));
    assert_eq!(record[4].values, Values::Time(vec![1_706_659_200_000_000]));
    assert_eq!(record[5].values, Values::Time(vec![1_706_745_601_000_000]));
    let list = r#"[30, 5e4, "Rome", true, "2024-01-31", "2024-02-01T00:00:01Z"]"#;
    let names = r#"["age", "income", "city", "member", "joined", "seen"]"#;
    for body in [
        format!(r#"{{"instances": [{ROW}]}}"#),
        format!(r#"{{"instances": [{list}]}}"#),
        format!(r#"{{"dataframe_split": {{"columns": {names}, "index": [7], "data": [{list}]}}}}"#),
        format!(r#"{{"dataframe_split": {{"data": [{list}], "columns": {names}}}, "params": null}}"#),
        r#"{"inputs": {"seen": ["2024-02-01 00:00:01"], "age": [30.0], "income": [50000], "city": ["\u0052ome"],
            "member": [1], "joined": ["2024-01-31T00:00:00"]}}"#
            .to_owned(),
        r#"{"dataframe_split": {"columns": ["city", "x", "seen", "age", "joined", "member", "income"],
            "data": [["Rome", [[{}]], "2024-02-01T01:00:01+01:00", 30, "2024-01-31", true, 5e4]]}}"#
            .to_owned(),
    ] {
        assert_eq!(columns(&body)?, record, "{body}");
    }
    Ok(())
}

#[test]
fn values_that_training_missed_may_be_null_or_absent() -> Result<()> {
    let got = columns(r#"{"dataframe_records": [{"age": 1, "city": "Oslo", "member": false, "income": null}]}"#)?;
    assert!(matches!(&got[1].values, Values::Number(values) if values[0].is_nan()));
    assert_eq!(got[4].values, Values::Time(vec![MISSING_TIME]));
    let got = columns(r#"{"inputs": {"age": [1, 2], "city": ["Oslo", null], "member": [true, false]}}"#)?;
    assert!(matches!(&got[2].values, Values::Text(text) if text.codes == [0, MISSING_CODE]));
    assert_eq!(got[5].values, Values::Time(vec![MISSING_TIME; 2]));
    assert_eq!(columns(r#"{"dataframe_records": []}"#)?[0].values, Values::Number(vec![]));
    Ok(())
}

#[test]
fn text_is_coded_by_first_appearance() -> Result<()> {
    let body = r#"{"inputs": {"age": [1,1,1,1], "member": [0,0,0,0], "city": ["Rome", "Ulm", "Oslo", "Ulm"]}}"#;
    let got = columns(body)?;
    let Values::Text(text) = &got[2].values else { anyhow::bail!("no text") };
    let values: Vec<_> = (0..4).map(|row| text.get(row)).collect();
    assert_eq!(values, [Some("Rome"), Some("Ulm"), Some("Oslo"), Some("Ulm")]);
    assert_eq!(text.codes, [0, 1, 2, 1]);
    Ok(())
}

#[test]
fn a_body_that_is_no_json_is_refused() -> Result<()> {
    for body in ["", "{", "nonsense", r#"{"dataframe_records": [{"age": 3 4}]}"#, r#"{"instances": []} x"#, "\u{0}"] {
        check(body, Reason::NotJson, None, None)?;
    }
    for number in ["NaN", "Infinity", "-Infinity"] {
        let error = check(&records("5e4", number), Reason::NotJson, None, None)?;
        assert!(error.hint.is_some_and(|hint| hint.contains("null")), "{number}");
    }
    check(&records("5e4", "1e999"), Reason::NotJson, None, None)?;
    Ok(())
}

#[test]
fn a_body_of_another_shape_is_refused() -> Result<()> {
    for body in ["[]", "3", r#"{"dataframe_records": {"age": 3}}"#, r#"{"dataframe_split": []}"#, r#"{"inputs": [1]}"#]
    {
        check(body, Reason::WrongShape, None, None)?;
    }
    check(r#"{"dataframe_records": [3]}"#, Reason::WrongShape, None, Some(0))?;
    check(&format!(r#"{{"dataframe_records": [{ROW}, [1]]}}"#), Reason::WrongShape, None, Some(1))?;
    check(r#"{"instances": ["Rome"]}"#, Reason::WrongShape, None, Some(0))?;
    check(r#"{"dataframe_split": {"columns": ["age"]}}"#, Reason::MissingColumn, Some("city"), None)?;
    check(r#"{"dataframe_split": {"data": [[1]]}}"#, Reason::WrongShape, None, None)?;
    check(r#"{"dataframe_split": {"columns": [1], "data": []}}"#, Reason::WrongShape, None, None)?;
    let error = check(r#"{"inputs": {"age": 3}}"#, Reason::WrongShape, None, None)?;
    assert!(error.message.contains("`age`"), "{error:?}");
    Ok(())
}

#[test]
fn none_or_several_of_the_data_keys_are_refused() -> Result<()> {
    check("{}", Reason::DataKeys, None, None)?;
    let error = check(r#"{"dataframe_record": []}"#, Reason::DataKeys, None, None)?;
    assert_eq!(error.hint.as_deref(), Some("did you mean `dataframe_records`?"));
    check(r#"{"instances": [], "inputs": {}}"#, Reason::DataKeys, None, None)?;
    check(r#"{"instances": [], "instances": []}"#, Reason::DataKeys, None, None)?;
    Ok(())
}

#[test]
fn a_missing_column_is_named() -> Result<()> {
    check(&records(r#""age": 30, "#, ""), Reason::MissingColumn, Some("age"), Some(1))?;
    let error = check(&records(r#""city""#, r#""City""#), Reason::MissingColumn, Some("city"), Some(1))?;
    assert_eq!(error.hint.as_deref(), Some("is `City` meant to be `city`?"));
    check(r#"{"inputs": {"age": [1], "city": ["Rome"]}}"#, Reason::MissingColumn, Some("member"), None)?;
    check(r#"{"inputs": {}}"#, Reason::MissingColumn, Some("age"), None)?;
    Ok(())
}

#[test]
fn a_value_of_a_wrong_type_is_named() -> Result<()> {
    let error = check(&records("5e4", r#""3.5""#), Reason::WrongType, Some("income"), Some(1))?;
    assert_eq!(error.message, "column `income` is float, row 1 holds the text \"3.5\"");
    assert_eq!(error.hint.as_deref(), Some("send numbers without quotes: 3.5"));
    for (change, to, column) in [
        ("30", r#""old""#, "age"),
        ("30", "true", "age"),
        ("30", "[1]", "age"),
        ("30", r#"{"a": 1}"#, "age"),
        (r#""Rome""#, "12", "city"),
        (r#""Rome""#, "false", "city"),
        ("true", r#""yes""#, "member"),
        ("true", "2", "member"),
        (r#""2024-01-31""#, "1706659200000", "joined"),
        (r#""2024-01-31""#, r#""2024-02-30""#, "joined"),
        (r#""2024-02-01T00:00:01Z""#, r#""now""#, "seen"),
    ] {
        let error = check(&records(change, to), Reason::WrongType, Some(column), Some(1))?;
        assert!(error.hint.is_some(), "{error:?}");
    }
    let long = "x".repeat(100_000);
    assert!(
        check(&records("30", &format!("\"{long}\"")), Reason::WrongType, Some("age"), Some(1))?.message.len() < 300
    );
    Ok(())
}

#[test]
fn rows_of_another_width_are_refused() -> Result<()> {
    let split =
        |rows: &str| format!(r#"{{"dataframe_split": {{"columns": ["age", "city", "member", "x"], "data": {rows}}}}}"#);
    assert_eq!(columns(&split(r#"[[1, "Rome", true, 0]]"#))?[0].values, Values::Number(vec![1.0]));
    let error = check(&split(r#"[[1, "Rome", true, 0], [1, "Rome"]]"#), Reason::Ragged, None, Some(1))?;
    assert_eq!(error.message, "row 1 has 2 values, not 4");
    check(&split(r#"[[1, "Rome", true, 0, 0, 0]]"#), Reason::Ragged, None, Some(0))?;
    check(r#"{"instances": [[1]]}"#, Reason::Ragged, None, Some(0))?;
    let body = r#"{"inputs": {"age": [1, 2], "city": ["Rome"], "member": [true, true]}}"#;
    check(body, Reason::Ragged, Some("city"), None)?;
    Ok(())
}

#[test]
fn a_name_twice_is_refused() -> Result<()> {
    check(&records("30", r#"30, "age": 31"#), Reason::DuplicateColumn, Some("age"), Some(1))?;
    let body = r#"{"dataframe_split": {"columns": ["age", "city", "age"], "data": []}}"#;
    check(body, Reason::DuplicateColumn, Some("age"), None)?;
    check(r#"{"inputs": {"age": [1], "age": [1]}}"#, Reason::DuplicateColumn, Some("age"), None)?;
    Ok(())
}

#[test]
fn rows_beyond_the_limit_are_refused() -> Result<()> {
    let row = r#"{"age":1,"city":"Rome","member":true}"#;
    let rows = |count: usize| format!(r#"{{"instances":[{}]}}"#, vec![row; count].join(","));
    assert_eq!(columns(&rows(limits::REQUEST_ROWS_MAX))?[0].values.len(), limits::REQUEST_ROWS_MAX);
    check(&rows(limits::REQUEST_ROWS_MAX + 1), Reason::TooManyRows, None, Some(limits::REQUEST_ROWS_MAX))?;
    let column = vec!["1"; limits::REQUEST_ROWS_MAX + 1].join(",");
    check(&format!(r#"{{"inputs":{{"age":[{column}]}}}}"#), Reason::TooManyRows, None, Some(limits::REQUEST_ROWS_MAX))?;
    Ok(())
}

#[test]
fn depth_costs_nothing() -> Result<()> {
    let bomb = "[".repeat(200_000);
    check(&format!(r#"{{"dataframe_records": [{{"age": {bomb}"#), Reason::WrongType, Some("age"), Some(0))?;
    check(&format!(r#"{{"dataframe_records": {bomb}"#), Reason::WrongShape, None, Some(0))?;
    check(&format!(r#"{{"x": {bomb}"#), Reason::NotJson, None, None)?;
    check(&bomb, Reason::WrongShape, None, None)?;
    Ok(())
}

#[test]
fn parameters_are_checked() -> Result<()> {
    let schema = schema();
    let body = r#"{"params": {"probabilities": true}, "instances": []}"#;
    let read = json::read(body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    assert_eq!(read.1, Params { probabilities: true });
    let error = check(r#"{"params": {"probability": true}, "instances": []}"#, Reason::WrongParameter, None, None)?;
    assert_eq!(error.hint.as_deref(), Some("did you mean `probabilities`?"));
    check(r#"{"params": {"probabilities": 1}, "instances": []}"#, Reason::WrongShape, None, None)?;
    Ok(())
}

#[test]
fn what_is_suspicious_is_served_and_counted() -> Result<()> {
    let schema = schema();
    let body = r#"{"instances": [
        {"age": 17, "city": "Ulm", "member": null, "income": -1, "joined": "1066-10-14", "more": 1, "yet more": [2]},
        {"age": 20.5, "city": "Rome", "member": true, "income": 1, "seen": null}]}"#;
    let (columns, _) = json::read(body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let (_, rows, ignored) = columns.finish();
    assert_eq!((rows, ignored), (2, 2));
    let count = |column: usize, suspicion: Suspicion| schema.columns()[column].tally()[suspicion as usize];
    assert_eq!(count(0, Suspicion::OutOfRange), 1);
    assert_eq!(count(0, Suspicion::Fraction), 1);
    assert_eq!(count(1, Suspicion::OutOfRange), 1);
    assert_eq!(count(2, Suspicion::UnseenCategory), 1);
    assert_eq!(count(3, Suspicion::UnexpectedMissing), 1);
    assert_eq!(count(4, Suspicion::AbsentColumn), 1);
    assert_eq!(count(5, Suspicion::AbsentColumn), 1);
    assert_eq!(count(5, Suspicion::UnexpectedMissing), 0);
    let sums: u64 = schema.columns().iter().flat_map(|column| column.tally()).sum();
    assert_eq!(sums, 7);
    Ok(())
}
