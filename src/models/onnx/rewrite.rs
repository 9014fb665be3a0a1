//! Steps of traditional machine learning that the engine does not know, in terms of steps that it knows; and texts as
//! codes.
//!
//! Nothing computes with texts: every text of the graph gets a code, its place among all of them in the order of their
//! bytes, and stands in the graph as that number. A missing or unknown text is -1, which is equal to none of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::models::onnx::graph::{Graph, number_labels};
use crate::models::onnx::proto::{DataType, NodeProto, TensorProto, attribute, dims, float_tensor, floats, int};
use crate::models::onnx::proto::{int_attribute, int_tensor, ints, ints_attribute, node, texts, whole_numbers};
use crate::models::onnx::refuse::{node_damaged, node_unsupported, operator_unsupported};
use crate::models::onnx::trees::regressor;

/// Texts of a graph, sorted; the place of each is its code.
pub type Dictionary = Vec<String>;

/// Version from which on `axes` are an input instead of an attribute.
const AXES_ARE_INPUTS: i64 = 13;

/// Brings a graph into terms of standard operators; its texts by code.
///
/// Errors: a step of traditional machine learning that cannot be said otherwise, named; one that contradicts itself.
pub fn rewrite(graph: &mut Graph) -> Result<Dictionary> {
    let dictionary = dictionary(graph)?;
    let codes: BTreeMap<&str, f32> =
        dictionary.iter().map(String::as_str).zip((0..).map(|code: u16| f32::from(code))).collect();
    let given = std::mem::take(&mut graph.nodes);
    let mut writer = Writer { graph, codes, made: Vec::with_capacity(given.len()) };
    for tensor in writer.graph.tensors.values_mut() {
        to_codes(tensor, &writer.codes);
    }
    for step in given {
        writer.step(step)?;
    }
    let made = writer.made;
    graph.nodes = made;
    Ok(dictionary)
}

/// Every text that a step compares with or gives.
fn dictionary(graph: &Graph) -> Result<Dictionary> {
    let mut all = BTreeSet::new();
    for tensor in graph.tensors.values() {
        all.extend(tensor.string_data.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
    }
    for step in &graph.nodes {
        for name in ["cats_strings", "keys_strings", "values_strings", "classes_strings"] {
            all.extend(texts(step, name)?);
        }
    }
    if all.len() > usize::from(u16::MAX) {
        let what = format!("it compares with {} different texts", all.len());
        return Err(crate::models::onnx::refuse::unsupported(&what));
    }
    Ok(all.into_iter().collect())
}

fn to_codes(tensor: &mut TensorProto, codes: &BTreeMap<&str, f32>) {
    if tensor.data_type == DataType::String as i32 {
        let code = |bytes: &Vec<u8>| codes.get(&*String::from_utf8_lossy(bytes)).copied().unwrap_or(-1.0);
        tensor.float_data = tensor.string_data.iter().map(code).collect();
        tensor.string_data = Vec::new();
        tensor.data_type = DataType::Float as i32;
    }
}

struct Writer<'a, 'b> {
    graph: &'a mut Graph,
    codes: BTreeMap<&'b str, f32>,
    made: Vec<NodeProto>,
}

impl Writer<'_, '_> {
    fn step(&mut self, mut step: NodeProto) -> Result<()> {
        if step.op_type == "Normalizer" || step.domain != "ai.onnx.ml" {
            self.made.push(step);
            return Ok(());
        }
        let (Some(input), Some(output)) = (step.input.first().cloned(), step.output.first().cloned()) else {
            return Err(node_damaged(&step, "has no input or no output"));
        };
        match step.op_type.as_str() {
            "TreeEnsembleClassifier" | "LinearClassifier" | "LinearRegressor" => {
                number_labels(&mut step)?;
                self.made.push(step);
            }
            "TreeEnsembleRegressor" => {
                let (scores, targets) = regressor(&mut step)?;
                self.made.push(step);
                let numbers = self.constant(&output, "targets", int_tensor("", (0..targets).collect()));
                self.push("Gather", &[&scores, &numbers], &output, vec![int_attribute("axis", 1)]);
            }
            "Scaler" => self.scaler(&step, &input, &output)?,
            "Imputer" => self.imputer(&step, &input, &output)?,
            "OneHotEncoder" => self.one_hot(&step, &input, &output)?,
            "LabelEncoder" => self.label_encoder(&step, &input, &output)?,
            "ArrayFeatureExtractor" => self.columns(&step, &input, &output)?,
            "FeatureVectorizer" => self.side_by_side(&step, &output),
            "Binarizer" => {
                let threshold = attribute(&step, "threshold").map_or(0.0, |threshold| threshold.f);
                let limit = self.constant(&output, "threshold", float_tensor("", &[1], vec![threshold]));
                let number = self.float(&input, &output);
                let above = self.push("Greater", &[&number, &limit], &format!("{output}/above"), Vec::new());
                self.push("Cast", &[&above], &output, vec![int_attribute("to", DataType::Float as i64)]);
            }
            _ => return Err(operator_unsupported(&step)),
        }
        Ok(())
    }

    fn push(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<crate::models::onnx::proto::AttributeProto>,
    ) -> String {
        self.made.push(node(operator, inputs, output, attributes));
        output.to_owned()
    }

    /// Keeps a constant under a name that follows `output`.
    fn constant(&mut self, output: &str, what: &str, tensor: TensorProto) -> String {
        let name = format!("{output}/{what}");
        self.graph.tensors.insert(name.clone(), TensorProto { name: name.clone(), ..tensor });
        name
    }

    /// `input` as floats of 32 bits.
    fn float(&mut self, input: &str, output: &str) -> String {
        let to = int_attribute("to", DataType::Float as i64);
        self.push("Cast", &[input], &format!("{output}/number"), vec![to])
    }

    /// `(x - offset) * scale`.
    fn scaler(&mut self, step: &NodeProto, input: &str, output: &str) -> Result<()> {
        let (offset, scale) = (floats(step, "offset").to_vec(), floats(step, "scale").to_vec());
        let mut here = self.float(input, output);
        if !offset.is_empty() {
            let offset = self.constant(output, "offset", float_tensor("", &[offset.len()], offset));
            here = self.push("Sub", &[&here, &offset], &format!("{output}/shifted"), Vec::new());
        }
        let scale = if scale.is_empty() { vec![1.0] } else { scale };
        let scale = self.constant(output, "scale", float_tensor("", &[scale.len()], scale));
        self.push("Mul", &[&here, &scale], output, Vec::new());
        Ok(())
    }

    /// Puts the imputed value where the value to replace is.
    fn imputer(&mut self, step: &NodeProto, input: &str, output: &str) -> Result<()> {
        let values = match (floats(step, "imputed_value_floats"), ints(step, "imputed_value_int64s")) {
            ([], []) => return Err(node_unsupported(step, "has no values to impute")),
            ([], whole) => whole.iter().map(|value| *value as f32).collect(),
            (values, _) => values.to_vec(),
        };
        let replaced = attribute(step, "replaced_value_float").map(|value| value.f);
        let replaced = replaced.or_else(|| int(step, "replaced_value_int64").map(|value| value as f32)).unwrap_or(0.0);
        let number = self.float(input, output);
        let gap = format!("{output}/gap");
        if replaced.is_nan() {
            self.push("IsNaN", &[&number], &gap, Vec::new());
        } else {
            let replaced = self.constant(output, "replaced", float_tensor("", &[1], vec![replaced]));
            self.push("Equal", &[&number, &replaced], &gap, Vec::new());
        }
        let values = self.constant(output, "values", float_tensor("", &[values.len()], values));
        self.push("Where", &[&gap, &values, &number], output, Vec::new());
        Ok(())
    }

    /// One more dimension at the end, that is 1 where `input` equals `keys` and 0 elsewhere; its name.
    fn compared(&mut self, input: &str, output: &str, keys: Vec<f32>) -> String {
        let number = self.float(input, output);
        let wide = self.with_axes("Unsqueeze", &number, &format!("{output}/wide"), Vec::new());
        let keys = self.constant(output, "keys", float_tensor("", &[keys.len()], keys));
        let equal = self.push("Equal", &[&wide, &keys], &format!("{output}/equal"), Vec::new());
        let to = int_attribute("to", DataType::Float as i64);
        self.push("Cast", &[&equal], &format!("{output}/hot"), vec![to])
    }

    /// A step along the last dimension, said as this version of the operators says it.
    fn with_axes(
        &mut self,
        operator: &str,
        input: &str,
        output: &str,
        more: Vec<crate::models::onnx::proto::AttributeProto>,
    ) -> String {
        if self.graph.opset < AXES_ARE_INPUTS {
            let attributes = std::iter::once(ints_attribute("axes", vec![-1])).chain(more).collect();
            return self.push(operator, &[input], output, attributes);
        }
        let axes = self.constant(output, "axes", int_tensor("", vec![-1]));
        self.push(operator, &[input, &axes], output, more)
    }

    fn keys(&self, step: &NodeProto, strings: &str, whole: &str, numbers: &str) -> Result<Vec<f32>> {
        let texts = texts(step, strings)?;
        if !texts.is_empty() {
            return Ok(texts.iter().map(|text| self.codes.get(text.as_str()).copied().unwrap_or(-1.0)).collect());
        }
        let whole = ints(step, whole);
        if whole.iter().any(|value| value.abs() > 1 << 24) {
            return Err(node_unsupported(step, "compares with whole numbers beyond 16,777,216"));
        }
        Ok(if whole.is_empty() {
            floats(step, numbers).to_vec()
        } else {
            whole.iter().map(|value| *value as f32).collect()
        })
    }

    fn one_hot(&mut self, step: &NodeProto, input: &str, output: &str) -> Result<()> {
        let keys = self.keys(step, "cats_strings", "cats_int64s", "")?;
        if keys.is_empty() {
            return Err(node_damaged(step, "has no categories"));
        }
        let hot = self.compared(input, output, keys);
        self.push("Identity", &[&hot], output, Vec::new());
        Ok(())
    }

    /// The value beside the key that equals the input, the default where none does.
    fn label_encoder(&mut self, step: &NodeProto, input: &str, output: &str) -> Result<()> {
        if step
            .attribute
            .iter()
            .any(|attribute| attribute.name.ends_with("_tensor") || attribute.name.starts_with("classes"))
        {
            return Err(node_unsupported(step, "writes its pairs in a form that is not read"));
        }
        let keys = self.keys(step, "keys_strings", "keys_int64s", "keys_floats")?;
        let values = self.keys(step, "values_strings", "values_int64s", "values_floats")?;
        if keys.is_empty() || keys.len() != values.len() {
            return Err(node_damaged(step, &format!("has {} keys and {} values", keys.len(), values.len())));
        }
        let default = match attribute(step, "values_floats") {
            Some(_) => attribute(step, "default_float").map_or(0.0, |value| value.f),
            None if attribute(step, "values_int64s").is_some() => int(step, "default_int64").unwrap_or(-1) as f32,
            None => -1.0,
        };
        let hot = self.compared(input, output, keys);
        let values = self.constant(output, "values", float_tensor("", &[values.len()], values));
        let weighed = self.push("Mul", &[&hot, &values], &format!("{output}/weighed"), Vec::new());
        let drop = || vec![int_attribute("keepdims", 0)];
        let value = self.with_axes("ReduceSum", &weighed, &format!("{output}/value"), drop());
        let found = self.with_axes("ReduceSum", &hot, &format!("{output}/found"), drop());
        let half = self.constant(output, "half", float_tensor("", &[1], vec![0.5]));
        let known = self.push("Greater", &[&found, &half], &format!("{output}/known"), Vec::new());
        let default = self.constant(output, "default", float_tensor("", &[1], vec![default]));
        self.push("Where", &[&known, &value, &default], output, Vec::new());
        Ok(())
    }

    /// Columns by number.
    fn columns(&mut self, step: &NodeProto, input: &str, output: &str) -> Result<()> {
        let wanted = step.input.get(1).and_then(|name| self.graph.tensors.get(name));
        let flat = wanted.map(|tensor| TensorProto {
            dims: vec![dims(tensor).map_or(0, |dims| dims.iter().product::<usize>()) as i64],
            ..tensor.clone()
        });
        let Some(numbers) = flat.as_ref().and_then(whole_numbers) else {
            return Err(node_unsupported(step, "chooses columns by what was computed"));
        };
        let numbers = self.constant(output, "columns", int_tensor("", numbers));
        self.push("Gather", &[input, &numbers], output, vec![int_attribute("axis", 1)]);
        Ok(())
    }

    fn side_by_side(&mut self, step: &NodeProto, output: &str) {
        let parts: Vec<String> =
            step.input.iter().enumerate().map(|(at, input)| self.float(input, &format!("{output}/{at}"))).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        self.push("Concat", &parts, output, vec![int_attribute("axis", 1)]);
    }
}
