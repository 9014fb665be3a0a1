//! Contributions sum to the margin, and are Shapley values by their definition on small trees.

use anyhow::{Context, Result};

use crate::data::matrix::{FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::FormReader;
use crate::models::predictor::{Margin, Predictions, Predictor};
use crate::models::trees::boosted::Boosted;
use crate::models::trees::forested::Forested;
use crate::models::trees::tests::{Given, answers, bytes, close, matrix, table, take};
use crate::models::trees::tree::{LEAF, Tree};
use crate::models::zoo;

/// What contributions of this model must sum to, from its answers.
fn margins(model: &dyn Predictor, matrix: &Matrix, margin: Margin, log: bool) -> Result<Vec<f64>> {
    Ok(match (model.predict(matrix)?, margin) {
        (other @ (Predictions::Clusters { .. } | Predictions::Anomalies { .. }), _) => anyhow::bail!("{other:?}"),
        (Predictions::Numbers(values), _) if log => values.iter().map(|value| value.ln()).collect(),
        (Predictions::Numbers(values), _) => values,
        (Predictions::Probabilities { classes: 2, values }, Margin::Answer) => {
            values.chunks_exact(2).map(|pair| pair[1]).collect()
        }
        (Predictions::Probabilities { values, .. }, Margin::Answer) => values,
        (Predictions::Probabilities { classes, values }, Margin::Score) => {
            // Scores are known up to what is common to all of a row; the log odds against the first class are compared.
            values
                .chunks_exact(classes)
                .flat_map(|row| row.iter().map(|v| (v / row[0]).ln()).collect::<Vec<_>>())
                .collect()
        }
    })
}

#[test]
fn contributions_sum_to_the_margin() -> Result<()> {
    let table = table(700, 40)?;
    for (kind, target, params) in
        table.cases("leaves = 31").iter().map(|(k, t, p)| (*k, *t, p.replace("leaves = 9\n", "")))
    {
        let model = Given::new(kind, &table.matrix, target, &params).fit()?;
        let made = model.contributions(&table.matrix)?.context("trees have contributions")?;
        let expected = margins(&*model, &table.matrix, made.margin, params.contains("poisson"))?;
        let found: Vec<f64> = (0..700)
            .flat_map(|row| {
                let sums: Vec<f64> = (0..made.outputs).map(|output| made.margin_of(row, output)).collect();
                match (made.margin, made.outputs, target.classes().len()) {
                    (Margin::Score, 1, 2) => vec![0.0, sums[0]],
                    (Margin::Score, 2.., _) => sums.iter().map(|sum| sum - sums[0]).collect(),
                    _ => sums,
                }
            })
            .collect();
        close(&found, &expected, 1e-9, &format!("{kind} {params}"));
        let importance = model.importance().context("trees have importance")?;
        assert!(importance[0].gain > 0.0 && importance[0].splits > 0, "{importance:?}");
    }
    Ok(())
}

/// The answer of a tree when only the features of `known` are known: elsewhere both sides, as often as training rows.
fn expectation(tree: &Tree, row: &[f64], known: u32, node: u32) -> f64 {
    if node & LEAF != 0 {
        return tree.values[(node & !LEAF) as usize];
    }
    let at = &tree.nodes[node as usize];
    if known >> at.feature & 1 == 1 {
        let side = usize::from(!at.goes_left(row[at.feature as usize], &tree.sets));
        return expectation(tree, row, known, at.children[side]);
    }
    let covers = tree.node_covers();
    let cover = |child: u32| match child & LEAF != 0 {
        true => f64::from(tree.covers[(child & !LEAF) as usize]),
        false => covers[child as usize],
    };
    let side = |child: u32| cover(child) / covers[node as usize] * expectation(tree, row, known, child);
    side(at.children[0]) + side(at.children[1])
}

#[test]
fn contributions_are_shapley_values() -> Result<()> {
    let table = table(500, 41)?;
    let params = "trees = 4\nleaves = 12\nleaf_rows = 5";
    let model = Given::new("boost", &table.matrix, &table.numbers, params).fit()?;
    let boosted = model.as_any().downcast_ref::<Boosted>().context("it is boosted")?;
    let made = model.contributions(&table.matrix)?.context("trees have contributions")?;
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    for row in (0..500).step_by(11) {
        let values: Vec<f64> = table.matrix.features().iter().map(|feature| feature.values.get(row)).collect();
        let value = |known: u32| -> f64 {
            let trees = boosted.ensemble.trees.iter().filter(|tree| !tree.nodes.is_empty());
            boosted.initial[0] + trees.map(|tree| expectation(tree, &values, known, 0)).sum::<f64>()
        };
        let mut expected: Vec<f64> = (0..5)
            .map(|feature| {
                let others = (0..32_u32).filter(|known| known >> feature & 1 == 0);
                let terms = others.map(|known| {
                    let size = known.count_ones();
                    let weight = factorial(size) * factorial(4 - size) / factorial(5);
                    weight * (value(known | 1 << feature) - value(known))
                });
                terms.sum()
            })
            .collect();
        expected.push(value(0));
        close(made.row(row), &expected, 1e-10, &format!("row {row}"));
    }
    Ok(())
}

/// A path: for each feature on it the share of rows that pass its questions, and 1 if the row does, else 0.
type Path = Vec<(u32, f64, f64)>;

/// What each feature contributes to one tree, leaf by leaf: Shapley's weights `s! (n-1-s)! / n!` times the elementary
/// sums of what the other features on the path make of `s` known ones. Nothing is shared with what is tested.
fn by_leaves(tree: &Tree, row: &[f64], sums: &mut [f64]) {
    let covers = tree.node_covers();
    let mut open: Vec<(u32, Path)> = vec![(0, Vec::new())];
    while let Some((node, path)) = open.pop() {
        let at = &tree.nodes[node as usize];
        let goes = usize::from(!at.goes_left(row[at.feature as usize], &tree.sets));
        for (side, child) in at.children.into_iter().enumerate() {
            let mut path = path.clone();
            let cover = match child & LEAF != 0 {
                true => f64::from(tree.covers[(child & !LEAF) as usize]),
                false => covers[child as usize],
            };
            let (share, passes) = (cover / covers[node as usize], f64::from(u8::from(goes == side)));
            match path.iter_mut().find(|(feature, ..)| *feature == at.feature) {
                Some((_, shares, all)) => (*shares, *all) = (*shares * share, *all * passes),
                None => path.push((at.feature, share, passes)),
            }
            if child & LEAF == 0 {
                open.push((child, path));
                continue;
            }
            for (place, (feature, share, passes)) in path.iter().enumerate() {
                let mut known = vec![1.0];
                for (_, share, passes) in path.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, e)| e) {
                    known.push(0.0);
                    for size in (0..known.len()).rev() {
                        let below = if size > 0 { known[size - 1] * passes } else { 0.0 };
                        known[size] = known[size] * share + below;
                    }
                }
                // 1 / (n · (n-1 over s)).
                let mut weight = 1.0 / path.len() as f64;
                let mut effect = 0.0;
                for (size, known) in known.iter().enumerate() {
                    effect += weight * known;
                    weight *= (size + 1) as f64 / (path.len() - 1 - size).max(1) as f64;
                }
                sums[*feature as usize] += effect * (passes - share) * tree.values[(child & !LEAF) as usize];
            }
        }
    }
}

/// Fits numbers by a forest of this kind and compares contributions of some rows with [`by_leaves`].
#[track_caller]
fn check(kind: &str, params: &str, columns: Vec<FeatureValues>, numbers: Vec<f64>) -> Result<()> {
    let matrix = matrix(columns)?;
    let (rows, width) = (matrix.rows(), matrix.features().len());
    let target = Target::Numbers(numbers);
    let model = Given::new(kind, &matrix, &target, params).fit()?;
    let forest = model.as_any().downcast_ref::<Forested>().context("it is a forest")?;
    let made = model.contributions(&matrix)?.context("trees have contributions")?;
    for row in (0..rows).step_by(rows / 7) {
        let values: Vec<f64> = matrix.features().iter().map(|feature| feature.values.get(row)).collect();
        let mut expected = vec![0.0; width];
        for tree in forest.ensemble.trees.iter().filter(|tree| !tree.nodes.is_empty()) {
            by_leaves(tree, &values, &mut expected);
        }
        expected.iter_mut().for_each(|value| *value /= forest.ensemble.trees.len() as f64);
        close(&made.row(row)[..width], &expected, 1e-11, &format!("{params}, row {row}"));
        // A row alone gets the same bits as among others.
        let alone = model.contributions(&take(&matrix, &[row as u32])?)?.context("trees have contributions")?;
        assert_eq!(alone.row(0), made.row(row), "{params}, row {row}");
    }
    let found: Vec<f64> = (0..rows).map(|row| made.margin_of(row, 0)).collect();
    close(&found, &answers(&*model, &matrix)?, 1e-11, params);
    Ok(())
}

fn scrambled(features: usize, rows: usize, distinct: usize) -> Vec<FeatureValues> {
    let columns = (0..features).map(|at| {
        let value = |row: usize| (row * (37 + at * 12) % distinct) as f64;
        FeatureValues::Number((0..rows).map(value).collect())
    });
    columns.collect()
}

#[test]
fn wide_trees_are_exact() -> Result<()> {
    // Far more features on a path than one walk has points for.
    let numbers = |rows: usize| (0..rows).map(|row| (row * row % 97) as f64).collect();
    check("extra_trees", "trees = 5\nfeature_share = 0.05", scrambled(20, 600, 101), numbers(600))?;
    check("extra_trees", "trees = 3\nfeature_share = 0.01", scrambled(90, 400, 499), numbers(400))
}

#[test]
fn deep_trees_are_exact() -> Result<()> {
    // Few features, asked again and again down to pure leaves.
    let numbers = (0..1500).map(|row| (row * 7919 % 1009) as f64).collect();
    check("forest", "trees = 4", scrambled(3, 1500, 1499), numbers)?;
    // A stair: each node cuts one leaf off.
    let columns = vec![FeatureValues::Number((0..200).map(f64::from).collect()), scrambled(1, 200, 2).remove(0)];
    let numbers = (0..200).map(|row| 2_f64.powi(row - 199)).collect();
    check("tree", "depth = 0", columns, numbers)
}

#[test]
fn categories_with_holes_are_exact() -> Result<()> {
    let codes = (0..900_u32).map(|row| if row % 11 == 0 { u32::MAX } else { row * 29 % 23 }).collect();
    let holes = (0..900).map(|row| if row % 7 == 0 { f64::NAN } else { f64::from(row * 31 % 53) }).collect();
    let columns = vec![
        FeatureValues::Category { codes, levels: 23 },
        FeatureValues::Number(holes),
        scrambled(1, 900, 89).remove(0),
    ];
    check("forest", "trees = 5", columns, (0..900).map(|row| (row * row % 101) as f64).collect())
}

#[test]
fn contributions_do_not_depend_on_threads() -> Result<()> {
    let table = table(400, 43)?;
    let model = Given::new("forest", &table.matrix, &table.three, "trees = 2\ndepth = 10").fit()?;
    let on = |threads: usize| -> Result<Vec<f64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let made = pool.install(|| model.contributions(&table.matrix))?;
        Ok(made.context("trees have contributions")?.values)
    };
    assert_eq!(on(1)?, on(3)?);
    Ok(())
}

#[test]
fn models_without_counts_say_so() -> Result<()> {
    let table = table(200, 42)?;
    let kept = bytes(&*Given::new("boost", &table.matrix, &table.numbers, "trees = 2").fit()?);
    // Older versions ended with the sets and had no number of their layout: name, type, count and value, 24 bytes.
    let find = |name: &[u8]| kept.windows(name.len()).position(|part| part == name).context("the field is written");
    let (layout, end) = (find(b"\x06layout")?, find(b"\x05gains")?);
    let older = [&kept[..layout], &kept[layout + 24..end]].concat();
    let mut form = FormReader::new(&older);
    let old = (zoo::kind("boost")?.read)(&mut form)?;
    form.end()?;
    assert!(old.importance().is_none());
    let error = old.contributions(&table.matrix).err().context("there are no counts")?.to_string();
    assert!(error.contains("older version"), "{error}");
    assert_eq!(bytes(&*old), older);
    Ok(())
}
