//! The operators that are run, and how many values each step makes: known before anything is computed, so that a small
//! file cannot ask for all memory there is.

use std::collections::HashMap;

use anyhow::Result;

use crate::base::limits::{ONNX_PRODUCTS_MAX, ONNX_VALUES_MAX};
use crate::models::onnx::graph::Graph;
use crate::models::onnx::proto::{NodeProto, TensorProto, dims, floats, int, ints, whole_numbers};
use crate::models::onnx::refuse::{node_damaged, node_unsupported, operator_unsupported};
use crate::models::onnx::trees;

/// How large a value is: its sizes, or where they cannot be told beforehand the most values that it has.
#[derive(Clone, Debug, PartialEq)]
enum Extent {
    Sizes(Vec<usize>),
    AtMost(usize),
}

impl Extent {
    fn count(&self) -> usize {
        match self {
            Extent::Sizes(sizes) => sizes.iter().fold(1, |count: usize, size| count.saturating_mul(*size)),
            Extent::AtMost(count) => *count,
        }
    }

    fn sizes(&self) -> Option<&[usize]> {
        match self {
            Extent::Sizes(sizes) => Some(sizes),
            Extent::AtMost(_) => None,
        }
    }
}

/// Checks every step of a graph whose ports have the sizes given.
///
/// Errors: an operator that is not run, named with its node; more values or products than the limits; trees that lead
/// nowhere.
pub fn check(graph: &mut Graph, ports: &HashMap<String, Vec<usize>>) -> Result<()> {
    let mut known: HashMap<String, Extent> = HashMap::new();
    for (name, sizes) in ports {
        known.insert(name.clone(), Extent::Sizes(sizes.clone()));
    }
    for (name, tensor) in &graph.tensors {
        known.insert(name.clone(), Extent::Sizes(dims(tensor)?));
    }
    let (mut values, mut products) = (0_usize, 0_usize);
    for node in &mut graph.nodes {
        if node.op_type == "TreeEnsembleClassifier" {
            let found = trees::check(node)?;
            let width = node
                .input
                .first()
                .and_then(|input| known.get(input))
                .and_then(|extent| extent.sizes().and_then(|sizes| sizes.last().copied()));
            if width.is_some_and(|width| width < found.features) {
                return Err(node_damaged(node, &format!("looks at {} features and is given fewer", found.features)));
            }
        }
        let inputs: Vec<&Extent> = node.input.iter().filter_map(|input| known.get(input)).collect();
        let step = Step { node, inputs: &inputs, tensors: &graph.tensors };
        let (made, work) = step.makes()?;
        values = values.saturating_add(made.iter().map(Extent::count).fold(0, usize::saturating_add));
        products = products.saturating_add(work);
        if values > ONNX_VALUES_MAX || products > ONNX_PRODUCTS_MAX {
            return Err(node_unsupported(node, "makes more values than a block of rows may take"));
        }
        let names: Vec<String> = node.output.clone();
        let last = made.last().cloned();
        for (at, name) in names.into_iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if let Some(extent) = made.get(at).cloned().or_else(|| last.clone()) {
                known.insert(name, extent);
            }
        }
    }
    Ok(())
}

/// One step and the sizes of what it reads.
struct Step<'a> {
    node: &'a NodeProto,
    inputs: &'a [&'a Extent],
    tensors: &'a std::collections::BTreeMap<String, TensorProto>,
}

impl Step<'_> {
    /// Sizes of its outputs, and the multiplications it takes.
    fn makes(&self) -> Result<(Vec<Extent>, usize)> {
        let node = self.node;
        let Some(&first) = self.inputs.first() else {
            return Err(operator_unsupported(node));
        };
        let made = match node.op_type.as_str() {
            "Abs" | "Neg" | "Exp" | "Log" | "Sqrt" | "Reciprocal" | "Sigmoid" | "Tanh" | "Relu" | "LeakyRelu"
            | "Elu" | "Selu" | "Celu" | "Softplus" | "Softsign" | "Erf" | "Gelu" | "HardSigmoid" | "HardSwish"
            | "Mish" | "ThresholdedRelu" | "Clip" | "Floor" | "Ceil" | "Round" | "Sign" | "Not" | "IsNaN" | "IsInf"
            | "Cast" | "Identity" | "Dropout" | "Softmax" | "LogSoftmax" | "Normalizer" | "BatchNormalization"
            | "LayerNormalization" | "LpNormalization" | "Sin" | "Cos" | "Tan" | "Atan" | "Rsqrt" => first.clone(),
            "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Mod" | "Min" | "Max" | "Mean" | "Sum" | "Equal" | "Less"
            | "Greater" | "LessOrEqual" | "GreaterOrEqual" | "And" | "Or" | "Xor" | "Where" | "PRelu" => {
                self.broadcast()?
            }
            "MatMul" => return self.product(false, false),
            "Gemm" => return self.product(int(node, "transA") == Some(1), int(node, "transB") == Some(1)),
            "LinearClassifier" | "LinearRegressor" => return Ok(self.linear(first)),
            "TreeEnsembleClassifier" => return Ok((self.scores(first), 0)),
            "Concat" => self.concat()?,
            "Gather" => self.gather(first)?,
            "Reshape" => self.reshape(first),
            "Flatten" => flatten(first, int(node, "axis").unwrap_or(1)),
            "Transpose" => match (first, ints(node, "perm")) {
                (Extent::Sizes(sizes), []) => Extent::Sizes(sizes.iter().rev().copied().collect()),
                (Extent::Sizes(sizes), perm) => {
                    match perm.iter().map(|at| sizes.get(usize::try_from(*at).ok()?).copied()).collect() {
                        Some(sizes) => Extent::Sizes(sizes),
                        None => return Err(node_damaged(node, "exchanges dimensions that are not there")),
                    }
                }
                (other, _) => other.clone(),
            },
            "Unsqueeze" => self.unsqueeze(first),
            "Slice" => self.slice(first)?,
            "Squeeze" => self.without(first, false),
            "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd" | "ReduceL1" | "ReduceL2"
            | "ReduceSumSquare" | "ReduceLogSum" | "ReduceLogSumExp" | "ArgMax" | "ArgMin" => {
                self.without(first, int(node, "keepdims").unwrap_or(1) == 1)
            }
            "Split" => Extent::AtMost(first.count()),
            "Shape" => Extent::AtMost(8),
            _ => return Err(operator_unsupported(node)),
        };
        Ok((vec![made], 0))
    }

    fn broadcast(&self) -> Result<Extent> {
        let mut all = self.inputs[0].clone();
        for other in &self.inputs[1..] {
            all = match (all.sizes(), other.sizes()) {
                (Some(a), Some(b)) => Extent::Sizes(
                    broadcast(a, b)
                        .ok_or_else(|| node_damaged(self.node, "joins values whose sizes do not fit each other"))?,
                ),
                _ if all.count() == 1 => (*other).clone(),
                _ if other.count() == 1 => all,
                // A value of unknown sizes and a row or column of it: at worst each with each.
                _ => Extent::AtMost(all.count().saturating_mul(other.count())),
            };
        }
        Ok(all)
    }

    fn product(&self, turn_a: bool, turn_b: bool) -> Result<(Vec<Extent>, usize)> {
        let unknown = || node_unsupported(self.node, "multiplies matrices of sizes that are not settled");
        let (Some(a), Some(b)) = (self.inputs[0].sizes(), self.inputs.get(1).and_then(|extent| extent.sizes())) else {
            return Err(unknown());
        };
        let ([before_a @ .., a0, a1], [before_b @ .., b0, b1]) = (a, b) else {
            return Err(unknown());
        };
        let (rows, inner) = if turn_a { (*a1, *a0) } else { (*a0, *a1) };
        let (other, columns) = if turn_b { (*b1, *b0) } else { (*b0, *b1) };
        let mut sizes = broadcast(before_a, before_b)
            .filter(|_| inner == other)
            .ok_or_else(|| node_damaged(self.node, &format!("multiplies {inner} columns with {other} rows")))?;
        sizes.extend([rows, columns]);
        let made = Extent::Sizes(sizes);
        let work = made.count().saturating_mul(inner);
        Ok((vec![made], work))
    }

    fn linear(&self, first: &Extent) -> (Vec<Extent>, usize) {
        let coefficients = floats(self.node, "coefficients").len();
        let rows = first.sizes().and_then(|sizes| sizes.first().copied()).unwrap_or_else(|| first.count());
        let work = rows.saturating_mul(coefficients);
        (vec![Extent::Sizes(vec![rows]), Extent::AtMost(work.max(rows.saturating_mul(2)))], work)
    }

    fn scores(&self, first: &Extent) -> Vec<Extent> {
        let rows = first.sizes().and_then(|sizes| sizes.first().copied()).unwrap_or_else(|| first.count());
        let classes = ints(self.node, "classlabels_int64s").len();
        vec![Extent::Sizes(vec![rows]), Extent::Sizes(vec![rows, classes])]
    }

    fn concat(&self) -> Result<Extent> {
        let total = self.inputs.iter().map(|extent| extent.count()).fold(0, usize::saturating_add);
        let axis = int(self.node, "axis").unwrap_or(0);
        let all: Option<Vec<&[usize]>> = self.inputs.iter().map(|extent| extent.sizes()).collect();
        let Some(all) = all else { return Ok(Extent::AtMost(total)) };
        let mut sizes = all[0].to_vec();
        let Some(at) = place(axis, sizes.len()).filter(|_| all.iter().all(|other| other.len() == sizes.len())) else {
            return Err(node_damaged(self.node, "joins values along a dimension that is not there"));
        };
        sizes[at] = all.iter().map(|other| other[at]).fold(0, usize::saturating_add);
        Ok(Extent::Sizes(sizes))
    }

    fn gather(&self, first: &Extent) -> Result<Extent> {
        let axis = int(self.node, "axis").unwrap_or(0);
        let chosen = self.inputs.get(1).copied();
        let (Some(sizes), Some(numbers)) = (first.sizes(), chosen.and_then(Extent::sizes)) else {
            return Ok(Extent::AtMost(first.count().saturating_mul(chosen.map_or(1, Extent::count))));
        };
        let Some(at) = place(axis, sizes.len()) else {
            return Err(node_damaged(self.node, "chooses along a dimension that is not there"));
        };
        if let Some(wanted) = self.node.input.get(1).and_then(|name| self.tensors.get(name)).and_then(whole_numbers) {
            let length = sizes[at] as i64;
            if wanted.iter().any(|number| !(-length..length).contains(number)) {
                return Err(node_damaged(self.node, "chooses a column that is not there"));
            }
        }
        Ok(Extent::Sizes([&sizes[..at], numbers, &sizes[at + 1..]].concat()))
    }

    /// The sizes asked for where they are constant; the number of values stays in any case.
    fn reshape(&self, first: &Extent) -> Extent {
        let count = first.count();
        let wanted = self.node.input.get(1).and_then(|name| self.tensors.get(name)).and_then(whole_numbers);
        let (Some(wanted), Some(before)) = (wanted, first.sizes()) else { return Extent::AtMost(count) };
        let mut sizes = Vec::with_capacity(wanted.len());
        for (at, size) in wanted.iter().enumerate() {
            match usize::try_from(*size) {
                Ok(0) => sizes.push(before.get(at).copied().unwrap_or(0)),
                Ok(size) => sizes.push(size),
                Err(_) => sizes.push(0),
            }
        }
        let rest = wanted.iter().zip(&sizes).filter(|(size, _)| **size >= 0).map(|(_, size)| *size);
        let rest = rest.fold(1_usize, usize::saturating_mul).max(1);
        if let Some(open) = wanted.iter().position(|size| *size < 0) {
            sizes[open] = count / rest;
        }
        let made = Extent::Sizes(sizes);
        if made.count() == count { made } else { Extent::AtMost(count) }
    }

    fn unsqueeze(&self, first: &Extent) -> Extent {
        let given = self.node.input.get(1).and_then(|name| self.tensors.get(name)).and_then(whole_numbers);
        let axes = given.unwrap_or_else(|| ints(self.node, "axes").to_vec());
        match (first.sizes(), axes.as_slice()) {
            (Some(sizes), [axis]) if place(*axis, sizes.len() + 1).is_some() => {
                let at = place(*axis, sizes.len() + 1).unwrap_or(0);
                Extent::Sizes([&sizes[..at], &[1], &sizes[at..]].concat())
            }
            _ => Extent::AtMost(first.count()),
        }
    }

    /// Some dimensions less, or of size 1 when they are kept.
    fn without(&self, first: &Extent, are_kept: bool) -> Extent {
        let given = self.node.input.get(1).and_then(|name| self.tensors.get(name)).and_then(whole_numbers);
        let listed = given.unwrap_or_else(|| ints(self.node, "axes").to_vec());
        let axes = if listed.is_empty() { int(self.node, "axis").into_iter().collect() } else { listed };
        let Some(sizes) = first.sizes().filter(|_| !axes.is_empty()) else { return Extent::AtMost(first.count()) };
        let Some(gone) = axes.iter().map(|axis| place(*axis, sizes.len())).collect::<Option<Vec<usize>>>() else {
            return Extent::AtMost(first.count());
        };
        let size = |(at, size): (usize, &usize)| match gone.contains(&at) {
            true => are_kept.then_some(1),
            false => Some(*size),
        };
        Extent::Sizes(sizes.iter().enumerate().filter_map(size).collect())
    }

    fn slice(&self, first: &Extent) -> Result<Extent> {
        let steps = self.node.input.get(4).and_then(|name| self.tensors.get(name)).and_then(whole_numbers);
        match steps.is_some_and(|steps| steps.contains(&0)) {
            true => Err(node_damaged(self.node, "takes steps of length 0")),
            false => Ok(Extent::AtMost(first.count())),
        }
    }
}

fn flatten(first: &Extent, axis: i64) -> Extent {
    let Some(sizes) = first.sizes() else { return first.clone() };
    match place(axis, sizes.len() + 1) {
        Some(at) => {
            let product = |sizes: &[usize]| sizes.iter().fold(1, |product: usize, size| product.saturating_mul(*size));
            Extent::Sizes(vec![product(&sizes[..at]), product(&sizes[at..])])
        }
        None => Extent::AtMost(first.count()),
    }
}

/// A dimension that counts from the end when it is negative.
fn place(axis: i64, rank: usize) -> Option<usize> {
    let at = if axis < 0 { axis + rank as i64 } else { axis };
    usize::try_from(at).ok().filter(|at| *at < rank)
}

fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let from_end = |sizes: &[usize], at: usize| sizes.len().checked_sub(at + 1).map_or(1, |place| sizes[place]);
    let mut sizes: Vec<usize> = (0..rank)
        .map(|at| match (from_end(a, at), from_end(b, at)) {
            (x, y) if x == y => Some(x),
            (1, size) | (size, 1) => Some(size),
            _ => None,
        })
        .collect::<Option<_>>()?;
    sizes.reverse();
    Some(sizes)
}
