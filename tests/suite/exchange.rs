//! `export`: files for other tools, what is said about them, what is refused.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::loans;

/// A sandbox with a trained model.
fn trained(words: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(200));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id", "--ignore", "when"]).ok();
    sandbox.run(&[&["train"], words].concat()).ok();
    sandbox
}

fn json_of(sandbox: &Sandbox, file: &str) -> Value {
    serde_json::from_str(&sandbox.read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn trees_leave_with_a_word_about_their_columns() {
    let sandbox = trained(&["--model", "boost", "--set", "trees=5"]);
    let said = sandbox.run(&["export", "run:last", "-o", "model.txt"]).ok().says("the probability of");
    assert!(said.out.contains("lightgbm") && said.out.contains("model.txt.features.json"), "{}", said.out);
    assert!(sandbox.read("model.txt").starts_with("tree\nversion=v4\n"));
    let features = json_of(&sandbox, "model.txt.features.json");
    assert_eq!((&features["reads"], &features["of"]), (&"raw".into(), &"lightgbm".into()));
    let columns = features["columns"].as_array().expect("a list");
    let color = columns.iter().find(|column| column["name"] == "color").expect("the column is there");
    assert!(color["levels"].as_array().is_some_and(|levels| levels.contains(&"red".into())), "{color}");
    let report = sandbox.json(&["export", "run:last", "--format", "xgboost"]);
    assert_eq!(report["format"], "xgboost");
    let file = report["output"].as_str().expect("a path");
    let written: Value = serde_json::from_slice(&std::fs::read(file).expect("it is there")).expect("JSON");
    assert_eq!(written["learner"]["objective"]["name"], "binary:logistic");
    for (key, value) in [("json", "trees"), ("onnx", "")] {
        let report = sandbox.json(&["export", "run:last", "--format", key]);
        assert_eq!((&report["features_file"], &report["reads"]), (&Value::Null, &"raw".into()), "{key}");
        if !value.is_empty() {
            let written: Value = serde_json::from_slice(
                &std::fs::read(report["output"].as_str().expect("a path")).expect("it is there"),
            )
            .expect("JSON");
            assert_eq!(written["predictor"]["form"], value);
        }
    }
}

#[test]
fn what_is_asked_wrongly_is_answered_with_what_can_be_asked() {
    let sandbox = trained(&["--model", "boost", "--set", "trees=2"]);
    sandbox.run(&["export", "run:last"]).code_is(2).says("lightgbm, xgboost, onnx, json");
    sandbox.run(&["export", "run:last", "-o", "model.json"]).code_is(2).says("does not tell the format");
    sandbox.run(&["export", "run:last", "--format", "lightgbn"]).code_is(2).says("did you mean `lightgbm`?");
    sandbox.run(&["export", "nobody", "-o", "m.txt"]).code_is(3);
    sandbox.run(&["export", "run:last", "-o", "m.txt"]).ok();
    let first = sandbox.read("m.txt");
    sandbox.run(&["export", "run:last", "-o", "m.txt"]).code_is(2).says("m.txt is there already").says("--force");
    sandbox.run(&["export", "run:last", "-o", "m.txt", "--force"]).ok();
    assert_eq!(sandbox.read("m.txt"), first, "the same model gives the same bytes");
    sandbox.run(&["train", "--model", "logistic"]).ok();
    sandbox.run(&["export", "run:last", "-o", "l.txt"]).code_is(2).says("`logistic` is none").says("onnx or json");
    assert!(!sandbox.path("l.txt").exists() && !sandbox.path("l.txt.features.json").exists());
    sandbox.run(&["export", "run:last", "--format", "json", "-o", "l.json"]).ok();
    assert_eq!(json_of(&sandbox, "l.json")["predictor"]["form"], "linear");
}

#[test]
fn features_of_a_recipe_are_written_for_files_without_one() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("mlops.toml", "[transform]\nsteps = [{ op = 'one_hot', columns = ['color'] }]\n");
    sandbox.write("loans.csv", loans(200));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id", "--ignore", "when"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let report = sandbox.run(&["export", "run:last", "-o", "m.txt"]).ok().says("the recipe makes").says("--features");
    assert!(report.out.contains("m.txt"), "{}", report.out);
    let features = json_of(&sandbox, "m.txt.features.json");
    assert_eq!(features["reads"], "features");
    sandbox.run(&["predict", "run:last", "loans.csv", "-o", "f.csv", "--features", "--keep", "id"]).ok();
    let head = sandbox.read("f.csv").lines().next().unwrap_or_default().to_owned();
    let names: Vec<&str> = features["columns"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|column| column["feature"].as_str())
        .collect();
    assert_eq!(head, format!("id,{}", names.join(",")));
}
