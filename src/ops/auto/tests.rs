//! Selection of an ensemble, budgets, proposals: exact on small inputs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::base::seed::Seed;
use crate::ops::auto::budget::{Deadline, Rates};
use crate::ops::auto::ensemble::{Loss, blended, select};
use crate::ops::auto::portfolio::{Shape, portfolio};
use crate::spec::model::Task;

/// `rows` numbers in [0, 1) from a seed.
fn noise(seed: u64, rows: usize) -> Vec<f64> {
    let mut rng = Seed(seed).rng();
    (0..rows).map(|_| rng.unit()).collect()
}

fn check(candidates: &[Vec<f64>], loss: Loss, most: usize) -> Vec<f64> {
    let views: Vec<&[f64]> = candidates.iter().map(Vec::as_slice).collect();
    let shares = select(&views, loss, most, Seed(7));
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
    assert!(shares.iter().filter(|share| **share > 0.0).count() <= most, "{shares:?}");
    let best = candidates.iter().map(|values| loss.of(values, 1.0)).fold(f64::INFINITY, f64::min);
    assert!(loss.of(&blended(candidates, &shares), 1.0) <= best * 1.05 + 1e-12, "worse than the best alone");
    assert_eq!(shares, select(&views, loss, most, Seed(7)), "the same again");
    shares
}

#[test]
fn losses_are_those_of_the_metrics() {
    assert!((Loss::Squared.of(&[1.0, -2.0, 3.0], 1.0) - 14.0 / 3.0).abs() < 1e-15);
    assert!((Loss::Squared.of(&[2.0, 4.0], 2.0) - 2.5).abs() < 1e-15);
    let expected = -(0.5_f64.ln() + 0.25_f64.ln() + 1e-15_f64.ln()) / 3.0;
    assert!((Loss::Log.of(&[0.5, 0.25, 0.0], 1.0) - expected).abs() < 1e-12);
    let many = noise(3, 1_000);
    let plain = -many.iter().map(|value| value.max(1e-15).ln()).sum::<f64>() / 1_000.0;
    assert!((Loss::Log.of(&many, 1.0) - plain).abs() < 1e-12);
    assert!(Loss::Log.of(&vec![1e-15; 64], 1.0).is_finite());
}

#[test]
fn errors_that_cancel_are_averaged() {
    let up: Vec<f64> = noise(1, 500).iter().map(|value| value - 0.5).collect();
    let down: Vec<f64> = up.iter().map(|value| -value).collect();
    let poor: Vec<f64> = up.iter().map(|value| value + 3.0).collect();
    let shares = check(&[up, down, poor], Loss::Squared, 10);
    assert!(shares[0] > 0.3 && shares[1] > 0.3 && shares[2] < 0.05, "{shares:?}");
}

#[test]
fn one_that_is_best_on_every_row_stands_alone() {
    let good = vec![0.9; 200];
    let bad: Vec<f64> = noise(2, 200).iter().map(|value| value * 0.8).collect();
    assert_eq!(check(&[bad.clone(), good, bad], Loss::Log, 10), [0.0, 1.0, 0.0]);
}

#[test]
fn no_more_members_than_asked_for() {
    let many: Vec<Vec<f64>> = (0..30).map(|seed| noise(seed, 300)).collect();
    let centred: Vec<Vec<f64>> = many.iter().map(|one| one.iter().map(|value| value - 0.5).collect()).collect();
    check(&centred, Loss::Squared, 3);
    check(&many, Loss::Log, 1);
}

#[test]
fn degenerate_candidates_are_survived() {
    assert!(select(&[], Loss::Log, 5, Seed(1)).is_empty());
    let odd = [vec![f64::NAN; 4], vec![0.5; 4], vec![f64::INFINITY; 4]];
    let views: Vec<&[f64]> = odd.iter().map(Vec::as_slice).collect();
    assert_eq!(select(&views, Loss::Squared, 5, Seed(1)), [0.0, 1.0, 0.0]);
    assert_eq!(select(&[&[1.0, 1.0], &[1.0, 1.0]], Loss::Log, 5, Seed(1)).iter().sum::<f64>(), 1.0);
}

#[test]
fn every_configuration_of_the_portfolio_is_one_that_its_kind_knows() {
    for task in [Task::Binary, Task::Multiclass, Task::Regression] {
        for rows in [10, 200, 2_000, 10_000, 60_000, 1_000_000] {
            let shape = Shape { task, rows, outputs: 3, features: 20, positive: true };
            let all = portfolio(&shape);
            let names: BTreeSet<&str> = all.iter().map(|config| config.name.as_str()).collect();
            assert_eq!(names.len(), all.len(), "a name twice: {names:?}");
            assert!(all.len() > 10 && all[0].kind.name == "boost");
            for config in &all {
                let known = (config.kind.params)();
                assert!(config.kind.tasks.contains(&task), "{}", config.name);
                let unknown = config.params.keys().find(|name| !known.contains_key(*name));
                assert_eq!(unknown, None, "{}", config.name);
            }
        }
    }
}

#[test]
fn a_fit_is_expected_to_take_as_long_as_others_of_its_kind() {
    let shape = Shape { task: Task::Binary, rows: 1_000, outputs: 2, features: 10, positive: false };
    let all = portfolio(&shape);
    let of = |name: &str| all.iter().find(|config| config.name == name).expect("it is in the portfolio");
    let mut rates = Rates::default();
    assert_eq!(rates.expect(of("forest"), &shape), 0.0, "nothing is known yet");
    rates.learn(of("forest"), &shape, 2.0);
    let expected = rates.expect(of("forest"), &shape);
    assert!((2.0..4.0).contains(&expected), "{expected}");
    assert!(rates.expect(of("svm"), &shape) > 0.0, "of another kind, by what all kinds took");
    let wide = Shape { rows: 10_000, ..shape };
    assert!(rates.expect(of("forest"), &wide) > 8.0 * expected);
    let near = Deadline::new(Instant::now(), Some(Duration::from_secs(3_600)), 0.5);
    assert!(!near.is_over() && near.is_too_near_for(3_000.0) && !near.is_too_near_for(60.0));
    assert!(!Deadline::new(Instant::now(), None, 0.5).is_too_near_for(f64::INFINITY));
}
