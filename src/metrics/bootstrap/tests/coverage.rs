//! How often intervals hold the value of the whole population: tables drawn from one whose values are known.

use crate::base::seed::{Rng, Seed};
use crate::metrics::bootstrap::{Plan, Quantity, percentile, replicate};
use crate::metrics::compare::delong::DeLong;
use crate::metrics::tests::names;
use crate::metrics::{Sample, Scores};
use crate::spec::model::Task;

const TABLES: u64 = 300;
const LEVEL: f64 = 0.9;

/// Rows of two classes, three in ten positive, whose scores are normal and one deviation apart, squeezed into `[0, 1]`.
fn table(rows: usize, rng: &mut Rng) -> (Vec<u32>, Vec<f64>) {
    let row = |rng: &mut Rng| {
        let code = u32::from(rng.unit() < 0.3);
        let score = 1.0 / (1.0 + (-(rng.normal() + f64::from(code) - 1.0)).exp());
        (code, score)
    };
    (0..rows).map(|_| row(rng)).unzip()
}

/// Share of tables of `rows` rows whose intervals hold `truths`, by metric, and of DeLong's for the first.
fn coverage(rows: usize, metrics: &[&str], truths: &[f64]) -> (Vec<f64>, f64) {
    let (mut held, mut of_delong) = (vec![0.0; metrics.len()], 0.0);
    let wanted: Vec<Quantity> = metrics.iter().map(|metric| Quantity { sample: 0, metric, rows: None }).collect();
    let names = names(2);
    for number in 0..TABLES {
        let (truth, second) = table(rows, &mut Seed(100).nth(number).rng());
        let probabilities: Vec<f64> = second.iter().flat_map(|score| [1.0 - score, *score]).collect();
        let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
        let plan = Plan { resamples: 200, level: LEVEL, seed: Seed(200).nth(number) };
        let values = replicate(&[Sample::new(scores, Task::Binary)], &wanted, &plan).expect("well formed");
        for ((held, values), truth) in held.iter_mut().zip(&values).zip(truths) {
            let holds = percentile(values, LEVEL).is_some_and(|found| found.low <= *truth && *truth <= found.high);
            *held += f64::from(u8::from(holds)) / TABLES as f64;
        }
        let positive: Vec<bool> = truth.iter().map(|code| *code == 1).collect();
        let delong = DeLong::new(&positive, &[&second]).and_then(|delong| delong.interval(LEVEL));
        let holds = delong.is_some_and(|found| found.low <= truths[0] && truths[0] <= found.high);
        of_delong += f64::from(u8::from(holds)) / TABLES as f64;
    }
    (held, of_delong)
}

#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let metrics = ["roc_auc", "log_loss", "accuracy"];
    // Of a table so large that its values are those of the population to three digits.
    let (truth, second) = table(400_000, &mut Seed(1).rng());
    let probabilities: Vec<f64> = second.iter().flat_map(|score| [1.0 - score, *score]).collect();
    let names = names(2);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let values = crate::metrics::compute(Some(&metrics), &scores, Task::Binary).expect("well formed");
    let truths = metrics.map(|metric| values[metric]);
    // The standard error of a share of 300 tables is 0.017.
    for (rows, least) in [(50, 0.80), (400, 0.85)] {
        let (held, of_delong) = coverage(rows, &metrics, &truths);
        let fits = |share: &f64| (least..=0.95).contains(share);
        assert!(held.iter().all(fits) && fits(&of_delong), "{rows} rows: {held:?}, DeLong {of_delong}");
    }
}
