//! Tests of both optimisers of `logistic`: the same optimum, the same bits, and said so when it is not reached.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::{Level, Recorder};
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::linear::design::Design;
use crate::models::linear::logistic;
use crate::models::linear::minimise::Method;
use crate::models::linear::tests::{close, matrix};
use crate::models::predictor::FitInput;
use crate::spec::model::{LogisticParams, Penalty};

const ROWS: usize = 9_000;

/// Two numbers of very different size and a one-hot column of three values, over more than one chunk of rows.
fn features() -> Result<Matrix> {
    let codes: Arc<[u32]> = (0..ROWS).map(|i| (i * 31 % 97 % 3) as u32).collect();
    let numbers = [
        (0..ROWS).map(|i| (i * 37 % 61) as f64 * 100.0 + 5_000.0).collect(),
        (0..ROWS).map(|i| (i * i % 101 * 13 % 47) as f64 / 5_000.0).collect(),
    ];
    let numbers = numbers.map(FeatureValues::Number).into_iter();
    let values = numbers.chain((0..3).map(|code| FeatureValues::Indicator { codes: Arc::clone(&codes), code }));
    let feature = |(at, values)| {
        let name: Arc<str> = format!("x{at}").into();
        Feature { from: Arc::clone(&name), name, values }
    };
    Matrix::new(ROWS, values.enumerate().map(feature).collect())
}

/// Classes `skip..classes + skip`, of names for one more.
fn target(classes: usize, skip: usize) -> Target {
    let code = |i: usize| (((i * 37 % 61) + (i * 31 % 97 % 3) * 9 + (i * 7_919 % 53)) / 31 % classes + skip) as u32;
    let names: Vec<String> = (0..classes + skip).map(|class| class.to_string()).collect();
    Target::Classes { names: names.into(), codes: (0..ROWS).map(code).collect() }
}

fn point(target: &Target, params: &LogisticParams, method: Method, talk: &Recorder) -> Result<Vec<f64>> {
    point_of(&features()?, target, params, method, talk)
}

fn point_of(
    matrix: &Matrix,
    target: &Target,
    params: &LogisticParams,
    method: Method,
    talk: &Recorder,
) -> Result<Vec<f64>> {
    let table = toml::Table::new();
    let mut input = FitInput {
        matrix,
        target,
        weights: None,
        validation: None,
        from: None,
        params: &table,
        seed: Seed(1),
        talk,
        points: &mut |_| ControlFlow::Continue(()),
    };
    Ok(logistic::fit_by(&mut input, params, Some(method))?.point().to_vec())
}

/// As parameters are once they are read: of a penalty that is not asked for, nothing is left.
fn smooth() -> LogisticParams {
    LogisticParams { l1: 0.0, ..LogisticParams::default() }
}

#[test]
fn both_methods_find_the_same_optimum() -> Result<()> {
    let params = LogisticParams { tolerance: 1e-7, max_iterations: 1_000, ..smooth() };
    // The mean objective curves by at least l2 / rows in each penalised indicator, so a gradient of at most the
    // tolerance in each of up to 20 coefficients leaves this much of an error.
    let bound = 1e-7 * 20_f64.sqrt() * ROWS as f64;
    let matrix = features()?;
    let scales = Design::standard(&matrix, None).scales;
    for classes in [2, 4] {
        let talk = Recorder::default();
        let newton = point(&target(classes, 0), &params, Method::Newton, &talk)?;
        let lbfgs = point(&target(classes, 0), &params, Method::Gradient, &talk)?;
        assert_eq!(talk.notes(), [], "both reach the tolerance");
        for (place, (newton, lbfgs)) in newton.iter().zip(&lbfgs).enumerate() {
            let Some(scale) = scales.get(place % (scales.len() + 1)) else {
                continue;
            };
            assert!((newton - lbfgs).abs() * scale <= bound, "{newton} and {lbfgs} at {place} of {classes} classes");
        }
    }
    Ok(())
}

#[test]
fn both_methods_find_the_same_sparse_optimum() -> Result<()> {
    let (l1, l2) = (40.0, 5.0);
    let params = LogisticParams { penalty: Penalty::ElasticNet, l1, l2, tolerance: 1e-8, max_iterations: 5_000 };
    let scaled = features()?;
    let design = Design::standard(&scaled, None);
    let numbers = design.numbers().iter().map(|number| {
        let mut column = vec![0.0; ROWS];
        number.fill(0..ROWS, &mut column);
        column
    });
    let codes: Vec<u32> = (0..ROWS).map(|i| (i * 31 % 97 % 3) as u32).collect();
    let scaled = matrix(numbers.collect(), &codes, 3)?;
    // Of an even number of softmax scores, any between the two in the middle may be 0 at the same penalty.
    for classes in [2, 3] {
        let talk = Recorder::default();
        let newton = point_of(&scaled, &target(classes, 0), &params, Method::Newton, &talk)?;
        let orthant = point_of(&scaled, &target(classes, 0), &params, Method::Gradient, &talk)?;
        assert_eq!(talk.notes(), [], "both reach the tolerance");
        assert!(newton.iter().filter(|value| **value == 0.0).count() >= classes / 2, "{newton:?}");
        close(&newton, &orthant, 1e-4, &format!("{classes} classes"));
    }
    Ok(())
}

#[test]
fn threads_change_no_bit_over_many_chunks() -> Result<()> {
    for method in [Method::Newton, Method::Gradient] {
        let on = |threads: usize| -> Result<Vec<f64>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            pool.install(|| point(&target(3, 0), &smooth(), method, &Recorder::default()))
        };
        assert_eq!(on(1)?, on(5)?, "{method:?}");
    }
    Ok(())
}

#[test]
fn a_class_without_rows_changes_nothing_for_the_others() -> Result<()> {
    let params = smooth();
    let two = point(&target(2, 0), &params, Method::Newton, &Recorder::default())?;
    let of_three = point(&target(2, 1), &params, Method::Newton, &Recorder::default())?;
    for (place, lead) in two.iter().enumerate() {
        let found = of_three[12 + place] - of_three[6 + place];
        assert!((found - lead).abs() <= 1e-12 * lead.abs().max(1.0), "{found} is not {lead}");
    }
    assert_eq!(of_three[5], -1e300);
    Ok(())
}

#[test]
fn stopping_early_is_said() -> Result<()> {
    let params = LogisticParams { max_iterations: 1, ..smooth() };
    let talk = Recorder::default();
    point(&target(3, 0), &params, Method::Gradient, &talk)?;
    assert!(talk.notes().iter().any(|(level, text)| *level == Level::Warning && text.contains("stopped")));
    Ok(())
}
