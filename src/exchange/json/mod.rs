//! Whole models as plain JSON, for who wants to read or run one in any language.
//!
//! One object:
//! - `format` (`"mlops-model"`) and `version` (1; raised when a reader of this one would go wrong);
//! - `header`: what the package says of itself: `model` (the kind), `task`, `target`, `classes` in the order of the
//!   probabilities, `threshold`, `inputs` (raw columns), `features`, `params`, `metrics`, `lineage`…;
//! - `recipe`: the fitted recipe, from raw columns to features, step by step;
//! - `predictor`, one of three shapes told by `form`:
//!   - `"trees"`: `answer` (`identity`, `exp`, `sigmoid` of the score of the second class, `softmax`, or `mean` of the leaves
//!     of all trees), `initial` (one score an output), `trees`: each with its `output` and `nodes`; a walk begins at node 0
//!     and goes to `left` where the value of `feature` is at most `at_most`, or its code is in `among` (`levels` names
//!     them), to where `missing` says for missing and unseen values, else to `right`; a node with `value` (or `values`, one
//!     an output) ends it. Scores are `initial` plus the values of all trees of the output;
//!   - `"linear"`: `answer` as above and `scores`: `intercept` and `coefficients` by feature, for one score or one a class;
//!   - `"fields"`: any other kind: its arrays by name, as the kind keeps them;
//! - `calibration`, where probabilities are mended: `method` and its arrays by name.
//!
//! Numbers have all their digits: each reads back as the same bits. There is nothing in it to be executed.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::columns::Columns;
use crate::exchange::json::trees::TreesForm;
use crate::models::form::{FieldValues, FormReader, FormWriter};
use crate::models::linear::fitted::{Linear, Link};
use crate::models::package::{ModelPackage, PackageHeader};
use crate::spec::training::CalibrationMethod;

mod trees;

/// Version of the shape above.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct FileForm<'a> {
    format: &'static str,
    version: u32,
    header: &'a PackageHeader,
    recipe: Value,
    predictor: PredictorForm<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<CalibrationForm>,
}

#[derive(Serialize)]
struct CalibrationForm {
    method: CalibrationMethod,
    fields: Vec<Field>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    values: FieldValues,
}

#[derive(Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
enum PredictorForm<'a> {
    Trees(TreesForm<'a>),
    Linear { answer: &'static str, scores: Vec<ScoreForm<'a>> },
    Fields { fields: Vec<Field> },
}

#[derive(Serialize)]
struct ScoreForm<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    intercept: f64,
    coefficients: serde_json::Map<String, Value>,
}

/// Writes any model as JSON, indented by two blanks.
///
/// Errors: the recipe does not apply to no rows.
pub fn write(package: &ModelPackage) -> Result<Vec<u8>> {
    let columns = Columns::of(package, |_| false)?;
    let predictor = match package.predictor().as_any().downcast_ref::<Linear>() {
        Some(linear) => linear_form(linear, package),
        None => match TreesForm::of(package, &columns) {
            Some(trees) => PredictorForm::Trees(trees),
            None => {
                let mut form = FormWriter::new();
                package.predictor().write(&mut form);
                PredictorForm::Fields { fields: fields(&form.finish())? }
            }
        },
    };
    let calibration = match package.calibration() {
        None => None,
        Some(calibration) => {
            let mut form = FormWriter::new();
            calibration.write(&mut form);
            Some(CalibrationForm { method: package.header.calibration, fields: fields(&form.finish())? })
        }
    };
    let (header, recipe) = (&package.header, package.recipe.to_json());
    let file = FileForm { format: "mlops-model", version: VERSION, header, recipe, predictor, calibration };
    let mut bytes = serde_json::to_vec_pretty(&file)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn fields(bytes: &[u8]) -> Result<Vec<Field>> {
    let mut reader = FormReader::new(bytes);
    let mut fields = Vec::new();
    while let Some((name, values)) = reader.any()? {
        fields.push(Field { name, values });
    }
    Ok(fields)
}

fn linear_form<'a>(linear: &Linear, package: &'a ModelPackage) -> PredictorForm<'a> {
    let classes = &package.header.classes;
    let answer = match linear.link() {
        Link::Identity => "identity",
        Link::Logit => "sigmoid",
        Link::Softmax => "softmax",
        Link::Log => "exp",
    };
    let names = || package.recipe.features().iter().map(|feature| feature.name.clone());
    let scores = linear.point().chunks_exact(linear.width() + 1).enumerate().map(|(output, point)| {
        let class = match linear.link() {
            Link::Softmax => classes.get(output),
            Link::Logit => classes.get(1),
            Link::Identity | Link::Log => None,
        };
        ScoreForm {
            class: class.map(String::as_str),
            intercept: point[linear.width()],
            coefficients: names().zip(point).map(|(name, value)| (name, Value::from(*value))).collect(),
        }
    });
    PredictorForm::Linear { answer, scores: scores.collect() }
}
