//! From the lines of a LightGBM model to trees of ours.

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::exchange::incoming::{self, Found, Piece, Question, Room};
use crate::exchange::lightgbm::objective;
use crate::exchange::lightgbm::text::{self, Fields, Parts, count, field, list};
use crate::exchange::{Foreign, ForeignFeature};
use crate::models::predictor::Predictor;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::forested::Forested;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::Tree;
use crate::spec::model::Task;

/// LightGBM's `kZeroThreshold`, a float of 32 bits: what is nearer to 0 counts as 0.
const ZERO: f64 = 1e-35_f32 as f64;
/// Bits of `decision_type`.
const CATEGORY: u8 = 1;
const DEFAULT_LEFT: u8 = 2;

/// Reads the whole file.
pub fn read(text: &str) -> Result<Foreign> {
    let parts = text::parts(text)?;
    check_version(&parts.head)?;
    let mut notes = Vec::new();
    let names = field(&parts.head, "feature_names")?.split_ascii_whitespace().map(str::to_owned).collect();
    let names = incoming::names(names, &mut notes)?;
    if count(&parts.head, "max_feature_idx")? + 1 != names.len() {
        return Err(fail::world(format!("`max_feature_idx` does not go with {} feature names", names.len())).into());
    }
    let outputs = match parts.head.contains_key("num_tree_per_iteration") {
        true => count(&parts.head, "num_tree_per_iteration")?,
        false => count(&parts.head, "num_class")?,
    };
    if !(1..=CLASSES_MAX).contains(&outputs) || parts.trees.is_empty() || parts.trees.len() % outputs != 0 {
        let what = format!("{} trees do not go with {outputs} scores a row", parts.trees.len());
        return Err(fail::world(what).into());
    }
    let objective = objective::read(parts.head.get("objective").copied(), outputs, &parts.parameters, &mut notes)?;
    let mut codes = vec![0; names.len()];
    let mut room = Room::new(text.len());
    let mut trees = Vec::with_capacity(parts.trees.len());
    for (number, fields) in parts.trees.iter().enumerate() {
        trees.push(tree(fields, &mut codes, &mut room).with_context(|| format!("tree {number}"))?);
    }
    incoming::level_counts(&mut trees);
    let features = described(&parts, names, codes, &mut notes);
    let is_average = parts.head.contains_key("average_output");
    let model = Scores { trees, outputs, loss: objective.loss, scale: objective.scale, is_average };
    let (kind, predictor) = model.predictor(features.len())?;
    let (task, classes) = match objective.loss {
        Loss::Logistic => (Task::Binary, 2),
        Loss::Softmax if outputs == 2 => (Task::Binary, 2),
        Loss::Softmax => (Task::Multiclass, outputs),
        _ => (Task::Regression, 0),
    };
    Ok(Foreign { kind, predictor, task, classes, features, notes })
}

fn check_version(head: &Fields<'_>) -> Result<()> {
    let version = field(head, "version")?;
    match version {
        "v2" | "v3" | "v4" => Ok(()),
        _ => Err(fail::world(format!("its version is `{}`; v2, v3 and v4 can be read", text::short(version))).into()),
    }
}

/// Trees and what becomes of their sums.
struct Scores {
    trees: Vec<Tree>,
    outputs: usize,
    loss: Loss,
    scale: f64,
    is_average: bool,
}

impl Scores {
    fn predictor(mut self, features: usize) -> Result<(&'static str, Box<dyn Predictor>)> {
        let initial = vec![0.0; self.outputs];
        if self.is_average && self.loss == Loss::Squared {
            incoming::check_sums(&self.trees, &initial)?;
            let forested = Forested { ensemble: Ensemble { features, width: 1, trees: self.trees }, classes: 0 };
            return Ok(("forest", incoming::accepted("forest", &forested)?));
        }
        let rounds = if self.is_average { (self.trees.len() / self.outputs) as f64 } else { 1.0 };
        if self.scale != 1.0 || rounds != 1.0 {
            let values = self.trees.iter_mut().flat_map(|tree| &mut tree.values);
            values.for_each(|value| *value = *value * self.scale / rounds);
        }
        incoming::check_sums(&self.trees, &initial)?;
        let ensemble = Ensemble { features, width: 1, trees: self.trees };
        let boosted = Boosted { ensemble, loss: self.loss, initial };
        Ok(("boost", incoming::accepted("boost", &boosted)?))
    }
}

/// The arrays of one tree.
struct Arrays {
    features: Vec<usize>,
    thresholds: Vec<f64>,
    decisions: Vec<u8>,
    children: [Vec<i64>; 2],
    gains: Vec<f64>,
    values: Vec<f64>,
    counts: Vec<f64>,
    boundaries: Vec<usize>,
    words: Vec<u32>,
}

impl Arrays {
    fn read(fields: &Fields<'_>) -> Result<Arrays> {
        if fields.get("is_linear").is_some_and(|value| value.trim() != "0") {
            return Err(fail::usage("`linear_tree` cannot be expressed here: its leaves hold linear models")
                .hint("train it again with linear_tree=false")
                .into());
        }
        let leaves = count(fields, "num_leaves")?;
        let values: Vec<f64> = list(fields, "leaf_value", leaves)?;
        let nodes = leaves.checked_sub(1).ok_or_else(|| fail::world("a tree has no leaf"))?;
        let sets = if fields.contains_key("num_cat") { count(fields, "num_cat")? } else { 0 };
        let (boundaries, words) = match sets {
            0 => (Vec::new(), Vec::new()),
            _ => {
                let boundaries: Vec<usize> = list(fields, "cat_boundaries", sets.saturating_add(1))?;
                let end = boundaries.last().copied().unwrap_or(0);
                if boundaries.first() != Some(&0) || !boundaries.is_sorted() {
                    return Err(fail::world("field `cat_boundaries` does not ascend from 0").into());
                }
                (boundaries, list(fields, "cat_threshold", end)?)
            }
        };
        let amounts = |name, length| match fields.get(name).is_some_and(|line| !line.trim().is_empty()) {
            true => list(fields, name, length),
            false => Ok(vec![0.0; length]),
        };
        if nodes == 0 {
            let (none, nothing) = (Vec::new(), Vec::new());
            return Ok(Arrays {
                features: Vec::new(),
                thresholds: none,
                decisions: Vec::new(),
                children: [Vec::new(), Vec::new()],
                gains: nothing,
                values,
                counts: vec![1.0],
                boundaries,
                words,
            });
        }
        Ok(Arrays {
            features: list(fields, "split_feature", nodes)?,
            thresholds: list(fields, "threshold", nodes)?,
            decisions: list(fields, "decision_type", nodes)?,
            children: [list(fields, "left_child", nodes)?, list(fields, "right_child", nodes)?],
            gains: amounts("split_gain", nodes)?,
            values,
            counts: amounts("leaf_count", leaves)?,
            boundaries,
            words,
        })
    }

    /// Number of a child among inner nodes and then leaves.
    fn child(&self, side: usize, node: usize) -> Result<usize> {
        let child = self.children[side][node];
        let number = if child >= 0 { child } else { (!child).saturating_add(self.features.len() as i64) };
        let is_inside = if child >= 0 { number < self.features.len() as i64 } else { true };
        let number = usize::try_from(number).ok().filter(|_| is_inside);
        number.ok_or_else(|| fail::world(format!("node {node} has the child {child}, which is not there")).into())
    }

    /// The levels that go left, as words of 64 bits.
    fn set(&self, threshold: f64) -> Result<Vec<u64>> {
        let wrong = || fail::world(format!("there is no set of categories {threshold}"));
        // A cast of what is no whole number leads to a set that is not there, or to another one: both are compared.
        let number = threshold as usize;
        if number as f64 != threshold {
            return Err(wrong().into());
        }
        let bounds = self.boundaries.get(number).zip(self.boundaries.get(number.saturating_add(1)));
        let (begin, end) = bounds.ok_or_else(wrong)?;
        let words = self.words.get(*begin..*end).ok_or_else(wrong)?;
        let mut long: Vec<u64> = words.chunks(2).map(joined).collect();
        while long.last() == Some(&0) {
            long.pop();
        }
        Ok(long)
    }
}

fn joined(pair: &[u32]) -> u64 {
    pair.iter().rev().fold(0, |all, word| all << 32 | u64::from(*word))
}

fn tree(fields: &Fields<'_>, codes: &mut [usize], room: &mut Room) -> Result<Tree> {
    let arrays = Arrays::read(fields)?;
    let inner = arrays.features.len();
    incoming::tree(inner + arrays.values.len(), 0, &mut |number| {
        if number >= inner {
            let leaf = number - inner;
            let piece = Piece::Leaf { value: arrays.values[leaf], cover: arrays.counts[leaf] };
            return Ok(Found { piece, missing_left: false });
        }
        let feature = arrays.features[number];
        let Some(code_count) = codes.get_mut(feature) else {
            return Err(fail::world(format!("node {number} asks for feature {feature}, which is not there")).into());
        };
        let (threshold, decision) = (arrays.thresholds[number], arrays.decisions[number]);
        let (question, missing_left) = if decision & CATEGORY != 0 {
            let words = arrays.set(threshold)?;
            room.take(words.len())?;
            *code_count = (*code_count).max(levels_of(&words));
            (Question::Among(words), false)
        } else {
            number_question(threshold, decision)?
        };
        let children = [arrays.child(0, number)?, arrays.child(1, number)?];
        let piece = Piece::Split { feature, question, children, gain: arrays.gains[number] };
        Ok(Found { piece, missing_left })
    })
}

/// One more than the largest level of a set.
fn levels_of(words: &[u64]) -> usize {
    words.last().map_or(1, |last| words.len() * 64 - last.leading_zeros() as usize)
}

/// Where a number goes: `NumericalDecision` of LightGBM.
fn number_question(threshold: f64, decision: u8) -> Result<(Question, bool)> {
    let default_left = decision & DEFAULT_LEFT != 0;
    match decision >> 2 & 3 {
        // Missing values are taken for 0.
        0 => Ok((Question::UpTo(threshold), 0.0 <= threshold)),
        // Zeros go by default with the missing ones: expressible where they go there anyway.
        1 if default_left && threshold >= ZERO => Ok((Question::UpTo(threshold), true)),
        1 if !default_left && threshold < -ZERO => Ok((Question::UpTo(threshold), false)),
        1 if !default_left && threshold == -ZERO => Ok((Question::UpTo(threshold.next_down()), false)),
        1 => Err(fail::usage(
            "`zero_as_missing` cannot be expressed here: zeros go another way than numbers beside them",
        )
        .hint("train it again with zero_as_missing=false")
        .into()),
        2 => Ok((Question::UpTo(threshold), default_left)),
        other => Err(fail::world(format!("`decision_type` {decision} has the missing type {other}")).into()),
    }
}

/// Names, codes and levels of the features.
fn described(parts: &Parts<'_>, names: Vec<String>, codes: Vec<usize>, notes: &mut Vec<String>) -> Vec<ForeignFeature> {
    let features = names.into_iter().zip(codes).map(|(name, codes)| ForeignFeature { name, levels: None, codes });
    let mut features: Vec<ForeignFeature> = features.collect();
    let levels = parts.pandas.and_then(|pandas| serde_json::from_str(pandas).ok());
    let Some(levels): Option<Vec<Vec<serde_json::Value>>> = levels else { return features };
    if levels.is_empty() {
        return features;
    }
    let places = categories(parts, &features);
    // With as many places as lists, each list is that of its place: both are in the order of the columns.
    if places.len() != levels.len() {
        notes.push(format!(
            "the file names the levels of {} categories and has {}: codes are read instead of names",
            levels.len(),
            places.len()
        ));
        return features;
    }
    for (place, levels) in places.into_iter().zip(levels) {
        let names: Vec<String> = levels.into_iter().map(name_of).collect();
        let feature = &mut features[place];
        if feature.codes > names.len() {
            let name = &feature.name;
            notes.push(format!("`{name}` has splits on levels that the file does not name: codes are read instead"));
            continue;
        }
        feature.codes = names.len();
        feature.levels = Some(names);
    }
    features
}

fn name_of(level: serde_json::Value) -> String {
    match level {
        serde_json::Value::String(name) => name,
        other => other.to_string(),
    }
}

/// Positions of the categories: as the parameters list them, else as `feature_infos` shows them (`0:2:1`).
fn categories(parts: &Parts<'_>, features: &[ForeignFeature]) -> Vec<usize> {
    let listed = parts.parameters.get("categorical_feature").copied().unwrap_or_default();
    let listed: Result<Vec<usize>, _> = listed.split(',').map(|place| place.trim().parse()).collect();
    if let Ok(mut places) = listed
        && places.iter().all(|place| *place < features.len())
    {
        places.sort_unstable();
        places.dedup();
        return places;
    }
    let infos = parts.head.get("feature_infos").copied().unwrap_or_default().split_ascii_whitespace();
    let shown = infos.zip(features).enumerate();
    let is_category =
        |info: &str, feature: &ForeignFeature| feature.codes > 0 || !(info.starts_with('[') || info == "none");
    shown.filter(|(_, (info, feature))| is_category(info, feature)).map(|(place, _)| place).collect()
}
