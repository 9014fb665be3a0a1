//! `mlops.toml`: the whole project in one file, strict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::card::CardSpec;
use crate::spec::drift::DriftSpec;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::recipe::TransformSpec;
use crate::spec::schema::Severity;
use crate::spec::split::SplitSpec;
use crate::spec::tune::TuneSpec;

/// The file as a whole. A section that is absent has its defaults; a stage whose section is absent does not run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectSpec {
    /// Name and seed.
    pub project: ProjectSection,
    /// Where the table comes from and what it means.
    pub data: Option<DataSpec>,
    /// How rows are divided.
    pub split: SplitSpec,
    /// What the table must look like.
    pub validate: Option<ValidateSpec>,
    /// How columns become features.
    pub transform: TransformSpec,
    /// What is fitted.
    pub train: Option<TrainSpec>,
    /// How parameters are searched.
    pub tune: Option<TuneSpec>,
    /// How the model is judged.
    pub evaluate: Option<EvaluateSpec>,
    /// What the model is called.
    pub register: Option<RegisterSpec>,
    /// How it is served.
    pub serve: ServeSpec,
    /// How it is watched.
    pub monitor: DriftSpec,
    /// What only people know of the model.
    pub card: CardSpec,
    /// Commands of the project's own in the same graph.
    #[serde(rename = "stage")]
    pub stages: Vec<StageSpec>,
}

/// `[project]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectSection {
    /// Name of the project; the default name of its dataset and model.
    pub name: Option<String>,
    /// The one source of chance.
    pub seed: u64,
}

impl Default for ProjectSection {
    fn default() -> ProjectSection {
        ProjectSection { name: None, seed: 42 }
    }
}

/// `[data]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// File, folder, pattern or address the table is read from, relative to the project folder.
    pub source: String,
    /// Name of the dataset; the project's name when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// The column to predict.
    #[serde(default)]
    pub target: Option<String>,
    /// What kind of prediction; inferred when absent.
    #[serde(default)]
    pub task: Option<Task>,
    /// Texts that mean "missing"; the built-in list when absent.
    #[serde(default)]
    pub null_values: Option<Vec<String>>,
    /// Columns kept in the data, never used as features.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Columns that identify a row.
    #[serde(default)]
    pub key: Vec<String>,
    /// Column that says how much each row counts in a fit; never a feature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// `csv`, `json`, `jsonl`, `parquet`, `arrow` or `excel`; told by the file's ending and first bytes when absent.
    #[serde(default)]
    pub format: Option<String>,
    /// What stands between two fields; CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    /// How text is written as bytes, as `latin1`; CSV, JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The sheet to read; Excel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The member to read; zip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Which partitions of a pattern such as `data/{YYYY}-{MM}-{DD}.csv` are kept: `7d`, `24h`, or the newest `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Types of columns that inference would guess differently.
    #[serde(default)]
    pub types: BTreeMap<String, crate::spec::schema::ColumnType>,
}

/// `[validate]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValidateSpec {
    /// The reviewed schema, relative to the project folder.
    pub schema: String,
    /// Severity from which the verdict is `fail`.
    pub fail_on: Severity,
    /// The environment of the schema that the table is judged in.
    pub environment: String,
    /// Whether suspicions that need no rule (leaks, identifiers, odd values, label conflicts) are looked for.
    #[serde(skip_serializing_if = "is_yes")]
    pub sense: bool,
    /// A version to compare the distributions with, as `penguins@v1`; `[monitor]` says how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
}

impl Default for ValidateSpec {
    fn default() -> ValidateSpec {
        ValidateSpec {
            schema: "schema.toml".to_owned(),
            fail_on: Severity::Error,
            environment: "training".to_owned(),
            sense: true,
            against: None,
        }
    }
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

/// `[evaluate]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluateSpec {
    /// Metrics shown first; all of the task when empty.
    pub metrics: Vec<String>,
    /// Parts of the rows that are judged apart: columns, crosses, bins, conditions.
    pub slices: Vec<String>,
    /// What must hold.
    pub gates: Vec<String>,
    /// Gates hold only when the whole interval clears the bound.
    #[serde(skip_serializing_if = "is_no")]
    pub confident: bool,
    /// Resamples that intervals come from; 0: no intervals.
    #[serde(skip_serializing_if = "is_usual_resamples")]
    pub resamples: u32,
    /// Share of intervals that hold the true value, in `(0, 1)`.
    #[serde(skip_serializing_if = "is_usual_level")]
    pub level: f64,
    /// Slices of fewer rows are left out, which is said.
    #[serde(skip_serializing_if = "is_usual_slice")]
    pub slice_rows_min: u64,
    /// How many of the worst slices are looked for without being named.
    #[serde(skip_serializing_if = "is_usual_worst")]
    pub worst: u32,
    /// Column that rows are weighed by; the dataset's own column of weights when absent, no weights with `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Groups whose treatment is measured, as `sex=F`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<String>,
    /// The class, or several with commas, that is a good answer to a person; for numbers `>= 50000`. The positive class, or
    /// what is above the median, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub favourable: Option<String>,
    /// Column whose values the measures CDDL and CDDPL are conditional on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facet_group: Option<String>,
    /// What each answer costs: `costs[truth][prediction]`, classes in their order; for the metric `expected_cost`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cost_matrix: Vec<Vec<f64>>,
    /// Documents that `mlops run` and `mlops evaluate` write: `.html`, `.md` or `.json`, relative to the project folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub report: Vec<String>,
    /// Whether missing values, noise and other seeds are tried.
    #[serde(skip_serializing_if = "is_no")]
    pub robustness: bool,
}

impl EvaluateSpec {
    /// Resamples unless said otherwise.
    pub const RESAMPLES: u32 = 1_000;
    /// Level of intervals unless said otherwise.
    pub const LEVEL: f64 = 0.95;
    /// Rows of the smallest slice shown unless said otherwise.
    pub const SLICE_ROWS_MIN: u64 = 1;
    /// Worst slices looked for unless said otherwise.
    pub const WORST: u32 = 10;
}

impl Default for EvaluateSpec {
    fn default() -> EvaluateSpec {
        EvaluateSpec {
            metrics: Vec::new(),
            slices: Vec::new(),
            gates: Vec::new(),
            confident: false,
            resamples: EvaluateSpec::RESAMPLES,
            level: EvaluateSpec::LEVEL,
            slice_rows_min: EvaluateSpec::SLICE_ROWS_MIN,
            worst: EvaluateSpec::WORST,
            weight: None,
            facets: Vec::new(),
            favourable: None,
            facet_group: None,
            cost_matrix: Vec::new(),
            report: Vec::new(),
            robustness: false,
        }
    }
}

fn is_no(flag: &bool) -> bool {
    !*flag
}

fn is_usual_resamples(resamples: &u32) -> bool {
    *resamples == EvaluateSpec::RESAMPLES
}

fn is_usual_level(level: &f64) -> bool {
    *level == EvaluateSpec::LEVEL
}

fn is_usual_slice(rows: &u64) -> bool {
    *rows == EvaluateSpec::SLICE_ROWS_MIN
}

fn is_usual_worst(worst: &u32) -> bool {
    *worst == EvaluateSpec::WORST
}

/// `[register]`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegisterSpec {
    /// Name of the model; the project's name when absent.
    pub name: Option<String>,
    /// Alias that moves to every registered version.
    pub alias: Option<String>,
    /// Alias that moves only when every gate passed.
    pub promote: Option<String>,
    /// A sentence kept with the version.
    pub note: Option<String>,
    /// Free words kept with the version.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Whether a server has to answer with the model first; yes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<bool>,
}

/// `[serve]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeSpec {
    /// Address to listen on.
    pub host: String,
    /// Port to listen on; 0 lets the system choose.
    pub port: u16,
    /// Share of requests kept for monitoring, in `[0, 1]`.
    pub capture: f64,
}

impl Default for ServeSpec {
    fn default() -> ServeSpec {
        ServeSpec { host: "127.0.0.1".to_owned(), port: 8080, capture: 0.0 }
    }
}

/// `[[stage]]`: any command of the project's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Name, unique among all stages.
    pub name: String,
    /// What the shell (`sh -c`) runs in the project folder.
    pub cmd: String,
    /// Files, folders, `stage:NAME`, `data:REF` or `model:REF` that it reads.
    #[serde(default)]
    pub deps: Vec<String>,
    /// Files that it writes.
    #[serde(default)]
    pub outs: Vec<String>,
    /// Values handed over as `MLOPS_PARAM_<NAME>` and kept with the run.
    #[serde(default)]
    pub params: toml::Table,
    /// Runs every time, cached or not.
    #[serde(default)]
    pub always: bool,
}
