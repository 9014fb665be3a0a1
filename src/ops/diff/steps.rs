//! Two fitted recipes side by side: which steps came, went, or learned something else.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What came, went or changed, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Of the newer one alone.
    pub added: Vec<String>,
    /// Of the older one alone.
    pub removed: Vec<String>,
    /// Of both, and not the same.
    pub changed: Vec<String>,
}

impl Changes {
    /// What differs between two sets of things by name, in the order of the newer one, then of the older.
    pub fn between<V: PartialEq>(old: &[(String, V)], new: &[(String, V)]) -> Changes {
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (
            old.iter().map(|(name, value)| (name, value)).collect(),
            new.iter().map(|(name, value)| (name, value)).collect(),
        );
        let names = |all: &[(String, V)], keep: &dyn Fn(&String) -> bool| -> Vec<String> {
            all.iter().map(|(name, _)| name).filter(|name| keep(name)).cloned().collect()
        };
        Changes {
            added: names(new, &|name| !before.contains_key(name)),
            removed: names(old, &|name| !after.contains_key(name)),
            changed: names(new, &|name| before.get(name).is_some_and(|value| after.get(name) != Some(value))),
        }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// The steps of a fitted recipe as it is kept: `impute age`, `pca a, b`, each with what it learned. A step that a column goes
/// through twice is told apart by its turn; recipes side by side begin with their names.
pub fn steps(fitted: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    gather("", fitted, &mut found);
    let mut turns: BTreeMap<String, usize> = BTreeMap::new();
    for (name, _) in &mut found {
        let turn = turns.entry(name.clone()).and_modify(|turn| *turn += 1).or_insert(1);
        if *turn > 1 {
            *name = format!("{name} ({turn})");
        }
    }
    found
}

fn gather(before: &str, fitted: &Value, found: &mut Vec<(String, Value)>) {
    for branch in fitted["branches"].as_array().into_iter().flatten() {
        let name = branch["name"].as_str().unwrap_or_default();
        gather(&format!("{before}{name}: "), &branch["recipe"], found);
    }
    for step in fitted["steps"].as_array().into_iter().flatten() {
        let columns = step.as_array().map_or(std::slice::from_ref(step), Vec::as_slice);
        found.extend(columns.iter().map(|column| (format!("{before}{}", called(column)), column.clone())));
    }
}

/// What a step does, and to which columns.
fn called(step: &Value) -> String {
    let op = step["op"].as_str().unwrap_or("step");
    let many: Vec<&str> = step["inputs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match (step["column"].as_str(), many.as_slice()) {
        (Some(column), _) => format!("{op} {column}"),
        (None, []) => op.to_owned(),
        (None, many) => format!("{op} {}", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Changes, steps};

    #[test]
    fn steps_are_told_apart_by_what_they_do_to_which_columns() {
        let old = json!({ "steps": [[{ "op": "impute", "column": "a", "fill": 1 }, { "op": "scale", "column": "b" }],
            [{ "op": "scale", "column": "b" }]] });
        let new = json!({ "branches": [], "steps": [[{ "op": "impute", "column": "a", "fill": 2 }],
            { "op": "pca", "inputs": ["a", "b"] }] });
        let (old, new) = (steps(&old), steps(&new));
        let names: Vec<&str> = old.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["impute a", "scale b", "scale b (2)"]);
        let changes = Changes::between(&old, &new);
        assert_eq!(changes.added, ["pca a, b"]);
        assert_eq!(changes.removed, ["scale b", "scale b (2)"]);
        assert_eq!(changes.changed, ["impute a"]);
        assert!(Changes::between(&new, &new).is_empty());
        let side =
            json!({ "branches": [{ "name": "trees", "recipe": { "steps": [[{ "op": "drop", "column": "a" }]] } }] });
        assert_eq!(steps(&side)[0].0, "trees: drop a");
    }
}
