//! The one table of metrics: a new metric is a function in the file of its idea and a row in one of the two tables.
//!
//! A metric with a parameter is written `NAME(NUMBER)`. A metric of a positive class is written `NAME(class=CLASS)` for any one
//! class against the rest, with both `NAME(NUMBER, class=CLASS)`; the name of the class runs to the last bracket.

mod classes;
mod names;
mod others;
mod rows;

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::metrics::Sample;
use crate::metrics::metric::{Chosen, Metric, When};
use crate::spec::model::Task;

fn table() -> impl Iterator<Item = &'static Metric> {
    classes::TABLE.iter().chain(others::TABLE)
}

/// Metrics that have a meaning for `task`, what people look at first in front.
pub fn all(task: Task) -> Vec<&'static Metric> {
    table().filter(|metric| metric.tasks.contains(&task)).collect()
}

/// Names of the metrics of `task` that are measured unless others are asked for.
pub fn usual(task: Task) -> Vec<&'static str> {
    all(task).into_iter().filter(|metric| metric.when == When::Always).map(|metric| metric.name).collect()
}

/// As [`usual`], with those that the costs or intervals of `sample` make possible.
pub fn usual_of(sample: &Sample) -> Vec<&'static str> {
    let is_usual = |metric: &&Metric| match metric.when {
        When::Always => true,
        When::Costs => sample.costs.is_some(),
        When::Bounds => sample.bounds.is_some(),
        When::Asked => false,
    };
    all(sample.task).into_iter().filter(is_usual).map(|metric| metric.name).collect()
}

/// Every metric of `task` that needs no costs and no intervals, a parameter at the number that examples use.
pub fn every(task: Task) -> Vec<String> {
    let needs_nothing = |metric: &&Metric| matches!(metric.when, When::Always | When::Asked);
    all(task).into_iter().filter(needs_nothing).map(Metric::example).collect()
}

/// The metrics of [`usual_of`], and those of `asked` that are not among them; `all` stands for [`every`].
pub fn wanted(sample: &Sample, asked: &[&str]) -> Vec<String> {
    let mut wanted: Vec<String> = usual_of(sample).into_iter().map(str::to_owned).collect();
    for name in asked {
        let more = if *name == ALL { every(sample.task) } else { vec![(*name).to_owned()] };
        let new: Vec<String> = more.into_iter().filter(|name| !wanted.contains(name)).collect();
        wanted.extend(new);
    }
    wanted
}

/// What people write for every metric of the task.
pub const ALL: &str = "all";

/// The metric written `name`, with its parameter and class; see the head of this file for the forms.
///
/// Errors (usage): an unknown name, with the nearest one; a metric of another task, with those of this one; a parameter that
/// is missing, superfluous or out of its range; a class where there is none to ask for.
pub fn find(name: &str, task: Task) -> Result<Chosen> {
    let name = name.trim();
    let (base, parameter, class) = parts(name)?;
    let is_of_task =
        |metric: &&'static Metric| metric.tasks.contains(&task) || (class.is_some() && is_askable(metric, task));
    match table().filter(is_of_task).find(|metric| metric.name == base) {
        Some(metric) => Chosen::new(name, metric, parameter, class),
        None => Err(unknown(base, task)),
    }
}

/// Whether a metric of two classes can be asked of one class of several.
fn is_askable(metric: &Metric, task: Task) -> bool {
    task == Task::Multiclass && metric.tasks.contains(&Task::Binary) && metric.measure.is_of_a_class()
}

/// Name, number and class of `name`.
fn parts(name: &str) -> Result<(&str, Option<f64>, Option<&str>)> {
    let Some((base, rest)) = name.split_once('(') else {
        return Ok((name, None, None));
    };
    let bad = |why: &str| {
        let hint = "write it like `fbeta(2)`, `f1(class=yes)` or `fbeta(2, class=yes)`";
        fail::usage(format!("metric `{name}`: {why}")).hint(hint)
    };
    let inner = rest.strip_suffix(')').ok_or_else(|| bad("the bracket is not closed"))?.trim();
    let class_of = |text: &'_ str| text.trim_start().strip_prefix("class=").map(str::len);
    let (number, class) = match (class_of(inner), inner.split_once(',')) {
        (Some(length), _) => ("", Some(&inner[inner.len() - length..])),
        (None, None) => (inner, None),
        (None, Some((number, rest))) => match class_of(rest) {
            Some(length) => (number, Some(&rest[rest.len() - length..])),
            None => return Err(bad("after the number, only a class can follow").into()),
        },
    };
    let number = match (number.trim(), class) {
        ("", Some(_)) => None,
        (text, _) => Some(text.parse::<f64>().map_err(|_| bad(&format!("`{text}` is no number")))?),
    };
    Ok((base.trim_end(), number, class))
}

fn unknown(name: &str, task: Task) -> anyhow::Error {
    let known = all(task);
    let names = known.iter().map(|metric| metric.name);
    let others: Vec<&Metric> = table().filter(|metric| metric.name == name).collect();
    let tasks: Vec<&str> = others.iter().flat_map(|metric| metric.tasks).map(|task| task.name()).collect();
    if !tasks.is_empty() {
        let message = format!("metric `{name}` is for {} tasks; this task is {}", listed(&tasks), task.name());
        let of_a_class = others.iter().any(|metric| is_askable(metric, task));
        let one = if of_a_class { format!("`{name}(class=NAME)` for one class, or ") } else { String::new() };
        let hint = format!("use {one}one of {}", names.collect::<Vec<_>>().join(", "));
        return fail::usage(message).hint(hint).into();
    }
    if let Some(meant) = names::meant(name).filter(|meant| known.iter().any(|metric| metric.name == *meant)) {
        return fail::usage(format!("unknown metric `{name}`")).hint(format!("did you mean `{meant}`?")).into();
    }
    suggest::unknown("metric", name, names).into()
}

fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, rest)) if rest.len() > 1 => format!("{} and {last}", rest.join(", ")),
        _ => names.join(" and "),
    }
}

/// Several metrics in one text, apart by commas that stand in no bracket.
pub fn split(text: &str) -> Vec<String> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The metric that a search improves and a listing shows when nobody said which.
pub fn headline(task: Task) -> &'static str {
    match task {
        Task::Binary => "roc_auc",
        Task::Multiclass => "log_loss",
        Task::Regression => "rmse",
        Task::Clustering => "silhouette",
        Task::Anomaly => "average_precision",
    }
}
