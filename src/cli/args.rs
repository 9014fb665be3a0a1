//! Flags that several verbs share.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgAction, Args, ValueEnum};

use crate::base::fail;
use crate::config::environment::Environment;
use crate::spec::model::Task;
use crate::spec::project::{DataSpec, ProjectSpec};
use crate::term::ui::{ColorChoice, UiOptions};

/// Flags of every verb.
#[derive(Debug, Args)]
pub struct GlobalArgs {
    /// Act as if started in this folder
    #[arg(short = 'C', global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Print one JSON envelope {kind, version, data} on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only warnings and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say also what the command cost in time and memory
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Never touch the network
    #[arg(long, global = true)]
    pub offline: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl GlobalArgs {
    /// How the printer is to speak.
    pub fn ui_options(&self, environment: &Environment) -> UiOptions {
        UiOptions {
            json: self.json,
            quiet: self.quiet,
            verbose: self.verbose,
            color: match self.color {
                Color::Auto => ColorChoice::Auto,
                Color::Always => ColorChoice::Always,
                Color::Never => ColorChoice::Never,
            },
            no_color: environment.no_color || environment.dumb_terminal,
        }
    }
}

/// What the columns of a table mean.
#[derive(Clone, Debug, Default, Args)]
pub struct RoleArgs {
    /// Column to predict
    #[arg(long, value_name = "COLUMN")]
    pub target: Option<String>,
    /// What kind of prediction; inferred from the target when absent
    #[arg(long, value_enum)]
    pub task: Option<TaskName>,
    /// Columns never used as features
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// Columns that identify a row; never used as features
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub key: Vec<String>,
    /// Column of numbers that says how much each row counts in a fit; never used as a feature
    #[arg(long, value_name = "COLUMN")]
    pub weight: Option<String>,
}

/// Kinds of prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskName {
    /// One of two classes
    Binary,
    /// One of three or more classes
    Multiclass,
    /// A number
    Regression,
    /// The group of a row; needs no target, one that is given only judges
    Clustering,
    /// How odd a row is; needs no target, one that is given only judges
    Anomaly,
}

impl TaskName {
    /// The task so named.
    pub fn task(self) -> Task {
        match self {
            TaskName::Binary => Task::Binary,
            TaskName::Multiclass => Task::Multiclass,
            TaskName::Regression => Task::Regression,
            TaskName::Clustering => Task::Clustering,
            TaskName::Anomaly => Task::Anomaly,
        }
    }
}

impl RoleArgs {
    /// Puts the flags over what the project file says of its data. Without a `[data]` section there is nothing to put
    /// them over, so one without a source is made: only verbs that never read the source call this.
    pub fn apply(&self, spec: &mut ProjectSpec) {
        let listed = !self.ignore.is_empty() || !self.key.is_empty();
        if self.target.is_none() && self.task.is_none() && self.weight.is_none() && !listed {
            return;
        }
        let data = spec.data.get_or_insert_with(|| DataSpec {
            source: String::new(),
            name: None,
            target: None,
            task: None,
            null_values: None,
            ignore: Vec::new(),
            key: Vec::new(),
            weight: None,
            format: None,
            delimiter: None,
            encoding: None,
            sheet: None,
            member: None,
            window: None,
            types: Default::default(),
        });
        if self.target.is_some() && self.target != data.target {
            (data.target, data.task) = (self.target.clone(), None);
        }
        data.task = self.task.map(TaskName::task).or(data.task);
        if !self.ignore.is_empty() {
            data.ignore.clone_from(&self.ignore);
        }
        if !self.key.is_empty() {
            data.key.clone_from(&self.key);
        }
        if self.weight.is_some() {
            data.weight.clone_from(&self.weight);
        }
    }
}

/// How rows are divided.
#[derive(Clone, Debug, Default, Args)]
pub struct SplitArgs {
    /// Share of rows kept for the final test
    #[arg(long, value_name = "SHARE")]
    pub test: Option<f64>,
    /// Share of rows kept for choosing a model
    #[arg(long, value_name = "SHARE")]
    pub validation: Option<f64>,
    /// The one source of chance
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

impl SplitArgs {
    /// Puts the flags over what the project file says.
    pub fn apply(&self, spec: &mut ProjectSpec) -> Result<()> {
        spec.split.test = self.test.unwrap_or(spec.split.test);
        spec.split.validation = self.validation.unwrap_or(spec.split.validation);
        spec.project.seed = self.seed.unwrap_or(spec.project.seed);
        spec.split.check()?;
        Ok(())
    }
}

/// Reads `NAME=VALUE` with the value as TOML where it is some (numbers, booleans, lists), else as text.
pub fn parse_setting(text: &str) -> Result<(String, toml::Value)> {
    let bad = || fail::usage(format!("`{text}` is not NAME=VALUE")).hint("write it like trees=100");
    let (name, value) = text.split_once('=').ok_or_else(bad)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(bad().into());
    }
    let parsed = format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("value"));
    Ok((name.to_owned(), parsed.unwrap_or_else(|| toml::Value::String(value.to_owned()))))
}
