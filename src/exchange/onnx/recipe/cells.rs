//! Columns on their way through a recipe, as tensors of the graph.

use std::sync::Arc;

use crate::data::frame::MISSING_TIME;
use crate::exchange::onnx::graph::{Graph, Place, Tensor};

/// The values of one column, rows × 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Numbers; NaN is missing.
    Number(Place),
    /// Texts; an empty one is missing.
    Text(Tensor),
    /// Texts that are numbers in their shortest form; NaN is missing.
    Written(Place),
    /// Pairs of texts, as `interact` writes them.
    Crossed(Box<(Cell, Cell)>),
    /// Microseconds since 1970; [`MISSING_TIME`] is missing.
    Time(Tensor),
    /// 1 and 0.
    Indicator(Place),
    /// Codes, -1 where missing or unseen, and how many there are.
    Category(Tensor, u32),
}

/// A column and its name at that point.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Its name.
    pub name: Arc<str>,
    /// Its values.
    pub cell: Cell,
}

impl Named {
    /// A column with values of its own.
    pub fn new(name: &Arc<str>, cell: Cell) -> Named {
        Named { name: Arc::clone(name), cell }
    }
}

impl Cell {
    /// Numbers in a tensor of one column.
    pub fn number(tensor: Tensor) -> Cell {
        Cell::Number(Place::only(tensor))
    }

    /// The numbers of a column of numbers or indicators, rows × 1.
    pub fn as_number(&self, graph: &mut Graph) -> Option<Tensor> {
        match self {
            Cell::Number(place) | Cell::Indicator(place) => Some(graph.column(place)),
            _ => None,
        }
    }

    /// Where the values are missing.
    pub fn missing(&self, graph: &mut Graph) -> Tensor {
        match self {
            Cell::Number(place) | Cell::Written(place) | Cell::Indicator(place) => {
                let column = graph.column(place);
                graph.is_missing(&column)
            }
            Cell::Text(text) => {
                let empty = graph.texts(&[1], &[""]);
                graph.op("Equal", &[text, &empty])
            }
            Cell::Crossed(both) => {
                let (one, other) = (both.0.missing(graph), both.1.missing(graph));
                graph.op("Or", &[&one, &other])
            }
            Cell::Time(time) => {
                let nothing = graph.wholes(&[1], &[MISSING_TIME]);
                graph.op("Equal", &[time, &nothing])
            }
            Cell::Category(codes, _) => {
                let nothing = graph.wholes(&[1], &[-1]);
                graph.op("Equal", &[codes, &nothing])
            }
        }
    }
}
