//! `export`: writes a model in the format of another tool, and says what the file reads.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::id::ObjectId;
use crate::base::{fail, fs, suggest};
use crate::exchange::columns::{Columns, ExportColumn};
use crate::exchange::{json, lightgbm, onnx, xgboost};
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::open_model;
use crate::repo::Repo;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// Made features that a note names.
const NAMED_MAX: usize = 5;

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// LightGBM's text format.
    Lightgbm,
    /// XGBoost's JSON.
    Xgboost,
    /// ONNX, recipe and model together.
    Onnx,
    /// Plain JSON of our own shape.
    Json,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [ExportFormat; 4] =
        [ExportFormat::Lightgbm, ExportFormat::Xgboost, ExportFormat::Onnx, ExportFormat::Json];

    /// As written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            ExportFormat::Lightgbm => "lightgbm",
            ExportFormat::Xgboost => "xgboost",
            ExportFormat::Onnx => "onnx",
            ExportFormat::Json => "json",
        }
    }

    /// The format called `name`. Errors (usage): there is none, with a suggestion.
    pub fn named(name: &str) -> Result<ExportFormat> {
        let found = ExportFormat::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| suggest::unknown("format", name, ExportFormat::ALL.map(ExportFormat::name)).into())
    }

    /// What the ending of a file tells: `.txt` LightGBM, `.onnx` ONNX. `.json` may be two of them.
    fn of_ending(path: &Path) -> Option<ExportFormat> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(ExportFormat::Lightgbm),
            "onnx" => Some(ExportFormat::Onnx),
            _ => None,
        }
    }

    fn ending(self) -> &'static str {
        match self {
            ExportFormat::Lightgbm => "lightgbm.txt",
            ExportFormat::Xgboost => "xgboost.json",
            ExportFormat::Onnx => "onnx",
            ExportFormat::Json => "json",
        }
    }
}

/// What to write.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The model.
    pub model: String,
    /// The format; told by the ending of `output` when absent.
    pub format: Option<ExportFormat>,
    /// The file; named after the model in `folder` when absent.
    pub output: Option<PathBuf>,
    /// Where a file without a name goes.
    pub folder: PathBuf,
    /// Whether files that are there are replaced.
    pub force: bool,
}

/// What was written.
#[derive(Clone, Debug, Serialize)]
pub struct ExportReport {
    /// The model: id of its package.
    pub model: ObjectId,
    /// The model as a person calls it.
    pub name: String,
    /// The format.
    pub format: ExportFormat,
    /// The file.
    pub output: PathBuf,
    /// Its length.
    pub bytes: usize,
    /// The file that says what the columns are, for formats of trees alone.
    pub features_file: Option<PathBuf>,
    /// `raw` columns, or `features` that the recipe makes first.
    pub reads: &'static str,
    /// What the file reads, in order.
    pub columns: Value,
}

/// Writes the model.
///
/// Errors (usage): no format to be told, files that are there already, what the format cannot express.
pub fn export(repo: &Repo, options: &ExportOptions, ctx: &OpCtx<'_>) -> Result<ExportReport> {
    let format = match options.format {
        Some(format) => format,
        None => guessed(options.output.as_deref())?,
    };
    let (found, _, package) = open_model(repo, Some(&options.model))?;
    let name = found.label();
    let output = match &options.output {
        Some(output) => output.clone(),
        None => options.folder.join(format!("{}.{}", name.replace('@', "-"), format.ending())),
    };
    let beside = matches!(format, ExportFormat::Lightgbm | ExportFormat::Xgboost).then(|| sidecar(&output));
    for path in [Some(&output), beside.as_ref()].into_iter().flatten() {
        if path.exists() && !options.force {
            let what = format!("{} is there already", path.display());
            return Err(fail::usage(what).hint("add --force to replace it, or name another file with -o").into());
        }
    }
    let forbidden = match format {
        ExportFormat::Lightgbm => lightgbm::forbidden,
        ExportFormat::Xgboost => xgboost::forbidden,
        ExportFormat::Onnx | ExportFormat::Json => |_| false,
    };
    let columns = Columns::of(&package, forbidden)?;
    let bytes = match format {
        ExportFormat::Lightgbm => lightgbm::write(&package, &columns)?,
        ExportFormat::Xgboost => xgboost::write(&package, &columns)?,
        ExportFormat::Onnx => onnx::write(&package)?,
        ExportFormat::Json => json::write(&package)?,
    };
    let holds_recipe = beside.is_none();
    if let Some(beside) = &beside {
        let text = serde_json::to_vec_pretty(&features_json(&package, &columns, format))?;
        put(beside, &text)?;
        say(&package, &columns, &name, beside, ctx);
        if format == ExportFormat::Xgboost {
            let coarse = xgboost::coarse(&package, &columns)?;
            if !coarse.is_empty() {
                let names = coarse.join(", ");
                ctx.talk.warn(&format!(
                    "XGBoost keeps 24 bits of a number: values of {names} beyond 16,777,216 that lie close together go the \
                     same way there, and answers can differ"
                ));
                ctx.talk.hint("lightgbm and json keep all digits");
            }
        }
    }
    put(&output, &bytes)?;
    if let (Some(threshold), true) = (package.header.threshold, format != ExportFormat::Json) {
        ctx.talk.info(&format!("the file answers probabilities; rows above {threshold} are positive for this model"));
    }
    Ok(ExportReport {
        model: found.package,
        name,
        format,
        output,
        bytes: bytes.len(),
        features_file: beside,
        reads: if holds_recipe || columns.is_raw() { "raw" } else { "features" },
        columns: columns.to_json(),
    })
}

fn guessed(output: Option<&Path>) -> Result<ExportFormat> {
    let formats = ExportFormat::ALL.map(ExportFormat::name).join(", ");
    if let Some(format) = output.and_then(ExportFormat::of_ending) {
        return Ok(format);
    }
    let what = match output {
        Some(output) => format!("the ending of {} does not tell the format", output.display()),
        None => "there is no format and no file to tell it by".to_owned(),
    };
    Err(fail::usage(what).hint(format!("add --format, one of {formats}")).into())
}

/// `FILE.features.json`.
fn sidecar(output: &Path) -> PathBuf {
    let mut name = output.file_name().unwrap_or_default().to_owned();
    name.push(".features.json");
    output.with_file_name(name)
}

fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    fs::write_atomic(path, folder, bytes)
}

/// What a program needs to know beside the trees.
fn features_json(package: &ModelPackage, columns: &Columns, format: ExportFormat) -> Value {
    let header = &package.header;
    json!({
        "format": "mlops-export-features",
        "version": 1,
        "of": format.name(),
        "reads": if columns.is_raw() { "raw" } else { "features" },
        "columns": columns.to_json(),
        "made": columns.made,
        "task": header.task,
        "target": header.target,
        "classes": header.classes,
        "answer": answer(package),
        "threshold": header.threshold,
        "recipe": package.recipe.to_json(),
    })
}

/// What `predict` answers there.
fn answer(package: &ModelPackage) -> String {
    let header = &package.header;
    match (header.task, header.classes.as_slice()) {
        (Task::Binary, [_, second]) => format!("the probability of `{second}`"),
        (Task::Binary | Task::Multiclass, classes) => format!("one probability a class: {}", classes.join(", ")),
        _ => format!("`{}`", header.target),
    }
}

fn say(package: &ModelPackage, columns: &Columns, name: &str, beside: &Path, ctx: &OpCtx<'_>) {
    ctx.talk.info(&format!("`predict` answers {}", answer(package)));
    for column in columns.renamed() {
        ctx.talk.info(&format!("column `{}` is called `{}` in the file", column.feature, column.name));
    }
    if !columns.is_raw() {
        let named: Vec<&str> = columns.made.iter().take(NAMED_MAX).map(String::as_str).collect();
        let more = if columns.made.len() > NAMED_MAX { ", …" } else { "" };
        ctx.talk.warn(&format!("the file holds the trees alone; the recipe makes {}{more} first", named.join(", ")));
        ctx.talk.hint(&format!(
            "make its columns with `mlops predict {name} NEW.csv -o FEATURES.csv --features`, or export onnx, which holds \
             the recipe too"
        ));
        return;
    }
    let is_category = |column: &&ExportColumn| column.levels.is_some();
    let categories: Vec<&str> = columns.all.iter().filter(is_category).map(|column| column.name.as_str()).collect();
    if categories.is_empty() {
        ctx.talk.info("the file reads raw columns, in the order of the file of features");
    } else {
        ctx.talk.info(&format!(
            "the file reads raw columns; {} must be categories with the levels that {} lists",
            categories.join(", "),
            beside.display()
        ));
    }
    let booleans = columns.all.iter().filter(|column| column.raw == Some(ColumnType::Boolean));
    let booleans: Vec<&str> = booleans.map(|column| column.name.as_str()).collect();
    if !booleans.is_empty() {
        ctx.talk.info(&format!("{} must be 0 or 1, or boolean", booleans.join(", ")));
    }
}
