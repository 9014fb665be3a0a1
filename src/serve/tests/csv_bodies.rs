//! Tests of requests in CSV.

use anyhow::{Context, Result};

use crate::base::limits;
use crate::data::frame::{MISSING_TIME, Values};
use crate::serve::csv;
use crate::serve::error::{Reason, ServeError};
use crate::serve::json;
use crate::serve::tests::fixture::schema;

const HEAD: &str = "city,age,income,member,joined,seen,note\r\n";

fn check(body: &str, reason: Reason, column: Option<&str>, row: Option<usize>) -> Result<ServeError> {
    let schema = schema();
    let error = csv::read(body, &schema).err().with_context(|| format!("taken: {body}"))?;
    assert_eq!((error.reason, error.column.as_deref(), error.row), (reason, column, row), "{body}: {error:?}");
    Ok(error)
}

#[test]
fn csv_fills_the_columns_that_json_fills() -> Result<()> {
    let schema = schema();
    let body = format!("\u{feff}\n{HEAD}\"Rome\", 30 ,5e4,TRUE,2024-01-31,2024-02-01 00:00:01,\"a \"\"b\"\", c\"\r\n");
    let from_csv = csv::read(&body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?.finish();
    let body = r#"{"instances": [{"age": 30, "income": 5e4, "city": "Rome", "member": true, "joined": "2024-01-31",
        "seen": "2024-02-01T00:00:01Z", "note": ""}]}"#;
    let from_json = json::read(body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?.0.finish();
    assert_eq!(from_csv, from_json);
    Ok(())
}

#[test]
fn empty_fields_and_words_for_missing_are_missing() -> Result<()> {
    let schema = schema();
    let body = "age,income,city,member,joined\n1,#N/A,Rome,true,\n2,,Oslo,0,null";
    let (columns, rows, _) = csv::read(body, &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?.finish();
    assert_eq!(rows, 2);
    assert!(matches!(&columns[1].values, Values::Number(values) if values.iter().all(|value| value.is_nan())));
    assert_eq!(columns[4].values, Values::Time(vec![MISSING_TIME; 2]));
    let (_, rows, _) = csv::read("age,city,member\n", &schema).map_err(|error| anyhow::anyhow!("{error:?}"))?.finish();
    assert_eq!(rows, 0);
    Ok(())
}

#[test]
fn errors_name_column_and_row() -> Result<()> {
    check("", Reason::NotCsv, None, None)?;
    check("\n\n", Reason::NotCsv, None, None)?;
    check("\"age", Reason::NotCsv, None, None)?;
    check("age,city\n1,Rome\n", Reason::MissingColumn, Some("member"), None)?;
    check("age,city,member,age\n", Reason::DuplicateColumn, Some("age"), None)?;
    check("age,city,member\n1,Rome,true\nold,Rome,true\n", Reason::WrongType, Some("age"), Some(1))?;
    check("age,city,member\ninf,Rome,true\n", Reason::WrongType, Some("age"), Some(0))?;
    check("age,city,member\n1,Rome,yes\n", Reason::WrongType, Some("member"), Some(0))?;
    check("age,city,member\n1,Rome\n", Reason::Ragged, None, Some(0))?;
    check("age,city,member\n1,Rome,true\n1,Rome,true,5\n", Reason::Ragged, None, Some(1))?;
    check("age,city,member\n1,\"Rome,true\n", Reason::NotCsv, None, Some(0))?;
    check("age,city,member\n1,\"Rome\"x,true\n", Reason::NotCsv, None, Some(0))?;
    let body = format!("age,city,member\n{}", "1,Rome,true\n".repeat(limits::REQUEST_ROWS_MAX + 1));
    check(&body, Reason::TooManyRows, None, Some(limits::REQUEST_ROWS_MAX))?;
    Ok(())
}
