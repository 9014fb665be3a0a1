//! Every step of a recipe: its operators, or its refusal.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::onnx::tests::{check_operators, package};
use crate::exchange::onnx::write;
use crate::spec::model::Task;

/// Steps that make numbers of whatever is left.
pub const REST: &str = "{'op': 'impute', 'columns': 'numeric', 'strategy': 'median'}, \
    {'op': 'one_hot', 'columns': 'categorical'}, {'op': 'dates', 'columns': 'time', 'parts': ['month']}, \
    {'op': 'impute', 'columns': 'numeric', 'strategy': 'mean'}";

fn check(steps: &str, wanted: &[&str]) -> Result<()> {
    check_operators(&package("ridge", Task::Regression, &format!("{steps}, {REST}"))?, wanted)
}

#[test]
fn numbers() -> Result<()> {
    check("{'op': 'impute', 'columns': ['x'], 'strategy': 'mean', 'indicator': true}", &["IsNaN", "Where"])?;
    check("{'op': 'scale', 'columns': ['x'], 'method': 'min_max', 'range': [0, 2]}", &["Sub", "Div", "Mul", "Clip"])?;
    check("{'op': 'quantile', 'columns': ['x']}", &["TreeEnsemble", "Gather"])?;
    check("{'op': 'quantile', 'columns': ['x'], 'output': 'normal'}", &["TreeEnsemble", "Sqrt", "Log", "Sign"])?;
    check("{'op': 'power', 'columns': ['x']}", &["Log", "Exp", "GreaterOrEqual"])?;
    check("{'op': 'power', 'columns': ['y'], 'method': 'box_cox'}", &["Log", "LessOrEqual"])?;
    check("{'op': 'clip', 'columns': ['x'], 'upper': 3}", &["Clip"])?;
    check("{'op': 'log', 'columns': ['x'], 'method': 'signed'}", &["Abs", "Sign", "Log"])?;
    check("{'op': 'bin', 'columns': ['x'], 'bins': 4, 'encode': 'one_hot'}", &["TreeEnsemble", "Equal"])?;
    check("{'op': 'cyclic', 'columns': ['x'], 'period': 24}", &["Mod", "Sin", "Cos", "Floor"])
}

#[test]
fn texts() -> Result<()> {
    check("{'op': 'impute', 'columns': ['color'], 'strategy': 'mode'}", &["Equal", "Where"])?;
    check("{'op': 'rare', 'columns': ['color'], 'max': 1}", &["LabelEncoder"])?;
    check("{'op': 'ordinal', 'columns': ['color']}", &["LabelEncoder", "Less"])?;
    check("{'op': 'frequency', 'columns': ['color', 'y']}", &["LabelEncoder", "Gather"])?;
    check("{'op': 'target', 'columns': ['color']}", &["LabelEncoder", "Gather"])?;
    check("{'op': 'cast', 'columns': ['y'], 'to': 'text'}", &["LabelEncoder"])
}

#[test]
fn times() -> Result<()> {
    let parts = "'year', 'quarter', 'month', 'week', 'day', 'weekday', 'day_of_year', 'hour', 'time_of_day', 'epoch'";
    check(&format!("{{'op': 'dates', 'columns': ['when'], 'parts': [{parts}]}}"), &["Mod", "Div", "Gather"])?;
    check(&format!("{{'op': 'dates', 'columns': ['when'], 'cyclic': true, 'parts': [{parts}]}}"), &["Sin", "Gather"])?;
    check("{'op': 'cast', 'columns': ['when'], 'to': 'number'}", &["Cast", "Div"])?;
    check("{'op': 'cast', 'columns': ['y'], 'to': 'time'}", &["Floor", "Sign"])
}

#[test]
fn several_columns() -> Result<()> {
    check("{'op': 'polynomial', 'columns': ['x', 'y'], 'degree': 3}", &["Mul", "IsInf"])?;
    check("{'op': 'ratio', 'numerator': 'x', 'denominator': 'y'}", &["Div", "IsInf"])?;
    check("{'op': 'pca', 'columns': ['x', 'y'], 'components': 1}", &["MatMul", "Sub"])?;
    check("{'op': 'kmeans', 'columns': ['x', 'y'], 'clusters': 2}", &["ReduceSum", "Sqrt", "Unsqueeze"])?;
    let crossed = "{'op': 'cast', 'columns': ['y'], 'to': 'text'}, {'op': 'interact', 'columns': ['color', 'y']}";
    check(crossed, &["LabelEncoder", "Add", "Mul"])
}

#[test]
fn what_onnx_cannot_express_is_refused_by_name() -> Result<()> {
    let check = |steps: &str, says: &[&str]| -> Result<()> {
        let made = package("ridge", Task::Regression, &format!("{steps}, {REST}"))?;
        let error = write(&made).expect_err("it cannot be written");
        let failure = fail::find(&error).expect("a person reads it");
        assert!(failure.blame == fail::Blame::Request && failure.hint.is_some(), "{failure:?}");
        says.iter().for_each(|word| assert!(failure.what.contains(word), "{failure}"));
        Ok(())
    };
    check("{'op': 'hash', 'columns': ['color'], 'width': 4}", &["`hash`", "`color`"])?;
    check("{'op': 'text', 'columns': ['color'], 'width': 4}", &["`text`", "`color`"])?;
    check("{'op': 'tfidf', 'columns': ['color'], 'min_rows': 1}", &["`tfidf`", "`color`"])?;
    check("{'op': 'impute', 'columns': ['x', 'y'], 'strategy': 'knn'}", &["`impute`", "`x`"])?;
    check("{'op': 'expression', 'name': 'twice', 'sql': 'y * 2'}", &["`expression`", "`twice`"])?;
    check("{'op': 'cast', 'columns': ['color'], 'to': 'number'}", &["`cast`", "`color`"])?;
    check("{'op': 'cast', 'columns': ['when'], 'to': 'text'}", &["`cast`", "`when`"])?;
    let filled = "{'op': 'impute', 'columns': ['color'], 'strategy': 'constant', 'value': ''}";
    check(filled, &["`impute`", "`color`", "empty"])?;
    let grouped = "{'op': 'cast', 'columns': ['y'], 'to': 'text'}, {'op': 'rare', 'columns': ['y'], 'max': 2}";
    check(grouped, &["`rare`", "`y`"])
}
