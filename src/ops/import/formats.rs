//! Files of other tools: which format, and what they hold, in one form.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::limits::FOREIGN_BYTES_MAX;
use crate::base::{fail, fs, suggest, units};
use crate::exchange::{Foreign, lightgbm, xgboost};
use crate::models::onnx::graph::Element;
use crate::models::onnx::{OnnxModel, wire};
use crate::models::predictor::Predictor;
use crate::models::trees::forested::Forested;
use crate::spec::model::Task;

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// LightGBM's text format.
    Lightgbm,
    /// XGBoost's JSON.
    Xgboost,
    /// ONNX.
    Onnx,
}

impl ImportFormat {
    const ALL: [ImportFormat; 3] = [ImportFormat::Lightgbm, ImportFormat::Xgboost, ImportFormat::Onnx];

    /// As written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ImportFormat::Lightgbm => "lightgbm",
            ImportFormat::Xgboost => "xgboost",
            ImportFormat::Onnx => "onnx",
        }
    }

    /// The format called `name`. Errors (usage): there is none, with a suggestion.
    pub fn named(name: &str) -> Result<ImportFormat> {
        let found = ImportFormat::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| suggest::unknown("format", name, ImportFormat::ALL.map(ImportFormat::name)).into())
    }

    /// The format that the bytes themselves show, whatever the file is called.
    ///
    /// Errors (usage): none of them; what it is instead, where that can be told.
    pub fn of(bytes: &[u8], shown: &str) -> Result<ImportFormat> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let holds = |word: &[u8]| text[..text.len().min(1 << 20)].windows(word.len()).any(|part| part == word);
        let unknown = |hint: &str| -> anyhow::Error {
            fail::usage(format!("{shown} is no model of LightGBM, XGBoost or ONNX")).hint(hint).into()
        };
        if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") {
            return Ok(ImportFormat::Lightgbm);
        }
        if text.starts_with(b"{") && !holds(b"\"predictor\"") {
            return match holds(b"learner") {
                true => Ok(ImportFormat::Xgboost),
                false if holds(b"\"tree_info\"") => {
                    Err(unknown("LightGBM dumped it as JSON; write it with booster.save_model(\"FILE.txt\")"))
                }
                false => Err(unknown("XGBoost writes JSON with booster.save_model(\"FILE.json\")")),
            };
        }
        if wire::looks_like_onnx(bytes) {
            return Ok(ImportFormat::Onnx);
        }
        Err(unknown(match text {
            [b'{', ..] | [b'M', b'L', b'O', b'P', b'S', ..] => {
                "it is one of our own: `mlops export` writes it, nothing reads it back"
            }
            [0x80, 2..=5, ..] => {
                "it is a pickle, which runs code when it is read; write the model as LightGBM text, XGBoost JSON or ONNX"
            }
            _ => {
                "write the model with booster.save_model (LightGBM text, XGBoost JSON) or as ONNX; or name its --format"
            }
        }))
    }
}

/// A column that a file reads.
#[derive(Clone, Debug, PartialEq)]
pub struct FileColumn {
    /// Name.
    pub name: String,
    /// What the values have to be.
    pub wants: Wants,
    /// Names of its levels by code, where the file has them.
    pub levels: Option<Vec<String>>,
}

/// What the values of a column have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Any number.
    Number,
    /// Whole numbers.
    Whole,
    /// True or false.
    Boolean,
    /// Text.
    Text,
    /// One of so many levels.
    Level(usize),
}

/// The model in a file.
pub enum Model {
    /// One of our kinds.
    Ours(Box<dyn Predictor>),
    /// A graph.
    Onnx(Box<OnnxModel>),
}

/// A file, read.
pub struct Incoming {
    /// Kind of the zoo that reads it back.
    pub kind: &'static str,
    /// The model.
    pub model: Model,
    /// What it predicts.
    pub task: Task,
    /// Number of classes; 0 for regression.
    pub classes: usize,
    /// Names of the classes where the file has them.
    pub class_names: Vec<String>,
    /// Columns that it reads, in order.
    pub columns: Vec<FileColumn>,
    /// Whether the names of the columns are the file's own, and no numbering.
    pub is_named: bool,
    /// What had to be guessed, in sentences.
    pub notes: Vec<String>,
}

/// The bytes of a file that may be a model.
///
/// Errors: missing, a folder, empty, too long.
pub fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let shown = path.display();
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(fail::usage(format!("there is no file {shown}")).hint("check the path").into());
        }
        Err(error) => return Err(anyhow::Error::new(error).context(format!("cannot read {shown}"))),
    };
    if !meta.is_file() {
        return Err(fail::usage(format!("{shown} is not a file")).hint("name one model file").into());
    }
    if meta.len() > FOREIGN_BYTES_MAX {
        let what = format!(
            "{shown} is {} long; at most {} are read",
            units::bytes(meta.len()),
            units::bytes(FOREIGN_BYTES_MAX)
        );
        return Err(fail::usage(what).hint("a model of this size is hardly one of tables").into());
    }
    let bytes = fs::read_optional(path, FOREIGN_BYTES_MAX)?.with_context(|| format!("cannot read {shown}"))?;
    match bytes.is_empty() {
        true => Err(fail::usage(format!("{shown} is empty")).hint("write the model again").into()),
        false => Ok(bytes),
    }
}

/// Reads a file. `declared` is the number of columns that are known from elsewhere, `task` what was asked for.
///
/// Errors: those of the readers; another task than the file's.
pub fn read(format: ImportFormat, bytes: &[u8], declared: Option<usize>, task: Option<Task>) -> Result<Incoming> {
    let incoming = match format {
        ImportFormat::Lightgbm => of_trees(shares(lightgbm::read(bytes)?, task)),
        ImportFormat::Xgboost => of_trees(xgboost::read(bytes)?),
        ImportFormat::Onnx => of_graph(OnnxModel::open(bytes.to_vec(), declared, task)?)?,
    };
    match task.filter(|task| *task != incoming.task) {
        Some(asked) => {
            let what = format!("the file holds a {} model, not {}", incoming.task.name(), asked.name());
            let hint = "leave --task out; two classes are only taken for averaged trees whose leaves are all shares";
            Err(fail::usage(what).hint(hint).into())
        }
        None => Ok(incoming),
    }
}

/// Averaged trees as a model of two classes, where one is asked for: a forest of classes has no objective in LightGBM's
/// files, so that they cannot say whether a leaf holds a number or the share of the second class.
fn shares(foreign: Foreign, asked: Option<Task>) -> Foreign {
    let forest = foreign.predictor.as_any().downcast_ref::<Forested>();
    let is_share = |value: &f64| (0.0..=1.0).contains(value);
    let fits = |forest: &&Forested| {
        let mut leaves = forest.ensemble.trees.iter().flat_map(|tree| &tree.values);
        asked == Some(Task::Binary) && forest.classes == 0 && leaves.all(is_share)
    };
    match forest.filter(fits) {
        Some(forest) => {
            let predictor = Box::new(Forested { ensemble: forest.ensemble.clone(), classes: 2 });
            Foreign { predictor, task: Task::Binary, classes: 2, ..foreign }
        }
        None => foreign,
    }
}

fn of_trees(foreign: Foreign) -> Incoming {
    let numbered =
        |at: usize, name: &str| [format!("f{at}"), format!("Column_{at}")].iter().any(|numbered| numbered == name);
    let is_named = !foreign.features.iter().enumerate().all(|(at, feature)| numbered(at, &feature.name));
    let columns = foreign.features.into_iter().map(|feature| {
        let wants = if feature.codes > 0 { Wants::Level(feature.codes) } else { Wants::Number };
        FileColumn { name: feature.name, wants, levels: feature.levels }
    });
    Incoming {
        kind: foreign.kind,
        model: Model::Ours(foreign.predictor),
        task: foreign.task,
        classes: foreign.classes,
        class_names: Vec::new(),
        columns: columns.collect(),
        is_named,
        notes: foreign.notes,
    }
}

fn of_graph(model: OnnxModel) -> Result<Incoming> {
    model.try_out()?;
    let task = match model.classes() {
        0 => Task::Regression,
        2 => Task::Binary,
        _ => Task::Multiclass,
    };
    let features = model.features();
    let is_named = features.iter().all(|feature| feature.is_named);
    let columns = features.into_iter().map(|feature| {
        let (wants, levels) = match feature.element {
            Element::Float | Element::Double => (Wants::Number, None),
            Element::Int64 | Element::Int32 => (Wants::Whole, None),
            Element::Boolean => (Wants::Boolean, None),
            Element::Text => (Wants::Text, Some(model.texts().to_vec()).filter(|texts| !texts.is_empty())),
        };
        FileColumn { name: feature.name, wants, levels }
    });
    let (columns, classes) = (columns.collect(), model.classes());
    let class_names = if classes == 0 { Vec::new() } else { model.class_names().to_vec() };
    Ok(Incoming {
        kind: "onnx",
        model: Model::Onnx(Box::new(model)),
        task,
        classes,
        class_names,
        columns,
        is_named,
        notes: Vec::new(),
    })
}
