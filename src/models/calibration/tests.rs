//! Calibration and thresholds against scikit-learn's numbers (`tests/fixtures/reference/training`), and hostile forms.

use anyhow::Result;
use proptest::prelude::{any, prop_assert, proptest};
use serde_json::Value;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::models::calibration::{Calibration, isotonic, platt};
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::Predictions;
use crate::models::threshold::{Chosen, choose};
use crate::spec::training::{CalibrationMethod, ThresholdCosts, ThresholdRule};

fn reference() -> Value {
    let text = include_str!("../../../tests/fixtures/reference/training/training.json");
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn codes(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|code| code as u32).collect()
}

fn near(found: f64, wanted: f64, tolerance: f64) -> bool {
    (found - wanted).abs() <= tolerance * wanted.abs().max(1.0)
}

#[test]
fn curves_are_those_of_scikit_learn() {
    let reference = reference();
    let cases = reference["curves"].as_array().expect("cases");
    assert_eq!(cases.len(), 4);
    for (place, case) in cases.iter().enumerate() {
        let scores = numbers(&case["scores"]);
        let positive: Vec<bool> = codes(&case["labels"]).iter().map(|code| *code == 1).collect();
        let weights = case["weights"].is_array().then(|| numbers(&case["weights"]));
        let (slope, offset) = platt::fit(&scores, &positive, weights.as_deref());
        let wanted = (case["slope"].as_f64().unwrap_or(f64::NAN), case["offset"].as_f64().unwrap_or(f64::NAN));
        assert!(near(slope, wanted.0, 2e-6) && near(offset, wanted.1, 2e-6), "{place}: {slope} {offset} {wanted:?}");
        let (corners, levels) = isotonic::fit(&scores, &positive, weights.as_deref());
        for (at, wanted) in numbers(&case["at"]).into_iter().zip(numbers(&case["isotonic"])) {
            let found = isotonic::at(&corners, &levels, at);
            assert!(near(found, wanted, 1e-12), "{place}: isotonic at {at} is {found}, not {wanted}");
        }
    }
}

#[test]
fn whole_models_are_calibrated_as_scikit_learn_does() -> Result<()> {
    let reference = reference();
    for case in reference["whole"].as_array().expect("cases") {
        let classes = case["classes"].as_u64().unwrap_or(0) as usize;
        let method: CalibrationMethod = case["method"].as_str().unwrap_or("").parse()?;
        let before = Predictions::Probabilities { classes, values: numbers(&case["before"]) };
        let kind = if case["log_odds"] == true { "logistic" } else { "forest" };
        let (calibration, left) = Calibration::fit(method, kind, &before, &codes(&case["truth"]), None)?;
        assert!(left.is_empty());
        let Predictions::Probabilities { values, .. } = calibration.apply(before) else {
            return Err(fail::world("probabilities stay probabilities").into());
        };
        let tolerance = if method == CalibrationMethod::Platt { 2e-6 } else { 1e-9 };
        for (place, (found, wanted)) in values.into_iter().zip(numbers(&case["after"])).enumerate() {
            assert!(near(found, wanted, tolerance), "{kind} {method:?} {place}: {found} is not {wanted}");
        }
    }
    Ok(())
}

#[test]
fn thresholds_reach_what_scikit_learn_counts() -> Result<()> {
    let reference = reference();
    let case = &reference["thresholds"];
    let scores = numbers(&case["scores"]);
    let positive: Vec<bool> = codes(&case["labels"]).iter().map(|code| *code == 1).collect();
    let costs = ThresholdCosts { false_positive: 1.0, false_negative: 5.0 };
    let rules = [ThresholdRule::F1, ThresholdRule::BalancedAccuracy, ThresholdRule::Youden, ThresholdRule::Cost];
    for rule in rules {
        let wanted = case["best"][rule.name()].as_f64().unwrap_or(f64::NAN);
        let found = choose(rule, costs, &positive, &scores)?;
        assert!(near(found.value, wanted, 1e-12), "{rule:?}: {found:?} {wanted}");
        // What is promised is what the threshold does.
        let called: Vec<bool> = scores.iter().map(|score| *score > found.threshold).collect();
        let false_positives = called.iter().zip(&positive).filter(|(called, truth)| **called && !**truth).count();
        let false_negatives = called.iter().zip(&positive).filter(|(called, truth)| !**called && **truth).count();
        if rule == ThresholdRule::Cost {
            assert_eq!(found.value, false_positives as f64 + 5.0 * false_negatives as f64);
        }
    }
    Ok(())
}

fn chosen(positive: &[bool], scores: &[f64]) -> Result<Chosen> {
    choose(ThresholdRule::F1, ThresholdCosts::default(), positive, scores)
}

#[test]
fn thresholds_lie_between_rows_and_ties_go_to_the_middle() -> Result<()> {
    let apart = chosen(&[false, false, true, true], &[0.1, 0.2, 0.3, 0.9])?;
    assert_eq!((apart.threshold, apart.value, apart.value_at_half), (0.25, 1.0, 2.0 / 3.0));
    // Every threshold is as bad as any other where all scores are equal: all positive is the best F1.
    let level = chosen(&[false, true], &[0.7, 0.7])?;
    assert_eq!((level.threshold, level.value), (0.35, 2.0 / 3.0));
    // Certain rows: nothing lies above 1 or below 0.
    let certain = chosen(&[true, false], &[1.0, 0.0])?;
    assert_eq!((certain.threshold, certain.value), (0.5, 1.0));
    let wrong = chosen(&[true, false], &[0.0, 1.0])?;
    assert!((0.0..=1.0).contains(&wrong.threshold) && wrong.value == 0.0, "{wrong:?}");
    let next = 0.5_f64.next_up();
    let close = chosen(&[false, true], &[0.5, next])?;
    assert_eq!((close.threshold, close.value), (0.5, 1.0));
    assert!(chosen(&[true, true], &[0.1, 0.2]).is_err_and(|error| error.to_string().contains("of one class only")));
    Ok(())
}

fn binary(positive: &[f64]) -> Predictions {
    Predictions::Probabilities { classes: 2, values: positive.iter().flat_map(|p| [1.0 - p, *p]).collect() }
}

#[test]
fn odd_rows_calibrate_to_finite_probabilities() -> Result<()> {
    let cases: [&[f64]; 4] =
        [&[0.0, 1.0, 0.0, 1.0], &[0.5, 0.5, 0.5, 0.5], &[1.0, 1.0, 0.0, 0.0], &[1e-300, 1.0, 0.3, 1e-17]];
    for positive in cases {
        for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic] {
            for kind in ["boost", "forest"] {
                let before = binary(positive);
                let (calibration, _) = Calibration::fit(method, kind, &before, &[0, 1, 0, 1], None)?;
                let Predictions::Probabilities { values, .. } = calibration.apply(before) else { continue };
                let fine = values.iter().all(|value| (0.0..=1.0).contains(value));
                assert!(fine, "{method:?} {kind} {positive:?}: {values:?}");
            }
        }
    }
    let level = binary(&[0.5; 4]);
    let (calibration, _) = Calibration::fit(CalibrationMethod::Isotonic, "forest", &level, &[0, 1, 1, 1], None)?;
    assert_eq!(calibration.apply(binary(&[0.9])), binary(&[0.75]));
    Ok(())
}

#[test]
fn what_cannot_be_calibrated_is_refused_and_absent_classes_stay() -> Result<()> {
    let one = Calibration::fit(CalibrationMethod::Platt, "boost", &binary(&[0.1, 0.2]), &[1, 1], None);
    assert!(one.is_err_and(|error| error.to_string().contains("of one class only")));
    // A row that weighs nothing is no row.
    let weightless =
        Calibration::fit(CalibrationMethod::Platt, "boost", &binary(&[0.1, 0.2]), &[0, 1], Some(&[1.0, 0.0]));
    assert!(weightless.is_err());
    let numbers = Predictions::Numbers(vec![1.0]);
    assert!(Calibration::fit(CalibrationMethod::Platt, "boost", &numbers, &[0], None).is_err());
    let three = Predictions::Probabilities { classes: 3, values: vec![0.5, 0.3, 0.2, 0.2, 0.6, 0.2] };
    let (calibration, left) = Calibration::fit(CalibrationMethod::Isotonic, "forest", &three, &[0, 1], None)?;
    assert_eq!(left, [2]);
    assert_eq!(
        calibration.apply(three),
        Predictions::Probabilities { classes: 3, values: vec![1.0 / 1.2, 0.0, 0.2 / 1.2, 0.0, 1.0 / 1.2, 0.2 / 1.2] }
    );
    Ok(())
}

fn written(calibration: &Calibration) -> Vec<u8> {
    let mut form = FormWriter::new();
    calibration.write(&mut form);
    form.finish()
}

fn read(bytes: &[u8], classes: usize) -> Result<Calibration> {
    let mut form = FormReader::new(bytes);
    let read = Calibration::read(&mut form, classes)?;
    form.end()?;
    Ok(read)
}

#[test]
fn calibrations_read_back_and_hostile_ones_are_refused() -> Result<()> {
    let before = binary(&[0.1, 0.4, 0.35, 0.8, 0.9]);
    for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic] {
        let (made, _) = Calibration::fit(method, "boost", &before, &[0, 0, 1, 1, 1], None)?;
        let bytes = written(&made);
        assert_eq!(read(&bytes, 2)?, made);
        assert!(read(&bytes, 3).is_err() && read(&bytes, 1).is_err());
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut], 2).is_err(), "cut at {cut}");
        }
    }
    let forge = |shape: u64, scores: &[f64], probabilities: &[f64]| {
        let mut form = FormWriter::new();
        form.u64("calibration_log_odds", 0);
        form.u64("calibration_curves", 1);
        form.u64("curve", shape);
        form.f64s("scores", scores);
        form.f64s("probabilities", probabilities);
        read(&form.finish(), 2)
    };
    assert!(forge(2, &[0.1, 0.2], &[0.3, 0.4]).is_ok());
    assert!(forge(1, &[f64::NAN], &[0.0]).is_err(), "a slope that is no number");
    assert!(forge(2, &[], &[]).is_err(), "no corner");
    assert!(forge(2, &[0.2, 0.2], &[0.3, 0.4]).is_err(), "corners that do not rise");
    assert!(forge(2, &[0.1, 0.2], &[0.4, 0.3]).is_err(), "levels that fall");
    assert!(forge(2, &[0.1], &[1.5]).is_err(), "no probability");
    assert!(forge(2, &[0.1], &[0.5, 0.5]).is_err(), "lengths that differ");
    assert!(forge(3, &[0.1], &[0.5]).is_err(), "an unknown shape");
    Ok(())
}

proptest! {
    #[test]
    fn calibrated_rows_sum_to_one_and_keep_their_order(seed in any::<u64>()) {
        let mut rng = Seed(seed).rng();
        let classes = 2 + rng.below(3) as usize;
        let rows = 2 + rng.below(40) as usize;
        let mut values = Vec::new();
        for _ in 0..rows {
            let row: Vec<f64> = (0..classes).map(|_| rng.unit() + 1e-9).collect();
            let total: f64 = row.iter().sum();
            values.extend(row.iter().map(|value| value / total));
        }
        let codes: Vec<u32> = (0..rows).map(|row| if row < 2 { row as u32 } else { rng.below(classes as u64) as u32 }).collect();
        let before = Predictions::Probabilities { classes, values: values.clone() };
        for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic] {
            let (made, _) = Calibration::fit(method, "forest", &before, &codes, None).expect("two classes");
            let Predictions::Probabilities { values: after, .. } = made.apply(before.clone()) else { continue };
            for row in after.chunks_exact(classes) {
                prop_assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12 && row.iter().all(|p| (0.0..=1.0).contains(p)));
            }
            if method == CalibrationMethod::Isotonic && classes == 2 {
                let mut pairs: Vec<(f64, f64)> = values.chunks_exact(2).zip(after.chunks_exact(2)).map(|(a, b)| (a[1], b[1])).collect();
                pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
                prop_assert!(pairs.is_sorted_by(|a, b| a.1 <= b.1));
            }
        }
    }
}
