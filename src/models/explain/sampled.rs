//! Shapley values of any model by sampling permutations (Štrumbelj, Kononenko 2014), in antithetic pairs (Mitchell,
//! Cooper, Frank, Holmes 2022, §4.1).
//!
//! A background row turns into the explained one column by column, in a random order; what each step changes is one
//! draw of that column's value. The same order backwards is the second draw of the pair. Each background row is walked
//! once, so the contributions of a row sum to its answer less the mean answer of the background, whatever the orders
//! were.

use anyhow::Result;
use rayon::prelude::*;

use crate::base::seed::Seed;
use crate::data::frame::Frame;
use crate::models::explain::attribution::Attributions;
use crate::models::explain::mix::{CELLS_AT_ONCE, picked};
use crate::models::explain::model::{Model, means};
use crate::models::predictor::Margin;

/// What to explain with what.
#[derive(Clone, Copy, Debug)]
pub struct Game<'a> {
    /// Rows, background among them.
    pub frame: &'a Frame,
    /// Numbers of the rows to explain.
    pub rows: &'a [u32],
    /// Numbers of the rows that stand for "not known".
    pub background: &'a [u32],
    /// Sets of columns that are known or not known together; every column in one of them.
    pub players: &'a [Vec<usize>],
    /// Chance.
    pub seed: Seed,
}

/// Contributions of the players, with standard errors: the spread among pairs, over the root of their number. They
/// count the difference between background rows as chance too, so they are rather too large than too small.
///
/// Order `b` of row `r` starts from the row's number and `b`. Cost: rows × background × 2 players predictions, rows in
/// parallel; `done` is called after each row.
pub fn sampled(game: &Game<'_>, model: &Model<'_>, done: &(dyn Fn() + Sync)) -> Result<Attributions> {
    let base = means(&model.answers(&game.frame.take(game.background))?, model.outputs);
    let of_rows: Vec<(Vec<f64>, Vec<f64>)> = game
        .rows
        .par_iter()
        .map(|&row| {
            let found = one(game, model, row);
            done();
            found
        })
        .collect::<Result<_>>()?;
    let (values, errors): (Vec<_>, Vec<_>) = of_rows.into_iter().unzip();
    Ok(Attributions {
        columns: game.players.len(),
        outputs: model.outputs,
        margin: Margin::Answer,
        base,
        values: values.concat(),
        errors: Some(errors.concat()),
    })
}

/// Contributions and standard errors of one row, `players × outputs` each.
fn one(game: &Game<'_>, model: &Model<'_>, row: u32) -> Result<(Vec<f64>, Vec<f64>)> {
    let (players, outputs) = (game.players.len(), model.outputs);
    let seed = game.seed.nth(u64::from(row));
    let (mut sums, mut squares) = (vec![0.0; players * outputs], vec![0.0; players * outputs]);
    let cells = (2 * players * game.frame.columns().len()).max(1);
    let orders: Vec<(u64, u32)> = (0..).zip(game.background.iter().copied()).collect();
    for orders in orders.chunks((CELLS_AT_ONCE / cells).max(1)) {
        let walks: Vec<(Vec<usize>, u32)> = orders
            .iter()
            .map(|&(number, other)| {
                let mut order: Vec<usize> = (0..players).collect();
                seed.nth(number).rng().shuffle(&mut order);
                (order, other)
            })
            .collect();
        let answers = model.answers(&frame_of(game, &walks, row)?)?;
        for ((order, _), answers) in walks.iter().zip(answers.chunks_exact((2 * players * outputs).max(1))) {
            let pair = pair(order, answers, outputs);
            for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(pair) {
                *sum += value;
                *square += value * value;
            }
        }
    }
    let count = game.background.len().max(1) as f64;
    let error = |sum: f64, square: f64| {
        let spread = (square - sum * sum / count).max(0.0) / (count - 1.0).max(1.0);
        (spread / count).sqrt()
    };
    let errors = sums.iter().zip(&squares).map(|(sum, square)| error(*sum, *square)).collect();
    Ok((sums.into_iter().map(|sum| sum / count).collect(), errors))
}

/// The rows of all walks: for each the background row, then one player of `order` after the other from `row` until all
/// are, then the steps between of the way back: `2 players` rows.
fn frame_of(game: &Game<'_>, walks: &[(Vec<usize>, u32)], row: u32) -> Result<Frame> {
    let players = game.players.len();
    let mut picks = vec![Vec::with_capacity(walks.len() * 2 * players); game.frame.columns().len()];
    let mut places = vec![0; players];
    for (order, other) in walks {
        order.iter().enumerate().for_each(|(place, &player)| places[player] = place);
        for (player, columns) in game.players.iter().enumerate() {
            let place = places[player];
            // Forwards a player counts from its step on; backwards the last one comes first.
            let forwards = (0..=players).map(|known| place < known);
            let backwards = (1..players).map(|known| players - 1 - place < known);
            let rows: Vec<u32> = forwards.chain(backwards).map(|known| if known { row } else { *other }).collect();
            columns.iter().for_each(|&column| picks[column].extend(&rows));
        }
    }
    picked(game.frame, &picks)
}

/// Mean of the two draws of each player, `players × outputs`, from the answers along both ways.
fn pair(order: &[usize], answers: &[f64], outputs: usize) -> Vec<f64> {
    let players = order.len();
    let mut values = vec![0.0; players * outputs];
    let at = |step: usize, output: usize| answers[step * outputs + output];
    // Steps of the way back: its ends are those of the way there.
    let back = |known: usize, output: usize| match known {
        0 => at(0, output),
        known if known == players => at(players, output),
        known => at(players + known, output),
    };
    for (place, &player) in order.iter().enumerate() {
        for output in 0..outputs {
            let there = at(place + 1, output) - at(place, output);
            let known = players - 1 - place;
            let again = back(known + 1, output) - back(known, output);
            values[player * outputs + output] = 0.5 * (there + again);
        }
    }
    values
}
