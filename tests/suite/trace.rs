//! Tracing through the binary: `why`, lineage, OpenLineage events, `reproduce`.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::tables::loans;

fn loans_in(sandbox: &Sandbox) {
    sandbox.write("data/loans.csv", loans(240));
    sandbox.run(&["ingest", "data/loans.csv", "--target", "label", "--key", "id"]).ok();
}

/// Trains, then reproduces what came out after the raw file is gone.
#[track_caller]
fn reproduces(words: &[&str]) {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    let made = sandbox.json(&[&["train"], words].concat());
    fs::remove_dir_all(sandbox.path("data")).expect("it was there");
    let report = sandbox.json(&["reproduce", "run:last"]);
    assert_eq!((&report["identical"], &report["rebuilt"]), (&json!(true), &made["model"]), "{words:?}: {report:#}");
    assert_eq!((&report["notes"], &report["trained_by"]), (&json!([]), &made["run"]), "{report:#}");
    // The comparison is a run that read the model; it is no training, and the model is still the newest.
    let runs = sandbox.json(&["log"])["runs"].clone();
    assert_eq!((&runs[0]["kind"], &runs[0]["params"]["identical"]), (&json!("reproduce"), &json!(true)));
    sandbox.run(&["evaluate"]).ok();
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn every_family_of_models_comes_out_the_same_again() {
    reproduces(&["--model", "boost", "--set", "trees=20", "--seed", "7"]);
    reproduces(&["--model", "forest", "--set", "trees=20", "--class-weight", "balanced"]);
    reproduces(&["--model", "logistic", "--calibrate", "isotonic", "--threshold", "f1"]);
    reproduces(&["--model", "knn", "--ignore", "when", "--folds", "3"]);
    reproduces(&["--task", "clustering", "--target", "label", "--set", "clusters=3"]);
}

#[test]
fn searches_and_later_fits_come_out_the_same_again() {
    reproduces(&["--auto", "--trials", "3", "--models", "boost,logistic"]);
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    let tuned = sandbox.json(&["tune", "--model", "tree", "--trials", "3"]);
    let report = sandbox.json(&["reproduce", tuned["model"].as_str().expect("a model")]);
    assert_eq!(report["rebuilt"], tuned["model"], "{report:#}");
    sandbox.run(&["train", "--model", "boost", "--set", "trees=10"]).ok();
    sandbox.run(&["train", "--from", "run:last", "--set", "trees=20"]).ok();
    let report = sandbox.json(&["reproduce", "run:last"]);
    assert_eq!(report["identical"], true, "{report:#}");
}

#[test]
fn a_project_is_reproduced_after_its_files_have_changed() {
    for name in ["penguins", "titanic"] {
        let sandbox = Sandbox::example(name);
        sandbox.run(&["run"]).ok();
        fs::remove_dir_all(sandbox.path("data")).expect("it was there");
        sandbox.write("mlops.toml", "[project]\nname = 'other'\nseed = 1\n[train]\nmodel = 'tree'\n");
        let model = format!("{name}@champion");
        let report = sandbox.json(&["reproduce", &model]);
        assert_eq!((&report["identical"], &report["notes"]), (&json!(true), &json!([])), "{report:#}");
        let text = sandbox.run(&["reproduce", &model]).ok().out;
        assert!(text.starts_with(&format!("identical: {name}@v1 ")), "{text}");
    }
}

#[test]
fn what_cannot_be_trained_again_says_why() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["reproduce", "loans@v1"]).code_is(2);
    sandbox.run(&["reproduce"]).code_is(2).says("there is no trained model yet");
    sandbox.run(&["train", "--model", "boost", "--set", "trees=5", "--ignore", "color,when"]).ok();
    sandbox.run(&["export", "run:last", "--format", "lightgbm", "-o", "m.txt"]).ok();
    sandbox.run(&["import", "m.txt", "--as", "back", "--data", "loans"]).ok();
    sandbox.run(&["reproduce", "back@v1"]).code_is(3).says("was imported").says("mlops why back@v1");
}

#[test]
fn why_is_a_tree_that_ends_at_the_raw_file() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["train", "--model", "tree", "--set", "depth=3"]).ok();
    sandbox.run(&["evaluate", "--gate", "accuracy >= 0.5"]).ok();
    sandbox.run(&["register", "--alias", "candidate"]).ok();
    sandbox.run(&["promote", "loans@v1", "--reason", "first of all"]).ok();
    let text = sandbox.run(&["why", "loans@champion"]).ok().out;
    let raw = sandbox.json(&["ingest", "data/loans.csv"])["raw_id"].as_str().expect("an id").to_owned();
    for word in [
        "version loans@v1",
        "└─ model tree",
        "evaluation pass",
        "gate accuracy >= 0.5: pass",
        "first of all",
        "depth 3",
        "dataset loans@v1",
        &format!("raw loans.csv  b3sum {raw}"),
    ] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
    let report = sandbox.json(&["why", "loans@champion"]);
    let (chain, edges) = (report["chain"].as_array().expect("a chain"), report["edges"].as_array().expect("edges"));
    // From every link but the first, a way leads back up; the last one is the raw file.
    for (at, link) in chain.iter().enumerate().skip(1) {
        assert!(edges.iter().any(|edge| edge["to"] == at), "nothing leads to {link}: {report:#}");
    }
    assert_eq!(chain.last().map(|link| &link["id"]), Some(&json!(raw)));
    let moves = &chain[0]["facts"]["moves"];
    assert!(moves.as_array().is_some_and(|all| all.iter().all(|step| step["by"].is_string())), "{moves:#}");
    for kind in ["evaluation", "recipe", "split", "run", "dataset"] {
        let link = chain.iter().find(|link| link["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
        let found = sandbox.json(&["why", link["id"].as_str().expect("an id")]);
        assert_eq!(found["chain"][0]["kind"], kind, "{found:#}");
    }
    sandbox.run(&["why", "loans@champion", "--dot", "--mermaid"]).code_is(2);
}

#[test]
fn a_file_is_known_by_its_content() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.write("copy of it.csv", sandbox.read("data/loans.csv"));
    let report = sandbox.json(&["why", "copy of it.csv"]);
    let kinds: Vec<&str> =
        report["chain"].as_array().into_iter().flatten().filter_map(|link| link["kind"].as_str()).collect();
    assert_eq!((kinds, &report["chain"][1]["name"]), (vec!["raw", "dataset"], &json!("loans@v1")));
    let text = sandbox.run(&["why", "data/loans.csv"]).ok().out;
    assert!(text.starts_with("raw loans.csv") && text.contains("└─ dataset loans@v1"), "{text}");
    let down = sandbox.json(&["log", "--lineage", "data/loans.csv", "--down"]);
    assert_eq!((&down["nodes"][0]["kind"], &down["nodes"][2]["name"]), (&json!("raw"), &json!("loans@v1")));
    sandbox.write("data/loans.csv", loans(10));
    sandbox.run(&["why", "data/loans.csv"]).code_is(2).says("loans@v1 came from a file of this name");
    sandbox.write("other.csv", "a\n1\n");
    sandbox.run(&["why", "other.csv"]).code_is(2).says("mlops ingest");
}

#[test]
fn lineage_goes_both_ways_and_is_drawn() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["evaluate"]).ok();
    sandbox.run(&["register"]).ok();
    let up = sandbox.run(&["log", "--lineage", "loans@v1"]).ok().out;
    assert!(up.starts_with("model loans@v1") && up.contains("run train") && up.contains("raw loans.csv"), "{up}");
    let down = sandbox.json(&["log", "--lineage", "dataset:loans", "--down"]);
    let kinds: Vec<&str> =
        down["nodes"].as_array().into_iter().flatten().filter_map(|node| node["kind"].as_str()).collect();
    assert!(kinds.contains(&"model") && kinds.contains(&"evaluation") && !kinds.contains(&"raw"), "{down:#}");
    let both = sandbox.run(&["log", "--lineage", "loans@v1", "--up", "--down"]).ok().out;
    assert!(both.starts_with("made from") && both.contains("made of it"), "{both}");
    let ran = sandbox.run(&["log", "--lineage", "loans@v1", "--depth", "1", "--json"]).ok().says("there is more");
    assert_eq!(ran.data()["cut"], true);
    sandbox.run(&["log", "--lineage", "loans@v1", "-n", "0"]).code_is(2);
    sandbox.run(&["log", "--dot"]).code_is(2).says("--lineage");
    for words in [&["why", "loans@v1"][..], &["log", "--lineage", "loans@v1", "--up", "--down"]] {
        let dot = sandbox.run(&[words, &["--dot"]].concat()).ok().out;
        assert!(dot.starts_with("digraph lineage {") && dot.ends_with("}\n"), "{dot}");
        drawn(&dot);
        let mermaid = sandbox.run(&[words, &["--mermaid"]].concat()).ok().out;
        assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains(" -->"), "{mermaid}");
    }
}

/// Has Graphviz read a graph, where it is installed.
fn drawn(text: &str) {
    let dot = Command::new("dot").arg("-Tcanon").stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let Ok(mut dot) = dot else {
        return;
    };
    let mut pipe = dot.stdin.take().expect("piped");
    std::io::Write::write_all(&mut pipe, text.as_bytes()).expect("dot reads");
    drop(pipe);
    assert!(dot.wait().expect("dot ends").success(), "{text}");
}

/// Demands of every event what the published schemas demand: of the event, and of each facet the one it names.
fn check_events(events: &[Value]) {
    let text = include_str!("../fixtures/openlineage/schemas.json");
    let schemas: Vec<Value> = serde_json::from_str(text).expect("JSON");
    let pairs = schemas.into_iter().map(|schema| (schema["$id"].as_str().unwrap_or_default().to_owned(), schema));
    let registry = jsonschema::Registry::new().extend(pairs).and_then(|all| all.prepare()).expect("schemas");
    let check = |schema: &Value, value: &Value| {
        let wanted = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": schema });
        let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
        let validator = options.build(&wanted).unwrap_or_else(|error| panic!("{schema}: {error}"));
        let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {value:#}");
    };
    for event in events {
        check(&event["schemaURL"], event);
        let things = event["inputs"].as_array().into_iter().chain(event["outputs"].as_array()).flatten();
        let places = things.flat_map(|thing| [&thing["facets"], &thing["inputFacets"], &thing["outputFacets"]]);
        let places = places.chain([&event["run"]["facets"], &event["job"]["facets"]]);
        for facet in places.filter_map(Value::as_object).flat_map(|facets| facets.values()) {
            check(&facet["_schemaURL"], facet);
        }
    }
    // The checks can fail.
    let broken = json!({ "eventTime": "yesterday", "producer": "urn:x", "schemaURL": "urn:x", "run": {}, "job": {} });
    let id = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    let validator = options.build(&json!({ "$ref": id })).expect("a schema");
    assert!(validator.iter_errors(&broken).count() >= 3);
}

#[test]
fn openlineage_events_follow_the_published_schemas() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["transform"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["evaluate", "--gate", "accuracy >= 2"]).code_is(1);
    sandbox.run(&["train", "--model", "tree", "--set", "depth=-1"]).code_is(2);
    sandbox.run(&["tune", "--model", "tree", "--trials", "2"]).ok();
    sandbox.run(&["register"]).ok();
    let git = |words: &[&str]| {
        let done = Command::new("git").args(words).current_dir(sandbox.root()).output().expect("git");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    git(&["init", "-q"]);
    git(&["remote", "add", "origin", "git@example.org:team/code.git"]);
    git(&["add", "data"]);
    git(&["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "data"]);
    sandbox.run(&["train", "--model", "tree", "--seed", "3"]).ok();
    let text = sandbox.run(&["log", "--runs", "--format", "openlineage"]).ok().out;
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    check_events(&events);
    let runs = sandbox.json(&["log", "--runs"])["runs"].as_array().map_or(0, Vec::len);
    assert_eq!(events.len(), 2 * runs, "each run has ended");
    let of = |kind: &str, state: &str| -> Vec<&Value> {
        let wanted = |event: &&Value| event["job"]["name"] == kind && event["eventType"] == state;
        events.iter().filter(wanted).collect()
    };
    let ingest = of("ingest", "COMPLETE")[0];
    assert_eq!(
        (&ingest["inputs"][0]["namespace"], &ingest["outputs"][0]["name"]),
        (&json!("file"), &json!("dataset/loans"))
    );
    assert_eq!(ingest["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 240);
    let train = of("train", "COMPLETE")[0];
    let model = train["outputs"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|thing| thing["name"].as_str().is_some_and(|name| name.starts_with("model/")));
    let from = &model.expect("a model")["facets"]["columnLineage"]["fields"]["label"]["inputFields"];
    assert_eq!(from[0], json!({ "namespace": train["job"]["namespace"], "name": "dataset/loans", "field": "color" }));
    let evaluate = of("evaluate", "FAIL")[0];
    let judged = evaluate["inputs"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|thing| Some(&thing["name"]) == model.map(|m| &m["name"]));
    assert!(judged, "the model is one thing in every event: {evaluate:#}");
    assert_eq!((of("evaluate", "FAIL").len(), of("train", "FAIL").len()), (1, 1));
    assert!(of("train", "FAIL")[0]["run"]["facets"]["errorMessage"]["message"].is_string());
    let trial = of("trial", "COMPLETE")[0];
    assert_eq!(trial["run"]["facets"]["parent"]["run"]["runId"], of("tune", "START")[0]["run"]["runId"]);
    let last = of("train", "COMPLETE").last().copied().expect("a training");
    let place = &last["job"]["facets"]["sourceCodeLocation"];
    assert_eq!(
        (&place["url"], place["version"].as_str().map(str::len)),
        (&json!("https://example.org/team/code.git"), Some(40))
    );
    // The same history gives the same events, and a lineage those of its runs alone.
    assert_eq!(sandbox.run(&["log", "--runs", "--format", "openlineage"]).ok().out, text);
    let few = sandbox.json(&["log", "--lineage", "dataset:loans", "--format", "openlineage", "--namespace", "my jobs"]);
    let few = few["events"].as_array().cloned().unwrap_or_default();
    check_events(&few);
    assert_eq!((few.len(), &few[0]["job"]["namespace"]), (2, &json!("my jobs")));
}

#[test]
fn two_models_are_laid_side_by_side_and_asked_about_the_same_rows() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["train", "--model", "logistic"]).ok();
    sandbox.run(&["register"]).ok();
    sandbox.write("mlops.toml", "[project]\nname = 'loans'\n[evaluate]\nslices = ['color']\n");
    sandbox.write("data/loans.csv", loans(300).replace("size,color", "size,colour"));
    sandbox.run(&["ingest", "data/loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=3"]).ok();
    sandbox.run(&["register"]).ok();
    let data = sandbox.json(&["diff", "loans@v1", "loans@v2"]);
    assert_eq!((&data["of"], &data["same"]), (&json!("models"), &json!(false)));
    assert_eq!((&data["data"]["rows"]["new"], &data["data"]["old"]["name"]), (&json!(300), &json!("loans@v1")));
    assert_eq!((&data["inputs"]["added"], &data["inputs"]["removed"]), (&json!(["colour"]), &json!(["color"])));
    assert!(data["steps"]["removed"].as_array().is_some_and(|all| !all.is_empty()), "{:#}", data["steps"]);
    // The older model reads a column that the new rows lack: said, and no reason to fail.
    assert!(data["not_judged"].as_str().is_some_and(|why| why.contains("color")), "{data:#}");
    sandbox.run(&["train", "loans@v2", "--model", "logistic"]).ok();
    sandbox.run(&["register"]).ok();
    let data = sandbox.json(&["diff", "loans@v3", "loans@v2"]);
    let judged = &data["judged"];
    assert_eq!((&judged["rows"], &judged["rows_of"], &judged["notes"]), (&json!(60), &json!("test"), &json!([])));
    let accuracy = &judged["metrics"]["accuracy"];
    let (value, other) = (accuracy["value"].as_f64().expect("a number"), accuracy["other"].as_f64().expect("a number"));
    assert!((accuracy["difference"].as_f64().expect("a number") - (value - other)).abs() < 1e-12);
    let text = sandbox.run(&["diff", "loans@v3", "loans@v2"]).ok().out;
    for word in ["loans@v3 → loans@v2", "both on the test rows of loans@v2 (60 rows)", "params.depth", "-v shows them"]
    {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
    let records = sandbox.json(&["diff", "loans@v3", "loans@v2", "--records"]);
    assert!(records.get("judged").is_none() && records.get("not_judged").is_none());
    sandbox.run(&["diff", "loans@v3", "loans@v2", "--exit-code"]).code_is(1);
    assert_eq!(sandbox.json(&["diff", "loans@v3", "loans@v3", "--exit-code"])["same"], true);
}

#[test]
fn a_rebuilt_model_that_is_kept_can_be_laid_beside_the_old_one() {
    let sandbox = Sandbox::with_repo();
    loans_in(&sandbox);
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["register"]).ok();
    let report = sandbox.json(&["reproduce", "loans@v1", "--keep"]);
    assert_eq!(report["kept"], true);
    assert_eq!(sandbox.json(&["diff", "loans@v1", report["rebuilt"].as_str().expect("an id")])["same"], true);
    let why = sandbox.json(&["why", "run:last"]);
    assert_eq!((&why["chain"][0]["name"], &why["chain"][0]["kind"]), (&json!("reproduce"), &json!("run")));
}
