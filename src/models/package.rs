//! The model package: one file that holds all that is served, exported and pushed.
//!
//! Layout: magic (8 bytes), format version (u32), header length (u32), BLAKE3 of the header (32 bytes), header (JSON),
//! then the sections one after the other up to the end of the file. The header lists each section's name, length and
//! BLAKE3. Numbers are little-endian. The sections, in this order: `recipe` (JSON), `predictor` (our own form; calibration
//! curves follow), `baseline` (a `profile` record of the training rows), and `monitoring` (a `monitoring` record: how the
//! model answered rows it was scored on, the truth of these rows, importances), which older packages and imported models
//! without data do not have. Nothing in it is executed, and no length is believed before it is compared with
//! the bytes that are there.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::hash::hash;
use crate::base::id::ObjectId;
use crate::base::json;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::models::calibration::Calibration;
use crate::models::form::{FormReader, FormWriter};
use crate::models::predictor::{Predictions, Predictor};
use crate::models::zoo;
use crate::record::monitoring::MonitoringRecord;
use crate::record::profile::ProfileRecord;
use crate::record::recipe::FeatureRecord;
use crate::record::{decode, encode};
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;
use crate::spec::training::CalibrationMethod;

const MAGIC: &[u8; 8] = b"MLOPSPKG";
/// Version of the layout above.
const FORMAT: u32 = 1;
const PRELUDE_BYTES: usize = 8 + 4 + 4 + 32;
const SECTIONS: [&str; 4] = ["recipe", "predictor", "baseline", "monitoring"];
/// How many of them every package has.
const SECTIONS_NEEDED: usize = 3;

/// A raw column that the model reads, as it was in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputColumn {
    /// Name.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether a value was ever missing.
    pub missing_seen: bool,
    /// All values seen, for text of few distinct values.
    pub domain: Option<Vec<String>>,
    /// Smallest finite value seen.
    pub min: Option<f64>,
    /// Largest finite value seen.
    pub max: Option<f64>,
}

/// What the model was made from, by id: dataset, split and recipe for one that was trained here, a file for one that was
/// imported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The dataset record; for an imported model the one that described its columns, if any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<ObjectId>,
    /// The split record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<ObjectId>,
    /// The fitted recipe record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<ObjectId>,
    /// The package that the fit went on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ObjectId>,
    /// The file that it was imported from, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<ObjectId>,
}

/// What a package says of itself. Holds no time, run, path or host: equal inputs give equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageHeader {
    /// Name of the model kind.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// Name of the predicted column; for clustering and anomalies of the column of labels, empty without one.
    pub target: String,
    /// Type of the predicted column, so that classes can be answered as what they were.
    pub target_type: Option<ColumnType>,
    /// Class names in the order of the probabilities; none for regression. For anomalies the labels that mean normal and
    /// anomalous, for clustering the names of the known groups; none without labels.
    pub classes: Vec<String>,
    /// Raw columns that the recipe reads.
    pub inputs: Vec<InputColumn>,
    /// Features that the recipe makes, in order.
    pub features: Vec<FeatureRecord>,
    /// Every parameter of the model with its value.
    pub params: serde_json::Value,
    /// Seed of the training.
    pub seed: u64,
    /// What it was made from.
    pub lineage: Lineage,
    /// Scores on the validation rows.
    pub metrics: BTreeMap<String, f64>,
    /// Version of the engines that made it.
    pub engine: u32,
    /// How its probabilities are calibrated; the curves follow the predictor in its section.
    #[serde(default, skip_serializing_if = "is_uncalibrated")]
    pub calibration: CalibrationMethod,
    /// Rows of a binary task with a probability above this are positive; one half when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What the baseline of the training rows always answers: class shares, or one number; to be scored beside the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_answer: Option<Vec<f64>>,
}

impl PackageHeader {
    /// A header that says no more than what the model is: no target, classes, inputs, parameters or origin.
    pub fn new(model: &str, task: Task, features: Vec<FeatureRecord>) -> PackageHeader {
        PackageHeader {
            model: model.to_owned(),
            task,
            target: String::new(),
            target_type: None,
            classes: Vec::new(),
            inputs: Vec::new(),
            features,
            params: serde_json::json!({}),
            seed: 0,
            lineage: Lineage::default(),
            metrics: BTreeMap::new(),
            engine: zoo::ENGINE_VERSION,
            calibration: CalibrationMethod::None,
            threshold: None,
            baseline_answer: None,
        }
    }
}

impl InputColumn {
    /// A column that no value is known of.
    pub fn new(name: &str, column_type: ColumnType) -> InputColumn {
        InputColumn { name: name.to_owned(), column_type, missing_seen: false, domain: None, min: None, max: None }
    }
}

fn is_uncalibrated(method: &CalibrationMethod) -> bool {
    *method == CalibrationMethod::None
}

#[derive(Serialize, Deserialize)]
struct SectionEntry {
    name: String,
    length: u64,
    hash: ObjectId,
}

#[derive(Serialize, Deserialize)]
struct FileHeader {
    package: PackageHeader,
    sections: Vec<SectionEntry>,
}

/// A model that can predict from raw columns.
pub struct ModelPackage {
    /// What it says of itself.
    pub header: PackageHeader,
    /// From raw columns to features.
    pub recipe: FittedRecipe,
    /// Profile of the training rows, for comparison with what comes later.
    pub baseline: ProfileRecord,
    /// How it answered when it was made, for comparison with later answers.
    pub monitoring: Option<MonitoringRecord>,
    predictor: Box<dyn Predictor>,
    calibration: Option<Calibration>,
}

impl ModelPackage {
    /// Puts a package together; see [`ModelPackage::calibrated`] for one whose probabilities are mended.
    pub fn new(
        header: PackageHeader,
        recipe: FittedRecipe,
        predictor: Box<dyn Predictor>,
        baseline: ProfileRecord,
    ) -> ModelPackage {
        ModelPackage { header, recipe, baseline, monitoring: None, predictor, calibration: None }
    }

    /// Keeps how it answers.
    pub fn monitored(mut self, monitoring: MonitoringRecord) -> ModelPackage {
        self.monitoring = Some(monitoring);
        self
    }

    /// Mends its probabilities from now on.
    pub fn calibrated(mut self, method: CalibrationMethod, calibration: Calibration) -> ModelPackage {
        (self.header.calibration, self.calibration) = (method, Some(calibration));
        self
    }

    /// The fitted model itself, before calibration.
    pub fn predictor(&self) -> &dyn Predictor {
        &*self.predictor
    }

    /// How probabilities are mended, when they are.
    pub(crate) fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The file's bytes; their hash is the model's id.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut form = FormWriter::new();
        self.predictor.write(&mut form);
        if let Some(calibration) = &self.calibration {
            calibration.write(&mut form);
        }
        let mut bodies = vec![json::canonical(&self.recipe.to_json())?, form.finish(), encode(&self.baseline)?];
        bodies.extend(self.monitoring.as_ref().map(encode).transpose()?);
        let sections = SECTIONS.iter().zip(&bodies).map(|(name, body)| SectionEntry {
            name: (*name).to_owned(),
            length: body.len() as u64,
            hash: hash(body),
        });
        let header = FileHeader { package: self.header.clone(), sections: sections.collect() };
        let header = json::canonical(&header)?;
        let length = u32::try_from(header.len()).context("the header of the package is too long")?;
        let mut bytes = Vec::with_capacity(PRELUDE_BYTES + header.len() + bodies.iter().map(Vec::len).sum::<usize>());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(hash(&header).as_bytes());
        bytes.extend_from_slice(&header);
        bodies.iter().for_each(|body| bytes.extend_from_slice(body));
        Ok(bytes)
    }

    /// Opens a package, checking every length, hash and agreement between its parts.
    ///
    /// Errors: not a package, a newer format or engine (both versions named), cut short, damaged, contradictory. Cost: a
    /// small multiple of the bytes given, whatever they claim.
    pub fn open(bytes: &[u8]) -> Result<ModelPackage> {
        let (header, mut rest) = read_header(bytes)?;
        let mut bodies = Vec::with_capacity(SECTIONS.len());
        for (entry, name) in header.sections.iter().zip(SECTIONS) {
            if entry.name != name {
                return Err(damaged(&format!("section `{}` stands where `{name}` belongs", entry.name)).into());
            }
            let length = usize::try_from(entry.length).unwrap_or(usize::MAX);
            let (body, after) = rest.split_at_checked(length).ok_or_else(|| damaged("it is cut short"))?;
            if hash(body) != entry.hash {
                return Err(damaged(&format!("section `{name}` does not have the hash it should")).into());
            }
            bodies.push(body);
            rest = after;
        }
        let (needed, further) = bodies.split_at_checked(SECTIONS_NEEDED).unwrap_or_default();
        let [recipe, predictor, baseline] = needed else {
            return Err(damaged("a section is missing").into());
        };
        if !rest.is_empty() || header.sections.len() != bodies.len() {
            return Err(damaged("there is more in it than its header says").into());
        }
        let recipe = serde_json::from_slice(recipe).context("damaged model package: recipe")?;
        let recipe = FittedRecipe::from_json(&recipe).context("damaged model package: recipe")?;
        let mut form = FormReader::new(predictor);
        let predictor = (zoo::kind_for(&header.package.model, header.package.task)?.read)(&mut form)
            .context("damaged model package: predictor")?;
        let calibration = match header.package.calibration {
            CalibrationMethod::None => None,
            _ => Some(Calibration::read(&mut form, header.package.classes.len()).context("damaged model package")?),
        };
        form.end()?;
        let baseline = decode(baseline).context("damaged model package: baseline")?;
        let monitoring = further.first().map(|body| decode::<MonitoringRecord>(body)).transpose();
        let monitoring = monitoring.context("damaged model package: monitoring")?;
        let package = ModelPackage { header: header.package, recipe, baseline, monitoring, predictor, calibration };
        package.agree()?;
        Ok(package)
    }

    /// Answers for raw columns: the one path of batch and online prediction.
    ///
    /// Errors: a column that the recipe reads is missing or of another kind.
    pub fn predict(&self, frame: &Frame) -> Result<Predictions> {
        self.predict_matrix(&self.recipe.apply(frame)?)
    }

    /// Answers for features that the recipe has made.
    pub fn predict_matrix(&self, matrix: &Matrix) -> Result<Predictions> {
        let predictions = self.predictor.predict(matrix)?;
        Ok(match &self.calibration {
            Some(calibration) => calibration.apply(predictions),
            None => predictions,
        })
    }

    /// Class of each row of `predictions`, as its threshold has it; empty for numbers.
    pub fn labels(&self, predictions: &Predictions) -> Vec<u32> {
        predictions.classes_at(self.header.threshold)
    }

    /// Checks that recipe, predictor and header speak of the same model, by predicting no rows at all.
    fn agree(&self) -> Result<()> {
        let header = &self.header;
        self.monitoring
            .as_ref()
            .map_or(Ok(()), MonitoringRecord::check)
            .context("damaged model package: monitoring")?;
        if self.recipe.features() != header.features {
            return Err(damaged("its recipe makes other features than its header lists").into());
        }
        if let Some(threshold) = header.threshold
            && (header.task != Task::Binary || !(0.0..=1.0).contains(&threshold))
        {
            return Err(damaged("its threshold is none for its task").into());
        }
        if let Some(answer) = &header.baseline_answer
            && (answer.len() != header.classes.len().max(1) || !answer.iter().all(|value| value.is_finite()))
        {
            return Err(damaged("its baseline answers another task").into());
        }
        let columns = header.inputs.iter().map(|input| Column::raw(&input.name, empty(input.column_type)));
        let nothing = Frame::new(0, columns.collect()).context("damaged model package: inputs")?;
        let answer = self.predict(&nothing).context("damaged model package: its parts do not fit each other")?;
        let classes = header.classes.len();
        let fits = answer.fits(header.task)
            && match answer {
                Predictions::Numbers(_) => classes == 0,
                Predictions::Probabilities { classes: found, .. } => found == classes && classes > 0,
                Predictions::Clusters { .. } => true,
                Predictions::Anomalies { .. } => classes <= 2,
            };
        if fits { Ok(()) } else { Err(damaged("its predictor answers another task than its header says").into()) }
    }
}

/// A package taken apart for comparison: nothing in it is interpreted.
pub struct PackageParts<'b> {
    /// What it says of itself.
    pub header: serde_json::Value,
    /// Names and bytes of its sections, in order.
    pub sections: Vec<(String, &'b [u8])>,
}

/// Takes a package apart. Errors: not a package, damaged, of a newer format or engine.
pub fn parts(bytes: &[u8]) -> Result<PackageParts<'_>> {
    let (header, mut rest) = read_header(bytes)?;
    let mut sections = Vec::with_capacity(header.sections.len());
    for SectionEntry { name, length, .. } in header.sections {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (body, after) = rest.split_at_checked(length).ok_or_else(|| damaged("it is cut short"))?;
        sections.push((name, body));
        rest = after;
    }
    Ok(PackageParts { header: serde_json::to_value(&header.package)?, sections })
}

fn read_header(bytes: &[u8]) -> Result<(FileHeader, &[u8])> {
    let not_ours = || fail::world("this is not a model package").hint("name a model that `mlops train` made");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_ours)?;
    let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it is cut short"))?;
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        let what = format!("this model package has format {format}; this mlops reads format {FORMAT}");
        return Err(fail::world(what).hint("use the mlops that made it, or train the model again").into());
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it is cut short"))?;
    let (expected, rest) = rest.split_first_chunk::<32>().ok_or_else(|| damaged("it is cut short"))?;
    let length = u32::from_le_bytes(*length) as usize;
    let (header, rest) = rest.split_at_checked(length).ok_or_else(|| damaged("it is cut short"))?;
    if hash(header) != ObjectId::new(*expected) {
        return Err(damaged("its header does not have the hash it should").into());
    }
    let header: FileHeader = serde_json::from_slice(header).context("damaged model package: header")?;
    let engine = header.package.engine;
    if engine > zoo::ENGINE_VERSION {
        let what = format!("this model was made by engine {engine}; this mlops has engine {}", zoo::ENGINE_VERSION);
        return Err(fail::world(what).hint("use a newer mlops").into());
    }
    Ok((header, rest))
}

fn empty(column_type: ColumnType) -> Values {
    match column_type {
        // A time of day is a number to a model: seconds since midnight.
        ColumnType::Integer | ColumnType::Float | ColumnType::Boolean | ColumnType::Time => Values::Number(Vec::new()),
        ColumnType::Text => Values::Text(TextValues::default()),
        ColumnType::Date | ColumnType::Timestamp => Values::Time(Vec::new()),
    }
}

fn damaged(why: &str) -> Failure {
    fail::world(format!("damaged model package: {why}")).hint("pull it again, or train the model again")
}
