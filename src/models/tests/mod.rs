//! Tests of model kinds: reference numbers of other tools, what is kept reads back, bad input, hostile packages.

mod blends;
mod kinds;
mod oracle;
mod packages;
mod unsupervised;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::{FitInput, Predictor};
use crate::models::zoo;
use crate::spec::model::Task;

/// Rows of the reference table.
const ROWS: usize = 60;

fn matrix(columns: Vec<Vec<f64>>) -> Result<Matrix> {
    let rows = columns.first().map_or(0, Vec::len);
    let features = columns.into_iter().enumerate().map(|(at, values)| {
        let name: Arc<str> = format!("x{at}").into();
        Feature { from: Arc::clone(&name), name, values: FeatureValues::Number(values) }
    });
    Matrix::new(rows, features.collect())
}

/// The reference table: three numeric features made by arithmetic that any tool repeats exactly.
fn features() -> Result<Matrix> {
    let column = |make: fn(usize) -> f64| (0..ROWS).map(make).collect();
    matrix(vec![
        column(|i| (i * 37 % 61) as f64 / 10.0),
        column(|i| (i * i * 13 % 47) as f64 / 5.0 - 3.0),
        column(|i| (i * 7 % 11) as f64),
    ])
}

fn noise(i: usize) -> f64 {
    (i * 29 % 17) as f64
}

/// The numeric target of the reference table.
fn numbers() -> Result<Target> {
    let x = features()?;
    let at = |feature: usize, row: usize| x.features()[feature].values.get(row);
    let value = |row| 1.5 * at(0, row) - 0.7 * at(1, row) + 0.2 * at(2, row) + noise(row) / 10.0;
    Ok(Target::Numbers((0..ROWS).map(value).collect()))
}

/// Its target of counts.
fn counts() -> Result<Target> {
    let x = features()?;
    let count = |row| (x.features()[0].values.get(row) * 0.4 + noise(row) / 20.0).exp().floor();
    Ok(Target::Numbers((0..ROWS).map(count).collect()))
}

/// Its target of two classes.
fn two_classes() -> Result<Target> {
    let x = features()?;
    let at = |feature: usize, row: usize| x.features()[feature].values.get(row);
    let code = |row| u32::from(at(0, row) - 0.5 * at(1, row) + noise(row) / 4.0 > 4.5);
    Ok(Target::Classes { names: ["no", "yes"].map(str::to_owned).into(), codes: (0..ROWS).map(code).collect() })
}

/// Its target of three classes.
fn three_classes() -> Result<Target> {
    let x = features()?;
    let code = |row: usize| (noise(row) + x.features()[0].values.get(row) * 2.0) as u32 / 8 % 3;
    Ok(Target::Classes { names: ["a", "b", "c"].map(str::to_owned).into(), codes: (0..ROWS).map(code).collect() })
}

/// No target, of a task that needs none; every third row is labelled.
fn labels(task: Task) -> Result<Target> {
    let codes = (0..ROWS as u32).map(|row| if row % 3 == 0 { u32::from(row > 54) } else { MISSING_CODE });
    Ok(Target::Labels { task, names: ["normal", "odd"].map(str::to_owned).into(), codes: codes.collect() })
}

pub(in crate::models) fn fit(kind: &str, matrix: &Matrix, target: &Target, params: &str) -> Result<Box<dyn Predictor>> {
    weighted(kind, matrix, target, params, None)
}

fn weighted(
    kind: &str,
    matrix: &Matrix,
    target: &Target,
    params: &str,
    weights: Option<&[f64]>,
) -> Result<Box<dyn Predictor>> {
    let params: toml::Table = params.parse()?;
    let mut input = FitInput {
        matrix,
        target,
        weights,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(7),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    };
    (zoo::kind(kind)?.fit)(&mut input)
}

fn bytes(predictor: &dyn Predictor) -> Vec<u8> {
    let mut form = FormWriter::new();
    predictor.write(&mut form);
    form.finish()
}

fn read_back(kind: &str, bytes: &[u8]) -> Result<Box<dyn Predictor>> {
    let mut form = FormReader::new(bytes);
    let predictor = (zoo::kind(kind)?.read)(&mut form)?;
    form.end()?;
    Ok(predictor)
}
