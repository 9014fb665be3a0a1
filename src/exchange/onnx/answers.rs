//! What comes out of the graph, by task.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::onnx::graph::{Graph, Place, Tensor, whole};
use crate::exchange::onnx::model::Answer;
use crate::exchange::onnx::proto::{ValueInfo, element, kind};
use crate::models::package::ModelPackage;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// One output: its tensor, element type, sizes, and what it means.
struct Output {
    tensor: Tensor,
    elem_type: i32,
    sizes: Vec<Option<usize>>,
    about: String,
}

impl Output {
    fn new(tensor: Tensor, elem_type: i32, sizes: &[Option<usize>], about: impl Into<String>) -> Output {
        Output { tensor, elem_type, sizes: sizes.to_vec(), about: about.into() }
    }
}

/// Names of the outputs, which no raw column has.
pub fn names(graph: &mut Graph, package: &ModelPackage) -> Vec<Tensor> {
    let wanted: &[&str] = match package.header.task {
        Task::Regression => &["prediction"],
        Task::Binary | Task::Multiclass => &["label", "probabilities"],
        Task::Clustering => &["cluster", "distance"],
        Task::Anomaly => &["anomaly", "score"],
    };
    wanted.iter().map(|name| graph.fresh(name)).collect()
}

/// Gives the answers their names and types.
pub fn write(graph: &mut Graph, package: &ModelPackage, answer: &Answer, outputs: &[Tensor]) -> Result<Vec<ValueInfo>> {
    let made = match answer {
        Answer::Numbers(numbers) => {
            let about = format!("the predicted {}", package.header.target);
            vec![Output::new(numbers.clone(), element::DOUBLE, &[None, Some(1)], about)]
        }
        Answer::Shares(shares, classes) => {
            let (label, of) = label(graph, package, shares, *classes)?;
            let about = format!("of the classes {}", package.header.classes.join(", "));
            vec![
                Output::new(label, of, &[None], format!("the predicted {}", package.header.target)),
                Output::new(shares.clone(), element::DOUBLE, &[None, Some(*classes)], about),
            ]
        }
        Answer::Clusters(codes, distances) => {
            let (codes, distances) = (flat(graph, codes), flat(graph, distances));
            let about = "from the center of the cluster, among features";
            vec![
                Output::new(codes, element::INT64, &[None], "from 0 for the largest cluster of training"),
                Output::new(distances, element::DOUBLE, &[None], about),
            ]
        }
        Answer::Anomalies { scores, flags, threshold } => {
            let (flags, scores) = (flat(graph, flags), flat(graph, scores));
            vec![
                Output::new(flags, element::BOOL, &[None], format!("whether the score is above {threshold}")),
                Output::new(scores, element::DOUBLE, &[None], "the higher the odder"),
            ]
        }
    };
    if made.len() != outputs.len() {
        let what = "damaged model package: its predictor answers another task than its header says";
        return Err(fail::world(what).into());
    }
    let named = |(output, name): (Output, &Tensor)| {
        graph.name(&output.tensor, name);
        let kind = Some(kind(output.elem_type, &output.sizes));
        ValueInfo { name: name.name().to_owned(), kind, doc_string: output.about }
    };
    Ok(made.into_iter().zip(outputs).map(named).collect())
}

/// Without the dimension of one column.
fn flat(graph: &mut Graph, column: &Tensor) -> Tensor {
    let axes = graph.wholes(&[1], &[1]);
    graph.op("Squeeze", &[column, &axes])
}

/// The class of every row by its name, and the element type of names: integers for targets of integers.
fn label(graph: &mut Graph, package: &ModelPackage, shares: &Tensor, classes: usize) -> Result<(Tensor, i32)> {
    let names = &package.header.classes;
    if names.len() != classes {
        return Err(fail::world("damaged model package: its classes are not those of its predictor").into());
    }
    let columns: Vec<Place> = Place::all(shares, classes).collect();
    let codes = match (package.header.threshold, &columns[..]) {
        (Some(threshold), [_, second]) => {
            let second = graph.column(second);
            let threshold = graph.number(threshold);
            let above = graph.op("Greater", &[&second, &threshold]);
            graph.as_wholes(&above)
        }
        _ => graph.node("", "ArgMax", &[shares], vec![whole("axis", 1), whole("keepdims", 1)]),
    };
    let codes = flat(graph, &codes);
    let numbers: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
    if let (Some(ColumnType::Integer), Some(numbers)) = (package.header.target_type, numbers) {
        let table = graph.wholes(&[classes], &numbers);
        return Ok((graph.op("Gather", &[&table, &codes]), element::INT64));
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let table = graph.texts(&[classes], &names);
    let label = graph.op("Gather", &[&table, &codes]);
    // Rows without probabilities have no label.
    let missing = graph.any_missing(shares);
    let missing = flat(graph, &missing);
    let none = graph.texts(&[1], &[""]);
    Ok((graph.select(&missing, &none, &label), element::STRING))
}

/// What the file is, for people.
pub fn summary(package: &ModelPackage) -> String {
    let header = &package.header;
    let of = match header.task.is_supervised() {
        true => format!(" of `{}`", header.target),
        false => String::new(),
    };
    format!(
        "`{}` for {}{of}, with its recipe: raw columns in, answers out. Numbers and booleans are doubles, NaN where \
         missing; texts are strings, empty where missing; dates and time stamps are microseconds since 1970-01-01 UTC, \
         -9223372036854775808 where missing. A row whose features the model does not do without is answered with NaN.",
        header.model,
        header.task.name()
    )
}
