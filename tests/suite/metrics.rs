//! Metrics as people ask for them: by name, with parameters and classes, weighted, with costs, in a list.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::loans;

/// A folder with a model of 300 loans.
fn trained() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(300));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=3"]).ok();
    sandbox
}

fn names(metrics: &Value) -> Vec<String> {
    metrics.as_object().expect("by name").keys().cloned().collect()
}

#[test]
fn metrics_with_parameters_and_costs_are_measured() {
    let sandbox = trained();
    let usual = names(&sandbox.json(&["evaluate"])["metrics"]);
    assert!(usual.contains(&"roc_auc".to_owned()) && usual.len() < 30, "{usual:?}");
    let asked = "roc_auc, precision_at_recall(0.5),lift(0.2)";
    let report = sandbox.json(&["evaluate", "--metric", asked, "--metric", "fbeta(2)"]);
    assert_eq!(names(&report["metrics"]), ["fbeta(2)", "lift(0.2)", "precision_at_recall(0.5)", "roc_auc"]);
    assert!(report["baseline"]["lift(0.2)"].is_null() || report["baseline"]["lift(0.2)"].is_number());
    let roc = report["plots"]["classes"][0]["roc"].as_array().expect("the points of a curve");
    assert!(roc.len() > 2 && roc[0] == serde_json::json!([0.0, 0.0]), "{roc:?}");
    let all = names(&sandbox.json(&["evaluate", "--metric", "all"])["metrics"]);
    assert!(all.len() > usual.len() + 15, "{all:?}");
    let report = sandbox.json(&["evaluate", "--cost-matrix", "0,1;1,0"]);
    let metrics = &report["metrics"];
    let wrong = 1.0 - metrics["accuracy"].as_f64().expect("a number");
    assert!((metrics["expected_cost"].as_f64().expect("a number") - wrong).abs() < 1e-12);
}

#[test]
fn metrics_that_cannot_be_are_refused() {
    let sandbox = trained();
    let check = |words: &[&str], says: &str| {
        sandbox.run(&[&["evaluate"], words].concat()).code_is(2).says(says);
    };
    check(&["--metric", "fbeta"], "write `fbeta(2)`");
    check(&["--metric", "precision_at_recall(2)"], "above 0 and at most 1");
    check(&["--metric", "f1(class=nobody)"], "unknown class `nobody`");
    check(&["--metric", "expected_cost"], "--cost-matrix");
    check(&["--cost-matrix", "0,1,2;1,0,2;1,2,0"], "there are 2 classes");
    check(&["--cost-matrix", "0,1;x,0"], "`x` is no number");
    check(&["--metric", "ppv"], "did you mean `precision`?");
    check(&["--task", "binary"], "--list-metrics");
}

#[test]
fn metrics_are_listed_without_a_model() {
    let sandbox = Sandbox::new();
    let listed = sandbox.json(&["evaluate", "--list-metrics", "--task", "binary"]);
    let listed = listed.as_array().expect("a list");
    let of = |name: &str| listed.iter().find(|metric| metric["name"] == name).cloned().unwrap_or_default();
    assert_eq!(of("log_loss")["better"], "lower");
    assert_eq!(of("fbeta(BETA)")["measured"], "asked");
    assert_eq!(of("calibration")["better"], "near 1");
    assert!(listed.len() > 45);
    let every = sandbox.json(&["evaluate", "--list-metrics"]);
    assert!(every.as_array().expect("a list").iter().any(|metric| metric["name"] == "silhouette"));
    sandbox.run(&["evaluate", "--list-metrics"]).ok().says("NAME(class=CLASS)");
}
