//! Written files parse, hold the operators they should, and read nothing that was not made before; what ONNX cannot express
//! is refused by name. That onnxruntime answers what we answer is shown by `tests/oracle/onnx.py`.

mod kinds;
mod steps;

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use prost::Message;

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::Matrix;
use crate::data::split::Split;
use crate::data::target::Target;
use crate::exchange::onnx::proto::{GraphBody, Model};
use crate::exchange::onnx::write;
use crate::features::recipe::{FittedRecipe, Recipe};
use crate::models::blend::{Blend, Member};
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::{FitInput, Predictor};
use crate::models::zoo::{self, Kind};
use crate::record::profile::ProfileRecord;
use crate::spec::model::Task;
use crate::spec::recipe::TransformSpec;
use crate::spec::schema::ColumnType;

/// Rows of the table that models are fitted on.
const ROWS: usize = 60;

/// Numbers `x` and `y` with gaps in `x`, texts `color` with gaps, times `when`, and `prediction`, a number.
fn table() -> Result<Frame> {
    let wave = |row: usize, step: usize| (row * step % 61) as f64 / 10.0;
    let gaps = (0..ROWS).map(|row| if row % 7 == 0 { f64::NAN } else { wave(row, 37) });
    let colors = (0..ROWS).map(|row| ["red", "green", "blue"].get(row % 4).copied());
    Frame::new(
        ROWS,
        vec![
            Column::raw("x", Values::Number(gaps.collect())),
            Column::raw("y", Values::Number((0..ROWS).map(|row| wave(row, 13) + 1.0).collect())),
            Column::raw("color", Values::Text(TextValues::from_values(colors))),
            Column::raw("when", Values::Time((0..ROWS as i64).map(|row| row * 86_400_000_000).collect())),
            Column::raw("prediction", Values::Number((0..ROWS).map(|row| wave(row, 7)).collect())),
        ],
    )
}

fn target(task: Task) -> Target {
    let codes = |classes: usize| (0..ROWS).map(|row| (row * 29 % 17 % classes) as u32).collect();
    let names = |classes: usize| (0..classes).map(|class| class.to_string()).collect();
    match task {
        Task::Binary => Target::Classes { names: names(2), codes: codes(2) },
        Task::Multiclass => Target::Classes { names: names(3), codes: codes(3) },
        Task::Regression => Target::Numbers((0..ROWS).map(|row| (row * 29 % 17) as f64).collect()),
        Task::Clustering | Task::Anomaly => Target::Labels { task, names: names(0), codes: vec![u32::MAX; ROWS] },
    }
}

/// A package of `kind` for `task`; `steps` are written as JSON with single quotes, the recipe `auto` when empty.
fn package(kind: &str, task: Task, steps: &str) -> Result<ModelPackage> {
    let (frame, target, kind) = (table()?, target(task), zoo::kind(kind)?);
    let spec: TransformSpec = match steps {
        "" => TransformSpec::default(),
        _ => serde_json::from_str(&format!("{{'steps': [{steps}]}}").replace('\'', "\""))?,
    };
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let train = Split::from_parts(vec![0; ROWS])?.training(&frame, &target, &rows)?;
    let recipe = Recipe::from_spec(&spec, kind.family)?.fit(&train, Seed(42))?;
    let predictor = fitted(kind, &recipe.apply(&frame)?, &target)?;
    Ok(packed(kind.name, task, recipe, predictor, &frame))
}

/// A model of `kind`, of few trees if of any.
fn fitted(kind: &Kind, matrix: &Matrix, target: &Target) -> Result<Box<dyn Predictor>> {
    let mut params = (kind.params)();
    if params.contains_key("trees") {
        params.insert("trees".to_owned(), 5.into());
    }
    (kind.fit)(&mut FitInput {
        matrix,
        target,
        weights: None,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(7),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    })
}

/// A package of what was fitted on `frame`.
fn packed(kind: &str, task: Task, recipe: FittedRecipe, predictor: Box<dyn Predictor>, frame: &Frame) -> ModelPackage {
    let input = |column: &Column| InputColumn {
        name: column.name.to_string(),
        column_type: match column.values {
            Values::Text(_) => ColumnType::Text,
            Values::Time(_) => ColumnType::Timestamp,
            _ => ColumnType::Float,
        },
        missing_seen: true,
        domain: None,
        min: Some(0.0),
        max: None,
    };
    let header = PackageHeader {
        target: "label".to_owned(),
        target_type: Some(ColumnType::Integer),
        classes: target(task).classes().to_vec(),
        inputs: frame.columns().iter().map(input).collect(),
        ..PackageHeader::new(kind, task, recipe.features().to_vec())
    };
    let baseline = ProfileRecord { rows: ROWS as u64, columns: Vec::new() };
    ModelPackage::new(header, recipe, predictor, baseline)
}

/// A blend of two kinds on the same features.
fn blended(task: Task, kinds: [&'static str; 2]) -> Result<ModelPackage> {
    let (frame, target) = (table()?, target(task));
    let recipe = package(kinds[0], task, "")?.recipe;
    let matrix = recipe.apply(&frame)?;
    let width = matrix.features().len();
    let mut members = Vec::new();
    for (kind, weight, start) in [(kinds[0], 0.25, 0), (kinds[1], 0.75, 1)] {
        let range = start..width;
        let models = vec![fitted(zoo::kind(kind)?, &matrix.range(range.clone())?, &target)?];
        members.push(Member { kind, range, weight, models });
    }
    let blend = Blend::new(width, target.classes().len(), members)?;
    Ok(packed("blend", task, recipe, Box::new(blend), &frame))
}

/// The file of a package, parsed and found sound.
fn written(package: &ModelPackage) -> Result<(Model, GraphBody)> {
    let bytes = write(package)?;
    assert_eq!(write(package)?, bytes, "equal packages give equal bytes");
    let model = Model::decode(&bytes[..])?;
    let body = model.graph.clone().context("a graph")?;
    let mut known: HashSet<String> = body.input.iter().map(|input| input.name.clone()).collect();
    for constant in &body.initializer {
        assert!(known.insert(constant.name.clone()), "{} is there twice", constant.name);
    }
    sound(&body, &mut known);
    for output in &body.output {
        assert!(known.contains(&output.name), "nothing makes {}", output.name);
        assert!(output.kind.is_some(), "{} has no type", output.name);
    }
    Ok((model, body))
}

/// Every tensor is made once, before it is read.
fn sound(body: &GraphBody, known: &mut HashSet<String>) {
    for node in &body.node {
        for input in &node.input {
            assert!(known.contains(input), "{} reads {input} before it is made", node.op_type);
        }
        for inner in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            let mut inside = known.clone();
            inside.extend(inner.input.iter().map(|input| input.name.clone()));
            sound(inner, &mut inside);
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} is made twice");
        }
    }
}

/// All operators of a graph.
fn operators(body: &GraphBody) -> BTreeSet<&str> {
    let inner = body.node.iter().flat_map(|node| &node.attribute).filter_map(|attribute| attribute.g.as_ref());
    inner.flat_map(operators).chain(body.node.iter().map(|node| node.op_type.as_str())).collect()
}

fn check_operators(package: &ModelPackage, wanted: &[&str]) -> Result<()> {
    let (_, body) = written(package)?;
    let found = operators(&body);
    for wanted in wanted {
        assert!(found.contains(wanted), "no {wanted} among {found:?}");
    }
    Ok(())
}
