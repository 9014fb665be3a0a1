//! Calibrated probabilities: one curve for the second of two classes, or one a class.

use crate::exchange::onnx::graph::{Graph, Place, Tensor};
use crate::exchange::onnx::trees::{Ask, steps};
use crate::models::calibration::{Calibration, Curve, LOG_ODDS_MAX};

/// `shares` mended: rows × `classes`.
pub fn write(graph: &mut Graph, calibration: &Calibration, shares: &Tensor, classes: usize) -> Tensor {
    let columns: Vec<Tensor> = Place::all(shares, classes).map(|place| graph.column(&place)).collect();
    if let ([curve], [first, second]) = (&calibration.curves[..], &columns[..]) {
        let score = score(graph, second, Some(first), calibration.log_odds);
        let second = at(graph, curve, &score, second);
        return graph.pair(&second);
    }
    let one = |(curve, column): (&Curve, &Tensor)| {
        let score = score(graph, column, None, calibration.log_odds);
        at(graph, curve, &score, column)
    };
    let mended: Vec<Tensor> = calibration.curves.iter().zip(&columns).map(one).collect();
    let mended = graph.along("Concat", &mended.iter().collect::<Vec<_>>(), 1);
    let total = graph.sum_along(&mended, 1, true);
    let (zero, even) = (graph.number(0.0), graph.number(1.0 / classes as f64));
    let divided = graph.div(&mended, &total);
    // A total that is missing stays so.
    let none = graph.op("Equal", &[&total, &zero]);
    graph.select(&none, &even, &divided)
}

/// Log odds or the probability itself; `other` is that of the other of two classes.
fn score(graph: &mut Graph, chance: &Tensor, other: Option<&Tensor>, log_odds: bool) -> Tensor {
    if !log_odds {
        return chance.clone();
    }
    let (one, least) = (graph.number(1.0), graph.number(f64::MIN_POSITIVE));
    let rest = match other {
        Some(other) => other.clone(),
        None => graph.sub(&one, chance),
    };
    let [chance, rest] = [chance, &rest].map(|share| {
        let share = graph.op("Max", &[share, &least]);
        graph.op("Log", &[&share])
    });
    let odds = graph.sub(&chance, &rest);
    graph.clip(&odds, -LOG_ODDS_MAX, LOG_ODDS_MAX)
}

fn at(graph: &mut Graph, curve: &Curve, score: &Tensor, before: &Tensor) -> Tensor {
    match curve {
        Curve::Same => before.clone(),
        Curve::Sigmoid { slope, offset } => {
            let (slope, offset) = (graph.number(*slope), graph.number(*offset));
            let scaled = graph.mul(score, &slope);
            let moved = graph.add(&scaled, &offset);
            graph.falling_sigmoid(&moved)
        }
        Curve::Steps { scores, probabilities } => lines(graph, scores, probabilities, score),
    }
}

/// Straight lines between corners, level beyond them.
fn lines(graph: &mut Graph, corners: &[f64], levels: &[f64], score: &Tensor) -> Tensor {
    let count = corners.len();
    let table = |of: &dyn Fn(usize) -> f64| -> Vec<f64> { (0..=count).map(of).collect() };
    let before = |after: usize| after.saturating_sub(1);
    let inside = |after: usize| after > 0 && after < count;
    let pick = |after: usize, within: f64, beyond: f64| if inside(after) { within } else { beyond };
    let at_end = |after: usize| after.min(count - 1);
    let tables = [
        table(&|after| corners[before(after)]),
        table(&|after| pick(after, corners[at_end(after)] - corners[before(after)], 1.0)),
        table(&|after| levels[before(after)]),
        table(&|after| pick(after, levels[at_end(after)] - levels[before(after)], 0.0)),
    ];
    let after = steps(graph, score, corners, Ask::Below);
    let [left, width, level, rise] = tables.map(|table| {
        let table = graph.numbers(&[table.len()], &table);
        graph.op("Gather", &[&table, &after])
    });
    let away = graph.sub(score, &left);
    let share = graph.div(&away, &width);
    let part = graph.mul(&share, &rise);
    let sum = graph.add(&level, &part);
    let top = graph.add(&level, &rise);
    // Rounding must not leave the levels of both corners; a missing score has none.
    let sum = graph.op("Min", &[&sum, &top]);
    let value = graph.op("Max", &[&sum, &level]);
    let missing = graph.is_missing(score);
    graph.missing_where(&missing, &value)
}
