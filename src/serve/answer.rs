//! Predictions as JSON.

use serde_json::Value;

use crate::models::predictor::Predictions;
use crate::spec::schema::ColumnType;

/// One class as it is written in answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// As a JSON value, in the type that the target column has.
    value: String,
    /// As a key of a JSON object, colon included.
    key: String,
}

impl Label {
    /// Prepares a class name. Numbers and booleans are written as such when the target column had that type.
    pub fn new(class: &str, target_type: Option<ColumnType>) -> Label {
        let text = Value::from(class).to_string();
        let value = match target_type {
            Some(ColumnType::Integer) => class.parse::<i64>().ok().map(|number| number.to_string()),
            Some(ColumnType::Float) => {
                class.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| Value::from(n).to_string())
            }
            Some(ColumnType::Boolean) => match class {
                "true" | "1" => Some("true".to_owned()),
                "false" | "0" => Some("false".to_owned()),
                _ => None,
            },
            _ => None,
        };
        Label { value: value.unwrap_or_else(|| text.clone()), key: format!("{text}:") }
    }
}

/// `{"predictions": [...]}`; with `probabilities`, one object of class to probability a row as well. Clustering answers
/// `{"predictions": [cluster, …], "distances": […]}`, anomaly detection `{"predictions": [true, …], "scores": […]}`.
///
/// Numbers that JSON does not have are written as null. `labels` has one entry a class, chosen as `threshold` has it.
pub fn to_json(predictions: &Predictions, labels: &[Label], threshold: Option<f64>, probabilities: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + predictions.rows() * 16);
    out.extend_from_slice(br#"{"predictions":["#);
    match predictions {
        Predictions::Numbers(values) => list(&mut out, values, |out, value| push_number(out, *value)),
        Predictions::Probabilities { .. } => {
            list(&mut out, &predictions.classes_at(threshold), |out, class| match labels.get(*class as usize) {
                Some(label) => out.extend_from_slice(label.value.as_bytes()),
                None => out.extend_from_slice(b"null"),
            });
        }
        Predictions::Clusters { codes, .. } => {
            list(&mut out, codes, |out, code| out.extend_from_slice(code.to_string().as_bytes()));
        }
        Predictions::Anomalies { scores, threshold } => list(&mut out, scores, |out, score| {
            out.extend_from_slice(if score > threshold { b"true" } else { b"false" });
        }),
    }
    out.push(b']');
    match predictions {
        Predictions::Clusters { distances: values, .. } => further(&mut out, "distances", values),
        Predictions::Anomalies { scores: values, .. } => further(&mut out, "scores", values),
        _ => {}
    }
    if let (true, Predictions::Probabilities { classes, values }) = (probabilities, predictions) {
        out.extend_from_slice(br#","probabilities":["#);
        let rows: Vec<&[f64]> = values.chunks_exact((*classes).max(1)).collect();
        list(&mut out, &rows, |out, row| {
            out.push(b'{');
            let pairs: Vec<(&Label, f64)> = labels.iter().zip(row.iter().copied()).collect();
            list(out, &pairs, |out, (label, probability)| {
                out.extend_from_slice(label.key.as_bytes());
                push_number(out, *probability);
            });
            out.push(b'}');
        });
        out.push(b']');
    }
    out.push(b'}');
    out
}

/// `,"name":[…]`.
fn further(out: &mut Vec<u8>, name: &str, values: &[f64]) {
    out.extend_from_slice(format!(",\"{name}\":[").as_bytes());
    list(out, values, |out, value| push_number(out, *value));
    out.push(b']');
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

fn push_number(out: &mut Vec<u8>, value: f64) {
    // Floats that are not finite are written as null; writing to memory cannot fail.
    let written = serde_json::to_writer(&mut *out, &value);
    debug_assert!(written.is_ok());
}
