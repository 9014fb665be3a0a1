//! An ONNX graph ready to answer blocks of rows.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{OperatorSetIdProto, TensorShapeProto, TypeProto, type_proto};
use tract_onnx::prelude::{
    Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TVec, Tensor, TypedRunnableModel,
};

use crate::base::guard;
use crate::base::limits::{COLUMNS_MAX, ONNX_BLOCK_ROWS, ONNX_BLOCK_ROWS_MAX};
use crate::models::onnx::graph::{Element, Graph, Port};
use crate::models::onnx::proto::{DataType, GraphProto, ModelProto, ValueInfoProto};
use crate::models::onnx::refuse::{damaged, unsupported};
use crate::models::onnx::rewrite::{Dictionary, rewrite};
use crate::models::onnx::shapes;

/// Version of the operators where a file says none.
const OPSET_DEFAULT: i64 = 13;
/// Versions of the standard operators that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=25;

/// A port whose width is settled, and whether the graph reads it at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The port.
    pub port: Port,
    /// Its columns.
    pub width: usize,
    /// Whether any step reads it.
    pub is_read: bool,
}

/// A graph that answers `rows` rows at once.
pub struct Plan {
    /// What it takes, in the file's order.
    pub inputs: Vec<Input>,
    /// Rows of a block.
    pub rows: usize,
    /// Numbers that answer one row.
    pub columns: usize,
    /// Names of the classes where the file has them.
    pub classes: Vec<String>,
    /// Texts of the graph by code.
    pub dictionary: Dictionary,
    runnable: Arc<TypedRunnableModel>,
}

impl Plan {
    /// Reads a file; `features` settles the width of its one input where the file leaves it open.
    ///
    /// Errors: those of [`Graph::decode`] and of the checks; an input of unknown width; an answer that is not one row
    /// of numbers for each row; whatever the engine refuses.
    pub fn open(bytes: &[u8], features: Option<usize>) -> Result<Plan> {
        let mut graph = Graph::decode(bytes)?;
        if graph.opset == 0 {
            graph.opset = OPSET_DEFAULT;
        }
        if !OPSETS.contains(&graph.opset) {
            return Err(unsupported(&format!("its operators are of version {}", graph.opset)));
        }
        let answer = graph.answer()?;
        graph.keep_only(&answer.value);
        let dictionary = rewrite(&mut graph)?;
        let inputs = inputs(&graph, features)?;
        let rows = block_rows(&graph.ports)?;
        let sizes: HashMap<String, Vec<usize>> =
            inputs.iter().map(|input| (input.port.name.clone(), input.sizes(rows))).collect();
        shapes::check(&mut graph, &sizes)?;
        let proto = model(graph, &inputs, rows);
        let runnable = guard::caught(|| optimised(&proto)).unwrap_or_else(|panic| Err(broken(&panic)))?;
        let columns = columns(&runnable, rows)?;
        if !answer.classes.is_empty() && columns > 1 && answer.classes.len() != columns {
            return Err(damaged(&format!("it names {} classes and scores {columns}", answer.classes.len())));
        }
        Ok(Plan { inputs, rows, columns, classes: answer.classes, dictionary, runnable })
    }

    /// Answers one block: `rows × columns` numbers, row by row, for one tensor of each input that is read.
    pub fn answer(&self, tensors: Vec<Tensor>) -> Result<Vec<f64>> {
        let values: TVec<TValue> = tensors.into_iter().map(IntoTValue::into_tvalue).collect();
        guard::caught(|| self.run(values)).unwrap_or_else(|panic| Err(broken(&panic)))
    }

    fn run(&self, values: TVec<TValue>) -> Result<Vec<f64>> {
        let answers = self.runnable.run(values).map_err(|error| broken(&format!("{:#}", error.root_cause())))?;
        let answer = answers.first().ok_or_else(|| broken("no answer"))?;
        let numbers = answer.cast_to::<f64>().map_err(|error| broken(&format!("{error:#}")))?;
        let view = numbers.to_plain_array_view::<f64>().map_err(|error| broken(&format!("{error:#}")))?;
        Ok(view.iter().copied().collect())
    }
}

impl Input {
    fn sizes(&self, rows: usize) -> Vec<usize> {
        if self.port.is_list { vec![rows] } else { vec![rows, self.width] }
    }

    /// One tensor of this input from `rows × width` numbers, row by row; texts as codes.
    ///
    /// Errors: a number that is not whole where whole ones are wanted; its place.
    pub fn tensor(&self, rows: usize, values: &[f64]) -> std::result::Result<Tensor, usize> {
        let sizes = self.sizes(rows);
        let whole = |from: f64, to: f64| match values.iter().position(|value| !(from..=to).contains(value)) {
            Some(place) => Err(place),
            None => Ok(values.iter().map(|value| *value as i64).collect::<Vec<i64>>()),
        };
        let made = match self.port.element {
            Element::Float | Element::Text => {
                Tensor::from_shape(&sizes, &values.iter().map(|value| *value as f32).collect::<Vec<f32>>())
            }
            Element::Double => Tensor::from_shape(&sizes, values),
            Element::Int64 => Tensor::from_shape(&sizes, &whole(-9e18, 9e18)?),
            Element::Int32 => {
                let values = whole(f64::from(i32::MIN), f64::from(i32::MAX))?;
                Tensor::from_shape(&sizes, &values.iter().map(|value| *value as i32).collect::<Vec<i32>>())
            }
            Element::Boolean => {
                let values = whole(0.0, 1.0)?;
                Tensor::from_shape(&sizes, &values.iter().map(|value| *value != 0).collect::<Vec<bool>>())
            }
        };
        made.map_err(|_| 0)
    }
}

/// Widths of all ports; one port alone may leave its width open.
fn inputs(graph: &Graph, features: Option<usize>) -> Result<Vec<Input>> {
    let mut inputs = Vec::with_capacity(graph.ports.len());
    for port in &graph.ports {
        let is_read = graph.reads(&port.name);
        let width = match (port.width, features) {
            (Some(width), _) => width,
            (None, Some(features)) if graph.ports.len() == 1 => features,
            (None, _) if graph.ports.len() > 1 => 1,
            (None, _) => {
                let what = format!("its input `{}` does not say how many columns it has", port.name);
                return Err(unsupported(&what).context("declare its columns with --schema FILE.toml"));
            }
        };
        inputs.push(Input { port: port.clone(), width, is_read });
    }
    let all = inputs.iter().map(|input| input.width).fold(0, usize::saturating_add);
    if all == 0 || all > COLUMNS_MAX {
        return Err(unsupported(&format!(
            "it reads {all} columns; at least one and at most {COLUMNS_MAX} are possible"
        )));
    }
    if !inputs.iter().any(|input| input.is_read) {
        return Err(unsupported("its answer does not depend on any input"));
    }
    Ok(inputs)
}

/// Rows of a block: those that the file wants, else a number that serves one row and many.
fn block_rows(ports: &[Port]) -> Result<usize> {
    let mut wanted: Vec<usize> = ports.iter().filter_map(|port| port.rows).collect();
    wanted.sort_unstable();
    wanted.dedup();
    match wanted.as_slice() {
        [] => Ok(ONNX_BLOCK_ROWS),
        [rows] if *rows <= ONNX_BLOCK_ROWS_MAX => Ok(*rows),
        _ => Err(unsupported(&format!("its inputs want {wanted:?} rows at once"))),
    }
}

/// The graph as the engine is to see it: inputs of settled sizes, nothing that it could read elsewhere.
fn model(graph: Graph, inputs: &[Input], rows: usize) -> ModelProto {
    let read = inputs.iter().filter(|input| input.is_read);
    let opset = OperatorSetIdProto { version: graph.opset, ..OperatorSetIdProto::default() };
    let outputs = graph.outputs.iter().map(|name| ValueInfoProto { name: name.clone(), ..ValueInfoProto::default() });
    ModelProto {
        ir_version: 8,
        opset_import: vec![opset],
        graph: Some(GraphProto {
            input: read.map(|input| described(input, rows)).collect(),
            output: outputs.collect(),
            initializer: graph.tensors.into_values().collect(),
            node: graph.nodes,
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    }
}

fn described(input: &Input, rows: usize) -> ValueInfoProto {
    let element = match input.port.element {
        Element::Float | Element::Text => DataType::Float,
        Element::Double => DataType::Double,
        Element::Int64 => DataType::Int64,
        Element::Int32 => DataType::Int32,
        Element::Boolean => DataType::Bool,
    };
    let dim = |size: usize| Dimension { value: Some(dimension::Value::DimValue(size as i64)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: input.sizes(rows).into_iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: element as i32, shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: input.port.name.clone(), r#type: Some(kind), ..ValueInfoProto::default() }
}

fn optimised(proto: &ModelProto) -> Result<Arc<TypedRunnableModel>> {
    let engine = tract_onnx::onnx().with_ignore_value_info(true);
    let refused = |error: &anyhow::Error| broken(&deepest(error));
    let model = engine.model_for_proto_model(proto).map_err(|error| refused(&error))?;
    let model = model.with_output_fact(0, InferenceFact::default()).map_err(|error| refused(&error))?;
    let model = model.into_optimized().map_err(|error| refused(&error))?;
    model.into_runnable().map_err(|error| refused(&error))
}

/// What went wrong, with the step that it went wrong at.
fn deepest(error: &anyhow::Error) -> String {
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.dedup();
    let from = causes.len().saturating_sub(2);
    causes[from..].join(": ").chars().take(300).collect()
}

fn broken(why: &str) -> anyhow::Error {
    unsupported(&format!("the engine cannot run it ({why})"))
}

/// Numbers that answer one row.
fn columns(runnable: &Arc<TypedRunnableModel>, rows: usize) -> Result<usize> {
    let fact = runnable.model().output_fact(0).map_err(|error| broken(&format!("{error:#}")))?;
    let sizes: Vec<Option<usize>> = fact.shape.iter().map(|dim| usize::try_from(dim.to_i64().ok()?).ok()).collect();
    let columns = match sizes.as_slice() {
        [Some(found)] if *found == rows => Some(1),
        [Some(found), Some(columns)] if *found == rows => Some(*columns),
        // A batch of one row may lose its dimension on the way.
        [] if rows == 1 => Some(1),
        _ => None,
    };
    let fits = |columns: &usize| (1..=crate::base::limits::CLASSES_MAX).contains(columns);
    columns.filter(fits).ok_or_else(|| {
        let shown: Vec<String> =
            sizes.iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string())).collect();
        unsupported(&format!("it answers {rows} rows with values of sizes {}", shown.join(" × ")))
    })
}
