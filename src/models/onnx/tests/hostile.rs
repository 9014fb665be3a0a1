//! Files that are damaged, too large, or ask for what is not done here.

use anyhow::Result;
use proptest::prelude::{any, prop};
use proptest::test_runner::{Config, TestRunner};

use crate::models::onnx::OnnxModel;
use crate::models::onnx::tests::file;

/// Opening `bytes` is an error that says `words`.
fn refused(bytes: Vec<u8>, words: &str) {
    let error = OnnxModel::open(bytes, Some(4), None).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(error.contains(words), "`{error}` does not say `{words}`");
}

/// One field of a message: its number and its bytes.
fn field(number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut value in [usize::from(number) << 3 | 2, body.len()] {
        while value >= 128 {
            bytes.push(value as u8 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes.extend_from_slice(body);
    bytes
}

/// An input or output `name` of floats with four columns.
fn port(name: &str) -> Vec<u8> {
    let dims = [field(1, &[]), field(1, &[8, 4])].concat();
    let tensor = [vec![8, 1], field(2, &dims)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn node(domain: &str, operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
    bytes.extend(field(2, output.as_bytes()));
    bytes.extend(field(4, operator.as_bytes()));
    bytes.extend(field(7, domain.as_bytes()));
    bytes
}

/// A model of `nodes` from `x` to `y`.
fn model(nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut graph: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    graph.extend(field(11, &port("x")));
    graph.extend(field(12, &port("y")));
    [field(7, &graph), field(8, &[16, 17])].concat()
}

#[test]
fn what_is_not_done_is_named() {
    refused(model(&[node("", "Loop", &["x"], "y")]), "operator Loop of node `y`");
    refused(model(&[node("ai.onnx.ml", "SVMRegressor", &["x"], "y")]), "ai.onnx.ml.SVMRegressor");
    refused(model(&[node("com.microsoft", "Attention", &["x"], "y")]), "com.microsoft.Attention");
    refused(model(&[node("", "Expand", &["x", "x"], "y")]), "operator Expand of node `y` is not supported");
    refused(model(&[node("", "ArgMax", &["x"], "y")]), "labels without probabilities");
    refused(model(&[]), "nothing makes its output `y`");
    refused(model(&[node("", "Relu", &["z"], "y")]), "needs `z`, which nothing before it makes");
    refused(model(&[node("", "Relu", &["y"], "y")]), "needs `y`");
    refused(model(&[node("", "Relu", &["x"], "x")]), "there already");
    refused([field(7, &[]), field(25, &[])].concat(), "functions of its own");
    refused(Vec::new(), "no graph");
}

#[test]
fn small_files_cannot_ask_for_all_memory() {
    let many: Vec<u8> = field(7, &[0x0a, 0x00].repeat(60_000));
    refused(many, "more than 50,000 parts");
    // Each step joins all before it with itself: 2^40 values at the end.
    let mut doubling = Vec::new();
    let mut last = "x".to_owned();
    for step in 0..40 {
        let name = if step == 39 { "y".to_owned() } else { format!("v{step}") };
        let axis = [field(1, b"axis"), vec![24, 1], vec![0xa0, 1, 2]].concat();
        doubling.push([node("", "Concat", &[&last, &last], &name), field(5, &axis)].concat());
        last = name;
    }
    refused(model(&doubling), "more values than a block of rows may take");
    let mut nested = Vec::new();
    for _ in 0..200 {
        nested = field(6, &field(1, &field(5, &nested)));
    }
    refused(field(7, &field(1, &field(5, &nested))), "deep inside each other");
}

#[test]
fn every_cut_is_an_error() -> Result<()> {
    for name in ["columns", "torch", "logistic"] {
        let bytes = file(name)?;
        for length in (0..bytes.len()).step_by(7) {
            // A cut may fall between the parts of the graph and leave a smaller model; it must only not break anything.
            if let Ok(model) = OnnxModel::open(bytes[..length].to_vec(), None, None) {
                assert!(!model.features().is_empty());
            }
        }
    }
    Ok(())
}

#[test]
fn changed_files_never_break_anything() -> Result<()> {
    let files =
        ["columns", "gradient3", "mlp2", "torch", "logistic"].map(file).into_iter().collect::<Result<Vec<_>>>()?;
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(0..files.len(), changes), |(which, changes)| {
        let mut bytes = files[which].clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = OnnxModel::open(bytes, None, None).map(|model| model.features().len());
        Ok(())
    });
    outcome.map_err(|failure| anyhow::anyhow!("{failure}"))
}
