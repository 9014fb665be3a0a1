//! Nearest neighbours: every row compared with every training row.

use anyhow::Result;

use crate::base::limits::ONNX_NEIGHBOUR_CELLS_MAX;
use crate::exchange::onnx::graph::{Graph, Tensor, whole};
use crate::exchange::onnx::model::{Answer, Input, check_size};
use crate::models::knn::{Neighbours, Truth};

/// Distances to all training rows, the nearest of them, and the mean of their answers.
///
/// Takes rows × training rows numbers of memory to run. Errors (usage): more cells of training rows than a graph should hold.
pub fn write(graph: &mut Graph, model: &Neighbours, input: Input<'_>) -> Result<Answer> {
    check_size("knn", "values of training rows", model.rows.len(), ONNX_NEIGHBOUR_CELLS_MAX)?;
    let matrix = input.matrix(graph);
    let missing = graph.any_missing(&matrix);
    let columns = input.columns(graph);
    let squares = graph.squares_by_column(&columns, &model.rows);
    let count = graph.wholes(&[1], &[model.neighbours as i64]);
    let attributes = vec![whole("axis", 1), whole("largest", 0), whole("sorted", 1)];
    let [near, places] = graph.nodes("", "TopK", &[&squares, &count], attributes);
    let weights = if model.by_distance { weights(graph, &near) } else { equal(graph, &near) };
    let total = graph.sum_along(&weights, 1, true);
    let rows = model.rows.len() / model.features;
    Ok(match &model.truth {
        Truth::Numbers(values) => {
            let table = graph.numbers(&[rows], values);
            let found = graph.op("Gather", &[&table, &places]);
            let weighed = graph.mul(&found, &weights);
            let sum = graph.sum_along(&weighed, 1, true);
            let mean = graph.div(&sum, &total);
            Answer::Numbers(graph.missing_where(&missing, &mean))
        }
        Truth::Classes { classes, codes } => {
            let codes: Vec<i64> = codes.iter().map(|code| i64::from(*code)).collect();
            let table = graph.wholes(&[rows], &codes);
            let found = graph.op("Gather", &[&table, &places]);
            let shares = graph.div(&weights, &total);
            let wanted: Vec<i64> = (0..*classes as i64).collect();
            let wanted = graph.wholes(&[*classes], &wanted);
            let (found, shares) = (graph.widened(&found, 2), graph.widened(&shares, 2));
            let of_class = graph.op("Equal", &[&found, &wanted]);
            let of_class = graph.as_numbers(&of_class);
            let weighed = graph.mul(&of_class, &shares);
            let sums = graph.sum_along(&weighed, 1, false);
            Answer::Shares(graph.missing_where(&missing, &sums), *classes)
        }
    })
}

fn equal(graph: &mut Graph, near: &Tensor) -> Tensor {
    let missing = graph.is_missing(near);
    let none = graph.as_numbers(&missing);
    let one = graph.number(1.0);
    graph.op("Max", &[&none, &one])
}

/// 1 / distance; where a distance is 0, only rows at that count; where none is finite, all alike.
fn weights(graph: &mut Graph, near: &Tensor) -> Tensor {
    let (zero, one) = (graph.number(0.0), graph.number(1.0));
    let nearest = graph.reduced("ReduceMin", near, 1, true);
    let exact = graph.op("Equal", &[near, &zero]);
    let only = graph.as_numbers(&exact);
    let root = graph.op("Sqrt", &[near]);
    let inverse = graph.div(&one, &root);
    let any_exact = graph.op("Equal", &[&nearest, &zero]);
    let weights = graph.select(&any_exact, &only, &inverse);
    let far = graph.op("IsInf", &[&nearest]);
    graph.select(&far, &one, &weights)
}
