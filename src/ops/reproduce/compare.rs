//! Two packages piece by piece: fields of the header, then the sections, and where in each the first difference is.

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::hash::hash;
use crate::models::package::{PackageParts, parts};
use crate::ops::reproduce::Difference;

/// Fields named one by one; of more, how many there are.
const FIELDS_MAX: usize = 40;
/// Fields that are causes, in the order in which they are told; the others follow.
const CAUSES: [&str; 5] = ["engine", "seed", "lineage", "params", "task"];

/// How two packages differ; empty when they are the same bytes.
///
/// Errors: one of them is no package.
pub fn packages(recorded: &[u8], now: &[u8]) -> Result<Vec<Difference>> {
    let (old, new) = (parts(recorded)?, parts(now)?);
    let mut found = Vec::new();
    fields("header", &old.header, &new.header, &mut found);
    let rank = |difference: &Difference| {
        let name = difference.what.trim_start_matches("header.");
        CAUSES.iter().position(|cause| name.starts_with(cause)).unwrap_or(CAUSES.len())
    };
    found.sort_by_key(rank);
    let more = found.len().saturating_sub(FIELDS_MAX);
    if more > 0 {
        found.truncate(FIELDS_MAX);
        found.push(Difference { what: "header".to_owned(), recorded: Value::Null, now: json!(format!("{more} more")) });
    }
    found.extend(sections(&old, &new));
    Ok(found)
}

/// Every leaf that is not the same on both sides.
fn fields(path: &str, old: &Value, new: &Value, found: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))).collect();
            names.sort();
            for name in names {
                let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
                fields(&format!("{path}.{name}"), &of(a), &of(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(at, (old, new))| fields(&format!("{path}[{at}]"), old, new, found));
        }
        _ if old == new => {}
        _ => found.push(Difference { what: path.to_owned(), recorded: old.clone(), now: new.clone() }),
    }
}

/// Sections whose bytes differ, each with the place of its first difference.
fn sections(old: &PackageParts<'_>, new: &PackageParts<'_>) -> Vec<Difference> {
    let names = old.sections.iter().chain(&new.sections).map(|(name, _)| name);
    let mut found: Vec<Difference> = Vec::new();
    for name in names {
        let body =
            |of: &PackageParts<'_>| of.sections.iter().find(|(other, _)| other == name).map(|(_, body)| body.to_vec());
        let (a, b) = (body(old), body(new));
        if a == b || found.iter().any(|known| known.what == *name || known.what.starts_with(&format!("{name}."))) {
            continue;
        }
        found.push(match (a, b) {
            (Some(a), Some(b)) => section(name, &a, &b),
            (a, b) => {
                let whole = |body: Option<Vec<u8>>| body.map_or(Value::Null, |body| json!({ "bytes": body.len() }));
                Difference { what: name.clone(), recorded: whole(a), now: whole(b) }
            }
        });
    }
    found
}

/// The first field of a section in JSON, or the first byte of another one.
fn section(name: &str, old: &[u8], new: &[u8]) -> Difference {
    let json_of = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    if let (Some(a), Some(b)) = (json_of(old), json_of(new)) {
        let mut found = Vec::new();
        fields(name, &a, &b, &mut found);
        if !found.is_empty() {
            return found.swap_remove(0);
        }
    }
    let first = old.iter().zip(new).position(|(a, b)| a != b).unwrap_or(old.len().min(new.len()));
    let of = |body: &[u8]| json!({ "bytes": body.len(), "hash": hash(body), "first_difference_at_byte": first });
    Difference { what: name.to_owned(), recorded: of(old), now: of(new) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::fields;

    #[test]
    fn every_leaf_that_differs_is_named_by_its_path() {
        let old = json!({ "a": { "b": [1, 2], "c": "x" }, "gone": true, "d": [1] });
        let new = json!({ "a": { "b": [1, 3], "c": "x" }, "d": [1, 2], "new": null });
        let mut found = Vec::new();
        fields("header", &old, &new, &mut found);
        let names: Vec<&str> = found.iter().map(|difference| difference.what.as_str()).collect();
        assert_eq!(names, ["header.a.b[1]", "header.d", "header.gone"]);
        assert_eq!((&found[0].recorded, &found[0].now), (&json!(2), &json!(3)));
    }
}
