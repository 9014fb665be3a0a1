//! What samplers answer: points inside, the same for the same question, and spread as they should be.

use std::collections::HashSet;

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde::Deserialize;

use crate::base::seed::Seed;
use crate::search::sampler::{self, History};
use crate::search::sobol;
use crate::search::space::{Point, Range, Space};
use crate::search::tests::{every_range, space};
use crate::search::told::{Outcome, Told};
use crate::spec::tune::{Direction, SamplerName};

fn is_inside(space: &Space, point: &Point) -> bool {
    point.0.len() == space.dimensions.len()
        && space.dimensions.iter().zip(&point.0).all(|(dimension, number)| match &dimension.range {
            Range::Integer { low, high, step, .. } => {
                let whole = *number as i64;
                whole as f64 == *number && (*low..=*high).contains(&whole) && (whole - low) % step == 0
            }
            Range::Float { low, high, .. } => (*low..=*high).contains(number),
            Range::Choice { values } => (*number as usize) < values.len() && number.fract() == 0.0,
        })
}

fn trials(space: &Space, count: usize, seed: u64) -> Vec<Told> {
    let mut rng = Seed(seed).rng();
    let one = |number: usize| {
        let point = sampler::anywhere(space, Seed(seed).nth(number as u64));
        let outcome = match rng.below(10) {
            0 => Outcome::Failed("it crashed".to_owned()),
            1 => Outcome::Pruned { step: rng.below(9), value: rng.normal() },
            // Equal values, and values at the ends of what floats hold.
            2 => Outcome::Value(0.0),
            3 => Outcome::Value(1e308),
            _ => Outcome::Value(rng.normal()),
        };
        Told { number, point, outcome, curve: Vec::new() }
    };
    (0..count).map(one).collect()
}

proptest! {
    #[test]
    fn suggestions_lie_in_the_space_and_are_the_same_again(
        seed in any::<u64>(),
        count in 0_usize..80,
        (warm, pending) in (0_usize..20, 0_usize..5),
        low in -1e3_f64..1e3, width in 0.0_f64..1e3,
        name in (0_usize..4).prop_map(|at| SamplerName::ALL[at]),
    ) {
        let free = Range::Float { low, high: low + width, log: false, step: None };
        let space = every_range()
            .with(crate::search::space::Dimension::new("h", free).expect("low is low")).expect("a space");
        let (told, warm) = (trials(&space, count, seed), trials(&space, warm, seed ^ 1));
        let pending: Vec<Point> = trials(&space, pending, seed ^ 2).into_iter().map(|told| told.point).collect();
        let history =
            History { warm: &warm, told: &told, pending: &pending, given: 0, direction: Direction::Maximise };
        // Half a million points: too many for a grid.
        let space = if name == SamplerName::Grid { every_range_few() } else { space };
        let mut first = sampler::named(name, &space, Seed(seed)).expect("a sampler");
        let mut second = sampler::named(name, &space, Seed(seed)).expect("a sampler");
        let number = count + pending.len();
        let point = first.suggest(number, &history, &space, Seed(seed));
        prop_assert!(point.as_ref().is_none_or(|point| is_inside(&space, point)), "{point:?}");
        // What was asked before does not count.
        let shorter = History { told: &told[..count / 2], pending: &[], ..history };
        second.suggest(count / 2, &shorter, &space, Seed(seed));
        second.suggest(number + 1, &history, &space, Seed(seed));
        prop_assert_eq!(point, second.suggest(number, &history, &space, Seed(seed)));
    }

    #[test]
    fn places_lead_to_points_and_back(unit in 0.0_f64..=1.0) {
        let space = every_range();
        for dimension in &space.dimensions {
            let number = dimension.range.decode(unit);
            let back = dimension.range.encode(number);
            prop_assert!((0.0..=1.0).contains(&back));
            prop_assert_eq!(dimension.range.decode(back), number, "{} at {}", dimension, unit);
            prop_assert_eq!(dimension.range.locate(Some(&dimension.range.value(number))), number);
        }
    }
}

fn every_range_few() -> Space {
    space("a = { low = 0.01, high = 1.0, log = true }\nb = { low = 1, high = 3 }\ne = ['x', 'y', 3]\nf = 6")
}

#[test]
fn bounds_at_the_ends_of_floats_do_not_overflow() {
    let space = space("x = { low = -1.7e308, high = 1.7e308 }\ny = { low = 5e-324, high = 1.7e308, log = true }");
    for unit in [0.0, 1e-9, 0.3, 0.5, 1.0] {
        let point = space.decode(&[unit, unit]);
        assert!(is_inside(&space, &point), "{point:?}");
        assert!(space.encode(&point).iter().all(|back| (back - unit).abs() < 1e-5), "{point:?}");
    }
}

#[test]
fn numbers_are_short_enough_to_read() {
    let space = space("a = { low = 1e-4, high = 0.3, log = true }\nb = { low = 1000.0, high = 1000.5 }");
    assert_eq!(space.decode(&[0.777, 0.123_456_789]).0, [0.05031798, 1000.0617284]);
}

#[derive(Deserialize)]
struct SobolFixture {
    rows: Vec<SobolRow>,
}

#[derive(Deserialize)]
struct SobolRow {
    number: u32,
    points: Vec<u32>,
}

#[test]
fn sobol_points_equal_those_of_scipy() {
    let fixture: SobolFixture =
        serde_json::from_str(include_str!("../../../tests/fixtures/reference/search/sobol.json")).expect("the fixture");
    for row in fixture.rows {
        for (dimension, numerator) in row.points.iter().enumerate() {
            assert_eq!(sobol::coordinate(row.number, dimension), numerator << 24, "{} {dimension}", row.number);
        }
    }
}

#[test]
fn scrambled_sobol_points_stay_even_and_differ_by_seed() {
    let space = space("x = { low = 0.0, high = 1.0 }\ny = { low = 0.0, high = 1.0 }");
    let points = |seed: u64| {
        let mut sampler = sampler::named(SamplerName::Sobol, &space, Seed(seed)).expect("a sampler");
        let history = History { warm: &[], told: &[], pending: &[], given: 0, direction: Direction::Minimise };
        (0..64)
            .map(|number| sampler.suggest(number, &history, &space, Seed(seed)).expect("a point").0)
            .collect::<Vec<_>>()
    };
    for seed in 0..10 {
        // A (0, 6, 2)-net: one point in each of the 64 boxes, whatever their shape.
        for (across, up) in [(64.0, 1.0), (1.0, 64.0), (8.0, 8.0), (4.0, 16.0)] {
            let boxes: HashSet<(u64, u64)> =
                points(seed).iter().map(|p| ((p[0] * across) as u64, (p[1] * up) as u64)).collect();
            assert_eq!(boxes.len(), 64, "{seed} {across}");
        }
    }
    assert_ne!(points(1), points(2));
}

#[test]
fn a_grid_has_every_combination_once() {
    let space = space("x = { low = 0.1, high = 1000.0, log = true }\ny = { low = 1, high = 3 }\nz = ['a', 'b']");
    let mut sampler = sampler::named(SamplerName::Grid, &space, Seed(7)).expect("a grid");
    let history = History { warm: &[], told: &[], pending: &[], given: 1, direction: Direction::Minimise };
    let points: Vec<Point> = (1..).map_while(|number| sampler.suggest(number, &history, &space, Seed(7))).collect();
    let distinct: HashSet<String> = points.iter().map(|point| format!("{point:?}")).collect();
    assert_eq!((points.len(), distinct.len()), (30, 30));
    let firsts: HashSet<String> = points.iter().map(|point| point.0[0].to_string()).collect();
    assert_eq!(firsts, ["0.1", "1", "10", "100", "1000"].map(str::to_owned).into());
}

#[test]
fn a_grid_that_is_too_large_is_refused() {
    let all: String = (0..10).map(|at| format!("x{at} = {{ low = 0.0, high = 1.0 }}\n")).collect();
    let fine = "x = { low = 0.0, high = 1.0, step = 1e-12 }";
    for text in [all.as_str(), fine] {
        let error = sampler::named(SamplerName::Grid, &space(text), Seed(1)).err().expect("too large").in_words();
        assert!(error.contains("a grid of") && error.contains("at most 100000"), "{error}");
    }
}
