//! The rules at the edges: ties, what is left out, unknown names, parts of rows.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::classes::predicted;
use crate::metrics::sums;
use crate::metrics::tests::names;
use crate::metrics::{Scores, compute, compute_at, confusion, confusion_at, zoo};
use crate::spec::model::Task;

const TASKS: [Task; 3] = [Task::Binary, Task::Multiclass, Task::Regression];

fn hint_of(error: &anyhow::Error) -> String {
    fail::find(error).and_then(|failure| failure.hint.clone()).unwrap_or_default()
}

#[test]
fn the_first_of_equally_probable_classes_is_predicted() {
    assert_eq!(predicted(&[0.5, 0.5, 0.2, 0.8], 2), [0, 1]);
    assert_eq!(predicted(&[0.2, 0.4, 0.4], 3), [1]);
}

#[test]
fn names_are_unique_and_headlines_exist() -> Result<()> {
    for task in TASKS {
        let mut seen: Vec<&str> = zoo::all(task).iter().map(|metric| metric.name).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_eq!(zoo::find(zoo::headline(task), task)?.name, zoo::headline(task));
    }
    assert!(zoo::find("roc_auc", Task::Binary)?.higher_is_better);
    assert!(!zoo::find("log_loss", Task::Multiclass)?.higher_is_better);
    Ok(())
}

#[test]
fn unknown_metrics_get_a_suggestion() {
    let check = |name: &str, task: Task, wanted: &str| {
        let error = zoo::find(name, task).expect_err(name);
        assert!(hint_of(&error).contains(wanted), "{name}: {}", hint_of(&error));
    };
    check("acuracy", Task::Binary, "`accuracy`");
    check("auc", Task::Binary, "`roc_auc`");
    check("f1_score", Task::Binary, "`f1`");
    check("neg_mean_squared_error", Task::Regression, "`mse`");
    check("mean_absolute_error", Task::Regression, "`mae`");
    check("Accuracy", Task::Multiclass, "`accuracy`");
    check("zzz", Task::Regression, "known: rmse, mae");
}

#[test]
fn a_metric_of_another_task_says_so() {
    let error = zoo::find("rmse", Task::Binary).expect_err("of regression");
    assert_eq!(error.to_string(), "metric `rmse` is for regression tasks; this task is binary");
    assert!(hint_of(&error).contains("roc_auc"));
    let error = zoo::find("accuracy", Task::Regression).expect_err("of classes");
    assert_eq!(error.to_string(), "metric `accuracy` is for binary and multiclass tasks; this task is regression");
}

#[test]
fn a_threshold_moves_classes_and_no_probabilities() -> Result<()> {
    let names = names(2);
    let probabilities = [0.9, 0.1, 0.7, 0.3, 0.6, 0.4, 0.2, 0.8];
    let scores = Scores::Classes { truth: &[0, 1, 1, 1], probabilities: &probabilities, names: &names };
    let plain = compute(None, &scores, Task::Binary)?;
    assert_eq!(compute_at(None, &scores, Task::Binary, Some(0.5))?, plain);
    let moved = compute_at(None, &scores, Task::Binary, Some(0.3))?;
    // A row with the threshold itself stays negative.
    assert_eq!((plain["recall"], moved["recall"], moved["accuracy"]), (1.0 / 3.0, 2.0 / 3.0, 0.75));
    for same in ["roc_auc", "average_precision", "ks", "log_loss", "brier", "expected_calibration_error"] {
        assert_eq!(moved[same], plain[same], "{same}");
    }
    let counts = confusion_at(&scores, Some(0.3)).map(|matrix| matrix.counts);
    assert_eq!(counts, Some(vec![vec![1, 0], vec![1, 2]]));
    Ok(())
}

#[test]
fn what_has_no_meaning_on_one_class_is_left_out() -> Result<()> {
    let names = names(2);
    let negative = Scores::Classes { truth: &[0, 0], probabilities: &[0.9, 0.1, 0.8, 0.2], names: &names };
    let values = compute(None, &negative, Task::Binary)?;
    for absent in
        ["roc_auc", "average_precision", "ks", "recall", "precision", "f1", "matthews_corrcoef", "cohen_kappa"]
    {
        assert!(!values.contains_key(absent), "{absent}");
    }
    assert_eq!(values["accuracy"], 1.0);
    assert_eq!(values["specificity"], 1.0);
    // Positive rows, none of them found: precision is 0 as in scikit-learn, not undefined.
    let missed = Scores::Classes { truth: &[0, 1], probabilities: &[0.9, 0.1, 0.8, 0.2], names: &names };
    let values = compute(None, &missed, Task::Binary)?;
    assert_eq!((values["precision"], values["recall"], values["f1"]), (0.0, 0.0, 0.0));
    assert_eq!(values["matthews_corrcoef"], 0.0);
    Ok(())
}

#[test]
fn what_has_no_meaning_on_these_numbers_is_left_out() -> Result<()> {
    let compute =
        |truth: &[f64], predicted: &[f64]| compute(None, &Scores::Numbers { truth, predicted }, Task::Regression);
    let constant = compute(&[2.0, 2.0], &[1.0, 3.0])?;
    for absent in ["r2", "explained_variance", "pearson", "spearman"] {
        assert!(!constant.contains_key(absent), "{absent}");
    }
    assert_eq!(constant["mae"], 1.0);
    let zero = compute(&[0.0, -3.0], &[1.0, 3.0])?;
    for absent in ["mape", "msle", "rmsle", "mean_poisson_deviance"] {
        assert!(!zero.contains_key(absent), "{absent}");
    }
    assert_eq!(zero["wape"], 7.0 / 3.0);
    assert!(compute(&[], &[])?.is_empty());
    Ok(())
}

#[test]
fn certain_mistakes_cost_a_finite_loss() -> Result<()> {
    let names = names(2);
    let scores = Scores::Classes { truth: &[1], probabilities: &[1.0, 0.0], names: &names };
    let values = compute(Some(&["log_loss", "brier"]), &scores, Task::Binary)?;
    assert!((values["log_loss"] - 36.04365338911715).abs() < 1e-12);
    assert_eq!(values["brier"], 1.0);
    assert_eq!(values.len(), 2);
    Ok(())
}

#[test]
fn scores_that_do_not_fit_are_refused() {
    let names = names(2);
    let check = |scores: Scores, task: Task, wanted: &str| {
        let message = compute(None, &scores, task).expect_err(wanted).to_string();
        assert!(message.contains(wanted), "{message}");
    };
    let classes = |truth: &'static [u32], probabilities: &'static [f64]| (truth, probabilities);
    for (rows, wanted) in [
        (classes(&[0], &[0.5]), "need rows × classes"),
        (classes(&[2], &[0.5, 0.5]), "class code 2 has no name"),
        (classes(&[0], &[f64::NAN, 0.5]), "class `0` is NaN"),
        (classes(&[0], &[-0.1, 1.1]), "not in [0, 1]"),
    ] {
        check(Scores::Classes { truth: rows.0, probabilities: rows.1, names: &names }, Task::Binary, wanted);
    }
    let good = Scores::Classes { truth: &[0], probabilities: &[0.5, 0.5], names: &names };
    check(good, Task::Regression, "the task is regression");
    let three = crate::metrics::tests::names(3);
    let wide = Scores::Classes { truth: &[0], probabilities: &[0.5, 0.5, 0.0], names: &three };
    check(wide, Task::Binary, "have 3");
    check(Scores::Numbers { truth: &[1.0], predicted: &[] }, Task::Regression, "1 true values and 0 predictions");
    check(Scores::Numbers { truth: &[1.0], predicted: &[f64::INFINITY] }, Task::Regression, "the prediction is inf");
    check(Scores::Numbers { truth: &[1.0], predicted: &[1.0] }, Task::Binary, "the task is binary");
    assert!(confusion(&Scores::Numbers { truth: &[1.0], predicted: &[1.0] }).is_none());
}

#[test]
fn sums_keep_their_digits() {
    assert_eq!(sums::sum([1e16, 1.0, -1e16]), 1.0);
    assert_eq!(sums::sum([0.1; 10]), 1.0);
    assert_eq!(sums::sum([f64::MAX, f64::MAX]), f64::INFINITY);
    assert_eq!(sums::mean([], 0), None);
}
