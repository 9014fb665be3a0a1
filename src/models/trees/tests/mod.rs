//! Tests of trees: answers of other tools, what must hold on any table, contributions, going on, bad input.

mod bad_input;
mod constraints;
mod continued;
mod parity;
mod properties;
mod shap;

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::{Rng, Seed};
use crate::base::talk::Silent;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::FormWriter;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::zoo;
use crate::record::run::MetricPoint;

/// What a test fits.
#[derive(Clone, Copy)]
struct Given<'a> {
    kind: &'a str,
    matrix: &'a Matrix,
    target: &'a Target,
    params: &'a str,
    weights: Option<&'a [f64]>,
    validation: Option<(&'a Matrix, &'a Target)>,
    from: Option<&'a dyn Predictor>,
}

impl<'a> Given<'a> {
    fn new(kind: &'a str, matrix: &'a Matrix, target: &'a Target, params: &'a str) -> Given<'a> {
        Given { kind, matrix, target, params, weights: None, validation: None, from: None }
    }

    fn weights(self, weights: &'a [f64]) -> Given<'a> {
        Given { weights: Some(weights), ..self }
    }

    fn from(self, model: &'a dyn Predictor) -> Given<'a> {
        Given { from: Some(model), ..self }
    }

    fn fit(self) -> Result<Box<dyn Predictor>> {
        Ok(self.fit_with_points()?.0)
    }

    fn fit_with_points(self) -> Result<(Box<dyn Predictor>, Vec<MetricPoint>)> {
        let params: toml::Table = self.params.parse()?;
        let mut points = Vec::new();
        let mut input = FitInput {
            matrix: self.matrix,
            target: self.target,
            weights: self.weights,
            validation: self.validation,
            from: self.from,
            params: &params,
            seed: Seed(7),
            talk: &Silent,
            points: &mut |point| {
                points.push(point);
                ControlFlow::Continue(())
            },
        };
        let fitted = (zoo::kind(self.kind)?.fit)(&mut input)?;
        Ok((fitted, points))
    }

    /// The message of the failure, with its hint.
    #[track_caller]
    fn failure(self) -> String {
        match self.fit() {
            Ok(_) => panic!("`{}` with {} fits", self.kind, self.params),
            Err(error) => {
                let hint = fail::find(&error).and_then(|failure| failure.hint.clone());
                format!("{error}; {}", hint.unwrap_or_default())
            }
        }
    }
}

fn feature(name: &str, values: FeatureValues) -> Feature {
    Feature { name: name.into(), from: name.into(), values }
}

fn matrix(columns: Vec<FeatureValues>) -> Result<Matrix> {
    let rows = match columns.first() {
        Some(FeatureValues::Number(values)) => values.len(),
        Some(FeatureValues::Indicator { codes, .. } | FeatureValues::Category { codes, .. }) => codes.len(),
        None => 0,
    };
    let features = columns.into_iter().enumerate().map(|(at, values)| feature(&format!("x{at}"), values));
    Matrix::new(rows, features.collect())
}

fn classes(count: usize, codes: Vec<u32>) -> Target {
    Target::Classes { names: (0..count).map(|class| format!("c{class}")).collect(), codes }
}

/// The rows numbered `rows`, in that order.
fn take(matrix: &Matrix, rows: &[u32]) -> Result<Matrix> {
    let features = matrix.features().iter().map(|feature| {
        let codes = |codes: &Arc<[u32]>| rows.iter().map(|&row| codes[row as usize]).collect::<Arc<[u32]>>();
        let values = match &feature.values {
            FeatureValues::Number(values) => {
                FeatureValues::Number(rows.iter().map(|&row| values[row as usize]).collect())
            }
            FeatureValues::Indicator { codes: of, code } => FeatureValues::Indicator { codes: codes(of), code: *code },
            FeatureValues::Category { codes: of, levels } => {
                FeatureValues::Category { codes: codes(of), levels: *levels }
            }
        };
        Feature { name: feature.name.clone(), from: feature.from.clone(), values }
    });
    Matrix::new(rows.len(), features.collect())
}

/// A table drawn at random: two numbers of few values (the first with holes), a number of many, a category of ten
/// levels, an indicator of one of them; a target of numbers, one of counts, one of two classes, one of three.
struct Table {
    matrix: Matrix,
    numbers: Target,
    counts: Target,
    two: Target,
    three: Target,
}

fn table(rows: usize, seed: u64) -> Result<Table> {
    let mut rng = Seed(seed).rng();
    let few = |rng: &mut Rng, holes: u64| match rng.below(10) < holes {
        true => f64::NAN,
        false => rng.below(20) as f64,
    };
    let first: Vec<f64> = (0..rows).map(|_| few(&mut rng, 2)).collect();
    let second: Vec<f64> = (0..rows).map(|_| few(&mut rng, 0)).collect();
    let third: Vec<f64> = (0..rows).map(|_| rng.normal()).collect();
    let levels: Arc<[u32]> = (0..rows).map(|_| rng.below(10) as u32).collect();
    let truth = |row: usize, noise: f64| {
        let first = if first[row].is_nan() { 12.0 } else { first[row] };
        0.3 * first - 0.2 * second[row] + third[row] + f64::from(levels[row] % 4) + noise
    };
    let numbers: Vec<f64> = (0..rows).map(|row| truth(row, rng.normal())).collect();
    let split = |bounds: &[f64], rng: &mut Rng| -> Vec<u32> {
        let class = |value: f64| bounds.iter().filter(|bound| value > **bound).count() as u32;
        numbers.iter().map(|value| class(value + rng.normal())).collect()
    };
    let (two, three) = (split(&[2.5], &mut rng), split(&[1.0, 4.0], &mut rng));
    Ok(Table {
        matrix: matrix(vec![
            FeatureValues::Number(first),
            FeatureValues::Number(second),
            FeatureValues::Number(third),
            FeatureValues::Category { codes: levels.clone(), levels: 10 },
            FeatureValues::Indicator { codes: levels, code: 3 },
        ])?,
        counts: Target::Numbers(numbers.iter().map(|value| value.max(0.0).floor()).collect()),
        numbers: Target::Numbers(numbers),
        two: classes(2, two),
        three: classes(3, three),
    })
}

impl Table {
    /// Every kind of tree with every objective, as kind, target and parameters.
    fn cases(&self, more: &str) -> Vec<(&'static str, &Target, String)> {
        let mut cases = Vec::new();
        for (target, objectives) in [
            (&self.numbers, &["squared", "absolute", "huber", "quantile"][..]),
            (&self.counts, &["poisson"]),
            (&self.two, &["binary", "multiclass"]),
            (&self.three, &["multiclass"]),
        ] {
            for objective in objectives {
                let params = format!("trees = 8\nleaves = 9\nalpha = 0.4\nobjective = '{objective}'\n{more}");
                cases.push(("boost", target, params));
            }
        }
        for kind in ["tree", "forest", "extra_trees"] {
            for target in [&self.numbers, &self.two, &self.three] {
                cases.push((kind, target, "trees = 6\ndepth = 9".to_owned()));
            }
        }
        cases
    }
}

/// All answers as one list.
fn answers(model: &dyn Predictor, matrix: &Matrix) -> Result<Vec<f64>> {
    Ok(match model.predict(matrix)? {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => values,
        other => anyhow::bail!("trees do not answer {other:?}"),
    })
}

fn bytes(model: &dyn Predictor) -> Vec<u8> {
    let mut form = FormWriter::new();
    model.write(&mut form);
    form.finish()
}

/// Compares to `tolerance`, relative above 1.
#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let far = (found - expected).abs() / expected.abs().max(1.0);
        assert!(far <= tolerance, "{what}: value {place} is {found}, not {expected}");
    }
}
