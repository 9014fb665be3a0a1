//! `diff`: two datasets, runs and models through the binary.

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::tables::loans;

const OLD: &str = "id,size,color\n1,10,red\n2,20,green\n3,,blue\n4,40,red\n";
const NEW: &str = "id,size,color,note\n4,40,red,a\n2,20.5,green,b\n3,30,blue,c\n5,50,red,d\n";

/// Two versions of one dataset, `t@v1` and `t@v2`.
fn two(old: &str, new: &str, flags: &[&str]) -> Sandbox {
    let sandbox = Sandbox::with_repo();
    for text in [old, new] {
        sandbox.write("t.csv", text);
        sandbox.run(&[&["ingest", "t.csv"], flags].concat()).ok();
    }
    sandbox
}

#[test]
fn datasets_by_their_statistics() {
    let sandbox = two(OLD, NEW, &[]);
    let data = sandbox.json(&["diff", "t@v1", "t@v2"]);
    assert_eq!((&data["of"], &data["same"]), (&json!("datasets"), &json!(false)));
    assert_eq!(data["rows"], json!({ "old": 4, "new": 4 }));
    assert_eq!(data["columns"]["added"], json!([{ "name": "note", "type": "text" }]));
    assert_eq!(data["columns"]["retyped"], json!([{ "name": "size", "old": "integer", "new": "float" }]));
    assert!(data["statistics"].as_array().is_some_and(|all| all.iter().any(|of| of["column"] == "size")));
    assert!(data.get("row_changes").is_none(), "rows are only compared when asked for");
    let text = sandbox.run(&["diff", "t@v1", "t@v2"]).ok().out;
    for word in ["t@v1 → t@v2: 4 rows", "+ column note (text)", "~ column size integer → float", "--rows"] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

#[test]
fn rows_by_key_and_as_a_multiset() {
    let sandbox = two(OLD, NEW, &[]);
    let rows = sandbox.json(&["diff", "t@v1", "t@v2", "--rows", "--key", "id"])["row_changes"].clone();
    let counts = |rows: &Value| ["removed", "added", "changed", "unchanged"].map(|name| rows[name].as_u64());
    assert_eq!(counts(&rows), [Some(1), Some(1), Some(2), Some(1)]);
    assert_eq!(rows["changed_cells"], json!([{ "column": "size", "cells": 2 }]));
    assert_eq!(
        rows["changed_rows"][1],
        json!({ "old_row": 3, "new_row": 3, "key": { "id": "3" },
            "cells": [{ "column": "size", "old": null, "new": "30.0" }] })
    );
    assert_eq!(rows["removed_rows"][0]["values"], json!({ "id": "1", "size": "10", "color": "red" }));
    let rows = sandbox.json(&["diff", "t@v1", "t@v2", "--rows"])["row_changes"].clone();
    assert_eq!(counts(&rows), [Some(3), Some(3), Some(0), Some(1)]);
    let rows = sandbox.json(&["diff", "t@v1", "t@v2", "--rows", "--limit", "1"])["row_changes"].clone();
    assert_eq!((counts(&rows)[0], rows["removed_rows"].as_array().map(Vec::len)), (Some(3), Some(1)));
    let text = sandbox.run(&["diff", "t@v1", "t@v2", "--key", "id"]).ok().out;
    for word in [
        "rows by id: 1 removed, 1 added, 2 changed, 1 unchanged",
        "- row 1: id 1, color red, size 10",
        "+ row 4: id 5, color red, note d, size 50.0",
        "~ row 3, id 3: size (missing) → 30.0",
    ] {
        assert!(text.contains(word), "{word} is not in:\n{text}");
    }
}

#[test]
fn the_recorded_key_is_used_and_its_repeats_are_said() {
    let sandbox = two("id,a\n1,x\n2,y\n", "id,a\n2,y\n1,z\n1,w\n", &["--key", "id"]);
    let ran = sandbox.run(&["diff", "t@v1", "t@v2", "--rows", "--json"]).ok().says("1 row of t@v2 repeat");
    let rows = ran.data()["row_changes"].clone();
    assert_eq!(rows["key"], json!(["id"]));
    assert_eq!(rows["repeated_keys"], json!({ "old": 0, "new": 1 }));
    assert_eq!((&rows["changed"], &rows["added"], &rows["unchanged"]), (&json!(1), &json!(1), &json!(1)));
}

#[test]
fn the_exit_code_says_whether_anything_differs() {
    let sandbox = two("id,a\n1,x\n2,y\n", "id,a\n2,y\n1,x\n", &[]);
    sandbox.run(&["diff", "t@v1", "t@v1", "--exit-code"]).ok();
    // Another order is another table, but not other rows.
    sandbox.run(&["diff", "t@v1", "t@v2", "--exit-code"]).code_is(1);
    sandbox.run(&["diff", "t@v1", "t@v2", "--exit-code", "--rows"]).ok();
    sandbox.run(&["diff", "t@v1", "t@v2"]).ok();
    for (words, says) in [
        (&["diff", "t@v1", "t@v9"][..], "its versions are v1 to v2"),
        (&["diff", "t@v1", "u"], "unknown dataset, model or run `u`"),
        (&["diff", "t@v1", "t@v2", "--rows", "--key", "idd"], "did you mean `id`?"),
        (&["diff", "t@v1", "t@v2", "--key", "id,id"], "twice"),
        (&["diff", "t@v1"], "<B>"),
    ] {
        sandbox.run(words).code_is(2).says(says);
    }
}

#[test]
fn differing_rows_can_be_kept() {
    let sandbox = two(OLD, NEW, &["--key", "id"]);
    sandbox.run(&["diff", "t@v1", "t@v2", "-o", "changed.csv", "--limit", "0"]).ok();
    let wanted = "change,id,size,color\nremoved,1,10.0,red\nold,2,20.0,green\nnew,2,20.5,green\nold,3,,blue\n\
                  new,3,30.0,blue\nadded,5,50.0,red\n";
    assert_eq!(sandbox.read("changed.csv"), wanted);
    sandbox.run(&["diff", "t@v1", "t@v2", "-o", "changed.parquet"]).ok();
    assert!(sandbox.path("changed.parquet").is_file());
    sandbox.run(&["diff", "t@v1", "t@v2", "-o", "nowhere/changed.csv"]).code_is(3);
}

#[test]
fn roles_are_part_of_a_dataset() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", OLD);
    sandbox.run(&["ingest", "t.csv", "--target", "color"]).ok();
    sandbox.run(&["ingest", "t.csv", "--target", "size"]).ok();
    let data = sandbox.json(&["diff", "t@v1", "t@v2", "--rows"]);
    assert_eq!(data["roles"][0], json!({ "role": "target", "old": "color", "new": "size" }));
    assert_eq!((&data["same"], &data["row_changes"]["changed"]), (&json!(false), &json!(0)));
}

#[test]
fn runs_and_models_side_by_side() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(200));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    let train = |depth: &str| {
        let data = sandbox.json(&["train", "--model", "tree", "--set", depth]);
        (data["run"].as_str().expect("a run").to_owned(), data["model"].as_str().expect("a model").to_owned())
    };
    let ((first, old), (_, new)) = (train("depth=1"), train("depth=4"));
    let find = |data: &Value, group: &str, name: &str| {
        let lines = data["lines"].as_array().cloned().unwrap_or_default();
        lines.into_iter().find(|line| line["group"] == group && line["name"] == name).unwrap_or_default()
    };
    let data = sandbox.json(&["diff", &format!("run:{first}"), "run:last"]);
    assert_eq!((&data["of"], &data["same"]), (&json!("runs"), &json!(false)));
    let depth = data["lines"].as_array().and_then(|all| {
        all.iter().find(|line| line["group"] == "params" && line["name"].as_str().is_some_and(|n| n.contains("depth")))
    });
    let depth = depth.unwrap_or_else(|| panic!("no depth in {data}"));
    assert_eq!((&depth["old"], &depth["new"], &depth["difference"]), (&json!(1), &json!(4), &json!(3.0)));
    assert_eq!(find(&data, "what", "kind")["same"], json!(true));
    assert!(find(&data, "inputs", "dataset")["old"].as_str().is_some_and(|text| text.contains("loans@v1")));
    let data = sandbox.json(&["diff", &old, &new]);
    assert_eq!(data["of"], json!("models"));
    assert!(find(&data, "validation", "accuracy")["difference"].is_number(), "{data}");
    assert_eq!(find(&data, "made_from", "dataset")["same"], json!(true));
    // A run stands for its model, or its dataset, beside one of these.
    assert_eq!(sandbox.json(&["diff", &old, "run:last"])["new"]["id"], data["new"]["id"]);
    assert_eq!(sandbox.json(&["diff", "dataset:loans", "run:last"])["same"], json!(true));
    assert_eq!(sandbox.json(&["diff", "run:last", "run:last", "--exit-code"])["same"], json!(true));
    sandbox.run(&["diff", &old, "loans"]).code_is(2).says("is a model, `loans` is a dataset");
    let text = sandbox.run(&["diff", &format!("run:{first}"), "run:last"]).ok().out;
    assert!(text.contains("occasion.started") && text.contains("~"), "{text}");
}
