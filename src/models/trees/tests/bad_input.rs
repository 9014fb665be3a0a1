//! Bad input: a clear error or a stated fallback, never a panic, never a number that is none.

use anyhow::Result;

use crate::data::matrix::FeatureValues;
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::tests::{Given, answers, bytes, classes, matrix, table};
use crate::models::trees::tree::{LEAF, Node, Tree};
use crate::models::zoo;

const KINDS: [&str; 4] = ["boost", "forest", "extra_trees", "tree"];

#[track_caller]
fn check(given: Given<'_>, expected: &str) {
    let failure = given.failure();
    assert!(failure.contains(expected), "{failure}");
}

#[test]
fn unusable_weights_are_named() -> Result<()> {
    let table = table(60, 50)?;
    let mut weights = vec![1.0; 60];
    for kind in KINDS {
        let given = Given::new(kind, &table.matrix, &table.numbers, "trees = 2");
        for bad in [-1.0, f64::NAN, f64::INFINITY, 1e40] {
            weights[7] = bad;
            check(given.weights(&weights), "the weight of training row 7 is");
        }
        weights[7] = 1.0;
        check(given.weights(&[0.0; 60]), "all weights of the training rows");
        check(given.weights(&weights[1..]), "there are 59 weights for 60 training rows");
        let Target::Classes { codes, .. } = &table.two else { continue };
        let only: Vec<f64> = codes.iter().map(|code| f64::from(*code)).collect();
        let given = Given { target: &table.two, ..given };
        check(given.weights(&only), "only class `c1` has training rows with a weight above 0");
    }
    Ok(())
}

#[test]
fn objectives_and_targets_must_fit() -> Result<()> {
    let table = table(60, 51)?;
    let numbers = Given::new("boost", &table.matrix, &table.numbers, "objective = 'poisson'");
    check(numbers, "`poisson` needs values of at least 0");
    let zeros = Target::Numbers(vec![0.0; 60]);
    check(Given { target: &zeros, ..numbers }, "all targets of the training rows that count are 0");
    check(Given { params: "objective = 'binary'", ..numbers }, "predicts classes, but the target is a number");
    check(Given { params: "objective = 'best'", ..numbers }, "parameter `objective` of `boost` cannot be");
    check(Given { params: "objective = 'quantile'\nalpha = 1.0", ..numbers }, "between 0 and 1 for `quantile`");
    check(Given { params: "objective = 'huber'\nalpha = 0.0", ..numbers }, "above 0 for `huber`");
    let three = Given { target: &table.three, ..numbers };
    check(Given { params: "objective = 'huber'", ..three }, "predicts numbers, but the target is a class");
    check(Given { params: "objective = 'binary'", ..three }, "`binary` needs two classes; the target has 3");
    Ok(())
}

#[test]
fn constraints_and_sampling_must_fit() -> Result<()> {
    let table = table(60, 52)?;
    let given = Given::new("boost", &table.matrix, &table.numbers, "");
    for (params, expected) in [
        ("monotone = { x9 = 1 }", "unknown feature `x9`"),
        ("monotone = { x0 = 2 }", "the `monotone` direction of `x0` is 2"),
        ("monotone = { x3 = 1 }", "`monotone` cannot hold for `x3`: it is a category"),
        ("interactions = [['x0', 'y']]", "unknown feature `y`"),
        ("interactions = [[]]", "`interactions` has an empty group"),
        ("goss_top = 0.5", "parameter `goss_other` of `boost` is 0"),
        ("goss_top = 0.7\ngoss_other = 0.7", "together at most 1"),
        ("goss_top = 0.2\ngoss_other = 0.1\nrow_share = 0.5", "both choose the rows of a tree"),
        ("feature_share_node = 0.0", "above 0 and at most 1"),
        ("l1 = -1.0", "at least 0"),
    ] {
        check(Given { params, ..given }, expected);
    }
    check(
        Given { target: &table.three, params: "monotone = { x0 = 1 }", ..given },
        "`monotone` needs a model with one score",
    );
    Ok(())
}

/// Fits every kind with every objective that the target allows; all answers are finite, and the form reads back.
fn survives(columns: Vec<FeatureValues>, more: &str) -> Result<()> {
    let matrix = matrix(columns)?;
    let rows = matrix.rows();
    let numbers = Target::Numbers((0..rows).map(|row| (row * 7 % 5) as f64).collect());
    let three = classes(3, (0..rows).map(|row| (row % 3) as u32).collect());
    for kind in KINDS {
        let objectives = ["squared", "absolute", "quantile", "poisson"];
        let params = objectives.map(|objective| format!("trees = 3\nobjective = '{objective}'\n{more}"));
        let given: Vec<(&Target, &str)> = match kind {
            "boost" => params.iter().map(|params| (&numbers, params.as_str())).chain([(&three, "trees = 3")]).collect(),
            _ => vec![(&numbers, "trees = 3"), (&three, "trees = 3")],
        };
        for (target, params) in given {
            let model = Given::new(kind, &matrix, target, params).fit()?;
            assert!(answers(&*model, &matrix)?.iter().all(|value| value.is_finite()), "{kind} {params}");
            let kept = bytes(&*model);
            let mut form = FormReader::new(&kept);
            (zoo::kind(kind)?.read)(&mut form)?;
            let made = model.contributions(&matrix)?;
            assert!(made.is_some_and(|made| made.values.iter().all(|value| value.is_finite())), "{kind} {params}");
        }
    }
    Ok(())
}

#[test]
fn strange_tables_are_answered() -> Result<()> {
    let count = |rows: usize| FeatureValues::Number((0..rows).map(|row| row as f64).collect());
    let of = |value: f64, rows: usize| FeatureValues::Number(vec![value; rows]);
    let infinite = (0..40).map(|row| [f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, f64::NAN][row % 5]).collect();
    survives(vec![of(f64::NAN, 40)], "leaf_rows = 1")?;
    survives(vec![of(f64::NAN, 40), count(40)], "leaf_rows = 1\nmonotone = { x0 = 1 }")?;
    survives(vec![of(2.0, 40)], "")?;
    survives(vec![FeatureValues::Number(infinite), count(40)], "leaf_rows = 1")?;
    survives((0..50).map(|_| count(6)).collect(), "leaf_rows = 1\nfeature_share_node = 0.1")?;
    survives(vec![count(2)], "leaf_rows = 1")?;
    let many: Vec<u32> = (0..100_000).collect();
    survives(vec![FeatureValues::Category { codes: many.into(), levels: 100_000 }], "leaf_rows = 1")?;
    for kind in KINDS {
        let one = matrix(vec![count(1)])?;
        check(Given::new(kind, &one, &Target::Numbers(vec![1.0]), ""), "needs at least 2 training rows");
    }
    Ok(())
}

#[test]
fn targets_of_all_sizes_stay_finite() -> Result<()> {
    let rows = 300;
    let numbers = |scale: f64| -> Vec<f64> { (0..rows).map(|row| (row * row % 37) as f64 * scale).collect() };
    let mut skewed = vec![0.0; rows];
    skewed[5] = 1e12;
    let x = matrix(vec![FeatureValues::Number((0..rows).map(|row| row as f64).collect())])?;
    let weights: Vec<f64> = (0..rows).map(|row| [1e30, 1.0, 1e-30][row % 3]).collect();
    for values in [numbers(1e98), numbers(1e-300), skewed] {
        let target = Target::Numbers(values);
        for objective in ["squared", "absolute", "huber", "quantile", "poisson"] {
            let params = format!(
                "objective = '{objective}'\nleaf_rows = 1\nleaf_hessian = 0.0\nlearning_rate = 1.0\ntrees = 30"
            );
            let given = Given::new("boost", &x, &target, &params);
            for model in [given.fit()?, given.weights(&weights).fit()?] {
                assert!(answers(&*model, &x)?.iter().all(|value| value.is_finite()), "{objective}");
            }
        }
        let given = Given::new("forest", &x, &target, "trees = 5");
        for model in [given.fit()?, given.weights(&weights).fit()?] {
            assert!(answers(&*model, &x)?.iter().all(|value| value.is_finite()), "forest");
        }
    }
    Ok(())
}

#[test]
fn trees_whose_paths_meet_are_refused() {
    // Walks end all the same, but the number of paths would double with each level.
    let node = |children| Node { threshold: 0.5, feature: 0, children, words: 0, flags: 0 };
    let read = |nodes: Vec<Node>| {
        let (values, covers, gains) = (vec![1.0, 2.0, 3.0], vec![1.0; 3], vec![1.0; nodes.len()]);
        let tree = Tree { nodes, values, sets: Vec::new(), gains, covers };
        let mut form = FormWriter::new();
        Ensemble { features: 1, width: 1, trees: vec![tree] }.write(&mut form);
        Ensemble::read(&mut FormReader::new(&form.finish())).map(|_| ())
    };
    assert!(read(vec![node([1, LEAF]), node([LEAF | 1, LEAF | 2])]).is_ok());
    for nodes in [
        vec![node([1, 1]), node([LEAF, LEAF | 1])],
        vec![node([1, LEAF]), node([LEAF, LEAF | 1])],
        vec![node([LEAF, LEAF | 1])],
    ] {
        assert!(read(nodes.clone()).is_err(), "{nodes:?}");
    }
}
