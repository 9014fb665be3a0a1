//! Searching parameters: the same study however it is run, kept whatever happens to the process, of models and of commands.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::common::tables::loans;

/// A folder with an ingested table of 150 loans.
fn ingested() -> Sandbox {
    let sandbox = Sandbox::with_repo();
    sandbox.write("loans.csv", loans(150));
    sandbox.run(&["ingest", "loans.csv", "--target", "label", "--key", "id"]).ok();
    sandbox
}

/// A search that takes no time: single trees of a few shapes.
const TREES: [&str; 7] = ["tune", "--model", "tree", "--space", "depth=1..12", "--space", "leaf_rows=1..40"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// What makes two studies the same: points, values and ends of all trials.
fn trials_of(sandbox: &Sandbox, study: &Value) -> Vec<Value> {
    let rows = sandbox.json(&["log", "--study", study.as_str().expect("an id")])["runs"].clone();
    let same = |row: &Value| {
        json!([
            row["tags"]["trial"].as_str().expect("numbered").parse::<u64>().expect("a number"),
            row["params"],
            row["metrics"],
            row["tags"]["outcome"],
            row["state"]
        ])
    };
    let mut trials: Vec<Value> = rows.as_array().expect("a list").iter().map(same).collect();
    trials.sort_by_key(|trial| trial[0].as_u64());
    trials
}

#[test]
fn a_study_is_the_same_however_many_trials_run_at_once() {
    let sandbox = ingested();
    let one = sandbox.json(&with(&TREES, &["--trials", "20", "--jobs", "1"]));
    let two = sandbox.json(&with(&TREES, &["--trials", "20", "--jobs", "3"]));
    assert_ne!(one["study"], two["study"]);
    assert_eq!(trials_of(&sandbox, &one["study"]), trials_of(&sandbox, &two["study"]));
    for field in ["model", "importance", "snippet", "usual", "ended"] {
        assert_eq!(one[field], two[field], "{field}");
    }
    assert_eq!((&one["best"]["params"], &one["best"]["value"]), (&two["best"]["params"], &two["best"]["value"]));
    assert_eq!((&one["trials"], &one["finished"], &one["ended"]), (&20.into(), &20.into(), &"trials".into()));
    assert_eq!(
        (&one["metric"], &one["direction"], &one["kind"]),
        (&"roc_auc".into(), &"maximise".into(), &"tree".into())
    );
    assert!(number(&one["best"]["value"]) >= number(&one["usual"]), "{one:#}");
    assert_eq!(one["leaders"].as_array().map(Vec::len), Some(10));
    assert_eq!(one["leaders"][0]["run"], one["best"]["run"]);
    // The model is that of the best trial, and can be judged at once.
    let trained = sandbox.json(&["log", "--kind", "train", "-n", "1"])["runs"][0].clone();
    assert_eq!(trained["metrics"]["roc_auc"], one["best"]["value"]);
    assert_eq!(sandbox.json(&["evaluate"])["model"], one["model"]);
    sandbox.run(&["register"]).ok();
    let other = sandbox.json(&with(&TREES, &["--trials", "20", "--seed", "7"]));
    assert_ne!(trials_of(&sandbox, &other["study"]), trials_of(&sandbox, &one["study"]));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn trials_are_runs_that_listings_show_when_asked() {
    let sandbox = ingested();
    let report = sandbox.json(&with(&TREES, &["--trials", "6", "--sampler", "sobol"]));
    let plain = sandbox.json(&["log"]);
    assert_eq!(plain["trials_left_out"], 6);
    assert!(plain["runs"].as_array().expect("a list").iter().all(|run| run["kind"] != "trial"));
    sandbox.run(&["log"]).ok().says("6 trials left out");
    let count = |words: &[&str]| sandbox.json(words)["runs"].as_array().map(Vec::len);
    assert_eq!(count(&["log", "--kind", "trial"]), Some(6));
    assert_eq!(count(&["log", "--study", "last", "--sort", "roc_auc", "-n", "2"]), Some(2));
    assert_eq!(count(&["log", "--runs"]), Some(9), "ingest, tune, six trials, train");
    let study = report["study"].as_str().expect("an id");
    assert_eq!(count(&["log", "--study", &study[..8]]), Some(6));
    let best = sandbox.json(&["log", "--study", study, "--sort", "roc_auc", "-n", "1"])["runs"][0].clone();
    assert_eq!(number(&best["metrics"]["roc_auc"]), number(&report["best"]["value"]));
    assert!(best["params"]["depth"].is_i64() && best["params"]["leaf_rows"].is_i64(), "{best:#}");
    let trained = report["model_run"].as_str().expect("an id");
    sandbox.run(&["log", "--study", trained]).code_is(2).says("belongs to no study");
    let chain = sandbox.json(&["why", report["model"].as_str().expect("an id")])["chain"].clone();
    let link =
        chain.as_array().expect("a list").iter().find(|link| link["kind"] == "study").expect("the study").clone();
    assert_eq!((&link["facts"]["trials"], &link["facts"]["run"]), (&6.into(), &report["study"]));
    assert_eq!(link["facts"]["best"]["value"], report["best"]["value"]);
    sandbox.run(&["fsck", "--rebuild-index"]).ok();
    assert_eq!(count(&["log", "--kind", "trial"]), Some(6));
    sandbox.run(&["gc", "--keep", "0"]).ok();
    sandbox.run(&["fsck"]).ok();
}

/// The study that comes out when nothing gets in the way, and one that the same words begin in `sandbox`, which is killed.
#[track_caller]
fn goes_on(words: &[&str], kill: impl Fn(&Sandbox), kept_at_least: usize) {
    let (whole, sandbox) = (ingested(), ingested());
    let wanted = whole.json(words);
    kill(&sandbox);
    sandbox.run(&["log"]).ok().says("its process was killed");
    let kept = sandbox.json(&["log", "--kind", "trial"])["runs"].as_array().map_or(0, Vec::len);
    assert!(kept >= kept_at_least, "{kept} trials were kept");
    let report = sandbox.json(&["tune", "--resume"]);
    assert_eq!(trials_of(&sandbox, &report["study"]), trials_of(&whole, &wanted["study"]));
    assert_eq!((&report["best"]["value"], &report["trials"]), (&wanted["best"]["value"], &wanted["trials"]));
    assert_eq!((&report["best"]["number"], &report["model"]), (&wanted["best"]["number"], &wanted["model"]));
    assert_eq!(report["taken_over"].as_u64(), Some(kept as u64));
    sandbox.run(&["fsck"]).ok();
    sandbox.run(&["tune", "--resume"]).code_is(2).says("no study was broken off");
}

#[test]
fn a_killed_study_goes_on_to_the_same_end() {
    let words = with(&TREES, &["--trials", "14", "--jobs", "2"]);
    for (point, kept) in [("tune.trial-kept", 1), ("tune.trials-sealed", 14), ("tune.searched", 14)] {
        let kill = |sandbox: &Sandbox| {
            let killed = sandbox.run_with(&words, &[("MLOPS_FAIL_POINT", point)]);
            assert_eq!(killed.code, None, "{point}: {}", killed.err);
        };
        goes_on(&words, kill, kept);
    }
}

#[test]
fn a_study_killed_in_the_middle_goes_on_to_the_same_end() {
    let words = [
        "tune",
        "--model",
        "forest",
        "--set",
        "trees=30",
        "--space",
        "depth=2..9",
        "--space",
        "leaf_rows=1..30",
        "--trials",
        "30",
        "--jobs",
        "2",
    ];
    let kill = |sandbox: &Sandbox| {
        let mut child = sandbox.start(&words);
        for _ in 0..3_000 {
            let journals: Vec<String> = sandbox.files(".mlops/runs");
            let ended: usize = journals.iter().map(|file| sandbox_lines(sandbox, file)).sum();
            if ended >= 4 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().expect("it is alive");
        child.wait().expect("it ends");
    };
    goes_on(&words, kill, 4);
}

/// Trials in a journal, which may vanish meanwhile.
fn sandbox_lines(sandbox: &Sandbox, file: &str) -> usize {
    let text = std::fs::read_to_string(sandbox.path(file)).unwrap_or_default();
    text.lines().filter(|line| line.starts_with("{\"ended\"")).count()
}

#[test]
fn a_study_that_ended_can_be_extended_and_learned_from() {
    let sandbox = ingested();
    let whole = sandbox.json(&with(&TREES, &["--trials", "16"]));
    let short = sandbox.json(&with(&TREES, &["--trials", "9"]));
    let id = short["study"].as_str().expect("an id");
    let longer = sandbox.json(&["tune", "--resume", id, "--trials", "16"]);
    assert_eq!((&longer["study"], &longer["taken_over"], &longer["trials"]), (&short["study"], &9.into(), &16.into()));
    assert_eq!(trials_of(&sandbox, &longer["study"]), trials_of(&sandbox, &whole["study"]));
    assert_eq!(longer["model"], whole["model"]);
    sandbox.run(&["tune", "--resume", id, "--sampler", "grid"]).code_is(2).says("cannot be used with");
    let trained = longer["model_run"].as_str().expect("an id");
    sandbox.run(&["tune", "--resume", trained]).code_is(2).says("belongs to no study");
    let warm = sandbox.json(&with(&TREES, &["--trials", "4", "--warm-from", id]));
    assert!(
        number(&warm["best"]["value"]) >= number(&whole["best"]["value"]),
        "its second trial is the best of that study"
    );
    let refused = sandbox.run(&with(&TREES, &["--metric", "log_loss", "--warm-from", id]));
    refused.code_is(2).says("searched by roc_auc, this one by log_loss");
}

#[test]
fn trials_that_fail_are_kept_and_the_search_goes_on() {
    let sandbox = ingested();
    let report =
        sandbox.json(&["tune", "--model", "tree", "--space", "depth=-8..8", "--trials", "12", "--sampler", "random"]);
    let (finished, failed) = (number(&report["finished"]), number(&report["failed"]));
    assert!(failed >= 1.0 && finished >= 1.0 && failed + finished == 12.0, "{report:#}");
    assert!(report["first_failure"].as_str().is_some_and(|why| why.contains("depth")), "{report:#}");
    let failures = sandbox.json(&["log", "--errors"])["errors"].as_array().expect("a list").clone();
    assert_eq!(failures.len() as f64, failed);
    assert!(failures.iter().all(|run| run["kind"] == "trial" && run["tags"]["outcome"] == "failed"));
    let all = sandbox.run(&["tune", "--model", "tree", "--space", "depth=-8..-1", "--trials", "5"]);
    all.code_is(2).says("all 5 trials failed").says("depth");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn spaces_that_are_none_are_refused_before_the_first_trial() {
    let sandbox = ingested();
    let cases: &[(&[&str], &str)] = &[
        (&["--model", "tree", "--space", "depht=1..5"], "did you mean `depth`"),
        (&["--model", "tree", "--set", "depht=1"], "did you mean `depth`"),
        (&["--model", "tree", "--space", "depth=9..2"], "low is 9 and high is 2"),
        (&["--model", "tree", "--space", "depth"], "there is no `=`"),
        (&["--model", "tree", "--space", "depth=5"], "nothing to search"),
        (&["--model", "tree", "--space", "depth=1..5", "--set", "depth=3"], "both fixed and searched"),
        (&["--model", "tree", "--space", "depth=1..5", "--pruner", "median"], "reports nothing on its way"),
        (&["--model", "tree", "--space", "depth=1..5", "--metric", "auc"], "did you mean `roc_auc`"),
        (&["--model", "tree", "--space", "depth=1..5", "--stop-at", "f1 > 0.5"], "improves roc_auc"),
        (&["--model", "tree", "--space", "depth=1..5", "--stop-at", "roc_auc <= 0.9"], "is to maximise roc_auc"),
        (&["--model", "tree", "--space", "depth=1..5", "--trials", "0"], "tune.trials is 0"),
        (&["--model", "tree", "--space", "depth=1..5", "--validation", "0"], "there are none"),
        (&["--stage", "fit", "--metric", "loss"], "unknown [[stage]] `fit`"),
        (&["--model", "tree", "--sampler", "tpa"], "did you mean `tpe`"),
    ];
    for (words, says) in cases {
        sandbox.run(&with(&["tune"], words)).code_is(2).says(says);
    }
    let _ = std::fs::remove_file(sandbox.path("mlops.toml"));
    sandbox.run(&with(&TREES, &["--write"])).code_is(2).says("to write the best parameters into");
    assert_eq!(sandbox.json(&["log", "--kind", "trial"])["runs"], json!([]));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_study_ends_when_it_is_good_enough_or_no_longer_better() {
    let sandbox = ingested();
    let stopped = sandbox.json(&with(&TREES, &["--trials", "40", "--stop-at", "roc_auc >= 0.1", "--jobs", "2"]));
    assert_eq!((&stopped["trials"], &stopped["ended"]), (&1.into(), &"target".into()));
    assert_eq!(trials_of(&sandbox, &stopped["study"]).len(), 1, "trials beyond it are not kept");
    let one = sandbox.json(&with(&TREES, &["--trials", "200", "--patience", "3", "--jobs", "1"]));
    let two = sandbox.json(&with(&TREES, &["--trials", "200", "--patience", "3", "--jobs", "3"]));
    assert_eq!((&one["ended"], &one["trials"]), (&"patience".into(), &two["trials"]));
    assert_eq!(trials_of(&sandbox, &one["study"]), trials_of(&sandbox, &two["study"]));
    assert_eq!(number(&one["trials"]), number(&one["best"]["number"]) + 4.0);
    // Nine points are all there are.
    let few = ["tune", "--model", "tree", "--space", "depth=1..3", "--space", "leaf_rows=1..3", "--trials", "60"];
    for sampler in ["grid", "tpe"] {
        let all = sandbox.json(&with(&few, &["--sampler", sampler]));
        assert_eq!((&all["trials"], &all["ended"]), (&9.into(), &"exhausted".into()), "{sampler}");
    }
}

#[test]
fn a_limit_of_time_is_made_good_as_a_number_of_trials() {
    let sandbox = ingested();
    let timed = sandbox.json(&with(&TREES, &["--trials", "90000", "--time", "1ms", "--jobs", "2"]));
    assert_eq!(timed["ended"], "time");
    let count = timed["trials"].to_string();
    let again = sandbox.json(&with(&TREES, &["--trials", &count]));
    assert_eq!(trials_of(&sandbox, &again["study"]), trials_of(&sandbox, &timed["study"]));
    assert_eq!(again["model"], timed["model"]);
}

#[test]
fn folds_judge_trials_and_prune_them() {
    let sandbox = ingested();
    let words = with(&TREES, &["--trials", "25", "--folds", "4", "--pruner", "halving", "--metric", "log_loss"]);
    let one = sandbox.json(&with(&words, &["--jobs", "1"]));
    let two = sandbox.json(&with(&words, &["--jobs", "2"]));
    assert_eq!(trials_of(&sandbox, &one["study"]), trials_of(&sandbox, &two["study"]));
    assert_eq!(one["direction"], "minimise");
    let trained = sandbox.json(&["log", "--kind", "train", "-n", "1"])["runs"][0].clone();
    let (mean, best) = (number(&trained["metrics"]["folds_mean.log_loss"]), number(&one["best"]["value"]));
    assert!((mean - best).abs() < 1e-12, "{mean} is not {best}");
}

#[test]
fn boosting_reports_its_trees_and_is_pruned_by_them() {
    let sandbox = ingested();
    let words = [
        "tune",
        "--model",
        "boost",
        "--set",
        "trees=60",
        "--space",
        "learning_rate=0.001..0.9:log",
        "--space",
        "leaves=2..31",
        "--trials",
        "14",
        "--pruner",
        "median",
    ];
    let one = sandbox.json(&with(&words, &["--jobs", "1"]));
    let two = sandbox.json(&with(&words, &["--jobs", "2"]));
    let trials = trials_of(&sandbox, &one["study"]);
    assert_eq!(trials, trials_of(&sandbox, &two["study"]));
    assert!(trials.iter().any(|trial| trial[2]["progress"].is_f64()), "{trials:#?}");
    assert_eq!(number(&one["finished"]) + number(&one["pruned"]), 14.0);
    assert_eq!(one["model"], two["model"]);
}

#[test]
fn the_best_parameters_are_written_and_comments_stay() {
    let sandbox = Sandbox::new();
    let project = "# ours\n[data]\nsource = 'loans.csv'\ntarget = 'label'\nkey = ['id']\n\n[train] # the model\nmodel = \
                   'tree' # readable\nparams = { depth = 2 } # by hand\n\n[tune]\ntrials = 8 # enough\nspace = { \
                   depth = { low = 1, high = 9 } }\n";
    sandbox.write("loans.csv", loans(150));
    sandbox.write("mlops.toml", project);
    sandbox.run(&["run"]).ok();
    let report = sandbox.json(&["tune", "--write"]);
    assert_eq!((&report["trials"], &report["kind"]), (&8.into(), &"tree".into()));
    let depth = report["best"]["params"]["depth"].clone();
    let after = sandbox.read("mlops.toml");
    assert_eq!(after, project.replace("depth = 2 }", &format!("depth = {depth} }}")));
    sandbox.run(&["run"]).ok();
    assert_eq!(sandbox.json(&["log", "--kind", "train", "-n", "1"])["runs"][0]["params"]["depth"], depth);
    let shown = sandbox.run(&["tune"]).ok();
    assert!(shown.out.contains("[train]") && shown.out.contains("8 trials"), "{}", shown.out);
}

/// A project with a stage whose command is `cmd`, with the parameters `rate` and `size`.
fn with_stage(cmd: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_mlops");
    let text = format!(
        "[[stage]]\nname = 'fit'\ncmd = '''{}'''\nparams = {{ rate = 0.5, size = 3 }} # usual\n\n[tune]\nstage = 'fit'\n\
         metric = 'loss'\nspace = {{ rate = {{ low = 0.0, high = 1.0 }} }}\n",
        cmd.replace("mlops", program)
    );
    sandbox.write("mlops.toml", text);
    sandbox
}

#[test]
fn a_command_is_tuned_by_what_it_logs() {
    let sandbox = with_stage("mlops log metric loss=$MLOPS_PARAM_RATE size=$MLOPS_PARAM_SIZE -q");
    let one = sandbox.json(&["tune", "--trials", "7"]);
    assert_eq!((&one["stage"], &one["trials"], &one["direction"]), (&"fit".into(), &7.into(), &"minimise".into()));
    assert_eq!(one["best"]["value"], one["best"]["params"]["rate"]);
    assert_eq!((&one["usual"], &one["best"]["metrics"]["size"]), (&0.5.into(), &3.0.into()));
    assert!(number(&one["best"]["value"]) < 0.5 && one.get("model").is_none(), "{one:#}");
    let two = sandbox.json(&["tune", "--trials", "7", "--jobs", "2", "--set", "size=4", "--write"]);
    assert_eq!(two["best"]["metrics"]["size"], 4.0);
    assert_eq!(one["best"]["params"], two["best"]["params"]);
    let text = sandbox.read("mlops.toml");
    assert!(text.contains(&format!("rate = {}, size = 4 }} # usual", two["best"]["value"])), "{text}");
    sandbox.run(&["run", "fit"]).ok();
    assert_eq!(sandbox.json(&["log", "--kind", "stage"])["runs"][0]["metrics"]["loss"], two["best"]["value"]);
    sandbox.run(&["tune", "--space", "rat=0..1"]).code_is(2).says("did you mean `rate`");
    sandbox.run(&["tune", "--folds", "3"]).code_is(2).says("is a command");
    sandbox.run(&["tune", "--metric", "delight"]).code_is(2).says("whether more of `delight` is better");
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_command_that_never_logs_stops_the_search_at_once() {
    let sandbox = with_stage("echo trial >> tried; mlops log metric los=1 -q");
    sandbox.run(&["tune", "--trials", "9"]).code_is(2).says("did not log loss").says("mlops log metric loss=VALUE");
    assert_eq!(sandbox.read("tried").lines().count(), 1);
    let rows = sandbox.json(&["log", "--runs"])["runs"].clone();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "the study and its trial: {rows:#}");
    assert!(rows.as_array().expect("a list").iter().all(|row| row["state"] == "failed"));
    sandbox.run(&["fsck"]).ok();
}

#[test]
fn a_command_that_crashes_or_logs_no_number_fails_its_trial() {
    let cmd = "case $MLOPS_PARAM_SIZE in 3) mlops log metric loss=1.5 -q;; 4) exit 9;; 5) mlops log metric loss=nan;; \
               6) kill -9 $$;; 7) mlops log metric other=1 -q;; esac";
    let sandbox = with_stage(cmd);
    let report = sandbox.json(&["tune", "--trials", "20", "--space", "size=3..7", "--space", "rate=1.0"]);
    assert_eq!((&report["trials"], &report["failed"]), (&5.into(), &4.into()), "{report:#}");
    assert_eq!(report["best"]["params"]["size"], 3);
    let errors = sandbox.json(&["log", "--errors"])["errors"].clone();
    assert_eq!(errors.as_array().map(Vec::len), Some(4));
    assert!(errors.to_string().contains("is not NAME=NUMBER"), "what the command printed is kept: {errors:#}");
    sandbox.run(&["fsck"]).ok();
}
