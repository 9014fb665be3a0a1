//! The model package: the one file that is served, exported and pushed.
//!
//! Four sections: `header` (canonical JSON), `recipe` (canonical JSON of the fitted recipe), `predictor` (the stable
//! binary form of its kind), `baseline` (a profile record of the training rows). No times, runs or paths, so equal
//! training gives equal bytes.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::json;
use crate::base::limits::{CLASSES_MAX, COLUMNS_MAX};
use crate::data::frame::Frame;
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::features::recipe::FittedRecipe;
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::{Predictions, Predictor};
use crate::models::sections;
use crate::models::zoo;
use crate::record;
use crate::record::profile::ProfileRecord;
use crate::record::recipe::FeatureRecord;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// One raw column that the recipe reads, as it was in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputColumn {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether training rows without a value were seen.
    pub missing_seen: bool,
    /// Every text that was seen, when they were few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Vec<String>>,
    /// Smallest number seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest number seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What the model was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The dataset record.
    pub dataset: ObjectId,
    /// The split record.
    pub split: ObjectId,
    /// The recipe record.
    pub recipe: ObjectId,
}

/// Everything about a model that a person or a server asks before predicting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageHeader {
    /// Name of the model kind.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// The column it predicts.
    pub target: String,
    /// Type of that column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_type: Option<ColumnType>,
    /// Class names in the order of the probabilities; empty for regression.
    pub classes: Vec<String>,
    /// Raw columns that it needs.
    pub inputs: Vec<InputColumn>,
    /// Features that the recipe makes of them, in order.
    pub features: Vec<FeatureRecord>,
    /// All parameters, defaults included.
    pub params: serde_json::Value,
    /// Seed it was trained with.
    pub seed: u64,
    /// What it was made from.
    pub lineage: Lineage,
    /// Scores on the validation rows.
    pub metrics: BTreeMap<String, f64>,
    /// [`zoo::ENGINE_VERSION`] of the tool that made it.
    pub engine: u32,
}

/// A fitted recipe and a fitted model that belong together, and all that is known about them. Immutable.
pub struct ModelPackage {
    /// What it is.
    pub header: PackageHeader,
    /// Makes features of raw columns.
    pub recipe: FittedRecipe,
    predictor: Box<dyn Predictor>,
    /// Profile of the training rows, for drift.
    pub baseline: ProfileRecord,
}

impl fmt::Debug for ModelPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelPackage").field("header", &self.header).finish_non_exhaustive()
    }
}

impl ModelPackage {
    /// Puts a package together. Nothing is checked here that [`ModelPackage::to_bytes`] does not check.
    pub fn new(
        header: PackageHeader,
        recipe: FittedRecipe,
        predictor: Box<dyn Predictor>,
        baseline: ProfileRecord,
    ) -> ModelPackage {
        ModelPackage { header, recipe, predictor, baseline }
    }

    /// The file. Equal packages give equal bytes.
    ///
    /// Errors: a number that is not finite in the header or the predictor, parts that do not belong together. The file is
    /// opened again before it is given out, so what cannot be read is never written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        for (name, value) in &self.header.metrics {
            if !value.is_finite() {
                return Err(fail::world(format!("metric `{name}` of the model is {value}")).into());
            }
        }
        let mut form = FormWriter::new();
        self.predictor.write(&mut form);
        let file = sections::write(&[
            ("header", json::canonical(&self.header)?),
            ("recipe", json::canonical(&self.recipe.to_json())?),
            ("predictor", form.finish()),
            ("baseline", record::encode(&self.baseline)?),
        ]);
        ModelPackage::open(&file).context("the fitted model cannot be packed")?;
        Ok(file)
    }

    /// Reads a file, checks it whole and makes it ready to predict. Nothing in it is executed.
    ///
    /// Errors: not a package, cut short, damaged, of a newer format or engine (named), parts that do not belong together.
    pub fn open(bytes: &[u8]) -> Result<ModelPackage> {
        let mut found = sections::read(bytes)?.into_iter();
        let mut section = |name: &str| match found.next() {
            Some((there, bytes)) if there == name => Ok(bytes),
            _ => Err(fail::world(format!("damaged model package: section `{name}` is not where it should be"))),
        };
        let header: PackageHeader =
            serde_json::from_slice(section("header")?).context("damaged model package: section `header`")?;
        check_engine(&header)?;
        let recipe = serde_json::from_slice(section("recipe")?).context("damaged model package: section `recipe`")?;
        let recipe = FittedRecipe::from_json(&recipe).context("damaged model package: section `recipe`")?;
        let mut form = FormReader::new(section("predictor")?);
        let kind = zoo::kind_for(&header.model, header.task)?;
        let predictor = (kind.read)(&mut form).context("damaged model package: section `predictor`")?;
        form.end()?;
        let baseline = record::decode(section("baseline")?).context("damaged model package: section `baseline`")?;
        let package = ModelPackage { header, recipe, predictor, baseline };
        package.check_parts()?;
        Ok(package)
    }

    /// Answers for raw rows: the recipe first, then the model.
    ///
    /// Errors: a column that is missing or of another type, a value that the kind cannot use.
    pub fn predict(&self, frame: &Frame) -> Result<Predictions> {
        self.predict_matrix(&self.recipe.apply(frame)?)
    }

    /// Answers for rows whose features the recipe has made already.
    pub fn predict_matrix(&self, matrix: &Matrix) -> Result<Predictions> {
        let predictions = self.predictor.predict(matrix)?;
        let is_agreed = match &predictions {
            Predictions::Numbers(_) => self.header.classes.is_empty(),
            Predictions::Probabilities { classes, .. } => *classes == self.header.classes.len(),
        };
        match is_agreed {
            true => Ok(predictions),
            false => Err(fail::world("damaged model package: the model does not answer for its classes").into()),
        }
    }

    fn check_parts(&self) -> Result<()> {
        let header = &self.header;
        let classes_fine = match header.task {
            Task::Binary => header.classes.len() == 2,
            Task::Multiclass => (2..=CLASSES_MAX).contains(&header.classes.len()),
            Task::Regression => header.classes.is_empty(),
        };
        if !classes_fine {
            let count = header.classes.len();
            let task = header.task.name();
            return Err(fail::world(format!("damaged model package: {count} classes for a {task} task")).into());
        }
        if header.features != self.recipe.features() || header.features.len() > COLUMNS_MAX {
            let what = "damaged model package: the recipe does not make the features that the header names";
            return Err(fail::world(what).into());
        }
        // Asking about no rows is the cheapest way to learn whether model, features and classes fit together.
        self.predict_matrix(&no_rows(&header.features)?).map(|_| ())
    }
}

fn check_engine(header: &PackageHeader) -> Result<()> {
    let known = zoo::ENGINE_VERSION;
    if header.engine > known {
        let engine = header.engine;
        return Err(fail::world(format!(
            "this model was made by engine version {engine}; this mlops has engine version {known}"
        ))
        .hint(format!("use an mlops of engine version {engine} or newer"))
        .into());
    }
    Ok(())
}

fn no_rows(features: &[FeatureRecord]) -> Result<Matrix> {
    let features = features.iter().map(|feature| {
        let values = match feature.feature_type.as_str() {
            "number" => FeatureValues::Number(Vec::new()),
            "indicator" => FeatureValues::Indicator { codes: [].into(), code: 0 },
            "category" => FeatureValues::Category { codes: [].into(), levels: 0 },
            other => return Err(fail::world(format!("damaged model package: a feature is of type `{other}`"))),
        };
        Ok(Feature { name: feature.name.as_str().into(), from: feature.from.as_str().into(), values })
    });
    Matrix::new(0, features.collect::<Result<_, _>>()?)
}
