//! The process dies at every place where it matters; afterwards nothing committed is lost and the rerun succeeds.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::common::tables::loans;
use crate::common::{Ran, Sandbox};

/// Every fail point, read from the source so that none is forgotten.
fn points() -> Vec<String> {
    let source = include_str!("../../src/base/failpoint.rs");
    let list = source.split("POINTS: &[&str] = &[").nth(1).and_then(|rest| rest.split(']').next()).expect("the list");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The verbs that are killed, each from a state in which it has something to do.
const VERBS: &[&[&str]] = &[
    &["ingest", "more.csv", "--target", "label", "--name", "loans"],
    &["train", "--model", "tree", "--seed", "9"],
    &["tune", "--model", "tree", "--space", "depth=1..9", "--trials", "3"],
    &["register", "--alias", "second"],
    &["promote", "loans@v1", "staging", "--force", "--reason", "a test"],
    &["gc", "--keep", "0"],
];

/// A repository with a dataset, a model, a version, and garbage for `gc` to remove.
fn prepared() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(120));
    sandbox.write("more.csv", loans(150));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["register", "run:last", "loans", "--alias", "first"]).ok();
    sandbox.run(&["train", "--model", "tree", "--set", "depth=2"]).ok();
    // Objects that nothing names: what a process leaves that died between storing and naming.
    for number in 0..3 {
        sandbox.write("lost.bin", format!("nobody names this {number}"));
        sandbox.run_with(&["log", "artifact", "lost.bin"], &[("MLOPS_FAIL_POINT", "store.synced")]);
    }
    sandbox.run(&["log"]).ok();
    sandbox
}

/// Names and versions that were committed: they must all still be there later.
fn committed(sandbox: &Sandbox) -> Vec<String> {
    let mut all = Vec::new();
    let rows = |report: Value, list: &str| report[list].as_array().cloned().unwrap_or_default();
    for row in rows(sandbox.json(&["log", "--datasets"]), "datasets") {
        all.push(format!("dataset {} {} {}", row["name"], row["version"], row["id"]));
    }
    for row in rows(sandbox.json(&["log", "--models"]), "models") {
        all.push(format!("model {} {} {}", row["name"], row["version"], row["id"]));
        for alias in row["aliases"].as_array().into_iter().flatten() {
            all.push(format!("alias {alias} of {} {}", row["name"], row["version"]));
        }
    }
    for row in rows(sandbox.json(&["log"]), "runs") {
        all.push(format!("run {} {}", row["run"], row["kind"]));
    }
    all
}

#[track_caller]
fn sound_after(sandbox: &Sandbox, before: &[String], what: &str) {
    let fsck = sandbox.run(&["fsck", "--json"]);
    assert_eq!(fsck.code, Some(0), "{what}: {}{}", fsck.out, fsck.err);
    let after = committed(sandbox);
    for entry in before {
        assert!(after.contains(entry), "{what}: lost {entry}; there is {after:#?}");
    }
    let running =
        sandbox.json(&["log"])["runs"].as_array().is_some_and(|runs| runs.iter().any(|run| run["state"] == "running"));
    assert!(!running, "{what}: a dead run is shown as running");
}

#[test]
fn killed_at_any_fail_point_nothing_is_lost_and_the_rerun_succeeds() {
    let all = points();
    assert!(all.len() >= 10, "{all:?}");
    let mut reached = std::collections::BTreeSet::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = VERBS.iter().map(|words| (words, scope.spawn(|| each_point(words, &all)))).collect();
        for (words, worker) in workers {
            let hit = worker.join().unwrap_or_else(|_| panic!("{words:?} left damage: see above"));
            reached.extend(hit);
        }
    });
    let missed: Vec<&String> = all.iter().filter(|point| !reached.contains(*point)).collect();
    assert!(missed.is_empty(), "no verb reaches {missed:?}");
}

/// Kills one verb at each point; returns the points that it reached.
fn each_point(words: &[&str], points: &[String]) -> Vec<String> {
    let mut reached = Vec::new();
    let mut sandbox = prepared();
    for point in points {
        let before = committed(&sandbox);
        let mut command = sandbox.command(words);
        command.env("MLOPS_FAIL_POINT", point);
        if words[0] == "gc" {
            // Ages are those of the files, so what counts as now must lie after the test's own hour.
            command.env("MLOPS_NOW", "2100-01-01T00:00:00Z");
        }
        let status = command.output().expect("it starts").status;
        let what = format!("{words:?} killed at {point}");
        sound_after(&sandbox, &before, &what);
        if status.signal() == Some(9) {
            reached.push(point.clone());
            let again = sandbox.run(words);
            assert_eq!(again.code, Some(0), "{what}, rerun: {}{}", again.out, again.err);
            sound_after(&sandbox, &before, &format!("{what}, after the rerun"));
        } else {
            assert_eq!(status.code(), Some(0), "{what}");
        }
        // The verb has done its work, so the next point starts from a fresh state.
        sandbox = prepared();
    }
    reached
}

#[test]
fn killed_at_any_moment_a_pipeline_goes_on_where_it_was() {
    let sandbox = Sandbox::example("penguins");
    for delay in [1, 3, 6, 10, 15, 22, 30, 45, 70, 100] {
        let mut child = sandbox.start(&["run"]);
        std::thread::sleep(Duration::from_millis(delay));
        let _ = child.kill();
        let _ = child.wait();
        if sandbox.path(".mlops/format").exists() {
            sandbox.run(&["fsck"]).ok();
        }
    }
    sandbox.run(&["run"]).ok();
    assert_eq!(sandbox.json(&["status"])["clean"], true);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn an_interrupt_leaves_a_clean_repository() {
    let text = "[[stage]]\nname = 'wait'\ncmd = 'echo started > begun; sleep 20'\n";
    let sandbox = Sandbox::new();
    sandbox.write("mlops.toml", text);
    let mut child = sandbox.start(&["run"]);
    for _ in 0..500 {
        if sandbox.path("begun").exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it is alive");
    let status = child.wait().expect("it ends");
    assert!(status.signal() == Some(2) || status.code() == Some(130), "{status:?}");
    let runs = sandbox.json(&["log"]);
    assert_eq!(runs["runs"][0]["state"], "killed");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_killed_run_is_said_once() {
    let sandbox = prepared();
    let point = [("MLOPS_FAIL_POINT", "train.fitted")];
    let killed: Ran = sandbox.run_with(&["train", "--model", "tree"], &point);
    assert_eq!(killed.code, None);
    sandbox.run(&["log"]).ok().says("its process was killed");
    let quiet = sandbox.run(&["log"]).ok();
    assert!(!quiet.err.contains("killed"), "{}", quiet.err);
}
