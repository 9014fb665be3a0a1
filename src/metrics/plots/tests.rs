//! Points of pictures against scikit-learn's curves, and their limits.

use anyhow::Result;
use serde::Deserialize;

use crate::base::limits::{PLOT_CLASSES_MAX, PLOT_PAIRS_MAX, PLOT_POINTS_MAX};
use crate::metrics::plots::plots;
use crate::metrics::tests::{Lcg, names};
use crate::metrics::{Sample, Scores};
use crate::record::evaluation::{PlotBin, Plots};
use crate::spec::model::Task;

#[derive(Deserialize)]
struct Reference {
    label: Vec<u32>,
    score: Vec<f64>,
    weights: Vec<f64>,
    roc: Vec<[f64; 2]>,
    precision_recall: Vec<[f64; 2]>,
    calibration: Vec<[f64; 2]>,
    scores: Vec<[f64; 2]>,
    gain: Vec<[f64; 2]>,
    truth: Vec<f64>,
    predicted: Vec<f64>,
    residuals: Vec<f64>,
    edges: Vec<f64>,
    deciles: Vec<[f64; 2]>,
}

fn reference() -> Result<Reference> {
    Ok(serde_json::from_str(include_str!("../../../tests/fixtures/reference/metrics/plots.json"))?)
}

fn check(what: &str, got: &[[f64; 2]], wanted: &[[f64; 2]]) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (got, wanted) in got.iter().zip(wanted) {
        let near = (0..2).all(|at| (got[at] - wanted[at]).abs() <= 1e-9 * wanted[at].abs().max(1e-3));
        assert!(near, "{what}: {got:?}, wanted {wanted:?}");
    }
}

fn means(bins: &[PlotBin]) -> Vec<[f64; 2]> {
    bins.iter().map(|bin| [bin.predicted, bin.observed]).collect()
}

#[test]
fn curves_and_bins_equal_scikit_learn() -> Result<()> {
    let wanted = reference()?;
    let probabilities: Vec<f64> = wanted.score.iter().flat_map(|score| [1.0 - score, *score]).collect();
    let names = names(2);
    let scores = Scores::Classes { truth: &wanted.label, probabilities: &probabilities, names: &names };
    let found = plots(&Sample { weights: Some(&wanted.weights), ..Sample::new(scores, Task::Binary) })?;
    let [class] = &found.classes[..] else { panic!("the positive class alone") };
    assert_eq!(class.class, "1");
    check("roc", &class.roc, &wanted.roc);
    check("precision-recall", &class.precision_recall, &wanted.precision_recall);
    check("calibration", &means(&class.calibration), &wanted.calibration);
    check("gain", &class.gain, &wanted.gain);
    let bars: Vec<[f64; 2]> = class.scores.iter().map(|bin| [bin.rest, bin.members]).collect();
    check("scores", &bars, &wanted.scores);
    Ok(())
}

#[test]
fn pictures_of_numbers_equal_numpy() -> Result<()> {
    let wanted = reference()?;
    let sample = Sample::new(Scores::Numbers { truth: &wanted.truth, predicted: &wanted.predicted }, Task::Regression);
    let numbers = plots(&sample)?.numbers.expect("of numbers");
    let pairs: Vec<[f64; 2]> = wanted.predicted.iter().zip(&wanted.truth).map(|(p, y)| [*p, *y]).collect();
    check("pairs", &numbers.pairs, &pairs);
    check("calibration", &means(&numbers.calibration), &wanted.deciles);
    let numbers = plots(&Sample { weights: Some(&wanted.weights), ..sample })?.numbers.expect("of numbers");
    let bars: Vec<[f64; 2]> = numbers.residuals.iter().map(|bin| [bin.low, bin.rest]).collect();
    let expected: Vec<[f64; 2]> =
        wanted.edges.iter().zip(&wanted.residuals).map(|(edge, rows)| [*edge, *rows]).collect();
    check("residuals", &bars, &expected);
    assert_eq!(numbers.residuals.last().map(|bin| bin.high), wanted.edges.last().copied());
    Ok(())
}

#[test]
fn pictures_do_not_grow_with_rows_or_classes() -> Result<()> {
    let mut lcg = Lcg(9);
    let (rows, count) = (3_000, 14);
    let truth: Vec<u32> = (0..rows).map(|_| (lcg.below(14) * lcg.below(14) / 14) as u32).collect();
    let mut probabilities = Vec::new();
    for _ in 0..rows {
        let raw: Vec<f64> = (0..count).map(|_| (lcg.below(1 << 20) + 1) as f64).collect();
        let total: f64 = raw.iter().sum();
        probabilities.extend(raw.iter().map(|value| value / total));
    }
    let names: Vec<String> = names(14);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let found = plots(&Sample::new(scores, Task::Multiclass))?;
    assert_eq!(found.classes.len(), PLOT_CLASSES_MAX);
    for class in &found.classes {
        assert!(class.roc.len() <= PLOT_POINTS_MAX && class.roc.len() > PLOT_POINTS_MAX / 2, "{}", class.roc.len());
        assert_eq!((class.roc[0], class.roc.last()), ([0.0, 0.0], Some(&[1.0, 1.0])));
        assert!(class.roc.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1]));
        assert_eq!((class.precision_recall.len(), class.gain.len()), (class.roc.len(), 101));
    }
    let one = plots(&Sample::new(scores, Task::Multiclass))?;
    assert_eq!(found, one);
    let many: Vec<f64> = (0..3_000).map(|_| lcg.below(1_000) as f64).collect();
    let numbers = Scores::Numbers { truth: &many, predicted: &many[..] };
    let numbers = plots(&Sample::new(numbers, Task::Regression))?.numbers.expect("of numbers");
    assert_eq!((numbers.pairs.len(), numbers.residuals.len(), numbers.calibration.len()), (PLOT_PAIRS_MAX, 1, 10));
    Ok(())
}

#[test]
fn hostile_rows_have_pictures_or_none() -> Result<()> {
    let names = names(2);
    let of = |truth: &[u32], probabilities: &[f64], weights: Option<&[f64]>| -> Result<Plots> {
        let scores = Scores::Classes { truth, probabilities, names: &names };
        plots(&Sample { weights, ..Sample::new(scores, Task::Binary) })
    };
    assert_eq!(of(&[], &[], None)?, Plots::default());
    assert_eq!(of(&[1], &[0.0, 1.0], Some(&[0.0]))?, Plots::default());
    let one = of(&[1, 1], &[0.5, 0.5, 0.0, 1.0], None)?;
    assert!(one.classes[0].roc.is_empty() && one.classes[0].gain.is_empty());
    assert_eq!(one.classes[0].calibration.len(), 2);
    assert!(of(&[1], &[0.0, f64::NAN], None).is_err());
    let wide = Scores::Numbers { truth: &[1e308, -1e308, 1e308], predicted: &[-1e308, 1e308, -1e308] };
    let numbers = plots(&Sample::new(wide, Task::Regression))?.numbers.expect("of numbers");
    assert!(numbers.residuals.is_empty());
    assert!(numbers.calibration.iter().all(|bin| bin.predicted.is_finite() && bin.observed.is_finite()));
    Ok(())
}
