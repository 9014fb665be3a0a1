//! The graph behind `run` and `status`: what runs, what is cached, what stops.

use serde_json::Value;

use crate::common::Sandbox;
use crate::common::tables::loans;

const PROJECT: &str = r#"
[project]
name = "loans"
[data]
source = "loans.csv"
target = "label"
key = ["id"]
[train]
model = "tree"
params = { depth = 3 }
[evaluate]
gates = ["accuracy >= 0.5", "accuracy >= champion.accuracy"]
[register]
promote = "champion"
[[stage]]
name = "note"
cmd = "cp note.in note.out && echo noted && mlops_is_not_needed=1"
deps = ["note.in"]
outs = ["note.out"]
"#;

fn project(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("loans.csv", loans(300));
    sandbox.write("note.in", "one");
    sandbox.write("mlops.toml", text);
    sandbox
}

/// Names of the stages in a state.
fn in_state(report: &Value, state: &str) -> Vec<String> {
    let stages = report["stages"].as_array().expect("stages").iter();
    stages
        .filter(|stage| stage["state"] == state)
        .filter_map(|stage| stage["name"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn only_what_changed_runs() {
    let sandbox = project(PROJECT);
    assert_eq!(in_state(&sandbox.json(&["run"]), "done").len(), 6);
    assert_eq!(in_state(&sandbox.json(&["run"]), "cached").len(), 6);
    assert_eq!(sandbox.json(&["status"])["clean"], true);
    // Each change, and the stages that must run because of it.
    sandbox.write("note.in", "two");
    assert_eq!(in_state(&sandbox.json(&["run"]), "done"), ["note"]);
    sandbox.write("mlops.toml", PROJECT.replace("depth = 3", "depth = 4"));
    let status = sandbox.json(&["status"]);
    assert_eq!(in_state(&status, "stale"), ["train"]);
    assert!(status["stages"].to_string().contains("train.params.depth"), "{status:#}");
    assert_eq!(in_state(&sandbox.json(&["run"]), "done"), ["train", "evaluate", "register"]);
    // Going back is found in the history; only the version is made anew.
    sandbox.write("mlops.toml", PROJECT);
    let back = sandbox.json(&["run"]);
    assert!(in_state(&back, "cached").contains(&"train".to_owned()), "{back:#}");
}

#[test]
fn the_lock_file_is_stable_and_readable() {
    let sandbox = project(PROJECT);
    sandbox.run(&["run"]).ok();
    let first = sandbox.read("mlops.lock");
    sandbox.run(&["run", "--force"]).ok();
    assert_eq!(sandbox.read("mlops.lock"), first, "equal inputs give equal outputs");
    let other = project(PROJECT);
    other.run(&["run"]).ok();
    assert_eq!(other.read("mlops.lock"), first, "in another folder too");
}

#[test]
fn a_failing_command_keeps_its_output_and_stops_what_depends_on_it() {
    let text = r#"
[[stage]]
name = "break"
cmd = "echo before the end; echo to stderr >&2; exit 7"
[[stage]]
name = "after"
cmd = "true"
deps = ["stage:break"]
[[stage]]
name = "apart"
cmd = "echo fine > fine.txt"
outs = ["fine.txt"]
"#;
    let sandbox = project(text);
    let ran = sandbox.run(&["run", "--keep-going", "--json"]).code_is(3);
    let report = ran.data();
    assert_eq!(in_state(&report, "failed"), ["break"]);
    assert_eq!(in_state(&report, "skipped"), ["after"]);
    assert_eq!(in_state(&report, "done"), ["apart"]);
    let errors = sandbox.json(&["log", "--errors"]);
    assert_eq!(errors["errors"][0]["output"], "before the end\nto stderr\n");
    assert_eq!(errors["errors"][0]["exit_code"], 7);
}

#[test]
fn commands_log_to_the_run_of_their_stage() {
    let binary = env!("CARGO_BIN_EXE_mlops");
    let text = format!(
        "[[stage]]\nname = 'fit'\ncmd = '{binary} log metric loss=0.5 && {binary} log param p=$MLOPS_PARAM_DEPTH'\nparams = {{ depth = 3 }}\n"
    );
    let sandbox = project(&text);
    sandbox.run(&["run"]).ok();
    let row = sandbox.json(&["log", "--stage", "fit"])["runs"][0].clone();
    assert_eq!(
        (&row["metrics"]["loss"], &row["params"]["p"], &row["params"]["depth"]),
        (&0.5.into(), &3.into(), &3.into())
    );
    assert_eq!((&row["kind"], &row["state"]), (&"stage".into(), &"finished".into()));
}

#[test]
fn a_failed_gate_ends_the_run_with_1_and_registers_nothing() {
    let sandbox = project(&PROJECT.replace("accuracy >= 0.5", "accuracy >= 1.01"));
    let report = sandbox.run(&["run", "--json"]).code_is(1).data();
    assert_eq!(in_state(&report, "failed"), ["evaluate"]);
    assert!(in_state(&report, "skipped").contains(&"register".to_owned()));
    assert_eq!(sandbox.json(&["log", "--models"])["models"], serde_json::json!([]));
}

#[test]
fn run_records_carry_code_cost_and_links() {
    let sandbox = project(PROJECT);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg("-C").arg(sandbox.root()).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(words);
        let output = command.env("HOME", sandbox.root()).output().expect("git is installed");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "start"]);
    sandbox.run(&["run"]).ok();
    let row = sandbox.json(&["log", "--kind", "train"])["runs"][0].clone();
    let code = &row["code"];
    assert_eq!((&code["commit"], &code["dirty"]), (&git(&["rev-parse", "HEAD"]).into(), &false.into()), "{code}");
    assert_eq!((&row["seed"], &row["params"]["depth"], &row["stage"]), (&42.into(), &3.into(), &"train".into()));
    assert!(row["wall_seconds"].as_f64() > Some(0.0) && row["peak_memory_bytes"].as_u64() > Some(1 << 20), "{row:#}");
    assert!(row["host"].is_string() && row["user"].is_string() && row["tool_version"].is_string());
    assert!(std::fs::read_to_string(sandbox.path(".gitignore")).is_ok_and(|text| text.contains(".mlops/")));
}

#[test]
fn impossible_graphs_are_refused() {
    let cycle = "[[stage]]\nname='a'\ncmd='x'\ndeps=['b.txt']\nouts=['a.txt']\n[[stage]]\nname='b'\ncmd='x'\ndeps=['a.txt']\nouts=['b.txt']\n";
    let outside = "[[stage]]\nname='a'\ncmd='x'\nouts=['../a.txt']\n";
    let unknown = "[[stage]]\nname='a'\ncmd='x'\ndeps=['stage:b']\n";
    for (text, says) in [(cycle, "a"), (outside, "outside"), (unknown, "b"), ("[trian]\n", "did you mean `train`")] {
        project(text).run(&["run"]).code_is(2).says(says);
    }
    project(PROJECT).run(&["run", "trian"]).code_is(2).says("did you mean `train`?");
}
