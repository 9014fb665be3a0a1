//! Clustering and anomaly detection from a raw file to a served answer, with and without labels.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::http::Server;
use crate::common::tables::groups;

/// A folder with the ingested table of groups.
fn ingested(words: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("groups.csv", groups(300));
    let mut all = vec!["ingest", "groups.csv", "--key", "id"];
    all.extend(words);
    sandbox.run(&all).ok();
    sandbox
}

/// Whether a line of the table is one of the rows far from all groups.
fn is_odd(line: &str) -> bool {
    line.split(',').next().and_then(|id| id.parse::<usize>().ok()).is_some_and(|id| id % 50 == 49)
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[test]
fn clustering_without_a_target_from_file_to_answer() {
    let sandbox = ingested(&["--task", "clustering", "--ignore", "group,odd"]);
    let trained = sandbox.json(&["train", "--set", "clusters=3"]);
    assert_eq!(
        (&trained["kind"], &trained["task"], &trained["target"]),
        (&"kmeans".into(), &"clustering".into(), &"".into())
    );
    assert!(number(&trained["metrics"], "silhouette") > 0.3, "{trained}");
    assert!(number(&trained["metrics"], "inertia") < 0.5 * number(&trained["baseline"], "inertia"), "{trained}");
    assert!(trained["metrics"]["adjusted_rand"].is_null());
    let judged = sandbox.json(&["evaluate", "--gate", "silhouette >= 0.3", "--gate", "clusters >= 2", "--by", "kind"]);
    assert_eq!((&judged["verdict"], &judged["rows_of"]), (&"pass".into(), &"test".into()));
    assert_eq!(judged["slices"].as_array().map(Vec::len), Some(2));
    sandbox.run(&["evaluate", "--gate", "davies_bouldin <= 0.0001"]).code_is(1);
    sandbox.run(&["evaluate", "--gate", "roc_auc >= 0.5"]).code_is(2).says("roc_auc");
    sandbox.run(&["evaluate", "--gate", "silhouette >= champion.silhouette"]).ok();
    sandbox.run(&["register", "--promote", "champion"]).ok();
    let scored = sandbox.json(&["predict", "groups@champion", "groups.csv", "-o", "out.csv", "--keep", "id"]);
    assert_eq!(scored["columns"], serde_json::json!(["cluster", "distance"]));
    let text = sandbox.read("out.csv");
    assert!(text.starts_with("id,cluster,distance\n0,"), "{text}");
    let clusters: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    assert!(clusters.len() == 300 && clusters.iter().all(|cluster| ["0", "1", "2"].contains(cluster)), "{text}");
    let server = Server::start(&sandbox, &["groups@champion"]);
    let answer = server.invoke(r#"{"dataframe_records":[{"x":10,"y":20,"kind":"p"},{"x":450,"y":20,"kind":"q"}]}"#);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(body["predictions"].as_array().map(Vec::len), Some(2), "{body}");
    assert_eq!(body["distances"].as_array().map(Vec::len), Some(2), "{body}");
    assert_ne!(body["predictions"][0], body["predictions"][1]);
}

#[test]
fn labels_judge_clusters_and_are_not_learnt_from() {
    let sandbox = Sandbox::with_repo();
    let plain: Vec<String> = groups(300).lines().map(str::to_owned).filter(|line| !is_odd(line)).collect();
    sandbox.write("groups.csv", plain.join("\n"));
    sandbox.run(&["ingest", "groups.csv", "--key", "id", "--target", "group", "--ignore", "odd,kind"]).ok();
    sandbox.run(&["train", "--task", "clustering", "--set", "clusters=3"]).ok().says("`group` is not learnt from");
    let with = sandbox.json(&["train", "--task", "clustering", "--set", "clusters=3"]);
    assert!(number(&with["metrics"], "adjusted_rand") > 0.5, "{with}");
    assert!(number(&with["metrics"], "normalized_mutual_info") > number(&with["baseline"], "normalized_mutual_info"));
    assert_eq!(with["rows"], 176, "rows without a label are fitted on too");
    let judged = sandbox.json(&["evaluate", "--gate", "adjusted_rand >= 0.5"]);
    assert_eq!(judged["verdict"], "pass", "{judged}");
}

#[test]
fn odd_rows_with_and_without_labels() {
    let sandbox = ingested(&["--task", "anomaly", "--target", "odd", "--ignore", "group"]);
    let ran = sandbox.run(&["train", "--set", "contamination=0.03", "--json"]).ok().says("`broken` means anomalous");
    let trained = ran.data();
    assert_eq!((&trained["kind"], &trained["task"]), (&"isolation_forest".into(), &"anomaly".into()));
    assert!(number(&trained["metrics"], "flagged_share") < 0.2, "{trained}");
    assert!((number(&trained["baseline"], "flagged_share")).abs() < 1e-12, "{trained}");
    let judged = sandbox.json(&["evaluate", "--on", "groups", "--gate", "average_precision >= 0.9"]);
    assert_eq!((&judged["verdict"], &judged["rows"]), (&"pass".into(), &300.into()), "{judged}");
    assert!(number(&judged["metrics"], "precision") > 0.5, "{judged}");
    sandbox.run(&["register", "--alias", "champion"]).ok();
    let scored = sandbox.json(&["predict", "run:last", "groups.csv", "-o", "out.csv", "--keep", "id"]);
    assert_eq!(scored["columns"], serde_json::json!(["anomaly", "score"]));
    let flagged = |id: usize| sandbox.read("out.csv").lines().nth(id + 1).is_some_and(|line| line.contains(",true,"));
    assert!(flagged(49) && flagged(99) && !flagged(10), "{}", sandbox.read("out.csv"));
    let server = Server::start(&sandbox, &["groups@champion"]);
    let answer = server.invoke(r#"{"dataframe_records":[{"x":10,"y":20,"kind":"p"},{"x":5000,"y":9000,"kind":"p"}]}"#);
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    assert_eq!(body["predictions"], serde_json::json!([false, true]), "{}", answer.body);
    assert!(body["scores"][1].as_f64() > body["scores"][0].as_f64(), "{body}");
}

#[test]
fn a_project_file_runs_a_task_without_a_target() {
    let sandbox = Sandbox::new();
    sandbox.write("groups.csv", groups(200));
    sandbox.run(&["init", "--from", "groups.csv"]).code_is(2).says("--task clustering or anomaly");
    sandbox.run(&["init", "--from", "groups.csv", "--task", "clustering"]).ok();
    let text = sandbox.read("mlops.toml");
    assert!(text.contains("task = \"clustering\"") && text.contains("# or: kmeans, baseline"), "{text}");
    sandbox.run(&["run"]).ok().says("silhouette");
    sandbox.run(&["run"]).ok();
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn what_cannot_be_is_said() {
    let sandbox = ingested(&[]);
    sandbox.run(&["train"]).code_is(2).says("--task clustering or anomaly");
    sandbox.run(&["train", "--task", "clustering", "--model", "boost"]).code_is(2).says("these can: kmeans, baseline");
    sandbox.run(&["train", "--task", "clustering", "--set", "clusters=1000"]).code_is(2).says("1 to 180");
    sandbox.run(&["train", "--task", "anomaly", "--target", "group"]).code_is(2).says("labels of anomalies are two");
    sandbox.run(&["train", "--target", "group", "--model", "kmeans"]).code_is(2).says("cannot do a multiclass task");
    sandbox.write("one.csv", "a,b\n1,2\n");
    sandbox.run(&["ingest", "one.csv", "--task", "anomaly"]).ok();
    sandbox.run(&["train", "one"]).code_is(2);
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let sandbox = ingested(&["--target", "group", "--ignore", "odd"]);
    for (model, task) in
        [("kmeans", "clustering"), ("isolation_forest", "anomaly"), ("baseline", "clustering"), ("svm", "multiclass")]
    {
        let words = [
            "train",
            "--model",
            model,
            "--task",
            task,
            "--target",
            if task == "anomaly" { "kind" } else { "group" },
            "--json",
        ];
        let model_id =
            |threads: &str| sandbox.run_with(&words, &[("RAYON_NUM_THREADS", threads)]).ok().data()["model"].clone();
        let first = model_id("1");
        assert_eq!((&first, &first), (&model_id("2"), &model_id("8")), "{model}");
    }
}
