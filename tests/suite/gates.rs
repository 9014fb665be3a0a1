//! Gates, fairness, costs and robustness through the binary: verdicts, exit codes, reasons.

use std::fmt::Write;

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::loans;

/// `id,size,age,sex,port,label`: 400 people; women are let in less often than their size has it.
fn people() -> String {
    let mut text = "id,size,age,sex,port,label\n".to_owned();
    let mut state = 99_u64;
    for id in 0..400 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (size, age) = ((state >> 33) % 100, 18 + (state >> 41) % 60);
        let sex = if (state >> 50).is_multiple_of(3) { "F" } else { "M" };
        let noise = (state >> 55) % 40;
        let label = if size + noise > if sex == "F" { 80 } else { 50 } { "yes" } else { "no" };
        writeln!(text, "{id},{size},{age},{sex},{},{label}", ["S", "C", "Q"][id % 3]).expect("memory");
    }
    text
}

/// A folder with a trained tree on people.
fn trained() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("people.csv", people());
    sandbox.run(&["ingest", "people.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=4"]).ok();
    sandbox
}

/// The judged gates by their text, with the answer of the verb.
fn judged(sandbox: &Sandbox, words: &[&str], gates: &[&str]) -> (Option<i32>, Value) {
    let mut all = vec!["evaluate", "--json"];
    all.extend(words);
    if !words.contains(&"--resamples") {
        all.extend(["--resamples", "200"]);
    }
    gates.iter().for_each(|gate| all.extend(["--gate", gate]));
    let ran = sandbox.run(&all);
    (ran.code, ran.data())
}

fn gate(answer: &Value, place: usize) -> (&str, &str) {
    let gate = &answer["gates"][place];
    (gate["verdict"].as_str().unwrap_or_default(), gate["reason"].as_str().unwrap_or_default())
}

#[test]
fn all_gates_are_judged_and_one_that_fails_fails_all() {
    let sandbox = trained();
    let gates = [
        "roc_auc >= 0.99999",
        "accuracy >= 0.5",
        "slice(sex=X).recall >= 0",
        "slice(sex).accuracy.each >= 0.5",
        "slice(sex=F).accuracy - slice(sex=M).accuracy >= -0.9",
        "accuracy >= champion.accuracy - 1%",
        "slice(size > 50 AND sex = 'F').accuracy >= 0",
    ];
    let (code, answer) = judged(&sandbox, &[], &gates);
    assert_eq!((code, answer["verdict"].as_str()), (Some(1), Some("fail")));
    let verdicts: Vec<&str> = (0..gates.len()).map(|place| gate(&answer, place).0).collect();
    assert_eq!(verdicts, ["fail", "pass", "fail", "pass", "pass", "pass", "pass"], "{:#}", answer["gates"]);
    assert!(gate(&answer, 2).1.contains("no row is of the slice sex=X"), "{:#}", answer["gates"]);
    assert!(gate(&answer, 3).1.starts_with("all 2 slices hold"), "{:#}", answer["gates"]);
    assert!(gate(&answer, 5).1.contains("there is no champion yet"), "{:#}", answer["gates"]);
    let (code, answer) = judged(&sandbox, &[], &["accuracy >= 0.5"]);
    assert_eq!((code, answer["verdict"].as_str()), (Some(0), Some("pass")));
    let (code, answer) = judged(&sandbox, &[], &[]);
    assert_eq!((code, answer["verdict"].as_str()), (Some(0), Some("none")));
    let shown = sandbox.run(&["evaluate", "--resamples", "0"]).ok();
    assert!(shown.err.contains("no gates were given, so there is no verdict"), "{}", shown.err);
}

#[test]
fn what_a_gate_cannot_ask_is_said_before_anything_is_computed() {
    let sandbox = trained();
    for (text, what, hint) in [
        ("acuracy >= 0.5", "acuracy", "did you mean `accuracy`?"),
        ("accuracy => 0.5", "character 10", "did you mean `>=`?"),
        ("slice(sexx).recall.min >= 0.5", "sexx", "did you mean `sex`?"),
        ("facet(sex=F).DPL2 >= 0.5", "DPL2", "did you mean `DPL`?"),
        ("latency_p98_ms <= 1", "latency_p98_ms", "did you mean `latency_p99_ms`?"),
    ] {
        let ran = sandbox.run(&["evaluate", "--gate", text]).code_is(2);
        assert!(ran.err.contains(what) && ran.err.contains(hint), "{text}: {}", ran.err);
    }
}

#[test]
fn a_confident_gate_wants_the_whole_interval() {
    let sandbox = trained();
    let point = judged(&sandbox, &[], &["accuracy >= 0"]).1["gates"][0]["value"].as_f64().expect("a value");
    let near = format!("accuracy >= {}", point - 1e-6);
    assert_eq!(judged(&sandbox, &[], &[&near]).0, Some(0));
    let facet = "facet(sex=F).DPPL >= -1";
    let (code, answer) = judged(
        &sandbox,
        &["--confident"],
        &[&near, "accuracy >= 0.01", "size_mb < 100", facet, "facet(sex=F).CI >= -1"],
    );
    assert_eq!(code, Some(1));
    let verdicts: Vec<&str> = (0..5).map(|place| gate(&answer, place).0).collect();
    assert_eq!(verdicts, ["fail", "pass", "pass", "pass", "pass"], "{:#}", answer["gates"]);
    assert!(gate(&answer, 0).1.contains("but its 95 % interval"), "{:#}", answer["gates"]);
    assert!(gate(&answer, 2).1.contains("a cost has no interval"), "{:#}", answer["gates"]);
    let interval = &answer["gates"][3]["interval"];
    assert!(interval["low"].as_f64() < interval["high"].as_f64(), "{:#}", answer["gates"]);
    let (code, answer) = judged(&sandbox, &["--confident", "--resamples", "0"], &["accuracy >= 0.01"]);
    assert!(code == Some(1) && gate(&answer, 0).1.contains("--resamples 0"), "{:#}", answer["gates"]);
}

#[test]
fn costs_are_measured_when_asked() {
    let sandbox = trained();
    let (_, plain) = judged(&sandbox, &[], &[]);
    assert_eq!(plain["costs"].as_object().map(|costs| costs.len()), Some(0));
    let (code, answer) =
        judged(&sandbox, &["--costs"], &["size_mb < 50", "latency_p99_ms < 10000", "train_seconds >= 0"]);
    assert_eq!(code, Some(0), "{:#}", answer["gates"]);
    let cost = |name: &str| answer["costs"][name].as_f64().unwrap_or(f64::NAN);
    assert!(cost("latency_p50_ms") > 0.0 && cost("latency_p50_ms") <= cost("latency_p99_ms"));
    assert!(cost("rows_per_second") > 1.0 && cost("size_mb") > 0.001, "{:#}", answer["costs"]);
    let row = sandbox.json(&["log", "--kind", "evaluate", "-n", "1"])["runs"][0].clone();
    assert_eq!(row["metrics"]["size_mb"].as_f64(), Some(cost("size_mb")));
    let (_, one) = judged(&sandbox, &[], &["size_mb < 50"]);
    assert_eq!(one["costs"].as_object().map(|costs| costs.len()), Some(1));
}

#[test]
fn fairness_is_measured_of_groups() {
    let sandbox = trained();
    let words = ["--facet", "sex=F", "--facet", "age>=60", "--facet", "port", "--facet-group", "port"];
    let (code, answer) = judged(&sandbox, &words, &["facet(sex=F).DPPL <= 1", "facet(port).DI.min >= 0"]);
    assert_eq!(code, Some(0), "{:#}", answer["gates"]);
    let facets = answer["facets"].as_array().expect("facets").clone();
    let names: Vec<String> = facets.iter().map(|facet| format!("{} {}", facet["column"], facet["value"])).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let women = &facets[0];
    assert_eq!((women["value"].as_str(), women["favourable"].as_str()), (Some("F"), Some("`yes`, the positive class")));
    let of = |stage: &str, name: &str| women[stage][name].as_f64().unwrap_or(f64::NAN);
    assert!(of("pre_training", "DPL") > 0.1 && of("post_training", "DI") < 0.9, "{women:#}");
    assert!(of("pre_training", "CDDL").is_finite() && of("post_training", "FT").is_finite(), "{women:#}");
    let rows = |facet: &Value| facet["rows"].as_u64().unwrap_or(0) + facet["rest"].as_u64().unwrap_or(0);
    assert!(facets.iter().all(|facet| rows(facet) == 80), "{facets:#?}");
    let other = judged(&sandbox, &["--facet", "sex=F", "--favourable", "no"], &[]).1;
    let (yes, no) = (of("post_training", "DPPL"), other["facets"][0]["post_training"]["DPPL"].as_f64());
    assert!(no.is_some_and(|no| (no + yes).abs() < 1e-12), "{no:?} {yes}");
    let nobody = sandbox.run(&["evaluate", "--facet", "sex=X", "--json"]).ok();
    assert!(nobody.err.contains("no judged row has `X` in `sex`"), "{}", nobody.err);
    sandbox.run(&["evaluate", "--facet", "age"]).code_is(2).says("name a bound");
    sandbox.run(&["evaluate", "--facet", "sex>=3"]).code_is(2).says("cannot be compared");
    sandbox.run(&["evaluate", "--facet", "sex=F", "--favourable", "yess"]).code_is(2).says("did you mean `yes`?");
    let help = sandbox.run(&["evaluate", "--help"]).ok().out;
    assert!(help.contains("q'_d / q'_a") && help.contains("CDDPL"), "{help}");
}

#[test]
fn disturbances_and_other_seeds_are_tried() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(300));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "forest", "--set", "trees=10"]).ok();
    let (code, answer) = judged(&sandbox, &["--robustness"], &["robustness(missing=0.2).f1 >= 0.01"]);
    assert_eq!(code, Some(0), "{:#}", answer["gates"]);
    let results = answer["robustness"].as_array().expect("results").clone();
    let count =
        |kind: &str| results.iter().filter(|result| result["kind"] == kind && result["metric"] == "roc_auc").count();
    // Three columns, of which one is a number and one a text.
    assert_eq!((count("missing"), count("noise"), count("unseen"), count("seed")), (6, 4, 2, 1), "{results:#?}");
    let seed = results.iter().find(|result| result["kind"] == "seed").expect("other seeds");
    assert!(seed["deviation"].as_f64() > Some(0.0) && seed["amount"] == 5.0, "{seed:#}");
    let all =
        results.iter().find(|result| result["kind"] == "missing" && result["amount"] == 0.2).expect("all columns");
    assert!(all["column"].is_null() && all["after"].as_f64() < all["before"].as_f64(), "{all:#}");
    let again = judged(&sandbox, &["--robustness"], &["robustness(missing=0.2).f1 >= 0.01"]).1;
    assert_eq!(again["robustness"], answer["robustness"], "the same every time");
    let runs = sandbox.json(&["log", "--kind", "train"])["runs"].as_array().map(Vec::len);
    assert_eq!(runs, Some(1), "other seeds are no runs");
}

#[test]
fn gates_about_a_champion_look_at_its_slices_groups_and_costs() {
    let sandbox = trained();
    let forced = ["--alias", "champion", "--force", "--reason", "the first"];
    sandbox.run(&[&["register", "run:last", "people"], &forced[..]].concat()).ok();
    let second = sandbox.json(&["train", "--model", "tree", "--set", "depth=1"])["model"].clone();
    let gates = [
        "roc_auc >= champion.roc_auc + 1%",
        "roc_auc >= champion.roc_auc - 90%",
        "slice(sex).accuracy.each >= champion.accuracy - 0.9",
        "slice(sex).fbeta(2).each >= champion.fbeta(2) - 2",
        "facet(sex=F).DI >= champion.facet(sex=F).DI - 5",
        "size_mb <= champion.size_mb + 1%",
        "slice(bins(age, 3)).accuracy.each >= champion.slice(bins(age, 3)).accuracy - 1",
    ];
    for words in [vec!["--against", "people@champion"], vec!["--against", "people@champion", "--confident"]] {
        let (code, answer) = judged(&sandbox, &words, &gates);
        assert_eq!(answer["model"], second);
        let verdicts: Vec<&str> = (0..gates.len()).map(|place| gate(&answer, place).0).collect();
        assert_eq!((code, verdicts[0]), (Some(1), "fail"), "{:#}", answer["gates"]);
        assert!(verdicts[1..].iter().all(|verdict| *verdict == "pass"), "{:#}", answer["gates"]);
        assert!(gate(&answer, 0).1.contains("the champion's"), "{:#}", answer["gates"]);
    }
    let words = ["people@champion", "--confident", "--against", "people@champion"];
    let (_, same) = judged(&sandbox, &words, &["roc_auc == champion.roc_auc"]);
    let interval = &same["gates"][0]["interval"];
    assert_eq!((gate(&same, 0).0, &interval["low"], &interval["high"]), ("pass", &0.0.into(), &0.0.into()), "paired");
}

#[test]
fn numbers_are_favourable_above_a_bound_and_classes_have_to_be_named() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("people.csv", people());
    sandbox.run(&["ingest", "people.csv", "--target", "size", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree", "--task", "regression"]).ok();
    let (_, plain) = judged(&sandbox, &["--facet", "sex=F"], &[]);
    let words = plain["facets"][0]["favourable"].as_str().unwrap_or_default();
    assert!(words.starts_with("a number > ") && words.ends_with("the median of the truth"), "{words}");
    let (_, bound) = judged(&sandbox, &["--facet", "sex=F", "--favourable", ">= 90"], &[]);
    assert_eq!(bound["facets"][0]["favourable"], "a number >= 90");
    assert!(bound["facets"][0]["pre_training"]["DPL"].as_f64().is_some_and(f64::is_finite), "{bound:#}");
    sandbox.run(&["evaluate", "--facet", "sex=F", "--favourable", "many"]).code_is(2).says("which numbers");
    sandbox.run(&["train", "--model", "tree", "--target", "port"]).ok();
    sandbox.run(&["evaluate", "--facet", "sex=F"]).code_is(2).says("--favourable CLASS");
    let (code, answer) =
        judged(&sandbox, &["--favourable", "S,Q"], &["facet(label=yes).DI >= 0", "facet(sex).DPPL.gap >= 0"]);
    assert!(code.is_some() && answer["facets"].as_array().map(Vec::len) == Some(3), "{answer:#}");
}
