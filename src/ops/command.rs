//! A command of the project's own as a stage: run by the shell, its output kept, its files stored.

use std::io::{BufRead, BufReader, Read};
use std::path::{Component, Path};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::base::fail;
use crate::base::fs::readable;
use crate::base::id::RunId;
use crate::base::limits;
use crate::base::talk::Talk;
use crate::ops::context::OpCtx;
use crate::ops::execute::Executed;
use crate::ops::files::{remember_hash, stamp};
use crate::ops::recorded::{Done, Work, recorded};
use crate::ops::stages::{Outputs, Workspace};
use crate::spec::project::StageSpec;

/// Runs the command and stores the files it was declared to write.
///
/// Errors: it cannot be started, it exits with anything but 0, a declared file is not there afterwards. The run keeps
/// the output of the command in every case.
pub fn run(space: &Workspace<'_>, spec: &StageSpec, ctx: &OpCtx<'_>) -> Result<Executed> {
    let outcome = recorded(space.repo, ctx, "stage", |_, work| {
        work.param("cmd", spec.cmd.as_str().into())?;
        for (name, value) in &spec.params {
            work.param(name, serde_json::to_value(value)?)?;
        }
        for out in &spec.outs {
            remove_old(&space.path(out))?;
        }
        let child = start(space, spec, work.run())?;
        let (status, text) = wait(child, ctx.talk)?;
        work.output_text = Some(space.repo.store().put(&text)?.id);
        work.exit_code = status.code();
        if !status.success() {
            return Err(fail::world(format!("`{}` ended with {status}", spec.cmd))
                .hint("all of its output: `mlops log --errors`")
                .into());
        }
        Ok(Done::yes(store_outputs(space, spec, work)?))
    })?;
    let outputs = outcome.value;
    let summary = match outputs.len() {
        0 => "done".to_owned(),
        count => format!("wrote {}", crate::base::units::plural(count as u64, "file")),
    };
    Ok(Executed { run: Some(outcome.run), outputs, summary, yes: true })
}

/// A file of an earlier run must not pass for this one's.
fn remove_old(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove the old {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Starts the command for `run`, with the parameters of `spec` in its environment.
pub fn start(space: &Workspace<'_>, spec: &StageSpec, run: RunId) -> Result<Child> {
    let mut command = Command::new("sh");
    // Both streams in one pipe, so that the kept text has the order a person would have seen.
    command.arg("-c").arg(format!("exec 2>&1\n{}", spec.cmd)).current_dir(space.root);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env("MLOPS_RUN", run.hex()).env("MLOPS_STAGE", &spec.name);
    command.env("MLOPS_SEED", space.spec.project.seed.to_string());
    for (name, value) in &spec.params {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        command.env(format!("MLOPS_PARAM_{}", name.to_uppercase()), text);
    }
    command.spawn().with_context(|| format!("cannot start `{}`", spec.cmd))
}

/// Waits, passing the output on line by line, and returns its last part.
pub fn wait(mut child: Child, talk: &dyn Talk) -> Result<(std::process::ExitStatus, Vec<u8>)> {
    let mut kept = Vec::new();
    if let Some(out) = child.stdout.take() {
        let mut lines = BufReader::new(out);
        let mut line = Vec::new();
        // A line is cut at 64 KiB, so that a command that never ends one cannot fill the memory.
        while let Ok(1..) = lines.by_ref().take(1 << 16).read_until(b'\n', &mut line) {
            talk.info(&format!("  {}", String::from_utf8_lossy(&line).trim_end()));
            kept.append(&mut line);
            if kept.len() > 2 * limits::STAGE_OUTPUT_BYTES_MAX {
                kept.drain(..kept.len() - limits::STAGE_OUTPUT_BYTES_MAX);
            }
        }
    }
    let status = child.wait().context("cannot wait for the command")?;
    kept.drain(..kept.len().saturating_sub(limits::STAGE_OUTPUT_BYTES_MAX));
    Ok((status, kept))
}

fn store_outputs(space: &Workspace<'_>, spec: &StageSpec, work: &mut Work) -> Result<Outputs> {
    let mut outputs = Outputs::new();
    for out in &spec.outs {
        let path = space.path(out);
        if !path.exists() {
            let what = format!("`{}` was declared to write {out} and did not", spec.cmd);
            return Err(fail::world(what).hint("write it, or take it out of `outs`").into());
        }
        for entry in WalkDir::new(&path).sort_by_file_name() {
            let entry = entry.with_context(|| format!("cannot read {out}"))?;
            if !entry.file_type().is_file() {
                continue;
            }
            let name = relative(space.root, entry.path());
            let seen = stamp(entry.path())?;
            let mut file = std::fs::File::open(entry.path()).with_context(|| format!("cannot open {name}"))?;
            let id = space.repo.store().put_reader(&mut file)?.id;
            remember_hash(space.repo, entry.path(), &seen, id);
            work.output("output", &name, id)?;
            outputs.insert(name, id);
        }
    }
    Ok(outputs)
}

fn relative(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts = inside.components().filter(|part| !matches!(part, Component::CurDir));
    parts.collect::<std::path::PathBuf>().display().to_string()
}

/// Writes the stored outputs of an earlier run of the same inputs back to the project folder.
pub fn restore(space: &Workspace<'_>, outputs: &Outputs) -> Result<()> {
    for (name, id) in outputs {
        let path = space.path(name);
        if let Some(folder) = path.parent() {
            crate::base::fs::create_dir_all(folder)?;
        }
        let mut reader = space.repo.store().open(id)?;
        let folder = path.parent().unwrap_or(space.root);
        let mut file = tempfile::Builder::new()
            .permissions(readable())
            .tempfile_in(folder)
            .with_context(|| format!("cannot write {name}"))?;
        std::io::copy(&mut reader, &mut file).with_context(|| format!("cannot restore {name}"))?;
        file.persist(&path).map_err(|error| error.error).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}
