//! Models of other tools as versions of ours: evaluated, registered, served, predicted with, traced, and refused in
//! words.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::http::Server;
use crate::common::tables::loans;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference/exchange/onnx")
}

/// An ONNX file of the reference, its path and what onnxruntime answered.
fn onnx(name: &str) -> (String, Value) {
    let path = fixtures().join(format!("{name}.onnx")).to_string_lossy().into_owned();
    let text = fs::read(fixtures().join(format!("{name}.json"))).expect("the reference is there");
    (path, serde_json::from_slice(&text).expect("the reference is JSON"))
}

/// The rows of a reference as CSV with the columns `names`.
fn rows(feed: &Value, names: &[&str]) -> String {
    let feed = feed.as_object().expect("columns");
    let cell =
        |value: &Value| if value.is_null() { String::new() } else { value.to_string().trim_matches('"').to_owned() };
    let mut text = format!("{}\n", names.join(","));
    let count = feed.values().next().and_then(Value::as_array).map_or(0, Vec::len);
    for row in 0..count {
        let cells: Vec<String> = match feed.len() {
            1 => feed
                .values()
                .flat_map(|all| all[row].as_array().cloned().unwrap_or_default())
                .map(|v| cell(&v))
                .collect(),
            _ => names.iter().map(|name| cell(&feed[*name][row][0])).collect(),
        };
        text += &format!("{}\n", cells.join(","));
    }
    text
}

/// A column of a CSV file as numbers.
fn column(text: &str, name: &str) -> Vec<f64> {
    let mut lines = text.lines();
    let at = lines.next().expect("a header").split(',').position(|found| found == name).expect("the column is there");
    lines.map(|line| line.split(',').nth(at).expect("a cell").parse().unwrap_or(f64::NAN)).collect()
}

fn close(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len());
    for (row, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        assert!((found - wanted).abs() <= tolerance * wanted.abs().max(1.0), "row {row}: {found}, not {wanted}");
    }
}

/// A folder with loans, a boosted model of them, and that model in LightGBM's format as `m.txt`.
fn exported() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(300));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id", "--ignore", "when"]).ok();
    sandbox.run(&["train", "--model", "boost", "--set", "trees=20"]).ok();
    sandbox.run(&["register", "run:last", "own"]).ok();
    sandbox.run(&["export", "own", "--format", "lightgbm", "-o", "m.txt"]).ok();
    sandbox
}

#[test]
fn an_imported_model_is_a_model_like_any_other() {
    let sandbox = exported();
    let report = sandbox.json(&[
        "import",
        "m.txt",
        "--as",
        "back",
        "--data",
        "loans",
        "--alias",
        "candidate",
        "--note",
        "theirs",
    ]);
    assert_eq!(
        (&report["version"], &report["format"], &report["unchanged"]),
        (&json!(1), &json!("lightgbm"), &json!(false))
    );
    assert_eq!((&report["task"], &report["target"]), (&json!("binary"), &json!("label")), "{report:#}");
    assert_eq!((&report["classes"], &report["aliases"]), (&json!(["no", "yes"]), &json!({ "candidate": 1 })));
    // The same answers as the model that was written.
    for (model, out) in [("own", "own.csv"), ("back@candidate", "back.csv")] {
        sandbox.run(&["predict", model, "loans.csv", "-o", out]).ok();
    }
    let answers = |file: &str| column(&sandbox.read(file), "probability_yes");
    close(&answers("back.csv"), &answers("own.csv"), 1e-9);
    // Judged on rows that are named, and on no others.
    sandbox.run(&["evaluate", "back"]).code_is(2).says("was imported").says("--on DATASET");
    let judged = sandbox.json(&["evaluate", "back", "--on", "loans", "--gate", "accuracy >= 0.6"]);
    assert_eq!((&judged["rows_of"], &judged["verdict"]), (&json!("all"), &json!("pass")), "{judged:#}");
    sandbox.run(&["register", "back@v1", "shop", "--alias", "champion"]).ok();
    sandbox.run(&["promote", "back@v1", "champion", "--reason", "good"]).ok();
    // A champion is served: an import that nobody has judged does not take its place.
    let again = ["import", "m.txt", "--as", "back", "--data", "loans", "--classes", "low,high", "--alias", "champion"];
    sandbox.run(&again).code_is(2).says("has not been evaluated").says("mlops promote back@latest");
    sandbox.run(&["diff", "own@v1", "back@v1"]).ok();
    let shown = sandbox.run(&["log", "--models"]).ok().out;
    assert!(shown.contains("back") && shown.contains("shop"), "{shown}");
    let why = sandbox.json(&["why", "back@v1"]);
    let raw =
        why["chain"].as_array().expect("a chain").iter().find(|link| link["id"] == report["file"]).expect("the file");
    assert_eq!((&raw["kind"], raw["name"].as_str().is_some_and(|name| name.ends_with("m.txt"))), (&json!("raw"), true));
    assert!(why["chain"].as_array().is_some_and(|all| all.iter().any(|link| link["name"] == "import")), "{why:#}");
    // Read again in the same way it is the same version, whatever became known of it since.
    let again = sandbox.json(&["import", "m.txt", "--as", "back", "--data", "loans"]);
    assert_eq!((&again["version"], &again["unchanged"], &again["id"]), (&json!(1), &json!(true), &report["id"]));
    let renamed = sandbox.json(&["import", "m.txt", "--as", "back", "--data", "loans", "--classes", "n,y"]);
    assert_eq!((&renamed["version"], &renamed["classes"]), (&json!(2), &json!(["n", "y"])));
    sandbox.run(&["gc"]).ok();
    sandbox.run(&["fsck"]).ok();
    sandbox.run(&["predict", "back@v1", "loans.csv", "-o", "later.csv"]).ok();
    assert_eq!(sandbox.read("later.csv"), sandbox.read("back.csv"));
}

#[test]
fn a_graph_answers_raw_columns_as_in_onnxruntime() {
    let sandbox = Sandbox::with_repo();
    let (path, reference) = onnx("columns");
    sandbox.write("rows.csv", rows(&reference["feed"], &["size", "weight", "color"]));
    let report = sandbox.json(&["import", &path, "--as", "colors", "--target", "label"]);
    assert_eq!((&report["kind"], &report["classes"]), (&json!("onnx"), &json!(["no", "yes"])), "{report:#}");
    let types: Vec<&str> =
        report["inputs"].as_array().expect("inputs").iter().filter_map(|input| input["type"].as_str()).collect();
    assert_eq!(types, ["float", "float", "text"]);
    assert_eq!(report["inputs"][2]["domain"], json!(["blue", "green", "red"]));
    sandbox.run(&["predict", "colors", "rows.csv", "-o", "out.csv"]).ok();
    let wanted: Vec<f64> =
        reference["answers"].as_array().expect("answers").iter().filter_map(|row| row[1].as_f64()).collect();
    close(&column(&sandbox.read("out.csv"), "probability_yes"), &wanted, 1e-5);
    let server = Server::start(&sandbox, &["colors"]);
    let first = json!({ "dataframe_records": [{ "size": reference["feed"]["size"][1][0], "weight": reference["feed"]["weight"][1][0], "color": reference["feed"]["color"][1][0] }] });
    let answer = server.invoke(&first.to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    let expected = if wanted[1] > 0.5 { "yes" } else { "no" };
    assert!(answer.body.contains(expected), "{}", answer.body);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_schema_names_the_columns_of_a_file_without_names() {
    let sandbox = Sandbox::with_repo();
    let (path, reference) = onnx("forest_regressor");
    let columns = |names: &[&str]| {
        let column = |name: &&str| format!("[[column]]\nname = '{name}'\ntype = 'float'\nmin = -9.0\nmax = 9.0\n");
        format!("version = 1\n{}", names.iter().map(column).collect::<String>())
    };
    sandbox.write("inputs.toml", columns(&["a", "b", "c", "d", "y"]));
    let report = sandbox.json(&["import", &path, "--as", "woods", "--schema", "inputs.toml", "--target", "y"]);
    let names: Vec<&str> =
        report["inputs"].as_array().expect("inputs").iter().filter_map(|input| input["name"].as_str()).collect();
    assert_eq!((names, &report["inputs"][0]["max"]), (vec!["a", "b", "c", "d"], &json!(9.0)));
    sandbox.write("rows.csv", rows(&reference["feed"], &["a", "b", "c", "d"]));
    sandbox.run(&["predict", "woods", "rows.csv", "-o", "out.csv"]).ok();
    let wanted: Vec<f64> =
        reference["answers"].as_array().expect("answers").iter().filter_map(|row| row[0].as_f64()).collect();
    close(&column(&sandbox.read("out.csv"), "prediction"), &wanted, 1e-5);
    sandbox.write("few.toml", columns(&["a", "b"]));
    let few = sandbox.run(&["import", &path, "--as", "woods", "--schema", "few.toml"]).code_is(2);
    few.says("reads 4 columns without names; the schema has 2");
    let odd = sandbox.run(&["import", &path, "--as", "w", "--task", "binary"]).code_is(2);
    odd.says("no probabilities").says("--task regression");
}

#[test]
fn averaged_trees_are_of_two_classes_when_that_is_said() {
    let sandbox = exported();
    sandbox.run(&["train", "--model", "forest", "--set", "trees=5"]).ok();
    sandbox.run(&["register", "run:last", "trees"]).ok();
    sandbox.run(&["export", "trees", "--format", "lightgbm", "-o", "f.txt"]).ok();
    let report = sandbox.json(&["import", "f.txt", "--as", "shares", "--data", "loans", "--task", "binary"]);
    assert_eq!((&report["task"], &report["classes"]), (&json!("binary"), &json!(["no", "yes"])), "{report:#}");
    for (model, out) in [("trees", "own.csv"), ("shares", "back.csv")] {
        sandbox.run(&["predict", model, "loans.csv", "-o", out]).ok();
    }
    let answers = |file: &str| column(&sandbox.read(file), "probability_yes");
    close(&answers("back.csv"), &answers("own.csv"), 1e-12);
}

#[test]
fn what_cannot_be_imported_is_refused_in_words() {
    let sandbox = exported();
    let (path, _) = onnx("logistic");
    let refused = |words: &[&str], code: i32, says: &str| {
        let all: Vec<&str> = ["import"].iter().chain(words).chain(&["--as", "m"]).copied().collect();
        sandbox.run(&all).code_is(code).says(says);
    };
    sandbox.write("empty.txt", "");
    sandbox.write("notes.txt", "a,b\n1,2\n");
    sandbox.write("model.pkl", b"\x80\x04\x95\x00");
    sandbox.write("dump.json", "{\"name\": \"tree\", \"tree_info\": []}");
    sandbox.write("cut.txt", &sandbox.read("m.txt")[..600]);
    let graph = fs::read(&path).expect("the reference is there");
    sandbox.write("cut.onnx", &graph[..graph.len() - 40]);
    sandbox.write("bad.toml", "version = 1\n[[column]]\nname = 'size'\ntype = 'number'\n");
    refused(&["nothing.txt"], 2, "there is no file");
    refused(&["."], 2, "is not a file");
    refused(&["empty.txt"], 2, "is empty");
    refused(&["notes.txt"], 2, "is no model of LightGBM, XGBoost or ONNX");
    refused(&["model.pkl"], 2, "runs code when it is read");
    refused(&["dump.json"], 2, "dumped it as JSON");
    refused(&["m.txt", "--format", "lightgbn"], 2, "did you mean `lightgbm`");
    refused(&["m.txt", "--format", "onnx"], 3, "damaged ONNX file");
    refused(&["cut.onnx", "--format", "onnx"], 3, "damaged ONNX file: it is cut short");
    refused(&["m.txt", "--data", "loans", "--target", "lable"], 2, "did you mean `label`");
    refused(&["m.txt", "--target", "size"], 2, "it cannot be what it predicts");
    refused(&["m.txt", "--classes", "a,b,c"], 2, "the model has 2 classes; --classes names 3");
    refused(&["m.txt", "--classes", "a,a"], 2, "names `a` twice");
    refused(&["m.txt", "--task", "regression"], 2, "holds a binary model, not regression");
    refused(&["m.txt", "--schema", "bad.toml"], 2, "bad.toml cannot be read");
    refused(&["m.txt", "--schema", "none.toml"], 2, "there is no schema");
    let cut = sandbox.run(&["import", "cut.txt", "--as", "m"]);
    assert!(matches!(cut.code, Some(2 | 3)), "{}", cut.err);
    // Nothing of what failed is kept.
    assert!(!sandbox.run(&["log", "--models"]).ok().out.contains("m@"));
    sandbox.run(&["fsck"]).ok();
}
