//! Out and back: what is written is read back as a model that answers the same, missing and unseen values included.

use std::ops::ControlFlow;

use anyhow::Result;
use serde_json::Value;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::{Column, Frame, MISSING_CODE, TextValues, Values};
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::split::Split;
use crate::data::target::Target;
use crate::exchange::columns::Columns;
use crate::exchange::tests::{answers, close};
use crate::exchange::{json, lightgbm, xgboost};
use crate::features::recipe::{Family, Recipe};
use crate::models::calibration::Calibration;
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::{FitInput, Predictions};
use crate::models::zoo;
use crate::record::profile::ProfileRecord;
use crate::spec::model::Task;
use crate::spec::recipe::TransformSpec;
use crate::spec::schema::ColumnType;
use crate::spec::training::CalibrationMethod;

const ROWS: usize = 300;

/// Numbers with gaps, words with gaps; what `unseen` is set for has words that training did not have.
fn frame(unseen: bool) -> Result<Frame> {
    let mut rng = Seed(5).rng();
    let cell = |row: usize, value: f64| if row % 7 == 3 { f64::NAN } else { value };
    let width: Vec<f64> = (0..ROWS).map(|row| cell(row, (rng.normal() * 32.0).round() / 32.0)).collect();
    let height: Vec<f64> = (0..ROWS).map(|row| (row * 37 % 11) as f64).collect();
    let words = ["ash", "birch", "cedar", "elm", "fir"];
    let word = |row: usize| match row % 13 {
        5 => None,
        6 if unseen => Some("yew"),
        _ => Some(words[row * 17 % 23 % 5]),
    };
    Frame::new(
        ROWS,
        vec![
            Column::raw("width", Values::Number(width)),
            Column::raw("tree name", Values::Text(TextValues::from_values((0..ROWS).map(word)))),
            Column::raw("height", Values::Number(height)),
        ],
    )
}

fn target(classes: usize) -> Result<Target> {
    let frame = frame(false)?;
    let Values::Text(words) = &frame.columns()[1].values else { panic!("words") };
    let Values::Number(width) = &frame.columns()[0].values else { panic!("numbers") };
    let score = |row: usize| {
        let word = [1.5, -1.0, 0.25, 2.0, 0.0, 0.7][words.codes[row].min(5) as usize];
        word + if width[row].is_nan() { 0.4 } else { width[row] } + (row * 37 % 11) as f64 / 10.0
    };
    let numbers: Vec<f64> = (0..ROWS).map(score).collect();
    if classes == 0 {
        return Ok(Target::Numbers(numbers));
    }
    let code = |value: &f64| ((value + 1.0).max(0.0) as usize).min(classes - 1) as u32;
    let names = (0..classes).map(|class| format!("class {class}")).collect();
    Ok(Target::Classes { names, codes: numbers.iter().map(code).collect() })
}

fn package(kind: &str, classes: usize, params: &str) -> Result<ModelPackage> {
    let target = target(classes)?;
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let train = Split::from_parts(vec![0; ROWS])?.training(&frame(false)?, &target, &rows)?;
    let recipe = Recipe::from_spec(&TransformSpec::default(), Family::Trees)?.fit(&train, Seed(42))?;
    let matrix = recipe.apply(&frame(false)?)?;
    let params = params.parse()?;
    let predictor = (zoo::kind(kind)?.fit)(&mut FitInput {
        matrix: &matrix,
        target: &target,
        weights: None,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(7),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    })?;
    let input = |name: &str, column_type| InputColumn {
        missing_seen: true,
        min: Some(-3.0),
        max: Some(3.0),
        ..InputColumn::new(name, column_type)
    };
    let header = PackageHeader {
        target: "label".to_owned(),
        classes: target.classes().to_vec(),
        inputs: vec![
            input("width", ColumnType::Float),
            input("tree name", ColumnType::Text),
            input("height", ColumnType::Integer),
        ],
        ..PackageHeader::new(
            kind,
            [Task::Regression, Task::Regression, Task::Binary, Task::Multiclass][classes.min(3)],
            recipe.features().to_vec(),
        )
    };
    let baseline = ProfileRecord { rows: ROWS as u64, columns: Vec::new() };
    Ok(ModelPackage::new(header, recipe, predictor, baseline))
}

/// Answers of a file that was read back, to the rows of `frame(true)`.
fn answered(foreign: &crate::exchange::Foreign, package: &ModelPackage) -> Result<Vec<f64>> {
    // With at most 254 levels, codes in the file are the recipe's.
    let matrix = package.recipe.apply(&frame(true)?)?;
    let features = matrix.features().iter().zip(&foreign.features).map(|(feature, read)| {
        let values = match &feature.values {
            FeatureValues::Category { codes, .. } => {
                let known = |code: &u32| if (*code as usize) < read.codes { *code } else { MISSING_CODE };
                FeatureValues::Category { codes: codes.iter().map(known).collect(), levels: read.codes as u32 }
            }
            other => other.clone(),
        };
        Feature { values, ..feature.clone() }
    });
    Ok(answers(foreign.predictor.predict(&Matrix::new(matrix.rows(), features.collect())?)?))
}

#[track_caller]
fn check(kind: &str, classes: usize, params: &str) {
    let checked = || -> Result<()> {
        let package = package(kind, classes, params)?;
        let expected = answers(package.predict(&frame(true)?)?);
        let columns = Columns::of(&package, lightgbm::forbidden)?;
        assert!(columns.is_raw());
        assert_eq!(columns.all[1].name, "tree_name");
        let text = lightgbm::write(&package, &columns)?;
        let is_mean_of_classes = kind != "boost" && classes > 2;
        if is_mean_of_classes {
            // Several scores without an objective are for LightGBM to answer, not for us to read.
            assert!(lightgbm::read(&text).is_err());
        } else {
            let read = lightgbm::read(&text)?;
            close("lightgbm", &answered(&read, &package)?, &expected, 1e-14);
            let levels = read.features[1].levels.clone().unwrap_or_default();
            assert_eq!(levels, ["ash", "birch", "cedar", "elm", "fir"]);
        }
        let columns = Columns::of(&package, xgboost::forbidden)?;
        assert_eq!(columns.all[1].name, "tree name");
        let file = xgboost::write(&package, &columns)?;
        if !is_mean_of_classes {
            close("xgboost", &answered(&xgboost::read(&file)?, &package)?, &expected, 2e-6);
        }
        Ok(())
    };
    if let Err(error) = checked() {
        panic!("{kind} {params}: {error:#}");
    }
}

#[test]
fn boosted_trees_come_back() {
    for objective in ["squared", "absolute", "huber", "quantile"] {
        check("boost", 0, &format!("trees = 12\nleaf_rows = 3\nobjective = '{objective}'"));
    }
    check("boost", 2, "trees = 12\nleaf_rows = 3");
    check("boost", 3, "trees = 12\nleaf_rows = 3");
}

#[test]
fn averaged_trees_come_back() {
    for kind in ["forest", "extra_trees", "tree"] {
        for classes in [0, 2, 3] {
            check(kind, classes, "trees = 5");
        }
    }
}

#[test]
fn a_model_without_trees_answers_its_first_score() -> Result<()> {
    let made = package("boost", 0, "trees = 3\nleaf_rows = 1000")?;
    let expected = answers(made.predict(&frame(true)?)?);
    let columns = Columns::of(&made, lightgbm::forbidden)?;
    close("lightgbm", &answered(&lightgbm::read(&lightgbm::write(&made, &columns)?)?, &made)?, &expected, 0.0);
    close("xgboost", &answered(&xgboost::read(&xgboost::write(&made, &columns)?)?, &made)?, &expected, 1e-7);
    Ok(())
}

fn calibrated(kind: &str, method: CalibrationMethod) -> Result<ModelPackage> {
    let made = package(kind, 2, "trees = 8")?;
    let target = target(2)?;
    let Target::Classes { codes, .. } = &target else { panic!("classes") };
    let (calibration, _) = Calibration::fit(method, kind, &made.predict(&frame(false)?)?, codes, None)?;
    Ok(made.calibrated(method, calibration))
}

#[test]
fn straight_lines_of_the_score_are_folded_in_and_others_refused() -> Result<()> {
    let made = calibrated("boost", CalibrationMethod::Platt)?;
    let columns = Columns::of(&made, lightgbm::forbidden)?;
    let expected = answers(made.predict(&frame(true)?)?);
    close("platt", &answered(&lightgbm::read(&lightgbm::write(&made, &columns)?)?, &made)?, &expected, 1e-12);
    for (kind, method) in [("boost", CalibrationMethod::Isotonic), ("forest", CalibrationMethod::Platt)] {
        let made = calibrated(kind, method)?;
        for written in [lightgbm::write(&made, &columns), xgboost::write(&made, &columns)] {
            let Err(error) = written else { panic!("{kind} is written") };
            assert!(error.to_string().contains("calibrated probabilities"), "{error:#}");
            assert!(fail::find(&error).is_some_and(|failure| failure.hint.is_some()));
        }
        let text: Value = serde_json::from_slice(&json::write(&made)?)?;
        assert!(text["calibration"]["fields"].is_array());
    }
    Ok(())
}

/// Answers by walking the plain JSON, as somebody would who has only its description.
fn walked(file: &Value, matrix: &Matrix, row: usize, output: usize) -> f64 {
    let predictor = &file["predictor"];
    let names: Vec<&str> = file["header"]["features"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| f["name"].as_str().expect("a name"))
        .collect();
    let mut sum = predictor["initial"][output].as_f64().unwrap_or(0.0);
    for tree in predictor["trees"].as_array().expect("a list") {
        if tree["output"].as_u64().is_some_and(|of| of as usize != output) {
            continue;
        }
        let mut at = 0;
        loop {
            let node = &tree["nodes"][at];
            if let Some(value) = node["value"].as_f64().or_else(|| node["values"][output].as_f64()) {
                sum += value;
                break;
            }
            let place = names.iter().position(|name| node["feature"] == *name).expect("a feature");
            let value = matrix.features()[place].values.get(row);
            let left = match node["among"].as_array() {
                _ if value.is_nan() => node["missing"] == "left",
                Some(codes) => codes.iter().any(|code| code.as_f64() == Some(value)),
                None => value <= node["at_most"].as_f64().expect("a threshold"),
            };
            at = node[if left { "left" } else { "right" }].as_u64().expect("a node") as usize;
        }
    }
    if predictor["answer"] == "mean" { sum / predictor["trees"].as_array().expect("a list").len() as f64 } else { sum }
}

#[test]
fn plain_json_can_be_walked_by_hand() -> Result<()> {
    for (kind, classes) in [("boost", 0), ("forest", 3), ("tree", 0)] {
        let made = package(kind, classes, "trees = 6")?;
        let file: Value = serde_json::from_slice(&json::write(&made)?)?;
        assert_eq!((&file["format"], &file["version"]), (&"mlops-model".into(), &1.into()));
        let matrix = made.recipe.apply(&frame(true)?)?;
        let expected = answers(made.predict(&frame(true)?)?);
        let outputs = classes.max(1);
        let got: Vec<f64> =
            (0..ROWS * outputs).map(|cell| walked(&file, &matrix, cell / outputs, cell % outputs)).collect();
        close(kind, &got, &expected, 1e-14);
        let among = file["predictor"]["trees"].to_string();
        assert!(among.contains("\"levels\":[\"ash\""), "{kind}: levels have names");
    }
    Ok(())
}

#[test]
fn every_kind_has_a_plain_form() -> Result<()> {
    for (kind, form) in [("boost", "trees"), ("baseline", "fields")] {
        let file: Value = serde_json::from_slice(&json::write(&package(kind, 2, "")?)?)?;
        assert_eq!(file["predictor"]["form"], form, "{kind}");
    }
    let made = package("baseline", 2, "")?;
    let columns = Columns::of(&made, lightgbm::forbidden)?;
    let Err(error) = lightgbm::write(&made, &columns) else { panic!("a baseline is written") };
    assert!(error.to_string().contains("holds models of trees; `baseline` is none"), "{error:#}");
    assert!(matches!(made.predict(&frame(true)?)?, Predictions::Probabilities { .. }));
    Ok(())
}
