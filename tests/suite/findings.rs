//! What `validate` notices beyond rules, and the documents that say it: leaks, drift, overlap, pages and annotations.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::loans;

/// Codes of the findings of a report, with their columns.
fn codes(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    findings
        .map(|finding| {
            format!("{}:{}", finding["code"].as_str().unwrap_or(""), finding["column"].as_str().unwrap_or("-"))
        })
        .collect()
}

fn rentals(rows: u64, shift: u64) -> String {
    let mut text = "casual,registered,humidity,rentals\n".to_owned();
    for row in 0..rows {
        let noise = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let (casual, registered) = (noise % 41 + shift, noise / 41 % 173 + shift);
        text.push_str(&format!("{casual},{registered},{},{}\n", noise % 101, casual + registered));
    }
    text
}

#[test]
fn a_sum_that_gives_the_target_away_is_found_and_can_be_accepted() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("r.csv", rentals(500, 0));
    sandbox.run(&["ingest", "r.csv", "--target", "rentals"]).ok();
    sandbox.run(&["validate", "--init"]).ok();
    let found = codes(&sandbox.json(&["validate"]));
    assert!(found.iter().any(|code| code.starts_with("LEAKAGE:")), "{found:?}");
    assert!(!codes(&sandbox.json(&["validate", "--rules-only"])).iter().any(|code| code.starts_with("LEAKAGE:")));
    sandbox.run(&["validate", "--fail-on", "warning"]).code_is(1);
    sandbox.run(&["validate", "--accept", "LEAKAGE"]).ok();
    let found = codes(&sandbox.json(&["validate"]));
    assert!(!found.iter().any(|code| code.starts_with("LEAKAGE:")), "{found:?}");
}

#[test]
fn drift_against_another_version_stops_a_merge_and_is_drawn() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("r.csv", rentals(2000, 0));
    sandbox.run(&["ingest", "r.csv"]).ok();
    sandbox.run(&["validate", "--init"]).ok();
    sandbox.write("r.csv", rentals(2000, 60));
    sandbox.run(&["ingest", "r.csv"]).ok();
    let same = sandbox.json(&["diff", "r@v1", "r@v1", "--drift"]);
    assert_eq!((&same["drift"]["drifted"], &same["same"]), (&false.into(), &true.into()));
    let drift = sandbox.json(&["diff", "r@v1", "r@v2", "--drift"]);
    assert_eq!(drift["drift"]["drifted"], true, "{drift:#}");
    let words =
        ["validate", "--against", "r@v1", "--report", "q.html", "--report", "q.xml", "--report", "q.md", "--json"];
    let report = sandbox.run(&words).code_is(1).data();
    let found = codes(&report);
    assert!(found.contains(&"DATASET_DRIFT:-".to_owned()), "{found:?}");
    assert!(found.contains(&"COLUMN_DRIFT:casual".to_owned()), "{found:?}");
    let of_casual = report["findings"]
        .as_array()
        .and_then(|all| all.iter().find(|finding| finding["code"] == "COLUMN_DRIFT" && finding["column"] == "casual"));
    let bins = of_casual.map(|finding| finding["histograms"]["labels"].as_array().map_or(0, Vec::len));
    assert!(bins.is_some_and(|bins| bins > 1), "both histograms are there: {of_casual:?}");
    assert!(sandbox.read("q.html").contains("COLUMN_DRIFT") && sandbox.read("q.md").contains("COLUMN_DRIFT"));
    assert!(sandbox.read("q.xml").starts_with("<?xml") && sandbox.read("q.xml").contains("<failure"));
    let annotated = sandbox.run(&["validate", "--against", "r@v1", "--annotate"]).code_is(1);
    assert!(annotated.out.contains("::error file=schema.toml"), "{}", annotated.out);
    sandbox.run(&["validate", "--report", "q.pdf"]).code_is(2);
}

#[test]
fn rows_that_training_has_seen_are_found() {
    let sandbox = Sandbox::with_repo();
    let table = loans(60);
    sandbox.write("train.csv", &table);
    let lines: Vec<&str> = table.lines().collect();
    sandbox.write("test.csv", format!("{}\n{}\n", lines[0], lines[40..].join("\n")));
    sandbox.run(&["ingest", "train.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["validate", "--init"]).ok();
    sandbox.run(&["ingest", "test.csv", "--target", "label", "--key", "id"]).ok();
    let found = codes(&sandbox.json(&["validate", "test", "--overlap", "train"]));
    assert!(found.iter().any(|code| code.starts_with("TRAIN_TEST_OVERLAP")), "{found:?}");
}

#[test]
fn a_profile_is_a_page_without_network() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", loans(80));
    let shown = sandbox.run(&["ingest", "t.csv", "--target", "label", "--profile", "--report", "p.html"]).ok();
    assert!(shown.out.contains("label"), "{}", shown.out);
    let page = sandbox.read("p.html");
    assert!(page.contains("<svg") && !page.contains("src=\"http") && !page.contains("href=\"http"));
    sandbox.write("t.csv", loans(90));
    sandbox.run(&["ingest", "t.csv", "--report", "p.html"]).ok();
    assert!(sandbox.read("p.html").contains("t@v1"), "the version before is laid beside it");
    sandbox.run(&["log", "--datasets", "t", "--profile", "--against", "t@v1", "--report", "q.html"]).ok();
    sandbox.run(&["log", "--datasets", "t", "--profile", "--report", "q.csv"]).code_is(2);
}
