//! Tests of what needs no repository: trials as records, and parameters in a project file.

use std::collections::BTreeMap;

use anyhow::Result;
use toml_edit::DocumentMut;

use crate::base::clock::Timestamp;
use crate::base::hash::hash;
use crate::base::id::RunId;
use crate::ops::tune::importance::importance;
use crate::ops::tune::trials::{EndedTrial, Span};
use crate::ops::tune::write::{Target, put, snippet};
use crate::record::run::{RunRecord, RunStart, TRIAL};
use crate::record::study::{StudyTrial, TrialState};
use crate::record::{decode, encode};
use crate::search::told::Outcome;

fn params(text: &str) -> toml::Table {
    text.parse().expect("a table")
}

fn start(run: RunId) -> RunStart {
    RunStart {
        id: run,
        kind: TRIAL.to_owned(),
        stage: None,
        stage_key: None,
        started: Timestamp::from_micros(1_000_000),
        command: vec!["mlops".to_owned(), "tune".to_owned()],
        code: None,
        seed: 42,
        tool_version: "0".to_owned(),
        host: "here".to_owned(),
        user: "me".to_owned(),
    }
}

#[track_caller]
fn reads_back(outcome: Outcome, curve: &[(u64, f64)], metrics: &[(&str, f64)]) {
    let trial = EndedTrial {
        number: 7,
        run: RunId::new([7; 8]),
        params: params("rate = 0.1\nwhole = 3\nflat = 1.0\ngrow = 'leaf'\non = true"),
        outcome,
        curve: curve.to_vec(),
        metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
    };
    let span = Span { ended: Timestamp::from_micros(0), seconds: 0.25 };
    let study = RunId::new([1; 8]);
    let record = trial.to_record(start(trial.run), &study, hash(b"begun"), "loss", span).expect("plain values");
    let bytes = encode(&record).expect("finite numbers");
    let again = EndedTrial::of_record(&decode::<RunRecord>(&bytes).expect("a record")).expect("a trial that ended");
    assert_eq!(format!("{again:?}"), format!("{trial:?}"));
    assert!(record.ended >= record.start.started);
}

#[test]
fn trials_read_back_as_they_were_kept() {
    let loss = [("loss", 0.1 + 0.2), ("accuracy", 1.0)];
    reads_back(Outcome::Value(0.1 + 0.2), &[], &loss);
    reads_back(Outcome::Value(0.1 + 0.2), &[(10, -0.5), (20, f64::MIN_POSITIVE)], &loss);
    reads_back(Outcome::Pruned { step: 20, value: -1.0 / 3.0 }, &[(10, 4.0), (20, -1.0 / 3.0)], &[]);
    reads_back(Outcome::Failed("it said no".to_owned()), &[(10, 4.0)], &[]);
}

#[test]
fn a_trial_that_was_killed_is_none() {
    let trial = EndedTrial {
        number: 0,
        run: RunId::new([7; 8]),
        params: toml::Table::new(),
        outcome: Outcome::Value(1.0),
        curve: Vec::new(),
        metrics: [("loss".to_owned(), 1.0)].into(),
    };
    let span = Span { ended: Timestamp::from_micros(0), seconds: 0.0 };
    let study = RunId::new([1; 8]);
    let record = trial.to_record(start(trial.run), &study, hash(b"begun"), "loss", span).expect("plain values");
    for tag in ["outcome", "trial", "metric"] {
        let mut less = record.clone();
        less.tags.remove(tag);
        assert!(EndedTrial::of_record(&less).is_none(), "{tag}");
    }
    let without = RunRecord { metrics: Vec::new(), ..record };
    assert!(EndedTrial::of_record(&without).is_none(), "a value that is not there");
}

#[track_caller]
fn written(before: &str, target: Target, best: &str, after: &str) {
    let mut document: DocumentMut = before.parse().expect("TOML");
    put(&mut document, &target, &params(best)).expect("it is a section");
    assert_eq!(document.to_string(), after);
}

#[test]
fn a_project_file_keeps_its_comments_and_order() {
    let boost = || Target::Model("boost".to_owned());
    written("", boost(), "trees = 3", "[train]\nmodel = \"boost\"\nparams = { trees = 3 }\n");
    written(
        "# top\n[train] # ours\nparams = { depth = 4, trees = 100 } # chosen by hand\n# why\nmodel = \"boost\" # best\n",
        boost(),
        "trees = 3\nrate = 0.5",
        "# top\n[train] # ours\nparams = { depth = 4, trees = 3, rate = 0.5 } # chosen by hand\n# why\nmodel = \"boost\" # best\n",
    );
    written(
        "[train]\nmodel = \"tree\" # small\nparams = { depth = 4 }\n",
        boost(),
        "trees = 3",
        "[train]\nmodel = \"boost\" # small\nparams = { trees = 3 }\n",
    );
    written(
        "[[stage]]\nname = 'a'\ncmd = 'x'\n\n[[stage]]\nname = 'b'\ncmd = 'y' # both\n[stage.params]\nr = 1\n",
        Target::Stage("b".to_owned()),
        "r = 2.5",
        "[[stage]]\nname = 'a'\ncmd = 'x'\n\n[[stage]]\nname = 'b'\ncmd = 'y' # both\n[stage.params]\nr = 2.5\n",
    );
    let mut document: DocumentMut = "train = 3".parse().expect("TOML");
    assert!(put(&mut document, &boost(), &params("a = 1")).is_err());
    let mut document: DocumentMut = "[[stage]]\nname = 'a'".parse().expect("TOML");
    assert!(put(&mut document, &Target::Stage("c".to_owned()), &params("a = 1")).is_err());
    let mut document: DocumentMut = "[train.params]\ntrees = 1 # few\n".parse().expect("TOML");
    put(&mut document, &boost(), &params("trees = 3")).expect("it is a section");
    let text = document.to_string();
    let read: toml::Table = text.parse().expect("a project file");
    assert!(text.contains("trees = 3 # few") && read["train"]["model"].as_str() == Some("boost"), "{text}");
    let shown = snippet(&boost(), &params("rate = 0.5\ngrow = 'leaf'"));
    let read: toml::Table = shown.parse().expect("a project file");
    assert_eq!(read["train"]["params"]["grow"].as_str(), Some("leaf"));
}

#[test]
fn the_parameter_that_matters_has_the_largest_share() -> Result<()> {
    let trial = |number: u64| {
        let (strong, weak) = ((number * 7 % 40) as f64, number * 13 % 11);
        let word = ["a", "b"][(number % 2) as usize];
        let params: BTreeMap<String, serde_json::Value> =
            [("strong".to_owned(), strong.into()), ("weak".to_owned(), weak.into()), ("word".to_owned(), word.into())]
                .into();
        StudyTrial {
            number,
            run: RunId::new([0; 8]),
            state: TrialState::Finished,
            params,
            value: Some(strong * strong + 0.1 * weak as f64),
            error: None,
        }
    };
    let trials: Vec<StudyTrial> = (0..40).map(trial).collect();
    let shares = importance(&trials, 1)?;
    assert!((shares.values().sum::<f64>() - 1.0).abs() < 1e-9 && shares["strong"] > 0.9, "{shares:?}");
    assert_eq!(importance(&trials, 1)?, shares);
    assert!(importance(&trials[..9], 1)?.is_empty(), "too few to tell");
    let flat: Vec<StudyTrial> = trials.iter().map(|trial| StudyTrial { value: Some(1.0), ..trial.clone() }).collect();
    assert!(importance(&flat, 1)?.is_empty(), "nothing differs");
    Ok(())
}
