//! Reference numbers of scikit-learn 1.9.1 on the reference table.

use anyhow::Result;

use crate::models::form::FormReader;
use crate::models::predictor::Predictions;
use crate::models::tests::{bytes, features, fit, matrix, numbers, three_classes, two_classes};

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance * expected.abs().max(1.0), "{found} is not {expected}");
    }
}

/// Reads over what stands before the coefficients of a linear model.
fn skip_head(form: &mut FormReader<'_>) -> Result<()> {
    form.text("kind")?;
    for name in ["link", "width", "outputs"] {
        form.u64(name)?;
    }
    form.f64s("means")?;
    form.f64s("spreads")?;
    Ok(())
}

/// Coefficients and intercepts of a fitted linear model, output by output.
fn point(kind: &str, target: &crate::data::target::Target, params: &str) -> Result<Vec<f64>> {
    let kept = bytes(&*fit(kind, &features()?, target, params)?);
    let mut form = FormReader::new(&kept);
    skip_head(&mut form)?;
    form.f64s("point")
}

#[test]
fn least_squares_equals_linear_regression() -> Result<()> {
    let expected = [1.506406289941, -0.700172911791, 0.20012666935, 0.78550524326];
    close(&point("linear", &numbers()?, "")?, &expected, 1e-11);
    Ok(())
}

#[test]
fn ridge_equals_ridge() -> Result<()> {
    let expected = [1.489587980587, -0.69518789888, 0.200467376988, 0.822205856132];
    close(&point("ridge", &numbers()?, "l2 = 2.0")?, &expected, 1e-11);
    Ok(())
}

#[test]
fn two_class_logistic_equals_logistic_regression() -> Result<()> {
    let expected = [1.278333912066, -0.648299183533, 0.117686038173, -3.814758828647];
    close(&point("logistic", &two_classes()?, "l2 = 1.0")?, &expected, 1e-7);
    Ok(())
}

#[test]
fn three_class_logistic_equals_logistic_regression() -> Result<()> {
    let a = [-0.260700766391, 0.11915494251, -0.027494381062];
    let b = [0.002391057875, 0.022123672679, 0.013576993048];
    let c = [0.258309708516, -0.141278615188, 0.013917388014];
    let found = point("logistic", &three_classes()?, "l2 = 0.5\ntolerance = 1e-9")?;
    for (output, expected) in [a, b, c].iter().enumerate() {
        close(&found[output * 4..output * 4 + 3], expected, 1e-6);
    }
    // Intercepts are only fixed up to a constant, so their differences are compared.
    close(
        &[found[7] - found[3], found[11] - found[3]],
        &[0.208077226727 - 0.232530122195, -0.440607348922 - 0.232530122195],
        1e-6,
    );
    Ok(())
}

fn queries() -> Result<crate::data::matrix::Matrix> {
    matrix(vec![vec![3.05, 1.0], vec![0.1, -2.0], vec![4.0, 9.0]])
}

#[track_caller]
fn check_answers(kind: &str, target: &crate::data::target::Target, params: &str, expected: &[f64]) -> Result<()> {
    match fit(kind, &features()?, target, params)?.predict(&queries()?)? {
        Predictions::Numbers(values) | Predictions::Probabilities { values, .. } => close(&values, expected, 1e-9),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[test]
fn naive_bayes_equals_gaussian_nb() -> Result<()> {
    let expected = [0.150966616382, 0.388785923832, 0.460247459785, 0.200119559033, 0.477629474623, 0.322250966344];
    check_answers("naive_bayes", &three_classes()?, "", &expected)
}

#[test]
fn neighbours_equal_k_neighbors() -> Result<()> {
    check_answers("knn", &three_classes()?, "neighbours = 5", &[0.0, 0.4, 0.6, 0.0, 0.4, 0.6])?;
    check_answers("knn", &numbers()?, "neighbours = 4", &[6.3925, 7.0525])?;
    let weighted = [0.0, 0.430971415336, 0.569028584664, 0.0, 0.375951831414, 0.624048168586];
    check_answers("knn", &three_classes()?, "neighbours = 5\nweights = 'distance'", &weighted)?;
    check_answers("knn", &numbers()?, "neighbours = 4\nweights = 'distance'", &[6.505774633267, 7.244506759415])
}

#[test]
fn collinear_indicators_give_the_smallest_solution() -> Result<()> {
    // One indicator a value and an intercept: many solutions; the smallest coefficients sum to zero.
    let column = |wanted: usize| (0..60).map(|i| f64::from(u8::from(i % 3 == wanted))).collect();
    let x = matrix(vec![column(0), column(1), column(2)])?;
    let y = crate::data::target::Target::Numbers((0..60).map(|i| (i % 3) as f64 * 2.0).collect());
    let kept = bytes(&*fit("linear", &x, &y, "")?);
    let mut form = FormReader::new(&kept);
    skip_head(&mut form)?;
    close(&form.f64s("point")?, &[-2.0, 0.0, 2.0, 2.0], 1e-9);
    Ok(())
}
