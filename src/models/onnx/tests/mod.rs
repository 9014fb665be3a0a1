//! ONNX files of other tools: the same answers as onnxruntime, refusals by name, and nothing worse from damaged ones.

mod hostile;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::models::form::{FormReader, FormWriter};
use crate::models::onnx::{OnnxModel, read};
use crate::models::predictor::{Predictions, Predictor};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/exchange/onnx")
}

fn file(name: &str) -> Result<Vec<u8>> {
    fs::read(folder().join(format!("{name}.onnx"))).with_context(|| name.to_owned())
}

/// The columns of `feed` in the order of the model's features: numbers, or levels and codes of texts.
fn matrix(feed: &Value, model: &OnnxModel) -> Result<(Matrix, Vec<Vec<String>>)> {
    let (mut features, mut levels, mut rows) = (Vec::new(), Vec::new(), 0);
    for (at, wanted) in model.features().iter().enumerate() {
        let (column, place) = match feed.get(&wanted.name) {
            Some(column) => (column, 0),
            None => (feed.as_object().and_then(|all| all.values().next()).context("an empty feed")?, at),
        };
        let values: Vec<&Value> = column.as_array().context("no rows")?.iter().map(|row| &row[place]).collect();
        rows = values.len();
        let (known, values) = match values.iter().any(|value| value.is_string()) {
            false => {
                (Vec::new(), FeatureValues::Number(values.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()))
            }
            true => {
                // A level that the graph does not know, and one that the recipe does not.
                let known: Vec<String> = ["red", "green", "blue", "orange"].map(str::to_owned).to_vec();
                let code = |value: &&Value| {
                    known.iter().position(|name| value.as_str() == Some(name)).map_or(MISSING_CODE, |at| at as u32)
                };
                let codes: Arc<[u32]> = values.iter().map(code).collect();
                (known, FeatureValues::Category { codes, levels: 4 })
            }
        };
        let name: Arc<str> = wanted.name.as_str().into();
        features.push(Feature { from: Arc::clone(&name), name, values });
        levels.push(known);
    }
    Ok((Matrix::new(rows, features)?, levels))
}

fn reopened(model: &dyn Predictor) -> Result<Box<dyn Predictor>> {
    let mut form = FormWriter::new();
    model.write(&mut form);
    let bytes = form.finish();
    let mut reader = FormReader::new(&bytes);
    let model = read(&mut reader)?;
    reader.end()?;
    Ok(model)
}

/// The file answers what onnxruntime answers, to `tolerance` for numbers of any size, before and after it was kept.
fn check(name: &str, tolerance: f64) -> Result<()> {
    let reference: Value = serde_json::from_slice(&fs::read(folder().join(format!("{name}.json")))?)?;
    let mut model = OnnxModel::open(file(name)?, None, None).with_context(|| name.to_owned())?;
    let (matrix, levels) = matrix(&reference["feed"], &model)?;
    model.set_levels(levels)?;
    if let Some(classes) = reference["classes"].as_array() {
        let names: Vec<&str> = classes.iter().filter_map(Value::as_str).collect();
        assert_eq!(model.class_names(), names, "{name}");
    }
    let answers = model.predict(&matrix)?;
    assert_eq!(reopened(&model)?.predict(&matrix)?, answers, "{name}");
    let (Predictions::Numbers(values) | Predictions::Probabilities { values, .. }) = answers else {
        anyhow::bail!("{name}: odd answers");
    };
    let wanted: Vec<f64> = reference["answers"]
        .as_array()
        .context("answers")?
        .iter()
        .flat_map(|row| row.as_array().cloned().unwrap_or_default())
        .filter_map(|v| v.as_f64())
        .collect();
    assert_eq!(values.len(), wanted.len(), "{name}");
    for (at, (value, wanted)) in values.iter().zip(&wanted).enumerate() {
        assert!(
            (value - wanted).abs() <= tolerance * wanted.abs().max(1.0),
            "{name} value {at}: {value}, not {wanted}"
        );
    }
    Ok(())
}

#[test]
fn models_of_skl2onnx_and_torch_answer_as_in_onnxruntime() -> Result<()> {
    for name in [
        "logistic",
        "logistic2",
        "linear",
        "forest",
        "forest_regressor",
        "gradient",
        "gradient3",
        "gradient_regressor",
        "mlp",
        "mlp2",
        "mlp_regressor",
        "columns",
        "torch",
    ] {
        check(name, 1e-5)?;
    }
    Ok(())
}

#[test]
fn a_row_alone_is_answered_with_the_same_bits() -> Result<()> {
    for name in ["mlp", "gradient3", "linear"] {
        let reference: Value = serde_json::from_slice(&fs::read(folder().join(format!("{name}.json")))?)?;
        let model = OnnxModel::open(file(name)?, None, None)?;
        let (all, _) = matrix(&reference["feed"], &model)?;
        let rows = [0_usize, 17, 63];
        let of_row = |feature: &Feature, row: usize| Feature {
            values: FeatureValues::Number(vec![feature.values.get(row)]),
            ..feature.clone()
        };
        let whole = model.predict(&all)?;
        let (Predictions::Numbers(values) | Predictions::Probabilities { values, .. }) = &whole else { continue };
        let width = values.len() / all.rows();
        for row in rows {
            let one = Matrix::new(1, all.features().iter().map(|feature| of_row(feature, row)).collect())?;
            let alone = model.predict(&one)?;
            let (Predictions::Numbers(found) | Predictions::Probabilities { values: found, .. }) = &alone else {
                continue;
            };
            assert_eq!(found, &values[row * width..(row + 1) * width], "{name} row {row}");
        }
    }
    Ok(())
}
