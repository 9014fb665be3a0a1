//! What LightGBM and XGBoost have trained answers here what it answers there; what cannot be read is refused by name.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::tests::{answers, asked, close, fixture, read, reference};
use crate::exchange::xgboost::narrow::{narrowed, widened};
use crate::exchange::{lightgbm, xgboost};

#[track_caller]
fn check(name: &str, kind: &str, classes: usize, tolerance: f64) {
    let checked = || -> Result<()> {
        let (rows, expected) = reference()?;
        let model = read(name, &fixture(name)?)?;
        assert_eq!((model.kind, model.classes), (kind, classes), "{name}");
        let names: Vec<&str> = model.features.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "k"], "{name}");
        let expected: Vec<f64> = serde_json::from_value(expected[name].clone())?;
        let matrix = asked(&model, &rows)?;
        close(name, &answers(model.predictor.predict(&matrix)?), &expected, tolerance);
        assert!(model.predictor.contributions(&matrix)?.is_some(), "{name}");
        Ok(())
    };
    if let Err(error) = checked() {
        panic!("{name}: {error:#}");
    }
}

#[test]
fn lightgbm_answers_the_same() {
    for name in ["regression", "l1", "huber", "quantile", "poisson", "tweedie", "dart", "no_missing"] {
        check(&format!("lightgbm_{name}.txt"), "boost", 0, 1e-13);
    }
    check("lightgbm_forest.txt", "forest", 0, 1e-13);
    check("lightgbm_binary.txt", "boost", 2, 1e-13);
    check("lightgbm_cross_entropy.txt", "boost", 2, 1e-13);
    check("lightgbm_forest_binary.txt", "boost", 2, 1e-13);
    check("lightgbm_multiclass.txt", "boost", 3, 1e-13);
}

#[test]
fn xgboost_answers_the_same() {
    for name in ["regression", "absolute", "quantile", "huber", "poisson", "tweedie", "dart", "onehot"] {
        check(&format!("xgboost_{name}.json"), "boost", 0, 2e-6);
    }
    for prefix in ["xgboost", "three"] {
        check(&format!("{prefix}_binary.json"), "boost", 2, 2e-6);
        check(&format!("{prefix}_multiclass.json"), "boost", 3, 2e-6);
    }
    check("three_regression.json", "boost", 0, 2e-6);
    check("three_poisson.json", "boost", 0, 2e-6);
}

#[test]
fn names_of_levels_come_along() -> Result<()> {
    let levels =
        |name: &str| -> Result<Option<Vec<String>>> { Ok(read(name, &fixture(name)?)?.features[2].levels.clone()) };
    let named = Some(["w", "x", "y", "z"].map(str::to_owned).to_vec());
    assert_eq!(levels("lightgbm_regression.txt")?, named);
    assert_eq!(levels("three_regression.json")?, named);
    assert_eq!(levels("xgboost_regression.json")?, None);
    let model = read("", &fixture("xgboost_regression.json")?)?;
    assert!(model.notes.iter().any(|note| note.contains("does not name the levels of c")), "{:?}", model.notes);
    Ok(())
}

#[test]
fn what_cannot_be_expressed_is_named() -> Result<()> {
    let refused = |name: &str, bytes: &[u8], expected: &str| {
        let Err(error) = read(name, bytes) else { panic!("{name} is read") };
        let hint = fail::find(&error).and_then(|failure| failure.hint.clone()).unwrap_or_default();
        let message = format!("{error:#} ({hint})");
        assert!(message.contains(expected), "{name}: {message}");
    };
    for (name, expected) in [
        ("lightgbm_zero.txt", "zero_as_missing"),
        ("lightgbm_linear.txt", "linear_tree"),
        ("lightgbm_ova.txt", "multiclassova"),
        ("xgboost_linear.json", "gblinear"),
    ] {
        refused(name, &fixture(name)?, expected);
    }
    let changed = |name: &str, from: &str, to: &str| -> Result<Vec<u8>> {
        let text = String::from_utf8(fixture(name)?)?;
        assert!(text.contains(from), "{from}");
        Ok(text.replacen(from, to, 1).into_bytes())
    };
    for (from, to, expected) in [
        ("version=v4", "version=v9", "its version is `v9`"),
        ("objective=regression", "objective=lambdarank", "`lambdarank`"),
        ("objective=regression", "objective=regression sqrt", "`reg_sqrt`"),
        ("end of trees", "", "cut short"),
        ("split_feature=", "split_feature=9 ", "tree 0"),
        ("num_leaves=5", "num_leaves=500", "`leaf_value` has 5 values, not 500"),
        ("left_child=", "no_child=", "`left_child` is missing"),
        ("max_feature_idx=3", "max_feature_idx=4", "`max_feature_idx`"),
        ("Tree=1", "Tree=7", "tree `7` stands where tree 1 belongs"),
    ] {
        refused("x.txt", &changed("lightgbm_regression.txt", from, to)?, expected);
    }
    for (from, to, expected) in [
        ("reg:squarederror", "rank:ndcg", "`rank:ndcg`"),
        ("\"base_score\":\"", "\"base_score\":\"x", "`base_score`"),
        ("\"num_target\":\"1\"", "\"num_target\":\"2\"", "`num_target`"),
        ("\"num_feature\":\"4\",\"num_target", "\"num_feature\":\"9\",\"num_target", "`num_feature` is 9"),
        ("\"left_children\"", "\"other\"", "left_children"),
        ("\"right_children\":[", "\"right_children\":[1,", "`right_children`"),
    ] {
        refused("x.json", &changed("xgboost_regression.json", from, to)?, expected);
    }
    refused("x.json", b"{L\0\0", "UBJSON");
    refused("x.json", b"", "not XGBoost's JSON");
    refused("x.txt", b"\xff", "not text");
    refused("x.txt", b"{}", "its first line is not `tree`");
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    refused("x.json", &deep, "not XGBoost's JSON");
    Ok(())
}

#[test]
fn thresholds_of_32_bits_become_the_same_question() {
    let thresholds =
        [0.1_f32, 2.5, -2.5, 0.0, -0.0, f32::MIN_POSITIVE, 1e-45, -1e-45, f32::MAX, f32::MIN, 16_777_216.0];
    for threshold in thresholds.into_iter().chain([f32::INFINITY]) {
        let wide = widened(threshold);
        assert!((wide as f32) < threshold, "{threshold}: {wide} goes left");
        assert!(wide.next_up() as f32 >= threshold, "{threshold}: what is above {wide} goes right");
        if threshold.is_finite() {
            assert_eq!(narrowed(wide), if threshold == 0.0 { 0.0 } else { threshold }, "and back");
        }
    }
    assert_eq!(widened(f32::NEG_INFINITY), f64::NEG_INFINITY);
    assert_eq!((narrowed(2.0), narrowed(0.1)), (2.0_f32.next_up(), 0.1_f32.next_up()));
    assert_eq!((narrowed(f64::INFINITY), narrowed(-1e300)), (f32::MAX, f32::MIN));
}

#[test]
fn thresholds_ask_the_same_of_decimal_numbers() {
    for decimal in [0.1, 0.3, 2.0, 2.5, 16.7, 39.15, -16.7, 123.456, 1e-7, 65_536.0, 0.0] {
        // Half way between two decimals is often a third, give or take the last bit.
        for threshold in [f64::next_down(decimal), decimal, f64::next_up(decimal), decimal + 1e-9, decimal - 1e-9] {
            let narrow = narrowed(threshold);
            for value in [decimal, decimal - 0.01, decimal + 0.01, decimal - 1.0, decimal + 1.0] {
                assert_eq!((value as f32) < narrow, value <= threshold, "{value} at {threshold}");
            }
        }
    }
}

#[test]
fn reading_is_a_function_of_the_bytes() -> Result<()> {
    let twice = [lightgbm::read(&fixture("lightgbm_binary.txt")?)?, lightgbm::read(&fixture("lightgbm_binary.txt")?)?];
    assert_eq!(twice[0].features, twice[1].features);
    let crlf = String::from_utf8(fixture("lightgbm_binary.txt")?)?.replace('\n', "\r\n");
    assert_eq!(lightgbm::read(crlf.as_bytes())?.features, twice[0].features);
    assert!(xgboost::read(&fixture("lightgbm_binary.txt")?).is_err());
    Ok(())
}
