//! `import`: a model that another tool trained becomes a version of ours, evaluated, served and watched like any other.

pub mod columns;
pub mod formats;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::fail;
use crate::base::fs;
use crate::base::id::{ObjectId, RunId};
use crate::base::limits::{MONITOR_IMPORT_ROWS, SPEC_BYTES_MAX};
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::data::target;
use crate::features::passthrough::passthrough;
use crate::models::monitoring::{self, Answered};
use crate::models::package::{InputColumn, Lineage, ModelPackage, PackageHeader};
use crate::models::zoo;
use crate::ops::context::OpCtx;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::import::columns::{Columns, Declared};
use crate::ops::import::formats::{ImportFormat, Incoming, Model};
use crate::ops::promote::{self, Against};
use crate::ops::recorded::{Done, Work, recorded};
use crate::quality::read::parse_schema;
use crate::record::evaluation::Verdict;
use crate::record::model::ModelRecord;
use crate::record::monitoring::MonitoringRecord;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::repo::marks::VersionState;
use crate::repo::names;
use crate::repo::refs::{AliasTarget, Committed, RefMove};
use crate::spec::model::Task;
use crate::spec::schema::{ColumnType, SchemaSpec};
use crate::spec::training::CalibrationMethod;

/// What to import, and as what.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The file.
    pub file: PathBuf,
    /// Name to register under.
    pub name: String,
    /// Its format; told by its content when absent.
    pub format: Option<ImportFormat>,
    /// A schema that declares its columns.
    pub schema: Option<PathBuf>,
    /// A dataset that has its columns, its classes, and the profile to compare later rows with.
    pub data: Option<String>,
    /// The column that it predicts; that of the dataset when absent.
    pub target: Option<String>,
    /// What it predicts, where the file leaves that open.
    pub task: Option<Task>,
    /// Names of its classes in its own order.
    pub classes: Vec<String>,
    /// Alias that moves to the new version.
    pub alias: Option<String>,
    /// A sentence kept with the version.
    pub note: Option<String>,
    /// Makes it the champion although nobody has judged it; needs `reason`.
    pub force: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The run.
    pub run: RunId,
    /// Name of the model.
    pub name: String,
    /// Number of the version.
    pub version: u32,
    /// The model: id of its package.
    pub id: ObjectId,
    /// Whether this very file, read in this very way, already was the newest version.
    pub unchanged: bool,
    /// The format.
    pub format: ImportFormat,
    /// Name of the model kind that runs it.
    pub kind: String,
    /// What it predicts.
    pub task: Task,
    /// The column it predicts; empty when nobody named it.
    pub target: String,
    /// Names of its classes; none for regression.
    pub classes: Vec<String>,
    /// Columns that it reads, in order.
    pub inputs: Vec<InputColumn>,
    /// What had to be guessed, in sentences.
    pub notes: Vec<String>,
    /// The file: its BLAKE3, as `b3sum` prints it.
    pub file: ObjectId,
    /// Length of the file in bytes.
    pub bytes: usize,
    /// Where every alias of the model points now.
    pub aliases: BTreeMap<String, u32>,
}

/// What is known of the columns beside the file.
struct Known {
    schema: Option<SchemaSpec>,
    dataset: Option<(OpenDataset, ProfileRecord)>,
    target: Option<String>,
}

/// Imports one file as a version of the model `name`.
///
/// Errors: no such file, a format that is not read, damage, a schema or dataset that does not fit it.
pub fn import(repo: &Repo, options: &ImportOptions, ctx: &OpCtx<'_>) -> Result<ImportReport> {
    promote::check_force(options.force, options.reason.as_deref())?;
    names::check("model", &options.name)?;
    if let Some(alias) = &options.alias {
        names::check_alias(alias)?;
    }
    let shown = options.file.display().to_string();
    let bytes = formats::bytes_of(&options.file)?;
    let format = options.format.map_or_else(|| ImportFormat::of(&bytes, &shown), Ok)?;
    let outcome = recorded(repo, ctx, "import", |repo, work| {
        let known = Known::of(repo, options)?;
        let (declared, source) = known.declared();
        let count = declared.as_ref().map(Vec::len);
        let incoming =
            formats::read(format, &bytes, count, options.task).with_context(|| format!("cannot import {shown}"))?;
        let columns = columns::settle(&incoming, declared.as_deref(), &source, known.target.as_deref())?;
        let (classes, said) = classes(repo, options, &incoming, &known, ctx)?;
        let notes = [incoming.notes.clone(), columns.notes.clone(), said].concat();
        notes.iter().for_each(|note| ctx.talk.info(note));
        let file = repo.store().put(&bytes)?.id;
        let made = Made { incoming, columns, classes, known, file, format };
        let (package, inputs, header) = made.keep(repo, options, work, ctx)?;
        let moves = moves(repo, options, package)?;
        let value = (package.0, inputs, header, notes, file);
        Ok(Done { value, moves, yes: true })
    })?;
    let of_model = |committed: &&Committed| matches!(committed, Committed::Model { .. });
    let Some(Committed::Model { version, new }) = outcome.committed.iter().find(of_model) else {
        return Err(fail::world(format!("{shown} was read, but no version was made of it")).into());
    };
    let (id, inputs, header, notes, file) = outcome.value;
    Ok(ImportReport {
        run: outcome.run,
        name: options.name.clone(),
        version: *version,
        id,
        unchanged: !*new,
        format,
        kind: header.model,
        task: header.task,
        target: header.target,
        classes: header.classes,
        inputs,
        notes,
        file,
        bytes: bytes.len(),
        aliases: repo.aliases(&options.name)?,
    })
}

impl Known {
    fn of(repo: &Repo, options: &ImportOptions) -> Result<Known> {
        let schema = options.schema.as_deref().map(|path| -> Result<SchemaSpec> {
            let text = fs::read_text_optional(path, SPEC_BYTES_MAX)?;
            let missing = || fail::usage(format!("there is no schema {}", path.display())).hint("check the path");
            parse_schema(&text.ok_or_else(missing)?, &path.display().to_string())
        });
        let schema = schema.transpose()?;
        let dataset = options.data.as_deref().map(|reference| -> Result<_> {
            let found = dataset::find(repo, Some(reference), None)?;
            let profile = dataset::profile(repo, &found.record)?;
            Ok((found, profile))
        });
        let dataset = dataset.transpose()?;
        let target = match (&options.target, &dataset) {
            (Some(target), Some((found, _))) => {
                let columns = found.record.columns.iter().map(|column| column.name.as_str());
                if !columns.clone().any(|column| column == target) {
                    return Err(suggest::unknown("column", target, columns).into());
                }
                Some(target.clone())
            }
            (Some(target), None) => Some(target.clone()),
            (None, Some((found, _))) => found.record.roles.target.clone(),
            (None, None) => None,
        };
        Ok(Known { schema, dataset, target })
    }

    /// Declared columns, and who declares them.
    fn declared(&self) -> (Option<Vec<Declared>>, String) {
        let target = self.target.as_deref();
        match (&self.schema, &self.dataset) {
            (Some(schema), _) => (Some(columns::of_schema(schema, target)), "the schema".to_owned()),
            (None, Some((found, profile))) => {
                (Some(columns::of_dataset(profile, &found.record.roles, target)), found.label.clone())
            }
            (None, None) => (None, String::new()),
        }
    }

    /// Type of the target column.
    fn target_type(&self) -> Option<ColumnType> {
        let target = self.target.as_deref()?;
        let of_data = self.dataset.as_ref().and_then(|(_, profile)| profile.column(target));
        let of_schema = self.schema.as_ref().and_then(|schema| schema.column(target));
        of_data.map(|column| column.column_type).or_else(|| of_schema.map(|rules| rules.column_type))
    }
}

/// Names of the classes: those asked for, those of the file, those of the dataset, else numbers.
fn classes(
    repo: &Repo,
    options: &ImportOptions,
    incoming: &Incoming,
    known: &Known,
    ctx: &OpCtx<'_>,
) -> Result<(Vec<String>, Vec<String>)> {
    let (count, given) = (incoming.classes, &options.classes);
    if !given.is_empty() && given.len() != count {
        let what = format!("the model has {count} classes; --classes names {}", given.len());
        return Err(fail::usage(what).hint("name each class once, in the order of the model").into());
    }
    if let Some(twice) = given.iter().enumerate().find(|(at, name)| given[..*at].contains(name)).map(|(_, name)| name) {
        return Err(fail::usage(format!("--classes names `{twice}` twice")).into());
    }
    if count == 0 || !given.is_empty() {
        return Ok((given.clone(), Vec::new()));
    }
    let numbers: Vec<String> = (0..count).map(|class| class.to_string()).collect();
    let own = (incoming.class_names.len() == count).then(|| incoming.class_names.clone());
    if let Some(own) = own.clone().filter(|own| *own != numbers) {
        return Ok((own, Vec::new()));
    }
    if let (Some((found, _)), Some(column)) = (&known.dataset, &known.target) {
        let table = dataset::table(repo, found, ctx.talk)?;
        let (truth, _) = target::read_target(&table, column, incoming.task)?;
        let names = truth.classes().to_vec();
        if names.len() != count {
            let what = format!("the model has {count} classes; `{column}` of {} has {}", found.label, names.len());
            return Err(fail::usage(what).hint("name those of the model with --classes A,B,…").into());
        }
        let note = format!("classes {}: the values of `{column}` in their order", names.join(", "));
        return Ok((names, if own.is_some() || truth.classes() == numbers { Vec::new() } else { vec![note] }));
    }
    let note =
        format!("classes {}: nobody names them; use --classes A,B,… in the order of the model", numbers.join(", "));
    Ok((numbers, if own.is_some() { Vec::new() } else { vec![note] }))
}

/// Everything that the package is made of.
struct Made {
    incoming: Incoming,
    columns: Columns,
    classes: Vec<String>,
    known: Known,
    file: ObjectId,
    format: ImportFormat,
}

impl Made {
    /// Keeps package and record; their ids, what the model reads, and its header.
    fn keep(
        self,
        repo: &Repo,
        options: &ImportOptions,
        work: &mut Work,
        ctx: &OpCtx<'_>,
    ) -> Result<((ObjectId, ObjectId), Vec<InputColumn>, PackageHeader)> {
        let recipe = passthrough(&self.columns.raw, Vec::new())?;
        let levels = self.columns.level_names();
        let predictor = match self.incoming.model {
            Model::Ours(predictor) => predictor,
            Model::Onnx(mut model) => {
                model.set_levels(levels)?;
                model
            }
        };
        let dataset = self.known.dataset.as_ref().map(|(found, _)| found.id);
        let whole = |name: &String| name.parse::<i64>().is_ok_and(|number| number.to_string() == *name);
        let numbered = !self.classes.is_empty() && self.classes.iter().all(whole);
        let header = PackageHeader {
            model: self.incoming.kind.to_owned(),
            task: self.incoming.task,
            target: self.known.target.clone().unwrap_or_default(),
            target_type: self.known.target_type().or_else(|| numbered.then_some(ColumnType::Integer)),
            classes: self.classes,
            inputs: self.columns.inputs.clone(),
            features: recipe.features().to_vec(),
            params: serde_json::json!({ "format": self.format }),
            seed: 0,
            lineage: Lineage { dataset, imported: Some(self.file), ..Lineage::default() },
            metrics: BTreeMap::new(),
            engine: zoo::ENGINE_VERSION,
            calibration: CalibrationMethod::None,
            threshold: None,
            baseline_answer: None,
        };
        let baseline = match &self.known.dataset {
            Some((_, profile)) => profile.clone(),
            None => ProfileRecord { rows: 0, columns: Vec::new() },
        };
        let package = ModelPackage::new(header.clone(), recipe, predictor, baseline);
        let bytes = with_answers(repo, &self.known, package, ctx).to_bytes()?;
        // What is kept can be opened: all parts are compared with each other there.
        ModelPackage::open(&bytes)?;
        let package = repo.store().put(&bytes)?.id;
        let record = repo.put_record(&ModelRecord {
            package,
            model: header.model.clone(),
            task: header.task,
            dataset,
            split: None,
            recipe: None,
            metrics: BTreeMap::new(),
            from: None,
            imported: Some(self.file),
        })?;
        // Its name alone, as for raw files: where it lay says nothing to others.
        let name = options.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        work.input("file", &name, self.file)?;
        if let Some((found, _)) = &self.known.dataset {
            work.input("dataset", &found.label, found.id)?;
        }
        work.param("format", serde_json::to_value(self.format)?)?;
        work.param("model", header.model.as_str().into())?;
        work.param("task", header.task.name().into())?;
        work.param("name", options.name.as_str().into())?;
        work.output("model", &header.model, package)?;
        work.output("model_record", &header.model, record)?;
        Ok(((package, record), self.columns.inputs, header))
    }
}

/// The package with how it answers rows of the dataset that it came with; without, and said, where it cannot.
fn with_answers(repo: &Repo, known: &Known, package: ModelPackage, ctx: &OpCtx<'_>) -> ModelPackage {
    let Some((found, _)) = &known.dataset else {
        return package;
    };
    match monitored(repo, found, &package, ctx) {
        Ok(monitoring) => package.monitored(monitoring),
        Err(error) => {
            ctx.talk.warn(&format!("its answers to {} are not kept for monitoring: {error:#}", found.label));
            package
        }
    }
}

/// How the model answers rows of the dataset that it came with, all of them or a drawn few.
fn monitored(repo: &Repo, found: &OpenDataset, package: &ModelPackage, ctx: &OpCtx<'_>) -> Result<MonitoringRecord> {
    let (table, header) = (dataset::table(repo, found, ctx.talk)?, &package.header);
    let rows = monitoring::draw(table.rows(), MONITOR_IMPORT_ROWS, Seed(0).derive("import"));
    let table = table.take(&rows)?;
    let names: Vec<&str> = header.inputs.iter().map(|input| input.name.as_str()).collect();
    let frame = table.frame(&names)?;
    let truth = match header.target.is_empty() {
        true => None,
        false => target::target_against(&table, &header.target, header.task, &header.classes).ok(),
    };
    // A truth that some rows lack is not of the same rows.
    let truth = truth.filter(|(_, known)| known.len() == rows.len()).map(|(truth, _)| truth);
    let answers = package.predict(&frame)?;
    let answered = Answered { rows_of: "all", answers: &answers, truth: truth.as_ref() };
    monitoring::monitoring(package, &answered, &frame, Seed(0))
}

/// The new version and its alias. The same package again is the same version, whatever was found out about it since.
fn moves(repo: &Repo, options: &ImportOptions, (package, model): (ObjectId, ObjectId)) -> Result<Vec<RefMove>> {
    let name = &options.name;
    let known = repo.models()?.contains(name);
    let newest = if known { repo.model_versions(name)?.pop() } else { None };
    let same = newest.filter(|newest| (newest.package, newest.model) == (package, model));
    let same_version = same.as_ref().map(|same| same.version);
    let evaluation = same.and_then(|same| same.evaluation);
    let (note, reason) = (options.note.clone(), promote::told(options.reason.as_deref(), options.force));
    let mut moves = vec![RefMove::Model {
        name: name.clone(),
        package,
        model,
        evaluation,
        note,
        tags: BTreeMap::new(),
        reason: reason.clone(),
    }];
    let Some(alias) = &options.alias else {
        return Ok(moves);
    };
    let (verdict, state) = match same_version {
        Some(version) => (promote::verdict(repo, name, version)?, repo.version_state(name, version)?),
        None => (Verdict::None, VersionState::Pending),
    };
    // Nobody has judged a new one yet, and a champion is what is served.
    let verdict = if alias == promote::CHAMPION { verdict } else { Verdict::Pass };
    match promote::against(name, same_version.unwrap_or(1), alias, verdict, state) {
        Some(Against::UnlessForced(_)) if options.force => {}
        Some(Against::UnlessForced(_)) if same_version.is_none() => {
            let what =
                format!("this model has not been evaluated, and the {} of {name} needs a verdict", promote::CHAMPION);
            let way = format!("import it without --alias, evaluate it, then `mlops promote {name}@latest`");
            return Err(fail::usage(what).hint(format!("{way}; or use --force --reason \"WHY\"")).into());
        }
        Some(Against::UnlessForced(why) | Against::Ever(why)) => return Err(fail::usage(why).into()),
        None => {}
    }
    let target = same_version.map_or(AliasTarget::NewVersion, AliasTarget::Version);
    moves.extend(promote::alias_moves(repo, name, alias, target, reason.as_deref())?);
    Ok(moves)
}
