//! `mlops.lock`: what the last run of each stage used and made. Kept in git, written by the tool, read strictly.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use crate::base::fail;
use crate::base::fs;
use crate::base::id::ObjectId;
use crate::base::limits;

/// Version written; older ones that are still known are read too.
pub const VERSION: u32 = 1;

const HEADER: &str = "\
# What the last run of each stage used and made; `mlops run` writes it, git keeps it.
# Not for editing. After a merge conflict take either side and run `mlops run`.
";

/// The lock file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockFile {
    /// Version of the format.
    pub version: u32,
    /// Entries by the name of their stage.
    pub stages: BTreeMap<String, LockEntry>,
}

/// What one stage used and made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEntry {
    /// Hash of the inputs.
    pub key: ObjectId,
    /// Every input by name, with its value or the id of its content.
    pub inputs: BTreeMap<String, String>,
    /// Every output by name, with the id of its content.
    pub outputs: BTreeMap<String, ObjectId>,
}

impl Default for LockFile {
    fn default() -> LockFile {
        LockFile { version: VERSION, stages: BTreeMap::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    #[serde(default)]
    stage: Vec<WrittenStage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStage {
    name: String,
    key: ObjectId,
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    #[serde(default)]
    outputs: BTreeMap<String, ObjectId>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl LockFile {
    /// Reads the lock file at `path`; an empty one when there is no such file.
    ///
    /// Errors: too large, not UTF-8, marks of an unfinished merge, a newer version, unknown keys, two entries of one
    /// stage.
    pub fn read(path: &Path) -> Result<LockFile> {
        match fs::read_text_optional(path, limits::SPEC_BYTES_MAX)? {
            None => Ok(LockFile::default()),
            Some(text) => LockFile::parse(&text),
        }
    }

    /// Reads the text of a lock file; errors as of [`LockFile::read`].
    pub fn parse(text: &str) -> Result<LockFile> {
        if let Some(line) = text.lines().position(is_conflict_mark) {
            let message = format!("mlops.lock has an unfinished merge in line {}", line + 1);
            return Err(fail::usage(message)
                .hint("take either side (`git checkout --ours mlops.lock`), then run `mlops run`")
                .into());
        }
        let damaged = |error: toml::de::Error| {
            fail::usage(format!("mlops.lock is damaged: {}", error.to_string().trim_end()))
                .hint("restore it from git, or delete it: the next `mlops run` writes it again")
        };
        let VersionOnly { version } = toml::from_str(text).map_err(damaged)?;
        if version > VERSION {
            let message = format!("mlops.lock has version {version}; this mlops reads versions up to {VERSION}");
            return Err(fail::world(message).hint("use the newer mlops that wrote it").into());
        }
        let written: Written = toml::from_str(text).map_err(damaged)?;
        let mut lock = LockFile { version: written.version, stages: BTreeMap::new() };
        for WrittenStage { name, key, inputs, outputs } in written.stage {
            if lock.stages.insert(name.clone(), LockEntry { key, inputs, outputs }).is_some() {
                return Err(fail::usage(format!("mlops.lock has two entries for stage `{name}`"))
                    .hint("delete one of them, then run `mlops run`")
                    .into());
            }
        }
        Ok(lock)
    }

    /// The text of the file: stages, inputs and outputs sorted by name, one a line, so that changes of different stages
    /// merge.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}version = {VERSION}\n");
        for (name, entry) in &self.stages {
            text += &format!("\n[[stage]]\nname = {}\nkey = \"{}\"\n", quoted(name), entry.key);
            let inputs = entry.inputs.iter().map(|(name, value)| (name, quoted(value)));
            text += &table("inputs", inputs);
            let outputs = entry.outputs.iter().map(|(name, id)| (name, quoted(&id.hex())));
            text += &table("outputs", outputs);
        }
        text
    }

    /// Writes the file at `path` by way of the folder `staging` on the same file system. Leaves a file that says the
    /// same already untouched. Returns whether it was written.
    pub fn write(&self, path: &Path, staging: &Path) -> Result<bool> {
        let text = self.to_text();
        if fs::read_optional(path, limits::SPEC_BYTES_MAX)?.is_some_and(|bytes| bytes == text.as_bytes()) {
            return Ok(false);
        }
        fs::write_atomic(path, staging, text.as_bytes())?;
        Ok(true)
    }

    /// Ids of everything that stages made: what must not be collected as garbage.
    pub fn objects(&self) -> Vec<ObjectId> {
        self.stages.values().flat_map(|entry| entry.outputs.values().copied()).collect()
    }
}

fn is_conflict_mark(line: &str) -> bool {
    line == "=======" || ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|mark| line.starts_with(mark))
}

fn table<'a>(name: &str, lines: impl Iterator<Item = (&'a String, String)>) -> String {
    let lines: String = lines.map(|(key, value)| format!("{} = {value}\n", key_text(key))).collect();
    if lines.is_empty() { lines } else { format!("[stage.{name}]\n{lines}") }
}

fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if bare { key.to_owned() } else { quoted(key) }
}

/// A TOML basic string on one line. JSON's escapes are a subset of TOML's, but TOML wants DEL escaped too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
