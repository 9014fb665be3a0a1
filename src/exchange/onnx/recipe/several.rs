//! Steps over several columns.

use std::sync::Arc;

use anyhow::{Result, ensure};

use crate::exchange::onnx::graph::{Graph, Place, Tensor};
use crate::exchange::onnx::recipe::cells::{Cell, Named};
use crate::exchange::onnx::recipe::{listed, refused, unfit};
use crate::features::many::FittedMany;
use crate::features::many::interact::FittedCross;
use crate::features::many::kmeans::FittedKmeans;
use crate::features::many::pca::FittedPca;
use crate::features::many::product::FittedProduct;

/// Adds the columns that the step makes behind all others.
///
/// Errors (usage): nothing in ONNX does it. Errors: the recipe contradicts itself.
pub fn write(graph: &mut Graph, fitted: &FittedMany, named: &mut Vec<Named>) -> Result<()> {
    let positions = fitted.positions(named.iter().map(|column| &column.name))?;
    let inputs: Vec<Named> = positions.iter().map(|&position| named[position].clone()).collect();
    let made: Vec<Cell> = match fitted {
        FittedMany::Product(fitted) => {
            let values = numbers("product", graph, &inputs)?;
            product(graph, fitted, &values)
        }
        FittedMany::Cross(fitted) => cross(fitted, &inputs)?,
        FittedMany::Ratio(_) => {
            let values = numbers("ratio", graph, &inputs)?;
            let ratio = graph.div(&values[0], &values[1]);
            vec![Cell::number(graph.finite_or_missing(&ratio))]
        }
        FittedMany::Pca(fitted) => {
            let values = numbers("pca", graph, &inputs)?;
            pca(graph, fitted, &values)
        }
        FittedMany::Kmeans(fitted) => {
            let values = numbers("kmeans", graph, &inputs)?;
            kmeans(graph, fitted, &values)
        }
        FittedMany::Knn(_) => {
            let names = listed(fitted.step().inputs());
            return Err(refused("impute", &names, "it does not look for the nearest rows over gaps"));
        }
        FittedMany::Expression(_) => {
            let names = listed(fitted.step().columns());
            return Err(refused("expression", &names, "it does not read SQL"));
        }
    };
    let names: &[Arc<str>] = fitted.step().columns();
    ensure!(names.len() == made.len(), "a step over several columns makes columns without names");
    named.extend(names.iter().zip(made).map(|(name, cell)| Named::new(name, cell)));
    Ok(())
}

fn numbers(step: &str, graph: &mut Graph, inputs: &[Named]) -> Result<Vec<Tensor>> {
    inputs.iter().map(|input| input.cell.as_number(graph).ok_or_else(|| unfit(step, input))).collect()
}

fn product(graph: &mut Graph, fitted: &FittedProduct, values: &[Tensor]) -> Vec<Cell> {
    let mut one = |factors: &Vec<u32>| {
        // From the last on, as the recipe multiplies.
        let mut factors = factors.iter().rev().map(|&factor| &values[factor as usize]);
        let first = factors.next().cloned().unwrap_or_else(|| graph.number(f64::NAN));
        let product = factors.fold(first, |product, factor| graph.mul(&product, factor));
        Cell::number(graph.finite_or_missing(&product))
    };
    fitted.factors.iter().map(&mut one).collect()
}

fn cross(fitted: &FittedCross, inputs: &[Named]) -> Result<Vec<Cell>> {
    let text = |at: u32| match &inputs[at as usize] {
        Named { cell: cell @ (Cell::Text(_) | Cell::Written(_)), .. } => Ok(cell.clone()),
        other => Err(unfit("interact", other)),
    };
    fitted.pairs.iter().map(|&(a, b)| Ok(Cell::Crossed(Box::new((text(a)?, text(b)?))))).collect()
}

/// Columns side by side, with missing values as their means.
fn filled(graph: &mut Graph, values: &[Tensor], means: &[f64]) -> Tensor {
    let places: Vec<Place> = values.iter().cloned().map(Place::only).collect();
    let matrix = graph.matrix(&places);
    let means = graph.numbers(&[1, means.len()], means);
    let missing = graph.is_missing(&matrix);
    graph.select(&missing, &means, &matrix)
}

fn pca(graph: &mut Graph, fitted: &FittedPca, values: &[Tensor]) -> Vec<Cell> {
    let matrix = filled(graph, values, &fitted.means);
    let means = graph.numbers(&[1, values.len()], &fitted.means);
    let centered = graph.sub(&matrix, &means);
    let components = fitted.loadings.len();
    let by_column = (0..values.len()).flat_map(|column| fitted.loadings.iter().map(move |loading| loading[column]));
    let loadings = graph.numbers(&[values.len(), components], &by_column.collect::<Vec<_>>());
    let scores = graph.op("MatMul", &[&centered, &loadings]);
    let scores = graph.finite_or_missing(&scores);
    Place::all(&scores, components).map(Cell::Number).collect()
}

fn kmeans(graph: &mut Graph, fitted: &FittedKmeans, values: &[Tensor]) -> Vec<Cell> {
    let matrix = filled(graph, values, &fitted.means);
    let squares = graph.squares(&matrix, &fitted.centres.concat(), values.len());
    let squares = graph.finite_or_missing(&squares);
    let distances = graph.op("Sqrt", &[&squares]);
    Place::all(&distances, fitted.centres.len()).map(Cell::Number).collect()
}
