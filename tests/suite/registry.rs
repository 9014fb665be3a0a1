//! Versions, aliases and states, hooks that refuse or hang, changes taken back, and the check with the real server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::tables::loans;

/// A project with `versions` registered versions of one model that passed its gate; notes tell them apart.
fn registered(versions: usize) -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(150));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["evaluate", "--gate", "accuracy >= 0.1"]).ok();
    for number in 0..versions {
        let note = format!("note {number}");
        sandbox.run(&["register", "loans", "--no-check", "--note", &note]).ok().says("the name to register under");
    }
    sandbox
}

/// Puts an executable shell script where hooks are.
fn hook(sandbox: &Sandbox, name: &str, script: &str) {
    let path = sandbox.write(&format!(".mlops/hooks/{name}"), format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the folder is writable");
}

fn aliases(sandbox: &Sandbox) -> Value {
    let rows = sandbox.json(&["log", "--models"])["models"].clone();
    let pairs = rows.as_array().into_iter().flatten().flat_map(|row| {
        let version = row["version"].clone();
        let names = row["aliases"].as_array().cloned().unwrap_or_default();
        names.into_iter().filter_map(move |name| Some((name.as_str()?.to_owned(), version.clone())))
    });
    Value::Object(pairs.collect())
}

fn state(sandbox: &Sandbox, version: u64) -> Value {
    let rows = sandbox.json(&["log", "--models"])["models"].clone();
    let found = rows.as_array().into_iter().flatten().find(|row| row["version"] == version);
    found.map_or(Value::Null, |row| row["state"].clone())
}

#[test]
fn states_say_what_may_become_of_a_version() {
    let sandbox = registered(3);
    assert_eq!(state(&sandbox, 1), "pending");
    sandbox.run(&["mark", "loans@v2", "rejected", "--reason", "unfair"]).ok();
    sandbox.run(&["promote", "loans@v2"]).code_is(1);
    assert!(sandbox.run(&["promote", "loans@v2", "staging"]).code_is(1).out.contains("loans@v2 is rejected"));
    sandbox.run(&["promote", "loans@v2", "staging", "--force", "--reason", "to look at"]).ok();
    assert_eq!(state(&sandbox, 2), "rejected");
    // In charge is approved; archived is never in charge.
    assert_eq!(sandbox.json(&["promote", "loans@v1"])["state"], "approved");
    sandbox.run(&["mark", "loans@v1", "archived"]).code_is(2).says("archived and champion at once");
    sandbox.run(&["mark", "loans@v3", "archived", "--note", "old", "--tag", "team=risk", "--tag", "a=b"]).ok();
    sandbox.run(&["promote", "loans@v3", "--force", "--reason", "because"]).code_is(1);
    sandbox.run(&["mark", "loans@v3", "--untag", "team", "--note", ""]).ok();
    let rows = sandbox.json(&["log", "--models"])["models"].clone();
    assert_eq!((&rows[0]["state"], &rows[0]["tags"]), (&json!("archived"), &json!({ "a": "b" })));
    assert_eq!(rows[0]["note"], Value::Null);
    let why = sandbox.json(&["why", "loans@v3"])["chain"].clone();
    assert_eq!((&why[0]["facts"]["state"], &why[0]["name"]), (&json!("archived"), &json!("loans@v3")), "{why:#}");
    sandbox.run(&["mark", "loans@v1", "aproved"]).code_is(2).says("did you mean `approved`?");
    sandbox.run(&["mark", "loans@v1"]).code_is(2).says("nothing is said");
    sandbox.run(&["mark", "loans@v1", "--untag", "team"]).code_is(2).says("tag of loans@v1");
    // A champion that turns out bad is said, and the way out of it.
    sandbox.run(&["mark", "loans@v1", "rejected"]).ok().says("mlops rollback loans");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn the_champion_needs_a_verdict_whichever_verb_moves_it() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(150));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox.run(&["train", "--model", "tree"]).ok();
    let refused = sandbox.run(&["register", "--alias", "champion"]).code_is(1).says("--force --reason");
    assert!(refused.out.contains("the verdict `none`, and `pass` is needed"), "{}", refused.out);
    assert_eq!(sandbox.json(&["log", "--models"])["models"], json!([]));
    sandbox.run(&["register", "--alias", "candidate", "--tag", "team=risk"]).ok();
    let forced = ["register", "--alias", "champion", "--force", "--reason", "a pilot"];
    let report = sandbox.json(&forced);
    assert_eq!(
        (&report["unchanged"], &report["version"], &report["state"]),
        (&json!(true), &json!(1), &json!("approved"))
    );
    let audit = sandbox.json(&["log", "--audit"])["audit"].clone();
    let moved = audit.as_array().into_iter().flatten().rfind(|line| line["subject"] == "loans@champion").cloned();
    assert_eq!(moved.map(|line| line["reason"].clone()), Some(json!("forced: a pilot")));
    sandbox.run(&["promote", "loans", "--remove", "candidate", "--reason", "done"]).ok();
    assert_eq!(aliases(&sandbox), json!({ "champion": 1 }));
    sandbox.run(&["promote", "loans", "--remove", "candidate"]).code_is(2).says("champion");
    sandbox.run(&["promote", "loans@v1", "--remove", "champion"]).code_is(2).says("promote loans --remove champion");
}

#[test]
fn one_word_is_the_name() {
    let sandbox = registered(1);
    sandbox.run(&["train", "--model", "tree", "--set", "depth=2"]).ok();
    let report = sandbox.json(&["register", "loans", "--no-check"]);
    assert_eq!(
        (&report["name"], &report["version"], &report["unchanged"]),
        (&json!("loans"), &json!(2), &json!(false))
    );
    sandbox.run(&["register", "laons"]).code_is(2).says("did you mean `loans`?").says("register run:last laons");
    assert_eq!(sandbox.json(&["register", "shop", "--no-check"])["name"], "shop");
    sandbox.run(&["register", "loans@v1", "third", "--no-check"]).ok();
    sandbox.run(&["register", "loans@v9"]).code_is(2);
}

#[test]
fn changes_are_taken_back_one_by_one_and_done_once_more() {
    let sandbox = registered(2);
    sandbox.run(&["undo", "loans"]).code_is(3).says("nothing of loans to take back");
    sandbox.run(&["promote", "loans@v1", "--reason", "first"]).ok();
    sandbox.run(&["promote", "loans@v2", "--reason", "second"]).ok();
    sandbox.run(&["rollback", "loans"]).ok();
    sandbox.run(&["mark", "loans@v2", "rejected"]).ok();
    let both = json!({ "champion": 2, "previous": 1 });
    let back = json!({ "champion": 1, "previous": 2 });
    assert_eq!(sandbox.json(&["undo", "loans"])["steps"][0]["what"], "loans@v2 state");
    assert_eq!(sandbox.json(&["undo", "loans"])["aliases"], both);
    let third = sandbox.json(&["undo", "loans", "--reason", "a test"]);
    assert_eq!((&third["aliases"], &third["of_reason"]), (&json!({ "champion": 1 }), &json!("second")));
    assert_eq!(state(&sandbox, 2), "pending");
    let audit = sandbox.json(&["log", "--audit"])["audit"].clone();
    let last = audit.as_array().and_then(|all| all.last().cloned()).unwrap_or_default();
    assert!(
        last["reason"].as_str().is_some_and(|why| why.contains("undo of change") && why.ends_with("a test")),
        "{last}"
    );
    assert_eq!(sandbox.json(&["undo", "loans"])["aliases"], json!({}));
    sandbox.run(&["undo", "loans"]).code_is(3);
    for wanted in [&json!({ "champion": 1 }), &both, &back, &back] {
        assert_eq!(sandbox.json(&["undo", "loans", "--redo"])["aliases"], *wanted);
    }
    assert_eq!(state(&sandbox, 2), "rejected");
    sandbox.run(&["undo", "loans", "--redo"]).code_is(3).says("done once more");
    sandbox.run(&["undo", "laons"]).code_is(2).says("did you mean `loans`?");
    sandbox.run(&["rollback", "loans"]).code_is(1);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_hook_hears_what_will_happen_and_may_refuse() {
    let sandbox = registered(2);
    hook(&sandbox, "pre-promote", "cat > heard.json\nenv | grep MLOPS_HOOK | sort > heard.env\npwd > heard.pwd");
    hook(&sandbox, "post-promote", "echo told of $MLOPS_HOOK_NAME; cat > told.json");
    sandbox.run(&["promote", "loans@v1", "--reason", "why not"]).ok().says("post-promote: told of loans");
    let heard: Value = serde_json::from_str(&sandbox.read("heard.json")).expect("JSON");
    let wanted = json!({ "hook": "pre-promote", "event": "promote", "command": "promote", "name": "loans", "version": 1,
        "alias": "champion", "from": null, "to": 1, "reason": "why not", "verdict": "pass", "state": "pending" });
    for (name, value) in wanted.as_object().into_iter().flatten() {
        assert_eq!(heard[name], *value, "{name}");
    }
    let told: Value = serde_json::from_str(&sandbox.read("told.json")).expect("JSON");
    assert_eq!((&told["hook"], &told["state"]), (&json!("post-promote"), &json!("approved")));
    let variables = sandbox.read("heard.env");
    assert!(
        variables.contains("MLOPS_HOOK_TO=1\n") && variables.contains("MLOPS_HOOK_REASON=why not\n"),
        "{variables}"
    );
    let folder = fs::canonicalize(sandbox.root()).expect("there");
    assert_eq!(sandbox.read("heard.pwd").trim(), folder.to_string_lossy());
    hook(&sandbox, "pre-promote", "echo no release on $MLOPS_HOOK_COMMAND day >&2; exit 3");
    for words in [&["promote", "loans@v2"][..], &["undo", "loans"], &["register", "--alias", "newest", "--note", "x"]] {
        let ran = sandbox.run(words).code_is(1).says("pre-promote: no release on");
        assert!(ran.out.contains("hook pre-promote ended with exit status: 3: no release"), "{}", ran.out);
    }
    assert_eq!(aliases(&sandbox), json!({ "champion": 1 }));
    hook(&sandbox, "pre-promote", "exit 0");
    sandbox.run(&["promote", "loans@v2"]).ok();
    hook(&sandbox, "pre-promote", "exit 1");
    sandbox.run(&["rollback", "loans"]).code_is(1);
    hook(&sandbox, "pre-register", "cat > registering.json; exit 1");
    sandbox.run(&["register", "--note", "y", "--no-check"]).code_is(1);
    let heard: Value = serde_json::from_str(&sandbox.read("registering.json")).expect("JSON");
    assert_eq!((&heard["version"], &heard["from"], &heard["alias"]), (&json!(3), &json!(2), &Value::Null));
    assert_eq!(sandbox.json(&["log", "--models"])["models"].as_array().map(Vec::len), Some(2));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_hook_that_hangs_is_stopped_with_all_that_it_started() {
    let sandbox = registered(1);
    hook(&sandbox, "pre-promote", "sleep 60 & echo $! > child\necho waiting\nwait");
    let started = Instant::now();
    let ran = sandbox.run_with(&["promote", "loans@v1"], &[("MLOPS_HOOK_TIMEOUT", "400ms")]).code_is(1);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert!(ran.out.contains("took longer than 0.4 s and was stopped"), "{}", ran.out);
    let child = sandbox.read("child");
    let state = fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "the hook's child goes on: {state}");
    assert_eq!(aliases(&sandbox), json!({}));
    sandbox.run_with(&["log"], &[("MLOPS_HOOK_TIMEOUT", "0")]).code_is(2).says("MLOPS_HOOK_TIMEOUT");
    sandbox.run_with(&["log"], &[("MLOPS_HOOK_TIMEOUT", "soon")]).code_is(2).says("duration");
}

#[test]
fn a_hook_that_cannot_run_or_fails_afterwards_is_said() {
    let sandbox = registered(2);
    sandbox.write(".mlops/hooks/pre-promote", "#!/bin/sh\nexit 1\n");
    hook(&sandbox, "post-promote", "echo oh dear; exit 7");
    let ran = sandbox.run(&["promote", "loans@v1"]).ok().says("is not executable").says("chmod +x");
    assert!(ran.err.contains("hook post-promote ended with exit status: 7: oh dear"), "{}", ran.err);
    assert_eq!(aliases(&sandbox), json!({ "champion": 1 }));
    hook(&sandbox, "pre-promote", "");
    fs::write(sandbox.path(".mlops/hooks/pre-promote"), "#!/no/such/shell\n").expect("writable");
    sandbox.run(&["promote", "loans@v2"]).code_is(3).says("cannot be started").says("#!/bin/sh");
}

#[test]
fn a_hook_may_call_the_tool_and_is_not_called_again_by_it() {
    let sandbox = registered(2);
    let mlops = env!("CARGO_BIN_EXE_mlops");
    hook(&sandbox, "post-promote", &format!("echo run >> runs\n{mlops} promote loans@v1 shadow --reason hook"));
    sandbox.run(&["promote", "loans@v2"]).ok().says("was not run: this command was called by hook post-promote");
    assert_eq!(aliases(&sandbox), json!({ "champion": 2, "shadow": 1 }));
    assert_eq!(sandbox.read("runs"), "run\n");
    // What the hook itself changes refuses what it was asked about.
    hook(
        &sandbox,
        "pre-promote",
        &format!("[ $MLOPS_HOOK_TO = 2 ] || {mlops} rollback loans || {mlops} promote loans@v1"),
    );
    sandbox.run(&["promote", "loans", "--remove", "champion"]).code_is(3).says("was changed meanwhile");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn eight_processes_promote_at_once_and_none_is_torn() {
    let sandbox = registered(8);
    let versions: Vec<String> = (1..=8).map(|version| format!("loans@v{version}")).collect();
    let children: Vec<_> = versions.iter().map(|version| sandbox.start(&["promote", version])).collect();
    let mut won = 0;
    for child in children {
        let output = child.wait_with_output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => won += 1,
            Some(3) => assert!(said.contains("was changed meanwhile"), "{said}"),
            other => panic!("{other:?}: {said}"),
        }
    }
    let audit = sandbox.json(&["log", "--audit"])["audit"].clone();
    let of = |subject: &str| -> Vec<Value> {
        let lines = audit.as_array().cloned().unwrap_or_default();
        lines.into_iter().filter(|line| line["subject"] == subject).collect()
    };
    let moves = of("loans@champion");
    assert_eq!(moves.len(), won);
    for pair in moves.windows(2) {
        assert_eq!(pair[1]["from"], pair[0]["to"]);
    }
    // `previous` followed each time.
    let previous: Vec<Value> = of("loans@previous").iter().map(|line| line["to"].clone()).collect();
    let before: Vec<Value> = moves[1..].iter().map(|line| line["from"].clone()).collect();
    assert_eq!(previous, before);
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_repository_of_an_older_version_is_read_and_goes_on() {
    let sandbox = registered(2);
    sandbox.run(&["promote", "loans@v1"]).ok();
    sandbox.run(&["promote", "loans@v2"]).ok();
    // Before there were states, changes had no numbers and no marks.
    let path = ".mlops/refs/aliases/loans";
    let old: String = sandbox
        .read(path)
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).expect("a line");
            line.as_object_mut().expect("an object").remove("change");
            format!("{line}\n")
        })
        .collect();
    fs::write(sandbox.path(path), old).expect("writable");
    fs::remove_dir_all(sandbox.path(".mlops/refs/marks")).expect("writable");
    assert_eq!(state(&sandbox, 2), "pending");
    assert_eq!(sandbox.json(&["undo", "loans"])["aliases"], json!({ "champion": 1 }));
    assert_eq!(sandbox.json(&["promote", "loans@v2"])["state"], "approved");
}

#[test]
fn a_server_answers_with_a_model_before_it_is_a_version() {
    let sandbox = registered(0);
    let report = sandbox.json(&["register", "loans"]);
    let check = &report["check"];
    assert_eq!((&check["passed"], &check["rows_of"]), (&json!(true), &json!("test")), "{report:#}");
    assert!(check["protocols"].as_array().is_some_and(|all| all.len() >= 8), "{check:#}");
    let again = sandbox.json(&["serve", "--check"]);
    assert_eq!((&again["passed"], &again["checks"][0]["model"]), (&json!(true), &json!("loans@v1")));
    let shown = sandbox.run(&["serve", "--check", "loans@v1"]).ok().out;
    assert!(shown.contains("pass: loans@v1: a server answers"), "{shown}");
    sandbox.run(&["register", "--note", "x", "--no-check"]).ok().says("not checked with a server");
    // A package that is damaged in the store is named, and nothing comes of it.
    let model = report["id"].as_str().expect("an id").to_owned();
    let object = sandbox.path(&format!(".mlops/objects/{}/{}", &model[..2], &model[2..]));
    let mut bytes = fs::read(&object).expect("the package");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).expect("ours");
    fs::write(&object, bytes).expect("writable");
    sandbox.run(&["serve", "--check", "loans@v1"]).code_is(3);
    sandbox.run(&["register", "loans@v1", "other"]).code_is(3);
    sandbox.run(&["log", "--models", "other"]).ok();
}

#[test]
fn serving_what_is_out_of_use_warns() {
    let sandbox = registered(1);
    sandbox.run(&["mark", "loans@v1", "archived"]).ok();
    let mut child = sandbox.start(&["serve", "loans@v1", "--port", "0"]);
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    std::io::BufRead::read_line(&mut out, &mut line).expect("the start line");
    child.kill().expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("loans@v1 is archived"), "{said}");
}
