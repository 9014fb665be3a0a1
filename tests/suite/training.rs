//! Everything around a fit: divisions, folds, weights, calibration, thresholds, baselines, going on from a model.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::http::Server;
use crate::common::tables::loans;

/// A folder with an ingested table of 300 loans.
fn ingested() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(300));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox
}

/// `day,x,y`: a series of `rows` days that drifts upwards.
fn series(rows: usize) -> String {
    let mut text = "day,x,y\n".to_owned();
    for row in 0..rows {
        let (month, day) = (1 + row / 28, 1 + row % 28);
        writeln!(text, "2025-{month:02}-{day:02},{},{}.5", row * 7 % 11, row + row * 5 % 3).expect("memory");
    }
    text
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[test]
fn folds_score_the_model_again_and_do_not_change_it() {
    let sandbox = ingested();
    let plain = sandbox.json(&["train", "--model", "tree", "--set", "depth=3"]);
    assert!(plain.get("folds").is_none());
    let folded = sandbox.json(&["train", "--model", "tree", "--set", "depth=3", "--folds", "4"]);
    let folds = folded["folds"]["folds"].as_array().expect("folds").clone();
    assert_eq!((folds.len(), &folded["folds"]["method"]), (4, &json!("auto")));
    assert_eq!(folds.iter().map(|fold| number(&fold["rows"])).sum::<f64>(), 240.0, "all but the test rows");
    assert_eq!(folded["metrics"], plain["metrics"]);
    let values: Vec<f64> = folds.iter().map(|fold| number(&fold["metrics"]["roc_auc"])).collect();
    let mean = values.iter().sum::<f64>() / 4.0;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    assert!((number(&folded["folds"]["mean"]["roc_auc"]) - mean).abs() < 1e-12);
    assert!((number(&folded["folds"]["deviation"]["roc_auc"]) - deviation).abs() < 1e-12 && mean > 0.7, "{mean}");
    let row = sandbox.json(&["log", "--kind", "train", "-n", "1"])["runs"][0].clone();
    assert!((number(&row["metrics"]["folds_mean.roc_auc"]) - mean).abs() < 1e-12, "{row:#}");
    let again = sandbox.json(&["train", "--model", "tree", "--set", "depth=3", "--folds", "4"]);
    assert_eq!((&again["folds"], &again["model"]), (&folded["folds"], &folded["model"]));
    let shown = sandbox.run(&["train", "--model", "tree", "--folds", "3"]).ok().out;
    assert!(shown.contains("deviation") && shown.contains("fold 3"), "{shown}");
    sandbox.run(&["train", "--folds", "1"]).code_is(2).says("folds = 1");
    sandbox.run(&["train", "--folds", "101"]).code_is(2).says("2 to 100");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_row_stays_in_its_part_when_rows_are_appended() {
    let project = "[project]\nname = 'loans'\n[data]\nsource = 'loans.csv'\ntarget = 'label'\nkey = ['id']\n\
                   [split]\nmethod = 'hash'\n";
    let parts = |rows: usize| -> BTreeMap<String, String> {
        let sandbox = Sandbox::new();
        sandbox.write("mlops.toml", project);
        sandbox.write("loans.csv", loans(rows));
        sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
        sandbox.run(&["transform", "-o", "features.csv"]).ok();
        let part = |line: &str| line.rsplit(',').next().unwrap_or_default().to_owned();
        let text = sandbox.read("features.csv");
        text.lines().skip(1).enumerate().map(|(row, line)| (row.to_string(), part(line))).collect()
    };
    let (before, after) = (parts(200), parts(260));
    assert!(before.iter().all(|(row, part)| after[row] == *part));
    assert!(before.values().filter(|part| *part == "test").count().abs_diff(40) < 25);
}

#[test]
fn a_gap_keeps_parts_apart_and_the_last_value_is_the_baseline() {
    let sandbox = Sandbox::new();
    let project = "[data]\nsource = 'series.csv'\ntarget = 'y'\n[split]\nmethod = 'time'\ncolumn = 'day'\ngap = '5d'\n\
                   folds = 3\n[train]\nmodel = 'ridge'\n[evaluate]\n";
    sandbox.write("mlops.toml", project);
    sandbox.write("series.csv", series(200));
    let ran = sandbox.run(&["run", "--json"]).ok();
    assert!(ran.err.contains("8 rows in no part: nearer than 5d to a later part"), "{}", ran.err);
    let direct = sandbox.json(&["train"]);
    assert_eq!((&direct["baseline_kind"], &direct["rows"]), (&"last_value".into(), &116.into()));
    // Rows 120 to 159 validate; the last training row has the value 116.5 or a little more.
    let judged = sandbox.json(&["evaluate"]);
    assert!(number(&judged["baseline"]["mae"]) > number(&direct["baseline"]["mae"]), "{judged:#}");
    assert!(number(&judged["baseline"]["mae"]) > 50.0 && judged["rows"] == 40, "{judged:#}");
    let folds = direct["folds"]["folds"].as_array().expect("folds").clone();
    let trained: Vec<f64> = folds.iter().map(|fold| number(&fold["train_rows"])).collect();
    assert!(trained.is_sorted() && trained[0] < trained[2], "windows grow: {trained:?}");
    assert_eq!(
        sandbox.json(&["run"])["stages"].as_array().map(|all| all.iter().all(|s| s["state"] == "cached")),
        Some(true)
    );
    sandbox.run_with(&["train"], &[("MLOPS_SPLIT_GAP", "5")]).code_is(2).says("does not suit column `day`");
    sandbox.run_with(&["train"], &[("MLOPS_SPLIT_GAP", "300d")]).code_is(2).says("leaves no training rows");
    sandbox.run_with(&["train"], &[("MLOPS_SPLIT_METHOD", "random")]).code_is(2).says("gap means nothing");
}

/// `a,b,w,label`: rows whose label follows `a` where `w` is 1 and contradicts it where `w` is 0.
fn weighted(rows: usize, weight: impl Fn(usize) -> String) -> String {
    let mut text = "a,b,w,label\n".to_owned();
    for row in 0..rows {
        let a = row * 37 % 100;
        let follows = row % 3 != 0;
        let label = if (a > 50) == follows { "yes" } else { "no" };
        writeln!(text, "{a},{},{},{label}", row % 7, weight(row)).expect("memory");
    }
    text
}

#[test]
fn weights_are_no_features_and_bad_ones_name_their_row() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", weighted(200, |row| if row % 3 == 0 { "0" } else { "1.5" }.to_owned()));
    sandbox.run(&["ingest", "t.csv", "--target", "label", "--weight", "w"]).ok();
    let report = sandbox.json(&["train", "--model", "logistic"]);
    assert_eq!((&report["features"], &report["weight"]), (&2.into(), &"w".into()));
    let row = sandbox.json(&["log", "--kind", "train", "-n", "1"])["runs"][0].clone();
    assert_eq!(row["params"]["train.weight"], "w");
    for model in ["knn", "naive_bayes"] {
        let refused = sandbox.run(&["train", "--model", model]);
        if refused.code != Some(0) {
            refused.code_is(2).says("cannot weigh rows");
        }
    }
    sandbox.run(&["train", "--weight", "v"]).code_is(2).says("unknown column `v`");
    sandbox.run(&["train", "--weight", "label"]).code_is(2).says("weights are numbers");
    let bad = [("", "is missing in row 6"), ("-2", "is -2 in row 6")];
    for (place, (value, says)) in bad.into_iter().enumerate() {
        let file = format!("bad{place}.csv");
        sandbox.write(&file, weighted(100, |row| if row == 5 { value.to_owned() } else { "1".to_owned() }));
        sandbox.run(&["ingest", &file, "--target", "label", "--weight", "w"]).ok();
        sandbox.run(&["train", &format!("bad{place}"), "--model", "logistic"]).code_is(2).says(says);
    }
    sandbox.write("none.csv", weighted(100, |_| "0".to_owned()));
    sandbox.run(&["ingest", "none.csv", "--target", "label", "--weight", "w"]).ok();
    sandbox.run(&["train", "none", "--model", "logistic"]).code_is(2).says("sum to 0");
    sandbox.run(&["ingest", "t.csv", "--name", "u", "--weight", "label"]).code_is(2).says("weights are numbers");
}

#[test]
fn classes_are_weighed_as_asked() {
    let sandbox = ingested();
    let report = sandbox.json(&["train", "--model", "logistic", "--class-weight", "balanced"]);
    let factors = report["class_weight"].clone();
    // Weights of all rows stay what they were: n·(1/(2n₁))·n₁ twice.
    assert!(number(&factors["no"]) > 1.0 && number(&factors["yes"]) < 1.0, "{factors}");
    let given = sandbox.json(&["train", "--model", "logistic", "--class-weight", "yes=2,no=0.5"]);
    assert_eq!(given["class_weight"], json!({ "no": 0.5, "yes": 2.0 }));
    sandbox.run(&["train", "--model", "logistic", "--class-weight", "yep=2"]).code_is(2).says("did you mean `yes`?");
    sandbox.run(&["train", "--class-weight", "yes=-1"]).code_is(2).says("not a weight");
    sandbox.run(&["train", "--model", "knn", "--class-weight", "balanced"]).code_is(2).says("cannot weigh rows");
}

#[test]
fn probabilities_are_calibrated_and_kept() {
    let sandbox = ingested();
    let plain = sandbox.json(&["train", "--model", "forest", "--set", "trees=20"]);
    for method in ["platt", "isotonic"] {
        let report = sandbox.json(&["train", "--model", "forest", "--set", "trees=20", "--calibrate", method]);
        let calibration = report["calibration"].clone();
        assert_eq!((&calibration["method"], &calibration["rows"]), (&method.into(), &60.into()));
        assert_eq!(calibration["before"]["brier"], plain["metrics"]["brier"]);
        assert_eq!(calibration["after"]["brier"], report["metrics"]["brier"]);
        assert!(number(&calibration["after"]["brier"]) <= number(&calibration["before"]["brier"]) + 1e-3);
        assert_ne!(report["model"], plain["model"]);
        // What the file says is what was scored: the package keeps the curve.
        let judged = sandbox.json(&["evaluate", "--metric", "log_loss,brier"]);
        assert!(number(&judged["metrics"]["log_loss"]) > 0.0 && judged["baseline"]["brier"].is_number());
    }
    let rates = "[split]\nvalidation = 0\n";
    sandbox.write("mlops.toml", rates);
    sandbox.run(&["train", "--calibrate", "platt"]).code_is(2).says("there are none");
    sandbox.run(&["train", "--threshold", "f1"]).code_is(2).says("there are none");
    sandbox.run(&["train", "--model", "tree", "--threshold", "0.3"]).ok().says("flatter");
    sandbox.run(&["train", "--calibrate", "plat"]).code_is(2).says("did you mean `platt`?");
}

#[test]
fn a_threshold_is_what_predict_evaluate_and_serve_answer_by() {
    let sandbox = ingested();
    let costs = ["train", "--model", "logistic", "--threshold", "cost", "--threshold-costs"];
    let report = sandbox.json(&[&costs[..], &["false_positive=9,false_negative=1"]].concat());
    let threshold = number(&report["threshold"]["value"]);
    assert!(threshold > 0.5 && report["threshold"]["by"] == "cost", "{}", report["threshold"]);
    assert!(number(&report["threshold"]["reached"]) <= number(&report["threshold"]["at_half"]));
    sandbox.run(&["predict", "run:last", "loans.csv", "-o", "scored.csv"]).ok();
    let text = sandbox.read("scored.csv");
    let mut called = [0, 0];
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let (label, chance) = (fields[5], fields[7].parse::<f64>().unwrap_or(f64::NAN));
        assert_eq!(label == "yes", chance > threshold, "{line}");
        called[usize::from(chance > 0.5)] += usize::from(label == "no");
    }
    assert!(called[1] > 0, "some rows lie between one half and the threshold");
    let judged = sandbox.json(&["evaluate"]);
    let counts = judged["confusion"]["counts"].clone();
    let (hits, missed) = (number(&counts[1][1]), number(&counts[1][0]));
    assert!((number(&judged["metrics"]["recall"]) - hits / (hits + missed)).abs() < 1e-12, "{judged:#}");
    let server = Server::start(&sandbox, &[]);
    let between = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<&str>>());
    let mut between = between.filter(|fields| fields[5] == "no" && fields[7].parse::<f64>().is_ok_and(|p| p > 0.5));
    let fields = between.next().expect("there is one");
    let size = if fields[1].is_empty() { "null" } else { fields[1] };
    let body =
        format!(r#"{{"dataframe_records": [{{"size": {size}, "color": "{}", "when": "{}"}}]}}"#, fields[2], fields[3]);
    let answer = server.invoke(&body);
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"predictions":["no"]}"#));
    assert_eq!(server.stop(), Some(0));
    for words in [["--threshold", "1.5"], ["--threshold", "f3"], ["--threshold-costs", "false_positive=1"]] {
        sandbox.run(&[&["train"], &words[..]].concat()).code_is(2);
    }
    sandbox.write("series.csv", series(60));
    sandbox.run(&["ingest", "series.csv", "--target", "y"]).ok();
    sandbox.run(&["train", "series", "--threshold", "0.3"]).code_is(2).says("a threshold tells two classes apart");
    sandbox.run(&["train", "series", "--calibrate", "platt"]).code_is(2).says("calibration is for classes");
    sandbox.run(&["train", "series", "--class-weight", "balanced"]).code_is(2).says("class_weight is for classes");
}

#[test]
fn many_rows_are_answered_as_few_are() {
    let sandbox = ingested();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=4", "--calibrate", "platt"]).ok();
    // Three columns: pieces of 65,536 rows.
    let few = loans(300);
    let header = few.lines().next().unwrap_or_default();
    let body = few.strip_prefix(header).unwrap_or_default().trim_start().repeat(250);
    sandbox.write("many.csv", format!("{header}\n{body}"));
    sandbox.run(&["predict", "run:last", "loans.csv", "-o", "few.csv", "--keep", "id"]).ok();
    sandbox.run(&["predict", "run:last", "many.csv", "-o", "many_scored.csv", "--keep", "id"]).ok();
    let (few, many) = (sandbox.read("few.csv"), sandbox.read("many_scored.csv"));
    let few: Vec<&str> = few.lines().skip(1).collect();
    assert_eq!(many.lines().skip(1).count(), 75_000);
    assert!(many.lines().skip(1).enumerate().all(|(row, line)| line == few[row % 300]));
}

#[test]
fn a_fit_goes_on_from_a_model() {
    let sandbox = ingested();
    let first = sandbox.json(&["train", "--model", "boost", "--set", "trees=5"]);
    sandbox.run(&["register", "run:last", "loans"]).ok();
    sandbox.write("loans.csv", loans(400));
    sandbox.run(&["ingest", "loans.csv"]).ok();
    let second = sandbox.json(&["train", "--from", "loans@v1", "--set", "trees=5"]);
    assert_eq!((&second["from"], &second["kind"]), (&"loans@v1".into(), &"boost".into()));
    assert_eq!(second["features"], first["features"]);
    let why = sandbox.json(&["why", second["model"].as_str().unwrap_or_default()]);
    let models: Vec<&Value> =
        why["chain"].as_array().into_iter().flatten().filter(|link| link["kind"] == "model").collect();
    assert_eq!(models.len(), 2, "{why:#}");
    assert_eq!(models[1]["id"], first["model"]);
    sandbox.run(&["train", "--from", "loans@v1", "--model", "forest"]).code_is(2).says("is a `boost` model");
    sandbox.run(&["train", "--from", "loans@v9"]).code_is(2);
    sandbox.run(&["train", "--from", "loans@v1", "--target", "color"]).code_is(2).says("predicts `label`, not `color`");
    sandbox.run(&["train", "--from", "loans@v1", "--task", "multiclass"]).code_is(2).says("of a binary task");
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["train", "--from", "run:last"]).code_is(2).says("cannot go on from an earlier model");
    sandbox.write("new.csv", loans(50).replace(",yes\n", ",maybe\n"));
    sandbox.run(&["ingest", "new.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "new", "--from", "loans@v1"]).code_is(2).says("a class that training never saw");
    sandbox.write("thin.csv", loans(50).replace("color", "colour"));
    sandbox.run(&["ingest", "thin.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "thin", "--from", "loans@v1"]).code_is(2).says("colour");
    sandbox.run(&["fsck"]).ok();
}

const PROJECT: &str = "[project]\nname = 'loans'\n[data]\nsource = 'loans.csv'\ntarget = 'label'\nkey = ['id']\n\
                       [train]\nmodel = 'tree'\nparams = { depth = 3 }\n";

#[test]
fn every_choice_is_part_of_the_key_of_its_stage() {
    let sandbox = Sandbox::new();
    sandbox.write("loans.csv", loans(120));
    sandbox.write("mlops.toml", PROJECT);
    sandbox.run(&["run"]).ok();
    let stale = |text: &str| -> (Vec<String>, String) {
        sandbox.write("mlops.toml", text);
        let stages = sandbox.json(&["status"])["stages"].clone();
        let all = stages.as_array().cloned().unwrap_or_default();
        let names = all.iter().filter(|stage| stage["state"] == "stale").filter_map(|stage| stage["name"].as_str());
        (names.map(str::to_owned).collect(), stages.to_string())
    };
    let check = |extra: &str, first: &str, named: &str| {
        let (names, text) = stale(&format!("{PROJECT}{extra}"));
        assert_eq!(names.first().map(String::as_str), Some(first), "{extra}: {text}");
        assert!(text.contains(named), "{extra}: {text}");
    };
    check("class_weight = 'balanced'\n", "train", "train.class_weight");
    check("calibrate = 'platt'\n", "train", "train.calibrate");
    check("threshold = 0.4\n", "train", "train.threshold");
    check(
        "threshold = 'cost'\nthreshold_costs = { false_negative = 5 }\n",
        "train",
        "train.threshold_costs.false_negative",
    );
    check("from = 'loans@v1'\n", "train", "train.from");
    check("[split]\nfolds = 3\n", "transform", "split.folds");
    check("[split]\nmethod = 'hash'\n", "transform", "split.method");
    let (fresh, text) = stale(PROJECT);
    assert!(fresh.is_empty(), "{text}");
    assert!(sandbox.read("mlops.lock").contains("engine"), "the engine's version is an input of `train`");
}

#[test]
fn a_stage_goes_on_from_a_registered_model() {
    let sandbox = Sandbox::new();
    sandbox.write("loans.csv", loans(150));
    let project = PROJECT.replace("'tree'", "'boost'").replace("depth = 3", "trees = 4");
    sandbox.write("mlops.toml", format!("{project}[register]\n"));
    sandbox.run(&["run"]).ok();
    sandbox.write("loans.csv", loans(200));
    sandbox.write("mlops.toml", format!("{project}from = 'loans@v1'\n"));
    let report = sandbox.json(&["run"]);
    assert!(report["stages"].to_string().contains("boost"), "{report:#}");
    let lock = sandbox.read("mlops.lock");
    assert!(lock.contains("model:loans@v1"), "{lock}");
    assert_eq!(sandbox.json(&["status"])["clean"], true);
    sandbox.write("mlops.toml", format!("{project}from = 'loans@v7'\n"));
    let missing = sandbox.run(&["run"]).code_is(2);
    assert!(format!("{}{}", missing.out, missing.err).contains("v7"), "{}{}", missing.out, missing.err);
}

#[test]
fn degenerate_tables_are_answered_in_words() {
    let sandbox = Sandbox::with_repo();
    let check = |name: &str, text: &str, words: &[&str], code: i32, says: &str| {
        sandbox.write(&format!("{name}.csv"), text);
        sandbox.run(&["ingest", &format!("{name}.csv")]).ok();
        let ran = sandbox.run(&[&["train", name, "--target", "y"], words].concat());
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran.code_is(code).says(says);
    };
    check("one_class", "x,y\n1,a\n2,a\n3,a\n", &[], 2, "has the same value in every row");
    check("one_row", "x,y\n1,a\n", &[], 2, "has the same value in every row");
    check("two_rows", "x,y\n1,a\n2,b\n", &[], 2, "too few to be divided");
    let few = "x,y\n1,1.5\n2,2.5\n3,4.5\n";
    check("one_training_row", few, &["--model", "linear"], 2, "leaves one training row");
    let dividing = "x,p,y\n1,train,a\n2,train,b\n3,train,a\n4,train,b\n5,validation,c\n6,test,a\n7,test,c\n";
    sandbox.write("mlops.toml", "[split]\nmethod = 'column'\ncolumn = 'p'\n");
    check("unseen", dividing, &["--model", "forest"], 0, "no training row is of class `c`: the model cannot learn it");
    sandbox.run(&["evaluate"]).ok();
    let held_out = "x,p,y\n1,train,a\n2,train,b\n3,train,a\n4,train,b\n6,test,a\n";
    check("no_validation", held_out, &["--model", "tree"], 0, "there are no validation rows");
    check("no_curve", held_out, &["--model", "tree", "--calibrate", "isotonic"], 2, "there are none");
    let one = "x,p,y\n1,train,a\n2,train,b\n3,train,a\n4,train,b\n5,validation,a\n6,test,a\n";
    check("one_held", one, &["--model", "tree", "--calibrate", "platt"], 2, "of one class only");
    check("one_cut", one, &["--model", "tree", "--threshold", "f1"], 2, "of one class only");
    check("lone", "x,p,y\n1,train,a\n2,train,a\n5,test,b\n", &["--model", "tree"], 2, "training rows are of class `a`");
}
