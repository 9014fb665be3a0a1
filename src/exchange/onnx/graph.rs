//! A graph while it is written: nodes, constants and names that are used once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::exchange::onnx::proto::{Attribute, GraphBody, Node, TensorData, attribute, element};

/// The set of operators for trees and look-ups.
pub const ML: &str = "ai.onnx.ml";

/// The name of a tensor in the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tensor(Arc<str>);

impl Tensor {
    /// The tensor called `name`.
    pub fn new(name: &str) -> Tensor {
        Tensor(name.into())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// One column of a tensor of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    tensor: Tensor,
    at: usize,
    width: usize,
}

impl Place {
    /// The only column of a tensor of one.
    pub fn only(tensor: Tensor) -> Place {
        Place { tensor, at: 0, width: 1 }
    }

    /// All `width` columns of a tensor, in order.
    pub fn all(tensor: &Tensor, width: usize) -> impl Iterator<Item = Place> {
        (0..width).map(move |at| Place { tensor: tensor.clone(), at, width })
    }
}

/// Nodes and constants in the order of their making. Equal constants are one.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    constants: Vec<TensorData>,
    known: HashMap<(i32, Vec<i64>, Vec<u8>), Tensor>,
    taken: HashSet<String>,
    made: usize,
}

impl Graph {
    /// A name like `wanted` that nothing has yet; it has it from now on.
    pub fn fresh(&mut self, wanted: &str) -> Tensor {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        Tensor::new(&name)
    }

    fn next(&mut self) -> Tensor {
        self.made += 1;
        let wanted = format!("mlops_{}", self.made);
        self.fresh(&wanted)
    }

    /// One operation of the main set with one result.
    pub fn op(&mut self, op: &str, inputs: &[&Tensor]) -> Tensor {
        self.node("", op, inputs, Vec::new())
    }

    /// The same along `axis`.
    pub fn along(&mut self, op: &str, inputs: &[&Tensor], axis: i64) -> Tensor {
        self.node("", op, inputs, vec![whole("axis", axis)])
    }

    /// One operation with attributes and one result.
    pub fn node(&mut self, domain: &str, op: &str, inputs: &[&Tensor], attributes: Vec<Attribute>) -> Tensor {
        let [made] = self.nodes(domain, op, inputs, attributes);
        made
    }

    /// One operation with several results.
    pub fn nodes<const COUNT: usize>(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&Tensor],
        attribute: Vec<Attribute>,
    ) -> [Tensor; COUNT] {
        let made = std::array::from_fn(|_| self.next());
        self.nodes.push(Node {
            input: inputs.iter().map(|input| input.name().to_owned()).collect(),
            output: made.iter().map(|output: &Tensor| output.name().to_owned()).collect(),
            op_type: op.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
        made
    }

    /// Gives a tensor the name that the outside knows.
    pub fn name(&mut self, tensor: &Tensor, name: &Tensor) {
        self.nodes.push(Node {
            input: vec![tensor.name().to_owned()],
            output: vec![name.name().to_owned()],
            op_type: "Identity".to_owned(),
            ..Node::default()
        });
    }

    /// Writes what `write` does as a graph of its own, which may read all tensors made before.
    pub fn body(&mut self, inputs: &[&Tensor], write: impl FnOnce(&mut Graph) -> Vec<Tensor>) -> GraphBody {
        let before = std::mem::take(&mut self.nodes);
        let outputs = write(self);
        let node = std::mem::replace(&mut self.nodes, before);
        let named = |tensor: &Tensor| super::proto::ValueInfo { name: tensor.name().to_owned(), ..Default::default() };
        GraphBody {
            node,
            name: "body".to_owned(),
            initializer: Vec::new(),
            input: inputs.iter().map(|input| named(input)).collect(),
            output: outputs.iter().map(named).collect(),
        }
    }

    /// A constant of whole numbers.
    pub fn wholes(&mut self, dims: &[usize], values: &[i64]) -> Tensor {
        self.constant(tensor(element::INT64, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect()))
    }

    /// A constant of numbers.
    pub fn numbers(&mut self, dims: &[usize], values: &[f64]) -> Tensor {
        self.constant(doubles(dims, values))
    }

    /// A constant of one number, for any shape.
    pub fn number(&mut self, value: f64) -> Tensor {
        self.numbers(&[1], &[value])
    }

    /// A constant of texts.
    pub fn texts(&mut self, dims: &[usize], values: &[&str]) -> Tensor {
        self.constant(texts(dims, values))
    }

    fn constant(&mut self, mut tensor: TensorData) -> Tensor {
        let bytes = match tensor.data_type {
            element::STRING => {
                let parts = tensor.string_data.iter();
                parts
                    .flat_map(|part| (part.len() as u64).to_le_bytes().into_iter().chain(part.iter().copied()))
                    .collect()
            }
            _ => tensor.raw_data.clone(),
        };
        let key = (tensor.data_type, tensor.dims.clone(), bytes);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = self.next();
        tensor.name = name.name().to_owned();
        self.constants.push(tensor);
        self.known.insert(key, name.clone());
        name
    }

    /// A column by itself: rows × 1.
    pub fn column(&mut self, place: &Place) -> Tensor {
        if place.width == 1 {
            return place.tensor.clone();
        }
        let at = self.wholes(&[1], &[place.at as i64]);
        self.along("Gather", &[&place.tensor, &at], 1)
    }

    /// Columns side by side: rows × their number. Neighbours that are neighbours already stay together.
    pub fn matrix(&mut self, places: &[Place]) -> Tensor {
        let mut parts = Vec::new();
        for run in places.chunk_by(|one, next| one.tensor == next.tensor && one.at + 1 == next.at) {
            if run.len() == run[0].width {
                parts.push(run[0].tensor.clone());
                continue;
            }
            let at: Vec<i64> = run.iter().map(|place| place.at as i64).collect();
            let at = self.wholes(&[at.len()], &at);
            parts.push(self.along("Gather", &[&run[0].tensor, &at], 1));
        }
        match &parts[..] {
            [only] => only.clone(),
            parts => self.along("Concat", &parts.iter().collect::<Vec<_>>(), 1),
        }
    }

    /// What is needed for `outputs`: nodes and constants, without those that nothing reads.
    pub fn finish(self, outputs: &[Tensor]) -> (Vec<Node>, Vec<TensorData>, HashSet<String>) {
        let mut needed: HashSet<String> = outputs.iter().map(|output| output.name().to_owned()).collect();
        let mut kept = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.into_iter().rev() {
            if node.output.iter().any(|output| needed.contains(output)) {
                let inside = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
                needed.extend(inside.flat_map(|body| &body.node).flat_map(|node| node.input.iter().cloned()));
                needed.extend(node.input.iter().cloned());
                kept.push(node);
            }
        }
        kept.reverse();
        let constants = self.constants.into_iter().filter(|constant| needed.contains(&constant.name)).collect();
        (kept, constants, needed)
    }
}

/// An attribute of one whole number.
pub fn whole(name: &str, i: i64) -> Attribute {
    Attribute { name: name.to_owned(), i, kind: attribute::INT, ..Attribute::default() }
}

/// An attribute of whole numbers.
pub fn list(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { name: name.to_owned(), ints, kind: attribute::INTS, ..Attribute::default() }
}

/// An attribute that is a tensor.
pub fn held(name: &str, mut tensor: TensorData) -> Attribute {
    name.clone_into(&mut tensor.name);
    Attribute { name: name.to_owned(), t: Some(tensor), kind: attribute::TENSOR, ..Attribute::default() }
}

/// An attribute that is a graph.
pub fn inner(name: &str, body: GraphBody) -> Attribute {
    Attribute { name: name.to_owned(), g: Some(body), kind: attribute::GRAPH, ..Attribute::default() }
}

/// Numbers as a tensor.
pub fn doubles(dims: &[usize], values: &[f64]) -> TensorData {
    tensor(element::DOUBLE, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// Whole numbers as a tensor.
pub fn integers(dims: &[usize], values: &[i64]) -> TensorData {
    tensor(element::INT64, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// Bytes as a tensor.
pub fn bytes(values: Vec<u8>) -> TensorData {
    tensor(element::UINT8, &[values.len()], values)
}

/// Texts as a tensor.
pub fn texts(dims: &[usize], values: &[&str]) -> TensorData {
    let string_data = values.iter().map(|value| value.as_bytes().to_vec()).collect();
    TensorData { string_data, ..tensor(element::STRING, dims, Vec::new()) }
}

fn tensor(data_type: i32, dims: &[usize], raw_data: Vec<u8>) -> TensorData {
    TensorData { dims: dims.iter().map(|size| *size as i64).collect(), data_type, raw_data, ..TensorData::default() }
}
