//! Parts of ONNX graphs: names for the decoded types, reading and making attributes, constants and nodes.

use anyhow::Result;

pub use tract_onnx::pb::tensor_proto::DataType;
pub use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

use tract_onnx::pb::attribute_proto::AttributeType;

use crate::models::onnx::refuse::{damaged, node_damaged, unsupported};

/// The attribute called `name`.
pub fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// The same, to be changed.
pub fn attribute_mut<'a>(node: &'a mut NodeProto, name: &str) -> Option<&'a mut AttributeProto> {
    node.attribute.iter_mut().find(|attribute| attribute.name == name)
}

/// Whole numbers of an attribute; none when it is absent.
pub fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    attribute(node, name).map_or(&[], |attribute| &attribute.ints)
}

/// Floats of an attribute; none when it is absent.
pub fn floats<'a>(node: &'a NodeProto, name: &str) -> &'a [f32] {
    attribute(node, name).map_or(&[], |attribute| &attribute.floats)
}

/// Texts of an attribute; none when it is absent.
pub fn texts(node: &NodeProto, name: &str) -> Result<Vec<String>> {
    let read = |bytes: &Vec<u8>| {
        String::from_utf8(bytes.clone())
            .map_err(|_| node_damaged(node, &format!("has a text in {name} that is not UTF-8")))
    };
    attribute(node, name).map_or(Ok(Vec::new()), |attribute| attribute.strings.iter().map(read).collect())
}

/// One text of an attribute.
pub fn text<'a>(node: &'a NodeProto, name: &str) -> Option<&'a str> {
    attribute(node, name).and_then(|attribute| std::str::from_utf8(&attribute.s).ok())
}

/// One whole number of an attribute.
pub fn int(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}

/// An attribute of whole numbers.
pub fn ints_attribute(name: &str, values: Vec<i64>) -> AttributeProto {
    let kind = AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), ints: values, r#type: kind, ..AttributeProto::default() }
}

/// An attribute of one whole number.
pub fn int_attribute(name: &str, value: i64) -> AttributeProto {
    let kind = AttributeType::Int as i32;
    AttributeProto { name: name.to_owned(), i: value, r#type: kind, ..AttributeProto::default() }
}

/// A node of the standard operators, named after what it makes.
pub fn node(operator: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: output.to_owned(),
        op_type: operator.to_owned(),
        attribute: attributes,
        ..NodeProto::default()
    }
}

/// A constant of floats.
pub fn float_tensor(name: &str, dims: &[usize], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|dim| *dim as i64).collect(),
        data_type: DataType::Float as i32,
        float_data: values,
        ..TensorProto::default()
    }
}

/// A constant of whole numbers, as a list.
pub fn int_tensor(name: &str, values: Vec<i64>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values,
        ..TensorProto::default()
    }
}

/// Dimensions of a constant.
pub fn dims(tensor: &TensorProto) -> Result<Vec<usize>> {
    let dim = |dim: &i64| {
        usize::try_from(*dim).map_err(|_| damaged(&format!("constant `{}` has a negative size", tensor.name)))
    };
    tensor.dims.iter().map(dim).collect()
}

/// Number of values of a constant, which its bytes really hold.
///
/// Errors: a type that is not computed with, values elsewhere than in the file, another number of values than its sizes
/// say.
pub fn check_tensor(tensor: &TensorProto) -> Result<usize> {
    let name = &tensor.name;
    if tensor.data_location == Some(1) || !tensor.external_data.is_empty() {
        return Err(unsupported(&format!("the values of constant `{name}` are in another file")));
    }
    let product = dims(tensor)?.iter().try_fold(1_usize, |product, dim| product.checked_mul(*dim));
    let count = product.ok_or_else(|| damaged(&format!("constant `{name}` is too large")))?;
    let kind = DataType::try_from(tensor.data_type).unwrap_or(DataType::Undefined);
    let (width, listed) = match kind {
        DataType::Float => (4, tensor.float_data.len()),
        DataType::Double => (8, tensor.double_data.len()),
        DataType::Int64 => (8, tensor.int64_data.len()),
        DataType::Int32 => (4, tensor.int32_data.len()),
        DataType::Bool | DataType::Uint8 | DataType::Int8 => (1, tensor.int32_data.len()),
        DataType::String => (0, tensor.string_data.len()),
        other => return Err(unsupported(&format!("constant `{name}` holds {}", other.as_str_name()))),
    };
    let there = if width > 0 && !tensor.raw_data.is_empty() { tensor.raw_data.len() / width } else { listed };
    let whole = tensor.raw_data.is_empty() || width > 0 && tensor.raw_data.len().is_multiple_of(width);
    if there != count || !whole {
        return Err(damaged(&format!("constant `{name}` has {there} values where its sizes say {count}")));
    }
    Ok(count)
}

/// Values of a constant list of whole numbers; `None` for other constants.
pub fn whole_numbers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type != DataType::Int64 as i32 || tensor.dims.len() > 1 {
        return None;
    }
    if tensor.raw_data.is_empty() {
        return Some(tensor.int64_data.clone());
    }
    Some(tensor.raw_data.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
}
