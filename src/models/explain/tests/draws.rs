//! What is drawn by chance: shuffles and orders of columns.

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::frame::Frame;
use crate::models::explain::attribution::Attributions;
use crate::models::explain::model::Model;
use crate::models::explain::permutation::permutation;
use crate::models::explain::sampled::{Game, sampled};
use crate::models::explain::tests::{each, fixture, fixture_frame, frame, list, near, reference};
use crate::record::explanation::Estimate;

const ALONE: [usize; 4] = [0, 1, 2, 3];

fn table() -> Result<Frame> {
    let column = |step: usize, modulus: usize| -> Vec<f64> {
        (0..48).map(|row| (row * step % modulus) as f64 / 7.0 - 1.5).collect()
    };
    frame(&[&column(37, 41), &column(13, 29), &column(7, 11), &[3.0; 48]])
}

/// Drops of minus the mean squared error of `function` when columns are shuffled.
fn drops(frame: &Frame, subjects: &[Vec<usize>], seed: u64, function: fn(&[f64]) -> f64) -> Result<Vec<Estimate>> {
    let truth = each(frame, function);
    let worth = |frame: &Frame| {
        let squares = each(frame, function).into_iter().zip(&truth).map(|(found, truth)| (found - truth).powi(2));
        Ok(-squares.sum::<f64>() / frame.rows() as f64)
    };
    permutation(frame, subjects, 200, Seed(seed), &worth, &|| ())
}

fn singles() -> Vec<Vec<usize>> {
    ALONE.iter().map(|place| vec![*place]).collect()
}

#[test]
fn shuffling_a_column_costs_twice_its_variance() -> Result<()> {
    let frame = table()?;
    let found = drops(&frame, &singles(), 1, |row| row[0] + 2.0 * row[1])?;
    // E (x_i - x_j)² over random pairs of n rows is 2 Σ (x - mean)² / n for a random permutation.
    let spread = |place: usize| {
        let values = each(&frame, |row| row[place]);
        let mean = values.iter().sum::<f64>() / 48.0;
        2.0 * values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 48.0
    };
    for (place, wanted) in [(0, spread(0)), (1, 4.0 * spread(1))] {
        let Estimate { mean, low, high, .. } = found[place];
        assert!(low < mean && mean < high && high - low < 0.1 * wanted, "{:?}", found[place]);
        near(&[mean], &[wanted], 2.0 * (high - low));
    }
    // Neither a column that is not read nor a constant one costs anything, not even rounding.
    for place in [2, 3] {
        let nothing = Estimate { mean: 0.0, std: 0.0, low: 0.0, high: 0.0 };
        assert_eq!(found[place], nothing);
    }
    Ok(())
}

#[test]
fn shuffles_depend_on_nothing_but_the_seed_and_the_column() -> Result<()> {
    let frame = table()?;
    let function = |row: &[f64]| row[0] * row[1];
    let all = drops(&frame, &singles(), 1, function)?;
    assert_eq!(drops(&frame, &[vec![1]], 1, function)?[0], all[1]);
    assert_ne!(drops(&frame, &[vec![1]], 2, function)?[0], all[1]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    assert_eq!(pool.install(|| drops(&frame, &singles(), 1, function))?, all);
    Ok(())
}

#[test]
fn columns_shuffled_together_keep_what_they_say_of_each_other() -> Result<()> {
    let frame = table()?;
    // The difference of a column and its copy stays whatever the order, as long as both move together.
    let twins = {
        let values = each(&frame, |row| row[0]);
        super::frame(&[&values, &values])?
    };
    let found = drops(&twins, &[vec![0], vec![0, 1]], 1, |row| row[0] - row[1])?;
    assert!(found[0].mean > 0.1 && found[1].mean == 0.0, "{found:?}");
    let one_row = super::frame(&[&[1.0]])?;
    assert_eq!(drops(&one_row, &[vec![0]], 1, |row| row[0])?[0].mean, 0.0);
    Ok(())
}

fn play(frame: &Frame, players: &[Vec<usize>], function: fn(&[f64]) -> f64) -> Result<Attributions> {
    let rows: Vec<u32> = (0..6).collect();
    let background: Vec<u32> = (0..frame.rows() as u32).collect();
    let model = Model { outputs: 1, answer: &|frame| Ok(each(frame, function)) };
    let game = Game { frame, rows: &rows, background: &background, players, seed: Seed(5) };
    sampled(&game, &model, &|| ())
}

#[test]
fn contributions_of_a_sum_are_exact() -> Result<()> {
    let frame = table()?;
    let found = play(&frame, &singles(), |row| 2.0 * row[0] - row[1] + row[3])?;
    let mean = |place: usize| each(&frame, |row| row[place]).iter().sum::<f64>() / 48.0;
    for row in 0..6 {
        let values = super::row_of(&frame, row);
        near(found.of(row, 0), &[2.0 * (values[0] - mean(0))], 1e-12);
        near(found.of(row, 1), &[mean(1) - values[1]], 1e-12);
        near(&[found.of(row, 2), found.of(row, 3)].concat(), &[0.0, 0.0], 1e-12);
    }
    Ok(())
}

#[test]
fn contributions_sum_to_the_answer_whatever_the_model() -> Result<()> {
    let frame = table()?;
    let odd = |row: &[f64]| (row[0] * row[1]).sin() + if row[2] > 0.0 { row[0].exp() } else { row[3] * row[1] };
    let whole = each(&frame, odd);
    for players in [singles(), vec![vec![0, 2], vec![1, 3]], vec![vec![0, 1, 2, 3]], vec![vec![3], vec![0, 1, 2]]] {
        let found = play(&frame, &players, odd)?;
        assert_eq!((found.columns, found.rows()), (players.len(), 6));
        near(&found.base, &[whole.iter().sum::<f64>() / 48.0], 1e-12);
        for (row, wanted) in whole.iter().enumerate().take(6) {
            near(&found.margin_of(row), &[*wanted], 1e-10);
        }
    }
    Ok(())
}

#[test]
fn contributions_agree_with_exact_shapley_values() -> Result<()> {
    let fixture = fixture();
    let frame = fixture_frame(&fixture)?;
    let players: Vec<Vec<usize>> = (0..3).map(|place| vec![place]).collect();
    let found = play(&frame, &players, reference)?;
    near(&found.base, &[fixture["shapley"]["base"].as_f64().unwrap_or(f64::NAN)], 1e-12);
    for row in 0..6 {
        let wanted = list(&fixture["shapley"]["values"][row]);
        for (player, wanted) in wanted.into_iter().enumerate() {
            let error = found.errors_of(row, player).map_or(0.0, |errors| errors[0]);
            assert!(error > 0.0 && error < 1.0, "{error}");
            near(found.of(row, player), &[wanted], 4.0 * error);
        }
    }
    // With two players both orders are drawn for every background row, so that nothing is left to chance.
    let twos = play(&frame, &[vec![0, 1], vec![2]], reference)?;
    let exact = |row: usize| -> f64 {
        let (own, count) = (super::row_of(&frame, row), frame.rows());
        let with = |other: usize| {
            let other = super::row_of(&frame, other);
            let (first, last) = ([own[0], own[1], other[2]], [other[0], other[1], own[2]]);
            0.5 * (reference(&own) - reference(&first) + reference(&last) - reference(&other))
        };
        (0..count).map(with).sum::<f64>() / count as f64
    };
    for row in 0..6 {
        near(twos.of(row, 1), &[exact(row)], 1e-12);
    }
    Ok(())
}

#[test]
fn contributions_are_the_same_on_any_number_of_threads() -> Result<()> {
    let frame = table()?;
    let function = |row: &[f64]| row[0] * row[1] * row[2];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (one, many) = (pool.install(|| play(&frame, &singles(), function))?, play(&frame, &singles(), function)?);
    assert_eq!(one, many);
    Ok(())
}
