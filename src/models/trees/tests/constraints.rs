//! Monotone and interaction constraints hold on random tables; growth by level and node sampling do what they say.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::predictor::Predictor;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::tests::{Given, answers, matrix, table};
use crate::models::trees::tree::LEAF;

#[test]
fn monotone_constraints_hold_everywhere() -> Result<()> {
    for seed in 0..5 {
        let table = table(400, 100 + seed)?;
        for (kind, target, params) in table.cases("monotone = { x0 = 1, x2 = -1, x4 = 1 }\nleaf_rows = 3\nl1 = 0.2") {
            if kind != "boost" || params.contains("multiclass") {
                continue;
            }
            let weights: Vec<f64> = (0..400).map(|row| 0.5 + f64::from(row % 3)).collect();
            let model = Given::new(kind, &table.matrix, target, &params).weights(&weights).fit()?;
            let mut rng = Seed(seed).rng();
            for _ in 0..12 {
                let (x1, level) = (rng.below(20) as f64, rng.below(11) as u32);
                let other = rng.normal();
                let rows = 45;
                let rising: Vec<f64> = (0..rows).map(|row| f64::from(row) / 2.0 - 1.0).collect();
                let falling: Vec<f64> = rising.iter().map(|value| -value / 5.0).collect();
                let flat = |value: f64| FeatureValues::Number(vec![value; rows as usize]);
                let category = || FeatureValues::Category { codes: vec![level; rows as usize].into(), levels: 11 };
                let steps: Vec<u32> = (0..rows).map(|row| if row < 20 { 0 } else { 3 }).collect();
                for (first, third) in [
                    (FeatureValues::Number(rising.clone()), flat(other)),
                    (flat(x1), FeatureValues::Number(falling.clone())),
                    (FeatureValues::Number(rising.clone()), FeatureValues::Number(falling.clone())),
                ] {
                    let indicator = FeatureValues::Indicator { codes: steps.clone().into(), code: 3 };
                    let grid = matrix(vec![first, flat(x1), third, category(), indicator])?;
                    let all = answers(&*model, &grid)?;
                    let scores: Vec<f64> = match target.classes().len() {
                        2 => all.chunks_exact(2).map(|pair| pair[1]).collect(),
                        _ => all,
                    };
                    assert!(scores.is_sorted(), "seed {seed}, {params}: {scores:?}");
                }
            }
        }
    }
    Ok(())
}

fn ensemble(model: &dyn Predictor) -> &Ensemble {
    let boosted = model.as_any().downcast_ref::<Boosted>();
    &boosted.unwrap_or_else(|| panic!("not boosted")).ensemble
}

/// Calls `see` with the features of every path from the root to a leaf.
fn each_path(ensemble: &Ensemble, mut see: impl FnMut(&[u32])) {
    for tree in &ensemble.trees {
        let mut open = vec![(0_u32, Vec::new())];
        while let Some((node, mut path)) = open.pop() {
            let node = &tree.nodes[node as usize];
            path.push(node.feature);
            for child in node.children {
                match child & LEAF != 0 {
                    true => see(&path),
                    false => open.push((child, path.clone())),
                }
            }
        }
    }
}

#[test]
fn interaction_constraints_hold_on_every_path() -> Result<()> {
    let table = table(600, 20)?;
    let params = "interactions = [['x0', 'x1'], ['x1', 'x2']]\ntrees = 20";
    let model = Given::new("boost", &table.matrix, &table.numbers, params).fit()?;
    let mut seen = 0;
    each_path(ensemble(&*model), |path| {
        let fits = |group: &[u32]| path.iter().all(|feature| group.contains(feature));
        // What stands in no group makes a group of its own.
        assert!(fits(&[0, 1]) || fits(&[1, 2]) || fits(&[3, 4]), "{path:?}");
        seen += 1;
    });
    assert!(seen > 100, "{seen} paths");
    Ok(())
}

#[test]
fn growth_by_level_fills_levels_first() -> Result<()> {
    let table = table(2000, 21)?;
    let params = "grow = 'depth'\nleaves = 16\ntrees = 3\nleaf_rows = 1";
    let model = Given::new("boost", &table.matrix, &table.numbers, params).fit()?;
    each_path(ensemble(&*model), |path| assert_eq!(path.len(), 4));
    Ok(())
}

#[test]
fn nodes_draw_features_of_their_own() -> Result<()> {
    let table = table(2000, 22)?;
    let params = "feature_share_node = 0.2\ntrees = 40\nleaves = 8";
    let model = Given::new("boost", &table.matrix, &table.numbers, params).fit()?;
    let ensemble = ensemble(&*model);
    let mut roots: Vec<u32> = ensemble.trees.iter().filter_map(|tree| tree.nodes.first()).map(|n| n.feature).collect();
    roots.sort_unstable();
    roots.dedup();
    assert!(roots.len() >= 4, "{roots:?}");
    let mixed =
        ensemble.trees.iter().filter(|tree| tree.nodes.iter().any(|node| node.feature != tree.nodes[0].feature));
    assert!(mixed.count() > 30);
    Ok(())
}

#[test]
fn names_may_be_those_of_raw_columns() -> Result<()> {
    let table = table(300, 23)?;
    let mut features = table.matrix.features().to_vec();
    features[0].from = "raw".into();
    features[1].from = "raw".into();
    let renamed = Matrix::new(300, features)?;
    let by_raw = Given::new("boost", &renamed, &table.numbers, "monotone = { raw = 1 }\ntrees = 5").fit()?;
    let by_name = Given::new("boost", &renamed, &table.numbers, "monotone = { x0 = 1, x1 = 1 }\ntrees = 5").fit()?;
    assert_eq!(by_raw.predict(&renamed)?, by_name.predict(&renamed)?);
    Ok(())
}
