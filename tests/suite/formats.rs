//! Bad input: a clear error that names the place, the exit code that fits, and a repository as it was.

use crate::common::Sandbox;
use crate::common::tables::loans;

/// Ingests `bytes` as `name` and demands exit code and words; the repository must be as before.
#[track_caller]
fn refused(name: &str, bytes: impl AsRef<[u8]>, more: &[&str], code: i32, says: &[&str]) {
    let sandbox = Sandbox::with_repo();
    sandbox.write("good.csv", loans(30));
    sandbox.run(&["ingest", "good.csv", "--target", "label"]).ok();
    let before = (sandbox.files(".mlops/objects"), sandbox.files(".mlops/refs"), sandbox.json(&["log", "--datasets"]));
    sandbox.write(name, bytes);
    let mut words = vec!["ingest", name];
    words.extend(more);
    let ran = sandbox.run(&words).code_is(code);
    for text in says {
        assert!(ran.err.contains(text), "`{text}` is not in:\n{}", ran.err);
    }
    let failed = sandbox.json(&["log", "--kind", "ingest"]);
    assert_eq!(failed["runs"][0]["state"], "failed", "the failure is on record");
    let after = (sandbox.files(".mlops/objects"), sandbox.files(".mlops/refs"), sandbox.json(&["log", "--datasets"]));
    assert_eq!(after.2, before.2);
    // The record of the failed run is the only thing that may have come.
    assert_eq!(after.0.len(), before.0.len() + 1, "{:#?}", after.0);
    assert_eq!(after.1, before.1);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn an_empty_file_a_folder_and_nothing_at_all_are_refused_before_a_run_starts() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("empty.csv", "");
    sandbox.write("folder.csv/inner", "x");
    sandbox.run(&["ingest", "empty.csv"]).code_is(2).says("is empty");
    sandbox.run(&["ingest", "folder.csv"]).code_is(2).says("no tables in the folder");
    sandbox.run(&["ingest", "none.csv"]).code_is(3).says("none.csv");
    assert_eq!(sandbox.json(&["log"])["runs"], serde_json::json!([]));
}

#[test]
fn tables_that_are_none_are_refused() {
    refused("header.csv", "a,b,c\n", &[], 2, &["header.csv"]);
    refused("ragged.csv", "a,b\n1,2\n3,4,5\n6,7\n", &[], 2, &["ragged.csv", "3"]);
    refused("twice.csv", "a,b,a\n1,2,3\n", &[], 2, &["`a`"]);
    refused("unnamed.csv", "a,,c\n1,2,3\n", &[], 2, &["unnamed.csv"]);
    refused("bytes.csv", b"a,b\n1,caf\x81\n", &[], 2, &["UTF-8"]);
    refused("nul.csv", b"a,b\n1,\0\0\0\n", &[], 2, &["nul.csv"]);
    refused("short.parquet", b"PAR1 and then nothing", &[], 2, &["short.parquet"]);
    refused("quote.csv", "a,b\n1,\"never closed\n2,3\n", &[], 2, &["quote.csv"]);
}

#[test]
fn targets_that_cannot_be_predicted_are_refused() {
    refused("t.csv", "a,y\n1,2\n3,4\n", &["--target", "z"], 2, &["unknown column `z`", "known: a, y"]);
    refused("constant.csv", "a,y\n1,same\n2,same\n3,same\n", &["--target", "y"], 2, &["y"]);
    refused("missing.csv", "a,y\n1,\n2,\n3,\n", &["--target", "y"], 2, &["y"]);
    refused("type.csv", "a,y\n1,x\nword,x\n", &["--type", "a=integer"], 2, &["`a`", "word"]);
}

#[test]
fn a_line_of_a_gigabyte_fails_fast() {
    let sandbox = Sandbox::with_repo();
    let file = std::fs::File::create(sandbox.path("line.csv")).expect("writable");
    file.set_len(1 << 30).expect("a sparse file");
    let started = std::time::Instant::now();
    sandbox.run(&["ingest", "line.csv"]).code_is(2).says("line.csv");
    // One letter, over and over: no NUL gives it away, only the length of the line does.
    let mut text = b"a,b\n".to_vec();
    text.resize(200 << 20, b'x');
    sandbox.write("letters.csv", &text);
    sandbox.run(&["ingest", "letters.csv"]).code_is(2).says("letters.csv");
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    assert_eq!(sandbox.json(&["log", "--datasets"])["datasets"], serde_json::json!([]));
}

/// Types of the columns after ingesting `text`, and what was guessed.
fn types(text: &str, more: &[&str]) -> (Vec<String>, String) {
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", text);
    let mut words = vec!["ingest", "t.csv", "--json"];
    words.extend(more);
    let report = sandbox.run(&words).ok().data();
    sandbox.run(&["validate", "--init"]).ok();
    let schema = sandbox.read("schema.toml");
    let types =
        schema.lines().filter_map(|line| line.strip_prefix("type = ")).map(|name| name.trim_matches('"').to_owned());
    (types.collect(), report["guesses"].to_string())
}

#[test]
fn types_come_from_the_whole_file() {
    let mut text = "a,b,c,d,e,f\n".to_owned();
    for row in 0..50_000 {
        text.push_str(&format!("{row},00{row},1.5,true,2026-01-02,2026-01-02T03:04:05Z\n"));
    }
    text.push_str("word,7,2,false,2026-01-03,2026-01-02T03:04:05Z\n");
    let (found, guesses) = types(&text, &[]);
    assert_eq!(found, ["text", "text", "float", "boolean", "date", "timestamp"]);
    assert!(guesses.contains("`b`") && guesses.contains("zero"), "{guesses}");
}

#[test]
fn dialects_of_csv_are_read() {
    assert_eq!(types("a;b\n1;x\n2;y\n", &[]).0, ["integer", "text"]);
    assert_eq!(types("a\tb\r\n1\tx\r\n2\ty", &[]).0, ["integer", "text"]);
    assert_eq!(types("\u{feff}a,b\n1,\"x\ny\"\n2,\"say \"\"hi\"\"\"\n", &[]).0, ["integer", "text"]);
    assert_eq!(types("1,x\n2,y\n", &["--no-header"]).0, ["integer", "text"]);
    assert_eq!(types("a,b\n\"1\",x\n-,y\n", &["--null", "-"]).0, ["integer", "text"]);
}

#[test]
fn what_goes_in_comes_out() {
    let sandbox = Sandbox::with_repo();
    let text = "id,size,note,label\n1,0.1,\"a, b\",yes\n2,,\"say \"\"hi\"\"\",no\n3,1e300,é,yes\n4,-5,plain,no\n";
    sandbox.write("t.csv", text);
    sandbox.run(&["ingest", "t.csv", "--target", "label"]).ok();
    sandbox.run(&["train", "--model", "baseline", "--test", "0", "--validation", "0"]).ok();
    sandbox.run(&["predict", "run:last", "t.csv", "-o", "out.csv", "--keep", "id,size,note,label"]).ok();
    let kept: Vec<String> = sandbox
        .read("out.csv")
        .lines()
        .map(|line| line.rsplitn(4, ',').last().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(kept[1], "1,0.1,\"a, b\",yes");
    assert_eq!(kept[2], "2,,\"say \"\"hi\"\"\",no");
    assert!(kept[3].starts_with("3,1e300,é") || kept[3].starts_with("3,1e+300,é"), "{}", kept[3]);
}

#[test]
fn twenty_thousand_columns_are_a_table() {
    let names: Vec<String> = (0..20_000).map(|column| format!("c{column}")).collect();
    let row = vec!["1"; 20_000].join(",");
    let sandbox = Sandbox::with_repo();
    sandbox.write("wide.csv", format!("{}\n{row}\n{row}\n", names.join(",")));
    assert_eq!(sandbox.json(&["ingest", "wide.csv"])["columns"], 20_000);
}
