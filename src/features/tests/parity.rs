//! Steps over several columns or with a look at the target, against scikit-learn 1.9.1.
//!
//! The numbers are those of `tests/fixtures/reference/recipes`, made by the script beside them.

use anyhow::Result;
use serde_json::Value;

use crate::data::frame::{Frame, Values};
use crate::data::target::Target;
use crate::features::recipe::FittedRecipe;
use crate::features::tests::{assert_close, classes, feature, fit, fit_target, frame, names, number, text};

fn reference() -> Value {
    let bytes = include_bytes!("../../../tests/fixtures/reference/recipes/steps.json");
    serde_json::from_slice(bytes).expect("the reference numbers are JSON")
}

/// Numbers of a list; null is missing.
fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().expect("a list of numbers");
    list.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
}

fn codes(list: &Value) -> Vec<u32> {
    numbers(list).into_iter().map(|value| value as u32).collect()
}

/// Columns called `a`, `b`…
fn table(columns: &Value) -> Frame {
    let columns = columns.as_array().expect("a list of columns");
    let named = columns.iter().zip("abcdefgh".chars());
    frame(named.map(|(values, name)| number(&name.to_string(), &numbers(values))).collect())
}

fn check_columns(
    fitted: &FittedRecipe,
    rows: &Frame,
    columns: &[&str],
    expected: &Value,
    tolerance: f64,
) -> Result<()> {
    let matrix = fitted.apply(rows)?;
    let expected = expected.as_array().expect("a list of columns");
    assert_eq!(columns.len(), expected.len());
    for (name, expected) in columns.iter().zip(expected) {
        assert_close(&feature(&matrix, name), &numbers(expected), tolerance);
    }
    Ok(())
}

#[test]
fn target_encoding_is_that_of_target_encoder() -> Result<()> {
    let reference = &reference()["target"];
    let words: Vec<&str> = reference["word"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let train = frame(vec![text("w", &words)]);
    let once = frame(vec![text("w", &["ash", "beech", "elm", "fir", "oak"])]);
    let encodings = reference["encodings"].as_object().expect("encodings by target and smoothing");
    for (name, expected) in encodings {
        let (kind, smooth) = name.split_once(' ').expect("two words");
        let target = match kind {
            "number" => Target::Numbers(numbers(&reference["number"])),
            _ => classes(&codes(&reference[kind])),
        };
        let smooth = if smooth == "auto" { "'auto'" } else { smooth };
        let fitted = fit_target(&format!("{{'op': 'target','columns': ['w'],'smooth': {smooth}}}"), &train, &target)?;
        let columns: &[&str] = if kind == "three" { &["w_0", "w_1", "w_2"] } else { &["w"] };
        check_columns(&fitted, &once, columns, expected, 1e-12)?;
    }
    assert_eq!(encodings.len(), 9);
    Ok(())
}

#[test]
fn cuts_are_those_of_a_decision_tree() -> Result<()> {
    let reference = &reference()["tree"];
    let train = frame(vec![number("x", &numbers(&reference["x"]))]);
    for kind in ["binary", "three", "number"] {
        let target = match kind {
            "number" => Target::Numbers(numbers(&reference["number"])),
            _ => classes(&codes(&reference[kind])),
        };
        let steps = "{'op': 'bin','columns': ['x'],'method': 'tree','bins': 6,'leaf_rows_min': 9}";
        let fitted = fit_target(steps, &train, &target)?.to_json();
        assert_eq!(numbers(&fitted["steps"][0][0]["edges"]), numbers(&reference["cuts"][kind]), "{kind}");
    }
    Ok(())
}

#[test]
fn components_are_those_of_pca() -> Result<()> {
    let reference = &reference()["pca"];
    let train = table(&reference["columns"]);
    for (name, options) in [("three", "3"), ("white", "5,'whiten': true"), ("share", "0.95")] {
        let fitted = fit(&format!("{{'op': 'pca','columns': 'numeric','components': {options}}}"), &train)?;
        check_columns(&fitted, &train, &names(&fitted), &reference["scores"][name], 1e-9)?;
    }
    Ok(())
}

#[test]
fn distances_are_those_of_k_means() -> Result<()> {
    let reference = &reference()["kmeans"];
    let train = table(&reference["columns"]);
    let fitted = fit("{'op': 'kmeans','columns': 'numeric','clusters': 3,'keep': false}", &train)?;
    check_columns(&fitted, &train, &["kmeans_1", "kmeans_2", "kmeans_3"], &reference["distances"], 1e-9)
}

#[test]
fn gaps_are_filled_as_by_knn_imputer() -> Result<()> {
    let reference = &reference()["knn"];
    let (train, later) = (table(&reference["train"]), table(&reference["later"]));
    for neighbours in ["1", "3", "40"] {
        let steps = format!("{{'op': 'impute','columns': 'numeric','strategy': 'knn','neighbours': {neighbours}}}");
        let fitted = fit(&steps, &train)?;
        let filled = &reference["filled"][neighbours];
        check_columns(&fitted, &train, &["a", "b", "c", "d"], &filled["train"], 1e-12)?;
        check_columns(&fitted, &later, &["a", "b", "c", "d"], &filled["later"], 1e-12)?;
    }
    Ok(())
}

#[test]
fn products_are_those_of_polynomial_features() -> Result<()> {
    let reference = &reference()["polynomial"];
    let train = table(&reference["columns"]);
    let fitted = fit("{'op': 'polynomial','columns': 'numeric','degree': 3}", &train)?;
    let expected: Vec<&str> = reference["names"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(names(&fitted), expected);
    check_columns(&fitted, &train, &expected, &reference["values"], 1e-15)
}

#[test]
fn information_and_variance_are_those_of_scikit_learn() -> Result<()> {
    use crate::features::many::codes::{Codes, mutual_information};
    let reference = reference();
    let rows: Vec<u32> = (0..120).collect();
    let codes = |name: &str| {
        let codes = codes(&reference["information"][name]);
        Codes::of(&Values::Category { codes: codes.into(), levels: 4 }, &rows, 32)
    };
    let nats = reference["information"]["nats"].as_f64().expect("a number");
    assert_close(&[mutual_information(&codes("a"), &codes("b"))], &[nats], 1e-12);
    // One column is left out just below its variance, none just above those of all.
    let train = table(&reference["pca"]["columns"]);
    let mut variances = numbers(&reference["variances"]);
    variances.sort_by(f64::total_cmp);
    for (threshold, kept) in [(variances[0] * (1.0 - 1e-12), 5), (variances[0] * (1.0 + 1e-12), 4)] {
        let fitted = fit(&format!("{{'op': 'select','by': 'variance','threshold': {threshold:e}}}"), &train)?;
        assert_eq!(fitted.features().len(), kept);
    }
    Ok(())
}

#[test]
fn centres_of_clusters_are_as_good_as_the_best_of_ten() -> Result<()> {
    let reference = &reference()["kmeans"];
    let train = table(&reference["columns"]);
    let matrix = fit("{'op': 'kmeans','columns': 'numeric','clusters': 3}", &train)?.apply(&train)?;
    let all: Vec<Vec<f64>> = (1..=3).map(|at| feature(&matrix, &format!("kmeans_{at}"))).collect();
    let nearest = |row: usize| all.iter().map(|column| column[row]).fold(f64::INFINITY, f64::min);
    let inertia: f64 = (0..matrix.rows()).map(|row| nearest(row).powi(2)).sum();
    assert_close(&[inertia], &[reference["inertia"].as_f64().expect("a number")], 1e-9);
    Ok(())
}
