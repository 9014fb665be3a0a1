//! Tests of files of other tools: what the real libraries answered, what is refused, damage, and the way out and back.

mod hostile;
mod reading;
mod writing;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::exchange::{Foreign, lightgbm, xgboost};
use crate::models::predictor::Predictions;

/// A file of the folder of models of other tools.
fn fixture(name: &str) -> Result<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/exchange");
    std::fs::read(folder.join(name)).with_context(|| name.to_owned())
}

/// Reads a file of either tool, told by its ending.
fn read(name: &str, bytes: &[u8]) -> Result<Foreign> {
    if name.ends_with(".txt") { lightgbm::read(bytes) } else { xgboost::read(bytes) }
}

/// The rows that the other tools were asked about, as what `model` reads.
fn asked(model: &Foreign, rows: &[Vec<Option<f64>>]) -> Result<Matrix> {
    let features = model.features.iter().enumerate().map(|(place, feature)| {
        let cells = rows.iter().map(|row| row.get(place).copied().flatten());
        let values = match feature.codes {
            0 => FeatureValues::Number(cells.map(|cell| cell.unwrap_or(f64::NAN)).collect()),
            levels => {
                let code = |cell: Option<f64>| cell.map_or(MISSING_CODE, |code| code as u32);
                let known = |code: u32| if (code as usize) < levels { code } else { MISSING_CODE };
                FeatureValues::Category { codes: cells.map(code).map(known).collect(), levels: levels as u32 }
            }
        };
        Feature { name: Arc::from(feature.name.as_str()), from: Arc::from(feature.name.as_str()), values }
    });
    Matrix::new(rows.len(), features.collect())
}

/// What the other tools answered, as a list; of two classes the probability of the second alone.
fn answers(predictions: Predictions) -> Vec<f64> {
    match predictions {
        Predictions::Numbers(values) => values,
        Predictions::Probabilities { classes: 2, values } => values.into_iter().skip(1).step_by(2).collect(),
        Predictions::Probabilities { values, .. } => values,
        Predictions::Clusters { .. } | Predictions::Anomalies { .. } => Vec::new(),
    }
}

/// Rows and answers of `answers.json`.
fn reference() -> Result<(Vec<Vec<Option<f64>>>, Value)> {
    let mut reference: Value = serde_json::from_slice(&fixture("answers.json")?)?;
    let rows = serde_json::from_value(reference["rows"].take())?;
    Ok((rows, reference["answers"].take()))
}

#[track_caller]
fn close(name: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{name}");
    for (row, (got, expected)) in got.iter().zip(expected).enumerate() {
        let scale = expected.abs().max(1.0);
        assert!((got - expected).abs() <= tolerance * scale, "{name}, value {row}: {got}, not {expected}");
    }
}
