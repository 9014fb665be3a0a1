//! Keys change with every input and with nothing else; reasons are sentences.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::base::hash;
use crate::base::id::ObjectId;
use crate::pipeline::key::{KeyInput, StageKey, stage_key};
use crate::pipeline::lockfile::LockEntry;
use crate::pipeline::staleness::{why, why_outputs};
use crate::spec::model::TrainSpec;
use crate::spec::project::StageSpec;

fn id(text: &str) -> ObjectId {
    hash::hash(text.as_bytes())
}

/// One input of every kind.
fn inputs() -> Vec<KeyInput> {
    vec![
        KeyInput::seed(42),
        KeyInput::file(Path::new("data/penguins.csv"), Some(id("penguins"))),
        KeyInput::file(Path::new("notes.md"), None),
        KeyInput::reference("data:penguins@latest", Some(id("dataset"))),
        KeyInput::reference("model:penguins@champion", None),
        KeyInput::output("ingest", "dataset", id("dataset")),
    ]
}

fn key_of(inputs: Vec<KeyInput>) -> Result<ObjectId> {
    Ok(StageKey::new("train", "0.1.0", inputs)?.key)
}

fn command() -> StageSpec {
    StageSpec {
        name: "report".to_owned(),
        cmd: "python report.py".to_owned(),
        deps: Vec::new(),
        outs: Vec::new(),
        params: toml::Table::from_iter([("top".to_owned(), toml::Value::from(3))]),
        always: false,
    }
}

#[test]
fn every_input_changes_the_key() -> Result<()> {
    let base = key_of(inputs())?;
    assert_eq!(base, key_of(inputs().into_iter().rev().collect())?, "their order does not");
    let others = [
        KeyInput::seed(43),
        KeyInput::file(Path::new("data/penguins.csv"), Some(id("other penguins"))),
        KeyInput::file(Path::new("notes.md"), Some(id("notes"))),
        KeyInput::reference("data:penguins@latest", Some(id("other dataset"))),
        KeyInput::reference("model:penguins@champion", Some(id("model"))),
        KeyInput::output("ingest", "dataset", id("other dataset")),
    ];
    let mut seen = vec![base];
    for (position, other) in others.into_iter().enumerate() {
        let mut changed = inputs();
        changed[position] = other;
        seen.push(key_of(changed)?);
        let mut without = inputs();
        without.remove(position);
        seen.push(key_of(without)?);
    }
    seen.push(StageKey::new("train", "0.2.0", inputs())?.key);
    seen.push(StageKey::new("evaluate", "0.1.0", inputs())?.key);
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "all keys differ");
    Ok(())
}

#[test]
fn everything_a_command_says_changes_its_key_but_always() -> Result<()> {
    let key = |change: &dyn Fn(&mut StageSpec), outs: &[&str]| -> Result<ObjectId> {
        let mut spec = command();
        change(&mut spec);
        let outs: Vec<_> = outs.iter().map(|out| Path::new(out).to_owned()).collect();
        key_of(KeyInput::command(&spec, &outs)?)
    };
    let base = key(&|_| {}, &["a", "b"])?;
    assert_eq!(base, key(&|spec| spec.always = true, &["b", "a"])?);
    assert_ne!(base, key(&|spec| spec.cmd += " --fast", &["a", "b"])?);
    assert_ne!(base, key(&|_| {}, &["a"])?);
    for value in [toml::Value::from(4), toml::Value::from("3"), toml::Value::from(3.0)] {
        assert_ne!(base, key(&|spec| drop(spec.params.insert("top".to_owned(), value.clone())), &["a", "b"])?);
    }
    assert_ne!(base, key(&|spec| spec.params.clear(), &["a", "b"])?);
    Ok(())
}

#[test]
fn settings_are_flat_and_leaves_keep_their_types() -> Result<()> {
    let text = "model = 'boost'\nparams = { trees = 200, 'a.b' = [1, 2], deep = { x = 0.5 }, none = {} }";
    let spec: TrainSpec = toml::from_str(text)?;
    let flat: BTreeMap<String, String> =
        KeyInput::settings("train", &spec)?.into_iter().map(|input| (input.name, input.value)).collect();
    let wanted = [
        ("train.model", "\"boost\""),
        ("train.params.\"a.b\"", "[1,2]"),
        ("train.params.deep.x", "0.5"),
        ("train.params.none", "{}"),
        ("train.params.trees", "200"),
    ];
    assert_eq!(flat, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    Ok(())
}

#[test]
fn texts_do_not_run_together_and_names_do_not_clash() -> Result<()> {
    let pair = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    assert_ne!(stage_key("a", "1", &pair("ab", "c")), stage_key("a", "1", &pair("a", "bc")));
    assert_ne!(stage_key("ab", "1", &pair("x", "y")), stage_key("a", "b1", &pair("x", "y")));
    assert!(key_of(vec![KeyInput::seed(1), KeyInput::seed(2)]).is_err());
    assert_eq!(key_of(vec![KeyInput::seed(1), KeyInput::seed(1)])?, key_of(vec![KeyInput::seed(1)])?);
    Ok(())
}

/// The key is part of `mlops.lock`: this number (made with the Python package blake3 as well) changes only together
/// with the version inside `stage_key`.
#[test]
fn keys_stay_the_same_from_release_to_release() {
    let inputs = BTreeMap::from([("seed".to_owned(), "42".to_owned())]);
    let known = "9121373a";
    assert_eq!(&stage_key("train", "0.1.0", &inputs).hex()[..8], known);
}

/// An entry made from `old`, asked about `new`.
fn reasons(old: Vec<KeyInput>, new: Vec<KeyInput>) -> Result<Vec<String>> {
    let (old, new) = (StageKey::new("s", "0.1.0", old)?, StageKey::new("s", "0.1.0", new)?);
    let entry = LockEntry { key: old.key, inputs: old.inputs, outputs: BTreeMap::new() };
    Ok(why(Some(&entry), new.key, &new.inputs))
}

#[test]
fn reasons_are_sentences() -> Result<()> {
    let set = |name: &str, value: &str| KeyInput { name: name.to_owned(), value: value.to_owned() };
    let file = |text: Option<&str>| KeyInput::file(Path::new("data/penguins.csv"), text.map(id));
    let reference = |text: &str| KeyInput::reference("data:penguins", Some(id(text)));
    for (old, new, wanted) in [
        (Some(set("params.trees", "100")), Some(set("params.trees", "200")), "params.trees: 100 -> 200"),
        (None, Some(set("params.trees", "200")), "params.trees is now set: 200"),
        (Some(set("params.trees", "200")), None, "params.trees is no longer set: 200"),
        (Some(set("cmd", &"x".repeat(80))), Some(set("cmd", "y")), "cmd changed"),
        (Some(KeyInput::seed(1)), Some(KeyInput::seed(2)), "seed: 1 -> 2"),
        (Some(file(Some("a"))), Some(file(Some("b"))), "data/penguins.csv changed"),
        (Some(file(Some("a"))), Some(file(None)), "data/penguins.csv is missing"),
        (Some(file(None)), Some(file(Some("b"))), "data/penguins.csv is there now"),
        (None, Some(file(Some("b"))), "data/penguins.csv is a new input"),
        (Some(file(Some("b"))), None, "data/penguins.csv is no longer an input"),
        (Some(reference("a")), Some(reference("b")), "data:penguins changed"),
        (
            Some(KeyInput::output("ingest", "dataset", id("a"))),
            Some(KeyInput::output("ingest", "dataset", id("b"))),
            "dataset of stage ingest changed",
        ),
    ] {
        assert_eq!(reasons(old.into_iter().collect(), new.into_iter().collect())?, [wanted]);
    }
    assert!(reasons(inputs(), inputs())?.is_empty());
    assert_eq!(
        reasons(vec![set("b", "1"), set("a", "1")], vec![set("b", "2"), set("a", "2")])?,
        ["a: 1 -> 2", "b: 1 -> 2"]
    );
    Ok(())
}

#[test]
fn reasons_beyond_the_inputs() -> Result<()> {
    let old = StageKey::new("s", "0.1.0", inputs())?;
    let new = StageKey::new("s", "0.2.0", inputs())?;
    assert_eq!(why(None, old.key, &old.inputs), ["never run"]);
    let outputs = BTreeMap::from(["a", "b", "c", "d"].map(|name| (name.to_owned(), id(name))));
    let mut entry = LockEntry { key: old.key, inputs: old.inputs.clone(), outputs };
    assert_eq!(why(Some(&entry), new.key, &new.inputs), ["mlops changed from 0.1.0 to 0.2.0"]);
    let now = [("a", Some(id("a"))), ("b", None), ("c", Some(id("x")))].map(|(name, id)| (name.to_owned(), id));
    assert_eq!(why_outputs(&entry, &now.into()), ["b is missing", "c was changed by something else"]);
    entry.key = id("edited");
    assert_eq!(
        why(Some(&entry), old.key, &old.inputs),
        ["its key in mlops.lock does not fit the inputs written there"]
    );
    Ok(())
}
