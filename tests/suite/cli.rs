//! The command line as a contract: help, envelopes, exit codes, suggestions.

use std::process::Stdio;

use serde_json::Value;

use crate::common::tables::loans;
use crate::common::{Ran, Sandbox};

const VERBS: &[&str] = &[
    "init",
    "ingest",
    "validate",
    "transform",
    "train",
    "evaluate",
    "explain",
    "card",
    "register",
    "promote",
    "rollback",
    "undo",
    "mark",
    "predict",
    "serve",
    "run",
    "status",
    "log",
    "diff",
    "why",
    "reproduce",
    "fsck",
    "gc",
    "completions",
];

#[test]
fn every_verb_explains_itself() {
    let sandbox = Sandbox::new();
    let all = sandbox.run(&["--help"]).ok().out;
    for verb in VERBS {
        assert!(all.contains(&format!("\n  {verb} ")), "{verb} is not in the list:\n{all}");
        let help = sandbox.run(&[verb, "--help"]).ok().out;
        assert!(help.contains("Example") && help.contains(&format!("mlops {verb}")), "{verb}:\n{help}");
    }
    assert!(sandbox.run(&["--version"]).ok().out.starts_with("mlops 0."));
    assert!(sandbox.run(&["completions", "bash"]).ok().out.contains("complete -F"));
}

#[test]
fn slips_get_a_suggestion_and_exit_2() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(60));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    let slips: &[(&[&str], &str)] = &[
        (&["trian"], "train"),
        (&["train", "--modle", "tree"], "--model"),
        (&["train", "--model", "forrest"], "did you mean `forest`?"),
        (&["train", "--target", "lable"], "did you mean `label`?"),
        (&["train", "--model", "tree", "--set", "dept=3"], "did you mean `depth`?"),
        (&["train", "--model", "ridge"], "these can:"),
        (&["train", "--test", "0.9"], "below 1"),
        (&["transform", "lonas"], "loans"),
        (&["ingest", "loans.csv", "--type", "id=number"], "integer"),
        (&["ingest", "loans.csv", "--format", "spss"], "known: csv, tsv, json"),
        (&["log", "metric", "loss"], "NAME=NUMBER"),
    ];
    for (words, says) in slips {
        sandbox.run(words).code_is(2).says(says);
    }
    sandbox.run(&["train", "--model", "tree"]).ok();
    sandbox.run(&["evaluate", "--gate", "acuracy >= 0.5"]).code_is(2).says("accuracy");
    sandbox.run(&["evaluate", "--gate", "accuracy ~ 0.5"]).code_is(2).says("write it like");
    sandbox.run(&["evaluate", "--metric", "rmse"]).code_is(2);
    sandbox.run(&["promote", "loans@v9"]).code_is(2);
    sandbox.run_with(&["log"], &[("MLOPS_TRIAN_MODEL", "x")]).code_is(2).says("MLOPS_TRAIN_MODEL");
}

/// Names of all fields of a report, nested ones with their path, lists by their first entry.
fn shape(value: &Value, path: &str, names: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                names.push(format!("{path}{name}"));
                // Names of metrics, parameters and facts are data, not shape.
                if !matches!(
                    name.as_str(),
                    "metrics" | "baseline" | "params" | "facts" | "tags" | "against" | "aliases"
                ) {
                    shape(value, &format!("{path}{name}."), names);
                }
            }
        }
        Value::Array(items) => items.first().into_iter().for_each(|item| shape(item, path, names)),
        _ => {}
    }
}

#[track_caller]
fn has_fields(ran: &Ran, kind: &str, fields: &[&str]) {
    let envelope: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}:\n{}", ran.out));
    assert_eq!((&envelope["kind"], &envelope["version"]), (&kind.into(), &1.into()));
    assert_eq!(ran.out.trim_end().lines().count(), 1, "one envelope on one line");
    let mut names = Vec::new();
    shape(&envelope["data"], "", &mut names);
    for field in fields {
        assert!(names.iter().any(|name| name == field), "`{field}` is not among {names:?}");
    }
}

#[test]
fn every_verb_prints_one_envelope_with_the_promised_fields() {
    let sandbox = Sandbox::new();
    sandbox.write("loans.csv", loans(200));
    let check = |words: &[&str], kind: &str, fields: &str| {
        let mut all = words.to_vec();
        all.push("--json");
        let ran = sandbox.run(&all);
        assert!(matches!(ran.code, Some(0 | 1)), "{words:?}: {:?} {}", ran.code, ran.err);
        has_fields(&ran, kind, &fields.split(' ').collect::<Vec<_>>());
    };
    check(&["init"], "init", "path created");
    let ingest = "name version id raw_id rows columns bytes unchanged stored_bytes guesses";
    check(&["ingest", "loans.csv", "--target", "label", "--key", "id"], "ingest", ingest);
    check(&["validate", "--init"], "schema", "schema columns");
    sandbox.write("schema.toml", sandbox.read("schema.toml").replace("\"red\"", "\"rot\""));
    let finding = "findings.code findings.severity findings.column findings.constraint findings.observed findings.expected findings.rows findings.count findings.fix";
    check(&["validate"], "validate", &format!("verdict {finding}"));
    check(
        &["transform"],
        "transform",
        "recipe rows.train rows.validation rows.test features.name features.type features.from",
    );
    check(&["train", "--model", "tree"], "train", "run model kind metrics seconds baseline");
    let gates = "gates.expression gates.value gates.bound gates.verdict gates.reason";
    check(
        &["evaluate", "--gate", "accuracy >= 0.1", "--by", "color"],
        "evaluate",
        &format!("metrics slices.rows verdict {gates}"),
    );
    check(&["register", "--promote", "champion"], "register", "name version id aliases");
    check(&["promote", "loans@v1", "staging"], "promote", "name alias from to");
    check(&["mark", "loans@v1", "approved", "--tag", "a=b"], "mark", "name version state note tags changes");
    check(&["undo", "loans"], "undo", "name change steps.what steps.from steps.to aliases");
    check(&["serve", "--check", "loans"], "serve_check", "passed checks.protocols.name checks.latency_p50_ms");
    check(&["predict", "loans", "loans.csv", "-o", "out.csv"], "predict", "rows errors seconds");
    check(
        &["export", "loans", "-o", "loans.txt"],
        "export",
        "model name format output bytes reads columns.name columns.type",
    );
    check(&["log"], "runs", "runs.run runs.kind runs.state runs.metrics runs.params runs.started");
    check(&["log", "--datasets"], "datasets", "datasets.name datasets.version");
    let profile =
        "dataset rows columns.name columns.numbers columns.top columns.quantile_sketch associations.information";
    check(&["log", "--datasets", "loans", "--profile", "--target", "label"], "profile", profile);
    check(&["log", "--models"], "models", "models.name models.aliases models.verdict models.state models.tags");
    check(&["log", "--audit"], "audit", "audit.seq audit.action audit.hash audit.prev");
    check(&["log", "--errors"], "errors", "errors.error");
    check(&["log", "metric", "a=1"], "log", "run created");
    let datasets = "rows.old rows.new columns.added columns.removed columns.retyped columns.reordered roles statistics \
                    row_changes.key row_changes.removed row_changes.added row_changes.changed row_changes.unchanged \
                    row_changes.repeated_keys.old row_changes.changed_cells row_changes.changed_rows";
    let both = "of old.name old.id new.name new.id same";
    check(
        &["diff", "run:last", "run:last"],
        "diff",
        &format!("{both} lines.group lines.name lines.old lines.new lines.same"),
    );
    check(&["diff", "dataset:loans", "dataset:loans", "--rows"], "diff", &format!("{both} {datasets}"));
    check(&["why", "loans@champion"], "why", "chain.kind chain.id chain.name chain.facts");
    check(&["log", "--lineage", "loans@v1"], "lineage", "direction nodes.kind nodes.id edges.from edges.to cut");
    check(&["log", "--format", "openlineage"], "openlineage", "events.eventType events.run.runId events.job.name");
    check(&["fsck"], "fsck", "findings clean");
    check(&["gc", "--dry-run"], "gc", "removed bytes");
    sandbox.write("mlops.toml", "[[stage]]\nname = 'a'\ncmd = 'true'\n");
    check(&["run"], "run", "stages.name stages.state stages.why stages.seconds");
    check(&["status"], "status", "clean stages.name stages.state stages.why");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let sandbox = Sandbox::with_repo();
    for words in [&["--help"][..], &["log", "--audit"], &["completions", "zsh"]] {
        let mut child =
            sandbox.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn quiet_is_quiet_and_colour_obeys() {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(60));
    let ran = sandbox.run(&["ingest", "loans.csv", "--target", "label", "-q"]).ok();
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains('\u{1b}'));
    let painted = sandbox.run(&["log", "--color", "always"]).ok();
    assert!(painted.out.contains("\u{1b}["), "{}", painted.out);
}

#[test]
fn acting_elsewhere_is_acting_there() {
    let sandbox = Sandbox::new();
    sandbox.write("inner/loans.csv", loans(60));
    sandbox.run(&["-C", "inner", "init"]).ok();
    sandbox.run(&["-C", "inner", "ingest", "loans.csv"]).ok();
    assert!(sandbox.path("inner/.mlops").is_dir() && !sandbox.path(".mlops").exists());
    sandbox.run(&["-C", "nowhere", "log"]).code_is(2).says("is not a folder");
}
