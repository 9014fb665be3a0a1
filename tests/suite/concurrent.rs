//! Eight processes at once: nothing is lost, nobody is told that a database is locked.

use std::fs::File;
use std::process::Child;
use std::time::Instant;

use crate::common::Sandbox;
use crate::common::tables::loans;

/// Waits for all and demands success and silence about locks.
#[track_caller]
fn all_good(children: Vec<Child>) {
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {err}", output.status);
        assert!(!err.contains("locked") && !err.contains("busy"), "{err}");
    }
}

#[test]
fn eight_processes_ingest_train_and_log_at_once() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("base.csv", loans(100));
    sandbox.run(&["ingest", "base.csv", "--target", "label", "--key", "id"]).ok();
    let run = sandbox.json(&["log", "param", "kind=test"])["run"].as_str().expect("an id").to_owned();
    let mut children = Vec::new();
    for number in 0..8 {
        sandbox.write(&format!("part{number}.csv"), loans(60 + number));
        let metric = format!("loss=0.{number}1");
        children.push(sandbox.start(&["ingest", &format!("part{number}.csv"), "--name", "parts", "--target", "label"]));
        children.push(sandbox.start(&["train", "base", "--model", "tree", "--seed", &number.to_string()]));
        children.push(sandbox.start(&["log", "metric", &metric, "--step", &number.to_string(), "--run", &run]));
    }
    all_good(children);
    let datasets = sandbox.json(&["log", "--datasets", "parts"]);
    let mut versions: Vec<u64> =
        datasets["datasets"].as_array().into_iter().flatten().filter_map(|row| row["version"].as_u64()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=8).collect::<Vec<_>>());
    let trained = sandbox.json(&["log", "--kind", "train"]);
    assert_eq!(trained["runs"].as_array().map(Vec::len), Some(8));
    let journal = sandbox.read(&format!(".mlops/runs/{run}.jsonl"));
    assert_eq!(journal.matches("\"loss\"").count(), 8, "{journal}");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn the_same_file_from_eight_processes_is_one_version() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(500));
    let children = (0..8).map(|_| sandbox.start(&["ingest", "loans.csv", "--target", "label"])).collect();
    all_good(children);
    assert_eq!(sandbox.json(&["log", "--datasets"])["datasets"].as_array().map(Vec::len), Some(1));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn eight_processes_register_versions_one_to_eight() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(100));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    let models: Vec<String> = (0..8)
        .map(|seed| sandbox.json(&["train", "--model", "forest", "--set", "trees=2", "--seed", &seed.to_string()]))
        .filter_map(|report| report["model"].as_str().map(str::to_owned))
        .collect();
    let children =
        models.iter().map(|model| sandbox.start(&["register", model, "loans", "--alias", "newest"])).collect();
    all_good(children);
    let rows = sandbox.json(&["log", "--models"]);
    assert_eq!(rows["models"].as_array().map(Vec::len), Some(8));
    let pointing =
        rows["models"].as_array().into_iter().flatten().filter(|row| row["aliases"] == serde_json::json!(["newest"]));
    assert_eq!(pointing.count(), 1);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn two_pipelines_of_one_project_take_turns() {
    let sandbox = Sandbox::example("penguins");
    sandbox.run(&["init"]).ok();
    all_good((0..2).map(|_| sandbox.start(&["run"])).collect());
    assert_eq!(sandbox.json(&["status"])["clean"], true);
    assert_eq!(sandbox.json(&["log", "--models"])["models"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_second_writer_waits_and_then_names_the_holder() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(50));
    let path = sandbox.path(".mlops/lock");
    std::fs::write(&path, "process 4242 (mlops train)").expect("writable");
    let held = File::options().read(true).append(true).open(&path).expect("the lock file");
    held.lock().expect("nobody holds it");
    let started = Instant::now();
    let ran = sandbox.run(&["ingest", "loans.csv"]).code_is(3).says("process 4242 (mlops train)");
    let waited = started.elapsed().as_secs_f64();
    assert!((9.0..20.0).contains(&waited), "waited {waited} s: {}", ran.err);
    drop(held);
    sandbox.run(&["ingest", "loans.csv"]).ok();
}
