//! Turns a [`Change`] into the lines it adds: the part of a transaction that decides and writes nothing.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::id::{ObjectId, RunId};
use crate::base::{fail, fs, suggest};
use crate::record::Record;
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::EvaluationRecord;
use crate::record::model::ModelRecord;
use crate::record::run::RunRecord;
use crate::repo::Repo;
use crate::repo::audit::{self, Event};
use crate::repo::intent::{Append, FILE_BYTES_MAX, Intent};
use crate::repo::layout::{self, RefKind};
use crate::repo::lines;
use crate::repo::marks::{check_note, check_tag};
use crate::repo::names;
use crate::repo::refs::{
    Actor, AliasMove, AliasTarget, Change, Committed, DatasetVersion, ModelVersion, RefMove, RunRef,
};

/// Decides what `change` writes, for the holder of the repository lock. Nothing is written here.
///
/// The intent is `None` when everything is as asked already.
/// Errors: bad names, unknown versions, a run sealed before, an object that the store does not have.
pub fn draft(repo: &Repo, change: Change, actor: &Actor, now: Timestamp) -> Result<(Vec<Committed>, Option<Intent>)> {
    let mut draft = Draft {
        repo,
        now,
        files: BTreeMap::new(),
        events: Vec::new(),
        sealed: None,
        made: BTreeMap::new(),
        present: HashSet::new(),
        change: None,
        origin: (None, None),
    };
    let committed = change.moves.into_iter().map(|step| draft.step(step)).collect::<Result<Vec<_>>>()?;
    Ok((committed, draft.finish(actor)?))
}

/// A change on its way into lines.
pub struct Draft<'r> {
    repo: &'r Repo,
    /// When it happens.
    pub now: Timestamp,
    files: BTreeMap<String, DraftFile>,
    events: Vec<Event>,
    sealed: Option<HashSet<RunId>>,
    /// Versions made, or found to be the newest, by model.
    pub made: BTreeMap<String, u32>,
    /// Objects seen in the store: what many runs name is looked for once.
    present: HashSet<ObjectId>,
    /// Number of the change, once a line has needed it.
    pub change: Option<u64>,
    /// The change that the lines being written take back, and the one that they do once more.
    pub origin: (Option<u64>, Option<u64>),
}

/// All that is looked at in the list of sealed runs, which may be long.
#[derive(Deserialize)]
struct RunOnly {
    run: RunId,
}

/// A file as it will be: what is there, then what is added.
struct DraftFile {
    bytes: Vec<u8>,
    offset: usize,
}

impl Draft<'_> {
    fn step(&mut self, step: RefMove) -> Result<Committed> {
        match step {
            RefMove::Dataset { name, id } => self.dataset(name, id),
            RefMove::Model { name, package, model, evaluation, note, tags, reason } => {
                let version = ModelVersion { version: 0, package, model, evaluation, time: self.now, note, tags };
                self.model(name, version, reason)
            }
            RefMove::Alias { model, alias, target, reason } => self.alias(model, alias, target, reason),
            RefMove::Mark { model, version, fact, reason } => self.mark(model, version, fact, reason),
            RefMove::Expect(expected) => self.expect(expected),
            RefMove::Undo { model, change, redo, reason } => self.undo(&model, change, redo, reason.as_deref()),
            RefMove::Run { run, record } => self.run(run, record),
        }
    }

    fn dataset(&mut self, name: String, id: ObjectId) -> Result<Committed> {
        names::check("dataset", &name)?;
        let file = RefKind::Dataset.file(&name);
        let newest: Option<DatasetVersion> = self.lines(&file)?.pop();
        if let Some(same) = newest.as_ref().filter(|newest| newest.id == id) {
            return Ok(Committed::Dataset { version: same.version, new: false });
        }
        self.require_record::<DatasetRecord>(&id)?;
        let version = newest.map_or(0, |newest| newest.version) + 1;
        self.add(&file, &DatasetVersion { version, id, time: self.now })?;
        self.event("dataset.add", format!("{name}@v{version}"), None, Some(id.hex()), None);
        Ok(Committed::Dataset { version, new: true })
    }

    fn model(&mut self, name: String, mut wanted: ModelVersion, reason: Option<String>) -> Result<Committed> {
        names::check("model", &name)?;
        wanted.note.as_deref().map_or(Ok(()), check_note)?;
        wanted.tags.iter().try_for_each(|(name, value)| check_tag(name, value, wanted.tags.len()))?;
        let file = RefKind::Model.file(&name);
        let newest: Option<ModelVersion> = self.lines(&file)?.pop();
        if let Some(same) = newest.as_ref().filter(|newest| newest.says_the_same(&wanted)) {
            self.made.insert(name, same.version);
            return Ok(Committed::Model { version: same.version, new: false });
        }
        let record = self.require_record::<ModelRecord>(&wanted.model)?;
        if record.package != wanted.package {
            let (record, package) = (wanted.model.short(), wanted.package.short());
            return Err(fail::usage(format!("model record {record} does not describe package {package}")).into());
        }
        if let Some(evaluation) = &wanted.evaluation {
            self.require_record::<EvaluationRecord>(evaluation)?;
        }
        let version = newest.map_or(0, |newest| newest.version) + 1;
        wanted.version = version;
        self.add(&file, &wanted)?;
        let why = reason.or(wanted.note);
        self.event("model.register", format!("{name}@v{version}"), None, Some(wanted.package.hex()), why);
        self.made.insert(name, version);
        Ok(Committed::Model { version, new: true })
    }

    /// Moves an alias.
    pub fn alias(
        &mut self,
        model: String,
        alias: String,
        target: AliasTarget,
        reason: Option<String>,
    ) -> Result<Committed> {
        names::check("model", &model)?;
        names::check_alias(&alias)?;
        let file = RefKind::Alias.file(&model);
        let aliases = lines::current(&self.lines::<AliasMove>(&file)?);
        let from = aliases.get(&alias).copied();
        let to = match target {
            AliasTarget::Remove if from.is_none() => {
                let kind = format!("alias of model {model}");
                return Err(suggest::unknown(&kind, &alias, aliases.keys().map(String::as_str)).into());
            }
            AliasTarget::Remove => None,
            AliasTarget::Version(version) => Some(self.existing_version(&model, version)?),
            AliasTarget::NewVersion => Some(self.made(&model)?),
        };
        if from != to {
            let place = self.place()?;
            let step = AliasMove { alias: alias.clone(), from, to, time: self.now, reason: reason.clone(), place };
            self.add(&file, &step)?;
            self.keep_champion_in_use(&model)?;
            let action = if to.is_some() { "alias.move" } else { "alias.remove" };
            let shown = |version: Option<u32>| version.map(|version| format!("v{version}"));
            self.event(action, format!("{model}@{alias}"), shown(from), shown(to), reason);
        }
        Ok(Committed::Alias { from, to })
    }

    fn run(&mut self, run: RunId, record: ObjectId) -> Result<Committed> {
        if self.sealed.is_none() {
            self.sealed = Some(self.lines::<RunOnly>(layout::RUNS)?.into_iter().map(|line| line.run).collect());
        }
        if !self.sealed.get_or_insert_default().insert(run) {
            return Err(fail::usage(format!("run {run} has ended already")).into());
        }
        let found = self.require_record::<RunRecord>(&record)?;
        if found.start.id != run {
            return Err(fail::usage(format!("record {record} is of run {}, not of run {run}", found.start.id)).into());
        }
        self.add(layout::RUNS, &RunRef { run, record, time: self.now })?;
        self.event("run.seal", format!("run:{run}"), None, Some(record.hex()), None);
        Ok(Committed::Run)
    }

    /// `version`, if the model has it.
    pub fn existing_version(&mut self, model: &str, version: u32) -> Result<u32> {
        let versions: Vec<ModelVersion> = self.lines(&RefKind::Model.file(model))?;
        if versions.iter().any(|known| known.version == version) {
            return Ok(version);
        }
        if versions.is_empty() {
            let known = lines::all_names(self.repo.layout(), RefKind::Model)?;
            return Err(suggest::unknown("model", model, known.iter().map(String::as_str)).into());
        }
        let newest = versions.last().map_or(0, |newest| newest.version);
        Err(fail::usage(format!("model {model} has no version v{version}"))
            .hint(format!("its newest version is v{newest}"))
            .into())
    }

    /// The record `id`, whose own references must all be in the store: a name never points at less than all of it.
    fn require_record<R: Record>(&mut self, id: &ObjectId) -> Result<R> {
        let record: R = self.repo.record(id)?;
        for needed in record.references() {
            if self.present.contains(&needed) {
                continue;
            }
            if !self.repo.store().contains(&needed)? {
                return Err(fail::world(format!(
                    "object {needed}, which {} record {} refers to, is not in the store",
                    R::KIND,
                    id.short()
                ))
                .hint("run the command again; if it happens again, run `mlops fsck`")
                .into());
            }
            self.present.insert(needed);
        }
        Ok(record)
    }

    /// Adds a line to the audit log.
    pub fn event(
        &mut self,
        action: &'static str,
        subject: String,
        from: Option<String>,
        to: Option<String>,
        reason: Option<String>,
    ) {
        self.events.push(Event { action, subject, from, to, reason });
    }

    fn file(&mut self, file: &str) -> Result<&mut DraftFile> {
        if !self.files.contains_key(file) {
            let bytes = fs::read_optional(&self.repo.layout().inside(file), FILE_BYTES_MAX)?.unwrap_or_default();
            if bytes.last().is_some_and(|last| *last != b'\n') {
                return Err(fail::world(format!(".mlops/{file} does not end with a whole line"))
                    .hint("it was changed by hand: run `mlops fsck`")
                    .into());
            }
            self.files.insert(file.to_owned(), DraftFile { offset: bytes.len(), bytes });
        }
        self.files.get_mut(file).context("a drafted file is there once loaded")
    }

    /// Lines of a file of refs as they will be.
    pub fn lines<T: DeserializeOwned>(&mut self, file: &str) -> Result<Vec<T>> {
        lines::parse(&self.file(file)?.bytes, file)
    }

    /// Number that the next line of the audit log gets.
    pub fn next_audit_line(&self) -> Result<u64> {
        Ok(audit::tail(self.repo.layout())?.seq + self.events.len() as u64 + 1)
    }

    /// Adds a line to a file of refs.
    pub fn add<T: Serialize>(&mut self, file: &str, line: &T) -> Result<()> {
        let mut text = serde_json::to_vec(line).context("cannot write a line of refs")?;
        text.push(b'\n');
        self.file(file)?.bytes.extend(text);
        Ok(())
    }

    fn finish(self, actor: &Actor) -> Result<Option<Intent>> {
        if self.events.is_empty() {
            return Ok(None);
        }
        let mut appends = Vec::new();
        for (file, DraftFile { mut bytes, offset }) in self.files {
            let text = String::from_utf8(bytes.split_off(offset)).context("lines of refs are UTF-8")?;
            if !text.is_empty() {
                appends.push(Append { file, offset: offset as u64, text });
            }
        }
        appends.push(audit_append(self.repo, self.events, actor, self.now)?);
        Ok(Some(Intent { appends }))
    }
}

/// The lines that `events` add to the audit log.
pub fn audit_append(repo: &Repo, events: Vec<Event>, actor: &Actor, now: Timestamp) -> Result<Append> {
    let tail = audit::tail(repo.layout())?;
    let text = tail.extend(events, actor, now)?;
    Ok(Append { file: layout::AUDIT.to_owned(), offset: tail.length, text })
}
