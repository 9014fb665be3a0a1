//! Which trials are given up.

use crate::search::pruner::Pruner;
use crate::search::space::Point;
use crate::search::told::{Outcome, Told};
use crate::spec::tune::{Direction, PrunerName};

/// Trials with a report at steps 1, 2, 3 … each.
fn seen(curves: &[&[f64]]) -> Vec<Told> {
    let one = |(number, values): (usize, &&[f64])| Told {
        number,
        point: Point(Vec::new()),
        outcome: Outcome::Value(values[values.len() - 1]),
        curve: curve(values),
    };
    curves.iter().enumerate().map(one).collect()
}

fn curve(values: &[f64]) -> Vec<(u64, f64)> {
    values.iter().enumerate().map(|(at, value)| (at as u64 + 1, *value)).collect()
}

#[track_caller]
fn check(pruner: &Pruner, seen: &[Told], own: &[f64], wanted: bool) {
    let number = seen.len();
    assert_eq!(pruner.gives_up(number, &curve(own), seen, Direction::Minimise), wanted);
    // The same with all signs turned.
    let turn = |(step, value): &(u64, f64)| (*step, -value);
    let mut turned = seen.to_vec();
    turned.iter_mut().for_each(|told| told.curve = told.curve.iter().map(turn).collect());
    let own: Vec<(u64, f64)> = curve(own).iter().map(turn).collect();
    assert_eq!(pruner.gives_up(number, &own, &turned, Direction::Maximise), wanted);
}

#[test]
fn the_median_of_earlier_trials_decides() {
    let pruner = Pruner::Median { trials_min: 3, steps_min: 2 };
    let seen = seen(&[&[5.0, 4.0], &[5.0, 3.0], &[5.0, 2.0, 2.0]]);
    check(&pruner, &seen, &[9.0], false); // within the steps that all may take
    check(&pruner, &seen, &[9.0, 3.5], true);
    check(&pruner, &seen, &[9.0, 3.0], false); // as good as the median
    check(&pruner, &seen, &[1.0, 9.0], false); // was better before
    check(&pruner, &seen, &[9.0, 9.0, 9.0], false); // only one came as far
    check(&pruner, &seen[..2], &[9.0, 9.0], false); // too few
    check(&pruner, &seen, &[f64::NAN, f64::NAN], true);
}

#[test]
fn the_best_part_of_a_rung_goes_on() {
    let pruner = Pruner::Halving { steps_min: 2, reduction: 3 };
    let seen = seen(&[&[9.0, 1.0], &[9.0, 2.0], &[9.0, 3.0], &[9.0, 4.0], &[9.0, 5.0]]);
    check(&pruner, &seen, &[9.0], false); // no rung yet
    check(&pruner, &seen, &[9.0, 2.5], true); // third of six
    check(&pruner, &seen, &[9.0, 1.5], false); // second of six
    check(&pruner, &seen, &[9.0, 1.5, 9.0], false); // between rungs
    check(&pruner, &seen, &[9.0, 0.5, 9.0, 9.0, 9.0, 9.0], false); // the first at its rung
    check(&pruner, &[], &[9.0, 9.0], false);
    check(&pruner, &seen[..1], &[9.0, 1.5], true);
    check(&pruner, &seen, &[9.0, f64::NAN], true);
}

#[test]
fn hyperband_compares_within_a_bracket() {
    let pruner = Pruner::Hyperband { steps_min: 1, steps_max: 9, reduction: 3 };
    let good: Vec<&[f64]> = vec![&[1.0, 1.0, 1.0]; 13];
    let all = seen(&good);
    let falls = |number: usize, own: &[f64]| pruner.gives_up(number, &curve(own), &all[..number], Direction::Minimise);
    assert!(falls(8, &[2.0]), "the lowest bracket is judged at once");
    assert!(!falls(9, &[2.0]), "the next one later");
    assert!(falls(10, &[2.0, 2.0, 2.0]));
    assert!(!falls(9, &[2.0, 2.0, 2.0]), "the first of its bracket has nobody to fall behind");
    assert!(!falls(12, &[2.0, 2.0, 2.0]), "the last bracket is not judged before the ninth step");
}

#[test]
fn odd_numbers_do_not_hang() {
    for pruner in [
        Pruner::Halving { steps_min: 0, reduction: 0 },
        Pruner::Hyperband { steps_min: 0, steps_max: u64::MAX, reduction: 0 },
        Pruner::Hyperband { steps_min: u64::MAX, steps_max: 0, reduction: u64::MAX },
        Pruner::Median { trials_min: 0, steps_min: 0 },
    ] {
        for curve in [vec![], vec![(0, 1.0)], vec![(u64::MAX, 1.0)], vec![(0, 1.0), (u64::MAX, f64::NAN)]] {
            pruner.gives_up(usize::MAX, &curve, &[], Direction::Minimise);
        }
    }
    assert_eq!(Pruner::named(PrunerName::Halving, 0), Pruner::Halving { steps_min: 1, reduction: 3 });
}
