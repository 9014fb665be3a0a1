//! Every example, from the raw file to an answered request, with a bound on what its model must reach.

use std::process::Command;

use serde_json::Value;

use crate::common::http::Server;
use crate::common::{Ran, Sandbox};

/// Runs an example twice and demands a metric of the test rows within bounds.
fn check(name: &str, metric: &str, at_least: f64, at_most: f64) -> Sandbox {
    let sandbox = Sandbox::example(name);
    let first = sandbox.json(&["run"]);
    let states = |report: &Value| -> Vec<(String, String)> {
        let stages = report["stages"].as_array().expect("stages").iter();
        stages
            .map(|stage| {
                (stage["name"].as_str().unwrap_or("").to_owned(), stage["state"].as_str().unwrap_or("").to_owned())
            })
            .collect()
    };
    assert!(states(&first).iter().all(|(_, state)| state == "done"), "{first:#}");
    let second = sandbox.json(&["run"]);
    assert!(states(&second).iter().all(|(_, state)| state == "cached"), "{second:#}");
    let runs = sandbox.json(&["log", "--kind", "evaluate"]);
    let value = runs["runs"][0]["metrics"][metric].as_f64().unwrap_or(f64::NAN);
    assert!((at_least..=at_most).contains(&value), "{metric} is {value}, wanted {at_least} to {at_most}");
    sandbox.run(&["fsck"]).ok();
    sandbox
}

#[test]
fn penguins_reach_an_accuracy_of_0_97_and_are_served() {
    let sandbox = check("penguins", "accuracy", 0.97, 1.0);
    let server = Server::start(&sandbox, &[]);
    let answer = server.invoke(
        r#"{"dataframe_records": [{"island": "Dream", "bill_length_mm": 46.5, "bill_depth_mm": 17.9,
            "flipper_length_mm": 192, "body_mass_g": 3500, "sex": "female"}]}"#,
    );
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"predictions":["Chinstrap"]}"#));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn titanic_reaches_a_roc_auc_of_0_78_and_restores_its_card() {
    let sandbox = check("titanic", "roc_auc", 0.78, 0.99);
    let card = sandbox.read("card.txt");
    std::fs::remove_file(sandbox.path("card.txt")).expect("it was written");
    sandbox.run(&["run"]).ok();
    assert_eq!(sandbox.read("card.txt"), card);
}

#[test]
fn bikeshare_reaches_an_r2_of_0_60_and_its_leak_is_perfect() {
    let sandbox = check("bikeshare", "r2", 0.60, 0.99);
    let leaky = [("MLOPS_DATA_IGNORE", "[]"), ("MLOPS_TRAIN_MODEL", "linear"), ("MLOPS_TRAIN_PARAMS", "{}")];
    sandbox.run_with(&["run", "train", "evaluate"], &leaky).ok();
    let runs = sandbox.json(&["log", "--kind", "evaluate", "-n", "1"]);
    let r2 = runs["runs"][0]["metrics"]["r2"].as_f64().unwrap_or(f64::NAN);
    assert!(r2 > 0.999_999, "casual + registered = bikers, and yet R² is {r2}");
}

#[test]
fn every_run_script_runs_from_a_fresh_copy() {
    for name in ["penguins", "titanic", "bikeshare"] {
        let sandbox = Sandbox::example(name);
        let mut script = Command::new("sh");
        script.arg("run.sh").current_dir(sandbox.root()).env("HOME", sandbox.root());
        script.env("MLOPS", env!("CARGO_BIN_EXE_mlops")).env("NO_COLOR", "1");
        let ran = Ran::of(&mut script, &["run.sh", name]).ok();
        assert!(ran.out.contains("everything is up to date"), "{}", ran.out);
        assert!(sandbox.path("scored.csv").is_file());
    }
}

#[test]
fn a_row_from_mars_stops_the_penguins() {
    let sandbox = check("penguins", "accuracy", 0.97, 1.0);
    let mut text = sandbox.read("data/penguins.csv");
    text.push_str("Adelie,Mars,39.1,18.7,181,3750,male,2007\n");
    sandbox.write("data/penguins.csv", text);
    let ran = sandbox.run(&["run", "--json"]).code_is(1);
    let stages = ran.data()["stages"].clone();
    let state = |name: &str| {
        let found = stages.as_array().and_then(|all| all.iter().find(|stage| stage["name"] == name).cloned());
        found.map(|stage| stage["state"].clone()).unwrap_or_default()
    };
    assert_eq!(
        (state("ingest"), state("validate"), state("train")),
        ("done".into(), "failed".into(), "skipped".into())
    );
    let findings = sandbox.run(&["validate", "--json"]).code_is(1).data()["findings"].clone();
    let mars = &findings[0];
    assert_eq!((&mars["code"], &mars["column"]), (&"ENUM_TYPE_UNEXPECTED_STRING_VALUES".into(), &"island".into()));
    assert_eq!(mars["rows"], serde_json::json!([345]));
    sandbox.run(&["validate", "--accept", "ENUM_TYPE_UNEXPECTED_STRING_VALUES:island"]).ok();
    sandbox.run(&["run"]).ok();
}

#[test]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn flights_are_read_from_their_zip_and_compared_month_by_month() {
    let there = |tool: &str| Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
    if !["unzip", "awk"].iter().all(|tool| there(tool).is_ok_and(|found| found.status.success())) {
        println!("skipped: flights_are_read_from_their_zip_and_compared_month_by_month: unzip or awk is not installed");
        return;
    }
    let sandbox = Sandbox::example("flights");
    let mut script = Command::new("sh");
    script.arg("run.sh").current_dir(sandbox.root()).env("HOME", sandbox.root());
    script.env("MLOPS", env!("CARGO_BIN_EXE_mlops")).env("NO_COLOR", "1");
    let ran = Ran::of(&mut script, &["run.sh", "flights"]).ok();
    assert!(ran.out.contains("everything is up to date"), "{}", ran.out);
    let datasets = sandbox.json(&["log", "--datasets"]);
    let of = |name: &str| {
        let all = datasets["datasets"].as_array().expect("datasets").iter();
        all.filter(|row| row["name"] == name).map(|row| row["rows"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("flights"), [Value::from(336_776)]);
    assert!(of("months").contains(&Value::from(27_004 + 24_951)), "{:?}", of("months"));
}

/// A worse challenger is refused, a better one promoted, rolled back and taken back again; the comment is written.
#[test]
fn a_challenger_is_refused_and_a_better_one_promoted_and_rolled_back() {
    let sandbox = Sandbox::example("champion-challenger");
    let mut script = Command::new("sh");
    script.arg("run.sh").current_dir(sandbox.root()).env("HOME", sandbox.root());
    script.env("MLOPS", env!("CARGO_BIN_EXE_mlops")).env("NO_COLOR", "1");
    let ran = Ran::of(&mut script, &["run.sh", "champion-challenger"]).ok();
    for word in
        ["identical: survival@v2", "survival@champion: v2 -> v1", "survival@champion: v1 -> v2", "history: whole"]
    {
        assert!(ran.out.contains(word), "{word} is not in:\n{}", ran.out);
    }
    let models = sandbox.json(&["log", "--models", "survival"])["models"].clone();
    let of = |at: usize| (models[at]["kind"].clone(), models[at]["verdict"].clone(), models[at]["aliases"].clone());
    assert_eq!(of(0), ("logistic".into(), "pass".into(), serde_json::json!(["champion"])));
    assert_eq!(of(1), ("tree".into(), "pass".into(), serde_json::json!(["previous"])));
    let failed = sandbox.json(&["log", "--where", "kind = 'evaluate' and state = 'failed'"])["runs"].clone();
    assert_eq!(failed.as_array().map(Vec::len), Some(1), "{failed:#}");
    assert_eq!(failed[0]["exit_code"], 1);

    // The evaluation of the champion stands, and its documents come back with it.
    std::fs::remove_file(sandbox.path("comment.md")).expect("it was written");
    let better = [("MLOPS_TRAIN_MODEL", "logistic"), ("MLOPS_TRAIN_PARAMS", "{}")];
    sandbox.run_with(&["run", "evaluate"], &better).ok();
    let comment = sandbox.read("comment.md");
    assert!(comment.contains("PASS") && comment.contains("roc_auc") && comment.len() < 60_000, "{comment}");
    assert!(sandbox.read("report.html").contains("<svg"));
    sandbox.run(&["fsck"]).ok();
}

/// What a terminal and a pull request run are the same lines.
#[test]
#[expect(clippy::print_stdout, reason = "a skipped part says so")]
fn the_makefile_and_the_workflow_of_the_challenger_say_the_same() {
    let sandbox = Sandbox::example("champion-challenger");
    let (make, workflow) = (sandbox.read("Makefile"), sandbox.read(".github/workflows/model.yml"));
    for line in ["run evaluate", "run register", "rollback survival --reason"] {
        assert!(make.contains(&format!("$(MLOPS) {line}")) && workflow.contains(&format!("mlops {line}")), "{line}");
    }
    let mut command = Command::new("make");
    command.arg("release").current_dir(sandbox.root()).env("HOME", sandbox.root()).env("NO_COLOR", "1");
    command.env("MLOPS", env!("CARGO_BIN_EXE_mlops"));
    if Command::new("make").arg("--version").output().is_err() {
        println!("skipped: the Makefile of the challenger: make is not installed");
        return;
    }
    Ran::of(&mut command, &["make", "release"]).ok();
    assert_eq!(sandbox.json(&["log", "--models"])["models"][0]["aliases"], serde_json::json!(["champion"]));
}
