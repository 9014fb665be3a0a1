//! Asking for runs, failures and history; the state of the code.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common::{Ran, Sandbox};

/// Three manual runs, newest last.
fn runs() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    for (f1, trees, team) in [("0.95", "50", "fraud"), ("0.9", "200", "growth"), ("0.99", "300", "risk, all")] {
        let run = sandbox.json(&["log", "metric", &format!("f1={f1}"), "log_loss=0.3"]);
        let run = run["run"].as_str().expect("an id").to_owned();
        sandbox.run(&["log", "param", &format!("trees={trees}"), "--run", &run]).ok();
        sandbox.run(&["log", "tag", &format!("team={team}"), "--run", &run]).ok();
    }
    sandbox
}

fn column(sandbox: &Sandbox, words: &[&str], name: &str) -> Vec<Value> {
    let mut all = vec!["log", "--columns", name];
    all.extend(words);
    let data = sandbox.json(&all);
    let rows = data["runs"].as_array().expect("runs");
    rows.iter().map(|row| row[name].clone()).collect()
}

#[test]
fn runs_are_found_sorted_and_shown_in_columns() {
    let sandbox = runs();
    let found = |words: &[&str]| column(&sandbox, words, "params.trees");
    assert_eq!(found(&["--where", "metrics.f1 > 0.92", "--sort", "metrics.f1"]), [300, 50]);
    assert_eq!(found(&["--where", "metrics.f1 > 0.9 and params.trees >= 100 or tags.team = 'fraud'"]), [300, 50]);
    assert_eq!(found(&["--sort", "-f1", "-n", "1"]), [200]);
    assert_eq!(found(&["--sort", "log_loss, params.trees desc", "--offset", "1"]), [200, 50]);
    assert_eq!(found(&["--where", "started >= '2026-01-02T03:00:06Z'"]), [300]);
    assert_eq!(found(&["--since", "2026-01-02T03:00:04Z"]), [300, 200]);
    let all = sandbox.json(&["log", "--where", "metrics.f1 > 0.92"]);
    assert_eq!((all["matched"].as_u64(), all["runs"][0]["metrics"]["f1"].as_f64()), (Some(2), Some(0.99)));
    let shown = sandbox.run(&["log", "--where", "params.trees > 60", "-n", "1"]).ok().says("1 of 2 runs");
    assert!(shown.out.lines().next().is_some_and(|head| head.contains("params.trees")), "{}", shown.out);
    sandbox.run(&["log", "--where", "metrics.f1 > 2"]).ok().says("no run of which this holds");
}

#[test]
fn listings_come_as_values_and_as_markdown() {
    let sandbox = runs();
    let csv = sandbox.run(&["log", "--csv", "--sort", "f1"]).ok().out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "run,kind,stage,state,started,seconds,metrics.f1,params.trees,metrics.log_loss,tags.team");
    assert!(lines[1].ends_with(",,0.99,300,0.3,\"risk, all\""), "{}", lines[1]);
    assert_eq!(lines.len(), 4);
    let words = ["log", "--md", "--columns", "kind,metrics.*,tags.team", "--sort", "f1", "-n", "1"];
    let md = sandbox.run(&words).ok().out;
    let wanted = "| kind | metrics.f1 | metrics.log_loss | tags.team |\n| --- | ---: | ---: | --- |\n\
                  | manual | 0.9900 | 0.3000 | risk, all |\n";
    assert_eq!(md, wanted);
    sandbox.run(&["log", "--csv", "--md"]).code_is(2);
}

#[test]
fn what_cannot_be_asked_is_refused_with_a_hint() {
    let sandbox = runs();
    let refused = |words: &[&str], text: &str| sandbox.run(words).code_is(2).says(text);
    refused(&["log", "--where", "metrics.f2 > 1"], "known: f1, log_loss");
    refused(&["log", "--where", "f1 > 1"], "write `metrics.f1`");
    refused(&["log", "--where", "metrics.f1 >"], "at character 13");
    refused(&["log", "--kind", "trian"], "did you mean `train`?");
    refused(&["log", "--sort", "metrics.f9"], "known: f1, log_loss");
    refused(&["log", "--since", "soon"], "is not a time");
    refused(&["log", "--where", "tags.team = 'x'; drop table run"], "means nothing here");
    assert_eq!(column(&sandbox, &["--where", "tags.team = 'x'' or ''1'' = ''1'"], "run").len(), 0);
    sandbox.run(&["log", "--kind", "predict"]).ok();
}

#[test]
fn failures_are_shown_with_their_end_and_a_way_to_run_them_again() {
    let sandbox = Sandbox::with_repo();
    let cmd = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; exit 3";
    sandbox.write("mlops.toml", format!("[[stage]]\nname = \"report\"\ncmd = \"{cmd}\"\nouts = [\"report.txt\"]\n"));
    sandbox.run(&["run", "report"]).code_is(3);
    let shown = sandbox.run(&["log", "--errors"]).ok().out;
    for text in ["report failed", "exit code 3", "| line 39", "… 20 lines before this", "again: mlops run report"] {
        assert!(shown.contains(text), "`{text}` is not in:\n{shown}");
    }
    assert!(!shown.contains("| line 19\n"), "{shown}");
    assert!(sandbox.run(&["log", "--errors", "-v"]).ok().out.contains("| line 0\n"));
    let none = sandbox.json(&["log", "--errors", "--where", "exit_code = 4"]);
    assert_eq!((none["matched"].as_u64(), none["errors"].as_array().map(Vec::len)), (Some(0), Some(0)));
    let data = sandbox.json(&["log", "--errors", "--where", "stage = 'report'"]);
    assert_eq!(data["errors"][0]["again"], "mlops run report");
}

#[test]
fn the_audit_log_is_verified_line_by_line() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("a.csv", "x,y\n1,0\n2,1\n");
    sandbox.run(&["ingest", "a.csv", "--name", "a"]).ok();
    sandbox.write("a.csv", "x,y\n1,0\n2,1\n3,1\n");
    sandbox.run(&["ingest", "a.csv", "--name", "a"]).ok();
    let whole = sandbox.json(&["log", "--audit", "--verify"]);
    assert_eq!((whole["verdict"].as_str(), whole["lines"].as_u64()), (Some("whole"), Some(4)));
    sandbox.run(&["log", "--audit", "--model", "b"]).code_is(2).says("unknown model `b`");
    assert_eq!(sandbox.json(&["log", "--audit", "-n", "1"])["audit"][0]["seq"], 4);
    assert_eq!(sandbox.json(&["log", "--audit", "--since", "1h"])["matched"], 4);
    let written = sandbox.read(".mlops/audit.jsonl");
    let broken = |text: String, what: &str| {
        fs::write(sandbox.path(".mlops/audit.jsonl"), text).expect("writable");
        let ran = sandbox.run(&["log", "--audit", "--verify"]).code_is(1);
        assert!(ran.out.contains(what) && ran.out.contains("history: broken"), "`{what}` is not in:\n{}", ran.out);
    };
    broken(written.replacen("a@v1", "a@v9", 1), "line 2 does not follow from the line before it");
    let lines: Vec<&str> = written.lines().collect();
    broken(format!("{}\n{}\n{}\n", lines[0], lines[2], lines[3]), "line 2 does not follow");
    broken(format!("{}\n{}\n", lines[0], lines[1]), "unaudited_ref");
    broken(written.replacen("\"seq\":3", "\"seq\":x", 1), "line 3 of audit.jsonl cannot be read");
    sandbox.run(&["log", "--audit", "--verify", "--json"]).code_is(1);
}

fn git(sandbox: &Sandbox, words: &[&str]) -> Ran {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(words).current_dir(sandbox.root());
    command.env("HOME", sandbox.root()).env("GIT_CONFIG_NOSYSTEM", "1");
    Ran::of(&mut command, words)
}

#[test]
fn what_differs_from_the_commit_is_kept_and_can_be_applied() {
    let sandbox = Sandbox::new();
    git(&sandbox, &["init", "-q", "."]).ok();
    sandbox.run(&["init"]).ok();
    sandbox.write("train.py", "a = 1\n");
    sandbox.write("blob.bin", [0_u8, 159, 146, 150]);
    sandbox.write("mlops.lock", "version = 1\n");
    let code = |sandbox: &Sandbox| {
        let run = sandbox.json(&["log", "param", "a=1"])["run"].as_str().expect("an id").to_owned();
        (run, sandbox.json(&["log", "-n", "1"])["runs"][0]["code"].clone())
    };
    let (_, none) = code(&sandbox);
    assert!(none.is_null(), "there is no commit yet: {none}");
    git(&sandbox, &["add", "."]).ok();
    git(&sandbox, &["commit", "-qm", "a"]).ok();
    let (_, clean) = code(&sandbox);
    assert_eq!((clean["dirty"].as_bool(), clean.get("patch"), clean.get("untracked")), (Some(false), None, None));
    sandbox.write("mlops.lock", "version = 1\n\n");
    assert_eq!(code(&sandbox).1["dirty"], false, "what this tool writes is no change of the code");
    sandbox.write("train.py", "a = 2\n");
    sandbox.write("blob.bin", [1_u8, 159, 146, 150, 0, 7]);
    sandbox.write("new/extra.py", "b = 1\n");
    sandbox.write(".gitignore", "/.mlops/\nsecret.env\n");
    sandbox.write("secret.env", "KEY=1\n");
    let (run, dirty) = code(&sandbox);
    assert_eq!((dirty["dirty"].as_bool(), dirty["untracked_files"].as_u64()), (Some(true), Some(1)), "{dirty}");
    let data = sandbox.json(&["log", "--code", &run]);
    assert_eq!(data["untracked"][0]["path"], "new/extra.py");
    assert_eq!(data["untracked"][0]["bytes"], 6);
    let patch = sandbox.run(&["log", "--code", &run]).ok().says("untracked: new/extra.py").out;
    assert!(!patch.contains("mlops.lock") && !patch.contains("KEY"), "{patch}");
    sandbox.write("kept.patch", &patch);
    git(&sandbox, &["checkout", "-q", "train.py", "blob.bin", ".gitignore"]).ok();
    git(&sandbox, &["apply", "kept.patch"]).ok();
    assert_eq!(sandbox.read("train.py"), "a = 2\n");
    assert_eq!(fs::read(sandbox.path("blob.bin")).expect("there"), [1_u8, 159, 146, 150, 0, 7]);
    let (_, again) = code(&sandbox);
    assert_eq!(again["patch"], dirty["patch"], "the same difference is kept once");
    sandbox.run(&["fsck"]).ok();
    sandbox.write("data.csv", "x,y\n1,0\n2,1\n");
    sandbox.run(&["ingest", "data.csv"]).ok();
    assert!(sandbox.run(&["why", "data", "-v"]).ok().out.contains("patch"));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_checkout_that_git_will_not_read_stops_nothing() {
    let sandbox = Sandbox::with_repo();
    fs::create_dir(sandbox.path(".git")).expect("writable");
    sandbox.run(&["log", "param", "a=1"]).ok().says("git does not tell the state of the code");
    let run = sandbox.json(&["log", "-n", "1"])["runs"][0]["run"].as_str().expect("an id").to_owned();
    sandbox.run(&["log", "--code", &run]).code_is(2).says("knows no commit of its code");
    let mut command = sandbox.command(&["log", "param", "a=1"]);
    Ran::of(command.env("PATH", sandbox.root()), &["log"]).ok();
}
