//! The errors for ONNX files: damaged ones, and those that ask for more than is done here.

use crate::base::fail;
use crate::models::onnx::proto::NodeProto;

/// The file contradicts itself or ends too early.
pub fn damaged(why: &str) -> anyhow::Error {
    fail::world(format!("damaged ONNX file: {why}")).hint("write it again with the tool that made it").into()
}

/// The file may be right, but cannot be used here.
pub fn unsupported(why: &str) -> anyhow::Error {
    fail::usage(format!("this ONNX model cannot be used here: {why}")).into()
}

/// The same for one node, which is named with its operator.
pub fn node_unsupported(node: &NodeProto, why: &str) -> anyhow::Error {
    unsupported(&format!("{} {why}", shown(node)))
}

/// An operator that is not known.
pub fn operator_unsupported(node: &NodeProto) -> anyhow::Error {
    let what = format!("this ONNX model cannot be used here: {} is not supported", shown(node));
    fail::usage(what).hint("export the model without that step, or serve it with onnxruntime").into()
}

/// The file contradicts itself at a node.
pub fn node_damaged(node: &NodeProto, why: &str) -> anyhow::Error {
    damaged(&format!("{} {why}", shown(node)))
}

/// `operator ai.onnx.ml.Scaler of node `Sc``.
fn shown(node: &NodeProto) -> String {
    let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
    let name = match (node.name.is_empty(), node.output.first()) {
        (true, Some(output)) => output.as_str(),
        _ => node.name.as_str(),
    };
    format!("operator {domain}{} of node `{name}`", node.op_type)
}
