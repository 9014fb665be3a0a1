//! `evaluate` by the binary: what a person sees, and the documents that it writes.

use crate::common::Sandbox;

/// Characters of a terminal.
const WIDTH: usize = 80;

fn trained(example: &str, target: &str, words: &[&str]) -> Sandbox {
    let sandbox = Sandbox::example(example);
    sandbox.write("mlops.toml", format!("[project]\nname = \"{example}\"\n"));
    sandbox.run(&["ingest", &format!("data/{example}.csv"), "--target", target]).ok();
    sandbox.run(&[&["train"], words].concat()).ok();
    sandbox
}

/// Demands that the view fits a terminal and ends with the verdict.
#[track_caller]
fn fits(out: &str, verdict: &str) {
    for line in out.lines() {
        assert!(line.chars().count() <= WIDTH, "{} characters: {line}", line.chars().count());
    }
    assert!(out.lines().count() < 90, "{} lines", out.lines().count());
    let last: Vec<&str> = out.lines().rev().take(2).collect();
    assert!(last[1].starts_with(&format!("verdict: {verdict};")), "{last:?}");
}

#[test]
fn a_glance_is_enough() {
    let sandbox = trained("titanic", "survived", &["--model", "logistic"]);
    let found =
        sandbox.run(&["evaluate", "--by", "gender,class", "--gate", "roc_auc >= 0.99", "--gate", "accuracy >= 0.1"]);
    let out = found.code_is(1).out;
    fits(&out, "fail");
    for part in [
        "roc_auc",
        "gender=female",
        "true \\ predicted",
        "1 of 2 gates do not hold",
        "test rows of titanic@v1",
        "fail roc_auc >= 0.99",
    ] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let all = sandbox.run(&["evaluate", "-v"]).ok().out;
    let few = sandbox.run(&["evaluate", "--gate", "accuracy >= 0.1"]).ok().out;
    assert!(few.lines().count() < all.lines().count() && few.contains("(-v, --json and --report have all)"), "{few}");
    fits(&few, "pass");
}

#[test]
fn documents_are_written_and_the_same_twice() {
    let sandbox = trained("titanic", "survived", &["--model", "boost", "--set", "trees=20"]);
    let words = [
        "evaluate",
        "--by",
        "gender",
        "--gate",
        "roc_auc >= 0.6",
        "--report",
        "a.html",
        "--report",
        "a.md",
        "--report",
        "a.json",
    ];
    let told = sandbox.run(&words).ok();
    assert!(told.err.contains("wrote a.html") && told.err.contains("wrote a.md"), "{}", told.err);
    let (page, comment) = (sandbox.read("a.html"), sandbox.read("a.md"));
    for part in [
        "id=\"gates\"",
        "id=\"metrics\"",
        "id=\"slices\"",
        "gender=female",
        "Confusion",
        "id=\"importance\"",
        "gains of splits",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && page.matches("<script").count() == 1);
    assert!(comment.starts_with("<!-- mlops evaluation titanic -->\n## PASS: "), "{comment}");
    assert!(comment.contains("| pass | roc_auc &#62;= 0.6 |"), "{comment}");
    let json: serde_json::Value = serde_json::from_str(&sandbox.read("a.json")).expect("JSON");
    assert_eq!(json["verdict"], "pass");
    sandbox
        .run(&["evaluate", "--by", "gender", "--gate", "roc_auc >= 0.6", "--report", "b.html", "--report", "b.md"])
        .ok();
    assert_eq!((page, comment), (sandbox.read("b.html"), sandbox.read("b.md")));
    sandbox.run(&["explain", "--repeats", "2", "--rows", "100"]).ok();
    sandbox.run(&["evaluate", "--report", "c.html"]).ok();
    assert!(sandbox.read("c.html").contains("gets when a column is shuffled"));
}

#[test]
fn numbers_have_documents_too() {
    let table: String = (0..300).map(|at| format!("{at},{},{}\n", at % 7, 3 * at + at % 7)).collect();
    let sandbox = Sandbox::with_repo();
    sandbox.write("t.csv", format!("a,b,y\n{table}"));
    sandbox.run(&["ingest", "t.csv", "--target", "y"]).ok();
    sandbox.run(&["train", "--model", "ridge"]).ok();
    fits(&sandbox.run(&["evaluate", "--report", "r.html", "--report", "r.md"]).ok().out, "none");
    assert!(sandbox.read("r.html").contains("rmse") && sandbox.read("r.md").contains("NO VERDICT"));
}

#[test]
fn another_ending_is_refused_before_anything_is_done() {
    let sandbox = trained("penguins", "species", &["--model", "tree"]);
    let runs = |sandbox: &Sandbox| sandbox.json(&["log", "--kind", "evaluate"])["runs"].as_array().map(Vec::len);
    for (file, says) in [("report.pdf", "html"), ("report.xml", "JUnit"), ("report", "ending")] {
        sandbox.run(&["evaluate", "--report", file]).code_is(2).says(says);
        assert!(!sandbox.path(file).exists());
    }
    assert_eq!(runs(&sandbox), Some(0), "nothing was judged");
    sandbox.run(&["evaluate", "--report", "no/such/folder.md"]).code_is(3).says("cannot write");
}
