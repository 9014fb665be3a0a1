//! Reference numbers of scikit-learn 1.9.1, from `tests/fixtures/reference/models/linear.json` (script beside it).

use anyhow::{Context, Result};
use serde_json::Value;

use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::linear::design::Design;
use crate::models::linear::lasso::{self, Goal, Way};
use crate::models::linear::path;
use crate::models::linear::tests::{Case, classes, close, matrix};
use crate::spec::model::{Alpha, ElasticNetParams, LassoParams};

fn reference() -> Result<Value> {
    Ok(serde_json::from_str(include_str!("../../../../tests/fixtures/reference/models/linear.json"))?)
}

fn floats(value: &Value) -> Result<Vec<f64>> {
    value.as_array().context("no list")?.iter().map(|value| value.as_f64().context("no number")).collect()
}

fn table(value: &Value) -> Result<Vec<Vec<f64>>> {
    value.as_array().context("no list")?.iter().map(floats).collect()
}

fn codes(value: &Value) -> Result<Vec<u32>> {
    Ok(floats(value)?.into_iter().map(|code| code as u32).collect())
}

/// The reference table with so many of its three indicators.
fn features(reference: &Value, levels: u32) -> Result<Matrix> {
    matrix(table(&reference["numbers"])?, &codes(&reference["codes"])?, levels)
}

/// Coefficients and intercept, output by output, with intercepts that sum to 0 where there are several.
fn point(fit: &Value) -> Result<Vec<f64>> {
    let (coefficients, intercepts) = (table(&fit[0])?, floats(&fit[1])?);
    let mean = if intercepts.len() > 1 { intercepts.iter().sum::<f64>() / intercepts.len() as f64 } else { 0.0 };
    let outputs = coefficients.into_iter().zip(intercepts);
    Ok(outputs.flat_map(|(coefficients, intercept)| [coefficients, vec![intercept - mean]].concat()).collect())
}

fn check(name: &str, kind: &str, target: &str, levels: u32, params: &str, tolerance: f64) -> Result<()> {
    let reference = reference()?;
    let x = features(&reference, levels)?;
    let target = match kind {
        "logistic" => classes(&codes(&reference[target])?),
        _ => Target::Numbers(floats(&reference[target])?),
    };
    let weights = floats(&reference["weights"])?;
    for (part, weights) in [("plain", None), ("weighted", Some(&weights[..]))] {
        let found = Case { kind, params, matrix: &x, target: &target, weights }.fit()?;
        close(found.point(), &point(&reference[part][name])?, tolerance, &format!("{part} {name}"));
    }
    Ok(())
}

#[test]
fn squared_loss_equals_scikit_learn() -> Result<()> {
    check("linear", "linear", "y", 2, "", 1e-9)?;
    check("ridge", "ridge", "y", 3, "l2 = 2.0", 1e-9)?;
    check("lasso", "lasso", "y", 3, "alpha = 0.05\ntolerance = 1e-13", 1e-8)?;
    check("elastic_net", "elastic_net", "y", 3, "alpha = 0.1\nl1_ratio = 0.4\ntolerance = 1e-13", 1e-8)
}

#[test]
fn log_loss_equals_scikit_learn() -> Result<()> {
    for target in ["two", "three"] {
        let of = |penalty: &str| format!("logistic_{target}_{penalty}");
        check(&of("l2"), "logistic", target, 3, "l2 = 0.7", 1e-6)?;
        check(&of("none"), "logistic", target, 2, "penalty = 'none'", 1e-6)?;
        check(&of("l1"), "logistic", target, 3, "penalty = 'l1'\nl1 = 2", 1e-5)?;
        check(&of("elastic_net"), "logistic", target, 3, "penalty = 'elastic_net'\nl1 = 1.5\nl2 = 1", 1e-5)?;
    }
    Ok(())
}

#[test]
fn poisson_loss_equals_scikit_learn() -> Result<()> {
    check("poisson", "poisson", "counts", 3, "l2 = 3", 1e-6)
}

#[test]
fn the_chosen_penalty_equals_scikit_learn() -> Result<()> {
    let reference = reference()?;
    let x = features(&reference, 3)?;
    let design = Design::standard(&x, None);
    let goal = Goal::new(&design, &floats(&reference["y"])?);
    let folds: Vec<u8> = (0..x.rows()).map(|row| (row % 5) as u8).collect();
    for (name, l1_ratio) in [("lasso_auto", 1.0), ("elastic_net_auto", 0.4)] {
        let params = LassoParams { tolerance: 1e-11, ..LassoParams::default() };
        let params = ElasticNetParams { max_iterations: 100_000, ..ElasticNetParams::of(params, l1_ratio) };
        let expected = &reference[name];
        for way in [Way::Products, Way::Columns] {
            let choice = path::choose(&design, &goal, &params, &folds, way);
            close(&[choice.alpha], &[expected[0].as_f64().context("no alpha")?], 1e-9, name);
            assert_eq!(choice.early, 0, "{name} by {way:?}");
            let (found, _) = lasso::solution(&design, &goal, choice.alpha, &params, way);
            let wanted = serde_json::json!([expected[1], expected[2]]);
            close(&design.unscaled(&found), &point(&wanted)?, 1e-6, &format!("{name} by {way:?}"));
        }
    }
    Ok(())
}

#[test]
fn more_features_than_rows_equal_scikit_learn() -> Result<()> {
    let reference = reference()?;
    let x = matrix(table(&reference["wide"])?, &[], 0)?;
    let design = Design::standard(&x, None);
    let goal = Goal::new(&design, &floats(&reference["wide_y"])?);
    let params = LassoParams { alpha: Alpha::Value(0.1), tolerance: 1e-13, ..LassoParams::default() };
    let params = ElasticNetParams { max_iterations: 1_000_000, ..ElasticNetParams::of(params, 1.0) };
    for way in [Way::Products, Way::Columns] {
        let (found, descent) = lasso::solution(&design, &goal, 0.1, &params, way);
        assert!(descent.gap <= params.tolerance, "{way:?}");
        close(&design.unscaled(&found), &point(&reference["lasso_wide"])?, 1e-6, &format!("{way:?}"));
    }
    Ok(())
}
