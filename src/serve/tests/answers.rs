//! Tests of how answers are written.

use anyhow::Result;
use serde_json::{Value, json};

use crate::models::predictor::Predictions;
use crate::serve::answer::{self, Label};
use crate::spec::schema::ColumnType;

fn labels(classes: &[&str], target_type: Option<ColumnType>) -> Vec<Label> {
    classes.iter().map(|class| Label::new(class, target_type)).collect()
}

fn check(classes: &[&str], target_type: Option<ColumnType>, expected: Value) -> Result<()> {
    let predictions = Predictions::Probabilities { classes: 2, values: vec![0.25, 0.75, 0.5, 0.5] };
    let written = answer::to_json(&predictions, &labels(classes, target_type), None, false);
    assert_eq!(serde_json::from_slice::<Value>(&written)?, json!({ "predictions": expected }));
    Ok(())
}

#[test]
fn classes_are_written_in_the_type_of_the_target() -> Result<()> {
    check(&["no", "yes \"sir\""], Some(ColumnType::Text), json!(["yes \"sir\"", "no"]))?;
    check(&["0", "1"], Some(ColumnType::Integer), json!([1, 0]))?;
    check(&["0", "1"], Some(ColumnType::Text), json!(["1", "0"]))?;
    check(&["0.5", "1.5"], Some(ColumnType::Float), json!([1.5, 0.5]))?;
    check(&["false", "true"], Some(ColumnType::Boolean), json!([true, false]))?;
    check(&["0", "1"], Some(ColumnType::Boolean), json!([true, false]))?;
    check(&["0", "1"], None, json!(["1", "0"]))?;
    check(&["inf", "2"], Some(ColumnType::Float), json!([2.0, "inf"]))
}

#[test]
fn probabilities_are_written_by_class() -> Result<()> {
    let predictions = Predictions::Probabilities { classes: 2, values: vec![0.1, 0.9] };
    let written = answer::to_json(&predictions, &labels(&["a", "\"b\""], None), None, true);
    let expected = json!({"predictions": ["\"b\""], "probabilities": [{"a": 0.1, "\"b\"": 0.9}]});
    assert_eq!(serde_json::from_slice::<Value>(&written)?, expected);
    Ok(())
}

#[test]
fn numbers_keep_every_bit_and_have_no_nan() -> Result<()> {
    let values = vec![0.1 + 0.2, -1e-300, 3.0, f64::NAN, f64::INFINITY];
    let written = answer::to_json(&Predictions::Numbers(values), &[], None, true);
    let expected = br#"{"predictions":[0.30000000000000004,-1e-300,3.0,null,null]}"#;
    assert_eq!(String::from_utf8(written)?, String::from_utf8(expected.to_vec())?);
    Ok(())
}

#[test]
fn clusters_and_anomalies_are_written_with_their_measures() -> Result<()> {
    let clusters = Predictions::Clusters { clusters: 3, codes: vec![2, 0], distances: vec![0.5, 1.25] };
    let written = answer::to_json(&clusters, &[], None, false);
    assert_eq!(String::from_utf8(written)?, r#"{"predictions":[2,0],"distances":[0.5,1.25]}"#);
    let anomalies = Predictions::Anomalies { scores: vec![0.5, 0.75], threshold: 0.5 };
    let written = answer::to_json(&anomalies, &labels(&["fine", "broken"], None), None, true);
    assert_eq!(String::from_utf8(written)?, r#"{"predictions":[false,true],"scores":[0.5,0.75]}"#);
    Ok(())
}
