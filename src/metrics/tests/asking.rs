//! How metrics are asked for: parameters, classes, costs, intervals, weights, and what is refused.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::metric::When;
use crate::metrics::tests::{binary_table, multiclass_table, names};
use crate::metrics::{Bounds, Sample, Scores, measure, zoo};
use crate::spec::model::Task;

fn check_refused(result: Result<impl std::fmt::Debug>, wanted: &str) {
    let error = result.expect_err(wanted);
    let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
    let text = format!("{error:#}; {hint}");
    assert!(text.contains(wanted), "{text}, wanted {wanted}");
    assert_eq!(fail::find(&error).map(|failure| failure.blame), Some(fail::Blame::Request), "{text}");
}

#[test]
fn names_are_read() -> Result<()> {
    let check = |name: &str, task: Task, parameter: Option<f64>, class: Option<&str>| -> Result<()> {
        let chosen = zoo::find(name, task)?;
        assert_eq!((chosen.parameter, chosen.class.as_deref()), (parameter, class), "{name}");
        assert_eq!(chosen.name, name.trim());
        Ok(())
    };
    check("f1", Task::Binary, None, None)?;
    check(" fbeta(2) ", Task::Binary, Some(2.0), None)?;
    check("fbeta ( 0.5 )", Task::Binary, Some(0.5), None)?;
    check("f1(class=yes)", Task::Binary, None, Some("yes"))?;
    check("f1(class=a, (b) = c)", Task::Multiclass, None, Some("a, (b) = c"))?;
    check("precision_at_recall(0.9, class=a,b)", Task::Multiclass, Some(0.9), Some("a,b"))?;
    check("roc_auc(class=2)", Task::Multiclass, None, Some("2"))?;
    check("mean_tweedie_deviance(-1)", Task::Regression, Some(-1.0), None)?;
    assert!(!zoo::find("quantile_loss(0.9)", Task::Regression)?.higher_is_better);
    Ok(())
}

#[test]
fn names_are_refused() {
    let check = |name: &str, task: Task, wanted: &str| check_refused(zoo::find(name, task), wanted);
    check("fbeta", Task::Binary, "write `fbeta(2)`; BETA is a number above 0");
    check("fbeta(0)", Task::Binary, "BETA is a number above 0 and at most 100, not 0");
    check("fbeta(x)", Task::Binary, "`x` is no number");
    check("fbeta()", Task::Binary, "`` is no number");
    check("fbeta(2", Task::Binary, "the bracket is not closed");
    check("fbeta(2, yes)", Task::Binary, "only a class can follow");
    check("precision_at_recall(1.5)", Task::Binary, "RECALL is a number above 0 and at most 1, not 1.5");
    check("precision_at_recall(NaN)", Task::Binary, "not NaN");
    check("recall_at_precision(-0.1)", Task::Binary, "PRECISION is a number from 0 to 1");
    check("lift(0)", Task::Binary, "SHARE is a number above 0");
    check("top_k_accuracy(1.5)", Task::Multiclass, "K is a whole number");
    check("mean_tweedie_deviance(0.5)", Task::Regression, "from 1 to 10, not 0.5");
    check("accuracy(2)", Task::Binary, "`accuracy` takes no number");
    check("accuracy(class=yes)", Task::Binary, "of all rows together");
    check("rmse(class=yes)", Task::Regression, "of all rows together");
    check("f1", Task::Multiclass, "use `f1(class=NAME)` for one class, or one of accuracy");
    check("ppv", Task::Binary, "did you mean `precision`?");
    check("threat_score", Task::Binary, "did you mean `jaccard`?");
    check("brier_skill_score", Task::Multiclass, "did you mean `d2_brier`?");
    check("mean_pinball_loss", Task::Regression, "did you mean `quantile_loss`?");
    check("", Task::Binary, "unknown metric ``");
}

#[test]
fn several_metrics_are_told_apart() {
    assert_eq!(
        zoo::split("f1, precision_at_recall(0.9, class=a,b),,mae "),
        ["f1", "precision_at_recall(0.9, class=a,b)", "mae"]
    );
    assert!(zoo::split(" , ").is_empty());
}

#[test]
fn examples_of_every_metric_can_be_asked_for() -> Result<()> {
    for task in [Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly] {
        for metric in zoo::all(task) {
            assert_eq!(zoo::find(&metric.example(), task)?.metric.name, metric.name);
            assert!(metric.about.len() < 80 && !metric.about.ends_with('.'), "{}", metric.name);
        }
        assert!(zoo::usual(task).len() <= 26, "a table that is read");
    }
    Ok(())
}

#[test]
fn one_of_two_classes_is_the_positive_one_or_asked_for() -> Result<()> {
    let (truth, probabilities) = binary_table();
    let names = names(2);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let asked = ["recall", "recall(class=1)", "recall(class=0)", "specificity", "roc_auc", "roc_auc(class=0)"];
    let values = measure(Some(&asked), &Sample::new(scores, Task::Binary))?;
    assert_eq!(values["recall"], values["recall(class=1)"]);
    assert_eq!(values["specificity"], values["recall(class=0)"]);
    assert!((values["roc_auc"] - values["roc_auc(class=0)"]).abs() < 1e-12);
    check_refused(measure(Some(&["recall(class=2)"]), &Sample::new(scores, Task::Binary)), "unknown class `2`");
    Ok(())
}

#[test]
fn a_sample_says_what_is_measured() -> Result<()> {
    let (truth, probabilities) = multiclass_table();
    let names = names(4);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let plain = Sample::new(scores, Task::Multiclass);
    let usual = measure(None, &plain)?;
    assert!(usual.keys().map(String::as_str).eq({
        let mut usual = zoo::usual(Task::Multiclass);
        usual.sort_unstable();
        usual
    }));
    let asked = ["top_k_accuracy(2)".to_owned(), "accuracy".to_owned()];
    let more = measure(None, &Sample { asked: &asked, ..plain })?;
    assert_eq!(more.len(), usual.len() + 1);
    assert_eq!(measure(Some(&["top_k_accuracy(1)"]), &plain)?["top_k_accuracy(1)"], usual["accuracy"]);
    let all = measure(None, &Sample { asked: &["all".to_owned()], ..plain })?;
    assert!(all.len() > usual.len() + 8 && all.contains_key("roc_auc_ovo") && !all.contains_key("expected_cost"));
    let costs: Vec<Vec<f64>> = (0..4).map(|truth| (0..4).map(|answer| f64::from(truth != answer)).collect()).collect();
    let costly = measure(None, &Sample { costs: Some(&costs), ..plain })?;
    assert!((costly["expected_cost"] - (1.0 - usual["accuracy"])).abs() < 1e-12);
    check_refused(measure(Some(&["expected_cost"]), &plain), "`expected_cost` needs a cost matrix");
    check_refused(measure(None, &Sample { costs: Some(&costs[..3]), ..plain }), "there are 4 classes");
    let odd = vec![vec![0.0; 4], vec![f64::INFINITY; 4], vec![0.0; 4], vec![0.0; 4]];
    check_refused(measure(None, &Sample { costs: Some(&odd), ..plain }), "holds inf");
    Ok(())
}

#[test]
fn intervals_come_with_numbers() -> Result<()> {
    let scores = Scores::Numbers { truth: &[1.0, 2.0, 3.0], predicted: &[1.0, 2.0, 2.0] };
    let plain = Sample::new(scores, Task::Regression);
    let (low, high) = ([0.0, 2.0, 1.0], [1.0, 2.0, 2.5]);
    let values = measure(None, &Sample { bounds: Some(Bounds { low: &low, high: &high }), ..plain })?;
    assert_eq!((values["coverage"], values["mean_interval_width"]), (2.0 / 3.0, 2.5 / 3.0));
    assert!(zoo::all(Task::Regression).iter().any(|metric| metric.when == When::Bounds));
    check_refused(measure(Some(&["coverage"]), &plain), "needs an interval");
    let turned = Bounds { low: &high, high: &low };
    check_refused(measure(None, &Sample { bounds: Some(turned), ..plain }), "the interval runs from 1 to 0");
    let short = Bounds { low: &low[..2], high: &high };
    check_refused(measure(None, &Sample { bounds: Some(short), ..plain }), "2 lower and 3 upper ends");
    check_refused(measure(None, &Sample { costs: Some(&[]), ..plain }), "a cost matrix is for classes");
    Ok(())
}

#[test]
fn weights_that_are_none_are_refused() -> Result<()> {
    let scores = Scores::Numbers { truth: &[1.0, 2.0], predicted: &[1.0, 3.0] };
    let with =
        |weights: &[f64]| measure(None, &Sample { weights: Some(weights), ..Sample::new(scores, Task::Regression) });
    check_refused(with(&[1.0]), "2 rows and 1 weights");
    check_refused(with(&[1.0, -0.5]), "row 1: the weight is -0.5");
    check_refused(with(&[f64::NAN, 1.0]), "row 0: the weight is NaN");
    check_refused(with(&[f64::INFINITY, 1.0]), "row 0: the weight is inf");
    check_refused(with(&[1e308, 1e308]), "more than a number can hold");
    assert!(with(&[0.0, 0.0])?.is_empty());
    assert_eq!(with(&[0.0, 3.0])?["max_error"], 1.0);
    // A row that weighs nothing is not measured, but it is checked.
    let names = names(2);
    let broken = Scores::Classes { truth: &[0, 1], probabilities: &[0.5, 0.5, f64::NAN, 1.0], names: &names };
    let sample = Sample { weights: Some(&[1.0, 0.0]), ..Sample::new(broken, Task::Binary) };
    assert!(measure(None, &sample).is_err());
    Ok(())
}
