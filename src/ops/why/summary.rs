//! What matters of one link, in words.

use serde_json::Value;

use crate::base::units;
use crate::metrics::zoo;
use crate::ops::why::WhyLink;
use crate::spec::model::Task;

/// Parameters shown of a run; the rest are in the facts.
const PARAMS_SHOWN: usize = 12;

/// The one sentence about a link that matters.
pub fn headline(link: &WhyLink) -> String {
    let facts = &link.facts;
    match link.kind.as_str() {
        "version" => version(facts),
        "model" => model(facts),
        "evaluation" => evaluation(facts),
        "run" => run(facts),
        "recipe" => {
            let columns = facts["columns"].as_array().map_or(0, Vec::len) as u64;
            format!("{} → {}", units::plural(columns, "column"), units::plural(whole(&facts["features"]), "feature"))
        }
        "split" => {
            let [train, validation, test] =
                ["train", "validation", "test"].map(|part| units::count(whole(&facts[part])));
            format!(
                "{train} training, {validation} validation, {test} test rows, {}, seed {}",
                text(&facts["method"]),
                facts["seed"]
            )
        }
        "dataset" => {
            let rows = units::plural(whole(&facts["rows"]), "row");
            let target = facts["roles"]["target"].as_str().map_or_else(String::new, |name| format!(", target {name}"));
            format!("{rows} × {}{target}", units::plural(whole(&facts["columns"]), "column"))
        }
        "raw" => {
            let origin = facts["origin"].as_str().map_or_else(String::new, |origin| format!(", from {origin}"));
            format!("{}{origin}", units::bytes(whole(&facts["bytes"])))
        }
        "study" => study(facts),
        "explanation" => {
            let first: Vec<String> = facts["most_important"].as_array().into_iter().flatten().map(text).collect();
            format!("{} matter most", first.join(", "))
        }
        _ => facts["bytes"].as_u64().map_or_else(String::new, units::bytes),
    }
}

/// More about a link, a line each.
pub fn details(link: &WhyLink) -> Vec<String> {
    let facts = &link.facts;
    match link.kind.as_str() {
        "version" => {
            let moves = facts["moves"].as_array().into_iter().flatten().map(moved);
            moves.chain(facts["marks"].as_array().into_iter().flatten().map(marked)).collect()
        }
        "evaluation" => {
            let gate = |gate: &Value| {
                format!("gate {}: {} ({})", text(&gate["expression"]), text(&gate["verdict"]), text(&gate["reason"]))
            };
            facts["gates"].as_array().into_iter().flatten().map(gate).collect()
        }
        "run" => params(facts).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn version(facts: &Value) -> String {
    let aliases: Vec<String> = facts["aliases"].as_array().into_iter().flatten().map(text).collect();
    let mut words = vec![aliases.join(", "), text(&facts["state"])];
    words.push(format!("registered {}{}", moment(&facts["time"]), by(&facts["by"])));
    words.push(text(&facts["note"]));
    words.retain(|word| !word.is_empty());
    words.join("; ")
}

/// One move of an alias: who, when, why.
fn moved(facts: &Value) -> String {
    let from = facts["from"].as_u64().map_or_else(|| "new".to_owned(), |from| format!("before at v{from}"));
    let reason = facts["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{} since {}{} ({from}){reason}", text(&facts["alias"]), moment(&facts["time"]), by(&facts["by"]))
}

/// One thing said of a version: who, when, why.
fn marked(facts: &Value) -> String {
    let reason = facts["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{}, {}{}{reason}", text(&facts["said"]), moment(&facts["time"]), by(&facts["by"]))
}

fn model(facts: &Value) -> String {
    let task: Option<Task> = serde_json::from_value(facts["task"].clone()).ok();
    let name = task.map_or("", zoo::headline);
    let score =
        facts["validation"][name].as_f64().map_or_else(String::new, |value| format!(", validation {name} {value:.4}"));
    format!("{}{score}", text(&facts["task"]))
}

fn evaluation(facts: &Value) -> String {
    let rows = units::count(whole(&facts["rows"]));
    let headline = text(&facts["headline"]);
    let named = facts["metrics"].get(&headline).map(|value| (headline.as_str(), value));
    let first = facts["metrics"].as_object().and_then(|all| all.iter().next());
    let shown = named.or(first.map(|(name, value)| (name.as_str(), value)));
    let score = shown.and_then(|(name, value)| Some(format!(": {name} {:.4}", value.as_f64()?)));
    format!("on {rows} {} rows{}", text(&facts["rows_of"]), score.unwrap_or_default())
}

fn run(facts: &Value) -> String {
    let mut words = vec![format!("{} {}{}", text(&facts["state"]), moment(&facts["started"]), by(&facts["user"]))];
    if let Some(commit) = facts["code"]["commit"].as_str() {
        let dirty = if facts["code"]["dirty"] == true { " with changes not committed" } else { "" };
        words.push(format!("code {}{dirty}", commit.get(..10).unwrap_or(commit)));
    }
    words.push(format!("seed {}", facts["seed"]));
    words.join(", ")
}

/// What a run logged as parameters, on one line; nothing when it logged none.
fn params(facts: &Value) -> Option<String> {
    let all = facts["params"].as_object()?;
    let mut words: Vec<String> =
        all.iter().take(PARAMS_SHOWN).map(|(name, value)| format!("{name} {}", short(value))).collect();
    if all.len() > PARAMS_SHOWN {
        words.push(format!("{} more", all.len() - PARAMS_SHOWN));
    }
    (!words.is_empty()).then(|| format!("parameters {}", words.join(", ")))
}

fn study(facts: &Value) -> String {
    let best = facts["best"]["value"].as_f64().map_or_else(String::new, |value| format!(", best {value:.4}"));
    format!("{} by {}{best}", units::plural(whole(&facts["trials"]), "trial"), text(&facts["metric"]))
}

fn whole(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// A text without its quotes; nothing for what is none.
fn text(value: &Value) -> String {
    value.as_str().map(str::to_owned).unwrap_or_default()
}

fn by(value: &Value) -> String {
    value.as_str().map_or_else(String::new, |user| format!(" by {user}"))
}

/// A time stamp to the second.
fn moment(value: &Value) -> String {
    let time = text(value);
    time.get(..19).unwrap_or(&time).replace('T', " ")
}

/// A value on one line: a number as it was written if that is short.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(value) if value.to_string().len() > 8 => format!("{value:.4e}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
