//! One execution of anything: who, when, with what, at what cost, to what end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::record::Record;

/// Kind of the runs that a study is made of: one a point tried. There may be thousands, so listings leave them out unless
/// they are asked for, and the newest run is never one.
pub const TRIAL: &str = "trial";
/// Kinds of runs that this tool makes.
pub const KINDS: [&str; 17] = [
    "ingest",
    "validate",
    "transform",
    "train",
    "tune",
    TRIAL,
    "evaluate",
    "explain",
    "register",
    "promote",
    "rollback",
    "predict",
    "import",
    "export",
    "reproduce",
    "stage",
    "manual",
];

/// How a run ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its process is alive.
    Running,
    /// Ended as wanted.
    Finished,
    /// Ended with an error, or with the answer no.
    Failed,
    /// Its process died without ending it.
    Killed,
}

impl RunState {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Finished => "finished",
            RunState::Failed => "failed",
            RunState::Killed => "killed",
        }
    }
}

/// What is known when a run starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Identity.
    pub id: RunId,
    /// What kind of work: `train`, `evaluate`, …, `stage` for a command of the project, `manual`.
    pub kind: String,
    /// Stage of the project file that it executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Hash of all inputs of that stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_key: Option<ObjectId>,
    /// When it started.
    pub started: Timestamp,
    /// Words of the command line.
    pub command: Vec<String>,
    /// State of the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeState>,
    /// Seed.
    pub seed: u64,
    /// Version of this tool.
    pub tool_version: String,
    /// Machine.
    pub host: String,
    /// Login name.
    pub user: String,
}

/// Git's view of the project folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeState {
    /// Commit checked out.
    pub commit: String,
    /// Whether tracked files differ from it.
    pub dirty: bool,
    /// What they differ by: a blob that `git apply` reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<ObjectId>,
    /// Whether the difference was too long and the patch has not all files of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub patch_cut: bool,
    /// Files that git neither knows nor ignores: a blob of one JSON object a line with path, length and hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untracked: Option<ObjectId>,
    /// How many of them are listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub untracked_files: u64,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl CodeState {
    /// Objects that hold what the commit does not.
    pub fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.patch.into_iter().chain(self.untracked)
    }
}

/// One value of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricPoint {
    /// Name of the metric.
    pub name: String,
    /// Position on the metric's own axis (tree, epoch); 0 when it has none.
    pub step: i64,
    /// Its value.
    pub value: f64,
}

/// One thing that a run read or made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it was to the run: `dataset`, `recipe`, `model`, `raw`, `output`, `artifact`…
    pub role: String,
    /// What a person calls it: a reference, a path.
    pub name: String,
    /// The object.
    pub id: ObjectId,
}

/// One run, ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What was known when it started.
    #[serde(flatten)]
    pub start: RunStart,
    /// How it ended.
    pub state: RunState,
    /// When it ended; for a killed run, when that was noticed.
    pub ended: Timestamp,
    /// From start to end, in seconds.
    pub wall_seconds: f64,
    /// Processor time and memory.
    pub usage: Usage,
    /// Parameters by name.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Every metric point, in the order logged; the value of a metric is that of its last point.
    pub metrics: Vec<MetricPoint>,
    /// Free words.
    pub tags: BTreeMap<String, String>,
    /// What it read.
    pub inputs: Vec<Link>,
    /// What it made.
    pub outputs: Vec<Link>,
    /// Blob of a command's output, last part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_text: Option<ObjectId>,
    /// Exit code of a command, or of the verb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl RunRecord {
    /// Whether the run is one of many that a study is made of.
    pub fn is_trial(&self) -> bool {
        self.start.kind == TRIAL
    }

    /// Last value of each metric.
    pub fn last_metrics(&self) -> BTreeMap<&str, f64> {
        self.metrics.iter().map(|point| (point.name.as_str(), point.value)).collect()
    }
}

impl Record for RunRecord {
    const KIND: &'static str = "run";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        let links = self.inputs.iter().chain(&self.outputs).map(|link| link.id);
        let code = self.start.code.iter().flat_map(CodeState::objects);
        links.chain(self.output_text).chain(code).collect()
    }
}
