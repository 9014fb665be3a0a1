//! Hooks: executables of this clone that are asked before a version or an alias changes, and told after.
//!
//! `.mlops/hooks/pre-register`, `post-register`, `pre-promote`, `post-promote`. `rollback`, `undo` and every alias that
//! `register` moves run the promote hooks. A hook gets one JSON object on standard input and the same as `MLOPS_HOOK_*`
//! variables; it works in the project folder and may call `mlops`, as no lock is held while it runs. What those calls do
//! runs no hooks again. Hooks are files of one clone: they are no objects, so they never travel.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::id::ObjectId;
use crate::base::limits::{HOOK_OUTPUT_BYTES_MAX, HOOK_WAIT};
use crate::base::{fail, group};
use crate::ops::context::OpCtx;
use crate::record::evaluation::Verdict;
use crate::repo::Repo;
use crate::repo::marks::VersionState;

/// How long a poll for the end of a hook waits for its next line.
const POLL: Duration = Duration::from_millis(20);
/// How long the last words of a hook that has ended are waited for: what it left running may keep them open for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Longest line that is passed on whole.
const LINE_BYTES_MAX: u64 = 1 << 16;
/// Tries to start a hook that somebody is still writing, a moment apart.
const START_TRIES: usize = 20;

/// What is settled about hooks before a verb starts.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// The hook that this very command was called by.
    pub inside: Option<String>,
    /// How long one may take.
    pub wait: Duration,
}

impl Default for Hooks {
    fn default() -> Hooks {
        Hooks { inside: None, wait: HOOK_WAIT }
    }
}

/// What is about to happen, or has happened, as a hook is told.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    /// `register` or `promote`: which pair of hooks is concerned.
    pub event: &'static str,
    /// The verb that does it: `register`, `promote`, `rollback`, `undo`.
    pub command: &'static str,
    /// Name of the model.
    pub name: String,
    /// The version registered, or that the alias will point at; before a registration the number it will get.
    pub version: Option<u32>,
    /// Id of the package that is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    /// The alias that moves; none for a registration.
    pub alias: Option<String>,
    /// Version it pointed at.
    pub from: Option<u32>,
    /// Version it will point at; none when it is removed.
    pub to: Option<u32>,
    /// Why, as the person said.
    pub reason: Option<String>,
    /// Verdict of the version's evaluation.
    pub verdict: Verdict,
    /// State of the version.
    pub state: VersionState,
    /// Whether it happens although the verdict or the state speaks against it.
    pub forced: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    hook: &'a str,
    #[serde(flatten)]
    happening: &'a Happening,
    user: String,
    host: String,
    time: Timestamp,
}

/// How a hook ended.
enum Ended {
    /// There is none, or it was not run, which was said.
    NotRun,
    Well,
    /// It says no: how it ended, and its last lines.
    Badly(String),
}

/// Whether there is any hook: then what hooks are told must still hold when it is done.
pub fn are_there(repo: &Repo) -> bool {
    let names = ["pre-register", "post-register", "pre-promote", "post-promote"];
    names.iter().any(|name| repo.layout().hooks().join(name).exists())
}

/// Asks the `pre-` hook; why it refuses, if it does.
///
/// Errors: it cannot be started.
pub fn before(repo: &Repo, happening: &Happening, ctx: &OpCtx<'_>) -> Result<Option<String>> {
    let name = format!("pre-{}", happening.event);
    match run(repo, &name, happening, ctx)? {
        Ended::Badly(why) => Ok(Some(format!("hook {name} {why}"))),
        Ended::Well | Ended::NotRun => Ok(None),
    }
}

/// Tells the `post-` hook; that it failed, or could not be started, is said and changes nothing.
pub fn after(repo: &Repo, happening: &Happening, ctx: &OpCtx<'_>) {
    let name = format!("post-{}", happening.event);
    match run(repo, &name, happening, ctx) {
        Ok(Ended::Badly(why)) => ctx.talk.warn(&format!("hook {name} {why}; what it was told of stands")),
        Ok(Ended::Well | Ended::NotRun) => {}
        Err(error) => ctx.talk.warn(&format!("{error:#}; what it was to be told of stands")),
    }
}

fn run(repo: &Repo, name: &str, happening: &Happening, ctx: &OpCtx<'_>) -> Result<Ended> {
    let path = repo.layout().hooks().join(name);
    let Ok(found) = fs::metadata(&path) else {
        // A guard that somebody set up and that cannot be asked has not agreed.
        return Ok(match path.symlink_metadata() {
            Ok(_) => Ended::Badly(format!("cannot be run: {} is a link to nothing", path.display())),
            Err(_) => Ended::NotRun,
        });
    };
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        let shown = path.display();
        ctx.talk.warn(&format!("hook {name} is not executable, so it was not run: chmod +x {shown}"));
        return Ok(Ended::NotRun);
    }
    if let Some(inside) = &ctx.hooks.inside {
        ctx.talk.info(&format!("hook {name} was not run: this command was called by hook {inside}"));
        return Ok(Ended::NotRun);
    }
    let actor = ctx.actor();
    let message = Message { hook: name, happening, user: actor.user, host: actor.host, time: ctx.clock.now() };
    let message = serde_json::to_vec(&message).context("cannot write what a hook is told")?;
    let mut command = Command::new(&path);
    command.current_dir(repo.root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    variables(name, happening, &mut command);
    let mut child = start(&mut command, name, &path)?;
    feed(&mut child, message);
    let mut said = Said { name, kept: Vec::new(), ctx };
    let ended = said.until_end(&mut child)?;
    Ok(match ended {
        Some(status) if status.success() => Ended::Well,
        Some(status) => Ended::Badly(said.with_last_lines(format!("ended with {status}"))),
        None => {
            let wait = ctx.hooks.wait.as_secs_f64();
            Ended::Badly(
                said.with_last_lines(format!("took longer than {wait} s and was stopped (MLOPS_HOOK_TIMEOUT)")),
            )
        }
    })
}

/// The happening as variables; what is not there is empty.
fn variables(name: &str, happening: &Happening, command: &mut Command) {
    let number = |version: Option<u32>| version.map(|version| version.to_string()).unwrap_or_default();
    command
        .env("MLOPS_HOOK", name)
        .env("MLOPS_HOOK_COMMAND", happening.command)
        .env("MLOPS_HOOK_NAME", &happening.name)
        .env("MLOPS_HOOK_VERSION", number(happening.version))
        .env("MLOPS_HOOK_ALIAS", happening.alias.as_deref().unwrap_or_default())
        .env("MLOPS_HOOK_FROM", number(happening.from))
        .env("MLOPS_HOOK_TO", number(happening.to))
        .env("MLOPS_HOOK_REASON", happening.reason.as_deref().unwrap_or_default().replace('\0', " "))
        .env("MLOPS_HOOK_VERDICT", happening.verdict.name())
        .env("MLOPS_HOOK_STATE", happening.state.name());
}

fn start(command: &mut Command, name: &str, path: &Path) -> Result<Child> {
    let mut tries = 0;
    loop {
        tries += 1;
        match group::apart(command).spawn() {
            Ok(child) => return Ok(child),
            // Whoever wrote it has not closed it yet.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < START_TRIES => {
                std::thread::sleep(POLL);
            }
            Err(error) => {
                let what = format!("hook {name} cannot be started: {error}");
                let hint = format!("its first line names what runs it, as #!/bin/sh; see {}", path.display());
                return Err(fail::world(what).hint(hint).into());
            }
        }
    }
}

/// Writes the message on a thread of its own: a hook need not read it.
fn feed(child: &mut Child, message: Vec<u8>) {
    if let Some(mut input) = child.stdin.take() {
        std::thread::spawn(move || {
            // A hook that closes its input has heard enough.
            let _ = input.write_all(&message).and_then(|()| input.write_all(b"\n"));
        });
    }
}

/// Passes lines on until their end.
fn listen(output: Option<impl Read + Send + 'static>, heard: Sender<Vec<u8>>) {
    let Some(output) = output else { return };
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while let Ok(1..) = lines.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            if heard.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
}

/// What a hook has said.
struct Said<'a> {
    name: &'a str,
    kept: Vec<u8>,
    ctx: &'a OpCtx<'a>,
}

impl Said<'_> {
    /// Waits for the end of the hook, passing its lines on; `None` when it took too long and was killed.
    fn until_end(&mut self, child: &mut Child) -> Result<Option<ExitStatus>> {
        let started = Instant::now();
        let (heard, lines) = mpsc::channel();
        listen(child.stdout.take(), heard.clone());
        listen(child.stderr.take(), heard);
        loop {
            match lines.recv_timeout(POLL.min(self.ctx.hooks.wait)) {
                Ok(line) => self.say(&line),
                Err(RecvTimeoutError::Timeout) => {}
                // It has closed its outputs and will end in a moment, or goes on in silence.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(1)),
            }
            if let Some(status) = child.try_wait().with_context(|| format!("cannot wait for hook {}", self.name))? {
                self.drain(&lines);
                return Ok(Some(status));
            }
            if started.elapsed() > self.ctx.hooks.wait {
                group::kill(child);
                self.drain(&lines);
                return Ok(None);
            }
        }
    }

    fn drain(&mut self, lines: &Receiver<Vec<u8>>) {
        let end = Instant::now() + LAST_WORDS;
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.say(&line);
        }
    }

    fn say(&mut self, line: &[u8]) {
        self.ctx.talk.info(&format!("{}: {}", self.name, String::from_utf8_lossy(line).trim_end()));
        self.kept.extend_from_slice(line);
        self.kept.drain(..self.kept.len().saturating_sub(HOOK_OUTPUT_BYTES_MAX));
    }

    fn with_last_lines(&self, how: String) -> String {
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        if last.is_empty() { how } else { format!("{how}: {last}") }
    }
}
