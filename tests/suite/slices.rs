//! On whom a model is judged: slices asked for, slices found, and what is odd about the rows.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::common::Sandbox;

/// `id,sex,plan,age,city,joined,x,label`: the label follows `x`, but for women with a gold plan it is a coin's.
fn customers(rows: usize, salt: u64) -> String {
    let mut text = "id,sex,plan,age,city,joined,x,label\n".to_owned();
    let mut state = 88_172_645_463_325_252 ^ salt;
    let mut draw = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) % bound
    };
    for id in 0..rows {
        let sex = ["F", "M", "F", "M", "F", "M", "F", "M", "F", ""][draw(10) as usize];
        let plan = ["basic", "plus", "gold"][draw(3) as usize];
        let (age, city, month, x) = (18 + draw(70), draw(12), 1 + draw(6), draw(10_000));
        let chance = draw(100);
        let label = match (sex, plan) {
            ("F", "gold") => chance < 50,
            _ => (x > 5_000) ^ (chance < 4),
        };
        let x = x as f64 / 100.0;
        writeln!(text, "{id},{sex},{plan},{age},c{city},2025-{month:02}-11,{x},{}", if label { "yes" } else { "no" })
            .expect("memory");
    }
    text
}

/// A folder with a model of 3,000 customers.
fn trained() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("customers.csv", customers(3_000, 1));
    sandbox.run(&["ingest", "customers.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "boost"]).ok();
    sandbox
}

/// `COLUMN=VALUE` of the slices under `key`.
fn names(report: &Value, key: &str) -> Vec<String> {
    let slices = report[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    slices.iter().map(|slice| format!("{}={}", text(&slice["column"]), text(&slice["value"]))).collect()
}

/// `CODE SEVERITY ROWS` of each finding.
fn findings(report: &Value) -> Vec<String> {
    let found = report["findings"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    found
        .iter()
        .map(|finding| format!("{} {} {}", text(&finding["code"]), text(&finding["severity"]), finding["rows"]))
        .collect()
}

#[test]
fn rows_are_divided_as_the_command_line_and_the_project_file_say() {
    let sandbox = trained();
    let by = "sex,bins(age, 3),sex * plan,age >= 60 AND sex IN ('F', 'M')";
    let report = sandbox.json(&["evaluate", "--by", by, "--by", "joined", "--worst", "0"]);
    let found = names(&report, "slices");
    assert_eq!(found[..3], ["sex=F", "sex=M", "sex=(missing)"]);
    assert!(found[3].starts_with("bins(age, 3)=< ") && found[4].starts_with("bins(age, 3)=["), "{found:?}");
    assert_eq!(found.iter().filter(|name| name.starts_with("sex * plan=")).count(), 9);
    assert!(found.contains(&"sex * plan=F * gold".to_owned()));
    assert!(found.contains(&"age >= 60 AND sex IN ('F', 'M')=yes".to_owned()));
    assert!(found.contains(&"joined=2025-03-11".to_owned()), "{found:?}");
    let slices = report["slices"].as_array().expect("slices");
    let crossed = slices.iter().filter(|slice| slice["column"] == "sex * plan");
    let total: Option<u64> = crossed.map(|slice| slice["rows"].as_u64()).sum();
    assert_eq!(total, report["rows"].as_u64(), "every row is in one slice");
    assert!(slices.iter().all(|slice| slice["metrics"]["accuracy"].is_f64()), "{slices:?}");
    assert!(report.get("worst_slices").is_none());
    // The same from the file; a flag takes its place.
    sandbox.write("mlops.toml", "[evaluate]\nslices = [\"sex\", \"bins(age, 3)\"]\nworst = 0\nslice_rows_min = 150\n");
    let report = sandbox.json(&["evaluate"]);
    assert_eq!(names(&report, "slices")[..2], ["sex=F", "sex=M"]);
    assert_eq!(names(&report, "slices").len(), 5, "the slice without a value is small");
    assert_eq!(names(&sandbox.json(&["evaluate", "--by", "plan"]), "slices").len(), 3);
    sandbox.run(&["evaluate"]).ok().says("`sex`: 1 slice of fewer than 150 rows left out");
    let report = sandbox.json(&["evaluate", "--min-slice", "1000000"]);
    assert!(report.get("slices").is_none(), "{report:#}");
}

#[test]
fn what_is_no_slice_says_so_before_anything_is_measured() {
    let sandbox = trained();
    let check = |by: &str, wanted: &str| sandbox.run(&["evaluate", "--by", by]).code_is(2).says(wanted);
    check("agee", "did you mean `age`?");
    check("sex * plam", "did you mean `plan`?");
    check("bins(agee, 4)", "did you mean `age`?");
    check("bins(sex, 4)", "bins are of numbers or times");
    check("bins(age, 1)", "from 2 to 100");
    check("agee > 3", "did you mean `age`?");
    check("age > 'x", "cannot be used");
    check("sum(age) > 3", "an aggregate");
    check("sex * plan * city * age", "crosses 4 parts");
}

#[test]
fn the_worst_slice_is_found_without_being_named() {
    let sandbox = trained();
    let report = sandbox.json(&["evaluate", "--on", "customers"]);
    let found = names(&report, "worst_slices");
    assert_eq!(found, ["sex * plan=F * gold"]);
    let worst = &report["worst_slices"][0];
    assert!(worst["rows"].as_u64() > Some(300) && worst["metrics"]["roc_auc"].as_f64() < Some(0.9), "{worst:#}");
    assert!(worst["metrics"]["accuracy"].as_f64() < report["metrics"]["accuracy"].as_f64());
    let again = sandbox.json(&["evaluate", "--on", "customers"]);
    assert_eq!(again["worst_slices"], report["worst_slices"]);
    // What was found can be asked for by its name.
    let asked = sandbox.json(&["evaluate", "--on", "customers", "--by", "sex * plan", "--worst", "0"]);
    let same = asked["slices"].as_array().and_then(|all| all.iter().find(|slice| slice["value"] == "F * gold"));
    assert_eq!(same.map(|slice| &slice["metrics"]), Some(&worst["metrics"]));
}

#[test]
fn rows_that_training_has_seen_are_a_finding() {
    let sandbox = trained();
    let own = sandbox.json(&["evaluate"]);
    assert_eq!(findings(&own), [""; 0]);
    let whole = sandbox.json(&["evaluate", "--on", "customers"]);
    let training = own["rows"].as_u64().map_or(0, |_| whole["findings"][0]["rows"].as_u64().unwrap_or(0));
    assert_eq!(
        (&whole["findings"][0]["code"], &whole["findings"][0]["severity"]),
        (&json!("training_rows"), &json!("error"))
    );
    assert!((1_500..3_000).contains(&training), "{training}");
    sandbox.run(&["evaluate", "--on", "customers"]).ok().says("are the very rows that the model was fitted on");
    // The same rows in another file, with new numbers, and others beside them.
    let fresh = customers(600, 2);
    sandbox.write("fresh.csv", &fresh);
    sandbox.run(&["ingest", "fresh.csv", "--target", "label", "--key", "id"]).ok();
    assert_eq!(findings(&sandbox.json(&["evaluate", "--on", "fresh"])), [""; 0]);
    let old: Vec<String> = customers(3_000, 1).lines().skip(1).take(300).map(str::to_owned).collect();
    let mixed = format!("{fresh}{}\n", old.iter().map(|line| format!("9{line}")).collect::<Vec<_>>().join("\n"));
    sandbox.write("mixed.csv", mixed);
    sandbox.run(&["ingest", "mixed.csv", "--target", "label", "--key", "id"]).ok();
    let report = sandbox.json(&["evaluate", "--on", "mixed"]);
    let finding = &report["findings"][0];
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("overlap"), &json!("warning")), "{report:#}");
    assert!((150..300).contains(&finding["rows"].as_u64().unwrap_or(0)), "{finding}");
    sandbox.run(&["evaluate", "--on", "mixed"]).ok().says("equal a training row in every input and the target");
}

#[test]
fn rows_that_cannot_be_judged_are_counted_and_left_out() {
    let sandbox = trained();
    let ingest = |name: &str, text: String| {
        sandbox.write(&format!("{name}.csv"), text);
        sandbox.run(&["ingest", &format!("{name}.csv"), "--target", "label", "--key", "id"]).ok();
    };
    let plain = customers(400, 3);
    let relabel = |from: usize, to: usize, label: &str| {
        let line = |(at, line): (usize, &str)| match (from..to).contains(&at) {
            true => format!("{},{label}\n", line.rsplit_once(',').map_or("", |(start, _)| start)),
            false => format!("{line}\n"),
        };
        plain.lines().enumerate().map(line).collect::<String>()
    };
    ingest("odd", relabel(5, 17, "perhaps"));
    let report = sandbox.json(&["evaluate", "--on", "odd"]);
    assert_eq!(report["rows"], 388);
    assert_eq!(findings(&report), ["unseen_class error 12"]);
    sandbox.run(&["evaluate", "--on", "odd"]).ok().says("`perhaps` (12 rows)").says("wrong on each of them");
    ingest("unknown", relabel(5, 17, ""));
    assert_eq!(findings(&sandbox.json(&["evaluate", "--on", "unknown"])), ["missing_truth info 12"]);
    sandbox.write("strange.csv", relabel(1, 401, "perhaps"));
    sandbox.run(&["ingest", "strange.csv"]).ok();
    sandbox.run(&["evaluate", "--on", "strange"]).code_is(2).says("a class that training never saw, as `perhaps`");
    ingest("few", plain.lines().take(13).collect::<Vec<_>>().join("\n"));
    assert_eq!(findings(&sandbox.json(&["evaluate", "--on", "few"])), ["small_sample warning 12"]);
    ingest("lacking", plain.replace("plan,age", "plam,ages"));
    sandbox
        .run(&["evaluate", "--on", "lacking"])
        .code_is(2)
        .says("lacks columns that the model reads: ")
        .says("`plam`");
    ingest("typed", plain.replace(",basic,", ",1,").replace(",plus,", ",2,").replace(",gold,", ",3,"));
    sandbox.run(&["evaluate", "--on", "typed"]).code_is(2).says("`plan` is integer, it was text");
    let without = plain.lines().map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        let age = if cells[0] == "id" { "age" } else { "" };
        format!("{},{},{},{age},{}\n", cells[0], cells[1], cells[2], cells[4..].join(","))
    });
    ingest("ageless", without.collect());
    assert_eq!(
        sandbox.json(&["evaluate", "--on", "ageless"])["rows"],
        400,
        "a column without values is missing values"
    );
}

#[test]
fn columns_that_give_the_answer_away_are_a_finding() {
    let sandbox = Sandbox::with_repo();
    let line = |(at, line): (usize, &str)| match (at, line.ends_with("yes")) {
        (0, _) => format!("paid,{line}\n"),
        (_, true) => format!("{},{line}\n", 100 + at % 7),
        (_, false) => format!("{},{line}\n", at % 7),
    };
    sandbox.write("told.csv", customers(900, 4).lines().enumerate().map(line).collect::<String>());
    sandbox.run(&["ingest", "told.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let report = sandbox.json(&["evaluate"]);
    assert_eq!(report["findings"][0]["code"], "leakage", "{report:#}");
    sandbox.run(&["evaluate"]).ok().says("column `paid` decides");
}

#[test]
fn numbers_clusters_and_anomalies_have_slices_too() {
    let sandbox = Sandbox::with_repo();
    let line = |(at, line): (usize, &str)| {
        let cells: Vec<&str> = line.split(',').collect();
        match (at, cells[2]) {
            (0, _) => format!("{line},price\n"),
            (_, "plus") => format!("{line},{}\n", (at * 7_919 % 1_000) as f64),
            _ => format!("{line},{}\n", 500.0 + cells[6].parse::<f64>().unwrap_or(0.0)),
        }
    };
    sandbox.write("prices.csv", customers(2_000, 5).lines().enumerate().map(line).collect::<String>());
    sandbox.run(&["ingest", "prices.csv", "--key", "id", "--target", "price", "--ignore", "label"]).ok();
    sandbox.run(&["train", "--model", "linear"]).ok();
    let report = sandbox.json(&["evaluate", "--on", "prices", "--by", "bins(price, 2)"]);
    assert_eq!(names(&report, "worst_slices"), ["plan=plus"]);
    assert_eq!(names(&report, "slices").len(), 2);
    assert!(report["slices"][0]["metrics"]["rmse"].is_f64());
    for task in ["clustering", "anomaly"] {
        let file = format!("{task}.csv");
        sandbox.write(&file, customers(500, 6));
        sandbox.run(&["ingest", &file, "--key", "id", "--task", task, "--ignore", "label"]).ok();
        sandbox.run(&["train"]).ok();
        let report = sandbox.json(&["evaluate", "--by", "sex * plan"]);
        assert_eq!(names(&report, "slices").len(), 9, "{task}");
    }
}
