//! Every way to replicate says what measuring the same rows anew says.

use anyhow::Result;
use rayon::ThreadPoolBuilder;

use crate::base::seed::Seed;
use crate::metrics::bootstrap::draws::Draws;
use crate::metrics::bootstrap::{Plan, Quantity, is_fast, replicate};
use crate::metrics::picked::Picked;
use crate::metrics::tests::{Lcg, binary_table, multiclass_table, names, number_table};
use crate::metrics::{Bounds, Sample, Scores, measure, zoo};
use crate::spec::model::Task;

/// One weight a row, 0 for some.
fn row_weights(rows: usize) -> Vec<f64> {
    let mut lcg = Lcg(4);
    (0..rows).map(|_| lcg.below(5) as f64 / 2.0).collect()
}

/// Labels, some missing, and scores with ties.
fn anomaly_table() -> (Vec<u32>, Vec<f64>) {
    let mut lcg = Lcg(6);
    let row = |_| {
        let label = [0, 0, 0, 1, crate::data::frame::MISSING_CODE][lcg.below(5) as usize];
        (label, (lcg.below(40) + if label == 1 { 20 } else { 0 }) as f64 / 60.0)
    };
    (0..300).map(row).unzip()
}

/// Runs `with` on a sample of each task, with a threshold where there can be one.
fn each_sample(mut with: impl FnMut(&Sample)) {
    let (truth, probabilities) = binary_table();
    let (two, four) = (names(2), names(4));
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &two };
    with(&Sample::new(scores, Task::Binary));
    let costs = [vec![0.0, 1.0], vec![5.0, 0.0]];
    with(&Sample { threshold: Some(0.35), costs: Some(&costs), ..Sample::new(scores, Task::Binary) });
    let (truth, probabilities) = multiclass_table();
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &four };
    with(&Sample::new(scores, Task::Multiclass));
    let (truth, predicted) = number_table();
    let (low, high): (Vec<f64>, Vec<f64>) = predicted.iter().map(|value| (value - 9.0, value * 1.2)).unzip();
    let bounds = Some(Bounds { low: &low, high: &high });
    let scores = Scores::Numbers { truth: &truth, predicted: &predicted };
    with(&Sample { bounds, ..Sample::new(scores, Task::Regression) });
    let (truth, scores) = anomaly_table();
    with(&Sample::new(Scores::Anomalies { truth: &truth, scores: &scores, threshold: 0.5 }, Task::Anomaly));
}

/// Every metric of the task on one resample of `rows`, by `replicate` and by measuring the drawn rows, repeated.
fn check(sample: &Sample, rows: Option<&[u32]>) {
    let plan = Plan { resamples: 2, level: 0.9, seed: Seed(9) };
    let mut every = zoo::every(sample.task);
    if sample.costs.is_some() {
        every.push("expected_cost".to_owned());
    }
    if sample.bounds.is_some() {
        every.extend(["coverage", "mean_interval_width"].map(str::to_owned));
    }
    let metrics: Vec<&str> = every.iter().map(String::as_str).collect();
    let wanted: Vec<Quantity> = metrics.iter().map(|metric| Quantity { sample: 0, metric, rows }).collect();
    let replicates = replicate(&[*sample], &wanted, &plan).expect("well formed");
    for number in 0..2 {
        let draws = Draws::new(sample.scores.rows(), plan.seed.nth(number));
        let all: Vec<u32> = (0..sample.scores.rows() as u32).collect();
        let repeat = |row: &u32| std::iter::repeat_n(*row, usize::from(draws.weights()[*row as usize]));
        let repeated: Vec<u32> = rows.unwrap_or(&all).iter().flat_map(repeat).collect();
        let picked = Picked::new(sample, &repeated);
        let measured = measure(Some(&metrics), &picked.sample()).expect("well formed");
        for (metric, replicates) in metrics.iter().zip(&replicates) {
            let got = replicates[number as usize];
            match measured.get(*metric) {
                Some(wanted) => {
                    let near = (got - wanted).abs() <= 1e-9 * wanted.abs().max(1e-3);
                    assert!(near, "{} {metric}: {got}, measured {wanted}", sample.task.name());
                }
                None => assert!(got.is_nan(), "{} {metric}: {got}, not measured", sample.task.name()),
            }
        }
    }
}

#[test]
fn replicates_are_metrics_of_the_drawn_rows() {
    let some: Vec<u32> = (0..250).filter(|row| row % 3 != 1).rev().collect();
    each_sample(|sample| {
        check(sample, None);
        check(sample, Some(&some));
    });
}

#[test]
fn replicates_are_metrics_of_the_drawn_and_weighted_rows() {
    each_sample(|sample| {
        let weights = row_weights(sample.scores.rows());
        check(&Sample { weights: Some(&weights), ..*sample }, None);
    });
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    each_sample(|sample| {
        let usual = zoo::wanted(sample);
        let wanted: Vec<Quantity> = usual.iter().map(|metric| Quantity { sample: 0, metric, rows: None }).collect();
        let run = |threads: usize, seed: u64| -> Vec<Vec<u64>> {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let plan = Plan { resamples: 20, level: 0.9, seed: Seed(seed) };
            let values = pool.install(|| replicate(&[*sample], &wanted, &plan)).expect("well formed");
            values.iter().map(|values| values.iter().map(|value| value.to_bits()).collect()).collect()
        };
        let one = run(1, 1);
        assert_eq!(one, run(2, 1));
        assert_eq!(one, run(8, 1));
        assert_ne!(one, run(1, 2));
    });
}

#[test]
fn replicates_of_two_samples_are_paired() {
    each_sample(|sample| {
        let metric = zoo::headline(sample.task);
        let wanted = [0, 1].map(|sample| Quantity { sample, metric, rows: None });
        let plan = Plan { resamples: 20, level: 0.9, seed: Seed(1) };
        let values = replicate(&[*sample, *sample], &wanted, &plan).expect("well formed");
        assert_eq!(values[0], values[1]);
    });
}

#[test]
fn the_headline_metrics_are_fast() {
    for task in [Task::Binary, Task::Multiclass, Task::Regression, Task::Anomaly] {
        assert!(is_fast(zoo::headline(task), task), "{}", task.name());
    }
}

#[test]
fn what_is_not_there_is_an_error() {
    each_sample(|sample| {
        let plan = Plan { resamples: 1, level: 0.9, seed: Seed(1) };
        let metric = zoo::headline(sample.task);
        let run = |quantity: Quantity| -> Result<Vec<Vec<f64>>> { replicate(&[*sample], &[quantity], &plan) };
        assert!(run(Quantity { sample: 1, metric, rows: None }).is_err());
        assert!(run(Quantity { sample: 0, metric, rows: Some(&[9999]) }).is_err());
        assert!(run(Quantity { sample: 0, metric: "nonsense", rows: None }).is_err());
        let short = Sample { weights: Some(&[1.0]), ..*sample };
        assert!(replicate(&[short], &[Quantity { sample: 0, metric, rows: None }], &plan).is_err());
    });
}

#[test]
fn no_rows_have_no_values() {
    let wanted = ["rmse", "r2", "spearman"].map(|metric| Quantity { sample: 0, metric, rows: None });
    let sample = Sample::new(Scores::Numbers { truth: &[], predicted: &[] }, Task::Regression);
    let plan = Plan { resamples: 3, level: 0.9, seed: Seed(1) };
    let values = replicate(&[sample], &wanted, &plan).expect("well formed");
    assert!(values.iter().flatten().all(|value| value.is_nan()), "{values:?}");
}
