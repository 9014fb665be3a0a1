//! Slices that were planted are found, and chance is not.

use crate::base::seed::Seed;
use crate::metrics::worst::loss::losses;
use crate::metrics::worst::sums::{Sums, excess};
use crate::metrics::worst::{Axis, NO_LEVEL, Search, Worst, worst};
use crate::metrics::{Sample, Scores};
use crate::spec::model::Task;

const ROWS: usize = 4_000;
const SEARCH: Search = Search { rows_min: 40, most: 10 };

/// Axes of 3, 4, 5 … random levels, and a random loss skewed to the right.
fn noise(seed: u64, rows: usize, axes: usize) -> (Vec<Axis>, Vec<f64>) {
    let mut rng = Seed(seed).derive("noise").rng();
    let axis = |levels: usize, rng: &mut crate::base::seed::Rng| Axis {
        codes: (0..rows).map(|_| rng.below(levels as u64) as u8).collect(),
        levels,
    };
    let axes = (0..axes).map(|at| axis(3 + at % 8, &mut rng)).collect();
    let losses = (0..rows).map(|_| -(1.0 - rng.unit()).ln()).collect();
    (axes, losses)
}

fn places(found: &[Worst]) -> Vec<Vec<(usize, u8)>> {
    found.iter().map(|slice| slice.places.clone()).collect()
}

#[test]
fn chance_is_not_found() {
    for seed in 0..30 {
        let (axes, losses) = noise(seed, ROWS, 12);
        assert_eq!(worst(&axes, &losses, None, &SEARCH), [], "seed {seed}");
        // Rare mistakes, as of a good model.
        let rare: Vec<f64> = losses.iter().map(|loss| f64::from(u8::from(*loss > 4.0))).collect();
        assert_eq!(worst(&axes, &rare, None, &SEARCH), [], "rare mistakes, seed {seed}");
    }
}

#[test]
fn a_planted_value_is_found_alone() {
    for seed in 0..10 {
        let (axes, mut losses) = noise(seed, ROWS, 12);
        (0..ROWS).filter(|row| axes[5].codes[*row] == 2).for_each(|row| losses[row] += 0.7);
        let found = worst(&axes, &losses, None, &SEARCH);
        assert_eq!(places(&found), [vec![(5, 2)]], "seed {seed}");
        assert!(found[0].effect > 0.4 && found[0].p_value < 1e-6, "{found:?}");
    }
}

#[test]
fn a_planted_cross_is_found_first_without_its_halves() {
    for seed in 0..10 {
        let (axes, mut losses) = noise(seed, ROWS, 12);
        let planted = |row: &usize| axes[1].codes[*row] == 3 && axes[4].codes[*row] == 0;
        (0..ROWS).filter(planted).for_each(|row| losses[row] += 2.0);
        let found = worst(&axes, &losses, None, &SEARCH);
        assert_eq!(places(&found), [vec![(1, 3), (4, 0)]], "seed {seed}");
    }
}

#[test]
fn a_worse_part_of_a_bad_slice_is_found_beside_it() {
    let (axes, mut losses) = noise(1, 20_000, 6);
    for (row, loss) in losses.iter_mut().enumerate() {
        let bad = axes[0].codes[row] == 1;
        *loss += f64::from(u8::from(bad)) + 2.0 * f64::from(u8::from(bad && axes[2].codes[row] == 4));
    }
    let found = places(&worst(&axes, &losses, None, &SEARCH));
    assert_eq!(found, [vec![(0, 1), (2, 4)], vec![(0, 1)]]);
}

#[test]
fn the_same_column_twice_is_found_once() {
    let (mut axes, mut losses) = noise(2, ROWS, 6);
    (0..ROWS).filter(|row| axes[3].codes[*row] == 1).for_each(|row| losses[row] += 1.0);
    axes.push(axes[3].clone());
    assert_eq!(places(&worst(&axes, &losses, None, &SEARCH)), [vec![(3, 1)]]);
}

#[test]
fn weights_count_as_rows_do() {
    let (axes, mut losses) = noise(3, ROWS, 6);
    (0..ROWS).filter(|row| axes[0].codes[*row] == 0).for_each(|row| losses[row] += 1.0);
    let none_of_it: Vec<f64> = axes[0].codes.iter().map(|code| f64::from(u8::from(*code != 0))).collect();
    assert_eq!(worst(&axes, &losses, Some(&none_of_it), &SEARCH), []);
    let plain = worst(&axes, &losses, None, &SEARCH);
    let doubled = worst(&axes, &losses, Some(&vec![2.0; ROWS]), &SEARCH);
    assert_eq!(places(&plain), [vec![(0, 0)]]);
    assert_eq!(places(&plain), places(&doubled));
    assert!((plain[0].effect - doubled[0].effect).abs() < 1e-9);
}

#[test]
fn degenerate_rows_have_no_worst_slice() {
    let search = Search { rows_min: 1, most: 10 };
    let axis = |codes: &[u8], levels: usize| Axis { codes: codes.to_vec(), levels };
    let check = |axes: &[Axis], losses: &[f64]| assert_eq!(worst(axes, losses, None, &search), [], "{losses:?}");
    check(&[], &[]);
    check(&[axis(&[], 0)], &[]);
    check(&[axis(&[0], 1)], &[1.0]);
    check(&[axis(&[0, 1, 0, 1], 2)], &[1.0; 4]);
    check(&[axis(&[0, 1, 0, 1], 2)], &[0.0; 4]);
    check(&[axis(&[0, 1, 0, 1], 2)], &[f64::NAN, 0.0, 0.0, 0.0]);
    check(&[axis(&[NO_LEVEL; 4], 0)], &[1.0, 2.0, 3.0, 4.0]);
    check(&[axis(&[0, 1, 0, 1], 2)], &[1e308, 0.0, 1e308, -1e308]);
    // A few rows that are all wrong among many that mostly are say nothing.
    let losses: Vec<f64> = (0..300).map(|row| f64::from(u8::from(row < 30 || row % 10 > 0))).collect();
    let codes: Vec<u8> = (0..300).map(|row| u8::from(row >= 30)).collect();
    assert_eq!(worst(&[axis(&codes, 2)], &losses, None, &Search { rows_min: 30, most: 10 }), []);
}

#[test]
fn the_excess_is_that_of_scipy() {
    // scipy 1.17: ttest_ind(a, b, equal_var=False, alternative="greater"), and the z test with the variance of both.
    let (a, b) = ([1.0, 2.0, 4.0, 3.5, 2.5], [0.5, 1.0, 1.5, 0.0, 1.0, 2.0]);
    let sums = |values: &[f64]| values.iter().fold(Sums::default(), |sum, value| sum + Sums::of(1.0, *value));
    let found = excess(&sums(&a), &sums(&b)).expect("enough rows");
    assert!((found.effect - 1.6).abs() < 1e-12);
    assert!((found.p_value - 0.01862866634691168).abs() < 1e-9, "{}", found.p_value);
    assert_eq!(excess(&sums(&a[..1]), &sums(&b)), None);
}

#[test]
fn every_task_has_its_loss() {
    let names = ["a".to_owned(), "b".to_owned()];
    let check = |scores: Scores, task: Task, wanted: Option<&[f64]>| {
        let found = losses(&Sample::new(scores, task));
        assert_eq!(found.as_deref(), wanted);
    };
    let classes = Scores::Classes { truth: &[0, 1, 1], probabilities: &[1.0, 0.0, 0.5, 0.5, 1.0, 0.0], names: &names };
    check(classes, Task::Binary, Some(&[0.0, 0.5_f64.ln().abs(), 1e-6_f64.ln().abs()]));
    check(Scores::Numbers { truth: &[1.0, 4.0], predicted: &[2.0, 1.0] }, Task::Regression, Some(&[0.5, 1.5]));
    check(Scores::Numbers { truth: &[1e308], predicted: &[-1e308] }, Task::Regression, Some(&[1e308]));
    check(Scores::Numbers { truth: &[1.0, 4.0], predicted: &[2.0] }, Task::Regression, None);
    let flagged = Scores::Anomalies { truth: &[0, 1, 1], scores: &[0.9, 0.9, 0.1], threshold: 0.5 };
    check(flagged, Task::Anomaly, Some(&[1.0, 0.0, 1.0]));
    let unlabelled = Scores::Anomalies { truth: &[u32::MAX, 1], scores: &[0.9, 0.1], threshold: 0.5 };
    check(unlabelled, Task::Anomaly, Some(&[0.9, 0.1]));
}
