//! Clusters: the nearest of a few centers.

use crate::exchange::onnx::graph::{Graph, whole};
use crate::exchange::onnx::model::{Answer, Input};

/// The nearest of `centers`, given center by center, the first of equals, and the distance to it.
pub fn write(graph: &mut Graph, centers: &[f64], input: Input<'_>) -> Answer {
    let matrix = input.matrix(graph);
    let missing = graph.any_missing(&matrix);
    // Distances of a row with a gap would be missing, and their smallest anything.
    let nothing = graph.number(0.0);
    let matrix = graph.select(&missing, &nothing, &matrix);
    let squares = graph.squares(&matrix, centers, input.features.len());
    let nearest = graph.node("", "ArgMin", &[&squares], vec![whole("axis", 1), whole("keepdims", 1)]);
    let none = graph.wholes(&[1], &[-1]);
    let codes = graph.select(&missing, &none, &nearest);
    let least = graph.reduced("ReduceMin", &squares, 1, true);
    let distances = graph.op("Sqrt", &[&least]);
    let distances = graph.bounded(&distances);
    Answer::Clusters(codes, graph.missing_where(&missing, &distances))
}
