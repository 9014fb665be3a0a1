//! What must hold on any table: the order of rows and of features, weights as repeats, threads, probabilities.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::matrix::Matrix;
use crate::models::form::FormReader;
use crate::models::trees::tests::{Given, answers, bytes, close, table, take};
use crate::models::zoo;

#[test]
fn the_order_of_rows_changes_no_byte() -> Result<()> {
    let table = table(700, 1)?;
    let mut order: Vec<u32> = (0..700).collect();
    Seed(3).rng().shuffle(&mut order);
    let matrix = take(&table.matrix, &order)?;
    let weights: Vec<f64> = (0..700).map(|row| f64::from(row % 7) / 3.0).collect();
    let shuffled: Vec<f64> = order.iter().map(|&row| weights[row as usize]).collect();
    for (kind, target, params) in table.cases("grow = 'depth'\nl1 = 0.5") {
        // Rows are drawn by their number, so kinds that draw them are left out.
        if kind == "forest" {
            continue;
        }
        let params = if kind == "boost" { params } else { format!("{params}\nrow_share = 0.0") };
        let turned = target.take(&order);
        let one = Given::new(kind, &table.matrix, target, &params);
        let other = Given::new(kind, &matrix, &turned, &params);
        assert!(bytes(&*one.fit()?) == bytes(&*other.fit()?), "{kind} {params}");
        let (one, other) = (one.weights(&weights).fit()?, other.weights(&shuffled).fit()?);
        assert!(bytes(&*one) == bytes(&*other), "{kind} {params} weighted");
    }
    Ok(())
}

#[test]
fn the_order_of_features_changes_no_answer() -> Result<()> {
    let table = table(700, 2)?;
    let turned = Matrix::new(700, table.matrix.features().iter().rev().cloned().collect())?;
    for (kind, target, params) in table.cases("leaf_rows = 30") {
        // The others draw features by their number.
        if kind == "boost" {
            let one = answers(&*Given::new(kind, &table.matrix, target, &params).fit()?, &table.matrix)?;
            let other = answers(&*Given::new(kind, &turned, target, &params).fit()?, &turned)?;
            close(&other, &one, 1e-12, &params);
        }
    }
    Ok(())
}

/// Fits once with whole weights, once with rows repeated as often.
fn check_repeats(times: impl Fn(u32) -> u32, is_left_out: impl Fn(&str) -> bool) -> Result<()> {
    let table = table(240, 3)?;
    // Levels of categories are limited by numbers of rows, so only numbers and the indicator are kept.
    let kept = [0, 1, 2, 4].map(|at| table.matrix.features()[at].clone());
    let matrix = Matrix::new(240, kept.to_vec())?;
    let weights: Vec<f64> = (0..240).map(|row| f64::from(times(row))).collect();
    let rows: Vec<u32> = (0..240).flat_map(|row| vec![row; times(row) as usize]).collect();
    let repeated = take(&matrix, &rows)?;
    for (kind, target, params) in table.cases("leaf_rows = 1\nleaf_hessian = 4.0\nl2 = 1.0") {
        if is_left_out(kind) {
            continue;
        }
        let params = if kind == "boost" { params } else { format!("{params}\nrow_share = 0.0") };
        let weighted = Given::new(kind, &matrix, target, &params).weights(&weights).fit()?;
        let other = Given::new(kind, &repeated, &target.take(&rows), &params).fit()?;
        // Bins know rows of weight 0, so thresholds may lie elsewhere between the rows that count.
        close(&answers(&*weighted, &repeated)?, &answers(&*other, &repeated)?, 1e-9, &format!("{kind} {params}"));
    }
    Ok(())
}

#[test]
fn weights_are_repeated_rows() -> Result<()> {
    // Forests draw rows by their number.
    check_repeats(|row| 1 + row * 7 % 3, |kind| kind == "forest")
}

#[test]
fn rows_of_weight_zero_are_left_out() -> Result<()> {
    // Random thresholds are drawn between bins, which know all rows.
    check_repeats(|row| row * 7 % 4, |kind| kind == "forest" || kind == "extra_trees")
}

#[test]
fn weights_of_one_are_no_weights() -> Result<()> {
    let table = table(400, 4)?;
    for (kind, target, params) in table.cases("") {
        let given = Given::new(kind, &table.matrix, target, &params);
        let (plain, weighted) = (given.fit()?, given.weights(&[1.0; 400]).fit()?);
        let (plain, weighted) = (answers(&*plain, &table.matrix)?, answers(&*weighted, &table.matrix)?);
        close(&weighted, &plain, 1e-12, &format!("{kind} {params}"));
    }
    Ok(())
}

#[test]
fn threads_change_no_byte_and_what_is_written_reads_back() -> Result<()> {
    let table = table(1200, 5)?;
    let weights: Vec<f64> = (0..1200).map(|row| f64::from(row % 5)).collect();
    let sampled = "feature_share_node = 0.6\ngoss_top = 0.3\ngoss_other = 0.2\nlearning_rate = 0.4";
    let constrained = "monotone = { x1 = -1 }\ninteractions = [['x0', 'x1'], ['x2', 'x3']]\nrow_share = 0.7";
    for more in ["", sampled, constrained] {
        for (kind, target, params) in table.cases(more) {
            if more == constrained && params.contains("multiclass") {
                continue;
            }
            let given = Given::new(kind, &table.matrix, target, &params).weights(&weights);
            let on = |threads: usize| -> Result<Vec<u8>> {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
                pool.install(|| {
                    let model = given.fit()?;
                    let contributions = model.contributions(&table.matrix)?.map_or(Vec::new(), |made| made.values);
                    Ok([bytes(&*model), contributions.iter().flat_map(|value| value.to_le_bytes()).collect()].concat())
                })
            };
            let one = on(1)?;
            assert!(one == on(2)? && one == on(8)?, "{kind} {params}");
            let model = given.fit()?;
            let kept = bytes(&*model);
            let mut form = FormReader::new(&kept);
            let back = (zoo::kind(kind)?.read)(&mut form)?;
            form.end()?;
            assert_eq!(back.predict(&table.matrix)?, model.predict(&table.matrix)?, "{kind} {params}");
            assert_eq!(back.importance(), model.importance(), "{kind} {params}");
        }
    }
    Ok(())
}

#[test]
fn probabilities_sum_to_one_and_answers_are_finite() -> Result<()> {
    let table = table(500, 6)?;
    let weights: Vec<f64> = (0..500).map(|row| [1e-9, 1.0, 1e9][row % 3]).collect();
    for (kind, target, params) in table.cases("leaf_rows = 1\nleaf_hessian = 0.0\nlearning_rate = 1.0") {
        let model = Given::new(kind, &table.matrix, target, &params).weights(&weights).fit()?;
        let all = answers(&*model, &table.matrix)?;
        assert!(all.iter().all(|value| value.is_finite()), "{kind} {params}");
        let count = target.classes().len();
        if count > 0 {
            let fine = |row: &[f64]| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12;
            assert!(all.chunks_exact(count).all(fine), "{kind} {params}");
        }
    }
    Ok(())
}

#[test]
fn goss_learns_and_losses_are_those_of_the_objective() -> Result<()> {
    let (held, table) = (table(600, 8)?, table(2000, 7)?);
    for (objective, target, held_target) in [
        ("squared", &table.numbers, &held.numbers),
        ("absolute", &table.numbers, &held.numbers),
        ("huber", &table.numbers, &held.numbers),
        ("quantile", &table.numbers, &held.numbers),
        ("poisson", &table.counts, &held.counts),
        ("binary", &table.two, &held.two),
        ("multiclass", &table.three, &held.three),
    ] {
        let losses = |more: &str| -> Result<Vec<f64>> {
            let params = format!("objective = '{objective}'\nalpha = 0.7\ntrees = 40\n{more}");
            let mut given = Given::new("boost", &table.matrix, target, &params);
            given.validation = Some((&held.matrix, held_target));
            let points = given.fit_with_points()?.1;
            let shown = points.iter().filter(|point| point.name == "validation_loss").map(|point| point.value);
            Ok(shown.collect())
        };
        let (all, goss) = (losses("")?, losses("goss_top = 0.2\ngoss_other = 0.2")?);
        let last = |losses: &[f64]| losses[losses.len() - 1];
        let gained = all[0] - last(&all);
        assert!(
            gained > 0.0 && goss[0] - last(&goss) > 0.8 * gained,
            "{objective}: {gained}, {}",
            goss[0] - last(&goss)
        );
    }
    Ok(())
}
