//! Every kind of model, what comes out of it, and what the file says of itself.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::Values;
use crate::exchange::onnx::proto::element;
use crate::exchange::onnx::tests::{ROWS, blended, check_operators, package, table, written};
use crate::exchange::onnx::write;
use crate::models::calibration::Calibration;
use crate::models::predictor::Predictions;
use crate::models::zoo;
use crate::spec::model::Task;
use crate::spec::training::CalibrationMethod;

#[test]
fn every_kind_and_task_can_be_written() -> Result<()> {
    for kind in zoo::kinds() {
        // A blend is put together by a search.
        for task in kind.tasks.iter().filter(|_| kind.name != "blend") {
            let made = match package(kind.name, *task, "") {
                Ok(made) => made,
                // Kinds that only read what others have made.
                Err(error) if fail::find(&error).is_some() => continue,
                Err(error) => return Err(error),
            };
            let (model, body) = written(&made)?;
            assert_eq!(model.producer_name, "mlops");
            let names: Vec<&str> = body.output.iter().map(|output| output.name.as_str()).collect();
            let wanted: &[&str] = match task {
                Task::Binary | Task::Multiclass => &["label", "probabilities"],
                // A raw column has the plain name.
                Task::Regression => &["prediction_2"],
                Task::Clustering => &["cluster", "distance"],
                Task::Anomaly => &["anomaly", "score"],
            };
            assert_eq!(names, wanted, "{}", kind.name);
        }
    }
    Ok(())
}

#[test]
fn kinds_become_the_operators_they_should() -> Result<()> {
    let check = |kind: &str, task, wanted: &[&str]| check_operators(&package(kind, task, "")?, wanted);
    check("boost", Task::Binary, &["TreeEnsemble", "LabelEncoder", "Exp", "Concat"])?;
    check("boost", Task::Multiclass, &["TreeEnsemble", "Softmax", "ArgMax"])?;
    check("forest", Task::Multiclass, &["TreeEnsemble", "Gather", "CumSum"])?;
    check("logistic", Task::Multiclass, &["MatMul", "Softmax"])?;
    check("ridge", Task::Regression, &["MatMul", "Add"])?;
    check("svm", Task::Multiclass, &["Loop", "Exp", "MatMul"])?;
    check("knn", Task::Binary, &["TopK", "Equal"])?;
    check("kmeans", Task::Clustering, &["ArgMin", "Sqrt"])?;
    check("isolation_forest", Task::Anomaly, &["TreeEnsemble", "Pow", "Less"])
}

#[test]
fn a_blend_is_its_members_side_by_side() -> Result<()> {
    check_operators(&blended(Task::Regression, ["ridge", "boost"])?, &["MatMul", "TreeEnsemble", "Add", "Mul"])?;
    check_operators(&blended(Task::Binary, ["logistic", "forest"])?, &["MatMul", "CumSum", "Clip", "ArgMax"])
}

#[test]
fn inputs_are_the_raw_columns_that_count_with_their_types() -> Result<()> {
    let made =
        package("ridge", Task::Regression, &format!("{{'op': 'drop', 'columns': ['y']}}, {}", super::steps::REST))?;
    let (_, body) = written(&made)?;
    let of = |name: &str| {
        let found = body.input.iter().find(|input| input.name == name);
        found.and_then(|input| input.kind.as_ref()?.tensor_type.as_ref()).map(|kind| kind.elem_type)
    };
    assert_eq!(of("x"), Some(element::DOUBLE));
    assert_eq!(of("color"), Some(element::STRING));
    assert_eq!(of("when"), Some(element::INT64));
    assert_eq!(of("y"), None, "what is dropped is not asked for");
    let time = body.input.iter().find(|input| input.name == "when").map(|input| input.doc_string.as_str());
    assert!(time.is_some_and(|text| text.contains("microseconds since 1970-01-01 UTC")), "{time:?}");
    Ok(())
}

#[test]
fn calibration_and_threshold_are_written() -> Result<()> {
    let made = package("forest", Task::Binary, "")?;
    let raw = made.predict(&table()?)?;
    let codes: Vec<u32> = (0..ROWS).map(|row| (row * 29 % 17 % 2) as u32).collect();
    assert!(matches!(raw, Predictions::Probabilities { .. }));
    for (method, wanted) in [(CalibrationMethod::Platt, "Exp"), (CalibrationMethod::Isotonic, "Gather")] {
        let made = package("forest", Task::Binary, "")?;
        let (calibration, _) = Calibration::fit(method, "forest", &raw, &codes, None)?;
        let mut made = made.calibrated(method, calibration);
        made.header.threshold = Some(0.3);
        check_operators(&made, &[wanted, "Greater"])?;
        let (model, _) = written(&made)?;
        let threshold = model.metadata_props.iter().find(|entry| entry.key == "mlops.threshold");
        assert_eq!(threshold.map(|entry| entry.value.as_str()), Some("0.3"));
    }
    Ok(())
}

#[test]
fn the_file_says_which_package_it_is() -> Result<()> {
    let made = package("logistic", Task::Binary, "")?;
    let (model, _) = written(&made)?;
    let of = |key: &str| model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.clone());
    assert_eq!(of("mlops.package"), Some(crate::base::hash::hash(&made.to_bytes()?).to_string()));
    assert_eq!(of("mlops.task").as_deref(), Some("binary"));
    assert_eq!(of("mlops.classes").as_deref(), Some(r#"["0","1"]"#));
    assert!(model.doc_string.contains("empty where missing"), "{}", model.doc_string);
    Ok(())
}

#[test]
fn a_package_of_other_classes_is_refused() -> Result<()> {
    let mut made = package("logistic", Task::Binary, "")?;
    made.header.classes.push("2".to_owned());
    assert!(write(&made).is_err());
    assert!(matches!(table()?.column("when")?.values, Values::Time(_)));
    Ok(())
}
