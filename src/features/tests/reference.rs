//! Every step on one column against scikit-learn, numpy and pandas: `tests/fixtures/reference/features` (script and versions
//! there).

use anyhow::{Context, Result};
use serde_json::Value;

use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::features::tests::{feature, fit, frame, names};

fn column(name: &str, values: &Value) -> Result<Column> {
    if let Some(micros) = values.get("time").and_then(Value::as_array) {
        let micros = micros.iter().map(Value::as_i64).collect::<Option<Vec<_>>>().context("not microseconds")?;
        return Ok(Column::raw(name, Values::Time(micros)));
    }
    let values = values.as_array().context("not a list")?;
    if values.iter().any(Value::is_string) {
        return Ok(Column::raw(name, Values::Text(TextValues::from_values(values.iter().map(Value::as_str)))));
    }
    Ok(Column::raw(name, Values::Number(numbers(values))))
}

fn numbers(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

fn table(columns: &Value) -> Result<Frame> {
    let columns = columns.as_object().context("not a table")?;
    Ok(frame(columns.iter().map(|(name, values)| column(name, values)).collect::<Result<_>>()?))
}

fn check(case: &Value) -> Result<()> {
    let steps = case["steps"].as_array().context("no steps")?;
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    let fitted = fit(&steps.join(","), &table(&case["train"])?)?;
    let matrix = fitted.apply(&table(&case["apply"])?)?;
    let expected = case["expected"].as_object().context("nothing expected")?;
    let tolerance = case["tolerance"].as_f64().context("no tolerance")?;
    for (name, values) in expected {
        anyhow::ensure!(names(&fitted).contains(&name.as_str()), "no feature `{name}` among {:?}", names(&fitted));
        let wanted = numbers(values.as_array().context("not a list")?);
        for (row, (found, wanted)) in feature(&matrix, name).into_iter().zip(wanted).enumerate() {
            let same = found.is_nan() && wanted.is_nan();
            let near = (found - wanted).abs() <= tolerance * wanted.abs().max(1.0);
            anyhow::ensure!(same || near, "`{name}`, row {row}: {found} is not {wanted}");
        }
    }
    Ok(())
}

#[test]
fn steps_equal_their_references() -> Result<()> {
    let text = include_str!("../../../tests/fixtures/reference/features/steps.json");
    let all: Value = serde_json::from_str(text)?;
    let cases = all["cases"].as_array().context("no cases")?;
    assert!(cases.len() >= 70);
    let faults: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{}: {:#}", case["name"], check(case).err()?))).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    Ok(())
}
