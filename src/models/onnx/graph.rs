//! An ONNX graph as far as one answer needs it: decoded, checked, in the order of computing.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto;
use tract_onnx::prelude::Framework;

use crate::models::onnx::proto::{DataType, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, attribute};
use crate::models::onnx::proto::{check_tensor, int_attribute, text, texts};
use crate::models::onnx::refuse::{damaged, node_damaged, operator_unsupported, unsupported};
use crate::models::onnx::wire;

/// Kinds of values that a graph takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// 32 bits.
    Float,
    /// 64 bits.
    Double,
    /// Whole numbers of 64 bits.
    Int64,
    /// Whole numbers of 32 bits.
    Int32,
    /// True or false.
    Boolean,
    /// Text; the graph is given codes in its place.
    Text,
}

/// One input of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Kind of its values.
    pub element: Element,
    /// Whether it is a list, one value a row, instead of a matrix.
    pub is_list: bool,
    /// Columns; `None` when the file leaves it open.
    pub width: Option<usize>,
    /// Rows, when the file wants one number of them.
    pub rows: Option<usize>,
}

/// A graph.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Steps, each after those it needs.
    pub nodes: Vec<NodeProto>,
    /// Constants by name.
    pub tensors: BTreeMap<String, TensorProto>,
    /// What it takes, in the file's order.
    pub ports: Vec<Port>,
    /// Names of what it gives, in the file's order.
    pub outputs: Vec<String>,
    /// Version of the standard operators.
    pub opset: i64,
}

/// The value that answers, and the names of its columns where the file has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Name of the value.
    pub value: String,
    /// Names of the classes; none when the file has none.
    pub classes: Vec<String>,
}

impl Graph {
    /// Decodes a file.
    ///
    /// Errors: damaged, too many parts, operators of other domains, subgraphs, inputs that are no columns. Cost: a
    /// small multiple of the file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Graph> {
        wire::check(bytes)?;
        let model: ModelProto = tract_onnx::onnx()
            .proto_model_for_read(&mut &bytes[..])
            .map_err(|error| damaged(&format!("{:#}", error.root_cause())))?;
        let opset = model.opset_import.iter().find(|import| matches!(import.domain.as_str(), "" | "ai.onnx"));
        let opset = opset.map_or(0, |import| import.version);
        let proto = model.graph.ok_or_else(|| damaged("it has no graph"))?;
        Graph::from_proto(proto, opset)
    }

    fn from_proto(proto: GraphProto, opset: i64) -> Result<Graph> {
        if !proto.sparse_initializer.is_empty() {
            return Err(unsupported("it has sparse constants"));
        }
        let mut tensors = BTreeMap::new();
        let mut made = HashSet::new();
        for tensor in proto.initializer {
            check_tensor(&tensor)?;
            made.insert(tensor.name.clone());
            if tensors.insert(tensor.name.clone(), tensor).is_some() {
                return Err(damaged("two constants have the same name"));
            }
        }
        let mut ports = Vec::new();
        for input in proto.input.iter().filter(|input| !tensors.contains_key(&input.name)) {
            if !made.insert(input.name.clone()) {
                return Err(damaged(&format!("two inputs are called `{}`", input.name)));
            }
            ports.push(port(input)?);
        }
        let mut nodes = Vec::with_capacity(proto.node.len());
        for mut node in proto.node {
            check_node(&mut node)?;
            if let Some(unknown) = node.input.iter().find(|input| !input.is_empty() && !made.contains(*input)) {
                return Err(node_damaged(&node, &format!("needs `{unknown}`, which nothing before it makes")));
            }
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if !made.insert(output.clone()) {
                    return Err(node_damaged(&node, &format!("makes `{output}`, which is there already")));
                }
            }
            match constant(&node)? {
                Some(tensor) => {
                    tensors.insert(tensor.name.clone(), tensor);
                }
                None => nodes.push(node),
            }
        }
        let outputs: Vec<String> = proto.output.into_iter().map(|output| output.name).collect();
        match outputs.iter().find(|output| !made.contains(*output)) {
            Some(unknown) => Err(damaged(&format!("nothing makes its output `{unknown}`"))),
            None => Ok(Graph { nodes, tensors, ports, outputs, opset }),
        }
    }

    /// The value that answers: probabilities before they are made into maps, else the only output that is no label.
    ///
    /// Errors: no output, labels alone, several outputs of which none is called probabilities.
    pub fn answer(&self) -> Result<Answer> {
        let makers: HashMap<&str, &NodeProto> =
            self.nodes.iter().flat_map(|node| node.output.iter().map(move |output| (output.as_str(), node))).collect();
        let mut answers = Vec::new();
        for output in &self.outputs {
            match makers.get(output.as_str()) {
                Some(node) if node.op_type == "ZipMap" => {
                    let value = node.input.first().cloned().unwrap_or_default();
                    return Ok(Answer { value, classes: class_names(node)? });
                }
                Some(node) if is_label(node, output, &makers) => {}
                _ => answers.push(output),
            }
        }
        let chosen = match answers.as_slice() {
            [only] => *only,
            several => {
                let named = |output: &&&String| output.to_lowercase().contains("prob");
                several.iter().find(named).copied().ok_or_else(|| no_answer(&self.outputs))?
            }
        };
        let mut maker = makers.get(chosen.as_str()).copied();
        // Class names are those of the classifier behind the scores, through steps that keep their order.
        while let Some(node) = maker.filter(|node| matches!(node.op_type.as_str(), "Identity" | "Cast" | "Normalizer"))
        {
            maker = node.input.first().and_then(|input| makers.get(input.as_str()).copied());
        }
        Ok(Answer { value: chosen.clone(), classes: maker.map_or(Ok(Vec::new()), class_names)? })
    }

    /// Leaves out all steps and constants that `value` does not need; ports stay.
    pub fn keep_only(&mut self, value: &str) {
        let mut wanted = HashSet::from([value.to_owned()]);
        let mut kept = Vec::new();
        while let Some(node) = self.nodes.pop() {
            if node.output.iter().any(|output| wanted.contains(output)) {
                wanted.extend(node.input.iter().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.tensors.retain(|name, _| wanted.contains(name));
        self.outputs = vec![value.to_owned()];
    }

    /// Whether a step reads `name`.
    pub fn reads(&self, name: &str) -> bool {
        self.outputs.iter().any(|output| output == name)
            || self.nodes.iter().any(|node| node.input.iter().any(|input| input == name))
    }
}

fn no_answer(outputs: &[String]) -> anyhow::Error {
    unsupported(&match outputs {
        [] => "it has no output".to_owned(),
        [_] => "it gives labels without probabilities".to_owned(),
        _ => format!("it has several outputs and none is called probabilities: {}", outputs.join(", ")),
    })
}

/// Whether an output is the label of a classifier: its first output, or something taken from it or from the largest
/// score.
fn is_label(node: &NodeProto, output: &str, makers: &HashMap<&str, &NodeProto>) -> bool {
    let mut here = (node, output.to_owned());
    loop {
        let (node, output) = &here;
        match node.op_type.as_str() {
            "TreeEnsembleClassifier" | "LinearClassifier" | "SVMClassifier" => {
                return node.output.first() == Some(output);
            }
            "ArgMax" => return true,
            "Identity" | "Cast" | "Reshape" | "Squeeze" | "ArrayFeatureExtractor" | "LabelEncoder" | "Gather" => {}
            _ => return false,
        }
        let Some(next) =
            node.input.iter().find_map(|input| makers.get(input.as_str()).map(|maker| (*maker, input.clone())))
        else {
            return false;
        };
        here = next;
    }
}

fn class_names(node: &NodeProto) -> Result<Vec<String>> {
    let names = texts(node, "classlabels_strings")?;
    let numbers = attribute(node, "classlabels_int64s").or_else(|| attribute(node, "classlabels_ints"));
    Ok(match (names.is_empty(), numbers) {
        (true, Some(numbers)) => numbers.ints.iter().map(i64::to_string).collect(),
        _ => names,
    })
}

/// Checks what can be seen of a node alone, and drops what only people read.
fn check_node(node: &mut NodeProto) -> Result<()> {
    if !matches!(node.domain.as_str(), "" | "ai.onnx" | "ai.onnx.ml") {
        return Err(operator_unsupported(node));
    }
    let holds_graph = |attribute: &tract_onnx::pb::AttributeProto| {
        attribute.g.is_some() || !attribute.graphs.is_empty() || attribute.sparse_tensor.is_some()
    };
    if node.attribute.iter().any(holds_graph) || matches!(node.op_type.as_str(), "If" | "Loop" | "Scan") {
        return Err(operator_unsupported(node));
    }
    for tensor in node.attribute.iter().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors)) {
        check_tensor(tensor)?;
    }
    let mut names = HashSet::new();
    match node.attribute.iter().find(|attribute| !names.insert(attribute.name.as_str())) {
        Some(twice) => Err(node_damaged(node, &format!("has two attributes `{}`", twice.name))),
        None => {
            node.doc_string.clear();
            Ok(())
        }
    }
}

/// What a constant node makes; `None` for other nodes.
fn constant(node: &NodeProto) -> Result<Option<TensorProto>> {
    if node.op_type != "Constant" || !node.domain.is_empty() && node.domain != "ai.onnx" {
        return Ok(None);
    }
    let name = node.output.first().cloned().unwrap_or_default();
    let (Some(given), true) = (node.attribute.first(), node.attribute.len() == 1) else {
        return Err(node_damaged(node, "has no value"));
    };
    let list = |length: usize| if given.name.ends_with('s') { vec![length as i64] } else { Vec::new() };
    let plain = |kind: DataType| TensorProto { name: name.clone(), data_type: kind as i32, ..TensorProto::default() };
    let tensor = match (given.name.as_str(), &given.t) {
        ("value", Some(tensor)) => TensorProto { name: name.clone(), ..tensor.clone() },
        ("value_float", _) => TensorProto { float_data: vec![given.f], ..plain(DataType::Float) },
        ("value_int", _) => TensorProto { int64_data: vec![given.i], ..plain(DataType::Int64) },
        ("value_string", _) => TensorProto { string_data: vec![given.s.clone()], ..plain(DataType::String) },
        ("value_floats", _) => {
            TensorProto { dims: list(given.floats.len()), float_data: given.floats.clone(), ..plain(DataType::Float) }
        }
        ("value_ints", _) => {
            TensorProto { dims: list(given.ints.len()), int64_data: given.ints.clone(), ..plain(DataType::Int64) }
        }
        ("value_strings", _) => TensorProto {
            dims: list(given.strings.len()),
            string_data: given.strings.clone(),
            ..plain(DataType::String)
        },
        _ => return Err(operator_unsupported(node)),
    };
    check_tensor(&tensor)?;
    Ok(Some(tensor))
}

fn port(input: &ValueInfoProto) -> Result<Port> {
    let name = input.name.clone();
    let odd = |why: &str| unsupported(&format!("its input `{name}` {why}"));
    let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) else {
        return Err(odd("is no table of values"));
    };
    let element = match DataType::try_from(tensor.elem_type) {
        Ok(DataType::Float) => Element::Float,
        Ok(DataType::Double) => Element::Double,
        Ok(DataType::Int64) => Element::Int64,
        Ok(DataType::Int32) => Element::Int32,
        Ok(DataType::Bool) => Element::Boolean,
        Ok(DataType::String) => Element::Text,
        Ok(other) => return Err(odd(&format!("holds {}", other.as_str_name()))),
        Err(_) => return Err(odd("holds values of an unknown type")),
    };
    let sizes: Vec<Option<usize>> = match &tensor.shape {
        Some(shape) => shape.dim.iter().map(|dim| size(dim.value.as_ref())).collect(),
        None => return Err(odd("does not say whether it is a matrix")),
    };
    match sizes.as_slice() {
        [rows] => Ok(Port { name, element, is_list: true, width: Some(1), rows: *rows }),
        [rows, width] => Ok(Port { name, element, is_list: false, width: *width, rows: *rows }),
        _ => Err(odd(&format!("has {} dimensions; rows of a table have one or two", sizes.len()))),
    }
}

/// A size that the file settles; skl2onnx writes 0 for one that is open.
fn size(value: Option<&dimension::Value>) -> Option<usize> {
    match value {
        Some(dimension::Value::DimValue(size)) => usize::try_from(*size).ok().filter(|size| *size > 0),
        _ => None,
    }
}

/// Names that a rewritten label list has in place of its texts, so that nothing computes with texts.
pub fn number_labels(node: &mut NodeProto) -> Result<()> {
    let (strings, numbers) = ("classlabels_strings", label_numbers(node));
    let names = texts(node, strings)?;
    if !names.is_empty() {
        node.attribute.retain(|attribute| attribute.name != strings && attribute.name != numbers);
        let codes = (0..names.len() as i64).collect();
        node.attribute.push(crate::models::onnx::proto::ints_attribute(numbers, codes));
    }
    if text(node, "post_transform") == Some("") {
        node.attribute.retain(|attribute| attribute.name != "post_transform");
    }
    if node.op_type == "LinearClassifier" && attribute(node, "multi_class").is_none() {
        node.attribute.push(int_attribute("multi_class", 0));
    }
    Ok(())
}

/// Linear classifiers and trees name the same list differently.
fn label_numbers(node: &NodeProto) -> &'static str {
    if node.op_type == "LinearClassifier" { "classlabels_ints" } else { "classlabels_int64s" }
}
