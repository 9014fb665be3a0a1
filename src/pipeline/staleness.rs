//! Why a stage would run again, in sentences.

use std::collections::BTreeMap;

use crate::base::id::ObjectId;
use crate::pipeline::key;
use crate::pipeline::lockfile::LockEntry;

/// Longest value shown in a sentence, in bytes; beyond it the sentence only says that it changed.
const SHOWN_MAX: usize = 60;

/// What changed since the lock file's entry was written; nothing when the entry is still good. `inputs` are those that
/// `key` was made of.
pub fn why(old: Option<&LockEntry>, key: ObjectId, inputs: &BTreeMap<String, String>) -> Vec<String> {
    let Some(old) = old else {
        return vec!["never run".to_owned()];
    };
    if old.key == key {
        return Vec::new();
    }
    let mut names: Vec<&String> = old.inputs.keys().chain(inputs.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let sentence = |name: &&String| match (old.inputs.get(*name), inputs.get(*name)) {
        (old, new) if old == new => None,
        (old, new) => Some(change(name, old.map(String::as_str), new.map(String::as_str))),
    };
    let sentences: Vec<String> = names.iter().filter_map(sentence).collect();
    match sentences.is_empty() {
        true => vec!["its key in mlops.lock does not fit the inputs written there".to_owned()],
        false => sentences,
    }
}

/// What happened to the outputs since they were written: `now` holds the id of each, `None` for one that is gone. An
/// output that `now` does not mention was not looked at.
pub fn why_outputs(old: &LockEntry, now: &BTreeMap<String, Option<ObjectId>>) -> Vec<String> {
    let sentence = |(name, id): (&String, &ObjectId)| match now.get(name) {
        Some(None) => Some(format!("{name} is missing")),
        Some(Some(other)) if other != id => Some(format!("{name} was changed by something else")),
        _ => None,
    };
    old.outputs.iter().filter_map(sentence).collect()
}

fn change(name: &str, old: Option<&str>, new: Option<&str>) -> String {
    if name == key::TOOL {
        return format!("mlops changed from {} to {}", old.unwrap_or("unknown"), new.unwrap_or("unknown"));
    }
    if let Some(path) = name.strip_prefix(key::FILE) {
        return content(path, old, new);
    }
    if let Some((stage, output)) = name.strip_prefix(key::STAGE).and_then(|rest| rest.split_once('/')) {
        return content(&format!("{output} of stage {stage}"), old, new);
    }
    if name.starts_with("data:") || name.starts_with("model:") {
        return content(name, old, new);
    }
    match (old, new) {
        (Some(old), Some(new)) if old.len() + new.len() <= SHOWN_MAX => format!("{name}: {old} -> {new}"),
        (None, Some(new)) if new.len() <= SHOWN_MAX => format!("{name} is now set: {new}"),
        (Some(old), None) if old.len() <= SHOWN_MAX => format!("{name} is no longer set: {old}"),
        (None, _) => format!("{name} is now set"),
        (_, None) => format!("{name} is no longer set"),
        _ => format!("{name} changed"),
    }
}

/// Of things that are known by their hash.
fn content(what: &str, old: Option<&str>, new: Option<&str>) -> String {
    match (old, new) {
        (None, Some(_)) => format!("{what} is a new input"),
        (_, None) => format!("{what} is no longer an input"),
        (_, Some(key::ABSENT)) => format!("{what} is missing"),
        (Some(key::ABSENT), _) => format!("{what} is there now"),
        _ => format!("{what} changed"),
    }
}
