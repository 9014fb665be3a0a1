//! Every metric against scikit-learn 1.9.1, numpy 2.4.6 and scipy 1.17.1, to a relative 1e-9.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::metrics::ranked::Ranked;
use crate::metrics::tests::{binary_table, multiclass_table, names, number_table};
use crate::metrics::weights::Weights;
use crate::metrics::{Scores, calibration, compute, confusion, curves, zoo};
use crate::spec::model::Task;

/// Every expected number is there and near, and every metric of the task is expected.
fn check(scores: &Scores, task: Task, expected: &[(&str, f64)]) -> Result<()> {
    let values = compute(None, scores, task)?;
    for (name, wanted) in expected {
        let got = values.get(*name).copied().unwrap_or(f64::NAN);
        assert!((got - wanted).abs() <= 1e-9 * wanted.abs().max(1e-9), "{name}: {got}, wanted {wanted}");
    }
    let known = zoo::usual(task);
    let missing: Vec<&&str> = known.iter().filter(|name| !expected.iter().any(|pair| pair.0 == **name)).collect();
    assert!(missing.is_empty(), "no reference number for {missing:?}");
    Ok(())
}

#[test]
fn binary_metrics_equal_scikit_learn() -> Result<()> {
    let (truth, probabilities) = binary_table();
    let names = names(2);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let expected = [
        ("accuracy", 0.8275),
        ("balanced_accuracy", 0.8254504504504505),
        ("f1_macro", 0.8185153768764919),
        ("f1_weighted", 0.8290142623241868),
        ("precision_macro", 0.8142036188553234),
        ("precision_weighted", 0.8328904247883824),
        ("recall_macro", 0.8254504504504505),
        ("log_loss", 0.3802447661613012),
        ("matthews_corrcoef", 0.6395551869530156),
        ("cohen_kappa", 0.6375669713205169),
        ("expected_calibration_error", 0.16654500000000005),
        ("f1", 0.7781350482315113),
        ("precision", 0.7423312883435583),
        ("recall", 0.8175675675675675),
        ("specificity", 0.8333333333333334),
        ("negative_predictive_value", 0.8860759493670886),
        ("jaccard", 0.6368421052631579),
        ("roc_auc", 0.9421117546117546),
        ("average_precision", 0.9174100886864717),
        ("brier", 0.11665431000000001),
        ("ks", 0.7273702273702274),
        ("false_positive_rate", 0.16666666666666666),
        ("false_negative_rate", 0.18243243243243243),
    ];
    check(&scores, Task::Binary, &expected)?;
    let matrix = confusion(&scores).expect("classes");
    assert_eq!(matrix.counts, [[210, 42], [27, 121]]);
    assert_eq!(matrix.classes, names);
    Ok(())
}

#[test]
fn multiclass_metrics_equal_scikit_learn() -> Result<()> {
    let (truth, probabilities) = multiclass_table();
    let names = names(4);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let expected = [
        ("accuracy", 0.83),
        ("balanced_accuracy", 0.8316074158224167),
        ("f1_macro", 0.829449416379872),
        ("f1_weighted", 0.8289117310140491),
        ("precision_macro", 0.8312680375180376),
        ("precision_weighted", 0.8318346560846561),
        ("recall_macro", 0.8316074158224167),
        ("log_loss", 0.8818349961492673),
        ("matthews_corrcoef", 0.7744476038536892),
        ("cohen_kappa", 0.7732191029555628),
        ("expected_calibration_error", 0.3946343208374284),
        ("roc_auc", 0.957848778665073),
        ("average_precision", 0.9067678781653138),
        ("brier", 0.4759868872565361),
        ("ks", 0.7997110703216554),
    ];
    check(&scores, Task::Multiclass, &expected)?;
    let matrix = confusion(&scores).expect("classes");
    assert_eq!(matrix.counts, [[68, 3, 3, 3], [3, 59, 4, 1], [8, 6, 56, 7], [6, 4, 3, 66]]);
    Ok(())
}

#[test]
fn regression_metrics_equal_scikit_learn() -> Result<()> {
    let (truth, predicted) = number_table();
    let expected = [
        ("mae", 18.51406374501992),
        ("mse", 502.33441075697215),
        ("rmse", 22.4128180012459),
        ("r2", 0.3827237881281804),
        ("mape", 2.5736580528652433),
        ("median_absolute_error", 15.849999999999994),
        ("max_error", 46.769999999999996),
        ("explained_variance", 0.7099279151129918),
        ("msle", 0.6660632865145528),
        ("rmsle", 0.8161270039121074),
        ("mean_poisson_deviance", 12.111698026751775),
        ("pearson", 0.8456643841128109),
        ("spearman", 0.8491021183697387),
        ("wape", 0.40839726858076936),
    ];
    check(&Scores::Numbers { truth: &truth, predicted: &predicted }, Task::Regression, &expected)
}

/// Class 2 is true and never predicted, class 3 predicted and never true.
#[test]
fn classes_that_only_truth_or_prediction_has_count_as_in_scikit_learn() -> Result<()> {
    let truth = [0, 0, 1, 1, 2, 2, 1];
    #[rustfmt::skip]
    let probabilities = [
        0.7, 0.1, 0.1, 0.1,  0.2, 0.2, 0.2, 0.4,  0.1, 0.8, 0.05, 0.05,  0.3, 0.4, 0.2, 0.1,
        0.5, 0.2, 0.2, 0.1,  0.25, 0.25, 0.25, 0.25,  0.0, 1.0, 0.0, 0.0,
    ];
    let names = names(4);
    let scores = Scores::Classes { truth: &truth, probabilities: &probabilities, names: &names };
    let values = compute(None, &scores, Task::Multiclass)?;
    let expected = BTreeMap::from([
        ("accuracy", 0.5714285714285714),
        ("balanced_accuracy", 0.5),
        ("f1_macro", 0.35),
        ("f1_weighted", 0.5428571428571428),
        ("precision_macro", 0.3333333333333333),
        ("precision_weighted", 0.5238095238095238),
        ("recall_macro", 0.375),
        ("log_loss", 0.8716113447307413),
        ("matthews_corrcoef", 0.4195731958391368),
        ("cohen_kappa", 0.3823529411764707),
        ("expected_calibration_error", 0.20714285714285713),
    ]);
    for (name, wanted) in expected {
        assert!((values[name] - wanted).abs() < 1e-12, "{name}: {}, wanted {wanted}", values[name]);
    }
    assert!(values.contains_key("roc_auc"), "the mean runs over the three classes that occur");
    Ok(())
}

#[test]
fn curves_equal_scikit_learn() {
    let (truth, probabilities) = binary_table();
    let positive: Vec<bool> = truth.iter().map(|&code| code == 1).collect();
    let scores: Vec<f64> = probabilities.chunks_exact(2).map(|row| row[1]).collect();
    let ranked = Ranked::new(&positive, &scores, None).expect("both classes");
    // roc_curve(y, q, drop_intermediate=False), precision_recall_curve(y, q) reversed: number 60.
    let (roc, recall_precision) = (curves::roc(&ranked, 1_000), curves::precision_recall(&ranked, 1_000));
    assert_eq!((roc.len(), recall_precision.len()), (165, 165));
    assert_eq!(roc[60], [0.1111111111111111, 0.75]);
    assert_eq!(recall_precision[60], [0.75, 0.7985611510791367]);
    assert!((ranked.steps[59].score - 0.546).abs() < 1e-12);
    // Trapezoids under the ROC points are the area counted by pairs.
    let area: f64 = roc.windows(2).map(|pair| (pair[1][0] - pair[0][0]) * (pair[1][1] + pair[0][1]) / 2.0).sum();
    assert!((area - 0.9421117546117546).abs() < 1e-12, "{area}");
    assert_eq!(recall_precision[0], [0.0, 1.0]);
    assert_eq!(recall_precision[roc.len() - 1], [1.0, 148.0 / 400.0]);
    let thin = curves::roc(&ranked, 10);
    assert_eq!((thin.len(), thin[0], thin[9]), (10, [0.0, 0.0], [1.0, 1.0]));
    assert!(thin.iter().all(|point| roc.contains(point)));
    assert_eq!(Ranked::new(&[true, true], &[0.1, 0.2], None), None);
}

#[test]
fn reliability_equals_scikit_learn() -> Result<()> {
    let (truth, probabilities) = binary_table();
    let positive: Vec<bool> = truth.iter().map(|&code| code == 1).collect();
    let scores: Vec<f64> = probabilities.chunks_exact(2).map(|row| row[1]).collect();
    let bins = calibration::reliability(&positive, &scores, &Weights::new(None, 400)?, 10);
    // calibration_curve(y, q, n_bins=10)
    let expected = [
        (0.0, 0.05228571428571429),
        (0.0, 0.15344444444444444),
        (0.0, 0.24525),
        (0.0, 0.3497837837837837),
        (0.48214285714285715, 0.4549285714285714),
        (0.391304347826087, 0.5546086956521739),
        (1.0, 0.6555555555555556),
        (1.0, 0.7523636363636363),
        (1.0, 0.8627826086956523),
        (1.0, 0.9669999999999999),
    ];
    assert_eq!(bins.len(), expected.len());
    assert_eq!(bins.iter().map(|bin| bin.rows).sum::<f64>(), 400.0);
    for (bin, (share, mean)) in bins.iter().zip(expected) {
        assert!((bin.positive_share - share).abs() < 1e-12, "{bin:?}");
        assert!((bin.probability_mean - mean).abs() < 1e-12, "{bin:?}");
    }
    Ok(())
}
