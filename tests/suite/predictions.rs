//! Files of predictions judged without a model.

use crate::common::{Sandbox, tables};

const SCORED: &str = "y,p,region,w\nno,0.1,a,1\nno,0.4,a,1\nyes,0.35,b,2\nyes,0.8,b,1\n,0.5,b,1\nno,0.2,b,1\n";

#[test]
fn probabilities_of_one_class_are_judged_anywhere() {
    let sandbox = Sandbox::new();
    sandbox.write("scored.csv", SCORED);
    let words = ["evaluate", "--predictions", "scored.csv", "--label", "y", "--score", "p", "--min-slice", "1"];
    let ran = sandbox.run(&words).ok().says("1 row without a value of `y` left out");
    ran.says("`p` is the probability of `yes`");
    assert!(!sandbox.path(".mlops").exists());
    let data = sandbox.json(&words);
    assert_eq!(
        (data["rows"].as_u64(), data["rows_of"].as_str(), data["task"].as_str()),
        (Some(5), Some("all"), Some("binary"))
    );
    // Five of the six pairs of a yes and a no are in the right order.
    let auc = data["metrics"]["roc_auc"].as_f64().expect("a number");
    assert!((auc - 5.0 / 6.0).abs() < 1e-12, "{auc}");
    assert!(data["run"].is_null() && data["model"].is_null() && data["evaluation"].is_null());
    let mut turned = words.to_vec();
    turned.extend(["--positive", "no"]);
    let auc = sandbox.json(&turned)["metrics"]["roc_auc"].as_f64().expect("a number");
    assert!((auc - 1.0 / 6.0).abs() < 1e-12, "{auc}");
    let mut gated = words.to_vec();
    gated.extend([
        "--gate",
        "roc_auc >= 0.9",
        "--by",
        "region",
        "--weight",
        "w",
        "--report",
        "r.html",
        "--report",
        "r.md",
    ]);
    let data = sandbox.run(&gated).code_is(1);
    assert!(data.out.contains("verdict: fail") && data.out.contains("answers from a file"), "{}", data.out);
    assert!(sandbox.read("r.html").contains("scored.csv") && sandbox.read("r.md").contains("roc_auc"));
    let mut lower = words.to_vec();
    lower.extend(["--threshold", "0.3"]);
    assert_eq!(sandbox.json(&lower)["metrics"]["recall"], 1.0);
}

#[test]
fn in_a_repository_it_is_a_run_that_read_the_file() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("scored.csv", SCORED);
    let words =
        ["evaluate", "--predictions", "scored.csv", "--label", "y", "--score", "p", "--gate", "accuracy >= 0.5"];
    let run = sandbox.json(&words)["run"].as_str().expect("a run").to_owned();
    let listed = sandbox.json(&["log", "--where", &format!("run = '{run}'")]);
    assert_eq!(listed["runs"][0]["kind"], "evaluate");
    assert!(listed["runs"][0]["metrics"]["roc_auc"].is_number());
    assert!(sandbox.run(&["why", &format!("run:{run}")]).ok().out.contains("scored.csv"));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn what_predict_writes_is_judged_as_the_model_is() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", tables::loans(300));
    sandbox.run(&["ingest", "loans.csv", "--target", "label"]).ok();
    sandbox.run(&["train", "--model", "logistic"]).ok();
    sandbox.run(&["predict", "run:last", "loans.csv", "-o", "scored.csv"]).ok();
    let own = sandbox.json(&["evaluate", "--on", "loans"]);
    let file = sandbox.json(&["evaluate", "--predictions", "scored.csv", "--label", "label"]);
    for (name, value) in own["metrics"].as_object().expect("metrics") {
        let (a, b) = (value.as_f64().expect("a number"), file["metrics"][name].as_f64().unwrap_or(f64::NAN));
        assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{name}: {a} {b}");
    }
    assert_eq!(own["confusion"], file["confusion"]);
}

#[test]
fn several_classes_predicted_classes_and_numbers_are_judged() {
    let sandbox = Sandbox::new();
    sandbox
        .write("m.csv", "y,p_a,p_b,p_c,hard\na,0.7,0.2,0.1,a\nb,0.1,0.8,0.1,b\nc,0.2,0.5,0.3,b\na,0.5,0.25,0.25,a\n");
    let multi = ["evaluate", "--predictions", "m.csv", "--label", "y"];
    let with = |more: &[&'static str]| -> Vec<&'static str> { multi.iter().chain(more).copied().collect() };
    let data = sandbox.json(&with(&["--score", "p_a,p_b,p_c"]));
    assert_eq!((data["task"].as_str(), data["metrics"]["accuracy"].as_f64()), (Some("multiclass"), Some(0.75)));
    let hard = sandbox.json(&with(&["--prediction", "hard"]));
    assert_eq!(hard["metrics"]["accuracy"], 0.75);
    assert!(hard["metrics"]["log_loss"].is_null() && hard["metrics"]["roc_auc"].is_null(), "{}", hard["metrics"]);
    let refused = with(&["--prediction", "hard", "--gate", "log_loss < 1"]);
    sandbox.run(&refused).code_is(2).says("`log_loss` needs probabilities");
    sandbox.run(&with(&["--score", "p_a,p_b"])).code_is(2).says("class `c` of `y` has no column of probabilities");
    sandbox.write("n.csv", "y,guess,lo,hi\n1.5,1,0.5,2\n2.5,3,2.6,4\n4,4,3,5\n8.25,7,6,9\n");
    let words =
        ["evaluate", "--predictions", "n.csv", "--label", "y", "--prediction", "guess", "--low", "lo", "--high", "hi"];
    let data = sandbox.json(&words);
    assert_eq!((data["task"].as_str(), data["metrics"]["mae"].as_f64()), (Some("regression"), Some(0.5625)));
    let coverage = data["metrics"].as_object().expect("metrics").iter().find(|(name, _)| name.contains("coverage"));
    assert_eq!(coverage.map(|(_, value)| value.as_f64()), Some(Some(0.75)), "{}", data["metrics"]);
}

#[test]
fn files_that_cannot_be_judged_say_where() {
    let sandbox = Sandbox::new();
    let refused = |text: &str, more: &[&str], said: &str| {
        sandbox.write("f.csv", text);
        let words: Vec<&str> =
            ["evaluate", "--predictions", "f.csv", "--label", "y"].iter().chain(more).copied().collect();
        sandbox.run(&words).code_is(2).says(said);
    };
    let p = &["--score", "p"];
    refused("y,p\n0,0.5\n1,1.3\n", p, "`p` is 1.3 in row 2: a probability lies between 0 and 1");
    refused("y,p\n0,0.5\n1,-0.1\n", p, "`p` is -0.1 in row 2");
    refused("y,p\n0,0.5\n1,\n", p, "`p` has no value in row 2, which has a label");
    refused("y,p\n0,0.5\n1,high\n", p, "`p` is text; numbers belong here");
    refused("y,p\n,0.5\n,0.1\n", p, "no row has a value of `y`");
    refused("y,p\n1,0.5\n1,0.1\n", p, "`y` is `1` in every row");
    refused("y,p\na,0.5\nb,0.1\nc,0.1\n", p, "`y` has 3 classes");
    refused("y,p\na,0.5\nb,0.1\n", &["--score", "q"], "unknown column `q`");
    refused("z,p\na,0.5\nb,0.1\n", p, "unknown column `y`");
    refused("y,p\na,0.5\nb,0.1\n", &["--score", "p", "--positive", "c"], "unknown class `c`");
    refused("y,p\na,0.5\nb,0.1\n", &[], "no column of answers that is known by its name");
    refused("y,p\n", p, "but no rows");
    refused("y,p\na,0.5\nb,0.1\n", &["--score", "p", "--threshold", "2"], "between 0 and 1");
    refused("y,p\na,0.5\nb,0.1\n", &["--score", "p", "--gate", "roc_auc >= champion.roc_auc"], "needs a model");
    refused("y,p\na,0.5\nb,0.1\n", &["--score", "p", "--by", "regio"], "regio");
    refused("y,p_a,p_b\na,0.5,0.1\nb,0.1,0.9\n", &["--score", "p_a,p_b"], "the probabilities of row 1 sum to 0.6");
    refused("y,c\na,x\nb,x\n", &["--prediction", "c"], "no class in `c` is one of `y`");
    refused(
        "y,g,l,h\n1.5,1,2,1\n2,2,1,3\n",
        &["--prediction", "g", "--low", "l", "--high", "h"],
        "the interval of row 1 ends",
    );
    sandbox.write("f.csv", "");
    sandbox.run(&["evaluate", "--predictions", "f.csv", "--label", "y"]).code_is(2);
    sandbox.run(&["evaluate", "--predictions", "gone.csv", "--label", "y"]).code_is(3);
    sandbox.run(&["evaluate", "--predictions", "f.csv"]).code_is(2);
}
