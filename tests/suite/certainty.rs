//! How sure an evaluation is: intervals overall, of slices and of folds, and models compared beyond chance.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::Sandbox;

/// `id,group,x,noise,label`: the label follows `x`, in `names`; in group `b` it is a coin's.
fn table(rows: usize, names: [&str; 2]) -> String {
    let mut text = "id,group,x,noise,label\n".to_owned();
    let mut state = 88_172_645_463_325_252_u64;
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % bound
    };
    for id in 0..rows {
        let (group, x, noise, chance) = (["a", "b"][draw(2) as usize], draw(100), draw(100), draw(100));
        let positive = if group == "b" { chance < 50 } else { (x > 50) ^ (chance < 10) };
        writeln!(text, "{id},{group},{x},{noise},{}", names[usize::from(positive)]).expect("memory");
    }
    text
}

/// A folder with a dataset of 1,500 rows, and a model of it called `m`.
fn trained() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", table(1_500, ["no", "yes"]));
    sandbox.run(&["ingest", "t.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["register", "run:last", "m"]).ok();
    sandbox
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn metrics_and_slices_have_intervals_around_their_values() {
    let sandbox = trained();
    let words = ["evaluate", "m", "--by", "group"];
    let report = sandbox.json(&words);
    let method = json!({"name": "poisson_bootstrap", "level": 0.95, "resamples": 1000});
    assert_eq!(report["interval_method"], method);
    let intervals = report["intervals"].as_object().expect("intervals");
    assert!(intervals.len() >= 8, "{intervals:?}");
    for (name, interval) in intervals {
        let (low, value, high) =
            (number(&interval["low"]), number(&report["metrics"][name]), number(&interval["high"]));
        assert!(low < value && value < high, "{name}: {low} {value} {high}");
    }
    for slice in report["slices"].as_array().expect("slices") {
        let (interval, value) = (&slice["intervals"]["roc_auc"], number(&slice["metrics"]["roc_auc"]));
        assert!(number(&interval["low"]) < value && value < number(&interval["high"]), "{slice}");
    }
    assert_eq!(sandbox.json(&words)["intervals"], report["intervals"], "the same seed, the same intervals");
    let narrow = sandbox.json(&["evaluate", "m", "--level", "0.5", "--resamples", "200", "--metric", "accuracy"]);
    assert_eq!(narrow["intervals"].as_object().map(serde_json::Map::len), Some(1));
    let width = |report: &Value| {
        let interval = &report["intervals"]["accuracy"];
        number(&interval["high"]) - number(&interval["low"])
    };
    assert!(width(&narrow) < width(&report));
    let none = sandbox.json(&["evaluate", "m", "--resamples", "0"]);
    assert!(none["intervals"].is_null() && none["interval_method"].is_null(), "{none}");
}

#[test]
fn intervals_that_cannot_be_made_are_refused_before_anything_is_done() {
    let sandbox = trained();
    sandbox.run(&["evaluate", "m", "--level", "95"]).code_is(2).says("the level of intervals is 95").says("0.95");
    sandbox.run(&["evaluate", "m", "--resamples", "1000000"]).code_is(2).says("more than 100,000");
}

#[test]
fn a_model_is_compared_with_another_on_the_same_rows() {
    let sandbox = trained();
    sandbox.run(&["train", "--model", "baseline"]).ok();
    sandbox.run(&["register", "run:last", "blind"]).ok();
    let better = sandbox.json(&["evaluate", "m", "--against", "blind", "--by", "group"]);
    let accuracy = &better["comparison"]["metrics"]["accuracy"];
    assert_eq!(accuracy["better"], true, "{accuracy}");
    assert_eq!(accuracy["test"], "mcnemar", "{accuracy}");
    assert!(number(&accuracy["p_value"]) < 0.01 && number(&accuracy["interval"]["low"]) > 0.0, "{accuracy}");
    assert_eq!(better["comparison"]["metrics"]["roc_auc"]["test"], "delong");
    assert_eq!(better["comparison"]["metrics"]["log_loss"]["test"], "paired_bootstrap");
    let rows = ["wins", "losses", "ties"].map(|key| number(&better["comparison"][key]));
    assert_eq!(rows.iter().sum::<f64>(), number(&better["rows"]));
    assert!(number(&better["comparison"]["flip_rate"]) > 0.1);
    assert_eq!(better["comparison"]["other_slices"].as_array().map(Vec::len), Some(2));
    let worse = sandbox.json(&["evaluate", "blind", "--against", "m", "--by", "group"]);
    let first = &worse["comparison"]["worse_slices"][0];
    assert_eq!([&first["value"], &first["metric"]], ["a", "roc_auc"], "{first}");
    assert_eq!(first["difference"]["better"], false, "{first}");
    assert_eq!(number(&worse["comparison"]["wins"]), number(&better["comparison"]["losses"]));
}

#[test]
fn models_that_cannot_be_compared_say_why() {
    let sandbox = trained();
    sandbox.write("other.csv", table(300, ["no", "maybe"]));
    sandbox.run(&["ingest", "other.csv", "--target", "label", "--key", "id"]).ok();
    let other = sandbox.json(&["train", "other", "--model", "tree"])["model"].clone();
    let other = other.as_str().expect("an id");
    sandbox.run(&["evaluate", "m", "--against", other]).code_is(2).says("lacks `yes`, and has `maybe`");
    sandbox.write("numbers.csv", table(300, ["0.5", "7.25"]));
    sandbox.run(&["ingest", "numbers.csv", "--target", "x", "--task", "regression", "--key", "id"]).ok();
    sandbox.run(&["train", "numbers", "--model", "linear"]).ok();
    sandbox
        .run(&["evaluate", "m", "--against", "run:last"])
        .code_is(2)
        .says("is a regression model, this one a binary");
}

#[test]
fn folds_have_intervals_wider_than_their_scatter_alone() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", table(600, ["no", "yes"]));
    sandbox.run(&["ingest", "t.csv", "--target", "label", "--key", "id"]).ok();
    let folds = &sandbox.json(&["train", "--model", "tree", "--folds", "5"])["folds"];
    let (mean, deviation) = (number(&folds["mean"]["accuracy"]), number(&folds["deviation"]["accuracy"]));
    let interval = &folds["interval"]["accuracy"];
    let (low, high) = (number(&interval["low"]), number(&interval["high"]));
    assert!((mean - low - (high - mean)).abs() < 1e-9 && low < mean, "{interval}");
    // t(4) = 2.776, and 1/5 + 1/4 under the root.
    let wanted = 2.776 * deviation * 0.45_f64.sqrt();
    assert!((high - mean - wanted).abs() < 0.05 * wanted, "{high} - {mean}, wanted {wanted}");
}
