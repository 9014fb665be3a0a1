//! Decisions against those of scikit-learn on two tables, and the machines of smartcore beside ours.

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use serde_json::Value;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::svm::Kernels;
use smartcore::svm::svc::{SVC, SVCParameters};

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::svm::{Svm, fit, read};

fn reference(name: &str) -> Result<Value> {
    let path = format!("{}/tests/fixtures/reference/kinds/{name}.json", env!("CARGO_MANIFEST_DIR"));
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

fn list(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(list).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

fn rows(found: &Value) -> Vec<Vec<f64>> {
    found["x"].as_array().into_iter().flatten().map(list).collect()
}

fn matrix(rows: &[Vec<f64>], width: usize) -> Result<Matrix> {
    let feature = |at: usize| Feature {
        name: format!("x{at}").into(),
        from: "x".into(),
        values: FeatureValues::Number(rows.iter().map(|row| row[at]).collect()),
    };
    Matrix::new(rows.len(), (0..width).map(feature).collect())
}

fn classes(found: &Value) -> Target {
    let codes: Vec<u32> = list(&found["y"]).into_iter().map(|code| code as u32).collect();
    let count = codes.iter().max().map_or(0, |most| most + 1);
    Target::Classes { names: (0..count).map(|code| code.to_string()).collect(), codes }
}

fn fitted(x: &Matrix, target: &Target, params: &str, weights: Option<&[f64]>) -> Result<Box<dyn Predictor>> {
    let params: toml::Table = params.parse()?;
    fit(&mut FitInput {
        matrix: x,
        target,
        weights,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(7),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    })
}

/// The machines themselves, by way of their form.
fn machines(x: &Matrix, target: &Target, params: &str, weights: Option<&[f64]>) -> Result<Svm> {
    let mut form = FormWriter::new();
    fitted(x, target, params, weights)?.write(&mut form);
    let kept = form.finish();
    // Read once more to see that the form is whole, then taken apart.
    read(&mut FormReader::new(&kept))?;
    super::parts(&mut FormReader::new(&kept))
}

/// Our decisions on the rows asked against theirs: one a pair of classes, row by row.
fn check_decisions(table: &str, name: &str, params: &str, weights: Option<&[f64]>) -> Result<()> {
    let found = reference(table)?;
    let all = rows(&found);
    let x = matrix(&all, all[0].len())?;
    let svm = machines(&x, &classes(&found), &format!("tolerance = 1e-9\n{params}"), weights)?;
    let expected = list(&found[name]["decision"]);
    let asked = list(&found["asked"]);
    // Of two classes scikit-learn's decision is for the second, of more for the first of each pair.
    let turn = if svm.machines.len() == 1 { -1.0 } else { 1.0 };
    let ours = asked.iter().flat_map(|row| svm.decisions(&all[*row as usize])).map(|decision| turn * decision);
    for (place, (ours, theirs)) in ours.zip(&expected).enumerate() {
        assert!((ours - theirs).abs() < 2e-6 * theirs.abs().max(1.0), "{name} {place}: {ours} is not {theirs}");
    }
    assert_eq!(expected.len(), asked.len() * svm.machines.len());
    Ok(())
}

#[test]
fn decisions_equal_those_of_svc() -> Result<()> {
    check_decisions("penguins", "svc_rbf", "", None)?;
    check_decisions("penguins", "svc_linear", "kernel = 'linear'", None)?;
    check_decisions("penguins", "svc_poly", "kernel = 'poly'\nconstant = 1.0", None)?;
    let weights: Vec<f64> = (0..342).map(|row| 1.0 + f64::from(row % 3)).collect();
    check_decisions("penguins", "svc_weighted", "cost = 0.5\ngamma = 0.3", Some(&weights))
}

#[test]
fn predictions_equal_those_of_svr() -> Result<()> {
    let found = reference("penguins")?;
    let all = rows(&found);
    let x = matrix(&all, 3)?;
    let target = Target::Numbers(all.iter().map(|row| row[3]).collect());
    for (name, params) in [
        ("svr_rbf", ""),
        ("svr_linear", "kernel = 'linear'\ncost = 2.0\nepsilon = 0.2"),
        ("svr_poly", "kernel = 'poly'\ndegree = 2\nconstant = 1.0\ncost = 0.5"),
    ] {
        let model = fitted(&x, &target, &format!("tolerance = 1e-9\n{params}"), None)?;
        let Predictions::Numbers(values) = model.predict(&x)? else { panic!("numbers") };
        let asked = list(&found["asked"]);
        for (row, theirs) in asked.iter().zip(list(&found[name]["prediction"])) {
            let ours = values[*row as usize];
            // Their target is standardised to six digits, ours to all.
            assert!((ours - theirs).abs() < 2e-5, "{name} {row}: {ours} is not {theirs}");
        }
    }
    Ok(())
}

#[test]
fn probabilities_are_as_good_as_theirs() -> Result<()> {
    for (table, most) in [("penguins", 0.06), ("titanic", 0.0)] {
        let found = reference(table)?;
        let all = rows(&found);
        let x = matrix(&all, all[0].len())?;
        let target = classes(&found);
        let Target::Classes { codes, names } = &target else { panic!("classes") };
        let model = fitted(&x, &target, "", None)?;
        let Predictions::Probabilities { values, .. } = model.predict(&x)? else { panic!("probabilities") };
        let shares: Vec<&[f64]> = values.chunks_exact(names.len()).collect();
        if most > 0.0 {
            let theirs = list(&found["svc_probability"]);
            let asked = list(&found["asked"]);
            for (row, theirs) in asked.iter().zip(theirs.chunks_exact(names.len())) {
                let far = shares[*row as usize].iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(far < most, "{row}: {:?} is not {theirs:?}", shares[*row as usize]);
            }
        } else {
            let loss = shares.iter().zip(codes).map(|(row, code)| -row[*code as usize].ln()).sum::<f64>();
            let theirs = found["svc_log_loss"].as_f64().context("loss")?;
            assert!((loss / codes.len() as f64 - theirs).abs() < 0.01, "{} {theirs}", loss / codes.len() as f64);
        }
        let best = |row: &[f64]| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0);
        let right = shares.iter().zip(codes).filter(|(row, code)| best(row) == **code as usize).count();
        let accuracy = right as f64 / codes.len() as f64;
        let theirs = found["svc_accuracy"].as_f64().context("accuracy")?;
        assert!((accuracy - theirs).abs() < 0.01, "{table}: {accuracy} {theirs}");
    }
    Ok(())
}

/// ½ ΣΣ cᵢcⱼK − Σ|cᵢ| of a machine: what fitting makes as small as it can.
fn objective(points: &[Vec<f64>], coefficients: &[f64], kernel: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
    let mut total = 0.0;
    for (one, a) in points.iter().zip(coefficients) {
        for (other, b) in points.iter().zip(coefficients) {
            total += 0.5 * a * b * kernel(one, other);
        }
        total -= a.abs();
    }
    total
}

#[test]
fn the_optimum_is_lower_than_that_of_smartcore() -> Result<()> {
    let found = reference("titanic")?;
    let all: Vec<Vec<f64>> = rows(&found).into_iter().step_by(4).collect();
    let codes: Vec<u32> = list(&found["y"]).into_iter().step_by(4).map(|code| code as u32).collect();
    let names = ["0", "1"].map(str::to_owned).into();
    let x = matrix(&all, all[0].len())?;
    let svm = machines(&x, &Target::Classes { names, codes: codes.clone() }, "tolerance = 1e-6", None)?;
    let kernel = svm.kernel;
    let machine = &svm.machines[0];
    let supports: Vec<Vec<f64>> = svm.supports.chunks_exact(svm.features).map(<[f64]>::to_vec).collect();
    let coefficients: Vec<f64> = machine.supports.iter().map(|pair| pair.1).collect();
    let ours = objective(&supports, &coefficients, |a, b| kernel.of(a, b));
    let dense = DenseMatrix::from_2d_vec(&all)?;
    let signs: Vec<i32> = codes.iter().map(|code| if *code == 1 { 1 } else { -1 }).collect();
    let params =
        SVCParameters::default().with_c(1.0).with_kernel(Kernels::rbf().with_gamma(kernel.gamma)).with_seed(Some(1));
    let theirs = SVC::fit(&dense, &signs, &params)?;
    // Their predictions are the only thing in common: ours must separate the training rows no worse.
    let wrong = theirs.predict(&dense)?.iter().zip(&signs).filter(|(a, b)| (**a > 0.0) != (**b > 0)).count();
    let decided = all.iter().map(|row| svm.decisions(row)[0] < 0.0);
    let ours_wrong = decided.zip(&signs).filter(|(a, b)| *a != (**b > 0)).count();
    assert!(ours < 0.0 && ours_wrong <= wrong + all.len() / 50, "{ours} {ours_wrong} {wrong}");
    Ok(())
}

#[test]
fn bad_input_is_a_clear_error() -> Result<()> {
    let target = Target::Classes { names: ["a", "b"].map(str::to_owned).into(), codes: vec![0, 1, 0, 1] };
    let x = matrix(&[vec![1.0], vec![2.0], vec![3.0], vec![4.0]], 1)?;
    for (params, says) in [
        ("cost = 0.0", "`cost`"),
        ("gamma = -1.0", "`gamma`"),
        ("degree = 11", "`degree`"),
        ("kernel = 'sigmoid'", "`kernel`"),
        ("tolerance = 0.0", "`tolerance`"),
        ("epsilon = -0.1", "`epsilon`"),
    ] {
        let error = fitted(&x, &target, params, None).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(says), "{params}: {error}");
    }
    let huge = matrix(&[vec![1.0], vec![1e200], vec![3.0], vec![4.0]], 1)?;
    let error = fitted(&huge, &target, "", None).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("feature `x0`: that of row 1 is too large"), "{error}");
    let many = matrix(&vec![vec![1.0]; 20_001], 1)?;
    let numbers = Target::Numbers((0..20_001).map(f64::from).collect());
    let error = fitted(&many, &numbers, "", None).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("20,001 are more than 20,000"), "{error}");
    // Rows that are all alike, of both classes, still have an answer.
    let flat = matrix(&vec![vec![5.0]; 4], 1)?;
    let Predictions::Probabilities { values, .. } = fitted(&flat, &target, "", None)?.predict(&flat)? else {
        panic!("probabilities")
    };
    assert!(values.iter().all(|value| (value - 0.5).abs() < 0.35), "{values:?}");
    Ok(())
}
