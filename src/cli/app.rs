//! What every verb shares: where it works, how it speaks, what time it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::clock::Clock;
use crate::base::fail::{self, Blame};
use crate::base::failpoint;
use crate::base::talk::Talk;
use crate::cli::args::GlobalArgs;
use crate::config::environment::Environment;
use crate::config::project::{PROJECT_FILE, Project};
use crate::ops::context::OpCtx;
use crate::ops::hooks::Hooks;
use crate::repo::Repo;
use crate::repo::killed::seal_dead_runs;
use crate::serve;
use crate::source;
use crate::term::ui::Ui;

/// The answer of a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, and the answer is yes.
    Yes,
    /// Done, and the answer is no.
    No,
    /// Part of it could not be done; it was said why.
    Could(Blame),
}

/// The surroundings of one command.
pub struct App {
    /// The printer.
    pub ui: Ui,
    /// What the environment says.
    pub environment: Environment,
    /// Folder to act in.
    pub folder: PathBuf,
    /// Where the present comes from.
    pub clock: Clock,
    /// Words of the command line, without passwords.
    pub words: Vec<String>,
    /// Whether everything that needs a network is refused.
    pub offline: bool,
    /// What is settled about hooks.
    hooks: Hooks,
}

impl App {
    /// Settles the folder and the clock.
    ///
    /// Errors: the folder of `-C` is not there; `MLOPS_NOW` is not a time.
    pub fn new(ui: Ui, environment: Environment, global: &GlobalArgs, words: Vec<String>) -> Result<App> {
        if let Some(point) = &environment.fail_point {
            failpoint::arm(point);
        }
        environment.check()?;
        let clock = environment.clock()?;
        let hooks = Hooks { inside: environment.hook.clone(), wait: environment.hook_wait()? };
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        let folder = global.directory.as_ref().map_or(here.clone(), |given| here.join(given));
        if !folder.is_dir() {
            return Err(fail::usage(format!("{} is not a folder", folder.display()))
                .hint("check the path after -C")
                .into());
        }
        // What is typed is kept with the run for good; a password in an address must not be.
        let words = words.iter().map(|word| source::redact(word)).collect();
        Ok(App { ui, environment, folder, clock, words, offline: global.offline, hooks })
    }

    /// A path of the command line: relative to where the command acts.
    pub fn path(&self, given: &Path) -> PathBuf {
        self.folder.join(given)
    }

    /// The repository at or above the folder; one is made beside a project file that has none yet, and said. Runs whose
    /// process died are closed as `killed` on the way.
    pub fn repo(&self) -> Result<Repo> {
        let repo = self.open_repo()?;
        let dead = seal_dead_runs(&repo, &self.ctx(0).actor(), self.clock.now());
        // A repository that cannot be written can still be read; listings show such runs as killed all the same.
        for run in dead.unwrap_or_default() {
            self.ui.warn(&format!("run {run} did not end: its process was killed"));
        }
        Ok(repo)
    }

    fn open_repo(&self) -> Result<Repo> {
        for folder in self.folder.ancestors() {
            let hidden = folder.join(".mlops");
            if hidden.join("format").exists() {
                return Repo::open(folder);
            }
            if hidden.is_file() {
                let what = format!("{} is a file where the repository's folder belongs", hidden.display());
                return Err(fail::world(what).hint("move it away, then run `mlops init`").into());
            }
            if folder.join(PROJECT_FILE).is_file() {
                let (repo, _) = Repo::init(folder)?;
                self.ui.info(&format!("made a repository in {}", folder.join(".mlops").display()));
                return Ok(repo);
            }
        }
        Repo::open(&self.folder)
    }

    /// What the project file of the repository says, with the environment on top.
    pub fn project(&self, repo: &Repo) -> Result<Project> {
        Project::load(repo.root(), &self.environment)
    }

    /// The surroundings of an operation.
    pub fn ctx(&self, seed: u64) -> OpCtx<'_> {
        OpCtx {
            clock: self.clock,
            talk: &self.ui,
            command: &self.words,
            seed,
            stage: None,
            variables: &self.environment.variables,
            offline: self.offline,
            hooks: self.hooks.clone(),
            check: Some(serve::check::check),
        }
    }

    /// Prints a report: the one JSON envelope, or what `show` prints for people.
    pub fn print<T: Serialize>(
        &self,
        kind: &str,
        report: &T,
        show: impl FnOnce(&Ui) -> std::io::Result<()>,
    ) -> Result<()> {
        let printed = if self.ui.json() { self.ui.envelope(kind, report) } else { show(&self.ui) };
        printed.context("cannot write to standard output")
    }
}
