//! Whole packages as ONNX: recipe and model together in one file, raw columns in, answers out.
//!
//! Everything is computed in numbers of 64 bits, by operators of ONNX 1.16 and later (main set 21, `ai.onnx.ml` 5) that
//! onnxruntime has for them from 1.21 on; operators that it lacks are composed of others. Trees, look-ups and dates are
//! exact; sums may differ from ours in the last digits, as they are added in another order.
//!
//! Inputs are one tensor `rows × 1` for each raw column that the model looks at: numbers (whole ones and booleans too) as
//! doubles, NaN where missing; texts as strings, empty where missing; dates and time stamps as microseconds since 1970-01-01
//! UTC in 64-bit integers, the smallest of them where missing (numpy's `datetime64[us]` and its `NaT`, seen as `int64`).
//!
//! Where ours refuses a row because a feature is missing, the file answers NaN: it cannot refuse.

mod answers;
mod arithmetic;
mod graph;
mod model;
mod proto;
mod recipe;
mod trees;

#[cfg(test)]
mod tests;

use anyhow::Result;
use prost::Message;

use crate::base::fail;
use crate::base::hash::hash;
use crate::base::limits::ONNX_BYTES_MAX;
use crate::exchange::onnx::graph::{Graph, ML, Tensor};
use crate::exchange::onnx::model::Input;
use crate::exchange::onnx::proto::{Entry, GraphBody, IR_VERSION, Model, OperatorSet, ValueInfo, element};
use crate::features::column::Kind;
use crate::features::recipe::RecipeInput;
use crate::models::package::{InputColumn, ModelPackage};

/// Version of the main set of operators.
const OPERATORS: i64 = 21;
/// Version of the set for trees and look-ups: the first whose trees add 64-bit numbers.
const ML_OPERATORS: i64 = 5;
/// Values of a text column that its description lists.
const LISTED_MAX: usize = 20;

/// The package as the bytes of one ONNX file.
///
/// Outputs: `prediction`, doubles `rows × 1`, for numbers; `label`, strings or for whole-numbered targets 64-bit integers
/// `rows`, decided by the threshold of the package, and `probabilities`, doubles `rows × classes`, for classes, calibrated
/// as ours; `cluster`, integers, and `distance`, doubles, of `rows`; or `anomaly`, booleans, and `score`, doubles, of
/// `rows`. An output whose name a raw column has gets a number behind it. Equal packages give equal bytes.
///
/// Errors (usage): a step or a kind of model that ONNX cannot express, named; a raw column without a name; more than
/// [`ONNX_BYTES_MAX`]. Cost: a small multiple of the package in memory.
pub fn write(package: &ModelPackage) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let raw = package.recipe.inputs();
    if raw.iter().any(|input| input.name.is_empty()) {
        return Err(fail::usage("a raw column without a name cannot be written as ONNX")
            .hint("name it in the data and train again")
            .into());
    }
    let inputs: Vec<Tensor> = raw.iter().map(|input| graph.fresh(&input.name)).collect();
    let Some(rows) = inputs.first() else {
        return Err(fail::world("damaged model package: its recipe reads no column").into());
    };
    let outputs = answers::names(&mut graph, package);
    let features = recipe::write(&mut graph, &package.recipe, &inputs)?;
    let input = Input { features: &features, rows };
    let mut answer = model::write(&mut graph, &package.header.model, package.predictor(), input)?;
    if let Some(calibration) = package.calibration() {
        answer = model::calibrated(&mut graph, calibration, answer);
    }
    let output = answers::write(&mut graph, package, &answer, &outputs)?;
    let (node, initializer, needed) = graph.finish(&outputs);
    let described = raw.iter().filter(|input| needed.contains(&input.name)).map(|input| described(input, package));
    let body = GraphBody { node, name: "mlops".to_owned(), initializer, input: described.collect(), output };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "mlops".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        domain: "mlops".to_owned(),
        doc_string: answers::summary(package),
        graph: Some(body),
        opset_import: vec![operators("", OPERATORS), operators(ML, ML_OPERATORS)],
        metadata_props: metadata(package)?,
    };
    let length = model.encoded_len();
    if length > ONNX_BYTES_MAX {
        let what =
            format!("`{}` takes {length} bytes as ONNX, of which a file holds {ONNX_BYTES_MAX}", package.header.model);
        return Err(fail::usage(what).hint("train fewer or smaller trees, or on fewer rows").into());
    }
    Ok(model.encode_to_vec())
}

fn operators(domain: &str, version: i64) -> OperatorSet {
    OperatorSet { domain: domain.to_owned(), version }
}

/// A raw column as an input of the graph.
fn described(input: &RecipeInput, package: &ModelPackage) -> ValueInfo {
    let (elem_type, form) = match input.kind {
        Kind::Text => (element::STRING, "empty where missing"),
        Kind::Time => (element::INT64, "microseconds since 1970-01-01 UTC, -9223372036854775808 where missing"),
        _ => (element::DOUBLE, "NaN where missing"),
    };
    let known = package.header.inputs.iter().find(|column| column.name == input.name);
    let seen = known.map_or_else(String::new, seen);
    ValueInfo {
        name: input.name.clone(),
        kind: Some(proto::kind(elem_type, &[None, Some(1)])),
        doc_string: format!("{}; {form}{seen}", known.map_or(input.kind.name(), |column| column.column_type.name())),
    }
}

/// What training rows held.
fn seen(column: &InputColumn) -> String {
    match (&column.domain, column.min, column.max) {
        (Some(domain), ..) if !domain.is_empty() && domain.len() <= LISTED_MAX => {
            format!("; training rows held {}", domain.join(", "))
        }
        (_, Some(min), Some(max)) => format!("; training rows held {min} to {max}"),
        _ => String::new(),
    }
}

/// What the package says of itself, for programs.
fn metadata(package: &ModelPackage) -> Result<Vec<Entry>> {
    let header = &package.header;
    let entry = |key: &str, value: String| Entry { key: key.to_owned(), value };
    let mut entries = vec![
        entry("mlops.package", hash(&package.to_bytes()?).to_string()),
        entry("mlops.model", header.model.clone()),
        entry("mlops.task", header.task.name().to_owned()),
        entry("mlops.target", header.target.clone()),
        entry("mlops.classes", serde_json::to_string(&header.classes)?),
    ];
    entries.extend(header.threshold.map(|threshold| entry("mlops.threshold", threshold.to_string())));
    Ok(entries)
}
