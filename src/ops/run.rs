//! `run`: executes what the project file declares, as far as it has to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail::{self, Blame};
use crate::base::id::{ObjectId, RunId};
use crate::base::limits;
use crate::base::lock::FileLock;
use crate::ops::command;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::report::redraw;
use crate::ops::execute::{Executed, execute};
use crate::ops::stages::{Outputs, Standing, Workspace};
use crate::pipeline::graph::{Graph, Stage, StageKind, graph};
use crate::pipeline::lockfile::{LockEntry, LockFile};
use crate::repo::Repo;
use crate::spec::project::ProjectSpec;

/// Name of the lock file in the project folder.
pub const LOCK_FILE: &str = "mlops.lock";

/// What to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Folder of the project.
    pub root: PathBuf,
    /// What the project file says.
    pub spec: ProjectSpec,
    /// Stages wanted, with all they depend on; every stage when empty.
    pub stages: Vec<String>,
    /// Runs wanted stages although their results stand.
    pub force: bool,
    /// Most stages at once.
    pub jobs: usize,
    /// Goes on with stages that do not depend on a failed one.
    pub keep_going: bool,
}

/// What became of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// It ran and ended well.
    Done,
    /// Its last result stands.
    Cached,
    /// It ran and failed, or its answer is no.
    Failed,
    /// It did not run because another failed.
    Skipped,
}

impl StageState {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            StageState::Done => "done",
            StageState::Cached => "cached",
            StageState::Failed => "failed",
            StageState::Skipped => "skipped",
        }
    }
}

/// What became of one stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// Name of the stage.
    pub name: String,
    /// What became of it.
    pub state: StageState,
    /// Why it ran, was skipped or failed, in sentences.
    pub why: Vec<String>,
    /// What came of it.
    pub summary: String,
    /// Seconds it took.
    pub seconds: f64,
    /// Its run, if it ran.
    pub run: Option<RunId>,
}

/// What became of all stages.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// One entry for each stage wanted, in the order of the graph.
    pub stages: Vec<StageReport>,
    /// Whether a stage ended with an error (not just with the answer no), and who has to act.
    #[serde(skip)]
    pub blame: Option<Blame>,
}

impl RunReport {
    /// Whether every stage is done or cached.
    pub fn is_good(&self) -> bool {
        self.stages.iter().all(|stage| matches!(stage.state, StageState::Done | StageState::Cached))
    }
}

/// How one stage ended, as its thread tells.
struct Ended {
    index: usize,
    report: StageReport,
    entry: Option<LockEntry>,
    blame: Option<Blame>,
}

/// Executes the stages wanted, in the order of their dependencies, at most `jobs` at once.
pub fn run(repo: &Repo, options: &RunOptions, ctx: &OpCtx<'_>) -> Result<RunReport> {
    let graph = graph(&options.spec)?;
    if graph.stages().is_empty() {
        let hint = "add [data] and [train], or a [[stage]]; `mlops init --from FILE --target COLUMN` writes both";
        return Err(fail::usage("the project file declares no stage").hint(hint).into());
    }
    let wanted = graph.select(&options.stages)?;
    let holder = ctx.actor().command;
    let _alone = FileLock::acquire(&repo.layout().pipeline_lock(), limits::LOCK_WAIT, &holder)?;
    let lock = LockFile::read(&options.root.join(LOCK_FILE))?;
    let space = Workspace { repo, root: &options.root, spec: &options.spec };
    Schedule { space: &space, graph: &graph, options, ctx, lock }.execute(&wanted)
}

struct Schedule<'a> {
    space: &'a Workspace<'a>,
    graph: &'a Graph,
    options: &'a RunOptions,
    ctx: &'a OpCtx<'a>,
    lock: LockFile,
}

impl Schedule<'_> {
    fn execute(mut self, wanted: &[usize]) -> Result<RunReport> {
        let mut reports: BTreeMap<usize, StageReport> = BTreeMap::new();
        let mut outputs: BTreeMap<String, Outputs> = BTreeMap::new();
        let mut waiting: Vec<usize> = wanted.to_vec();
        let mut blame = None;
        let mut under_way = 0;
        let (sender, receiver) = mpsc::channel::<Ended>();
        std::thread::scope(|scope| -> Result<()> {
            while !waiting.is_empty() || under_way > 0 {
                self.skip_hopeless(&mut waiting, &mut reports);
                let ready = waiting.iter().position(|&index| self.is_ready(index, &reports, wanted));
                match ready.filter(|_| under_way < self.options.jobs.max(1)) {
                    Some(position) => {
                        let index = waiting.remove(position);
                        let before = outputs.clone();
                        let (sender, lock) = (sender.clone(), self.lock.clone());
                        let one = OneStage {
                            space: self.space,
                            stage: &self.graph.stages()[index],
                            ctx: self.ctx,
                            force: self.options.force,
                        };
                        under_way += 1;
                        scope.spawn(move || {
                            let ended = one.end(index, &before, &lock);
                            // The receiver outlives every sender inside this scope.
                            let _ = sender.send(ended);
                        });
                    }
                    None if under_way > 0 => {
                        let Ok(ended) = receiver.recv() else { break };
                        under_way -= 1;
                        blame = blame.or(ended.blame);
                        if let Some(entry) = ended.entry {
                            outputs.insert(ended.report.name.clone(), entry.outputs.clone());
                            self.keep(&ended.report.name, entry)?;
                        }
                        reports.insert(ended.index, ended.report);
                    }
                    None => break,
                }
            }
            Ok(())
        })?;
        Ok(RunReport { stages: wanted.iter().filter_map(|index| reports.remove(index)).collect(), blame })
    }

    fn is_ready(&self, index: usize, reports: &BTreeMap<usize, StageReport>, wanted: &[usize]) -> bool {
        let stages = self.graph.stages();
        stages[index].deps.iter().all(|dep| {
            let position = stages.iter().position(|stage| stage.name == *dep);
            position.is_none_or(|at| reports.contains_key(&at) || !wanted.contains(&at))
        })
    }

    /// Skips what depends on a stage that failed, and everything when the run is not to keep going.
    fn skip_hopeless(&self, waiting: &mut Vec<usize>, reports: &mut BTreeMap<usize, StageReport>) {
        let bad = |report: &StageReport| matches!(report.state, StageState::Failed | StageState::Skipped);
        let stages = self.graph.stages();
        waiting.retain(|&index| {
            let stage = &stages[index];
            let broken = reports.values().find(|report| bad(report) && stage.deps.contains(&report.name));
            let any = reports.values().find(|report| bad(report)).filter(|_| !self.options.keep_going);
            let Some(cause) = broken.or(any) else {
                return true;
            };
            let why = vec![format!("{} {}", cause.name, cause.state.name())];
            let report = StageReport {
                name: stage.name.clone(),
                state: StageState::Skipped,
                why,
                summary: String::new(),
                seconds: 0.0,
                run: None,
            };
            reports.insert(index, report);
            false
        });
    }

    /// Writes the lock file after every stage, so that a run that is stopped goes on where it was.
    fn keep(&mut self, name: &str, entry: LockEntry) -> Result<()> {
        if self.lock.stages.get(name) == Some(&entry) {
            return Ok(());
        }
        self.lock.stages.insert(name.to_owned(), entry);
        self.lock.write(&self.options.root.join(LOCK_FILE), &self.space.repo.layout().staging()).map(drop)
    }
}

/// One stage on its own thread.
struct OneStage<'a> {
    space: &'a Workspace<'a>,
    stage: &'a Stage,
    ctx: &'a OpCtx<'a>,
    force: bool,
}

impl OneStage<'_> {
    fn end(&self, index: usize, before: &BTreeMap<String, Outputs>, lock: &LockFile) -> Ended {
        let started = Instant::now();
        let mut report = StageReport {
            name: self.stage.name.clone(),
            state: StageState::Done,
            why: Vec::new(),
            summary: String::new(),
            seconds: 0.0,
            run: None,
        };
        let outcome = self.attempt(before, lock, &mut report);
        report.seconds = started.elapsed().as_secs_f64();
        let mut blame = None;
        let entry = outcome.unwrap_or_else(|error| {
            report.state = StageState::Failed;
            let found = fail::find(&error);
            blame = Some(found.map_or(Blame::World, |failure| failure.blame));
            report.why = vec![format!("{error:#}")];
            report.why.extend(found.and_then(|failure| failure.hint.clone()));
            None
        });
        Ended { index, report, entry, blame }
    }

    fn attempt(
        &self,
        before: &BTreeMap<String, Outputs>,
        lock: &LockFile,
        report: &mut StageReport,
    ) -> Result<Option<LockEntry>> {
        let standing = self.space.standing(self.stage, before, lock)?;
        let entry = |outputs| LockEntry { key: standing.key, inputs: standing.inputs.clone(), outputs };
        if !self.force {
            if let Some(outputs) = standing.outputs.clone() {
                report.state = StageState::Cached;
                self.redraw(&outputs)?;
                return Ok(Some(entry(outputs)));
            }
            if let Some((run, outputs)) = self.in_history(&standing)? {
                report.state = StageState::Cached;
                report.summary = format!("restored from run {run}");
                self.redraw(&outputs)?;
                return Ok(Some(entry(outputs)));
            }
        }
        report.why = if self.force { vec!["forced".to_owned()] } else { standing.why.clone() };
        self.ctx.talk.info(&format!("{}: {}", self.stage.name, report.why.join("; ")));
        let ctx = OpCtx { stage: Some((self.stage.name.clone(), standing.key)), ..self.ctx.clone() };
        let Executed { run, outputs, summary, yes } = execute(self.space, self.stage, before, &ctx)?;
        (report.run, report.summary) = (run, summary);
        if !yes {
            report.state = StageState::Failed;
            return Ok(None);
        }
        Ok(Some(entry(outputs)))
    }

    /// Writes the documents of an evaluation that stands, so that they are of the model at hand.
    fn redraw(&self, outputs: &Outputs) -> Result<()> {
        let spec = self.space.spec.evaluate.as_ref().filter(|_| self.stage.kind == StageKind::Evaluate);
        match (spec, outputs.get("evaluation")) {
            (Some(spec), Some(id)) if !spec.report.is_empty() => {
                let paths: Vec<PathBuf> = spec.report.iter().map(|path| self.space.path(path)).collect();
                redraw(self.space.repo, id, &self.space.model_name(), &paths)
            }
            _ => Ok(()),
        }
    }

    /// Outputs of an earlier run with exactly these inputs, when all are still in the store.
    fn in_history(&self, standing: &Standing) -> Result<Option<(RunId, Outputs)>> {
        let always = matches!(&self.stage.kind, StageKind::Command(spec) if spec.always);
        if always || matches!(self.stage.kind, StageKind::Register) {
            return Ok(None);
        }
        let Some((run, links)) = self.space.repo.finished_run_of(&standing.key)? else {
            return Ok(None);
        };
        let is_command = matches!(self.stage.kind, StageKind::Command(_));
        let name = |link: &crate::record::run::Link| if is_command { link.name.clone() } else { link.role.clone() };
        let outputs: Outputs =
            links.iter().filter(|link| link.role != "artifact").map(|link| (name(link), link.id)).collect();
        for id in outputs.values() {
            if !self.space.repo.store().contains(id)? {
                return Ok(None);
            }
        }
        if is_command {
            command::restore(self.space, &outputs)?;
        }
        match outputs.get("dataset").copied().filter(|_| self.stage.kind == StageKind::Ingest) {
            Some(id) => {
                self.point_dataset_at(id)?;
                Ok(Some((run, self.with_raw(outputs, id)?)))
            }
            None => Ok(Some((run, outputs))),
        }
    }

    /// Going back to earlier data makes it the newest version again, as ingesting it would.
    fn point_dataset_at(&self, id: ObjectId) -> Result<()> {
        let moves = vec![crate::repo::refs::RefMove::Dataset { name: self.space.name(), id }];
        let change = crate::repo::refs::Change { moves };
        self.space.repo.commit(change, &self.ctx.actor(), self.ctx.clock.now()).map(drop)
    }

    fn with_raw(&self, mut outputs: Outputs, id: ObjectId) -> Result<Outputs> {
        let record: crate::record::dataset::DatasetRecord = self.space.repo.record(&id)?;
        outputs.extend(record.sources.first().map(|source| ("raw".to_owned(), source.raw)));
        Ok(outputs)
    }
}

/// Where the lock file of a project is.
pub fn lock_path(root: &Path) -> PathBuf {
    root.join(LOCK_FILE)
}
