//! Every metric of the table against what scikit-learn, scipy and numpy find in the tables of
//! `tests/fixtures/reference/metrics`, to a relative 1e-9.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::data::frame::MISSING_CODE;
use crate::metrics::clustering::{Clusters, Points};
use crate::metrics::{Bounds, Sample, Scores, measure, zoo};
use crate::spec::model::Task;

/// One table with what is expected of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Case {
    pub name: String,
    pub task: Option<Task>,
    pub names: Vec<String>,
    truth: Vec<f64>,
    probabilities: Vec<f64>,
    predicted: Vec<f64>,
    points: Vec<f64>,
    codes: Vec<u32>,
    clusters: usize,
    distances: Vec<f64>,
    scores: Vec<f64>,
    weights: Option<Vec<f64>>,
    threshold: Option<f64>,
    costs: Option<Vec<Vec<f64>>>,
    bounds: Option<(Vec<f64>, Vec<f64>)>,
    pub expected: BTreeMap<String, Option<f64>>,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

pub fn cases() -> Result<Vec<Case>> {
    let text = include_str!("../../../tests/fixtures/reference/metrics/metrics.json");
    Ok(serde_json::from_str::<File>(text)?.cases)
}

impl Case {
    /// Calls `with` with the table as a sample, each row `times` its weight often when `times` is given, without weights.
    pub fn with<T>(&self, repeated: bool, with: impl FnOnce(&Sample) -> T) -> Result<T> {
        let task = self.task.context("a case has a task")?;
        let count = self.truth.len();
        let times = |row: usize| match (&self.weights, repeated) {
            (Some(weights), true) => weights[row] as usize,
            _ => 1,
        };
        let rows: Vec<usize> = (0..count).flat_map(|row| std::iter::repeat_n(row, times(row))).collect();
        let pick = |all: &[f64], width: usize| -> Vec<f64> {
            rows.iter().flat_map(|row| all[row * width..(row + 1) * width].to_vec()).collect()
        };
        let label = |value: &f64| if *value < 0.0 { MISSING_CODE } else { *value as u32 };
        let truth: Vec<f64> = pick(&self.truth, 1);
        let codes: Vec<u32> = truth.iter().map(label).collect();
        let answers = match task {
            Task::Binary | Task::Multiclass => pick(&self.probabilities, self.names.len()),
            Task::Regression => pick(&self.predicted, 1),
            Task::Clustering => pick(&self.points, 2),
            Task::Anomaly => pick(&self.scores, 1),
        };
        let found: Vec<u32> = match task {
            Task::Clustering => rows.iter().map(|row| self.codes[*row]).collect(),
            _ => Vec::new(),
        };
        let distances = if task == Task::Clustering { pick(&self.distances, 1) } else { Vec::new() };
        let scores = match task {
            Task::Binary | Task::Multiclass => {
                Scores::Classes { truth: &codes, probabilities: &answers, names: &self.names }
            }
            Task::Regression => Scores::Numbers { truth: &truth, predicted: &answers },
            Task::Clustering => Scores::Clusters(Clusters {
                points: Points { values: &answers, width: 2 },
                codes: &found,
                clusters: self.clusters,
                distances: &distances,
                truth: &codes,
            }),
            Task::Anomaly => {
                Scores::Anomalies { truth: &codes, scores: &answers, threshold: self.threshold.unwrap_or_default() }
            }
        };
        let bounds = self.bounds.as_ref().map(|(low, high)| (pick(low, 1), pick(high, 1)));
        Ok(with(&Sample {
            threshold: if task == Task::Anomaly { None } else { self.threshold },
            weights: self.weights.as_deref().filter(|_| !repeated),
            costs: self.costs.as_deref(),
            bounds: bounds.as_ref().map(|(low, high)| Bounds { low, high }),
            ..Sample::new(scores, task)
        }))
    }
}

fn is_near(got: f64, wanted: f64) -> bool {
    (got - wanted).abs() <= 1e-9 * wanted.abs().max(1e-6)
}

#[test]
fn metrics_equal_what_other_tools_find() -> Result<()> {
    let mut faults = Vec::new();
    for case in cases()? {
        let names: Vec<&str> = case.expected.keys().map(String::as_str).collect();
        let values = case.with(false, |sample| measure(Some(&names), sample))??;
        for (name, wanted) in &case.expected {
            let got = values.get(name).copied();
            let same = match (got, *wanted) {
                (Some(got), Some(wanted)) => is_near(got, wanted),
                (got, wanted) => got == wanted,
            };
            if !same {
                faults.push(format!("{:?} {}: {name} is {got:?}, wanted {wanted:?}", case.task, case.name));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

#[test]
fn every_metric_has_a_number_of_another_tool() -> Result<()> {
    let mut known: BTreeSet<(String, &str)> = BTreeSet::new();
    for case in cases()? {
        let with_value = case.expected.iter().filter(|(_, value)| value.is_some());
        let task = case.task.map_or("", Task::name);
        known.extend(with_value.map(|(name, _)| (name.split('(').next().unwrap_or_default().to_owned(), task)));
    }
    for task in [Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly] {
        for metric in zoo::all(task) {
            assert!(known.contains(&(metric.name.to_owned(), task.name())), "{} of {}", metric.name, task.name());
        }
    }
    Ok(())
}

/// Weights that are whole numbers give what rows repeated as often give.
#[test]
fn a_row_of_weight_two_is_two_rows() -> Result<()> {
    let mut checked = 0;
    for mut case in cases()? {
        let task = case.task.context("a case has a task")?;
        let Some(weights) = &mut case.weights else { continue };
        weights.iter_mut().for_each(|weight| *weight = weight.ceil().min(7.0));
        let names: Vec<String> = case.expected.keys().filter(|name| *name != "example_count").cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let weighted = case.with(false, |sample| measure(Some(&names), sample))??;
        let repeated = case.with(true, |sample| measure(Some(&names), sample))??;
        assert!(weighted.keys().eq(repeated.keys()), "{task:?} {}: {weighted:?} {repeated:?}", case.name);
        for (name, value) in &weighted {
            assert!(is_near(*value, repeated[name]), "{task:?} {}: {name} {value} {}", case.name, repeated[name]);
        }
        checked += weighted.len();
    }
    assert!(checked > 500, "{checked}");
    Ok(())
}

/// More or less of every weight changes nothing but the sum of the weights, where it is no count of rows.
#[test]
fn the_unit_of_weights_does_not_matter() -> Result<()> {
    for mut case in cases()? {
        let is_counted = matches!(case.task, Some(Task::Clustering | Task::Anomaly));
        let Some(weights) = case.weights.clone().filter(|_| !is_counted) else { continue };
        let names: Vec<String> =
            case.expected.keys().filter(|name| *name != "weighted_example_count").cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let before = case.with(false, |sample| measure(Some(&names), sample))??;
        case.weights = Some(weights.iter().map(|weight| weight * 0.375).collect());
        let after = case.with(false, |sample| measure(Some(&names), sample))??;
        assert!(before.keys().eq(after.keys()), "{}", case.name);
        for (name, value) in &before {
            assert!(is_near(after[name], *value), "{}: {name} {value} {}", case.name, after[name]);
        }
    }
    Ok(())
}
