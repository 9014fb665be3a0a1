//! A new user's first hour, without a project file.

use crate::common::tables::loans;
use crate::common::{HOUR, Sandbox};

/// A folder with an ingested table of 400 loans.
fn ingested() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(400));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox
}

#[test]
fn from_a_raw_file_to_a_registered_champion_and_back() {
    let sandbox = ingested();
    for model in ["forest", "logistic"] {
        sandbox.run(&["train", "--model", model]).ok();
        sandbox.run(&["evaluate", "--gate", "roc_auc >= 0.7"]).ok();
        sandbox.run(&["register", "--alias", "candidate", "--promote", "champion"]).ok();
    }
    let models = sandbox.json(&["log", "--models"]);
    let aliases = |version: usize| models["models"][2 - version]["aliases"].clone();
    assert_eq!(aliases(2), serde_json::json!(["candidate", "champion"]));
    assert_eq!(aliases(1), serde_json::json!(["previous"]));
    let back = sandbox.json(&["rollback", "loans", "--reason", "a test"]);
    assert_eq!((&back["from"], &back["to"]), (&2.into(), &1.into()));
    let audit = sandbox.json(&["log", "--audit"]);
    let last = audit["audit"].as_array().and_then(|all| all.last().cloned()).unwrap_or_default();
    assert_eq!(last["reason"], "a test");
    assert!(last["time"].as_str().is_some_and(|time| time.starts_with(HOUR)), "{last}");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_failed_gate_refuses_and_a_reason_overrides() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "baseline"]).ok();
    sandbox.run(&["evaluate", "--gate", "roc_auc >= 0.9"]).code_is(1);
    sandbox.run(&["register"]).code_is(1);
    assert!(sandbox.json(&["log", "--models"])["models"].as_array().is_some_and(Vec::is_empty));
    sandbox.run(&["register", "--force"]).code_is(2).says("--force needs a reason");
    sandbox.run(&["register", "--force", "--reason", "for the demonstration"]).ok();
    sandbox.run(&["promote", "loans@v1"]).code_is(1);
    sandbox.run(&["promote", "loans@v1", "--force", "--reason", "for the demonstration"]).ok();
}

#[test]
fn the_same_training_gives_the_same_bytes_on_any_number_of_threads() {
    let sandbox = ingested();
    let classes = ["boost", "forest", "extra_trees", "tree", "logistic", "svm", "knn", "naive_bayes", "baseline"];
    let numbers = ["boost", "forest", "linear", "ridge", "lasso", "elastic_net", "poisson", "svm"];
    let others = [("kmeans", "clustering"), ("isolation_forest", "anomaly")];
    let cases = classes.map(|kind| vec![kind, "--task", "binary"]).into_iter();
    let cases = cases.chain(numbers.map(|kind| vec![kind, "--task", "regression", "--target", "size"]));
    let cases = cases.chain(others.map(|(kind, task)| vec![kind, "--task", task]));
    for case in cases {
        let model_id = |threads: &str| {
            let words = [&["train", "--json", "--model"], &case[..]].concat();
            sandbox.run_with(&words, &[("RAYON_NUM_THREADS", threads)]).ok().data()["model"].clone()
        };
        let one = model_id("1");
        assert!(one == model_id("2") && one == model_id("8"), "{case:?}");
    }
}

#[test]
fn an_unchanged_file_is_no_new_version_and_an_old_one_comes_back() {
    let sandbox = ingested();
    let again = sandbox.json(&["ingest", "loans.csv"]);
    assert_eq!((&again["version"], &again["unchanged"]), (&1.into(), &true.into()));
    sandbox.write("loans.csv", loans(401));
    let longer = sandbox.json(&["ingest", "loans.csv"]);
    assert_eq!((&longer["version"], &longer["rows"], &longer["target"]), (&2.into(), &401.into(), &"label".into()));
    assert_eq!(sandbox.json(&["log", "--datasets"])["datasets"].as_array().map(Vec::len), Some(2));
}

#[test]
fn batch_predictions_keep_the_columns_and_add_probabilities() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "forest"]).ok();
    for output in ["scored.csv", "scored.parquet"] {
        let report = sandbox.json(&["predict", "run:last", "loans.csv", "-o", output, "--keep", "id"]);
        assert_eq!(report["rows"], 400);
        assert_eq!(report["columns"], serde_json::json!(["prediction", "probability_no", "probability_yes"]));
    }
    let text = sandbox.read("scored.csv");
    assert!(text.starts_with("id,prediction,probability_no,probability_yes\n0,"), "{}", &text[..80]);
    // The Parquet file holds the same rows: read back by the tool itself.
    let read = sandbox.json(&["ingest", "scored.parquet", "--name", "scored"]);
    assert_eq!((&read["rows"], &read["columns"]), (&400.into(), &4.into()));
}

#[test]
fn why_goes_from_a_model_down_to_the_raw_file() {
    let sandbox = ingested();
    let raw = sandbox.json(&["ingest", "loans.csv"])["raw_id"].clone();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=3"]).ok();
    sandbox.run(&["evaluate", "--gate", "accuracy >= 0.5"]).ok();
    sandbox.run(&["register", "--alias", "champion"]).ok();
    let chain = sandbox.json(&["why", "loans@champion"])["chain"].clone();
    let kinds: Vec<&str> = chain.as_array().into_iter().flatten().filter_map(|link| link["kind"].as_str()).collect();
    assert_eq!(kinds, ["version", "model", "evaluation", "run", "recipe", "split", "dataset", "run", "raw"]);
    assert_eq!(chain[8]["id"], raw);
    assert_eq!(chain[3]["facts"]["params"]["depth"], 3);
}

#[test]
fn logging_goes_to_the_run_that_is_meant() {
    let sandbox = Sandbox::with_repo();
    let made = sandbox.json(&["log", "param", "lr=0.1"]);
    let run = made["run"].as_str().expect("an id").to_owned();
    sandbox.run_with(&["log", "metric", "loss=0.5", "--step", "1"], &[("MLOPS_RUN", &run)]).ok();
    sandbox.run(&["log", "metric", "loss=0.25", "--step", "2", "--run", &run]).ok();
    sandbox.run(&["log", "tag", "team=fraud", "--run", &run[..6]]).ok();
    let listed = sandbox.json(&["log"]);
    let row = &listed["runs"][0];
    assert_eq!(
        (&row["run"], &row["kind"], &row["state"]),
        (&run.as_str().into(), &"manual".into(), &"finished".into())
    );
    assert_eq!(
        (&row["metrics"]["loss"], &row["params"]["lr"], &row["tags"]["team"]),
        (&0.25.into(), &0.1.into(), &"fraud".into())
    );
    sandbox.run(&["log", "metric", "loss=high", "--run", &run]).code_is(2).says("not NAME=NUMBER");
    sandbox.run(&["log", "metric", "loss=1", "--run", "ffffffff"]).code_is(2);
}

#[test]
fn a_moved_folder_still_works() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let other = Sandbox::new();
    let target = other.path("elsewhere");
    std::fs::rename(sandbox.path(".mlops"), other.path(".mlops")).expect("one file system");
    assert!(!target.exists());
    other.run(&["fsck"]).ok();
    other.run(&["evaluate"]).ok();
    let stored: Vec<String> = other.files(".mlops");
    assert!(!stored.is_empty());
}

#[test]
fn the_index_can_be_thrown_away() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["log", "metric", "a=1"]).ok();
    let listings = || {
        ["log", "--models", "--datasets", "--audit"].map(|what| match what {
            "log" => sandbox.json(&["log"]),
            flag => sandbox.json(&["log", flag]),
        })
    };
    let before = listings();
    for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        let _ = std::fs::remove_file(sandbox.path(".mlops").join(name));
    }
    assert_eq!(listings(), before);
    sandbox.run(&["fsck", "--rebuild-index"]).ok();
    assert_eq!(listings(), before);
}
