//! `log` of runs: which ones, in which order, with which columns; and what failed ones printed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits;
use crate::index::RunRow;
use crate::index::search::{Found, RunSearch};

use crate::metrics::zoo;
use crate::ops::code::Untracked;
use crate::ops::context::OpCtx;
use crate::ops::tune::trials::STUDY_TAG;
use crate::record::run::{CodeState, RunState, TRIAL};
use crate::repo::Repo;
use crate::spec::model::Task;
use crate::spec::query::{
    self, Attribute, Comparison, Condition, Field, Holds, Literal, Sort, SortKey, parse_fields, parse_moment,
    parse_sort,
};

/// Which runs, as a person asks.
#[derive(Clone, Debug, Default)]
pub struct RunsOptions {
    /// Trials of studies too.
    pub all: bool,
    /// Only trials of this study.
    pub study: Option<RunId>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only of this stage.
    pub stage: Option<String>,
    /// What must hold.
    pub condition: Option<String>,
    /// Only those that started since.
    pub since: Option<String>,
    /// The order.
    pub sort: Option<String>,
    /// Runs passed over.
    pub offset: usize,
    /// At most this many.
    pub limit: Option<usize>,
    /// Columns to show; chosen from the condition and the order when absent.
    pub columns: Option<String>,
}

/// Runs, as asked for.
#[derive(Clone, Debug, Serialize)]
pub struct RunsReport {
    /// Runs in the order asked for.
    pub runs: Vec<RunRow>,
    /// How many there are without offset and limit.
    pub matched: u64,
    /// Trials of studies that were left out because nobody asked for them.
    pub trials_left_out: u64,
    /// What the person should know of the index: that it was built again, or is only in memory.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Columns asked for, else those that the condition and the order name.
    #[serde(skip)]
    pub fields: Vec<Field>,
    /// Whether the columns were asked for.
    #[serde(skip)]
    pub chosen: bool,
    /// Names of models and datasets.
    #[serde(skip)]
    pub links: BTreeMap<(RunId, Attribute), Vec<String>>,
}

/// Runs with the columns that were asked for and no others.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnsReport {
    /// Names of the columns in order.
    pub columns: Vec<String>,
    /// One object a run, column by column; null where a run does not have it.
    pub runs: Vec<Map<String, Value>>,
    /// How many there are without offset and limit.
    pub matched: u64,
    /// Trials of studies that were left out because nobody asked for them.
    pub trials_left_out: u64,
}

/// A failed or killed run with what it printed.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRow {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// Last part of a command's output.
    pub output: Option<String>,
    /// Command that does the same again.
    pub again: String,
}

/// Failed and killed runs, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorsReport {
    /// One entry a run.
    pub errors: Vec<ErrorRow>,
    /// How many there are without offset and limit.
    pub matched: u64,
}

/// What the code of a run was.
#[derive(Clone, Debug, Serialize)]
pub struct CodeReport {
    /// The run.
    pub run: RunId,
    /// Commit, and ids of what differed from it.
    pub code: CodeState,
    /// What tracked files differed by, for `git apply` on that commit.
    pub patch: Option<String>,
    /// The same as it was kept, whatever its letters are.
    #[serde(skip)]
    pub patch_bytes: Vec<u8>,
    /// Files that git did not know.
    pub untracked: Vec<Untracked>,
}

/// Runs by `options`.
///
/// Errors (usage): what cannot be read of the condition, order or columns; unknown names.
pub fn runs(repo: &Repo, options: &RunsOptions, ctx: &OpCtx<'_>) -> Result<RunsReport> {
    let mut search = search(options, ctx)?;
    let asked = options.all || options.kind.is_some() || options.stage.is_some() || options.study.is_some();
    let asked = asked || search.condition.as_ref().is_some_and(asks_for_kind);
    let chosen = options.columns.as_deref().map(parse_fields).transpose()?;
    let fields = chosen.clone().unwrap_or_else(|| mentioned(&search));
    let links: Vec<Attribute> = fields.iter().filter_map(link).collect();
    let index = repo.index()?;
    let trials_left_out = if asked { 0 } else { index.count_of_kind(TRIAL)? };
    // Where there are none, nothing is asked of the kinds of all runs.
    if trials_left_out > 0 {
        let is_trial = test(Attribute::Kind, TRIAL);
        search.condition = Some(both(search.condition.take(), is_trial.opposite()));
    }
    let Found { runs, matched, links } = index.search(&search, &links)?;
    let fields = expand(fields, &runs);
    let notes = index.notes().to_vec();
    Ok(RunsReport { runs, matched, trials_left_out, notes, fields, chosen: chosen.is_some(), links })
}

/// Failed and killed runs with what their commands printed.
///
/// Errors: as [`runs`].
pub fn errors(repo: &Repo, options: &RunsOptions, ctx: &OpCtx<'_>) -> Result<ErrorsReport> {
    let mut search = search(options, ctx)?;
    let states = [RunState::Failed, RunState::Killed].map(|state| test(Attribute::State, state.name())).to_vec();
    search.condition = Some(both(search.condition.take(), Condition::Any(states)));
    let Found { runs, matched, .. } = repo.index()?.search(&search, &[])?;
    let mut errors = Vec::new();
    for run in runs {
        let output = run.output_text.map(|id| repo.store().get(&id, limits::STAGE_OUTPUT_BYTES_MAX as u64 * 2));
        let output = output.transpose()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let again = again(&run);
        errors.push(ErrorRow { run, output, again });
    }
    Ok(ErrorsReport { errors, matched })
}

/// The code that a run was started from.
///
/// Errors: a run that was not started in a git checkout; an object that is gone.
pub fn code(repo: &Repo, reference: &str) -> Result<CodeReport> {
    let run = repo.resolve_run(reference)?;
    let row = repo.index()?.run(&run)?.ok_or_else(|| fail::usage(format!("there is no run {run}")))?;
    let code = row.code.ok_or_else(|| {
        fail::usage(format!("run {run} knows no commit of its code"))
            .hint("it was started outside of a git checkout, or before the first commit")
    })?;
    let read = |id: ObjectId| repo.store().get(&id, limits::CODE_PATCH_BYTES_MAX);
    let patch_bytes = code.patch.map(read).transpose()?.unwrap_or_default();
    let list = code.untracked.map(read).transpose()?.unwrap_or_default();
    let lines = list.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let untracked = lines.map(serde_json::from_slice).collect::<Result<Vec<Untracked>, _>>();
    let untracked = untracked.context("the list of untracked files cannot be read")?;
    let patch = code.patch.map(|_| String::from_utf8_lossy(&patch_bytes).into_owned());
    Ok(CodeReport { run, code, patch, patch_bytes, untracked })
}

impl RunsReport {
    /// The same with nothing but the columns asked for.
    pub fn by_columns(&self) -> ColumnsReport {
        let row =
            |run: &RunRow| self.fields.iter().map(|field| (field.to_string(), cell(run, field, &self.links))).collect();
        ColumnsReport {
            columns: self.fields.iter().map(Field::to_string).collect(),
            runs: self.runs.iter().map(row).collect(),
            matched: self.matched,
            trials_left_out: self.trials_left_out,
        }
    }

    /// Value of a field of a run; null when it does not have it.
    pub fn cell(&self, run: &RunRow, field: &Field) -> Value {
        cell(run, field, &self.links)
    }

    /// Parameters, metrics and tags that any of the runs has, for a table of everything.
    pub fn all_fields(&self) -> Vec<Field> {
        let all = || "*".to_owned();
        expand(vec![Field::Param(all()), Field::Metric(all()), Field::Tag(all())], &self.runs)
    }
}

fn search(options: &RunsOptions, ctx: &OpCtx<'_>) -> Result<RunSearch> {
    let now = ctx.clock.now();
    let mut condition = options.condition.as_deref().map(|text| query::parse(text, now)).transpose()?;
    let kind = options.kind.as_deref().or(options.study.map(|_| TRIAL));
    let mut flags: Vec<Condition> = kind.map(|kind| test(Attribute::Kind, kind)).into_iter().collect();
    flags.extend(options.stage.iter().map(|stage| test(Attribute::Stage, stage)));
    flags.extend(options.study.map(|study| {
        let id = Literal::Text(study.hex());
        Condition::Test(Field::Tag(STUDY_TAG.to_owned()), Holds::Compared(Comparison::Equal, id))
    }));
    if let Some(since) = &options.since {
        let moment = Literal::Time(parse_moment(since, now)?);
        let started = Field::Attribute(Attribute::Started);
        flags.push(Condition::Test(started, Holds::Compared(Comparison::AtLeast, moment)));
    }
    for flag in flags {
        condition = Some(both(condition, flag));
    }
    let mut sort = options.sort.as_deref().map(parse_sort).transpose()?.unwrap_or_default();
    for SortKey { field, descending } in &mut sort {
        if let (Field::Metric(name), None) = (field, &descending) {
            *descending = Some(!smaller_is_better(name));
        }
    }
    Ok(RunSearch { condition, sort, offset: options.offset, limit: options.limit })
}

/// Whether less of a metric is better: by the table of metrics, also behind a prefix (`validation_log_loss`); of others by
/// what losses and errors are called.
pub fn smaller_is_better(name: &str) -> bool {
    const LOSSES: [&str; 6] = ["loss", "error", "rmse", "mae", "mse", "mape"];
    let tasks = [Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly];
    let is = |known: &str| name == known || name.strip_suffix(known).is_some_and(|rest| rest.ends_with(['_', '.']));
    let known = tasks.into_iter().flat_map(zoo::all).filter(|metric| is(metric.name));
    match known.max_by_key(|metric| metric.name.len()) {
        Some(metric) => metric.aim.higher_is_better() == Some(false),
        None => LOSSES.iter().any(|end| name.ends_with(end)),
    }
}

fn test(attribute: Attribute, text: &str) -> Condition {
    let literal = Literal::Text(text.to_owned());
    Condition::Test(Field::Attribute(attribute), Holds::Compared(Comparison::Equal, literal))
}

fn both(first: Option<Condition>, second: Condition) -> Condition {
    match first {
        Some(Condition::All(mut parts)) => {
            parts.push(second);
            Condition::All(parts)
        }
        Some(first) => Condition::All(vec![first, second]),
        None => second,
    }
}

fn asks_for_kind(condition: &Condition) -> bool {
    condition.fields().contains(&&Field::Attribute(Attribute::Kind))
}

fn mentioned(search: &RunSearch) -> Vec<Field> {
    let tested = search.condition.iter().flat_map(Condition::fields);
    let mut fields = Vec::new();
    for field in tested.chain(search.sort.iter().map(|key| &key.field)) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    fields
}

fn link(field: &Field) -> Option<Attribute> {
    match field {
        Field::Attribute(attribute) if attribute.sort() == Sort::Link => Some(*attribute),
        _ => None,
    }
}

/// `metrics.*` and the like stand for all that the runs have.
fn expand(fields: Vec<Field>, runs: &[RunRow]) -> Vec<Field> {
    let every = |names: fn(&RunRow) -> Vec<&String>, make: fn(String) -> Field| {
        let all: BTreeSet<&String> = runs.iter().flat_map(names).collect();
        all.into_iter().cloned().map(make).collect::<Vec<_>>()
    };
    let each = |field: Field| match &field {
        Field::Metric(name) if name == "*" => every(|run| run.metrics.keys().collect(), Field::Metric),
        Field::Param(name) if name == "*" => every(|run| run.params.keys().collect(), Field::Param),
        Field::Tag(name) if name == "*" => every(|run| run.tags.keys().collect(), Field::Tag),
        _ => vec![field],
    };
    fields.into_iter().flat_map(each).collect()
}

fn cell(run: &RunRow, field: &Field, links: &BTreeMap<(RunId, Attribute), Vec<String>>) -> Value {
    let attribute = match field {
        Field::Metric(name) => return run.metrics.get(name).map_or(Value::Null, |value| (*value).into()),
        Field::Param(name) => return run.params.get(name).cloned().unwrap_or_default(),
        Field::Tag(name) => return run.tags.get(name).cloned().map_or(Value::Null, Value::String),
        Field::Attribute(attribute) => *attribute,
    };
    match attribute {
        Attribute::Run => run.run.hex().into(),
        Attribute::Kind => run.kind.clone().into(),
        Attribute::Stage => run.stage.clone().into(),
        Attribute::State => run.state.name().into(),
        Attribute::Started => run.started.to_string().into(),
        Attribute::Ended => run.ended.map(|time| time.to_string()).into(),
        Attribute::Seconds => run.wall_seconds.into(),
        Attribute::CpuSeconds => run.cpu_seconds.into(),
        Attribute::Memory => run.peak_memory_bytes.into(),
        Attribute::Command => run.command.join(" ").into(),
        Attribute::User => run.user.clone().into(),
        Attribute::Host => run.host.clone().into(),
        Attribute::Commit => run.code.as_ref().map(|code| code.commit.clone()).into(),
        Attribute::Dirty => run.code.as_ref().map(|code| code.dirty).into(),
        Attribute::Seed => run.seed.into(),
        Attribute::ExitCode => run.exit_code.into(),
        Attribute::Error => run.error.clone().into(),
        Attribute::Model | Attribute::Dataset => {
            links.get(&(run.run, attribute)).filter(|names| !names.is_empty()).map(|names| names.join(", ")).into()
        }
    }
}

/// The command that does again what a run did.
fn again(run: &RunRow) -> String {
    match &run.stage {
        Some(stage) => format!("mlops run {stage}"),
        None => {
            let words = run.command.iter().skip(1).map(|word| quoted(word));
            std::iter::once("mlops".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
        }
    }
}

/// A word as a shell wants it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "_-./@:=,+%".contains(letter);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
