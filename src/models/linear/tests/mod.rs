//! Tests of linear models: reference numbers, properties that must hold, input that must be refused or survived.

mod hostile;
mod optimisers;
mod parity;
mod properties;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::{Silent, Talk};
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter};
use crate::models::linear::fitted::{self, Linear};
use crate::models::predictor::FitInput;
use crate::models::zoo;

/// Numbers as they are, then one indicator for each code below `levels`.
fn matrix(numbers: Vec<Vec<f64>>, codes: &[u32], levels: u32) -> Result<Matrix> {
    let rows = numbers.first().map_or(codes.len(), Vec::len);
    let codes: Arc<[u32]> = codes.into();
    let indicators = (0..levels).map(|code| FeatureValues::Indicator { codes: Arc::clone(&codes), code });
    let values = numbers.into_iter().map(FeatureValues::Number).chain(indicators);
    let feature = |(at, values)| {
        let name: Arc<str> = format!("x{at}").into();
        Feature { from: Arc::clone(&name), name, values }
    };
    Matrix::new(rows, values.enumerate().map(feature).collect())
}

fn classes(codes: &[u32]) -> Target {
    let count = codes.iter().max().map_or(0, |most| most + 1);
    let names: Vec<String> = (0..count).map(|class| format!("c{class}")).collect();
    Target::Classes { names: names.into(), codes: codes.to_vec() }
}

/// What is fitted, and how.
struct Case<'a> {
    kind: &'a str,
    params: &'a str,
    matrix: &'a Matrix,
    target: &'a Target,
    weights: Option<&'a [f64]>,
}

impl Case<'_> {
    /// Fits, keeps and reads back.
    fn fit(&self) -> Result<Linear> {
        self.fit_to(&Silent)
    }

    fn fit_to(&self, talk: &dyn Talk) -> Result<Linear> {
        let bytes = self.bytes(talk)?;
        let mut form = FormReader::new(&bytes);
        let linear = fitted::read_linear(&mut form)?;
        form.end()?;
        Ok(linear)
    }

    fn bytes(&self, talk: &dyn Talk) -> Result<Vec<u8>> {
        let params: toml::Table = self.params.parse()?;
        let mut input = FitInput {
            matrix: self.matrix,
            target: self.target,
            weights: self.weights,
            validation: None,
            params: &params,
            from: None,
            seed: Seed(3),
            talk,
            points: &mut |_| ControlFlow::Continue(()),
        };
        let mut form = FormWriter::new();
        (zoo::kind(self.kind)?.fit)(&mut input)?.write(&mut form);
        Ok(form.finish())
    }

    fn error(&self) -> String {
        self.fit().err().map(|error| error.to_string()).unwrap_or_default()
    }
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= tolerance * expected.abs().max(1.0), "{what}: {found} is not {expected} at {place}");
    }
}
