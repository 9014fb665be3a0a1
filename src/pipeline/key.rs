//! The key of a stage: a hash of everything that its outcome depends on.
//!
//! The constructors of [`KeyInput`] are the one list of what that is. Left out on purpose: time, machine, user, number
//! of threads and environment, because outcomes must not depend on them; and a command's `always`, which asks to run
//! whatever the key says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use crate::base::fail;
use crate::base::hash::Hasher;
use crate::base::id::ObjectId;
use crate::spec::project::StageSpec;

/// Value of a file input that does not exist.
pub const ABSENT: &str = "absent";
/// Name under which the version of this tool is an input.
pub const TOOL: &str = "mlops";
/// Prefix of the names of files and folders.
pub const FILE: &str = "file:";
/// Prefix of the names of other stages' outputs.
pub const STAGE: &str = "stage:";

/// One thing that the outcome of a stage depends on.
///
/// Names do not clash: those of files, references and outputs begin with their kind and a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInput {
    /// What it is called in the lock file.
    pub name: String,
    /// Its value, or the id of its content.
    pub value: String,
}

impl KeyInput {
    /// Version of this tool: another version may compute another outcome.
    pub fn tool(version: &str) -> KeyInput {
        KeyInput { name: TOOL.to_owned(), value: version.to_owned() }
    }

    /// Seed of the project.
    pub fn seed(seed: u64) -> KeyInput {
        KeyInput { name: "seed".to_owned(), value: seed.to_string() }
    }

    /// A file or folder that is read, by its path relative to the project folder; `None` when it does not exist.
    pub fn file(path: &Path, id: Option<ObjectId>) -> KeyInput {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        KeyInput { name: format!("{FILE}{}", path.display()), value: id.map_or(ABSENT.to_owned(), |id| id.hex()) }
    }

    /// What a `data:REF` or `model:REF` resolves to; `None` when nothing has that name yet.
    pub fn reference(text: &str, id: Option<ObjectId>) -> KeyInput {
        KeyInput { name: text.to_owned(), value: id.map_or(ABSENT.to_owned(), |id| id.hex()) }
    }

    /// Output `output` of stage `stage` that is read.
    pub fn output(stage: &str, output: &str, id: ObjectId) -> KeyInput {
        KeyInput { name: format!("{STAGE}{stage}/{output}"), value: id.hex() }
    }

    /// Settings of one section, one input for each leaf: `{params: {trees: 100}}` under `train` gives
    /// `train.params.trees` = `100`. Lists and empty tables are leaves; absent settings are no inputs. Values are JSON,
    /// so text and numbers differ.
    pub fn settings(section: &str, settings: &impl Serialize) -> Result<Vec<KeyInput>> {
        let value = serde_json::to_value(settings).with_context(|| format!("cannot read the settings of {section}"))?;
        let mut inputs = Vec::new();
        flatten(section, &value, &mut inputs);
        Ok(inputs)
    }

    /// What a command stage says of itself: its command line, its parameters and the files it is to write. The content
    /// of what it reads are inputs of their own.
    pub fn command(spec: &StageSpec, outs: &[PathBuf]) -> Result<Vec<KeyInput>> {
        let mut outs: Vec<String> = outs.iter().map(|out| out.display().to_string()).collect();
        outs.sort();
        let mut inputs = vec![
            KeyInput { name: "cmd".to_owned(), value: Value::from(spec.cmd.as_str()).to_string() },
            KeyInput { name: "outs".to_owned(), value: Value::from(outs).to_string() },
        ];
        inputs.extend(KeyInput::settings("params", &spec.params)?);
        Ok(inputs)
    }
}

fn flatten(name: &str, value: &Value, inputs: &mut Vec<KeyInput>) {
    match value {
        Value::Null => {}
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
                let key = if bare { key.clone() } else { Value::from(key.as_str()).to_string() };
                flatten(&format!("{name}.{key}"), value, inputs);
            }
        }
        leaf => inputs.push(KeyInput { name: name.to_owned(), value: leaf.to_string() }),
    }
}

/// Key of a stage with the inputs that it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageKey {
    /// The hash.
    pub key: ObjectId,
    /// Every input by name, the tool's version among them: what the lock file keeps, so that changes have names.
    pub inputs: BTreeMap<String, String>,
}

impl StageKey {
    /// Key of `stage` from all its inputs, in any order; that of the tool is added.
    ///
    /// Errors: two inputs of one name with different values.
    pub fn new(stage: &str, tool_version: &str, inputs: Vec<KeyInput>) -> Result<StageKey> {
        let mut by_name = BTreeMap::new();
        for input in inputs.into_iter().chain([KeyInput::tool(tool_version)]) {
            let KeyInput { name, value } = input;
            if by_name.get(&name).is_some_and(|known| *known != value) {
                return Err(fail::usage(format!("stage `{stage}` has two inputs called `{name}`")).into());
            }
            by_name.insert(name, value);
        }
        Ok(StageKey { key: stage_key(stage, tool_version, &by_name), inputs: by_name })
    }
}

/// Hash of a stage's name, the tool's version and every input. Texts are preceded by their lengths, so that no two
/// lists of inputs read alike.
pub fn stage_key(stage: &str, tool_version: &str, inputs: &BTreeMap<String, String>) -> ObjectId {
    let mut hasher = Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    };
    add("mlops stage key 1");
    add(stage);
    add(tool_version);
    for (name, value) in inputs {
        add(name);
        add(value);
    }
    hasher.finish()
}
