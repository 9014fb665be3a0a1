//! What holds for any rows.

use std::collections::BTreeMap;

use anyhow::Result;
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::base::seed::Seed;
use crate::metrics::tests::names;
use crate::metrics::{Scores, compute, confusion};
use crate::spec::model::Task;

fn task_of(classes: usize) -> Task {
    if classes == 2 { Task::Binary } else { Task::Multiclass }
}

fn classes(rows: &[(u32, Vec<f64>)], count: usize) -> Result<BTreeMap<String, f64>> {
    let truth: Vec<u32> = rows.iter().map(|row| row.0).collect();
    let probabilities: Vec<f64> = rows.iter().flat_map(|row| row.1.iter().copied()).collect();
    let names = names(count);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    compute(None, &scores, task_of(count))
}

fn numbers(rows: &[(f64, f64)]) -> Result<BTreeMap<String, f64>> {
    let (truth, predicted): (Vec<f64>, Vec<f64>) = rows.iter().copied().unzip();
    compute(None, &Scores::Numbers { truth: &truth, predicted: &predicted }, Task::Regression)
}

/// Rows of `count` classes whose probabilities sum to 1; few distinct values, so that there are ties.
fn class_rows() -> impl Strategy<Value = (usize, Vec<(u32, Vec<f64>)>)> {
    (2_usize..5).prop_flat_map(|count| {
        let row = (0..count as u32, prop::collection::vec(0_u32..5, count)).prop_map(|(truth, weights)| {
            let total: f64 = weights.iter().map(|&weight| f64::from(weight) + 0.01).sum();
            (truth, weights.iter().map(|&weight| (f64::from(weight) + 0.01) / total).collect())
        });
        prop::collection::vec(row, 0..60).prop_map(move |rows| (count, rows))
    })
}

fn near(a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> bool {
    a.keys().eq(b.keys()) && a.iter().all(|(name, value)| (value - b[name]).abs() <= 1e-9 * value.abs().max(1e-6))
}

proptest! {
    #[test]
    fn class_metrics_stay_in_bounds_and_ignore_the_order_of_rows((count, rows) in class_rows(), seed in any::<u64>()) {
        let values = classes(&rows, count).expect("well formed");
        for (name, &value) in &values {
            let (low, high) = match name.as_str() {
                "matthews_corrcoef" | "cohen_kappa" => (-1.0, 1.0),
                "log_loss" => (0.0, 36.1),
                "brier" => (0.0, 2.0),
                _ => (0.0, 1.0),
            };
            prop_assert!((low - 1e-12..=high + 1e-12).contains(&value), "{name} is {value}");
        }
        let mut shuffled = rows.clone();
        Seed(seed).rng().shuffle(&mut shuffled);
        prop_assert!(near(&values, &classes(&shuffled, count).expect("well formed")));
    }

    #[test]
    fn area_under_the_curve_is_the_share_of_pairs_won((count, rows) in class_rows()) {
        let values = classes(&rows, count).expect("well formed");
        let mut areas = Vec::new();
        for class in usize::from(count == 2)..count {
            let split = |wanted: bool| {
                rows.iter().filter(move |row| (row.0 as usize == class) == wanted).map(|row| row.1[class])
            };
            let (mut won, mut pairs) = (0.0, 0.0);
            for positive in split(true) {
                for negative in split(false) {
                    won += if positive > negative { 1.0 } else if positive == negative { 0.5 } else { 0.0 };
                    pairs += 1.0;
                }
            }
            if pairs > 0.0 {
                areas.push(won / pairs);
            }
        }
        let expected = (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64);
        match (values.get("roc_auc"), expected) {
            (Some(got), Some(wanted)) => prop_assert!((got - wanted).abs() < 1e-12, "{got}, wanted {wanted}"),
            (got, wanted) => prop_assert_eq!(got.copied(), wanted),
        }
    }

    #[test]
    fn accuracy_is_the_diagonal_of_the_confusion_matrix((count, rows) in class_rows()) {
        let truth: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let probabilities: Vec<f64> = rows.iter().flat_map(|row| row.1.iter().copied()).collect();
        let names = names(count);
        let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
        let matrix = confusion(&scores).expect("classes");
        prop_assert_eq!(matrix.counts.iter().flatten().sum::<u64>(), rows.len() as u64);
        let right: u64 = (0..count).map(|class| matrix.counts[class][class]).sum();
        let accuracy = compute(Some(&["accuracy"]), &scores, task_of(count)).expect("well formed");
        let wanted = (!rows.is_empty()).then(|| right as f64 / rows.len() as f64);
        prop_assert_eq!(accuracy.get("accuracy").copied(), wanted);
    }

    #[test]
    fn regression_metrics_are_finite_bounded_and_ignore_the_order_of_rows(
        rows in prop::collection::vec((-1e6..1e6_f64, -1e6..1e6_f64), 0..60), seed in any::<u64>()
    ) {
        let values = numbers(&rows).expect("finite");
        prop_assert_eq!(values.is_empty(), rows.is_empty());
        for (name, &value) in &values {
            match name.as_str() {
                "r2" | "explained_variance" => prop_assert!(value <= 1.0, "{name} is {value}"),
                "pearson" | "spearman" => prop_assert!((-1.0..=1.0).contains(&value), "{name} is {value}"),
                _ => prop_assert!(value >= 0.0, "{name} is {value}"),
            }
        }
        if !rows.is_empty() {
            prop_assert!(values["median_absolute_error"] <= values["max_error"]);
            prop_assert!(values["mae"] <= values["rmse"] * (1.0 + 1e-12));
        }
        let mut shuffled = rows.clone();
        Seed(seed).rng().shuffle(&mut shuffled);
        prop_assert!(near(&values, &numbers(&shuffled).expect("finite")));
    }

    #[test]
    fn hostile_shapes_are_errors_and_never_panics(
        truth in prop::collection::vec(any::<u32>(), 0..9),
        probabilities in prop::collection::vec(any::<f64>(), 0..20),
        count in 0_usize..5,
    ) {
        let names = names(count);
        let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            for value in compute(None, &scores, task).unwrap_or_default().into_values() {
                prop_assert!(value.is_finite());
            }
        }
        let _ = confusion(&scores);
        let numbers = Scores::Numbers { truth: &probabilities, predicted: &probabilities };
        for value in compute(None, &numbers, Task::Regression).unwrap_or_default().into_values() {
            prop_assert!(value.is_finite());
        }
    }
}
