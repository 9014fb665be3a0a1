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

#[test]
fn a_reviewed_schema_wins_over_inference_where_the_values_allow() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", "zip,n\n12345,1\n23456,2\n");
    sandbox.run(&["ingest", "t.csv"]).ok();
    let columns = [("zip", "text"), ("n", "integer")]
        .map(|(name, of)| format!("[[column]]\nname = \"{name}\"\ntype = \"{of}\"\n"));
    sandbox.write("schema.toml", format!("version = 1\n{}", columns.concat()));
    let report = sandbox.json(&["ingest", "t.csv"]);
    assert_eq!((&report["version"], &report["unchanged"]), (&2.into(), &false.into()));
    sandbox.run(&["validate"]).ok();
    // A column that cannot be what the schema says is read as it is, said, and found by validation.
    sandbox.write("t.csv", "zip,n\n12345,one\n23456,2\n");
    let ran = sandbox.run(&["ingest", "t.csv"]).ok();
    assert!(ran.err.contains("`n`: the schema says integer"), "{}", ran.err);
    sandbox.run(&["validate"]).code_is(1);
}

#[test]
fn folders_patterns_windows_and_standard_input_are_sources() {
    use std::io::Write as _;
    use std::process::Stdio;
    let sandbox = Sandbox::with_repo();
    for day in 1..=5 {
        sandbox.write(&format!("log/2026-01-0{day}.csv"), format!("day,n\n2026-01-0{day},{day}\n"));
    }
    assert_eq!(sandbox.json(&["ingest", "log", "--name", "all"])["rows"], 5);
    assert_eq!(sandbox.json(&["ingest", "log/*-0[12].csv", "--name", "glob"])["rows"], 2);
    let window = ["ingest", "log/{YYYY}-{MM}-{DD}.csv", "--window", "3d", "--name", "window"];
    let report = sandbox.json(&window);
    assert_eq!((&report["rows"], &report["files"]), (&3.into(), &3.into()));
    assert_eq!(sandbox.json(&window)["unchanged"], true);
    sandbox.run(&["ingest", "nothing/*.csv", "--name", "t"]).code_is(3);
    let mut child = sandbox.command(&["ingest", "-", "--name", "piped", "--json"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    child.stdin.take().expect("piped").write_all(b"a,b\n1,2\n3,4\n").expect("it reads");
    let out = child.wait_with_output().expect("it ends");
    assert!(String::from_utf8_lossy(&out.stdout).contains("\"rows\":2"), "{}", String::from_utf8_lossy(&out.stdout));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn packed_foreign_and_recoded_files_are_tables() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.jsonl", "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2.5, \"b\": \"007\"}\n");
    let report = sandbox.json(&["ingest", "t.jsonl"]);
    assert_eq!((&report["rows"], &report["columns"]), (&2.into(), &2.into()));
    assert_eq!(sandbox.json(&["ingest", "t.jsonl"])["unchanged"], true);
    sandbox.write("u.csv", "a,b\n1,é\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    assert_eq!(sandbox.json(&["ingest", "u.csv"])["rows"], 1);
    // JSON after CSV: each file is read in its own way, also when the table is made again.
    sandbox.write("first.csv", "a,b\n9,z\n");
    sandbox.run(&["ingest", "first.csv", "--name", "t", "--append"]).ok();
    assert_eq!(sandbox.json(&["ingest", "first.csv", "--name", "t", "--append"])["rows"], 3);
    sandbox.run(&["ingest", "postgres://me:secret@127.0.0.1:1/db?table=t", "--name", "p"]).code_is(3);
    let runs = sandbox.run(&["log", "--json", "-n", "1"]).ok();
    assert!(!runs.out.contains("secret"), "{}", runs.out);
    sandbox.run(&["fsck"]).ok();
}
