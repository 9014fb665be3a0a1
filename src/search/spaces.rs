//! The default space of each kind of model.
//!
//! Ranges are those that published searches agree on (Optuna's LightGBM tuner, FLAML, AutoGluon, Grinsztajn et al. 2022),
//! narrowed to what is worth a trial, and cut to the number of training rows. Penalties are searched by their ratio, from what
//! is as good as none. What has a steady best value, or is found in a cheaper way, is fixed or left out.

use crate::search::space::{Dimension, Range, Space};
use crate::spec::model::Task;

/// Where the parameters of model kind `kind` are searched when nobody says it, for a task and a number of training rows.
/// `None` when the kind is not known; a space without dimensions when it has nothing to search.
pub fn of(kind: &str, task: Task, rows: usize) -> Option<Space> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let dimensions = match kind {
        "boost" => boost(rows),
        "forest" | "extra_trees" => forest(kind, rows),
        "tree" => vec![whole("depth", 2, 20), ratio("leaf_rows", 1, (rows / 10).clamp(2, 100))],
        "logistic" => vec![choice("penalty", &["l2", "elastic_net"]), scale("l2", 1e-3, 1e3), scale("l1", 1e-3, 1e2)],
        "poisson" => vec![scale("l2", 1e-4, 1e4)],
        "ridge" => vec![scale("l2", 1e-4, 1e4)],
        "lasso" => vec![scale("alpha", 1e-5, 1e3)],
        // The penalty itself is chosen by cross-validation within each fit.
        "elastic_net" => vec![share("l1_ratio", 0.05, 1.0)],
        "linear" => Vec::new(),
        "knn" => vec![ratio("neighbours", 1, (rows / 4).clamp(2, 100).min(rows.max(1))), weights()],
        "svm" => vec![scale("cost", 1e-2, 1e3), scale("gamma", 1e-4, 10.0)],
        "naive_bayes" => vec![scale("smoothing", 1e-10, 1.0)],
        "kmeans" => vec![whole("clusters", 2.min(rows.max(1)), 20.min(rows.max(1)))],
        "isolation_forest" => vec![ratio("trees", 50, 400), ratio("tree_rows", 32, 1_024)],
        "baseline" => vec![choice("strategy", strategies(task))],
        _ => return None,
    };
    Some(Space::new(dimensions).expect("default spaces name each parameter once"))
}

/// Trees are as many as the validation rows want: up to a number that the lowest learning rate can use, ended by patience.
/// Leaves, not depth, bound a tree. Shares below 1 and `leaf_rows` do what `gain_min` and `leaf_hessian` would, steadier.
fn boost(rows: i64) -> Vec<Dimension> {
    vec![
        fixed("trees", 500),
        fixed("patience", 30),
        scale("learning_rate", 0.02, 0.3),
        ratio("leaves", 4, 128),
        ratio("leaf_rows", 2, (rows / 10).clamp(4, 100)),
        share("feature_share", 0.4, 1.0),
        share("row_share", 0.5, 1.0),
        scale("l1", 1e-3, 10.0),
        scale("l2", 1e-3, 10.0),
    ]
}

/// More trees are never worse, so their number is not searched.
fn forest(kind: &str, rows: i64) -> Vec<Dimension> {
    let mut dimensions =
        vec![fixed("trees", 300), share("feature_share", 0.1, 1.0), ratio("leaf_rows", 1, (rows / 20).clamp(2, 50))];
    // Thresholds drawn at random do what drawing rows does.
    if kind == "forest" {
        dimensions.push(share("row_share", 0.5, 1.0));
    }
    dimensions
}

fn strategies(task: Task) -> &'static [&'static str] {
    match task {
        Task::Binary | Task::Multiclass => &["shares", "majority"],
        Task::Regression => &["mean", "median", "last"],
        Task::Clustering | Task::Anomaly => &["auto"],
    }
}

fn weights() -> Dimension {
    choice("weights", &["uniform", "distance"])
}

fn dimension(name: &str, range: Range) -> Dimension {
    Dimension::new(name, range).expect("default ranges are the right way round")
}

/// Whole numbers, equal differences equally far.
fn whole(name: &str, low: i64, high: i64) -> Dimension {
    dimension(name, Range::Integer { low, high, log: false, step: 1 })
}

/// Whole numbers, equal ratios equally far.
fn ratio(name: &str, low: i64, high: i64) -> Dimension {
    dimension(name, Range::Integer { low, high, log: true, step: 1 })
}

/// Numbers, equal ratios equally far.
fn scale(name: &str, low: f64, high: f64) -> Dimension {
    dimension(name, Range::Float { low, high, log: true, step: None })
}

/// Numbers, equal differences equally far.
fn share(name: &str, low: f64, high: f64) -> Dimension {
    dimension(name, Range::Float { low, high, log: false, step: None })
}

fn choice(name: &str, values: &[&str]) -> Dimension {
    dimension(name, Range::Choice { values: values.iter().map(|value| (*value).into()).collect() })
}

fn fixed(name: &str, value: i64) -> Dimension {
    dimension(name, Range::Choice { values: vec![value.into()] })
}
