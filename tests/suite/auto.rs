//! `train --auto` through the binary: what it finds, how it is kept and used, that it repeats.

use std::time::Instant;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::http::Server;
use crate::common::tables::loans;

/// A folder with an ingested table of `rows` loans.
fn ingested(rows: usize) -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(rows));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[test]
fn as_many_trials_give_the_same_package_on_any_number_of_jobs() {
    let sandbox = ingested(120);
    let words =
        |jobs| ["train", "--auto", "--trials", "12", "--models", "logistic,naive_bayes,knn,tree", "--jobs", jobs];
    let (one, two) = (sandbox.json(&words("1")), sandbox.json(&words("2")));
    assert_eq!(one["model"], two["model"]);
    assert_eq!((&one["kind"], &one["scored_on"], &one["rows"]), (&json!("blend"), &json!("out_of_fold"), &json!(96)));
    let board = one["auto"]["leaderboard"].as_array().expect("a leaderboard").clone();
    assert_eq!((board.len(), &one["auto"]["trials"]), (12, &json!(12)));
    let weights: f64 = board.iter().map(|entry| number(&entry["weight"])).sum();
    assert!((weights - 1.0).abs() < 1e-9, "{weights}");
    let allowed = ["logistic", "naive_bayes", "knn", "tree"];
    assert!(board.iter().all(|entry| allowed.contains(&entry["kind"].as_str().unwrap_or_default())), "{board:#?}");
    assert!(board.iter().any(|entry| entry["name"] == "tree"), "a kind that is named has its turn");
    assert!(number(&one["metrics"]["roc_auc"]) > number(&one["baseline"]["roc_auc"]) + 0.1);
    let other = sandbox.json(&["train", "--auto", "--trials", "2", "--models", "logistic", "--seed", "7"]);
    assert_ne!(other["model"], one["model"]);
    let row = sandbox.json(&["log", "--kind", "train", "-n", "2"])["runs"][1].clone();
    assert!(number(&row["metrics"]["trial.roc_auc"]) > 0.5, "{row:#}");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_blend_is_judged_registered_asked_and_served_like_any_model() {
    let sandbox = ingested(150);
    let trained = sandbox.json(&["train", "--auto", "--trials", "3", "--models", "boost,logistic"]);
    assert_eq!(trained["kind"], "blend", "{:#}", trained["auto"]["leaderboard"]);
    let judged = sandbox.json(&["evaluate"]);
    assert_eq!((&judged["rows"], judged["metrics"]["roc_auc"].is_f64()), (&json!(30), true));
    sandbox.run(&["register", "run:last", "loans"]).ok();
    sandbox.run(&["predict", "loans@v1", "loans.csv", "-o", "out.csv"]).ok();
    assert_eq!(sandbox.read("out.csv").lines().count(), 151);
    let server = Server::start(&sandbox, &["loans@v1"]);
    let body = json!({"dataframe_records": [{"size": 12.5, "color": "red", "when": "2025-03-02"}]});
    let answer = server.invoke(&body.to_string());
    assert_eq!((answer.status, server.stop()), (200, Some(0)), "{}", answer.body);
    assert!(answer.body.contains("predictions"), "{}", answer.body);
}

#[test]
fn guardrails_are_said_first_and_kept() {
    let sandbox = Sandbox::with_repo();
    let mut text = "same,copy,gap,y\n".to_owned();
    for row in 0..120 {
        let gap = if row % 3 == 0 { String::new() } else { (row * 7 % 11).to_string() };
        let y = if (row * 37) % 101 > 50 { "yes" } else { "no" };
        text += &format!("1,{},{gap},{y}\n", if y == "yes" { "Y" } else { "N" });
    }
    sandbox.write("t.csv", text);
    sandbox.run(&["ingest", "t.csv", "--target", "y"]).ok();
    let ran = sandbox.run(&["train", "--auto", "--trials", "1", "--models", "logistic", "--json"]).ok();
    let (said, report) = (&ran.err, ran.data());
    for part in ["guardrails: 120 rows, 96 to learn from", "`gap` misses 40 values (33.3 %)", "LEAKAGE `copy`"] {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
    let findings = report["auto"]["guardrails"]["findings"].as_array().expect("a list").clone();
    let of = |code: &str| findings.iter().find(|finding| finding["code"] == code).unwrap_or(&Value::Null).clone();
    assert!(of("LEAKAGE")["action"].to_string().contains("--ignore copy"), "{findings:#?}");
    assert_eq!(of("CONSTANT_COLUMN")["action"], "left out");
    assert!(
        findings.iter().all(|finding| finding["column"] != "y" || finding["action"] != "left out"),
        "{findings:#?}"
    );
    let shown = sandbox.run(&["train", "--auto", "--trials", "2", "--models", "logistic,naive_bayes"]).ok();
    assert!(shown.out.contains("weight") && shown.out.contains("2 trials on 16 folds"), "{}", shown.out);
}

#[test]
fn time_ends_a_search_and_says_how_to_repeat_it() {
    let sandbox = ingested(200);
    let started = Instant::now();
    let ran = sandbox.run(&["train", "--auto", "--time", "3s", "--models", "logistic,boost", "--json"]).ok();
    assert!(started.elapsed().as_secs_f64() < 30.0, "{:?}", started.elapsed());
    let trials = ran.data()["auto"]["trials"].as_u64().expect("a number");
    assert!(trials >= 1);
    if ran.data()["auto"]["replay"].is_string() {
        let flags = format!("replay with --auto --trials {trials} --models logistic,boost");
        assert!(ran.err.contains(&flags), "{}", ran.err);
        let trials = trials.to_string();
        let again = sandbox.json(&["train", "--auto", "--trials", &trials, "--models", "logistic,boost"]);
        assert_eq!(again["model"], ran.data()["model"]);
    }
}

#[test]
fn the_project_file_asks_for_a_search_too() {
    let sandbox = Sandbox::new();
    let project = "[data]\nsource = 'loans.csv'\ntarget = 'label'\nkey = ['id']\n[transform]\n[train]\n\
                   auto = { trials = 2, models = ['logistic', 'naive_bayes'] }\n[evaluate]\n";
    sandbox.write("mlops.toml", project);
    sandbox.write("loans.csv", loans(120));
    let ran = sandbox.json(&["run"]);
    assert!(ran.to_string().contains("out_of_fold roc_auc"), "{ran:#}");
    let again = sandbox.json(&["run"]);
    assert!(
        again["stages"].as_array().is_some_and(|all| all.iter().all(|stage| stage["state"] == "cached")),
        "{again:#}"
    );
    let plain = sandbox.run(&["train", "--model", "tree", "--json"]).ok().says("is left out");
    assert_eq!(plain.data()["kind"], "tree");
    sandbox.write("mlops.toml", project.replace("trials = 2", "trials = 0"));
    sandbox.run(&["run"]).code_is(2).says("0 trials");
    sandbox.write("mlops.toml", project.replace("trials", "tirals"));
    sandbox.run(&["run"]).code_is(2).says("tirals");
}

#[test]
fn numbers_weights_thresholds_and_written_steps_are_heeded() {
    let sandbox = ingested(120);
    let words = ["train", "--auto", "--trials", "2", "--models", "logistic,naive_bayes", "--class-weight", "balanced"];
    let chosen = sandbox.json(&[&words[..], &["--threshold", "f1", "--calibrate", "platt"]].concat());
    assert!(number(&chosen["threshold"]["value"]) > 0.0 && chosen["calibration"]["method"] == "platt", "{chosen:#}");
    let numbers = sandbox.json(&["train", "--auto", "--trials", "3", "--models", "ridge,linear", "--target", "size"]);
    assert!(numbers["metrics"]["rmse"].is_f64() && numbers["auto"]["ranked_by"] == "mse", "{numbers:#}");
    let steps =
        "[transform]\nsteps = [{ op = 'category', columns = 'categorical' }, { op = 'drop', columns = 'time' }]\n";
    sandbox.write("mlops.toml", format!("[data]\nsource = 'loans.csv'\ntarget = 'label'\nkey = ['id']\n{steps}"));
    sandbox
        .run(&["train", "--auto", "--trials", "1", "--models", "tree,logistic"])
        .ok()
        .says("logistic is left out: it cannot eat categories");
    sandbox.run(&["train", "--auto", "--trials", "1", "--models", "knn"]).code_is(2).says("no kind of model is left");
}

#[test]
fn what_cannot_be_searched_is_refused_in_words() {
    let sandbox = ingested(60);
    let refused = |words: &[&str], says: &str| {
        sandbox.run(&[&["train"], words].concat()).code_is(2).says(says);
    };
    refused(&["--auto", "--models", "boots"], "boost");
    refused(&["--auto", "--models", "ridge"], "cannot do a binary task");
    refused(&["--auto", "--models", "blend"], "makes of other kinds");
    refused(&["--auto", "--time", "0"], "no time");
    refused(&["--auto", "--time", "soon"], "not a duration");
    refused(&["--auto", "--trials", "0"], "0 trials");
    refused(&["--auto", "--jobs", "0"], "no jobs");
    refused(&["--auto", "--model", "boost"], "--models boost");
    refused(&["--auto", "--set", "trees=3"], "chooses the parameters");
    refused(&["--auto", "--from", "run:last"], "starts anew");
    refused(&["--auto", "--task", "clustering"], "is for targets");
    refused(&["--trials", "3"], "add --auto");
    refused(&["--model", "blend"], "cannot be fitted by itself");
    sandbox.run(&["fsck"]).ok();
}
