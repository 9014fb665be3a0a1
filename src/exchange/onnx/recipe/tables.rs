//! Values looked up among those of the training rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::exchange::onnx::graph::{Graph, ML, Place, Tensor, doubles, held, integers, texts};
use crate::exchange::onnx::proto::TensorData;
use crate::exchange::onnx::recipe::cells::Cell;
use crate::features::levels::LevelMap;

/// Code of each row, -1 where the value is missing or unknown; rows × 1. `None`: a column of another kind.
pub fn codes(graph: &mut Graph, cell: &Cell, map: &LevelMap) -> Option<Tensor> {
    match (cell, map) {
        (Cell::Text(text), LevelMap::Text { levels, codes }) => Some(of_texts(graph, text, levels, codes)),
        (Cell::Number(place), LevelMap::Number { levels, codes }) => {
            let column = graph.column(place);
            Some(of_numbers(graph, &column, levels, codes))
        }
        (Cell::Written(place), LevelMap::Text { levels, codes }) => {
            let column = graph.column(place);
            let known = levels.iter().zip(codes).filter_map(|(level, code)| Some((written_number(level)?, *code)));
            let (levels, codes): (Vec<f64>, Vec<u32>) = known.unzip();
            Some(of_numbers(graph, &column, &levels, &codes))
        }
        (Cell::Crossed(both), LevelMap::Text { levels, codes }) => of_pairs(graph, both, levels, codes),
        _ => None,
    }
}

/// `values` by code, `absent` for the code -1: rows × 1.
pub fn pick(graph: &mut Graph, codes: &Tensor, absent: f64, values: &[f64]) -> Tensor {
    let table: Vec<f64> = std::iter::once(absent).chain(values.iter().copied()).collect();
    let table = graph.numbers(&[table.len()], &table);
    let one = graph.wholes(&[1], &[1]);
    let places = graph.op("Add", &[codes, &one]);
    graph.op("Gather", &[&table, &places])
}

/// 1 in the column of each row's code, of `count` columns from code `first` on: rows × `count`.
pub fn indicators(graph: &mut Graph, codes: &Tensor, first: usize, count: usize) -> Vec<Place> {
    let wanted: Vec<i64> = (first..first + count).map(|code| code as i64).collect();
    let wanted = graph.wholes(&[1, count], &wanted);
    let same = graph.op("Equal", &[codes, &wanted]);
    let made = graph.as_numbers(&same);
    Place::all(&made, count).collect()
}

/// The number that `level` is the shortest form of.
fn written_number(level: &str) -> Option<f64> {
    level.parse::<f64>().ok().filter(|number| number.is_finite() && (number + 0.0).to_string() == level)
}

fn encoder(graph: &mut Graph, values: &Tensor, keys: TensorData, codes: &[i64]) -> Tensor {
    if codes.is_empty() {
        let none = graph.wholes(&[1, 1], &[-1]);
        return graph.repeated(values, &none, 1);
    }
    let attributes = vec![
        held("keys_tensor", keys),
        held("values_tensor", integers(&[codes.len()], codes)),
        held("default_tensor", integers(&[1], &[-1])),
    ];
    graph.node(ML, "LabelEncoder", &[values], attributes)
}

fn of_texts(graph: &mut Graph, text: &Tensor, levels: &[Arc<str>], codes: &[u32]) -> Tensor {
    // An empty text is missing, whatever training rows may have held.
    let known = || levels.iter().zip(codes).filter(|(level, _)| !level.is_empty());
    let keys: Vec<&str> = known().map(|(level, _)| &**level).collect();
    let codes: Vec<i64> = known().map(|(_, code)| i64::from(*code)).collect();
    encoder(graph, text, texts(&[keys.len()], &keys), &codes)
}

fn of_numbers(graph: &mut Graph, numbers: &Tensor, levels: &[f64], codes: &[u32]) -> Tensor {
    let codes: Vec<i64> = codes.iter().map(|code| i64::from(*code)).collect();
    encoder(graph, numbers, doubles(&[levels.len()], levels), &codes)
}

/// Pairs are looked up as the number of the first text and that of the second, together as one number.
fn of_pairs(graph: &mut Graph, both: &(Cell, Cell), levels: &[Arc<str>], codes: &[u32]) -> Option<Tensor> {
    let pairs: Vec<(String, String, u32)> =
        levels.iter().zip(codes).filter_map(|(level, code)| parted(level).map(|(a, b)| (a, b, *code))).collect();
    let firsts = numbered(pairs.iter().map(|pair| pair.0.as_str()));
    let seconds = numbered(pairs.iter().map(|pair| pair.1.as_str()));
    let side = |graph: &mut Graph, cell: &Cell, numbers: &BTreeMap<&str, u32>| {
        let (levels, codes) = numbers.iter().map(|(level, number)| (Arc::from(*level), *number)).unzip();
        self::codes(graph, cell, &LevelMap::Text { levels, codes })
    };
    let (one, other) = (side(graph, &both.0, &firsts)?, side(graph, &both.1, &seconds)?);
    let width = seconds.len() as i64 + 1;
    let scale = graph.wholes(&[1], &[width]);
    // Numbers from 0 on, so that an unknown text, -1, makes no other pair's number.
    let start = graph.wholes(&[1], &[1]);
    let (one, other) = (graph.op("Add", &[&one, &start]), graph.op("Add", &[&other, &start]));
    let scaled = graph.op("Mul", &[&one, &scale]);
    let together = graph.op("Add", &[&scaled, &other]);
    let key = |(a, b, _): &(String, String, u32)| {
        (i64::from(firsts[a.as_str()]) + 1) * width + i64::from(seconds[b.as_str()]) + 1
    };
    let keys: Vec<i64> = pairs.iter().map(key).collect();
    let codes: Vec<i64> = pairs.iter().map(|pair| i64::from(pair.2)).collect();
    Some(encoder(graph, &together, integers(&[keys.len()], &keys), &codes))
}

fn numbered<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<&'t str, u32> {
    let mut sorted: Vec<&str> = texts.collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().zip(0..).collect()
}

/// The two texts of a crossed one; `None` when it is none.
fn parted(level: &str) -> Option<(String, String)> {
    let (mut parts, mut escaped) = (vec![String::new()], false);
    for letter in level.chars() {
        match letter {
            '\\' if !escaped => escaped = true,
            '&' if !escaped => parts.push(String::new()),
            letter => {
                parts.last_mut()?.push(letter);
                escaped = false;
            }
        }
    }
    let second = parts.pop()?;
    let first = parts.pop()?;
    parts.is_empty().then_some((first, second))
}

#[cfg(test)]
mod tests {
    use super::{parted, written_number};

    #[test]
    fn crossed_texts_are_parted_where_they_were_joined() {
        let check = |level: &str, wanted: Option<(&str, &str)>| {
            assert_eq!(parted(level), wanted.map(|(a, b)| (a.to_owned(), b.to_owned())), "{level}");
        };
        check("a&b", Some(("a", "b")));
        check(r"a\&b&c", Some(("a&b", "c")));
        check(r"a\\&\\", Some((r"a\", r"\")));
        check("a", None);
        check("a&b&c", None);
    }

    #[test]
    fn only_shortest_forms_are_numbers() {
        let check = |level: &str, wanted: Option<f64>| assert_eq!(written_number(level), wanted, "{level}");
        check("3", Some(3.0));
        check("-0.25", Some(-0.25));
        check("3.0", None);
        check("1e3", None);
        check("NaN", None);
        check("x", None);
    }
}
