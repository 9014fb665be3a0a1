//! From trees of ours to the lines of a LightGBM model.

use std::fmt::{Display, Write};

use anyhow::Result;
use serde_json::Value;

use crate::exchange::columns::{Columns, ExportColumn};
use crate::exchange::lightgbm::objective;
use crate::exchange::outgoing::{Answer, OutTree, Outgoing};
use crate::models::package::ModelPackage;
use crate::models::trees::tree::LEAF;

/// A category: levels of a set go left, all else right.
const CATEGORY: u8 = 1;
/// A number whose missing values are NaN, and go right or left.
const MISSING: u8 = 2 << 2;
const DEFAULT_LEFT: u8 = 2;

/// Writes the whole file.
pub fn write(package: &ModelPackage, columns: &Columns) -> Result<Vec<u8>> {
    let outgoing = Outgoing::of(package, "LightGBM text")?;
    let trees: Vec<String> =
        outgoing.trees().enumerate().map(|(number, tree)| tree_lines(number, &tree, columns)).collect();
    let mut text = head(&outgoing, columns, &trees);
    trees.iter().for_each(|tree| text.push_str(tree));
    text.push_str("end of trees\n");
    text.push_str(&importances(&outgoing, columns));
    text.push_str(&parameters(&outgoing, columns));
    let levels: Vec<&Vec<Value>> = columns.all.iter().filter_map(|column| column.levels.as_ref()).collect();
    let levels = if levels.is_empty() { "null".to_owned() } else { serde_json::to_string(&levels)? };
    let _ = writeln!(text, "\npandas_categorical:{levels}");
    Ok(text.into_bytes())
}

fn head(outgoing: &Outgoing<'_>, columns: &Columns, trees: &[String]) -> String {
    let outputs = outgoing.outputs;
    let mut lines = vec![
        "tree".to_owned(),
        "version=v4".to_owned(),
        format!("num_class={outputs}"),
        format!("num_tree_per_iteration={outputs}"),
        "label_index=0".to_owned(),
        format!("max_feature_idx={}", columns.all.len().saturating_sub(1)),
    ];
    match outgoing.answer {
        Answer::Score(loss) => lines.push(format!("objective={}", objective::write(loss, outputs))),
        Answer::Mean => lines.push("average_output".to_owned()),
    }
    lines.push(format!("feature_names={}", joined(columns.all.iter().map(|column| &column.name))));
    lines.push(format!("feature_infos={}", joined(infos(outgoing, columns))));
    lines.push(format!("tree_sizes={}", joined(trees.iter().map(String::len))));
    lines.join("\n") + "\n\n"
}

/// What LightGBM keeps of each feature's values: the range of a number, the codes of a category, `none` when unused.
fn infos(outgoing: &Outgoing<'_>, columns: &Columns) -> Vec<String> {
    let mut ranges: Vec<Option<(f64, f64)>> = vec![None; columns.all.len()];
    for node in outgoing.trees().flat_map(|tree| &tree.tree.nodes) {
        let range = ranges[node.feature as usize].get_or_insert((f64::INFINITY, f64::NEG_INFINITY));
        *range = (range.0.min(node.threshold), range.1.max(node.threshold));
    }
    let info = |(column, range): (&ExportColumn, Option<(f64, f64)>)| match range {
        None => "none".to_owned(),
        Some(_) if column.codes > 0 => (0..column.codes).map(|code| code.to_string()).collect::<Vec<_>>().join(":"),
        Some(range) => {
            let (low, high) = column.range.unwrap_or(range);
            format!("[{}:{}]", number(low), number(high))
        }
    };
    columns.all.iter().zip(ranges).map(info).collect()
}

fn tree_lines(number: usize, out: &OutTree<'_>, columns: &Columns) -> String {
    let nodes = &out.tree.nodes;
    let mut decisions = Vec::with_capacity(nodes.len());
    let mut thresholds = Vec::with_capacity(nodes.len());
    let mut children: [Vec<i64>; 2] = [Vec::new(), Vec::new()];
    let mut boundaries = vec![0];
    let mut words: Vec<u32> = Vec::new();
    for node in nodes {
        let mut sides = node.children.map(|child| match child & LEAF != 0 {
            true => !i64::from(child & !LEAF),
            false => i64::from(child),
        });
        if node.is_set() {
            // Missing and unseen levels always go right there: where they go left here, the sides change places.
            let left = out.left_codes(node, &columns.all[node.feature as usize]);
            let swap = node.missing_left();
            if swap {
                sides.swap(0, 1);
            }
            thresholds.push((boundaries.len() - 1).to_string());
            words.extend(set_words(&left, !swap));
            boundaries.push(words.len());
            decisions.push(CATEGORY);
        } else {
            thresholds.push(self::number(node.threshold));
            decisions.push(MISSING | if node.missing_left() { DEFAULT_LEFT } else { 0 });
        }
        children[0].push(sides[0]);
        children[1].push(sides[1]);
    }
    let mut lines = vec![
        format!("Tree={number}"),
        format!("num_leaves={}", out.leaves()),
        format!("num_cat={}", boundaries.len() - 1),
        format!("split_feature={}", joined(nodes.iter().map(|node| node.feature))),
        format!("split_gain={}", gains(out)),
        format!("threshold={}", joined(thresholds)),
        format!("decision_type={}", joined(decisions)),
        format!("left_child={}", joined(&children[0])),
        format!("right_child={}", joined(&children[1])),
        format!("leaf_value={}", joined((0..out.leaves()).map(|leaf| self::number(out.value(leaf))))),
    ];
    lines.extend(counts(out));
    if !words.is_empty() {
        lines.push(format!("cat_boundaries={}", joined(boundaries)));
        lines.push(format!("cat_threshold={}", joined(words)));
    }
    lines.extend(["is_linear=0", "shrinkage=1", "", ""].map(str::to_owned));
    lines.join("\n") + "\n"
}

/// Codes whose side is `side`, as words of 32 bits; at least one word.
fn set_words(left: &[bool], side: bool) -> Vec<u32> {
    let last = left.iter().rposition(|is_left| *is_left == side).unwrap_or(0);
    let mut words = vec![0_u32; last / 32 + 1];
    for (code, _) in left.iter().enumerate().filter(|(_, is_left)| **is_left == side) {
        words[code / 32] |= 1 << (code % 32);
    }
    words
}

fn gains(out: &OutTree<'_>) -> String {
    match out.tree.gains.len() == out.tree.nodes.len() {
        true => joined(&out.tree.gains),
        false => joined(out.tree.nodes.iter().map(|_| 0)),
    }
}

/// Rows and values of nodes and leaves; nothing for a model of an older version, which did not count.
fn counts(out: &OutTree<'_>) -> Vec<String> {
    let Some(covers) = out.covers() else { return Vec::new() };
    let inner = out.tree.nodes.len();
    let mut values = vec![0.0; inner];
    values.extend((0..out.leaves()).map(|leaf| out.value(leaf)));
    for (number, node) in out.tree.nodes.iter().enumerate().rev() {
        let places = node.children.map(|child| out.place(child));
        values[number] = places.iter().map(|place| values[*place] * (covers[*place] / covers[number])).sum();
    }
    let whole = |covers: &[f64]| joined(covers.iter().map(|cover| cover.round().clamp(1.0, 2e9) as u32));
    let plain = |covers: &[f64]| joined(covers.iter().map(|cover| number(*cover)));
    vec![
        format!("leaf_weight={}", plain(&covers[inner..])),
        format!("leaf_count={}", whole(&covers[inner..])),
        format!("internal_value={}", joined(values[..inner].iter().map(|value| number(*value)))),
        format!("internal_weight={}", plain(&covers[..inner])),
        format!("internal_count={}", whole(&covers[..inner])),
    ]
}

fn importances(outgoing: &Outgoing<'_>, columns: &Columns) -> String {
    let mut splits = vec![0_u64; columns.all.len()];
    outgoing.trees().flat_map(|tree| &tree.tree.nodes).for_each(|node| splits[node.feature as usize] += 1);
    let mut used: Vec<(u64, &ExportColumn)> =
        splits.into_iter().zip(&columns.all).filter(|(count, _)| *count > 0).collect();
    used.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let lines: Vec<String> = used.iter().map(|(count, column)| format!("{}={count}\n", column.name)).collect();
    format!("\nfeature_importances:\n{}\n", lines.concat())
}

fn parameters(outgoing: &Outgoing<'_>, columns: &Columns) -> String {
    let mut lines = Vec::new();
    let boosting = if outgoing.answer == Answer::Mean { "rf" } else { "gbdt" };
    lines.push(format!("[boosting: {boosting}]"));
    if let Answer::Score(loss) = outgoing.answer {
        let line = objective::write(loss, outgoing.outputs);
        lines.push(format!("[objective: {}]", line.split(' ').next().unwrap_or_default()));
        if loss.alpha() > 0.0 {
            lines.push(format!("[alpha: {}]", number(loss.alpha())));
        }
    }
    lines.push(format!("[num_class: {}]", outgoing.outputs));
    let categories = columns.all.iter().enumerate().filter(|(_, column)| column.codes > 0);
    let categories: Vec<String> = categories.map(|(place, _)| place.to_string()).collect();
    lines.push(format!("[categorical_feature: {}]", categories.join(",")));
    format!("parameters:\n{}\n\nend of parameters\n", lines.join("\n"))
}

/// The shortest text that reads back as the same number. What is infinite is the largest number: no feature is beyond it.
fn number(value: f64) -> String {
    let value = value.clamp(f64::MIN, f64::MAX);
    match value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        true => format!("{value}"),
        false => format!("{value:e}"),
    }
}

fn joined<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let mut text = String::new();
    for (place, value) in values.into_iter().enumerate() {
        let _ = write!(text, "{}{value}", if place > 0 { " " } else { "" });
    }
    text
}

/// Letters that LightGBM's names of features cannot have: names are parted by blanks, and go into JSON as they are.
pub fn forbidden(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || ",:\"[]{}\\".contains(letter)
}
