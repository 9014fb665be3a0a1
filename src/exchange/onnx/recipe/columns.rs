//! Steps on columns by themselves: which tensors each of them makes.

use anyhow::Result;

use crate::data::frame::MISSING_TIME;
use crate::exchange::onnx::graph::{Graph, ML, Place, Tensor, held, texts};
use crate::exchange::onnx::recipe::cells::{Cell, Named};
use crate::exchange::onnx::recipe::{dates, numbers, refused, tables, unfit};
use crate::exchange::onnx::trees::{Ask, steps};
use crate::features::bin::FittedBin;
use crate::features::cast::FittedCast;
use crate::features::frequency::FittedFrequency;
use crate::features::impute::{Fill, FittedImpute};
use crate::features::levels::LevelMap;
use crate::features::one_hot::FittedOneHot;
use crate::features::rare::FittedRare;
use crate::features::step::FittedColumn;
use crate::features::target::FittedTarget;
use crate::spec::steps::CastTo;

/// Seconds are counted in these.
const MICROS_PER_SECOND: f64 = 1e6;
/// Largest number of microseconds that is a time.
const MICROS_MAX: f64 = 9.2e18;

/// Writes what the step does to `column`.
///
/// Errors (usage): nothing in ONNX does it. Errors: the recipe contradicts itself.
pub fn write(graph: &mut Graph, fitted: &FittedColumn, column: Named) -> Result<Vec<Named>> {
    let name = column.name.clone();
    let one = |cell: Cell| Ok(vec![Named::new(&name, cell)]);
    match fitted {
        FittedColumn::Impute(fitted) => impute(graph, fitted, column),
        FittedColumn::OneHot(fitted) => one_hot(graph, fitted, &column),
        FittedColumn::Ordinal(fitted) => {
            let codes = codes("ordinal", graph, &column, &fitted.levels)?;
            one(Cell::number(ranks(graph, &codes)))
        }
        FittedColumn::Category(fitted) => {
            one(Cell::Category(codes("category", graph, &column, &fitted.levels)?, fitted.count))
        }
        FittedColumn::Bin(fitted) => bin(graph, fitted, &column),
        FittedColumn::Dates(fitted) => match &column.cell {
            Cell::Time(time) => Ok(dates::write(graph, fitted, time)),
            _ => Err(unfit("dates", &column)),
        },
        FittedColumn::Drop(_) => Ok(Vec::new()),
        FittedColumn::Target(fitted) => target(graph, fitted, &column),
        FittedColumn::Frequency(fitted) => frequency(graph, fitted, &column),
        FittedColumn::Rare(fitted) => rare(graph, fitted, &column),
        FittedColumn::Rename(fitted) => Ok(vec![Named::new(&fitted.name, column.cell)]),
        FittedColumn::Cast(fitted) => cast(graph, fitted, column),
        FittedColumn::Scale(_)
        | FittedColumn::Quantile(_)
        | FittedColumn::Power(_)
        | FittedColumn::Clip(_)
        | FittedColumn::Log(_)
        | FittedColumn::Cyclic(_) => of_numbers(graph, fitted, &column),
        FittedColumn::Hash(_) => Err(refused("hash", &name, "it has no operator for this hash")),
        FittedColumn::Text(_) => Err(refused("text", &name, "it has no operator for this hash")),
        FittedColumn::Tfidf(_) => Err(refused("tfidf", &name, "it does not take texts apart as this step does")),
    }
}

/// Steps that make numbers of numbers.
fn of_numbers(graph: &mut Graph, fitted: &FittedColumn, column: &Named) -> Result<Vec<Named>> {
    let values = &number(graph, column)?;
    let made = match fitted {
        FittedColumn::Scale(fitted) => numbers::scale(graph, fitted, values),
        FittedColumn::Quantile(fitted) => numbers::quantile(graph, fitted, values),
        FittedColumn::Power(fitted) => numbers::power(graph, fitted, values),
        FittedColumn::Log(fitted) => numbers::log(graph, fitted, values),
        FittedColumn::Clip(fitted) => {
            graph.clip(values, fitted.lower.unwrap_or(-f64::MAX), fitted.upper.unwrap_or(f64::MAX))
        }
        FittedColumn::Cyclic(fitted) => {
            let made = numbers::cyclic(graph, fitted.period, values).map(Cell::number);
            return Ok(fitted.columns.iter().zip(made).map(|(name, cell)| Named::new(name, cell)).collect());
        }
        _ => return Err(unfit("scale", column)),
    };
    Ok(vec![Named::new(&column.name, Cell::number(made))])
}

/// The numbers of a column of numbers or indicators.
fn number(graph: &mut Graph, column: &Named) -> Result<Tensor> {
    column.cell.as_number(graph).ok_or_else(|| unfit("of numbers", column))
}

fn codes(step: &str, graph: &mut Graph, column: &Named, levels: &LevelMap) -> Result<Tensor> {
    tables::codes(graph, &column.cell, levels).ok_or_else(|| unfit(step, column))
}

/// Codes as numbers, -1 as missing.
fn ranks(graph: &mut Graph, codes: &Tensor) -> Tensor {
    let numbers = graph.as_numbers(codes);
    let none = graph.number(0.0);
    let unknown = graph.op("Less", &[&numbers, &none]);
    graph.missing_where(&unknown, &numbers)
}

fn impute(graph: &mut Graph, fitted: &FittedImpute, column: Named) -> Result<Vec<Named>> {
    let missing = column.cell.missing(graph);
    let filled = match (&fitted.fill, &column.cell) {
        (Fill::Nothing, cell) => cell.clone(),
        (Fill::Number(fill), Cell::Number(place)) => {
            let values = graph.column(place);
            let fill = graph.number(*fill);
            Cell::number(graph.select(&missing, &fill, &values))
        }
        (Fill::Text(fill), Cell::Text(_)) if fill.is_empty() => {
            return Err(refused("impute", &column.name, "it has no missing texts but empty ones, and fills with one"));
        }
        (Fill::Text(fill), Cell::Text(text)) => {
            let fill = graph.texts(&[1], &[fill]);
            Cell::Text(graph.select(&missing, &fill, text))
        }
        (Fill::Time(fill), Cell::Time(time)) => {
            let fill = graph.wholes(&[1], &[*fill]);
            Cell::Time(graph.select(&missing, &fill, time))
        }
        _ => return Err(unfit("impute", &column)),
    };
    let mut made = vec![Named::new(&column.name, filled)];
    if let Some(name) = &fitted.indicator {
        let indicator = graph.as_numbers(&missing);
        made.push(Named::new(name, Cell::Indicator(Place::only(indicator))));
    }
    Ok(made)
}

fn one_hot(graph: &mut Graph, fitted: &FittedOneHot, column: &Named) -> Result<Vec<Named>> {
    if fitted.columns.is_empty() {
        return Ok(Vec::new());
    }
    let codes = codes("one_hot", graph, column, &fitted.levels)?;
    let places = tables::indicators(graph, &codes, fitted.first as usize, fitted.columns.len());
    Ok(fitted.columns.iter().zip(places).map(|(name, place)| Named::new(name, Cell::Indicator(place))).collect())
}

fn bin(graph: &mut Graph, fitted: &FittedBin, column: &Named) -> Result<Vec<Named>> {
    let values = number(graph, column)?;
    let bins = steps(graph, &values, &fitted.edges, Ask::Below);
    let missing = graph.is_missing(&values);
    let unknown = graph.wholes(&[1], &[-1]);
    let bins = graph.select(&missing, &unknown, &bins);
    if fitted.columns.is_empty() {
        return Ok(vec![Named::new(&column.name, Cell::number(ranks(graph, &bins)))]);
    }
    let places = tables::indicators(graph, &bins, 0, fitted.columns.len());
    Ok(fitted.columns.iter().zip(places).map(|(name, place)| Named::new(name, Cell::Indicator(place))).collect())
}

fn target(graph: &mut Graph, fitted: &FittedTarget, column: &Named) -> Result<Vec<Named>> {
    let codes = codes("target", graph, column, &fitted.levels)?;
    let mut made = Vec::with_capacity(fitted.means.len());
    for (at, (encodings, mean)) in fitted.encodings.iter().zip(&fitted.means).enumerate() {
        let name = fitted.columns.get(at).unwrap_or(&column.name);
        made.push(Named::new(name, Cell::number(tables::pick(graph, &codes, *mean, encodings))));
    }
    Ok(made)
}

fn frequency(graph: &mut Graph, fitted: &FittedFrequency, column: &Named) -> Result<Vec<Named>> {
    let codes = codes("frequency", graph, column, &fitted.levels)?;
    let values = tables::pick(graph, &codes, 0.0, &fitted.frequencies);
    let missing = column.cell.missing(graph);
    Ok(vec![Named::new(&column.name, Cell::number(graph.missing_where(&missing, &values)))])
}

fn rare(graph: &mut Graph, fitted: &FittedRare, column: &Named) -> Result<Vec<Named>> {
    let Cell::Text(text) = &column.cell else {
        return Err(unfit("rare", column));
    };
    if fitted.other.is_empty() {
        return Err(refused("rare", &column.name, "it has no missing texts but empty ones, and rare ones become one"));
    }
    // An empty text is missing, and stays so.
    let known = fitted.kept.iter().map(|text| &**text).filter(|text| !text.is_empty());
    let kept: Vec<&str> = std::iter::once("").chain(known).collect();
    let attributes = vec![
        held("keys_tensor", texts(&[kept.len()], &kept)),
        held("values_tensor", texts(&[kept.len()], &kept)),
        held("default_tensor", texts(&[1], &[&fitted.other])),
    ];
    let grouped = graph.node(ML, "LabelEncoder", &[text], attributes);
    Ok(vec![Named::new(&column.name, Cell::Text(grouped))])
}

fn cast(graph: &mut Graph, fitted: &FittedCast, column: Named) -> Result<Vec<Named>> {
    let made = match (fitted.to, column.cell) {
        (CastTo::Number | CastTo::Boolean, Cell::Indicator(place)) => Cell::Number(place),
        (CastTo::Text, Cell::Number(place) | Cell::Indicator(place)) => Cell::Written(place),
        (CastTo::Number, cell @ Cell::Number(_))
        | (CastTo::Text, cell @ (Cell::Text(_) | Cell::Written(_) | Cell::Crossed(_)))
        | (CastTo::Time, cell @ Cell::Time(_)) => cell,
        (CastTo::Number, Cell::Written(place)) => Cell::Number(place),
        (CastTo::Number, cell @ Cell::Time(_)) => Cell::number(seconds(graph, &cell)),
        (CastTo::Boolean, Cell::Number(place)) => {
            let values = graph.column(&place);
            let zero = graph.number(0.0);
            let same = graph.op("Equal", &[&values, &zero]);
            let other = graph.op("Not", &[&same]);
            let truth = graph.as_numbers(&other);
            let missing = graph.is_missing(&values);
            Cell::number(graph.missing_where(&missing, &truth))
        }
        (CastTo::Boolean, Cell::Time(time)) => {
            let nothing = graph.numbers(&[1, 1], &[f64::NAN]);
            Cell::number(graph.repeated(&time, &nothing, 1))
        }
        (CastTo::Time, Cell::Number(place)) => Cell::Time(micros(graph, &place)),
        (CastTo::Time, Cell::Indicator(place)) => {
            let column = graph.column(&place);
            let nothing = graph.wholes(&[1, 1], &[MISSING_TIME]);
            Cell::Time(graph.repeated(&column, &nothing, 1))
        }
        (_, Cell::Text(_) | Cell::Crossed(_) | Cell::Written(_)) => {
            return Err(refused("cast", &column.name, "it does not read texts as this step does"));
        }
        (CastTo::Text, Cell::Time(_)) => {
            return Err(refused("cast", &column.name, "it does not write times as this step does"));
        }
        (_, cell) => return Err(unfit("cast", &Named { name: column.name, cell })),
    };
    Ok(vec![Named::new(&column.name, made)])
}

/// Seconds since 1970.
fn seconds(graph: &mut Graph, time: &Cell) -> Tensor {
    let missing = time.missing(graph);
    let Cell::Time(micros) = time else {
        return graph.number(f64::NAN);
    };
    let micros = graph.as_numbers(micros);
    let second = graph.number(MICROS_PER_SECOND);
    let seconds = graph.div(&micros, &second);
    graph.missing_where(&missing, &seconds)
}

/// Microseconds of seconds since 1970, halves away from 0.
fn micros(graph: &mut Graph, place: &Place) -> Tensor {
    let seconds = graph.column(place);
    let (second, half, most) = (graph.number(MICROS_PER_SECOND), graph.number(0.5), graph.number(MICROS_MAX));
    let micros = graph.mul(&seconds, &second);
    let size = graph.op("Abs", &[&micros]);
    let inside = graph.op("Less", &[&size, &most]);
    let up = graph.add(&size, &half);
    let whole = graph.op("Floor", &[&up]);
    let sign = graph.op("Sign", &[&micros]);
    let micros = graph.mul(&whole, &sign);
    let zero = graph.number(0.0);
    // Only what is a time is made a whole number.
    let micros = graph.select(&inside, &micros, &zero);
    let whole = graph.as_wholes(&micros);
    let nothing = graph.wholes(&[1], &[MISSING_TIME]);
    graph.select(&inside, &whole, &nothing)
}
