//! Contributions sum to the margin, and are Shapley values by their definition on small trees.

use anyhow::{Context, Result};

use crate::data::matrix::{FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::form::FormReader;
use crate::models::predictor::{Margin, Predictions, Predictor};
use crate::models::trees::boosted::Boosted;
use crate::models::trees::tests::{Given, answers, bytes, close, matrix, table};
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

#[test]
fn long_paths_are_exact_too() -> Result<()> {
    // More features on a path than patterns are kept for.
    let columns = (0..20).map(|at| {
        let values = (0..600).map(|row: usize| (row * (37 + at * 12) % 101) as f64).collect();
        FeatureValues::Number(values)
    });
    let matrix = matrix(columns.collect())?;
    let numbers: Vec<f64> = (0..600).map(|row| (row * row % 97) as f64).collect();
    let target = Target::Numbers(numbers);
    let model = Given::new("extra_trees", &matrix, &target, "trees = 5\nfeature_share = 0.05").fit()?;
    let made = model.contributions(&matrix)?.context("trees have contributions")?;
    let found: Vec<f64> = (0..600).map(|row| made.margin_of(row, 0)).collect();
    close(&found, &answers(&*model, &matrix)?, 1e-9, "long paths");
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
