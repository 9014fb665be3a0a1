//! Configurations after the portfolio: near the best ones so far, now and then anywhere.
//!
//! Number n depends on the seed and on trials that ended at least [`LAG`] numbers before it, so that how many run side by
//! side changes nothing.

use crate::base::seed::{Rng, Seed};
use crate::models::zoo;
use crate::ops::auto::portfolio::{Config, Shape, patient};
use crate::ops::auto::trial::Trial;

/// Trials whose outcomes are not looked at yet: as many may run side by side.
pub const LAG: usize = 8;

/// Kinds that have something to vary.
const VARIED: [&str; 9] =
    ["boost", "extra_trees", "forest", "svm", "logistic", "ridge", "elastic_net", "knn", "naive_bayes"];
/// Chance that the next best one is taken for a start instead.
const NEXT_CHANCE: f64 = 0.6;
/// Chance that boosting starts anywhere.
const ANYWHERE_CHANCE: f64 = 0.25;

/// The configuration of trial `number`, given `known`, trials that ended long enough ago; `None` when none of them can be
/// varied.
pub fn propose(number: usize, known: &[&Trial], shape: &Shape, seed: Seed) -> Option<Config> {
    let mut rng = seed.derive("proposals").nth(number as u64).rng();
    let mut starts: Vec<&&Trial> =
        known.iter().filter(|trial| trial.is_finished() && VARIED.contains(&trial.config.kind.name)).collect();
    starts.sort_by(|a, b| a.loss.total_cmp(&b.loss).then(a.number.cmp(&b.number)));
    let mut rank = 0;
    while rank + 1 < starts.len() && rng.unit() < NEXT_CHANCE {
        rank += 1;
    }
    let start = starts.get(rank)?;
    let Config { kind, params, family, .. } = &start.config;
    let (params, family) = match kind.name {
        "boost" if rng.unit() < ANYWHERE_CHANCE => (anywhere(shape, &mut rng), *family),
        "boost" => (boost(params, shape, &mut rng), *family),
        "extra_trees" | "forest" => (forest(params, &mut rng), *family),
        "svm" => (svm(params, shape, &mut rng), *family),
        "knn" => (knn(shape, &mut rng), *family),
        "naive_bayes" => (format!("smoothing = {:e}", 10_f64.powf(-9.0 + 8.0 * rng.unit())), *family),
        "elastic_net" => (format!("l1_ratio = {:.2}", 0.05 + 0.95 * rng.unit()), *family),
        _ => (linear(params, &mut rng), *family),
    };
    let name = format!("{}_{number}", kind.name);
    let params = params.parse().ok()?;
    Some(Config { name, kind: zoo::kind(kind.name).ok()?, params, family })
}

fn number(params: &toml::Table, name: &str, usual: f64) -> f64 {
    let value = params.get(name);
    value.and_then(|value| value.as_float().or(value.as_integer().map(|whole| whole as f64))).unwrap_or(usual)
}

/// `value` times a factor around 1, within bounds.
fn near(value: f64, spread: f64, bounds: (f64, f64), rng: &mut Rng) -> f64 {
    (value.max(1e-12) * (spread * rng.normal()).exp()).clamp(bounds.0, bounds.1)
}

/// `value` plus or minus something, within bounds.
fn beside(value: f64, spread: f64, bounds: (f64, f64), rng: &mut Rng) -> f64 {
    (value + spread * rng.normal()).clamp(bounds.0, bounds.1)
}

fn boost(from: &toml::Table, shape: &Shape, rng: &mut Rng) -> String {
    let rate = near(number(from, "learning_rate", 0.1), 0.4, (0.01, 0.2), rng);
    let leaves = near(number(from, "leaves", 31.0), 0.5, (3.0, leaves_max(shape)), rng).round();
    let leaf_rows = near(number(from, "leaf_rows", 20.0), 0.5, (1.0, leaf_rows_max(shape)), rng).round();
    let features = beside(number(from, "feature_share", 1.0), 0.15, (0.2, 1.0), rng);
    let node = beside(number(from, "feature_share_node", 1.0), 0.15, (0.3, 1.0), rng);
    let rows = beside(number(from, "row_share", 1.0), 0.15, (0.4, 1.0), rng);
    let l2 = near(number(from, "l2", 0.5).max(0.05), 0.8, (0.01, 100.0), rng);
    let objective = from.get("objective").and_then(toml::Value::as_str);
    written(shape, rate, [leaves, leaf_rows], [features, node, rows, l2], objective)
}

fn anywhere(shape: &Shape, rng: &mut Rng) -> String {
    let rate = 0.02 * 8_f64.powf(rng.unit());
    let leaves = (4.0 * (leaves_max(shape) / 4.0).powf(rng.unit())).round();
    let leaf_rows = (2.0 * (leaf_rows_max(shape) / 2.0).powf(rng.unit())).round();
    let shares = [0.3 + 0.7 * rng.unit(), 0.3 + 0.7 * rng.unit(), 0.5 + 0.5 * rng.unit()];
    let l2 = 0.01 * 3_000_f64.powf(rng.unit());
    written(shape, rate, [leaves, leaf_rows], [shares[0], shares[1], shares[2], l2], None)
}

fn leaves_max(shape: &Shape) -> f64 {
    (shape.rows as f64 / 10.0).clamp(8.0, 255.0)
}

fn leaf_rows_max(shape: &Shape) -> f64 {
    (shape.rows as f64 / 20.0).clamp(4.0, 200.0)
}

fn written(shape: &Shape, rate: f64, tree: [f64; 2], shares: [f64; 4], objective: Option<&str>) -> String {
    let [features, node, rows, l2] = shares;
    let objective = objective.map_or(String::new(), |name| format!("objective = \"{name}\"\n"));
    let more = format!(
        "{objective}leaves = {}\nleaf_rows = {}\nfeature_share = {features:.2}\nfeature_share_node = {node:.2}\n\
         row_share = {rows:.2}\nl2 = {l2:.3}",
        tree[0], tree[1]
    );
    // Two digits of a rate say as much, and are easier to read.
    patient(shape, (rate * 1000.0).round() / 1000.0, &more)
}

fn forest(from: &toml::Table, rng: &mut Rng) -> String {
    let leaf_rows = near(number(from, "leaf_rows", 1.0) + 0.5, 0.7, (1.0, 60.0), rng).round();
    let share = 0.1 + 0.9 * rng.unit();
    let trees = number(from, "trees", 100.0);
    format!("trees = {trees}\nleaf_rows = {leaf_rows}\nfeature_share = {share:.2}")
}

fn svm(from: &toml::Table, shape: &Shape, rng: &mut Rng) -> String {
    let cost = near(number(from, "cost", 1.0), 1.0, (0.01, 300.0), rng);
    let gamma = near(1.0 / shape.features.max(1) as f64, 0.8, (1e-5, 10.0), rng);
    match from.get("kernel").and_then(toml::Value::as_str) {
        Some("linear") => format!("kernel = \"linear\"\ncost = {:.3}", cost.min(5.0)),
        _ => format!("cost = {cost:.3}\ngamma = {gamma:.5}"),
    }
}

fn knn(shape: &Shape, rng: &mut Rng) -> String {
    let most = (shape.rows as f64 / 4.0).clamp(3.0, 60.0);
    let neighbours = (2.0 * (most / 2.0).powf(rng.unit())).round();
    let weights = if rng.unit() < 0.7 { "distance" } else { "uniform" };
    format!("neighbours = {neighbours}\nweights = \"{weights}\"")
}

fn linear(from: &toml::Table, rng: &mut Rng) -> String {
    match from.get("penalty").and_then(toml::Value::as_str) {
        Some("l1") => format!("penalty = \"l1\"\nl1 = {:.4}", near(number(from, "l1", 1.0), 1.0, (0.01, 100.0), rng)),
        _ => format!("l2 = {:.4}", near(number(from, "l2", 1.0), 1.5, (0.001, 3_000.0), rng)),
    }
}
