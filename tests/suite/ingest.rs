//! Raw files into versions: several files, appended rows, what they cost, and what is never stored twice.

use std::fmt::Write as _;

use crate::common::Sandbox;

/// `rows` rows of id, number, word from `start` on; deterministic and not compressible to nothing.
fn rows(start: u64, rows: u64) -> String {
    let mut text = String::new();
    for id in start..start + rows {
        let noise = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        let _ = writeln!(text, "{id},{}.{:04},w{},{}", noise % 1000, noise % 9973, noise % 37, noise % 100_003);
    }
    text
}

const HEADER: &str = "id,value,word,amount\n";

#[test]
fn several_files_are_one_table_in_the_order_given() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("b.csv", format!("{HEADER}{}", rows(0, 50)));
    sandbox.write("a.csv", format!("{HEADER}{}", rows(50, 50)));
    let report = sandbox.json(&["ingest", "b.csv", "a.csv", "--name", "t"]);
    assert_eq!((&report["rows"], &report["files"], &report["version"]), (&100.into(), &2.into(), &1.into()));
    let again = sandbox.json(&["ingest", "b.csv", "a.csv", "--name", "t"]);
    assert_eq!(again["unchanged"], true);
    // Another order is another table.
    assert_eq!(sandbox.json(&["ingest", "a.csv", "b.csv", "--name", "t"])["version"], 2);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn files_with_other_columns_are_joined_by_name_and_it_is_said() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("a.csv", "x,y\n1,2\n3,4\n");
    sandbox.write("b.csv", "y,z\n5.5,word\n");
    let report = sandbox.json(&["ingest", "a.csv", "b.csv", "--name", "t"]);
    assert_eq!((&report["rows"], &report["columns"]), (&3.into(), &3.into()));
    let guesses = report["guesses"].to_string();
    assert!(guesses.contains("`x` is not in every file") && guesses.contains("`z` is not in every file"), "{guesses}");
}

#[test]
fn append_adds_a_version_whose_types_hold_for_all_rows() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("first.csv", "id,n\n1,10\n2,20\n");
    sandbox.write("second.csv", "id,n\n3,30.5\n");
    sandbox.run(&["ingest", "first.csv", "--name", "t", "--key", "id"]).ok();
    let report = sandbox.json(&["ingest", "second.csv", "--name", "t", "--append"]);
    assert_eq!((&report["rows"], &report["files"], &report["version"]), (&3.into(), &2.into(), &2.into()));
    sandbox.run(&["validate", "--init"]).ok();
    let text = sandbox.read("schema.toml");
    assert!(text.contains("type = \"float\""), "{text}");
    // A step that runs twice does not double its rows.
    let again = sandbox.run(&["ingest", "second.csv", "--name", "t", "--append"]).ok();
    assert!(again.err.contains("already part of the dataset"), "{}", again.err);
    assert_eq!(sandbox.json(&["log", "--datasets"])["datasets"][0]["version"], 2);
    // The table can be made again from all raw files: damage every object in turn, the table is among them.
    let mut rebuilt = 0;
    for object in sandbox.files(".mlops/objects") {
        let path = sandbox.path(&object);
        let hidden = path.with_extension("hidden");
        std::fs::rename(&path, &hidden).expect("the sandbox is writable");
        rebuilt += usize::from(sandbox.run(&["validate"]).err.contains("rebuilding it from the raw file"));
        std::fs::rename(&hidden, &path).expect("the sandbox is writable");
    }
    // The tables of both versions are objects; only that of the newest is read.
    assert_eq!(rebuilt, 1);
}

#[test]
fn one_percent_more_rows_cost_less_than_five_percent_more_bytes() {
    let sandbox = Sandbox::with_repo();
    let whole = 600_000;
    let base = format!("{HEADER}{}", rows(0, whole));
    sandbox.write("t.csv", &base);
    let first = sandbox.json(&["ingest", "t.csv"])["stored_bytes"].as_u64().expect("a number");
    // The same file with rows at its end, and a file of its own for the rows: both share what was there.
    sandbox.write("t.csv", format!("{base}{}", rows(whole, whole / 100)));
    let grown = sandbox.json(&["ingest", "t.csv"])["stored_bytes"].as_u64().expect("a number");
    sandbox.write("more.csv", format!("{HEADER}{}", rows(whole + whole / 100, whole / 100)));
    let appended = sandbox.json(&["ingest", "more.csv", "--name", "t", "--append"]);
    let appended = appended["stored_bytes"].as_u64().expect("a number");
    // A row group of this narrow table is a tenth of it, so the bound here is that tenth; wide tables of 200 MB stay
    // below five percent (benches/README.md).
    assert!(grown * 7 < first && appended * 7 < first, "first {first}, grown {grown}, appended {appended}");
}
