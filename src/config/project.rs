//! `mlops.toml` from disk to a checked spec, with the environment on top.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::fail::{self, Failure};
use crate::base::fs;
use crate::base::limits;
use crate::base::suggest;
use crate::config::environment::Environment;
use crate::spec::model::TrainSpec;
use crate::spec::project::ProjectSpec;

/// Name of the project file.
pub const PROJECT_FILE: &str = "mlops.toml";

/// A project folder and what its file says.
#[derive(Clone, Debug)]
pub struct Project {
    /// Folder of the project.
    pub root: PathBuf,
    /// Whether there is a project file; without one the spec is all defaults.
    pub has_file: bool,
    /// What it says, the environment applied.
    pub spec: ProjectSpec,
}

impl Project {
    /// Reads the project file in `root`, if there is one, and applies the environment.
    ///
    /// Errors: not TOML, an unknown section or key (with its line), an unknown variable, an impossible split.
    pub fn load(root: &Path, environment: &Environment) -> Result<Project> {
        let path = root.join(PROJECT_FILE);
        let text = fs::read_text_optional(&path, limits::SPEC_BYTES_MAX)?;
        let spec = parse(text.as_deref().unwrap_or(""), environment, &path)?;
        Ok(Project { root: root.to_owned(), has_file: text.is_some(), spec })
    }

    /// The spec, or an error that says how to get a project file.
    pub fn require_file(&self) -> Result<&ProjectSpec, Failure> {
        if self.has_file {
            return Ok(&self.spec);
        }
        let place = self.root.display();
        Err(fail::usage(format!("there is no {PROJECT_FILE} in {place}"))
            .hint("write one with `mlops init --from FILE --target COLUMN`"))
    }
}

/// The nearest folder at or above `start` that holds a project file.
pub fn find_root(start: &Path) -> Option<PathBuf> {
    start.ancestors().find(|folder| folder.join(PROJECT_FILE).is_file()).map(Path::to_owned)
}

fn parse(text: &str, environment: &Environment, path: &Path) -> Result<ProjectSpec> {
    let mut table: toml::Table = text.parse().map_err(|error| unreadable(path, &error))?;
    if environment.settings.is_empty() {
        // Parsed from the text, so that an error names its line.
        let spec: ProjectSpec = toml::from_str(text).map_err(|error| unreadable(path, &error))?;
        return checked(spec, environment);
    }
    for ((section, key), value) in &environment.settings {
        let entry = table.entry(section.clone()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let Some(section) = entry.as_table_mut() {
            section.insert(key.clone(), read_value(value));
        }
    }
    let spec = table.try_into().map_err(|error: toml::de::Error| {
        let names: Vec<String> =
            environment.settings.keys().map(|(s, k)| format!("MLOPS_{s}_{k}").to_uppercase()).collect();
        unreadable(path, &error).hint(format!("variables in force: {}", names.join(", ")))
    })?;
    checked(spec, environment)
}

fn checked(spec: ProjectSpec, environment: &Environment) -> Result<ProjectSpec> {
    environment.check()?;
    spec.split.check()?;
    spec.train.as_ref().map_or(Ok(()), TrainSpec::check)?;
    spec.monitor.check()?;
    if spec.transform.recipe.is_some() && spec.transform.steps.is_some() {
        return Err(fail::usage("[transform] has both `recipe` and `steps`").hint("keep one of them").into());
    }
    Ok(spec)
}

/// A variable's text as a TOML value where it is one (numbers, booleans, lists), else as text.
fn read_value(text: &str) -> toml::Value {
    let parsed = format!("value = {text}").parse::<toml::Table>().ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

fn unreadable(path: &Path, error: &toml::de::Error) -> Failure {
    let message = error.to_string();
    let failure = fail::usage(format!("{} cannot be read: {}", path.display(), message.trim_end()));
    match unknown_field(&message) {
        Some((unknown, known)) => match suggest::nearest(unknown, known.iter().copied()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("known here: {}", known.join(", "))),
        },
        None => failure,
    }
}

/// The unknown name and the known ones in serde's message "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let start = message.find("unknown field").or_else(|| message.find("unknown variant"))?;
    let mut quoted = message[start..].split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}
