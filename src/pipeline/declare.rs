//! From the project file to its stages, each with what it says of itself; edges between them are drawn in `graph`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::suggest;
use crate::pipeline::graph::{Stage, StageKind};
use crate::pipeline::paths;
use crate::spec::project::{ProjectSpec, StageSpec};

/// Names that commands cannot have: the stages of sections, declared or not.
pub const RESERVED: &[&str] = &["ingest", "validate", "transform", "train", "evaluate", "register"];

const DEPENDENCY_FORMS: &str = "a dependency is a file, a folder, `stage:NAME`, `data:REF` or `model:REF`; \
                                write `./` before a file whose name has a colon";

/// Stages of the sections that are there, in a chain, then the commands in the order written. `deps` hold only what was
/// said: the chain and `stage:NAME`.
pub fn stages(spec: &ProjectSpec) -> Result<Vec<Stage>> {
    let mut stages = sections(spec)?;
    for command in &spec.stages {
        stages.push(command_stage(command).with_context(|| format!("in [[stage]] `{}` of mlops.toml", command.name))?);
    }
    Ok(stages)
}

/// Section by section; a section that works on what another makes needs that one too.
fn sections(spec: &ProjectSpec) -> Result<Vec<Stage>> {
    needs("validate", spec.validate.is_some(), "data", spec.data.is_some())?;
    needs("train", spec.train.is_some(), "data", spec.data.is_some())?;
    needs("evaluate", spec.evaluate.is_some(), "train", spec.train.is_some())?;
    needs("register", spec.register.is_some(), "train", spec.train.is_some())?;
    let mut chain = Vec::new();
    if let Some(data) = &spec.data {
        chain.push(("ingest", StageKind::Ingest, source_files(&data.source).context("in [data] of mlops.toml")?));
    }
    if let Some(validate) = &spec.validate {
        let schema = paths::normal(&validate.schema).context("in [validate] of mlops.toml")?;
        chain.push(("validate", StageKind::Validate, vec![schema]));
    }
    if spec.train.is_some() {
        chain.push(("transform", StageKind::Transform, Vec::new()));
        chain.push(("train", StageKind::Train, Vec::new()));
    }
    if spec.evaluate.is_some() {
        chain.push(("evaluate", StageKind::Evaluate, Vec::new()));
    }
    if spec.register.is_some() {
        chain.push(("register", StageKind::Register, Vec::new()));
    }
    let mut stages: Vec<Stage> = Vec::new();
    for (name, kind, files) in chain {
        let deps = stages.last().map(|before| before.name.clone()).into_iter().collect();
        stages.push(Stage { name: name.to_owned(), kind, deps, files, outs: Vec::new(), refs: Vec::new() });
    }
    Ok(stages)
}

fn needs(section: &str, declared: bool, other: &str, other_declared: bool) -> Result<()> {
    if declared && !other_declared {
        return Err(fail::usage(format!("mlops.toml has [{section}] but no [{other}], which it works on"))
            .hint(format!("add a [{other}] section"))
            .into());
    }
    Ok(())
}

/// Files that a `[data]` source reads: none for an address; for a pattern, the folder below which it can match.
fn source_files(source: &str) -> Result<Vec<PathBuf>> {
    if source.contains("://") || source == "-" {
        return Ok(Vec::new());
    }
    let path = paths::normal(source)?;
    let is_pattern = |part: &std::ffi::OsStr| part.as_encoded_bytes().iter().any(|byte| b"*?[{".contains(byte));
    Ok(vec![path.iter().take_while(|part| !is_pattern(part)).collect()])
}

fn command_stage(spec: &StageSpec) -> Result<Stage> {
    check_name(&spec.name)?;
    if spec.cmd.trim().is_empty() {
        return Err(fail::usage("`cmd` is empty").hint("write the command that the stage runs").into());
    }
    let mut stage = Stage {
        name: spec.name.clone(),
        kind: StageKind::Command(spec.clone()),
        deps: Vec::new(),
        files: Vec::new(),
        outs: spec.outs.iter().map(|out| paths::writable(out)).collect::<Result<_, _>>()?,
        refs: Vec::new(),
    };
    for dep in &spec.deps {
        match dep.split_once(':') {
            Some((kind @ ("stage" | "data" | "model"), name)) => {
                if name.split('@').next().is_none_or(str::is_empty) {
                    return Err(fail::usage(format!("dependency `{dep}` has no name")).hint(DEPENDENCY_FORMS).into());
                }
                if kind == "stage" { stage.deps.push(name.to_owned()) } else { stage.refs.push(dep.clone()) }
            }
            Some((kind, _)) if !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) => {
                let near = suggest::nearest(kind, ["stage", "data", "model"]);
                let hint = near.map_or(DEPENDENCY_FORMS.to_owned(), |near| format!("did you mean `{near}:`?"));
                return Err(fail::usage(format!("unknown kind of dependency `{dep}`")).hint(hint).into());
            }
            _ => stage.files.push(paths::normal(dep)?),
        }
    }
    Ok(stage)
}

fn check_name(name: &str) -> Result<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !plain || !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return Err(fail::usage(format!("`{name}` cannot be the name of a stage"))
            .hint("use letters, digits, `_`, `-` and `.`, a letter or digit first")
            .into());
    }
    if RESERVED.contains(&name) {
        return Err(fail::usage(format!("`{name}` is the name of a built-in stage"))
            .hint("choose another name")
            .into());
    }
    Ok(())
}
