//! From XGBoost's JSON to trees of ours.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::base::fail;
use crate::base::limits::{CLASSES_MAX, COLUMNS_MAX};
use crate::exchange::incoming::{self, Found, Piece, Question, Room};
use crate::exchange::xgboost::form::{self, File, Learner, Model};
use crate::exchange::xgboost::narrow::widened;
use crate::exchange::xgboost::objective::{self, numbers};
use crate::exchange::{Foreign, ForeignFeature};
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::Tree;
use crate::spec::model::Task;

/// Most levels of one category: what the words of one set can hold.
const LEVELS_MAX: usize = 64 * u16::MAX as usize;
/// Most levels that a recipe makes of one column; see `features::category`.
const NAMED_MAX: usize = 255;

/// Reads the whole file.
pub fn read(bytes: &[u8]) -> Result<Foreign> {
    if bytes.first() == Some(&b'{') && bytes.get(1).is_some_and(|byte| matches!(byte, b'L' | b'i' | b'U' | b'l' | b'I'))
    {
        return Err(fail::world("this is UBJSON, XGBoost's binary form")
            .hint("write the model as text: booster.save_model(\"model.json\")")
            .into());
    }
    let file: File = serde_json::from_slice(&form::strict(bytes))
        .map_err(|error| fail::world(format!("this is not XGBoost's JSON: {error}")))?;
    let mut learner = file.learner;
    let mut notes = Vec::new();
    let objective = objective::read(&learner.objective, &mut notes)?;
    let (model, weights) = trees_of(&mut learner)?;
    let outputs = outputs(&learner, objective.loss)?;
    let initial = initial(&learner, objective, outputs)?;
    let names = incoming::names(names(&learner)?, &mut notes)?;
    let is_category = |place: usize| learner.feature_types.get(place).is_some_and(|kind| kind == "c");
    let features = names.into_iter().enumerate().map(|(place, name)| {
        let codes = usize::from(is_category(place));
        ForeignFeature { name, levels: None, codes }
    });
    let mut features: Vec<ForeignFeature> = features.collect();
    count_codes(&model, &mut features)?;
    name_levels(model.cats.as_ref(), &mut features, &mut notes);
    let mut room = Room::new(bytes.len());
    let trees = read_trees(&model, &weights, &features, outputs, &mut room)?;
    note_best_round(&learner, trees.len() / outputs, &mut notes);
    incoming::check_sums(&trees, &initial)?;
    let ensemble = Ensemble { features: features.len(), width: 1, trees };
    let predictor = incoming::accepted("boost", &Boosted { ensemble, loss: objective.loss, initial })?;
    let (task, classes) = match objective.loss {
        Loss::Logistic => (Task::Binary, 2),
        Loss::Softmax if outputs == 2 => (Task::Binary, 2),
        Loss::Softmax => (Task::Multiclass, outputs),
        _ => (Task::Regression, 0),
    };
    Ok(Foreign { kind: "boost", predictor, task, classes, features, notes })
}

/// The trees and what each counts.
fn trees_of(learner: &mut Learner) -> Result<(Model, Vec<f64>)> {
    let booster = &mut learner.gradient_booster;
    let model = match booster.name.as_str() {
        "gbtree" => booster.model.take(),
        "dart" => booster.gbtree.take().map(|inner| inner.model),
        "gblinear" => {
            return Err(fail::usage(
                "XGBoost's `gblinear` cannot be read: it is a linear model that skips missing values",
            )
            .hint("train a linear model here: `mlops train --model linear`")
            .into());
        }
        other => {
            let short: String = other.chars().take(40).collect();
            return Err(fail::usage(format!("XGBoost's booster `{short}` is not known")).into());
        }
    };
    let model = model.ok_or_else(|| fail::world("field `gradient_booster` has no `model`"))?;
    let count = model.trees.len();
    let weights = booster.weight_drop.take().unwrap_or_else(|| vec![1.0; count]);
    if model.tree_info.len() != count || weights.len() != count || count == 0 {
        let what =
            format!("there are {count} trees, {} outputs of trees, {} weights", model.tree_info.len(), weights.len());
        return Err(fail::world(what).into());
    }
    Ok((model, weights))
}

fn param(learner: &Learner, name: &str, default: &str) -> Result<usize> {
    let text = learner.learner_model_param.get(name).map_or(default, String::as_str);
    text.parse().map_err(|_| fail::world(format!("`{name}` is `{}`", text.chars().take(40).collect::<String>())).into())
}

/// Scores a row.
fn outputs(learner: &Learner, loss: Loss) -> Result<usize> {
    let (classes, targets) = (param(learner, "num_class", "0")?, param(learner, "num_target", "1")?);
    if targets > 1 {
        let what = format!("the model predicts {targets} targets at once (`num_target`)");
        return Err(fail::usage(what).hint("train one model for each target").into());
    }
    match loss {
        Loss::Softmax if (2..=CLASSES_MAX).contains(&classes) => Ok(classes),
        Loss::Softmax => Err(fail::world(format!("`num_class` is {classes} for several classes")).into()),
        _ if classes <= 1 => Ok(1),
        _ => Err(fail::world(format!("`num_class` is {classes} for an objective of one score")).into()),
    }
}

/// Scores of no tree.
fn initial(learner: &Learner, objective: objective::Objective, outputs: usize) -> Result<Vec<f64>> {
    let text = learner.learner_model_param.get("base_score").map_or("5E-1", String::as_str);
    let answers = numbers(text).context("field `base_score`")?;
    let scores: Vec<f64> =
        answers.iter().map(|answer| objective.base.score(f64::from(*answer as f32))).collect::<Result<_>>()?;
    match scores.as_slice() {
        [score] => Ok(vec![*score; outputs]),
        all if all.len() == outputs => Ok(scores),
        all => Err(fail::world(format!("`base_score` has {} values for {outputs} scores a row", all.len())).into()),
    }
}

fn names(learner: &Learner) -> Result<Vec<String>> {
    let width = param(learner, "num_feature", "0")?;
    if !learner.feature_names.is_empty() {
        return match learner.feature_names.len() == width {
            true => Ok(learner.feature_names.clone()),
            false => Err(fail::world(format!("`num_feature` is {width}, but other names are there")).into()),
        };
    }
    if width > COLUMNS_MAX {
        return Err(fail::world(format!("`num_feature` is {width}; at most {COLUMNS_MAX} can be")).into());
    }
    Ok((0..width).map(|place| format!("f{place}")).collect())
}

/// Counts the levels of each category that any set names.
fn count_codes(model: &Model, features: &mut [ForeignFeature]) -> Result<()> {
    for (number, tree) in model.trees.iter().enumerate() {
        for (place, node) in tree.categories_nodes.iter().enumerate() {
            let levels = levels(tree, place).with_context(|| format!("tree {number}"))?;
            let feature = tree.split_indices.get(*node).and_then(|feature| features.get_mut(*feature));
            let Some(feature) = feature else {
                return Err(fail::world(format!("tree {number}: `categories_nodes` names node {node}")).into());
            };
            let most = levels.iter().copied().max().unwrap_or(0);
            match usize::try_from(most) {
                Ok(most) if most < LEVELS_MAX => feature.codes = feature.codes.max(most + 1),
                _ => return Err(fail::world(format!("tree {number}: there is a level {most}")).into()),
            }
        }
    }
    Ok(())
}

/// Levels of one set.
fn levels(tree: &form::Tree, place: usize) -> Result<&[i64]> {
    let bounds = tree.categories_segments.get(place).zip(tree.categories_sizes.get(place));
    let levels = bounds.and_then(|(begin, size)| tree.categories.get(*begin..begin.checked_add(*size)?));
    levels.ok_or_else(|| fail::world(format!("the set {place} of `categories` is not there")).into())
}

/// Names of levels, which files since 3.1 hold for models trained on frames.
fn name_levels(cats: Option<&Value>, features: &mut [ForeignFeature], notes: &mut Vec<String>) {
    let named = cats.and_then(|cats| cats.get("enc")).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut unnamed = Vec::new();
    for (place, feature) in features.iter_mut().enumerate().filter(|(_, feature)| feature.codes > 0) {
        match named.get(place).and_then(level_names) {
            Some(names) if names.len() >= feature.codes && names.len() < LEVELS_MAX => {
                feature.codes = names.len();
                feature.levels = Some(names);
            }
            _ => {
                // Sets are made of whole words, so levels up to their end go where XGBoost sends those no set names.
                feature.codes = feature.codes.max(feature.codes.next_multiple_of(64).min(NAMED_MAX));
                unnamed.push(feature.name.as_str());
            }
        }
    }
    if !unnamed.is_empty() {
        notes.push(format!("the file does not name the levels of {}: codes are read", unnamed.join(", ")));
    }
}

/// Texts kept as bytes and offsets, or numbers.
fn level_names(one: &Value) -> Option<Vec<String>> {
    let values = one.get("values")?.as_array()?;
    let Some(offsets) = one.get("offsets").and_then(Value::as_array) else {
        return Some(values.iter().map(ToString::to_string).collect());
    };
    let bytes: Vec<u8> = values.iter().map(|byte| byte.as_i64().map(|byte| byte as u8)).collect::<Option<_>>()?;
    let offsets: Vec<usize> = offsets.iter().map(|offset| offset.as_u64()?.try_into().ok()).collect::<Option<_>>()?;
    let text = |pair: &[usize]| Some(String::from_utf8_lossy(bytes.get(pair[0]..pair[1])?).into_owned());
    offsets.windows(2).map(text).collect()
}

/// Trees in the order of rounds, output by output in turn.
fn read_trees(
    model: &Model,
    weights: &[f64],
    features: &[ForeignFeature],
    outputs: usize,
    room: &mut Room,
) -> Result<Vec<Tree>> {
    let mut of_output: Vec<Vec<Tree>> = (0..outputs).map(|_| Vec::new()).collect();
    for (number, (tree, weight)) in model.trees.iter().zip(weights).enumerate() {
        let what = || format!("tree {number}");
        let made = read_tree(tree, *weight, features, room).with_context(what)?;
        let output = model.tree_info[number];
        let place = of_output.get_mut(output).ok_or_else(|| fail::world(format!("there is no output {output}")));
        place.with_context(what)?.push(made);
    }
    let rounds = of_output[0].len();
    if of_output.iter().any(|trees| trees.len() != rounds) {
        return Err(fail::world("the outputs do not have as many trees each").into());
    }
    let mut trees = Vec::with_capacity(model.trees.len());
    let mut of_output: Vec<_> = of_output.into_iter().map(Vec::into_iter).collect();
    for _ in 0..rounds {
        trees.extend(of_output.iter_mut().filter_map(Iterator::next));
    }
    incoming::level_counts(&mut trees);
    Ok(trees)
}

fn read_tree(tree: &form::Tree, weight: f64, features: &[ForeignFeature], room: &mut Room) -> Result<Tree> {
    let nodes = tree.left_children.len();
    if tree.tree_param.get("size_leaf_vector").is_some_and(|size| size.parse::<usize>().is_ok_and(|size| size > 1)) {
        return Err(fail::usage("trees with several outputs (`multi_output_tree`) cannot be expressed here")
            .hint("train it again with multi_strategy=\"one_output_per_tree\"")
            .into());
    }
    let needed = [
        ("right_children", tree.right_children.len()),
        ("split_indices", tree.split_indices.len()),
        ("split_conditions", tree.split_conditions.len()),
        ("default_left", tree.default_left.len()),
    ];
    if let Some((name, length)) = needed.iter().find(|(_, length)| *length != nodes) {
        return Err(fail::world(format!("`{name}` has {length} values for {nodes} nodes")).into());
    }
    let mut set_of = vec![None; nodes];
    for (place, node) in tree.categories_nodes.iter().enumerate() {
        if let Some(set) = set_of.get_mut(*node) {
            *set = Some(place);
        }
    }
    let amount = |all: &[Option<f64>], node: usize| all.get(node).copied().flatten().unwrap_or(0.0);
    let child = |child: i64| {
        usize::try_from(child).map_err(|_| anyhow::Error::from(fail::world(format!("there is a child {child}"))))
    };
    incoming::tree(nodes, 0, &mut |number| {
        let condition = tree.split_conditions[number].map(|value| value as f32);
        if tree.left_children[number] < 0 {
            let value = condition.map_or(f64::NAN, f64::from) * weight;
            return Ok(Found {
                piece: Piece::Leaf { value, cover: amount(&tree.sum_hessian, number) },
                missing_left: false,
            });
        }
        let feature = tree.split_indices[number];
        let missing_left = tree.default_left[number].is_set();
        let Some(read) = features.get(feature) else {
            return Err(fail::world(format!("node {number} asks for feature {feature}, which is not there")).into());
        };
        let question = match (tree.split_type.get(number), set_of[number]) {
            (Some(1), Some(place)) => Question::Among(stayed(levels(tree, place)?, read.codes, missing_left, room)?),
            (Some(1), None) => return Err(fail::world(format!("node {number} has no set of categories")).into()),
            _ => {
                let threshold = condition.filter(|value| !value.is_nan());
                let threshold = threshold.ok_or_else(|| fail::world(format!("node {number} has no threshold")))?;
                Question::UpTo(widened(threshold))
            }
        };
        let children = [child(tree.left_children[number])?, child(tree.right_children[number])?];
        let gain = amount(&tree.loss_changes, number);
        Ok(Found { piece: Piece::Split { feature, question, children, gain }, missing_left })
    })
}

/// The levels that go left: all that the set does not name. Those beyond the words go with the missing values, so words
/// reach as far as levels do where missing values go right.
fn stayed(right: &[i64], codes: usize, missing_left: bool, room: &mut Room) -> Result<Vec<u64>> {
    let largest = right.iter().copied().max().unwrap_or(0);
    let levels = if missing_left { usize::try_from(largest).unwrap_or(0) + 1 } else { codes };
    let length = levels.div_ceil(64);
    room.take(length)?;
    let mut words = vec![u64::MAX; length];
    for level in right {
        let place = usize::try_from(*level).ok().filter(|place| place / 64 < length);
        let place = place.ok_or_else(|| fail::world(format!("there is a level {level}")))?;
        words[place / 64] &= !(1 << (place % 64));
    }
    Ok(words)
}

/// Wrappers of early stopping predict with the best rounds only; the file keeps all of them.
fn note_best_round(learner: &Learner, rounds: usize, notes: &mut Vec<String>) {
    let best = learner.attributes.get("best_iteration").and_then(|best| match best {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    });
    if let Some(best) = best.filter(|best: &u64| best + 1 < rounds as u64) {
        notes.push(format!(
            "early stopping found round {} best of {rounds}; the file keeps all, and all are used: save \
             `booster[:booster.best_iteration + 1]` to use fewer",
            best + 1
        ));
    }
}
