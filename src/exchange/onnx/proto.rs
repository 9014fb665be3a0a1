//! The messages of ONNX that a written file needs, by hand: `onnx.proto3` of ONNX 1.18, which later versions keep.
//!
//! Numbers of fields are those of the standard; fields that are never written are left out.

/// Version of the file's layout.
pub const IR_VERSION: i64 = 10;

/// Element types of tensors.
pub mod element {
    /// One byte, unsigned.
    pub const UINT8: i32 = 2;
    /// Whole numbers of 64 bits.
    pub const INT64: i32 = 7;
    /// Texts.
    pub const STRING: i32 = 8;
    /// Truth.
    pub const BOOL: i32 = 9;
    /// Numbers of 64 bits.
    pub const DOUBLE: i32 = 11;
}

/// Kinds of attributes.
pub mod attribute {
    /// One whole number.
    pub const INT: i32 = 2;
    /// One tensor.
    pub const TENSOR: i32 = 4;
    /// A graph inside a node.
    pub const GRAPH: i32 = 5;
    /// Whole numbers.
    pub const INTS: i32 = 7;
}

/// The file.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Model {
    /// Version of the layout.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// What wrote it.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// Version of what wrote it.
    #[prost(string, tag = "3")]
    pub producer_version: String,
    /// Who names the model.
    #[prost(string, tag = "4")]
    pub domain: String,
    /// What it is, for people.
    #[prost(string, tag = "6")]
    pub doc_string: String,
    /// What it computes.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphBody>,
    /// Versions of the operator sets in use.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    /// What it is, for programs.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<Entry>,
}

/// A version of an operator set.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OperatorSet {
    /// Its name; empty for the main one.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Its version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// A key and its value.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    /// Key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Nodes and what goes in and out.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GraphBody {
    /// Nodes, each after those that it reads from.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Constants.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorData>,
    /// What goes in.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// What comes out.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

/// One operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Node {
    /// Names of the tensors it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of the tensors it makes.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// What does not come from tensors.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    /// The operator's set.
    #[prost(string, tag = "7")]
    pub domain: String,
}

/// A named constant of a node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Attribute {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Of [`attribute::INT`].
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// Of [`attribute::TENSOR`].
    #[prost(message, optional, tag = "5")]
    pub t: Option<TensorData>,
    /// Of [`attribute::GRAPH`].
    #[prost(message, optional, tag = "6")]
    pub g: Option<GraphBody>,
    /// Of [`attribute::INTS`].
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    /// Which of them it is.
    #[prost(int32, tag = "20")]
    pub kind: i32,
}

/// A tensor with its values.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorData {
    /// Its sizes.
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    /// One of [`element`].
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Texts.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// Anything but texts, lowest byte first.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

/// Name and type of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ValueInfo {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its type.
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
    /// What it means.
    #[prost(string, tag = "3")]
    pub doc_string: String,
}

/// A type; tensors are all there is.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Kind {
    /// Of a tensor.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorKind>,
}

/// Type of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TensorKind {
    /// One of [`element`].
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// Its sizes.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// Sizes, known or not.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Shape {
    /// One for each dimension.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Size>,
}

/// One size.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Size {
    /// A known one.
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
    /// The name of one that is not.
    #[prost(string, optional, tag = "2")]
    pub dim_param: Option<String>,
}

/// The type of a tensor with elements of `elem_type`; a size that is `None` is the number of rows.
pub fn kind(elem_type: i32, sizes: &[Option<usize>]) -> Kind {
    let size = |size: &Option<usize>| match size {
        Some(known) => Size { dim_value: Some(*known as i64), dim_param: None },
        None => Size { dim_value: None, dim_param: Some("rows".to_owned()) },
    };
    let shape = Shape { dim: sizes.iter().map(size).collect() };
    Kind { tensor_type: Some(TensorKind { elem_type, shape: Some(shape) }) }
}
